package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// Reverts is D16.
var Reverts = Check{
	ID: "D16", Name: "reverts", Class: gov.ClassContent, Required: true,
	Title: "The proposal cannot be executed as it stands",
	Text: "Found when the dry run itself ran and failed, by a revert or for want of gas. A read that failed or a tally that could not be forced is not this: the check is " +
		"then not checked. It is a warning, without degrees: what cannot be executed cannot be judged by its effects, and may be made " +
		"executable later by someone else.",
	Run: runReverts,
}

func runReverts(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D16", "reverts", "Find out which action fails and why, and whether someone could make it succeed after the vote.")
	status, known := f.Effects.Status.Get()
	if known && (status == gov.EffectsReverted || status == gov.EffectsExhausted && f.Effects.OutOfGas) {
		title, evidence := "the dry run reverts", []gov.Evidence{}
		if f.Effects.OutOfGas {
			title = "the dry run runs out of gas"
		}
		if i := f.Effects.FailedAction; i >= 0 && i < len(p.Actions) {
			evidence = append(evidence, gov.Evidence{What: fmt.Sprintf("action %d fails", i), Account: p.Actions[i].To, Call: []int{i}})
		}
		r.add(gov.Warning, title, evidence...)
	}
	return r.end(acts(p, f), f.Effects.Executed(), "the dry run executes")
}
