package rpc

import (
	"context"
	"time"
)

// Health is what the client knows of one endpoint, for `doctor` and metrics. It asks nothing.
type Health struct {
	Name       string // host, without credentials
	Operator   string // endpoints with the same operator count once in Agree
	Answered   bool   // it has answered and named its chain at least once
	WrongChain bool   // it serves another chain and is not used
	ChainID    uint64
	Head       uint64 // at the last comparison of heads
	Lagging    bool   // too far behind to be asked
	Failures   int    // in a row
	CoolsUntil time.Time
	SlowUntil  time.Time // it was far slower than the others, and is left out until then
	ByNumber   bool      // it does not know EIP-1898: reads at a hash cost three more requests
	OneByOne   bool      // it takes no batches
}

// Health lists the endpoints in configured order.
func (c *Client) Health() []Health {
	out := make([]Health, len(c.nodes))
	for i, n := range c.nodes {
		n.mu.Lock()
		out[i] = Health{
			Name: n.name, Operator: n.operator, Answered: n.chain != 0, WrongChain: n.wrong, ChainID: n.chain, Head: n.head,
			Lagging: n.lagging, Failures: n.failures, CoolsUntil: n.coolTill, SlowUntil: n.slowTill, ByNumber: n.noHashParam.Load(), OneByOne: n.noBatch.Load(),
		}
		n.mu.Unlock()
	}
	return out
}

// Check looks at every endpoint now, in parallel, and returns what is known then. The errors are by endpoint, nil
// where it answered.
func (c *Client) Check(ctx context.Context) ([]Health, []error) {
	errs := c.look(ctx, len(c.nodes))
	return c.Health(), errs
}
