package sender

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Errors of [Sender.Send].
var (
	// ErrNonce: the chain has another transaction of the key under this nonce.
	ErrNonce = errors.New("the nonce is used by another transaction")
	// ErrUnderpriced: every endpoint wants a higher fee; see Replace.
	ErrUnderpriced = errors.New("the fee is too low for the endpoints")
	// ErrBytes: the stored bytes are not this vote.
	ErrBytes = errors.New("the stored transaction is not this vote")
)

// Send hands the vote's bytes to every endpoint. It is enough that one takes or has them; a nonce that is
// used is fine where this transaction, or another one with this very vote, used it. Sending again is no
// harm. After [ErrNonce] and [ErrUnderpriced] the vote goes on with Confirm and Replace.
func (s *Sender) Send(ctx context.Context, v gov.Vote) error {
	fail := func(err error) error { return fmt.Errorf("send %s: %w", v.Tx, err) }
	if _, err := s.transaction(v); err != nil {
		return fail(err)
	}
	errs := quorum.Tell(ctx, s.Panel, func(ctx context.Context, c rpc.Caller) error {
		err := c.Call(ctx, nil, "eth_sendRawTransaction", hexutil.Encode(v.Raw.Bytes()))
		if rpc.Classify(err) == rpc.AlreadyKnown {
			return nil
		}
		return err
	})
	if slices.Contains(errs, nil) {
		s.noteCheap(v.Tx, false)
		return nil
	}
	used, cheap := false, 0
	for _, err := range errs {
		switch rpc.Classify(err) {
		case rpc.NonceTooLow:
			used = true
		case rpc.Underpriced:
			cheap++
		}
	}
	if len(errs) == 0 {
		return fail(rpc.ErrNoEndpoint)
	}
	// fewer than must agree may say what they like
	if need := s.Panel.Need(); cheap >= max(need, len(errs)-need+1) {
		s.noteCheap(v.Tx, true)
		return fail(fmt.Errorf("%w: %w", ErrUnderpriced, errors.Join(errs...)))
	}
	if used {
		return s.used(ctx, v, errors.Join(errs...))
	}
	return fail(errors.Join(errs...))
}

func (s *Sender) noteCheap(tx gov.Hash, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if refused {
		s.cheap[tx] = true
	} else {
		delete(s.cheap, tx)
	}
}

func (s *Sender) isCheap(tx gov.Hash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cheap[tx]
}

// used tells our own mined transaction from a foreign one under the same nonce.
func (s *Sender) used(ctx context.Context, v gov.Vote, cause error) error {
	r, err := s.counted(ctx, v)
	switch {
	case err != nil:
		return fmt.Errorf("send %s: look for its receipt: %w", v.Tx, err)
	case r.Value() == nil:
		return fmt.Errorf("send %s: nonce %d: %w: %w", v.Tx, v.Nonce, ErrNonce, cause)
	}
	return nil
}

// transaction reads the vote's bytes and demands that they are this vote and nothing else.
func (s *Sender) transaction(v gov.Vote) (*types.Transaction, error) {
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(v.Raw.Bytes()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBytes, err)
	}
	wrong := func(what string) (*types.Transaction, error) { return nil, fmt.Errorf("%w: %s", ErrBytes, what) }
	from, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), tx)
	switch {
	case err != nil || gov.Address(from) != v.Ballot.Voter:
		return wrong("it is not signed by the voter")
	case tx.Hash() != v.Tx || tx.Nonce() != v.Nonce:
		return wrong("hash or nonce differ")
	case tx.Type() != types.DynamicFeeTxType || !tx.ChainId().IsUint64() || tx.ChainId().Uint64() != uint64(s.Chain) || v.Ballot.Proposal.Chain != s.Chain:
		return wrong("it is of another type or chain")
	case tx.To() == nil || gov.Address(*tx.To()) != v.Ballot.Proposal.Governor || tx.Value().Sign() != 0:
		return wrong("it goes elsewhere, or carries value")
	}
	cast, err := ballot.Decode(v.Ballot.Flavour, tx.Data())
	if err != nil || cast.Number != v.Ballot.Proposal.Number || cast.Support != v.Ballot.Support {
		return wrong("its calldata is another vote")
	}
	return tx, nil
}
