package main

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

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

// TestDaemonBesideCommands: a new start midway goes on where the last one ended, commands work beside the daemon,
// and the API answers.
func TestDaemonBesideCommands(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{live: true}) // by voter.live, without the flag
	h.start()
	canceled := s.propose("harbor", "Maintenance", s.drain("harbor"))
	s.mine(2) // its block is final, voting opens two blocks later
	if !h.await(20*time.Second, func() bool { d, _ := h.dossier(canceled); return d.Vote.Status == gov.VoteWaiting }) {
		t.Fatalf("no vote waits; records %v", h.records(canceled))
	}
	h.legate(0, "cancel", canceled.id.String())
	held := s.propose("harbor", "A registry", s.opaque("harbor"))
	h.until(held, gov.VoteHeld)
	h.interrupt()
	h.start()

	list, _ := h.legate(0, "proposals", "--json")
	shown, _ := h.legate(0, "show", held.id.String(), "--json")
	for _, m := range []motion{held, canceled} {
		if !strings.Contains(list, m.id.Number.String()) {
			t.Errorf("`proposals` has no %s:\n%s", m.id, list)
		}
	}
	if status, body := h.get("/readyz"); status != http.StatusOK && !h.await(10*time.Second, func() bool { status, body = h.get("/readyz"); return status == http.StatusOK }) {
		t.Errorf("readyz: %d %s", status, body)
	}
	for path, want := range map[string]string{
		"/healthz": "", "/api/v1/status": `"live": true`, "/api/v1/proposals": held.id.Number.String(), "/metrics": "legate_",
		"/api/v1/proposals/" + s.chain.String() + "/" + held.id.Governor.String() + "/" + held.id.Number.String(): `"status": "held"`,
	} {
		status, body := h.get(path)
		if status != http.StatusOK || !strings.Contains(strings.ReplaceAll(body, `":`, `": `), want) && !strings.Contains(body, want) {
			t.Errorf("GET %s: %d, want %q in\n%.400s", path, status, want, body)
		}
	}
	if !strings.Contains(shown, `"status": "held"`) {
		t.Errorf("`show` does not say that the vote is held:\n%s", shown)
	}
	h.fsck()
	h.legate(0, "vote", held.id.String(), "for", "--key", "keystore:hand.json", "--passphrase", "file:passphrase", "--yes")
	h.final(held, devchain.For)
	s.uncounted(canceled)
	if _, stderr := h.legate(3, "cancel", held.id.String()); !strings.Contains(stderr, "nothing waiting to cancel") {
		t.Errorf("cancel after the vote says %q", stderr)
	}
	// the cancel was not the last word: while voting is open the holder can still decide
	h.legate(0, "vote", canceled.id.String(), "against", "--key", "keystore:hand.json", "--passphrase", "file:passphrase", "--yes")
	h.final(canceled, devchain.Against)

	// frozen: nothing is signed until it is lifted, also after a new start
	h.legate(0, "freeze")
	waiting := s.propose("harbor", "A grant", s.grant("harbor"))
	h.until(waiting, gov.VoteWaiting)
	h.interrupt()
	h.start()
	for range 10 {
		s.mine(1)
		pause(t.Context(), 100*time.Millisecond)
	}
	s.uncounted(waiting)
	h.legate(0, "unfreeze")
	h.final(waiting, devchain.For)
	h.fsck()
	h.interrupt()
}
