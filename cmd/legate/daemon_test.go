package main

import (
	"os"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
)

// TestDaemonSupportValues takes proposals on real governors of three kinds to counted votes: For, Against, and
// Abstain by a rule and by the holder's hand.
func TestDaemonSupportValues(t *testing.T) {
	s := newSite(t, "harbor", "meadow", "bravo")
	t.Logf("anvil: block %d after the deployment; bravo's voting period was set to %d blocks by a storage write", s.height(), siteDAOs["bravo"].VotingPeriod)
	h := newHome(t, s, setup{})
	h.start("--live")
	for _, name := range s.names {
		t.Run(name, func(t *testing.T) {
			grant, drain, loosen := s.propose(name, "A grant", s.grant(name)), s.propose(name, "Maintenance", s.drain(name)), s.propose(name, "More credit", s.loosen(name))
			h.final(grant, devchain.For)
			h.final(drain, devchain.Against)
			d := h.final(loosen, devchain.Abstain)
			if d.Verdict.Rule != "looser-parameters" {
				t.Errorf("rule %q", d.Verdict.Rule)
			}
			held := s.propose(name, "A registry", s.opaque(name))
			h.until(held, gov.VoteHeld)
			s.uncounted(held)
			h.legate(0, "vote", held.id.String(), "abstain", "--key", "keystore:hand.json", "--passphrase", "file:passphrase", "--yes")
			if d := h.final(held, devchain.Abstain); d.Vote.Ballot.Reason.By != gov.ByHolder {
				t.Errorf("the vote is by %s", d.Vote.Ballot.Reason.By)
			}
		})
	}
	if sent := s.sent(); sent != 12 {
		t.Errorf("the key made %d transactions for 12 votes", sent)
	}
	h.fsck()
	h.interrupt()
	h.fsck()
}

// TestDaemonNotLive: without --live everything is decided and nothing is signed or sent.
func TestDaemonNotLive(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{})
	h.start()
	grant, drain := s.propose("harbor", "A grant", s.grant("harbor")), s.propose("harbor", "Maintenance", s.drain("harbor"))
	for m, want := range map[motion]gov.Direction{grant: gov.For, drain: gov.Against} {
		if d := h.until(m, gov.VoteNotLive); d.Final() != want {
			t.Errorf("%s: decided %s, want %s", m.id, d.Final(), want)
		}
	}
	s.mine(3)
	for _, m := range []motion{grant, drain} {
		s.uncounted(m)
		for _, kind := range h.records(m) {
			if kind == "WasLocked" || kind == "WasSigned" || kind == "WasSent" {
				t.Errorf("%s has a record %s", m.id, kind)
			}
		}
	}
	if sent := s.sent(); sent != 0 {
		t.Errorf("the key made %d transactions", sent)
	}
	if _, err := os.Stat(h.path("ledger/votes")); err == nil {
		t.Error("there is a ledger, though nothing may be signed")
	}
	if status, _ := h.get("/readyz"); status != 200 {
		t.Errorf("readyz %d", status)
	}
	h.fsck()
	h.interrupt()
}
