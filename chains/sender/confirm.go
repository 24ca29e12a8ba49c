package sender

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/rpc"
)

// Confirm looks for the vote in the chain: its receipt, or where an earlier version of the same vote was
// mined under the nonce instead, that one's. nil says that no canonical block has it (yet, or any more). The
// support comes from the VoteCast log of the receipt. Final is true only for a block at or below final.
func (s *Sender) Confirm(ctx context.Context, v gov.Vote, final gov.Block) (*gov.Receipt, error) {
	fail := func(err error) (*gov.Receipt, error) { return nil, fmt.Errorf("confirm %s: %w", v.Tx, err) }
	if _, err := s.transaction(v); err != nil {
		return fail(err)
	}
	r, err := s.receipt(ctx, v, v.Tx)
	if err == nil && r == nil {
		r, err = s.earlier(ctx, v)
	}
	if err != nil {
		return fail(err)
	}
	if r == nil || r.Block.Number > final.Number {
		return r, nil
	}
	hash, err := agreed(ctx, s, func(ctx context.Context, c rpc.Caller) (gov.Hash, error) {
		h, err := rpc.HeaderByNumber(ctx, c, final.Number)
		return h.Hash, err
	})
	if err != nil {
		return fail(fmt.Errorf("final block %d: %w", final.Number, err))
	}
	if hash != final.Hash {
		return fail(fmt.Errorf("final block %d is %s, not %s: the chain was reorganised below finality", final.Number, hash, final.Hash))
	}
	r.Final = true
	return r, nil
}

// answer is eth_getTransactionReceipt, as far as it is read. Logs are strangers' bytes.
type answer struct {
	Hash   common.Hash    `json:"transactionHash"`
	Block  common.Hash    `json:"blockHash"`
	Number hexutil.Uint64 `json:"blockNumber"`
	Status hexutil.Uint64 `json:"status"`
	Logs   []struct {
		Address common.Address `json:"address"`
		Topics  []common.Hash  `json:"topics"`
		Data    hexutil.Bytes  `json:"data"`
	} `json:"logs"`
}

// receipt is what enough endpoints say of a transaction; nil where they say that no canonical block has it.
func (s *Sender) receipt(ctx context.Context, v gov.Vote, hash gov.Hash) (*gov.Receipt, error) {
	r, err := agreed(ctx, s, func(ctx context.Context, c rpc.Caller) (gov.Receipt, error) {
		return s.ask(ctx, c, v, hash)
	})
	if err != nil || r == (gov.Receipt{}) {
		return nil, err
	}
	return &r, nil
}

// ask reads a receipt from one endpoint; the zero receipt is none.
func (s *Sender) ask(ctx context.Context, c rpc.Caller, v gov.Vote, hash gov.Hash) (gov.Receipt, error) {
	var a *answer
	err := c.Call(ctx, &a, "eth_getTransactionReceipt", hash)
	if errors.Is(err, rpc.ErrNotFound) || err == nil && a == nil {
		return gov.Receipt{}, nil
	}
	if err != nil {
		return gov.Receipt{}, fmt.Errorf("receipt of %s: %w", hash, err)
	}
	if a.Hash != hash {
		return gov.Receipt{}, fmt.Errorf("receipt of %s: %w: it is that of %s", hash, rpc.ErrMalformed, a.Hash)
	}
	head, err := rpc.HeaderByNumber(ctx, c, uint64(a.Number))
	if errors.Is(err, rpc.ErrNotFound) || err == nil && head.Hash != a.Block {
		return gov.Receipt{}, nil // of a block that is not in the chain any more
	}
	if err != nil {
		return gov.Receipt{}, fmt.Errorf("block %d of the receipt: %w", uint64(a.Number), err)
	}
	r := gov.Receipt{Tx: hash, Block: blockOf(head), OK: a.Status == 1}
	for _, l := range a.Logs {
		if gov.Address(l.Address) != v.Ballot.Proposal.Governor {
			continue
		}
		cast, err := ballot.DecodeLog(v.Ballot.Flavour, l.Topics, l.Data)
		if err == nil && cast.Voter == v.Ballot.Voter && cast.Number == v.Ballot.Proposal.Number && r.OK {
			r.Support = gov.Known(cast.Support)
		}
	}
	return r, nil
}

// earlier finds the same vote in another transaction: a replaced one that was mined after all. It looks only
// when the nonce is used and the governor says that the key has voted.
func (s *Sender) earlier(ctx context.Context, v gov.Vote) (*gov.Receipt, error) {
	g, err := s.governor(v.Ballot.Proposal)
	if err != nil {
		return nil, err
	}
	head, err := s.head(ctx)
	if err != nil {
		return nil, err
	}
	if used, err := s.nonce(ctx, v.Ballot.Voter, head.Hash); err != nil || used <= v.Nonce {
		return nil, err
	}
	voted, err := agreed(ctx, s, func(ctx context.Context, c rpc.Caller) (bool, error) {
		return g.HasVoted(ctx, c, v.Ballot.Proposal.Number, v.Ballot.Voter, head.Hash)
	})
	if err != nil || !voted {
		return nil, err
	}
	hash, err := s.search(ctx, v, head.Number)
	if err != nil {
		return nil, err
	}
	return s.receipt(ctx, v, hash)
}

// How far back a vote is searched: more than any voting period that we know, in blocks of 12 s.
const (
	searchStep = 2000
	searchMost = 100_000
)

// search walks back from a block to the voter's VoteCast log and returns its transaction.
func (s *Sender) search(ctx context.Context, v gov.Vote, head uint64) (gov.Hash, error) {
	b := v.Ballot
	topics, err := ballot.Topics(b.Flavour, b.Voter)
	if err != nil {
		return gov.Hash{}, err
	}
	step := uint64(searchStep)
	for to := head; ; {
		from := to - min(to, step-1)
		logs, err := rpc.Logs(ctx, s.Caller, rpc.Filter{Addresses: []common.Address{ethAddress(b.Proposal.Governor)}, Topics: topics, From: from, To: to})
		if errors.Is(err, rpc.ErrRange) && step > 1 {
			step /= 2
			continue
		}
		if err != nil {
			return gov.Hash{}, fmt.Errorf("look for the vote in blocks %d to %d: %w", from, to, err)
		}
		for _, l := range logs {
			cast, err := ballot.DecodeLog(b.Flavour, l.Topics, l.Data)
			if err == nil && cast.Voter == b.Voter && cast.Number == b.Proposal.Number {
				return l.TxHash, nil
			}
		}
		if from == 0 || head-from > searchMost {
			return gov.Hash{}, fmt.Errorf("the governor says that %s has voted on %s, but no log from block %d on shows it", b.Voter, b.Proposal, from)
		}
		to = from - 1
	}
}
