package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
	"github.com/legate-dao/legate/simulators/fit"
)

// world is what a configuration points at: the chains, the governors as they really are, and the
// operator's tables. It decides nothing.
type world struct {
	conf    Config
	log     *slog.Logger
	clients map[gov.ChainID]*rpc.Client
	watched map[gov.ProposalID]*watched // by chain and governor; the number is zero
	voter   gov.Address                 // the voting key, zero where there is none
	holder  func(gov.Label) gov.Holder
	history facts.History
	reads   func(gov.Label) bool // whether a policy at this governor reads the outlook; nil: none does

	mu    sync.Mutex
	heads map[gov.ProposalID]gov.Head // by chain and governor
	stuck map[gov.ChainID]bool        // whose finality stands still, said once
}

// watched is one governor with what the operator says of it.
type watched struct {
	conf     GovernorConfig
	governor governor.Governor
	client   *rpc.Client
	book     *book.Book
	prices   facts.Prices
	caps     gov.Caps
	files    []file // book and prices, as they were read
}

// openWorld dials every chain, finds out what every governor is, and reads the operator's tables.
func openWorld(ctx context.Context, c Config, log *slog.Logger) (*world, error) {
	w := &world{conf: c, log: log, clients: map[gov.ChainID]*rpc.Client{}, watched: map[gov.ProposalID]*watched{}, heads: map[gov.ProposalID]gov.Head{},
		holder: func(gov.Label) gov.Holder { return gov.Holder{} }}
	for name := range c.Chains {
		if err := w.dial(ctx, name); err != nil {
			w.close()
			return nil, err
		}
	}
	for _, g := range c.Governors {
		if err := w.watch(ctx, g); err != nil {
			w.close()
			return nil, fmt.Errorf("governor %s: %w", g.Name, err)
		}
	}
	return w, nil
}

func (w *world) close() {
	for _, c := range w.clients {
		c.Close()
	}
}

func (w *world) dial(ctx context.Context, name string) error {
	conf, err := w.conf.rpcConfig(name)
	if err != nil {
		return err
	}
	conf.Log = w.log
	client, err := rpc.Dial(ctx, conf)
	if err != nil {
		return fmt.Errorf("chain %s: %w", name, err)
	}
	w.clients[gov.ChainID(conf.ChainID)] = client
	return nil
}

// watch finds out what a governor is by asking the chain, and reads its tables.
func (w *world) watch(ctx context.Context, conf GovernorConfig) error {
	id := gov.ProposalID{Chain: gov.ChainID(conf.Address.Chain.ID()), Governor: gov.Address(conf.Address.Address.Address)}
	client := w.clients[id.Chain]
	if client == nil {
		return fmt.Errorf("chain %s is not among chains", conf.Address.Chain)
	}
	head, err := client.Latest(ctx)
	if err != nil {
		return err
	}
	g := &watched{conf: conf, client: client, caps: w.conf.caps()}
	if g.governor, err = governor.Detect(ctx, client, id.Governor, head.Hash); err != nil {
		return err
	}
	g.governor.Chain, g.governor.Name = id.Chain, gov.Label(conf.Name)
	// noted first: what is written while it is read counts as changed
	g.files = w.conf.filesOf(conf)
	if g.book, err = readBook(w.conf.file(conf.Book)); err != nil {
		return err
	}
	if g.prices, err = readPrices(w.conf.file(conf.Prices)); err != nil {
		return err
	}
	w.watched[id] = g
	return nil
}

// readBook reads a book.yaml; an empty path is an empty book.
func readBook(path string) (*book.Book, error) {
	if path == "" {
		return book.Of(), nil
	}
	text, err := readBounded(path, strict.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("read the book: %w", err)
	}
	return parseBook(path, text)
}

// readPrices reads a prices.csv; an empty path knows no price.
func readPrices(path string) (facts.Prices, error) {
	if path == "" {
		return facts.Prices{}, nil
	}
	text, err := readBounded(path, facts.MaxPrices+1)
	if err != nil {
		return facts.Prices{}, fmt.Errorf("read the prices: %w", err)
	}
	return facts.ParsePrices(path, string(text))
}

// of is the governor of a proposal.
func (w *world) of(id gov.ProposalID) (*watched, error) {
	id.Number = gov.Amount{}
	g := w.watched[id]
	if g == nil {
		return nil, fmt.Errorf("governor %s is not among governors in %s", id.Governor, w.conf.path)
	}
	return g, nil
}

// governors lists the watched governors of a chain, in the order of the file.
func (w *world) governors(chain gov.ChainID) (out []*watched) {
	for _, c := range w.conf.Governors {
		id := gov.ProposalID{Chain: gov.ChainID(c.Address.Chain.ID()), Governor: gov.Address(c.Address.Address.Address)}
		if id.Chain == chain {
			out = append(out, w.watched[id])
		}
	}
	return out
}

// Gather reads the facts of a proposal at one block hash from as many sources as must agree, each by
// itself, and takes what they give alike. A minority is alarmed; too few alike is a disagreement, which
// leaves the facts unavailable.
func (w *world) Gather(ctx context.Context, p gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	g, err := w.of(p.ID)
	if err != nil {
		return dossier.Gathered{}, err
	}
	digest := func(x dossier.Gathered) gov.Digest { return x.Digest }
	got, agreement, err := rpc.AgreeBy(ctx, g.client, g.client.Need(), digest, func(ctx context.Context, c rpc.Caller) (dossier.Gathered, error) {
		return w.gatherFrom(ctx, g, c, p, at)
	})
	if len(agreement.Minority) > 0 {
		w.log.Error("an endpoint tells other facts than the rest", "proposal", p.ID.String(), "hosts", agreement.Minority)
	}
	if errors.Is(err, rpc.ErrDisagreement) {
		w.log.Error("the endpoints disagree about the facts", "proposal", p.ID.String(), "error", err)
		return dossier.Gathered{Facts: gov.Facts{At: at, Unavailable: []gov.Missing{{Part: "facts", Reason: gov.Disagreement, Subject: p.ID.Governor}}}}, nil
	}
	if err != nil {
		return got, err
	}
	got.Facts.Sources = agreement.Same
	return got, nil
}

func (w *world) gatherFrom(ctx context.Context, g *watched, c rpc.Caller, p gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	return gatherWith(ctx, w.deps(g, c), p, at)
}

// gatherWith gathers and computes the digest.
func gatherWith(ctx context.Context, deps facts.Deps, p gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	got, err := facts.Gather(ctx, deps, p, at)
	if err != nil {
		return dossier.Gathered{}, err
	}
	out := dossier.Gathered{Facts: got.Facts, Context: got.Context, Shown: got.Shown}
	out.Digest, err = out.Facts.Digest()
	return out, err
}

// deps is what a gathering reads from, through one caller.
func (w *world) deps(g *watched, c rpc.Caller) facts.Deps {
	d := facts.Deps{
		Caller: c, Governor: g.governor, Book: g.book, Prices: g.prices, Caps: g.caps,
		Runner: fork.New(c, fork.Config{ChainID: g.governor.Chain, Log: w.log}),
		Voter:  w.voter, Holder: w.holder(g.governor.Name).Account, History: w.history, Sources: 1,
	}
	for _, a := range g.conf.Treasury {
		d.Treasury = append(d.Treasury, gov.Address(a.Address))
	}
	for _, a := range g.conf.Tokens {
		d.Tokens = append(d.Tokens, gov.Address(a.Address))
	}
	return d
}

// Standing is a proposal's state and deadline at the newest block, as many sources as must agree say so: one that lies
// must not end a vote.
func (w *world) Standing(ctx context.Context, p gov.Proposal) (gov.State, gov.Clocks, error) {
	g, err := w.of(p.ID)
	if err != nil {
		return "", 0, err
	}
	type standing struct {
		state gov.State
		ends  gov.Clocks
	}
	s, _, err := rpc.Agree(ctx, g.client, g.client.Need(), func(ctx context.Context, c rpc.Caller) (s standing, err error) {
		head, err := rpc.HeaderByTag(ctx, c, "latest")
		if err != nil {
			return s, err
		}
		if s.state, err = g.governor.State(ctx, c, p.ID.Number, head.Hash); err != nil {
			return s, err
		}
		s.ends, err = g.governor.Deadline(ctx, c, p.ID.Number, head.Hash)
		return s, err
	})
	return s.state, s.ends, err
}

// Same says whether the chain still holds the content that was judged, as many sources as must agree say so.
func (w *world) Same(ctx context.Context, p gov.Proposal, at gov.Block) error {
	g, err := w.of(p.ID)
	if err != nil {
		return err
	}
	_, _, err = rpc.Agree(ctx, g.client, g.client.Need(), func(ctx context.Context, c rpc.Caller) (bool, error) {
		return true, g.governor.Same(ctx, c, p, at)
	})
	return err
}

// voice is the policies as the agent asks them.
type voice struct {
	set    *policies.Set
	live   bool
	maxAge int64
}

// Holder is who speaks at a governor, the first of several: one policy speaks for all, since one key casts one vote
// (policies.ParseWith sees to that), and pre-flight looks at each.
func (v voice) Holder(name gov.Label) (gov.Holder, error) {
	of := v.set.HoldersOf(name)
	if len(of) == 0 {
		return gov.Holder{}, fmt.Errorf("no holder in the policies has %s among its governors", name)
	}
	return of[0].Holder, nil
}

// check finds governors without a holder, and holders on other chains.
func (v voice) check(c Config) error {
	var errs []error
	for _, g := range c.Governors {
		of := v.set.HoldersOf(gov.Label(g.Name))
		if len(of) == 0 {
			errs = append(errs, fmt.Errorf("%s: no holder has %s among its governors", c.file(c.Policies), g.Name))
			continue
		}
		for _, h := range of {
			if uint64(h.Chain) != g.Address.Chain.ID() {
				errs = append(errs, fmt.Errorf("%s: the account of %s is on %s, governor %s on %s", c.file(c.Policies), h.Name, h.Chain, g.Name, g.Address.Chain))
			}
		}
	}
	return errors.Join(errs...)
}

func (v voice) Decide(c gov.Case) gov.Verdict { return v.set.Decide(c) }

// margin is how long before the close, in seconds, a vote is no longer signed: three blocks.
const margin = 36

// Plan is when a verdict is cast. A rule's own wait wins over the file's.
func (v voice) Plan(h gov.Holder, verdict gov.Verdict) dossier.Plan {
	plan := dossier.Plan{MaxAge: v.maxAge, Margin: margin, Live: v.live}
	p, ok := v.set.Policy(h.Name)
	if !ok {
		return plan
	}
	wait := p.Timing.Wait
	if r, ok := p.Rule(verdict.Rule); ok {
		wait = r.Wait
	}
	plan.Wait, plan.Latest, plan.VoteShort = int64(wait.Seconds()), int64(p.Timing.Latest.Seconds()), p.Timing.VoteIfTooShort
	plan.OnTimeout, _ = p.OnTimeout.Direction()
	plan.Forecast = p.ReadsForecast()
	return plan
}

// poller follows a chain and remembers its governors' heads for the agent.
type poller struct {
	*chains.Watcher
	world *world
}

// Poll is the watcher's, with its heads kept.
func (p poller) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	b, err := p.Watcher.Poll(ctx, from, recent)
	if err == nil {
		p.world.keepHeads(p.Chain(), b.Heads)
		p.world.watchFinality(p.Chain(), b.Heads)
	}
	return b, err
}

func (w *world) keepHeads(chain gov.ChainID, heads map[gov.Address]gov.Head) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for a, h := range heads {
		w.heads[gov.ProposalID{Chain: chain, Governor: a}] = h
	}
}

// Head is the head for one governor as the last poll saw it: the one that made the step due.
func (w *world) Head(_ context.Context, id gov.ProposalID) (gov.Head, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	id.Number = gov.Amount{}
	h, ok := w.heads[id]
	if !ok {
		return h, fmt.Errorf("no head of governor %s has been seen yet", id.Governor)
	}
	return h, nil
}

// pollers follow every chain of the configuration.
func (w *world) pollers() (out []jobs.Poller, err error) {
	for id, client := range w.clients {
		c := chains.Config{Client: chains.Over(client), Log: w.log}
		for _, g := range w.governors(id) {
			c.Governors = append(c.Governors, chains.Watched{Governor: g.governor, FromBlock: g.conf.FromBlock})
		}
		if len(c.Governors) == 0 {
			continue
		}
		watcher, err := chains.New(c)
		if err != nil {
			return nil, fmt.Errorf("follow %s: %w", id, err)
		}
		out = append(out, poller{watcher, w})
	}
	slices.SortFunc(out, func(a, b jobs.Poller) int { return cmp.Compare(a.Chain(), b.Chain()) })
	return out, nil
}

// Forecast says how a vote may end, from what one source tells of the governor's past: it decides nothing.
func (w *world) Forecast(ctx context.Context, p gov.Proposal, at gov.Block) (gov.Forecast, error) {
	g, err := w.of(p.ID)
	if err != nil {
		return gov.Forecast{}, err
	}
	f, _, err := forecastAt(ctx, g.client, g.governor, g.conf.FromBlock, p, at, fit.Paths)
	return f, err
}
