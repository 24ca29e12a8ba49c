package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Messages as nodes and hosted services send them.
func TestClassifyNodeErrors(t *testing.T) {
	for _, tc := range []struct {
		method, message string
		code            int
		want            Class
	}{
		// geth
		{"eth_call", "execution reverted", 3, Reverted},
		{"eth_call", "execution reverted: nonce too low", 3, Reverted},
		{"eth_call", "execution reverted: rate limit exceeded, missing trie node", -32000, Reverted},
		{"eth_call", "out of gas", -32000, Reverted},
		{"eth_call", "invalid opcode: INVALID", -32000, Reverted},
		{"eth_call", "missing trie node 5b6a (path ) state 0x5b is not available", -32000, NoState},
		{"eth_call", "header not found", -32000, NoState},
		{"eth_call", "header for hash not found", -32000, NoState},
		{"eth_call", "hash is not currently canonical", -32000, NotFound},
		{"eth_call", "historical state 5b6a is not available", -32000, NoState},
		{"eth_getBlockByNumber", "finalized block not found", -32000, NotFound},
		{"eth_sendRawTransaction", "nonce too low: next nonce 7, tx nonce 5", -32000, NonceTooLow},
		{"eth_sendRawTransaction", "already known", -32000, AlreadyKnown},
		{"eth_sendRawTransaction", "replacement transaction underpriced", -32000, Underpriced},
		{"eth_sendRawTransaction", "transaction underpriced: tip needed 1, tip permitted 0", -32000, Underpriced},
		{"eth_sendRawTransaction", "max fee per gas less than block base fee: address 0x, maxFeePerGas: 1, baseFee: 2", -32000, Underpriced},
		{"eth_sendRawTransaction", "insufficient funds for gas * price + value: balance 0, tx cost 1", -32000, InsufficientFunds},
		{"eth_sendRawTransaction", "intrinsic gas too low: gas 100, minimum needed 21000", -32000, BadRequest},
		{"eth_sendRawTransaction", "nonce too high: address 0x, tx: 9 state: 1", -32000, BadRequest},
		{"eth_sendRawTransaction", "only replay-protected (EIP-155) transactions allowed over RPC", -32000, BadRequest},
		{"eth_call", "the method debug_traceCall does not exist/is not available", -32601, Unsupported},
		{"eth_call", "missing value for required argument 0", -32602, BadRequest},
		{"eth_getLogs", "request timed out", -32002, Range},
		{"eth_call", "request timed out", -32002, Timeout},
		{"eth_getLogs", "response too large", -32003, Range},
		{"eth_getLogs", "query exceeds max results 20000, retry with the range 1-2", -32000, Range},
		{"eth_getLogs", "exceed maximum block range: 5000", -32000, Range},
		// erigon, nethermind, besu
		{"eth_call", "state at block 12 is pruned", -32000, NoState},
		{"eth_call", "No state available for block 0x12", -32002, NoState},
		{"eth_call", "pruned history unavailable", 4444, NoState},
		{"eth_call", "Reverted 0x08c379a0", -32015, Reverted},
		{"eth_call", "VM execution error.", -32015, Reverted},
		{"eth_sendRawTransaction", "OldNonce, Current nonce: 7, nonce of rejected tx: 5", -32010, NonceTooLow},
		{"eth_sendRawTransaction", "AlreadyKnown", -32010, AlreadyKnown},
		{"eth_sendRawTransaction", "FeeTooLow, MaxFeePerGas too low", -32010, Underpriced},
		{"eth_sendRawTransaction", "InsufficientFunds, Account balance: 0", -32010, InsufficientFunds},
		{"eth_sendRawTransaction", "Known transaction", -32000, AlreadyKnown},
		{"eth_sendRawTransaction", "Upfront cost exceeds account balance: insufficient funds", -32004, InsufficientFunds},
		{"eth_call", "World state unavailable", -32000, NoState},
		// anvil
		{"eth_call", "execution reverted: custom error 0xdeadbeef", 3, Reverted},
		{"eth_call", "BlockOutOfRangeError: block height is 3 but requested was 99", -32602, NoState},
		{"eth_sendRawTransaction", "nonce too low", -32003, NonceTooLow},
		{"eth_sendRawTransaction", "transaction already imported", -32003, AlreadyKnown},
		{"eth_sendRawTransaction", "Insufficient funds for gas * price + value", -32003, InsufficientFunds},
		{"eth_call", "Method not found", -32601, Unsupported},
		// hosted
		{"eth_getLogs", "query returned more than 10000 results", -32005, Range},
		{"eth_getLogs", "query returned more than 10000 results. Try with this block range [0x1, 0x2].", -32005, Range},
		{"eth_getLogs", "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range", -32602, Range},
		{"eth_getLogs", "eth_getLogs is limited to a 10,000 range", -32614, Range},
		{"eth_getLogs", "block range is too wide", -32600, Range},
		{"eth_getLogs", "ranges over 10000 blocks are not supported on freetier", 35, Range},
		{"eth_getLogs", "requested too many blocks from 1 to 2, maximum is set to 2048: exceed", -32602, Range},
		{"eth_getLogs", "limit exceeded", -32005, Range},
		{"eth_call", "limit exceeded", -32005, RateLimited},
		{"eth_call", "daily request count exceeded, request rate limited", -32005, RateLimited},
		{"eth_getLogs", "daily request count exceeded, request rate limited", -32005, RateLimited},
		{"eth_call", "Your app has exceeded its compute units per second capacity.", 429, RateLimited},
		{"eth_call", "project ID does not have access to archive state", -32002, NoState},
		{"eth_call", "Internal error", -32603, Retry},
		{"eth_call", "something nobody has seen before", -31999, Retry},
		{"eth_call", "", 0, Retry},
	} {
		err := error(&NodeError{Method: tc.method, Code: tc.code, Message: tc.message})
		if got := Classify(fmt.Errorf("while testing: %w", err)); got != tc.want {
			t.Errorf("%s %d %q: %s, want %s", tc.method, tc.code, tc.message, got, tc.want)
		}
	}
}

func TestClassifyOtherErrors(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want Class
	}{
		{nil, None},
		{context.Canceled, Canceled},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), Timeout},
		{&HTTPError{Status: 429}, RateLimited},
		{&HTTPError{Status: 503, RetryAfter: time.Second}, RateLimited},
		{&HTTPError{Status: 503, NotJSON: true}, Retry},
		{&HTTPError{Status: 504, NotJSON: true}, Timeout},
		{&HTTPError{Status: 413}, Range},
		{&HTTPError{Status: 404, NotJSON: true}, Malformed},
		{&HTTPError{Status: 401}, Retry},
		{ErrTooLarge, Range},
		{fmt.Errorf("%w: %w", ErrTooLarge, ErrMalformed), Malformed},
		{ErrNoState, NoState},
		{ErrNotFound, NotFound},
		{ErrWrongChain, WrongChain},
		{ErrDisagreement, Disagreement},
		{errors.New("connection refused"), Retry},
	} {
		if got := Classify(tc.err); got != tc.want {
			t.Errorf("%v: %s, want %s", tc.err, got, tc.want)
		}
	}
	for c := None; c <= Canceled; c++ {
		if c.String() == "" {
			t.Errorf("class %d has no name", c)
		}
	}
}

func TestRevertDataShapes(t *testing.T) {
	for raw, want := range map[string]string{
		`"0x08c379a0"`:                       "08c379a0",
		`"Reverted 0x08c379a0"`:              "08c379a0",
		`"0x"`:                               "",
		`{"data":"0x01"}`:                    "01",
		`{"data":{"data":"0x02"}}`:           "02",
		`{"result":"0x03","error":"revert"}`: "03",
		`"text"`:                             "none",
		`{"a":1}`:                            "none",
		`{"data":{"data":{"data":"0x04"}}}`:  "none",
		`"0xzz"`:                             "none",
		``:                                   "none",
	} {
		data, ok := RevertData(&NodeError{Code: 3, Data: json.RawMessage(raw)})
		got := fmt.Sprintf("%x", data)
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
	if _, ok := RevertData(&NodeError{Code: -32000, Message: "header not found", Data: json.RawMessage(`"0x01"`)}); ok {
		t.Error("revert data of an error that is no revert")
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "soon": 0, "99999999": maxRetryAfter,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestFinalityText(t *testing.T) {
	for in, want := range map[string]string{"": "finalized", "finalized": "finalized", "safe": "safe", "latest": "latest", "0": "0", "64": "64"} {
		f, err := ParseFinality(in)
		if err != nil || f.String() != want {
			t.Errorf("%q: %s, %v; want %s", in, f, err, want)
		}
		again, err := ParseFinality(f.String())
		if err != nil || again != f {
			t.Errorf("%q does not come back: %v, %v", in, again, err)
		}
	}
	for _, in := range []string{"Finalized", "-1", "1.5", "pending", "99999999", "0x10"} {
		if f, err := ParseFinality(in); err == nil {
			t.Errorf("%q is read as %s", in, f)
		}
	}
	if (Finality{}) != Finalized || Finalized.Weak() || !LatestTag.Weak() || !Behind(1).Weak() || Behind(1).IsTag() {
		t.Error("the zero value must be finalized, latest and distances weak")
	}
}

func TestOperators(t *testing.T) {
	for raw, want := range map[string]string{
		"https://Eth.Example/key": "eth.example", "https://eth.example.:444": "eth.example",
		"http://localhost:8545": "loopback:8545", "http://127.0.0.1:8545/x": "loopback:8545", "http://[::1]:8545": "loopback:8545",
		"http://127.0.0.1": "loopback:80", "http://10.0.0.1:1": "10.0.0.1", "http://10.0.0.1:2": "10.0.0.1",
	} {
		if got := operatorOf(raw); got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
}
