package devchain

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// mineChunk is the most blocks one RPC call mines: an anvil far from its genesis
// makes only some 40 a second and go-ethereum's HTTP server gives up after 30 s.
const mineChunk = 250

// MineBlocks adds n blocks, 12 s apart, through the RPC, on this package's chain
// and on anvil.
func (s *Session) MineBlocks(ctx context.Context, n uint64) error {
	for n > 0 {
		chunk := min(n, mineChunk)
		err := s.RPC.CallContext(ctx, nil, "anvil_mine", hexutil.Uint64(chunk), hexutil.Uint64(defaultBlockTime/time.Second))
		if err != nil {
			return fmt.Errorf("mine %d blocks: %w", chunk, err)
		}
		n -= chunk
	}
	return nil
}

// AdvanceTo adds one block whose time is the given Unix time, which must be after
// the head's, through the RPC.
func (s *Session) AdvanceTo(ctx context.Context, unix uint64) error {
	if err := s.RPC.CallContext(ctx, nil, "evm_setNextBlockTimestamp", unix); err != nil {
		return fmt.Errorf("advance chain time to %d: %w", unix, err)
	}
	if err := s.RPC.CallContext(ctx, nil, "evm_mine"); err != nil {
		return fmt.Errorf("advance chain time to %d: %w", unix, err)
	}
	return nil
}

// AdvanceBy adds one block whose time is d after the head's, through the RPC.
func (s *Session) AdvanceBy(ctx context.Context, d time.Duration) error {
	head, err := s.Client.HeaderByNumber(ctx, nil)
	if err != nil {
		return fmt.Errorf("read head: %w", err)
	}
	return s.AdvanceTo(ctx, head.Time+uint64(d/time.Second))
}

// skipTo makes blocks until the clock, a block number or a Unix time, is at
// least at target.
func (s *Session) skipTo(ctx context.Context, clock Clock, target uint64) error {
	head, err := s.Client.HeaderByNumber(ctx, nil)
	if err != nil {
		return fmt.Errorf("read head: %w", err)
	}
	if clock == ClockTime {
		if head.Time >= target {
			return nil
		}
		return s.AdvanceTo(ctx, target)
	}
	if head.Number.Uint64() >= target {
		return nil
	}
	return s.MineBlocks(ctx, target-head.Number.Uint64())
}
