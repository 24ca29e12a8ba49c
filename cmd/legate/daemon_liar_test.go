package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
)

// The moments of a daemon's life in which an endpoint may lie. The driver of the chain says which it is: nothing moves
// on before the daemon has done what the moment is for.
const (
	starting   = "start"      // until the head is known
	watching   = "watching"   // from the creation of the proposals until both are seen
	gathering  = "gathering"  // until both are decided, on facts of a final block
	deciding   = "deciding"   // while nothing is due: until voting opens, and again until the wait of the For is over
	planning   = "planning"   // from when a vote is due until it is sent
	confirming = "confirming" // until it is final
)

var moments = []string{starting, watching, gathering, deciding, planning, confirming}

// stage is a chain with a DAO behind three endpoints, two of which must agree, that is put back for each life of a
// daemon. Each endpoint can lie.
type stage struct {
	*site
	node   *devchain.Chain
	liars  [3]*chaintest.Liar
	home   *home
	before uint64 // snapshot
	clock  devchain.Clock
	honest outcome // of a life in which nobody lies
}

// The periods of a stage, in blocks of twelve seconds.
const (
	stageDelay    = 14
	stagePeriod   = 110
	stageFinality = 3
	stageWait     = 40 // of a For
	finalEvery    = 16 // how many blocks pass before the watcher asks for the final one again
	stageHaste    = 36 // seconds: how far the daemon's head may be behind when it decides
	stageSlack    = 10 // how much later than the honest run a vote may be: a block passes while the daemon waits for two seconds
)

// newStage deploys a DAO of a flavour, writes the operator's files, and lives an honest life, which must end well.
func newStage(t *testing.T, flavour devchain.Flavour) *stage {
	t.Helper()
	node := may(devchain.Start(devchain.Config{SafeLag: stageFinality, FinalityLag: stageFinality, GenesisTime: time.Now().Add(-6 * time.Hour)}))(t)
	t.Cleanup(func() { node.Close() })
	s := &stage{node: node, site: &site{t: t, url: node.HTTP(), daos: map[string]*devchain.DAO{}, names: []string{"harbor"}, proposed: map[string]int{}}}
	s.deployer = may(node.Session(t.Context(), accountDeployer))(t)
	t.Cleanup(s.deployer.Close)
	s.chain = gov.ChainID(node.ChainID().Uint64())
	unit := uint64(1)
	if flavour == devchain.OZ5Time {
		unit = 12
	}
	s.daos["harbor"] = may(devchain.DeployDAO(t.Context(), s.deployer, devchain.DAOConfig{
		Flavour: flavour, Name: "Harbor", Symbol: "HRB", VotingDelay: stageDelay * unit, VotingPeriod: stagePeriod * unit, LateExtension: 5 * unit,
	}))(t)
	s.clock = s.daos["harbor"].Clock
	s.delegate("harbor")
	must(t, node.Mine(t.Context(), 450)) // so that there is a past for stale answers
	var urls []string
	for i := range s.liars {
		s.liars[i] = chaintest.NewLiar(t, node.HTTP())
		urls = append(urls, s.liars[i].URL())
	}
	s.home = newHome(t, s.site, setup{rpc: urls, agree: 2, edit: func(files map[string]string) {
		for _, r := range []struct{ file, old, now string }{
			{"legate.yaml", "    finality: 2\n", "    finality: finalized\n"},
			{"legate.yaml", s.ws(), node.WS()}, // wakes the daemon; what it says is not believed
			{"legate.yaml", "log: {format: json}", "log: {format: json, level: warn}"},
			{"legate.yaml", "  approvers:", "  max_age: 24h\n  approvers:"},
			{"policies.yaml", "      - name: small-grant\n", fmt.Sprintf("      - name: small-grant\n        wait: %ds\n", stageWait*12)},
		} {
			if !strings.Contains(files[r.file], r.old) {
				t.Fatalf("%s has no %q any more: adapt the test", r.file, r.old)
			}
			files[r.file] = strings.Replace(files[r.file], r.old, r.now, 1)
		}
	}})
	s.remember()
	s.honest = s.live(nil)
	if bad := s.honest.wrong(s.honest); bad != "" || len(s.honest.named) > 0 {
		t.Fatalf("the honest life: %s; named %v; %s", bad, s.honest.named, s.honest.story)
	}
	return s
}

func (s *stage) remember() {
	var id string
	must(s.t, s.deployer.RPC.CallContext(s.t.Context(), &id, "evm_snapshot"))
	_, err := fmt.Sscanf(id, "0x%x", &s.before)
	must(s.t, err)
}

// reset puts the chain and the folder back to what they were before the first life.
func (s *stage) reset() {
	s.t.Helper()
	var done bool
	must(s.t, s.deployer.RPC.CallContext(s.t.Context(), &done, "evm_revert", s.before))
	if !done {
		s.t.Fatal("the chain does not go back")
	}
	s.remember()
	for _, name := range []string{"legate.db", "legate.db-wal", "legate.db-shm", "ledger"} {
		must(s.t, os.RemoveAll(s.home.path(name)))
	}
	for _, l := range s.liars {
		l.Honest()
	}
	s.proposed = map[string]int{}
}

// life is one daemon on a stage, from its start to the final votes on two proposals: one that deserves an Against, and an
// honest one, for which it waits.
type life struct {
	*stage
	engine *engine
	log    *output
	done   chan error
	stop   context.CancelFunc

	mu      sync.Mutex
	records map[gov.ProposalID][]string
	changed chan struct{}

	bad          devchain.Action // what deserves the Against
	started      func()          // done when the daemon runs; may be nil
	against      bool            // the life ends with the Against
	drain, grant motion
	began        time.Time
	notes        []string
	decided      uint64 // the chain's time when the grant was decided first
	early        bool   // the For was bound before its wait was over
	stuck        string // what did not come
}

// outcome is what became of the two votes, read from the chain. Blocks count from the creation of the first proposal.
type outcome struct {
	against, forth ballotSeen
	stuck          string
	early          bool
	named          []string // hosts that the log or the status names
	told           int
	asked          map[chaintest.Asked]bool
	took           time.Duration
	story, log     string
}

type ballotSeen struct {
	casts   int
	support uint8
	after   uint64
}

// live runs one life. whatever is set up in before is done with the chain put back and no daemon.
func (s *stage) live(before func(*life)) (out outcome) {
	s.t.Helper()
	began := time.Now()
	s.reset()
	l := &life{stage: s, log: &output{}, records: map[gov.ProposalID][]string{}, changed: make(chan struct{}, 1), done: make(chan error, 1), began: began, bad: s.site.drain("harbor")}
	if before != nil {
		before(l)
	}
	l.run()
	out = l.outcome()
	out.took = time.Since(began)
	return out
}

// at says which moment it is.
func (l *life) at(moment string) {
	l.note(moment)
	for _, e := range l.liars {
		e.At(moment)
	}
}

// note adds to the story of the life, told where something is wrong.
func (l *life) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notes = append(l.notes, fmt.Sprintf("%.1f %s", time.Since(l.began).Seconds(), what))
}

// run drives the chain through the moments.
func (l *life) run() {
	l.t.Helper()
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	l.at(starting)
	if !l.start(ctx) {
		return
	}
	defer l.end()

	if l.started != nil {
		l.started()
	}
	l.at(watching)
	drain, grant := l.propose("harbor", "Maintenance", l.bad), l.propose("harbor", "A grant", l.site.grant("harbor"))
	l.mu.Lock()
	l.drain, l.grant = drain, grant
	l.mu.Unlock()
	if !l.wait("the proposals are seen", 20, func() bool { return l.has(l.drain, "WasSeen") && l.has(l.grant, "WasSeen") }) {
		return
	}
	l.at(gathering)
	if l.clock == devchain.ClockBlocks { // an hour passes, so that a time that is put back shows
		must(l.t, l.node.Advance(l.t.Context(), time.Hour))
	}
	l.mine(stageFinality)
	if !l.wait("the proposals are decided", 20, func() bool { return l.has(l.drain, "WasDecided") && l.has(l.grant, "WasDecided") }) {
		return
	}
	l.at(deciding)
	l.mineTo(l.drain.Receipt.BlockNumber.Uint64() + stageDelay)
	l.settle()
	l.at(planning)
	l.mine(2) // voting on both is open
	if !l.wait("the Against is sent", 40, func() bool { return l.has(l.drain, "WasSent") }) {
		return
	}
	if !l.confirm(l.drain, "the Against") || l.against {
		return
	}
	l.at(deciding)
	l.settle()
	due := l.due()
	for l.height() < due-1 {
		l.mine(min(20, due-1-l.height()))
		l.settle()
	}
	l.at(planning)
	l.mine(2)
	if !l.wait("the For is sent", 40, func() bool { return l.has(l.grant, "WasSent") }) {
		return
	}
	l.confirm(l.grant, "the For")
}

// confirm mines until a sent vote is final.
func (l *life) confirm(m motion, what string) bool {
	l.at(confirming)
	l.mine(1)
	if !l.wait(what+" is mined", 20, func() bool { return l.has(m, "WasMined") || l.has(m, "WasFinal") }) {
		return false
	}
	l.mine(stageFinality + finalEvery)
	return l.wait(what+" is final", 20, func() bool { return l.has(m, "WasFinal") })
}

// due is the block in which the wait of the For is over, counted from when it was decided.
func (l *life) due() uint64 {
	head := may(l.node.Head(l.t.Context()))(l.t)
	l.mu.Lock()
	defer l.mu.Unlock()
	due := l.decided + stageWait*12
	if due <= head.Time {
		return head.Number.Uint64()
	}
	return head.Number.Uint64() + (due-head.Time)/12
}

// start opens the engine as `legate run --live` does. It may take long, but not for ever.
func (l *life) start(ctx context.Context) bool {
	conf := may(readConfig(l.home.path("legate.yaml")))(l.t)
	log := slog.New(slog.NewJSONHandler(l.log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	ctx, l.stop = context.WithCancel(ctx)
	type opened struct {
		e   *engine
		err error
	}
	ready := make(chan opened, 1)
	go func() {
		e, err := openEngine(ctx, conf, engineConfig{log: log, live: true, fetch: 50 * time.Millisecond, observe: l.observe, out: l.log})
		ready <- opened{e, err}
	}()
	select {
	case o := <-ready:
		if o.err != nil {
			l.stuck = fmt.Sprintf("the daemon does not start: %v", o.err)
			return false
		}
		l.engine = o.e
	case <-time.After(90 * time.Second):
		l.stop()
		<-ready
		l.stuck = "the daemon does not start within 90 s"
		return false
	}
	go func() { l.done <- l.engine.run(ctx) }()
	if !l.wait("the head is known", 20, func() bool { return l.caughtUp() }) {
		l.end()
		return false
	}
	return true
}

// end stops the daemon.
func (l *life) end() {
	l.stop()
	if err := <-l.done; err != nil {
		l.t.Errorf("the daemon ended with %v", err)
	}
	if err := l.engine.close(); err != nil {
		l.t.Errorf("close: %v", err)
	}
}

// observe takes a record of the daemon.
func (l *life) observe(r dossier.Record, d dossier.Dossier) {
	now := may(l.node.Head(context.Background()))(l.t).Time // by the chain itself: what the daemon has on record may be a lie
	l.mu.Lock()
	if d.ID() == l.grant.id {
		switch {
		case r.Type == "WasDecided" && l.decided == 0:
			l.decided = now
		case r.Type == "WasLocked" && now+stageHaste < l.decided+12*stageWait:
			l.early = true
		}
	}
	l.notes = append(l.notes, fmt.Sprintf("%.1f %s %s", time.Since(l.began).Seconds(), d.ID().Number.String()[:3], r.Type))
	l.records[d.ID()] = append(l.records[d.ID()], r.Type)
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// has reports whether a proposal has a record of a type.
func (l *life) has(m motion, kind string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.records[m.id], kind)
}

// caughtUp reports whether the daemon knows the newest block.
func (l *life) caughtUp() bool {
	id := gov.ProposalID{Chain: l.chain, Governor: gov.Address(l.daos["harbor"].Governor)}
	h, err := l.engine.world.Head(l.t.Context(), id)
	return err == nil && h.Value().Latest.Number >= l.height()
}

// pace is how long the daemon may do nothing before a block passes.
const pace = 2 * time.Second

// wait lets the daemon work until something is so; at most so many blocks pass meanwhile.
func (l *life) wait(what string, blocks int, ok func() bool) bool {
	next := time.Now().Add(pace)
	for {
		if ok() {
			return true
		}
		if time.Now().After(next) {
			l.note("a block passes")
			if blocks--; blocks < 0 {
				l.stuck = what + ": it did not come"
				return false
			}
			l.mine(1)
			next = time.Now().Add(pace)
		}
		select {
		case <-l.changed:
		case <-time.After(5 * time.Millisecond):
		case <-l.t.Context().Done():
			return false
		}
	}
}

// settle lets the daemon see the newest block and do all that it owes by then, such as a vote that is not due. It is
// bounded: where an endpoint is slow, time goes on.
func (l *life) settle() {
	for end := time.Now().Add(pace); !l.idle() && time.Now().Before(end); {
		pause(l.t.Context(), 10*time.Millisecond)
	}
}

// idle reports whether the daemon knows the newest block and owes nothing but briefs and forecasts.
func (l *life) idle() bool {
	if !l.caughtUp() {
		return false
	}
	for _, m := range []motion{l.drain, l.grant} {
		d, err := l.engine.db.Load(l.t.Context(), m.id)
		if err != nil {
			return false
		}
		head, err := l.engine.world.Head(l.t.Context(), m.id)
		if err != nil || slices.ContainsFunc(dossier.Next(d, head.Value()), func(s dossier.Step) bool { return s.Kind != dossier.Write && s.Kind != dossier.Foretell }) {
			return false
		}
	}
	return true
}

func (l *life) mineTo(height uint64) {
	if at := l.height(); at < height {
		l.mine(height - at)
	}
}

// mine adds blocks.
func (s *stage) mine(n uint64) {
	s.t.Helper()
	must(s.t, s.node.Mine(s.t.Context(), int(n)))
}

// height is the number of the newest block.
func (s *stage) height() uint64 {
	s.t.Helper()
	return may(s.node.Head(s.t.Context()))(s.t).Number.Uint64()
}

// outcome reads the end of a life from the chain.
func (l *life) outcome() outcome {
	o := outcome{stuck: l.stuck, early: l.early, story: strings.Join(l.notes, ", "), log: l.log.String()}
	see := func(m motion) (b ballotSeen) {
		if m.Proposal == nil {
			return b
		}
		casts := l.casts(m, devchain.Address(accountVoter))
		b.casts = len(casts)
		if len(casts) > 0 {
			b.support, b.after = casts[0].support, casts[0].block-l.drain.Receipt.BlockNumber.Uint64()
		}
		return b
	}
	o.against, o.forth = see(l.drain), see(l.grant)
	o.asked = map[chaintest.Asked]bool{}
	for _, e := range l.liars {
		o.told += e.Told()
		for a := range e.Asked() {
			o.asked[a] = true
		}
		for line := range strings.Lines(l.log.String()) {
			if strings.Contains(line, e.Host()) {
				o.named = append(o.named, e.Host())
				break
			}
		}
	}
	return o
}

// wrong says what is wrong with an outcome, measured by the honest one; empty where nothing is.
func (o outcome) wrong(honest outcome) string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if o.stuck != "" {
		say("%s", o.stuck)
	}
	for _, b := range []struct {
		name      string
		is, ought ballotSeen
		support   devchain.Support
	}{{"against", o.against, honest.against, devchain.Against}, {"for", o.forth, honest.forth, devchain.For}} {
		switch {
		case b.is.casts == 0:
			say("%s lost", b.name)
		case b.is.casts > 1:
			say("%s cast %d times", b.name, b.is.casts)
		case b.is.support != uint8(b.support):
			say("%s became %d", b.name, b.is.support)
		case b.is.after > b.ought.after+stageSlack:
			say("%s delayed by %d blocks", b.name, b.is.after-b.ought.after)
		case b.is.after+2 < b.ought.after:
			say("%s %d blocks early", b.name, b.ought.after-b.is.after)
		}
	}
	if o.early {
		say("the wait of the For was skipped")
	}
	return strings.Join(all, "; ")
}
