package jobs

import (
	"context"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// lookInterval is how often the journal is looked at for records of other processes, such as
// `legate vote`.
const lookInterval = 250 * time.Millisecond

// markTold is the mark in the journal up to where records were told.
const markTold = "told"

// tell follows the journal in the order of writing: it keeps the open dossiers folded, tells
// [Config.Observe] of every record after it is durable, and wakes proposals that somebody else wrote to.
func (r *Runner) tell(ctx context.Context) {
	tick := time.NewTicker(lookInterval)
	defer tick.Stop()
	failed := false
	for {
		err := r.look(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			r.conf.Alarm("cannot read the journal", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
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
			if err != nil {
				return err
			}
			r.told = p.Place
			if r.remember(d) {
				foreign = append(foreign, p.ID)
			}
			r.conf.Observe(p.Record, d)
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

// follows is the dossier after a record.
func (r *Runner) follows(ctx context.Context, p journal.Placed) (dossier.Dossier, error) {
	r.mu.Lock()
	d := r.folded[p.ID]
	r.mu.Unlock()
	if d.Seq != p.Seq-1 {
		var err error
		if d, err = r.db.LoadUntil(ctx, p.ID, p.Seq-1); err != nil {
			return d, err
		}
	}
	return d.ApplyRecord(p.Record)
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
			if err != nil {
				return err
			}
			changed[id] = d
			if err := r.enqueue(ctx, tx, dossier.Next(d, head), d); err != nil {
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
