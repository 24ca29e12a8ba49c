package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// follow polls one chain until the context ends.
func (r *Runner) follow(ctx context.Context, p Poller) {
	wake := p.Wake(ctx)
	tick := time.NewTicker(r.conf.Poll)
	defer tick.Stop()
	failures := 0
	for {
		behind, err := r.poll(ctx, p)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failures++
			r.noteHealth(p.Chain(), func(h *Health) { h.Err, h.CaughtUp = err, false })
			if failures == 1 || failures%15 == 0 {
				r.conf.Alarm(fmt.Sprintf("cannot follow %s", p.Chain()), err)
			}
		default:
			failures = 0
			if behind { // back-fill: go on at once
				continue
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case _, ok := <-wake:
			if !ok {
				wake = nil
			}
		}
	}
}

func (r *Runner) noteHealth(c gov.ChainID, f func(*Health)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.alive[c]
	f(&h)
	r.alive[c] = h
}

// poll stores one batch and enqueues what it makes due. behind says that more is there already.
func (r *Runner) poll(ctx context.Context, p Poller) (behind bool, err error) {
	from, recent, known, err := r.db.Cursor(ctx, p.Chain())
	if err != nil {
		return false, err
	}
	if !known {
		from = gov.Cursor{Chain: p.Chain()}
	}
	batch, err := p.Poll(ctx, from, recent)
	if err != nil {
		return false, err
	}
	if batch.Broken {
		r.conf.OnBroken(ctx, p.Chain())
		return false, fmt.Errorf("a reorganisation reached below a finalized block of %s; signing is stopped", p.Chain())
	}
	if batch.To.Block == from.Block && known && len(batch.Seen) == 0 && len(batch.Changes) == 0 {
		r.noteHealth(p.Chain(), func(h *Health) { h.Polled, h.Err, h.CaughtUp = r.conf.Now(), nil, true })
		return false, nil
	}
	r.setHeads(p.Chain(), batch.Heads)
	records, err := r.store(ctx, p.Chain(), batch)
	if err != nil {
		return false, err
	}
	r.observe(records)
	caughtUp := !batch.Behind
	r.noteHealth(p.Chain(), func(h *Health) {
		h.Head, h.Final, h.From, h.Polled, h.Err, h.CaughtUp = batch.To.Block, batch.To.Final, batch.To.From, r.conf.Now(), nil, caughtUp
	})
	return !caughtUp, nil
}

// written is a record with the dossier after it.
type written struct {
	record dossier.Record
	after  dossier.Dossier
}

func (r *Runner) observe(list []written) {
	for _, w := range list {
		r.conf.Observe(w.record, w.after)
	}
}

func (r *Runner) setHeads(c gov.ChainID, heads map[gov.Address]gov.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(heads) > 0 {
		r.heads[c] = heads
	}
}

func (r *Runner) head(id gov.ProposalID) (gov.Head, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.heads[id.Chain][id.Governor]
	return h, ok
}

// store writes a batch: a reorganisation first, then what was seen and changed, the cursor, and the jobs
// that are due now, all in one transaction.
func (r *Runner) store(ctx context.Context, chain gov.ChainID, b dossier.Batch) (out []written, err error) {
	err = r.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		out = nil
		append_ := func(id gov.ProposalID, e dossier.Event) error {
			d, err := tx.Load(ctx, id)
			if err != nil {
				return err
			}
			d, records, err := tx.Append(ctx, id, d, r.conf.Now(), e)
			if errors.Is(err, dossier.ErrNotNow) {
				return nil // seen before, or over: a log read twice changes nothing
			}
			for _, rec := range records {
				out = append(out, written{rec, d})
			}
			return err
		}
		if b.Rewound != nil {
			if err := r.rewind(ctx, tx, chain, *b.Rewound, append_); err != nil {
				return err
			}
		}
		for _, s := range b.Seen {
			if err := append_(s.Proposal.ID, dossier.WasSeen{Seen: s, Head: b.Heads[s.Proposal.ID.Governor]}); err != nil {
				return err
			}
		}
		for _, c := range b.Changes {
			if err := append_(c.ID, dossier.WasChanged{Change: c}); err != nil {
				return err
			}
		}
		if err := tx.Advance(ctx, b.From, b.To, b.Recent); err != nil {
			return err
		}
		return r.enqueueDue(ctx, tx, chain)
	})
	if err != nil { // what was folded inside the lost transaction did not happen
		r.mu.Lock()
		clear(r.folded)
		r.mu.Unlock()
	}
	return out, err
}

// rewind tells every open proposal created above the last common block that its creation is gone.
func (r *Runner) rewind(ctx context.Context, tx journal.Tx, chain gov.ChainID, to gov.Block, add func(gov.ProposalID, dossier.Event) error) error {
	open, err := tx.Open(ctx, chain)
	if err != nil {
		return err
	}
	for _, e := range open {
		d, err := r.fold(ctx, tx, e)
		if err != nil {
			return err
		}
		if d.Proposal.Created.Number > to.Number {
			if err := add(e.ID, dossier.WasRewound{To: to}); err != nil {
				return err
			}
		}
	}
	return nil
}

// enqueueDue enqueues every step that open proposals of a chain are owed at its newest head.
func (r *Runner) enqueueDue(ctx context.Context, tx journal.Tx, chain gov.ChainID) error {
	open, err := tx.Open(ctx, chain)
	if err != nil {
		return err
	}
	for _, e := range open {
		head, ok := r.head(e.ID)
		if !ok {
			continue
		}
		d, err := r.fold(ctx, tx, e)
		if err != nil {
			return err
		}
		if err := r.enqueue(ctx, tx, dossier.Next(d, head), d); err != nil {
			return err
		}
	}
	return nil
}

// fold is the dossier of an index entry, from memory where its sequence number is still the newest.
func (r *Runner) fold(ctx context.Context, tx journal.Tx, e journal.Entry) (dossier.Dossier, error) {
	r.mu.Lock()
	d, ok := r.folded[e.ID]
	r.mu.Unlock()
	if ok && d.Seq == e.Seq {
		return d, nil
	}
	d, err := tx.Load(ctx, e.ID)
	if err != nil {
		return d, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if d.Stage == dossier.AtClosed {
		delete(r.folded, e.ID)
	} else {
		r.folded[e.ID] = d
	}
	return d, nil
}
