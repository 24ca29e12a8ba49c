package main

import (
	"fmt"
	"log/slog"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// narrate says in one line what a record means to a person; empty for what only the program needs.
func narrate(r dossier.Record, d dossier.Dossier) (what, line string) {
	switch e := r.Event.(type) {
	case dossier.WasSeen:
		return "seen", fmt.Sprintf("“%s”", e.Seen.Text.Title.Line(60))
	case dossier.WasRewound:
		return "rewound", "a reorganisation took its creation away"
	case dossier.WasTakenBack:
		return "taken back", fmt.Sprintf("a change did not happen, the proposal is %s again", d.Proposal.State)
	case dossier.WasReopened:
		return "reopened", fmt.Sprintf("voting seemed over and is not, the proposal is %s", e.State)
	case dossier.WasGathered:
		return "gathered", fmt.Sprintf("%v, dry run %s, %d findings", e.Gathered.Facts.Kinds.Or(nil), e.Gathered.Facts.Effects.Status.Or(gov.EffectsUnavailable), countFound(e.Gathered.Findings))
	case dossier.WasDecided:
		return "decided", fmt.Sprintf("%s by %s", e.Verdict.Direction, e.Verdict.Rule)
	case dossier.WasGated:
		return "gate", fmt.Sprintf("%s %v", e.Gate.Result, e.Gate.Reasons)
	case dossier.WasForecast:
		if e.Forecast != nil {
			return "forecast", fmt.Sprintf("passes %.0f %%, quorum %.0f %%", 100*e.Forecast.Pass.P, 100*e.Forecast.Quorum.P)
		}
	case dossier.WasApproved:
		return "by hand", fmt.Sprintf("the holder says %s", e.Approval.Support)
	case dossier.WasCanceled:
		return "canceled", "the holder stopped the vote"
	case dossier.WasLocked:
		return "locked", fmt.Sprintf("%s, power %s", e.Ballot.Support, e.Power.Or(gov.Amount{}))
	case dossier.WasReleased:
		return "released", "to be decided again before signing"
	case dossier.WasSent:
		return "sent", e.Hash.Hex()
	case dossier.WasUnmined:
		return "unmined", "a reorganisation took the vote's block away; the same bytes are sent again"
	case dossier.WasFinal:
		return "vote final", fmt.Sprintf("%s in block %d, %s", d.Vote.Ballot.Support, e.Receipt.Block.Number, e.Receipt.Tx)
	case dossier.WasReverted:
		return "reverted", "the vote's transaction failed"
	case dossier.WasNotVoted:
		return "no vote", string(e.Why)
	case dossier.WasTimedOut:
		outcome := "no vote"
		if e.Direction != gov.Hold {
			outcome = "a vote " + e.Direction.String()
		}
		return "no answer", "the hold met its time-out: " + outcome
	case dossier.WasReminded:
		return "reminder", fmt.Sprintf("the hold ends in %s", e.Before)
	case dossier.WasChanged:
		if e.Change.State != "" {
			return "chain", fmt.Sprintf("the proposal is %s", e.Change.State)
		}
	}
	return "", ""
}

// logRecords logs each record that means something to a person.
func logRecords(log *slog.Logger) func(dossier.Record, dossier.Dossier) {
	return func(r dossier.Record, d dossier.Dossier) {
		what, line := narrate(r, d)
		if what == "" {
			return
		}
		attrs := []any{"proposal", d.ID().Handle(d.Proposal.Name, 6), "what", line, "seq", r.Seq}
		if what == "reverted" { // needs a person
			log.Error(what, attrs...)
			return
		}
		log.Info(what, attrs...)
	}
}

func countFound(list []gov.Finding) (n int) {
	for _, f := range list {
		if f.Status == gov.Found {
			n++
		}
	}
	return n
}
