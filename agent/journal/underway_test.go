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

// What waits in a pool after voting has closed is known, and is no vote under way.
func TestVotesUnderWayAndGivenUp(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	bound := func(n uint64, more ...dossier.Event) {
		add(t, db, id(n), append([]dossier.Event{
			seen(id(n)), dossier.WasGathered{Gathered: dossier.Gathered{Digest: gov.Digest{1}}},
			dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.Against, Facts: gov.Digest{1}}}, dossier.WasLocked{Ballot: gov.Ballot{Proposal: id(n)}},
		}, more...)...)
	}
	signed, over := dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen}
	bound(1, signed, dossier.WasSent{})
	bound(2, signed, dossier.WasSent{}, over)
	bound(3, over) // never signed
	bound(4)
	for n, want := range map[uint64][2]int{9: {2, 1}, 1: {1, 1}, 2: {2, 0}} {
		flying, err := db.InFlight(t.Context(), id(n))
		left, err2 := db.GivenUp(t.Context(), id(n))
		if got := [2]int{len(flying), len(left)}; err != nil || err2 != nil || got != want {
			t.Errorf("beside %d: %v under way and given up, want %v (%v, %v)", n, got, want, err, err2)
		}
	}
}
