package rpc

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
)

// Header is what this program needs of a block: its place in the chain and the environment of the EVM in it.
type Header struct {
	Number        uint64
	Hash          common.Hash // as the node says; see Proven
	ParentHash    common.Hash
	Root          common.Hash // of the state after the block
	Time          uint64      // Unix seconds
	GasLimit      uint64
	GasUsed       uint64
	Coinbase      common.Address
	MixDigest     common.Hash // PREVRANDAO since the merge
	Difficulty    uint256.Int // zero since the merge
	BaseFee       *uint256.Int
	ExcessBlobGas *uint64
	// Proven says that hashing the header's fields gives Hash, so that none of them can be another block's. It is
	// false on chains whose headers have fields of their own.
	Proven bool
}

// HeaderKey is a Header as one comparable value, for quorum.AskBy: two sources agree on a block only when they agree on
// every field that a dry run or a deadline reads, not just on its hash.
type HeaderKey struct {
	number, time, gasLimit, gasUsed, excess uint64
	hash, parent, root, mix                 common.Hash
	coinbase                                common.Address
	difficulty, baseFee                     uint256.Int
	hasBaseFee, hasExcess                   bool
}

// Key is the header's comparable form.
func (h Header) Key() HeaderKey {
	k := HeaderKey{
		number: h.Number, time: h.Time, gasLimit: h.GasLimit, gasUsed: h.GasUsed, hash: h.Hash, parent: h.ParentHash,
		root: h.Root, mix: h.MixDigest, coinbase: h.Coinbase, difficulty: h.Difficulty,
	}
	if h.BaseFee != nil {
		k.baseFee, k.hasBaseFee = *h.BaseFee, true
	}
	if h.ExcessBlobGas != nil {
		k.excess, k.hasExcess = *h.ExcessBlobGas, true
	}
	return k
}

// headerResult decodes a header. A null answer is ErrNotFound, so that failover can ask an endpoint that is ahead.
type headerResult struct {
	head *Header
}

type headerJSON struct {
	Number        *hexutil.Uint64 `json:"number"`
	Hash          *common.Hash    `json:"hash"`
	ParentHash    *common.Hash    `json:"parentHash"`
	Root          common.Hash     `json:"stateRoot"`
	Time          *hexutil.Uint64 `json:"timestamp"`
	GasLimit      hexutil.Uint64  `json:"gasLimit"`
	GasUsed       hexutil.Uint64  `json:"gasUsed"`
	Coinbase      common.Address  `json:"miner"`
	MixDigest     common.Hash     `json:"mixHash"`
	Difficulty    *hexutil.Big    `json:"difficulty"`
	BaseFee       *hexutil.Big    `json:"baseFeePerGas"`
	ExcessBlobGas *hexutil.Uint64 `json:"excessBlobGas"`
}

// DecodeResult implements RawResult.
func (r headerResult) DecodeResult(raw []byte) error {
	if string(raw) == "null" {
		return fmt.Errorf("block %w", ErrNotFound)
	}
	return r.head.UnmarshalJSON(raw)
}

// UnmarshalJSON reads the node's block object.
func (h *Header) UnmarshalJSON(raw []byte) error {
	var j headerJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return fmt.Errorf("%w: block header: %s", ErrMalformed, printable(err.Error(), 160))
	}
	if j.Number == nil || j.Hash == nil || j.ParentHash == nil || j.Time == nil {
		return fmt.Errorf("%w: block header without number, hash, parentHash or timestamp", ErrMalformed)
	}
	*h = Header{
		Number: uint64(*j.Number), Hash: *j.Hash, ParentHash: *j.ParentHash, Root: j.Root, Time: uint64(*j.Time),
		GasLimit: uint64(j.GasLimit), GasUsed: uint64(j.GasUsed), Coinbase: j.Coinbase, MixDigest: j.MixDigest,
		ExcessBlobGas: (*uint64)(j.ExcessBlobGas),
	}
	if j.Difficulty != nil && h.Difficulty.SetFromBig(j.Difficulty.ToInt()) {
		return fmt.Errorf("%w: block difficulty beyond 256 bits", ErrMalformed)
	}
	if j.BaseFee != nil {
		fee, over := uint256.FromBig(j.BaseFee.ToInt())
		if over {
			return fmt.Errorf("%w: base fee beyond 256 bits", ErrMalformed)
		}
		h.BaseFee = fee
	}
	var full types.Header
	h.Proven = json.Unmarshal(raw, &full) == nil && full.Hash() == h.Hash
	return nil
}

// HeaderByHash is the header of the block with this hash, canonical or not. ErrNotFound where no endpoint knows it.
func HeaderByHash(ctx context.Context, c Caller, hash common.Hash) (Header, error) {
	var h Header
	if err := c.Call(ctx, headerResult{&h}, "eth_getBlockByHash", hash, false); err != nil {
		return Header{}, fmt.Errorf("header of block %s: %w", hash, err)
	}
	if h.Hash != hash {
		return Header{}, fmt.Errorf("header of block %s: %w: the answer is block %s", hash, ErrMalformed, h.Hash)
	}
	return h, nil
}

// HeaderByNumber is the header of the canonical block at this height.
func HeaderByNumber(ctx context.Context, c Caller, number uint64) (Header, error) {
	var h Header
	if err := c.Call(ctx, headerResult{&h}, "eth_getBlockByNumber", hexutil.Uint64(number), false); err != nil {
		return Header{}, fmt.Errorf("header of block %d: %w", number, err)
	}
	if h.Number != number {
		return Header{}, fmt.Errorf("header of block %d: %w: the answer is block %d", number, ErrMalformed, h.Number)
	}
	return h, nil
}

// HeaderByTag is the header at "latest", "safe", "finalized", "earliest" or "pending".
func HeaderByTag(ctx context.Context, c Caller, tag string) (Header, error) {
	var h Header
	if err := c.Call(ctx, headerResult{&h}, "eth_getBlockByNumber", tag, false); err != nil {
		return Header{}, fmt.Errorf("header of the %s block: %w", tag, err)
	}
	return h, nil
}

// Headers are the headers of a contiguous range, from through to, in one batch, linked by parent hash.
func Headers(ctx context.Context, c Caller, from, to uint64) ([]Header, error) {
	if to < from {
		return nil, nil
	}
	if to-from >= 1<<16 {
		return nil, fmt.Errorf("headers %d to %d: too many in one call", from, to)
	}
	heads := make([]Header, to-from+1)
	reqs := make([]Request, len(heads))
	for i := range heads {
		reqs[i] = Request{Method: "eth_getBlockByNumber", Args: []any{hexutil.Uint64(from + uint64(i)), false}, Result: headerResult{&heads[i]}}
	}
	if err := c.Batch(ctx, reqs); err != nil {
		return nil, fmt.Errorf("headers %d to %d: %w", from, to, err)
	}
	if err := FirstErr(reqs); err != nil {
		return nil, fmt.Errorf("headers %d to %d: %w", from, to, err)
	}
	for i := range heads {
		if heads[i].Number != from+uint64(i) {
			return nil, fmt.Errorf("header of block %d: %w: the answer is block %d", from+uint64(i), ErrMalformed, heads[i].Number)
		}
		if i > 0 && heads[i].ParentHash != heads[i-1].Hash {
			return nil, fmt.Errorf("headers %d to %d: %w: block %d does not follow its parent (a reorganisation in between?)", from, to, ErrNotFound, heads[i].Number)
		}
	}
	return heads, nil
}
