package rpc

import (
	"context"
	"fmt"
	"time"
)

// Source is one operator's endpoint as a Caller of its own, without failover: for asking the same of several
// (Agree), and for sending a transaction to each.
type Source struct {
	c *Client
	n *node
}

// Name is the endpoint's host, without credentials.
func (s Source) Name() string { return s.n.name }

// String is Name.
func (s Source) String() string { return s.n.name }

// Call asks this endpoint, again after a pause where the error passes with time.
func (s Source) Call(ctx context.Context, result any, method string, args ...any) error {
	r := &Request{Method: method, Args: args, Result: result}
	_ = s.c.run(ctx, []*node{s.n}, []*Request{r}) // whatever happened is also r.Err
	return r.Err
}

// Batch asks this endpoint.
func (s Source) Batch(ctx context.Context, reqs []Request) error {
	return s.c.run(ctx, []*node{s.n}, pointers(reqs))
}

// downAfter is the number of failures in a row after which an endpoint is left out of Sources while it cools.
const downAfter = 3

// Sources are the healthy endpoints, one for each operator, in configured order. An endpoint that lags, serves
// another chain or keeps failing is left out; where that leaves fewer operators than must agree, those that keep
// failing are asked all the same.
func (c *Client) Sources() []Source {
	healthy := c.pick(func(n *node, s standing) bool {
		return s == good || s == cooling && !n.down()
	})
	if len(healthy) >= c.cfg.Agree {
		return healthy
	}
	return c.pick(func(_ *node, s standing) bool { return s != barred && s != behind })
}

// pick takes the best endpoint of each operator among those that may be used.
func (c *Client) pick(may func(*node, standing) bool) []Source {
	now := time.Now()
	var out []Source
	at := map[string]int{}
	for _, n := range c.nodes {
		s := n.standing(now)
		if !may(n, s) {
			continue
		}
		i, seen := at[n.operator]
		switch {
		case !seen:
			at[n.operator] = len(out)
			out = append(out, Source{c, n})
		case s < out[i].n.standing(now):
			out[i].n = n
		}
	}
	return out
}

func (n *node) down() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.failures >= downAfter
}

// Slow notes that this endpoint was far slower than others that were asked the same: it counts as one that fails, so
// that it is asked last for a while.
func (s Source) Slow(waited time.Duration) {
	s.n.failed(fmt.Errorf("%w: no answer within %s while others had answered", ErrSlow, waited), time.Now())
}
