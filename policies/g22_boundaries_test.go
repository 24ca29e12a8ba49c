package policies_test

import (
	"testing"

	"github.com/legate-dao/legate/agent/gov"
)

// boundary is one point around the limits that the example policy names.
type boundary struct {
	usd, bps, minted  float64
	delay, allow, own int64
	priced            bool
}

func (b boundary) gov() gov.Case {
	return edit(grant(), func(c *gov.Case) {
		f := &c.Facts
		f.Treasury.OutflowUSD, f.Treasury.OutflowBps = gov.Known(b.usd), gov.Known(b.bps)
		f.Treasury.AllowancesOutside, f.Treasury.Allowances = gov.Known(b.allow), gov.Known(b.allow)
		f.Supply.MintedBps, f.Timelock.DelayAfter = gov.Known(b.minted), gov.Known(b.delay)
		f.Roles.Granted, f.Roles.GrantedOutside = gov.Known(b.own), gov.Known(b.own)
		if !b.priced {
			f.Treasury.ValueUSD = gov.Maybe[float64]{}
		}
	})
}

// want is the example policy written down a second time, by hand.
func (b boundary) want() gov.Direction {
	switch {
	case b.minted > 50, b.bps > 2500, b.allow > 0, b.own > 0, b.delay < 172800:
		return gov.Against
	case b.minted == 0 && b.delay == 172800 && b.usd <= 50000:
		return gov.For
	}
	return gov.Hold
}

func boundaries() (out []boundary) {
	for _, usd := range []float64{0, 1, 100, 20000, 49999.99, 50000, 50000.01, 1e6} {
		for _, bps := range []float64{0, 100, 1000, 2499.99, 2500, 2500.01, 9000} {
			for _, minted := range []float64{0, 49.99, 50, 50.01} {
				for _, priced := range []bool{true, false} {
					out = append(out, boundary{usd, bps, minted, 172800, 0, 0, priced}, boundary{usd, bps, minted, 172799, 0, 0, priced})
				}
			}
			out = append(out, boundary{usd, bps, 0, 172801, 0, 0, true}, boundary{usd, bps, 0, 172800, 1, 0, true}, boundary{usd, bps, 0, 172800, 0, 1, true})
		}
	}
	return out
}

// Both sides of every limit of the example, with every gate and readings that hold and do not.
func TestG22DirectionNoninterferenceBoundaries(t *testing.T) {
	set := read(t, "../policies.example.yaml")
	texts := []gov.Reading{{}}
	for i, r := range readings() {
		if i%67 == 0 {
			texts = append(texts, r)
		}
	}
	n, seen := 0, map[gov.Direction]int{}
	for _, b := range boundaries() {
		c := b.gov()
		d := set.Decide(c).Direction
		seen[d]++
		if d != b.want() {
			t.Errorf("%+v is %s, want %s\n%s", b, d, b.want(), trace(set.Decide(c)))
		}
		for _, ctx := range contexts() {
			for _, r := range texts {
				passes := len(set.Holds(c, ctx, r)) == 0
				for _, g := range []gov.GateResult{gov.GatePass, gov.GateHold, "", "malformed"} {
					n++
					if !passes && g == gov.GatePass {
						g = gov.GateHold
					}
					final := gov.Final(d, gov.Gated{Result: g})
					if final != d && (d != gov.For || final != gov.Hold) || d == gov.For && final == gov.For && g != gov.GatePass {
						t.Fatalf("%+v: D %s, gate %q, final %s", b, d, g, final)
					}
				}
			}
		}
	}
	if seen[gov.For] < 50 || seen[gov.Against] < 50 {
		t.Errorf("too few fixtures: %v", seen)
	}
	t.Logf("n=%d, fixtures by direction %v", n, seen)
}
