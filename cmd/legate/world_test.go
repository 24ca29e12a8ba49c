package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// TestG18StandingIsAgreed: one endpoint that lies about state or deadline changes nothing; where no two agree there is an
// error and no state, so that nothing ends a vote.
func TestG18StandingIsAgreed(t *testing.T) {
	s := newSpoilt(t)
	p, _ := s.propose(0, "# A grant")
	const defeated, executed = 3, 7
	n := 0
	for name, c := range map[string]struct {
		faults []chaintest.Faults
		wrong  bool
	}{
		"all honest":                        {nil, false},
		"one says defeated":                 {[]chaintest.Faults{calls(selectorState, defeated)}, false},
		"another says defeated":             {[]chaintest.Faults{{}, {}, calls(selectorState, defeated)}, false},
		"one moves the deadline":            {[]chaintest.Faults{calls(selectorDeadline, 1)}, false},
		"one is down":                       {[]chaintest.Faults{{Down: true}}, false},
		"one is late":                       {[]chaintest.Faults{{}, {Lag: 1}}, false},
		"one has no state":                  {[]chaintest.Faults{{}, {Pruned: true}}, false},
		"two lie, each in its own way":      {[]chaintest.Faults{calls(selectorState, defeated), calls(selectorState, executed)}, true},
		"one lies, one is down":             {[]chaintest.Faults{calls(selectorState, defeated), {Down: true}}, true},
		"one lies, one lies about the end":  {[]chaintest.Faults{calls(selectorState, defeated), calls(selectorDeadline, 1)}, true},
		"two are down":                      {[]chaintest.Faults{{Down: true}, {Down: true}}, true},
		"one answers with a page, one lies": {[]chaintest.Faults{{HTML: true}, calls(selectorDeadline, 1)}, true},
	} {
		s.dial() // what an endpoint did in another case is forgotten
		s.lie(c.faults...)
		state, ends, err := s.world.Standing(t.Context(), p)
		n++
		switch {
		case c.wrong && (err == nil || state != "" || ends != 0):
			t.Errorf("%s: it stands at %q until %d, %v", name, state, ends, err)
		case c.wrong && !errors.Is(err, rpc.ErrDisagreement):
			t.Errorf("%s: %v is no disagreement", name, err)
		case !c.wrong && (err != nil || state != gov.StatePending || ends != p.Ends):
			t.Errorf("%s: it stands at %q until %d, %v; want pending until %d", name, state, ends, err, p.Ends)
		}
	}
	// the lies are ones that would be believed
	s.dial()
	s.lie(calls(selectorState, defeated), calls(selectorState, defeated))
	if state, _, err := s.world.Standing(t.Context(), p); state != gov.StateDefeated {
		t.Errorf("two that say defeated give %q, %v: the trial shows nothing", state, err)
	}
	if _, _, err := s.world.Standing(t.Context(), gov.Proposal{ID: gov.ProposalID{Chain: 5}}); err == nil {
		t.Error("a governor that is not watched stands somewhere")
	}
	t.Logf("n=%d mixtures of three endpoints", n)
}

// TestG18SameIsAgreed: content that one endpoint denies is the same; where no two agree it is not said to be.
func TestG18SameIsAgreed(t *testing.T) {
	s := newSpoilt(t)
	p, _ := s.propose(0, "# A grant")
	at := s.latest()
	if err := s.world.Same(t.Context(), p, at); err != nil {
		t.Fatal(err)
	}
	const selectorSnapshot = "2d63f693" // proposalSnapshot(uint256): zero is no proposal
	s.lie(calls(selectorSnapshot, 0))
	if err := s.world.Same(t.Context(), p, at); err != nil {
		t.Errorf("one that knows no such proposal: %v", err)
	}
	s.lie(chaintest.Faults{Down: true}, chaintest.Faults{Down: true})
	if err := s.world.Same(t.Context(), p, at); err == nil {
		t.Error("one endpoint alone vouches for the content")
	}
	s.dial()
	p.ContentHash[0] ^= 1
	p.Actions = append([]gov.Action{}, p.Actions...)
	p.Actions[0].Value = gov.NewAmount(1)
	if err := s.world.Same(t.Context(), p, at); !errors.Is(err, governor.ErrOtherContent) {
		t.Errorf("other content: %v", err)
	}
}

// TestG15FinalityAlarm: when the final block of a real chain stands still for longer than facts may be old, that is said
// once, and once more when it moves; meanwhile a For holds, and an Against is owed on the facts that gave it.
func TestG15FinalityAlarm(t *testing.T) {
	s := newSpoilt(t)
	p, _ := s.propose(0, "# A grant")
	s.mine(100) // it is open, and final
	pollers := may(s.world.pollers())(t)
	var cursor gov.Cursor
	var recent []gov.Block
	poll := func() gov.Head {
		t.Helper()
		for range 20 {
			b := may(pollers[0].Poll(t.Context(), cursor, recent))(t)
			cursor, recent = b.To, b.Recent
			if b.To.Block.Number == s.latest().Number {
				break
			}
		}
		return may(s.world.Head(t.Context(), p.ID))(t)
	}
	said := func(what string) int { return strings.Count(s.log.String(), what) }
	const stands, moves = "finality stands still", "finality moves again"
	head := poll()
	if said(stands) != 0 {
		t.Fatalf("an alarm without a cause: %s", s.log)
	}
	// decided now, to be voted in six hours
	lives := map[gov.Direction]dossier.Dossier{}
	for _, d := range []gov.Direction{gov.For, gov.Against} {
		lives[d] = decidedAt(t, p, d, head)
	}
	final := head.Final
	stuck := s.stuckAt(final.Number)
	s.lie(stuck, stuck, stuck)
	for range 3 {
		s.mine(40)
		head = poll()
	}
	if said(stands) != 1 {
		t.Fatalf("%d alarms after %d s without a new final block, want 1: %s", said(stands), head.Latest.Time-head.Final.Time, s.log)
	}
	if head.Final != final {
		t.Fatalf("the final block moved from %d to %d", final.Number, head.Final.Number)
	}
	must(t, s.chain.Advance(t.Context(), 6*time.Hour))
	s.mine(1)
	head = poll()
	owes := func(d dossier.Dossier, head gov.Head) (kinds []dossier.StepKind) {
		for _, step := range dossier.Next(d, head) {
			kinds = append(kinds, step.Kind)
		}
		return kinds
	}
	for d, life := range lives {
		got, c := owes(life, head), life.Choice(head)
		locks := false
		for _, k := range got {
			locks = locks || k == dossier.Lock
		}
		if locks != (d == gov.Against) {
			t.Errorf("while finality stands still, a %s owes %v", d, got)
		}
		if d == gov.Against && (!c.Standing || life.Grounds(c).Facts.At != final) {
			t.Errorf("the against would be signed on %+v, standing %v", life.Grounds(c).Facts.At, c.Standing)
		}
	}
	s.lie()
	s.mine(70)
	head = poll()
	if said(stands) != 1 || said(moves) != 1 {
		t.Errorf("%d alarms, %d times it is said to move again; want one of each", said(stands), said(moves))
	}
	if got := owes(lives[gov.For], head); len(got) == 0 {
		t.Error("the for owes nothing on the new final block")
	}
}

// decidedAt is a proposal that was gathered and decided at a head, by hand; the gate let it pass.
func decidedAt(t *testing.T, p gov.Proposal, d gov.Direction, head gov.Head) dossier.Dossier {
	t.Helper()
	f := gov.Facts{At: head.Final}
	digest := may(f.Digest())(t)
	result := gov.False
	if d == gov.Against {
		result = gov.True
	}
	v := gov.Verdict{Direction: d, Rule: "r", Facts: digest, Trace: []gov.Trace{{Rule: "r", Vote: gov.Against, Result: result}}}
	plan := dossier.Plan{Wait: 6 * 3600, Latest: 3600, MaxAge: 1800, Margin: margin, Live: true}
	var out dossier.Dossier
	for _, e := range []dossier.Event{
		dossier.WasSeen{Seen: dossier.Seen{Proposal: p}, Head: head},
		dossier.WasGathered{Gathered: dossier.Gathered{Facts: f, Digest: digest, Content: p.ContentHash}, Head: head},
		dossier.WasDecided{Verdict: v, Plan: plan, Head: head},
		dossier.WasGated{Gate: gov.Gated{Result: gov.GatePass}, Facts: digest, Head: head},
	} {
		var err error
		if out, err = out.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
