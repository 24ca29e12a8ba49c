package mc

import (
	"math"
	"math/bits"
)

// The ziggurat of Marsaglia and Tsang with 256 layers: a normal costs one table row, one product and one comparison
// in 99 of 100 cases. edge is where the lowest layer ends; the area of a layer follows from it.
const (
	layers = 256
	edge   = 3.6541528853610088
)

type layer struct {
	accept uint64  // below it a 53-bit number lies inside the curve for certain
	width  float64 // times that number is the abscissa
	height float64
}

var ziggurat = makeZiggurat()

func makeZiggurat() (z [layers]layer) {
	density := func(x float64) float64 { return math.Exp(-0.5 * x * x) }
	area := edge*density(edge) + math.Sqrt(math.Pi/2)*math.Erfc(edge/math.Sqrt2)
	const scale = 1 << 53
	base := area / density(edge)
	z[0] = layer{uint64(edge / base * scale), base / scale, 1}
	z[1].accept = 0
	z[layers-1].width, z[layers-1].height = edge/scale, density(edge)
	x, above := edge, edge
	for i := layers - 2; i >= 1; i-- {
		x = math.Sqrt(-2 * math.Log(area/x+density(x)))
		z[i+1].accept = uint64(x / above * scale)
		z[i].width, z[i].height = x/scale, density(x)
		above = x
	}
	return z
}

// Normals fills out with independent standard normals.
func (s *Stream) Normals(out []float64) {
	a, b, c, d := s.a, s.b, s.c, s.d
	for i := range out {
		r := bits.RotateLeft64(a+d, 23) + a
		t := b << 17
		c ^= a
		d ^= b
		b ^= c
		a ^= d
		c ^= t
		d = bits.RotateLeft64(d, 45)
		l := &ziggurat[uint8(r)]
		j := r >> 11
		x := float64(j) * l.width
		if j >= l.accept {
			s.a, s.b, s.c, s.d = a, b, c, d
			x = s.edges(uint8(r), x)
			a, b, c, d = s.a, s.b, s.c, s.d
		}
		out[i] = math.Float64frombits(math.Float64bits(x) | r<<55&(1<<63)) // bit 8 is the sign
	}
	s.a, s.b, s.c, s.d = a, b, c, d
}

// Normal is one standard normal.
func (s *Stream) Normal() float64 {
	var one [1]float64
	s.Normals(one[:])
	return one[0]
}

// edges settles the absolute value of a normal whose first try fell between a layer and the curve.
func (s *Stream) edges(i uint8, x float64) float64 {
	for {
		if i == 0 {
			return s.tail()
		}
		if z := &ziggurat; z[i].height+s.Float64()*(z[i-1].height-z[i].height) < math.Exp(-0.5*x*x) {
			return x
		}
		r := s.Uint64()
		i = uint8(r)
		l := &ziggurat[i]
		x = float64(r>>11) * l.width
		if r>>11 < l.accept {
			return x
		}
	}
}

// tail is a normal beyond the edge.
func (s *Stream) tail() float64 {
	for {
		x := -math.Log(s.Float64()) / edge
		y := -math.Log(s.Float64())
		if y+y >= x*x {
			return edge + x
		}
	}
}

// maxShock bounds the standardised shocks of Student's t. Its exponential has no mean without a bound; with this one
// a daily step of 60 % yearly volatility moves the mean by less than one part in a thousand of itself a year.
const maxShock = 50

// StudentScales fills out with factors that turn a normal into Student's t with nu degrees of freedom, scaled to
// unit variance (nu > 2): √((nu-2)/χ²). One factor for all assets of a path keeps their correlation.
func (s *Stream) StudentScales(nu float64, out []float64) {
	for i := range out {
		out[i] = math.Sqrt((nu - 2) / s.chiSquare(nu))
	}
}

// ClampShock bounds a scaled shock.
func ClampShock(x float64) float64 { return min(max(x, -maxShock), maxShock) }

// chiSquare draws χ² with nu degrees of freedom: sums of exponentials where nu is even and small, else the gamma
// method of Marsaglia and Tsang.
func (s *Stream) chiSquare(nu float64) float64 {
	if half := nu / 2; half == math.Trunc(half) && half <= 8 {
		u := s.Float64()
		for range int(half) - 1 {
			u *= s.Float64()
		}
		return -2 * math.Log(u)
	}
	d := nu/2 - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := s.Normal()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(s.Float64()) < 0.5*x*x+d-d*v+d*math.Log(v) {
			return 2 * d * v
		}
	}
}

// Poisson draws a count with a small mean by its distribution function; zero is the zero count's probability,
// exp(-mean), which the caller computes once.
func (s *Stream) Poisson(mean, zero float64) int {
	u := s.Float64()
	if u < zero {
		return 0
	}
	n, p, sum := 0, zero, zero
	for u >= sum && n < 1000 {
		n++
		p *= mean / float64(n)
		sum += p
	}
	return n
}

// NormalCDF is the standard normal distribution function.
func NormalCDF(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// NormalQuantile is its inverse.
func NormalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }
