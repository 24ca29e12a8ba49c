package jobs

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
	"github.com/robfig/cron/v3"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
)

// Poller follows one chain.
type Poller interface {
	Chain() gov.ChainID
	// Poll reads what is new since a cursor; recent are the blocks that the last poll left.
	Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error)
	// BackFill reads, piece by piece, what lies before the cursor and was not read for one of the governors.
	// Batch.Behind says that more is there.
	BackFill(ctx context.Context, at gov.Cursor, read []gov.Followed, heads map[gov.Address]gov.Head) (dossier.Batch, error)
	// Wake yields when a new head may be there; nil when there is no such signal.
	Wake(ctx context.Context) <-chan struct{}
}

// Config is how a runner works. Zero values have defaults.
type Config struct {
	Pollers []Poller
	// Poll is how often each chain is asked for its head; default 4 s.
	Poll time.Duration
	// Fetch sets how fast the queue is looked at; default 100 ms. New jobs are noticed within about 50 ms
	// anyway; this is for what was put off (four times as long at most) and for their bursts.
	Fetch time.Duration
	// Sweep is a cron expression in UTC; default every ten minutes.
	Sweep string
	// StepTimeout bounds one step; default 3 minutes.
	StepTimeout time.Duration
	// Now is the wall clock for the records' times.
	Now func() time.Time
	// Observe is called with every record after it is durable, in order of writing, also of those that another
	// process wrote; at least once, so that the last ones come again after a crash. Calls do not overlap; steps do
	// not wait for it.
	Observe func(dossier.Record, dossier.Dossier)
	// Alarm is called with what needs a person.
	Alarm func(what string, err error)
	// OnBroken is called at each poll that finds that a chain broke its finality (G21).
	OnBroken func(ctx context.Context, chain gov.ChainID)
	// Parts keeps the long-running parts going; by default one that tells Alarm.
	Parts *supervise.Supervisor
	Log   *slog.Logger
}

func (c *Config) setDefaults() {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Poll = or(c.Poll, 4*time.Second)
	c.Fetch = or(c.Fetch, 100*time.Millisecond)
	c.StepTimeout = or(c.StepTimeout, 3*time.Minute)
	if c.Sweep == "" {
		c.Sweep = "*/10 * * * *"
	}
	if c.Observe == nil {
		c.Observe = func(dossier.Record, dossier.Dossier) {}
	}
	if c.Alarm == nil {
		c.Alarm = func(what string, err error) { c.Log.Error(what, "error", err) }
	}
	alarm := c.Alarm
	c.Alarm = func(what string, err error) { // nothing depends on whether a person can be told
		if failed := supervise.Catch(func() error { alarm(what, err); return nil }); failed != nil {
			c.Log.Error("could not raise an alarm", "what", what, "error", err, "why", failed)
		}
	}
	if c.Parts == nil {
		c.Parts = supervise.New(supervise.Config{Tell: c.Alarm, Log: c.Log})
	}
	if c.OnBroken == nil {
		c.OnBroken = func(context.Context, gov.ChainID) {}
	}
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Runner drives the pipeline.
type Runner struct {
	db     *journal.DB
	agent  *agent.Agent
	conf   Config
	client *river.Client[*sql.Tx]

	mu    sync.Mutex
	heads map[gov.ChainID]map[gov.Address]gov.Head
	alive map[gov.ChainID]Health
	// folded keeps open dossiers as committed, so that a head costs no reading of records
	folded map[gov.ProposalID]dossier.Dossier
	// wrote is up to which sequence number this runner has enqueued what follows
	wrote map[gov.ProposalID]int64
	// spells are what fails, and for how long
	spells map[asideKey]*spell
	told   int64 // place of the last record that was told; the teller's own
	// underway are the jobs of steps that this process works on
	underway map[int64]bool
}

// Health is how a chain is followed.
type Health struct {
	Head, Final gov.Block
	CaughtUp    bool
	Polled      time.Time
	Moved       time.Time // when the head was last another one
	Err         error
	Past        error // why what lies before cannot be read for every governor
}

// New builds a runner.
func New(db *journal.DB, a *agent.Agent, c Config) (*Runner, error) {
	c.setDefaults()
	r := &Runner{db: db, agent: a, conf: c, heads: map[gov.ChainID]map[gov.Address]gov.Head{}, alive: map[gov.ChainID]Health{},
		folded: map[gov.ProposalID]dossier.Dossier{}, wrote: map[gov.ProposalID]int64{},
		spells: map[asideKey]*spell{}, underway: map[int64]bool{}}
	schedule, err := cron.ParseStandard(c.Sweep)
	if err != nil {
		return nil, fmt.Errorf("schedules.sweep %q: %w", c.Sweep, err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &stepWorker{runner: r})
	river.AddWorker(workers, &sweepWorker{runner: r})
	river.AddWorker(workers, &deadlineWorker{runner: r})
	r.client, err = river.NewClient(riversqlite.New(db.SQL()), &river.Config{
		Queues:            queues,
		Workers:           workers,
		FetchCooldown:     min(c.Fetch, 20*time.Millisecond),
		FetchPollInterval: 4 * c.Fetch,
		JobTimeout:        c.StepTimeout,
		// a single daemon holds the store's lock, so what is stuck is its own
		RescueStuckJobsAfter: c.StepTimeout + time.Minute,
		MaxAttempts:          1000,
		RetryPolicy:          retry{r},
		ErrorHandler:         discard{r},
		Logger:               slog.New(quiet{c.Log.Handler(), &sync.Map{}}),
		PeriodicJobs: []*river.PeriodicJob{river.NewPeriodicJob(schedule, func() (river.JobArgs, *river.InsertOpts) {
			return sweepArgs{}, &river.InsertOpts{Queue: queueQuick, UniqueOpts: river.UniqueOpts{ByState: working}}
		}, &river.PeriodicJobOpts{RunOnStart: true, ID: "sweep"})},
	})
	if err != nil {
		return nil, fmt.Errorf("start the job engine: %w", err)
	}
	return r, nil
}

// Run works until the context ends, then finishes the steps under way and returns, within 10 seconds.
func (r *Runner) Run(ctx context.Context) error {
	if err := r.reclaim(ctx); err != nil {
		return err
	}
	var err error
	if r.told, err = r.db.Mark(ctx, markTold); err != nil {
		return err
	}
	if err := r.retryAside(ctx); err != nil {
		return err
	}
	// the engine outlives ctx by the time it needs to finish its steps
	engine, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if err := r.client.Start(engine); err != nil {
		return fmt.Errorf("start the job engine: %w", err)
	}
	var followers, teller sync.WaitGroup
	teller.Go(func() { r.conf.Parts.Run(engine, "the teller of records", r.tell) })
	followers.Go(func() { r.conf.Parts.Run(ctx, "the watch over the clock", r.watchClock) })
	for _, p := range r.conf.Pollers {
		followers.Go(func() {
			r.conf.Parts.Run(ctx, "the watcher of "+p.Chain().String(), func(ctx context.Context, part *supervise.Part) error {
				return r.follow(ctx, p, part)
			})
		})
	}
	<-ctx.Done()
	r.stopEngine(engine)
	if !within(2*time.Second, followers.Wait) {
		r.conf.Log.Warn("a poll does not end; what it reads is read again at the next start")
	}
	stop()
	if !within(time.Second, teller.Wait) {
		return errors.New("stop: the observer of records does not return")
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return r.look(last) // what the last steps wrote
}

// stopEngine lets steps under way end for a while, then cuts them off.
func (r *Runner) stopEngine(engine context.Context) {
	soft, cancel := context.WithTimeout(engine, 4*time.Second)
	defer cancel()
	if r.client.Stop(soft) == nil {
		return
	}
	hard, cancel := context.WithTimeout(engine, 2*time.Second)
	defer cancel()
	if err := r.client.StopAndCancel(hard); err != nil {
		r.conf.Log.Warn("steps were cut off; they are done again at the next start", "error", err)
	}
}

// within waits for f, but not longer than a while.
func within(d time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() { f(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

// reclaim puts jobs that a killed daemon left running back into the queue: the store's lock says that
// nobody works on them. The engine's lease of the last run, which may end by a clock that was wrong, is nobody's.
func (r *Runner) reclaim(ctx context.Context) error {
	for _, update := range []string{
		"DELETE FROM river_leader",
		"UPDATE river_job SET state = 'available' WHERE state = 'running'",
		onTime, // the reason of a retry may be gone, and a time may be that of a clock that was ahead
	} {
		if _, err := r.db.SQL().ExecContext(ctx, update); err != nil {
			return fmt.Errorf("take back the jobs of the last run: %w", err)
		}
	}
	return nil
}

// onTime has the jobs that wait go at once, and be no younger than now.
const onTime = "UPDATE river_job SET state = 'available', scheduled_at = CURRENT_TIMESTAMP, created_at = MIN(created_at, CURRENT_TIMESTAMP) WHERE state IN ('retryable', 'scheduled', 'available')"

// The clock is looked at so often; set back by more than this, jobs would wait for a time that is far away now.
const (
	lookAtClock = 5 * time.Second
	setBack     = 30 * time.Second
)

// watchClock has jobs that wait go at once when the machine's clock was set back: their time is one of the clock before.
func (r *Runner) watchClock(ctx context.Context, part *supervise.Part) error {
	tick := time.NewTicker(min(r.conf.Fetch*50, lookAtClock))
	defer tick.Stop()
	steady, wall := time.Now(), r.conf.Now().Round(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		passed, now := time.Since(steady), r.conf.Now().Round(0)
		if back := passed - now.Sub(wall); back > setBack {
			_, err := r.db.SQL().ExecContext(ctx, onTime)
			part.Note(err)
			if err != nil {
				continue // the next look finds the same
			}
			r.conf.Log.Warn("the machine's clock was set back; what waits is looked at now", "by", back.Round(time.Second).String())
		}
		steady, wall = time.Now(), now
	}
}

// reviveAfter are when jobs are taken back, counted from when the store can be written again: the engine may still be
// busy with what it could not store.
var reviveAfter = []time.Duration{0, 15 * time.Second, time.Minute}

// Revive takes back the steps that nobody works on although the queue says so, and lets those that wait for another try
// go at once. It is for when the store could not be written for a while: the job engine gives up noting how a job has
// ended, and what it does not note would wait for minutes.
func (r *Runner) Revive(ctx context.Context) {
	for i, after := range reviveAfter {
		if i > 0 {
			after -= reviveAfter[i-1]
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(after):
		}
		if err := r.revive(ctx, i == 0); err != nil && ctx.Err() == nil {
			r.conf.Log.Warn("could not take back steps that nobody works on; they are in some minutes", "error", err)
		}
	}
}

func (r *Runner) revive(ctx context.Context, waiting bool) error {
	r.mu.Lock()
	busy := slices.Collect(maps.Keys(r.underway))
	r.mu.Unlock()
	list, err := json.Marshal(append(busy, 0))
	if err != nil {
		return err
	}
	updates := []string{"UPDATE river_job SET state = 'available' WHERE state = 'running' AND kind = 'step' AND attempted_at < datetime('now', '-5 seconds') AND id NOT IN (SELECT value FROM json_each(?))"}
	if waiting {
		updates = append(updates, "UPDATE river_job SET state = 'available', scheduled_at = CURRENT_TIMESTAMP WHERE state = 'retryable' AND kind = 'step' AND id NOT IN (SELECT value FROM json_each(?))")
	}
	for _, update := range updates {
		if _, err := r.db.SQL().ExecContext(ctx, update, string(list)); err != nil {
			return fmt.Errorf("take back steps: %w", err)
		}
	}
	return nil
}

// Health says how each chain is followed.
func (r *Runner) Health() map[gov.ChainID]Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[gov.ChainID]Health{}
	for c, h := range r.alive {
		out[c] = h
	}
	return out
}

// retry backs off from a second to a minute, for ever: an RPC that is down comes back. What panics, or hangs, again and
// again is tried more seldom, so that it takes no other's turn; not too seldom, since it may be a vote.
type retry struct{ r *Runner }

func (t retry) NextRetry(job *rivertype.JobRow) time.Time {
	longest := time.Minute
	if t.r.slowly(job) {
		longest = 5 * time.Minute
	}
	wait := time.Second << min(max(job.Attempt-1, 0), 9)
	return time.Now().Add(min(wait, longest))
}

// discard raises an alarm when a job is given up or a worker panics.
type discard struct{ r *Runner }

func (d discard) HandleError(_ context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	if job.Attempt >= job.MaxAttempts {
		d.r.conf.Alarm("a step was given up: "+string(job.EncodedArgs), err)
	}
	return nil
}

func (d discard) HandlePanic(_ context.Context, job *rivertype.JobRow, v any, trace string) *river.ErrorHandlerResult {
	d.r.conf.Alarm("a step panicked: "+string(job.EncodedArgs), fmt.Errorf("%v\n%s", v, trace))
	return nil
}

// quiet lets only errors of the job engine through: what it warns of, a step that failed, is logged here. What it says
// again and again, such as that the store takes nothing, is logged once a minute.
type quiet struct {
	slog.Handler
	said *sync.Map // message to when it was logged
}

// quietFor is for how long the same message is not repeated.
const quietFor = time.Minute

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelError && q.Handler.Enabled(ctx, l)
}

func (q quiet) Handle(ctx context.Context, rec slog.Record) error {
	if last, ok := q.said.Load(rec.Message); ok && rec.Time.Sub(last.(time.Time)) < quietFor {
		return nil
	}
	q.said.Store(rec.Message, rec.Time)
	return q.Handler.Handle(ctx, rec)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a), q.said} }
func (q quiet) WithGroup(n string) slog.Handler      { return quiet{q.Handler.WithGroup(n), q.said} }
