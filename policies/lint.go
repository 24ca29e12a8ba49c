package policies

import (
	"fmt"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// shortWait is the least time in which a person who is told at night can still stop a vote in the morning.
const shortWait = time.Hour

// lintPolicy warns of what is allowed and probably not meant.
func (p *parser) lintPolicy(path string, out *Policy) {
	if len(out.HoldIf) == 0 {
		p.warn(path, "hold_if is missing: no text, however strange, holds a For of this policy", "hold_if: [{name: contradicts, when: brief.contradicts}]")
	}
	switch out.Otherwise {
	case gov.Against:
		p.warn(path+".otherwise", "otherwise: against votes against everything that no rule foresaw", "hold asks a person instead")
	case gov.Abstain:
		p.warn(path+".otherwise", abstainWarning, "")
	}
	for i := range out.Rules {
		r := &out.Rules[i]
		at := fmt.Sprintf("%s.rules[%d]", path, i)
		p.rule = string(r.Name)
		if r.Vote == gov.Abstain {
			p.warn(at+".vote", abstainWarning, "")
		}
		if r.Intent != "" {
			p.warn(at+".intent", "no judge is in this release: inside `within` this rule is unknown, which may hold what other rules leave open", "")
		}
		if r.Wait < shortWait && p.doc.Has(at+".wait") && (r.Vote == gov.For || r.Vote == gov.Abstain) {
			p.warn(at+".wait", "a wait under an hour leaves a person no time to stop the vote", "")
		}
		if r.expr != nil {
			p.lintConstant(at, r)
			p.lintOpenEnded(at, r)
		}
	}
	p.rule = ""
}

const abstainWarning = "an abstention counts for quorum on most governors (OpenZeppelin's default, Compound's Bravo): it can help a proposal pass"

// lintConstant warns of a rule whose result no fact can change.
func (p *parser) lintConstant(at string, r *Rule) {
	key := at + ".when"
	if r.Intent != "" {
		key = at + ".within"
	}
	switch result, _ := r.expr.evaluate(nothingKnown()); {
	case result == gov.False || neverHolds(r.expr):
		p.warn(key, "this can never be true", "")
	case result == gov.True:
		p.warn(key, "this is always true", "")
	}
}

// nothingKnown is a scope in which every fact is missing.
func nothingKnown() *scope {
	s := newScope(ruleEnv.root, &ruleView{}, &gov.Facts{}, &checkResults{unknown: ^uint64(0)})
	for i := range s.root.vals {
		f := &s.root.typ.fields[i]
		if f.object == nil || f.list || f.name == "proposal" {
			s.root.vals[i] = missing(f.name)
		}
	}
	return s
}

func (p *parser) lintTiming() {
	t := timingOf(p.file.Timing)
	if t.Wait < shortWait {
		p.warn("$.timing.wait", "a wait under an hour leaves a person no time to stop a vote", "")
	}
}
