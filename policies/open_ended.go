package policies

import (
	"fmt"
	"sync"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/trial"
)

// probe is a proposal of the trial with the outcomes of its checks.
type probe struct {
	trial.Case
	results *checkResults
	// number: it only sets numbers, which no check has an opinion about.
	number bool
}

// probes are the proposals of the trial, which do not change.
var probes = sync.OnceValue(func() (out []probe) {
	for _, c := range trial.Cases() {
		results := resultsOf(checks.Run(c.Proposal, c.Facts))
		out = append(out, probe{c, results, results.any(requiredMask) == gov.False && !c.Good()})
	}
	return out
})

// holds reports whether an expression is true of the probe.
func (p *probe) holds(e *expression) bool {
	view := ruleViewOf(&p.Case.Case)
	result, _ := e.evaluate(newScope(ruleEnv.root, &view, &p.Facts, p.results))
	return result == gov.True
}

// guard is what a rule can add, and the expression that it is.
type guard struct {
	text string
	expr *expression
}

// The guards that lint knows, the widest first, each for one sort of harm.
var (
	guards = sync.OnceValue(func() []guard {
		return guardsOf(`only("native", "transfer") && clean_but("outflow")`, `clean()`)
	})
	bounds = sync.OnceValue(func() []guard {
		return guardsOf(`params.all(p, p.direction == "tighter" && p.change_bps >= -2500.0 && p.change_bps <= 2500.0)`)
	})
)

func guardsOf(texts ...string) (out []guard) {
	for _, text := range texts {
		e, faults := ruleEnv.compile(text, Names{})
		if len(faults) > 0 {
			panic("policies: the guard " + text + ": " + faults[0].message) // made of constants only
		}
		out = append(out, guard{text, e})
	}
	return out
}

// lintOpenEnded warns of a For that is true of proposals which do harm: it says of which, and what to add. That other
// rules, the closed world or the floor hold those very proposals today is no bound: the next one is of another kind.
func (p *parser) lintOpenEnded(at string, r *Rule) {
	if r.Vote != gov.For {
		return
	}
	key := at + ".when"
	if r.Intent != "" {
		key = at + ".within"
	}
	var kept, numbers, others []*probe
	for i := range probes() {
		one := &probes()[i]
		switch {
		case !one.holds(r.expr):
		case one.Good():
			kept = append(kept, one)
		case !one.number:
			others = append(others, one)
		case r.Intent == "": // what a judge says yes to, it has read
			numbers = append(numbers, one)
		}
	}
	if len(others) > 0 {
		p.warn(key, "this is open-ended: it is true of much that pays little and does harm, such as: "+harms(others), "add "+advice(guards(), others, kept))
	}
	if len(numbers) > 0 {
		p.warn(key, "this has no bound: it is true of numbers that do harm, such as: "+harms(numbers), "add "+advice(bounds(), numbers, kept))
	}
}

// harms says the first of some proposals, and how many more there are.
func harms(list []*probe) string {
	s := fmt.Sprintf("%s (%s)", list[0].Words, list[0].Harm)
	if n := len(list) - 1; n > 0 {
		s += fmt.Sprintf("; and of %d more that `legate policy try` lists", n)
	}
	return s
}

// advice is the first guard by which none of the harmful proposals is left, and some good one is; else the first by which
// none is left.
func advice(known []guard, harmful, kept []*probe) string {
	count := func(list []*probe, e *expression) (n int) {
		for _, p := range list {
			if p.holds(e) {
				n++
			}
		}
		return n
	}
	best := ""
	for _, g := range known {
		if count(harmful, g.expr) > 0 {
			continue
		}
		if count(kept, g.expr) > 0 {
			return g.text
		}
		if best == "" {
			best = g.text
		}
	}
	if best == "" {
		best = known[len(known)-1].text + " and an upper bound on treasury.outflow_usd"
	}
	return best
}
