package rpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/chains/rpc"
)

// counter answers every read with its own arguments and notes the batches.
type counter struct {
	mu      sync.Mutex
	batches [][]string
	fail    func(args string) error
}

func (c *counter) Call(ctx context.Context, result any, method string, args ...any) error {
	reqs := []rpc.Request{{Method: method, Args: args, Result: result}}
	if err := c.Batch(ctx, reqs); err != nil {
		return err
	}
	return reqs[0].Err
}

func (c *counter) Batch(ctx context.Context, reqs []rpc.Request) error {
	if err := ctx.Err(); err != nil {
		for i := range reqs {
			reqs[i].Err = err
		}
		return err
	}
	var names []string
	for i := range reqs {
		args, _ := json.Marshal(reqs[i].Args)
		name := reqs[i].Method + string(args)
		names = append(names, name)
		if c.fail != nil {
			if reqs[i].Err = c.fail(name); reqs[i].Err != nil {
				continue
			}
		}
		raw, _ := json.Marshal(name)
		reqs[i].Err = rpc.Decode(raw, reqs[i].Result)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches = append(c.batches, names)
	return nil
}

var pinnedAt = rpc.AtHash{Hash: common.HexToHash("0x77")}

// TestG49ReadsTravelTogether: tasks side by side cost as many batches as one of them, nested ones too, each question
// once, in the same order every time, and each task gets its own answers.
func TestG49ReadsTravelTogether(t *testing.T) {
	var first string
	const runs = 3
	for run := range runs {
		c := &counter{}
		r := rpc.NewReads(c)
		var wrong atomic.Int64
		read := func(ctx context.Context, args ...any) {
			var got string
			err := r.Call(ctx, &got, "eth_getStorageAt", append(args, pinnedAt)...)
			want, _ := json.Marshal(append(args, pinnedAt))
			if err != nil || got != "eth_getStorageAt"+string(want) {
				wrong.Add(1)
			}
		}
		r.Each(t.Context(), 600, func(ctx context.Context, i int) {
			read(ctx, "shared")
			if i%3 == 0 {
				return // this one ends early
			}
			read(ctx, "own", i)
			r.Each(ctx, i%4, func(ctx context.Context, j int) {
				read(ctx, "inner", i, j)
				read(ctx, "inner again", j)
			})
			read(ctx, "last", i)
		})
		read(t.Context(), "own", 1) // known by now
		if wrong.Load() > 0 {
			t.Fatalf("%d wrong answers", wrong.Load())
		}
		asked := map[string]int{}
		for _, b := range c.batches {
			for _, name := range b {
				if asked[name]++; asked[name] > 1 {
					t.Fatalf("asked twice: %s", name)
				}
			}
		}
		order := fmt.Sprint(c.batches)
		if run == 0 {
			first = order
			t.Logf("%d questions in %d batches", len(asked), len(c.batches))
		}
		if order != first || len(c.batches) > 10 {
			t.Fatalf("run %d: %d batches, the same as before: %v", run, len(c.batches), order == first)
		}
	}
	t.Logf("n=%d runs", runs)
}

// What failed is asked again, but for a call that reverted: that is an answer.
func TestReadsRememberAnswersOnly(t *testing.T) {
	c := &counter{}
	r := rpc.NewReads(c)
	var out string
	for _, tc := range []struct {
		err  error
		asks int
	}{{&rpc.NodeError{Code: 3, Message: "execution reverted"}, 1}, {rpc.ErrNoState, 2}, {&rpc.NodeError{Code: -32000, Message: "header not found"}, 2}} {
		c.batches, c.fail = nil, func(string) error { return tc.err }
		for range 2 {
			if err := r.Call(t.Context(), &out, "eth_call", fmt.Sprint(tc.err), pinnedAt); !errors.Is(err, tc.err) {
				t.Errorf("got %v, want %v", err, tc.err)
			}
		}
		if len(c.batches) != tc.asks {
			t.Errorf("%v: asked %d times, want %d", tc.err, len(c.batches), tc.asks)
		}
	}
	c.batches, c.fail = nil, nil
	for range 2 { // what is not of one block's hash may be another answer the next time
		if err := r.Call(t.Context(), &out, "eth_getBlockByNumber", "latest"); err != nil {
			t.Error(err)
		}
	}
	if len(c.batches) != 2 {
		t.Errorf("the newest block was asked %d times, want 2", len(c.batches))
	}
}

// A task that panics takes nobody with it, and the caller sees it; a context that ends lets all go.
func TestReadsEnd(t *testing.T) {
	r := rpc.NewReads(&counter{})
	var done atomic.Int64
	func() {
		defer func() {
			if v := recover(); v != "task 3" {
				t.Errorf("recovered %v", v)
			}
		}()
		r.Each(t.Context(), 8, func(ctx context.Context, i int) {
			if i == 3 {
				panic("task 3")
			}
			var out string
			if r.Call(ctx, &out, "eth_call", i, pinnedAt) == nil {
				done.Add(1)
			}
		})
	}()
	if done.Load() != 7 {
		t.Errorf("%d of 7 others were answered", done.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.Each(ctx, 8, func(ctx context.Context, i int) {
		var out string
		if err := r.Call(ctx, &out, "eth_getCode", i, pinnedAt); !errors.Is(err, context.Canceled) {
			t.Errorf("task %d: %v", i, err)
		}
	})
}

// TestG49OneSlowCall: one call that takes longer than the endpoint's time costs its own answer and not those beside it.
func TestG49OneSlowCall(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "0x5105") {
			<-r.Context().Done()
			return
		}
		var asks []struct {
			ID     json.RawMessage
			Method string
		}
		many := json.Unmarshal(body, &asks) == nil
		if !many {
			asks = asks[:0]
			var one struct {
				ID     json.RawMessage
				Method string
			}
			_ = json.Unmarshal(body, &one)
			_, _ = io.WriteString(w, honest(string(one.ID), one.Method))
			return
		}
		parts := []string{}
		for _, a := range asks {
			parts = append(parts, honest(string(a.ID), a.Method))
		}
		_, _ = io.WriteString(w, "["+strings.Join(parts, ",")+"]")
	}))
	t.Cleanup(s.Close)
	client := dial(t, rpc.Config{ChainID: 1, Endpoints: []rpc.Endpoint{{HTTP: s.URL}}, Finality: rpc.Behind(1), Jitter: noWait, Timeout: 300 * time.Millisecond})
	const n = 80
	out, reqs := make([]hexutil.Bytes, n), make([]rpc.Request, n)
	for i := range reqs {
		data := []byte{byte(i)}
		if i == 17 {
			data = []byte{0x51, 0x05}
		}
		reqs[i] = rpc.ContractCall(common.Address{1}, data, common.HexToHash("0x1"), &out[i])
	}
	_ = client.Batch(t.Context(), reqs)
	for i := range reqs {
		if i == 17 && rpc.Classify(reqs[i].Err) != rpc.Timeout || i != 17 && reqs[i].Err != nil {
			t.Errorf("call %d: %v", i, reqs[i].Err)
		}
	}
}
