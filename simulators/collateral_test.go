package simulators

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/simulators/mc"
)

func vaultMarket(asset Asset, terms Terms) Collateral {
	return Collateral{Market: Market{Assets: []Asset{asset}}, Terms: []Terms{terms}, Horizon: 30, Step: 1, CloseFactor: 1,
		Vaults: []Vault{{Values: []float64{200_000}, Debt: 150_000}}}
}

func runMarket(t *testing.T, c Collateral, paths int64) *CollateralResult {
	t.Helper()
	r, err := c.Run(t.Context(), mc.Engine{Seed: 12, Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func within(t *testing.T, what string, p mc.Proportion, want float64) {
	t.Helper()
	if z := (p.P() - want) / math.Sqrt(want*(1-want)/float64(p.Of)); !(math.Abs(z) <= 4) {
		t.Errorf("%s: %g, want %g, z %.1f", what, p.P(), want, z)
	}
}

// TestJumpInsolvency: without diffusion a vault fails at its first jump. The debt that is left is known for each day,
// and so are the chances: 1-exp(-30/365) of bad debt, 1-exp(-11/365) of more than the buffer, which a jump in the
// first eleven days makes (the compensation of jumps lifts the price until then).
func TestJumpInsolvency(t *testing.T) {
	c := vaultMarket(Asset{Name: "ETH"}, Terms{Threshold: .8, Bonus: .05})
	c.Market.Jumps = Jumps{PerYear: 1, Mean: -.5}
	c.Buffer = 33_000
	r := runMarket(t, c, 200_000)
	within(t, "insolvent", r.Insolvent, 1-math.Exp(-30.0/365))
	within(t, "liquidated", r.Liquidated, 1-math.Exp(-30.0/365))
	within(t, "over buffer", r.OverBuffer, 1-math.Exp(-11.0/365))
	mean := 0.0
	for day := 1.0; day <= 30; day++ {
		value := 200_000 * math.Exp(-.5-day/365*math.Expm1(-.5))
		mean += math.Exp(-(day-1)/365) * -math.Expm1(-1.0/365) * (150_000 - value/1.05)
	}
	if z := (r.BadDebt.Mean - mean) / r.BadDebt.SE(); math.Abs(z) > 4.5 {
		t.Errorf("bad debt %g ± %g, want about %g", r.BadDebt.Mean, r.BadDebt.SE(), mean)
	}
	if r.BadDebt.Quantile(.5) != 0 || r.BadDebt.Quantile(.99) < 30_000 || r.BadDebt.Quantile(.99) > 34_600 {
		t.Errorf("bad debt p50 %g, p99 %g", r.BadDebt.Quantile(.5), r.BadDebt.Quantile(.99))
	}
}

// TestLiquidationIsTheDailyBarrier: one vault is liquidated when the price is under debt/(threshold·amount) on a day.
func TestLiquidationIsTheDailyBarrier(t *testing.T) {
	c := vaultMarket(Asset{Name: "ETH", Vol: .6}, Terms{Threshold: .8})
	c.Vaults[0].Debt = .7 * .8 * 200_000
	r := runMarket(t, c, 100_000)
	treasury := Treasury{Values: []float64{1}, Market: c.Market, Horizon: 30, Step: 1, Barriers: []Barrier{{Below: .7}}}
	b, err := treasury.Run(t.Context(), mc.Engine{Seed: 13, Paths: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	want := b.Barriers[0].P()
	if d := r.Liquidated.P() - want; math.Abs(d) > 4*math.Sqrt(2*want/100_000) {
		t.Errorf("liquidated %g, the barrier %g", r.Liquidated.P(), want)
	}
	if r.Insolvent.Hits > r.Liquidated.Hits/50 {
		t.Errorf("%d of %d liquidations at 0.8 without a bonus left bad debt", r.Insolvent.Hits, r.Liquidated.Hits)
	}
}

// many is a market with vaults of every health.
func many() Collateral {
	c := Collateral{Market: benchMarket(), Horizon: 30, Step: 1, CloseFactor: 1, Buffer: 1}
	c.Market.Jumps = Jumps{PerYear: 12, Mean: -.2, SD: .1}
	for i, threshold := range []float64{.8, .75, .85, .6} {
		c.Terms = append(c.Terms, Terms{Threshold: threshold, Bonus: .05, Depth: []float64{400, 0, 600, 60}[i]})
	}
	draw := split(3)
	for range 300 {
		c.Vaults = append(c.Vaults, benchVault(&draw, c.Terms))
	}
	return c
}

// numbers of a result, to be compared to the last bit.
func numbers(r *CollateralResult) []uint64 {
	return []uint64{math.Float64bits(r.BadDebt.Mean), math.Float64bits(r.BadDebt.Quantile(.99)), uint64(r.Insolvent.Hits), uint64(r.OverBuffer.Hits), uint64(r.Liquidated.Hits)}
}

// TestPrunedIsBrute: looking only at the vaults that could be unhealthy gives every bit that looking at all does; so
// does the loop for four assets; also with partial liquidations and delays.
func TestPrunedIsBrute(t *testing.T) {
	for _, c := range []struct{ delay, close float64 }{{0, 1}, {0, .5}, {2, 1}, {3, .3}} {
		market := many()
		market.Delay, market.CloseFactor = c.delay, c.close
		run := func(brute bool, c Collateral) []uint64 {
			k, err := c.Kernel()
			if err != nil {
				t.Fatal(err)
			}
			if brute {
				clear(k.(*collateralKernel).health) // unhealthy for all the pruning knows
			}
			r, err := mc.Engine{Seed: 2, Paths: 1000, Block: 100}.Run(t.Context(), "collateral", k)
			if err != nil {
				t.Fatal(err)
			}
			out := numbers(&CollateralResult{r.Values[0], r.Events[0], r.Events[1], r.Events[2]})
			if out[2] == 0 || out[4] == 1000 {
				t.Fatalf("%d insolvent, %d liquidated: the case shows nothing", out[2], out[4])
			}
			return out
		}
		if diff := cmp.Diff(run(true, market), run(false, market)); diff != "" {
			t.Errorf("delay %g, close factor %g (-brute +pruned):\n%s", c.delay, c.close, diff)
		}
	}
}

func TestCollateralBits(t *testing.T) {
	c := many()
	c.CloseFactor = .5
	var first []uint64
	for _, workers := range []int{1, 2, 7, 16} {
		r, err := c.Run(t.Context(), mc.Engine{Seed: 2, Paths: 1500, Block: 64, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = numbers(r)
		}
		if diff := cmp.Diff(first, numbers(r)); diff != "" {
			t.Errorf("%d workers:\n%s", workers, diff)
		}
	}
}

// TestMoreCollateralNeverHurts: on the same prices, where sales do not move them.
func TestMoreCollateralNeverHurts(t *testing.T) {
	last := math.Inf(1)
	for _, more := range []float64{1, 1.05, 1.2, 2} {
		c := many()
		for i := range c.Terms {
			c.Terms[i].Depth = 0
		}
		for i := range c.Vaults {
			for j := range c.Vaults[i].Values {
				c.Vaults[i].Values[j] *= more
			}
		}
		if r := runMarket(t, c, 1000); r.BadDebt.Mean > last {
			t.Errorf("collateral × %g: bad debt %g, before %g", more, r.BadDebt.Mean, last)
		} else {
			last = r.BadDebt.Mean
		}
	}
}

// TestStillMarket: without chance all is arithmetic.
func TestStillMarket(t *testing.T) {
	c := vaultMarket(Asset{Name: "ETH"}, Terms{Threshold: .8, Bonus: .05})
	if r := runMarket(t, c, 50); r.Liquidated.Hits != 0 {
		t.Error("a healthy vault was liquidated")
	}
	c.Vaults[0].Debt = 200_000
	r := runMarket(t, c, 50)
	if want := 200_000 - 200_000/1.05; math.Abs(r.BadDebt.Mean-want) > 1e-6 || r.Insolvent.Hits != 50 {
		t.Errorf("bad debt %g, want %g", r.BadDebt.Mean, want)
	}
	c.Terms[0].Depth = 200_000 // selling 200 000 into a pool of as much brings half
	if r := runMarket(t, c, 50); math.Abs(r.BadDebt.Mean-(200_000-100_000/1.05)) > 1e-6 {
		t.Errorf("with slippage: bad debt %g", r.BadDebt.Mean)
	}
	c.Terms[0].Depth, c.Vaults[0].Debt = 0, 170_000 // unhealthy, not under water
	if r := runMarket(t, c, 50); r.BadDebt.Mean != 0 || r.Liquidated.Hits != 50 {
		t.Errorf("bad debt %g", r.BadDebt.Mean)
	}
	c.Delay, c.Market.Assets[0].Drift = 20, 2 // it recovers before anybody comes
	if r := runMarket(t, c, 50); r.Liquidated.Hits != 0 {
		t.Error("a vault that recovered was liquidated")
	}
}

func TestCollateralRefuses(t *testing.T) {
	for name, change := range map[string]func(*Collateral){
		"no vault":     func(c *Collateral) { c.Vaults = nil },
		"threshold":    func(c *Collateral) { c.Terms[0].Threshold = 0 },
		"debt":         func(c *Collateral) { c.Vaults[0].Debt = -1 },
		"NaN":          func(c *Collateral) { c.Vaults[0].Values[0] = math.NaN() },
		"close factor": func(c *Collateral) { c.CloseFactor = 0 },
		"delay":        func(c *Collateral) { c.Delay = .5 },
		"ragged":       func(c *Collateral) { c.Vaults[0].Values = []float64{1, 2} },
	} {
		c := vaultMarket(Asset{Name: "ETH", Vol: .5}, Terms{Threshold: .8})
		change(&c)
		if _, err := c.Run(t.Context(), mc.Engine{Paths: 10}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
