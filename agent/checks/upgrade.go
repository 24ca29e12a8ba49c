package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// Upgrade is D1.
var Upgrade = Check{
	ID: "D1", Name: "upgrade", Class: gov.ClassContent, Required: true,
	Title: "The code behind an address changes",
	Text: "Found when a call upgrades a proxy, beacon or diamond or replaces its admin, by the call's own signature, and when " +
		"the dry run changes an EIP-1967 implementation, beacon or admin slot, the master copy in the first slot of a Safe's proxy, or the code of an account that had code. An upgrade as such is info: " +
		"protocols upgrade honestly and often. It is a warning where the new implementation has no code at the facts' block, because every later call to " +
		"the proxy would then silently succeed or do what is deployed there afterwards; and critical where the proxy is the DAO's own " +
		"governor, timelock, token or treasury, because whoever wrote the new code then owns the DAO.",
	Run: runUpgrade,
}

var upgradeSelectors = selectorsOf(
	"upgradeTo(address)", "upgradeToAndCall(address,bytes)", "upgrade(address,address)", "upgradeAndCall(address,address,bytes)",
	"changeAdmin(address)", "changeProxyAdmin(address,address)", "diamondCut((address,uint8,bytes4[])[],address,bytes)",
	"_setImplementation(address)", "_setImplementation(address,bool,bytes)", "_setPendingImplementation(address)", "_acceptImplementation()",
	"setImplementation(address)", "upgradeBeaconTo(address)",
)

func runUpgrade(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D1", "upgrade", "Read the new implementation's verified source and compare its code hash with what was audited.")
	calls, callsKnown := nodes(f)
	for _, n := range calls {
		if n.isKnownNative() || !n.is(gov.KindUpgrade, upgradeSelectors) {
			continue
		}
		severity := gov.Info
		if f.DAO.Own(n.call.To) {
			severity = gov.Critical
		}
		r.add(severity, "a call changes code: "+callName(n.call), n.evidence("upgrades a proxy, beacon or diamond"))
	}
	changes, changesKnown := f.Upgrades.Get()
	for _, c := range changes {
		severity, note := gov.Info, ""
		if c.AfterCode == (gov.CodeHash{}) {
			severity, note = gov.Warning, ", an account without code"
		}
		if f.DAO.Own(c.Proxy) {
			severity = gov.Critical
		}
		r.add(severity, fmt.Sprintf("the implementation, beacon or admin of %s becomes %s%s", c.Proxy, c.After, note),
			gov.Evidence{What: fmt.Sprintf("was %s", c.Before), Account: c.Proxy})
	}
	for _, c := range f.Effects.CodeChanges {
		if c.Before == (gov.CodeHash{}) || c.Before == c.After {
			continue
		}
		r.add(gov.Warning, fmt.Sprintf("the code of %s itself changes", c.Account), gov.Evidence{What: "code hash differs after the run", Account: c.Account})
	}
	return r.end(acts(p, f) && applies(f, "upgrades"), callsKnown && changesKnown && f.Effects.Executed(), "no code behind an address changes")
}
