package facts

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// flow is an outflow with what it puts at stake: an allowance no more than its owner holds.
type flow struct {
	gov.Outflow
	stake gov.Amount
}

// treasury says what leaves the treasury: gross, never netted against what comes in, with the allowances given.
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
	t.Allowances, t.AllowancesOutside = gov.Known(count+more), gov.Known(outside+moreOutside)
	// Who may take is known without what has moved: a token that hides its balances hides no allowance of another.
	if m, ok := g.measured("effects.balance_deltas"); !ok {
		lacks(m.Reason, m.Subject, movements...)
		return
	}
	flows := append(append(g.paid(), given...), operators...)
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
	if !unpriced {
		t.OutflowUSD = gov.Known(sum)
	}
	total := g.pricedValue()
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

// paid are the outflows that happened. For each asset and account the measured fall is the least that left; what the
// token's logs or the call frames show beyond it left too and came back, up to what was there before.
func (g *gathering) paid() (out []flow) {
	moves := map[gov.Asset]map[gov.Address]*uint256.Int{} // asset, recipient
	for _, m := range append(g.transfers(), g.payments()...) {
		if !g.treasuryAccount(m.from) || g.treasuryAccount(m.to) || m.amount.IsZero() {
			continue
		}
		if moves[m.token] == nil {
			moves[m.token] = map[gov.Address]*uint256.Int{}
		}
		if moves[m.token][m.to] == nil {
			moves[m.token][m.to] = new(uint256.Int)
		}
		addCapped(moves[m.token][m.to], m.amount)
	}
	fell := g.fell()
	assets := map[gov.Asset]bool{}
	for a := range moves {
		assets[a] = true
	}
	for a := range fell {
		assets[a] = true
	}
	decoded := decodedPayments(g.decoded.Calls)
	for _, asset := range slices.SortedFunc(maps.Keys(assets), func(x, y gov.Asset) int { return gov.Address(x).Cmp(gov.Address(y)) }) {
		held := g.heldBefore(asset)
		least := fell[asset]
		if least == nil {
			least = new(uint256.Int)
		}
		told := new(uint256.Int)
		for _, n := range moves[asset] {
			addCapped(told, gov.AmountOf(n))
		}
		// A token that says it moved more than was there is not believed beyond that.
		believed := told
		if bound := held.Int(); believed.Gt(bound) {
			believed = bound
		}
		if least.Gt(believed) {
			believed = least
		}
		if believed.IsZero() {
			continue
		}
		kind := gov.OutflowTransfer
		if asset == gov.Native {
			kind = gov.OutflowNative
		}
		rest := new(uint256.Int).Set(believed)
		for _, to := range slices.SortedFunc(maps.Keys(moves[asset]), gov.Address.Cmp) {
			n := new(uint256.Int).Set(moves[asset][to])
			if n.Gt(rest) {
				n.Set(rest)
			}
			if n.IsZero() {
				continue
			}
			rest.Sub(rest, n)
			amount := gov.AmountOf(n)
			out = append(out, flow{gov.Outflow{
				To: to, Token: asset, Amount: amount, Kind: kind, Outside: g.outside(to),
				Decoded: decoded[movement{token: asset, to: to, amount: amount}],
			}, amount})
		}
		if !rest.IsZero() { // it left, and nothing tells where to
			amount := gov.AmountOf(rest)
			out = append(out, flow{gov.Outflow{Token: asset, Amount: amount, Kind: kind, Outside: true}, amount})
		}
	}
	return out
}

// fell is by how much the treasury's holding of each asset fell, internal moves left out.
func (g *gathering) fell() map[gov.Asset]*uint256.Int {
	up, down := map[gov.Asset]*uint256.Int{}, map[gov.Asset]*uint256.Int{}
	for _, d := range g.facts.Effects.BalanceDeltas {
		if !g.treasuryAccount(d.Account) {
			continue
		}
		side := up
		if d.Delta.Negative {
			side = down
		}
		if side[d.Token] == nil {
			side[d.Token] = new(uint256.Int)
		}
		addCapped(side[d.Token], d.Delta.Size)
	}
	out := map[gov.Asset]*uint256.Int{}
	for asset, n := range down {
		if in := up[asset]; in != nil {
			if !n.Gt(in) {
				continue
			}
			n = new(uint256.Int).Sub(n, in)
		}
		out[asset] = n
	}
	return out
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
	decoded := decodedPayments(g.decoded.Calls)
	for _, a := range g.facts.Effects.Allowances {
		raised := a.After.Cmp(a.Before) > 0 || a.Peak.Cmp(a.Before) > 0
		if !g.treasuryAccount(a.Owner) || !raised && !g.used(a) {
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
			Decoded: decoded[movement{token: gov.Asset(a.Token), to: a.Spender, amount: a.After}],
		}, stake})
	}
	return out, count, outside, nil
}

// stake is what an allowance puts at stake: as much as it allows, and no more than the owner holds. It is asked on the
// fork, where a question has a bound. A token that does not say what the owner holds puts all at stake that it allows.
func (g *gathering) stake(ctx context.Context, a gov.Allowance) (gov.Amount, error) {
	held, err := askAmount(ctx, g.wary(view{g.result.Before}, g.result.Before), a.Token, "balanceOf(address)", addressWord(a.Owner))
	if reason := reasonOf(err); err != nil && reason != gov.NoCode && reason != gov.TooLarge {
		return gov.Amount{}, err
	}
	if err != nil || a.After.Cmp(held) < 0 {
		return a.After, nil
	}
	return held, nil
}

// operators are rights over all of an owner's tokens or over one NFT. Their amount is what the owner holds.
func (g *gathering) operators(ctx context.Context) (out []flow, count, outside int64) {
	for _, o := range g.result.Operators {
		if !g.treasuryAccount(o.Owner) || !o.After || o.Before {
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
