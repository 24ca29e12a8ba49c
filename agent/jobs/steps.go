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
	"github.com/riverqueue/river/rivertype"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// stepArgs is one step of one proposal as a job.
type stepArgs struct {
	Proposal string           `json:"proposal" river:"unique"`
	Step     dossier.StepKind `json:"step" river:"unique"`
	Basis    string           `json:"basis" river:"unique"`
}

// Kind is the job's name in the queue.
func (stepArgs) Kind() string { return "step" }

// working are the states in which a second job for the same step is not wanted. A finished one does not
// count: the records, not the queue, say what was done.
var working = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// enqueue adds jobs for steps, in the transaction of the records that made them due.
func (r *Runner) enqueue(ctx context.Context, tx journal.Tx, steps []dossier.Step, d dossier.Dossier) error {
	for _, s := range steps {
		queue, priority := queueSteps, 2
		switch s.Kind {
		case dossier.Lock, dossier.Sign, dossier.Send, dossier.Confirm:
			queue, priority = queueVotes, votePriority(d)
		}
		_, err := r.client.InsertTx(ctx, tx.SQL(), stepArgs{s.ID.String(), s.Kind, s.Basis}, &river.InsertOpts{
			Queue: queue, Priority: priority, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: working},
		})
		if err != nil {
			return fmt.Errorf("enqueue %s of %s: %w", s.Kind, s.ID, err)
		}
	}
	return nil
}

// votePriority: what is under way first, then Against, then the rest (1 is first).
func votePriority(d dossier.Dossier) int {
	switch {
	case d.Vote.Status.Bound():
		return 1
	case d.Final() == gov.Against:
		return 2
	}
	return 3
}

type stepWorker struct {
	river.WorkerDefaults[stepArgs]
	runner *Runner
}

// Work does one step: load, ask whether it is still owed, do it, store the events with the job's end.
func (w *stepWorker) Work(ctx context.Context, job *river.Job[stepArgs]) error {
	r := w.runner
	id, err := gov.ParseProposalID(job.Args.Proposal)
	if err != nil {
		return river.JobCancel(err)
	}
	step := dossier.Step{ID: id, Kind: job.Args.Step, Basis: job.Args.Basis}
	d, err := r.db.Load(ctx, id)
	if err != nil {
		return err
	}
	head, ok := r.head(id)
	if !ok {
		return river.JobSnooze(time.Second) // no head since the start
	}
	if !owed(d, head, step) {
		return r.finish(ctx, job, d, head, nil)
	}
	events, err := r.agent.Do(ctx, d, step)
	if errors.Is(err, agent.ErrLater) {
		r.conf.Log.Debug("step put off", "proposal", id.String(), "step", step.Kind, "why", err)
		return river.JobSnooze(time.Second)
	}
	if err != nil {
		if ctx.Err() == nil {
			r.conf.Log.Warn("step failed, will be tried again", "proposal", id.String(), "step", step.Kind, "attempt", job.Attempt, "error", err)
		}
		return err
	}
	return r.finish(ctx, job, d, head, events)
}

// owed says whether a step is still owed. A step whose basis is a block stays owed at a later block.
func owed(d dossier.Dossier, head gov.Head, s dossier.Step) bool {
	return slices.ContainsFunc(dossier.Next(d, head), func(n dossier.Step) bool {
		return n == s || (n.Kind == s.Kind && (n.Kind == dossier.Confirm || n.Kind == dossier.Gather || n.Kind == dossier.Settle))
	})
}

// finish appends the events, enqueues what follows and completes the job in one transaction.
func (r *Runner) finish(ctx context.Context, job *river.Job[stepArgs], d dossier.Dossier, head gov.Head, events []dossier.Event) error {
	var out []written
	id, _ := gov.ParseProposalID(job.Args.Proposal)
	err := r.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		out = nil
		now, err := tx.Load(ctx, id)
		if err != nil {
			return err
		}
		lost := now.Seq != d.Seq // another writer was first: what still belongs is appended, nothing is done twice
		for _, e := range events {
			next, records, err := tx.Append(ctx, id, now, r.conf.Now(), e)
			if errors.Is(err, dossier.ErrNotNow) && lost {
				r.conf.Log.Debug("event no longer belongs", "proposal", id.String(), "event", dossier.TypeOf(e))
				break
			}
			if err != nil {
				return err
			}
			now = next
			for _, rec := range records {
				out = append(out, written{rec, now})
			}
		}
		// completed first: a step that is owed again is a new job
		if _, err := river.JobCompleteTx[*riversqlite.Driver, *sql.Tx](ctx, tx.SQL(), job); err != nil {
			return fmt.Errorf("complete %s of %s: %w", job.Args.Step, id, err)
		}
		if newest, ok := r.head(id); ok {
			head = newest
		}
		if len(events) == 0 && !lost {
			return nil // nothing changed: the next head asks again
		}
		return r.enqueue(ctx, tx, dossier.Next(now, head), now)
	})
	if err != nil {
		return err
	}
	r.observe(out)
	return nil
}

// Tell stores an event that a person caused (an approval, a cancel) and wakes what follows.
func Tell(ctx context.Context, db *journal.DB, id gov.ProposalID, now time.Time, e dossier.Event) (dossier.Dossier, error) {
	var d dossier.Dossier
	err := db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		var err error
		if d, err = tx.Load(ctx, id); err != nil {
			return err
		}
		d, _, err = tx.Append(ctx, id, d, now, e)
		return err
	})
	return d, err
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
	for _, p := range w.runner.conf.Pollers {
		err := w.runner.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
			return w.runner.enqueueDue(ctx, tx, p.Chain())
		})
		if err != nil {
			return err
		}
	}
	return nil
}
