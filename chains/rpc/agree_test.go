package rpc_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

// quorum is five operators of one chain with the contract of changing.
func quorum(t *testing.T, n, need int) (*rpc.Client, []*chaintest.Proxy, common.Hash) {
	t.Helper()
	node := chaintest.Anvil(t)
	_, head := changing(t, node)
	var urls []string
	var ps []*chaintest.Proxy
	for range n {
		p := chaintest.NewProxy(t, node)
		ps, urls = append(ps, p), append(urls, p.URL())
	}
	cfg := config(urls...)
	cfg.Agree = need
	return dial(t, cfg), ps, head
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

func TestG18AgreeNamesTheMinority(t *testing.T) {
	c, ps, head := quorum(t, 3, 2)
	ps[0].Set(forge("0x666"))
	got, a, err := rpc.Agree(t.Context(), c, 2, readSlot(head))
	if err != nil || got != common.HexToHash("0x22") {
		t.Fatalf("got %s, %v; want 0x22", got, err)
	}
	if a.Sources != 3 || a.Same != 2 || !slices.Equal(a.Minority, []string{hostOf(ps[0])}) || len(a.Errors) != 0 {
		t.Errorf("agreement %+v", a)
	}
}

func TestG18TooFewIsADisagreement(t *testing.T) {
	c, ps, head := quorum(t, 3, 2)
	ps[0].Set(forge("0x666"))
	ps[1].Set(chaintest.Faults{Down: true})
	got, a, err := rpc.Agree(t.Context(), c, 2, readSlot(head))
	if !errors.Is(err, rpc.ErrDisagreement) || rpc.Classify(err) != rpc.Disagreement {
		t.Fatalf("got %v (%v), want ErrDisagreement", err, rpc.Classify(err))
	}
	if got != (common.Hash{}) {
		t.Errorf("a value came with the disagreement: %s", got)
	}
	if len(a.Errors) != 1 || a.Errors[0].Source != hostOf(ps[1]) || len(a.Minority) != 2 {
		t.Errorf("agreement %+v", a)
	}
}

func TestTwoMajoritiesAreADisagreement(t *testing.T) {
	c, ps, head := quorum(t, 4, 2)
	ps[0].Set(forge("0x666"))
	ps[1].Set(forge("0x666"))
	if _, _, err := rpc.Agree(t.Context(), c, 2, readSlot(head)); !errors.Is(err, rpc.ErrDisagreement) {
		t.Errorf("two against two: got %v, want ErrDisagreement", err)
	}
}

func TestG18FiveWithTwoLiars(t *testing.T) {
	c, ps, head := quorum(t, 5, 3)
	ps[1].Set(forge("0x666"))
	ps[4].Set(forge("0x666"))
	got, a, err := rpc.Agree(t.Context(), c, 3, readSlot(head))
	if err != nil || got != common.HexToHash("0x22") || len(a.Minority) != 2 {
		t.Errorf("got %s, %+v, %v", got, a, err)
	}
}

func TestOneSourceSaysSo(t *testing.T) {
	c, _, head := quorum(t, 1, 0)
	_, a, err := rpc.Agree(t.Context(), c, c.Need(), readSlot(head))
	if err != nil || a.Sources != 1 || a.Same != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, _, err := rpc.Agree(t.Context(), c, 2, readSlot(head)); !errors.Is(err, rpc.ErrDisagreement) {
		t.Errorf("one source for a need of two: got %v, want ErrDisagreement", err)
	}
}

// What all sources fail at alike is an answer of the chain, not a quarrel among endpoints.
func TestCommonFailureKeepsItsMeaning(t *testing.T) {
	c, ps, head := quorum(t, 2, 2)
	for _, p := range ps {
		p.Set(chaintest.Faults{Pruned: true})
	}
	_, _, err := rpc.Agree(t.Context(), c, 2, readSlot(head))
	if !errors.Is(err, rpc.ErrNoState) || rpc.Classify(err) != rpc.NoState || errors.Is(err, rpc.ErrDisagreement) {
		t.Errorf("got %v (%v), want ErrNoState", err, rpc.Classify(err))
	}
	for _, p := range ps {
		p.Set(chaintest.Faults{Down: true})
	}
	if _, _, err := rpc.Agree(t.Context(), c, 2, readSlot(head)); rpc.Classify(err) != rpc.Retry {
		t.Errorf("all down: got %v (%v), want Retry", err, rpc.Classify(err))
	}
}

func TestG18AgreedFinalCannotBeInvented(t *testing.T) {
	c, ps, _ := quorum(t, 3, 2)
	ps[0].Set(chaintest.Faults{Rewrite: func(method string, params []rawJSON, r rawJSON) rawJSON {
		if method == "eth_getBlockByNumber" {
			return rawJSON(strings.Replace(string(r), `"number":"0x3"`, `"number":"0xffff"`, 1))
		}
		return r
	}})
	h, a, err := c.AgreedFinal(t.Context())
	if err != nil || h.Number != 3 || a.Same != 2 {
		t.Errorf("block %d, %+v, %v; want block 3 by two", h.Number, a, err)
	}
}
