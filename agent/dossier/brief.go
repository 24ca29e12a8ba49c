package dossier

import (
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// Brief is a summary for people, held to its sources: each of its sentences names what it stands on, and
// no number, address or function is in it that its sources do not have. It decides nothing.
type Brief struct {
	Kind gov.BriefKind `json:"kind"`
	// Language is a BCP 47 tag of what the sentences are written in, "und" where it cannot be told.
	Language string `json:"language"`
	// Headline has at most 120 characters; headline and sentences together at most 220 words.
	Headline  Untrusted       `json:"headline"`
	Sentences []BriefSentence `json:"sentences"`
	Claims    []Claim         `json:"claims"`
	// Contradicts says whether the text contradicts the calls (detector D10), by code. A model may add to it only.
	Contradicts gov.Maybe[bool] `json:"contradicts"`
	Cut         []BriefCut      `json:"cut"`
	// Sources are the sources that headline, sentences and claims cite: s1… sentences of the text, c1… calls, f1… other facts.
	Sources map[string]Untrusted `json:"sources"`
	// Model says which model was asked and what came of it; nil where none was asked.
	Model *BriefModel `json:"model"`
}

// BriefSentence is one sentence of a brief and the ids of its sources.
type BriefSentence struct {
	Text    Untrusted `json:"text"`
	Sources []string  `json:"sources"`
}

// BriefCut is what was taken out of a brief, and why.
type BriefCut struct {
	Text Untrusted `json:"text"`
	Why  string    `json:"why"`
}

// BriefModel is the model that was asked for a brief.
type BriefModel struct {
	Server  string       `json:"server"` // what serves it: ollama, llama-server, vllm, openai
	URL     string       `json:"url"`    // scheme, host and port
	Name    Untrusted    `json:"name"`   // as the server calls it
	Prompt  gov.Digest   `json:"prompt"` // of the fixed prompt and schema
	Input   gov.Digest   `json:"input"`  // of all that was sent
	Seed    int          `json:"seed"`   // of the last attempt
	Asked   int          `json:"asked"`  // attempts
	Outcome BriefOutcome `json:"outcome"`
	Why     Untrusted    `json:"why"` // of an outcome that is not used; may quote the server
	Tokens  struct {
		Prompt int `json:"prompt"`
		Answer int `json:"answer"`
	} `json:"tokens"` // of the last answer, as the server counts; 0 if unknown
}

// BriefOutcome is what came of asking a model.
type BriefOutcome string

// The outcomes. With every one but used the brief is extractive.
const (
	ModelUsed      BriefOutcome = "used"
	ModelPending   BriefOutcome = "pending"   // it has not answered yet; its brief takes the place of this one
	ModelAbsent    BriefOutcome = "absent"    // nobody listens there, or the model is not loaded
	ModelSlow      BriefOutcome = "slow"      // no answer in time
	ModelGarbage   BriefOutcome = "garbage"   // an answer that is not what was asked for
	ModelKilled    BriefOutcome = "killed"    // the connection ended before the answer did
	ModelTruncated BriefOutcome = "truncated" // the answer or the question did not fit
	ModelRefused   BriefOutcome = "refused"   // by the server, or the host is not allowed
	ModelFailed    BriefOutcome = "failed"    // the server said that it failed
	ModelPaused    BriefOutcome = "paused"    // it failed too often and is left alone for a while
	ModelUnfounded BriefOutcome = "unfounded" // nothing that it wrote was in its sources
)

// WasBriefed: a brief was written, on what the proposal did then (the facts' basis). It is a record beside the stages: nothing waits for it.
type WasBriefed struct {
	Brief Brief      `json:"brief"`
	Basis gov.Digest `json:"basis"`
}

func (WasBriefed) event() {}

// briefed takes in a brief from seen to queued. Later facts leave it in place until the next one is written. One for
// which a model is still to be asked is there for people, and another is owed.
func (d Dossier) briefed(e WasBriefed) (Dossier, bool) {
	if !d.Briefable() {
		return d, false
	}
	d.Brief, d.DraftedOn = &e.Brief, e.Basis
	if m := e.Brief.Model; m == nil || m.Outcome != ModelPending {
		d.BriefedOn = e.Basis
	}
	return d, true
}

// askModel ends the basis of a step that writes a brief by a model: there is one without already.
const askModel = "/model"

// brief is the step that writes a brief, with the basis of the facts it is about.
func (d Dossier) brief() (basis string, owed bool) {
	if d.Gathered == nil || !d.Briefable() || d.BriefedOn == d.Gathered.Basis {
		return "", false
	}
	basis = d.Gathered.Basis.String()
	if d.DraftedOn == d.Gathered.Basis {
		basis += askModel
	}
	return basis, true
}

// AsksModel says whether a step waits for a model.
func (s Step) AsksModel() bool { return s.Kind == Write && strings.HasSuffix(s.Basis, askModel) }

// Briefable says whether a brief still helps anybody: from seen until the proposal is over.
func (d Dossier) Briefable() bool {
	switch d.Stage {
	case AtSeen, AtGathered, AtDecided, AtVoted, AtNotVoted, AtQueued:
		return true
	}
	return false
}
