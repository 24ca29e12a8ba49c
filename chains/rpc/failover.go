package rpc

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
)

const (
	rounds      = 3                      // passes over the endpoints for one question
	backoffBase = 250 * time.Millisecond // before the second pass, doubled before the third, jittered
	maxPause    = 5 * time.Second        // an endpoint that wants longer is not waited for within one question
)

// Call asks the preferred endpoint, and the others where its error says that they may know better.
func (c *Client) Call(ctx context.Context, result any, method string, args ...any) error {
	r := &Request{Method: method, Args: args, Result: result}
	_ = c.run(ctx, c.nodes, []*Request{r}) // whatever happened is also r.Err
	return r.Err
}

// Batch asks all requests; those that failed where another endpoint may answer are asked again there.
func (c *Client) Batch(ctx context.Context, reqs []Request) error {
	return c.run(ctx, c.nodes, pointers(reqs))
}

func pointers(reqs []Request) []*Request {
	out := make([]*Request, len(reqs))
	for i := range reqs {
		reqs[i].Err = nil
		out[i] = &reqs[i]
	}
	return out
}

// run puts the questions to the nodes in passes. The
// returned error is the conversation's, which the unanswered requests carry as well.
func (c *Client) run(ctx context.Context, nodes []*node, reqs []*Request) error {
	open := reqs
	var talk error // why the conversation failed, where it did
	for round := range rounds {
		if round > 0 {
			if !anySoon(open) || !c.pause(ctx, open, round) {
				break
			}
		}
		open, talk = c.pass(ctx, c.ranked(nodes), open, round)
		if len(open) == 0 || ctx.Err() != nil {
			break
		}
	}
	if err := ctx.Err(); err != nil && len(open) > 0 {
		for _, r := range open {
			r.Err = fmt.Errorf("%s: %w", r.Method, err)
		}
		return fmt.Errorf("rpc: %w", err)
	}
	for _, r := range open {
		if talk != nil && errors.Is(r.Err, talk) {
			return talk
		}
	}
	return nil
}

// pass asks the nodes in order and returns the requests another try may still answer. In a later round only
// requests whose error passes with time are asked again.
func (c *Client) pass(ctx context.Context, order []*node, reqs []*Request, round int) ([]*Request, error) {
	if len(order) == 0 {
		err := fmt.Errorf("%w: all serve another chain", ErrNoEndpoint)
		for _, r := range reqs {
			r.Err = err
		}
		return nil, err
	}
	open := reqs
	if round > 0 {
		open = keep(reqs, func(r *Request) bool { return soon(r) })
	}
	var talk error
	for _, n := range order {
		before := errorsOf(open)
		talk = c.askOne(ctx, n, open)
		if ctx.Err() != nil {
			return open, talk
		}
		if talk != nil {
			c.cfg.Log.Debug("rpc_failover", "host", n.name, "method", open[0].Method, "class", Classify(talk).String(), "error", talk)
		}
		preferTelling(open, before)
		open = keep(open, func(r *Request) bool { return r.Err != nil && r.again() })
		if len(open) == 0 {
			return nil, nil
		}
	}
	return open, talk
}

// askOne checks an endpoint that never answered before, asks it, and notes how it did.
func (c *Client) askOne(ctx context.Context, n *node, reqs []*Request) error {
	if n.standing(time.Now()) == unchecked {
		if err := c.lookAt(ctx, n); err != nil {
			for _, r := range reqs {
				r.Err = err
			}
			if errors.Is(err, ErrWrongChain) {
				c.cfg.Log.Error("rpc_wrong_chain", "host", n.name, "error", err)
			}
			return err
		}
	}
	err := n.ask(ctx, reqs)
	if ctx.Err() != nil {
		return err // our own context ended: no fault of the endpoint
	}
	worst := err
	for _, r := range reqs {
		if worst == nil && Classify(r.Err).fault() {
			worst = r.Err
		}
	}
	if worst != nil {
		n.failed(worst, time.Now())
	} else {
		n.worked()
	}
	return err
}

// again says whether another endpoint may answer. A method that changes something on the node is never sent
// twice: the first may have done it before its answer was lost.
// Logs that this endpoint does not give in any range it was asked for are worth asking for elsewhere.
func (r *Request) again() bool {
	class := Classify(r.Err)
	return (class.Elsewhere() || class == Range && r.Method == "eth_getLogs") && repeatable(r.Method)
}

// repeatable methods can be asked twice without a second effect. eth_sendRawTransaction is: the same bytes are
// the same transaction.
func repeatable(method string) bool {
	switch method {
	case "eth_sendTransaction", "eth_newFilter", "eth_newBlockFilter", "eth_newPendingTransactionFilter":
		return false
	}
	for _, p := range []string{"eth_", "net_", "web3_", "debug_trace", "debug_get", "txpool_", "trace_"} {
		if strings.HasPrefix(method, p) {
			return true
		}
	}
	return false
}

// ranked returns the usable nodes, best standing first, configured order within. One that lags is left out: what
// it says of the head is old. When the others are gone, the next look makes its own head the measure again.
func (c *Client) ranked(nodes []*node) []*node {
	now := time.Now()
	type place struct {
		n *node
		s standing
	}
	places := make([]place, 0, len(nodes))
	for _, n := range nodes {
		if s := n.standing(now); s != barred {
			places = append(places, place{n, s})
		}
	}
	sort.SliceStable(places, func(i, j int) bool { return places[i].s < places[j].s })
	var out []*node
	for _, p := range places {
		if p.s != behind || len(places) == 1 {
			out = append(out, p.n)
		}
	}
	return out
}

// pause waits before another pass: a jittered, doubling delay, or as long as an endpoint asked for when that is
// short. It reports false when waiting is pointless: the endpoint wants longer, or ctx ends before.
func (c *Client) pause(ctx context.Context, open []*Request, round int) bool {
	wait := time.Duration(float64(backoffBase<<(round-1)) * (0.5 + c.cfg.Jitter()))
	for _, r := range open {
		if after, ok := RetryAfter(r.Err); ok {
			wait = max(wait, after)
		}
	}
	if wait > maxPause {
		return false
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
		return false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// soon says whether another pass is worth its time: not after a time-out, which has cost enough already.
func soon(r *Request) bool {
	class := Classify(r.Err)
	return class.Later() && class != Timeout && repeatable(r.Method)
}

func anySoon(reqs []*Request) bool {
	for _, r := range reqs {
		if soon(r) {
			return true
		}
	}
	return false
}

func keep(reqs []*Request, want func(*Request) bool) []*Request {
	var out []*Request
	for _, r := range reqs {
		if want(r) {
			out = append(out, r)
		}
	}
	return out
}

func errorsOf(reqs []*Request) []error {
	out := make([]error, len(reqs))
	for i, r := range reqs {
		out[i] = r.Err
	}
	return out
}

// preferTelling keeps the more telling of two endpoints' errors: "no state" from a node that answered says more
// than "connection refused" from one that did not.
func preferTelling(reqs []*Request, before []error) {
	for i, r := range reqs {
		if r.Err == nil || before[i] == nil {
			continue
		}
		now, was := Classify(r.Err), Classify(before[i])
		if now.fault() && (was == NoState || was == NotFound || was == Unsupported) {
			r.Err = before[i]
		}
	}
}
