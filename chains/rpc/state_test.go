package rpc_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

var (
	rich    = common.HexToAddress("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266") // anvil's first account
	account = common.HexToAddress("0x00000000000000000000000000000000000c0de0")
	slot    = common.HexToHash("0x01")
	// returns storage slot 1
	reader = hexutil.MustDecode("0x60015460005260206000f3")
	// reverts with the 4 bytes 0xdeadbeef
	reverter = hexutil.MustDecode("0x63deadbeef60e01b60005260046000fd")
)

// changing puts a contract on the chain whose slot 1 is 0x11 in the returned old block and 0x22 at the head.
func changing(t *testing.T, node string) (old, head common.Hash) {
	t.Helper()
	post(t, node, "anvil_setCode", account, hexutil.Encode(reader))
	post(t, node, "anvil_setStorageAt", account, slot, common.HexToHash("0x11"))
	mine(t, node, 1)
	old = hashAt(t, node, "latest")
	mine(t, node, 1) // anvil files a forced change under the last block, not the next
	post(t, node, "anvil_setStorageAt", account, slot, common.HexToHash("0x22"))
	mine(t, node, 1)
	return old, hashAt(t, node, "latest")
}

func hashAt(t *testing.T, node, block string) common.Hash {
	t.Helper()
	h := &rpc.Header{}
	if err := h.UnmarshalJSON(post(t, node, "eth_getBlockByNumber", block, false)); err != nil {
		t.Fatal(err)
	}
	return h.Hash
}

func TestReadsAtABlockHash(t *testing.T) {
	a, _, node := pair(t)
	old, head := changing(t, node)
	for name, f := range map[string]chaintest.Faults{"EIP-1898": {}, "by number": {NoHashParam: true}, "by number, no batch": {NoHashParam: true, NoBatch: true}} {
		t.Run(name, func(t *testing.T) {
			a.Set(f)
			c := dial(t, config(a.URL()))
			for block, want := range map[common.Hash]common.Hash{old: common.HexToHash("0x11"), head: common.HexToHash("0x22")} {
				got, err := rpc.StorageAt(t.Context(), c, account, slot, block)
				if err != nil || got != want {
					t.Errorf("storage %s, %v; want %s", got, err, want)
				}
				out, err := rpc.CallContract(t.Context(), c, account, nil, block)
				if err != nil || !bytes.Equal(out, want[:]) {
					t.Errorf("call %x, %v; want %s", out, err, want)
				}
				code, err := rpc.Code(t.Context(), c, account, block)
				if err != nil || !bytes.Equal(code, reader) {
					t.Errorf("code %x, %v", code, err)
				}
				wei, err := rpc.Balance(t.Context(), c, rich, block)
				if err != nil || wei.IsZero() {
					t.Errorf("balance %s, %v", &wei, err)
				}
				if n, err := rpc.Nonce(t.Context(), c, rich, block); err != nil || n != 0 {
					t.Errorf("nonce %d, %v", n, err)
				}
			}
			var x, y common.Hash
			var out hexutil.Bytes
			reqs := []rpc.Request{rpc.StorageRead(account, slot, old, &x), {Method: "eth_gasPrice"}, rpc.StorageRead(account, slot, head, &y), rpc.ContractCall(account, nil, old, &out)}
			if err := errors.Join(c.Batch(t.Context(), reqs), rpc.FirstErr(reqs)); err != nil {
				t.Fatal(err)
			}
			if x != common.HexToHash("0x11") || y != common.HexToHash("0x22") || !bytes.Equal(out, x[:]) {
				t.Errorf("batch: %s, %s, %s", x, y, out)
			}
			_, err := rpc.StorageAt(t.Context(), c, account, slot, common.HexToHash("0x404"))
			if cl := rpc.Classify(err); cl != rpc.NotFound && cl != rpc.NoState {
				t.Errorf("unknown block: got %v (%v), want not found", err, cl)
			}
		})
	}
}

// TestG19ReadByNumberIsRefusedAfterAReorg: an endpoint without EIP-1898 must not answer from the block that took the
// place of the one asked for, not even when the change comes in the middle of the read.
func TestG19ReadByNumberIsRefusedAfterAReorg(t *testing.T) {
	a, _, node := pair(t)
	_, head := changing(t, node)
	a.Set(chaintest.Faults{NoHashParam: true})
	c := dial(t, config(a.URL()))
	if _, err := rpc.StorageAt(t.Context(), c, account, slot, head); err != nil {
		t.Fatal(err)
	}
	done := false
	a.Set(chaintest.Faults{NoHashParam: true, BeforeCall: func(method string) {
		if method == "eth_getStorageAt" && !done {
			done = true
			post(t, node, "anvil_reorg", 1, []any{})
		}
	}})
	got, err := rpc.StorageAt(t.Context(), c, account, slot, head)
	if !done || !errors.Is(err, rpc.ErrNotFound) {
		t.Errorf("got %s and %v, want ErrNotFound", got, err)
	}
	if _, err := rpc.StorageAt(t.Context(), c, account, slot, head); !errors.Is(err, rpc.ErrNotFound) {
		t.Errorf("after the reorg: got %v, want ErrNotFound", err)
	}
}

func TestRevertData(t *testing.T) {
	a, b, node := pair(t)
	post(t, node, "anvil_setCode", account, hexutil.Encode(reverter))
	mine(t, node, 1)
	c := dial(t, config(a.URL(), b.URL()))
	_, err := rpc.CallContract(t.Context(), c, account, nil, hashAt(t, node, "latest"))
	data, ok := rpc.RevertData(err)
	if rpc.Classify(err) != rpc.Reverted || !ok || !bytes.Equal(data, hexutil.MustDecode("0xdeadbeef")) {
		t.Errorf("got %v (%v), data %x %v; want a revert with 0xdeadbeef", err, rpc.Classify(err), data, ok)
	}
	if b.Calls("eth_call") != 0 {
		t.Error("a revert was asked again elsewhere")
	}
}

func TestHeaders(t *testing.T) {
	a, _, node := pair(t)
	mine(t, node, 3)
	c := dial(t, config(a.URL()))
	byNumber, err := rpc.HeaderByNumber(t.Context(), c, 2)
	if err != nil || byNumber.Number != 2 || byNumber.BaseFee == nil || byNumber.GasLimit == 0 || byNumber.Time == 0 {
		t.Fatalf("%+v, %v", byNumber, err)
	}
	if !byNumber.Proven {
		t.Error("the header's fields do not hash to its hash")
	}
	byHash, err := rpc.HeaderByHash(t.Context(), c, byNumber.Hash)
	if err != nil || byHash.ParentHash != byNumber.ParentHash {
		t.Errorf("%+v, %v", byHash, err)
	}
	if _, err := rpc.HeaderByNumber(t.Context(), c, 99); !errors.Is(err, rpc.ErrNotFound) {
		t.Errorf("block 99: got %v, want ErrNotFound", err)
	}
	if _, err := rpc.HeaderByHash(t.Context(), c, common.HexToHash("0x99")); !errors.Is(err, rpc.ErrNotFound) {
		t.Errorf("unknown hash: got %v, want ErrNotFound", err)
	}
	a.Set(chaintest.Faults{Rewrite: func(method string, _ []rawJSON, r rawJSON) rawJSON {
		if method == "eth_getBlockByNumber" || method == "eth_getBlockByHash" {
			return rawJSON(bytes.Replace(r, []byte(`"gasUsed":"0x0"`), []byte(`"gasUsed":"0x1"`), 1))
		}
		return r
	}})
	forged, err := rpc.HeaderByNumber(t.Context(), c, 2)
	if err != nil || forged.GasUsed != 1 || forged.Proven {
		t.Errorf("a forged field: proven %v, gas used %d, %v", forged.Proven, forged.GasUsed, err)
	}
}

func TestFinal(t *testing.T) {
	a, _, node := pair(t)
	mine(t, node, 100)
	for finality, want := range map[rpc.Finality]uint64{rpc.LatestTag: 100, rpc.Finalized: 36, rpc.Behind(10): 90, rpc.Behind(1000): 0} {
		cfg := config(a.URL())
		cfg.Finality = finality
		h, err := dial(t, cfg).Final(t.Context())
		if err != nil || h.Number != want {
			t.Errorf("%s: block %d, %v; want %d", finality, h.Number, err, want)
		}
	}
}
