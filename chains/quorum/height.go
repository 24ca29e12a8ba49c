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
	members, err := p.ask(ctx)
	if err != nil {
		return Agreed[rpc.Header]{}, err
	}
	heads := make([]*rpc.Header, len(members))
	known := 0
	var failed []error
	err = hear(ctx, members, block, func(r reply[rpc.Header]) (enough bool) {
		if r.err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", members[r.member].Name(), r.err))
		} else {
			heads[r.member] = &r.value
			known++
		}
		return known >= p.need
	})
	if err != nil {
		return Agreed[rpc.Header]{}, err
	}
	if known < p.need {
		return Agreed[rpc.Header]{}, fmt.Errorf("%d of %d endpoints told their block, %d must: %w", known, len(members), p.need, errors.Join(append(failed, rpc.ErrNoEndpoint)...))
	}

	var heights []uint64
	for _, h := range heads {
		if h != nil {
			heights = append(heights, h.Number)
		}
	}
	slices.Sort(heights)
	number := heights[len(heights)-p.need]

	// Most of the time they stand at the same block, and nothing more has to be asked.
	c := newCount[rpc.Header, rpc.HeaderKey](p.need, members)
	for i, h := range heads {
		switch {
		case h == nil:
		case h.Number == number:
			c.take(reply[rpc.Header]{i, *h, nil}, rpc.Header.Key)
		default:
			c.replies[i] = &reply[rpc.Header]{i, *h, nil} // at another height: neither alike nor slow
		}
	}
	if _, ok := c.winner(); ok && len(c.votes) == 1 {
		return c.result(p)
	}
	return AskBy(ctx, p, rpc.Header.Key, func(ctx context.Context, caller rpc.Caller) (rpc.Header, error) {
		return rpc.HeaderByNumber(ctx, caller, number)
	})
}
