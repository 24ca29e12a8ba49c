package dossier_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// id is the proposal of these lives.
var id = named().Seen.Proposal.ID

// life is a random life of one proposal: what happens next is drawn, also what belongs to no stage, with times, contents
// and texts that are missing, odd or another's.
type life struct {
	rng     *rand.Rand
	now     int64
	d       dossier.Dossier
	records []dossier.Record
}

func (l *life) one(of ...dossier.Event) dossier.Event { return of[l.rng.IntN(len(of))] }

func (l *life) odd() bool { return l.rng.IntN(3) == 0 }

// draw is something that may happen now.
func (l *life) draw() dossier.Event {
	l.now += l.rng.Int64N(4000)
	facts := gov.Digest{}
	if l.d.Gathered != nil {
		facts = l.d.Gathered.Digest
	}
	head := at(l.now)
	if l.odd() {
		head = gov.Head{}
	}
	if l.d.Stage == dossier.AtDecided && l.rng.IntN(3) == 0 || l.d.Vote.Status.Bound() && l.rng.IntN(2) == 0 {
		return l.vote() // else hardly any vote would come far
	}
	switch l.rng.IntN(12) {
	case 0, 1:
		return l.creation(head)
	case 2, 3:
		g := l.gathering()
		if l.odd() {
			return dossier.WasPreviewed{Gathered: g.Gathered, Verdict: l.verdict()}
		}
		return g
	case 4, 5:
		v := l.verdict()
		v.Facts = facts
		e := dossier.WasDecided{Verdict: v, Plan: plan, Head: head}
		if l.odd() {
			again := l.verdict()
			e.Plan, e.Standing = dossier.Plan{}, &again
		}
		return e
	case 6:
		g := dossier.WasGated{Gate: gov.Gated{Result: gov.GatePass}, Facts: facts, Head: head}
		if l.odd() {
			g.Gate, g.Model = gov.Gated{Result: gov.GateHold, Reasons: []gov.HoldReason{"bidi"}}, &dossier.GateModel{}
		}
		return l.one(g, dossier.WasHeld{Reason: gov.HoldBudget, Direction: gov.Direction(l.rng.IntN(4)), Why: "10 votes a day", Head: head})
	case 7:
		return l.one(dossier.WasApproved{Approval: gov.Approval{Proposal: id, Support: gov.SupportFor, ContentHash: gov.Hash{9}, Basis: gov.Digest{5}, Expires: closes}},
			dossier.WasApproved{Approval: gov.Approval{Proposal: id}}, dossier.WasCanceled{Why: "by hand"}, dossier.WasReminded{Before: "2h"}, dossier.WasReminded{},
			dossier.WasTimedOut{Direction: gov.Direction(l.rng.IntN(4)), Head: head})
	case 8:
		return l.change()
	case 9:
		to := gov.Block{Number: uint64(max(0, l.now-l.rng.Int64N(20000)))}
		if gone, ok := l.d.Gone(to, head); ok {
			return gone // as a reorganisation of any depth makes it
		}
		return l.one(dossier.WasRewound{To: to}, dossier.WasRewound{To: to, Contradicted: true}, dossier.WasTakenBack{To: to, Head: head},
			dossier.WasTakenBack{To: to, Head: head, Logs: []gov.Hash{{1}, {}}}, dossier.WasReopened{State: gov.StateActive, Ends: closes, Head: head}, dossier.WasClosed{})
	case 10:
		return l.one(dossier.WasBriefed{}, dossier.WasForecast{At: gov.UnixTime(l.now)}, dossier.WasForecast{Forecast: &gov.Forecast{}, At: gov.UnixTime(l.now)},
			dossier.WasBriefed{Brief: dossier.Brief{Headline: "a\u202eb", Model: &dossier.BriefModel{}}, Basis: gov.Digest{5}}, dossier.WasClosed{})
	}
	return l.vote()
}

// creation is a proposal as it is seen: the same content, other content under the same id, or hardly anything.
func (l *life) creation(head gov.Head) dossier.WasSeen {
	e := named()
	e.Head = head
	switch l.rng.IntN(4) {
	case 0:
		e.Seen.Proposal.ContentHash = gov.Hash{8}
	case 1:
		e.Seen = dossier.Seen{Proposal: gov.Proposal{ID: e.Seen.Proposal.ID, Ends: gov.Clocks(l.rng.IntN(2) * closes)}}
	}
	e.Seen.Proposal.Created.Number = uint64(l.now)
	return e
}

func (l *life) gathering() dossier.WasGathered {
	g := worse(l.now, []gov.Severity{gov.Info, gov.Warning, gov.Critical, ""}[l.rng.IntN(4)])
	if l.odd() {
		g.Gathered.Facts.Effects.Status = gov.Known(gov.EffectsExecuted)
	}
	if l.odd() {
		g.Gathered.Basis = gov.Digest{6}
	}
	if l.odd() {
		return dossier.WasGathered{}
	}
	return g
}

func (l *life) verdict() gov.Verdict {
	if l.rng.IntN(6) == 0 {
		return gov.Verdict{}
	}
	v := verdict(gov.Direction(l.rng.IntN(4)), []gov.HoldReason{gov.HoldByRule, gov.HoldUnknown, gov.HoldUnavailable}[l.rng.IntN(3)])
	v.Because = "it \x1b[31m says so"
	return v
}

func (l *life) change() dossier.WasChanged {
	states := []gov.State{"", gov.StatePending, gov.StateActive, gov.StateCanceled, gov.StateDefeated, gov.StateSucceeded, gov.StateQueued, gov.StateExpired, gov.StateExecuted, "other"}
	c := dossier.Change{ID: id, State: states[l.rng.IntN(len(states))], Block: gov.Block{Number: uint64(l.now)}}
	if l.odd() {
		c.Ends = gov.Clocks(closes + l.rng.Int64N(1000))
	}
	if l.odd() {
		c.Block = gov.Block{}
	}
	return dossier.WasChanged{Change: c}
}

// vote is a step in the life of our vote.
func (l *life) vote() dossier.Event {
	raw := gov.Calldata{}
	if !l.odd() {
		raw = gov.CalldataOf([]byte{1})
	}
	ballot := gov.Ballot{Proposal: id, Support: gov.Support(l.rng.IntN(3)), Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "r"}}
	receipt := gov.Receipt{Block: gov.Block{Number: uint64(l.now)}}
	whys := []dossier.NotVotedReason{dossier.NotOpen, dossier.NotHeldOpen, dossier.NotLive, dossier.NoPower, dossier.StoppedByHand, dossier.LedgerRefused, "", "else"}
	return l.one(dossier.WasLocked{Ballot: ballot, Standing: l.odd()}, dossier.WasLocked{Ballot: ballot}, dossier.WasReleased{Why: "a\u202eb", Answer: l.odd(), Head: at(l.now)},
		dossier.WasSigned{Raw: raw}, dossier.WasSigned{Raw: raw}, dossier.WasSent{}, dossier.WasSent{}, dossier.WasMined{Receipt: receipt}, dossier.WasMined{Receipt: receipt}, dossier.WasUnmined{}, dossier.WasUnmined{}, dossier.WasFinal{Receipt: receipt},
		dossier.WasReverted{}, dossier.WasNotVoted{Status: gov.VoteNoVote, Why: whys[l.rng.IntN(len(whys))]}, dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen})
}

// happen stores what belongs, as the journal does, and says what is told of it.
func (l *life) happen(t *testing.T, e dossier.Event) (told []dossier.Alert, ok bool) {
	t.Helper()
	if _, err := l.d.Apply(e); err != nil {
		return nil, false
	}
	r, err := dossier.Encode(id, int64(len(l.records)+1), time.Unix(1_700_000_000+l.now, 7), e)
	if err != nil {
		t.Fatal(err)
	}
	if r.Event, err = dossier.Decode(r.Type, r.Body); err != nil {
		t.Fatal(err)
	}
	after, err := l.d.ApplyRecord(r)
	if err != nil {
		t.Fatalf("%s belongs, and not when it is read back: %v", r.Type, err)
	}
	told = dossier.Alerts(l.d, r, after)
	l.d, l.records = after, append(l.records, r)
	return told, true
}

// show makes everything that is ever shown of a dossier.
func (l *life) show(t *testing.T) {
	t.Helper()
	for _, h := range []gov.Head{{}, at(l.now), at(closes + 5)} {
		dossier.Next(l.d, h)
		l.d.Late(h)
		l.d.Undecided(h)
		l.d.Answered(h)
	}
	l.d.Card()
	l.d.Summary("nouns/7")
	dossier.Digest([]dossier.Dossier{l.d}, time.Unix(1_700_000_000, 0), time.Unix(1_700_000_000+l.now, 9), []string{"trouble"})
	l.d.VoteDoc()
	l.d.VerdictDoc()
	if l.rng.IntN(8) > 0 {
		return
	}
	doc, err := l.d.Document("nouns/7")
	if err == nil {
		_, err = json.Marshal(doc)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// text is alerts as they are stored.
func text(t *testing.T, list []dossier.Alert) []string {
	t.Helper()
	out := []string{}
	for _, a := range list {
		body, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		card, err := json.Marshal(a.Card)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(body)+string(card))
	}
	return out
}

// Alerts, cards and documents are total functions of records: whatever happens to a proposal, in whatever order, all of
// it can be told and shown after each record, and a daemon that folds again tells the same under the same ids.
func TestG51AlertsAreTotal(t *testing.T) {
	lives := 2000
	if os.Getenv("LEGATE_SOAK") != "" {
		lives = 100_000
	}
	happened, alerts, records := map[string]int{}, 0, 0
	for seed := range uint64(lives) {
		l := &life{rng: rand.New(rand.NewPCG(seed, 51)), now: 1000}
		var told [][]string
		ids := map[string]bool{}
		for range 60 {
			before := l.d
			e := l.draw()
			list, ok := l.happen(t, e)
			if !ok {
				continue
			}
			happened[l.records[len(l.records)-1].Type]++
			for _, a := range list {
				if ids[a.ID] {
					t.Fatalf("seed %d: two alerts of one life have the id %s", seed, a.ID)
				}
				ids[a.ID] = true
				alerts++
			}
			if again := dossier.Alerts(before, l.records[len(l.records)-1], l.d); !slices.Equal(text(t, list), text(t, again)) {
				t.Fatalf("seed %d: record %d tells something else when it is asked again", seed, len(l.records))
			}
			told = append(told, text(t, list))
			l.show(t)
		}
		var d dossier.Dossier // as after a restart
		for i, r := range l.records {
			after, err := d.ApplyRecord(r)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if again := text(t, dossier.Alerts(d, r, after)); !slices.Equal(told[i], again) {
				t.Fatalf("seed %d: after a restart record %d tells\n%v, it told\n%v", seed, i+1, again, told[i])
			}
			d, records = after, records+1
		}
	}
	for _, kind := range dossier.Kinds() {
		if happened[kind] < 10 {
			t.Errorf("%s happened %d times only", kind, happened[kind])
		}
	}
	t.Logf("n = %d lives, %d records, %d alerts", lives, records, alerts)
}
