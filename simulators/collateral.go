package simulators

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/legate-dao/legate/simulators/mc"
)

// Collateral is a market of loans against collateral. A vault whose debt exceeds its collateral at the assets'
// thresholds is liquidated: the liquidator takes collateral at a discount and repays at most value/(1+bonus); what
// remains of a debt without collateral is the market's bad debt. Amounts are USD, times days.
//
// Vaults are looked at now and after each step. Vaults liquidated in one step share the slippage of what they sell.
type Collateral struct {
	Market  Market
	Terms   []Terms // in the order of Market.Assets
	Vaults  []Vault
	Buffer  float64 // what the market can bear
	Horizon float64
	Step    float64
	// Delay is how long, in days, a vault stays unhealthy before somebody liquidates it; at the end of the horizon
	// nobody waits. One that recovers in between is left alone.
	Delay float64
	// CloseFactor is the share of the debt that one liquidation repays.
	CloseFactor float64
}

// Terms are how one asset counts as collateral.
type Terms struct {
	Threshold float64
	Bonus     float64
	// Depth is the USD on the asset's side of a constant-product pool into which liquidated collateral is sold: v
	// sold at once brings v·Depth/(Depth+v). 0: sales do not move the price.
	Depth float64
}

// Vault is one loan. Values are of its collateral now, in the order of Market.Assets.
type Vault struct {
	Values []float64
	Debt   float64
}

// CollateralResult is a run of a market.
type CollateralResult struct {
	BadDebt    mc.Sample
	Insolvent  mc.Proportion // some bad debt
	OverBuffer mc.Proportion // more than Buffer
	Liquidated mc.Proportion // at least one liquidation
}

// Check says what makes no sense.
func (c Collateral) Check() error {
	if err := c.Market.Check(); err != nil {
		return err
	}
	n := len(c.Market.Assets)
	if n == 0 || len(c.Terms) != n {
		return fmt.Errorf("terms for %d assets of %d", len(c.Terms), n)
	}
	for i, t := range c.Terms {
		if !finite(t.Threshold, t.Bonus, t.Depth) || t.Threshold <= 0 || t.Threshold > 1 || t.Bonus < 0 || t.Bonus > 1 || t.Depth < 0 {
			return fmt.Errorf("asset %s: threshold %g is not in (0,1], or bonus %g not in [0,1], or depth %g below 0", c.Market.Assets[i].Name, t.Threshold, t.Bonus, t.Depth)
		}
	}
	if len(c.Vaults) == 0 || len(c.Vaults) > MaxPositions {
		return fmt.Errorf("%d positions are not between 1 and %d", len(c.Vaults), MaxPositions)
	}
	for i, v := range c.Vaults {
		if err := v.check(n); err != nil {
			return fmt.Errorf("position %d: %w", i+1, err)
		}
	}
	if !finite(c.Buffer, c.Delay, c.CloseFactor) || c.Buffer < 0 || c.CloseFactor <= 0 || c.CloseFactor > 1 {
		return fmt.Errorf("buffer %g is below 0, or close_factor %g not in (0,1]", c.Buffer, c.CloseFactor)
	}
	if _, err := steps(c.Horizon, c.Step); err != nil {
		return err
	}
	if c.Delay == 0 {
		return nil
	}
	if _, err := steps(c.Delay, c.Step); err != nil {
		return fmt.Errorf("liquidation delay: not a whole number of steps: %w", err)
	}
	return nil
}

func (v Vault) check(assets int) error {
	if len(v.Values) != assets {
		return fmt.Errorf("%d collaterals for %d assets", len(v.Values), assets)
	}
	if !finite(v.Debt) || v.Debt < 0 || v.Debt > 1e18 {
		return fmt.Errorf("debt %g is not between 0 and 1e18", v.Debt)
	}
	for _, x := range v.Values {
		if !finite(x) || x < 0 || x > 1e18 {
			return fmt.Errorf("collateral of %g USD is not between 0 and 1e18", x)
		}
	}
	return nil
}

// Run simulates.
func (c Collateral) Run(ctx context.Context, e mc.Engine) (*CollateralResult, error) {
	k, err := c.Kernel()
	if err != nil {
		return nil, err
	}
	r, err := e.Run(ctx, "collateral", k)
	if err != nil {
		return nil, err
	}
	return &CollateralResult{r.Values[0], r.Events[0], r.Events[1], r.Events[2]}, nil
}

// Kernel prepares the model.
func (c Collateral) Kernel() (mc.Kernel, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	n, _ := steps(c.Horizon, c.Step)
	prices, err := newReturns(c.Market, c.Step/Year)
	if err != nil {
		return nil, err
	}
	k := &collateralKernel{returns: prices, steps: n, buffer: c.Buffer, close: c.CloseFactor, delay: int(math.Round(c.Delay / c.Step))}
	for _, t := range c.Terms {
		k.keep, k.slip, k.depth = append(k.keep, 1/(1+t.Bonus)), append(k.slip, 1/(1+t.Bonus)), append(k.depth, t.Depth)
		k.threshold = append(k.threshold, t.Threshold)
	}
	k.load(c.Vaults)
	return k.Fork(), nil
}

// collateralKernel makes the prices of a tile of paths and then walks each path through its steps.
//
// A vault's health is a weighted mean of price ratios times its health at the start, so it is never below the health
// at the start times the smallest ratio. Vaults are sorted by that health, and a step looks only at those that could
// be unhealthy: the same result as looking at all, at a tenth of the work. Vaults that were touched no longer obey
// that bound and are looked at one by one.
type collateralKernel struct {
	*returns
	steps, delay          int
	buffer, close         float64
	keep, slip, depth     []float64 // of a dollar sold: keep less slip·v/(v+depth)
	threshold             []float64
	sellAll               bool      // all of a vault's collateral is sold, whatever the debt
	health                []float64 // at the start, ascending
	value, weighted, debt []float64 // weighted is value times threshold; vaults × assets
	prunable              []bool    // assets that any vault holds

	ratios []float64 // steps × assets × tile
	path   path
}

// path is the state of the market along one path.
type path struct {
	stamp   []int32 // the walk in which a vault was last touched
	walk    int32
	left    []float64 // share of the collateral that a touched vault still has
	owed    []float64 // its debt
	since   []int32   // the step at which it became unhealthy, -1: healthy; closed: gone
	touched []int32
	due     []int32 // to be liquidated in this step
	volume  []float64
	bad     float64
	any     bool
}

const closed = -2

// load sorts the vaults by health. Those without debt never matter.
func (k *collateralKernel) load(vaults []Vault) {
	n := len(k.threshold)
	type rated struct {
		Vault
		health float64
	}
	var list []rated
	for _, v := range vaults {
		if v.Debt == 0 {
			continue
		}
		sum := 0.0
		for i, x := range v.Values {
			sum += x * k.threshold[i]
		}
		list = append(list, rated{v, sum / v.Debt})
	}
	slices.SortStableFunc(list, func(a, b rated) int { return cmp.Compare(a.health, b.health) })
	k.prunable = make([]bool, n)
	for _, v := range list {
		k.health, k.debt = append(k.health, v.health), append(k.debt, v.Debt)
		for i, x := range v.Values {
			k.value, k.weighted = append(k.value, x), append(k.weighted, x*k.threshold[i])
			k.prunable[i] = k.prunable[i] || x > 0
		}
	}
}

func (k *collateralKernel) Shape() (values, events int) { return 1, 3 }

func (k *collateralKernel) Fork() mc.Kernel {
	c := *k
	c.returns = k.returns.fork()
	n := len(k.debt)
	c.ratios = make([]float64, k.steps*len(k.threshold)*tile)
	c.path = path{
		stamp: make([]int32, n), left: make([]float64, n), owed: make([]float64, n), since: make([]int32, n),
		touched: make([]int32, 0, n), due: make([]int32, 0, n), volume: make([]float64, len(k.threshold)),
	}
	return &c
}

func (k *collateralKernel) Block(s *mc.Stream, out *mc.Out) {
	for first := 0; first < out.Paths; first += tile {
		k.draw(s)
		for p := range min(tile, out.Paths-first) {
			k.follow(p)
			bad := k.path.bad
			out.Values[0][first+p] = bad
			for e, happened := range [3]bool{bad > 0, bad > k.buffer, k.path.any} {
				if happened {
					out.Hits[e]++
				}
			}
		}
	}
}

// draw makes the price ratios of a tile.
func (k *collateralKernel) draw(s *mc.Stream) {
	n := len(k.threshold) * tile
	for t := range k.steps {
		now := k.ratios[t*n : (t+1)*n]
		if t == 0 {
			fill(now, 1)
		} else {
			copy(now, k.ratios[(t-1)*n:t*n])
		}
		k.next(s)
		k.addJumps()
		mc.MulExp(now, k.x)
	}
}

// follow walks one path; step -1 is now.
func (k *collateralKernel) follow(p int) {
	w := &k.path
	if w.walk++; w.walk == math.MaxInt32 {
		clear(w.stamp)
		w.walk = 1
	}
	w.touched, w.bad, w.any = w.touched[:0], 0, false
	n := len(k.threshold)
	var room [MaxAssets]float64
	r := room[:n]
	for t := -1; t < k.steps; t++ {
		lowest := math.Inf(1)
		for i := range r {
			r[i] = 1
			if t >= 0 {
				r[i] = k.ratios[(t*n+i)*tile+p]
			}
			if k.prunable[i] {
				lowest = min(lowest, r[i])
			}
		}
		k.look(r, lowest, int32(t))
		if len(w.due) > 0 {
			k.liquidate(r)
		}
	}
}

// look finds the vaults that are to be liquidated in a step.
func (k *collateralKernel) look(r []float64, lowest float64, t int32) {
	w := &k.path
	w.due = w.due[:0]
	known := len(w.touched) // those touched before this step
	const slack = 1 + 1e-12 // rounding must not hide a vault on the edge
	end, _ := slices.BinarySearch(k.health, slack/lowest)
	if len(r) == 4 {
		k.scan4(r, end, t)
	} else {
		k.scan(r, end, t)
	}
	for _, i := range w.touched[:known] {
		if w.since[i] == closed {
			continue
		}
		if w.left[i]*k.worth(k.weighted, r, int(i)) < w.owed[i] {
			k.unhealthy(i, t)
		} else {
			w.since[i] = -1
		}
	}
}

func (k *collateralKernel) scan(r []float64, end int, t int32) {
	for i := range k.debt[:end] {
		if k.path.stamp[i] != k.path.walk && k.worth(k.weighted, r, i) < k.debt[i] {
			k.touch(int32(i))
			k.unhealthy(int32(i), t)
		}
	}
}

// scan4 is scan for four assets.
func (k *collateralKernel) scan4(r []float64, end int, t int32) {
	r0, r1, r2, r3 := r[0], r[1], r[2], r[3]
	weighted := k.weighted
	for i, debt := range k.debt[:end] {
		v := (*[4]float64)(weighted)
		weighted = weighted[4:]
		if float64(v[0]*r0)+float64(v[1]*r1)+float64(v[2]*r2)+float64(v[3]*r3) < debt && k.path.stamp[i] != k.path.walk {
			k.touch(int32(i))
			k.unhealthy(int32(i), t)
		}
	}
}

// worth is the sum of a vault's row at today's ratios.
func (k *collateralKernel) worth(rows, r []float64, i int) float64 {
	sum := 0.0
	for j, v := range rows[i*len(r) : (i+1)*len(r)] {
		sum += float64(v * r[j])
	}
	return sum
}

func (k *collateralKernel) touch(i int32) {
	w := &k.path
	w.stamp[i], w.left[i], w.owed[i], w.since[i] = w.walk, 1, k.debt[i], -1
	w.touched = append(w.touched, i)
}

func (k *collateralKernel) unhealthy(i, t int32) {
	w := &k.path
	if w.since[i] == -1 {
		w.since[i] = t + 1 // steps count from now, which is 0
	}
	if int(t+1-w.since[i]) >= k.delay || int(t) == k.steps-1 {
		w.due = append(w.due, i)
	}
}

// liquidate sells collateral of the vaults that are due.
func (k *collateralKernel) liquidate(r []float64) {
	w := &k.path
	w.any = true
	clear(w.volume)
	for _, i := range w.due {
		share := 1.0
		if !k.sellAll {
			if most := w.left[i] * k.proceeds(r, int(i), false); k.close*w.owed[i] < most {
				share = k.close * w.owed[i] / most
			}
		}
		for j, v := range k.value[int(i)*len(r):][:len(r)] {
			w.volume[j] += share * w.left[i] * float64(v*r[j])
		}
	}
	for _, i := range w.due {
		most := w.left[i] * k.proceeds(r, int(i), true)
		if repay := k.close * w.owed[i]; repay < most {
			w.left[i] *= 1 - repay/most
			w.owed[i] -= repay
			if w.since[i] = -1; w.owed[i] <= 0 || k.close == 1 {
				w.since[i] = closed
			}
			continue
		}
		w.bad += max(w.owed[i]-most, 0)
		w.since[i] = closed
	}
}

// proceeds is what a whole vault's collateral repays today, with the slippage of this step's volume or without.
func (k *collateralKernel) proceeds(r []float64, i int, slipping bool) float64 {
	sum := 0.0
	for j, v := range k.value[i*len(r):][:len(r)] {
		rate := k.keep[j]
		if slipping && k.depth[j] > 0 {
			rate -= k.slip[j] * (k.path.volume[j] / (k.path.volume[j] + k.depth[j]))
		}
		sum += float64(v*r[j]) * rate
	}
	return sum
}
