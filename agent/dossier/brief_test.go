package dossier_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// A brief is a record beside the stages: it moves none, waits for none, and is there in the document.
func TestBriefIsARecordBesideTheStages(t *testing.T) {
	brief := dossier.Brief{Kind: gov.BriefExtractive, Language: "en", Headline: "Pay Alice", Sentences: []dossier.BriefSentence{{Text: "Pay Alice.", Sources: []string{"s1"}}},
		Claims: []dossier.Claim{}, Contradicts: gov.Known(false), Cut: []dossier.BriefCut{}, Sources: map[string]dossier.Untrusted{"s1": "Pay Alice."}}
	record, err := dossier.Encode(gov.ProposalID{Chain: 1}, 1, time.Unix(9, 0), dossier.WasBriefed{Brief: brief, Basis: gov.Digest{1}})
	if err != nil {
		t.Fatal(err)
	}
	event, err := dossier.Decode(record.Type, record.Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dossier.WasBriefed{Brief: brief, Basis: gov.Digest{1}}, event, cmp.AllowUnexported(gov.Maybe[bool]{})); diff != "" {
		t.Errorf("a stored brief comes back otherwise (-want +got):\n%s", diff)
	}
	s := &story{t: t}
	if _, err := s.d.Apply(event); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("a brief of a proposal that nobody has seen: %v", err)
	}
	s.happen(seen(), event, gathered(2100), event, decided(2100, verdict(gov.Against)), event)
	before := s.d
	s.happen(event)
	if s.d.Stage != before.Stage || s.d.Vote.Status != before.Vote.Status || s.d.Choice(at(2100)) != before.Choice(at(2100)) {
		t.Errorf("a brief moved the life: %s %s", s.d.Stage, s.d.Vote.Status)
	}
	doc, err := s.d.Document("x/7")
	if err != nil || doc.Brief == nil || doc.Brief.Headline != "Pay Alice" {
		t.Errorf("document: %v %+v", err, doc.Brief)
	}
	s.happen(dossier.WasRewound{})
	if _, err := s.d.Apply(event); !errors.Is(err, dossier.ErrNotNow) {
		t.Errorf("a brief of a closed proposal: %v", err)
	}
	none, err := dossier.Dossier{}.Document("x/7")
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(none)
	var got map[string]json.RawMessage
	if err != nil || json.Unmarshal(b, &got) != nil || string(got["brief"]) != "null" {
		t.Errorf("brief before there is one: %v %s", err, got["brief"])
	}
}

// While a model is to be asked the brief without it is there, and the step that asks it stays owed, under a name of its
// own; then nothing is owed until what the proposal does changes.
func TestBriefBeforeTheModelAnswers(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.Against)))
	basis := s.d.Gathered.Basis
	owed := func() (out []dossier.Step) {
		for _, step := range dossier.Next(s.d, at(2100)) {
			if step.Kind == dossier.Write {
				out = append(out, step)
			}
		}
		return out
	}
	written := func(o dossier.BriefOutcome) dossier.WasBriefed {
		b := dossier.Brief{Kind: gov.BriefExtractive, Headline: dossier.Untrusted("for " + o)}
		if o != "" {
			b.Model = &dossier.BriefModel{Outcome: o}
		}
		return dossier.WasBriefed{Brief: b, Basis: basis}
	}
	first := owed()
	if len(first) != 1 || first[0].AsksModel() {
		t.Fatalf("owed at first: %v", first)
	}
	draft := s.d
	s.happen(written(dossier.ModelPending))
	second := owed()
	if len(second) != 1 || !second[0].AsksModel() || second[0] == first[0] || s.d.Brief == nil {
		t.Fatalf("owed while the model writes: %v, brief %v", second, s.d.Brief)
	}
	if card := s.d.Card(); card.Brief == nil || !strings.Contains(card.Brief.Label, "still writing") {
		t.Errorf("the card: %+v", card.Brief)
	}
	s.happen(written(dossier.ModelSlow))
	if left := owed(); len(left) != 0 || s.d.Brief.Headline != "for slow" {
		t.Errorf("owed after a model that is slow: %v, %s", left, s.d.Brief.Headline)
	}
	if card := s.d.Card(); !strings.Contains(card.Brief.Label, "nothing to use (slow)") {
		t.Errorf("the card: %+v", card.Brief)
	}
	s.d = draft
	s.happen(written(""))
	if left := owed(); len(left) != 0 {
		t.Errorf("owed without a model: %v", left)
	}
}
