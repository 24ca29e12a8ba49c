package chains

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// first is the first block of any governor.
func (w *Watcher) first(ctx context.Context, head rpc.Header) (uint64, error) {
	start := head.Number
	for i, g := range w.cfg.Governors {
		from, err := w.firstOf(ctx, g, head)
		if err != nil {
			return 0, err
		}
		if i == 0 || from < start {
			start = from
		}
	}
	return start, nil
}

// firstOf is the first block of one governor, searched for once where it is not given.
func (w *Watcher) firstOf(ctx context.Context, g Watched, head rpc.Header) (uint64, error) {
	if g.FromBlock > 0 {
		return g.FromBlock, nil
	}
	from, found := w.starts[g.Address]
	if !found {
		deployed, err := w.cfg.Client.Deployed(ctx, g.Address, head)
		if err != nil {
			return 0, fmt.Errorf("find the first block of governor %s: %w", g.Address, err)
		}
		from = deployed.Value()
		w.starts[g.Address] = from
	}
	return from, nil
}

// Deployed finds the block in which an account's code appeared, by halving: some 25 reads of old state. An
// endpoint that has pruned it cannot say: the error is [rpc.ErrNoState], and from_block has to be given.
func Deployed(ctx context.Context, c rpc.Caller, account gov.Address, head rpc.Header) (uint64, error) {
	has := func(h rpc.Header) (bool, error) {
		code, err := rpc.Code(ctx, c, common.Address(account), h.Hash)
		if rpc.Classify(err) == rpc.NoState {
			return false, fmt.Errorf("no endpoint has the state of block %d any more; give from_block: %w", h.Number, err)
		}
		return len(code) > 0, err
	}
	if ok, err := has(head); err != nil || !ok {
		if err == nil {
			err = fmt.Errorf("there is no code in block %d: %w", head.Number, rpc.ErrNotFound)
		}
		return 0, err
	}
	low, high := uint64(0), head.Number // the code is there at high
	for low < high {
		mid := low + (high-low)/2
		h, err := rpc.HeaderByNumber(ctx, c, mid)
		if err != nil {
			return 0, err
		}
		ok, err := has(h)
		if err != nil {
			return 0, err
		}
		if ok {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low, nil
}
