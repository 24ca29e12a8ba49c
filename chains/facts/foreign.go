package facts

import (
	"bytes"
	"context"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/chains/book"
)

// foreign lists the accounts of the run that are not the DAO's own: those that nobody knows and that changed their state
// or ran in the place of one that is known, and those in the book. An account is known by the book when its code is the
// one recorded there; by itself a label makes nothing known. What merely receives coins changes no state.
func foreign(ctx context.Context, g *gathering) {
	if !g.executed() {
		g.missing("foreign", g.effectsReason(), gov.Address{})
		return
	}
	if m, ok := g.measured("effects.calls"); !ok {
		g.missing("foreign", m.Reason, m.Subject)
		return
	}
	changed := g.changedAccounts()
	borrowed := g.borrowed()
	k := &acquaintance{g: g, contracts: map[gov.Address]book.Contract{}, code: map[gov.Address][]byte{}}
	accounts := slices.Clone(changed)
	for _, b := range borrowed {
		accounts = append(accounts, b.by, b.code)
	}
	if err := k.read(ctx, accounts); err != nil {
		g.fail("foreign", err, gov.Address{})
		return
	}
	out := gov.Foreign{Changed: []gov.Address{}, Booked: g.bookedAccounts(changed)}
	for _, a := range changed {
		if !k.knows(a) {
			out.Changed = append(out.Changed, a)
		}
	}
	for _, b := range borrowed {
		if k.knows(b.by) && !k.lends(b) {
			out.Changed = append(out.Changed, b.code)
			g.alien = gov.Missing{Reason: gov.NoCode, Subject: b.code}
		}
	}
	out.Changed = sortedSet(out.Changed)
	g.facts.Foreign = gov.Known(out)
}

// changedAccounts are the accounts whose slots, code or nonce the run changed, but for the DAO's own. Sorted.
func (g *gathering) changedAccounts() (out []gov.Address) {
	e := &g.facts.Effects
	for _, d := range e.StorageDiffs {
		out = append(out, d.Account)
	}
	for _, c := range e.CodeChanges {
		out = append(out, c.Account)
	}
	for i, stands := range g.standing() {
		if f := e.Calls[i]; stands && (f.Type == gov.FrameCreate || f.Type == gov.FrameCreate2) {
			out = append(out, f.From)
		}
	}
	return sortedSet(slices.DeleteFunc(out, g.facts.DAO.Own))
}

// loan is code that ran in the place of another account, by a delegatecall.
type loan struct{ by, code gov.Address }

// borrowed are the delegatecalls of the run that could change something: those that stood, outside of static calls.
func (g *gathering) borrowed() (out []loan) {
	var static []bool // by depth: the frame is a static call, or inside one
	seen := map[loan]bool{}
	for i, stands := range g.standing() {
		f := g.facts.Effects.Calls[i]
		depth := min(f.Depth, len(static))
		static = append(static[:depth], depth > 0 && static[depth-1] || f.Type == gov.FrameStaticCall)
		l := loan{f.From, f.To}
		if (f.Type == gov.FrameDelegateCall || f.Type == gov.FrameCallCode) && stands && !static[depth] && !seen[l] {
			seen[l] = true
			out = append(out, l)
		}
	}
	return out
}

// bookedAccounts are the accounts in the book that the run changed, called or gave something. Sorted.
func (g *gathering) bookedAccounts(changed []gov.Address) []gov.Address {
	all := slices.Clone(changed)
	for _, f := range g.facts.Effects.Calls {
		all = append(all, f.To)
	}
	for _, d := range g.facts.Effects.BalanceDeltas {
		all = append(all, d.Account)
	}
	return sortedSet(slices.DeleteFunc(all, func(a gov.Address) bool {
		_, booked := g.deps.Book.Entry(a)
		return !booked || g.facts.DAO.Own(a)
	}))
}

func sortedSet(all []gov.Address) []gov.Address {
	slices.SortFunc(all, gov.Address.Cmp)
	all = slices.Compact(all)
	if all == nil {
		return []gov.Address{}
	}
	return all
}

// acquaintance says which accounts are known, by the code that stood there before the run.
type acquaintance struct {
	g         *gathering
	contracts map[gov.Address]book.Contract
	code      map[gov.Address][]byte
}

// read reads what stands at accounts, and at the entries of the book that are proxies: what is behind them is known.
func (k *acquaintance) read(ctx context.Context, accounts []gov.Address) error {
	accounts = sortedSet(accounts)
	found, errs := make([]book.Contract, len(accounts)), make([]error, len(accounts))
	code := make([][]byte, len(accounts))
	k.g.each(ctx, len(accounts), func(ctx context.Context, i int) {
		a := accounts[i]
		if found[i], errs[i] = book.ReadContract(ctx, k.g.before, a); errs[i] != nil {
			return
		}
		side := book.State(k.g.before)
		if found[i].Size == 0 { // the run made it
			side = k.g.after
			if found[i], errs[i] = book.ReadContract(ctx, side, a); errs[i] != nil {
				return
			}
		}
		code[i], errs[i] = side.Code(ctx, a)
	})
	for i, a := range accounts {
		if errs[i] != nil {
			return errs[i]
		}
		k.contracts[a], k.code[a] = found[i], code[i]
	}
	return nil
}

// knows reports whether an account is the DAO's own, in the book with its code, behind such an entry, or a minimal proxy
// of what is.
func (k *acquaintance) knows(a gov.Address) bool {
	if k.g.facts.DAO.Own(a) || k.booked(a) {
		return true
	}
	for _, e := range k.g.deps.Book.Entries() {
		c, read := k.contracts[e.Address]
		if read && e.Matches(c.Code) && (c.Implementation == a || c.Beacon == a) {
			return true
		}
	}
	c := k.contracts[a]
	return book.IsMinimalProxy(k.code[a]) && k.booked(c.Implementation)
}

func (k *acquaintance) booked(a gov.Address) bool {
	e, ok := k.g.deps.Book.Entry(a)
	if !ok {
		return false
	}
	c, read := k.contracts[a]
	if !read {
		c = k.g.contracts[a]
	}
	return e.Matches(c.Code)
}

// lends reports whether code may run in an account's place: it is what a proxy stands before, a library that is linked
// into the account's code, or known by itself.
func (k *acquaintance) lends(l loan) bool {
	if k.contracts[l.by].Implementation == l.code || k.booked(l.code) {
		return true
	}
	linked := func(a gov.Address) bool { return bytes.Contains(k.code[a], append([]byte{0x73}, l.code[:]...)) } // PUSH20
	return linked(l.by) || linked(k.contracts[l.by].Implementation)
}

// unseen reports whether something ran whose effect nobody can tell from outside: a call without a meaning, or code that
// nobody knows. What such a call may have changed is not 0.
func (g *gathering) unseen() (gov.Missing, bool) {
	if g.surveyed {
		return gov.Missing{Reason: gov.TooLarge}, true
	}
	for _, i := range impact.Declared(g.decoded.Calls, g.facts.DAO.Executor) {
		if i.Kind == gov.ImpactOpaque && i.When == gov.WhenNow {
			return gov.Missing{Reason: gov.NoCode, Subject: i.Target}, true
		}
	}
	f, ok := g.facts.Foreign.Get()
	if !ok {
		return gov.Missing{Reason: g.reasonFor("foreign")}, true
	}
	if g.alien != (gov.Missing{}) {
		return g.alien, true
	}
	if len(f.Changed) > 0 {
		return gov.Missing{Reason: gov.NoCode, Subject: f.Changed[0]}, true
	}
	return gov.Missing{}, false
}

// counted is a number of things that were seen; none is missing where something ran unseen.
func (g *gathering) counted(part gov.Part, n int64) gov.Maybe[int64] {
	if m, ok := g.unseen(); ok && n == 0 {
		g.missing(part, m.Reason, m.Subject)
		return gov.Maybe[int64]{}
	}
	return gov.Known(n)
}

// unshown reports whether the calls declare that value leaves, and the run does not show it: over time, by an order, on
// another chain, or to somebody outside who got nothing.
func (g *gathering) unshown(flows []flow) (gov.Missing, bool) {
	for _, i := range impact.Declared(g.decoded.Calls, g.facts.DAO.Executor) {
		if n, ok := i.Amount.Get(); ok && n.IsZero() {
			continue
		}
		shown := func(to gov.Address) bool {
			return slices.ContainsFunc(flows, func(f flow) bool {
				return f.To == to && f.Token == i.Asset.Or(f.Token) && f.Amount.Cmp(i.Amount.Or(gov.Amount{})) >= 0
			})
		}
		missing := gov.Missing{Reason: gov.NoState, Subject: i.Target}
		switch i.Kind {
		case gov.ImpactStreams:
			// What was put aside for it is an outflow to the contract of the stream.
			if !g.facts.DAO.Own(i.To) && !shown(i.Target) {
				return missing, true
			}
		case gov.ImpactOrders, gov.ImpactSends:
			return missing, true
		case gov.ImpactPays:
			if i.When == gov.WhenNow && !i.To.IsZero() && !g.facts.DAO.Own(i.To) && i.Amount.Or(gov.MaxAmount) != gov.MaxAmount && len(flows) == 0 {
				return missing, true
			}
		}
	}
	return gov.Missing{}, false
}
