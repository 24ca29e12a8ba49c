package main

import (
	"context"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
)

// valueOf is an agreed value; the zero value with an error.
func valueOf[T any](a quorum.Agreed[T], err error) (out T, _ error) {
	if err != nil {
		return out, err
	}
	return a.Value(), nil
}

// plainWorld is a world whose agreed answers are taken apart, so that a test compares values.
type plainWorld struct{ *world }

func (w plainWorld) Standing(ctx context.Context, p gov.Proposal) (gov.State, gov.Clocks, error) {
	s, err := valueOf(w.world.Standing(ctx, p))
	return s.State, s.Ends, err
}

func (w plainWorld) Gather(ctx context.Context, p gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	return valueOf(w.world.Gather(ctx, p, at))
}

func (w plainWorld) Head(ctx context.Context, id gov.ProposalID) (gov.Head, error) {
	return valueOf(w.world.Head(ctx, id))
}

func (w plainWorld) Same(ctx context.Context, p gov.Proposal, at gov.Block) error {
	same, err := valueOf(w.world.Same(ctx, p, at))
	if err == nil && !same {
		return governor.ErrOtherContent
	}
	return err
}

func (w plainWorld) Canonical(ctx context.Context, id gov.ProposalID, b gov.Block) error {
	in, err := valueOf(w.world.Canonical(ctx, id, b))
	if err == nil && !in {
		return agent.ErrMoved
	}
	return err
}

func (w plainWorld) SameCode(ctx context.Context, p gov.Proposal, f gov.Facts, at gov.Block) error {
	same, err := valueOf(w.world.SameCode(ctx, p, f, at))
	if err == nil && !same {
		return moved{}
	}
	return err
}

// moved says both that the chain has moved on and that it is the code that has.
type moved struct{}

func (moved) Error() string        { return "other code" }
func (moved) Is(target error) bool { return target == agent.ErrMoved || target == facts.ErrOtherCode }
