package fit

import "math"

// weighted is a mean and a variance of numbers with weights.
type weighted struct{ sum, weight, square float64 }

func (w *weighted) add(x, weight float64) {
	w.sum, w.weight, w.square = w.sum+x*weight, w.weight+weight, w.square+x*x*weight
}

func (w *weighted) mean() float64 {
	if w.weight == 0 {
		return 0
	}
	return w.sum / w.weight
}

func (w *weighted) variance() float64 {
	if w.weight == 0 {
		return 0
	}
	return max(w.square/w.weight-w.mean()*w.mean(), 0)
}

// spread estimates how far a quantity differs from voting to voting, beyond what counting few voters does by itself.
type spread struct {
	weighted
	noise    float64 // summed variance of counting
	last     float64
	begun    bool
	movement weighted
}

// add takes in one voting: the quantity and the variance of its estimate.
func (s *spread) add(x, noise, weight float64) {
	s.weighted.add(x, weight)
	s.noise += noise * weight
	if s.begun {
		d := x - s.last
		s.movement.add(d*d/2, weight)
	}
	s.last, s.begun = x, true
}

// deviation is the standard deviation around the mean, drawn towards a prior and held within bounds.
func (s *spread) deviation(prior, low, high float64) float64 {
	return s.drawn(s.variance(), prior, low, high)
}

// steps is that of the quantity without its slow change: half the squared distance of neighbours.
func (s *spread) steps(prior, low, high float64) float64 {
	return s.drawn(s.movement.mean(), prior, low, high)
}

func (s *spread) drawn(variance, prior, low, high float64) float64 {
	if s.weight > 0 {
		variance = max(variance-s.noise/s.weight, 0)
	}
	v := (variance*s.weight + prior*prior*priorVotings) / (s.weight + priorVotings)
	return min(max(math.Sqrt(v), low), high)
}
