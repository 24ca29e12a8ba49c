package facts

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/chains/book"
)

// decodeCalls decodes the actions, reads what stands at every target, and decodes again with that: what is known
// depends on code.
func decodeCalls(ctx context.Context, g *gathering) {
	options := Options{DAO: g.facts.DAO, Flavour: g.deps.Governor.Flavour, Book: g.deps.Book}
	first, err := Decode(g.p.Actions, options)
	if g.p.TooLarge && len(g.p.Actions) == 0 {
		for _, part := range []gov.Part{"calls", "kinds", "unknown_calls", "targets", "impacts"} {
			g.fail(part, ErrTooLarge, gov.Address{}) // its actions were left out
		}
		return
	}
	if err == nil && len(targetsOf(first.Calls)) > MaxTargets {
		err = errTargets
	}
	if err != nil {
		g.survey(err, options)
		return
	}
	failed := g.readContracts(ctx, first.Calls)
	options.Code = func(a gov.Address) (book.Code, bool) {
		c, ok := g.contracts[a]
		return c.Code, ok
	}
	g.decoded, err = Decode(g.p.Actions, options)
	if err != nil {
		g.fail("calls", err, gov.Address{})
		return
	}
	g.shown.Calls = g.decoded.Shown
	g.facts.Kinds = kindsOf(g.decoded.Calls)
	if failed {
		// Which calls are known depends on code that could not be read: not knowing is not the same as unknown.
		g.missing("unknown_calls", g.reasonFor("calls"), gov.Address{})
		g.missing("targets", g.reasonFor("calls"), gov.Address{})
		g.missing("impacts", g.reasonFor("calls"), gov.Address{})
		return
	}
	g.facts.Calls = gov.Known(g.decoded.Calls)
	g.facts.Impacts = gov.Known(impact.Declared(g.decoded.Calls, g.facts.DAO.Executor))
	g.targets(ctx)
}

// kindsOf are the kinds of the leaves.
func kindsOf(calls []gov.Call) gov.Maybe[[]gov.Kind] {
	f := gov.Facts{Calls: gov.Known(calls)}
	f.Finish()
	return f.Kinds
}

// targetsOf are the addresses that a tree calls, sorted.
func targetsOf(calls []gov.Call) []gov.Address {
	seen := map[gov.Address]bool{}
	var walk func([]gov.Call)
	walk = func(list []gov.Call) {
		for _, c := range list {
			seen[c.To] = true
			walk(c.Children)
		}
	}
	walk(calls)
	return slices.SortedFunc(maps.Keys(seen), gov.Address.Cmp)
}

// survey takes from calls that are more than is kept what they show by themselves: their kinds, and an excerpt of those
// by which a check finds something. No code is read for it, and nothing of it is known in the sense of a For.
func (g *gathering) survey(why error, o Options) {
	g.surveyed = true
	for _, part := range []gov.Part{"calls", "unknown_calls", "targets", "impacts"} {
		g.fail(part, why, gov.Address{})
	}
	kinds, excerpt := Survey(g.p.Actions, o)
	g.facts.Kinds, g.facts.Excerpt = gov.Known(kinds), excerpt
}

// MaxTargets bounds the different targets whose code is read. Real proposals have up to some 60.
const MaxTargets = 500

var errTargets = errors.Join(ErrTooLarge, errors.New("too many different targets"))

// readContracts reads every target; failed says that one could not be read.
func (g *gathering) readContracts(ctx context.Context, calls []gov.Call) (failed bool) {
	all := targetsOf(calls)
	found, errs := make([]book.Contract, len(all)), make([]error, len(all))
	g.each(ctx, len(all), func(ctx context.Context, i int) {
		found[i], errs[i] = book.ReadContract(ctx, g.before, all[i])
	})
	for i, a := range all {
		if errs[i] != nil {
			g.fail("calls", errs[i], a)
			failed = true
			continue
		}
		g.contracts[a] = found[i]
	}
	return failed
}

// bound is the method that a decoded call's target has, with its bound ABI.
func (g *gathering) bound(c gov.Call) (bound, bool) {
	if c.Selector == nil {
		return bound{}, false
	}
	d := decoder{Options: Options{DAO: g.facts.DAO, Flavour: g.deps.Governor.Flavour, Book: g.deps.Book, Code: func(gov.Address) (book.Code, bool) { return book.Code{}, false }}}
	return d.resolve(c.To, *c.Selector, g.contracts[c.To].Code)
}
