package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
)

// stepArgs is one step of one proposal as a job. The basis is empty for kinds whose basis moves with the
// head.
type stepArgs struct {
	Proposal string           `json:"proposal" river:"unique"`
	Step     dossier.StepKind `json:"step" river:"unique"`
	Basis    string           `json:"basis" river:"unique"`
}

// Kind is the job's name in the queue.
func (stepArgs) Kind() string { return "step" }

type stepWorker struct {
	river.WorkerDefaults[stepArgs]
	runner *Runner
}

// Work does one step and says how it went wrong.
func (w *stepWorker) Work(ctx context.Context, job *river.Job[stepArgs]) error {
	id, err := gov.ParseProposalID(job.Args.Proposal)
	if err != nil {
		return river.JobCancel(err)
	}
	log := w.runner.conf.Log.With("proposal", id.String(), "step", job.Args.Step)
	r := w.runner
	defer r.works(job.ID)()
	stuck := time.AfterFunc(r.conf.StepTimeout+time.Minute, func() { // what hangs returns no error
		r.conf.Alarm("a step does not end, votes may wait for it; restart the daemon: "+stepAside(job.Args), context.DeadlineExceeded)
	})
	defer stuck.Stop()
	err = supervise.Catch(func() error { return r.step(ctx, id, job) })
	switch {
	case err == nil:
		r.stepWent(ctx, job.Args)
		return nil
	case errors.Is(err, agent.ErrLater):
		log.Debug("step put off", "why", err)
		return river.JobSnooze(putOff(time.Since(job.CreatedAt), longest(job.Args.Step, err)))
	case errors.Is(err, errNoHead):
		return river.JobSnooze(w.runner.conf.Fetch)
	case errors.Is(ctx.Err(), context.Canceled):
		return err // all ends
	case fsfault.Is(err):
		r.conf.Alarm("a step cannot be stored", err)
		return err
	}
	attrs := []any{"attempt", job.Attempt, "error", err}
	if p, ok := supervise.Panicked(err); ok {
		attrs = append(attrs, "stack", string(p.Stack))
	}
	log.Warn("step failed, will be tried again", attrs...)
	r.stepFailed(ctx, job, err)
	return err
}

// works notes that this process works on a job, until the function that it returns is called.
func (r *Runner) works(job int64) (done func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.underway[job] = true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.underway, job)
	}
}

// errNoHead says that no poll has brought a head since the start.
var errNoHead = errors.New("no head yet")

// step loads, asks whether the step is still owed, does it, and stores the events with the job's end.
func (r *Runner) step(ctx context.Context, id gov.ProposalID, job *river.Job[stepArgs]) error {
	head, ok := r.head(id)
	if !ok {
		return errNoHead
	}
	d, err := r.db.Load(ctx, id)
	if err != nil {
		return err
	}
	step := dossier.Step{ID: id, Kind: job.Args.Step, Basis: job.Args.Basis}
	if !owed(d, head, step) {
		return r.finish(ctx, job, d, head, nil)
	}
	events, err := r.agent.Do(ctx, d, step)
	if err != nil {
		return err
	}
	return r.finish(ctx, job, d, head, events)
}

// putOff is when a step that waits for something is asked again: soon at first, seldom after a while.
func putOff(age, longest time.Duration) time.Duration {
	return min(max(age/8, 100*time.Millisecond), longest)
}

// longest is how long a step is put off at most. A budget that is spent comes back within hours, and what waits for it
// must not fill the queue of votes; to gather costs an endpoint hundreds of reads.
func longest(k dossier.StepKind, why error) time.Duration {
	switch {
	case errors.Is(why, agent.ErrBudget):
		return 5 * time.Minute
	case k == dossier.Gather:
		return time.Minute
	}
	return 10 * time.Second
}

// owed says whether a step is still owed. A step whose basis moves with the head stays owed at a later block.
func owed(d dossier.Dossier, head gov.Head, s dossier.Step) bool {
	return slices.ContainsFunc(dossier.Next(d, head), func(n dossier.Step) bool {
		return n == s || (n.Kind == s.Kind && movesOn(n.Kind))
	})
}

// belongs says whether the result of a step that was done on d still counts now, after records of another
// writer. A report of what happened always does, where its stage allows it; a decision only if what it
// was made of is the same.
func belongs(e dossier.Event, step dossier.StepKind, d, now dossier.Dossier, head gov.Head) bool {
	switch e := e.(type) {
	case dossier.WasDecided:
		return d.Gathered != nil && now.Gathered != nil && d.Gathered.Digest == now.Gathered.Digest
	case dossier.WasLocked:
		if e.OnContent() {
			return d.Stage == now.Stage && d.Vote.Status == now.Vote.Status && d.Choice(head) == now.Choice(head)
		}
		if d.Stage != now.Stage || d.Vote.Status != now.Vote.Status || d.Gathered == nil || now.Gathered == nil || d.Verdict == nil || now.Verdict == nil {
			return false
		}
		return d.Choice(head) == now.Choice(head) && d.Gathered.Digest == now.Gathered.Digest && d.Verdict.Policy == now.Verdict.Policy
	case dossier.WasNotVoted, dossier.WasHeld, dossier.WasTimedOut, dossier.WasClosed, dossier.WasReleased:
		return slices.ContainsFunc(dossier.Next(now, head), func(n dossier.Step) bool { return n.Kind == step })
	}
	return true
}

// storing is how long a result may take to be stored: also when the step's own time is over, since the
// result is there.
const storing = 20 * time.Second

// finish appends the events, enqueues what follows and completes the job in one transaction.
func (r *Runner) finish(ctx context.Context, job *river.Job[stepArgs], d dossier.Dossier, head gov.Head, events []dossier.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storing)
	defer cancel()
	id, changed := d.ID(), map[gov.ProposalID]dossier.Dossier{}
	err := r.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		clear(changed)
		now, err := tx.Newest(ctx, d)
		if err != nil {
			return err
		}
		if newest, ok := r.head(id); ok {
			head = newest
		}
		lost := now.Seq != d.Seq // another writer was first: nothing is done twice
		for _, e := range events {
			if lost && !belongs(e, job.Args.Step, d, now, head) {
				r.conf.Log.Debug("result no longer belongs", "proposal", id.String(), "event", dossier.TypeOf(e))
				break
			}
			next, _, err := tx.Append(ctx, id, now, r.conf.Now(), e)
			if errors.Is(err, dossier.ErrNotNow) && lost {
				r.conf.Log.Debug("result no longer belongs", "proposal", id.String(), "event", dossier.TypeOf(e))
				break
			}
			if err != nil {
				return err
			}
			now = next
		}
		// completed first: a step that is owed again is a new job
		if _, err := river.JobCompleteTx[*riversqlite.Driver, *sql.Tx](ctx, tx.SQL(), job); err != nil {
			return fmt.Errorf("complete %s of %s: %w", job.Args.Step, id, err)
		}
		if len(events) == 0 && !lost {
			return nil // nothing changed: the next head asks again
		}
		changed[id] = now
		if job.Args.Step == dossier.Settle && awaited(now) { // it may go on after all, and the watch is over
			if err := r.watchDeadlines(ctx, tx, now.Proposal); err != nil {
				return err
			}
		}
		steps, err := next(now, head)
		if journal.Itself(err) {
			return nil // the next head sets it aside
		}
		return r.enqueue(ctx, tx, steps, now)
	})
	if err != nil {
		return err
	}
	r.wroteTo(changed)
	return nil
}

type sweepArgs struct{}

// Kind is the job's name in the queue.
func (sweepArgs) Kind() string { return "sweep" }

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	runner *Runner
}

// Work asks every open proposal what it is owed, for when heads stop or a head was missed.
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return w.runner.sweep(ctx)
}

func (r *Runner) sweep(ctx context.Context) error {
	for _, p := range r.conf.Pollers {
		var aside []journal.Aside
		err := r.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) (err error) {
			if aside, err = r.enqueueDue(ctx, tx, p.Chain(), nil); err != nil {
				return err
			}
			return r.setAside(ctx, tx, aside)
		})
		if err != nil {
			return fmt.Errorf("sweep %s: %w", p.Chain(), err)
		}
		r.tellAside(aside)
	}
	return nil
}
