package devchain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/holiman/uint256"
)

// maxMinedPerCall bounds one RPC call; a larger wish is split by the caller.
const maxMinedPerCall = 100_000

// number is a JSON-RPC argument that clients send as 5, "5" or "0x5".
type number uint64

// UnmarshalJSON reads any of the three forms.
func (n *number) UnmarshalJSON(raw []byte) error {
	v, ok := new(big.Int).SetString(strings.Trim(string(raw), `"`), 0)
	if !ok || !v.IsUint64() {
		return fmt.Errorf("%.40q is not a whole number of 64 bits", raw)
	}
	*n = number(v.Uint64())
	return nil
}

// bigNumber is a number of up to 256 bits in the same three forms; clients pad
// storage slots with zeros, which hexutil.Big refuses.
type bigNumber uint256.Int

// UnmarshalJSON reads any of the three forms.
func (n *bigNumber) UnmarshalJSON(raw []byte) error {
	v, ok := new(big.Int).SetString(strings.Trim(string(raw), `"`), 0)
	if !ok || v.Sign() < 0 {
		return fmt.Errorf("%.80q is not a whole number", raw)
	}
	if (*uint256.Int)(n).SetFromBig(v) {
		return fmt.Errorf("%.80q has more than 256 bits", raw)
	}
	return nil
}

// evmAPI is the evm_ namespace.
type evmAPI struct{ c *Chain }

// Mine (evm_mine) adds one block. The argument is absent, a time, or an object
// {"timestamp": t, "blocks": n}.
func (a *evmAPI) Mine(ctx context.Context, arg *json.RawMessage) (string, error) {
	var opts struct {
		Timestamp *number `json:"timestamp"`
		Blocks    *number `json:"blocks"`
	}
	if arg != nil && strings.HasPrefix(strings.TrimSpace(string(*arg)), "{") {
		if err := json.Unmarshal(*arg, &opts); err != nil {
			return "", fmt.Errorf("read argument of evm_mine: %w", err)
		}
	} else if arg != nil && string(*arg) != "null" {
		if err := json.Unmarshal(*arg, &opts.Timestamp); err != nil {
			return "", fmt.Errorf("read argument of evm_mine: %w", err)
		}
	}
	blocks := uint64(1)
	if opts.Blocks != nil {
		blocks = uint64(*opts.Blocks)
	}
	if blocks > maxMinedPerCall {
		return "", fmt.Errorf("mine %d blocks in one call: at most %d", blocks, maxMinedPerCall)
	}
	if opts.Timestamp != nil {
		if err := a.SetNextBlockTimestamp(ctx, *opts.Timestamp); err != nil {
			return "", err
		}
	}
	return "0x0", a.c.mine(ctx, blocks, a.c.blockSeconds())
}

// IncreaseTime (evm_increaseTime) makes the next block that many seconds later
// than the head instead of one block time. It returns the sum of all jumps.
func (a *evmAPI) IncreaseTime(_ context.Context, seconds number) uint64 {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.c.jump += uint64(seconds)
	a.c.jumped += uint64(seconds)
	return a.c.jumped
}

// SetNextBlockTimestamp (evm_setNextBlockTimestamp) fixes the next block's time.
func (a *evmAPI) SetNextBlockTimestamp(_ context.Context, at number) error {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	if head := a.c.be.BlockChain().CurrentBlock(); uint64(at) <= head.Time {
		return fmt.Errorf("set time of next block to %d: the head is at %d", at, head.Time)
	}
	a.c.nextTime = uint64(at)
	return nil
}

// SetAutomine (evm_setAutomine) says whether a transaction makes a block at once.
func (a *evmAPI) SetAutomine(_ context.Context, on bool) {
	a.c.setAutomine(on)
}

func (c *Chain) setAutomine(on bool) {
	c.mu.Lock()
	c.automine = on
	c.mu.Unlock()
	c.mineWaiting()
}

// Snapshot (evm_snapshot) remembers the head and returns a number to go back by.
func (a *evmAPI) Snapshot(context.Context) hexutil.Uint64 {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.c.snapshots = append(a.c.snapshots, a.c.be.BlockChain().CurrentBlock().Hash())
	return hexutil.Uint64(len(a.c.snapshots))
}

// Revert (evm_revert) goes back to a snapshot and forgets it and the later ones.
// It returns false when there is no such snapshot.
func (a *evmAPI) Revert(_ context.Context, id number) (bool, error) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	if id < 1 || uint64(id) > uint64(len(a.c.snapshots)) {
		return false, nil
	}
	hash := a.c.snapshots[id-1]
	a.c.snapshots = a.c.snapshots[:id-1]
	return true, a.c.rewind(hash)
}

// anvilAPI is the anvil_ namespace.
type anvilAPI struct{ c *Chain }

// Mine (anvil_mine) adds blocks (default 1), interval seconds apart (default the
// block time).
func (a *anvilAPI) Mine(ctx context.Context, blocks, interval *number) error {
	n, seconds := uint64(1), a.c.blockSeconds()
	if blocks != nil {
		n = uint64(*blocks)
	}
	if interval != nil && *interval > 0 {
		seconds = uint64(*interval)
	}
	if n > maxMinedPerCall {
		return fmt.Errorf("mine %d blocks in one call: at most %d", n, maxMinedPerCall)
	}
	return a.c.mine(ctx, n, seconds)
}

// Reorg (anvil_reorg) replaces the last depth blocks by as many empty ones. The
// second argument, transactions to put into them, must be empty.
func (a *anvilAPI) Reorg(ctx context.Context, depth number, txs *[]json.RawMessage) error {
	if txs != nil && len(*txs) > 0 {
		return errors.New("anvil_reorg: transactions in the new blocks are not supported")
	}
	if depth < 1 || depth > maxMinedPerCall {
		return fmt.Errorf("reorg %d blocks: from 1 to %d", depth, maxMinedPerCall)
	}
	return a.c.reorg(ctx, uint64(depth), uint64(depth))
}

// SetAutomine (anvil_setAutomine) is evm_setAutomine.
func (a *anvilAPI) SetAutomine(_ context.Context, on bool) { a.c.setAutomine(on) }

// GetAutomine (anvil_getAutomine) says whether automine is on.
func (a *anvilAPI) GetAutomine(context.Context) bool {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return a.c.automine
}

// IncreaseTime (anvil_increaseTime) is evm_increaseTime.
func (a *anvilAPI) IncreaseTime(ctx context.Context, seconds number) uint64 {
	return (&evmAPI{a.c}).IncreaseTime(ctx, seconds)
}

// SetNextBlockTimestamp (anvil_setNextBlockTimestamp) is evm_setNextBlockTimestamp.
func (a *anvilAPI) SetNextBlockTimestamp(ctx context.Context, at number) error {
	return (&evmAPI{a.c}).SetNextBlockTimestamp(ctx, at)
}

// DropAllTransactions (anvil_dropAllTransactions) empties the pool.
func (a *anvilAPI) DropAllTransactions(context.Context) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.c.be.TxPool().Clear()
}

// SetBalance (anvil_setBalance) sets an account's native balance, in wei.
func (a *anvilAPI) SetBalance(_ context.Context, address common.Address, wei bigNumber) error {
	return a.c.edit("set balance of "+address.Hex(), setBalance(address, (*uint256.Int)(&wei)))
}

// SetStorageAt (anvil_setStorageAt) writes one storage slot.
func (a *anvilAPI) SetStorageAt(_ context.Context, address common.Address, slot bigNumber, value common.Hash) (bool, error) {
	key := common.Hash((*uint256.Int)(&slot).Bytes32())
	err := a.c.edit("set storage of "+address.Hex(), setStorage(address, key, value))
	return err == nil, err
}

// SetCode (anvil_setCode) replaces an account's code.
func (a *anvilAPI) SetCode(_ context.Context, address common.Address, code hexutil.Bytes) error {
	return a.c.edit("set code of "+address.Hex(), setCode(address, code))
}

// SetNonce (anvil_setNonce) sets an account's nonce.
func (a *anvilAPI) SetNonce(_ context.Context, address common.Address, nonce number) error {
	return a.c.edit("set nonce of "+address.Hex(), setNonce(address, uint64(nonce)))
}
