package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// Governor is D4.
var Governor = Check{
	ID: "D4", Name: "governor", Class: gov.ClassContent, Required: true,
	Title: "The governor's own rules change",
	Text: "Found when a call sets quorum, threshold, voting delay or voting period of a governor or relays a call through it, and when the dry " +
		"run shows one of these numbers changed. A change as such is info. It is a warning where quorum, threshold or period falls by more than a fifth, beyond " +
		"what adjusting to turnout explains; and critical where quorum or period falls to less than half, because a far smaller group, or one " +
		"that is merely awake, can then pass anything.",
	Run: runGovernor,
}

var governorSelectors = selectorsOf(
	"relay(address,uint256,bytes)", "setVotingDelay(uint48)", "setVotingDelay(uint256)", "setVotingPeriod(uint32)", "setVotingPeriod(uint256)",
	"setProposalThreshold(uint256)", "updateQuorumNumerator(uint256)", "setLateQuorumVoteExtension(uint48)", "setLateQuorumVoteExtension(uint64)",
	"updateTimelock(address)", "_setVotingDelay(uint256)", "_setVotingPeriod(uint256)", "_setProposalThreshold(uint256)", "_initiate(address)",
	"_setWhitelistAccountExpiration(address,uint256)", "_setWhitelistGuardian(address)", "_setProposalGuardian((address,uint96))",
)

func runGovernor(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D4", "governor", "Work out who could pass a proposal alone under the new numbers.")
	calls, callsKnown := nodes(f)
	for _, n := range calls {
		if !n.isKnownNative() && n.is(gov.KindGovernor, governorSelectors) {
			r.add(gov.Info, "a call changes the governor: "+callName(n.call), n.evidence("sets a parameter of a governor, or relays through it"))
		}
	}
	complete := callsKnown && f.Effects.Executed()
	for _, one := range []struct {
		what       string
		halfMatter bool // a fall below half is critical
		fallMatter bool // a fall of more than a fifth is a warning
		unit       func(gov.Clock, float64) string
		span       gov.Span[float64]
	}{
		{"quorum", true, true, tokens, f.Governor.Quorum},
		{"proposal threshold", false, true, tokens, f.Governor.Threshold},
		{"voting delay", false, false, ticks, floats(f.Governor.Delay)},
		{"voting period", true, true, ticks, floats(f.Governor.Period)},
	} {
		before, beforeKnown := one.span.Before.Get()
		after, afterKnown := one.span.After.Get()
		if !beforeKnown || !afterKnown {
			complete = false
			continue
		}
		if before == after {
			continue
		}
		severity := gov.Info
		if one.fallMatter && after < 0.8*before {
			severity = gov.Warning
		}
		if one.halfMatter && after < 0.5*before {
			severity = gov.Critical
		}
		r.add(severity, fmt.Sprintf("the %s goes from %s to %s", one.what, one.unit(p.Clock, before), one.unit(p.Clock, after)), gov.Evidence{What: one.what, Account: f.DAO.Governor})
	}
	return r.end(acts(p, f) && applies(f, "governor"), complete, "the governor's parameters stay")
}

func floats(s gov.Span[int64]) (out gov.Span[float64]) {
	if v, ok := s.Before.Get(); ok {
		out.Before = gov.Known(float64(v))
	}
	if v, ok := s.After.Get(); ok {
		out.After = gov.Known(float64(v))
	}
	return out
}
