package sender

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Confirm looks for the vote in the chain: its receipt, or where an earlier version of the same vote was
// mined instead, that one's. The receipt is nil where no canonical block has it (yet, or any more). The
// support comes from the VoteCast log of the receipt. Final is true only for a block at or below final.
func (s *Sender) Confirm(ctx context.Context, v gov.Vote, final quorum.Agreed[gov.Block]) (quorum.Agreed[*gov.Receipt], error) {
	fail := func(err error) (quorum.Agreed[*gov.Receipt], error) {
		return quorum.Agreed[*gov.Receipt]{}, fmt.Errorf("confirm %s: %w", v.Tx, err)
	}
	if _, err := s.transaction(v); err != nil {
		return fail(err)
	}
	r, err := s.counted(ctx, v)
	if err != nil {
		return fail(err)
	}
	last := final.Value()
	if r.Value() == nil || r.Value().Block.Number > last.Number {
		return r, nil
	}
	hash, err := ask(ctx, s, func(ctx context.Context, c rpc.Caller) (gov.Hash, error) {
		h, err := rpc.HeaderByNumber(ctx, c, last.Number)
		return h.Hash, err
	})
	if err != nil {
		return fail(fmt.Errorf("final block %d: %w", last.Number, err))
	}
	if hash.Value() != last.Hash {
		return fail(fmt.Errorf("final block %d is %s, not %s: the chain was reorganised below finality", last.Number, hash.Value(), last.Hash))
	}
	return quorum.Join(r, hash, func(r *gov.Receipt, _ gov.Hash) *gov.Receipt {
		is := *r
		is.Final = true
		return &is
	}), nil
}

// counted is the receipt of the transaction by which the vote stands: this one, or where this one failed or is in no
// block, an earlier one of the same vote.
func (s *Sender) counted(ctx context.Context, v gov.Vote) (quorum.Agreed[*gov.Receipt], error) {
	r, err := s.receipt(ctx, v, v.Tx)
	if err != nil || r.Value() != nil && r.Value().OK {
		return r, err
	}
	other, err := s.earlier(ctx, v)
	if err != nil || other.Value() != nil {
		return other, err
	}
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
func (s *Sender) receipt(ctx context.Context, v gov.Vote, hash gov.Hash) (quorum.Agreed[*gov.Receipt], error) {
	head, err := s.head(ctx)
	if err != nil {
		return quorum.Agreed[*gov.Receipt]{}, err
	}
	r, err := ask(ctx, s, func(ctx context.Context, c rpc.Caller) (gov.Receipt, error) {
		return receiptFrom(ctx, c, v, hash, head.Value().Number)
	})
	if err != nil {
		return quorum.Agreed[*gov.Receipt]{}, err
	}
	return quorum.Map(r, func(r gov.Receipt) *gov.Receipt {
		if r == (gov.Receipt{}) {
			return nil
		}
		return &r
	}), nil
}

// receiptFrom reads a receipt from one endpoint, of blocks up to a height; the zero receipt is none. An endpoint that has
// not come so far has none to tell of, and one that is ahead tells what the others cannot know yet.
func receiptFrom(ctx context.Context, c rpc.Caller, v gov.Vote, hash gov.Hash, upTo uint64) (gov.Receipt, error) {
	var a *answer
	err := c.Call(ctx, &a, "eth_getTransactionReceipt", hash)
	if errors.Is(err, rpc.ErrNotFound) || err == nil && a == nil {
		_, err := rpc.HeaderByNumber(ctx, c, upTo)
		return gov.Receipt{}, err
	}
	if err != nil {
		return gov.Receipt{}, fmt.Errorf("receipt of %s: %w", hash, err)
	}
	if uint64(a.Number) > upTo {
		return gov.Receipt{}, nil
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
// when the nonce is used and the governor says that the key has voted; the receipt is nil where there is none.
func (s *Sender) earlier(ctx context.Context, v gov.Vote) (none quorum.Agreed[*gov.Receipt], err error) {
	g, err := s.governor(v.Ballot.Proposal)
	if err != nil {
		return none, err
	}
	head, err := s.head(ctx)
	if err != nil {
		return none, err
	}
	used, err := s.nonce(ctx, v.Ballot.Voter, head)
	if err != nil {
		return none, err
	}
	if used.Value() <= v.Nonce {
		return quorum.Map(used, func(uint64) *gov.Receipt { return nil }), nil
	}
	voted, err := s.voted(ctx, g, v.Ballot, head)
	if err != nil {
		return none, err
	}
	if !voted.Value() {
		return quorum.Map(voted, func(bool) *gov.Receipt { return nil }), nil
	}
	hash, err := s.search(ctx, v, head)
	if err != nil {
		return none, err
	}
	return s.receipt(ctx, v, hash.Value())
}

// How far back a vote is searched: more than any voting period that we know, in blocks of 12 s.
const (
	searchStep = 2000
	searchMost = 100_000
)

// search walks back from a block to the voter's VoteCast log and returns its transaction, by the logs that enough
// endpoints tell alike.
func (s *Sender) search(ctx context.Context, v gov.Vote, head quorum.Agreed[rpc.Header]) (quorum.Agreed[gov.Hash], error) {
	b := v.Ballot
	topics, err := ballot.Topics(b.Flavour, b.Voter)
	if err != nil {
		return quorum.Agreed[gov.Hash]{}, err
	}
	f := rpc.Filter{Addresses: []common.Address{ethAddress(b.Proposal.Governor)}, Topics: topics}
	step := uint64(searchStep)
	newest := head.Value().Number
	for f.To = newest; ; {
		f.From = f.To - min(f.To, step-1)
		found, err := ask(ctx, s, func(ctx context.Context, c rpc.Caller) (gov.Hash, error) { return castIn(ctx, c, f, b) })
		if errors.Is(err, rpc.ErrRange) && step > 1 {
			step /= 2
			continue
		}
		if err != nil {
			return found, fmt.Errorf("look for the vote in blocks %d to %d: %w", f.From, f.To, err)
		}
		if found.Value() != (gov.Hash{}) {
			return found, nil
		}
		if f.From == 0 || newest-f.From > searchMost {
			return found, fmt.Errorf("the governor says that %s has voted on %s, but no log from block %d on shows it", b.Voter, b.Proposal, f.From)
		}
		f.To = f.From - 1
	}
}

// castIn is the transaction with a ballot's VoteCast log in a range, as one endpoint tells; zero where there is none.
func castIn(ctx context.Context, c rpc.Caller, f rpc.Filter, b gov.Ballot) (gov.Hash, error) {
	logs, err := rpc.Logs(ctx, c, f)
	if err != nil {
		return gov.Hash{}, err
	}
	for _, l := range logs {
		cast, err := ballot.DecodeLog(b.Flavour, l.Topics, l.Data)
		if err == nil && cast.Voter == b.Voter && cast.Number == b.Proposal.Number {
			return l.TxHash, nil
		}
	}
	_, err = rpc.HeaderByNumber(ctx, c, f.To) // one that has not come so far tells of no logs
	return gov.Hash{}, err
}
