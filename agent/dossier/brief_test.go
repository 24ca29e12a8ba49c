package dossier_test

import (
	"encoding/json"
	"errors"
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
