package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
)

// Evidence is a case prepared for decisions: its findings, its digest and what expressions see. Many
// policies can decide on one, one after the other; it is not safe for concurrent use.
type Evidence struct {
	Case     gov.Case
	Findings []gov.Finding
	Digest   gov.Digest // of the facts
	scope    *scope
	results  *checkResults
}

// Weigh computes the findings of a case and prepares it.
func Weigh(c gov.Case) *Evidence {
	e := prepare(c)
	// Facts hold no value that JSON cannot write except numbers that are not finite; then there is no digest,
	// and without a digest nothing is signed.
	if digest, err := c.Facts.Digest(); err == nil {
		e.Digest = digest
	}
	return e
}

// prepare is Weigh without the digest.
func prepare(c gov.Case) *Evidence {
	e := &Evidence{Case: c, Findings: checks.Run(c.Proposal, c.Facts)}
	e.results = resultsOf(e.Findings)
	view := ruleViewOf(&e.Case)
	e.scope = newScope(ruleEnv.root, &view, &e.Case.Facts, e.results)
	return e
}

// Decide says what the holder's policy makes of the case: D of the guarantees. It is total and pure. A
// holder whom the set does not know has no policy: Hold.
func (s *Set) Decide(c gov.Case) gov.Verdict { return s.DecideOn(Weigh(c), c.Holder.Name) }

// DecideOn is Decide for one holder on a case that was weighed before.
func (s *Set) DecideOn(e *Evidence, holder gov.Label) gov.Verdict {
	v := gov.Verdict{Facts: e.Digest, Trace: []gov.Trace{}, Reasons: []gov.HoldReason{}, Unchecked: slices.Clone(checks.Unchecked)}
	p, ok := s.Policy(holder)
	if !ok {
		v.Rule, v.Reasons = "otherwise", []gov.HoldReason{gov.HoldUnknown}
		v.Because = fmt.Sprintf("there is no policy for the holder %q", holder)
		return v
	}
	return p.decide(e, v)
}

// Decide is the decision of this policy, whoever holds it.
func (p *Policy) Decide(e *Evidence) gov.Verdict {
	return p.decide(e, gov.Verdict{Facts: e.Digest, Trace: []gov.Trace{}, Reasons: []gov.HoldReason{}, Unchecked: slices.Clone(checks.Unchecked)})
}

func (p *Policy) decide(e *Evidence, v gov.Verdict) gov.Verdict {
	v.Policy = p.Digest
	v.Trace = make([]gov.Trace, len(p.Rules))
	for i := range p.Rules {
		v.Trace[i] = p.Rules[i].trace(e)
	}
	p.combine(e, &v)
	return v
}

// trace evaluates one rule.
func (r *Rule) trace(e *Evidence) gov.Trace {
	t := gov.Trace{Rule: r.Name, Vote: r.Vote}
	t.Result, t.Why = r.expr.evaluate(e.scope)
	t.Values = r.expr.values(e.scope)
	if r.Intent != "" && t.Result != gov.False {
		r.judge(e, &t)
	}
	return t
}

// combine is the four rules of three values (GUARANTEES, "Three values, deny overrides").
func (p *Policy) combine(e *Evidence, v *gov.Verdict) {
	first := func(result gov.Tri, votes ...gov.Direction) int {
		return slices.IndexFunc(v.Trace, func(t gov.Trace) bool { return t.Result == result && slices.Contains(votes, t.Vote) })
	}
	// (1) Any Against that is true.
	if i := first(gov.True, gov.Against); i >= 0 {
		p.by(v, i, gov.Against)
		return
	}
	// (2) An Against or Hold that is not false.
	held, unknown := first(gov.True, gov.Hold), first(gov.Unknown, gov.Against, gov.Hold)
	if held >= 0 || unknown >= 0 {
		at := held
		if held >= 0 {
			v.Reasons = append(v.Reasons, gov.HoldByRule)
		} else {
			at = unknown
		}
		p.by(v, at, gov.Hold)
		if unknown >= 0 {
			v.Reasons = append(v.Reasons, e.unknownReasons()...)
		}
		return
	}
	// (3) The For and Abstain rules that are not false.
	at, blocked := first(gov.True, gov.For, gov.Abstain), -1
	for i, t := range v.Trace {
		if t.Result == gov.Unknown && (at < 0 || i < at && t.Vote != v.Trace[at].Vote) {
			blocked = i
			break
		}
	}
	switch {
	case blocked >= 0:
		p.by(v, blocked, gov.Hold)
		v.Reasons = append(v.Reasons, e.unknownReasons()...)
	case at >= 0:
		p.by(v, at, v.Trace[at].Vote)
		if v.Direction == gov.For {
			p.closeWorld(e, v)
		}
		if v.Direction == gov.For {
			p.floor(e, v, p.Rules[at].Despite)
		}
	default:
		// (4) All rules are false.
		v.Direction, v.Rule, v.Because = p.Otherwise, "otherwise", "no rule applies"
		if v.Direction == gov.For { // cannot be written in a file
			v.Direction = gov.Hold
		}
		if v.Direction == gov.Hold {
			v.Reasons = append(v.Reasons, gov.HoldOtherwise)
		}
	}
}

// by sets the direction and the rule that gave it.
func (p *Policy) by(v *gov.Verdict, i int, d gov.Direction) {
	v.Direction, v.Rule, v.Because = d, v.Trace[i].Rule, p.Rules[i].Because
	if v.Trace[i].Result == gov.Unknown {
		v.Because = fmt.Sprintf("%s could not be decided: %s", v.Trace[i].Rule, v.Trace[i].Why)
	}
}

// closeWorld turns a For into a Hold unless everything that a For needs is known.
func (p *Policy) closeWorld(e *Evidence, v *gov.Verdict) {
	open := OpenWorld(e.Case, e.Findings)
	if len(open) == 0 {
		return
	}
	rule := v.Rule
	v.Direction, v.Rule = gov.Hold, "closed-world"
	v.Because = fmt.Sprintf("%s would vote for, but %s", rule, strings.Join(open, "; "))
	v.Reasons = append([]gov.HoldReason{gov.HoldClosedWorld}, e.unavailableReasons()...)
}

// floor is the rule of a verdict that holds a For over a critical finding.
const floor = "floor"

// floor turns a For into a Hold where a check found something critical that the rule does not name: "pays less than X" is
// true of everything that pays nothing, whatever else it does (G50).
func (p *Policy) floor(e *Evidence, v *gov.Verdict, despite []gov.CheckName) {
	var over, named []string
	for _, f := range e.Findings {
		if f.Class != gov.ClassContent || f.Status != gov.Found || f.Severity != gov.Critical {
			continue
		}
		to := &over
		if slices.Contains(despite, f.Name) {
			to = &named
		}
		if !slices.Contains(*to, string(f.Name)) {
			*to = append(*to, string(f.Name))
		}
	}
	if len(over) == 0 {
		if len(named) > 0 { // whoever reads why it votes for reads this too
			v.Because = strings.TrimPrefix(fmt.Sprintf("%s, despite critical findings of %s", strings.TrimRight(v.Because, ". "), strings.Join(named, ", ")), ", ")
		}
		return
	}
	rule := v.Rule
	v.Direction, v.Rule = gov.Hold, floor
	v.Because = fmt.Sprintf("%s would vote for, over critical findings of %s; a rule that means that names them under despite", rule, strings.Join(over, ", "))
	v.Reasons = append(v.Reasons, gov.HoldCritical)
}

// unknownReasons are why something is unknown.
func (e *Evidence) unknownReasons() []gov.HoldReason {
	return append([]gov.HoldReason{gov.HoldUnknown}, e.unavailableReasons()...)
}

func (e *Evidence) unavailableReasons() (out []gov.HoldReason) {
	switch e.Case.Facts.Effects.Status.Or(gov.EffectsUnavailable) {
	case gov.EffectsExecuted, gov.EffectsReverted, gov.EffectsExhausted: // facts, the same on every node
		if doubtfulDAO(e.Case.Facts) {
			out = append(out, gov.HoldUnavailable)
		}
	default:
		out = append(out, gov.HoldUnavailable)
	}
	if slices.ContainsFunc(e.Case.Facts.Unavailable, func(m gov.Missing) bool { return m.Reason == gov.Disagreement }) {
		out = append(out, gov.HoldDisagreement)
	}
	return out
}
