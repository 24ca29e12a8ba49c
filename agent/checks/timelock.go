package checks

import (
	"fmt"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// shortDelay is a day: the least time in which a holder who looks once a day sees what is queued.
const shortDelay = int64(24 * time.Hour / time.Second)

// Timelock is D3.
var Timelock = Check{
	ID: "D3", Name: "timelock", Class: gov.ClassContent, Required: true,
	Title: "The timelock's delay or roles change",
	Text: "Found when a call sets the delay or the roles of the DAO's timelock, and when the dry run shows the delay or the roles changed. " +
		"A longer delay is info. A shorter delay and a canceller, guardian or other role taken away are warnings: the time between " +
		"vote and execution is what lets holders leave or a guardian stop. A delay that falls below 24 hours is critical, because a holder " +
		"who looks once a day would not see what is queued.",
	Run: runTimelock,
}

var timelockSelectors = selectorsOf("setDelay(uint256)", "updateDelay(uint256)", "setGracePeriod(uint256)", "updateTimelock(address)", "setTimelock(address)", "_setTimelock(address)")

func runTimelock(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D3", "timelock", "Ask why less time or fewer guards are needed, and for how long.")
	calls, callsKnown := nodes(f)
	for _, n := range calls {
		onTimelock := !f.DAO.Timelock.IsZero() && n.call.To == f.DAO.Timelock && n.says(rightKinds...)
		if !n.isKnownNative() && (onTimelock || n.is(gov.KindTimelock, timelockSelectors)) {
			r.add(gov.Info, "a call changes the timelock: "+callName(n.call), n.evidence("sets delay or roles of a timelock"))
		}
	}
	before, beforeKnown := f.Timelock.DelayBefore.Get()
	after, afterKnown := f.Timelock.DelayAfter.Get()
	if beforeKnown && afterKnown && before != after {
		severity := gov.Info
		if after < before {
			severity = gov.Warning
		}
		if after < before && after < shortDelay {
			severity = gov.Critical
		}
		r.add(severity, fmt.Sprintf("the timelock's delay goes from %s to %s", seconds(before), seconds(after)), gov.Evidence{What: "delay", Account: f.DAO.Timelock})
	}
	above, missing := positive(f.Timelock.RolesChanged)
	if above {
		r.add(timelockRoleSeverity(f), count(f.Timelock.RolesChanged.Or(0), "role of the timelock changes", "roles of the timelock change"), gov.Evidence{What: "roles", Account: f.DAO.Timelock})
	}
	complete := callsKnown && beforeKnown && afterKnown && !missing && f.Effects.Executed()
	return r.end(acts(p, f) && applies(f, "timelock", "delay_before", "delay_after", "roles_changed"), complete, "delay and roles of the timelock stay")
}

func timelockRoleSeverity(f gov.Facts) gov.Severity {
	changes, _ := f.Roles.Changes.Get()
	for _, c := range changes {
		if c.Target == f.DAO.Timelock && (c.Kind == gov.RoleRevoked || c.Outside) {
			return gov.Warning
		}
	}
	return gov.Info
}
