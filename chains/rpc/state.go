package rpc

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"
)

// CallArgs is the transaction object of an eth_call.
type CallArgs struct {
	From  *common.Address `json:"from,omitempty"`
	To    *common.Address `json:"to,omitempty"`
	Gas   hexutil.Uint64  `json:"gas,omitempty"`
	Value *hexutil.Big    `json:"value,omitempty"`
	Data  hexutil.Bytes   `json:"data,omitempty"`
}

// CallContract runs a read-only call on the state after the block with this hash. A revert is an error of class
// Reverted; see RevertData. An account without code answers with no bytes and no error.
func CallContract(ctx context.Context, c Caller, to common.Address, data []byte, block common.Hash) ([]byte, error) {
	var out hexutil.Bytes
	if err := c.Call(ctx, &out, "eth_call", CallArgs{To: &to, Data: data}, AtHash{block}); err != nil {
		return nil, fmt.Errorf("call %s: %w", to, err)
	}
	return out, nil
}

// ContractCall is a request of CallContract for a batch.
func ContractCall(to common.Address, data []byte, block common.Hash, out *hexutil.Bytes) Request {
	return Request{Method: "eth_call", Args: []any{CallArgs{To: &to, Data: data}, AtHash{block}}, Result: out}
}

// StorageAt is one storage slot at a block. A slot never written is zero.
func StorageAt(ctx context.Context, c Caller, account common.Address, slot, block common.Hash) (common.Hash, error) {
	var out word
	if err := c.Call(ctx, &out, "eth_getStorageAt", account, slot, AtHash{block}); err != nil {
		return common.Hash{}, fmt.Errorf("storage %s of %s: %w", slot, account, err)
	}
	return common.Hash(out), nil
}

// StorageRead is a request of StorageAt for a batch.
func StorageRead(account common.Address, slot, block common.Hash, out *common.Hash) Request {
	return Request{Method: "eth_getStorageAt", Args: []any{account, slot, AtHash{block}}, Result: (*word)(out)}
}

// word is a 32-byte answer; some nodes drop leading zeros.
type word common.Hash

// DecodeResult implements RawResult.
func (w *word) DecodeResult(raw []byte) error { return w.UnmarshalJSON(raw) }

// UnmarshalJSON accepts up to 32 bytes of hex.
func (w *word) UnmarshalJSON(raw []byte) error {
	if len(raw) < 4 || raw[0] != '"' || raw[len(raw)-1] != '"' || raw[1] != '0' || raw[2] != 'x' || len(raw) > 2+2+64 {
		return fmt.Errorf("%w: storage value is not up to 32 bytes of hex", ErrMalformed)
	}
	digits := raw[3 : len(raw)-1]
	var out word
	for i := range digits {
		v := hexDigit(digits[len(digits)-1-i])
		if v == badDigit {
			return fmt.Errorf("%w: storage value is not hex", ErrMalformed)
		}
		out[31-i/2] |= v << (4 * (i % 2))
	}
	*w = out
	return nil
}

// Balance is the native balance at a block, in wei.
func Balance(ctx context.Context, c Caller, account common.Address, block common.Hash) (uint256.Int, error) {
	var out *hexutil.Big
	if err := c.Call(ctx, &out, "eth_getBalance", account, AtHash{block}); err != nil {
		return uint256.Int{}, fmt.Errorf("balance of %s: %w", account, err)
	}
	if out == nil {
		return uint256.Int{}, fmt.Errorf("balance of %s: %w: null", account, ErrMalformed)
	}
	var v uint256.Int
	if v.SetFromBig(out.ToInt()) {
		return uint256.Int{}, fmt.Errorf("balance of %s: %w: beyond 256 bits", account, ErrMalformed)
	}
	return v, nil
}

// Code is the runtime code at a block; empty for an account without.
func Code(ctx context.Context, c Caller, account common.Address, block common.Hash) ([]byte, error) {
	var out *hexutil.Bytes
	if err := c.Call(ctx, &out, "eth_getCode", account, AtHash{block}); err != nil {
		return nil, fmt.Errorf("code of %s: %w", account, err)
	}
	if out == nil {
		return nil, fmt.Errorf("code of %s: %w: null", account, ErrMalformed)
	}
	return *out, nil
}

// Nonce is the number of transactions an account has sent up to a block.
func Nonce(ctx context.Context, c Caller, account common.Address, block common.Hash) (uint64, error) {
	var out *hexutil.Uint64
	if err := c.Call(ctx, &out, "eth_getTransactionCount", account, AtHash{block}); err != nil {
		return 0, fmt.Errorf("nonce of %s: %w", account, err)
	}
	if out == nil {
		return 0, fmt.Errorf("nonce of %s: %w: null", account, ErrMalformed)
	}
	return uint64(*out), nil
}
