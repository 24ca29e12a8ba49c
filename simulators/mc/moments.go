package mc

import "math"

// Moments are count, mean and sum of squared distances from it, by Welford's update: no cancellation where the mean
// is large beside the spread.
type Moments struct {
	N    int64
	Mean float64
	m2   float64
}

// Add takes one number in.
func (m *Moments) Add(x float64) {
	m.N++
	d := x - m.Mean
	m.Mean += d / float64(m.N)
	m.m2 += float64(d * (x - m.Mean))
}

// Merge takes in what another block saw (Chan, Golub and LeVeque). The order of merging shows in the last bits.
func (m *Moments) Merge(o Moments) {
	if o.N == 0 {
		return
	}
	if m.N == 0 {
		*m = o
		return
	}
	n := float64(m.N + o.N)
	d := o.Mean - m.Mean
	m.Mean += d * (float64(o.N) / n)
	m.m2 += o.m2 + float64(d*d)*(float64(m.N)*float64(o.N)/n)
	m.N += o.N
}

// Variance is of one number, with n-1.
func (m Moments) Variance() float64 {
	if m.N < 2 {
		return 0
	}
	return max(m.m2/float64(m.N-1), 0)
}

// SE is the standard error of the mean.
func (m Moments) SE() float64 {
	if m.N == 0 {
		return math.NaN()
	}
	return math.Sqrt(m.Variance() / float64(m.N))
}
