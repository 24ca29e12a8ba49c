package rpc_test

import (
	"errors"
	"testing"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/rpc"
)

func TestHealth(t *testing.T) {
	a, b, node := pair(t)
	mine(t, node, 30)
	cfg := config(a.URL(), b.URL())
	cfg.Agree = 1
	c := dial(t, cfg)
	a.Set(chaintest.Faults{Lag: 20})
	b.Set(chaintest.Faults{ChainID: 5})
	h, errs := c.Check(t.Context())
	if !h[0].Answered || h[0].Head != 10 || h[0].Lagging || errs[0] != nil {
		t.Errorf("the only one left on the chain is the measure: %+v, %v", h[0], errs[0])
	}
	if !h[1].WrongChain || h[1].ChainID != 5 || !errors.Is(errs[1], rpc.ErrWrongChain) {
		t.Errorf("%+v, %v", h[1], errs[1])
	}
	a.Set(chaintest.Faults{Lag: 20})
	b.Set(chaintest.Faults{})
	h, _ = c.Check(t.Context())
	if h[1].WrongChain || h[1].Head != 30 || !h[0].Lagging {
		t.Errorf("back on the chain: %+v; the other lags: %+v", h[1], h[0])
	}
	b.Set(chaintest.Faults{Down: true})
	for range 3 {
		h, _ = c.Check(t.Context())
	}
	if h[1].Failures < 3 || h[1].CoolsUntil.IsZero() || len(c.Sources()) != 1 {
		t.Errorf("down: %+v, %d sources", h[1], len(c.Sources()))
	}
}

// An answer that failed halfway leaves nothing behind for the next endpoint's to mix with.
func TestAnswersDoNotMix(t *testing.T) {
	a, b, _ := pair(t)
	c := dial(t, config(a.URL(), b.URL()))
	answer := func(text string) chaintest.Faults {
		return chaintest.Faults{Rewrite: func(_ string, _ []rawJSON, _ rawJSON) rawJSON { return rawJSON(text) }}
	}
	a.Set(answer(`{"forged":"yes","n":"text"}`))
	b.Set(answer(`{"n":7}`))
	var got struct {
		Forged string
		N      int
	}
	if err := c.Call(t.Context(), &got, "eth_gasPrice"); err != nil || got.N != 7 || got.Forged != "" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.Call(t.Context(), got, "eth_gasPrice"); rpc.Classify(err) != rpc.BadRequest {
		t.Errorf("result that is no pointer: %v", err)
	}
}
