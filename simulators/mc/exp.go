package mc

import "math"

// narrow is up to where the short polynomial is used. A daily step of an asset with 100 % yearly volatility has a
// standard deviation of 0.05.
const narrow = 0.35

// MulExp multiplies every s[i] by exp(x[i]), with a relative error below 1e-14. x must be as long as s. The polynomial
// is that of expNarrow, written out: the compiler does not inline it.
func MulExp(s, x []float64) {
	x = x[:len(s)]
	for i, v := range x {
		if v > narrow || v < -narrow {
			s[i] *= Exp(v)
			continue
		}
		v2 := v * v
		v4 := v2 * v2
		low := float64(1+v) + float64(v2*(c2+float64(v*c3)))
		mid := float64(c4+float64(v*c5)) + float64(v2*(c6+float64(v*c7)))
		top := float64(c8+float64(v*c9)) + float64(v2*(c10+float64(v*c11)))
		s[i] *= low + float64(v4*(mid+float64(v4*top)))
	}
}

// The coefficients of the series of exp: 1/n!.
const (
	c2, c3, c4, c5 = 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120
	c6, c7, c8, c9 = 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880
	c10, c11       = 1.0 / 3628800, 1.0 / 39916800
)

// expNarrow is the Taylor polynomial of degree 11, added up in pairs so that the products do not wait for each other.
func expNarrow(v float64) float64 {
	v2 := v * v
	v4 := v2 * v2
	low := float64(1+v) + float64(v2*(c2+float64(v*c3)))
	mid := float64(c4+float64(v*c5)) + float64(v2*(c6+float64(v*c7)))
	top := float64(c8+float64(v*c9)) + float64(v2*(c10+float64(v*c11)))
	return low + float64(v4*(mid+float64(v4*top)))
}

// Exp is exp(x) by the same polynomial after a reduction by powers of two. Unlike math.Exp it is the same code on
// every architecture.
func Exp(x float64) float64 {
	switch {
	case x > 709:
		return math.Inf(1)
	case x < -708:
		return 0
	case x != x:
		return x
	}
	n := math.Floor(float64(x*math.Log2E) + 0.5)
	const high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10 // ln 2, the first with zeros at its end
	r := (x - float64(n*high)) - float64(n*low)
	return math.Ldexp(expNarrow(r), int(n))
}
