package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/risk"
	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/notify/web"
	"github.com/legate-dao/legate/policies"
)

// fault is how a part fails, as often as it has tries left.
type fault struct {
	kind string // panic, exit, error or hang
	left atomic.Int32
	hit  atomic.Int32
	busy atomic.Int32 // hangs that have not ended
}

var errFault = errors.New("a fault of the test's")

// strike fails in the way of the fault. A nil fault is none.
func (f *fault) strike(ctx context.Context) error {
	if f == nil || f.left.Add(-1) < 0 {
		return nil
	}
	f.hit.Add(1)
	switch f.kind {
	case "panic":
		var d dossier.Dossier
		return errors.New(string(d.Verdict.Rule))
	case "exit":
		runtime.Goexit()
	case "hang":
		f.busy.Add(1)
		defer f.busy.Add(-1)
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Second):
		}
	}
	return errFault
}

// g51 is a daemon on a world in memory, with everything that runs for long, of which one part fails.
type g51 struct {
	t      *testing.T
	part   string
	fault  *fault
	world  *agenttest.World
	poller *agenttest.Poller
	db     *journal.DB
	engine *engine

	mu        sync.Mutex
	delivered map[string][]dossier.Alert // by channel
}

// of is the fault where it is of a part.
func (g *g51) of(part string) *fault {
	if g.part == part {
		return g.fault
	}
	return nil
}

// The parts, each of which may fail.
type (
	g51Poller struct{ g *g51 }
	g51Store  struct {
		*journal.Outbox
		g *g51
	}
	g51Channel struct {
		g    *g51
		name string
	}
	g51Pages  struct{ g *g51 }
	g51Metric struct{ g *g51 }
)

func (p g51Poller) Chain() gov.ChainID                       { return agenttest.Chain }
func (p g51Poller) Wake(ctx context.Context) <-chan struct{} { return p.g.poller.Wake(ctx) }
func (p g51Poller) BackFill(ctx context.Context, at gov.Cursor, read []gov.Followed, heads map[gov.Address]gov.Head) (dossier.Batch, error) {
	return p.g.poller.BackFill(ctx, at, read, heads)
}
func (p g51Poller) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	b, err := p.g.poller.Poll(ctx, from, recent)
	if len(b.Seen) > 0 {
		if f := p.g.of("watcher").strike(ctx); f != nil {
			return b, f
		}
	}
	return b, err
}

func (s g51Store) Fill(ctx context.Context) (int, error) {
	if err := s.g.of("outbox").strike(ctx); err != nil {
		return 0, err
	}
	return s.Outbox.Fill(ctx)
}

func (c g51Channel) Name() string { return c.name }
func (c g51Channel) Send(ctx context.Context, a dossier.Alert) error {
	if c.name == "bad" {
		if err := c.g.of("channel").strike(ctx); err != nil {
			return err
		}
	}
	c.g.mu.Lock()
	defer c.g.mu.Unlock()
	c.g.delivered[c.name] = append(c.g.delivered[c.name], a)
	return nil
}

func (p g51Pages) Proposals(ctx context.Context) ([]dossier.Summary, error) {
	if err := p.g.of("web").strike(ctx); err != nil {
		return nil, err
	}
	return p.g.engine.Proposals(ctx)
}
func (p g51Pages) Document(ctx context.Context, id gov.ProposalID) (dossier.Document, error) {
	return p.g.engine.Document(ctx, id)
}
func (p g51Pages) Status(ctx context.Context) (web.Status, error) {
	if err := p.g.of("metrics").strike(ctx); err != nil {
		return web.Status{}, err
	}
	return web.Status{Version: 1}, nil
}

func (m g51Metric) Read(ctx context.Context, _ gov.Label) (gov.Measured, error) {
	f := m.g.of("emergency rules")
	if f.ends() { // a reader that panics is a number that cannot be read: the desk itself is struck instead, by its clock
		f = nil
	}
	return gov.Measured{Value: 1}, f.strike(ctx)
}

// ends reports whether the fault ends the goroutine that meets it.
func (f *fault) ends() bool { return f != nil && (f.kind == "panic" || f.kind == "exit") }

// now is the clock of the emergency rules.
func (g *g51) now() time.Time {
	if f := g.of("emergency rules"); f.ends() {
		_ = f.strike(g.t.Context())
	}
	return time.Now()
}

// newG51 builds the daemon.
func newG51(t *testing.T, part, kind string) *g51 {
	t.Helper()
	g := &g51{t: t, part: part, fault: &fault{kind: kind}, world: agenttest.New(), delivered: map[string][]dossier.Alert{}}
	g.fault.left.Store(2)
	if part == "channel" {
		g.fault.left.Store(3) // after which an alert is given up, see package notify
	}
	log := slog.New(slog.DiscardHandler)
	var err error
	if g.db, err = journal.Open(t.Context(), "sqlite:legate.db", t.TempDir(), journal.Daemon); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.db.Close() })
	g.poller = &agenttest.Poller{World: g.world, Heads: make(chan struct{}, 1)}
	e := &engine{db: g.db, log: log, metrics: web.NewMetrics(), world: worldOver(agenttest.Chain, g.node())}
	g.engine = e
	alarm := func(what string, err error) { e.alerts.system(t.Context(), gov.Critical, what, err) }
	e.parts = supervise.New(supervise.Config{Tell: alarm, Log: log, First: 10 * time.Millisecond, Most: 100 * time.Millisecond})
	g.openAlerts(log)
	digests := &digester{db: g.db, outbox: e.alerts.outbox, wake: e.alerts.router.Wake, log: log, health: func() map[gov.ChainID]jobs.Health { return e.runner.Health() }}
	digests.next = func(at time.Time) time.Time {
		if err := g.of("digests").strike(t.Context()); err != nil {
			return time.Time{}
		}
		return at.Add(time.Hour)
	}
	if err := g.db.SetMark(t.Context(), markDigest, time.Now().Add(-time.Minute).Unix()); err != nil {
		t.Fatal(err)
	}
	e.alerts.digests = digests
	e.handler = e.guarded(web.New(g51Pages{g}, web.Config{Metrics: e.metrics, Tell: e.parts.Tell}))
	observe := e.observer(func(r dossier.Record, _ dossier.Dossier) {
		if r.Type == "WasDecided" {
			if err := g.of("observer").strike(t.Context()); err != nil {
				panic(err)
			}
		}
	})
	g.world.Before = func(port string, id gov.ProposalID) error {
		if part, ok := strings.CutPrefix(g.part, "step "); ok && part == port && id == agenttest.ID(6) {
			return g.fault.strike(t.Context())
		}
		return nil
	}
	plan := g.world.TxPlan
	g.world.TxPlan = func(ctx context.Context, b gov.Ballot) (gov.Tx, error) { // the world has no fees by which an Against overtakes
		if busy, err := g.db.InFlight(ctx, b.Proposal); err != nil || len(busy) > 0 {
			return gov.Tx{}, errors.Join(agent.ErrLater, err)
		}
		return plan(ctx, b)
	}
	e.runner, err = jobs.New(g.db, agent.New(g.world.Parts(g.db, log)), jobs.Config{
		Pollers: []jobs.Poller{g51Poller{g}}, Poll: 20 * time.Millisecond, Fetch: 20 * time.Millisecond, Log: log, Observe: observe, Alarm: alarm, Parts: e.parts,
	})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// openAlerts opens outbox, channels and emergency rules.
func (g *g51) openAlerts(log *slog.Logger) {
	g.t.Helper()
	names := []string{"bad", "good"}
	outbox, err := g.db.Outbox(g.t.Context(), names)
	if err != nil {
		g.t.Fatal(err)
	}
	router, err := notify.New(g51Store{outbox, g}, []notify.Channel{g51Channel{g, "bad"}, g51Channel{g, "good"}}, notify.RouterConfig{Log: log, Parts: g.engine.parts})
	if err != nil {
		g.t.Fatal(err)
	}
	set, problems := policies.ParseWith("policies.yaml", []byte(crashRules), policies.Names{Metrics: []string{"price"}})
	if problems.HasErrors() {
		g.t.Fatal(problems)
	}
	g.engine.alerts = &alerting{
		outbox: outbox, router: router, world: g.engine.world, poll: 20 * time.Millisecond, log: log, parts: g.engine.parts,
		desk: risk.New(risk.Config{Set: set, Reader: g51Metric{g}, Metrics: []risk.Metric{{Name: "price", Every: time.Second}}, Memory: outbox, Now: g.now, Log: log}),
	}
}

// node is an endpoint that knows the newest block, which is another one each time.
func (g *g51) node() *rpc.Client {
	g.t.Helper()
	var n atomic.Uint64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		number := n.Add(1)
		body := fmt.Sprintf(`{"number":"0x%x","hash":"%s","parentHash":"%s","timestamp":"0x%x","baseFeePerGas":"0x1","gasLimit":"0x1"}`,
			number, common.BigToHash(common.Big1).Hex()[:50]+fmt.Sprintf("%016x", number), common.Hash{1}.Hex(), 1_700_000_000+12*number)
		answerRPC(w, r, map[string]string{"eth_blockNumber": fmt.Sprintf(`"0x%x"`, number), "eth_chainId": fmt.Sprintf(`"0x%x"`, uint64(agenttest.Chain)), "eth_getBlockByNumber": body})
	}))
	g.t.Cleanup(server.Close)
	client, err := rpc.Dial(g.t.Context(), rpc.Config{ChainID: uint64(agenttest.Chain), Endpoints: []rpc.Endpoint{{HTTP: server.URL}}, Agree: 1, Finality: rpc.LatestTag})
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(client.Close)
	return client
}

// run plays four proposals to their end while the part fails, and asks for every page meanwhile.
func (g *g51) run() {
	g.t.Helper()
	for n, d := range map[uint64]gov.Direction{6: gov.Against, 7: gov.Against, 8: gov.For, 9: gov.For} {
		g.world.Propose(agenttest.Proposal{Number: n, Direction: d, Ends: 1000 * agenttest.BlockTime})
	}
	ctx, stop := context.WithCancel(g.t.Context())
	var all sync.WaitGroup
	all.Go(func() {
		if err := g.engine.runner.Run(ctx); err != nil {
			g.t.Error(err)
		}
	})
	all.Go(func() {
		if err := g.engine.alerts.run(ctx); err != nil {
			g.t.Error(err)
		}
	})
	defer all.Wait()
	defer stop()
	server := httptest.NewServer(g.engine.handler)
	defer server.Close()

	g.until("all votes are final", func() bool {
		g.mine()
		for _, path := range []string{"/", "/metrics", "/api/v1/status", "/api/v1/proposals"} {
			g.get(server.URL + path)
		}
		votes, doubled := g.world.Votes()
		if doubled > 0 {
			g.t.Fatalf("%d votes doubled", doubled)
		}
		want := map[uint64]gov.Support{6: gov.SupportAgainst, 7: gov.SupportAgainst, 8: gov.SupportFor, 9: gov.SupportFor}
		for n, s := range want {
			if got, ok := votes[n]; ok && got != s {
				g.t.Fatalf("voted %s on %d", got, n)
			}
			if d, err := g.db.Load(g.t.Context(), agenttest.ID(n)); err != nil || d.Vote.Status != gov.VoteFinal {
				return false
			}
		}
		return true
	})
	g.until("the good channel has every alert", func() bool { return len(g.missing("good")) == 0 })
	if g.fault.kind != "hang" {
		g.until("the bad channel has every alert that it could be given", func() bool { return len(g.missing("bad")) <= g.refused() })
	}
	g.until("nothing hangs any more", func() bool {
		more := g.part == "observer" && g.fault.left.Load() > 0 // it is told of all records, however late
		return !more && g.fault.busy.Load() == 0
	})
	if g.fault.hit.Load() == 0 {
		g.t.Error("the part did not fail")
	}
	if code := g.get(server.URL + "/healthz"); code != http.StatusOK {
		g.t.Errorf("health is %d", code)
	}
}

// mine makes two blocks, and lets the steps that they make due be done, or tried again: a retry takes seconds by the clock,
// in which the chain of a test could be past every close.
func (g *g51) mine() {
	g.world.Mine(2)
	select {
	case g.poller.Heads <- struct{}{}:
	default:
	}
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var busy int
		err := g.db.SQL().QueryRowContext(g.t.Context(), "SELECT count(*) FROM river_job WHERE kind = 'step' AND state IN ('running', 'available', 'retryable')").Scan(&busy)
		if err != nil {
			g.t.Fatal(err)
		}
		if busy == 0 && g.engine.runner.Health()[agenttest.Chain].Head.Number == g.world.Newest() {
			return
		}
	}
}

// get asks for a page, whatever becomes of it.
func (g *g51) get(url string) int {
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func (g *g51) refused() int {
	list, err := g.db.Deliveries(g.t.Context())
	if err != nil {
		g.t.Fatal(err)
	}
	n := 0
	for _, d := range list {
		n += int(d.Refused)
	}
	return n
}

// missing are the alerts that every record should have made, by the pure function, and a channel was not given.
func (g *g51) missing(channel string) (out []string) {
	g.mu.Lock()
	got := slices.Clone(g.delivered[channel])
	g.mu.Unlock()
	folded := map[gov.ProposalID]dossier.Dossier{}
	for r, err := range g.db.Records(g.t.Context()) {
		if err != nil {
			g.t.Fatal(err)
		}
		after, err := folded[r.ID].ApplyRecord(r)
		if err != nil {
			g.t.Fatal(err)
		}
		for _, a := range dossier.Alerts(folded[r.ID], r, after) {
			if !slices.ContainsFunc(got, func(b dossier.Alert) bool { return a.ID == b.ID }) {
				out = append(out, a.Title)
			}
		}
		folded[r.ID] = after
	}
	return out
}

// told lists the program's own critical alerts.
func (g *g51) told() (out []string) {
	list, err := g.db.Alerts(g.t.Context(), 1000)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, a := range list {
		if a.Event == dossier.AlertSystem && a.Severity == gov.Critical {
			out = append(out, a.Title)
		}
	}
	return out
}

// stand says where each proposal and its steps are.
func (g *g51) stand() (out string) {
	for n := uint64(6); n <= 9; n++ {
		d, err := g.db.Load(g.t.Context(), agenttest.ID(n))
		out += fmt.Sprintf("%d: stage %s, vote %s %s, not voted %q, newest block %d, %v:", n, d.Stage, d.Vote.Status, d.Vote.Reason, d.NotVoted, g.world.Newest(), err)
		for _, r := range d.Records {
			out += " " + strings.TrimPrefix(r.Type, "Was")
		}
		out += "\n"
	}
	rows, err := g.db.SQL().QueryContext(g.t.Context(), "SELECT state || ' ' || args || ' ' || coalesce(errors, '') FROM river_job WHERE state NOT IN ('completed')")
	if err != nil {
		return out + err.Error()
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return out + err.Error()
		}
		out += line + "\n"
	}
	return out
}

func (g *g51) until(what string, f func() bool) {
	g.t.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("in vain: %s; told %q, missing %q, stand\n%s", what, g.told(), g.missing("good"), g.stand())
		}
	}
}

// Each part in turn panics, exits, fails and hangs while votes are due: everything else goes on, no vote, alert or
// proposal is lost, and a person is told.
func TestG51EachPartInTurn(t *testing.T) {
	cases := map[string][]string{
		"watcher": {"panic", "exit", "error"}, "observer": {"panic", "hang"}, "outbox": {"panic", "exit", "error"}, "channel": {"panic", "exit", "error", "hang"},
		"web": {"panic", "error", "hang"}, "metrics": {"panic", "hang"}, "emergency rules": {"panic", "exit", "error", "hang"}, "digests": {"panic", "exit", "hang"},
		"step gather": {"panic", "error"}, "step preflight": {"panic", "error"}, "step sign": {"panic", "error"}, "step send": {"panic", "error"}, "step confirm": {"panic", "error"},
		"step brief": {"panic", "hang"},
	}
	var n, hits atomic.Int32
	t.Cleanup(func() {
		t.Logf("n = %d daemons with a part that fails, %d failures: 0 votes, alerts or proposals lost", n.Load(), hits.Load())
	})
	for part, kinds := range cases {
		for i, kind := range kinds {
			if i > 1 && os.Getenv("LEGATE_SOAK") == "" {
				continue
			}
			t.Run(part+" "+kind, func(t *testing.T) {
				t.Parallel()
				g := newG51(t, part, kind)
				g.run()
				n.Add(1)
				hits.Add(g.fault.hit.Load())
				if report, err := g.db.Fsck(t.Context()); err != nil || len(report.Problems) > 0 {
					t.Errorf("fsck: %v %v", report.Problems, err)
				}
				told := strings.Join(g.told(), "\n")
				if supervised := !strings.HasPrefix(part, "step ") && (kind == "panic" || kind == "exit"); supervised && told == "" {
					t.Error("nobody was told")
				}
			})
		}
	}
}

// answerRPC answers one call, or a batch of them, by method.
func answerRPC(w http.ResponseWriter, r *http.Request, results map[string]string) {
	type call struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	one := func(c call) string {
		result, ok := results[c.Method]
		if !ok {
			return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}`, c.ID)
		}
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":%s}`, c.ID, result)
	}
	w.Header().Set("Content-Type", "application/json")
	var single call
	if json.Unmarshal(body, &single) == nil {
		fmt.Fprint(w, one(single))
		return
	}
	var batch []call
	if json.Unmarshal(body, &batch) == nil {
		var out []string
		for _, c := range batch {
			out = append(out, one(c))
		}
		fmt.Fprintf(w, "[%s]", strings.Join(out, ","))
	}
}

// A page that panics is an error of that answer, and told once.
func TestG51PageThatPanicsIsToldAndAnswered(t *testing.T) {
	var told []string
	e := &engine{log: slog.New(slog.DiscardHandler)}
	e.parts = supervise.New(supervise.Config{Tell: func(what string, err error) { told = append(told, what+": "+err.Error()) }})
	h := e.guarded(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("no such template") }))
	for range 3 {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
		if w.Code != http.StatusInternalServerError {
			t.Errorf("status %d", w.Code)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "no such template") {
		t.Errorf("told %q", told)
	}
}
