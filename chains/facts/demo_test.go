package facts_test

import (
	"math/big"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/devchain"
)

var stranger = common.HexToAddress("0x00000000000000000000000000000000000a11ce")

func ether(n int64) *big.Int { return devchain.Tokens(n) }

// TestFactsOfProposals asserts the facts of proposals like the demo's, value by value. The treasury holds 150 ETH at
// 2000 USD and 150 000 tokens at 5 USD: 1 050 000 USD.
func TestFactsOfProposals(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	d := w.dao
	// quiet asserts that nothing but what a case names has moved.
	quiet := func(t *testing.T, f gov.Facts, but ...string) {
		t.Helper()
		skip := map[string]bool{}
		for _, b := range but {
			skip[b] = true
		}
		if !skip["supply"] {
			is(t, "minted_bps", f.Supply.MintedBps, 0)
			is(t, "burned_bps", f.Supply.BurnedBps, 0)
			is(t, "minters_added", f.Supply.MintersAdded, 0)
			is(t, "cap_raised", f.Supply.CapRaised, false)
			is(t, "paused", f.Supply.Paused, false)
			is(t, "self_delegated", f.Supply.SelfDelegated, false)
		}
		if !skip["roles"] {
			is(t, "granted", f.Roles.Granted, 0)
			is(t, "granted_outside", f.Roles.GrantedOutside, 0)
			is(t, "revoked", f.Roles.Revoked, 0)
			is(t, "owner_changed", f.Roles.OwnerChanged, 0)
			is(t, "admin_changed", f.Roles.AdminChanged, 0)
			is(t, "timelock.roles_changed", f.Timelock.RolesChanged, 0)
		}
		if !skip["timelock"] {
			is(t, "delay_before", f.Timelock.DelayBefore, 60)
			is(t, "delay_after", f.Timelock.DelayAfter, 60)
		}
		if !skip["governor"] {
			is(t, "quorum.before", f.Governor.Quorum.Before, 40_000)
			is(t, "quorum.after", f.Governor.Quorum.After, 40_000)
			is(t, "threshold.after", f.Governor.Threshold.After, 100)
			is(t, "delay.after", f.Governor.Delay.After, 2)
			is(t, "period.after", f.Governor.Period.After, 20)
		}
		if !skip["outflow"] {
			is(t, "outflow_usd", f.Treasury.OutflowUSD, 0)
			is(t, "outflow_bps", f.Treasury.OutflowBps, 0)
			is(t, "allowances", f.Treasury.Allowances, 0)
			is(t, "allowances_outside", f.Treasury.AllowancesOutside, 0)
			is(t, "recipients_new", f.Treasury.RecipientsNew, 0)
		}
		if !skip["upgrades"] {
			if u, ok := f.Upgrades.Get(); !ok || len(u) != 0 {
				t.Errorf("upgrades = %v (known %v), want none", u, ok)
			}
		}
		is(t, "value_usd", f.Treasury.ValueUSD, 1_050_000)
		is(t, "status", f.Effects.Status, gov.EffectsExecuted)
		unknown(t, "bridge.chains", f.Bridge.Chains)
	}
	leaf := func(t *testing.T, f gov.Facts) gov.Call {
		t.Helper()
		calls, ok := f.Calls.Get()
		if leaves := gov.Leaves(calls); ok && len(leaves) == 1 {
			return leaves[0].Call
		}
		t.Fatalf("calls = %v (known %v), want one leaf", calls, ok)
		return gov.Call{}
	}
	kinds := func(t *testing.T, f gov.Facts, want ...gov.Kind) {
		t.Helper()
		if got, ok := f.Kinds.Get(); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("kinds = %v (known %v), want %v", got, ok, want)
		}
	}

	t.Run("native grant", func(t *testing.T) {
		f := w.gather(devchain.Action{Target: stranger, Value: ether(10)}).Facts
		quiet(t, f, "outflow")
		kinds(t, f, gov.KindNative)
		c := leaf(t, f)
		if !c.Known || c.Selector != nil || c.Decoded != gov.DecodedFull {
			t.Errorf("leaf = %+v, want known native", c)
		}
		is(t, "unknown_calls", f.UnknownCalls, 0)
		is(t, "outflow_usd", f.Treasury.OutflowUSD, 20_000)
		is(t, "outflow_bps", f.Treasury.OutflowBps, 20_000.0*10_000/1_050_000)
		unknown(t, "recipients_new", f.Treasury.RecipientsNew)
		out, _ := f.Treasury.Outflows.Get()
		if len(out) != 1 || out[0].To != gov.Address(stranger) || out[0].Kind != gov.OutflowNative || out[0].Amount != amount(ether(10)) || !out[0].Outside || !out[0].Decoded {
			t.Errorf("outflows = %+v", out)
		}
		is(t, "codeless", f.Targets.Codeless, 0) // the recipient of a known native leaf is no target
	})
	t.Run("token grant", func(t *testing.T) {
		f := w.gather(w.act(d.Token, d.TokenContract(), "transfer", stranger, ether(1000))).Facts
		quiet(t, f, "outflow")
		kinds(t, f, gov.KindTransfer)
		if c := leaf(t, f); !c.Known || c.Signature != "transfer(address,uint256)" || c.Args[1].Value.Amount() != amount(ether(1000)) {
			t.Errorf("leaf = %+v", c)
		}
		is(t, "outflow_usd", f.Treasury.OutflowUSD, 5000)
		is(t, "fresh", f.Targets.Fresh, 0)
	})
	t.Run("grant from the operator's treasury", func(t *testing.T) {
		f := w.gather(w.act(d.Treasury, "Treasury", "pay", stranger, ether(1))).Facts
		quiet(t, f, "outflow")
		if c := leaf(t, f); !c.Known || c.Label != "Treasury" || c.Kind != gov.KindTransfer {
			t.Errorf("leaf = %+v", c)
		}
		is(t, "outflow_usd", f.Treasury.OutflowUSD, 2000)
	})
	t.Run("parameter tightening", func(t *testing.T) {
		f := w.gather(w.act(d.Market, "Market", "setCollateralFactor", d.Token, new(big.Int).Mul(big.NewInt(6), big.NewInt(1e17)))).Facts
		quiet(t, f)
		kinds(t, f, gov.KindParameter)
		params, ok := f.Params.Get()
		if !ok || len(params) != 1 || params[0].Label != "Market" {
			t.Fatalf("params = %+v", params)
		}
	})
	t.Run("mint", func(t *testing.T) {
		f := w.gather(w.act(d.Token, d.TokenContract(), "mint", stranger, ether(50_000))).Facts
		quiet(t, f, "supply")
		kinds(t, f, gov.KindMint)
		is(t, "minted_bps", f.Supply.MintedBps, 500)
		is(t, "burned_bps", f.Supply.BurnedBps, 0)
		is(t, "after", f.Supply.After, amount(ether(1_050_000)))
	})
	t.Run("cap and minter", func(t *testing.T) {
		f := w.gather(
			w.act(d.Token, d.TokenContract(), "setCap", ether(20_000_000)),
			w.act(d.Token, d.TokenContract(), "grantRole", crypto.Keccak256Hash([]byte("MINTER_ROLE")), stranger),
			w.act(d.Token, d.TokenContract(), "pause"),
			w.act(d.Token, d.TokenContract(), "delegate", stranger),
		).Facts
		quiet(t, f, "supply", "roles")
		is(t, "cap_raised", f.Supply.CapRaised, true)
		is(t, "minters_added", f.Supply.MintersAdded, 1)
		is(t, "paused", f.Supply.Paused, true)
		is(t, "self_delegated", f.Supply.SelfDelegated, true)
		is(t, "granted_outside", f.Roles.GrantedOutside, 1)
	})
	t.Run("approve drain", func(t *testing.T) {
		most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
		f := w.gather(w.act(d.Token, d.TokenContract(), "approve", stranger, most)).Facts
		quiet(t, f, "outflow")
		kinds(t, f, gov.KindApproval)
		is(t, "allowances", f.Treasury.Allowances, 1)
		is(t, "allowances_outside", f.Treasury.AllowancesOutside, 1)
		is(t, "outflow_usd", f.Treasury.OutflowUSD, 500_000) // capped at the timelock's 100 000 tokens
		out, _ := f.Treasury.Outflows.Get()
		if len(out) != 1 || out[0].Kind != gov.OutflowAllowance || !out[0].Outside || out[0].Amount != amount(most) {
			t.Errorf("outflows = %+v", out)
		}
	})
	t.Run("operator of NFTs", func(t *testing.T) {
		f := w.gather(w.act(d.NFT, "DevNFT", "setApprovalForAll", stranger, true)).Facts
		quiet(t, f, "outflow", "roles") // the token is in no book, and nobody knows what it changed
		unknown(t, "granted_outside", f.Roles.GrantedOutside)
		is(t, "allowances_outside", f.Treasury.AllowancesOutside, 1)
		unknown(t, "outflow_usd", f.Treasury.OutflowUSD)
		if c := leaf(t, f); c.Known || c.Kind != gov.KindApproval {
			t.Errorf("leaf = %+v", c)
		}
		is(t, "unknown_calls", f.UnknownCalls, 1)
	})
	t.Run("timelock admin", func(t *testing.T) {
		f := w.gather(w.act(d.Timelock, d.TimelockContract(), "grantRole", [32]byte{}, stranger)).Facts
		quiet(t, f, "roles")
		kinds(t, f, gov.KindTimelock)
		is(t, "granted", f.Roles.Granted, 1)
		is(t, "granted_outside", f.Roles.GrantedOutside, 1)
		is(t, "timelock.roles_changed", f.Timelock.RolesChanged, 1)
		if c := leaf(t, f); !c.Known {
			t.Errorf("leaf = %+v, want known: it is the DAO's own timelock", c)
		}
	})
	t.Run("timelock delay", func(t *testing.T) {
		f := w.gather(w.act(d.Timelock, d.TimelockContract(), "updateDelay", big.NewInt(1))).Facts
		quiet(t, f, "timelock")
		is(t, "delay_before", f.Timelock.DelayBefore, 60)
		is(t, "delay_after", f.Timelock.DelayAfter, 1)
	})
	t.Run("governor's rules", func(t *testing.T) {
		f := w.gather(
			w.act(d.Governor, d.GovernorContract(), "updateQuorumNumerator", big.NewInt(2)),
			w.act(d.Governor, d.GovernorContract(), "setVotingPeriod", uint32(7)),
		).Facts
		quiet(t, f, "governor")
		kinds(t, f, gov.KindGovernor)
		is(t, "quorum.before", f.Governor.Quorum.Before, 40_000)
		is(t, "quorum.after", f.Governor.Quorum.After, 20_000)
		is(t, "period.before", f.Governor.Period.Before, 20)
		is(t, "period.after", f.Governor.Period.After, 7)
	})
	t.Run("reverting transfer", func(t *testing.T) {
		f := w.gather(w.act(d.Token, d.TokenContract(), "transfer", stranger, ether(10_000_000))).Facts
		is(t, "status", f.Effects.Status, gov.EffectsReverted)
		kinds(t, f, gov.KindTransfer)
		is(t, "unknown_calls", f.UnknownCalls, 0)
		is(t, "value_usd", f.Treasury.ValueUSD, 1_050_000)
		is(t, "delay_before", f.Timelock.DelayBefore, 60)
		unknown(t, "outflow_usd", f.Treasury.OutflowUSD)
		unknown(t, "outflow_bps", f.Treasury.OutflowBps)
		unknown(t, "allowances", f.Treasury.Allowances)
		unknown(t, "recipients_new", f.Treasury.RecipientsNew)
		unknown(t, "outflows", f.Treasury.Outflows)
		unknown(t, "minted_bps", f.Supply.MintedBps)
		unknown(t, "minters_added", f.Supply.MintersAdded)
		unknown(t, "cap_raised", f.Supply.CapRaised)
		unknown(t, "paused", f.Supply.Paused)
		unknown(t, "granted", f.Roles.Granted)
		unknown(t, "delay_after", f.Timelock.DelayAfter)
		unknown(t, "roles_changed", f.Timelock.RolesChanged)
		unknown(t, "quorum.after", f.Governor.Quorum.After)
		unknown(t, "upgrades", f.Upgrades)
	})
	t.Run("upgrade", func(t *testing.T) {
		f := w.gather(w.act(d.Market, "Market", "upgradeToAndCall", d.MarketV2, []byte{})).Facts
		quiet(t, f, "upgrades")
		kinds(t, f, gov.KindUpgrade)
		u, _ := f.Upgrades.Get()
		if len(u) != 1 || u[0].Proxy != gov.Address(d.Market) || u[0].Before != gov.Address(d.MarketImpl) || u[0].After != gov.Address(d.MarketV2) || u[0].AfterCode == (gov.CodeHash{}) {
			t.Errorf("upgrades = %+v", u)
		}
		is(t, "proxy", f.Targets.Proxy, 1)
	})
	t.Run("upgrade with a call", func(t *testing.T) {
		inner := w.act(d.Market, "Market", "setOracle", stranger)
		f := w.gather(w.act(d.Market, "Market", "upgradeToAndCall", d.MarketV2, inner.Calldata)).Facts
		kinds(t, f, gov.KindUpgrade)
		calls, _ := f.Calls.Get()
		if len(calls) != 1 || len(calls[0].Children) != 1 || !calls[0].Children[0].Delegatecall || calls[0].Children[0].Known {
			t.Errorf("calls = %+v", calls)
		}
	})
	t.Run("beacon", func(t *testing.T) {
		f := w.gather(w.act(d.Beacon, "UpgradeableBeacon", "upgradeTo", d.BeaconImp2)).Facts
		kinds(t, f, gov.KindUpgrade)
	})
	t.Run("opaque call", func(t *testing.T) {
		f := w.gather(w.act(d.Opaque, "OpaqueTarget", "zq7_k9Wobble", big.NewInt(7), []byte("hello"))).Facts
		quiet(t, f, "outflow", "roles")
		for name, n := range map[string]gov.Maybe[int64]{"granted": f.Roles.Granted, "granted_outside": f.Roles.GrantedOutside, "allowances": f.Treasury.Allowances} {
			unknown(t, name, n) // nobody looked at what such a call may change
		}
		unknown(t, "outflow_usd", f.Treasury.OutflowUSD)
		kinds(t, f, gov.KindUnknown)
		c := leaf(t, f)
		if c.Known || c.Signature != "" || c.Decoded != gov.DecodedNone || len(c.Args) != 0 {
			t.Errorf("leaf = %+v", c)
		}
		is(t, "unknown_calls", f.UnknownCalls, 1)
		is(t, "fresh", f.Targets.Fresh, 1)
		code, _ := f.Targets.Code.Get()
		if len(code) != 1 || code[0].Known || code[0].Size == 0 {
			t.Errorf("targets = %+v", code)
		}
	})
	t.Run("code that moved makes nothing known", func(t *testing.T) {
		deps := w.deps
		e, _ := deps.Book.Entry(gov.Address(d.Market))
		e.ImplCodeHash[0] ^= 1
		deps.Book = book.Of(e)
		world := *w
		world.deps = deps
		f := world.gather(w.act(d.Market, "Market", "setCloseFactor", big.NewInt(1))).Facts
		if c := leaf(t, f); c.Known {
			t.Errorf("leaf = %+v, want not known: the recorded implementation has other code", c)
		}
	})
	t.Run("context", func(t *testing.T) {
		got := w.gather(devchain.Action{Target: stranger, Value: ether(11)})
		is(t, "tally", got.Context.Tally, gov.Tally{})
		is(t, "has_voted", got.Context.Voter.HasVoted, false)
		is(t, "holder_delegates", got.Context.Voter.HolderDelegates, true)
		unknown(t, "power", got.Context.Voter.Power) // the snapshot lies ahead
	})
}
