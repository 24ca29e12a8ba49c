package policies_test

import (
	"crypto/sha256"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/gov"
)

func clause(text string) gov.Hash { return sha256.Sum256([]byte(text)) }

// nested is a random tree of calls, all known, with its number of leaves.
func nested(r *rand.Rand, depth int, leaves *int) gov.Call {
	c := transfer(addr(byte(r.IntN(200))), r.Uint64N(1000))
	c.To = addr(byte(r.IntN(200)))
	if depth > 0 && r.IntN(3) > 0 {
		c.Kind = gov.KindCall
		for range 1 + r.IntN(2) {
			c.Children = append(c.Children, nested(r, depth-1, leaves))
		}
		return c
	}
	*leaves++
	return c
}

// spoil makes the n-th leaf unknown in one of the ways in which a call can fail to be known.
func spoil(r *rand.Rand, calls []gov.Call, n *int) {
	for i := range calls {
		c := &calls[i]
		if len(c.Children) > 0 {
			spoil(r, c.Children, n)
			continue
		}
		if *n == 0 {
			switch r.IntN(4) {
			case 0:
				c.Known = false
			case 1:
				c.Known, c.Kind = false, gov.KindUnknown
			case 2:
				c.Kind = gov.KindUnknown
			default:
				c.Known, c.Selector = false, &gov.Selector{byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))}
			}
		}
		*n--
	}
}

// Never For with an unknown leaf, however deep it is and whatever the policy says.
func TestG37ClosedWorld(t *testing.T) {
	always := parse(t, file("for", "true"))
	n, admitted := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		set := always
		if rapid.IntRange(0, 4).Draw(t, "random policy") == 0 {
			set = parsed(t, drawPolicy(t))
		}
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for i := range 1000 {
			leaves := 0
			calls := make([]gov.Call, 1+r.IntN(2))
			for j := range calls {
				calls[j] = nested(r, r.IntN(5), &leaves)
			}
			c := grant()
			c.Facts.Calls = gov.Known(calls)
			c.Facts.Targets.Code = gov.Known([]gov.TargetCode{})
			c.Facts.Finish()
			if i%20 == 0 && set.Decide(c).Direction == gov.For {
				admitted++
			}
			at := r.IntN(leaves)
			spoil(r, calls, &at)
			if r.IntN(2) == 0 { // a count that lies must not help
				c.Facts.Finish()
			}
			n++
			if v := set.Decide(c); v.Direction == gov.For {
				t.Fatalf("For by %s with an unknown leaf among %+v", v.Rule, calls)
			}
		}
	})
	if admitted == 0 {
		t.Error("no tree of known calls was voted for: the trial is empty")
	}
	t.Logf("n=%d trees with an unknown leaf; of 1 in 20 the known twin was decided too, %d For", n, admitted)
}

// What else keeps a For from being cast, one part at a time, under a rule that is always true.
func TestG37ClosedWorldParts(t *testing.T) {
	set := parse(t, file("for", "true"))
	if v := set.Decide(grant()); v.Direction != gov.For {
		t.Fatalf("the grant itself is %s: %s", v.Direction, v.Because)
	}
	for name, spoil := range map[string]func(*gov.Case){
		"draft":              func(c *gov.Case) { c.Proposal.Draft = true },
		"reverted":           func(c *gov.Case) { c.Facts.Effects.Status = gov.Known(gov.EffectsReverted) },
		"unavailable":        func(c *gov.Case) { c.Facts.Effects.Status = gov.Known(gov.EffectsUnavailable) },
		"no status":          func(c *gov.Case) { c.Facts.Effects.Status = gov.Maybe[gov.EffectsStatus]{} },
		"direct mode":        func(c *gov.Case) { c.Facts.Effects.Mode = gov.ModeDirect },
		"no mode":            func(c *gov.Case) { c.Facts.Effects.Mode = "" },
		"calls missing":      func(c *gov.Case) { c.Facts.Calls = gov.Maybe[[]gov.Call]{} },
		"D1 not checked":     func(c *gov.Case) { c.Facts.Upgrades = gov.Maybe[[]gov.Change]{} },
		"D2 not checked":     func(c *gov.Case) { c.Facts.Roles.Revoked = gov.Maybe[int64]{} },
		"D3 not checked":     func(c *gov.Case) { c.Facts.Timelock.DelayAfter = gov.Maybe[int64]{} },
		"D4 not checked":     func(c *gov.Case) { c.Facts.Governor.Period.After = gov.Maybe[int64]{} },
		"D7 not checked":     func(c *gov.Case) { c.Facts.Targets = gov.Targets{} },
		"D12 not checked":    func(c *gov.Case) { c.Facts.Supply.CapRaised = gov.Maybe[bool]{} },
		"everything at zero": func(c *gov.Case) { c.Facts = gov.Facts{} },
	} {
		c := grant()
		spoil(&c)
		if v := set.Decide(c); v.Direction != gov.Hold || v.Rule != "closed-world" || v.Timely() {
			t.Errorf("%s: %s by %s %v", name, v.Direction, v.Rule, v.Reasons)
		}
	}
}
