package gov_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/gov"
)

var (
	stakeDAO   = gov.DAO{Governor: gov.Address{1}, Timelock: gov.Address{2}, Token: gov.Address{3}, Executor: gov.Address{2}, Treasury: []gov.Address{{2}}}
	booked     = gov.Address{4}
	strangers  = gov.Address{5}
	priced     = gov.Asset{6}
	fake       = gov.Asset(strangers)
	stakeBooks = gov.Known([]gov.TargetCode{{Address: booked, Known: true}, {Address: strangers}})
)

// paying are facts of a run that executed and let so much out.
func paying(out ...gov.Outflow) gov.Facts {
	f := gov.Facts{DAO: stakeDAO}
	f.Effects.Status = gov.Known(gov.EffectsExecuted)
	f.Calls = gov.Known([]gov.Call{{To: booked, Kind: gov.KindApproval, Known: true}})
	f.Targets.Code = stakeBooks
	f.Treasury.ValueUSD = gov.Known(1e6)
	f.Treasury.Holdings = []gov.Holding{
		{Token: priced, Amount: gov.NewAmount(1e6), USD: gov.Known(1e6)}, {Token: gov.Asset(booked), Amount: gov.NewAmount(1000)}, {Token: fake, Amount: gov.NewAmount(1000)},
	}
	f.Treasury.Outflows = gov.Known(out)
	return f
}

func outflow(a gov.Asset, amount uint64, bps gov.Maybe[float64]) gov.Outflow {
	return gov.Outflow{Token: a, Amount: gov.NewAmount(amount), Bps: bps, Outside: true}
}

// calling are facts of a run of which nothing is known but its calls.
func calling(c ...gov.Call) gov.Facts {
	f := paying()
	f.Effects.Status, f.Treasury.Outflows = gov.Known(gov.EffectsReverted), gov.Maybe[[]gov.Outflow]{}
	f.Calls = gov.Known(c)
	return f
}

func approve(token gov.Address, amount uint64) gov.Call {
	var word [32]byte
	b := gov.NewAmount(amount).Int().Bytes32()
	copy(word[:], b[:])
	return gov.Call{To: token, Kind: gov.KindApproval, Known: true, Args: []gov.Arg{{Type: "address"}, {Type: "uint256", Value: gov.Value{Word: word}}}}
}

// TestStake: what counts is what an Against prevents, as a proposer would try to have it look more or less than it is.
func TestStake(t *testing.T) {
	with := func(f gov.Facts, change func(*gov.Facts)) gov.Facts { change(&f); return f }
	right := func(target gov.Address) gov.Facts {
		return with(paying(), func(f *gov.Facts) {
			f.Roles.Changes = gov.Known([]gov.RoleChange{{Target: target, Kind: gov.RoleGranted, Outside: true}})
		})
	}
	cases := map[string]struct {
		facts gov.Facts
		level gov.StakeLevel
		bps   int
	}{
		"nothing leaves":                       {paying(), gov.StakeSmall, 0},
		"a wei to a stranger":                  {paying(outflow(priced, 1, gov.Known(1e-14))), gov.StakeSmall, 0},
		"many times a wei":                     {paying(outflow(priced, 1, gov.Known(0.01)), outflow(priced, 1, gov.Known(0.01))), gov.StakeSmall, 0},
		"just under a percent":                 {paying(outflow(priced, 1, gov.Known(99.9))), gov.StakeSmall, 99},
		"a percent":                            {paying(outflow(priced, 1, gov.Known(100.0))), gov.StakeLarge, 100},
		"a percent in two":                     {paying(outflow(priced, 1, gov.Known(50.0)), outflow(priced, 1, gov.Known(50.0))), gov.StakeLarge, 100},
		"a tenth":                              {paying(outflow(priced, 1, gov.Known(1000.0))), gov.StakeWhole, 1000},
		"more than all":                        {paying(outflow(priced, 1, gov.Known(9e9))), gov.StakeWhole, 10_000},
		"no number":                            {paying(outflow(priced, 1, gov.Known(math.NaN()))), gov.StakeSmall, 0},
		"no end":                               {paying(outflow(priced, 1, gov.Known(math.Inf(1)))), gov.StakeWhole, 10_000},
		"less than nothing":                    {paying(outflow(priced, 1, gov.Known(-5.0)), outflow(priced, 1, gov.Known(120.0))), gov.StakeLarge, 120},
		"all of a token that nobody knows":     {paying(outflow(fake, 1000, gov.Maybe[float64]{})), gov.StakeUnclear, 0},
		"all of a booked token without price":  {paying(outflow(gov.Asset(booked), 1000, gov.Maybe[float64]{})), gov.StakeLarge, 100},
		"dust of a booked token":               {paying(outflow(gov.Asset(booked), 1, gov.Maybe[float64]{})), gov.StakeSmall, 10},
		"a fake token beside a known drain":    {paying(outflow(fake, 1, gov.Maybe[float64]{}), outflow(priced, 1, gov.Known(4000.0))), gov.StakeWhole, 4000},
		"a role of the timelock":               {right(stakeDAO.Timelock), gov.StakeWhole, 0},
		"a role of a booked contract":          {right(booked), gov.StakeWhole, 0},
		"a role of a contract of the proposer": {right(strangers), gov.StakeUnclear, 0},
		"a role of nobody knows what":          {with(paying(), func(f *gov.Facts) { f.Roles.GrantedOutside = gov.Known(int64(1)) }), gov.StakeLarge, 0},
		"the timelock's delay": {with(paying(), func(f *gov.Facts) {
			f.Timelock = gov.Timelock{DelayBefore: gov.Known(int64(9)), DelayAfter: gov.Known(int64(8))}
		}), gov.StakeWhole, 0},
		"a longer delay": {with(paying(), func(f *gov.Facts) {
			f.Timelock = gov.Timelock{DelayBefore: gov.Known(int64(8)), DelayAfter: gov.Known(int64(9))}
		}), gov.StakeSmall, 0},
		"new code of the governor":   {with(paying(), func(f *gov.Facts) { f.Effects.CodeChanges = []gov.CodeChange{{Account: stakeDAO.Governor}} }), gov.StakeWhole, 0},
		"new code of a fake proxy":   {with(paying(), func(f *gov.Facts) { f.Upgrades = gov.Known([]gov.Change{{Proxy: strangers}}) }), gov.StakeUnclear, 0},
		"new code of a booked proxy": {with(paying(), func(f *gov.Facts) { f.Upgrades = gov.Known([]gov.Change{{Proxy: booked}}) }), gov.StakeWhole, 0},
		"a minter":                   {with(paying(), func(f *gov.Facts) { f.Supply.MintersAdded = gov.Known(int64(1)) }), gov.StakeWhole, 0},
		"minted a percent":           {with(paying(), func(f *gov.Facts) { f.Supply.MintedBps = gov.Known(100.0) }), gov.StakeLarge, 100},
		"a lower quorum": {with(paying(), func(f *gov.Facts) {
			f.Governor.Quorum = gov.Span[float64]{Before: gov.Known(2.0), After: gov.Known(1.0)}
		}), gov.StakeLarge, 0},

		"nothing known at all":          {gov.Facts{}, gov.StakeLarge, 0},
		"reverted, a wei":               {calling(approve(gov.Address(priced), 1)), gov.StakeSmall, 0},
		"reverted, four percent":        {calling(approve(gov.Address(priced), 4e4)), gov.StakeLarge, 0},
		"reverted, four percent in two": {calling(approve(gov.Address(priced), 5e3), approve(gov.Address(priced), 5e3)), gov.StakeLarge, 0},
		"reverted, without end":         {calling(approve(gov.Address(priced), math.MaxUint64)), gov.StakeWhole, 0},
		"reverted, a fake token":        {calling(approve(strangers, math.MaxUint64)), gov.StakeUnclear, 0},
		"reverted, of a booked target":  {calling(gov.Call{To: booked, Kind: gov.KindTransfer, Known: true}), gov.StakeLarge, 0},
		"reverted, the timelock":        {calling(gov.Call{To: stakeDAO.Timelock, Kind: gov.KindTimelock, Known: true}), gov.StakeWhole, 0},
		"reverted, a fake timelock":     {calling(gov.Call{To: strangers, Kind: gov.KindTimelock, Known: true}), gov.StakeUnclear, 0},
		"reverted, who knows":           {calling(gov.Call{To: strangers, Kind: gov.KindUnknown}), gov.StakeUnclear, 0},
		"reverted, a parameter":         {calling(gov.Call{To: booked, Kind: gov.KindParameter, Known: true}), gov.StakeSmall, 0},
		"executed, a right without trace": {with(paying(), func(f *gov.Facts) {
			f.Calls = gov.Known([]gov.Call{{To: stakeDAO.Timelock, Kind: gov.KindRole, Known: true}})
		}), gov.StakeLarge, 0},
	}
	for name, c := range cases {
		if got := gov.StakeOf(c.facts); got.Level() != c.level || c.bps > 0 && got.Bps() != c.bps {
			t.Errorf("%s: %s, want level %d with %d bps", name, got, c.level, c.bps)
		}
	}
	t.Logf("n=%d cases", len(cases))
}

// TestStakeIsTotal: whatever the numbers, a stake is between the least and the most, and more of the same is not less.
func TestStakeIsTotal(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		f := paying()
		last := gov.StakeOf(f)
		var out []gov.Outflow
		for range rapid.IntRange(1, 8).Draw(rt, "outflows") {
			bps := gov.Known(rapid.Float64().Draw(rt, "bps"))
			if rapid.Bool().Draw(rt, "unpriced") {
				bps = gov.Maybe[float64]{}
			}
			out = append(out, outflow(rapid.SampledFrom([]gov.Asset{priced, fake, gov.Asset(booked), gov.Native}).Draw(rt, "asset"), rapid.Uint64().Draw(rt, "amount"), bps))
			f.Treasury.Outflows = gov.Known(out)
			s := gov.StakeOf(f)
			if s < last || s > gov.MostStake || s.Level() > gov.StakeWhole || s.Bps() > 10_000 {
				rt.Fatalf("%s after %s: %+v", s, last, out)
			}
			last = s
			n++
		}
	})
	t.Logf("n=%d stakes", n)
}
