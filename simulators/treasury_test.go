package simulators_test

import (
	"math"
	"testing"

	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/mc"
)

// far says whether a mean is more than 4 standard errors from what it must be.
func far(t *testing.T, what string, got, se, want float64) {
	t.Helper()
	if z := (got - want) / se; !(math.Abs(z) <= 4) {
		t.Errorf("%s: %.6g ± %.2g, want %.6g, z %.1f", what, got, se, want, z)
	}
}

// share is far for a share of paths.
func share(t *testing.T, what string, p mc.Proportion, want float64) {
	t.Helper()
	far(t, what, p.P(), math.Sqrt(want*(1-want)/float64(p.Of)), want)
}

func run(t *testing.T, s simulators.Treasury, paths int64) *simulators.TreasuryResult {
	t.Helper()
	r, err := s.Run(t.Context(), mc.Engine{Seed: 11, Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// one is a treasury of one asset worth 1.
func one(drift, vol float64) simulators.Treasury {
	return simulators.Treasury{Values: []float64{1}, Market: simulators.Market{Assets: []simulators.Asset{{Name: "ETH", Drift: drift, Vol: vol}}}, Horizon: 365, Step: 5}
}

// TestPricesGrowByTheirDrift: E[S_T] = S_0·exp(drift·T) for normal shocks, for Student's, and with jumps, which are
// compensated; so are jumps of different size an asset.
func TestPricesGrowByTheirDrift(t *testing.T) {
	plain := one(.05, .6)
	jumps, student := plain, plain
	jumps.Market.Jumps = simulators.Jumps{PerYear: 8, Mean: -.08, SD: .12}
	student.Market.StudentT = 4
	for name, s := range map[string]simulators.Treasury{"normal": plain, "jumps": jumps, "student": student} {
		r := run(t, s, 100_000)
		far(t, name, r.Value.Mean, r.Value.SE(), math.Exp(.05))
		if r.Ruin.Hits != 0 || !math.IsInf(r.Runway.Quantile(0), 1) {
			t.Errorf("%s: a treasury that spends nothing ran out", name)
		}
	}
	r := run(t, plain, 100_000)
	second := r.Value.Variance() + r.Value.Mean*r.Value.Mean
	if want := math.Exp(2*.05 + .36); math.Abs(second/want-1) > 0.05 {
		t.Errorf("E[S²] = %g, want %g", second, want)
	}
	if got, want := r.Value.Quantile(.5), math.Exp(.05-.18); math.Abs(got/want-1) > 4*.6*1.2533/math.Sqrt(100_000) {
		t.Errorf("median %g, want %g", got, want)
	}
	if got, want := r.Value.Quantile(.05), math.Exp(.05-.18-.6*1.6448536); math.Abs(got/want-1) > .02 {
		t.Errorf("5 %% quantile %g, want %g", got, want)
	}
}

// TestCorrelation: E[S1·S2] of two assets with correlation 0.6 is exp(mu+ρσ1σ2) = 1.4021405.
func TestCorrelation(t *testing.T) {
	s := one(.05, .6)
	s.Values = []float64{1, 1}
	s.Market.Assets = append(s.Market.Assets, simulators.Asset{Name: "UNI", Vol: .8})
	s.Market.Correlation = [][]float64{{1, .6}, {.6, 1}}
	r := run(t, s, 200_000)
	sum := r.Value.Variance() + r.Value.Mean*r.Value.Mean
	want := math.Exp(.1+.36) + math.Exp(.64) + 2*1.4021405
	if math.Abs(sum/want-1) > .05 {
		t.Errorf("E[(S1+S2)²] = %g, want %g", sum, want)
	}
	s.Market.Correlation = nil
	if r := run(t, s, 200_000); math.Abs((r.Value.Variance()+r.Value.Mean*r.Value.Mean)/(want-2*1.4021405+2*math.Exp(.05))-1) > .05 {
		t.Error("without a correlation the assets are not independent")
	}
}

// TestBarriers: the first passage of 0.7 within 30 days at 60 % volatility has probability 0.04544 when looked at all
// the time, and about that of a barrier moved down by exp(-0.5826·σ√dt) when looked at daily.
func TestBarriers(t *testing.T) {
	s := one(0, .6)
	s.Horizon, s.Step = 30, 1
	s.Barriers = []simulators.Barrier{{Name: "all the time", Below: .7, Continuous: true}, {Name: "daily", Below: .7}}
	r := run(t, s, 200_000)
	share(t, "continuous", r.Barriers[0], 0.0454400)
	passage := func(b float64) float64 {
		nu, a, years := -.18, math.Log(b), 30.0/365
		d := .6 * math.Sqrt(years)
		return mc.NormalCDF((a-nu*years)/d) + math.Exp(2*nu*a/.36)*mc.NormalCDF((a+nu*years)/d)
	}
	if math.Abs(passage(.7)-0.0454400) > 1e-6 {
		t.Fatalf("the closed form gives %g", passage(.7))
	}
	daily := passage(.7 * math.Exp(-.5826*.6*math.Sqrt(1.0/365)))
	if got := r.Barriers[1].P(); math.Abs(got-daily) > 0.002 {
		t.Errorf("daily %g, want about %g", got, daily)
	}
	s.Step = 10
	share(t, "continuous in steps of 10 days", run(t, s, 200_000).Barriers[0], 0.0454400)
}

// TestStillPrices: without volatility all is arithmetic.
func TestStillPrices(t *testing.T) {
	for _, c := range []struct {
		name    string
		t       simulators.Treasury
		runway  float64
		balance float64
	}{
		{"cash alone", simulators.Treasury{Cash: 1_005_000, Flow: -10_000, Horizon: 365, Step: 1}, 100.5, 0},
		{"the last day", simulators.Treasury{Cash: 3_650_000, Flow: -10_000, Horizon: 365, Step: 1}, 365, 0},
		{"a day longer", simulators.Treasury{Cash: 3_660_000, Flow: -10_000, Horizon: 365, Step: 1}, math.Inf(1), 10_000},
		{"wide steps", simulators.Treasury{Cash: 1_005_000, Flow: -10_000, Horizon: 364, Step: 7}, 100.5, 0},
		{"income", simulators.Treasury{Cash: 5, Flow: 2, Horizon: 10, Step: 1}, math.Inf(1), 25},
		{"cash, then assets", simulators.Treasury{Cash: 100, Values: []float64{30, 70}, Flow: -4, Horizon: 60, Step: 1}, 50, 0},
		{"some is left", simulators.Treasury{Cash: 100, Values: []float64{30, 70}, Flow: -4, Horizon: 30, Step: 1}, math.Inf(1), 80},
	} {
		for range c.t.Values {
			c.t.Market.Assets = append(c.t.Market.Assets, simulators.Asset{Name: "x"})
		}
		r := run(t, c.t, 100)
		for _, q := range []float64{0, .5, 1} {
			if got := r.Runway.Quantile(q); math.Abs(got-c.runway) > 1e-9 && got != c.runway {
				t.Errorf("%s: runway %.12g days, want %g", c.name, got, c.runway)
			}
		}
		if (r.Ruin.Hits == 100) != !math.IsInf(c.runway, 1) || math.Abs(r.Value.Mean-c.balance) > 1e-9 {
			t.Errorf("%s: %d of 100 ran out, balance %g", c.name, r.Ruin.Hits, r.Value.Mean)
		}
	}
	grows := one(.5, 0)
	if r := run(t, grows, 10); math.Abs(r.Value.Mean-math.Exp(.5)) > 1e-12 || r.Value.SE() > 1e-15 {
		t.Errorf("no volatility: %.15g ± %g", r.Value.Mean, r.Value.SE())
	}
}

// TestSharedPrices: two treasuries see the same prices, so that what the smaller one lost is known path by path.
func TestSharedPrices(t *testing.T) {
	with, without := one(0, .8), one(0, .8)
	with.Values[0] = .5
	a, b := run(t, with, 5000), run(t, without, 5000)
	for _, q := range []float64{.05, .5, .95} {
		if x, y := 2*a.Value.Quantile(q), b.Value.Quantile(q); math.Abs(x/y-1) > 1e-12 {
			t.Errorf("q %g: %g and %g", q, x, y)
		}
	}
}

// TestTreasuryBits: the same for any number of workers, also with everything switched on.
func TestTreasuryBits(t *testing.T) {
	s := one(.1, .9)
	s.Cash, s.Flow, s.Market.StudentT, s.Market.Jumps = .3, -.004, 4, simulators.Jumps{PerYear: 20, Mean: -.1, SD: .1}
	s.Barriers = []simulators.Barrier{{Name: "low", Below: .5, Continuous: true}}
	var first [4]uint64
	for i, workers := range []int{1, 2, 7, 16} {
		r, err := s.Run(t.Context(), mc.Engine{Seed: 5, Paths: 3000, Block: 100, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		got := [4]uint64{math.Float64bits(r.Value.Mean), math.Float64bits(r.Runway.Quantile(.3)), uint64(r.Ruin.Hits), uint64(r.Barriers[0].Hits)}
		if i == 0 {
			first = got
		}
		if got != first || r.Ruin.Hits == 0 || r.Barriers[0].Hits == 0 {
			t.Errorf("%d workers: %v, one: %v", workers, got, first)
		}
	}
}

// TestMoreSpendingNeverHelps: on the same prices no quantile of the runway is longer.
func TestMoreSpendingNeverHelps(t *testing.T) {
	last := math.Inf(1)
	for _, flow := range []float64{-.002, -.003, -.005, -.01} {
		s := one(0, .8)
		s.Flow = flow
		r := run(t, s, 4000)
		if q := r.Runway.Quantile(.5); q > last {
			t.Errorf("flow %g: median runway %g, before %g", flow, q, last)
		} else {
			last = q
		}
	}
	if math.IsInf(last, 1) {
		t.Error("nothing ran out")
	}
}

func TestTreasuryRefuses(t *testing.T) {
	for name, change := range map[string]func(*simulators.Treasury){
		"half a step":     func(s *simulators.Treasury) { s.Step = 2 },
		"no step":         func(s *simulators.Treasury) { s.Step = 0 },
		"negative asset":  func(s *simulators.Treasury) { s.Values[0] = -1 },
		"NaN":             func(s *simulators.Treasury) { s.Flow = math.NaN() },
		"values":          func(s *simulators.Treasury) { s.Values = nil },
		"barrier above":   func(s *simulators.Treasury) { s.Barriers = []simulators.Barrier{{Below: 1.5}} },
		"volatility":      func(s *simulators.Treasury) { s.Market.Assets[0].Vol = -1 },
		"t2":              func(s *simulators.Treasury) { s.Market.StudentT = 2 },
		"rows":            func(s *simulators.Treasury) { s.Market.Correlation = [][]float64{{1, 0}, {0, 1}} },
		"jumps backwards": func(s *simulators.Treasury) { s.Market.Jumps.PerYear = -1 },
	} {
		s := one(0, .5)
		change(&s)
		if _, err := s.Run(t.Context(), mc.Engine{Paths: 10}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
