package jobs

import (
	"context"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
)

// lookInterval is how often the journal is looked at for records of other processes, such as
// `legate vote`.
const lookInterval = 250 * time.Millisecond

// markTold is the mark in the journal up to where records were told.
const markTold = "told"

// tell follows the journal in the order of writing: it keeps the open dossiers folded, tells
// [Config.Observe] of every record after it is durable, and wakes proposals that somebody else wrote to.
func (r *Runner) tell(ctx context.Context, part *supervise.Part) error {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	failed := false
	for {
		part.On("the records after place %d", r.told)
		err := r.look(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			r.conf.Alarm("cannot read the journal", err)
		}
		failed = err != nil
		part.Idle()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.db.Written():
		}
	}
}

// look takes in the records since the last look.
func (r *Runner) look(ctx context.Context) error {
	const chunk = 256
	for {
		list, err := r.db.After(ctx, r.told, chunk)
		if err != nil {
			return err
		}
		var foreign []gov.ProposalID
		for _, p := range list {
			d, err := r.follows(ctx, p)
			if err == nil {
				if r.remember(d) {
					foreign = append(foreign, p.ID)
				}
				err = supervise.Catch(func() error { r.conf.Observe(p.Record, d); return nil })
			}
			if err != nil && !journal.Itself(err) {
				return err
			}
			r.told = p.Place
			if err == nil {
				continue
			}
			a := journal.Aside{Part: journal.AsideTold, What: journal.AsideRecord(p), Proposal: p.ID.String(), Place: p.Place, Why: err.Error()}
			if err := r.untold(ctx, a, err); err != nil {
				return err
			}
		}
		if err := r.wakeUp(ctx, foreign); err != nil {
			return err
		}
		if len(list) > 0 {
			if err := r.db.SetMark(ctx, markTold, r.told); err != nil {
				return err
			}
		}
		if len(list) < chunk {
			return nil
		}
	}
}

// untold notes a record that could not be told. One that cannot be read is told as an alert by the outbox.
func (r *Runner) untold(ctx context.Context, a journal.Aside, why error) error {
	if _, panicked := supervise.Panicked(why); panicked {
		return r.putAside(ctx, a)
	}
	a.Last = r.conf.Now()
	_, err := r.db.SetAside(ctx, a)
	return err
}

// follows is the dossier after a record.
func (r *Runner) follows(ctx context.Context, p journal.Placed) (dossier.Dossier, error) {
	if p.Err != nil {
		return dossier.Dossier{}, p.Err
	}
	r.mu.Lock()
	d := r.folded[p.ID]
	r.mu.Unlock()
	if d.Seq != p.Seq-1 {
		var err error
		if d, err = r.db.LoadUntil(ctx, p.ID, p.Seq-1); err != nil {
			return d, err
		}
	}
	err := supervise.Catch(func() (err error) { d, err = d.ApplyRecord(p.Record); return err })
	if err != nil {
		err = &journal.Unfit{ID: p.ID, Seq: p.Seq, Err: err}
	}
	return d, err
}

// remember keeps an open dossier, and says whether its newest record is not by this runner.
func (r *Runner) remember(d dossier.Dossier) (foreign bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	foreign = d.Seq > r.wrote[d.ID()]
	if d.Stage == dossier.AtClosed {
		delete(r.folded, d.ID())
	} else {
		r.folded[d.ID()] = d
	}
	return foreign
}

// wroteTo notes the sequence numbers up to which what follows has been enqueued.
func (r *Runner) wroteTo(list map[gov.ProposalID]dossier.Dossier) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, d := range list {
		r.wrote[id] = max(r.wrote[id], d.Seq)
	}
}

// wakeUp enqueues what proposals are owed after records of somebody else.
func (r *Runner) wakeUp(ctx context.Context, ids []gov.ProposalID) error {
	if len(ids) == 0 {
		return nil
	}
	changed := map[gov.ProposalID]dossier.Dossier{}
	err := r.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		clear(changed)
		for _, id := range ids {
			head, ok := r.head(id)
			if _, done := changed[id]; done || !ok {
				continue // without a head yet, the first one wakes everything
			}
			d, err := tx.Load(ctx, id)
			var steps []dossier.Step
			if err == nil {
				steps, err = next(d, head)
			}
			if journal.Itself(err) {
				continue // the next head sets it aside
			}
			if err != nil {
				return err
			}
			changed[id] = d
			if err := r.enqueue(ctx, tx, steps, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		r.wroteTo(changed)
	}
	return err
}

// Tell stores an event that a person caused (an approval, a cancel). A daemon on the same store, in this
// process or another, notices within a second.
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
