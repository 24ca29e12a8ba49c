package notify_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/notify/discordtest"
)

// notes remember in memory.
type notes struct {
	mu sync.Mutex
	m  map[string]string
}

func (n *notes) Note(_ context.Context, channel, name string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.m[channel+"\n"+name], nil
}

func (n *notes) SetNote(_ context.Context, channel, name, value string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.m == nil {
		n.m = map[string]string{}
	}
	n.m[channel+"\n"+name] = value
	return nil
}

func open(t *testing.T, c notify.Config) notify.Channel {
	t.Helper()
	if c.Name == "" {
		c.Name = c.Kind
	}
	ch, err := notify.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func proposalID(n uint64) gov.ProposalID {
	return gov.ProposalID{Chain: 1, Governor: gov.Address{7}, Number: gov.NewAmount(n)}
}

// head is the chain at a moment, on a clock of seconds.
func head(now int64) gov.Head {
	b := gov.Block{Number: uint64(now), Time: gov.UnixTime(now)}
	return gov.Head{Latest: b, Final: b, Clock: gov.Clocks(now)}
}

// The window of these tests.
const created, opens, closes = 1_700_000_000, 1_700_100_000, 1_700_400_000

// life is what happens to a proposal until our Against counts; title and because are as hostile as it takes.
func life(n uint64, title dossier.Untrusted) []dossier.Event {
	facts := gov.Facts{At: gov.Block{Number: created, Time: created}, Kinds: gov.Known([]gov.Kind{gov.KindTransfer}), UnknownCalls: gov.Known(int64(0))}
	facts.Effects.Status = gov.Known(gov.EffectsExecuted)
	facts.Treasury.OutflowUSD, facts.Treasury.OutflowBps = gov.Known(1234567.0), gov.Known(4200.0)
	digest, err := facts.Digest()
	if err != nil {
		panic(err)
	}
	g := dossier.Gathered{Facts: facts, Digest: digest, Basis: gov.Digest{5}, Findings: []gov.Finding{
		{Name: "outflow", Severity: gov.Critical, Status: gov.Found, Title: "42 % of the treasury leaves"},
		{Name: "roles", Severity: gov.Info, Status: gov.Clean},
	}}
	v := gov.Verdict{Direction: gov.Against, Facts: digest, Rule: "no-drain", Because: "it would empty the treasury", Trace: []gov.Trace{{Rule: "no-drain", Vote: gov.Against, Result: gov.True}}}
	plan := dossier.Plan{Wait: 21600, Latest: 43200, MaxAge: 1800, Margin: 36, Live: true}
	id := proposalID(n)
	ballot := gov.Ballot{Proposal: id, Support: gov.SupportAgainst, Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "no-drain"}}
	receipt := gov.Receipt{Tx: gov.Hash{4}, Block: gov.Block{Number: 12}, OK: true}
	return []dossier.Event{
		dossier.WasSeen{Head: head(created), Seen: dossier.Seen{
			Proposal: gov.Proposal{ID: id, Name: "compound", Clock: gov.ClockTimestamp, Created: gov.Block{Number: created, Time: created}, Starts: opens, Ends: closes,
				State: gov.StatePending, ContentHash: gov.Hash{9}, Proposer: gov.Address{0xaa}, Actions: []gov.Action{{To: gov.Address{1}}}},
			Text: dossier.Text{Title: title, Description: title},
		}},
		dossier.WasPreviewed{Gathered: g, Verdict: v},
		dossier.WasGathered{Gathered: g, Head: head(created + 60)},
		dossier.WasDecided{Verdict: v, Plan: plan, Head: head(created + 60)},
		dossier.WasBriefed{Brief: dossier.Brief{Kind: "extractive", Headline: title, Sentences: []dossier.BriefSentence{{Text: title}}}},
		dossier.WasLocked{Ballot: ballot}, dossier.WasSigned{Hash: gov.Hash{4}}, dossier.WasSent{Hash: gov.Hash{4}},
		dossier.WasMined{Receipt: receipt}, dossier.WasFinal{Receipt: receipt},
		dossier.WasChanged{Change: dossier.Change{ID: id, State: gov.StateDefeated}}, dossier.WasClosed{},
	}
}

// alertsOf are the alerts of events in a row.
func alertsOf(t testing.TB, n uint64, events ...dossier.Event) []dossier.Alert {
	t.Helper()
	var d dossier.Dossier
	var out []dossier.Alert
	for i, e := range events {
		r, err := dossier.Encode(proposalID(n), int64(i+1), time.Unix(created+int64(i), 0), e)
		if err != nil {
			t.Fatal(err)
		}
		after, err := d.ApplyRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, dossier.Alerts(d, r, after)...)
		d = after
	}
	return out
}

func plainAlert(id string) dossier.Alert {
	return dossier.Alert{Version: 1, ID: id, Event: dossier.AlertSystem, Severity: gov.Warning, Title: "legate: something " + id, Lines: []string{"A line."}, Time: time.Unix(created, 0).UTC()}
}

// discordMessage is a message of the stand-in.
type discordMessage = discordtest.Message

// request is what a sink was sent.
type request struct {
	path   string
	header http.Header
	body   string
}

// sink is an HTTP server that answers as told, else 200.
type sink struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
	answer   func(n int, w http.ResponseWriter) bool // true: it has answered
}

func newSink(t testing.TB) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, request{r.URL.Path, r.Header, string(body)})
		n, answer := len(s.requests), s.answer
		s.mu.Unlock()
		if answer == nil || !answer(n, w) {
			fmt.Fprint(w, "{}")
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sink) got() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}

// generic is a shoutrrr address of a sink.
func (s *sink) generic() string {
	return "generic://" + strings.TrimPrefix(s.URL, "http://") + "/alert?disabletls=yes"
}
