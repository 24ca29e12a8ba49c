package dossier

import "github.com/legate-dao/legate/agent/gov"

// List is the document of `legate proposals --json` and of /api/v1/proposals.
type List struct {
	Version   int       `json:"version"`
	Proposals []Summary `json:"proposals"`
}

// Summary is one proposal in a list.
type Summary struct {
	ID     gov.ProposalID `json:"id"`
	Handle string         `json:"handle"`
	Title  Untrusted      `json:"title"`
	State  gov.State      `json:"state"`
	Stage  Stage          `json:"stage"`
	Final  *gov.Direction `json:"final"` // after the gate; null before a verdict
	Vote   *VoteDoc       `json:"vote"`
	EndsAt gov.UnixTime   `json:"ends_at"`
	// Findings are how many things were found, by severity; null before facts.
	Findings *FoundCounts `json:"findings"`
}

// FoundCounts counts findings that were found.
type FoundCounts struct {
	Critical int `json:"critical"`
	Warning  int `json:"warning"`
	Info     int `json:"info"`
}

// Summary is the dossier in a list; handle is its short name.
func (d Dossier) Summary(handle string) Summary {
	s := Summary{ID: d.ID(), Handle: handle, Title: d.Text.Title, State: d.Proposal.State, Stage: d.Stage, Vote: d.VoteDoc(), EndsAt: d.EndsAt()}
	if d.Verdict != nil {
		final := d.Final()
		s.Final = &final
	}
	if d.Gathered != nil {
		s.Findings = countFound(d.allFindings())
	}
	return s
}

func countFound(list []gov.Finding) *FoundCounts {
	var n FoundCounts
	for _, f := range list {
		switch {
		case f.Status != gov.Found:
		case f.Severity == gov.Critical:
			n.Critical++
		case f.Severity == gov.Warning:
			n.Warning++
		default:
			n.Info++
		}
	}
	return &n
}
