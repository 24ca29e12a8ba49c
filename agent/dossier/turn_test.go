package dossier_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// TestTurnSaysWhatTheDossierSays: over random lives, what is kept of a dossier for the order of votes says the same as the
// dossier at any head, also after it was stored.
func TestTurnSaysWhatTheDossierSays(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		var d dossier.Dossier
		begin := seen()
		begin.Seen.Proposal.Clock = rapid.SampledFrom([]gov.Clock{gov.ClockTimestamp, gov.ClockBlock}).Draw(rt, "clock")
		now := int64(1500)
		apply := func(e dossier.Event) {
			if next, err := d.Apply(e); err == nil {
				d = next
				d.Proposal.ID = begin.Seen.Proposal.ID
			}
		}
		apply(begin)
		for range rapid.IntRange(1, 14).Draw(rt, "events") {
			now += rapid.Int64Range(0, 40_000).Draw(rt, "later")
			switch rapid.IntRange(0, 9).Draw(rt, "event") {
			case 0, 1, 2:
				apply(gathered(now))
				e := decided(now, rapid.SampledFrom([]gov.Verdict{verdict(gov.For), verdict(gov.Against), verdict(gov.Abstain), verdict(gov.Hold, gov.HoldByRule), verdict(gov.Hold, gov.HoldUnknown)}).Draw(rt, "verdict"))
				if d.Gathered != nil {
					e.Verdict.Facts = d.Gathered.Digest
				}
				e.Plan.OnTimeout = rapid.SampledFrom([]gov.Direction{gov.Hold, gov.Against, gov.Abstain}).Draw(rt, "on timeout")
				e.Plan.VoteShort = rapid.Bool().Draw(rt, "short")
				e.Plan.Wait = rapid.Int64Range(0, 150_000).Draw(rt, "wait")
				apply(e)
			case 3, 4:
				if d.Gathered != nil {
					apply(dossier.WasGated{Gate: gov.Gated{Result: rapid.SampledFrom([]gov.GateResult{gov.GatePass, gov.GateHold}).Draw(rt, "gate")}, Facts: d.Gathered.Digest, Head: at(now)})
				}
			case 5:
				apply(dossier.WasTimedOut{Direction: d.TimeOutDirection(), Head: at(now)})
			case 6:
				a := gov.Approval{Proposal: d.ID(), ContentHash: d.Proposal.ContentHash, Basis: gov.Digest{5}, Support: gov.Support(rapid.IntRange(0, 2).Draw(rt, "answer")), Expires: gov.UnixTime(now + 30_000)}
				a.Basis[0] = rapid.SampledFrom([]byte{5, 6, 0}).Draw(rt, "of these facts, of others, of the content alone")
				if rapid.IntRange(0, 5).Draw(rt, "of other content") == 0 {
					a.ContentHash = gov.Hash{7}
				}
				apply(dossier.WasApproved{Approval: a})
			case 7:
				apply(dossier.WasCanceled{})
			case 8:
				apply(dossier.WasReleased{Head: at(now)})
			case 9:
				apply(dossier.WasRewound{})
				apply(begin)
			}
			text, err := json.Marshal(d.Turn())
			if err != nil {
				rt.Fatal(err)
			}
			var turn dossier.Turn
			if err := json.Unmarshal(text, &turn); err != nil {
				rt.Fatal(err)
			}
			for range 3 {
				head := at(now + rapid.Int64Range(-10_000, 100_000).Draw(rt, "head"))
				head.BlockTime = rapid.SampledFrom([]float64{1, 2, 12}).Draw(rt, "block time")
				want, got := d.Choice(head), turn.Choice(head)
				if got.Direction != want.Direction || got.By != want.By || got.Due != want.Due {
					rt.Fatalf("at %d the turn says %+v, the dossier %+v", head.Latest.Time, got, want)
				}
				n++
			}
		}
	})
	t.Logf("n=%d choices", n)
}

// staked is an Against that was decided, with as much at stake and such an end.
func staked(number uint64, s gov.Stake, ends gov.Clocks) dossier.Turn {
	p, wait := plan, plan.Wait
	p.Latest = 0 // no window is too short
	return dossier.Turn{
		ID: gov.ProposalID{Chain: 1, Number: gov.NewAmount(number)}, Stake: s, Waits: true, Clock: gov.ClockTimestamp, Starts: opens, Ends: ends,
		Plan: p, Stands: &wait, Since: [4]gov.UnixTime{gov.Against: 2100}, First: 2100, Final: gov.Against,
	}
}

// TestHeavierAgainstGoesFirst: however many decoys are due, however near their deadlines are, the Against with more at
// stake waits for none of them, in any order, while it has as much time as they; and one of them is always next.
func TestHeavierAgainstGoesFirst(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		now := rapid.Int64Range(23_701, 23_701+598).Draw(rt, "now")
		var turns []dossier.Turn
		for i := range rapid.IntRange(2, 30).Draw(rt, "decoys") {
			stake := gov.Stake(rapid.Uint32Range(0, uint32(gov.MostStake)-1).Draw(rt, "stake"))
			turns = append(turns, staked(uint64(i), stake, gov.Clocks(now+rapid.Int64Range(40, 400_000).Draw(rt, "left"))))
		}
		heavy := staked(99, gov.MostStake, gov.Clocks(now+rapid.Int64Range(40, 400_000).Draw(rt, "left")))
		all := append(turns, heavy)
		first := 0
		for i, a := range all {
			waits := false
			for j, b := range all {
				if i != j && b.Before(a, at(now), at(now)) {
					waits = true
				}
				if i != j && a.Before(b, at(now), at(now)) && b.Before(a, at(now), at(now)) {
					rt.Fatalf("%+v and %+v each go before the other", a, b)
				}
			}
			if !waits {
				first++
			}
			n++
		}
		if first == 0 {
			rt.Fatal("all wait for another")
		}
		short := int64(heavy.Ends)-now < 120+plan.Margin
		for _, decoy := range turns {
			if decoy.Before(heavy, at(now), at(now)) {
				rt.Fatalf("a decoy with %s at stake goes before the heavy one", decoy.Stake)
			}
			rushed := int64(decoy.Ends)-now < 120+plan.Margin
			due := heavy.Choice(at(now)).Due <= gov.UnixTime(now) && int64(heavy.Ends)-now >= plan.Margin
			if due && !heavy.Before(decoy, at(now), at(now)) && (!rushed || short) {
				rt.Fatalf("a decoy that ends at %d does not wait for the heavy one that ends at %d, at %d", decoy.Ends, heavy.Ends, now)
			}
		}
	})
	t.Logf("n=%d turns", n)
}

// alertAgainst is an alert of an Against.
func alertAgainst(number uint64, s gov.Stake, severity gov.Severity, at int64) dossier.Alert {
	id := gov.ProposalID{Chain: 1, Number: gov.NewAmount(number)}
	handle := fmt.Sprintf("ens/%d", number)
	return dossier.Alert{ID: handle, Event: dossier.AlertDecision, Severity: severity, Proposal: &id, Title: handle + ": against", Lines: []string{"By rule no-drain."},
		Time: time.Unix(at, 0), Group: "against", Stake: s, Card: &dossier.Card{Handle: handle}}
}

// TestDecoysShareOneAlarm: twenty decoys and the drain that they cover call a person a few times, not twenty; nothing is
// lost; and the drain is critical by itself.
func TestDecoysShareOneAlarm(t *testing.T) {
	const start = 1_800_000_000
	g := dossier.Group{Name: "against"}
	calls, ids := 0, map[string]gov.Severity{}
	take := func(list []dossier.Alert) {
		for _, a := range list {
			if _, ok := ids[a.ID]; ok {
				t.Errorf("%s is told twice", a.ID)
			}
			if ids[a.ID] = a.Severity; a.Severity != gov.Info {
				calls++
			}
		}
	}
	var out []dossier.Alert
	for n := uint64(1); n <= 20; n++ {
		g, out = g.Take(alertAgainst(n, 1, gov.Critical, start+int64(n)))
		take(out)
	}
	if calls != 5 { // the first; two, four, eight and sixteen of them
		t.Errorf("20 decoys call %d times", calls)
	}
	g, out = g.Take(alertAgainst(99, gov.MostStake, gov.Warning, start+60))
	take(out)
	if ids["ens/99"] != gov.Critical {
		t.Errorf("the drain is %s", ids["ens/99"])
	}
	for n := 1; n <= 20; n++ {
		if _, ok := ids[fmt.Sprintf("ens/%d", n)]; !ok {
			t.Errorf("decoy %d is lost", n)
		}
	}

	// what waits is told within the hour, once
	if _, out = g.Flush(time.Unix(start+60, 0)); len(out) > 0 {
		t.Errorf("told at once: %v", out)
	}
	if g, out = g.Flush(time.Unix(start+2*3600, 0)); len(out) != 1 || out[0].Severity != gov.Critical || out[0].Proposal != nil {
		t.Errorf("after the hour: %+v", out)
	}
	take(out)
	if g, out = g.Flush(time.Unix(start+9*3600, 0)); len(out) > 0 || g.Due() != 0 {
		t.Errorf("told again: %+v", out)
	}

	// the same proposal again is no other one; and the next day starts over
	before := calls
	g, out = g.Take(alertAgainst(3, 1, gov.Critical, start+3600))
	if len(out) != 1 || out[0].Severity != gov.Info || g.Due() != 0 {
		t.Errorf("one that was told: %+v", out)
	}
	g, out = g.Take(alertAgainst(100, 0, gov.Critical, start+86_401))
	if take(out); calls != before+1 || ids["ens/100"] != gov.Critical || len(g.Members) != 1 {
		t.Errorf("the next day: %+v", out)
	}
}

// TestGroupLosesNothing: over random days every alert is told once, whatever is stored in between, and each proposal that
// calls nobody by itself is counted within the hour.
func TestGroupLosesNothing(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		g, now := dossier.Group{Name: "against"}, int64(1_800_000_000)
		seen := map[string]bool{}
		for i := range rapid.IntRange(1, 60).Draw(rt, "alerts") {
			now += rapid.Int64Range(0, 7200).Draw(rt, "later")
			var out []dossier.Alert
			if g, out = g.Flush(time.Unix(now, 0)); len(out) > 1 {
				rt.Fatalf("%d alerts of one group", len(out))
			}
			a := alertAgainst(uint64(i), gov.Stake(rapid.Uint32Range(0, 3).Draw(rt, "stake")), rapid.SampledFrom([]gov.Severity{gov.Warning, gov.Critical}).Draw(rt, "severity"), now)
			var more []dossier.Alert
			g, more = g.Take(a)
			for _, o := range append(out, more...) {
				if seen[o.ID] {
					rt.Fatalf("%s is told twice", o.ID)
				}
				seen[o.ID] = true
			}
			if !seen[a.ID] {
				rt.Fatalf("%s is lost", a.ID)
			}
			text, err := dossier.MarshalGroup(g)
			if err != nil {
				rt.Fatal(err)
			}
			if g, err = dossier.UnmarshalGroup(text); err != nil {
				rt.Fatal(err)
			}
			if due := g.Due(); due > 0 && int64(due) > now+3600 {
				rt.Fatalf("it waits until %d, at %d", due, now)
			}
			n++
		}
	})
	t.Logf("n=%d alerts", n)
}
