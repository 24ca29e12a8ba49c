package policies

import (
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/trial"
)

// Tried is what a policy makes of one proposal of the trial.
type Tried struct {
	trial.Case
	Verdict gov.Verdict
}

// ForHarm reports whether the policy votes for what does harm.
func (t Tried) ForHarm() bool { return t.Verdict.Direction == gov.For && !t.Good() }

// Try shows a policy every proposal of the trial, as if it stood at a governor of that name. It is pure.
func (p *Policy) Try(governor gov.Label) []Tried {
	cases := trial.Cases()
	out := make([]Tried, len(cases))
	for i, c := range cases {
		c.Proposal.Name = governor
		out[i] = Tried{c, p.Decide(Weigh(c.Case))}
	}
	return out
}
