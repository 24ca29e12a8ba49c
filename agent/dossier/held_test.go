package dossier_test

import (
	"slices"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// After a hold because something could not be known, facts that are whole again give an Against or an Abstain, and no
// For and no time-out vote without a person.
func TestG22FailureHoldNeverBecomesAFor(t *testing.T) {
	for _, reason := range []gov.HoldReason{gov.HoldUnknown, gov.HoldUnavailable, gov.HoldDisagreement} {
		p := plan
		p.OnTimeout = gov.Against
		on := func(now int64, v gov.Verdict) dossier.WasDecided {
			return dossier.WasDecided{Verdict: v, Plan: p, Head: at(now)}
		}
		s := &story{t: t}
		s.happen(seen(), gathered(2100), on(2100, verdict(gov.Hold, gov.HoldClosedWorld, reason)))
		s.happen(gathered(6000), on(6000, verdict(gov.For)))
		s.gate(6000, gov.GatePass)
		if c := s.d.Choice(at(60_000)); c.Direction != gov.Hold || c.Reason != reason || s.d.Final() != gov.Hold || s.d.Vote.Status != gov.VoteHeld || s.d.Vote.Reason != reason {
			t.Errorf("%s: %+v, final %s, vote %q because %q", reason, c, s.d.Final(), s.d.Vote.Status, s.d.Vote.Reason)
		}
		s.owed(at(closes-43199), dossier.TimeOut)
		s.happen(gathered(7000), on(7000, verdict(gov.Hold, gov.HoldOtherwise)))
		if got := s.d.TimeOutDirection(); got != gov.Hold {
			t.Errorf("%s: a later hold by content times out to %s", reason, got)
		}
		answered := *s
		answered.happen(dossier.WasApproved{Approval: gov.Approval{Proposal: s.d.ID(), ContentHash: gov.Hash{9}, Basis: gov.Digest{5}, Support: gov.SupportFor, Expires: closes}})
		if c := answered.d.Choice(at(7000)); c.Direction != gov.For || c.By != gov.ByHolder {
			t.Errorf("%s: a person's answer gives %+v", reason, c)
		}
		for _, d := range []gov.Direction{gov.Abstain, gov.Against} {
			s.happen(gathered(8000), on(8000, verdict(d)))
			if c := s.d.Choice(at(60_000)); c.Direction != d {
				t.Errorf("%s: a fresh %s is not cast: %+v", reason, d, c)
			}
		}
	}
}

// A vote that the limits have no room for is held because of the budget: a For is a person's from then on, an Against
// is tried again, and a person is reminded of both.
func TestG22BudgetHold(t *testing.T) {
	for _, d := range []gov.Direction{gov.For, gov.Against, gov.Abstain} {
		s := &story{t: t}
		s.happen(seen(), gathered(24_000), decided(2100, verdict(d)))
		if d == gov.For {
			s.gate(24_000, gov.GatePass)
		}
		s.owed(at(24_000), dossier.Lock)
		s.happen(dossier.WasHeld{Reason: gov.HoldBudget, Direction: d, Why: "10 votes a day", Head: at(24_000)})
		if s.d.Vote.Status != gov.VoteHeld || s.d.Vote.Reason != gov.HoldBudget {
			t.Errorf("%s: vote %q because %q", d, s.d.Vote.Status, s.d.Vote.Reason)
		}
		near := int64(closes - 43_200 - 7200)
		if d == gov.For {
			s.owed(at(24_100))
			s.owed(at(near), dossier.Remind)
			s.happen(gathered(near), decided(near, verdict(gov.For)))
			s.gate(near, gov.GatePass)
			if c := s.d.Choice(at(near)); c.Direction != gov.Hold || c.Reason != gov.HoldBudget {
				t.Errorf("a for after a hold because of the budget: %+v", c)
			}
		} else {
			s.owed(at(24_100), dossier.Lock)
			s.happen(gathered(near), decided(near, verdict(d)))
			if s.d.Vote.Status != gov.VoteHeld {
				t.Errorf("%s: decided again, the vote is %q and people think it goes out", d, s.d.Vote.Status)
			}
			s.owed(at(near), dossier.Remind, dossier.Lock)
			s.happen(dossier.WasLocked{Ballot: gov.Ballot{Support: gov.SupportAgainst}})
		}
		if d != gov.Against {
			continue
		}
		s = &story{t: t}
		s.happen(seen(), gathered(24_000), decided(2100, verdict(d)), dossier.WasHeld{Reason: gov.HoldBudget, Direction: d, Head: at(24_000)})
		s.happen(gathered(24_100), decided(24_100, verdict(gov.Hold, gov.HoldByRule)))
		if s.d.Held != nil || s.d.Vote.Reason != gov.HoldByRule {
			t.Errorf("another decision is still held because of the budget: %q", s.d.Vote.Reason)
		}
	}
}

func TestBudgetHoldIsACriticalAlertOnce(t *testing.T) {
	held := dossier.WasHeld{Reason: gov.HoldBudget, Direction: gov.Against, Why: "20 votes a day for against", Head: at(24_000)}
	s := tellStory(t, named(), gathered(24_000), decided(2100, verdict(gov.Against)))
	s.want("proposal info new proposal", "decision warning against")
	s.happen(held, gathered(24_100), decided(24_100, verdict(gov.Against)))
	s.want("decision critical held, a person is asked")
	s.happen(dossier.WasLocked{Ballot: gov.Ballot{Support: gov.SupportAgainst}})
	s.want()
}

// Reads that fail are tried again for an hour from when the gathering was owed, and never past `latest`.
func TestPatience(t *testing.T) {
	e := seen()
	e.Head = at(1000)
	s := &story{t: t}
	s.happen(e)
	for now, want := range map[int64]bool{1500: true, 1999: true, 4599: true, 5600: false} {
		if got := s.d.Patient(at(now)); got != want {
			t.Errorf("first gathering at %d: patient %v", now, got)
		}
	}
	s.happen(gathered(2100), decided(2100, verdict(gov.For)))
	s.gate(2100, gov.GatePass)
	for now, want := range map[int64]bool{2200: true, 23_700: true, 23_700 + 3599: true, 23_700 + 3600: false, closes - 43_200: false} {
		if got := s.d.Patient(at(now)); got != want {
			t.Errorf("the gathering before the signature at %d: patient %v", now, got)
		}
	}
}

// A hold that has timed out into a vote is not undone by one read that fails at that moment.
func TestPatienceAfterATimeOut(t *testing.T) {
	const latest = closes - 43_200
	p := plan
	p.OnTimeout = gov.Against
	s := &story{t: t}
	s.happen(seen(), gathered(2100), dossier.WasDecided{Verdict: verdict(gov.Hold, gov.HoldByRule), Plan: p, Head: at(2100)})
	if s.d.Patient(at(latest)) {
		t.Error("patient at latest, while a person is asked")
	}
	s.happen(dossier.WasTimedOut{Direction: gov.Against, Head: at(latest)})
	if c := s.d.Choice(at(latest)); c.Direction != gov.Against {
		t.Fatalf("it times out into %s", c.Direction)
	}
	for now, want := range map[int64]bool{latest: true, latest + 3599: true, latest + 3600: false} {
		if got := s.d.Patient(at(now)); got != want {
			t.Errorf("%d s after latest: patient %v", now-latest, got)
		}
	}
}

// In a short window there is less of it: a hold that only a person answers is told while there is time for that.
func TestPatienceOfAShortWindow(t *testing.T) {
	e := seen()
	e.Head, e.Seen.Proposal.Ends = at(opens), opens+1200
	s := &story{t: t}
	s.happen(e)
	for now, want := range map[int64]bool{opens + 1: true, opens + 299: true, opens + 300: false, opens + 1100: false} {
		if got := s.d.Patient(at(now)); got != want {
			t.Errorf("%d s after the beginning: patient %v", now-opens, got)
		}
	}
}

// Against first, then the nearest deadline, and what cannot be cast holds up nothing for long.
func TestTurns(t *testing.T) {
	due := func(d gov.Direction, ends gov.Clocks) dossier.Dossier {
		s := &story{t: t}
		e := seen()
		e.Seen.Proposal.Ends = ends
		s.happen(e, gathered(24_000), decided(2100, verdict(d)))
		if d == gov.For {
			s.gate(24_000, gov.GatePass)
		}
		return s.d
	}
	soon, late, against := due(gov.For, closes), due(gov.Abstain, closes+100), due(gov.Against, closes+200)
	ending := against
	ending.Proposal.Ends = 24_100
	for name, c := range map[string]struct {
		a, b dossier.Dossier
		now  int64
		want bool
	}{
		"what has no time left waits for nothing": {against, ending, 24_000, false},
		"an against goes before a for":            {against, soon, 24_000, true},
		"a for not before an against":             {soon, against, 24_000, false},
		"the nearer deadline goes first":          {soon, late, 24_000, true},
		"not the farther one":                     {late, soon, 24_000, false},
		"what is not due holds up nothing":        {against, soon, 20_000, false},
		"what could not be cast for a while":      {against, soon, 24_300, false},
	} {
		if got := c.a.Before(c.b, at(c.now), at(c.now)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestUndecided(t *testing.T) {
	s := &story{t: t}
	s.happen(seen())
	quarter := int64(closes - (closes-opens)/4)
	if s.d.Undecided(at(quarter)) || !s.d.Undecided(at(quarter+1)) || s.d.Undecided(at(closes+1)) {
		t.Error("what is not decided is undecided in the last quarter of its window, and only there")
	}
	s.happen(gathered(quarter), decided(quarter, verdict(gov.Hold, gov.HoldUnavailable)))
	if s.d.Undecided(at(quarter + 1)) {
		t.Error("a hold is undecided")
	}
}

func TestLate(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(24_000), decided(2100, verdict(gov.Against)))
	quarter := int64(closes - (closes-opens)/4)
	if s.d.Late(at(quarter)) || !s.d.Late(at(quarter+1)) || s.d.Late(at(closes+1)) {
		t.Error("a vote that is due is late in the last quarter of its window, and only there")
	}
	s.happen(dossier.WasLocked{})
	if !s.d.Late(at(quarter + 1)) {
		t.Error("a vote that is only locked is not late")
	}
	s.happen(dossier.WasSigned{}, dossier.WasSent{})
	if s.d.Late(at(quarter + 1)) {
		t.Error("a vote that was sent is late")
	}
}

// That voting opens leaves no log: the state is read then, once, also of a hold and after our vote.
func TestOpeningIsNoticed(t *testing.T) {
	opened := func(d dossier.Dossier, now int64) bool {
		return slices.ContainsFunc(dossier.Next(d, at(now)), func(s dossier.Step) bool { return s.Kind == dossier.Settle && s.Basis == "opened" })
	}
	s := &story{t: t}
	s.happen(seen(), gathered(1500), decided(1500, verdict(gov.Hold, gov.HoldByRule)))
	if opened(s.d, 1900) || !opened(s.d, 2100) || opened(s.d, closes+1) {
		t.Error("the state is not read when voting opens, and only then")
	}
	voted := *s
	voted.happen(dossier.WasLocked{}, dossier.WasSigned{}, dossier.WasSent{}, dossier.WasFinal{Receipt: gov.Receipt{OK: true}})
	if !opened(voted.d, 2100) {
		t.Error("not after a vote")
	}
	s.happen(dossier.WasChanged{Change: dossier.Change{State: gov.StateActive}})
	if opened(s.d, 2100) {
		t.Error("it is read again and again")
	}
}

// A hold that begins near the end is called to mind once at a time.
func TestOneReminderAtATime(t *testing.T) {
	s := &story{t: t}
	late := int64(closes - 43_200 - 3600)
	s.happen(seen(), gathered(late), decided(late, verdict(gov.Hold, gov.HoldByRule)))
	s.owed(at(late), dossier.Remind)
	s.happen(dossier.WasReminded{Before: "2h"})
	s.owed(at(late))
}
