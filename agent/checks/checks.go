package checks

import "github.com/legate-dao/legate/agent/gov"

// Check is one detector with its documentation.
type Check struct {
	ID    gov.CheckID
	Name  gov.CheckName // what policies call it
	Title string        // one line
	Text  string        // a paragraph for the operator, with the reason of its thresholds
	Class gov.Class
	// Required: a For needs this check found, clean or not_applicable.
	Required bool
	// Run gives one or more findings; it is pure and total.
	Run func(gov.Proposal, gov.Facts) []gov.Finding
}

// All lists every check of this release in the order of their numbers.
var All = []Check{
	Upgrade, Roles, Timelock, Governor, Outflow, Delegatecall, TargetCode, Supply, CrossChain, Reverts, Undeclared,
}

// Unchecked names the required checks that this release does not have; every verdict lists them.
var Unchecked = []gov.CheckName{"look-alike", "environment"}

// Run runs all checks. Each gives at least one finding, in the order of [All].
func Run(p gov.Proposal, f gov.Facts) []gov.Finding {
	out := make([]gov.Finding, 0, len(All))
	for _, c := range All {
		out = append(out, c.Run(p, f)...)
	}
	return out
}

// StatusOf is the status of a check among findings: found if one of its findings is, else that of the
// first; not_checked when it has none.
func StatusOf(name gov.CheckName, findings []gov.Finding) gov.Status {
	status := gov.Status("")
	for _, f := range findings {
		if f.Name != name {
			continue
		}
		if f.Status == gov.Found {
			return gov.Found
		}
		if status == "" || f.Status == gov.NotChecked {
			status = f.Status
		}
	}
	if status == "" {
		return gov.NotChecked
	}
	return status
}
