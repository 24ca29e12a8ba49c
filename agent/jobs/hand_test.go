package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
)

// TestG49HandWhereGatheringFailsForEver: no facts ever come, and the holder's vote is cast all the same; beside it an
// honest proposal is decided and voted on. The store is sound afterwards.
func TestG49HandWhereGatheringFailsForEver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	gather := r.world.Ports.Gather
	hostile := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Hold})
	honest := r.world.Propose(agenttest.Proposal{Number: 8, Direction: gov.For})
	r.world.Ports.Gather = func(ctx context.Context, p gov.Proposal, at gov.Block) (dossier.Gathered, error) {
		if p.ID == hostile {
			return dossier.Gathered{}, errors.New("test: it cannot be read")
		}
		return gather(ctx, p, at)
	}
	r.start().head(4)
	r.until("seen", func() bool { return r.dossier(hostile).Stage == dossier.AtSeen })
	d := r.dossier(hostile)
	answer := gov.Approval{Proposal: hostile, ContentHash: d.Proposal.ContentHash, Support: gov.SupportAgainst, Expires: gov.UnixTime(1 << 33)}
	if _, err := jobs.Tell(t.Context(), r.db, hostile, time.Now(), dossier.WasApproved{Approval: answer}); err != nil {
		t.Fatal(err)
	}
	r.heads("the hand's vote", func() bool { return r.dossier(hostile).Stage == dossier.AtVoted })
	r.heads("the honest vote", func() bool { return r.dossier(honest).Stage == dossier.AtVoted })
	votes, doubled := r.world.Votes()
	if votes[7] != gov.SupportAgainst || votes[8] != gov.SupportFor || doubled > 0 {
		t.Errorf("votes %v, %d twice", votes, doubled)
	}
	d = r.dossier(hostile)
	if d.Gathered != nil || d.Locked == nil || !d.Locked.OnContent() || d.Vote.Ballot.Reason.Record != (gov.Digest{}) {
		t.Errorf("it was locked on %+v", d.Locked)
	}
	r.sound()
}
