package journal_test

import (
	"context"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// A vote that was sent is followed also when a reorganisation has removed its proposal.
func TestG10SentVoteOfARemovedProposalIsFollowed(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	gathered := dossier.WasGathered{Gathered: dossier.Gathered{Digest: gov.Digest{1}}}
	sent := []dossier.Event{
		seen(id(1)), gathered, dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.Against, Facts: gov.Digest{1}}}, dossier.WasLocked{Ballot: gov.Ballot{Proposal: id(1)}},
		dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasSent{}, dossier.WasRewound{},
	}
	add(t, db, id(1), sent...)
	add(t, db, id(2), seen(id(2)), dossier.WasRewound{})
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		list, err := tx.Open(ctx, 1)
		if err != nil {
			return err
		}
		if len(list) != 1 || list[0].ID != id(1) || list[0].Vote != gov.VoteSent {
			t.Errorf("open: %+v", list)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
