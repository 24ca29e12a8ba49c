package gov

import (
	"bytes"
	"encoding/json"
)

// Holder is whose tokens a policy speaks for.
type Holder struct {
	Name    Label   `json:"name"`
	Account Address `json:"account"`
}

// Case is all that a direction follows from: the root of the reflect walk of G23. Findings are computed
// from its facts inside the decision.
type Case struct {
	Proposal  Proposal  `json:"proposal"`
	Facts     Facts     `json:"facts"`
	Outlook   Outlook   `json:"outlook"`
	Judgement Judgement `json:"judgement"`
	Holder    Holder    `json:"holder"`
}

// Tri is the result of a rule: true, false or unknown. The zero value is unknown.
type Tri string

// The three values.
const (
	True    Tri = "true"
	False   Tri = "false"
	Unknown Tri = "unknown"
)

// Verdict is what a policy says of a case, with how it came to it.
type Verdict struct {
	Direction Direction `json:"direction"` // D: from content facts alone
	Rule      Label     `json:"rule"`      // the rule that decided; otherwise, closed-world, or the unknown rule's name
	Because   string    `json:"because"`   // the operator's words for it
	Trace     []Trace   `json:"trace"`
	// Reasons are why the direction is Hold; empty otherwise.
	Reasons []HoldReason `json:"reasons"`
	// Policy is the sha256 of the policy's canonical text; Facts the digest of the facts.
	Policy Digest `json:"policy"`
	Facts  Digest `json:"facts"`
	// Unchecked lists required checks that this release does not have.
	Unchecked []CheckName `json:"unchecked"`
}

// Timely says whether this Hold may time out: all its reasons are known content facts.
func (v Verdict) Timely() bool {
	for _, r := range v.Reasons {
		if r != HoldByRule && r != HoldOtherwise {
			return false
		}
	}
	return v.Direction == Hold && len(v.Reasons) > 0
}

// HoldReason is why something is held: one of the words below, a [Flag], or the name of a hold_if rule.
type HoldReason string

// The words of `gate.reasons` and `vote.reason` besides flags and names of hold_if rules, and the two
// of a direction that is Hold by known content facts.
const (
	HoldByRule       HoldReason = "rule"
	HoldOtherwise    HoldReason = "otherwise"
	HoldModel        HoldReason = "model-hold"
	HoldModelMissing HoldReason = "model-missing"
	HoldNoAnswer     HoldReason = "no-answer"
	HoldTooShort     HoldReason = "too-short"
	HoldClosedWorld  HoldReason = "closed-world"
	HoldUnknown      HoldReason = "unknown"
	HoldUnavailable  HoldReason = "unavailable"
	HoldDisagreement HoldReason = "disagreement"
	HoldBudget       HoldReason = "budget"
	// HoldCritical: a For that passes over a critical finding which its rule does not name.
	HoldCritical HoldReason = "critical"
)

// Failure says whether the reason is that something could not be known: after such a hold only a person votes for.
func (r HoldReason) Failure() bool {
	return r == HoldUnknown || r == HoldUnavailable || r == HoldDisagreement
}

// Trace is how one rule came out.
type Trace struct {
	Rule   Label     `json:"rule"`
	Vote   Direction `json:"vote"`
	Result Tri       `json:"result"`
	Values Values    `json:"values"`
	Why    string    `json:"why"` // for unknown: "missing treasury.value_usd", "division by zero", …
}

// Values are the facts that a rule read, by path, in the order of the rule; a missing one is null.
type Values []NamedValue

// NamedValue is one fact: JSON of a number, boolean, enum, label or address.
type NamedValue struct {
	Name  string
	Value json.RawMessage
}

// MarshalJSON writes an object in order.
func (v Values) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, n := range v {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(n.Name)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		if n.Value == nil {
			out.WriteString("null")
			continue
		}
		out.Write(n.Value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// UnmarshalJSON reads an object, keeping its order.
func (v *Values) UnmarshalJSON(b []byte) error {
	*v = nil
	dec := json.NewDecoder(bytes.NewReader(b))
	if _, err := dec.Token(); err != nil { // {
		return err
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		var n NamedValue
		n.Name, _ = name.(string)
		if err := dec.Decode(&n.Value); err != nil {
			return err
		}
		*v = append(*v, n)
	}
	return nil
}

// HoldIf is one hold_if that stops a For; unknown counts as true.
type HoldIf struct {
	Name   Label  `json:"name"`
	Result Tri    `json:"result"`
	Why    string `json:"why"`
}

// GateResult is what the gate says of a For.
type GateResult string

// Pass lets a For through; the zero value does not.
const (
	GatePass GateResult = "pass"
	GateHold GateResult = "hold"
)

// Gated is the gate's answer: the only way in which text and context touch a vote.
type Gated struct {
	Result  GateResult   `json:"result"`
	Reasons []HoldReason `json:"reasons"`
}

// Final is the direction after the gate: Hold if D is For and the gate did not pass, else D (claim 1).
func Final(d Direction, g Gated) Direction {
	if d == For && g.Result != GatePass {
		return Hold
	}
	return d
}
