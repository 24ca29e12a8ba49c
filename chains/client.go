package chains

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Client is one chain as enough of its endpoints tell it. Every answer is agreed, so that no single endpoint can hide
// a proposal, invent one, or move the time (G48).
type Client struct {
	panel    *quorum.Panel
	finality rpc.Finality
	heads    func(context.Context) <-chan rpc.Header
}

// NewClient asks a panel. heads yields hints that a new head may be there; nil: there is no such signal.
func NewClient(p *quorum.Panel, f rpc.Finality, heads func(context.Context) <-chan rpc.Header) *Client {
	if heads == nil {
		heads = func(context.Context) <-chan rpc.Header { return nil }
	}
	return &Client{p, f, heads}
}

// Over is the watcher's view of an [rpc.Client].
func Over(c *rpc.Client, log *slog.Logger) *Client {
	return NewClient(quorum.Of(c, log), c.Finality(), c.SubscribeHeads)
}

// Verified reports whether more than one source must agree.
func (c *Client) Verified() bool { return c.panel.Verified() }

// Behind is finality as a distance from the head; ok is false where the node tells it by a tag.
func (c *Client) Behind() (blocks uint64, ok bool) {
	if c.finality == rpc.LatestTag {
		return 0, true
	}
	return c.finality.Blocks(), !c.finality.IsTag()
}

// SubscribeHeads yields new heads of whichever endpoint tells them, as hints only; nil where there is no such signal.
func (c *Client) SubscribeHeads(ctx context.Context) <-chan rpc.Header { return c.heads(ctx) }

// Head is the newest block.
func (c *Client) Head(ctx context.Context) (quorum.Agreed[rpc.Header], error) {
	return quorum.Highest(ctx, c.panel, func(ctx context.Context, from rpc.Caller) (rpc.Header, error) {
		return rpc.HeaderByTag(ctx, from, "latest")
	})
}

// Final is the newest final block.
func (c *Client) Final(ctx context.Context) (quorum.Agreed[rpc.Header], error) {
	return quorum.Highest(ctx, c.panel, func(ctx context.Context, from rpc.Caller) (rpc.Header, error) {
		return rpc.FinalBy(ctx, from, c.finality)
	})
}

// Headers are the headers at some heights, in their order.
func (c *Client) Headers(ctx context.Context, heights ...uint64) (quorum.Agreed[[]rpc.Header], error) {
	return c.headers(ctx, func(ctx context.Context, from rpc.Caller) ([]rpc.Header, error) { return headersAt(ctx, from, heights) })
}

// Linked are the headers of a range, each the parent of the next.
func (c *Client) Linked(ctx context.Context, from, to uint64) (quorum.Agreed[[]rpc.Header], error) {
	return c.headers(ctx, func(ctx context.Context, source rpc.Caller) ([]rpc.Header, error) {
		return rpc.Headers(ctx, source, from, to)
	})
}

func (c *Client) headers(ctx context.Context, ask func(context.Context, rpc.Caller) ([]rpc.Header, error)) (quorum.Agreed[[]rpc.Header], error) {
	key := func(headers []rpc.Header) string {
		keys := make([]rpc.HeaderKey, len(headers))
		for i, h := range headers {
			keys[i] = h.Key()
		}
		return fmt.Sprint(keys) // every field, in a form that compares
	}
	return quorum.AskBy(ctx, c.panel, key, ask)
}

// Logs are the logs of a range; each source must have the block last as the end of the range.
func (c *Client) Logs(ctx context.Context, f rpc.Filter, last gov.Hash) (quorum.Agreed[[]rpc.Log], error) {
	return quorum.AskBy(ctx, c.panel, rpc.LogsDigest, func(ctx context.Context, from rpc.Caller) ([]rpc.Log, error) {
		return LogsUpTo(ctx, from, f, last)
	})
}

// LogsOf are the logs of one block, which a filter does not name.
func (c *Client) LogsOf(ctx context.Context, f rpc.Filter, number uint64, hash gov.Hash) (quorum.Agreed[[]rpc.Log], error) {
	return quorum.AskBy(ctx, c.panel, rpc.LogsDigest, func(ctx context.Context, from rpc.Caller) ([]rpc.Log, error) {
		one := f
		one.BlockHash = &hash
		logs, err := rpc.Logs(ctx, from, one)
		if class := rpc.Classify(err); class == rpc.Unsupported || class == rpc.BadRequest {
			one.BlockHash, one.From, one.To = nil, number, number // an endpoint that does not know the argument
			logs, err = LogsUpTo(ctx, from, one, hash)
		}
		return logs, err
	})
}

// Deployed is the block in which an account's code appeared; see [Deployed].
func (c *Client) Deployed(ctx context.Context, account gov.Address, head rpc.Header) (quorum.Agreed[uint64], error) {
	return quorum.Ask(ctx, c.panel, func(ctx context.Context, from rpc.Caller) (uint64, error) {
		return Deployed(ctx, from, account, head)
	})
}

// Now is a governor's own clock at a block.
func (c *Client) Now(ctx context.Context, g governor.Governor, at gov.Hash) (quorum.Agreed[gov.Clocks], error) {
	return quorum.Ask(ctx, c.panel, func(ctx context.Context, from rpc.Caller) (gov.Clocks, error) {
		return g.Now(ctx, from, at)
	})
}

// LogsUpTo asks for the logs of a range and, in the same conversation, for the block at its end. A node that
// does not have that block yet answers a range with what it has, often with nothing: that is no answer.
func LogsUpTo(ctx context.Context, c rpc.Caller, f rpc.Filter, last gov.Hash) ([]rpc.Log, error) {
	t := &together{c: c, number: f.To}
	logs, err := rpc.Logs(ctx, t, f)
	if err != nil {
		return nil, err
	}
	if t.end.Hash != last {
		return nil, fmt.Errorf("logs of blocks %d to %d: %w: there block %d is %s, not %s", f.From, f.To, rpc.ErrNotFound, f.To, t.end.Hash, last)
	}
	return logs, nil
}

// together adds a question for a block to each call.
type together struct {
	c      rpc.Caller
	number uint64
	end    rpc.Header
}

// Call asks the method and the block in one batch.
func (t *together) Call(ctx context.Context, result any, method string, args ...any) error {
	reqs := []rpc.Request{
		{Method: method, Args: args, Result: result},
		{Method: "eth_getBlockByNumber", Args: []any{hexutil.Uint64(t.number), false}, Result: header{&t.end}},
	}
	if err := t.c.Batch(ctx, reqs); err != nil {
		return err
	}
	if reqs[0].Err != nil {
		return reqs[0].Err
	}
	if reqs[1].Err != nil {
		return fmt.Errorf("block %d at the end of the range: %w", t.number, reqs[1].Err)
	}
	return nil
}

// Batch is that of the caller beneath.
func (t *together) Batch(ctx context.Context, reqs []rpc.Request) error { return t.c.Batch(ctx, reqs) }
