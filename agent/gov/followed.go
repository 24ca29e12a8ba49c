package gov

import (
	"cmp"
	"slices"
)

// Stretch is a contiguous range of final blocks that were read.
type Stretch struct {
	From   uint64 `json:"from"`
	Before Hash   `json:"before"` // hash of the block under From; zero where nothing lies under it or was compared
	To     Block  `json:"to"`
}

// Followed is what was read of the chain for one governor: one that is added later has its past read after the
// others' present.
type Followed struct {
	Governor Address `json:"governor"`
	// From is the first block to read, once known, and Found says that it was found by search.
	From  uint64 `json:"from"`
	Found bool   `json:"found"`
	// Read ascends; what lies between two stretches was not read.
	Read []Stretch `json:"read"`
}

// Join adds a stretch, and makes one of those that touch.
func (f Followed) Join(s Stretch) Followed {
	list := append(slices.Clone(f.Read), s)
	slices.SortStableFunc(list, func(a, b Stretch) int { return cmp.Compare(a.From, b.From) })
	f.Read = list[:1]
	for _, next := range list[1:] {
		last := &f.Read[len(f.Read)-1]
		switch {
		case next.From > last.To.Number+1:
			f.Read = append(f.Read, next)
		case next.To.Number > last.To.Number:
			last.To = next.To
		}
	}
	return f
}

// Hole is the first range up to a block that was not read; ok is false where there is none.
func (f Followed) Hole(upTo uint64) (from, to uint64, ok bool) {
	from = f.From
	for _, s := range f.Read {
		if from < s.From {
			break
		}
		from = max(from, s.To.Number+1)
	}
	to = upTo
	for _, s := range f.Read {
		if s.From > from {
			to = min(to, s.From-1)
			break
		}
	}
	return from, to, from <= to
}

// Covers says whether a block was read.
func (f Followed) Covers(block uint64) bool {
	return slices.ContainsFunc(f.Read, func(s Stretch) bool { return s.From <= block && block <= s.To.Number })
}
