package dossier_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// told is a story whose alerts are written down as "event severity title".
type told struct {
	t      *testing.T
	d      dossier.Dossier
	seq    int64
	alerts []dossier.Alert
	ids    map[string]bool
}

func tellStory(t *testing.T, events ...dossier.Event) *told {
	t.Helper()
	s := &told{t: t, ids: map[string]bool{}}
	s.happen(events...)
	return s
}

func (s *told) happen(events ...dossier.Event) {
	s.t.Helper()
	for _, e := range events {
		if g, ok := e.(dossier.WasGated); ok && g.Facts == (gov.Digest{}) {
			g.Facts = s.d.Gathered.Digest
			e = g
		}
		e = grounded(s.d, e)
		s.seq++
		r, err := dossier.Encode(named().Seen.Proposal.ID, s.seq, time.Unix(1_700_000_000+s.seq, 5), e)
		if err != nil {
			s.t.Fatal(err)
		}
		after, err := s.d.ApplyRecord(r)
		if err != nil {
			s.t.Fatal(err)
		}
		list := dossier.Alerts(s.d, r, after)
		again := dossier.Alerts(s.d, r, after)
		if diff := cmp.Diff(list, again, cmp.AllowUnexported(gov.Amount{})); diff != "" {
			s.t.Errorf("the same record gives other alerts:\n%s", diff)
		}
		for _, a := range list {
			if s.ids[a.ID] {
				s.t.Errorf("two alerts have the id %s", a.ID)
			}
			s.ids[a.ID] = true
		}
		s.alerts = append(s.alerts, list...)
		s.d = after
	}
}

func (s *told) want(want ...string) {
	s.t.Helper()
	var got []string
	for _, a := range s.alerts {
		got = append(got, fmt.Sprintf("%s %s %s", a.Event, a.Severity, strings.TrimPrefix(a.Title, "nouns/7: ")))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("alerts (-want +got):\n%s", diff)
	}
	s.alerts = nil
}

func named() dossier.WasSeen {
	e := seen()
	e.Seen.Proposal.Name, e.Head = "nouns", at(1500)
	e.Seen.Text.Title = "Pay @everyone at https://evil.example"
	return e
}

func gate(result gov.GateResult, reasons ...gov.HoldReason) dossier.WasGated {
	return dossier.WasGated{Gate: gov.Gated{Result: result, Reasons: reasons}, Head: at(1500)}
}

func worse(now int64, s gov.Severity) dossier.WasGathered {
	g := gathered(now)
	g.Gathered.Findings = []gov.Finding{{Name: "outflow", Severity: s, Status: gov.Found, Title: "most of the treasury leaves"}}
	return g
}

func TestAlertsOfALife(t *testing.T) {
	s := tellStory(t, named(), gathered(1500), decided(1500, verdict(gov.For)))
	s.want("proposal info new proposal") // a For is no decision before its gate
	s.happen(gate(gov.GatePass))
	s.want("decision info for")
	s.happen(gathered(2100), decided(2100, verdict(gov.For)), gate(gov.GatePass))
	s.want() // the same decision on fresh facts is no news
	b := gov.Ballot{Support: gov.SupportFor, Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "r"}}
	receipt := gov.Receipt{Tx: gov.Hash{4}, Block: gov.Block{Number: 12}, OK: true}
	s.happen(dossier.WasLocked{Ballot: b}, dossier.WasSigned{Hash: gov.Hash{4}}, dossier.WasSent{Hash: gov.Hash{4}}, dossier.WasSent{Hash: gov.Hash{4}},
		dossier.WasMined{Receipt: receipt}, dossier.WasFinal{Receipt: receipt})
	s.want("vote info vote for sent", "vote info voted for")
	id := named().Seen.Proposal.ID
	s.happen(dossier.WasChanged{Change: dossier.Change{ID: id, State: gov.StateSucceeded}}, dossier.WasChanged{Change: dossier.Change{ID: id, State: gov.StateExecuted}}, dossier.WasClosed{})
	s.want("result info succeeded", "result info executed")
}

func TestAlertsOfHoldsAndDanger(t *testing.T) {
	id := named().Seen.Proposal.ID
	hold := decided(1500, verdict(gov.Hold, gov.HoldByRule))
	s := tellStory(t, named(), gathered(1500), hold)
	s.want("proposal info new proposal", "decision warning held, a person is asked")
	s.happen(dossier.WasReminded{Before: "24h"}, dossier.WasReminded{Before: "2h"})
	s.want("reminder warning the hold ends in 24h", "reminder critical the hold ends in 2h")
	s.happen(dossier.WasTimedOut{Direction: gov.Hold, Head: at(3000)})
	s.want("decision warning nobody answered the hold: no vote")
	s.happen(dossier.WasChanged{Change: dossier.Change{ID: id, Ends: closes + 500}})
	s.want("proposal info its deadline was extended")

	s = tellStory(t, named(), worse(1500, gov.Critical), decided(1500, verdict(gov.Against)))
	s.want("proposal info new proposal", "decision critical against")
	s.happen(dossier.WasChanged{Change: dossier.Change{ID: id, State: gov.StateQueued}})
	s.want("result critical queued")

	s = tellStory(t, named(), worse(1500, gov.Warning), decided(1500, verdict(gov.Against)), dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.LedgerRefused})
	s.want("proposal info new proposal", "decision warning against", "vote critical no vote")

	s = tellStory(t, named(), gathered(1500), decided(1500, verdict(gov.For)), gate(gov.GateHold, "bidi"))
	s.want("proposal info new proposal", "decision warning held, a person is asked")
	s.happen(dossier.WasApproved{Approval: gov.Approval{Proposal: id, Support: gov.SupportFor, Basis: gov.Digest{5}, ContentHash: gov.Hash{9}, Expires: 99999}})
	s.want("decision info the holder says for")

	other := gathered(1600)
	other.Gathered.Basis = gov.Digest{6}
	other.Gathered.Facts.Effects.Status = gov.Known(gov.EffectsReverted)
	first := gathered(1500)
	first.Gathered.Facts.Effects.Status = gov.Known(gov.EffectsExecuted)
	s = tellStory(t, named(), first, hold, other)
	s.want("proposal info new proposal", "decision warning held, a person is asked", "drift warning what it would do has changed")

	s = tellStory(t, named(), dossier.WasRewound{})
	s.want("proposal info new proposal", "proposal warning removed by a reorganisation")
}

// TestG49TheHandIsToldThatItsAnswerIsLost: a proposer whose proposal changes with every block, or a node of ours that fails,
// makes other facts than those that the holder answered to. Then the answer does not count, and its holder hears of it.
func TestG49TheHandIsToldThatItsAnswerIsLost(t *testing.T) {
	answer := gov.Approval{Proposal: named().Seen.Proposal.ID, Support: gov.SupportAgainst, Basis: gov.Digest{5}, ContentHash: gov.Hash{9}, Expires: 99999}
	for _, status := range []gov.EffectsStatus{gov.EffectsExecuted, gov.EffectsUnavailable} {
		first, other := gathered(1500), gathered(2600)
		first.Gathered.Facts.Effects.Status = gov.Known(gov.EffectsExecuted)
		other.Gathered.Facts.Effects.Status = gov.Known(status)
		other.Gathered.Basis = gov.Digest{6}
		s := tellStory(t, named(), first, decided(1500, verdict(gov.Hold, gov.HoldByRule)), dossier.WasApproved{Approval: answer})
		s.alerts = nil
		same := gathered(2500)
		s.happen(same)
		s.want()
		s.happen(decided(2500, verdict(gov.Hold, gov.HoldByRule)), other)
		s.want("decision critical the holder's answer, against, does not count any more")
	}
	// an answer over the content alone counts on
	content := answer
	content.Basis = gov.Digest{}
	other := gathered(2600)
	other.Gathered.Basis = gov.Digest{6}
	s := tellStory(t, named(), gathered(1500), decided(1500, verdict(gov.Hold, gov.HoldByRule)), dossier.WasApproved{Approval: content})
	s.alerts = nil
	s.happen(other)
	s.want()
}

// A reorganisation that takes a decided proposal's creation away, and brings it back, tells no decision until there is
// one again (D1): whoever was told that it is gone is told again what is decided.
func TestG51AlertsOfADecidedProposalThatBeginsAnew(t *testing.T) {
	for name, decision := range map[string]dossier.WasDecided{
		"against": decided(1500, verdict(gov.Against)),
		"held":    decided(1500, verdict(gov.Hold, gov.HoldByRule)),
	} {
		t.Run(name, func(t *testing.T) {
			s := tellStory(t, named(), gathered(1500), decision)
			s.alerts = nil
			s.happen(dossier.WasRewound{}, named())
			s.want("proposal warning removed by a reorganisation", "proposal info new proposal")
			s.happen(gathered(1500), decision)
			if len(s.alerts) != 1 || s.alerts[0].Event != dossier.AlertDecision {
				t.Errorf("the decision after it came back is told as %+v", s.alerts)
			}
		})
	}
}

// Voting was over when it was first seen: history, not news.
func TestNoAlertsOfTheBackFilled(t *testing.T) {
	e := named()
	e.Head = at(closes + 1)
	s := tellStory(t, e, dossier.WasChanged{Change: dossier.Change{ID: e.Seen.Proposal.ID, State: gov.StateExecuted}})
	s.want()
}

func TestAlertSaysFactsFirstAndQuotesTheTitleInert(t *testing.T) {
	s := tellStory(t, named(), worse(1500, gov.Critical), decided(1500, verdict(gov.Against)))
	a := s.alerts[1]
	last := a.Lines[len(a.Lines)-1]
	if last != "Titled by its proposer: “Pay ＠everyone at https[:]//evil[.]example”" {
		t.Errorf("last line %q", last)
	}
	text := strings.Join(a.Lines, "\n")
	for _, want := range []string{"By rule r.", "Critical, outflow: most of the treasury leaves.", "Voting ends about 1970-01-03 08:06 UTC."} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if a.Card == nil || a.Card.Final != gov.Against || a.Card.Handle != "nouns/7" || a.Card.Closes != closes {
		t.Errorf("card %+v", a.Card)
	}
	body, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(body, &doc); err != nil {
		t.Fatal(err)
	}
	keys := []string{}
	for _, k := range []string{"version", "id", "event", "severity", "proposal", "title", "lines", "time"} {
		if _, ok := doc[k]; ok {
			keys = append(keys, k)
		}
	}
	if len(keys) != 8 || len(doc) != 8 || doc["proposal"] != "eip155:1:0x0000000000000000000000000000000000000000/7" || doc["time"] != "2023-11-14T22:13:23Z" {
		t.Errorf("body %s", body)
	}
}

func TestQuote(t *testing.T) {
	for text, want := range map[dossier.Untrusted]string{
		"Raise the cap to 12:30, see v1.2":   "Raise the cap to 12:30, see v1.2",
		"<@123> <script>alert(1)</script>":   "‹＠123› ‹script›alert(1)‹/script›",
		"[x](javascript:alert(1)) www.a.io":  "［x］(javascript[:]alert(1)) www[.]a[.]io",
		"**b** __c__ `d` ||e|| ~~f~~ # g":    "∗∗b∗∗ ＿＿c＿＿ 'd' ¦¦e¦¦ ∼∼f∼∼ ＃ g",
		"snake_case eip155:1 :smile:":        "snake_case eip155:1 [:]smile:",
		"a\x1b[31m\u202eb\u200bc":            "a‹U+001B›［31m‹U+202E›b‹U+200B›c",
		"mailto:a@b.example tel:+1":          "mailto[:]a＠b[.]example tel[:]+1",
		"&lt;b&gt; C:\\x":                    "＆lt;b＆gt; C[:]＼x",
		"ends with a colon: and 3.14 and a.": "ends with a colon: and 3.14 and a.",
	} {
		if got := text.Quote(200); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAlarmAndSystemAlerts(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	alarm := gov.Alarm{Rule: "crash", Result: gov.True, Severity: gov.Critical, Why: `metrics["eth-price"] < 900`}
	told := func(since gov.UnixTime, at time.Time) dossier.Alert {
		return dossier.AlarmAlert(gov.Firing{Alarm: alarm, Since: since, At: gov.UnixTime(at.Unix())})
	}
	a := told(500, at)
	if a.ID != told(500, at.Add(time.Hour)).ID || a.ID == told(501, at).ID {
		t.Error("an alarm has one id a firing")
	}
	if a.Event != dossier.AlertEmergency || a.Severity != gov.Critical || a.Proposal != nil || a.Title != "emergency: crash" {
		t.Errorf("%+v", a)
	}
	alarm.Result = gov.Unknown
	if u := told(500, at); u.ID == a.ID || !strings.Contains(u.Title, "could not be evaluated") {
		t.Errorf("%+v", u)
	}
	s := dossier.SystemAlert(gov.Warning, "x", fmt.Errorf("said <b>"), at)
	if s.ID != dossier.SystemAlert(gov.Warning, "x", nil, at.Add(time.Minute)).ID || s.Lines[0] != "said ‹b›" {
		t.Errorf("%+v", s)
	}
}
