package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/notify/web"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// engine is the daemon: `legate run`, and the demo.
type engine struct {
	conf   Config
	db     *journal.DB
	world  *world
	runner *jobs.Runner

	alerts *alerting
	models *models // that write briefs
	room   *room   // whether store and ledger can be written

	parts *supervise.Supervisor // every long-running part runs under it

	listener net.Listener
	served   bool // by an earlier start of the web server
	handler  http.Handler
	metrics  *web.Metrics

	shelfOnce sync.Once
	shelved   *shelf

	log    *slog.Logger
	live   bool
	frozen func() (bool, error) // nil without a ledger
	freeze func(why string) error
}

// engineConfig is what differs between run and demo.
type engineConfig struct {
	log     *slog.Logger
	live    bool
	fetch   time.Duration
	observe func(dossier.Record, dossier.Dossier)
	out     io.Writer                   // where terminal channels write
	sent    func(string, dossier.Alert) // told of every delivered alert; may be nil
}

// openEngine opens everything that a daemon needs, and refuses to start where a part is wrong.
func openEngine(ctx context.Context, c Config, ec engineConfig) (_ *engine, err error) {
	e := &engine{conf: c, live: ec.live, log: ec.log}
	alarm := func(what string, err error) {
		if e.metrics == nil || e.alerts == nil {
			e.log.Error(what, "error", err)
			return
		}
		if e.room.takes(err) {
			return // a full disk is one sentence, told once
		}
		e.metrics.Alarm()
		e.alerts.system(ctx, gov.Critical, what, err)
	}
	e.parts = supervise.New(supervise.Config{Tell: alarm, Log: ec.log})
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close())
		}
	}()
	set, err := readPolicies(c)
	if err != nil {
		return nil, err
	}
	if e.db, err = journal.Open(ctx, c.Store, c.dir(), journal.Daemon); err != nil {
		return nil, err
	}
	if e.world, err = openWorld(ctx, c, ec.log); err != nil {
		return nil, err
	}
	e.world.history = newPayments(e.db)
	voice := voice{set: set, live: ec.live, maxAge: 1800}
	if c.Voter != nil {
		voice.maxAge = c.Voter.MaxAge.Seconds()
	}
	if err := voice.check(c); err != nil {
		return nil, err
	}
	e.world.holder = func(name gov.Label) gov.Holder {
		h, _ := voice.Holder(name)
		return h
	}
	if e.models, err = newModels(c.Model.Endpoint, c.Model.llm(), ec.log); err != nil {
		return nil, fmt.Errorf("%s: model.endpoint: %w", c.path, err)
	}
	parts := agent.Parts{
		Facts: e.world, Chain: e.world, Policies: voice, Flights: e.db, Log: ec.log,
		Briefs: briefs{e.models}, Forecasts: e.world, Outlooks: e.world,
	}
	e.world.watchOutlooks(set, ec.log)
	if parts.Resimulate, err = c.Schedules.Resimulate.next(); err != nil {
		return nil, fmt.Errorf("%s: schedules.resimulate: %w", c.path, err)
	}
	if parts.Gate, err = newGate(c, set, ec.log); err != nil {
		return nil, err
	}
	if err := e.openVoter(ctx, &parts, set, ec); err != nil {
		return nil, err
	}
	pollers, err := e.world.pollers()
	if err != nil {
		return nil, err
	}
	if e.alerts, err = openAlerting(ctx, alertingParts{
		conf: c, alerts: c.AlertsConfig, db: e.db, world: e.world, set: set, poll: e.poll(), log: ec.log, out: ec.out, sent: ec.sent, parts: e.parts,
	}); err != nil {
		return nil, err
	}
	if e.alerts.digests, err = e.openDigests(); err != nil {
		return nil, err
	}
	e.room = newRoom(e.alerts.router, ec.log, func(ctx context.Context) { go e.runner.Revive(ctx) }, e.storages()...)
	if err := e.openWeb(ctx); err != nil {
		return nil, err
	}
	e.world.onAlarm(func(severity gov.Severity, what string, why error) {
		e.metrics.Alarm()
		e.alerts.system(ctx, severity, what, why)
	})
	e.runner, err = jobs.New(e.db, agent.New(parts), jobs.Config{
		Pollers: pollers, Poll: e.poll(), Fetch: ec.fetch, Sweep: string(c.Schedules.Sweep), Now: time.Now, Log: ec.log,
		Observe: e.observer(ec.observe), Alarm: alarm, OnBroken: e.onBroken, Parts: e.parts,
	})
	return e, err
}

// observer tells everybody who observes records, each for itself: where one fails, the others hear of the record all the
// same.
func (e *engine) observer(more func(dossier.Record, dossier.Dossier)) func(dossier.Record, dossier.Dossier) {
	return func(r dossier.Record, d dossier.Dossier) {
		var failed []error
		for _, f := range []func(){
			func() { e.alerts.observe(r, d) },
			func() { e.metrics.Observe(r) },
			func() {
				if more != nil {
					more(r, d)
				}
			},
		} {
			failed = append(failed, supervise.Catch(func() error { f(); return nil }))
		}
		if err := errors.Join(failed...); err != nil {
			panic(err) // the record is set aside, and told
		}
	}
}

// storages are the places that must be writable before anything is signed.
func (e *engine) storages() []storage {
	out := []storage{{"the store", e.db.Dir(), func(ctx context.Context, much bool) error {
		if much {
			return e.db.Room(ctx, journal.RoomToGather)
		}
		return e.db.Room(ctx, journal.RoomToVote)
	}}}
	if e.live {
		folder := e.conf.file(e.conf.Voter.Ledger)
		out = append(out, storage{"the ledger", folder, func(context.Context, bool) error {
			if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
				return fsfault.Probe(filepath.Dir(filepath.Clean(folder))) // it is made with the first vote
			}
			return fsfault.Probe(folder)
		}})
	}
	return out
}

// poll is the shortest interval of any chain.
func (e *engine) poll() time.Duration {
	out := time.Hour
	for _, c := range e.conf.Chains {
		out = min(out, c.Poll.Std())
	}
	return out
}

// run works until the context ends.
func (e *engine) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var beside sync.WaitGroup
	var alerting error
	beside.Go(func() {
		e.parts.Run(ctx, "the watch over the disk", func(ctx context.Context, _ *supervise.Part) error { e.room.run(ctx); return nil })
	})
	beside.Go(func() { e.parts.Run(ctx, "the web server", e.serve) })
	beside.Go(func() { alerting = e.alerts.run(ctx) })
	err := e.runner.Run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // asked to stop before it had begun
	}
	stop()
	beside.Wait()
	return errors.Join(err, alerting)
}

// serve answers at the address of the API. A restart opens a new listener: a server closes the one it had.
func (e *engine) serve(ctx context.Context, _ *supervise.Part) error {
	l := e.listener
	if e.served {
		var err error
		if l, err = new(net.ListenConfig).Listen(ctx, "tcp", e.listener.Addr().String()); err != nil {
			return err
		}
		defer l.Close()
	}
	e.served = true
	return web.Serve(ctx, l, e.handler)
}

// guarded answers a request whose page panics, and tells it: a page that is not there must not look like one that has
// nothing to say.
func (e *engine) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := supervise.Catch(func() error { next.ServeHTTP(w, r); return nil })
		p, ok := supervise.Panicked(err)
		if !ok {
			return
		}
		if p.Value == http.ErrAbortHandler {
			panic(p.Value) // the server's own way to end an answer
		}
		e.log.Error("a page or the API panicked", "path", r.URL.Path, "error", err, "stack", string(p.Stack))
		e.parts.Tell("a page or the API could not be shown", err)
		http.Error(w, "this could not be shown; the log says why", http.StatusInternalServerError)
	})
}

func (e *engine) close() error {
	var err error
	if e.world != nil {
		e.world.close()
	}
	if e.listener != nil {
		e.listener.Close() // closed already after a run
	}
	if e.db != nil {
		err = errors.Join(err, e.db.Close())
	}
	return err
}

// readPolicies reads policies.yaml with the names of this configuration.
func readPolicies(c Config) (*policies.Set, error) {
	set, problems, err := lintPolicies(c)
	if err == nil && problems.HasErrors() {
		err = problems
	}
	if err != nil {
		return nil, err
	}
	return set, nil
}

// lintPolicies is readPolicies with the warnings too.
func lintPolicies(c Config) (*policies.Set, strict.Problems, error) {
	path := c.file(c.Policies)
	text, err := readBounded(path, 4*strict.MaxBytes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the policies: %w", err)
	}
	names := policies.Names{Governors: []string{}, Metrics: c.metricNames()}
	for _, g := range c.Governors {
		names.Governors = append(names.Governors, g.Name)
	}
	set, problems := policies.ParseWith(path, text, names)
	return set, problems, nil
}

// openWeb listens for the JSON API and the metrics.
func (e *engine) openWeb(ctx context.Context) error {
	token := ""
	if !e.conf.Web.Token.IsZero() {
		var err error
		if token, err = e.conf.Web.Token.Resolve(e.conf.dir()); err != nil {
			return fmt.Errorf("%s: web.token: %w", e.conf.path, err)
		}
	}
	if err := web.Guard(e.conf.Web.Listen, token); err != nil {
		return fmt.Errorf("%s: web.listen: %w", e.conf.path, err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", e.conf.Web.Listen)
	if err != nil {
		return fmt.Errorf("%s: web.listen: %w; choose another port, or 127.0.0.1:0 for any free one", e.conf.path, err)
	}
	e.listener, e.metrics = l, web.NewMetrics()
	e.handler = e.guarded(web.New(e, web.Config{Token: token, Metrics: e.metrics, Log: e.log, Tell: e.parts.Tell}))
	return nil
}

// address is where the API can be read.
func (e *engine) address() string { return "http://" + e.listener.Addr().String() }
