package quorum_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

func TestG18AgreeNamesTheMinority(t *testing.T) {
	c, ps, head := operators(t, 3, 2)
	ps[0].Set(forge("0x666"))
	got, a, err := agree(t.Context(), c, 2, readSlot(head))
	if err != nil || got != common.HexToHash("0x22") {
		t.Fatalf("got %s, %v; want 0x22", got, err)
	}
	if a.Asked != 3 || a.Same != 2 || !slices.Equal(a.Minority, []string{hostOf(ps[0])}) || len(a.Failed) != 0 {
		t.Errorf("agreement %+v", a)
	}
}

func TestG18TooFewIsADisagreement(t *testing.T) {
	c, ps, head := operators(t, 3, 2)
	ps[0].Set(forge("0x666"))
	ps[1].Set(chaintest.Faults{Down: true})
	got, a, err := agree(t.Context(), c, 2, readSlot(head))
	if !errors.Is(err, rpc.ErrDisagreement) || rpc.Classify(err) != rpc.Disagreement {
		t.Fatalf("got %v (%v), want ErrDisagreement", err, rpc.Classify(err))
	}
	if got != (common.Hash{}) {
		t.Errorf("a value came with the disagreement: %s", got)
	}
	if len(a.Failed) != 1 || a.Failed[0].Source != hostOf(ps[1]) || len(a.Minority) != 2 {
		t.Errorf("agreement %+v", a)
	}
}

func TestTwoMajoritiesAreADisagreement(t *testing.T) {
	c, ps, head := operators(t, 4, 2)
	ps[0].Set(forge("0x666"))
	ps[1].Set(forge("0x666"))
	if _, _, err := agree(t.Context(), c, 2, readSlot(head)); !errors.Is(err, rpc.ErrDisagreement) {
		t.Errorf("two against two: got %v, want ErrDisagreement", err)
	}
}

func TestG18FiveWithTwoLiars(t *testing.T) {
	c, ps, head := operators(t, 5, 3)
	ps[1].Set(forge("0x666"))
	ps[4].Set(forge("0x666"))
	got, a, err := agree(t.Context(), c, 3, readSlot(head))
	if err != nil || got != common.HexToHash("0x22") || len(a.Minority) != 2 {
		t.Errorf("got %s, %+v, %v", got, a, err)
	}
}

func TestOneSourceSaysSo(t *testing.T) {
	c, _, head := operators(t, 1, 0)
	_, a, err := agree(t.Context(), c, c.Need(), readSlot(head))
	if err != nil || a.Asked != 1 || a.Same != 1 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, _, err := agree(t.Context(), c, 2, readSlot(head)); !errors.Is(err, rpc.ErrDisagreement) {
		t.Errorf("one source for a need of two: got %v, want ErrDisagreement", err)
	}
}

// What all sources fail at alike is an answer of the chain, not a quarrel among endpoints.
func TestCommonFailureKeepsItsMeaning(t *testing.T) {
	c, ps, head := operators(t, 2, 2)
	for _, p := range ps {
		p.Set(chaintest.Faults{Pruned: true})
	}
	_, _, err := agree(t.Context(), c, 2, readSlot(head))
	if !errors.Is(err, rpc.ErrNoState) || rpc.Classify(err) != rpc.NoState || errors.Is(err, rpc.ErrDisagreement) {
		t.Errorf("got %v (%v), want ErrNoState", err, rpc.Classify(err))
	}
	for _, p := range ps {
		p.Set(chaintest.Faults{Down: true})
	}
	if _, _, err := agree(t.Context(), c, 2, readSlot(head)); rpc.Classify(err) != rpc.Retry {
		t.Errorf("all down: got %v (%v), want Retry", err, rpc.Classify(err))
	}
}

func TestG18AgreedFinalCannotBeInvented(t *testing.T) {
	c, ps, _ := operators(t, 3, 2)
	ps[0].Set(chaintest.Faults{Rewrite: func(method string, params []rawJSON, r rawJSON) rawJSON {
		if method == "eth_getBlockByNumber" {
			return rawJSON(strings.Replace(string(r), `"number":"0x3"`, `"number":"0xffff"`, 1))
		}
		return r
	}})
	h, a, err := final(t.Context(), c)
	if err != nil || h.Number != 3 || a.Same != 2 {
		t.Errorf("block %d, %+v, %v; want block 3 by two", h.Number, a, err)
	}
}

// A hanging endpoint costs the grace, and the next question does not wait for it.
func TestG48HangingSourceCostsTheGraceOnce(t *testing.T) {
	c, ps, head := operators(t, 3, 2)
	ps[0].Set(chaintest.Faults{Hang: true})
	began := time.Now()
	_, a, err := agree(t.Context(), c, 2, readSlot(head))
	if err != nil || a.Same != 2 || !slices.Equal(a.Slow, []string{hostOf(ps[0])}) {
		t.Errorf("%+v, %v", a, err)
	}
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("took %s, want little more than the grace of a second", took)
	}
	_, a, err = agree(t.Context(), c, 2, readSlot(head))
	if err != nil || a.Asked != 2 || len(a.Slow) != 0 {
		t.Errorf("the next question: %+v, %v; want one that the slow endpoint is not asked", a, err)
	}

	// as soon as the others are not enough it is asked all the same
	ps[0].Set(chaintest.Faults{})
	ps[1].Set(forge("0x666"))
	got, a, err := agree(t.Context(), c, 2, readSlot(head))
	if err != nil || got != common.HexToHash("0x22") || !slices.Equal(a.Minority, []string{hostOf(ps[1])}) {
		t.Errorf("one of the rest lies: %s, %+v, %v", got, a, err)
	}
}
