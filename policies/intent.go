package policies

import (
	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
)

// capChecks found nothing wherever a model's answer counts: no policy widens these caps.
var capChecks = []string{"upgrade", "roles", "timelock", "governor", "delegatecall", "target-code"}

// judge lets the answer to the rule's clause count, inside `within` and the caps only. What is not a yes is
// unknown: a model chooses between For and Hold, nothing else. Outside the caps the rule is false by facts
// alone.
func (r *Rule) judge(e *Evidence, t *gov.Trace) {
	caps := not(e.results.any(maskOf(capChecks, checkNames())))
	_, outflowKnown := e.Case.Facts.Treasury.OutflowUSD.Get()
	switch {
	case caps == gov.False:
		t.Result, t.Why = gov.False, "a check found something that no model may overrule"
	case t.Result == gov.Unknown:
	case caps == gov.Unknown:
		t.Result, t.Why = gov.Unknown, "missing "+checkText(cleanCall, maskOf(capChecks, checkNames()))
	case !outflowKnown || !e.Case.Facts.Effects.Executed():
		t.Result, t.Why = gov.Unknown, "missing treasury.outflow_usd"
	default:
		t.Result, t.Why = answerOf(e.Case.Judgement, r.Clause)
	}
}

// answerOf is the judge's answer to a clause: true for yes, else unknown. Of two answers neither counts.
func answerOf(j gov.Judgement, clause gov.Hash) (gov.Tri, string) {
	var answer gov.Answer
	n := 0
	for _, a := range j.Answers {
		if a.Clause == clause {
			answer = a.Answer
			n++
		}
	}
	switch {
	case n == 0:
		return gov.Unknown, "no judge answered"
	case n > 1:
		return gov.Unknown, "the judge answered twice"
	case answer == gov.AnswerYes:
		return gov.True, ""
	}
	return gov.Unknown, "the judge did not say yes"
}

// Intents lists the clauses that a case needs an answer to, for whoever asks the judge: those of rules whose
// `within` and caps are true.
func (p *Policy) Intents(e *Evidence) (out []Rule) {
	for i := range p.Rules {
		r := &p.Rules[i]
		if r.Intent == "" {
			continue
		}
		within, _ := r.expr.evaluate(e.scope)
		undisputed := e.results.any(maskOf(capChecks, checkNames())) == gov.False
		if within == gov.True && undisputed && checks.StatusOf("outflow", e.Findings) != gov.NotChecked {
			out = append(out, *r)
		}
	}
	return out
}
