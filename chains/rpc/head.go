package rpc

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
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
// AgreedFinal.
func (c *Client) Final(ctx context.Context) (Header, error) {
	if err := c.Freshen(ctx); err != nil {
		return Header{}, err
	}
	return c.finalOf(ctx, c)
}

// Freshen looks at all endpoints when the last look is old, so that one that lags or hangs is known as such. Endpoints that fail are only noted; ctx ending is an
// error.
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
	for i, err := range c.look(ctx) {
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

// AgreedFinal is the newest block that at least Need sources call final and agree on, field by field. A source that
// invents a high final block cannot move it: the height is the Need-th highest that sources report.
func (c *Client) AgreedFinal(ctx context.Context) (Header, Agreement, error) {
	if err := c.Freshen(ctx); err != nil {
		return Header{}, Agreement{}, err
	}
	height, err := c.finalHeight(ctx)
	if err != nil {
		return Header{}, Agreement{}, err
	}
	return AgreeBy(ctx, c, c.cfg.Agree, Header.Key, func(ctx context.Context, s Caller) (Header, error) {
		return HeaderByNumber(ctx, s, height)
	})
}

// finalHeight is the Need-th highest final height among the sources.
func (c *Client) finalHeight(ctx context.Context) (uint64, error) {
	sources := c.Sources()
	heights := make([]uint64, len(sources))
	errs := make([]error, len(sources))
	var wg sync.WaitGroup
	for i, s := range sources {
		wg.Go(func() {
			h, err := c.finalOf(ctx, s)
			heights[i], errs[i] = h.Number, err
		})
	}
	wg.Wait()
	var known []uint64
	for i := range sources {
		if errs[i] == nil {
			known = append(known, heights[i])
		}
	}
	if len(known) < c.cfg.Agree {
		return 0, fmt.Errorf("final block: %d of %d needed sources answered: %w", len(known), c.cfg.Agree, errors.Join(append(errs, ErrNoEndpoint)...))
	}
	sort.Slice(known, func(i, j int) bool { return known[i] > known[j] })
	return known[c.cfg.Agree-1], nil
}
