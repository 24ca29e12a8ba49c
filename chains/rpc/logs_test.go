package rpc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

// logger emits LOG2(data = 32 zero bytes, topics = 0x2a, the first word of calldata)
var logger = hexutil.MustDecode("0x600035602a60206000a200")

// emit sends n transactions to the logger, one a block, with topics 1, 2, … and waits for the last.
func emit(t *testing.T, node string, n int) {
	t.Helper()
	post(t, node, "anvil_setCode", account, hexutil.Encode(logger))
	for i := range n {
		raw := post(t, node, "eth_sendTransaction", map[string]any{"from": rich, "to": account, "data": common.BigToHash(common.Big1), "nonce": hexutil.Uint64(i), "gas": "0x186a0"})
		for end := time.Now().Add(5 * time.Second); string(post(t, node, "eth_getTransactionReceipt", raw)) == "null"; {
			if time.Now().After(end) {
				t.Fatal("transaction is not mined")
			}
		}
	}
}

func TestLogsFromAnvil(t *testing.T) {
	a, _, node := pair(t)
	emit(t, node, 4)
	c := dial(t, config(a.URL()))
	topic := common.HexToHash("0x2a")
	f := rpc.Filter{Addresses: []common.Address{account}, Topics: [][]common.Hash{{topic}, nil}, From: 2, To: 3}
	logs, err := rpc.Logs(t.Context(), c, f)
	if err != nil || len(logs) != 2 {
		t.Fatalf("%d logs, %v; want 2", len(logs), err)
	}
	l := logs[0]
	if l.Address != account || l.BlockNumber != 2 || len(l.Topics) != 2 || l.Topics[0] != topic || l.Topics[1] != common.HexToHash("0x1") || len(l.Data) != 32 || l.BlockHash != hashAt(t, node, "0x2") {
		t.Errorf("log %+v", l)
	}
	hash := hashAt(t, node, "0x4")
	logs, err = rpc.Logs(t.Context(), c, rpc.Filter{BlockHash: &hash})
	if err != nil || len(logs) != 1 || logs[0].BlockHash != hash {
		t.Errorf("by hash: %d logs, %v", len(logs), err)
	}
	none, err := rpc.Logs(t.Context(), c, rpc.Filter{Topics: [][]common.Hash{{common.HexToHash("0x1"), common.HexToHash("0x2")}}, From: 0, To: 9})
	if err != nil || len(none) != 0 {
		t.Errorf("other topics: %d logs, %v", len(none), err)
	}
	if _, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 3, To: 2}); err == nil || !strings.Contains(err.Error(), "empty") {
		t.Errorf("empty range: %v", err)
	}
}

func TestLogsRange(t *testing.T) {
	a, _, node := pair(t)
	mine(t, node, 5)
	cfg := config(a.URL())
	cfg.Timeout = 300 * time.Millisecond
	c := dial(t, cfg)
	a.Set(chaintest.Faults{MaxRange: 3})
	if _, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 1, To: 5}); err != nil {
		t.Errorf("too wide for one request: %v", err)
	}
	if _, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 1, To: 3}); err != nil {
		t.Errorf("narrow enough: %v", err)
	}
	a.Set(chaintest.Faults{Hang: true})
	if _, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 1, To: 5}); !errors.Is(err, rpc.ErrRange) {
		t.Errorf("no answer in time: got %v, want ErrRange", err)
	}
	_, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 5, To: 5})
	if errors.Is(err, rpc.ErrRange) || rpc.Classify(err) != rpc.Timeout {
		t.Errorf("one block cannot be halved: got %v", err)
	}
}

// What the filter did not ask for is not passed on, whoever put it there.
func TestLogsNotAskedForAreRefused(t *testing.T) {
	a, _, node := pair(t)
	emit(t, node, 2)
	c := dial(t, config(a.URL()))
	f := rpc.Filter{Addresses: []common.Address{account}, Topics: [][]common.Hash{{common.HexToHash("0x2a")}}, From: 1, To: 2}
	for name, change := range map[string]func(logs []map[string]any) []map[string]any{
		"address": func(l []map[string]any) []map[string]any { l[0]["address"] = rich; return l },
		"topic": func(l []map[string]any) []map[string]any {
			l[0]["topics"] = []common.Hash{common.HexToHash("0x1")}
			return l
		},
		"no topics": func(l []map[string]any) []map[string]any { l[0]["topics"] = []string{}; return l },
		"block":     func(l []map[string]any) []map[string]any { l[1]["blockNumber"] = "0x9"; return l },
		"twice":     func(l []map[string]any) []map[string]any { return append(l, l[0]) },
		"no index":  func(l []map[string]any) []map[string]any { delete(l[0], "logIndex"); return l },
		"no data":   func(l []map[string]any) []map[string]any { delete(l[0], "data"); return l },
	} {
		a.Set(chaintest.Faults{Rewrite: func(method string, _ []rawJSON, r rawJSON) rawJSON {
			var logs []map[string]any
			if method != "eth_getLogs" || json.Unmarshal(r, &logs) != nil {
				return r
			}
			out, _ := json.Marshal(change(logs))
			return out
		}})
		if logs, err := rpc.Logs(t.Context(), c, f); !errors.Is(err, rpc.ErrMalformed) {
			t.Errorf("%s: got %d logs and %v, want ErrMalformed", name, len(logs), err)
		}
	}
}

// A node that sends logs in another order, or with escapes that only encoding/json reads, is understood.
func TestLogsInAnotherShape(t *testing.T) {
	a, _, node := pair(t)
	emit(t, node, 3)
	c := dial(t, config(a.URL()))
	a.Set(chaintest.Faults{Rewrite: func(method string, _ []rawJSON, r rawJSON) rawJSON {
		var logs []map[string]any
		if method != "eth_getLogs" || json.Unmarshal(r, &logs) != nil {
			return r
		}
		logs[0], logs[2] = logs[2], logs[0]
		logs[1]["extra"] = "field"
		out, _ := json.Marshal(logs)
		return out
	}})
	logs, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 1, To: 3})
	if err != nil || len(logs) != 3 || logs[0].BlockNumber != 1 || logs[2].BlockNumber != 3 {
		t.Errorf("%d logs, %v", len(logs), err)
	}
}
