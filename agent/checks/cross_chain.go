package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// CrossChain is D13.
var CrossChain = Check{
	ID: "D13", Name: "cross-chain", Class: gov.ClassContent, Required: true,
	Title: "Something is sent to another chain",
	Text: "Found when a call sends a message or value to another chain, or calls a contract that the book calls a bridge. It is a warning: what happens " +
		"there is not in the dry run of this chain, so that neither its payments nor its rights are among the facts. This release does not decode what is sent; " +
		"so nothing that is sent is ever clean.",
	Run: runCrossChain,
}

func runCrossChain(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D13", "cross-chain", "Decode the message for the other chain, and find out who may act there afterwards.")
	said := map[string]bool{}
	for _, i := range declared(f) {
		if i.Kind == gov.ImpactSends {
			said[string(i.Declared[0])] = true
			r.add(gov.Warning, fmt.Sprintf("call %s to %s is sent to another chain", i.Declared[0], i.Target), gov.Evidence{What: "sent to another chain", Account: i.Target})
		}
	}
	calls, known := nodes(f)
	for _, n := range calls {
		if n.call.Kind == gov.KindBridge && n.leaf && !said[pathText(n.path)] {
			r.add(gov.Warning, "a call to a bridge: "+callName(n.call), n.evidence("bridge"))
		}
	}
	return r.end(acts(p, f), known, "nothing is sent to another chain")
}

// pathText is a path of calls as impacts write it.
func pathText(path []int) (out string) {
	for i, n := range path {
		if i > 0 {
			out += "."
		}
		out += fmt.Sprint(n)
	}
	return out
}
