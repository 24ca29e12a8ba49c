package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// Delegatecall is D6.
var Delegatecall = Check{
	ID: "D6", Name: "delegatecall", Class: gov.ClassContent, Required: true,
	Title: "Foreign code runs with the DAO's own rights",
	Text: "Found when a decoded call runs a target that is not known by delegatecall, sends a batch through a multisend that is not known, or gives a Safe a " +
		"module, guard or fallback handler; and when in the dry run one of the DAO's own accounts delegates to code that is not known, proxies that merely " +
		"pass their input on excepted. Wallet plumbing as such is info. A delegatecall to code that is not known is a warning, because that code may do " +
		"anything the account may; it is critical where the dry run shows an account of the DAO itself doing it. Of known targets it does not speak.",
	Run: runDelegatecall,
}

var (
	safeConfig = selectorsOf("enableModule(address)", "setGuard(address)", "setModuleGuard(address)", "setFallbackHandler(address)", "setup(address[],uint256,address,bytes,address,address,uint256,address)")
	multisends = selectorsOf("multiSend(bytes)")
)

func runDelegatecall(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D6", "delegatecall", "Read the code that would run with the DAO's rights; put the contract into the book once it is trusted.")
	calls, callsKnown := nodes(f)
	known := map[gov.Address]bool{}
	for _, n := range calls {
		switch c := n.call; {
		case n.isKnownNative():
			continue
		case safeConfig.has(c):
			r.add(gov.Info, "a call changes a Safe's module, guard or handler: "+callName(c), n.evidence("gives an account power over a Safe"))
		case c.Known:
			known[c.To], known[c.Implementation] = true, true
		case c.Delegatecall:
			r.add(gov.Warning, "a delegatecall to code that is not known: "+callName(c), n.evidence("runs with the caller's rights"))
		case multisends.has(c):
			r.add(gov.Info, "a batch through a multisend that is not known: "+callName(c), n.evidence("sends several calls"))
		}
	}
	targets, _ := f.Targets.Code.Get()
	for _, t := range targets {
		if t.Known {
			known[t.Address], known[t.Implementation] = true, true
		}
	}
	for _, to := range foreignDelegates(f, known) {
		r.add(gov.Critical, fmt.Sprintf("an account of the DAO delegates to %s, which is not known", to), gov.Evidence{What: "delegatecall in the dry run", Account: to})
	}
	return r.end(acts(p, f) && applies(f, "calls"), callsKnown && f.Effects.Executed(), "no foreign code runs with the DAO's rights")
}

// foreignDelegates lists what the DAO's own accounts delegate to in the dry run, without the
// implementations of proxies: those get the very input that the proxy got.
func foreignDelegates(f gov.Facts, known map[gov.Address]bool) (out []gov.Address) {
	type open struct {
		depth int
		hash  gov.Hash
	}
	var stack []open
	seen := map[gov.Address]bool{}
	for _, c := range f.Effects.Calls {
		for len(stack) > 0 && stack[len(stack)-1].depth >= c.Depth {
			stack = stack[:len(stack)-1]
		}
		forwarded := len(stack) > 0 && stack[len(stack)-1].hash == c.DataHash
		stack = append(stack, open{c.Depth, c.DataHash})
		delegates := c.Type == gov.FrameDelegateCall || c.Type == gov.FrameCallCode
		if !delegates || forwarded || !f.DAO.Own(c.From) || f.DAO.Own(c.To) || known[c.To] || seen[c.To] {
			continue
		}
		seen[c.To] = true
		out = append(out, c.To)
	}
	return out
}
