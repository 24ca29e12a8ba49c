package sender

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Errors of [Sender.Plan].
var (
	// ErrReverts: the vote fails on the newest state.
	ErrReverts = errors.New("the vote would fail")
	// ErrFunds: the voting key cannot pay.
	ErrFunds = errors.New("the voting key cannot pay for the vote")
	// ErrBehind: another transaction of the key comes first.
	ErrBehind = errors.New("another transaction of the voting key comes first")
)

// Plan is nonce, gas and fee for a ballot, from the newest block that enough endpoints agree on. The nonce is
// the next one of the chain's state: one transaction of the key is under way at a time. over are votes to overtake:
// where a sent one cannot be mined at today's base fee, or one was given up, the plan takes its place in the pool. An
// error may wrap [ErrFee], [ErrReverts], [ErrFunds], or [ErrBehind] where a sent one can still be mined.
func (s *Sender) Plan(ctx context.Context, b gov.Ballot, over []gov.Vote) (quorum.Agreed[gov.Tx], error) {
	return s.plan(ctx, b, over, 0)
}

// plan is Plan with at least so much gas.
func (s *Sender) plan(ctx context.Context, b gov.Ballot, over []gov.Vote, least uint64) (quorum.Agreed[gov.Tx], error) {
	fail := func(err error) (quorum.Agreed[gov.Tx], error) {
		return quorum.Agreed[gov.Tx]{}, fmt.Errorf("plan %s on %s: %w", b.Support, b.Proposal, err)
	}
	if _, err := s.governor(b.Proposal); err != nil {
		return fail(err)
	}
	head, err := s.head(ctx)
	if err != nil {
		return fail(err)
	}
	nonce, err := s.nonce(ctx, b.Voter, head)
	if err != nil {
		return fail(err)
	}
	tx, err := s.price(ctx, b, head, least)
	if err != nil {
		return fail(err)
	}
	tx.Nonce = nonce.Value()
	for _, v := range over {
		if tx, err = s.overtake(b, tx, v, head); err != nil {
			return fail(err)
		}
	}
	balance, err := ask(ctx, s, func(ctx context.Context, c rpc.Caller) (gov.Amount, error) {
		n, err := rpc.Balance(ctx, c, ethAddress(b.Voter), head.Value().Hash)
		return gov.AmountOf(&n), err
	})
	if err != nil {
		return fail(err)
	}
	if cost := Cost(tx); cost.Cmp(balance.Value()) > 0 {
		return fail(fmt.Errorf("%w: it has %s wei, the vote may cost %s", ErrFunds, balance.Value(), cost))
	}
	return quorum.Join(nonce, balance, func(uint64, gov.Amount) gov.Tx { return tx }), nil
}

// overtake raises a plan so that pools take it in the place of another vote under the same nonce.
func (s *Sender) overtake(b gov.Ballot, plan gov.Tx, v gov.Vote, at quorum.Agreed[rpc.Header]) (gov.Tx, error) {
	head := at.Value()
	if givenUp := v.Status == gov.VoteExpired; v.Nonce < plan.Nonce || givenUp && (v.Nonce > plan.Nonce || v.Ballot.Voter != b.Voter) {
		return plan, nil // a nonce that is used: it is mined, or is planned again after this one; or it is in nobody's way
	}
	tx, err := s.transaction(v)
	if err != nil {
		return plan, err
	}
	old, err := bidOf(tx)
	if err != nil {
		return plan, err
	}
	if v.Status != gov.VoteExpired && (v.Nonce != plan.Nonce || !old.outrun(head.BaseFee)) {
		return plan, fmt.Errorf("%w: %s on %s, nonce %d", ErrBehind, v.Ballot.Support, v.Ballot.Proposal, v.Nonce)
	}
	feeCap, tipCap := old.beaten(plan.FeeCap.Int(), plan.TipCap.Int())
	if most := s.most(b, plan.Gas); feeCap.Gt(most) || tipCap.Gt(feeCap) {
		return plan, fmt.Errorf("%w: to overtake %s it takes %s, at most %s wei per gas", ErrFee, v.Ballot.Proposal, feeCap.Dec(), most.Dec())
	}
	s.Log.Warn("a vote that is not mined is overtaken", "proposal", v.Ballot.Proposal.String(), "by", b.Proposal.String(), "nonce", plan.Nonce)
	plan.FeeCap, plan.TipCap = gov.AmountOf(feeCap), gov.AmountOf(tipCap)
	return plan, nil
}

// price is gas and fee at a block.
func (s *Sender) price(ctx context.Context, b gov.Ballot, at quorum.Agreed[rpc.Header], least uint64) (gov.Tx, error) {
	head := at.Value()
	if head.BaseFee == nil {
		return gov.Tx{}, fmt.Errorf("block %d has no base fee: transactions of type 2 are not known there", head.Number)
	}
	limits, err := s.gas(ctx, b)
	if err != nil {
		return gov.Tx{}, err
	}
	tip := s.tip(ctx)
	for _, gas := range limits {
		gas = min(max(gas, least), s.MaxGas)
		var feeCap, tipCap *uint256.Int
		if feeCap, tipCap, err = fees(head.BaseFee, tip, s.most(b, gas)); err == nil {
			return gov.Tx{Gas: gas, FeeCap: gov.AmountOf(feeCap), TipCap: gov.AmountOf(tipCap)}, nil
		}
	}
	return gov.Tx{}, err
}

// unknownGas is the limit where no endpoint estimates and the most is too dear: twice what a vote takes.
const unknownGas = 300_000

// gas lists limits for a vote, the first that can be paid counts. There is one by what as many endpoints as must agree
// estimate, see [quorum.Said.Bound]. A revert counts where as many say so. Where neither comes about the vote is planned
// with the most gas rather than not at all, since gas that is not used is not paid; and where that is too dear, with the
// highest estimate.
func (s *Sender) gas(ctx context.Context, b gov.Ballot) ([]uint64, error) {
	data, err := ballot.Encode(b)
	if err != nil {
		return nil, err
	}
	from, to := ethAddress(b.Voter), ethAddress(b.Proposal.Governor)
	said, err := quorum.Survey(ctx, s.Panel, func(ctx context.Context, c rpc.Caller) (uint64, error) {
		var estimate hexutil.Uint64
		err := c.Call(ctx, &estimate, "eth_estimateGas", rpc.CallArgs{From: &from, To: &to, Data: data})
		return uint64(estimate), err
	})
	if err != nil {
		return nil, fmt.Errorf("estimate the gas: %w", err)
	}
	estimate, err := said.Bound(func(n uint64) uint64 { return n })
	bounded, reverts := err == nil, said.Enough(rpc.Reverted)
	switch {
	case bounded && !reverts:
		gas, err := gasFor(estimate, s.MaxGas)
		return []uint64{gas}, err
	case reverts && !bounded:
		return nil, fmt.Errorf("%w: %w", ErrReverts, said.Err())
	}
	var highest uint64
	for _, n := range said.Values() {
		if n <= s.MaxGas {
			highest = max(highest, n)
		}
	}
	rather, err := gasFor(highest, s.MaxGas)
	if highest == 0 {
		rather = unknownGas
	}
	s.Log.Warn("the endpoints do not agree about the vote's gas; it is planned with the most", "proposal", b.Proposal.String(), "gas", s.MaxGas, "error", said.Err())
	return []uint64{s.MaxGas, rather}, err
}

// tip is what the endpoints suggest, bounded as the gas is. Not every node suggests one; the least that is ever paid is
// then enough to begin with, and Replace raises it.
func (s *Sender) tip(ctx context.Context) *uint256.Int {
	said, err := quorum.Survey(ctx, s.Panel, func(ctx context.Context, c rpc.Caller) (uint64, error) {
		var tip hexutil.Big
		if err := c.Call(ctx, &tip, "eth_maxPriorityFeePerGas"); err != nil {
			return 0, err
		}
		if n := tip.ToInt(); n.Sign() < 0 {
			return 0, nil
		} else if !n.IsUint64() {
			return math.MaxUint64, nil // more than is ever paid
		}
		return tip.ToInt().Uint64(), nil
	})
	if err == nil {
		var wei uint64
		if wei, err = said.Bound(func(n uint64) uint64 { return n }); err == nil {
			return uint256.NewInt(wei)
		}
	}
	s.Log.Debug("no tip is suggested", "chain", s.Chain.String(), "error", err)
	return minTip.Clone()
}

// pending is how many transactions of the voter the endpoints know with those that wait, bounded as the gas is.
func (s *Sender) pending(ctx context.Context, voter gov.Address) (uint64, error) {
	said, err := quorum.Survey(ctx, s.Panel, func(ctx context.Context, c rpc.Caller) (uint64, error) {
		var n hexutil.Uint64
		err := c.Call(ctx, &n, "eth_getTransactionCount", ethAddress(voter), "pending")
		return uint64(n), err
	})
	if err == nil {
		var n uint64
		if n, err = said.Bound(func(n uint64) uint64 { return n }); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("pending nonce: %w", err)
}
