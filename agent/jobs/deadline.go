package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// Deadlines are in chain time and every head asks what is due. This watch is for when heads stop: one
// scheduled job a proposal, that comes back at half of the time that is left by the wall clock, so that
// a deadline which moves, or an estimate which was wrong, needs no moving of the job.

// deadlineArgs is the watch over one proposal's deadline.
type deadlineArgs struct {
	Proposal string `json:"proposal" river:"unique"`
}

// Kind is the job's name in the queue.
func (deadlineArgs) Kind() string { return "deadline" }

// The watch looks at least so often near the end, and alarms when so little time is left and heads have been
// missing for so long.
const (
	watchFloor = time.Minute
	nearEnd    = 6 * time.Hour
	missing    = 2 * time.Minute
	restAfter  = 10 * time.Minute // when it must be over, and no block says so
)

type deadlineWorker struct {
	river.WorkerDefaults[deadlineArgs]
	runner *Runner
}

// Work alarms if there are no heads near the end, sweeps, and comes back until a block says that voting is over.
func (w *deadlineWorker) Work(ctx context.Context, job *river.Job[deadlineArgs]) error {
	r := w.runner
	id, err := gov.ParseProposalID(job.Args.Proposal)
	if err != nil {
		return river.JobCancel(err)
	}
	d, err := r.db.Load(ctx, id)
	if journal.Itself(err) {
		if err := r.putAside(ctx, proposalAside(id, err)); err != nil {
			return err
		}
		return river.JobSnooze(10 * watchFloor)
	}
	if err != nil {
		return err
	}
	head, ok := r.head(id)
	if !ok {
		return river.JobSnooze(watchFloor)
	}
	left, stopped := r.left(d, head)
	if !awaited(d) || left <= -watchFloor && stopped < missing {
		return nil
	}
	over := left <= -watchFloor // as far as the clock tells: it was told before, and a block will say
	if !over {
		r.alarmNear(d, head, left, stopped)
	}
	if err := r.sweep(ctx); err != nil {
		return err
	}
	if over {
		return river.JobSnooze(restAfter)
	}
	return river.JobSnooze(comeBack(left))
}

// alarmNear alarms where a vote may be missed. Titles have no number that changes, so that the same alarm is told once in
// a while, however often the watch looks.
func (r *Runner) alarmNear(d dossier.Dossier, head gov.Head, left, stopped time.Duration) {
	id := d.ID()
	ends := fmt.Sprintf("voting ends in about %s", max(left, 0).Round(time.Second))
	if stopped >= missing && left < nearEnd {
		r.conf.Alarm(fmt.Sprintf("no new block of %s, and voting on %s ends soon", id.Chain, id),
			fmt.Errorf("%s; the newest known block is %d, for %s", ends, head.Latest.Number, stopped.Round(time.Second)))
	}
	if d.Undecided(head) {
		r.conf.Alarm(fmt.Sprintf("there is no decision on %s yet, and voting ends soon", id),
			fmt.Errorf("%s; its facts could not be gathered: the log says why; a vote by hand needs them too", ends))
	}
	if d.Late(head) {
		r.conf.Alarm(fmt.Sprintf("the vote on %s is due and not sent, and voting ends soon", id),
			fmt.Errorf("%s; it may wait for fees, funds, a frozen key or facts: the log says why", ends))
	}
}

// awaited says whether a vote of ours may still be made or has to be followed.
func awaited(d dossier.Dossier) bool {
	switch d.Vote.Status {
	case gov.VoteFinal, gov.VoteReverted, gov.VoteExpired:
		return false
	}
	return d.Stage == dossier.AtSeen || d.Stage == dossier.AtGathered || d.Stage == dossier.AtDecided
}

// left estimates the wall time until the close, and says for how long the newest head has been the newest.
func (r *Runner) left(d dossier.Dossier, head gov.Head) (left, stopped time.Duration) {
	r.mu.Lock()
	moved := r.alive[d.ID().Chain].Moved
	r.mu.Unlock()
	if !moved.IsZero() {
		stopped = r.conf.Now().Sub(moved)
	}
	chain := time.Duration(head.At(d.Proposal.Clock, d.Proposal.Ends)-head.Latest.Time) * time.Second
	return chain - stopped, stopped
}

// comeBack is after how long the watch looks again.
func comeBack(left time.Duration) time.Duration { return max(left/2, watchFloor) }

// watchDeadlines sets the watch over proposals that were just seen and are open.
func (r *Runner) watchDeadlines(ctx context.Context, tx journal.Tx, seen []dossier.Seen) error {
	for _, s := range seen {
		id := s.Proposal.ID
		head, ok := r.head(id)
		if !ok || head.Clock > s.Proposal.Ends {
			continue // back-filled: over long ago
		}
		left, _ := r.left(dossier.Dossier{Proposal: s.Proposal}, head)
		_, err := r.client.InsertTx(ctx, tx.SQL(), deadlineArgs{id.String()}, &river.InsertOpts{
			Queue: queueQuick, Priority: 4, ScheduledAt: time.Now().Add(comeBack(left)),
			UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: working},
		})
		if err != nil {
			return fmt.Errorf("watch the deadline of %s: %w", id, err)
		}
	}
	return nil
}
