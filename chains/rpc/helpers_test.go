package rpc_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

// anvilChain is the chain id of anvil.
const anvilChain = 31337

// pair starts one anvil with two proxies before it: two operators of one chain.
func pair(t *testing.T) (a, b *chaintest.Proxy, node string) {
	t.Helper()
	node = chaintest.Anvil(t)
	return chaintest.NewProxy(t, node), chaintest.NewProxy(t, node), node
}

func config(urls ...string) rpc.Config {
	c := rpc.Config{ChainID: anvilChain, Finality: rpc.LatestTag, Jitter: noWait}
	for _, u := range urls {
		c.Endpoints = append(c.Endpoints, rpc.Endpoint{HTTP: u})
	}
	return c
}

func dial(t *testing.T, c rpc.Config) *rpc.Client {
	t.Helper()
	client, err := rpc.Dial(t.Context(), c)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(client.Close)
	return client
}

// mine makes blocks on anvil.
func mine(t *testing.T, node string, blocks int) {
	t.Helper()
	post(t, node, "anvil_mine", "0x"+strings.TrimLeft(hex64(blocks), "0"))
}

func hex64(n int) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 8)
	for i := range out {
		out[7-i] = digits[n>>(4*i)&15]
	}
	return string(out)
}

// post asks a node directly, beside the client under test.
func post(t *testing.T, node, method string, params ...any) json.RawMessage {
	t.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(node, "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var got struct{ Result, Error json.RawMessage }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Error != nil {
		t.Fatalf("%s: %s", method, got.Error)
	}
	return got.Result
}

// server answers every request with what handle returns for its method, as one JSON-RPC object.
func server(t *testing.T, handle func(method string) string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		type ask struct {
			ID     json.RawMessage
			Method string
		}
		var many []ask
		if json.Unmarshal(body, &many) != nil {
			var one ask
			_ = json.Unmarshal(body, &one)
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":`+string(one.ID)+`,`+handle(one.Method)+`}`)
			return
		}
		parts := make([]string, len(many))
		for i, a := range many {
			parts[i] = `{"jsonrpc":"2.0","id":` + string(a.ID) + `,` + handle(a.Method) + `}`
		}
		_, _ = io.WriteString(w, "["+strings.Join(parts, ",")+"]")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// chainOne makes handle answer what Dial asks.
func chainOne(handle func(method string) string) func(string) string {
	return func(method string) string {
		switch method {
		case "eth_chainId":
			return `"result":"0x1"`
		case "eth_blockNumber":
			return `"result":"0x10"`
		}
		return handle(method)
	}
}

type rawJSON = json.RawMessage

func blockNumber(ctx context.Context, c rpc.Caller) (string, error) {
	var out string
	err := c.Call(ctx, &out, "eth_blockNumber")
	return out, err
}

func readAsk(r *http.Request) (id, method string) {
	var a struct {
		ID     json.RawMessage
		Method string
	}
	_ = json.NewDecoder(r.Body).Decode(&a)
	return string(a.ID), a.Method
}

// honest is what a healthy node of chain 1 says to the questions of Dial.
func honest(id, method string) string {
	result := `"0x10"`
	if method == "eth_chainId" {
		result = `"0x1"`
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"result":` + result + `}`
}

// noWait takes the back-off away.
func noWait() float64 { return -0.5 }
