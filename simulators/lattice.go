package simulators

// Cells is how many cells the exact distributions have on each side of zero. Splitting a weight over two cells keeps
// means; the probabilities are then right to about 1e-5.
const Cells = 4096

// latticeError is what an exact probability is said to be right to.
const latticeError = 1e-4

// leadChance is the probability that for exceeds against by more than the rule's lead, without sampling: given a node
// the lead is a sum of independent three-point variables, convolved on a lattice.
func (e Electorate) leadChance(cells int) float64 {
	steps := func(v Voter, n Node) (up, down float64) {
		up, down, _ = v.chances(n)
		return up, down
	}
	base := e.Cast.For - e.Cast.Against
	return e.latticeChance(cells, steps, e.Rule.Lead-base, false)
}

// quorumChance is the probability that the counted votes reach the quorum, without sampling.
func (e Electorate) quorumChance(cells int) float64 {
	steps := func(v Voter, n Node) (up, down float64) {
		yes, no, abstain := v.chances(n)
		return e.Rule.counted(Counts{yes, no, abstain}), 0
	}
	return e.latticeChance(cells, steps, e.Rule.Quorum-e.Rule.counted(e.Cast), true)
}

// latticeChance is the probability that the voters' sum exceeds a level, or reaches it. What lies in the cell of the
// level is taken by the share of the cell beyond it; that nobody moves at all is known exactly.
func (e Electorate) latticeChance(cells int, steps func(Voter, Node) (up, down float64), level float64, reaches bool) float64 {
	total := 0.0
	for _, v := range e.Voters {
		total += v.Weight
	}
	holds := func(sum float64) bool { return sum > level || reaches && sum == level }
	if total == 0 {
		if holds(0) {
			return 1
		}
		return 0
	}
	switch {
	case level >= total && !(reaches && level == total):
		return 0
	case level < -total:
		return 1
	}
	if len(e.Voters) <= fewVoters {
		return e.enumerate(steps, holds)
	}
	l := newLattice(cells, len(e.Voters))
	chance := 0.0
	for _, n := range e.Nodes {
		l.reset()
		none := 1.0
		for _, v := range e.Voters {
			up, down := steps(v, n)
			l.add(v.Weight/total*float64(cells), up, down)
			none *= 1 - up - down
		}
		p := l.beyond(level / total * float64(cells))
		// The atom of nobody moving lies in the middle cell: put it where it belongs.
		p -= none * cellShare(0, level/total*float64(cells))
		if holds(0) {
			p += none
		}
		chance += n.Weight * p
	}
	return min(max(chance, 0), 1)
}

// fewVoters is up to how many voters all outcomes are gone through: single outcomes matter then, and a lattice smears
// them over a cell.
const fewVoters = 8

func (e Electorate) enumerate(steps func(Voter, Node) (up, down float64), holds func(sum float64) bool) (chance float64) {
	var walk func(n Node, voters []Voter, sum, p float64)
	walk = func(n Node, voters []Voter, sum, p float64) {
		switch {
		case p == 0:
			return
		case len(voters) == 0:
			if holds(sum) {
				chance += p
			}
			return
		}
		v := voters[0]
		up, down := steps(v, n)
		walk(n, voters[1:], sum+v.Weight, p*up)
		walk(n, voters[1:], sum-v.Weight, p*down)
		walk(n, voters[1:], sum, p*(1-up-down))
	}
	for _, n := range e.Nodes {
		walk(n, e.Voters, 0, n.Weight)
	}
	return min(max(chance, 0), 1)
}

// lattice is a distribution over whole cells around a middle one.
type lattice struct {
	n         int // the middle cell
	p, q      []float64
	low, high int // the cells that hold anything
}

// newLattice has room for all voters' weights, which are n cells, and the cell that each of them may spill into.
func newLattice(n, voters int) *lattice {
	size := 2*(n+voters) + 3
	return &lattice{n: n + voters + 1, p: make([]float64, size), q: make([]float64, size)}
}

func (l *lattice) middle() int { return l.n }

func (l *lattice) reset() {
	l.low, l.high = l.middle(), l.middle()
	l.p[l.middle()] = 1
}

// add convolves with one voter: up by size cells with one chance, down with another, else nothing. A size between two
// cells is split over both so that its mean is kept.
func (l *lattice) add(size, up, down float64) {
	if size == 0 || up == 0 && down == 0 {
		return
	}
	cell := int(size)
	part := size - float64(cell)
	low, high := l.low, l.high
	stay := 1 - up - down
	clear(l.q[low-cell-1 : high+cell+2])
	p, q := l.p[low:high+1], l.q
	for i, x := range p {
		q[low+i] = stay * x
	}
	if up > 0 {
		shift(q, p, low+cell, up*(1-part))
		if part > 0 {
			shift(q, p, low+cell+1, up*part)
		}
		l.high = high + cell + 1
	}
	if down > 0 {
		shift(q, p, low-cell, down*(1-part))
		if part > 0 {
			shift(q, p, low-cell-1, down*part)
		}
		l.low = low - cell - 1
	}
	l.p, l.q = l.q, l.p
}

// shift adds c·p to q from a cell on.
func shift(q, p []float64, from int, c float64) {
	out := q[from : from+len(p)]
	for i, x := range p {
		out[i] += c * x
	}
}

// beyond is the probability above a level, in cells.
func (l *lattice) beyond(level float64) (sum float64) {
	for i := l.low; i <= l.high; i++ {
		sum += l.p[i] * cellShare(i-l.middle(), level)
	}
	return sum
}

// cellShare is how much of a cell lies above a level.
func cellShare(cell int, level float64) float64 {
	return min(max(float64(cell)+0.5-level, 0), 1)
}
