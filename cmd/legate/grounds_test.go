package main

import (
	"errors"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/facts"
)

// TestCanonical: a block is moved only where enough endpoints say so; what cannot be known is another error, and never
// leave to sign.
func TestCanonical(t *testing.T) {
	s := newSpoilt(t)
	s.mine(2)
	b := s.latest()
	other := b
	other.Hash[0] ^= 1
	s.mine(4)
	two := func(f chaintest.Faults) []chaintest.Faults { return []chaintest.Faults{f, f} }
	for name, c := range map[string]struct {
		faults      []chaintest.Faults
		b           gov.Block
		moved, fine bool
	}{
		"it is in the chain":              {nil, b, false, true},
		"another is":                      {nil, other, true, false},
		"one tells of another":            {[]chaintest.Faults{elsewhere(b.Number, 7)}, b, false, true},
		"one is down":                     {[]chaintest.Faults{{}, {Down: true}}, b, false, true},
		"one is late":                     {[]chaintest.Faults{{Lag: 5}}, b, false, true},
		"two tell of another each":        {[]chaintest.Faults{elsewhere(b.Number, 7), elsewhere(b.Number, 8)}, b, false, false},
		"two are down":                    {two(chaintest.Faults{Down: true}), b, false, false},
		"two have not got so far":         {two(chaintest.Faults{Lag: 5}), b, false, false},
		"another is, and one is down":     {[]chaintest.Faults{{Down: true}}, other, true, false},
		"another is, and two are down":    {two(chaintest.Faults{Down: true}), other, false, false},
		"one tells of it, where it isn't": {[]chaintest.Faults{elsewhere(b.Number, 7)}, other, true, false},
	} {
		s.dial()
		s.lie(c.faults...)
		err := s.world.Canonical(t.Context(), s.id(), c.b)
		if (err == nil) != c.fine || errors.Is(err, agent.ErrMoved) != c.moved {
			t.Errorf("%s: %v; want fine %v, moved %v", name, err, c.fine, c.moved)
		}
	}
	s.dial()
	if err := s.chain.Reorg(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	if err := s.world.Canonical(t.Context(), s.id(), b); !errors.Is(err, agent.ErrMoved) {
		t.Errorf("its block was reorganised away: %v", err)
	}
	if err := s.world.Canonical(t.Context(), gov.ProposalID{Chain: 5}, b); err == nil || errors.Is(err, agent.ErrMoved) {
		t.Errorf("at a governor that is not watched: %v", err)
	}
}

// TestG15SameCode: an Against stands while the code behind the calls, and behind its proxies, is what the facts say, by
// as many endpoints as must agree; what cannot be known is no leave to sign.
func TestG15SameCode(t *testing.T) {
	s := newSpoilt(t)
	p, _ := s.propose(2, "# Lower the factor") // of the market, which is a proxy
	g, err := s.world.Gather(t.Context(), p, s.latest())
	if err != nil {
		t.Fatal(err)
	}
	s.mine(1)
	at := s.latest()
	dao := s.daos["harbor"]
	code := func(of common.Address) chaintest.Faults {
		return chaintest.Faults{Code: map[common.Address][]byte{of: {0x60, 0x00}}}
	}
	two := func(f chaintest.Faults) []chaintest.Faults { return []chaintest.Faults{f, f} }
	n := 0
	for name, c := range map[string]struct {
		faults      []chaintest.Faults
		moved, fine bool
	}{
		"nothing changed":                       {nil, false, true},
		"one tells of other code":               {[]chaintest.Faults{code(dao.Market)}, false, true},
		"two tell of other code":                {two(code(dao.Market)), true, false},
		"two tell of another implementation":    {two(code(dao.MarketImpl)), true, false},
		"two tell of none":                      {two(chaintest.Faults{Code: map[common.Address][]byte{dao.Market: {}}}), true, false},
		"other code at an account beside it":    {two(code(dao.Treasury)), false, true},
		"one of each":                           {[]chaintest.Faults{code(dao.Market), {Down: true}}, false, false},
		"two are down":                          {two(chaintest.Faults{Down: true}), false, false},
		"two have no state":                     {two(chaintest.Faults{Pruned: true}), false, false},
		"one has other code, another no state":  {[]chaintest.Faults{code(dao.Market), {Pruned: true}}, false, false},
		"one answers with a page":               {[]chaintest.Faults{{HTML: true}}, false, true},
		"two tell of other code, one says both": {[]chaintest.Faults{code(dao.Market), code(dao.MarketImpl)}, true, false},
	} {
		s.dial()
		s.lie(c.faults...)
		n++
		err := s.world.SameCode(t.Context(), p, g.Facts, at)
		if (err == nil) != c.fine || errors.Is(err, agent.ErrMoved) != c.moved || c.moved != errors.Is(err, facts.ErrOtherCode) {
			t.Errorf("%s: %v; want fine %v, moved %v", name, err, c.fine, c.moved)
		}
	}
	s.dial()
	s.lie()
	must(t, s.deployer.RPC.CallContext(t.Context(), nil, "anvil_setCode", dao.Market, "0x6000"))
	s.mine(1)
	if err := s.world.SameCode(t.Context(), p, g.Facts, s.latest()); !errors.Is(err, agent.ErrMoved) {
		t.Errorf("the chain has other code at the market: %v", err)
	}
	t.Logf("n=%d mixtures of three endpoints", n)
}
