package dossier

import "github.com/legate-dao/legate/agent/gov"

// GateModel is what a local model said of a proposal's texts, where the holder's gate requires one. All that it
// can do is hold a For: Pass counts for nothing unless screens and hold_if pass as well.
type GateModel struct {
	Server string     `json:"server"` // what serves it, as in [BriefModel]
	URL    string     `json:"url"`
	Name   Untrusted  `json:"name"`
	Prompt gov.Digest `json:"prompt"` // of the fixed prompt and schema
	Input  gov.Digest `json:"input"`  // of content hash and texts: the answer is kept for these
	Seed   int        `json:"seed"`
	Asked  int        `json:"asked"`
	// Outcome is used for an answer of the form that was asked for, else how it failed.
	Outcome BriefOutcome `json:"outcome"`
	Pass    bool         `json:"pass"`
	Why     Untrusted    `json:"why"` // the model's own words, or those of the failure
}

// String is what the model said, or how it failed, for people: inert, and bounded.
func (m GateModel) String() string {
	said := map[bool]string{true: "lets the text pass", false: "would hold"}[m.Pass]
	if m.Outcome != ModelUsed {
		said = "gave no answer to use (" + string(m.Outcome) + ")"
	}
	if m.Why != "" {
		said += ": “" + m.Why.Quote(200) + "”"
	}
	return "the model " + m.Name.Quote(60) + " " + said
}

// Reason is why the model holds the For; empty when it passes.
func (m GateModel) Reason() gov.HoldReason {
	switch {
	case m.Outcome != ModelUsed:
		return gov.HoldModelMissing
	case !m.Pass:
		return gov.HoldModel
	}
	return ""
}
