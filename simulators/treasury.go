package simulators

import (
	"context"
	"fmt"
	"math"

	"github.com/legate-dao/legate/simulators/mc"
)

// Treasury is what a DAO holds and spends. Each step prices move first, then the flow of the step is paid: from cash,
// and when that is gone from the assets, sold pro rata by value. All amounts are USD, all times days.
type Treasury struct {
	Cash     float64
	Values   []float64 // of the assets now, in the order of Market.Assets
	Market   Market
	Flow     float64 // a day, net; out is negative
	Yield    float64 // of cash a year, added each step before the flow
	Horizon  float64
	Step     float64
	Barriers []Barrier
}

// Barrier is the event that the treasury's value falls under a share of that at the start. A continuous barrier is
// looked at between the steps too, by the law of a Brownian bridge with the portfolio's variance at the start of the
// step: exact for one asset without cash and flow, close for others. Jumps come at the ends of steps.
type Barrier struct {
	Name       string
	Below      float64
	Continuous bool
}

// The values and events of a treasury path.
const (
	treasuryValue  = iota // USD at the horizon; 0 when it ran out
	treasuryRunway        // days; +Inf when it did not run out within the horizon
	treasurySold          // share of the assets sold to pay the flow
	treasuryValues
)

const treasuryRuin = 0 // the event; barriers follow

// TreasuryResult is a run of a treasury.
type TreasuryResult struct {
	Value    mc.Sample
	Runway   mc.Sample // quantiles only: +Inf is beyond the horizon
	Sold     mc.Sample
	Ruin     mc.Proportion
	Barriers []mc.Proportion // in the order of Treasury.Barriers
}

// Check says what makes no sense.
func (t Treasury) Check() error {
	if err := t.Market.Check(); err != nil {
		return err
	}
	if len(t.Values) != len(t.Market.Assets) {
		return fmt.Errorf("%d values for %d assets", len(t.Values), len(t.Market.Assets))
	}
	total := t.Cash
	for i, v := range append([]float64{t.Cash}, t.Values...) {
		if !finite(v) || v < 0 || v > 1e18 {
			return fmt.Errorf("amount %d of the treasury, %g USD, is not between 0 and 1e18", i, v)
		}
		total += v
	}
	if !finite(t.Flow, t.Yield) || math.Abs(t.Flow) > 1e18 || math.Abs(t.Yield) > maxVol {
		return fmt.Errorf("flow of %g USD a day, yield %g a year: out of range", t.Flow, t.Yield)
	}
	for _, b := range t.Barriers {
		if !(b.Below > 0 && b.Below < 1) {
			return fmt.Errorf("barrier %s: below %g is not between 0 and 1", b.Name, b.Below)
		}
	}
	if len(t.Barriers) > MaxAssets {
		return fmt.Errorf("%d barriers are more than %d", len(t.Barriers), MaxAssets)
	}
	_, err := steps(t.Horizon, t.Step)
	return err
}

// Run simulates. Two treasuries with the same market, horizon and step see the same prices under the same seed.
func (t Treasury) Run(ctx context.Context, e mc.Engine) (*TreasuryResult, error) {
	k, err := t.Kernel()
	if err != nil {
		return nil, err
	}
	r, err := e.Run(ctx, "treasury", k)
	if err != nil {
		return nil, err
	}
	return &TreasuryResult{Value: r.Values[treasuryValue], Runway: r.Values[treasuryRunway], Sold: r.Values[treasurySold], Ruin: r.Events[treasuryRuin], Barriers: r.Events[1:]}, nil
}

// Kernel prepares the model.
func (t Treasury) Kernel() (mc.Kernel, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	n, _ := steps(t.Horizon, t.Step)
	prices, err := newReturns(t.Market, t.Step/Year)
	if err != nil {
		return nil, err
	}
	k := &treasuryKernel{Treasury: t, steps: n, returns: prices}
	k.schedule()
	for _, b := range t.Barriers {
		k.continuous = k.continuous || b.Continuous
	}
	return k.Fork(), nil
}

// treasuryKernel moves a tile of paths at a time.
type treasuryKernel struct {
	Treasury
	*returns
	steps      int
	cash       []float64 // after each step
	paid       []float64 // by cash in each step, where it did not reach
	need       []float64 // to be sold in each step
	start      float64
	continuous bool

	prices  []float64 // asset values, assets × tile, as if nothing were sold
	kept    []float64 // share of the assets not sold, by path
	sum     []float64 // of the asset values, by path
	before  []float64 // treasury value before the step, by path
	runway  []float64
	luck    []float64 // barriers × tile: a continuous barrier is hit when the chance of having been passes it
	passed  []float64 // barriers × tile: chance of not having been hit
	reached []bool    // barriers × tile
}

// schedule lays out cash and need: until assets are sold nothing of it depends on prices.
func (k *treasuryKernel) schedule() {
	k.cash, k.paid, k.need = make([]float64, k.steps), make([]float64, k.steps), make([]float64, k.steps)
	cash, growth, flow := k.Cash, 1+k.Yield*k.Step/Year, k.Flow*k.Step
	gone := false
	for t := range k.steps {
		before := cash * growth
		after := before + flow
		if k.Yield == 0 && !gone {
			after = k.Cash + flow*float64(t+1) // one rounding, however many steps
		}
		if after < 0 {
			k.paid[t], k.need[t], after, gone = before, -after, 0, true
		}
		cash, k.cash[t] = after, after
	}
	k.start = k.Cash
	for _, v := range k.Values {
		k.start += v
	}
}

func (k *treasuryKernel) Shape() (values, events int) { return treasuryValues, 1 + len(k.Barriers) }

func (k *treasuryKernel) Fork() mc.Kernel {
	c := *k
	c.returns = k.returns.fork()
	c.prices, c.kept, c.sum = make([]float64, len(k.Values)*tile), make([]float64, tile), make([]float64, tile)
	c.before, c.runway = make([]float64, tile), make([]float64, tile)
	b := len(k.Barriers) * tile
	c.luck, c.passed, c.reached = make([]float64, b), make([]float64, b), make([]bool, b)
	return &c
}

func (k *treasuryKernel) Block(s *mc.Stream, out *mc.Out) {
	for first := 0; first < out.Paths; first += tile {
		k.begin(s)
		for t := range k.steps {
			k.step(s, t)
		}
		k.end(out, first, min(tile, out.Paths-first))
	}
}

func (k *treasuryKernel) begin(s *mc.Stream) {
	for i, v := range k.Values {
		fill(k.prices[i*tile:(i+1)*tile], v)
	}
	fill(k.kept, 1)
	fill(k.runway, math.Inf(1))
	fill(k.before, k.start)
	fill(k.passed, 1)
	clear(k.reached)
	if k.continuous {
		for i := range k.luck {
			k.luck[i] = s.Float64()
		}
	}
}

func fill(list []float64, v float64) {
	for i := range list {
		list[i] = v
	}
}

func (k *treasuryKernel) step(s *mc.Stream, t int) {
	k.next(s)
	if k.continuous {
		k.bridge(t)
	} else {
		k.addJumps()
		mc.MulExp(k.prices, k.x)
	}
	k.total()
	k.pay(t)
	if len(k.Barriers) > 0 {
		k.watch(t)
	}
}

// total adds up the assets of each path.
func (k *treasuryKernel) total() {
	clear(k.sum)
	for i := range k.Values {
		v := k.prices[i*tile : (i+1)*tile][:len(k.sum)]
		for p := range k.sum {
			k.sum[p] += v[p]
		}
	}
}

// pay sells what cash does not reach for. A path whose balance is gone has run out within the step: at what it had
// over what it spends.
func (k *treasuryKernel) pay(t int) {
	need := k.need[t]
	if need == 0 {
		if k.Flow < 0 && k.cash[t] == 0 { // cash ends exactly here
			for p, kept := range k.kept {
				if k.sum[p]*kept == 0 && math.IsInf(k.runway[p], 1) {
					k.runway[p] = float64(t+1) * k.Step
				}
			}
		}
		return
	}
	sum, runway := k.sum[:tile], k.runway[:tile]
	for p, kept := range k.kept[:tile] {
		value := sum[p] * kept
		if need < value {
			k.kept[p] = kept - float64(kept*(need/value))
			continue
		}
		if math.IsInf(runway[p], 1) {
			runway[p] = float64(t)*k.Step + (k.paid[t]+value)/-k.Flow
		}
		k.kept[p] = 0
	}
}

// value is the treasury of a path after a step.
func (k *treasuryKernel) value(p, t int) float64 {
	if !math.IsInf(k.runway[p], 1) {
		return 0
	}
	return k.cash[t] + float64(k.sum[p]*k.kept[p])
}

// watch notes which barriers a path is under, and takes its value for the next step.
func (k *treasuryKernel) watch(t int) {
	for p := range tile {
		v := k.value(p, t)
		for b, barrier := range k.Barriers {
			if v < barrier.Below*k.start {
				k.reached[b*tile+p] = true
			}
		}
		k.before[p] = v
	}
}

// bridge moves prices through the diffusive part of a step, looks at the continuous barriers on the way, and then
// lets the jumps come.
func (k *treasuryKernel) bridge(t int) {
	cash := k.Cash
	if t > 0 {
		cash = k.cash[t-1]
	}
	for p := range tile {
		k.scale[p] = k.variance(p, k.before[p], k.scale[p])
	}
	mc.MulExp(k.prices, k.x)
	k.total()
	for p := range tile {
		v, to := k.before[p], cash+float64(k.sum[p]*k.kept[p])
		if v == 0 || k.scale[p] == 0 {
			continue
		}
		for b, barrier := range k.Barriers {
			if barrier.Continuous {
				k.cross(b*tile+p, v, to, barrier.Below*k.start, k.scale[p])
			}
		}
	}
	for _, j := range k.jumps {
		for i, beta := range k.betas {
			k.prices[i*tile+j.path] *= mc.Exp(beta * j.size)
		}
	}
}

// variance is that of the portfolio's log value over this step, with today's weights; factor is the path's mixing
// factor where shocks are Student's.
func (k *treasuryKernel) variance(p int, value, factor float64) float64 {
	if value == 0 {
		return 0
	}
	sum := 0.0
	for j := range k.factor {
		load := 0.0
		for i := j; i < len(k.factor); i++ {
			load += k.prices[i*tile+p] * k.factor[i][j]
		}
		sum += load * load
	}
	share := k.kept[p] / value
	sum *= share * share
	if k.nu > 0 {
		sum *= factor * factor
	}
	return sum
}

// cross takes the chance that a bridge from one value to another went under a level.
func (k *treasuryKernel) cross(i int, from, to, level, variance float64) {
	if k.reached[i] {
		return
	}
	if from <= level || to <= level {
		k.reached[i] = true
		return
	}
	far := 2 * math.Log(from/level) * math.Log(to/level) / variance
	if far > 60 {
		return
	}
	k.passed[i] *= 1 - mc.Exp(-far)
	if 1-k.passed[i] > k.luck[i] {
		k.reached[i] = true
	}
}

func (k *treasuryKernel) end(out *mc.Out, first, n int) {
	for p := range n {
		out.Values[treasuryValue][first+p] = k.value(p, k.steps-1)
		out.Values[treasuryRunway][first+p] = k.runway[p]
		out.Values[treasurySold][first+p] = 1 - k.kept[p]
		if !math.IsInf(k.runway[p], 1) {
			out.Hits[treasuryRuin]++
		}
		for b := range k.Barriers {
			if k.reached[b*tile+p] {
				out.Hits[1+b]++
			}
		}
	}
}
