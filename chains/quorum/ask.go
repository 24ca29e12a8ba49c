package quorum

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/legate-dao/legate/chains/rpc"
)

const (
	// patience is how many times the time of those that agree the rest may take: an honest endpoint that is somewhat
	// slower is still heard, so that a minority is seen and named.
	patience = 2
	// least and most bound the wait for the rest.
	least = 300 * time.Millisecond
	most  = 20 * time.Second
)

// Ask asks every member of the panel the same, side by side, and returns the answer that enough of them give. When that
// is clear the others have a short while more; who differs, fails or is slow is named in the answer and in the log.
//
// A failure that the chain's content causes (reverted, no state, not found, bad request, unsupported) is an answer too:
// where enough members fail alike, that error is the agreed one. Two answers that both reach the need are a
// disagreement. What does not come to an agreement is an [*Error].
func Ask[T comparable](ctx context.Context, p *Panel, ask func(context.Context, rpc.Caller) (T, error)) (Agreed[T], error) {
	return AskBy(ctx, p, func(v T) T { return v }, ask)
}

// AskBy is Ask for answers that do not compare: key is what must be equal, such as a digest of all that matters. The
// value is that of the first member, in the panel's order, that gave it.
func AskBy[T any, K comparable](ctx context.Context, p *Panel, key func(T) K, ask func(context.Context, rpc.Caller) (T, error)) (Agreed[T], error) {
	members, err := p.ask(ctx)
	if err != nil {
		return Agreed[T]{}, err
	}
	c := newCount[T, K](p.need, members)
	err = hear(ctx, members, ask, func(r reply[T]) (enough bool) {
		c.take(r, key)
		_, ok := c.winner()
		return ok
	})
	if err != nil {
		return Agreed[T]{}, err
	}
	return c.result(p)
}

// hear asks every member, side by side, and hands over the replies one at a time, until all are in, or some while
// after take has said that they are enough. The members that are left are marked slow. The error is that the context
// ended before there were enough.
func hear[T any](ctx context.Context, members []Member, ask func(context.Context, rpc.Caller) (T, error), take func(reply[T]) (enough bool)) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel() // lets go of those that are not waited for
	heard := make(chan reply[T], len(members))
	for i, m := range members {
		go func() {
			v, err := ask(asking, m)
			heard <- reply[T]{i, v, err}
		}()
	}

	open := map[int]bool{}
	for i := range members {
		open[i] = true
	}
	began, ok := time.Now(), false
	var enough <-chan time.Time
	for len(open) > 0 {
		select {
		case r := <-heard:
			delete(open, r.member)
			if ok = take(r); ok && enough == nil {
				enough = time.After(min(max(patience*time.Since(began), least), most))
			}
			continue
		case <-enough:
		case <-ctx.Done():
			if !ok {
				return fmt.Errorf("ask %d endpoints: %w", len(members), ctx.Err())
			}
		}
		break
	}
	for i := range open {
		if m, ok := members[i].(slower); ok {
			m.Slow(time.Since(began))
		}
	}
	return nil
}

// reply is what one member said.
type reply[T any] struct {
	member int
	value  T
	err    error
}

// outcome is what members are compared by: the key of an answer, or the class of a failure that the chain's content
// causes.
type outcome[K comparable] struct {
	key     K
	failure rpc.Class
	failed  bool
}

// count gathers replies.
type count[T any, K comparable] struct {
	need     int
	members  []Member
	replies  []*reply[T]
	outcomes []*outcome[K] // nil: no answer
	votes    map[outcome[K]]int
	by       Agreement
}

func newCount[T any, K comparable](need int, members []Member) *count[T, K] {
	n := len(members)
	return &count[T, K]{
		need: need, members: members, replies: make([]*reply[T], n), outcomes: make([]*outcome[K], n),
		votes: map[outcome[K]]int{}, by: Agreement{Asked: n},
	}
}

// content reports whether a class of failure says something of the chain rather than of the endpoint.
func content(c rpc.Class) bool {
	switch c {
	case rpc.Reverted, rpc.NoState, rpc.NotFound, rpc.BadRequest, rpc.Range, rpc.Unsupported:
		return true
	}
	return false
}

func (c *count[T, K]) take(r reply[T], key func(T) K) {
	c.replies[r.member] = &r
	var o outcome[K]
	if r.err != nil {
		o.failure, o.failed = rpc.Classify(r.err), true
		c.by.Failed = append(c.by.Failed, Failure{c.members[r.member].Name(), r.err})
		if !content(o.failure) {
			return
		}
	} else {
		o.key = key(r.value)
	}
	c.outcomes[r.member] = &o
	c.votes[o]++
}

// winner is the one outcome that enough members share; false where there is none, or more than one.
func (c *count[T, K]) winner() (won outcome[K], ok bool) {
	reached := 0
	for o, n := range c.votes {
		if n >= c.need {
			won = o
			reached++
		}
	}
	return won, reached == 1
}

func (c *count[T, K]) result(p *Panel) (Agreed[T], error) {
	won, ok := c.winner()
	for i, r := range c.replies {
		if r == nil {
			c.by.Slow = append(c.by.Slow, c.members[i].Name())
		}
	}
	for i, o := range c.outcomes {
		if o != nil && (!ok && len(c.votes) > 1 || ok && *o != won) {
			c.by.Minority = append(c.by.Minority, c.members[i].Name())
		}
	}
	if !ok {
		return Agreed[T]{}, &Error{Need: c.need, Answers: len(c.votes), Agreement: c.by}
	}
	c.by.Same = c.votes[won]
	if len(c.by.Minority) > 0 || len(c.by.Slow) > 0 {
		p.log.Warn("endpoints differ from the agreed answer", "differ", c.by.Minority, "slow", c.by.Slow, "agree", c.by.Same, "asked", c.by.Asked)
	}
	for i, o := range c.outcomes {
		if o == nil || *o != won {
			continue
		}
		if won.failed {
			return Agreed[T]{}, fmt.Errorf("%d of %d endpoints fail alike: %w", c.by.Same, c.by.Asked, c.replies[i].err)
		}
		return Agreed[T]{c.replies[i].value, c.by}, nil
	}
	panic("quorum: a winner that no member gave")
}

// Error says that fewer members than needed gave one answer. It is [rpc.ErrDisagreement], and also every member's own
// error.
type Error struct {
	Need    int
	Answers int // different ones
	Agreement
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%v: %d of %d endpoints must give the same answer, there are %d different ones", rpc.ErrDisagreement, e.Need, e.Asked, e.Answers)
	for _, f := range e.Failed {
		text += fmt.Sprintf("; %s: %v", f.Source, f.Err)
	}
	return text
}

// Unwrap gives rpc.ErrDisagreement and the members' errors.
func (e *Error) Unwrap() []error {
	out := []error{rpc.ErrDisagreement}
	for _, f := range e.Failed {
		out = append(out, f.Err)
	}
	return out
}

// Class is [rpc.Disagreement] where answers differ; where no member contradicts another, the failures' own common class.
func (e *Error) Class() rpc.Class {
	if e.Answers > 1 || len(e.Failed) == 0 {
		return rpc.Disagreement
	}
	first := rpc.Classify(e.Failed[0].Err)
	for _, f := range e.Failed[1:] {
		if rpc.Classify(f.Err) != first {
			return rpc.Disagreement
		}
	}
	return first
}

// Disagreement finds the details of a failed agreement.
func Disagreement(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
