package sender

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Why no transaction is made. What is none of them may pass when it is tried again.
var (
	// ErrNotYet: voting has not begun.
	ErrNotYet = errors.New("voting has not begun")
	// ErrNotActive: voting is over.
	ErrNotActive = errors.New("voting is not open")
	// ErrNoPower: the voting key had no power at the snapshot.
	ErrNoPower = errors.New("the voting key has no voting power at the snapshot")
	// ErrNotDelegated: the holder's tokens are delegated to somebody else.
	ErrNotDelegated = errors.New("the holder's tokens are not delegated to the voting key")
	// ErrVoted: the voting key has voted.
	ErrVoted = errors.New("the voting key has voted already")
	// ErrContent: the chain holds other content than was judged.
	ErrContent = errors.New("the chain holds other content under this id")
	// ErrChain: the endpoints serve another chain, or the governor is not one of ours.
	ErrChain = errors.New("not on this chain")
	// ErrFrozen: signing is stopped.
	ErrFrozen = errors.New("signing is frozen")
)

// standing is what the chain says of a ballot at one block.
type standing struct {
	chain    uint64
	state    gov.State
	same     bool
	voted    bool
	power    gov.Amount
	delegate gov.Address
}

// Preflight says whether a vote can count, all at the newest block that enough endpoints agree on, and
// returns the voting key's power at the snapshot. An error may wrap one of the package's sentinels. The age
// of facts is the signer's to check, by its own clock.
func (s *Sender) Preflight(ctx context.Context, p gov.Proposal, h gov.Holder, b gov.Ballot) (quorum.Agreed[gov.Amount], error) {
	fail := func(err error) (quorum.Agreed[gov.Amount], error) {
		return quorum.Agreed[gov.Amount]{}, fmt.Errorf("pre-flight of %s on %s: %w", b.Support, b.Proposal, err)
	}
	if why, frozen := s.Frozen(); frozen {
		return fail(fmt.Errorf("%w: %s", ErrFrozen, why))
	}
	g, err := s.governor(b.Proposal)
	if err != nil {
		return fail(err)
	}
	if p.ID != b.Proposal || p.Flavour != b.Flavour {
		return fail(fmt.Errorf("%w: the ballot is on %s (%s), the proposal is %s (%s)", ErrContent, b.Proposal, b.Flavour, p.ID, p.Flavour))
	}
	head, err := s.head(ctx)
	if err != nil {
		return fail(err)
	}
	st, err := ask(ctx, s, func(ctx context.Context, c rpc.Caller) (standing, error) {
		return s.standing(ctx, c, g, p, h, b, blockOf(head.Value()))
	})
	if err != nil {
		return fail(err)
	}
	if err := st.Value().judge(s.Chain, b, h); err != nil {
		return fail(err)
	}
	return quorum.Map(st, func(st standing) gov.Amount { return st.power }), nil
}

// Delegate is whom a holder's tokens are delegated to, at the newest block that enough endpoints agree on.
func (s *Sender) Delegate(ctx context.Context, id gov.ProposalID, holder gov.Address) (quorum.Agreed[gov.Address], error) {
	fail := func(err error) (quorum.Agreed[gov.Address], error) {
		return quorum.Agreed[gov.Address]{}, fmt.Errorf("whom %s delegates to: %w", holder, err)
	}
	g, err := s.governor(id)
	if err != nil {
		return fail(err)
	}
	head, err := s.head(ctx)
	if err != nil {
		return fail(err)
	}
	to, err := ask(ctx, s, func(ctx context.Context, c rpc.Caller) (gov.Address, error) {
		return g.Delegate(ctx, c, holder, head.Value().Hash)
	})
	if err != nil {
		return fail(err)
	}
	return to, nil
}

// judge finds the first thing that is wrong.
func (st standing) judge(chain gov.ChainID, b gov.Ballot, h gov.Holder) error {
	switch {
	case st.chain != uint64(chain):
		return fmt.Errorf("%w: the endpoints serve eip155:%d, not %s", ErrChain, st.chain, chain)
	case st.state == gov.StatePending:
		return ErrNotYet
	case st.state != gov.StateActive:
		return fmt.Errorf("%w: it is %s", ErrNotActive, st.state)
	case !st.same:
		return ErrContent
	case st.voted:
		return ErrVoted
	case st.delegate != b.Voter:
		return fmt.Errorf("%w: those of %s are delegated to %s", ErrNotDelegated, h.Account, st.delegate)
	case st.power.IsZero():
		return ErrNoPower
	}
	return nil
}

// standing asks one endpoint. What is not asked because an earlier answer settles it stays zero.
func (s *Sender) standing(ctx context.Context, c rpc.Caller, g Governor, p gov.Proposal, h gov.Holder, b gov.Ballot, at gov.Block) (st standing, err error) {
	var chain hexutil.Uint64
	if err := c.Call(ctx, &chain, "eth_chainId"); err != nil {
		return st, fmt.Errorf("chain id: %w", err)
	}
	if st.chain = uint64(chain); st.chain != uint64(s.Chain) {
		return st, nil
	}
	id := b.Proposal.Number
	if st.state, err = g.State(ctx, c, id, at.Hash); err != nil || st.state != gov.StateActive {
		return st, err
	}
	switch err := g.Same(ctx, c, p, at); {
	case errors.Is(err, s.OtherContent):
		return st, nil
	case err != nil:
		return st, err
	}
	st.same = true
	if st.voted, err = g.HasVoted(ctx, c, id, b.Voter, at.Hash); err != nil || st.voted {
		return st, err
	}
	if st.delegate, err = g.Delegate(ctx, c, h.Account, at.Hash); err != nil {
		return st, err
	}
	snapshot, err := g.Snapshot(ctx, c, id, at.Hash)
	if err != nil {
		return st, err
	}
	st.power, err = g.Power(ctx, c, b.Voter, snapshot, at.Hash)
	return st, err
}

func ethAddress(a gov.Address) common.Address { return common.Address(a) }
