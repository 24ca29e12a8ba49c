package notify

import (
	"context"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
)

// early is a channel that can be given an [urgent] alert before its turn. What it has taken so it does not say again
// when the turn comes.
type early interface {
	Ahead(ctx context.Context, a dossier.Alert) error
}

// pager is a store that lists from a place on, so that a long queue is looked at once.
type pager interface {
	PendingAfter(ctx context.Context, channel string, n, limit int64) ([]dossier.Queued, error)
}

// ahead are the urgent alerts that stand behind one that waits.
type ahead struct {
	seen  int64 // looked at up to here
	list  []dossier.Queued
	tries int
	again time.Time // not before
}

// longestUrgent is the longest pause before an urgent alert is tried again, unless the other side asked for more.
const longestUrgent = 30 * time.Second

// hold waits before an alert is tried again, and gives the channel what is urgent and stands behind it: a card that
// cannot be changed holds up no alarm. Where the channel takes such a one although it seemed broken, it is mended, and
// the wait ends. Its error is of the store.
func (w *worker) hold(ctx context.Context, q dossier.Queued, f *Fault, long time.Duration) error {
	channel, passes := w.channel.(early)
	if passes && urgent(q.Alert) {
		long = min(long, max(longestUrgent, f.After))
	}
	end := time.Now().Add(long)
	for {
		left := time.Until(end)
		if left <= 0 || ctx.Err() != nil {
			return nil
		}
		if passes {
			taken, err := w.passAhead(ctx, channel, q.N)
			if err != nil || taken && f.Advice == Broken {
				return err
			}
			if len(w.ahead.list) > 0 {
				left = min(left, max(time.Until(w.ahead.again), 10*time.Millisecond))
			}
		}
		pause(ctx, w.wake, left)
	}
}

// passAhead gives the channel the urgent alerts after n, and reports whether it took one.
func (w *worker) passAhead(ctx context.Context, channel early, n int64) (taken bool, err error) {
	if err := w.lookAhead(ctx, n); err != nil {
		return false, err
	}
	for len(w.ahead.list) > 0 && ctx.Err() == nil && !time.Now().Before(w.ahead.again) {
		alert := w.ahead.list[0].Alert
		if err := w.give(ctx, func(ctx context.Context) error { return channel.Ahead(ctx, alert) }); err != nil {
			w.ahead.tries++
			after := asFault(err).After
			w.ahead.again = time.Now().Add(min(backoff(&Fault{After: after}, w.ahead.tries), max(longestUrgent, after)))
			break // the others stand behind it
		}
		taken = true
		w.ahead.tries, w.ahead.list = 0, w.ahead.list[1:]
	}
	return taken, nil
}

// lookAhead collects the urgent alerts after n that were not seen yet.
func (w *worker) lookAhead(ctx context.Context, n int64) error {
	const few = 256
	s := &w.ahead
	s.list = slices.DeleteFunc(s.list, func(q dossier.Queued) bool { return q.N <= n })
	s.seen = max(s.seen, n)
	for {
		list, err := w.pending(ctx, s.seen, few)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, q := range list {
			if urgent(q.Alert) && w.router.wants(w.channel.Name(), q.Alert) {
				s.list = append(s.list, q)
			}
		}
		s.seen = list[len(list)-1].N
	}
}

// pending lists what the channel has not been given and stands after n. Without a [pager], what stands far behind waits.
func (w *worker) pending(ctx context.Context, n, limit int64) ([]dossier.Queued, error) {
	const many = 4096
	store, name := w.router.store, w.channel.Name()
	if pages, ok := store.(pager); ok {
		return pages.PendingAfter(ctx, name, n, limit)
	}
	if n > 0 {
		limit = many
	}
	list, err := store.Pending(ctx, name, limit)
	return slices.DeleteFunc(list, func(q dossier.Queued) bool { return q.N <= n }), err
}
