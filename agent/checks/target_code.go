package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// TargetCode is D7.
var TargetCode = Check{
	ID: "D7", Name: "target-code", Class: gov.ClassContent, Required: true,
	Title: "The code of a target that is not known deserves a look",
	Text: "Found when a target that is neither the DAO's own nor known has no code, was deployed less than 30 days before (by block time), can destroy itself, " +
		"delegates to other code, came from a CREATE2 factory, or is an account that delegates by EIP-7702. Delegating and codeless targets are info: " +
		"proxies and plain accounts are common. Fresh code, SELFDESTRUCT, CREATE2 and EIP-7702 are warnings: 30 days is longer than most " +
		"votes with their timelock, so fresher code was probably written for this proposal, and the others let code change after the vote. " +
		"SELFDESTRUCT together with CREATE2 is critical: other code can then stand at the same address at execution. Of known targets it does not speak. " +
		"Looked at: the target's own code at the facts' block, opcode by opcode (SELFDESTRUCT and DELEGATECALL anywhere in it, reached or not), its EIP-7702 designator, " +
		"and whether the same code stood there 30 days before. Not looked at: the code of what it delegates to or creates, and where it came from. " +
		"Neither code nor state says whether a factory made it by CREATE2, and ordinary nodes keep no trace of a deployment; so where nothing else is found in a " +
		"target with code, the status is not_checked, never clean, unless the facts say how it was created.",
	Run: runTargetCode,
}

func runTargetCode(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D7", "target-code", "Read the target's verified source; put it into the book with its code hash once it is trusted.")
	targets, complete := f.Targets.Code.Get()
	listed := complete
	if !listed {
		// Without the list the calls still say whether there is anybody to speak of, and the counts what they hold.
		complete = f.Targets.Fresh.IsKnown() && noStrangers(f)
	}
	paidOnly := recipients(f)
	subjects := 0
	var unseen []gov.Address // whose origin alone was not looked at
	aged := complete
	for _, t := range targets {
		if t.Known || f.DAO.Own(t.Address) || paidOnly[t.Address] {
			continue
		}
		subjects++
		fresh, freshKnown := t.Fresh.Get()
		create2, create2Known := t.Create2.Get()
		complete = complete && (t.Size == 0 || freshKnown && create2Known)
		if t.Size > 0 && !freshKnown {
			aged = false
		} else if t.Size > 0 && !create2Known {
			unseen = append(unseen, t.Address)
		}
		for _, trait := range []struct {
			has      bool
			severity gov.Severity
			what     string
		}{
			{t.Size == 0, gov.Info, "has no code"},
			{freshKnown && fresh, gov.Warning, "was deployed less than 30 days before"},
			{t.SelfDestruct && create2Known && create2, gov.Critical, "can destroy itself and came from a CREATE2 factory"},
			{t.SelfDestruct && !create2, gov.Warning, "can destroy itself"},
			{create2Known && create2 && !t.SelfDestruct, gov.Warning, "came from a CREATE2 factory"},
			{t.DelegateCall, gov.Info, "delegates to other code"},
			{!t.Designator.IsZero(), gov.Warning, "is an account that delegates by EIP-7702"},
		} {
			if trait.has {
				r.add(trait.severity, fmt.Sprintf("the target %s %s", t.Address, trait.what), gov.Evidence{What: trait.what, Account: t.Address})
			}
		}
	}
	r.addCounted(f.Targets)
	out := r.end(acts(p, f) && applies(f, "targets") && !(listed && len(targets) == 0), complete, cleanTargets(subjects))
	if one := &out[0]; one.Status == gov.NotChecked && aged && len(unseen) > 0 {
		one.Title = "not checked in full: the code itself shows nothing suspicious, but not whether it came from a CREATE2 factory"
		for _, a := range unseen[:min(len(unseen), maxEvidence)] {
			one.Evidence = append(one.Evidence, gov.Evidence{What: "origin not looked at", Account: a})
		}
	}
	return out
}

// addCounted adds what the counts of targets say beyond the list of them: a dossier may hold the counts alone. The
// DAO's own and known targets are never fresh.
func (r *report) addCounted(t gov.Targets) {
	listed, _ := t.Code.Get()
	fresh := int64(0)
	for _, c := range listed {
		if c.Fresh.Or(false) {
			fresh++
		}
	}
	if n := t.Fresh.Or(0); n > fresh {
		r.add(gov.Warning, fmt.Sprintf("targets deployed less than 30 days before: %d", n))
	}
}

// noStrangers says whether the calls are decoded and every target among them is the DAO's own, known, or paid only.
func noStrangers(f gov.Facts) bool {
	calls, ok := nodes(f)
	for _, n := range calls {
		ok = ok && (n.call.Known || f.DAO.Own(n.call.To))
	}
	return ok
}

// maxEvidence bounds the targets that a finding of what was not checked names.
const maxEvidence = 20

func cleanTargets(subjects int) string {
	if subjects == 0 {
		return "every target is the DAO's own or known"
	}
	return "no target that is not known has suspicious code"
}

// recipients are the accounts that only receive plain value by known native leaves: no targets.
func recipients(f gov.Facts) map[gov.Address]bool {
	calls, _ := nodes(f)
	out := map[gov.Address]bool{}
	for _, n := range calls {
		if n.isKnownNative() {
			out[n.call.To] = true
		}
	}
	for _, n := range calls {
		if !n.isKnownNative() {
			delete(out, n.call.To)
		}
	}
	return out
}
