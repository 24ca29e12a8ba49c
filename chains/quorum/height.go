package quorum

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/legate-dao/legate/chains/rpc"
)

// Highest asks every member for a block, such as the newest or the newest final one, and returns the highest block that
// enough members have reached, and that enough describe alike, field by field. So fewer liars than the need can neither
// move it beyond what an honest member has, nor hold it below what enough honest ones have.
func Highest(ctx context.Context, p *Panel, block func(context.Context, rpc.Caller) (rpc.Header, error)) (Agreed[rpc.Header], error) {
	said, err := Survey(ctx, p, block)
	if err != nil {
		return Agreed[rpc.Header]{}, err
	}
	number, err := said.Bound(func(h rpc.Header) uint64 { return h.Number })
	if err != nil {
		return Agreed[rpc.Header]{}, err
	}

	// Most of the time they stand at the same block, and nothing more has to be asked.
	c := newCount[rpc.Header, rpc.HeaderKey](p.need)
	for _, r := range said.replies {
		if r.err != nil || r.value.Number == number {
			c.add([]*seat{r.member})
			c.take(r, rpc.Header.Key)
		}
	}
	var out Agreed[rpc.Header]
	tip := *p
	tip.watch = func(by Agreement) {
		by.Tip = true
		p.tell(by)
	}
	if _, ok := c.winner(); ok && len(c.votes) == 1 {
		out, err = c.result(&tip)
	} else {
		out, err = AskBy(ctx, &tip, rpc.Header.Key, func(ctx context.Context, caller rpc.Caller) (rpc.Header, error) {
			return rpc.HeaderByNumber(ctx, caller, number)
		})
	}
	out.by.Asked = max(out.by.Asked, len(said.replies)) // those at other heights were asked too
	if invented := beyond(said, number); len(invented) > 0 && err == nil {
		p.log.Warn("endpoints claim a block that no other endpoint is near", "differ", invented, "agreed", number)
		p.tell(Agreement{Asked: out.by.Asked, Minority: invented})
		out.by.Minority = union(out.by.Minority, invented)
	}
	return out, err
}

// near is how many blocks an honest endpoint may be ahead of the others.
const near = 64

// beyond names the members that claim a block far above a height.
func beyond(s Said[rpc.Header], number uint64) (out []string) {
	for _, r := range s.replies {
		if r.err == nil && r.value.Number > number+near {
			out = append(out, r.member.Name())
		}
	}
	return out
}

// Said is what the members say where honest ones need not say the same, such as an estimate. It is no agreed answer:
// only [Said.Bound] and the counts of it are worth something.
type Said[T any] struct {
	need    int
	replies []reply[T]
}

// Survey asks every member, and waits a short while for the rest when enough have answered. The error is that nobody
// could be asked, or that the context ended.
func Survey[T any](ctx context.Context, p *Panel, ask func(context.Context, rpc.Caller) (T, error)) (Said[T], error) {
	s := Said[T]{need: p.need}
	members, reserve, err := p.ask(ctx)
	if err != nil {
		return s, err
	}
	answered := 0
	for _, some := range [][]*seat{members, reserve} {
		err := hear(ctx, some, ask, func(r reply[T]) bool {
			s.replies = append(s.replies, r)
			if r.err == nil {
				answered++
			}
			return answered >= p.need
		})
		if err != nil {
			return s, err
		}
		if answered >= p.need {
			break
		}
	}
	return s, nil
}

// Values are the bare answers. Each may be a lie.
func (s Said[T]) Values() (out []T) {
	for _, r := range s.replies {
		if r.err == nil {
			out = append(out, r.value)
		}
	}
	return out
}

// Enough reports whether so many members as must agree failed with a class of error.
func (s Said[T]) Enough(class rpc.Class) bool {
	n := 0
	for _, r := range s.replies {
		if rpc.Classify(r.err) == class {
			n++
		}
	}
	return n >= s.need
}

// Err joins the members' errors.
func (s Said[T]) Err() error {
	var all []error
	for _, r := range s.replies {
		if r.err != nil {
			all = append(all, fmt.Errorf("%s: %w", r.member.Name(), r.err))
		}
	}
	return errors.Join(all...)
}

// Bound is the need-th highest of a number in the answers: at least one honest member says so much or more, and where as
// many honest members as must agree have answered, at least one of them says so little or less. So fewer liars than the
// need move it to nothing that no honest member says.
func (s Said[T]) Bound(number func(T) uint64) (uint64, error) {
	var all []uint64
	for _, r := range s.replies {
		if r.err == nil {
			all = append(all, number(r.value))
		}
	}
	if len(all) < s.need {
		e := &Error{Need: s.need, Answers: min(len(all), 1), Agreement: Agreement{Asked: len(s.replies)}}
		for _, r := range s.replies {
			if r.err != nil {
				e.Failed = append(e.Failed, Failure{r.member.Name(), r.err})
			}
		}
		return 0, e
	}
	slices.Sort(all)
	return all[len(all)-s.need], nil
}

// Tell hands something to everybody, such as a signed transaction, and reports what each said of it; nil where it took it.
// When as many as must agree have taken it the others have a short while more; they are told all the same.
func Tell(ctx context.Context, p *Panel, tell func(context.Context, rpc.Caller) error) []error {
	list := p.members
	if p.all != nil {
		list = p.all
	}
	var errs []error
	taken := 0
	// A caller that has heard enough must not take the bytes from the others.
	onward := context.WithoutCancel(ctx)
	err := hear(ctx, seated(list()), func(_ context.Context, c rpc.Caller) (bool, error) { return true, tell(onward, c) }, func(r reply[bool]) bool {
		if r.err != nil {
			r.err = fmt.Errorf("%s: %w", r.member.Name(), r.err)
		} else {
			taken++
		}
		errs = append(errs, r.err)
		return taken >= p.need
	})
	if err != nil {
		errs = append(errs, err)
	}
	return errs
}
