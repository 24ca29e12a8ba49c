package rpc

import (
	"context"
	"time"
)

// Source is one operator's endpoint as a Caller of its own, without failover: for asking the same of several
// (package quorum), and for sending a transaction to each.
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

// An endpoint that was slow is left out of Sources for a while, twice as long each time it is slow again.
const (
	slowFirst = 10 * time.Second
	slowMost  = 5 * time.Minute
)

// Sources are the healthy endpoints, one for each operator, in configured order. An endpoint that lags, serves
// another chain, keeps failing or is far slower than the others is left out; where that leaves fewer operators than must
// agree, those that keep failing or are slow are asked all the same.
func (c *Client) Sources() []Source {
	now := time.Now()
	healthy := c.pick(func(n *node, s standing) bool {
		return (s == good || s == cooling && !n.down()) && !n.late(now)
	})
	if len(healthy) >= c.cfg.Agree {
		return healthy
	}
	return c.pick(func(_ *node, s standing) bool { return s != barred && s != behind })
}

// Reserve are endpoints of the operators that Sources leaves out, but for those that serve another chain: to be asked
// where the others come to no agreement.
func (c *Client) Reserve() []Source {
	asked := map[string]bool{}
	for _, s := range c.Sources() {
		asked[s.n.operator] = true
	}
	return c.pick(func(n *node, s standing) bool { return s != barred && !asked[n.operator] })
}

// All are the endpoints, but for those that serve another chain: for handing each a transaction.
func (c *Client) All() []Source {
	now := time.Now()
	var out []Source
	for _, n := range c.nodes {
		if n.standing(now) != barred {
			out = append(out, Source{c, n})
		}
	}
	return out
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

// late reports whether the endpoint is left alone because it was slow.
func (n *node) late(now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return now.Before(n.slowTill)
}

// Slow notes that this endpoint was far slower than others that were asked the same: it is asked last, and left out of
// Sources, for a while, longer each time.
func (s Source) Slow(waited time.Duration) {
	s.c.cfg.Log.Debug("rpc_slow", "host", s.n.name, "waited", waited)
	s.n.slowed(time.Now())
}

func (n *node) slowed(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slowTill = now.Add(min(slowFirst<<min(n.slows, 8), slowMost))
	n.slows++
}

// Prompt notes that this endpoint answered while the others were waited for.
func (s Source) Prompt() {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	s.n.slowTill = time.Time{}
	s.n.slows = max(s.n.slows-1, 0)
}
