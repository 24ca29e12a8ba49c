package facts

import (
	"context"

	"github.com/legate-dao/legate/agent/gov"
)

// votes reads who voted and with what power. What cannot be had stays missing; it is not listed with the facts, whose
// digest must not depend on the context.
func votes(ctx context.Context, g *gathering) {
	governor, c, at := g.deps.Governor, g.deps.Caller, g.at.Hash
	if governor.Address.IsZero() || g.p.Draft {
		return
	}
	out, id, snapshot := &g.context, g.p.ID.Number, g.p.Starts
	tally, err := governor.Tally(ctx, c, id, at)
	if err == nil {
		out.Tally = gov.Known(tally)
		if needed, err := governor.Quorum(ctx, c, snapshot, at); err == nil {
			out.Quorum = gov.Known(gov.QuorumReach{Needed: needed, Reached: governor.Reached(tally, needed)})
		}
	}
	supply, supplyErr := governor.Supply(ctx, c, snapshot, at)
	if err == nil && supplyErr == nil && !supply.IsZero() {
		cast := tally.For.Float() + tally.Against.Float() + tally.Abstain.Float()
		out.Turnout = gov.Known(cast / supply.Float())
	}
	g.voter(ctx, supply, supplyErr == nil)
}

func (g *gathering) voter(ctx context.Context, supply gov.Amount, supplyKnown bool) {
	governor, c, at, v := g.deps.Governor, g.deps.Caller, g.at.Hash, &g.context.Voter
	if g.deps.Voter.IsZero() {
		return
	}
	if power, err := governor.Power(ctx, c, g.deps.Voter, g.p.Starts, at); err == nil {
		v.Power = gov.Known(power)
		if supplyKnown && !supply.IsZero() {
			v.Share = gov.Known(power.Float() / supply.Float())
		}
	}
	if voted, err := governor.HasVoted(ctx, c, g.p.ID.Number, g.deps.Voter, at); err == nil {
		v.HasVoted = gov.Known(voted)
	}
	switch holder := g.deps.Holder; {
	case holder.IsZero():
	case holder == g.deps.Voter:
		v.HolderDelegates = gov.Known(true)
	default:
		if delegate, err := governor.Delegate(ctx, c, holder, at); err == nil {
			v.HolderDelegates = gov.Known(delegate == g.deps.Voter)
		}
	}
}
