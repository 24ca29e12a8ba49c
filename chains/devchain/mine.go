package devchain

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/event"
	"github.com/ethereum/go-ethereum/miner"
)

// Mine adds n blocks, each one block time after its parent. The first ones take
// the transactions that are waiting.
func (c *Chain) Mine(ctx context.Context, n int) error {
	if n < 0 {
		return fmt.Errorf("mine %d blocks: the number is negative", n)
	}
	return c.mine(ctx, uint64(n), c.blockSeconds())
}

// Advance adds one block whose time is d after the head. d is cut to whole
// seconds and must be at least one.
func (c *Chain) Advance(ctx context.Context, d time.Duration) error {
	if d < time.Second {
		return fmt.Errorf("advance chain time by %v: less than one second", d)
	}
	return c.mine(ctx, 1, uint64(d/time.Second))
}

// Reorg drops the last depth blocks and puts depth+1 other, empty ones in their
// place, so that the head is a new block one higher than before. What becomes of
// the dropped transactions is said by Config.ReorgKeepsTransactions.
func (c *Chain) Reorg(ctx context.Context, depth int) error {
	if depth < 1 {
		return fmt.Errorf("reorg %d blocks: at least one must be dropped", depth)
	}
	return c.reorg(ctx, uint64(depth), uint64(depth)+1)
}

func (c *Chain) blockSeconds() uint64 { return uint64(c.cfg.BlockTime / time.Second) }

func (c *Chain) mine(ctx context.Context, n, interval uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range n {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("mine block %d of %d: %w", i+1, n, err)
		}
		if _, err := c.seal(interval, nil); err != nil {
			return fmt.Errorf("mine block %d of %d: %w", i+1, n, err)
		}
	}
	return nil
}

// seal makes one block on the head out of the pool's transactions and makes it
// the head. The extra bytes name a state edit, see edits. The caller holds mu.
func (c *Chain) seal(interval uint64, extra []byte) (*types.Block, error) {
	select {
	case <-c.quit:
		return nil, errors.New("the chain is closed")
	default:
	}
	// The pool follows the head in its own goroutine; wait for it, or it would
	// offer transactions of the block before.
	if err := c.be.TxPool().Sync(); err != nil {
		return nil, fmt.Errorf("wait for transaction pool: %w", err)
	}
	parent := c.be.BlockChain().CurrentBlock()
	block, err := c.build(parent, c.timeAfter(parent, interval), false, extra)
	if err != nil {
		return nil, err
	}
	if err := c.adopt(block); err != nil {
		return nil, err
	}
	c.nextTime, c.jump = 0, 0
	return block, nil
}

// timeAfter is the time of the block after parent.
func (c *Chain) timeAfter(parent *types.Header, interval uint64) uint64 {
	switch {
	case c.nextTime > parent.Time:
		return c.nextTime
	case c.jump > 0:
		return parent.Time + c.jump
	default:
		return parent.Time + interval
	}
}

// build executes a block on parent and stores it, without making it the head.
func (c *Chain) build(parent *types.Header, at uint64, empty bool, extra []byte) (*types.Block, error) {
	block, _, err := c.miner.BuildTestingPayload(&miner.BuildPayloadArgs{
		Parent:     parent.Hash(),
		Timestamp:  at,
		Random:     c.randomness(parent),
		BeaconRoot: &common.Hash{},
	}, nil, empty, extra)
	if err != nil {
		return nil, fmt.Errorf("build block %d: %w", parent.Number.Uint64()+1, err)
	}
	if _, err := c.be.BlockChain().InsertBlockWithoutSetHead(context.Background(), block, false); err != nil {
		return nil, fmt.Errorf("store block %d: %w", block.NumberU64(), err)
	}
	return block, nil
}

// randomness is the block's PREVRANDAO: reproducible, and another one after each
// rewind, which alone makes a rebuilt block differ from the dropped one.
func (c *Chain) randomness(parent *types.Header) common.Hash {
	var branch [8]byte
	binary.BigEndian.PutUint64(branch[:], c.branch)
	return crypto.Keccak256Hash(parent.Hash().Bytes(), branch[:])
}

// adopt makes a stored block the head and moves the safe and finalized marks.
func (c *Chain) adopt(block *types.Block) error {
	bc := c.be.BlockChain()
	if _, err := bc.SetCanonical(block); err != nil {
		return fmt.Errorf("make block %d the head: %w", block.NumberU64(), err)
	}
	number := block.NumberU64()
	bc.SetSafe(bc.GetHeaderByNumber(number - min(number, c.cfg.SafeLag)))
	bc.SetFinalized(bc.GetHeaderByNumber(number - min(number, c.cfg.FinalityLag)))
	// The finalized mark on disk lets go-ethereum move old blocks into its cold
	// store, which forbids deep reorgs and, in memory, sorts the whole database
	// each round. The mark the RPC reads is the one in memory.
	rawdb.WriteFinalizedBlockHash(c.be.ChainDb(), common.Hash{})
	return nil
}

// reorg replaces the last drop blocks by build empty ones.
func (c *Chain) reorg(ctx context.Context, drop, build uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := c.be.BlockChain().CurrentBlock()
	if drop > head.Number.Uint64() {
		return fmt.Errorf("reorg %d blocks: the head is block %d", drop, head.Number)
	}
	if err := c.be.TxPool().Sync(); err != nil {
		return fmt.Errorf("reorg %d blocks: wait for transaction pool: %w", drop, err)
	}
	c.branch++
	parent := c.be.BlockChain().GetHeaderByNumber(head.Number.Uint64() - drop)
	var tip *types.Block
	for range build {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("reorg %d blocks: %w", drop, err)
		}
		block, err := c.build(parent, parent.Time+c.blockSeconds(), true, nil)
		if err != nil {
			return fmt.Errorf("reorg %d blocks: %w", drop, err)
		}
		tip, parent = block, block.Header()
	}
	if err := c.adopt(tip); err != nil {
		return fmt.Errorf("reorg %d blocks: %w", drop, err)
	}
	return c.afterRewind()
}

// rewind makes an older or other stored block the head.
func (c *Chain) rewind(hash common.Hash) error {
	block := c.be.BlockChain().GetBlockByHash(hash)
	if block == nil {
		return fmt.Errorf("go back to block %v: not known", hash)
	}
	c.branch++
	if err := c.adopt(block); err != nil {
		return err
	}
	return c.afterRewind()
}

// afterRewind settles what happens to the transactions of dropped blocks: the
// pool has taken them in again by itself.
func (c *Chain) afterRewind() error {
	c.nextTime, c.jump = 0, 0
	if err := c.be.TxPool().Sync(); err != nil {
		return fmt.Errorf("wait for transaction pool after rewind: %w", err)
	}
	if !c.cfg.ReorgKeepsTransactions {
		c.be.TxPool().Clear()
	}
	return nil
}

// listen watches the pool for transactions and wakes automine. It never waits for
// the maker of blocks: the pool stands still while its listeners do, and the maker
// of blocks waits for the pool.
func (c *Chain) listen(arrivals <-chan core.NewTxsEvent, sub event.Subscription) {
	defer c.loops.Done()
	defer sub.Unsubscribe()
	for {
		select {
		case <-c.quit:
			return
		case <-sub.Err():
			return
		case <-arrivals:
			select {
			case c.wake <- struct{}{}:
			default: // it is awake
			}
		}
	}
}

// again is how often, and after what pause, automine tries a transaction that a block did not take: the
// pool may not have offered it yet. One that no block takes, because it does not pay the base fee, then
// waits for the next arrival.
const (
	again      = 5
	againPause = 20 * time.Millisecond
)

// automineLoop puts the transactions that arrive into blocks.
func (c *Chain) automineLoop() {
	defer c.loops.Done()
	for {
		select {
		case <-c.quit:
			return
		case <-c.wake:
		}
		for try := 0; try < again && !c.mineWaiting(); try++ {
			select {
			case <-c.quit:
				return
			case <-time.After(againPause << try):
			}
		}
	}
}

// mineWaiting makes blocks until no executable transaction waits; false says that one was left.
func (c *Chain) mineWaiting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.automine {
		if err := c.be.TxPool().Sync(); err != nil {
			return false // the pool is closing, or was reset under us
		}
		if executable, _ := c.be.TxPool().Stats(); executable == 0 {
			return true
		}
		block, err := c.seal(c.blockSeconds(), nil)
		if err != nil || len(block.Transactions()) == 0 {
			return false
		}
	}
	return true
}
