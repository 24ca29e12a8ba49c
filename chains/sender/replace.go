package sender

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Replace plans the same vote again where the sent transaction cannot be mined: under the same nonce at a
// higher fee where the base fee has outrun it or no endpoint took it for its tip; under the chain's next nonce where something else of the key
// used the nonce, or what came before it is gone. nil says that the sent one is still good, or that no more
// may be paid. The caller has it signed again: the ledger admits the same vote only.
func (s *Sender) Replace(ctx context.Context, v gov.Vote) (quorum.Agreed[*gov.Tx], error) {
	fail := func(err error) (quorum.Agreed[*gov.Tx], error) {
		return quorum.Agreed[*gov.Tx]{}, fmt.Errorf("replace %s: %w", v.Tx, err)
	}
	tx, err := s.transaction(v)
	if err != nil {
		return fail(err)
	}
	head, err := s.head(ctx)
	if err != nil {
		return fail(err)
	}
	next, err := s.nonce(ctx, v.Ballot.Voter, head)
	if err != nil {
		return fail(err)
	}
	var plan *gov.Tx
	switch {
	case next.Value() > v.Nonce:
		plan, err = s.afterForeign(ctx, v, next.Value())
	case next.Value() < v.Nonce:
		plan, err = s.afterGap(ctx, v, next.Value())
	default:
		plan, err = s.dearer(ctx, v, tx, head)
	}
	if err != nil {
		return fail(err)
	}
	return quorum.Join(head, next, func(rpc.Header, uint64) *gov.Tx { return plan }), nil
}

// Retry plans a vote again when its transaction was mined and failed: under the chain's next nonce, with twice the gas that
// it had. nil says that the vote is counted all the same, or that it has failed with the most gas. An error may wrap
// what [Sender.Plan]'s may; [ErrReverts] says that it would fail again.
func (s *Sender) Retry(ctx context.Context, v gov.Vote) (quorum.Agreed[*gov.Tx], error) {
	fail := func(err error) (quorum.Agreed[*gov.Tx], error) {
		return quorum.Agreed[*gov.Tx]{}, fmt.Errorf("try %s again: %w", v.Tx, err)
	}
	tx, err := s.transaction(v)
	if err != nil {
		return fail(err)
	}
	r, err := s.counted(ctx, v)
	if err != nil {
		return fail(err)
	}
	if r.Value() == nil || r.Value().OK || tx.Gas() >= s.MaxGas {
		return quorum.Map(r, func(*gov.Receipt) *gov.Tx { return nil }), nil
	}
	plan, err := s.plan(ctx, v.Ballot, nil, 2*tx.Gas())
	if err != nil {
		return fail(err)
	}
	s.Log.Warn("the vote's transaction failed, it is planned again with more gas", "proposal", v.Ballot.Proposal.String(), "tx", v.Tx, "gas", plan.Value().Gas)
	return quorum.Map(plan, func(tx gov.Tx) *gov.Tx { return &tx }), nil
}

// afterForeign: the nonce is used. By this vote in whatever form, then Confirm finds it; else by somebody
// who has the key, or its owner by hand.
func (s *Sender) afterForeign(ctx context.Context, v gov.Vote, next uint64) (*gov.Tx, error) {
	r, err := s.counted(ctx, v)
	if err != nil || r.Value() != nil {
		return nil, err
	}
	s.Log.Error("the voting key's nonce was used by another transaction, the vote is planned again", "proposal", v.Ballot.Proposal.String(), "nonce", v.Nonce, "next", next, "tx", v.Tx)
	return s.anew(ctx, v)
}

// anew plans a vote under the chain's next nonce.
func (s *Sender) anew(ctx context.Context, v gov.Vote) (*gov.Tx, error) {
	plan, err := s.Plan(ctx, v.Ballot, nil)
	if err != nil {
		return nil, err
	}
	tx := plan.Value()
	return &tx, nil
}

// afterGap: a transaction before ours left the chain. While it waits in a pool ours will follow it.
func (s *Sender) afterGap(ctx context.Context, v gov.Vote, next uint64) (*gov.Tx, error) {
	waiting, err := s.pending(ctx, v.Ballot.Voter)
	if err != nil || waiting > next {
		return nil, err
	}
	s.Log.Warn("a transaction before the vote's left the chain", "proposal", v.Ballot.Proposal.String(), "nonce", v.Nonce, "next", next)
	return s.anew(ctx, v)
}

// dearer raises the fee where the base fee left less than the smallest tip, or where every endpoint refused the
// transaction for its fee: pools have a least tip of their own, which none tells. Pools take a replacement only
// when both fees are a tenth higher at least.
func (s *Sender) dearer(ctx context.Context, v gov.Vote, tx *types.Transaction, at quorum.Agreed[rpc.Header]) (*gov.Tx, error) {
	head := at.Value()
	if head.BaseFee == nil {
		return nil, fmt.Errorf("%w: block %d has no base fee", ErrBytes, head.Number)
	}
	old, err := bidOf(tx)
	if err != nil {
		return nil, err
	}
	outrun, cheap := old.outrun(head.BaseFee), s.isCheap(v.Tx)
	if !outrun && !cheap {
		return nil, nil
	}
	tip := s.tip(ctx)
	if cheap && !outrun {
		if taken, err := s.taken(ctx, v); err != nil || taken {
			return nil, err
		}
		tip = larger(tip, doubled(old.tip))
	}
	most := s.most(v.Ballot, tx.Gas())
	feeCap, tipCap, err := fees(head.BaseFee, tip, most)
	if err != nil {
		s.Log.Warn("the vote waits for a lower fee", "proposal", v.Ballot.Proposal.String(), "error", err)
		return nil, nil
	}
	feeCap, tipCap = old.beaten(feeCap, tipCap)
	if feeCap.Gt(most) || tipCap.Gt(feeCap) {
		s.Log.Warn("the vote waits: a replacement would cost more than may be paid", "proposal", v.Ballot.Proposal.String(), "most", most.Dec())
		return nil, nil
	}
	s.noteCheap(v.Tx, false)
	return &gov.Tx{Nonce: v.Nonce, Gas: tx.Gas(), FeeCap: gov.AmountOf(feeCap), TipCap: gov.AmountOf(tipCap)}, nil
}

// taken says whether a pool has another transaction of the key in the place of one that was refused: it was sent
// by hand, and is not fought over.
func (s *Sender) taken(ctx context.Context, v gov.Vote) (bool, error) {
	waiting, err := s.pending(ctx, v.Ballot.Voter)
	if err != nil || waiting <= v.Nonce {
		return false, err
	}
	s.Log.Warn("another transaction of the voting key waits under the vote's nonce", "proposal", v.Ballot.Proposal.String(), "nonce", v.Nonce, "tx", v.Tx)
	return true, nil
}

// doubled is twice as much, the largest number where that overflows.
func doubled(n *uint256.Int) *uint256.Int {
	out, over := new(uint256.Int).AddOverflow(n, n)
	if over {
		out.SetAllOne()
	}
	return out
}

// bid is what a sent transaction offers, in wei per gas.
type bid struct{ cap, tip *uint256.Int }

func bidOf(tx *types.Transaction) (b bid, err error) {
	var over, over2 bool
	b.cap, over = uint256.FromBig(tx.GasFeeCap())
	b.tip, over2 = uint256.FromBig(tx.GasTipCap())
	if over || over2 {
		return b, fmt.Errorf("%w: fees beyond 256 bits", ErrBytes)
	}
	return b, nil
}

// outrun says whether a base fee leaves less than the smallest tip, so that no block takes the transaction.
func (b bid) outrun(base *uint256.Int) bool {
	needed, over := new(uint256.Int).AddOverflow(base, minTip)
	return over || b.cap.Lt(needed)
}

// beaten raises fees to what pools demand of a transaction in the place of this one.
func (b bid) beaten(feeCap, tipCap *uint256.Int) (*uint256.Int, *uint256.Int) {
	return larger(feeCap, bumped(b.cap)), larger(tipCap, bumped(b.tip))
}

// bumped is an eighth and one more.
func bumped(n *uint256.Int) *uint256.Int {
	out := new(uint256.Int).Rsh(n, 3)
	return out.Add(out, n).AddUint64(out, 1)
}

func larger(a, b *uint256.Int) *uint256.Int {
	if a.Lt(b) {
		return b
	}
	return a
}
