package policies

import (
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// Set is a policies.yaml that was read without an error. It is immutable and safe for concurrent use.
type Set struct {
	holders   []Holder
	policies  map[gov.Label]*Policy
	emergency []EmergencyRule
	digest    gov.Digest
}

// Holder is whose tokens a policy speaks for, and where.
type Holder struct {
	gov.Holder
	Chain     gov.ChainID
	Governors []gov.Label
	Policy    gov.Label
}

// Policy is what one holder wants, with the timing and limits of its file.
type Policy struct {
	Name      gov.Label
	Otherwise gov.Direction // never For
	Rules     []Rule
	HoldIf    []HoldRule
	OnTimeout Timeout
	Timing    Timing
	Limits    Limits
	// Digest is the sha256 of the policy's canonical text: the JSON of its rules, expressions as written,
	// hold_if, otherwise, on_timeout, timing and limits, in this order. Comments, layout and the policy's
	// name do not change it.
	Digest gov.Digest
}

// Rule is one rule of a policy.
type Rule struct {
	Name    gov.Label
	Vote    gov.Direction
	When    string // CEL; `within` for a rule with an intent
	Intent  string // the operator's clause, empty for a rule with `when`
	Clause  gov.Hash
	Because string
	// Despite are the checks whose critical findings this For is meant to pass over; others hold it.
	Despite []gov.CheckName
	// Wait is how long a decision by this rule waits; that of the timing where the rule has none.
	Wait time.Duration
	expr *expression
}

// HoldRule is one hold_if.
type HoldRule struct {
	Name gov.Label
	When string
	expr *expression
}

// Timeout is what a hold becomes that nobody answered.
type Timeout string

// What on_timeout may say. Abstain and Against are cast only where all reasons of the hold are known
// content facts.
const (
	TimeoutNoVote  Timeout = "no_vote"
	TimeoutAbstain Timeout = "abstain"
	TimeoutAgainst Timeout = "against"
)

// Direction is the vote on a time-out; ok is false for no vote.
func (t Timeout) Direction() (d gov.Direction, ok bool) {
	switch t {
	case TimeoutAbstain:
		return gov.Abstain, true
	case TimeoutAgainst:
		return gov.Against, true
	}
	return gov.Hold, false
}

// Timing is when a decision is cast, in chain time.
type Timing struct {
	Wait   time.Duration // from the first decision with this direction
	Latest time.Duration // before the current deadline
	// VoteIfTooShort: where the window is shorter than wait and latest together, a For or Abstain is cast
	// at once instead of held.
	VoteIfTooShort bool
}

// Limits are per governor; half of each is kept for Against.
type Limits struct {
	FeePerVote  gov.Amount // wei
	FeePerDay   gov.Amount // wei
	VotesPerDay int
}

// EmergencyRule is one emergency rule. Who watches it keeps the clock of For.
type EmergencyRule struct {
	Name     gov.Label
	When     string
	For      time.Duration // how long the expression must be true
	Do       gov.AlarmAction
	Severity gov.Severity
	expr     *expression
}

// Holders lists the holders in the order of the file.
func (s *Set) Holders() []Holder { return append([]Holder(nil), s.holders...) }

// HoldersOf lists the holders who vote at a governor.
func (s *Set) HoldersOf(governor gov.Label) (out []Holder) {
	for _, h := range s.holders {
		for _, g := range h.Governors {
			if g == governor {
				out = append(out, h)
				break
			}
		}
	}
	return out
}

// Policy is the policy of a holder; ok is false for a holder that the file does not name.
func (s *Set) Policy(holder gov.Label) (p *Policy, ok bool) {
	for _, h := range s.holders {
		if h.Name == holder {
			return s.policies[h.Policy], true
		}
	}
	return nil, false
}

// Policies lists all policies by name.
func (s *Set) Policies() []*Policy {
	out := make([]*Policy, 0, len(s.policies))
	for _, name := range sortedKeys(s.policies) {
		out = append(out, s.policies[name])
	}
	return out
}

// EmergencyRules lists the emergency rules in the order of the file.
func (s *Set) EmergencyRules() []EmergencyRule { return append([]EmergencyRule(nil), s.emergency...) }

// Digest is the sha256 of the canonical JSON of the whole file.
func (s *Set) Digest() gov.Digest { return s.digest }

// ReadsOutlook says whether a rule or a hold_if reads the outlook: only then it has to be computed.
func (p *Policy) ReadsOutlook() bool {
	return slices.ContainsFunc(p.expressions(), func(e *expression) bool { return e.mentions("outlook") })
}

// ReadsForecast says whether a hold_if reads the forecast of the vote: only then the gate waits for one.
func (p *Policy) ReadsForecast() bool {
	return slices.ContainsFunc(p.HoldIf, func(h HoldRule) bool { return h.expr.mentionsField("context", "forecast") })
}

// expressions are those of the rules and of hold_if.
func (p *Policy) expressions() (out []*expression) {
	for _, r := range p.Rules {
		out = append(out, r.expr)
	}
	for _, h := range p.HoldIf {
		out = append(out, h.expr)
	}
	return out
}

// Rule is the rule of that name; ok is false when there is none.
func (p *Policy) Rule(name gov.Label) (r Rule, ok bool) {
	for _, one := range p.Rules {
		if one.Name == name {
			return one, true
		}
	}
	return Rule{}, false
}
