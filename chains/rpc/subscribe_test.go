package rpc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

func TestSubscribeHeads(t *testing.T) {
	node := chaintest.Anvil(t)
	cfg := config(node)
	cfg.Endpoints[0].WS = strings.Replace(node, "http", "ws", 1)
	c := dial(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	heads := c.SubscribeHeads(ctx)
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for got := false; !got; {
		select {
		case h := <-heads:
			got = h.Number > 0 && h.Hash != [32]byte{}
		case <-tick.C: // the subscription may not stand yet, so more than one block
			mine(t, node, 1)
		case <-deadline:
			t.Fatal("no head came")
		}
	}
	cancel()
	for {
		select {
		case _, open := <-heads:
			if !open {
				return
			}
		case <-deadline:
			t.Fatal("the channel does not close")
		}
	}
}

func TestSubscribeHeadsWithoutWebSocket(t *testing.T) {
	if heads := dial(t, config(chaintest.Anvil(t))).SubscribeHeads(t.Context()); heads != nil {
		t.Error("a channel, though no endpoint has a WebSocket address")
	}
}

func TestSubscribeHeadsOfAnotherChain(t *testing.T) {
	good, other := chaintest.Anvil(t), chaintest.Anvil(t, "--chain-id", "5")
	cfg := config(good)
	cfg.Endpoints[0].WS = strings.Replace(other, "http", "ws", 1)
	heads := dial(t, cfg).SubscribeHeads(t.Context())
	for range 5 {
		mine(t, other, 1)
		select {
		case h := <-heads:
			t.Fatalf("head %d of another chain", h.Number)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

var _ rpc.Caller = rpc.Source{}
