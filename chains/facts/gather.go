package facts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// Gatherer fills one part of the facts.
type Gatherer struct {
	Name string
	run  func(context.Context, *gathering)
}

// Before are the gatherers that need no dry run, After those that read its result. Within a round none reads what
// another one of it filled.
var (
	Before = []Gatherer{
		{"calls", decodeCalls},
		{"holdings", holdings},
		{"context", votes},
	}
	// Between are those that need the dry run and that After reads.
	Between = []Gatherer{
		{"foreign", foreign},
	}
	After = []Gatherer{
		{"treasury", treasury},
		{"supply", supply},
		{"roles", roles},
		{"timelock", timelock},
		{"governor", governorParameters},
		{"upgrades", upgrades},
		{"params", parameters},
		{"bridge", bridge},
		{"lookalikes", lookalikes},
	}
)

// Gathered is what one gathering brought.
type Gathered struct {
	Facts   gov.Facts
	Context gov.Context
	Shown   dossier.Shown
}

// Gather reads all facts of a proposal at one block hash. A part that cannot be had is missing and listed, also one for
// which the context's deadline left no time; the error is for a gathering that could not be made at all: the context
// ended.
func Gather(ctx context.Context, deps Deps, p gov.Proposal, at gov.Block) (Gathered, error) {
	g := newGathering(deps, p, at)
	reading, cancel := inTime(ctx)
	defer cancel()
	g.round(reading, Before)
	g.dryRun(reading)
	g.round(reading, Between)
	g.round(reading, After)
	if err := ctx.Err(); err != nil {
		return Gathered{}, fmt.Errorf("gather the facts of %s at block %d: %w", p.ID, at.Number, err)
	}
	g.finish()
	return Gathered{g.facts, g.context, g.shown}, nil
}

// round runs gatherers side by side, so that their reads travel together.
func (g *gathering) round(ctx context.Context, gatherers []Gatherer) {
	g.each(ctx, len(gatherers), func(ctx context.Context, i int) { gatherers[i].run(ctx, g) })
}

// each does n things side by side. What they write must be their own, but for the lists of what is missing.
func (g *gathering) each(ctx context.Context, n int, do func(ctx context.Context, i int)) {
	g.reads.Each(ctx, n, do)
}

// inTime leaves a part of the time until the deadline for what follows the reads: agreement and storing.
func inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(time.Until(end)/6, maxMargin)))
}

// maxMargin is the most time before a deadline at which reads end.
const maxMargin = 30 * time.Second

// gathering is the work on one proposal.
type gathering struct {
	deps   Deps
	reads  *rpc.Reads // deps.Caller
	p      gov.Proposal
	at     gov.Block
	before book.State
	// ready and after are the two sides of the dry run; nil unless it executed.
	ready, after book.State
	result       *fork.Result

	contracts map[gov.Address]book.Contract // of the calls' targets
	alien     gov.Missing                   // code that nobody knows ran in the place of the DAO's or the book's; zero: none
	decoded   Decoded
	surveyed  bool // the calls are more than are kept, or go to more targets than are read

	mu      sync.Mutex // guards facts.Unavailable and facts.NotApplicable
	facts   gov.Facts
	context gov.Context
	shown   dossier.Shown
}

func newGathering(deps Deps, p gov.Proposal, at gov.Block) *gathering {
	reads := rpc.NewReads(deps.Caller)
	deps.Caller = reads
	if r, ok := deps.Runner.(*fork.Runner); ok && r != nil {
		deps.Runner = r.Through(reads) // it reads much that the gatherers read
	}
	g := &gathering{deps: deps, reads: reads, p: p, at: at, before: book.At(reads, at.Hash), contracts: map[gov.Address]book.Contract{}}
	g.facts.At, g.facts.Sources, g.facts.Caps = at, deps.Sources, deps.Caps
	g.facts.DAO = daoOf(deps)
	g.facts.Effects = noEffects()
	if deps.Doubt != "" {
		g.missing(gov.PartDAO, deps.Doubt, deps.Governor.Address)
	}
	return g
}

// daoOf is the DAO with its treasury: the executor, the timelock, the governor and the operator's accounts, sorted.
func daoOf(deps Deps) gov.DAO {
	dao := deps.dao()
	dao.Treasury = nil
	for _, a := range append([]gov.Address{dao.Executor, dao.Timelock, dao.Governor}, deps.Treasury...) {
		if !a.IsZero() && !slices.Contains(dao.Treasury, a) {
			dao.Treasury = append(dao.Treasury, a)
		}
	}
	slices.SortFunc(dao.Treasury, gov.Address.Cmp)
	return dao
}

// outside says whether an account is neither the DAO's own nor in the book.
func (g *gathering) outside(a gov.Address) bool {
	_, booked := g.deps.Book.Entry(a)
	return !booked && !g.facts.DAO.Own(a)
}

// treasuryAccount says whether an account's holdings are the DAO's.
func (g *gathering) treasuryAccount(a gov.Address) bool {
	return slices.Contains(g.facts.DAO.Treasury, a)
}

// executed reports whether there is a state after the calls to read, also where not all of it was measured.
func (g *gathering) executed() bool { return g.facts.Effects.Shows() && g.after != nil }

// missing lists a part that could not be had.
func (g *gathering) missing(part gov.Part, reason gov.Reason, subject gov.Address) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.facts.Unavailable = append(g.facts.Unavailable, gov.Missing{Part: part, Reason: reason, Subject: subject})
}

// fail lists a part whose read failed.
func (g *gathering) fail(part gov.Part, err error, subject gov.Address) {
	g.missing(part, reasonOf(err), subject)
}

// neutral lists a part that cannot exist for this DAO.
func (g *gathering) neutral(parts ...gov.Part) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.facts.NotApplicable = append(g.facts.NotApplicable, parts...)
}

// reasonFor is why a part listed before is missing.
func (g *gathering) reasonFor(part gov.Part) gov.Reason {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.facts.Unavailable {
		if m.Part == part {
			return m.Reason
		}
	}
	return gov.NoState
}

// reasonOf maps an error to the reasons of FORMATS.
func reasonOf(err error) gov.Reason {
	switch {
	case errors.Is(err, ErrTooLarge):
		return gov.TooLarge
	case errors.Is(err, errNoGetter) || errors.Is(err, book.ErrReverted):
		return gov.NoCode
	case errors.Is(err, context.DeadlineExceeded):
		return gov.TimedOut
	}
	if reason, ok := forkReason(err); ok {
		return reason
	}
	switch rpc.Classify(err) {
	case rpc.NoState, rpc.NotFound:
		return gov.NoState
	case rpc.Timeout:
		return gov.TimedOut
	case rpc.Disagreement:
		return gov.Disagreement
	case rpc.Range:
		return gov.TooLarge
	}
	return gov.RPCError
}

// listElements lists what is missing inside lists, once for each token, and the gas of a run that was not made.
func (g *gathering) listElements() {
	if !g.facts.Effects.Gas.IsKnown() {
		g.missing("effects.gas", g.effectsReason(), gov.Address{})
	}
	said := map[gov.Missing]bool{}
	say := func(missing bool, part gov.Part, token gov.Asset) {
		if one := (gov.Missing{Part: part, Reason: gov.NoPrice, Subject: gov.Address(token)}); missing && !said[one] {
			said[one] = true
			g.missing(one.Part, one.Reason, one.Subject)
		}
	}
	outflows, _ := g.facts.Treasury.Outflows.Get()
	for _, o := range outflows {
		say(!o.USD.IsKnown(), "treasury.outflows.usd", o.Token)
		say(!o.Bps.IsKnown(), "treasury.outflows.bps", o.Token)
	}
	for _, h := range g.facts.Treasury.Holdings {
		say(!h.USD.IsKnown(), "treasury.holdings.usd", h.Token)
	}
}

// finish sets what follows from the calls and puts the lists in order.
func (g *gathering) finish() {
	kinds := g.facts.Kinds
	g.facts.Finish()
	if !g.facts.Kinds.IsKnown() {
		g.facts.Kinds = kinds // the selectors alone say it, also where code could not be read
	}
	g.listElements()
	if n := len(g.facts.Effects.Logs); n > fork.MaxLogs { // all were read; the run has listed that not all are kept
		g.facts.Effects.Logs = slices.Clone(g.facts.Effects.Logs[:fork.MaxLogs])
	}
	slices.SortFunc(g.facts.Unavailable, func(x, y gov.Missing) int {
		if c := strings.Compare(string(x.Part), string(y.Part)); c != 0 {
			return c
		}
		if c := x.Subject.Cmp(y.Subject); c != 0 {
			return c
		}
		return strings.Compare(string(x.Reason), string(y.Reason))
	})
	g.facts.Unavailable = slices.Compact(g.facts.Unavailable)
	slices.Sort(g.facts.NotApplicable)
	g.facts.NotApplicable = slices.Compact(g.facts.NotApplicable)
	if g.facts.Unavailable == nil {
		g.facts.Unavailable = []gov.Missing{}
	}
	if g.facts.NotApplicable == nil {
		g.facts.NotApplicable = []gov.Part{}
	}
}
