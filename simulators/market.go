package simulators

import (
	"errors"
	"fmt"
	"math"

	"github.com/legate-dao/legate/simulators/mc"
)

// Year is the length of a year in days.
const Year = 365

// Limits of a scenario: beyond them a run would take hours, or a typing error was made.
const (
	MaxAssets    = 64
	MaxSteps     = 100_000
	MaxPositions = 1_000_000
	maxVol       = 20 // a year: 2000 %
)

// Asset is how one price moves. Drift is the expected growth a year, as an exponent: E[S_t] = S_0·exp(Drift·t). Vol
// is the yearly standard deviation of the diffusive part of the log price.
type Asset struct {
	Name       string
	Drift, Vol float64
}

// Market is how prices move together. A step's log returns are correlated shocks, normal or Student's t, and jumps
// common to all assets; what jumps and variance add to the mean is taken off the drift.
type Market struct {
	Assets []Asset
	// Correlation of the shocks, in the order of Assets; nil: independent.
	Correlation [][]float64
	// StudentT is the degrees of freedom of the shocks, above 2; 0: normal. Shocks have unit variance, and one
	// mixing factor for all assets of a step. Shocks beyond 50 standard deviations are cut there.
	StudentT float64
	Jumps    Jumps
}

// Jumps come by a Poisson process and move every log price by the same normal amount.
type Jumps struct {
	PerYear, Mean, SD float64
	// Betas scale the jump by asset; nil: 1 for all.
	Betas []float64
	// Uncompensated leaves the jumps' mean in the prices, which then do not grow by Drift.
	Uncompensated bool
}

func finite(list ...float64) bool {
	for _, x := range list {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// Check says what makes no sense. Names of assets are in the message.
func (m Market) Check() error {
	if len(m.Assets) > MaxAssets {
		return fmt.Errorf("%d assets are more than %d", len(m.Assets), MaxAssets)
	}
	for _, a := range m.Assets {
		if !finite(a.Drift, a.Vol) || a.Vol < 0 || a.Vol > maxVol || math.Abs(a.Drift) > maxVol {
			return fmt.Errorf("asset %s: drift %g and vol %g are not between -%d and %d, and 0 and %d", a.Name, a.Drift, a.Vol, maxVol, maxVol, maxVol)
		}
	}
	if m.StudentT != 0 && !(m.StudentT > 2 && m.StudentT < 1e6) {
		return fmt.Errorf("student_t %g is not above 2: such shocks have no variance", m.StudentT)
	}
	j := m.Jumps
	if !finite(j.PerYear, j.Mean, j.SD) || j.PerYear < 0 || j.PerYear > 10_000 || j.SD < 0 || j.SD > 5 || math.Abs(j.Mean) > 20 {
		return fmt.Errorf("jumps of mean %g and sd %g at %g a year are out of range (sd 0 to 5, mean -20 to 20, at most 10000 a year)", j.Mean, j.SD, j.PerYear)
	}
	if j.Betas != nil && len(j.Betas) != len(m.Assets) {
		return fmt.Errorf("%d jump betas for %d assets", len(j.Betas), len(m.Assets))
	}
	if m.Correlation != nil && len(m.Correlation) != len(m.Assets) {
		return fmt.Errorf("the correlation has %d rows for %d assets", len(m.Correlation), len(m.Assets))
	}
	_, err := mc.Cholesky(m.correlation())
	return err
}

func (m Market) correlation() [][]float64 {
	if m.Correlation != nil {
		return m.Correlation
	}
	one := make([][]float64, len(m.Assets))
	for i := range one {
		one[i] = make([]float64, len(m.Assets))
		one[i][i] = 1
	}
	return one
}

// steps is how many whole steps of a length go into a horizon, both in days.
func steps(horizon, step float64) (int, error) {
	switch {
	case !finite(horizon, step) || step <= 0 || horizon <= 0:
		return 0, errors.New("horizon and step must be longer than nothing")
	case horizon/step > MaxSteps:
		return 0, fmt.Errorf("%g steps are more than %d", horizon/step, MaxSteps)
	}
	n := math.Round(horizon / step)
	if math.Abs(n*step-horizon) > 1e-9*horizon || n < 1 {
		return 0, errors.New("the horizon is not a whole number of steps")
	}
	return int(n), nil
}

// tile is how many paths are moved together: what they need of scratch memory stays in the first-level cache.
const tile = 64

// returns makes the log returns of a tile of paths, step by step. What is prepared is shared; z, x and the rest are
// scratch.
type returns struct {
	factor           [][]float64 // Cholesky factor times the step's standard deviations
	drift            []float64
	nu               float64
	rate, zero       float64 // jumps a step: mean, and the probability of none
	jumpMean, jumpSD float64
	betas            []float64

	z, x  []float64 // assets × tile
	scale []float64 // of the shocks of each path
	jumps []jump    // of this step
}

// jump is a common jump of one path.
type jump struct {
	path int
	size float64
}

// newReturns prepares steps of dt years. The market was checked.
func newReturns(m Market, dt float64) (*returns, error) {
	l, err := mc.Cholesky(m.correlation())
	if err != nil {
		return nil, err
	}
	j := m.Jumps
	r := &returns{factor: l, drift: make([]float64, len(m.Assets)), nu: m.StudentT, rate: j.PerYear * dt, jumpMean: j.Mean, jumpSD: j.SD, betas: j.Betas}
	r.zero = math.Exp(-r.rate)
	if r.betas == nil {
		r.betas = make([]float64, len(m.Assets))
		for i := range r.betas {
			r.betas[i] = 1
		}
	}
	for k, a := range m.Assets {
		r.drift[k] = (a.Drift - a.Vol*a.Vol/2) * dt
		if b := r.betas[k]; !j.Uncompensated {
			r.drift[k] -= r.rate * math.Expm1(b*j.Mean+b*b*j.SD*j.SD/2)
		}
		for i := range l[k] {
			l[k][i] *= a.Vol * math.Sqrt(dt)
		}
	}
	return r.fork(), nil
}

func (r *returns) fork() *returns {
	c := *r
	n := len(c.drift) * tile
	c.z, c.x, c.scale, c.jumps = make([]float64, n), make([]float64, n), make([]float64, tile), make([]jump, 0, tile)
	return &c
}

// next draws one step for all paths of the tile: x are the diffusive log returns, jumps what is to be added to them.
func (r *returns) next(s *mc.Stream) {
	s.Normals(r.z)
	if r.nu > 0 {
		s.StudentScales(r.nu, r.scale)
		for k := range r.drift {
			z := r.z[k*tile : (k+1)*tile]
			for p := range z {
				z[p] = mc.ClampShock(z[p] * r.scale[p])
			}
		}
	}
	mc.Correlate(r.x, r.z, r.factor, r.drift, tile)
	r.jumps = r.jumps[:0]
	if r.rate == 0 {
		return
	}
	for p := range tile {
		if n := s.Poisson(r.rate, r.zero); n > 0 {
			size := float64(n) * r.jumpMean
			if r.jumpSD > 0 {
				size += math.Sqrt(float64(n)) * r.jumpSD * s.Normal()
			}
			r.jumps = append(r.jumps, jump{p, size})
		}
	}
}

// addJumps adds the jumps to the diffusive returns.
func (r *returns) addJumps() {
	for _, j := range r.jumps {
		for k, b := range r.betas {
			r.x[k*tile+j.path] += float64(b * j.size)
		}
	}
}
