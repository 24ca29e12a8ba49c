package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// The queues. Votes go one after the other, since one transaction a key is under way at a time. What is
// slow (dry run) has its own, so that it delays no decision, and so has what follows a transaction, and what is
// computed to be shown. Gates and briefs ask a model, which may hang: neither holds up anything but its own kind.
const (
	queueSlow     = "slow"
	queueQuick    = "quick"
	queueVotes    = "votes"
	queueConfirms = "confirms"
	queueGates    = "gates"
	queueBriefs   = "briefs"
	queueShown    = "shown"
)

var queues = map[string]river.QueueConfig{
	queueSlow: {MaxWorkers: 4}, queueQuick: {MaxWorkers: 8}, queueVotes: {MaxWorkers: 1}, queueConfirms: {MaxWorkers: 2},
	queueGates: {MaxWorkers: 1}, queueBriefs: {MaxWorkers: 1}, queueShown: {MaxWorkers: 1},
}

// queueOf is where a kind of step is done; quick for those not named.
var queueOf = map[dossier.StepKind]string{
	dossier.Preview: queueSlow, dossier.Gather: queueSlow, dossier.Gate: queueGates,
	dossier.Lock: queueVotes, dossier.Sign: queueVotes, dossier.Send: queueVotes,
	dossier.Confirm: queueConfirms, dossier.Write: queueShown, dossier.Foretell: queueShown,
}

// working are the states in which a second job for the same step is not wanted. A finished one does not
// count: the records, not the queue, say what was done.
var working = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// movesOn says of which kinds the basis moves with the head: whichever is done, it is the same work, so
// one job at a time is enough and it stays owed at a later block.
func movesOn(k dossier.StepKind) bool {
	return k == dossier.Confirm || k == dossier.Gather || k == dossier.Settle
}

// priority of a step in its queue, 1 is first: what is under way or due, then Against, then the rest, and last
// what is only shown.
func priority(s dossier.Step, d dossier.Dossier) int {
	switch {
	case d.Vote.Status.Bound() || strings.HasPrefix(s.Basis, "due/"):
		return 1
	case d.Final() == gov.Against:
		return 2
	case s.Kind == dossier.Preview:
		return 4
	}
	return 3
}

// enqueue adds jobs for steps, in the transaction of the records that made them due.
func (r *Runner) enqueue(ctx context.Context, tx journal.Tx, steps []dossier.Step, d dossier.Dossier) error {
	for _, s := range steps {
		args := stepArgs{s.ID.String(), s.Kind, s.Basis}
		if movesOn(s.Kind) {
			args.Basis = ""
		}
		queue, ok := queueOf[s.Kind]
		if !ok {
			queue = queueQuick
		}
		if s.AsksModel() {
			queue = queueBriefs
		}
		_, err := r.client.InsertTx(ctx, tx.SQL(), args, &river.InsertOpts{
			Queue: queue, Priority: priority(s, d), UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: working},
		})
		if err != nil {
			return fmt.Errorf("enqueue %s of %s: %w", s.Kind, s.ID, err)
		}
	}
	return nil
}

// enqueueDue enqueues every step that open proposals of a chain are owed at its newest head. fresh are
// dossiers that this transaction has changed. A proposal that cannot be dealt with stops no other: it is returned, to be
// set aside.
func (r *Runner) enqueueDue(ctx context.Context, tx journal.Tx, chain gov.ChainID, fresh map[gov.ProposalID]dossier.Dossier) (aside []journal.Aside, err error) {
	open, err := tx.Open(ctx, chain)
	if err != nil {
		return nil, err
	}
	for _, e := range open {
		head, ok := r.head(e.ID)
		if !ok || r.resting(e.ID) {
			continue
		}
		d, ok := fresh[e.ID]
		err := error(nil)
		if !ok || d.Seq != e.Seq {
			d, err = r.fold(ctx, tx, e)
		}
		var steps []dossier.Step
		if err == nil {
			steps, err = next(d, head)
		}
		if journal.Itself(err) {
			aside = append(aside, proposalAside(e.ID, err))
			continue
		}
		if err != nil {
			return nil, err
		}
		if r.worksAgain(journal.AsideProposal, e.ID.String()) {
			if err := tx.TakeUp(ctx, journal.AsideProposal, e.ID.String()); err != nil {
				return nil, err
			}
		}
		if err := r.enqueue(ctx, tx, steps, d); err != nil {
			return nil, err
		}
	}
	return aside, nil
}

// fold is the dossier of an index entry, from memory where its sequence number is still the newest: only
// committed records get there, and a sequence number is committed once. tx has not written to the proposal.
func (r *Runner) fold(ctx context.Context, tx journal.Tx, e journal.Entry) (dossier.Dossier, error) {
	r.mu.Lock()
	d, ok := r.folded[e.ID]
	r.mu.Unlock()
	if ok && d.Seq == e.Seq {
		return d, nil
	}
	d, err := tx.Load(ctx, e.ID)
	if err != nil || d.Stage == dossier.AtClosed {
		return d, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.folded[e.ID]; !ok { // after a start, until its next record; else the teller brings it
		r.folded[e.ID] = d
	}
	return d, nil
}
