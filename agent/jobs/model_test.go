package jobs_test

import (
	"context"
	"testing"

	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// A model that hangs, in the gates of many For and in every brief, delays no Against: it is gathered, decided, signed,
// sent and final all the same, its brief without the model is there, and no For is cast.
func TestHangingModelDelaysNobodysAgainst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.world.Pace = 1
	hang := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	r.world.Ports.Gate = func(ctx context.Context, _ dossier.Dossier, _ gov.Head) (dossier.WasGated, error) {
		return dossier.WasGated{}, hang(ctx)
	}
	r.world.Ports.Brief = func(ctx context.Context, d dossier.Dossier) (dossier.Brief, error) {
		if d.DraftedOn == d.Gathered.Basis {
			return dossier.Brief{}, hang(ctx)
		}
		return dossier.Brief{Kind: gov.BriefExtractive, Headline: "x", Model: &dossier.BriefModel{Outcome: dossier.ModelPending}}, nil
	}
	for n := range 9 {
		r.world.Propose(agenttest.Proposal{Number: uint64(10 + n), Direction: gov.For})
	}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start().vote(id, gov.VoteFinal)
	r.until("the brief without the model", func() bool { b := r.dossier(id).Brief; return b != nil && b.Headline == "x" })
	votes, _ := r.world.Votes()
	if len(votes) != 1 || votes[7] != gov.SupportAgainst {
		t.Errorf("votes on the chain: %v", votes)
	}
}
