package facts

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// flow is an outflow with what it puts at stake: an allowance no more than its owner holds.
type flow struct {
	gov.Outflow
	stake gov.Amount
}

// treasury says what leaves the treasury or arrives outside of it: gross, never netted against what comes in, with the
// allowances given.
func treasury(ctx context.Context, g *gathering) {
	rights, movements := []gov.Part{"allowances", "allowances_outside"}, []gov.Part{"outflow_usd", "outflow_bps", "recipients_new", "outflows"}
	lacks := func(reason gov.Reason, subject gov.Address, parts ...gov.Part) {
		for _, part := range parts {
			g.missing("treasury."+part, reason, subject)
		}
	}
	if m, ok := g.measured("effects.allowances", "effects.calls"); !ok {
		lacks(m.Reason, m.Subject, append(rights, movements...)...)
		return
	}
	given, count, outside, err := g.allowances(ctx)
	if err != nil {
		lacks(reasonOf(err), gov.Address{}, append(rights, movements...)...)
		return
	}
	operators, more, moreOutside := g.operators(ctx)
	t := &g.facts.Treasury
	t.Allowances, t.AllowancesOutside = g.counted("treasury.allowances", count+more), g.counted("treasury.allowances_outside", outside+moreOutside)
	// Who may take is known without what has moved: a token that hides its balances hides no allowance of another.
	if m, ok := g.measured("effects.balance_deltas"); !ok {
		lacks(m.Reason, m.Subject, movements...)
		return
	}
	paid, err := g.paid(ctx)
	if err != nil {
		lacks(reasonOf(err), gov.Address{}, movements...)
		return
	}
	flows := append(append(paid, given...), operators...)
	for i := range flows {
		g.value(ctx, &flows[i])
	}
	slices.SortFunc(flows, func(x, y flow) int {
		return cmp.Or(strings.Compare(string(x.Kind), string(y.Kind)), gov.Address(x.Token).Cmp(gov.Address(y.Token)), x.To.Cmp(y.To), x.Amount.Cmp(y.Amount))
	})
	out := make([]gov.Outflow, len(flows))
	for i, f := range flows {
		out[i] = f.Outflow
	}
	t.Outflows = gov.Known(out)
	g.sums(flows)
	g.recipients(ctx, flows)
}

// sums adds the outflows up. A sum over no movement is 0 without any price.
func (g *gathering) sums(flows []flow) {
	t, sum, unpriced := &g.facts.Treasury, 0.0, false
	for _, f := range flows {
		usd, ok := f.USD.Get()
		if sum += usd; !ok {
			unpriced = true
			g.missing("treasury.outflow_usd", gov.NoPrice, gov.Address(f.Token))
		}
	}
	total := g.pricedValue()
	// A sum over no movement is 0 only where all that could move was seen, and nothing is declared that the run does not show.
	m, more := g.unseen()
	if !more {
		m, more = g.unshown(flows)
	}
	if more && !unpriced && sum == 0 {
		g.missing("treasury.outflow_usd", m.Reason, m.Subject)
		g.missing("treasury.outflow_bps", m.Reason, m.Subject)
		return
	}
	if !unpriced {
		t.OutflowUSD = gov.Known(sum)
	}
	switch {
	case !unpriced && sum == 0:
		t.OutflowBps = gov.Known(0.0)
	case !unpriced && total > 0:
		t.OutflowBps = gov.Known(sum * 10_000 / total)
	case total == 0 && !g.anyPrice():
		t.OutflowBps = g.shareOfOneAsset(flows)
	}
	if !t.OutflowBps.IsKnown() {
		g.missing("treasury.outflow_bps", gov.NoPrice, gov.Address{})
	}
}

// anyPrice says whether any asset held or moved has a price.
func (g *gathering) anyPrice() bool {
	for _, h := range g.facts.Treasury.Holdings {
		if _, ok := g.deps.Prices.USD(h.Token); ok {
			return true
		}
	}
	return false
}

// shareOfOneAsset is the share of the treasury's holding of the one asset that moves, where nothing has a price.
func (g *gathering) shareOfOneAsset(flows []flow) gov.Maybe[float64] {
	stake := new(uint256.Int)
	for _, f := range flows {
		if f.Token != flows[0].Token || f.Kind == gov.OutflowApprovalForAll {
			return gov.Maybe[float64]{}
		}
		addCapped(stake, f.stake)
	}
	return bps(gov.AmountOf(stake), g.heldBefore(flows[0].Token))
}

// recipients counts those whom no decoded executed proposal paid before.
func (g *gathering) recipients(ctx context.Context, flows []flow) {
	fresh, seen := int64(0), map[gov.Address]bool{}
	for _, f := range flows {
		if seen[f.To] || g.facts.DAO.Own(f.To) {
			continue
		}
		seen[f.To] = true
		if g.deps.History == nil { // nobody remembers whom the DAO paid
			g.missing("treasury.recipients_new", gov.NoState, f.To)
			return
		}
		if f.To.IsZero() {
			g.missing("treasury.recipients_new", gov.NotInRelease, f.To)
			return
		}
		paid, err := g.deps.History.Paid(ctx, g.facts.DAO.Governor, f.To, g.at)
		if err != nil {
			g.fail("treasury.recipients_new", err, f.To)
			return
		}
		if !paid {
			fresh++
		}
	}
	g.facts.Treasury.RecipientsNew = gov.Known(fresh)
}

// measured reports whether the calls ran to their end and nothing of the named parts of the effects is missing; else
// what is.
func (g *gathering) measured(parts ...gov.Part) (gov.Missing, bool) {
	if !g.executed() {
		return gov.Missing{Reason: g.effectsReason()}, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.facts.Unavailable {
		if slices.Contains(parts, m.Part) {
			return m, false
		}
	}
	return gov.Missing{}, true
}

// heldBefore is what the treasury held of an asset: of the assets valued, or of those the run measured.
func (g *gathering) heldBefore(asset gov.Asset) gov.Amount {
	for _, h := range g.facts.Treasury.Holdings {
		if h.Token == asset {
			return h.Amount
		}
	}
	total := new(uint256.Int)
	for _, d := range g.facts.Effects.BalanceDeltas {
		if d.Token == asset && g.treasuryAccount(d.Account) {
			addCapped(total, d.Before)
		}
	}
	return gov.AmountOf(total)
}

// allowances are rights to the treasury's tokens that the run raised or used. A raised one is an outflow of what the
// spender may still take, and puts at stake what the owner holds, at most.
func (g *gathering) allowances(ctx context.Context) (out []flow, count, outside int64, err error) {
	decoded := g.declaredAmounts()
	for _, a := range g.facts.Effects.Allowances {
		raised := a.After.Cmp(a.Before) > 0 || a.Peak.Cmp(a.Before) > 0
		if !g.ownValue(a.Owner) || !raised && !g.used(a) {
			continue
		}
		count++
		isOutside := g.outside(a.Spender)
		if isOutside {
			outside++
		}
		if !raised || a.After.IsZero() {
			continue
		}
		stake, err := g.stake(ctx, a)
		if err != nil {
			return nil, 0, 0, err
		}
		out = append(out, flow{gov.Outflow{
			To: a.Spender, Token: gov.Asset(a.Token), Amount: a.After, Kind: gov.OutflowAllowance, Outside: isOutside,
			Decoded: decoded.names(gov.Asset(a.Token), a.Spender, a.After),
		}, stake})
	}
	return out, count, outside, nil
}

// stake is what an allowance puts at stake: as much as it allows, and no more than the owner holds, before the run or
// after it. It is asked on the fork, where a question has a bound. A token that does not say what the owner holds puts
// all at stake that it allows.
func (g *gathering) stake(ctx context.Context, a gov.Allowance) (gov.Amount, error) {
	most := gov.Amount{}
	for _, side := range []book.State{view{g.result.Before}, g.after} {
		held, err := askAmount(ctx, side, a.Token, "balanceOf(address)", addressWord(a.Owner))
		if reason := reasonOf(err); err != nil && reason != gov.NoCode && reason != gov.TooLarge {
			return gov.Amount{}, err
		}
		if err != nil {
			return a.After, nil
		}
		if held.Cmp(most) > 0 {
			most = held
		}
	}
	if a.After.Cmp(most) < 0 {
		return a.After, nil
	}
	return most, nil
}

// operators are rights over all of an owner's tokens or over one NFT. Their amount is what the owner holds.
func (g *gathering) operators(ctx context.Context) (out []flow, count, outside int64) {
	for _, o := range g.result.Operators {
		if !g.ownValue(o.Owner) || !o.After || o.Before {
			continue
		}
		count++
		isOutside := g.outside(o.Operator)
		if isOutside {
			outside++
		}
		amount := gov.NewAmount(1)
		if o.ID == nil {
			// An ERC-1155 has no such getter; then the amount is that of one thing at least.
			if n, err := g.balance(ctx, gov.Asset(o.Token), o.Owner); err == nil {
				amount = n
			}
		}
		out = append(out, flow{gov.Outflow{To: o.Operator, Token: gov.Asset(o.Token), Amount: amount, Kind: gov.OutflowApprovalForAll, Outside: isOutside}, amount})
	}
	return out, count, outside
}

// value prices an outflow. NFTs have no price, however many.
func (g *gathering) value(ctx context.Context, f *flow) {
	if f.stake.IsZero() {
		f.USD, f.Bps = gov.Known(0.0), gov.Known(0.0)
		return
	}
	if f.Kind == gov.OutflowApprovalForAll {
		return
	}
	usd, ok := g.worth(ctx, f.Token, f.stake)
	if !ok {
		return
	}
	f.USD = gov.Known(usd)
	if total := g.pricedValue(); total > 0 {
		f.Bps = gov.Known(usd * 10_000 / total)
	}
}

func (g *gathering) worth(ctx context.Context, asset gov.Asset, amount gov.Amount) (float64, bool) {
	decimals := uint8(nativeDecimals)
	if asset != gov.Native {
		if _, priced := g.deps.Prices.USD(asset); !priced {
			return 0, false
		}
		n, err := g.decimals(ctx, gov.Address(asset))
		if err != nil {
			g.fail("treasury.outflow_usd", err, gov.Address(asset))
			return 0, false
		}
		decimals = n
	}
	return g.deps.Prices.Value(asset, amount, decimals)
}

// pricedValue is the value of all holdings that have a price.
func (g *gathering) pricedValue() float64 {
	sum := 0.0
	for _, h := range g.facts.Treasury.Holdings {
		sum += h.USD.Or(0)
	}
	return sum
}
