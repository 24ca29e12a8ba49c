package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/web"
)

// desk is a reader of dossiers that the demo's real pipeline wrote (testdata), which a test may change while pages
// are open.
type desk struct {
	mu     sync.Mutex
	docs   []dossier.Document
	status web.Status
	lists  int // how often the list was read
}

// wallTime is when the pages of these tests are looked at: six hours before the proposals' voting ends.
var wallTime = time.Date(2026, 11, 25, 9, 10, 0, 0, time.UTC)

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{status: web.Status{
		Version: 1, Program: "test", Live: true, Frozen: gov.Known(false), Key: &gov.Address{0xba},
		Chains: []web.Chain{{Chain: 31337, Head: gov.Block{Number: 5016, Time: gov.UnixTime(wallTime.Unix())}, Followed: true, Lag: gov.Known(1.0)}},
	}}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dossiers in testdata: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		doc, _, err := dossier.ReadDocument(b)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		d.docs = append(d.docs, doc)
	}
	return d
}

// change changes one dossier.
func (d *desk) change(handle string, f func(*dossier.Document)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.docs {
		if d.docs[i].Handle == handle {
			f(&d.docs[i])
			return
		}
	}
	panic("no dossier " + handle)
}

func (d *desk) add(doc dossier.Document) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.docs = append(d.docs, doc)
}

func (d *desk) Proposals(context.Context) ([]dossier.Summary, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lists++
	out := []dossier.Summary{}
	for _, doc := range d.docs {
		s := dossier.Summary{
			ID: doc.ID, Handle: doc.Handle, Title: doc.Text.Title, State: doc.Proposal.State, Stage: doc.Proposal.Stage,
			Vote: doc.Vote, EndsAt: doc.Proposal.EndsAt, Findings: &dossier.FoundCounts{},
		}
		if doc.Verdict != nil {
			s.Final = &doc.Verdict.Final
		}
		for _, f := range doc.Findings {
			if f.Status == gov.Found {
				switch f.Severity {
				case gov.Critical:
					s.Findings.Critical++
				case gov.Warning:
					s.Findings.Warning++
				default:
					s.Findings.Info++
				}
			}
		}
		out = append(out, s)
	}
	return out, nil
}

func (d *desk) Document(_ context.Context, id gov.ProposalID) (dossier.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, doc := range d.docs {
		if doc.ID == id {
			return doc, nil
		}
	}
	return dossier.Document{}, web.ErrUnknown
}

func (d *desk) Status(context.Context) (web.Status, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.status
	s.Chains = slices.Clone(s.Chains)
	return s, nil
}

// edit changes the facts of a document as JSON.
func edit(doc *dossier.Document, f func(facts map[string]any)) {
	var m map[string]any
	if err := json.Unmarshal(doc.Facts, &m); err != nil {
		panic(err)
	}
	f(m)
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	doc.Facts = b
}

// words are what strangers wrote, in every place that has room for it.
type words func(place string) string

// plain are words without a trick.
func plain(place string) string { return "words of " + place }

// outlookOf is an outlook of a treasury that lasts half as long with the proposal.
func outlookOf(say words) dossier.OutlookDoc {
	q := func(p05, p50, p95 float64) gov.Quantiles {
		return gov.Quantiles{P05: gov.Known(p05), P50: gov.Known(p50), P95: gov.Known(p95)}
	}
	without := gov.Outlook{Treasury: gov.Known(gov.TreasuryOutlook{RunwayDays: q(181.4, 300, 365), ValueUSD: q(1.2e6, 2e6, 3e6)}), Dilution: gov.Known(q(0, 0.01, 0.02))}
	return dossier.OutlookDoc{
		Outlook: gov.Outlook{Treasury: gov.Known(gov.TreasuryOutlook{RunwayDays: q(90.6, 120, 365), ValueUSD: q(0, 1e6, 2.5e6)})}, Without: &without,
		Missing: []gov.Missing{{Part: "outlook.dilution", Reason: gov.NoFacts}, {Part: "outlook.collateral", Reason: gov.NoPositions}},
		Engine:  &gov.ForecastEngine{Paths: 5000, Seed: say("engine seed"), Version: say("engine version")},
	}
}

// fill puts words of strangers into every text field of a dossier, and makes a tree of calls with inner ones.
func fill(doc *dossier.Document, say words) {
	u := func(place string) dossier.Untrusted { return dossier.Untrusted(say(place)) }
	doc.Text = dossier.Text{Title: u("title"), Description: u("description"), Flags: []gov.Flag{gov.FlagInstructions, gov.Flag(say("flag"))}}
	for i := range doc.Proposal.Actions {
		doc.Proposal.Actions[i].Signature = u("signature")
	}
	known := gov.Known(true)
	doc.Brief = &dossier.Brief{
		Kind: gov.BriefModel, Language: say("language"), Headline: u("headline"),
		Sentences:   []dossier.BriefSentence{{Text: u("sentence"), Sources: []string{"s1", "c1", "s10", say("source id")}}},
		Cut:         []dossier.BriefCut{{Text: u("cut"), Why: say("cut why")}},
		Sources:     map[string]dossier.Untrusted{"s1": u("source one"), "c1": u("source two"), "s10": u("source ten"), say("source id"): u("source three")},
		Contradicts: known, Model: &dossier.BriefModel{Name: u("model name"), Outcome: dossier.ModelSlow, Why: u("model why")},
	}
	doc.Outlook = outlookOf(say)
	doc.Claims = []dossier.Claim{{Text: u("claim"), Relation: dossier.Contradicts}, {Text: u("claim two"), Relation: dossier.Match}}
	for i := range doc.Findings {
		f := &doc.Findings[i]
		f.Title, f.Remedy = say("finding"), say("remedy")
		f.Evidence = []gov.Evidence{{What: say("evidence"), Call: []int{0, 1}}}
	}
	if v := doc.Verdict; v != nil {
		v.Because = say("because")
		v.Gate = &dossier.GateDoc{Gated: gov.Gated{Result: gov.GateHold, Reasons: []gov.HoldReason{gov.HoldModel}},
			Model: &dossier.GateModel{Name: u("gate model"), Outcome: dossier.ModelUsed, Why: u("gate model why")}}
		for i := range v.Trace {
			v.Trace[i].Why = say("trace why")
			v.Trace[i].Values = gov.Values{{Name: say("fact name"), Value: jsonOf(say("fact value"))}, {Name: "missing.one"}}
		}
	}
	edit(doc, func(facts map[string]any) {
		facts["effects"].(map[string]any)["reason"] = say("revert reason")
		call := facts["calls"].([]any)[0].(map[string]any)
		inner := clone(call)
		inner["known"], inner["signature"], inner["kind"], inner["decoded"], inner["args"] = false, "", "unknown", "none", []any{}
		inner["candidates"] = []any{say("candidate"), say("candidate two")}
		inner["candidate_args"] = []any{map[string]any{"name": say("argument name"), "type": "string", "value": say("argument")}}
		deep := clone(call)
		deep["label"] = say("label")
		deep["args"] = []any{
			map[string]any{"name": "memo", "type": "string", "value": say("string argument")},
			map[string]any{"name": "list", "type": "string[]", "value": []any{say("first"), say("second")}},
		}
		outer := clone(call)
		outer["children"] = []any{deep, inner}
		facts["calls"] = []any{outer}
	})
}

func jsonOf(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func clone(m map[string]any) map[string]any {
	var out map[string]any
	if err := json.Unmarshal(jsonOf(m), &out); err != nil {
		panic(err)
	}
	return out
}

// held makes a proposal wait for its holder.
func held(doc *dossier.Document) {
	doc.Vote = &dossier.VoteDoc{Status: gov.VoteHeld, Reason: string(gov.HoldOtherwise)}
	doc.Proposal.Stage = dossier.AtDecided
}

// over makes a proposal one that was executed long ago.
func over(doc dossier.Document, n int) dossier.Document {
	doc.ID.Number = gov.NewAmount(uint64(n))
	doc.Handle = fmt.Sprintf("%s/%d", doc.Proposal.Name, n)
	doc.Proposal.State, doc.Proposal.Stage = gov.StateExecuted, dossier.AtClosed
	doc.Proposal.EndsAt = gov.UnixTime(wallTime.Unix()) - gov.UnixTime(n)*86400
	return doc
}
