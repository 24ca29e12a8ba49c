package jobs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
)

// maxPoll bounds one poll: a call that hangs must not stop the heads.
const maxPoll = 5 * time.Minute

// follow polls one chain until the context ends. A panic is its error.
func (r *Runner) follow(ctx context.Context, p Poller, part *supervise.Part) error {
	wake := p.Wake(ctx)
	tick := time.NewTicker(r.conf.Poll)
	defer tick.Stop()
	var past filling
	fails := outage{}
	for {
		behind := false
		err := supervise.Catch(func() (err error) {
			part.On("the blocks after %d", r.Health()[p.Chain()].Head.Number)
			if behind, err = r.poll(ctx, p); err == nil {
				part.On("the past of its governors")
				behind = past.goOn(ctx, r, p) || behind
			}
			return err
		})
		if _, panicked := supervise.Panicked(err); panicked {
			r.noteHealth(p.Chain(), func(h *Health) { h.Err, h.CaughtUp = err, false })
			r.forgetHeads(p.Chain()) // so that the next poll stores again, whatever it brings
			return err
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			r.failed(ctx, p.Chain(), err, &fails)
		default:
			if fails.told {
				r.conf.Log.Warn("the chain is followed again", "chain", p.Chain().String(), "failures", fails.n)
			}
			fails = outage{logged: fails.logged}
			if behind { // back-fill: go on at once
				continue
			}
		}
		part.Idle()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case _, ok := <-wake:
			if !ok {
				wake = nil
			}
		}
	}
}

// errBroken says that a chain took back what was final (G21).
var errBroken = errors.New("a reorganisation reached below a finalized block; signing is stopped")

// outage is polls of a chain that fail in a row.
type outage struct {
	n      int
	last   time.Time // when it was told last
	told   bool      // to a person
	logged time.Time // one failure, of this outage or one before
}

// An outage that goes on is logged and told to a person so often, and single failures are logged no oftener than that.
const (
	sayAgain = 10 * time.Minute
	logAgain = time.Minute
)

// failed notes that a poll failed. One failure is weather; some in a row need a person, who is told again once in a
// while. What each of the many polls of a long outage says is not logged.
func (r *Runner) failed(ctx context.Context, chain gov.ChainID, err error, o *outage) {
	r.noteHealth(chain, func(h *Health) { h.Err, h.CaughtUp = err, false })
	o.n++
	broken := errors.Is(err, errBroken)
	if broken {
		r.conf.OnBroken(ctx, chain)
	}
	if fsfault.Is(err) { // every poll says so; who is told tells people once
		r.conf.Alarm(fmt.Sprintf("cannot follow %s", chain), err)
		return
	}
	now := r.conf.Now()
	switch {
	case o.n == 3 || broken && !o.told || o.n > 3 && now.Sub(o.last) >= sayAgain:
		o.last, o.told = now, true
		r.conf.Alarm(fmt.Sprintf("cannot follow %s", chain), err)
	case o.n < 3 && now.Sub(o.logged) >= logAgain:
		o.logged = now
		r.conf.Log.Warn("poll failed, will be tried again", "chain", chain.String(), "error", err)
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
	polling, cancel := context.WithTimeout(ctx, maxPoll)
	defer cancel()
	batch, err := p.Poll(polling, from, recent)
	if err != nil {
		return false, err
	}
	if batch.Broken {
		return false, fmt.Errorf("%s: %w", p.Chain(), errBroken)
	}
	news := r.setHeads(p.Chain(), batch.Heads)
	moved := !known || batch.To != from || batch.Rewound != nil || len(batch.Seen)+len(batch.Changes) > 0
	if moved || news {
		if err := r.store(ctx, p.Chain(), batch, moved); err != nil {
			r.forgetHeads(p.Chain()) // so that the next poll stores again, whatever it brings
			return false, err
		}
	}
	caughtUp := !batch.Behind
	r.noteHealth(p.Chain(), func(h *Health) {
		if h.Head != batch.To.Block {
			h.Moved = r.conf.Now()
		}
		h.Head, h.Final, h.Polled, h.Err, h.CaughtUp = batch.To.Block, batch.To.Final, r.conf.Now(), nil, caughtUp
	})
	return !caughtUp && moved, nil
}

// filling is what is left to read of the past of a chain's governors. That it fails stops nobody from following the
// chain: it is tried again, ever more seldom.
type filling struct {
	done     bool // every governor has its past, which no later poll changes
	failures int
	again    time.Time
}

// maxRest is how long a past that cannot be read is left alone at most.
const maxRest = 10 * time.Minute

// goOn reads one piece where it is time; more says that another can be read at once.
func (f *filling) goOn(ctx context.Context, r *Runner, p Poller) (more bool) {
	if f.done || r.conf.Now().Before(f.again) {
		return false
	}
	done, more, err := r.backFill(ctx, p)
	if ctx.Err() != nil {
		return false
	}
	r.noteHealth(p.Chain(), func(h *Health) { h.Past = err })
	if err == nil {
		f.done, f.failures = done, 0
		return more
	}
	f.again = r.conf.Now().Add(min(r.conf.Poll<<min(f.failures, 10), maxRest))
	if f.failures++; f.failures == 3 {
		r.conf.Alarm(fmt.Sprintf("what lies before on %s cannot be read for every governor; proposals of then may be missing", p.Chain()), err)
	} else {
		r.conf.Log.Warn("reading the past failed, will be tried again", "chain", p.Chain().String(), "error", err)
	}
	return false
}

// backFill stores one piece of what was not read for a governor, such as the past of one that was added; done
// says that nothing is left of it, more that another piece can be read at once.
func (r *Runner) backFill(ctx context.Context, p Poller) (done, more bool, err error) {
	at, _, known, err := r.db.Cursor(ctx, p.Chain())
	heads := r.headsOf(p.Chain())
	if err != nil || !known || len(heads) == 0 {
		return false, false, err
	}
	read, err := r.db.Followed(ctx, p.Chain())
	if err != nil {
		return false, false, err
	}
	polling, cancel := context.WithTimeout(ctx, maxPoll)
	defer cancel()
	batch, err := p.BackFill(polling, at, read, heads)
	if err != nil {
		return false, false, fmt.Errorf("read the past of a governor: %w", err)
	}
	if len(batch.Filled) > 0 {
		if err := r.store(ctx, p.Chain(), batch, false); err != nil {
			return false, false, err
		}
	}
	return !batch.Behind, batch.Behind && len(batch.Filled) > 0, nil
}

func (r *Runner) headsOf(c gov.ChainID) map[gov.Address]gov.Head {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.heads[c])
}

// setHeads keeps the newest heads, and says whether any is new. A poll without heads leaves them.
func (r *Runner) setHeads(c gov.ChainID, heads map[gov.Address]gov.Head) (news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(heads) == 0 || maps.Equal(r.heads[c], heads) {
		return false
	}
	r.heads[c] = heads
	return true
}

func (r *Runner) forgetHeads(c gov.ChainID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.heads, c)
}

func (r *Runner) head(id gov.ProposalID) (gov.Head, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, ok := r.heads[id.Chain][id.Governor]
	return h, ok
}

// store writes a batch: a reorganisation first, then what was seen and changed, the cursor if it moved, and
// the jobs that are due now, all in one transaction.
func (r *Runner) store(ctx context.Context, chain gov.ChainID, b dossier.Batch, moved bool) error {
	var w *writing
	var aside []journal.Aside
	err := r.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		w = &writing{tx: tx, now: r.conf.Now, after: map[gov.ProposalID]dossier.Dossier{}}
		if b.Rewound != nil {
			if err := r.rewind(ctx, w, chain, b); err != nil {
				return err
			}
		}
		if b.Confirmed != nil {
			if err := r.confirm(ctx, w, chain, b); err != nil {
				return err
			}
		}
		for _, s := range b.Seen {
			if err := w.add(ctx, s.Proposal.ID, dossier.WasSeen{Seen: s, Head: b.Heads[s.Proposal.ID.Governor]}); err != nil {
				return err
			}
		}
		for _, c := range b.Changes {
			d, err := w.load(ctx, c.ID)
			if err != nil && !journal.Itself(err) { // else it is set aside below
				return err
			}
			if err == nil && d.HasChange(c) {
				continue
			}
			if err := w.add(ctx, c.ID, dossier.WasChanged{Change: c}); err != nil {
				return err
			}
		}
		if moved {
			if err := tx.Advance(ctx, b.From, b.To, b.Recent, b.Followed...); err != nil {
				return err
			}
		}
		if err := tx.Follow(ctx, chain, b.Filled...); err != nil {
			return err
		}
		due, err := r.enqueueDue(ctx, tx, chain, w.after)
		if err != nil {
			return err
		}
		aside = append(w.aside, due...)
		if err := r.setAside(ctx, tx, aside); err != nil {
			return err
		}
		return r.watchDeadlines(ctx, tx, b.Seen)
	})
	if err != nil {
		return err
	}
	r.tellAside(aside)
	r.wroteTo(w.after)
	return nil
}

// writing is one batch on its way into the journal.
type writing struct {
	tx    journal.Tx
	now   func() time.Time
	after map[gov.ProposalID]dossier.Dossier
	aside []journal.Aside // what could not be stored, by itself
}

// load is a dossier as the batch has made it so far.
func (w *writing) load(ctx context.Context, id gov.ProposalID) (dossier.Dossier, error) {
	if d, ok := w.after[id]; ok {
		return d, nil
	}
	return w.tx.Load(ctx, id)
}

// readable is load, but for a proposal that does not fold: it is set aside, and the rest of the batch goes on.
func (w *writing) readable(ctx context.Context, id gov.ProposalID) (d dossier.Dossier, ok bool, err error) {
	d, err = w.load(ctx, id)
	if journal.Itself(err) {
		w.aside = append(w.aside, proposalAside(id, err))
		return d, false, nil
	}
	return d, err == nil, err
}

// add appends one event; one that does not belong, since it was read before or all is over, changes nothing. One that
// cannot be stored, whatever the store does, is set aside: the rest of the batch is not lost with it.
func (w *writing) add(ctx context.Context, id gov.ProposalID, e dossier.Event) error {
	d, err := w.load(ctx, id)
	if err != nil {
		return w.orAside(id, e, err)
	}
	d, _, err = w.tx.Append(ctx, id, d, w.now(), e)
	if errors.Is(err, dossier.ErrNotNow) {
		err = nil
	}
	if err != nil {
		return w.orAside(id, e, err)
	}
	if d.Seq > 0 {
		w.after[id] = d
	}
	return nil
}

// isAside reports whether something of a proposal was set aside in this batch.
func (w *writing) isAside(id gov.ProposalID) bool {
	return slices.ContainsFunc(w.aside, func(a journal.Aside) bool { return a.Proposal == id.String() })
}

// orAside sets an event aside where the error is of the event or its proposal; another error is returned.
func (w *writing) orAside(id gov.ProposalID, e dossier.Event, err error) error {
	if !journal.Itself(err) {
		return err
	}
	what := fmt.Sprintf("%s of %s", dossier.TypeOf(e), id)
	switch e := e.(type) {
	case dossier.WasSeen: // a block may tell of one proposal more than once
		what += fmt.Sprintf(" in block %d, log %x", e.Seen.Proposal.Created.Number, e.Seen.Log[:4])
	case dossier.WasChanged:
		what += fmt.Sprintf(" in block %d, log %x", e.Change.Block.Number, e.Change.Log[:4])
	case dossier.WasTakenBack:
		what += fmt.Sprintf(" down to block %d", e.To.Number)
	case dossier.WasRewound:
		what += fmt.Sprintf(" down to block %d", e.To.Number)
	}
	w.aside = append(w.aside, journal.Aside{Part: journal.AsideEvent, What: what, Proposal: id.String(), Why: err.Error(), Event: e})
	return nil
}

// rewind tells every proposal that was created above the last common block that its creation is gone, and every other
// that was read to have changed above it that this change is.
func (r *Runner) rewind(ctx context.Context, w *writing, chain gov.ChainID, b dossier.Batch) error {
	to := *b.Rewound
	open, err := w.tx.Open(ctx, chain)
	if err != nil {
		return err
	}
	ids, err := w.tx.ChangedAbove(ctx, chain, to.Number) // also of proposals that are closed by now
	if err != nil {
		return err
	}
	dossiers := map[gov.ProposalID]dossier.Dossier{}
	for _, e := range open {
		d, err := r.fold(ctx, w.tx, e)
		if journal.Itself(err) { // what it loses is set aside; where it is not created again, nothing else says so
			gone := dossier.Event(dossier.WasTakenBack{To: to, Head: b.Heads[e.ID.Governor]})
			if e.Created > to.Number {
				gone = dossier.WasRewound{To: to}
			}
			w.aside = append(w.aside, proposalAside(e.ID, err))
			if err := w.orAside(e.ID, gone, err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		dossiers[e.ID], ids = d, append(ids, e.ID)
	}
	for _, id := range ids {
		d, ok := dossiers[id]
		if !ok {
			if w.isAside(id) {
				continue
			}
			d, err = w.tx.Load(ctx, id)
			if journal.Itself(err) { // it is closed
				w.aside = append(w.aside, proposalAside(id, err))
				if err := w.orAside(id, dossier.WasTakenBack{To: to, Head: b.Heads[id.Governor]}, err); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
		}
		gone, ok := d.Gone(to, b.Heads[id.Governor])
		if !ok {
			continue
		}
		if err := w.add(ctx, id, gone); err != nil {
			return err
		}
	}
	return nil
}
