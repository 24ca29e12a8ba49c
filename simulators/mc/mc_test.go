package mc_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/simulators/mc"
)

// walk is a kernel with two values and two events; the second event never happens.
type walk struct{ x []float64 }

func (walk) Shape() (values, events int) { return 2, 2 }
func (walk) Fork() mc.Kernel             { return &walk{make([]float64, 37)} }
func (w *walk) Block(s *mc.Stream, out *mc.Out) {
	for p := range out.Paths {
		s.Normals(w.x)
		sum := 0.0
		for _, x := range w.x {
			sum += x
		}
		out.Values[0][p] = sum
		out.Values[1][p] = math.Exp(sum / 6)
		if sum > 6 {
			out.Hits[0]++
		}
	}
}

// TestBitsDoNotDependOnWorkers: the last bit of every number is the same for any number of workers.
func TestBitsDoNotDependOnWorkers(t *testing.T) {
	type bits struct {
		Mean, SE, P05, P50, P95 uint64
		Hits                    int64
	}
	var first []bits
	for _, workers := range []int{1, 2, 7, 16} {
		r, err := mc.Engine{Seed: 3, Paths: 20_100, Block: 256, Workers: workers}.Run(t.Context(), "walk", &walk{})
		if err != nil {
			t.Fatal(err)
		}
		var got []bits
		for v, s := range r.Values {
			f := math.Float64bits
			got = append(got, bits{f(s.Mean), f(s.SE()), f(s.Quantile(.05)), f(s.Quantile(.5)), f(s.Quantile(.95)), r.Events[v].Hits})
		}
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("%d workers (-one +many):\n%s", workers, diff)
		}
	}
	other, err := mc.Engine{Seed: 4, Paths: 20_100, Block: 256}.Run(t.Context(), "walk", &walk{})
	if err != nil || math.Float64bits(other.Values[0].Mean) == first[0].Mean {
		t.Errorf("another seed gives the same mean: %v", err)
	}
}

func TestRunStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (mc.Engine{Paths: 1e9}).Run(ctx, "walk", &walk{}); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
	if _, err := (mc.Engine{}).Run(t.Context(), "walk", &walk{}); err == nil {
		t.Error("no path was accepted")
	}
}

// TestBlocksAllocateNothing: only the histogram grows, by a page for each new power of two: fewer than half a page a block.
func TestBlocksAllocateNothing(t *testing.T) {
	allocs := func(paths int64) float64 {
		return testing.AllocsPerRun(3, func() { mc.Engine{Paths: paths, Workers: 1}.Run(t.Context(), "walk", &walk{}) })
	}
	if a, b := allocs(1<<13), allocs(1<<18); b > a+100 {
		t.Errorf("%v allocations for 8 blocks, %v for 256", a, b)
	}
}

// moments4 are the first four raw moments.
func moments4(x []float64) (m [4]float64) {
	for _, v := range x {
		p := 1.0
		for i := range m {
			p *= v
			m[i] += p
		}
	}
	for i := range m {
		m[i] /= float64(len(x))
	}
	return m
}

// TestNormals: moments, tails and the fit in 100 equally likely bins, all within 4 standard errors.
func TestNormals(t *testing.T) {
	const n = 2_000_000
	s := mc.NewStream(1, 2, 3)
	x := make([]float64, n)
	s.Normals(x)
	m := moments4(x)
	for i, want := range []float64{0, 1, 0, 3} {
		se := math.Sqrt([]float64{1, 2, 15, 96}[i] / n)
		if z := (m[i] - want) / se; math.Abs(z) > 4 {
			t.Errorf("moment %d: %g, want %g, z %.1f", i+1, m[i], want, z)
		}
	}
	tail := 0
	var bins [100]float64
	for _, v := range x {
		if v > 3.7 || v < -3.7 { // beyond the edge of the ziggurat
			tail++
		}
		bins[min(int(mc.NormalCDF(v)*100), 99)]++
	}
	want := 2 * mc.NormalCDF(-3.7) * n
	if z := (float64(tail) - want) / math.Sqrt(want); math.Abs(z) > 4 {
		t.Errorf("beyond 3.7: %d, want %.0f, z %.1f", tail, want, z)
	}
	chi := 0.0
	for _, b := range bins {
		chi += (b - n/100) * (b - n/100) / (n / 100)
	}
	if z := (chi - 99) / math.Sqrt(2*99); math.Abs(z) > 4 {
		t.Errorf("χ² of 100 bins is %.0f, z %.1f", chi, z)
	}
	serial := 0.0
	for i := 1; i < n; i++ {
		serial += x[i] * x[i-1]
	}
	if z := serial / math.Sqrt(n); math.Abs(z) > 4 {
		t.Errorf("neighbours correlate, z %.1f", z)
	}
}

// TestUniforms: every bit is set half the time, and Bits is Uint64.
func TestUniforms(t *testing.T) {
	const n = 400_000
	s, same := mc.NewStream(9, 9, 9), mc.NewStream(9, 9, 9)
	x := make([]uint64, n)
	s.Bits(x)
	var set [64]float64
	for i, v := range x {
		if same.Uint64() != v {
			t.Fatalf("number %d differs", i)
		}
		for b := range set {
			set[b] += float64(v >> b & 1)
		}
	}
	for b, k := range set {
		if z := (k - n/2) / math.Sqrt(n/4); math.Abs(z) > 4.5 {
			t.Errorf("bit %d is set %g times of %d, z %.1f", b, k, n, z)
		}
	}
	sum := 0.0
	for range n {
		u := s.Float64()
		if u <= 0 || u >= 1 {
			t.Fatal(u)
		}
		sum += u
	}
	if z := (sum/n - 0.5) * math.Sqrt(12*n); math.Abs(z) > 4 {
		t.Errorf("mean of uniforms %g, z %.1f", sum/n, z)
	}
}

// TestStreamsOfNeighboursDiffer: keys that differ by one have unrelated numbers.
func TestStreamsOfNeighboursDiffer(t *testing.T) {
	seen := map[uint64]bool{}
	var bits [64]float64
	const n = 30_000
	for i := range uint64(n) {
		s := mc.NewStream(i%100, i/100%10, i/1000)
		v := s.Uint64()
		if seen[v] {
			t.Fatal("two keys have one stream")
		}
		seen[v] = true
		for b := range bits {
			bits[b] += float64(v >> b & 1)
		}
	}
	for b, k := range bits {
		if z := (k - n/2) / math.Sqrt(n/4); math.Abs(z) > 4.5 {
			t.Errorf("bit %d of first numbers: z %.1f", b, z)
		}
	}
}

// TestStudent: unit variance, and P(X < -3) = 0.0066178 for 4 degrees of freedom; 5 has a variance of the square.
func TestStudent(t *testing.T) {
	const n = 1_000_000
	s := mc.NewStream(5, 5, 5)
	z, f := make([]float64, n), make([]float64, n)
	for _, c := range []struct{ nu, below, p float64 }{{4, -3, 0.0066178}, {5, -3, 0.0058441}} {
		s.Normals(z)
		s.StudentScales(c.nu, f)
		below, square := 0.0, 0.0
		for i := range z {
			x := z[i] * f[i]
			square += x * x
			if x < c.below {
				below++
			}
		}
		if z := (below - n*c.p) / math.Sqrt(n*c.p); math.Abs(z) > 4 {
			t.Errorf("t%g: P(X<%g) = %g, want %g, z %.1f", c.nu, c.below, below/n, c.p, z)
		}
		if v := square / n; math.Abs(v-1) > 0.05 { // the square of t4 has no variance: a loose bound
			t.Errorf("t%g: variance %g", c.nu, v)
		}
	}
}

func TestPoisson(t *testing.T) {
	const n = 500_000
	s := mc.NewStream(6, 6, 6)
	for _, mean := range []float64{0.02, 1.5} {
		sum, square := 0.0, 0.0
		for range n {
			k := float64(s.Poisson(mean, math.Exp(-mean)))
			sum += k
			square += k * k
		}
		m, v := sum/n, square/n-sum/n*sum/n
		if z := (m - mean) / math.Sqrt(mean/n); math.Abs(z) > 4 {
			t.Errorf("mean %g, want %g", m, mean)
		}
		if math.Abs(v/mean-1) > 0.03 {
			t.Errorf("variance %g, want %g", v, mean)
		}
	}
}

func TestExp(t *testing.T) {
	worst := 0.0
	for i := -200_000; i <= 200_000; i++ {
		x := float64(i) / 5000 * math.Sqrt(math.Abs(float64(i))/200_000)
		s := []float64{1}
		mc.MulExp(s, []float64{x})
		worst = max(worst, math.Abs(s[0]/math.Exp(x)-1), math.Abs(mc.Exp(x)/math.Exp(x)-1))
	}
	if worst > 1e-13 {
		t.Errorf("relative error %g", worst)
	}
	if mc.Exp(1000) != math.Inf(1) || mc.Exp(-1000) != 0 || !math.IsNaN(mc.Exp(math.NaN())) || mc.Exp(0) != 1 {
		t.Error("the ends of exp")
	}
}

func TestCholesky(t *testing.T) {
	m := [][]float64{{1, .6, .2, 0}, {.6, 1, -.3, .1}, {.2, -.3, 1, .5}, {0, .1, .5, 1}}
	l, err := mc.Cholesky(m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m {
		for j := range m {
			sum := 0.0
			for k := range m {
				sum += l[i][k] * l[j][k]
			}
			if math.Abs(sum-m[i][j]) > 1e-14 {
				t.Errorf("%d %d: %g, want %g", i, j, sum, m[i][j])
			}
		}
	}
	if _, err := mc.Cholesky([][]float64{{1, 1}, {1, 1}}); err != nil {
		t.Errorf("perfect correlation: %v", err)
	}
	for name, bad := range map[string][][]float64{
		"not symmetric": {{1, .5}, {.4, 1}}, "diagonal": {{2}}, "too large": {{1, 1.1}, {1.1, 1}}, "ragged": {{1, 0}, {0}},
		"indefinite": {{1, .9, -.9}, {.9, 1, .9}, {-.9, .9, 1}}, "NaN": {{1, math.NaN()}, {math.NaN(), 1}},
	} {
		if _, err := mc.Cholesky(bad); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestCorrelateFour: the pass for four assets has the bits of the general one.
func TestCorrelateFour(t *testing.T) {
	const w = 5
	m := [][]float64{{1, .6, .2, .3}, {.6, 1, -.3, .1}, {.2, -.3, 1, .5}, {.3, .1, .5, 1}}
	l, err := mc.Cholesky(m)
	if err != nil {
		t.Fatal(err)
	}
	z, x, y := make([]float64, 5*w), make([]float64, 4*w), make([]float64, 5*w)
	s := mc.NewStream(1, 1, 1)
	s.Normals(z)
	mc.Correlate(x, z, l, []float64{.1, .2, .3, .4}, w)
	five := append(slices.Clone(l), []float64{0, 0, 0, 0, 1})
	mc.Correlate(y, z, five, []float64{.1, .2, .3, .4, 0}, w)
	if diff := cmp.Diff(y[:4*w], x); diff != "" {
		t.Error(diff)
	}
}

// TestHistogram: quantiles beside those of the sorted numbers.
func TestHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var x []float64
	var one, two mc.Histogram
	for i := range 10_001 {
		v := math.Exp(3*r.NormFloat64()) * float64(1-2*r.IntN(2))
		if i%10 == 0 {
			v = 0
		}
		x = append(x, v)
		if i%3 == 0 {
			one.Add(v)
		} else {
			two.Add(v)
		}
	}
	one.Merge(&two)
	slices.Sort(x)
	for _, q := range []float64{0, .01, .05, .3, .5, .7, .95, .99, 1} {
		want, got := x[int(q*10_000)], one.Quantile(q)
		if math.Abs(got-want) > 0.002*math.Abs(want) {
			t.Errorf("q %g: %g, want %g", q, got, want)
		}
	}
	var h mc.Histogram
	for _, v := range []float64{1, 2, math.Inf(1), math.Inf(1)} {
		h.Add(v)
	}
	if h.Quantile(0) != 1 || !math.IsInf(h.Quantile(.5), 1) || !math.IsInf(h.Quantile(1), 1) {
		t.Errorf("with infinite ones: %g %g", h.Quantile(0), h.Quantile(.5))
	}
	var point mc.Histogram
	for range 9 {
		point.Add(100.5)
	}
	if point.Quantile(.3) != 100.5 || !math.IsNaN(new(mc.Histogram).Quantile(.5)) {
		t.Error("one value, or none")
	}
}

func TestWilson(t *testing.T) {
	if p, low, high := (mc.Proportion{0, 600}).Wilson(); p != 0 || low != 0 || high != 3.0/600 {
		t.Errorf("never seen: %g %g %g", p, low, high)
	}
	if p, low, high := (mc.Proportion{600, 600}).Wilson(); p != 1 || low != 1-3.0/600 || high != 1 {
		t.Errorf("always seen: %g %g %g", p, low, high)
	}
	// 15 of 50: the textbook interval 0.1910 to 0.4375.
	if _, low, high := (mc.Proportion{15, 50}).Wilson(); math.Abs(low-0.1910) > 5e-5 || math.Abs(high-0.4375) > 5e-5 {
		t.Errorf("15 of 50: %g %g", low, high)
	}
}

// TestCoverage: of 1000 runs of 400 paths, the interval holds the true share in 93 to 97 of 100, that of the mean too.
func TestCoverage(t *testing.T) {
	truth := 1 - mc.NormalCDF(6/math.Sqrt(37))
	share, mean := 0, 0
	for seed := range uint64(1000) {
		r, err := mc.Engine{Seed: seed, Paths: 400, Block: 128, Workers: 1}.Run(t.Context(), "walk", &walk{})
		if err != nil {
			t.Fatal(err)
		}
		if _, low, high := r.Events[0].Wilson(); low <= truth && truth <= high {
			share++
		}
		if v := r.Values[0]; math.Abs(v.Mean) <= mc.Z95*v.SE() {
			mean++
		}
	}
	if share < 930 || share > 970 || mean < 930 || mean > 970 {
		t.Errorf("of 1000 intervals the share's hold %d, the mean's %d", share, mean)
	}
}

func TestMoments(t *testing.T) {
	var all, a, b mc.Moments
	for i := range 100 {
		x := 1e9 + float64(i%7)
		all.Add(x)
		if i < 33 {
			a.Add(x)
		} else {
			b.Add(x)
		}
	}
	a.Merge(b)
	if math.Abs(a.Mean-all.Mean) > 1e-6 || math.Abs(a.Variance()-all.Variance()) > 1e-6 || all.Variance() < 3.9 {
		t.Errorf("%v %v, %v %v", a.Mean, a.Variance(), all.Mean, all.Variance())
	}
}

func BenchmarkNormals(b *testing.B) {
	s := mc.NewStream(1, 1, 1)
	x := make([]float64, 4096)
	b.SetBytes(int64(len(x)))
	for b.Loop() {
		s.Normals(x)
	}
}

func BenchmarkMulExp(b *testing.B) {
	s := mc.NewStream(1, 1, 1)
	x, y := make([]float64, 4096), make([]float64, 4096)
	s.Normals(x)
	for i := range x {
		x[i] *= .03
		y[i] = 1
	}
	b.SetBytes(int64(len(x)))
	for b.Loop() {
		for i := range y {
			y[i] = 1 // or they would end as denormals, which are slow
		}
		mc.MulExp(y, x)
	}
}
