package dossier_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// stalledAt is a head whose final block stands still.
func stalledAt(now, final int64) gov.Head {
	h := at(now)
	h.Final = at(final).Final
	return h
}

// When finality stalls, a For holds and an Against stands: it is signed on the facts that gave it, however old, and
// nothing is gathered twice at one block.
func TestG15FinalityStalls(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Against)))
	late := gathered(2100)
	late.Head = stalledAt(23700, 2100)
	s.happen(late, dossier.WasDecided{Verdict: verdict(gov.Against), Plan: plan, Head: late.Head})
	s.owed(stalledAt(23701, 2100)) // for a while fresh facts are waited for
	s.owed(stalledAt(24301, 2100), dossier.Lock)
	if c := s.d.Choice(stalledAt(24301, 2100)); !c.Standing {
		t.Error("the signer would call the facts of an against too old, for ever")
	}
	s = &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.For)))
	s.happen(late, dossier.WasDecided{Verdict: verdict(gov.For), Plan: plan, Head: late.Head})
	s.gate(23700, gov.GatePass)
	s.owed(stalledAt(23701, 2100))
	s.owed(stalledAt(90_000, 2100))
	s.owed(stalledAt(90_001, 90_000), dossier.Gather)
}

// An Against whose wait would end after the close is signed at once, however early another direction was decided.
func TestG14LateAgainstIsNotMadeToWait(t *testing.T) {
	late := int64(closes - 10_000)
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldByRule)), gathered(late), decided(late, verdict(gov.Against)))
	s.owed(at(late), dossier.Lock)
	// a For that comes so late is held, and said to be
	s = &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldByRule)), gathered(late), decided(late, verdict(gov.For)))
	s.gate(late, gov.GatePass)
	if s.d.Vote.Status != gov.VoteHeld || s.d.Vote.Reason != gov.HoldTooShort {
		t.Errorf("vote %q because %q", s.d.Vote.Status, s.d.Vote.Reason)
	}
}

// Claim 1: after a hold because of text no time-out vote is cast either, also when a later verdict holds by content.
func TestG22TextHoldThenContentHoldTimesOutToNothing(t *testing.T) {
	p := plan
	p.OnTimeout = gov.Against
	s := &story{t: t}
	s.happen(seen(), gathered(2100), dossier.WasDecided{Verdict: verdict(gov.For), Plan: p, Head: at(2100)})
	s.gate(2100, gov.GateHold, "instructions")
	s.happen(gathered(23700), dossier.WasDecided{Verdict: verdict(gov.Hold, gov.HoldByRule), Plan: p, Head: at(23700)})
	if got := s.d.TimeOutDirection(); got != gov.Hold {
		t.Errorf("it times out to %s", got)
	}
}

// An Against by `otherwise` stands like one by a rule: an unknown rule does not lift it, nor does an empty trace.
func TestAgainstByOtherwiseStands(t *testing.T) {
	none := verdict(gov.Against)
	none.Trace = []gov.Trace{{Rule: "a", Vote: gov.Against, Result: gov.False}, {Rule: "f", Vote: gov.For, Result: gov.False}}
	for name, c := range map[string]struct {
		fresh gov.Verdict
		want  gov.Direction
	}{
		"a For is unknown": {gov.Verdict{Trace: []gov.Trace{{Vote: gov.Against, Result: gov.False}, {Vote: gov.For, Result: gov.Unknown}}}, gov.Against},
		"no policy":        {gov.Verdict{}, gov.Against},
		"a Hold is true":   {gov.Verdict{Trace: []gov.Trace{{Vote: gov.Against, Result: gov.False}, {Vote: gov.Hold, Result: gov.True}}}, gov.Hold},
	} {
		s := &story{t: t}
		s.happen(seen(), gathered(2100), decided(2100, none), gathered(23700), decided(23700, c.fresh))
		if got := s.d.Final(); got != c.want {
			t.Errorf("%s: final %s, want %s", name, got, c.want)
		}
	}
}

// A policy that has changed speaks on the facts of the Against that stands.
func TestChangedPolicyMayLiftAnAgainst(t *testing.T) {
	unknown := verdict(gov.Hold, gov.HoldUnknown)
	unknown.Trace[0].Result = gov.Unknown
	for _, now := range []gov.Direction{gov.Against, gov.Hold} {
		s := &story{t: t}
		s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Against)), gathered(23700))
		again := verdict(now)
		again.Rule = "new"
		s.happen(dossier.WasDecided{Verdict: unknown, Standing: &again, Plan: plan, Head: at(23700)})
		if got := s.d.Final(); got != now {
			t.Errorf("the new policy says %s on those facts, final is %s", now, got)
		}
		if now == gov.Against && s.d.Choice(at(23701)).Rule != "new" {
			t.Error("the ballot would name a rule that the signer does not find")
		}
	}
}

// A vote that was locked and not signed when voting closed, or when its proposal went, holds up no other vote of the key.
func TestG10LockedVoteDoesNotStayForEver(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(23700), decided(2100, verdict(gov.Against)), dossier.WasLocked{Ballot: gov.Ballot{Support: gov.SupportAgainst}})
	s.owed(at(closes+1), dossier.Settle)
	was := s.d
	s.happen(dossier.WasRewound{})
	if s.d.Vote.Status != gov.VoteCanceled {
		t.Errorf("the proposal is gone, its vote %q", s.d.Vote.Status)
	}
	s.happen(seen())
	s.owed(at(23800), dossier.Preview, dossier.Gather)
	s.d = was
	s.happen(dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen})
	s.owed(at(closes+1), dossier.Settle) // the chain's own state is still asked for
}

// G20: what was gathered of other content under the same id does not count, and a vote that was signed for it is
// watched and not sent again.
func TestG20OtherContentUnderTheSameID(t *testing.T) {
	old := gathered(2100)
	old.Gathered.Content = gov.Hash{9}
	other := seen()
	other.Seen.Proposal.ContentHash = gov.Hash{8}
	s := &story{t: t}
	s.happen(seen(), dossier.WasRewound{}, other)
	if _, err := s.d.Apply(old); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("facts of other content are taken: %v", err)
	}
	s = &story{t: t}
	s.happen(seen(), gathered(23700), decided(2100, verdict(gov.Against)), dossier.WasLocked{Content: gov.Hash{9}})
	s.happen(dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasRewound{}, other)
	s.owed(at(23700), dossier.Confirm)
	if !s.d.Swapped() || s.d.LockedOn().Facts.At.Number != 23700 {
		t.Error("the vote's own grounds are forgotten")
	}
}

// A signed vote is never recorded as none, and one that was given up counts if the chain has it after all.
func TestG10ExpiredVoteMayStillCount(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(23700), decided(2100, verdict(gov.Against)), dossier.WasLocked{}, dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasSent{})
	if _, err := s.d.Apply(dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.LedgerRefused}); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("a vote that was sent became none: %v", err)
	}
	s.happen(dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen})
	s.owed(stalledAt(closes+1, closes-100), dossier.Confirm, dossier.Settle)
	s.happen(dossier.WasFinal{Receipt: gov.Receipt{OK: true}})
	if s.d.Stage != dossier.AtVoted || s.d.Vote.Status != gov.VoteFinal {
		t.Errorf("stage %s, vote %q", s.d.Stage, s.d.Vote.Status)
	}
}

// What could not be had is asked for again, also where the closed world comes first among the reasons.
func TestHoldBecauseOfUnavailableIsGatheredAgain(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldClosedWorld, gov.HoldUnavailable)))
	s.owed(at(2100+3600), dossier.Gather)
	s = &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldClosedWorld)))
	s.owed(at(2100 + 3600))
}

// The holder's answer is signed on fresh facts, also beside an Against that stands.
func TestAnswerNeedsFreshFacts(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Against)))
	s.happen(dossier.WasApproved{Approval: gov.Approval{Proposal: s.d.ID(), ContentHash: gov.Hash{9}, Basis: gov.Digest{5}, Support: gov.SupportFor, Expires: closes}})
	s.owed(at(9000), dossier.Gather)
}

// A signer that refuses again and again, for instance by a wrong clock, is asked ever more seldom.
func TestRefusalsAreNotALoop(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(30_000), decided(2100, verdict(gov.For)))
	s.gate(30_000, gov.GatePass)
	for now := int64(30_000); now < 30_000+7200; now += 12 {
		for i := 0; i < 6; i++ {
			steps := slices.DeleteFunc(dossier.Next(s.d, at(now)), func(s dossier.Step) bool { return s.Kind == "brief" })
			if len(steps) == 0 {
				break
			}
			switch steps[0].Kind {
			case dossier.Gather:
				s.happen(gathered(now))
			case dossier.Decide:
				s.happen(decided(now, verdict(gov.For)))
			case dossier.Gate:
				s.gate(now, gov.GatePass)
			case dossier.Settle:
				s.happen(dossier.WasChanged{Change: dossier.Change{State: gov.StateActive}})
			case dossier.Lock:
				s.happen(dossier.WasLocked{}, dossier.WasReleased{Head: at(now)})
			case dossier.Foretell:
				s.happen(dossier.WasForecast{At: gov.UnixTime(now)})
			default:
				t.Fatalf("owed: %v", steps)
			}
		}
	}
	if s.d.Refused.Times < 3 || s.d.Refused.Times > 12 {
		t.Errorf("refused %d times in two hours", s.d.Refused.Times)
	}
}

// Next and Choice are total: no order of events, however odd, makes them panic, and a vote is owed to nothing that is
// not decided.
func TestNextIsTotal(t *testing.T) {
	const n = 300
	other := seen()
	other.Seen.Proposal.ContentHash = gov.Hash{8}
	taken := 0
	for seed := range uint64(n) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var d dossier.Dossier
		now := int64(1000)
		for range 120 {
			now += rng.Int64N(5000)
			digest := gov.Digest{}
			if d.Gathered != nil {
				digest = d.Gathered.Digest
			}
			raw := gov.Calldata{}
			if rng.IntN(2) == 0 {
				raw = gov.CalldataOf([]byte{1})
			}
			events := []dossier.Event{
				seen(), other, dossier.WasRewound{}, dossier.WasPreviewed{}, gathered(now), gathered(now), decided(now, verdict(gov.Direction(rng.IntN(4)), gov.HoldByRule)),
				decided(now, gov.Verdict{}), dossier.WasGated{Facts: digest, Head: at(now)}, dossier.WasApproved{}, dossier.WasCanceled{}, dossier.WasReminded{},
				dossier.WasTimedOut{Direction: gov.Against, Head: at(now)}, dossier.WasLocked{Standing: rng.IntN(2) == 0}, dossier.WasReleased{Answer: true, Head: at(now)},
				dossier.WasSigned{Raw: raw}, dossier.WasSent{}, dossier.WasMined{}, dossier.WasUnmined{}, dossier.WasFinal{}, dossier.WasReverted{},
				dossier.WasNotVoted{Status: gov.VoteNoVote}, dossier.WasNotVoted{Status: gov.VoteExpired}, dossier.WasClosed{},
				dossier.WasChanged{Change: dossier.Change{State: gov.StateActive}}, dossier.WasChanged{Change: dossier.Change{State: gov.StateDefeated}},
			}
			next, err := d.Apply(events[rng.IntN(len(events))])
			if err != nil {
				continue
			}
			taken++
			d = next
			for _, h := range []gov.Head{{}, at(now), stalledAt(now, 900), at(closes + 5), stalledAt(closes+5, closes)} {
				for _, step := range dossier.Next(d, h) {
					if step.Kind == dossier.Lock && (d.Verdict == nil || d.Gathered == nil || d.Provisional || d.Vote.Status.Bound()) {
						t.Fatalf("seed %d: a vote is owed at stage %s, vote %q", seed, d.Stage, d.Vote.Status)
					}
				}
				if d.Stage == dossier.AtDecided {
					d.Choice(h)
				}
				if d.Vote.Status == gov.VoteLocked || d.Vote.Status == gov.VoteSent {
					d.LockedOn()
				}
			}
			d.VoteDoc()
			d.VerdictDoc()
		}
	}
	t.Logf("n = %d orders, %d events taken", n, taken)
}

// A stored dossier is decided as it was: kinds that are known without the calls stay known (G42).
func TestG42KindsWithoutCallsReadBack(t *testing.T) {
	f := gov.Facts{Kinds: gov.Known([]gov.Kind{gov.KindMint})}
	kinds := f.Kinds
	f.Finish()
	f.Kinds = kinds
	digest, err := f.Digest()
	if err != nil {
		t.Fatal(err)
	}
	s := &story{t: t}
	s.happen(seen(), dossier.WasGathered{Gathered: dossier.Gathered{Facts: f, Digest: digest}, Head: at(2100)})
	doc, err := s.d.Document("x/7")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, g, err := dossier.ReadDocument(body)
	if err != nil {
		t.Fatal(err)
	}
	if g.Digest != digest {
		t.Errorf("the digest reads back as %s, it was %s; kinds %v", g.Digest, digest, g.Facts.Kinds)
	}
}
