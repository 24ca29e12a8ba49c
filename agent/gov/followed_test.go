package gov_test

import (
	"math/rand/v2"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
)

// Whatever stretches are read in whatever order, the record says of each block whether it was, and the first hole is the first.
func TestG17Followed(t *testing.T) {
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(17, seed))
		var read [60]bool
		f := gov.Followed{From: rng.Uint64N(20)}
		for range rng.IntN(9) {
			from := rng.Uint64N(50)
			to := from + rng.Uint64N(10)
			for n := from; n <= to; n++ {
				read[n] = true
			}
			f = f.Join(gov.Stretch{From: from, To: gov.Block{Number: to, Hash: gov.Hash{byte(to)}}})
		}
		for n, was := range read {
			if f.Covers(uint64(n)) != was {
				t.Fatalf("seed %d: block %d: covered %v, read %v: %+v", seed, n, !was, was, f)
			}
		}
		for i, s := range f.Read {
			if s.To.Hash != (gov.Hash{byte(s.To.Number)}) || i > 0 && s.From <= f.Read[i-1].To.Number+1 {
				t.Fatalf("seed %d: stretches %+v", seed, f.Read)
			}
		}
		first := f.From
		for first < 59 && read[first] {
			first++
		}
		last := first
		for last < 59 && !read[last+1] {
			last++
		}
		if from, to, ok := f.Hole(59); !ok || from != first || to != last {
			t.Fatalf("seed %d: hole %d to %d (%v), want %d to %d: %+v", seed, from, to, ok, first, last, f)
		}
	}
}
