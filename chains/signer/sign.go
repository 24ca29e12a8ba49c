package signer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/ledger"
)

// voter is the signer of one key.
type voter struct {
	key    key
	ledger *ledger.Ledger
	Config
}

// Address is the voting key's account.
func (v *voter) Address() gov.Address { return v.key.address() }

// Sign implements [Signer].
func (v *voter) Sign(ctx context.Context, i gov.Intent) (gov.Vote, error) {
	fail := func(err error) (gov.Vote, error) {
		return gov.Vote{}, fmt.Errorf("sign %s on %s: %w", i.Ballot.Support, i.Ballot.Proposal, err)
	}
	if err := v.examine(ctx, i, v.ledger.Holds(i.Ballot)); err != nil {
		return fail(err)
	}
	data, err := ballot.Encode(i.Ballot)
	if err != nil {
		return fail(refuse(ErrIntent, "%w", err))
	}
	tx := transaction(i, data)
	var signed *types.Transaction
	err = v.ledger.Sign(ctx, i.Ballot, func() (err error) {
		signed, err = v.key.signTx(ctx, tx, tx.ChainId())
		return err
	})
	if err != nil {
		return fail(ofLedger(err))
	}
	raw, err := v.verified(signed, tx)
	if err != nil {
		return fail(err)
	}
	return gov.Vote{
		Status: gov.VoteSigned, Ballot: i.Ballot, Approval: i.Approval, Nonce: i.Tx.Nonce,
		Tx: signed.Hash(), Raw: gov.CalldataOf(raw), Reason: gov.HoldReason(i.Ballot.Reason.Text(i.Ballot.Support)),
	}, nil
}

// transaction is the one form in which a vote is signed: type 2, value 0, to the governor.
func transaction(i gov.Intent, data []byte) *types.Transaction {
	to := common.Address(i.Ballot.Proposal.Governor)
	return types.NewTx(&types.DynamicFeeTx{
		ChainID:   new(big.Int).SetUint64(uint64(i.Ballot.Proposal.Chain)),
		Nonce:     i.Tx.Nonce,
		GasTipCap: i.Tx.TipCap.Int().ToBig(),
		GasFeeCap: i.Tx.FeeCap.Int().ToBig(),
		Gas:       i.Tx.Gas,
		To:        &to,
		Value:     new(big.Int),
		Data:      data,
	})
}

// verified demands that what the key holder returned is what was asked for, by our key.
func (v *voter) verified(signed, asked *types.Transaction) ([]byte, error) {
	signer := types.LatestSignerForChainID(asked.ChainId())
	if signer.Hash(signed) != signer.Hash(asked) || signed.Type() != types.DynamicFeeTxType {
		return nil, errors.New("the key holder signed something else")
	}
	from, err := types.Sender(signer, signed)
	if err != nil || gov.Address(from) != v.Address() {
		return nil, errors.New("the key holder signed with another key")
	}
	raw, err := signed.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode the transaction: %w", err)
	}
	again := new(types.Transaction)
	if err := again.UnmarshalBinary(raw); err != nil || again.Hash() != signed.Hash() || !bytes.Equal(again.Data(), asked.Data()) {
		return nil, errors.New("the transaction cannot be read back")
	}
	return raw, nil
}

// ofLedger gives the ledger's error the kind by which a caller goes on.
func ofLedger(err error) error {
	switch {
	case errors.Is(err, ledger.ErrDifferent):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(err, ledger.ErrFrozen), errors.Is(err, ledger.ErrLater):
		return fmt.Errorf("%w: %w", ErrLater, err)
	}
	return err
}
