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
		"SELFDESTRUCT together with CREATE2 is critical: other code can then stand at the same address at execution. Of known targets it does not speak.",
	Run: runTargetCode,
}

func runTargetCode(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D7", "target-code", "Read the target's verified source; put it into the book with its code hash once it is trusted.")
	targets, complete := f.Targets.Code.Get()
	paidOnly := recipients(f)
	subjects := 0
	for _, t := range targets {
		if t.Known || f.DAO.Own(t.Address) || paidOnly[t.Address] {
			continue
		}
		subjects++
		fresh, freshKnown := t.Fresh.Get()
		create2, create2Known := t.Create2.Get()
		complete = complete && (t.Size == 0 || freshKnown && create2Known)
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
	_, known := f.Targets.Code.Get()
	return r.end(acts(p, f) && applies(f, "targets") && !(known && len(targets) == 0), complete, cleanTargets(subjects))
}

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
