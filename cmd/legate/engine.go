package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
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

	listener net.Listener
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
		conf: c, alerts: c.AlertsConfig, db: e.db, world: e.world, set: set, poll: e.poll(), log: ec.log, out: ec.out, sent: ec.sent,
	}); err != nil {
		return nil, err
	}
	if e.alerts.digests, err = e.openDigests(); err != nil {
		return nil, err
	}
	if err := e.openWeb(ctx); err != nil {
		return nil, err
	}
	e.runner, err = jobs.New(e.db, agent.New(parts), jobs.Config{
		Pollers: pollers, Poll: e.poll(), Fetch: ec.fetch, Sweep: string(c.Schedules.Sweep), Now: time.Now, Log: ec.log,
		Observe: func(r dossier.Record, d dossier.Dossier) {
			e.metrics.Observe(r)
			e.alerts.observe(r, d)
			if ec.observe != nil {
				ec.observe(r, d)
			}
		},
		Alarm: func(what string, err error) {
			e.metrics.Alarm()
			e.alerts.system(ctx, gov.Critical, what, err)
		},
		OnBroken: e.onBroken,
	})
	return e, err
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
	beside := make(chan error, 2)
	go func() { beside <- web.Serve(ctx, e.listener, e.handler) }()
	go func() { beside <- e.alerts.run(ctx) }()
	err := e.runner.Run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // asked to stop before it had begun
	}
	stop()
	return errors.Join(err, <-beside, <-beside)
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
	e.handler = web.New(e, web.Config{Token: token, Metrics: e.metrics, Log: e.log})
	return nil
}

// address is where the API can be read.
func (e *engine) address() string { return "http://" + e.listener.Addr().String() }
