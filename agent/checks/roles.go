package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// Roles is D2.
var Roles = Check{
	ID: "D2", Name: "roles", Class: gov.ClassContent, Required: true,
	Title: "Who may do what changes",
	Text: "Found when a call grants, revokes or hands over a role, an ownership or an admin right, by its own signature, and when " +
		"the dry run shows such a change, pending owners and admins included. A change as such is info. It is a warning where an account outside the DAO and its book " +
		"gains a right, because nothing then binds that account to later votes; and critical where the right is over the DAO's own governor, " +
		"timelock, token or treasury.",
	Run: runRoles,
}

// rightKinds are the impacts that change who may do what.
var rightKinds = []gov.ImpactKind{gov.ImpactGrants, gov.ImpactOpens, gov.ImpactRevokes}

func runRoles(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D2", "roles", "Make sure that the account that gains or loses the right is the one meant, and that the DAO can take it back.")
	calls, callsKnown := nodes(f)
	for _, n := range calls {
		if n.isKnownNative() {
			continue
		}
		if n.leaf && n.call.Kind == gov.KindRole || n.says(rightKinds...) {
			r.add(gov.Info, "a call changes a right: "+callName(n.call), n.evidence("changes a role, an owner or an admin"))
		}
	}
	r.openedOrNamed(f)
	changes, _ := f.Roles.Changes.Get()
	for _, c := range changes {
		severity, where := gov.Info, "which is known"
		if c.Outside && c.Kind != gov.RoleRevoked {
			severity, where = gov.Warning, "outside the DAO and its book"
			if f.DAO.Own(c.Target) {
				severity = gov.Critical
			}
		}
		r.add(severity, roleChange(c, where),
			gov.Evidence{What: fmt.Sprintf("role %s", c.Role), Account: c.Account})
	}
	missing := false
	for _, c := range []struct {
		one, many string
		n         gov.Maybe[int64]
	}{
		{"right is granted", "rights are granted", f.Roles.Granted},
		{"right is granted outside the DAO and its book", "rights are granted outside the DAO and its book", f.Roles.GrantedOutside},
		{"right is revoked", "rights are revoked", f.Roles.Revoked}, {"owner changes", "owners change", f.Roles.OwnerChanged},
		{"admin changes", "admins change", f.Roles.AdminChanged},
	} {
		above, unknown := positive(c.n)
		missing = missing || unknown
		if above && len(changes) == 0 {
			r.add(gov.Info, count(c.n.Or(0), c.one, c.many))
		}
	}
	return r.end(acts(p, f) && applies(f, "roles"), callsKnown && !missing && f.Effects.Executed(), "no role, owner or admin changes")
}

// openedOrNamed grades what no role and no owner shows: a function that everybody may call from now on, and a name or
// record that goes to somebody outside.
func (r *report) openedOrNamed(f gov.Facts) {
	for _, i := range declared(f) {
		switch {
		case i.Kind == gov.ImpactOpens:
			severity := gov.Warning
			if f.DAO.Own(i.Target) {
				severity = gov.Critical
			}
			r.add(severity, fmt.Sprintf("call %s lets others call functions of %s", i.Declared[0], i.Target), gov.Evidence{What: "opened", Account: i.Target})
		case i.Kind == gov.ImpactRegisters && !i.To.IsZero() && !inside(f, i.To):
			r.add(gov.Info, fmt.Sprintf("call %s gives a name or record of %s to %s", i.Declared[0], i.Target, i.To), gov.Evidence{What: "record", Account: i.To})
		}
	}
}
