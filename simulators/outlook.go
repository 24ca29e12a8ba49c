package simulators

import (
	"context"
	"fmt"
	"math"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators/mc"
)

// Prospect is what the operator says of the market and of the DAO's spending: what a chain cannot know.
type Prospect struct {
	// Assets are the tokens that have a volatility of their own. A stable coin is one with 0.
	Assets []ProspectAsset
	// OtherVol is the yearly volatility of all others.
	OtherVol float64
	// Correlation of any two assets that move.
	Correlation float64
	StudentT    float64 // as Market's
	Jumps       Jumps
	// Flow is USD a day, net; out is negative. Missing: the runway is missing.
	Flow gov.Maybe[float64]
	// Horizon and Step in days.
	Horizon, Step float64
}

// ProspectAsset is one token's price.
type ProspectAsset struct {
	Token      gov.Asset
	Drift, Vol float64
}

// DefaultProspect is a careful view of crypto assets without spending: every token moves by 90 % a year, together, with
// fat tails, over a year.
var DefaultProspect = Prospect{OtherVol: .9, Correlation: .6, StudentT: 4, Horizon: Year, Step: 1}

// Outlooks are the DAO's prospects with the proposal and without it, on the same prices: what differs between them is
// the proposal.
type Outlooks struct{ With, Without gov.Outlook }

// Outlook computes the treasury's value and runway and the token's dilution at the horizon, from content facts alone.
// A runway beyond the horizon is said to be the horizon. Dilution is in basis points of a holder's share of the tokens
// outside the treasury: what is minted, and what the treasury sells of its own token to pay its way.
//
// What the facts leave open stays missing: assets held or moved without a price, a supply that is not known, rights to
// mint that the proposal gives away. Inflows are not counted, as in the facts. The collateral part needs positions,
// which no content fact holds: it stays missing here.
func Outlook(ctx context.Context, f gov.Facts, p Prospect, e mc.Engine) (out Outlooks, err error) {
	held, ok := heldUSD(f)
	if !ok {
		return out, nil
	}
	if out.Without, err = p.outlook(ctx, f, held, gov.Known(0.0), e); err != nil {
		return out, fmt.Errorf("outlook without the proposal: %w", err)
	}
	left, ok := leftUSD(f, held)
	if !ok {
		return out, nil
	}
	minted := f.Supply.MintedBps
	if f.Supply.MintersAdded.Or(1) > 0 || f.Supply.CapRaised.Or(f.Applies("supply.cap_raised")) {
		minted = gov.Maybe[float64]{} // nobody knows how much will be minted
	}
	if out.With, err = p.outlook(ctx, f, left, minted, e); err != nil {
		return out, fmt.Errorf("outlook with the proposal: %w", err)
	}
	return out, nil
}

// heldUSD is the value of each holding; ok is false where one has none.
func heldUSD(f gov.Facts) (out []float64, ok bool) {
	if !f.Treasury.ValueUSD.IsKnown() {
		return nil, false
	}
	for _, h := range f.Treasury.Holdings {
		usd, priced := h.USD.Get()
		if !priced && !h.Amount.IsZero() {
			return nil, false
		}
		out = append(out, usd)
	}
	return out, true
}

// leftUSD takes off what the proposal moves out of the treasury, allowances with it.
func leftUSD(f gov.Facts, held []float64) (out []float64, ok bool) {
	flows, known := f.Treasury.Outflows.Get()
	if !known {
		return nil, false
	}
	out = append(out, held...)
	for _, flow := range flows {
		usd, priced := flow.USD.Get()
		if !priced {
			return nil, false
		}
		for i, h := range f.Treasury.Holdings {
			if h.Token == flow.Token {
				out[i] = max(out[i]-usd, 0)
			}
		}
	}
	return out, true
}

// outlook is one of the two.
func (p Prospect) outlook(ctx context.Context, f gov.Facts, usd []float64, minted gov.Maybe[float64], e mc.Engine) (gov.Outlook, error) {
	t := Treasury{Values: usd, Market: p.market(f.Treasury.Holdings), Flow: p.Flow.Or(0), Horizon: p.Horizon, Step: p.Step}
	r, err := t.Run(ctx, e)
	if err != nil {
		return gov.Outlook{}, err
	}
	treasury := gov.TreasuryOutlook{ValueUSD: quantiles(r.Value, func(x float64) float64 { return x })}
	if p.Flow.IsKnown() {
		treasury.RunwayDays = quantiles(r.Runway, func(x float64) float64 { return min(x, p.Horizon) })
	}
	return gov.Outlook{Treasury: gov.Known(treasury), Dilution: p.dilution(f, usd, minted, r.Sold)}, nil
}

func quantiles(s mc.Sample, of func(float64) float64) gov.Quantiles {
	q := func(share float64) gov.Maybe[float64] { return gov.Known(of(s.Quantile(share))) }
	return gov.Quantiles{P05: q(.05), P50: q(.5), P95: q(.95), P99: q(.99)}
}

// market has the holdings in their order.
func (p Prospect) market(holdings []gov.Holding) Market {
	m := Market{StudentT: p.StudentT, Jumps: p.Jumps}
	for _, h := range holdings {
		a := Asset{Name: h.Token.String(), Vol: p.OtherVol}
		for _, own := range p.Assets {
			if own.Token == h.Token {
				a.Drift, a.Vol = own.Drift, own.Vol
			}
		}
		m.Assets = append(m.Assets, a)
		m.Jumps.Betas = append(m.Jumps.Betas, 1)
		if a.Vol == 0 {
			m.Jumps.Betas[len(m.Jumps.Betas)-1] = 0 // a stable coin does not jump with the rest
		}
	}
	for i := range m.Assets {
		row := make([]float64, len(m.Assets))
		for j := range row {
			row[j] = p.Correlation
		}
		row[i] = 1
		m.Correlation = append(m.Correlation, row)
	}
	return m
}

// dilution grows with the share of the own token that is sold, so its quantiles are at that share's.
func (p Prospect) dilution(f gov.Facts, usd []float64, minted gov.Maybe[float64], sold mc.Sample) gov.Maybe[gov.Quantiles] {
	bps, mintKnown := minted.Get()
	supply, known := f.Supply.Before.Get()
	if !known || !mintKnown || supply.IsZero() || !p.Flow.IsKnown() {
		return gov.Maybe[gov.Quantiles]{}
	}
	own, left := 0.0, 0.0 // tokens of its own that the treasury holds, and after the proposal
	for i, h := range f.Treasury.Holdings {
		if gov.Address(h.Token) != f.DAO.Token || f.DAO.Token.IsZero() {
			continue
		}
		own, left = h.Amount.Float(), h.Amount.Float()
		if full := h.USD.Or(0); full > 0 {
			left *= usd[i] / full
		}
	}
	total := supply.Float()
	outside := total - own
	if !(outside > 0) {
		return gov.Maybe[gov.Quantiles]{}
	}
	return gov.Known(quantiles(sold, func(share float64) float64 {
		after := total*(1+bps/10_000) - left*(1-share)
		return math.Max(0, 10_000*(1-outside/after))
	}))
}
