package chaintest_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

// The faults of the connection are shown where they matter, in the tests of chains/rpc; here are the lies.
func TestProxyLags(t *testing.T) {
	node := chaintest.Anvil(t)
	p := chaintest.NewProxy(t, node)
	c, truth := client(t, p.URL()), client(t, node)
	call(t, truth, "anvil_mine", "0x64")
	top, err := rpc.HeaderByNumber(t.Context(), truth, 100)
	if err != nil {
		t.Fatal(err)
	}
	p.Set(chaintest.Faults{Lag: 10})
	var head hexutil.Uint64
	if err := c.Call(t.Context(), &head, "eth_blockNumber"); err != nil || head != 90 {
		t.Errorf("head %d, %v; want 90", head, err)
	}
	for tag, want := range map[string]uint64{"latest": 90, "finalized": 36, "earliest": 0} {
		h, err := rpc.HeaderByTag(t.Context(), c, tag)
		if err != nil || h.Number != want {
			t.Errorf("%s: %d, %v; want %d", tag, h.Number, err, want)
		}
	}
	if _, err := rpc.HeaderByNumber(t.Context(), c, 95); !errors.Is(err, rpc.ErrNotFound) {
		t.Errorf("block 95: %v", err)
	}
	if _, err := rpc.HeaderByHash(t.Context(), c, top.Hash); !errors.Is(err, rpc.ErrNotFound) {
		t.Errorf("block 100 by hash: %v", err)
	}
	if _, err := rpc.Balance(t.Context(), c, rich, top.Hash); !errors.Is(err, rpc.ErrNoState) {
		t.Errorf("state of block 100: %v", err)
	}
	if _, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 80, To: 95}); err != nil {
		t.Errorf("logs beyond its head: %v", err)
	}
}

func TestProxyLies(t *testing.T) {
	node := chaintest.Anvil(t)
	p := chaintest.NewProxy(t, node)
	c := client(t, p.URL())
	call(t, c, "anvil_mine", "0x1")
	head, err := c.Latest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slot := common.HexToHash("0x7")
	mined := 0
	p.Set(chaintest.Faults{
		ChainID: 9,
		Storage: map[chaintest.Slot]common.Hash{{Account: account, Slot: slot}: common.HexToHash("0xbad")},
		Code:    map[common.Address][]byte{account: {0xfe}},
		Rewrite: func(method string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
			if method == "eth_gasPrice" {
				return json.RawMessage(`"0x1234"`)
			}
			return r
		},
		BeforeCall: func(method string) {
			if method == "eth_blockNumber" {
				mined++
			}
		},
	})
	var id, price, number hexutil.Uint64
	reqs := []rpc.Request{{Method: "eth_chainId", Result: &id}, {Method: "eth_gasPrice", Result: &price}, {Method: "eth_blockNumber", Result: &number}}
	if err := errors.Join(c.Batch(t.Context(), reqs), rpc.FirstErr(reqs)); err != nil || id != 9 || price != 0x1234 || mined != 1 {
		t.Errorf("chain %d, price %d, hook %d, %v", id, price, mined, err)
	}
	if v, err := rpc.StorageAt(t.Context(), c, account, slot, head.Hash); err != nil || v != common.HexToHash("0xbad") {
		t.Errorf("forged storage: %s, %v", v, err)
	}
	if code, err := rpc.Code(t.Context(), c, account, head.Hash); err != nil || len(code) != 1 {
		t.Errorf("forged code: %x, %v", code, err)
	}
	if other, err := rpc.Code(t.Context(), c, rich, head.Hash); err != nil || len(other) != 0 {
		t.Errorf("code of another account: %x, %v", other, err)
	}
	if p.Calls("eth_getCode") != 2 || p.Calls("") < 6 {
		t.Errorf("counted %d and %d calls", p.Calls("eth_getCode"), p.Calls(""))
	}
}

func TestProxyDropsLogs(t *testing.T) {
	node := chaintest.Anvil(t)
	p := chaintest.NewProxy(t, node)
	c := client(t, p.URL())
	call(t, c, "anvil_setCode", account, "0x602a60006000a1") // LOG1 with topic 0x2a
	call(t, c, "anvil_setAutomine", false)
	for i := range 2 {
		call(t, c, "eth_sendTransaction", map[string]any{"from": rich, "to": account, "gas": "0x186a0", "nonce": hexutil.Uint64(i)})
	}
	call(t, c, "anvil_mine", "0x1")
	for name, want := range map[string]int{"honest": 2, "first": 1, "all": 0} {
		p.Set(map[string]chaintest.Faults{
			"honest": {},
			"first":  {DropLogs: func(l map[string]any) bool { return l["logIndex"] == "0x0" }},
			"all":    {DropLogs: chaintest.AllLogs},
		}[name])
		logs, err := rpc.Logs(t.Context(), c, rpc.Filter{From: 0, To: 9})
		if err != nil || len(logs) != want {
			t.Errorf("%s: %d logs, %v; want %d", name, len(logs), err, want)
		}
	}
}
