package simulators

import (
	"context"
	"fmt"
	"math"
	"strconv"

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

// OutlookVersion names the models in outlooks: a change of a model changes it.
const OutlookVersion = "outlook-1/" + mc.Version

// OutlookPaths is how many paths an outlook has where the operator does not say: with 365 steps and ten assets about
// half a second on one core. A 5 % quantile lies where 4.4 to 5.6 % of all paths do.
const OutlookPaths = 5_000

// Scenario is all that an outlook takes beside the facts.
type Scenario struct {
	Prospect
	Paths int64
}

// Check says what makes no sense.
func (s Scenario) Check() error {
	m := Market{StudentT: s.StudentT, Jumps: s.Jumps, Assets: []Asset{{Name: "of other_vol", Vol: s.OtherVol}}}
	for _, a := range s.Assets {
		m.Assets = append(m.Assets, Asset{Name: a.Token.String(), Drift: a.Drift, Vol: a.Vol})
	}
	if err := m.Check(); err != nil {
		return err
	}
	if !(s.Correlation >= 0 && s.Correlation < 1) {
		return fmt.Errorf("correlation %g is not between 0 and 1", s.Correlation)
	}
	if flow := s.Flow.Or(0); !finite(flow) || math.Abs(flow) > 1e18 {
		return fmt.Errorf("flow of %g USD a day is out of range", flow)
	}
	_, err := steps(s.Horizon, s.Step)
	return err
}

// Outlooks are those of one proposal, the same wherever and whenever they are computed on these facts: the seed
// follows from the proposal and its content, not from the block. What cannot be simulated is missing, with its reason;
// an error is only that the context ended.
func (s Scenario) Outlooks(ctx context.Context, p gov.Proposal, f gov.Facts) (gov.Outlooks, error) {
	seed := mc.HashName(fmt.Sprintf("outlook of %s %s", p.ID, p.ContentHash))
	out, err := Outlook(ctx, f, s.Prospect, mc.Engine{Seed: seed, Paths: s.Paths})
	switch {
	case ctx.Err() != nil:
		return gov.Outlooks{}, ctx.Err()
	case err != nil: // amounts that are no amounts, more assets than are simulated
		out = gov.Outlooks{Missing: []gov.Missing{{Part: "outlook", Reason: gov.TooLarge}}}
	}
	out.Engine = gov.ForecastEngine{Paths: s.Paths, Seed: strconv.FormatUint(seed, 10), Version: OutlookVersion}
	return out, nil
}

// Outlook computes the treasury's value and runway and the token's dilution at the horizon, from content facts alone.
// A runway beyond the horizon is said to be the horizon. Dilution is the share that a holder outside the treasury
// loses by what is minted, and by what the treasury sells of its own token to pay its way.
//
// What the facts leave open stays missing: assets held or moved without a price, a supply that is not known, rights to
// mint that the proposal gives away; with the proposal everything, unless its dry run executed. Inflows are not
// counted, as in the facts. The collateral part needs positions, which no content fact holds: it stays missing here.
func Outlook(ctx context.Context, f gov.Facts, p Prospect, e mc.Engine) (out gov.Outlooks, err error) {
	miss := func(part gov.Part, reason gov.Reason) {
		out.Missing = append(out.Missing, gov.Missing{Part: part, Reason: reason})
	}
	defer func() { miss("outlook.collateral", gov.NoPositions) }()
	held, ok := heldUSD(f)
	if !ok {
		miss("outlook.treasury", gov.NoFacts)
		miss("outlook.dilution", gov.NoFacts)
		return out, nil
	}
	if out.Without, err = p.outlook(ctx, f, held, held, gov.Known(0.0), e); err != nil {
		return out, fmt.Errorf("outlook without the proposal: %w", err)
	}
	left, ok := leftUSD(f, held)
	if !ok || !f.Effects.Executed() {
		miss("outlook.treasury", gov.NoFacts)
		miss("outlook.dilution", gov.NoFacts)
		return out, nil
	}
	minted := f.Supply.MintedBps
	if f.Supply.MintersAdded.Or(1) > 0 || f.Supply.CapRaised.Or(f.Applies("supply.cap_raised")) {
		minted = gov.Maybe[float64]{} // nobody knows how much will be minted
	}
	if out.With, err = p.outlook(ctx, f, held, left, minted, e); err != nil {
		return out, fmt.Errorf("outlook with the proposal: %w", err)
	}
	switch {
	case !p.Flow.IsKnown():
		miss("outlook.treasury.runway_days", gov.NoFlow)
		miss("outlook.dilution", gov.NoFlow)
	case !out.With.Dilution.IsKnown():
		miss("outlook.dilution", gov.NoFacts)
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

// outlook is one of the two. Both have the same market, that of what is held now, and so the same prices.
func (p Prospect) outlook(ctx context.Context, f gov.Facts, held, usd []float64, minted gov.Maybe[float64], e mc.Engine) (gov.Outlook, error) {
	t := Treasury{Flow: p.Flow.Or(0), Horizon: p.Horizon, Step: p.Step}
	var worth []gov.Holding
	for i, h := range f.Treasury.Holdings {
		if held[i] > 0 { // what is worth nothing costs time and changes nothing
			worth = append(worth, h)
			t.Values = append(t.Values, usd[i])
		}
	}
	t.Market = p.market(worth)
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
		return math.Max(0, 1-outside/after)
	}))
}
