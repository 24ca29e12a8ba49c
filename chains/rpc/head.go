package rpc

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Latest is the head of the best endpoint. Every lookEvery it first compares the heads of all endpoints, so that
// one that is stuck is left.
func (c *Client) Latest(ctx context.Context) (Header, error) {
	if err := c.Freshen(ctx); err != nil {
		return Header{}, err
	}
	return HeaderByTag(ctx, c, "latest")
}

// Final is the newest final block by the configured finality, as the best endpoint says. What decides a vote asks
// several (package quorum).
func (c *Client) Final(ctx context.Context) (Header, error) {
	if err := c.Freshen(ctx); err != nil {
		return Header{}, err
	}
	return c.finalOf(ctx, c)
}

// Freshen looks at all endpoints when the last look is old, so that one that lags or hangs is known as such. Endpoints
// that fail are only noted; ctx ending is an error.
func (c *Client) Freshen(ctx context.Context) error {
	c.mu.Lock()
	old := time.Since(c.looked) >= lookEvery
	if old {
		c.looked = time.Now() // one caller looks, the others go on
	}
	c.mu.Unlock()
	if !old {
		return nil
	}
	for i, err := range c.look(ctx, c.cfg.Agree) {
		if errors.Is(err, ErrWrongChain) {
			c.cfg.Log.Error("rpc_wrong_chain", "host", c.nodes[i].name, "error", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("compare the heads of the endpoints: %w", err)
	}
	return nil
}

func (c *Client) finalOf(ctx context.Context, from Caller) (Header, error) {
	return FinalBy(ctx, from, c.cfg.Finality)
}

// FinalBy is the newest block that a finality other than the client's own calls final.
func FinalBy(ctx context.Context, from Caller, f Finality) (Header, error) {
	if f.IsTag() {
		return HeaderByTag(ctx, from, f.String())
	}
	head, err := HeaderByTag(ctx, from, "latest")
	if err != nil {
		return Header{}, err
	}
	return HeaderByNumber(ctx, from, head.Number-min(head.Number, f.behind))
}
