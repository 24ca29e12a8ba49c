package book

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// State reads accounts at one block hash, or on one side of a dry run. A read that fails is an error, never zero.
type State interface {
	Code(ctx context.Context, a gov.Address) ([]byte, error)
	Storage(ctx context.Context, a gov.Address, slot gov.Hash) (gov.Hash, error)
	// Call is a read-only call; an account without code answers with no bytes. The error of a call that ran and failed
	// is an ErrReverted.
	Call(ctx context.Context, to gov.Address, data []byte) ([]byte, error)
	Balance(ctx context.Context, a gov.Address) (gov.Amount, error)
	Nonce(ctx context.Context, a gov.Address) (uint64, error)
}

// ErrReverted says that a call ran and failed, which is an answer; every other error is a read that could not be made.
var ErrReverted = errors.New("the call reverted")

// At is the state of one block by its hash, read through the wire.
func At(c rpc.Caller, block gov.Hash) State { return pinned{c, block} }

type pinned struct {
	caller rpc.Caller
	block  gov.Hash
}

func (p pinned) Code(ctx context.Context, a gov.Address) ([]byte, error) {
	return rpc.Code(ctx, p.caller, common.Address(a), p.block)
}

func (p pinned) Storage(ctx context.Context, a gov.Address, slot gov.Hash) (gov.Hash, error) {
	return rpc.StorageAt(ctx, p.caller, common.Address(a), slot, p.block)
}

func (p pinned) Call(ctx context.Context, to gov.Address, data []byte) ([]byte, error) {
	out, err := rpc.CallContract(ctx, p.caller, common.Address(to), data, p.block)
	if rpc.Classify(err) == rpc.Reverted {
		err = fmt.Errorf("%w: %w", ErrReverted, err)
	}
	return out, err
}

func (p pinned) Balance(ctx context.Context, a gov.Address) (gov.Amount, error) {
	n, err := rpc.Balance(ctx, p.caller, common.Address(a), p.block)
	return gov.AmountOf(&n), err
}

func (p pinned) Nonce(ctx context.Context, a gov.Address) (uint64, error) {
	return rpc.Nonce(ctx, p.caller, common.Address(a), p.block)
}
