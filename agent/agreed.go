package agent

import (
	"context"
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// head is the agreed head for a governor, as records keep it.
func (a *Agent) head(ctx context.Context, id gov.ProposalID) (gov.Head, error) {
	head, err := a.Chain.Head(ctx, id)
	if err != nil {
		return gov.Head{}, err
	}
	return head.Value(), nil
}

// standing is a proposal's agreed state and deadline.
func (a *Agent) standing(ctx context.Context, p gov.Proposal) (gov.State, gov.Clocks, error) {
	s, err := a.Chain.Standing(ctx, p)
	if err != nil {
		return "", 0, err
	}
	return s.Value().State, s.Value().Ends, nil
}

// same is an error that wraps [ErrOther] where the chain holds other content than was judged.
func (a *Agent) same(ctx context.Context, p gov.Proposal, at gov.Block) error {
	same, err := a.Chain.Same(ctx, p, at)
	if err == nil && !same.Value() {
		err = fmt.Errorf("%s at block %d: %w", p.ID, at.Number, ErrOther)
	}
	return err
}

// canonical is an error that wraps [ErrMoved] where a block is not in the chain any more.
func (a *Agent) canonical(ctx context.Context, id gov.ProposalID, b gov.Block) error {
	in, err := a.Chain.Canonical(ctx, id, b)
	if err == nil && !in.Value() {
		err = fmt.Errorf("block %d is not %s any more: %w", b.Number, b.Hash, ErrMoved)
	}
	return err
}

// sameCode is an error that wraps [ErrMoved] where the code behind the calls is not what facts say.
func (a *Agent) sameCode(ctx context.Context, d dossier.Dossier, f gov.Facts, at gov.Block) error {
	same, err := a.Chain.SameCode(ctx, d.Proposal, f, at)
	if err == nil && !same.Value() {
		err = fmt.Errorf("an account that the calls name has other code than the facts say: %w", ErrMoved)
	}
	return err
}
