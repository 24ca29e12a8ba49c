package mc

import "math"

// Z95 is the 97.5 % quantile of the normal: intervals are two-sided at 95 %.
const Z95 = 1.959963984540054

// Proportion is how often an event was seen.
type Proportion struct{ Hits, Of int64 }

// P is the share of paths with the event.
func (p Proportion) P() float64 {
	if p.Of == 0 {
		return math.NaN()
	}
	return float64(p.Hits) / float64(p.Of)
}

// Wilson is the share with its 95 % interval by Wilson's score. An event never seen has the rule of three: p and low
// are 0, high is 3/n; one always seen likewise from above. No probability is said to be nought.
func (p Proportion) Wilson() (share, low, high float64) {
	n := float64(p.Of)
	share = p.P()
	switch {
	case p.Of == 0:
		return share, 0, 1
	case p.Hits == 0:
		return 0, 0, min(3/n, 1)
	case p.Hits == p.Of:
		return 1, max(1-3/n, 0), 1
	}
	const z2 = Z95 * Z95
	mid := (share + z2/(2*n)) / (1 + z2/n)
	half := Z95 / (1 + z2/n) * math.Sqrt(share*(1-share)/n+z2/(4*n*n))
	return share, mid - half, mid + half
}
