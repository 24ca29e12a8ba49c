package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/devchain"
)

// What is set aside is shown by fsck and the doctor, without a letter that a terminal obeys, and a proposal whose records
// cannot be read takes no other out of the list.
func TestG51WhatIsSetAsideIsShown(t *testing.T) {
	fixture(t)
	db, err := journal.Open(t.Context(), "sqlite:legate.db", ".", journal.Daemon)
	if err != nil {
		t.Fatal(err)
	}
	what := "gather of " + fixtureID("289").String()
	for range 2 {
		if _, err := db.SetAside(t.Context(), journal.Aside{Part: journal.AsideStep, What: what, Why: evilText, Last: time.Unix(1_700_000_000, 0), Tries: 10}); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := legate(t, 0, "journal", "fsck")
	if i := strings.IndexFunc(out, active); i >= 0 {
		t.Errorf("%.80q is active", out[i:])
	}
	if !strings.Contains(out, "set aside "+what+", since 2023-11-14 22:13 UTC, tried 20 times: ") {
		t.Errorf("fsck says\n%s", out)
	}
	out, _ = legate(t, 0, "journal", "fsck", "--json")
	var doc fsckDocument
	if err := json.Unmarshal([]byte(out), &doc); err != nil || len(doc.SetAside) != 1 || doc.SetAside[0].Tries != 20 {
		t.Errorf("%v\n%s", err, out)
	}
	if line := diagnose(t, 1)["set aside"]; line.Status != isDoubtful || !strings.Contains(line.What, what) {
		t.Errorf("doctor: %+v", line)
	}

	if _, err := db.SQL().ExecContext(t.Context(), "UPDATE records SET body = '{' WHERE seq = 1 AND proposal = ?", fixtureID("289").String()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.SetAside(t.Context(), journal.Aside{Part: journal.AsideProposal, What: fixtureID("289").String(), Why: "it does not fold", Last: time.Unix(1_700_000_000, 0)}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	out, _ = legate(t, 0, "proposals")
	if !strings.Contains(out, "its records cannot be read") || strings.Count(out, "compound/") < 2 {
		t.Errorf("the list is\n%s", out)
	}
	if line := diagnose(t, 1)["set aside"]; line.Status != isWrong || !strings.Contains(line.Do, "vote by hand") {
		t.Errorf("doctor: %+v", line)
	}
}

// A proposal whose records were damaged before the key voted for the first time keeps no ledger from being made: the
// chain is asked about it by its number. `ledger fsck` names a damaged vote, and compares the others.
func TestG51DamagedProposalBeforeTheFirstVote(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{})
	damage := func(m motion) {
		t.Helper()
		h.interrupt()
		db := h.sql("rw")
		if _, err := db.ExecContext(t.Context(), "UPDATE records SET body = replace(body, '{', '[') WHERE proposal = ? AND type = 'WasDecided'", m.id.String()); err != nil {
			t.Fatal(err)
		}
		must(t, db.Close())
		h.start("--live")
	}
	h.start()
	bad := s.propose("harbor", "Maintenance", s.drain("harbor"))
	h.until(bad, gov.VoteNotLive)
	damage(bad)
	first := s.propose("harbor", "More maintenance", s.drain("harbor"))
	h.final(first, devchain.Against)
	damage(first)
	h.final(s.propose("harbor", "A grant", s.grant("harbor")), devchain.For)
	out, _ := h.legate(1, "ledger", "fsck")
	if !strings.Contains(out, first.id.String()+": the journal has a vote, and its records cannot be read") || !strings.Contains(out, "1 vote of the journal compared, 1 problem") {
		t.Errorf("ledger fsck says\n%s", out)
	}
	h.interrupt()
}
