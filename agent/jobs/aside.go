package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
)

// What fails by itself, again and again, is set aside in the journal, told as critical, and stands in nobody's way. It
// is tried again, seldom and at each start, since a vote may hang on it.

// asideKey names what is set aside.
type asideKey struct {
	part journal.AsidePart
	what string
}

// spell is how something that fails did so far.
type spell struct {
	n     int       // failures in a row
	noted int       // of those that are on record
	again time.Time // when it may be tried next; zero for any time
	slow  bool      // a panic, or what used all its time: it is tried seldom
	aside bool      // it is on record
}

// restAside is how long a proposal that does not fold is left alone.
const restAside = time.Minute

// Failures in a row after which a step is set aside. An error may be the weather of a network; a panic is not.
const (
	panicsInRow = 3
	errorsInRow = 10
)

// proposalAside is what is noted of a proposal that cannot be dealt with as a whole.
func proposalAside(id gov.ProposalID, err error) journal.Aside {
	return journal.Aside{Part: journal.AsideProposal, What: id.String(), Proposal: id.String(), Why: err.Error()}
}

// resting reports whether a proposal was set aside a moment ago.
func (r *Runner) resting(id gov.ProposalID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.spells[asideKey{journal.AsideProposal, id.String()}]
	return s != nil && r.conf.Now().Before(s.again)
}

// setAside notes in a transaction what could not be dealt with there. Whoever committed it tells it, see [Runner.tellAside].
func (r *Runner) setAside(ctx context.Context, tx journal.Tx, list []journal.Aside) error {
	for _, a := range list {
		a.Last = r.conf.Now()
		if _, err := tx.SetAside(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// putAside sets something aside and tells it.
func (r *Runner) putAside(ctx context.Context, a journal.Aside) error {
	a.Last = r.conf.Now()
	if _, err := r.db.SetAside(ctx, a); err != nil {
		return err
	}
	r.tellAside([]journal.Aside{a})
	return nil
}

// tellAside tells what was set aside, once in the life of the process, and leaves it alone for a while.
func (r *Runner) tellAside(list []journal.Aside) {
	for _, a := range list {
		r.mu.Lock()
		key := asideKey{a.Part, a.What}
		s := r.spells[key]
		if s == nil {
			s = &spell{}
			r.spells[key] = s
		}
		s.again = r.conf.Now().Add(restAside)
		fresh := !s.aside
		s.aside = true
		r.mu.Unlock()
		if fresh {
			r.conf.Alarm(asideTitle(a), errors.New(a.Why))
		}
	}
}

// asideTitle says in a line what is set aside. Steps that fail without a panic are one alarm a kind: where an endpoint
// is bad they are many.
func asideTitle(a journal.Aside) string {
	switch a.Part {
	case journal.AsideProposal:
		return "nothing can be done about " + a.What + ", vote by hand elsewhere if it must be: its records cannot be used"
	case journal.AsideTold:
		return "records are missing in the log and in the metrics, those of " + a.Proposal
	case journal.AsideEvent:
		return "what the chain told could not be stored, look at it by hand: " + a.What
	case journal.AsideStep:
		if strings.Contains(a.Why, "panic at ") {
			return "a step fails again and again, its proposal may miss its vote: " + a.What
		}
		kind, _, _ := strings.Cut(a.What, " ")
		return "steps fail again and again, `legate journal fsck` lists them: " + kind
	}
	return "set aside: " + a.What
}

// worksAgain forgets that something failed, and reports whether it is set aside.
func (r *Runner) worksAgain(part journal.AsidePart, what string) bool {
	key := asideKey{part, what}
	r.mu.Lock()
	s := r.spells[key]
	delete(r.spells, key)
	r.mu.Unlock()
	if s == nil || !s.aside {
		return false
	}
	r.conf.Log.Info("what was set aside works again", "part", string(part), "what", what)
	return true
}

// stepWent takes a step up that was set aside.
func (r *Runner) stepWent(ctx context.Context, a stepArgs) {
	if !r.worksAgain(journal.AsideStep, stepAside(a)) {
		return
	}
	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storing)
	defer cancel()
	if err := r.db.TakeUp(storing, journal.AsideStep, stepAside(a)); err != nil {
		r.conf.Log.Error("could not note that a step works again", "step", stepAside(a), "error", err)
	}
}

// retryAside tries once more what an earlier run set aside: this program may be another.
func (r *Runner) retryAside(ctx context.Context) error {
	list, err := r.db.AllAside(ctx)
	if err != nil {
		return err
	}
	for _, a := range list {
		switch a.Part {
		case journal.AsideEvent:
			if err := r.retryEvent(ctx, a); err != nil {
				return err
			}
		case journal.AsideTold: // what observes counts from the start of the process
			if err := r.db.TakeUp(ctx, a.Part, a.What); err != nil {
				return err
			}
		default:
			r.mu.Lock()
			r.spells[asideKey{a.Part, a.What}] = &spell{aside: true}
			r.mu.Unlock()
		}
	}
	return nil
}

// retryEvent stores what an earlier run could not.
func (r *Runner) retryEvent(ctx context.Context, a journal.Aside) error {
	id, err := gov.ParseProposalID(a.Proposal)
	if err != nil || a.Event == nil {
		return nil
	}
	return r.db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		w := &writing{tx: tx, now: r.conf.Now, after: map[gov.ProposalID]dossier.Dossier{}}
		if s, ok := a.Event.(dossier.WasSeen); ok { // it may have been created again while its records could not be read
			d, err := w.load(ctx, id)
			if err == nil && d.Stage != dossier.Unseen && !d.Rewound && !d.RestsOn(s.Seen) {
				err = w.add(ctx, id, dossier.WasRewound{To: gov.Block{Number: s.Seen.Proposal.Created.Number - min(s.Seen.Proposal.Created.Number, 1)}})
			}
			if err != nil && !journal.Itself(err) {
				return err
			}
		}
		if err := w.add(ctx, id, a.Event); err != nil {
			return err
		}
		if len(w.aside) > 0 {
			return r.setAside(ctx, tx, w.aside)
		}
		return tx.TakeUp(ctx, a.Part, a.What)
	})
}

// stepAside names a step among what is set aside: whatever its basis, it is the same work.
func stepAside(a stepArgs) string { return string(a.Step) + " of " + a.Proposal }

// stepFailed counts the failures of a step in a row, and sets it aside where they go on.
func (r *Runner) stepFailed(ctx context.Context, job *river.Job[stepArgs], err error) {
	_, panicked := supervise.Panicked(err)
	slow := panicked || errors.Is(err, context.DeadlineExceeded)
	id, _ := gov.ParseProposalID(job.Args.Proposal)
	key := asideKey{journal.AsideStep, stepAside(job.Args)}

	r.mu.Lock()
	if !panicked && r.alive[id.Chain].Err != nil {
		r.mu.Unlock() // nothing of this chain can be read, which is told
		return
	}
	s := r.spells[key]
	if s == nil {
		s = &spell{}
		r.spells[key] = s
	}
	s.n++
	s.slow = slow
	due := s.n%errorsInRow == 0 || panicked && s.n == panicsInRow
	since := s.n - s.noted
	if due {
		s.noted = s.n
	}
	r.mu.Unlock()
	if !due {
		return
	}

	storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), storing)
	defer cancel()
	a := journal.Aside{Part: key.part, What: key.what, Proposal: job.Args.Proposal, Why: err.Error(), Tries: int64(since)}
	if failed := r.putAside(storing, a); failed != nil {
		r.conf.Log.Error("could not note a step that fails", "step", key.what, "error", failed)
	}
}

// slowly reports whether a job is of a step that is set aside and costs much: it is tried seldom.
func (r *Runner) slowly(job *rivertype.JobRow) bool {
	var a stepArgs
	if job.Kind != a.Kind() {
		return false
	}
	if err := json.Unmarshal(job.EncodedArgs, &a); err != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.spells[asideKey{journal.AsideStep, stepAside(a)}]
	return s != nil && s.aside && s.slow
}

// next is what a proposal is owed; a panic is an error of the proposal's.
func next(d dossier.Dossier, head gov.Head) (steps []dossier.Step, err error) {
	err = supervise.Catch(func() error { steps = dossier.Next(d, head); return nil })
	if err != nil {
		return nil, fmt.Errorf("what %s is owed: %w", d.ID(), err)
	}
	return steps, nil
}
