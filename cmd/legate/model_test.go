package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/llm"
	"github.com/legate-dao/legate/chains/devchain"
)

// Where modelServer tells its chat what was asked.
const schemaHeader, textHeader = "X-Schema", "X-Text"

// modelServer speaks the chat endpoint of OpenAI and answers with whatever chat says.
func modelServer(t *testing.T, chat http.HandlerFunc) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/models", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":[{"id":"toy","owned_by":"x"}]}`)
	})
	mux.HandleFunc("/v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Format struct {
				Schema struct{ Name string } `json:"json_schema"`
			} `json:"response_format"`
			Messages []struct{ Content any }
		}
		_ = json.NewDecoder(r.Body).Decode(&q) // only a body that was read lets the server see the client go
		r.Header.Set(schemaHeader, q.Format.Schema.Name)
		for _, m := range q.Messages {
			r.Header.Add(textHeader, fmt.Sprint(m.Content))
		}
		r.Header.Set(textHeader, strings.Join(r.Header.Values(textHeader), "\n"))
		chat(w, r)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

// answering is a chat that gives one text.
func answering(text string) http.HandlerFunc {
	b, _ := json.Marshal(text)
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%s},"finish_reason":"stop"}]}`, b)
	}
}

// places makes these the places where auto looks.
func places(t *testing.T, urls ...string) {
	t.Helper()
	before := llm.Places
	llm.Places = urls
	t.Cleanup(func() { llm.Places = before })
}

// grant is a For of the fixture: 20,000 USDC for an audit, waiting for its gate.
func grant() dossier.Dossier {
	seen, gathered := grantStory()
	d := dossier.Dossier{Proposal: seen.Proposal, Text: seen.Text, Gathered: &gathered, Stage: dossier.AtDecided}
	d.Plan = dossier.Plan{Wait: 21_600, Latest: 43_200}
	return d
}

// The daemon's briefs with a model that is wrong in each of the ways of a bad day: people get the brief without it at
// once, then one that says what came of the model, with nothing in it that the sources do not have.
func TestDaemonBriefsWithABadModel(t *testing.T) {
	invents := `{"headline":"Pay 7,777,777 USDC","sentences":[{"lines":[1],"text":"It pays 7,777,777 USDC to the auditors."},{"lines":[1],"text":"It pays 0x2222222222222222222222222222222222222222."}]}`
	for name, c := range map[string]struct {
		chat http.HandlerFunc
		want dossier.BriefOutcome
	}{
		"hangs":    {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, dossier.ModelSlow},
		"garbage":  {answering("I am a teapot"), dossier.ModelGarbage},
		"invents":  {answering(invents), dossier.ModelUnfounded},
		"killed":   {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, dossier.ModelKilled},
		"votes":    {answering(`{"vote":"for"}`), dossier.ModelGarbage},
		"too long": {answering(strings.Repeat("x", 300<<10)), dossier.ModelGarbage},
		"500":      {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }, dossier.ModelFailed},
	} {
		t.Run(name, func(t *testing.T) {
			s := modelServer(t, c.chat)
			m, err := newModels(s.URL, llm.Config{Timeout: 400 * time.Millisecond}, nil)
			if err != nil {
				t.Fatal(err)
			}
			d := grant()
			first, err := briefs{m}.Brief(t.Context(), d)
			if err != nil || first.Kind != gov.BriefExtractive || first.Model == nil || first.Model.Outcome != dossier.ModelPending || len(first.Sentences) == 0 {
				t.Fatalf("before the answer: %v %+v", err, first)
			}
			d.DraftedOn = d.Gathered.Basis
			b, err := briefs{m}.Brief(t.Context(), d)
			if err != nil || b.Kind != gov.BriefExtractive || b.Model == nil || b.Model.Outcome != c.want || b.Model.Why == "" || b.Model.URL != s.URL {
				t.Fatalf("%v, kind %s, %+v", err, b.Kind, b.Model)
			}
			if fmt.Sprint(b.Headline, b.Sentences) != fmt.Sprint(first.Headline, first.Sentences) {
				t.Errorf("another brief than without the model:\n%v\n%v", b.Sentences, first.Sentences)
			}
			if text := fmt.Sprint(b.Headline, b.Sentences); strings.Contains(text, "7,777,777") || strings.Contains(text, "0x2222") {
				t.Errorf("an invention stands in the brief: %s", text)
			}
			if said := briefText(briefDoc{Brief: b}); !strings.Contains(said, string(c.want)) {
				t.Errorf("`show` and `brief` do not say what came of the model:\n%s", said)
			}
		})
	}
}

// auto finds a model server that was started after the daemon, does without one that ends, and finds the next.
func TestAutoFindsAServerThatComesLater(t *testing.T) {
	places(t)
	m, err := newModels(anyModel, llm.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	write := func() dossier.Brief {
		t.Helper()
		d := grant()
		d.DraftedOn = d.Gathered.Basis
		b, err := briefs{m}.Brief(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if b := write(); b.Model != nil || m.shown() != nil {
		t.Fatalf("no server: %+v", b.Model)
	}
	good := answering(`{"headline":"Pay the auditors","sentences":[{"lines":[1],"text":"20,000 USDC for the audit."}]}`)
	s := modelServer(t, good)
	llm.Places = []string{s.URL}
	if b := write(); b.Model != nil {
		t.Errorf("looked again at once: %+v", b.Model)
	}
	m.looked = m.looked.Add(-lookAgain)
	if b := write(); b.Model == nil || b.Model.URL != s.URL || b.Model.Name != "toy" || *m.shown() != "toy at "+s.URL {
		t.Errorf("a server that came: %+v", b.Model)
	}
	s.CloseClientConnections()
	s.Close()
	if b := write(); b.Model == nil || b.Model.Outcome != dossier.ModelAbsent || b.Kind != gov.BriefExtractive {
		t.Errorf("a server that ended: %+v", b.Model)
	}
	next := modelServer(t, good)
	llm.Places = []string{s.URL, next.URL}
	if b := write(); b.Model == nil || b.Model.URL != next.URL {
		t.Errorf("the next server: %+v", b.Model)
	}
}

// Text goes to the host that the operator named and to no other, also when that one sends it on.
func TestModelIsNotSentOn(t *testing.T) {
	var asked atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked.Add(1); http.NotFound(w, nil) }))
	defer other.Close()
	s := modelServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/v1/chat/completions", http.StatusTemporaryRedirect)
	})
	m, err := newModels(s.URL, llm.Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := grant()
	d.DraftedOn = d.Gathered.Basis
	if b, err := (briefs{m}).Brief(t.Context(), d); err != nil || b.Model.Outcome != dossier.ModelRefused || asked.Load() != 0 {
		t.Errorf("%v %+v, the other host was asked %d times", err, b.Model, asked.Load())
	}
}

// The daemon's gate puts a For off while the required model is away and time is left, then holds it; the log says so
// once. One that answers is asked once.
func TestDaemonGateWaitsForTheModel(t *testing.T) {
	places(t)
	var log strings.Builder
	conf := Config{Model: ModelConfig{Endpoint: anyModel, Gate: gateRequired}, path: "legate.yaml"}
	g, err := newGate(conf, standardHolds{}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	d := grant()
	d.Proposal.Clock, d.Proposal.Starts, d.Proposal.Ends = gov.ClockTimestamp, 1000, 200_000
	d.Since[gov.For] = 1000
	head := func(now int64) gov.Head {
		return gov.Head{Latest: gov.Block{Number: 9, Time: gov.UnixTime(now)}, Clock: gov.Clocks(now)}
	}
	for range 3 {
		if _, err := g.Gate(t.Context(), d, head(5000)); !errors.Is(err, agent.ErrLater) {
			t.Fatalf("during the wait: %v", err)
		}
	}
	if n := strings.Count(log.String(), "waits for the model"); n != 1 {
		t.Errorf("the log says so %d times:\n%s", n, &log)
	}
	if e, err := g.Gate(t.Context(), d, head(50_000)); err != nil || e.Gate.Result != gov.GateHold || fmt.Sprint(e.Gate.Reasons) != "[model-missing]" || e.Model.Outcome != dossier.ModelAbsent {
		t.Errorf("after the wait: %v %+v %+v", err, e.Gate, e.Model)
	}
	var asked atomic.Int64
	s := modelServer(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answering(`{"why":"It says what the call does.","result":"pass"}`)(w, r)
	})
	conf.Model.Endpoint = s.URL
	if g, err = newGate(conf, standardHolds{}, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e, err := g.Gate(t.Context(), d, head(5000))
		if err != nil || e.Gate.Result != gov.GatePass || e.Model.Name != "toy" || e.Model.URL != s.URL {
			t.Fatalf("%v %+v %+v", err, e.Gate, e.Model)
		}
		d.GateModel = e.Model
	}
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// A whole daemon with a gate that requires a model, on a real governor: a For that the model passes is cast, one that
// it holds, breaks off or leaves without an answer is held, and an Against is cast without it.
func TestDaemonWithARequiredModel(t *testing.T) {
	s := newSite(t, "harbor")
	asked := make(chan string, 100)
	model := modelServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(schemaHeader) != "gate" { // the briefs
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		for title, answer := range map[string]http.HandlerFunc{
			"A grant":        answering(`{"why":"It says what the call does.","result":"pass"}`),
			"A good grant":   answering(`{"why":"It presses the reader.","result":"hold"}`),
			"A better grant": answering(`{"result":"pass"}`),
			"A last grant":   func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			"Maintenance":    answering(`{"why":"x","result":"hold"}`),
		} {
			if strings.Contains(r.Header.Get(textHeader), title) {
				asked <- title
				answer(w, r)
				return
			}
		}
		t.Errorf("asked about another text: %s", r.Header.Get(textHeader))
	})
	h := newHome(t, s, setup{edit: func(files map[string]string) {
		files["legate.yaml"] = strings.Replace(files["legate.yaml"], "model: {endpoint: none}", fmt.Sprintf("model: {endpoint: %q, gate: required, timeout: 1s}", model.URL), 1)
	}})
	h.start("--live")
	h.final(s.propose("harbor", "A grant", s.grant("harbor")), devchain.For)
	for title, reason := range map[string]gov.HoldReason{"A good grant": gov.HoldModel, "A better grant": gov.HoldModelMissing, "A last grant": gov.HoldModelMissing} {
		m := s.propose("harbor", title, s.grant("harbor"))
		d := h.until(m, gov.VoteHeld)
		if d.Verdict.Direction != gov.For || d.Vote.Reason != reason || d.Barred != reason || d.GateModel == nil {
			t.Errorf("%s: %s held because of %q, want %q; %+v", title, d.Verdict.Direction, d.Vote.Reason, reason, d.GateModel)
		}
		s.uncounted(m)
	}
	h.final(s.propose("harbor", "Maintenance", s.drain("harbor")), devchain.Against)
	h.interrupt()
	close(asked)
	n := map[string]int{}
	for title := range asked {
		n[title]++
	}
	if n["A grant"] != 1 || n["A good grant"] != 1 || n["Maintenance"] != 0 {
		t.Errorf("the model was asked %v", n)
	}
}

// The doctor says what model there is, and what to do about one that is not.
func TestDoctorModel(t *testing.T) {
	s := modelServer(t, answering("{}"))
	look := func(m ModelConfig, where ...string) symptom {
		t.Helper()
		places(t, where...)
		d := &doctor{conf: Config{Model: m}}
		d.model(t.Context())
		if len(d.lines) != 1 || d.lines[0].Part != "model" {
			t.Fatalf("%+v: %+v", m, d.lines)
		}
		return d.lines[0]
	}
	usual := newConfig().Model
	for _, c := range []struct {
		endpoint, gate string
		where          []string
		status         condition
		what           string
	}{
		{"none", "none", nil, isFine, "none is asked"},
		{"auto", "none", nil, isFine, "no model server listens on this machine"},
		{"auto", "required", nil, isWrong, "holds every For"},
		{"auto", "none", []string{s.URL}, isFine, "toy, openai at " + s.URL},
		{"auto", "required", []string{s.URL}, isFine, "it must pass the text"},
		{s.URL + "/v1", "none", nil, isFine, "toy, openai at " + s.URL},
		{"http://127.0.0.1:1", "none", nil, isDoubtful, "http://127.0.0.1:1: "},
		{"http://127.0.0.1:1", "required", nil, isWrong, "holds every For"},
	} {
		m := usual
		m.Endpoint, m.Gate = c.endpoint, c.gate
		if l := look(m, c.where...); l.Status != c.status || !strings.Contains(l.What, c.what) || l.Status != isFine && l.Do == "" {
			t.Errorf("%s, gate %s, %v: %+v", c.endpoint, c.gate, c.where, l)
		}
	}
}

// init writes the model's part for a server that it found, and none otherwise; both are read as they should.
func TestInitFindsAModel(t *testing.T) {
	s := modelServer(t, answering("{}"))
	for _, where := range [][]string{{s.URL}, nil} {
		places(t, where...)
		var out strings.Builder
		x := &found{}
		x.findModel(t.Context(), &out)
		conf, problems := parseConfig("legate.yaml", []byte(fixtureConfig+x.modelText()))
		if problems.HasErrors() {
			t.Fatal(problems.Detail())
		}
		switch {
		case where == nil && (conf.Model != newConfig().Model || len(x.notes) != 1 || out.String() != ""):
			t.Errorf("nothing found: %+v %q", conf.Model, x.notes)
		case where != nil && (conf.Model.Endpoint != s.URL || !strings.Contains(out.String(), "toy, openai at "+s.URL)):
			t.Errorf("found: %+v %s", conf.Model, &out)
		}
	}
}
