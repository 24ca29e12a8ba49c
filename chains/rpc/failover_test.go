package rpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

func TestFailover(t *testing.T) {
	a, b, node := pair(t)
	mine(t, node, 5)
	cfg := config(a.URL(), b.URL())
	cfg.Timeout = time.Second
	cfg.MaxResponse = 1 << 20
	for name, f := range map[string]chaintest.Faults{
		"down":      {Down: true},
		"hang":      {Hang: true},
		"html":      {HTML: true},
		"500":       {Status: 500, Page: "oops"},
		"403":       {Status: 403, Page: "<html>no</html>"},
		"redirect":  {Status: 307},
		"429":       {Status: 429, RetryAfter: "30"},
		"errors":    {ErrorRate: 1},
		"oversize":  {Oversize: 2 << 20},
		"pruned":    {Pruned: true},
		"truncated": {Rewrite: cutAnswer},
	} {
		t.Run(name, func(t *testing.T) {
			a.Set(chaintest.Faults{})
			client := dial(t, cfg)
			a.Set(f)
			began := time.Now()
			var got hexutil.Big
			err := client.Call(t.Context(), &got, "eth_getBalance", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "latest")
			if err != nil {
				t.Fatalf("the other endpoint is fine, yet: %v", err)
			}
			if got.ToInt().Sign() <= 0 {
				t.Errorf("balance %s, want more than 0", &got)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

// cutAnswer makes an answer that is JSON but not a quantity.
func cutAnswer(string, []rawJSON, rawJSON) rawJSON { return rawJSON(`"0x"`) }

func TestNoFailoverWhereItCannotHelp(t *testing.T) {
	a, b, _ := pair(t)
	client := dial(t, config(a.URL(), b.URL()))
	before := b.Calls("eth_getBalance")
	err := client.Call(t.Context(), nil, "eth_getBalance", "not an address", "latest")
	if rpc.Classify(err) != rpc.BadRequest {
		t.Fatalf("got %v (%v), want BadRequest", err, rpc.Classify(err))
	}
	if b.Calls("eth_getBalance") != before {
		t.Error("a bad request was sent to the second endpoint")
	}
}

// A method with an effect on the node is never sent twice, even when its answer was lost.
func TestEffectsAreNotRepeated(t *testing.T) {
	a, b, _ := pair(t)
	client := dial(t, config(a.URL(), b.URL()))
	a.Set(chaintest.Faults{Down: true})
	if err := client.Call(t.Context(), nil, "evm_mine"); err == nil {
		t.Fatal("want the first endpoint's failure")
	}
	if n := b.Calls("evm_mine"); n != 0 {
		t.Errorf("evm_mine was sent to the second endpoint %d times", n)
	}
	if n := a.Calls("evm_mine"); n != 1 {
		t.Errorf("evm_mine was sent to the first endpoint %d times, want 1", n)
	}
}

func TestFailedEndpointIsAskedLastForAWhile(t *testing.T) {
	a, b, _ := pair(t)
	client := dial(t, config(a.URL(), b.URL()))
	a.Set(chaintest.Faults{Status: 500})
	for range 5 {
		if err := client.Call(t.Context(), nil, "eth_gasPrice"); err != nil {
			t.Fatal(err)
		}
	}
	if n := a.Calls("eth_gasPrice"); n != 1 {
		t.Errorf("the failing endpoint was asked %d times, want 1", n)
	}
	if n := b.Calls("eth_gasPrice"); n != 5 {
		t.Errorf("the other endpoint was asked %d times, want 5", n)
	}
}

func TestLaggingEndpointIsNotUsed(t *testing.T) {
	a, b, node := pair(t)
	mine(t, node, 40)
	a.Set(chaintest.Faults{Lag: 20})
	cfg := config(a.URL(), b.URL())
	cfg.Agree = 1
	client := dial(t, cfg)
	before := a.Calls("")
	head, err := client.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if head.Number != 40 {
		t.Errorf("head %d, want 40", head.Number)
	}
	if s := client.Sources(); len(s) != 1 || s[0].Name() != strings.TrimPrefix(b.URL(), "http://") {
		t.Errorf("sources %v, want only the one that keeps up", s)
	}
	if n := a.Calls("") - before; n != 0 {
		t.Errorf("the lagging endpoint was asked %d times", n)
	}
}

// One source that invents a high head must not make the honest two look late when two must agree.
func TestInventedHeadDoesNotBanTheOthers(t *testing.T) {
	a, b, node := pair(t)
	liar := chaintest.NewProxy(t, node)
	liar.Set(chaintest.Faults{Rewrite: func(method string, _ []rawJSON, result rawJSON) rawJSON {
		if method == "eth_blockNumber" {
			return rawJSON(`"0xffffff"`)
		}
		return result
	}})
	client := dial(t, config(liar.URL(), a.URL(), b.URL()))
	if n := len(client.Sources()); n != 3 {
		t.Errorf("%d sources, want 3", n)
	}
}

func TestPrunedEverywhere(t *testing.T) {
	a, b, _ := pair(t)
	client := dial(t, config(a.URL(), b.URL()))
	a.Set(chaintest.Faults{Pruned: true})
	b.Set(chaintest.Faults{Pruned: true})
	err := client.Call(t.Context(), nil, "eth_getBalance", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x0")
	if !errors.Is(err, rpc.ErrNoState) || rpc.Classify(err) != rpc.NoState {
		t.Errorf("got %v, want ErrNoState", err)
	}
	if a.Calls("eth_getBalance") != 1 || b.Calls("eth_getBalance") != 1 {
		t.Errorf("asked %d and %d times, want each once", a.Calls("eth_getBalance"), b.Calls("eth_getBalance"))
	}
}

// "No state" from a node that answers is kept over "connection refused" from one that does not.
func TestTheTellingErrorIsKept(t *testing.T) {
	a, b, _ := pair(t)
	client := dial(t, config(a.URL(), b.URL()))
	a.Set(chaintest.Faults{Pruned: true})
	b.Set(chaintest.Faults{Down: true})
	err := client.Call(t.Context(), nil, "eth_getBalance", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0x0")
	if !errors.Is(err, rpc.ErrNoState) {
		t.Errorf("got %v, want ErrNoState", err)
	}
}

func TestBatchAsksElsewhereOnlyWhatFailed(t *testing.T) {
	a, b, _ := pair(t)
	client := dial(t, config(a.URL(), b.URL()))
	a.Set(chaintest.Faults{Pruned: true})
	var price, balance hexutil.Big
	reqs := []rpc.Request{
		{Method: "eth_gasPrice", Result: &price},
		{Method: "eth_getBalance", Args: []any{"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "latest"}, Result: &balance},
		{Method: "eth_noSuchMethod"},
	}
	if err := client.Batch(t.Context(), reqs); err != nil {
		t.Fatal(err)
	}
	if reqs[0].Err != nil || reqs[1].Err != nil || balance.ToInt().Sign() <= 0 {
		t.Errorf("errors %v, %v; balance %s", reqs[0].Err, reqs[1].Err, &balance)
	}
	if rpc.Classify(reqs[2].Err) != rpc.Unsupported {
		t.Errorf("unknown method: %v (%v)", reqs[2].Err, rpc.Classify(reqs[2].Err))
	}
	if n := b.Calls("eth_gasPrice"); n != 0 {
		t.Errorf("an answered request was asked again %d times", n)
	}
	if err := rpc.FirstErr(reqs); err == nil || !strings.Contains(err.Error(), "request 2, eth_noSuchMethod") {
		t.Errorf("FirstErr: %v", err)
	}
}

func TestBatchDownEverywhereFailsEachRequest(t *testing.T) {
	a, b, _ := pair(t)
	client := dial(t, config(a.URL(), b.URL()))
	a.Set(chaintest.Faults{Down: true})
	b.Set(chaintest.Faults{Down: true})
	reqs := []rpc.Request{{Method: "eth_gasPrice"}, {Method: "eth_blockNumber"}}
	if err := client.Batch(t.Context(), reqs); err == nil {
		t.Fatal("no error, though nothing answers")
	}
	for i := range reqs {
		if reqs[i].Err == nil {
			t.Errorf("request %d has no error", i)
		}
	}
}

func TestBatchSplitsAndCopesWithoutBatches(t *testing.T) {
	a, _, node := pair(t)
	mine(t, node, 30)
	cfg := config(a.URL())
	cfg.MaxBatch = 7
	client := dial(t, cfg)
	heads, err := rpc.Headers(t.Context(), client, 1, 30)
	if err != nil || len(heads) != 30 {
		t.Fatalf("%d headers, %v", len(heads), err)
	}
	a.Set(chaintest.Faults{NoBatch: true})
	again, err := rpc.Headers(t.Context(), client, 1, 30)
	if err != nil || len(again) != 30 || again[29].Hash != heads[29].Hash {
		t.Fatalf("without batches: %d headers, %v", len(again), err)
	}
}

func TestContextEndsTheWait(t *testing.T) {
	a, _, _ := pair(t)
	client := dial(t, config(a.URL()))
	a.Set(chaintest.Faults{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := client.Call(ctx, nil, "eth_gasPrice")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 2*time.Second {
		t.Errorf("got %v after %s", err, time.Since(began))
	}
}
