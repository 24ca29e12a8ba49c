package rpc

import "sync"

const (
	firstPatience = 4   // full answers at a known limit before a wider range is tried again
	lastPatience  = 256 // the same, once the limit has held for long
	quickGrowth   = 16  // blocks; below this a range doubles with each answer
)

// span is what one endpoint is known to give in one log request, learnt from its answers. It shrinks at once, where
// a narrower request was answered after a refused one, and grows back slowly: the limit may have been of that place
// in the chain or of that hour. The zero value knows of no limit.
type span struct {
	mu       sync.Mutex
	width    uint64 // of the next request, in blocks; 0: no limit
	good     uint64 // the last one that was answered in full
	ceiling  uint64 // the narrowest width known to be refused, above width
	firm     uint64 // ceiling before a wider one was tried; 0: none is being tried
	steady   int    // full answers in a row that could not widen the range
	patience int    // of steady
}

// of is how many of some blocks to ask for at once.
func (s *span) of(blocks uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.width == 0 {
		return blocks
	}
	return min(blocks, s.width)
}

// below is what to ask for after a width was refused: what was answered last where that is near, else a guess.
func (s *span) below(refused, guess uint64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.good < refused && s.good >= refused/2 && s.good > 0 {
		return s.good
	}
	return guess
}

// shrink notes that a width was refused where a narrower one is, or may be, answered.
func (s *span) shrink(refused, narrower uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.patience == 0 {
		s.patience = firstPatience
	}
	if s.ceiling = refused; s.firm > 0 && refused >= s.firm {
		// A wider range was tried in vain: the limit holds, and is believed for longer.
		s.ceiling, s.patience = s.firm, min(2*s.patience, lastPatience)
	}
	if s.good >= refused {
		s.good = 0
	}
	s.width, s.firm, s.steady = max(narrower, 1), 0, 0
}

// answered notes an answer to a request of some width. A narrower request than the endpoint would get says nothing.
func (s *span) answered(width uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.width == 0 || width < s.width {
		return
	}
	s.good = width
	if s.ceiling <= width { // what was refused once is given now
		s.ceiling = 2*width + 1
	}
	if s.firm > 0 && width >= s.firm {
		s.firm, s.patience = 0, firstPatience // the limit was not firm
	}
	step := max(width/8+1, min(width, quickGrowth))
	if grow := min(step, (s.ceiling-width)/2); grow > 0 {
		s.width = width + grow
		return
	}
	s.width = width
	if s.steady++; s.steady >= s.patience {
		s.steady, s.firm, s.ceiling = 0, s.ceiling, 2*s.ceiling
	}
}
