package rpc

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	gethrpc "github.com/ethereum/go-ethereum/rpc"

	"github.com/legate-dao/legate/agent/supervise"
)

const (
	maxHeadMessage = 1 << 20 // bytes of one WebSocket message; a header is 2 kB
	wsRetryFirst   = time.Second
	wsRetryMost    = time.Minute
)

// SubscribeHeads delivers new heads from the first endpoint with a WebSocket address that works, reconnecting
// with back-off until ctx ends, which closes the channel. Heads are hints to look: only the newest waits for a
// slow reader, gaps and repeats happen, and polling (package chains) must go on beside. Without a WebSocket address
// the channel is nil, which blocks for ever in a select.
func (c *Client) SubscribeHeads(ctx context.Context) <-chan Header {
	var with []*node
	for _, n := range c.nodes {
		if n.at.WS != "" {
			with = append(with, n)
		}
	}
	if len(with) == 0 {
		return nil
	}
	out := make(chan Header, 1)
	go func() {
		defer close(out)
		c.followHeads(ctx, with, out)
	}()
	return out
}

func (c *Client) followHeads(ctx context.Context, nodes []*node, out chan Header) {
	wait := wsRetryFirst
	for i := 0; ctx.Err() == nil; i++ {
		n := nodes[i%len(nodes)]
		began := time.Now()
		err := supervise.Catch(func() error { return c.readHeads(ctx, n, out) })
		if ctx.Err() != nil {
			return
		}
		c.cfg.Log.Info("rpc_heads_lost", "host", hostOf(n.at.WS), "error", printable(scrub(err.Error(), n.secrets), messageLen))
		if time.Since(began) > wsRetryMost {
			wait = wsRetryFirst
		}
		t := time.NewTimer(time.Duration(float64(wait) * (0.5 + c.cfg.Jitter())))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		wait = min(2*wait, wsRetryMost)
	}
}

// readHeads serves one connection until it fails.
func (c *Client) readHeads(ctx context.Context, n *node, out chan Header) error {
	dialCtx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	ws, err := gethrpc.DialOptions(dialCtx, n.at.WS, gethrpc.WithWebsocketMessageSizeLimit(maxHeadMessage))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer ws.Close()
	var id hexutil.Uint64
	if err := ws.CallContext(dialCtx, &id, "eth_chainId"); err != nil {
		return fmt.Errorf("ask chain id: %w", err)
	}
	if uint64(id) != c.cfg.ChainID {
		return fmt.Errorf("%w: it serves chain id %d, configured is %d", ErrWrongChain, uint64(id), c.cfg.ChainID)
	}
	heads := make(chan Header, 16)
	sub, err := ws.EthSubscribe(dialCtx, heads, "newHeads")
	if err != nil {
		return fmt.Errorf("subscribe to new heads: %w", err)
	}
	defer sub.Unsubscribe()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-sub.Err():
			if err == nil {
				err = ErrNoEndpoint
			}
			return fmt.Errorf("new heads ended: %w", err)
		case h := <-heads:
			newest(out, h)
		}
	}
}

// newest puts a head into a channel of one, in place of an unread older one.
func newest(out chan Header, h Header) {
	for {
		select {
		case out <- h:
			return
		default:
		}
		select {
		case <-out:
		default:
		}
	}
}
