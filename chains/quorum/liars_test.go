package quorum_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// lie is one way to deceive, and the question it is about.
type lie struct {
	name   string
	faults chaintest.Faults
	ask    func(ctx context.Context, c *rpc.Client, head common.Hash) (string, quorum.Agreement, error)
	silent bool // the liar drops out of the sources instead of being a minority
}

func askLogs(ctx context.Context, c *rpc.Client, _ common.Hash) (string, quorum.Agreement, error) {
	return agree(ctx, c, c.Need(), func(ctx context.Context, s rpc.Caller) (string, error) {
		logs, err := rpc.Logs(ctx, s, rpc.Filter{Addresses: []common.Address{account}, From: 0, To: 5})
		return fmt.Sprint(len(logs), rpc.LogsDigest(logs)), err
	})
}

func askFinal(ctx context.Context, c *rpc.Client, _ common.Hash) (string, quorum.Agreement, error) {
	h, a, err := final(ctx, c)
	return fmt.Sprintf("%v", h.Key()), a, err
}

func askSlot(ctx context.Context, c *rpc.Client, head common.Hash) (string, quorum.Agreement, error) {
	v, a, err := agree(ctx, c, c.Need(), readSlot(head))
	return v.Hex(), a, err
}

func askCode(ctx context.Context, c *rpc.Client, head common.Hash) (string, quorum.Agreement, error) {
	return agree(ctx, c, c.Need(), func(ctx context.Context, s rpc.Caller) (string, error) {
		code, err := rpc.Code(ctx, s, account, head)
		return fmt.Sprintf("%x", code), err
	})
}

// swap replaces text in the answers of one method.
func swap(method, from, to string) chaintest.Faults {
	return chaintest.Faults{Rewrite: func(m string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
		if m != method {
			return r
		}
		return bytes.Replace(r, []byte(from), []byte(to), 1)
	}}
}

var lies = []lie{
	{name: "omit log", faults: chaintest.Faults{DropLogs: chaintest.AllLogs}, ask: askLogs},
	{name: "forge log", faults: swap("eth_getLogs", `"logIndex":"0x0"`, `"logIndex":"0x9"`), ask: askLogs},
	{name: "stale head", faults: chaintest.Faults{Lag: 3}, ask: askFinal},
	{name: "wrong storage", faults: forge("0x666"), ask: askSlot},
	{name: "wrong code", faults: chaintest.Faults{Code: map[common.Address][]byte{account: {0xfe}}}, ask: askCode},
	{name: "wrong chain id", faults: chaintest.Faults{ChainID: 5, Storage: forge("0x666").Storage}, ask: askSlot, silent: true},
	{name: "forged header", faults: swap("eth_getBlockByNumber", `"gasUsed":"0x`, `"gasUsed":"0x7`), ask: askFinal},
	{name: "invented head", faults: swap("eth_getBlockByNumber", `"number":"0x`, `"number":"0xff`), ask: askFinal},
}

// TestG18LiarTolerance: with fewer liars than the quota, wherever they stand, the agreed answer is the truth, and
// with as many liars as the quota leaves no honest majority it is a disagreement or names a minority, never silent.
func TestG18LiarTolerance(t *testing.T) {
	const seeds = 20
	node := chaintest.Anvil(t)
	emit(t, node, 4)
	post(t, node, "anvil_setStorageAt", account, slot, common.HexToHash("0x22"))
	mine(t, node, 1)
	head := hashAt(t, node, "latest")
	for _, size := range []struct{ n, liars int }{{3, 1}, {5, 2}} {
		ps := make([]*chaintest.Proxy, size.n)
		urls := make([]string, size.n)
		for i := range ps {
			ps[i] = chaintest.NewProxy(t, node)
			urls[i] = ps[i].URL()
		}
		for _, l := range lies {
			r := rand.New(rand.NewPCG(18, uint64(size.n)))
			cfg := config(urls...)
			cfg.Agree = size.n - size.liars
			client := dial(t, cfg)
			truth, _, err := l.ask(t.Context(), client, head)
			if err != nil {
				t.Fatalf("%s, all honest: %v", l.name, err)
			}
			for seed := range seeds {
				liars := r.Perm(size.n)[:size.liars]
				for i, p := range ps {
					p.Set(chaintest.Faults{})
					if slices.Contains(liars, i) {
						p.Set(l.faults)
					}
				}
				if l.silent {
					client.Check(t.Context())
				}
				got, a, err := l.ask(t.Context(), client, head)
				if err != nil || got != truth {
					t.Errorf("%s, %d of %d lie, seed %d: got %s and %v, want %s", l.name, size.liars, size.n, seed, got, err, truth)
				}
				caught := len(a.Minority) + len(a.Failed) + size.n - a.Asked
				if caught != size.liars && l.name != "stale head" {
					t.Errorf("%s, seed %d: %d liars, %d caught: %+v", l.name, seed, size.liars, caught, a)
				}
			}
			for _, p := range ps {
				p.Set(chaintest.Faults{})
			}
		}
	}
}
