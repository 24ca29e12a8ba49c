package dossier_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// story builds a dossier step by step and fails on an event that does not belong.
type story struct {
	t *testing.T
	d dossier.Dossier
}

func (s *story) happen(events ...dossier.Event) {
	s.t.Helper()
	for _, e := range events {
		next, err := s.d.Apply(grounded(s.d, e))
		if err != nil {
			s.t.Fatal(err)
		}
		s.d = next
	}
}

// grounded is an event whose decision names the facts that are there, where it names none.
func grounded(d dossier.Dossier, e dossier.Event) dossier.Event {
	if v, ok := e.(dossier.WasDecided); ok && v.Verdict.Facts == (gov.Digest{}) && d.Gathered != nil {
		v.Verdict.Facts = d.Gathered.Digest
		return v
	}
	return e
}

func (s *story) owed(h gov.Head, want ...dossier.StepKind) {
	s.t.Helper()
	got := []dossier.StepKind{}
	for _, step := range dossier.Next(s.d, h) {
		if step.Kind == dossier.Write || step.Kind == dossier.Foretell || step.Basis == "opened" {
			continue // beside all others, nothing waits for them
		}
		got = append(got, step.Kind)
	}
	if len(want) == 0 {
		want = []dossier.StepKind{}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Fatalf("owed at time %d, stage %s, vote %s (-want +got):\n%s", h.Latest.Time, s.d.Stage, s.d.Vote.Status, diff)
	}
}

// The window of these tests: created at 1000, opens after 2000, closes at 202000 (a timestamp clock).
const opens, closes = 2000, 202000

func at(now int64) gov.Head {
	b := gov.Block{Number: uint64(now), Time: gov.UnixTime(now)}
	return gov.Head{Latest: b, Final: b, Clock: gov.Clocks(now)}
}

func seen() dossier.WasSeen {
	return dossier.WasSeen{Seen: dossier.Seen{Proposal: gov.Proposal{
		ID: gov.ProposalID{Chain: 1, Number: gov.NewAmount(7)}, Clock: gov.ClockTimestamp, Created: gov.Block{Number: 1000, Time: 1000},
		Starts: opens, Ends: closes, State: gov.StatePending, ContentHash: gov.Hash{9},
	}}}
}

func gathered(now int64) dossier.WasGathered {
	f := gov.Facts{At: gov.Block{Number: uint64(now), Time: gov.UnixTime(now)}}
	digest, err := f.Digest()
	if err != nil {
		panic(err)
	}
	return dossier.WasGathered{Gathered: dossier.Gathered{Facts: f, Digest: digest, Basis: gov.Digest{5}}, Head: at(now)}
}

var plan = dossier.Plan{Wait: 21600, Latest: 43200, MaxAge: 1800, Margin: 36, Live: true}

func decided(now int64, v gov.Verdict) dossier.WasDecided {
	return dossier.WasDecided{Verdict: v, Plan: plan, Head: at(now)}
}

func verdict(d gov.Direction, reasons ...gov.HoldReason) gov.Verdict {
	result := gov.False
	if d == gov.Against {
		result = gov.True
	}
	return gov.Verdict{Direction: d, Rule: "r", Reasons: reasons, Trace: []gov.Trace{{Rule: "a", Vote: gov.Against, Result: result}}}
}

func (s *story) gate(now int64, result gov.GateResult, reasons ...gov.HoldReason) {
	s.t.Helper()
	s.happen(dossier.WasGated{Gate: gov.Gated{Result: result, Reasons: reasons}, Facts: s.d.Gathered.Digest, Head: at(now)})
}

func TestForWaitsForGateWaitAndFreshFacts(t *testing.T) {
	s := &story{t: t}
	s.happen(seen())
	s.owed(at(1500), dossier.Preview, dossier.Gather)
	s.happen(gathered(1500))
	s.owed(at(1500), dossier.Decide)
	s.happen(decided(1500, verdict(gov.For)))
	s.owed(at(1500), dossier.Gate)
	s.gate(1500, gov.GatePass)
	if s.d.Vote.Status != gov.VoteWaiting || s.d.Final() != gov.For {
		t.Fatalf("vote %q, final %s", s.d.Vote.Status, s.d.Final())
	}
	s.owed(at(1600))
	s.owed(at(2100), dossier.Gather) // the snapshot is final
	s.happen(gathered(2100), decided(2100, verdict(gov.For)))
	s.gate(2100, gov.GatePass)
	s.owed(at(23099)) // the wait runs from the first decision, 1500 + 21600
	s.owed(at(23100), dossier.Gather)
	s.happen(gathered(23100), decided(23100, verdict(gov.For)))
	s.owed(at(23100), dossier.Gate) // with the new context
	s.gate(23100, gov.GatePass)
	s.owed(at(23101), dossier.Lock)
	s.owed(at(23100+1801), dossier.Gather) // the facts have aged
}

func TestAgainstNeedsNoGateAndStands(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Against)))
	s.owed(at(2200))
	unknown := verdict(gov.Hold, gov.HoldUnknown)
	unknown.Trace[0].Result = gov.Unknown
	s.happen(gathered(23700), decided(23700, unknown))
	if s.d.Final() != gov.Against {
		t.Fatal("an unknown lifted an Against")
	}
	s.owed(at(23701), dossier.Lock)
	c := s.d.Choice(at(23701))
	if !c.Standing || c.Direction != gov.Against || s.d.Grounds(c).Facts.At.Time != 2100 {
		t.Fatalf("a standing Against is cast on the facts that gave it: %+v", c)
	}
	s.happen(gathered(23800), decided(23800, verdict(gov.Hold, gov.HoldOtherwise)))
	if s.d.Final() != gov.Hold {
		t.Fatal("an Against that is false on fresh facts still stands")
	}
}

// Claim 1: after a hold because of text no For and no time-out vote is cast without a human.
func TestG22TextHoldNeverBecomesAVote(t *testing.T) {
	for _, onTimeout := range []gov.Direction{gov.Hold, gov.Against, gov.Abstain} {
		s := &story{t: t}
		p := plan
		p.OnTimeout = onTimeout
		s.happen(seen(), gathered(2100), dossier.WasDecided{Verdict: verdict(gov.For), Plan: p, Head: at(2100)})
		s.gate(2100, gov.GateHold, "instructions")
		if s.d.Vote.Status != gov.VoteHeld || s.d.Vote.Reason != "instructions" {
			t.Fatalf("vote %q because %q", s.d.Vote.Status, s.d.Vote.Reason)
		}
		// the same text passes later, by accident or by design of its author: still held
		s.happen(gathered(23700), dossier.WasDecided{Verdict: verdict(gov.For), Plan: p, Head: at(23700)})
		s.gate(23700, gov.GatePass)
		for _, now := range []int64{23700, closes - 43200 - 86400, closes - 43200 - 7200, closes - 43200, closes - 100} {
			for _, step := range dossier.Next(s.d, at(now)) {
				if step.Kind == dossier.Lock {
					t.Fatalf("on_timeout %s: a vote is owed at %d", onTimeout, now)
				}
			}
		}
		s.owed(at(closes-43200), dossier.TimeOut)
		if got := s.d.TimeOutDirection(); got != gov.Hold {
			t.Fatalf("on_timeout %s: a text hold times out to %s", onTimeout, got)
		}
		s.happen(dossier.WasTimedOut{Direction: s.d.TimeOutDirection(), Head: at(closes - 43200)})
		s.owed(at(closes - 43100))
		s.owed(at(closes+1), dossier.Settle)
		// an Against on fresh facts is cast all the same
		s.happen(gathered(closes-43000), dossier.WasDecided{Verdict: verdict(gov.Against), Plan: p, Head: at(closes - 43000)})
		if c := s.d.Choice(at(closes - 10000)); c.Direction != gov.Against {
			t.Fatalf("text silenced an Against: %+v", c)
		}
	}
}

func TestHoldByContentMayTimeOut(t *testing.T) {
	for reason, want := range map[gov.HoldReason]gov.Direction{
		gov.HoldOtherwise: gov.Abstain, gov.HoldByRule: gov.Abstain,
		gov.HoldUnknown: gov.Hold, gov.HoldUnavailable: gov.Hold, gov.HoldClosedWorld: gov.Hold, gov.HoldDisagreement: gov.Hold,
	} {
		s := &story{t: t}
		p := plan
		p.OnTimeout = gov.Abstain
		s.happen(seen(), gathered(2100), dossier.WasDecided{Verdict: verdict(gov.Hold, reason), Plan: p, Head: at(2100)})
		if got := s.d.TimeOutDirection(); got != want {
			t.Errorf("a hold because of %s times out to %s, want %s", reason, got, want)
		}
		s.happen(dossier.WasTimedOut{Direction: s.d.TimeOutDirection(), Head: at(closes - 43200)})
		if got := s.d.Choice(at(closes - 43100)).Direction; got != want {
			t.Errorf("a hold because of %s is cast as %s, want %s", reason, got, want)
		}
	}
}

func TestShortWindow(t *testing.T) {
	late := int64(closes - 43200 - 21599) // wait + latest do not fit any more
	s := &story{t: t}
	s.happen(seen(), gathered(late), decided(late, verdict(gov.For)))
	s.gate(late, gov.GatePass)
	if s.d.Vote.Status != gov.VoteHeld || s.d.Vote.Reason != gov.HoldTooShort || s.d.Final() != gov.For {
		t.Errorf("vote %q because %q, final %s", s.d.Vote.Status, s.d.Vote.Reason, s.d.Final())
	}
	s = &story{t: t}
	s.happen(seen(), gathered(late), decided(late, verdict(gov.Against)))
	s.owed(at(late), dossier.Lock) // an Against is signed at once
}

func TestHolderDecidesAHold(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldClosedWorld)))
	approval := gov.Approval{Proposal: s.d.ID(), ContentHash: gov.Hash{9}, Basis: gov.Digest{5}, Support: gov.SupportAgainst, Expires: closes}
	s.happen(dossier.WasApproved{Approval: approval})
	s.owed(at(2100), dossier.Lock)
	if c := s.d.Choice(at(2100)); c.By != gov.ByHolder || c.Direction != gov.Against {
		t.Errorf("%+v", c)
	}
	stale := approval
	stale.Basis = gov.Digest{6}
	s.happen(dossier.WasApproved{Approval: stale})
	if c := s.d.Choice(at(2100)); c.Direction != gov.Hold {
		t.Errorf("an answer to another basis counts: %+v", c)
	}
	s.happen(dossier.WasApproved{Approval: approval}, dossier.WasCanceled{})
	if c := s.d.Choice(at(2100)); c.Direction != gov.Hold || s.d.Vote.Status != gov.VoteCanceled {
		t.Errorf("canceled, yet %+v", c)
	}
}

func TestVoteLifeSurvivesReorgAndBindsTheProposal(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(23700), decided(2100, verdict(gov.Against)))
	s.owed(at(23700), dossier.Lock)
	s.happen(dossier.WasLocked{Ballot: gov.Ballot{Support: gov.SupportAgainst}})
	s.owed(at(23700), dossier.Sign)
	if _, err := s.d.Apply(gathered(23800)); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("a bound vote was gathered again: %v", err)
	}
	s.happen(dossier.WasSigned{Hash: gov.Hash{1}})
	s.owed(at(23700), dossier.Send)
	s.happen(dossier.WasSent{})
	s.owed(at(23712), dossier.Confirm)
	s.happen(dossier.WasMined{}, dossier.WasUnmined{})
	if s.d.Vote.Status != gov.VoteSent {
		t.Errorf("after a reorganisation the vote is %q", s.d.Vote.Status)
	}
	s.happen(dossier.WasMined{}, dossier.WasFinal{Receipt: gov.Receipt{OK: true, Block: gov.Block{Number: 5}}})
	if s.d.Stage != dossier.AtVoted {
		t.Errorf("stage %s", s.d.Stage)
	}
	s.happen(dossier.WasChanged{Change: dossier.Change{State: gov.StateQueued}}, dossier.WasChanged{Change: dossier.Change{State: gov.StateExecuted}})
	s.owed(at(closes+1), dossier.Close)
	s.happen(dossier.WasClosed{})
	s.owed(at(closes + 2))
}

func TestRewoundProposalIsClosedAndMayComeBack(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), dossier.WasRewound{})
	if s.d.Stage != dossier.AtClosed || s.d.Proposal.State != "" || s.d.Vote.Status != gov.VoteCanceled {
		t.Errorf("%s %q %q", s.d.Stage, s.d.Proposal.State, s.d.Vote.Status)
	}
	s.owed(at(1500))
	s.happen(seen())
	s.owed(at(1500), dossier.Preview, dossier.Gather)
}

// A reorganisation that only takes a later log away must not make anything be forgotten: the same content
// comes back with the holder's stop, the hold because of text and the Against that stands.
func TestG22ReorganisationForgetsNoHold(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.For)))
	s.gate(2100, gov.GateHold, "instructions")
	s.happen(dossier.WasChanged{Change: dossier.Change{State: gov.StateCanceled}}, dossier.WasClosed{}, dossier.WasRewound{})
	s.happen(seen(), gathered(23700), decided(23700, verdict(gov.For)))
	s.gate(23700, gov.GatePass)
	if c := s.d.Choice(at(23700)); c.Direction != gov.Hold {
		t.Errorf("a reorganisation turned a text hold into %s", c.Direction)
	}
	s.happen(dossier.WasCanceled{}, dossier.WasRewound{}, seen(), gathered(23700), decided(23700, verdict(gov.Against)))
	if c := s.d.Choice(at(23700)); c.Direction != gov.Hold || s.d.Vote.Status != gov.VoteCanceled {
		t.Errorf("a reorganisation lifted the holder's stop: %s, vote %q", c.Direction, s.d.Vote.Status)
	}
	other := seen()
	other.Seen.Proposal.ContentHash = gov.Hash{8}
	s.happen(dossier.WasRewound{}, other)
	if s.d.Barred != "" || s.d.Canceled {
		t.Error("other content under the same id inherits a hold")
	}
}

// A decision belongs to the facts that it names: one on facts that were gathered again meanwhile is not taken.
func TestDecisionNamesItsFacts(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100))
	old := grounded(s.d, decided(2100, verdict(gov.For)))
	s.happen(gathered(2200))
	if _, err := s.d.Apply(old); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("a decision on other facts: %v", err)
	}
	s.happen(decided(2200, verdict(gov.For)))
}

// Every event reads back as itself, and a stored life folds to the same dossier.
func TestRecordsReadBack(t *testing.T) {
	events := []dossier.Event{seen(), gathered(2100), decided(2100, verdict(gov.Against)), dossier.WasReminded{Before: "24h"},
		dossier.WasLocked{Ballot: gov.Ballot{Proposal: gov.ProposalID{Chain: 1}}}, dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasSent{}, dossier.WasFinal{}}
	var records []dossier.Record
	s := &story{t: t}
	for i, e := range events {
		e = grounded(s.d, e)
		events[i] = e
		s.happen(e)
		r, err := dossier.Encode(s.d.ID(), int64(i+1), time.Unix(0, 0), e)
		if err != nil {
			t.Fatal(err)
		}
		if r.Event, err = dossier.Decode(r.Type, r.Body); err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	d, err := dossier.Fold(records)
	if err != nil {
		t.Fatal(err)
	}
	if d.ID() != s.d.ID() || d.ID().Number.IsZero() {
		t.Errorf("the id reads back as %s", d.ID())
	}
	d.Records = nil
	want, _ := json.Marshal(s.d)
	got, _ := json.Marshal(d)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Error(diff)
	}
	if _, err := dossier.Fold(slices.Delete(records, 2, 3)); err == nil {
		t.Error("a gap in the records was not seen")
	}
}

func TestG30LineIsInert(t *testing.T) {
	for in, want := range map[dossier.Untrusted]string{
		"a\x1b[31mb":   "a<U+001B>[31mb",
		"a\u202eb":     "a<U+202E>b",
		"a\u200bb":     "a<U+200B>b",
		"a \n\r\t b":   "a b",
		"\xffok":       "<ff>ok",
		"日本語 é":        "日本語 é",
		"x\U000e0041y": "x<U+E0041>y",
	} {
		if got := in.Line(100); got != want {
			t.Errorf("%q is shown as %q, want %q", string(in), got, want)
		}
	}
}

func back(to uint64, now int64) dossier.WasTakenBack {
	return dossier.WasTakenBack{To: gov.Block{Number: to}, Head: at(now)}
}

func change(s gov.State, block uint64) dossier.WasChanged {
	return dossier.WasChanged{Change: dossier.Change{State: s, Block: gov.Block{Number: block}}}
}

// A reorganisation that takes back a change takes back that change alone: facts, decision, gate, the holder's answer and
// the wait stand.
func TestG51TakenBackChangeLeavesTheRest(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.For)))
	s.gate(2100, gov.GatePass)
	s.happen(dossier.WasReminded{Before: "24h"}, dossier.WasApproved{Approval: gov.Approval{Support: gov.SupportFor}})
	before := s.d
	extended := change(gov.StateActive, 2201)
	extended.Change.Ends = closes + 500
	s.happen(change(gov.StateActive, 2200), extended, back(2200, 2300))
	if s.d.Proposal.State != gov.StateActive || s.d.Proposal.Ends != closes {
		t.Errorf("after the extension is taken back: %s until %d", s.d.Proposal.State, s.d.Proposal.Ends)
	}
	s.happen(back(2199, 2300))
	before.Seq, before.Head = s.d.Seq, s.d.Head
	if diff := cmp.Diff(before, s.d, cmp.Exporter(func(reflect.Type) bool { return true })); diff != "" {
		t.Errorf("what is left after the change is taken back (-before +after):\n%s", diff)
	}
	if _, err := s.d.Apply(back(2199, 2300)); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("nothing is left to take back: %v", err)
	}
}

// An end of the proposal that did not happen brings it back to where it stood, whatever was concluded from it.
func TestG51TakenBackEndReopens(t *testing.T) {
	lock := dossier.WasLocked{Ballot: gov.Ballot{Support: gov.SupportAgainst}}
	signed := dossier.WasSigned{Hash: gov.Hash{1}, Raw: gov.CalldataOf([]byte{1})}
	over := dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen}
	end := change(gov.StateCanceled, 24000)
	against := []dossier.Event{seen(), gathered(2100), decided(2100, verdict(gov.Against))}
	for name, c := range map[string]struct {
		before, after []dossier.Event
		status        gov.VoteStatus
		owed          []dossier.StepKind
	}{
		"seen":              {[]dossier.Event{seen()}, []dossier.Event{end}, gov.VoteNone, []dossier.StepKind{dossier.Preview, dossier.Gather}},
		"decided":           {against, []dossier.Event{end}, gov.VoteWaiting, []dossier.StepKind{dossier.Gather, dossier.Gather}},
		"decided and over":  {against, []dossier.Event{end, dossier.WasClosed{}}, gov.VoteWaiting, []dossier.StepKind{dossier.Gather, dossier.Gather}},
		"refused at a lock": {against, []dossier.Event{dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.NotOpen}, end, dossier.WasClosed{}}, gov.VoteWaiting, []dossier.StepKind{dossier.Gather, dossier.Gather}},
		"stopped by hand":   {append(against[:3:3], dossier.WasCanceled{}), []dossier.Event{end, dossier.WasClosed{}}, gov.VoteCanceled, []dossier.StepKind{dossier.Gather}},
		"locked":            {append(against[:3:3], lock), []dossier.Event{end, over, dossier.WasClosed{}}, gov.VoteLocked, []dossier.StepKind{dossier.Sign}},
		"signed":            {append(against[:3:3], lock, signed), []dossier.Event{end, over}, gov.VoteSigned, []dossier.StepKind{dossier.Send}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &story{t: t}
			s.happen(c.before...)
			stage := s.d.Stage
			s.happen(c.after...)
			if s.d.Stage == stage {
				t.Fatalf("its end leaves it at %s", stage)
			}
			s.happen(back(23999, 24001))
			if s.d.Stage != stage || s.d.Vote.Status != c.status || s.d.NotVoted != "" || s.d.Proposal.State != gov.StatePending {
				t.Errorf("stage %s, vote %q, not voted %q, state %s", s.d.Stage, s.d.Vote.Status, s.d.NotVoted, s.d.Proposal.State)
			}
			s.owed(at(24001), c.owed...)
		})
	}
}

// What is settled stays settled where voting is over all the same, and follows the state that is left.
func TestG51TakenBackStateOfASettledProposal(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Against)), dossier.WasLocked{}, dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasSent{}, dossier.WasFinal{},
		change(gov.StateQueued, closes+10), change(gov.StateExecuted, closes+20), dossier.WasClosed{})
	s.happen(back(closes+15, closes+30))
	if s.d.Stage != dossier.AtQueued || s.d.Vote.Status != gov.VoteFinal {
		t.Errorf("execution taken back: stage %s, vote %s", s.d.Stage, s.d.Vote.Status)
	}
	s.happen(back(closes, closes+30))
	if s.d.Stage != dossier.AtVoted {
		t.Errorf("queueing taken back: stage %s", s.d.Stage)
	}

	s = &story{t: t}
	s.happen(seen(), dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.NotOpen}, change(gov.StateDefeated, closes+10), dossier.WasClosed{}, back(closes+5, closes+30))
	if s.d.Stage != dossier.AtNotVoted || s.d.NotVoted != dossier.NotOpen {
		t.Errorf("defeat taken back after the close: stage %s, not voted %q", s.d.Stage, s.d.NotVoted)
	}
	s.owed(at(closes+31), dossier.Settle)
}

// TestG49HandOnContentAlone: with no facts at all, and with facts that cannot be had again, the holder's answer over the
// content alone is owed its vote as soon as voting is open and the content is agreed; nothing else is.
func TestG49HandOnContentAlone(t *testing.T) {
	a := gov.Approval{ContentHash: gov.Hash{9}, Support: gov.SupportAgainst, Expires: closes}
	bound := func(s *story, a gov.Approval) dossier.WasLocked {
		return dossier.WasLocked{Ballot: gov.Ballot{Proposal: s.d.ID(), Support: a.Support, Reason: gov.BallotReason{By: gov.ByHolder}}, Approval: &a, Content: gov.Hash{9}, Holder: &gov.Holder{Name: "alice"}}
	}
	s := &story{t: t}
	s.happen(seen())
	a.Proposal = s.d.ID()
	if _, err := s.d.Apply(dossier.WasApproved{Approval: gov.Approval{Proposal: s.d.ID(), ContentHash: gov.Hash{9}, Basis: gov.Digest{5}}}); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("an answer on facts that were never gathered: %v", err)
	}
	s.happen(dossier.WasApproved{Approval: a})
	s.owed(at(1500), dossier.Preview, dossier.Gather) // voting is not open
	late := at(2100)
	late.Final = gov.Block{Number: 999}
	s.owed(late, dossier.Preview) // its content is not agreed
	s.owed(at(2100), dossier.Lock, dossier.Preview, dossier.Gather)
	for name, change := range map[string]func(*gov.Approval){
		"other content":  func(a *gov.Approval) { a.ContentHash = gov.Hash{8} },
		"other proposal": func(a *gov.Approval) { a.Proposal.Number = gov.NewAmount(8) },
		"expired":        func(a *gov.Approval) { a.Expires = 2099 },
	} {
		x, b := *s, a
		change(&b)
		x.happen(dossier.WasApproved{Approval: b})
		if c := x.d.Choice(at(2100)); c.Direction != gov.Hold {
			t.Errorf("%s: %+v", name, c)
		}
	}
	s.happen(bound(s, a))
	s.owed(at(2100), dossier.Sign)
	if s.d.Holder.Name != "alice" {
		t.Errorf("the holder is %+v", s.d.Holder)
	}
	back := *s
	back.happen(dossier.WasReleased{Why: "dearer", Head: at(2100)})
	back.owed(at(2100), dossier.Lock, dossier.Preview, dossier.Gather)
	s.happen(dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasSent{})
	s.owed(at(2110), dossier.Confirm)
	s.happen(dossier.WasMined{}, dossier.WasFinal{Receipt: gov.Receipt{OK: true, Final: true}})
	if s.d.Stage != dossier.AtVoted || s.d.Vote.Status != gov.VoteFinal {
		t.Errorf("stage %s, vote %s", s.d.Stage, s.d.Vote.Status)
	}
	if doc, err := s.d.Document("x/7"); err != nil || doc.Vote == nil {
		t.Errorf("its document: %v", err)
	}

	// decided on facts that have aged since, and cannot be had again
	s = &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldClosedWorld)), dossier.WasApproved{Approval: a})
	s.owed(at(100_000), dossier.Lock)
	if g := s.d.Grounds(s.d.Choice(at(100_000))); g.Digest != (gov.Digest{}) {
		t.Errorf("it stands on facts %s", g.Digest)
	}
	s.happen(bound(s, a))
	if g := s.d.LockedOn(); g.Digest != (gov.Digest{}) {
		t.Errorf("it was locked on facts %s", g.Digest)
	}
}
