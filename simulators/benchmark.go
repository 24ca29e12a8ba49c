package simulators

import (
	"context"
	"math"
	"slices"

	"github.com/legate-dao/legate/simulators/mc"
)

// Benchmark is a model of fixed size whose speed is measured beside other programs' of the same model. Its kernel is
// one that the simulators use.
type Benchmark struct {
	Name string
	Unit string // what is counted
	// PerPath is how many units one path is.
	PerPath float64
	Kernel  mc.Kernel
	// Checks are the two numbers that programs with the same model agree on.
	Checks func(*mc.Result) (float64, float64)
}

// CheckPaths is the length of the run whose checks are printed.
const CheckPaths = 1 << 15

// Checked runs a benchmark's fixed run: the same numbers whatever the machine's speed and the number of workers.
func (b Benchmark) Checked(ctx context.Context, workers int) (check, check2 float64, err error) {
	r, err := mc.Engine{Seed: 1, Paths: CheckPaths, Block: 256, Workers: workers}.Run(ctx, b.Name, b.Kernel)
	if err != nil {
		return 0, 0, err
	}
	check, check2 = b.Checks(r)
	return check, check2, nil
}

// The sizes of the benchmarks.
const (
	benchVoters, benchNodes = 200, 256
	benchSteps              = 365
	benchPositions          = 4096
	benchDays               = 30
)

// Benchmarks are the models that are measured. An error is a mistake in the program.
func Benchmarks() ([]Benchmark, error) {
	vote, err := benchVote()
	if err != nil {
		return nil, err
	}
	treasury, err := benchTreasury()
	if err != nil {
		return nil, err
	}
	prices, err := newReturns(benchMarket(), 1.0/Year)
	if err != nil {
		return nil, err
	}
	collateral, err := benchCollateral()
	if err != nil {
		return nil, err
	}
	means := func(r *mc.Result) (float64, float64) { return r.Values[0].Mean, r.Values[1].Mean }
	return []Benchmark{
		{"vote", "voter-samples", benchVoters, vote, func(r *mc.Result) (float64, float64) { return r.Events[votePass].P(), r.Events[voteQuorum].P() }},
		{"treasury", "path-steps", benchSteps, treasury, func(r *mc.Result) (float64, float64) { return r.Events[0].P(), r.Values[0].Mean }},
		{"gbm", "path-steps", benchSteps, (&pricesKernel{returns: prices, steps: benchSteps}).Fork(), means},
		{"collateral", "position-steps", benchPositions * benchDays, collateral, func(r *mc.Result) (float64, float64) { return r.Values[0].Mean, r.Events[0].P() }},
	}, nil
}

// benchMarket are four assets that correlate by 0.6.
func benchMarket() Market {
	m := Market{Assets: []Asset{{"a", .05, .6}, {"b", 0, .8}, {"c", .03, .5}, {"d", -.1, 1.1}}}
	for i := range m.Assets {
		row := []float64{.6, .6, .6, .6}
		row[i] = 1
		m.Correlation = append(m.Correlation, row)
	}
	return m
}

// split is the generator that all programs draw the benchmark's population from.
type split uint64

func (s *split) next() float64 {
	*s += 0x9e3779b97f4a7c15
	z := uint64(*s)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return float64((z^z>>31)>>11) * 0x1p-53
}

// benchVote are 200 voters of falling weight under one common factor in 256 equally likely states.
func benchVote() (mc.Kernel, error) {
	e := Electorate{}
	draw := split(42)
	total := 0.0
	for i := range benchVoters {
		u := draw.next()
		v := Voter{Turnout: -.5 + 2*draw.next(), TurnoutLoad: .4, Choice: -1 + 2.4*draw.next(), ChoiceLoad: .7, Abstain: .05}
		v.Weight = math.Pow(float64(i+1), -.9) * (.5 + u)
		total += v.Weight
		e.Voters = append(e.Voters, v)
	}
	e.Rule = Rule{Quorum: .35 * total, CountFor: true, CountAbstain: true}
	for i := range benchNodes {
		z := mc.NormalQuantile((float64(i) + .5) / benchNodes)
		e.Nodes = append(e.Nodes, Node{z, z, 1.0 / benchNodes})
	}
	k, err := e.Kernel()
	if err != nil {
		return nil, err
	}
	v := k.(*voteKernel)
	v.silent = true
	return v, nil
}

// benchTreasury is a treasury of 28 in four assets and 6 in cash that spends 30 a year. Its jumps, eight a year, are
// left in the means. The value is the number of days survived.
func benchTreasury() (mc.Kernel, error) {
	m := benchMarket()
	m.Jumps = Jumps{PerYear: 8, Mean: -.08, SD: .12, Betas: []float64{1, 1.2, .8, 1.5}, Uncompensated: true}
	t := Treasury{Cash: 6, Values: []float64{10, 6, 4, 8}, Market: m, Flow: -30.0 / Year, Yield: .04, Horizon: benchSteps, Step: 1}
	k, err := t.Kernel()
	return &survival{k, mc.Out{Values: make([][]float64, treasuryValues), Hits: make([]int64, 1)}}, err
}

// survival turns a treasury's runway into whole days survived, the number that the other programs print.
type survival struct {
	mc.Kernel
	inner mc.Out
}

func (*survival) Shape() (values, events int) { return 1, 1 }

func (s *survival) Fork() mc.Kernel {
	c := &survival{s.Kernel.Fork(), mc.Out{Values: make([][]float64, treasuryValues), Hits: make([]int64, 1)}}
	for i := range c.inner.Values {
		c.inner.Values[i] = make([]float64, mc.DefaultBlock)
	}
	return c
}

func (s *survival) Block(stream *mc.Stream, out *mc.Out) {
	s.inner.First, s.inner.Paths, s.inner.Total = out.First, out.Paths, out.Total
	s.inner.Hits[0] = 0
	s.Kernel.Block(stream, &s.inner)
	out.Hits[0] += s.inner.Hits[0]
	for p, days := range s.inner.Values[treasuryRunway][:out.Paths] {
		out.Values[0][p] = min(math.Ceil(days)-1, benchSteps)
	}
}

// pricesKernel gives the first price at the end and the lowest sum of all prices on the way.
type pricesKernel struct {
	*returns
	steps  int
	prices []float64
	sum    []float64
	lowest []float64
}

func (*pricesKernel) Shape() (values, events int) { return 2, 0 }

func (k *pricesKernel) Fork() mc.Kernel {
	n := len(k.drift)
	return &pricesKernel{k.returns.fork(), k.steps, make([]float64, n*tile), make([]float64, tile), make([]float64, tile)}
}

func (k *pricesKernel) Block(s *mc.Stream, out *mc.Out) {
	n := len(k.drift)
	for first := 0; first < out.Paths; first += tile {
		fill(k.prices, 1)
		fill(k.lowest, float64(n))
		for range k.steps {
			k.next(s)
			k.addJumps()
			mc.MulExp(k.prices, k.x)
			clear(k.sum)
			for i := range n {
				for p, v := range k.prices[i*tile:][:len(k.sum)] {
					k.sum[p] += v
				}
			}
			for p, v := range k.sum {
				k.lowest[p] = min(k.lowest[p], v)
			}
		}
		last := min(tile, out.Paths-first)
		copy(out.Values[0][first:], k.prices[:last])
		copy(out.Values[1][first:], k.lowest[:last])
	}
}

// benchCollateral are 4096 vaults of lognormal size in four assets whose whole collateral is auctioned: a dollar of
// it repays 95 cents less up to 30 for what else is sold in the same step.
func benchCollateral() (mc.Kernel, error) {
	c := Collateral{Market: benchMarket(), Horizon: benchDays, Step: 1, CloseFactor: 1}
	for i, threshold := range []float64{.8, .75, .85, .6} {
		c.Terms = append(c.Terms, Terms{Threshold: threshold, Depth: []float64{400, 200, 600, 60}[i]})
	}
	draw := split(7)
	for range benchPositions {
		c.Vaults = append(c.Vaults, benchVault(&draw, c.Terms))
	}
	k, err := c.Kernel()
	if err != nil {
		return nil, err
	}
	kernel := k.(*collateralKernel)
	kernel.sellAll = true
	kernel.keep, kernel.slip = slices.Repeat([]float64{.95}, 4), slices.Repeat([]float64{.3}, 4)
	return kernel, nil
}

func benchVault(draw *split, terms []Terms) Vault {
	size := math.Exp(1.5 * mc.NormalQuantile(draw.next()+0x1p-54))
	v := Vault{Values: make([]float64, len(terms))}
	total := 0.0
	for i := range v.Values {
		if u := draw.next(); u >= .5 {
			v.Values[i] = u
		}
		total += v.Values[i]
	}
	if total == 0 {
		v.Values[0], total = 1, 1
	}
	health, weighted := 1.1+1.9*draw.next(), 0.0
	for i := range v.Values {
		v.Values[i] *= size / total
		weighted += v.Values[i] * terms[i].Threshold
	}
	v.Debt = weighted / health
	return v
}
