package main

import (
	"encoding/json"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/notify/web"
)

// coverage is what the API says was read for a governor.
func (h *home) coverage(name string) (out []web.Range) {
	h.t.Helper()
	_, body := h.get("/api/v1/status")
	var status struct {
		Governors []struct {
			Name     string      `json:"name"`
			Coverage []web.Range `json:"coverage"`
		} `json:"governors"`
	}
	must(h.t, json.Unmarshal([]byte(body), &status))
	for _, g := range status.Governors {
		if g.Name == name {
			out = append(out, g.Coverage...)
		}
	}
	return out
}

// TestG16DaemonAddedGovernor: a governor that is added to legate.yaml later has its past read too. An open proposal
// of it from before is voted on, nothing is seen twice, and until then the API says what was not read.
func TestG16DaemonAddedGovernor(t *testing.T) {
	s := newSite(t, "harbor", "meadow")
	proxy := chaintest.NewProxy(t, s.url)
	c := setup{rpc: []string{proxy.URL()}, approver: accountHand, finality: 2}
	h := newHome(t, s, c)
	old := s.propose("meadow", "A grant", s.grant("meadow"))
	first := s.propose("harbor", "A grant", s.grant("harbor"))
	c.governors = []string{"harbor"}
	h.write("legate.yaml", configText(s, c))
	h.write("policies.yaml", policyText(t, s, c))
	h.start("--live")
	h.final(first, devchain.For)
	s.mine(3)
	if _, known := h.dossier(old); known {
		t.Fatal("a proposal of a governor that is not followed is known")
	}
	h.interrupt()

	var hold atomic.Bool
	hold.Store(true)
	proxy.Set(chaintest.Faults{Rewrite: func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage {
		var f struct {
			FromBlock string `json:"fromBlock"`
		}
		if method == "eth_getLogs" && hold.Load() && json.Unmarshal(params[0], &f) == nil && f.FromBlock == "0x1" {
			return json.RawMessage(`"not now"`)
		}
		return result
	}})
	c.governors = []string{"harbor", "meadow"}
	h.write("legate.yaml", configText(s, c))
	h.write("policies.yaml", policyText(t, s, c))
	h.start("--live")
	s.mine(4)
	if !h.await(20*time.Second, func() bool { return len(h.coverage("meadow")) > 0 }) {
		t.Fatal("nothing is read of the added governor")
	}
	if at := h.coverage("meadow"); len(at) != 1 || at[0].From <= first.Receipt.BlockNumber.Uint64() {
		t.Errorf("coverage of the added governor while its past cannot be read: %+v", at)
	}
	if at := h.coverage("harbor"); len(at) != 1 || at[0].From != 1 {
		t.Errorf("coverage of the other: %+v", at)
	}
	if _, known := h.dossier(old); known {
		t.Fatal("the old proposal is known, though its block cannot be read")
	}
	hold.Store(false)
	h.final(old, devchain.For)
	last := s.propose("meadow", "Maintenance", s.drain("meadow"))
	h.final(last, devchain.Against)
	for _, name := range []string{"harbor", "meadow"} {
		if at := h.coverage(name); len(at) != 1 || at[0].From != 1 {
			t.Errorf("coverage of %s: %+v", name, at)
		}
	}
	for _, m := range []motion{old, first, last} {
		seen := slices.DeleteFunc(h.records(m), func(kind string) bool { return kind != "WasSeen" })
		if d, _ := h.dossier(m); len(seen) != 1 || d.Vote.Status != gov.VoteFinal {
			t.Errorf("%s was seen %d times, vote %q", m.id, len(seen), d.Vote.Status)
		}
	}
	h.fsck()
	h.interrupt()
}
