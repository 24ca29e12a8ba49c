package quorum

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/chains/rpc"
)

const (
	// patience is how many times the time of those that agree the rest may take: an honest endpoint that is somewhat
	// slower is still heard, so that a minority is seen and named.
	patience = 2
	// least and most bound the wait for the rest.
	least = time.Second
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
	members, reserve, err := p.ask(ctx)
	if err != nil {
		return Agreed[T]{}, err
	}
	c := newCount[T, K](p.need)
	take := func(r reply[T]) (enough bool) {
		c.take(r, key)
		_, ok := c.winner()
		return ok
	}

	// Who is left out is asked before the question is given up: one of those who were asked may lie.
	for _, some := range [][]*seat{members, reserve} {
		c.add(some)
		if err := hear(ctx, some, ask, take); err != nil {
			return Agreed[T]{}, err
		}
		if _, ok := c.winner(); ok {
			break
		}
	}
	return c.result(p)
}

// hear asks every member, side by side, and hands over the replies one at a time, until all are in, or some while
// after take has said that they are enough. The members that are left are marked slow. The error is that the context
// ended before there were enough.
func hear[T any](ctx context.Context, members []*seat, ask func(context.Context, rpc.Caller) (T, error), take func(reply[T]) (enough bool)) error {
	asking, cancel := context.WithCancel(ctx)
	defer cancel() // lets go of those that are not waited for
	heard := make(chan reply[T], len(members))
	for _, m := range members {
		go func() {
			r := reply[T]{member: m}
			r.err = supervise.Catch(func() (err error) { r.value, err = ask(asking, m); return err })
			heard <- r
		}()
	}

	open := map[*seat]bool{}
	for _, m := range members {
		open[m] = true
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
			if m, is := r.member.Member.(prompter); is && r.err == nil {
				m.Prompt()
			}
			continue
		case <-enough:
		case <-ctx.Done():
			if !ok {
				return fmt.Errorf("ask %d endpoints: %w", len(members), ctx.Err())
			}
			return nil
		}
		break
	}
	for m := range open {
		if m, ok := m.Member.(slower); ok {
			m.Slow(time.Since(began))
		}
	}
	return nil
}

// reply is what one member said.
type reply[T any] struct {
	member *seat
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
	need    int
	members []*seat // in the panel's order
	replies map[*seat]reply[T]
	answers map[*seat]outcome[K] // of those whose reply says something of the chain
	votes   map[outcome[K]]int
}

func newCount[T any, K comparable](need int) *count[T, K] {
	return &count[T, K]{need: need, replies: map[*seat]reply[T]{}, answers: map[*seat]outcome[K]{}, votes: map[outcome[K]]int{}}
}

// content reports whether a class of failure says something of the chain rather than of the endpoint.
func content(c rpc.Class) bool { return c == rpc.Reverted || lacking(c) }

// lacking reports whether a class of failure says that the endpoint has not got, or does not do, what it is asked for:
// where others answer that is no lie.
func lacking(c rpc.Class) bool {
	switch c {
	case rpc.NoState, rpc.NotFound, rpc.BadRequest, rpc.Range, rpc.Unsupported:
		return true
	}
	return false
}

// add is who is asked.
func (c *count[T, K]) add(members []*seat) { c.members = append(c.members, members...) }

func (c *count[T, K]) take(r reply[T], key func(T) K) {
	c.replies[r.member] = r
	var o outcome[K]
	if r.err != nil {
		o.failure, o.failed = rpc.Classify(r.err), true
		if !content(o.failure) {
			return
		}
	} else {
		o.key = key(r.value)
	}
	c.answers[r.member] = o
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

// agreement says who said what, in the panel's order.
func (c *count[T, K]) agreement() Agreement {
	by := Agreement{Asked: len(c.members)}
	won, ok := c.winner()
	for _, m := range c.members {
		r, replied := c.replies[m]
		o, answered := c.answers[m]
		switch {
		case !replied:
			by.Slow = append(by.Slow, m.Name())
			continue
		case r.err != nil:
			by.Failed = append(by.Failed, Failure{m.Name(), r.err})
		}
		switch {
		case !answered:
		case ok && o == won:
			by.Same++
			by.Agreeing = append(by.Agreeing, m.Name())
		case (ok || len(c.votes) > 1) && !lacking(o.failure):
			by.Minority = append(by.Minority, m.Name())
		}
	}
	return by
}

func (c *count[T, K]) result(p *Panel) (Agreed[T], error) {
	won, ok := c.winner()
	by := c.agreement()
	p.tell(by)
	if !ok {
		return Agreed[T]{}, &Error{Need: c.need, Answers: len(c.votes), Agreement: by}
	}
	if odd := by.odd(); len(by.Minority)+len(by.Slow)+len(odd) > 0 {
		p.log.Warn("endpoints differ from the agreed answer", "differ", by.Minority, "slow", by.Slow, "not what was asked", odd, "agree", by.Same, "asked", by.Asked)
	}
	for _, m := range c.members {
		if o, answered := c.answers[m]; !answered || o != won {
			continue
		}
		if won.failed {
			return Agreed[T]{}, fmt.Errorf("%d of %d endpoints fail alike: %w", by.Same, by.Asked, c.replies[m].err)
		}
		return Agreed[T]{c.replies[m].value, by}, nil
	}
	panic("quorum: a winner that no member gave")
}

// odd are the members whose answer is none to the question, such as another block than was asked for. A page of a gateway in
// the place of an answer is a failure like any other.
func (a Agreement) odd() (hosts []string) {
	for _, f := range a.Failed {
		var page *rpc.HTTPError
		if errors.Is(f.Err, rpc.ErrMalformed) && !errors.As(f.Err, &page) {
			hosts = append(hosts, f.Source)
		}
	}
	return hosts
}

// Error says that fewer members than needed gave one answer. It is [rpc.ErrDisagreement], and also every member's own
// error.
type Error struct {
	Need    int
	Answers int // different ones
	Agreement
}

func (e *Error) Error() string {
	text := fmt.Sprintf("too few endpoints answer: %d of %d must give the same answer", e.Need, e.Asked)
	if e.Answers > 1 {
		text = fmt.Sprintf("%v: %d of %d endpoints must give the same answer, there are %d different ones", rpc.ErrDisagreement, e.Need, e.Asked, e.Answers)
	}
	if len(e.Minority) > 0 {
		text += " (" + strings.Join(e.Minority, ", ") + ")"
	}
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
