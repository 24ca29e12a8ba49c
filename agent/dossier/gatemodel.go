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
