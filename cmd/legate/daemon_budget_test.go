package main

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
)

// critical counts the critical alerts on a proposal whose lines say something; one that came twice counts once.
func (p *posted) critical(id gov.ProposalID, say string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := map[string]bool{}
	for _, a := range p.alerts {
		if a.Proposal != nil && *a.Proposal == id && a.Severity == gov.Critical && strings.Contains(strings.Join(a.Lines, " "), say) {
			ids[a.ID] = true
		}
	}
	return len(ids)
}

// TestDaemonSpentBudget: with two votes a day, one of them kept for Against, the second For is held and told of as
// critical once; an Against still goes out, and the next one too, since only fees bind those; and the holder's own hand
// votes on what is held.
func TestDaemonSpentBudget(t *testing.T) {
	s := newSite(t, "harbor")
	told := &posted{}
	hook := httptest.NewServer(told)
	defer hook.Close()
	h := newHome(t, s, setup{edit: func(files map[string]string) {
		files["policies.yaml"] = strings.Replace(files["policies.yaml"], "votes_per_day: 10000", "votes_per_day: 2", 1)
		files["hook-key"] = "a key of the test"
		files["legate.yaml"] += fmt.Sprintf("channels:\n  hook: {webhook: %q, secret: file:hook-key}\n", hook.URL)
	}})
	h.start("--live")
	h.final(s.propose("harbor", "A grant", s.grant("harbor")), devchain.For)
	grant := s.propose("harbor", "Another grant", s.grant("harbor"))
	budget := func(m motion) {
		t.Helper()
		d := h.until(m, gov.VoteHeld)
		if d.Vote.Reason != gov.HoldBudget || !slices.Contains(h.records(m), "WasHeld") {
			t.Fatalf("held because of %q, records %v", d.Vote.Reason, h.records(m))
		}
		for range 3 { // it is tried again, and told of once
			s.mine(1)
			pause(t.Context(), 300*time.Millisecond)
		}
		if !h.await(10*time.Second, func() bool { return told.critical(m.id, "the budget is spent") == 1 }) {
			t.Fatalf("%d critical alerts of the spent budget, want 1: %q", told.critical(m.id, "the budget is spent"), told.titles())
		}
		stdout, _ := h.legate(0, "proposals", "--json")
		if !strings.Contains(stdout, `"reason": "budget"`) {
			t.Errorf("`proposals` does not say so: %s", stdout)
		}
	}
	budget(grant)
	h.final(s.propose("harbor", "Maintenance", s.drain("harbor")), devchain.Against)
	h.final(s.propose("harbor", "More maintenance", s.drain("harbor")), devchain.Against)
	if sent := s.sent(); sent != 3 {
		t.Fatalf("the key made %d transactions, want one for and two against", sent)
	}
	h.legate(0, "vote", grant.id.String(), "for", "--key", "keystore:hand.json", "--passphrase", "file:passphrase", "--yes")
	h.final(grant, devchain.For)
	h.fsck()
	h.interrupt()
}
