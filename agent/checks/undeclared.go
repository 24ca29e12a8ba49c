package checks

import (
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// Undeclared is D25.
var Undeclared = Check{
	ID: "D25", Name: "undeclared", Class: gov.ClassContent, Required: true,
	Title: "It does more than its calls declare",
	Text: "Found when a call has no meaning that this program or the operator's book knows, or carries calls that cannot be taken out; and when the dry run moved value to " +
		"an account outside the DAO and its book that no decoded call pays, gave such an account a right that no call gives, changed code that no call " +
		"upgrades or deploys, or let code that is neither the DAO's nor in the book change its state. A call without a meaning and foreign code are " +
		"warnings: what they do may be harmless, and nobody has looked. Value, rights and code beyond the declared ones are critical: the calls do not say what they are for.",
	Run: runUndeclared,
}

func runUndeclared(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D25", "undeclared", "Read the code behind the calls; once it is trusted, put it into the book with its hash, and with what its functions mean.")
	calls, callsKnown := tree(f)
	declared := declared(f)
	for _, i := range declared {
		if i.Kind == gov.ImpactOpaque {
			r.add(gov.Warning, fmt.Sprintf("call %s to %s has no known meaning", i.Declared[0], i.Target), gov.Evidence{What: "opaque call", Account: i.Target})
		}
	}
	if f.Effects.Executed() {
		r.undeclaredValue(f, declared)
		r.undeclaredRights(f, declared)
		r.undeclaredCode(f, declared)
		for _, a := range foreign(f, calls) {
			r.add(gov.Warning, fmt.Sprintf("%s, which is neither the DAO's nor in the book, changed its state", a), gov.Evidence{What: "foreign state", Account: a})
		}
	}
	return r.end(acts(p, f), callsKnown && f.Effects.Executed(), "the run did what the calls declare, and nothing else")
}

// inside reports whether an account is the DAO's own, or one that the calls name and the book knows.
func inside(f gov.Facts, a gov.Address) bool {
	if f.DAO.Own(a) {
		return true
	}
	calls, _ := nodes(f)
	return slices.ContainsFunc(calls, func(n node) bool { return n.call.Known && n.call.To == a && !n.isKnownNative() })
}

// undeclaredValue finds accounts that have more after the run than before, and whom no call pays.
func (r *report) undeclaredValue(f gov.Facts, declared []gov.Impact) {
	for _, d := range f.Effects.BalanceDeltas {
		if d.Delta.Negative || d.Delta.Size.IsZero() || inside(f, d.Account) || booked(f, d.Account) {
			continue
		}
		paid := slices.ContainsFunc(declared, func(i gov.Impact) bool {
			return i.To == d.Account && (i.Kind == gov.ImpactPays || i.Kind == gov.ImpactMints || i.Kind == gov.ImpactStreams || i.Kind == gov.ImpactSends)
		})
		if !paid {
			r.add(gov.Critical, fmt.Sprintf("%s receives %s, which no call pays", d.Account, amountOf(d.Token, d.Delta.Size)), gov.Evidence{What: "balance", Account: d.Account})
		}
	}
}

// booked reports whether an outflow of the facts says that its recipient is inside the book.
func booked(f gov.Facts, a gov.Address) bool {
	list, ok := f.Foreign.Get()
	if ok && slices.Contains(list.Booked, a) {
		return true
	}
	outflows, _ := f.Treasury.Outflows.Get()
	return slices.ContainsFunc(outflows, func(o gov.Outflow) bool { return o.To == a && !o.Outside })
}

// undeclaredRights finds accounts outside that got a right which no call gives.
func (r *report) undeclaredRights(f gov.Facts, declared []gov.Impact) {
	changes, _ := f.Roles.Changes.Get()
	for _, c := range changes {
		if !c.Outside || c.Kind == gov.RoleRevoked {
			continue
		}
		given := slices.ContainsFunc(declared, func(i gov.Impact) bool {
			return i.To == c.Account && (i.Kind == gov.ImpactGrants || i.Kind == gov.ImpactGoverns || i.Kind == gov.ImpactRegisters || i.Kind == gov.ImpactOpens)
		})
		if !given {
			r.add(gov.Critical, fmt.Sprintf("%s gets a right on %s, which no call gives", c.Account, c.Target), gov.Evidence{What: "right", Account: c.Account})
		}
	}
}

// undeclaredCode finds code that changed, and upgrades of proxies, that no call asks for.
func (r *report) undeclaredCode(f gov.Facts, declared []gov.Impact) {
	asks := func(kinds ...gov.ImpactKind) bool {
		return slices.ContainsFunc(declared, func(i gov.Impact) bool { return slices.Contains(kinds, i.Kind) })
	}
	for _, c := range f.Effects.CodeChanges {
		if !asks(gov.ImpactUpgrades, gov.ImpactDeploys, gov.ImpactLists, gov.ImpactStreams) {
			r.add(gov.Critical, fmt.Sprintf("the code of %s changes, which no call asks for", c.Account), gov.Evidence{What: "code", Account: c.Account})
		}
	}
	upgrades, _ := f.Upgrades.Get()
	for _, u := range upgrades {
		if !asks(gov.ImpactUpgrades) {
			r.add(gov.Critical, fmt.Sprintf("the implementation of %s changes, which no call asks for", u.Proxy), gov.Evidence{What: "implementation", Account: u.Proxy})
		}
	}
}

// foreign are the accounts that are neither the DAO's nor in the book and changed their state in the run. Facts that do
// not list them are read as far as they go: every account with a changed slot that no known call names.
func foreign(f gov.Facts, calls []gov.Call) []gov.Address {
	if list, ok := f.Foreign.Get(); ok {
		return list.Changed
	}
	var out []gov.Address
	for _, d := range f.Effects.StorageDiffs {
		if !inside(f, d.Account) && !booked(f, d.Account) && !slices.Contains(out, d.Account) {
			out = append(out, d.Account)
		}
	}
	return out
}
