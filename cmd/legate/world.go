package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
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
	panels  map[gov.ChainID]*quorum.Panel // over the clients
	watched map[gov.ProposalID]*watched   // by chain and governor; the number is zero
	voter   gov.Address                   // the voting key, zero where there is none
	holder  func(gov.Label) gov.Holder
	history facts.History
	reads   func(gov.Label) bool // whether a policy at this governor reads the outlook; nil: none does

	mu    sync.Mutex
	heads map[gov.ProposalID]quorum.Agreed[gov.Head] // by chain and governor
	stuck map[gov.ChainID]bool                       // whose finality stands still, said once
	// watchers follow the chains; doubts are what was noticed of their endpoints.
	watchers map[gov.ChainID]*chains.Watcher
	doubts   map[gov.ChainID]*doubts
	alarm    func(severity gov.Severity, what string, why error) // tells people; nil: the log only
}

// watched is one governor with what the operator says of it.
type watched struct {
	conf     GovernorConfig
	governor governor.Governor
	client   *rpc.Client   // for what decides nothing
	panel    *quorum.Panel // for all else
	book     *book.Book
	prices   facts.Prices
	caps     gov.Caps
	former   []gov.Address // timelocks and executors that it had while this program ran
	files    []file        // book and prices, as they were read
}

// openWorld dials every chain, finds out what every governor is, and reads the operator's tables.
func openWorld(ctx context.Context, c Config, log *slog.Logger) (*world, error) {
	w := &world{conf: c, log: log, clients: map[gov.ChainID]*rpc.Client{}, panels: map[gov.ChainID]*quorum.Panel{}, watched: map[gov.ProposalID]*watched{},
		heads: map[gov.ProposalID]quorum.Agreed[gov.Head]{}, watchers: map[gov.ChainID]*chains.Watcher{}, doubts: map[gov.ChainID]*doubts{},
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
	w.add(gov.ChainID(conf.ChainID), client)
	return nil
}

// add takes a client of a chain, with the panel of its endpoints.
func (w *world) add(chain gov.ChainID, client *rpc.Client) {
	w.clients[chain], w.panels[chain] = client, quorum.Of(client, w.log)
	w.doubts[chain] = &doubts{now: time.Now, tell: w.tell, of: map[string]map[ailment]*doubt{}}
	w.panels[chain].Watch(w.doubts[chain].notice)
}

// tell says something that needs a person: through the channels where they are open, and in the log.
func (w *world) tell(severity gov.Severity, what string, why error) {
	w.mu.Lock()
	alarm := w.alarm
	w.mu.Unlock()
	if alarm == nil {
		w.log.Error(what, "error", why)
		return
	}
	alarm(severity, what, why)
}

// onAlarm sets how people are told.
func (w *world) onAlarm(alarm func(severity gov.Severity, what string, why error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alarm = alarm
}

// headOf is the newest block that enough endpoints agree on.
func headOf(ctx context.Context, p *quorum.Panel) (quorum.Agreed[rpc.Header], error) {
	return quorum.Highest(ctx, p, func(ctx context.Context, c rpc.Caller) (rpc.Header, error) { return rpc.HeaderByTag(ctx, c, "latest") })
}

// detected is what one endpoint says of a governor, or why it is none.
type detected struct {
	is  governor.Governor
	why error
}

// detect finds out what a governor is at the newest block, as enough endpoints say alike; that it is none is an answer
// too.
func detect(ctx context.Context, p *quorum.Panel, address gov.Address) (quorum.Agreed[governor.Governor], error) {
	head, err := headOf(ctx, p)
	if err != nil {
		return quorum.Agreed[governor.Governor]{}, err
	}
	type key struct {
		is   governor.Identity
		none bool
	}
	got, err := quorum.AskBy(ctx, p, func(d detected) key { return key{d.is.Identity(), d.why != nil} }, func(ctx context.Context, c rpc.Caller) (detected, error) {
		is, err := governor.Detect(ctx, c, address, head.Value().Hash)
		if errors.Is(err, governor.ErrUnknown) || errors.Is(err, governor.ErrUnproven) {
			return detected{why: err}, nil
		}
		return detected{is: is}, err
	})
	if err != nil {
		return quorum.Agreed[governor.Governor]{}, err
	}
	if why := got.Value().why; why != nil {
		return quorum.Agreed[governor.Governor]{}, why
	}
	return quorum.Map(got, func(d detected) governor.Governor { return d.is }), nil
}

// watch finds out what a governor is by asking the chain, and reads its tables.
func (w *world) watch(ctx context.Context, conf GovernorConfig) error {
	id := gov.ProposalID{Chain: gov.ChainID(conf.Address.Chain.ID()), Governor: gov.Address(conf.Address.Address.Address)}
	client := w.clients[id.Chain]
	if client == nil {
		return fmt.Errorf("chain %s is not among chains", conf.Address.Chain)
	}
	g := &watched{conf: conf, client: client, panel: w.panels[id.Chain], caps: w.conf.caps()}
	is, err := detect(ctx, g.panel, id.Governor)
	if err != nil {
		return err
	}
	g.governor = is.Value()
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
	w.mu.Lock()
	g := w.watched[id]
	w.mu.Unlock()
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
			if g, err := w.of(id); err == nil {
				out = append(out, g)
			}
		}
	}
	return out
}

// contract is a governor of a chain as it is now.
func (w *world) contract(chain gov.ChainID, address gov.Address) (governor.Governor, bool) {
	g, err := w.of(gov.ProposalID{Chain: chain, Governor: address})
	if err != nil {
		return governor.Governor{}, false
	}
	return g.governor, true
}

// Gather reads the facts of a proposal at one block hash from as many sources as must agree, each by
// itself, and takes what they give alike. Too few alike is a disagreement.
func (w *world) Gather(ctx context.Context, p gov.Proposal, at gov.Block) (quorum.Agreed[dossier.Gathered], error) {
	var none quorum.Agreed[dossier.Gathered]
	g, err := w.of(p.ID)
	if err != nil {
		return none, err
	}
	got, err := quorum.AskBy(ctx, g.panel, told.key, func(ctx context.Context, c rpc.Caller) (told, error) {
		return w.gatherFrom(ctx, g, c, p, at)
	})
	switch {
	case ctx.Err() != nil:
		return none, cmp.Or(err, ctx.Err())
	case rpc.Classify(err) == rpc.Disagreement:
		w.log.Error("the endpoints disagree about the facts", "proposal", p.ID.String(), "error", err)
		return none, fmt.Errorf("%w: %w", agent.ErrDisagree, err)
	case err != nil:
		return none, fmt.Errorf("%w: %w", agent.ErrUnread, err)
	}
	if differ := got.Agreement().Minority; len(differ) > 0 {
		w.log.Error("an endpoint tells other facts than the rest", "proposal", p.ID.String(), "hosts", differ)
	}
	w.judge(p.ID, g, got, at)
	return quorum.Map(got, func(t told) dossier.Gathered { return t.Gathered }), nil
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
	d.Treasury = append(d.Treasury, g.former...)
	for _, a := range g.conf.Tokens {
		d.Tokens = append(d.Tokens, gov.Address(a.Address))
	}
	return d
}

// Standing is a proposal's state and deadline at the newest block, as many sources as must agree say so: one that lies
// must not end a vote.
func (w *world) Standing(ctx context.Context, p gov.Proposal) (quorum.Agreed[agent.Standing], error) {
	var none quorum.Agreed[agent.Standing]
	g, err := w.of(p.ID)
	if err != nil {
		return none, err
	}
	head, err := headOf(ctx, g.panel)
	if err != nil {
		return none, err
	}
	at := head.Value().Hash
	return quorum.Ask(ctx, g.panel, func(ctx context.Context, c rpc.Caller) (s agent.Standing, err error) {
		if s.State, err = g.governor.State(ctx, c, p.ID.Number, at); err != nil {
			return s, err
		}
		s.Ends, err = g.governor.Deadline(ctx, c, p.ID.Number, at)
		return s, err
	})
}

// Same reports whether the chain still holds the content that was judged, as many sources as must agree say so.
func (w *world) Same(ctx context.Context, p gov.Proposal, at gov.Block) (quorum.Agreed[bool], error) {
	g, err := w.of(p.ID)
	if err != nil {
		return quorum.Agreed[bool]{}, err
	}
	return quorum.Ask(ctx, g.panel, func(ctx context.Context, c rpc.Caller) (bool, error) {
		err := g.governor.Same(ctx, c, p, at)
		if errors.Is(err, governor.ErrOtherContent) {
			w.log.Warn("other content than was judged", "proposal", p.ID.String(), "error", err)
			return false, nil
		}
		return err == nil, err
	})
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
		p.world.keepHeads(p.Chain(), p.Heads())
		p.world.watchFinality(p.Chain(), b.Heads)
		p.world.doubts[p.Chain()].examine(p.world.clients[p.Chain()].Health())
	}
	return b, err
}

func (w *world) keepHeads(chain gov.ChainID, heads map[gov.Address]quorum.Agreed[gov.Head]) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for a, h := range heads {
		w.heads[gov.ProposalID{Chain: chain, Governor: a}] = h
	}
}

// Head is the head for one governor as the last poll saw it: the one that made the step due.
func (w *world) Head(_ context.Context, id gov.ProposalID) (quorum.Agreed[gov.Head], error) {
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
		c := chains.Config{Client: chains.NewClient(w.panels[id], client.Finality(), client.SubscribeHeads), Log: w.log}
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
		w.watchers[id] = watcher
		out = append(out, poller{watcher, w})
	}
	slices.SortFunc(out, func(a, b jobs.Poller) int { return cmp.Compare(a.Chain(), b.Chain()) })
	return out, nil
}

// Forecast says how a vote may end, from the past on which enough endpoints agree: it decides nothing, but a hold_if may
// read it, so that one endpoint's word would hold a For.
func (w *world) Forecast(ctx context.Context, p gov.Proposal, at gov.Block) (gov.Forecast, error) {
	g, err := w.of(p.ID)
	if err != nil {
		return gov.Forecast{}, err
	}
	key := func(h gov.History) gov.Digest {
		d, _ := gov.DigestOf(h) // a past is numbers and addresses, which can always be written
		return d
	}
	past, err := quorum.AskBy(ctx, g.panel, key, func(ctx context.Context, c rpc.Caller) (gov.History, error) {
		return chains.History(ctx, c, g.governor, g.conf.FromBlock, p, at)
	})
	if err != nil {
		return gov.Forecast{}, fmt.Errorf("read the past votes: %w", err)
	}
	return forecastOn(ctx, past.Value(), p, at, fit.Paths)
}
