// Package policies reads a holder's policies.yaml and says what it makes of a proposal: For, Against,
// Abstain or Hold, with the trace of every rule. It does no I/O, reads no clock and never sees text that
// another party wrote.
//
// Every rule is true, false or unknown. A missing fact, an error, a result that is not finite and the
// cost limit make a rule unknown, and unknown is never false: (1) any Against true decides; (2) else an
// Against or Hold rule that is not false holds; (3) of the For and Abstain rules that are not false the
// first true one decides, unless an unknown one with another vote stands before it; (4) only when all
// rules are false does the policy's `otherwise` speak. A For is refused unless the closed world of
// [Set.Decide] admits it, whatever the rule says.
//
// Expressions are CEL over the facts of package gov, found by their `fact` tags: a fact that is tagged
// there can be read here, and one that is missing is a CEL unknown. There are three environments (rules,
// hold_if, emergency); what is not in scope does not compile.
//
//	set, problems := policies.Parse("policies.yaml", text)
//	if err := problems.Err(); err != nil { … }
//	verdict := set.Decide(gov.Case{Holder: gov.Holder{Name: "alice"}, Proposal: p, Facts: f})
package policies
