package quorum_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

var (
	rich    = common.HexToAddress("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266") // anvil's first account
	account = common.HexToAddress("0x00000000000000000000000000000000000c0de0")
	slot    = common.HexToHash("0x01")
	// logger emits LOG2(data = 32 zero bytes, topics = 0x2a, the first word of calldata)
	logger = hexutil.MustDecode("0x600035602a60206000a200")
)

type rawJSON = json.RawMessage

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
	resp, err := http.Post(node, "application/json", bytes.NewReader(body))
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

func mine(t *testing.T, node string, blocks int) {
	t.Helper()
	post(t, node, "anvil_mine", hexutil.Uint64(blocks))
}

func hashAt(t *testing.T, node, block string) common.Hash {
	t.Helper()
	h := &rpc.Header{}
	if err := h.UnmarshalJSON(post(t, node, "eth_getBlockByNumber", block, false)); err != nil {
		t.Fatal(err)
	}
	return h.Hash
}

// emit sends n transactions to the logger, one a block, and waits for the last.
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

func config(urls ...string) rpc.Config {
	c := rpc.Config{ChainID: 31337, Finality: rpc.LatestTag, Jitter: func() float64 { return -0.5 }}
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

// operators is n proxies of one anvil whose slot 1 of an account is 0x22 at the head.
func operators(t *testing.T, n, need int) (*rpc.Client, []*chaintest.Proxy, common.Hash) {
	t.Helper()
	node := chaintest.Anvil(t)
	mine(t, node, 2)
	post(t, node, "anvil_setStorageAt", account, slot, common.HexToHash("0x22"))
	mine(t, node, 1)
	var urls []string
	var ps []*chaintest.Proxy
	for range n {
		p := chaintest.NewProxy(t, node)
		ps, urls = append(ps, p), append(urls, p.URL())
	}
	cfg := config(urls...)
	cfg.Agree = need
	return dial(t, cfg), ps, hashAt(t, node, "latest")
}

// agree asks the sources of a client, of which need must say the same; the agreement is that of a failure too.
func agree[T comparable](ctx context.Context, c *rpc.Client, need int, ask func(context.Context, rpc.Caller) (T, error)) (out T, by quorum.Agreement, err error) {
	p := quorum.Of(c, nil)
	if need != c.Need() {
		p = quorum.NewPanel(need, func() (all []quorum.Member) {
			for _, s := range c.Sources() {
				all = append(all, s)
			}
			return all
		}, nil)
	}
	p.Watch(func(a quorum.Agreement) { by = a })
	got, err := quorum.Ask(ctx, p, ask)
	if err == nil {
		out = got.Value()
	}
	return out, by, err
}

// final is the newest final block on which enough agree.
func final(ctx context.Context, c *rpc.Client) (rpc.Header, quorum.Agreement, error) {
	got, err := quorum.Highest(ctx, quorum.Of(c, nil), func(ctx context.Context, s rpc.Caller) (rpc.Header, error) {
		return rpc.FinalBy(ctx, s, c.Finality())
	})
	if err != nil {
		return rpc.Header{}, quorum.Agreement{}, err
	}
	return got.Value(), got.Agreement(), nil
}

func readSlot(block common.Hash) func(context.Context, rpc.Caller) (common.Hash, error) {
	return func(ctx context.Context, c rpc.Caller) (common.Hash, error) {
		return rpc.StorageAt(ctx, c, account, slot, block)
	}
}

func forge(v string) chaintest.Faults {
	return chaintest.Faults{Storage: map[chaintest.Slot]common.Hash{{Account: account, Slot: slot}: common.HexToHash(v)}}
}

func hostOf(p *chaintest.Proxy) string { return strings.TrimPrefix(p.URL(), "http://") }
