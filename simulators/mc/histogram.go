package mc

import "math"

// Histogram holds a distribution in constant memory: 512 cells to every factor of two, each with its count and the
// smallest and largest number in it. A quantile is off by less than the width of a cell, 0.2 % of itself, and exact
// where a cell holds one value (schedules without chance, point masses). Counts, minima and maxima do not care for
// the order in which they come, so merging is exact.
type Histogram struct {
	n     int64
	pages [2 * octaves]*page // the negative ones first, from the largest size to the smallest
	zero  int64
	above int64 // +Inf
	below int64 // -Inf
}

const (
	cellsPerOctave = 512
	octaves        = 192
	lowest         = -80 // the exponent of the smallest size told from 0
)

type page [cellsPerOctave]cell

type cell struct {
	n        int64
	low, top float64
}

// Add takes one number in. NaN counts as +Inf.
func (h *Histogram) Add(x float64) {
	h.n++
	switch {
	case x == 0:
		h.zero++
		return
	case math.IsInf(x, -1):
		h.below++
		return
	case x != x || math.IsInf(x, 1):
		h.above++
		return
	}
	p, c := place(x)
	if h.pages[p] == nil {
		h.pages[p] = new(page)
	}
	h.pages[p][c].add(cell{1, x, x})
}

func (c *cell) add(o cell) {
	if c.n == 0 {
		*c = o
		return
	}
	c.n += o.n
	c.low, c.top = min(c.low, o.low), max(c.top, o.top)
}

// place is the page and the cell of a number, ascending over pages and cells together.
func place(x float64) (p, c int) {
	b := math.Float64bits(x)
	octave := int(b>>52&0x7ff) - 1023 - lowest
	c = int(b >> 43 & (cellsPerOctave - 1))
	if octave < 0 {
		octave, c = 0, 0
	} else if octave >= octaves {
		octave, c = octaves-1, cellsPerOctave-1
	}
	if b>>63 == 1 {
		return octaves - 1 - octave, cellsPerOctave - 1 - c
	}
	return octaves + octave, c
}

// Merge takes in another histogram.
func (h *Histogram) Merge(o *Histogram) {
	h.n, h.zero, h.above, h.below = h.n+o.n, h.zero+o.zero, h.above+o.above, h.below+o.below
	for i, p := range o.pages {
		if p == nil {
			continue
		}
		if h.pages[i] == nil {
			h.pages[i] = new(page)
		}
		for j := range p {
			if p[j].n > 0 {
				h.pages[i][j].add(p[j])
			}
		}
	}
}

// N is how many numbers came in.
func (h *Histogram) N() int64 { return h.n }

// Quantile is the value below which a share q of the numbers lies, between the two nearest where it falls between
// them. It is infinite where the share reaches among the infinite ones, NaN of nothing.
func (h *Histogram) Quantile(q float64) float64 {
	if h.n == 0 {
		return math.NaN()
	}
	rank := min(max(q, 0), 1) * float64(h.n-1)
	first := math.Floor(rank)
	low := h.at(int64(first))
	if part := rank - first; part > 0 {
		if high := h.at(int64(first) + 1); high != low {
			return low + part*(high-low)
		}
	}
	return low
}

// at is the i-th smallest number.
func (h *Histogram) at(i int64) float64 {
	if i -= h.below; i < 0 {
		return math.Inf(-1)
	}
	for p := range h.pages {
		if p == octaves {
			if i -= h.zero; i < 0 {
				return 0
			}
		}
		if h.pages[p] == nil {
			continue
		}
		for c := range h.pages[p] {
			x := &h.pages[p][c]
			if i < x.n {
				return x.at(i)
			}
			i -= x.n
		}
	}
	return math.Inf(1)
}

func (c *cell) at(i int64) float64 {
	if c.n == 1 || c.low == c.top {
		return c.low
	}
	return c.low + (c.top-c.low)*(float64(i)/float64(c.n-1))
}
