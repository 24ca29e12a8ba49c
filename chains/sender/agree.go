package sender

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/chains/rpc"
)

// agreed asks until enough endpoints say the same. Where one is enough the client asks the best.
func agreed[T comparable](ctx context.Context, s *Sender, ask func(context.Context, rpc.Caller) (T, error)) (T, error) {
	if s.Agree <= 1 {
		return ask(ctx, s.Caller)
	}
	values, errs := each(ctx, s, ask)
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	counts := map[T]int{}
	for i, v := range values {
		if errs[i] == nil {
			counts[v]++
		}
	}
	winner, reached := none, 0
	for v, n := range counts {
		if n >= s.Agree {
			winner = v
			reached++
		}
	}
	if reached != 1 {
		return none, fmt.Errorf("%d of %d endpoints must say the same, there are %d answers: %w", s.Agree, len(values), len(counts), errors.Join(append(errs, rpc.ErrDisagreement)...))
	}
	return winner, nil
}

// each asks every endpoint, side by side.
func each[T any](ctx context.Context, s *Sender, ask func(context.Context, rpc.Caller) (T, error)) ([]T, []error) {
	endpoints := s.Endpoints()
	values, errs := make([]T, len(endpoints)), make([]error, len(endpoints))
	var wg sync.WaitGroup
	for i, e := range endpoints {
		wg.Go(func() {
			errs[i] = supervise.Catch(func() (err error) { values[i], err = ask(ctx, e); return err })
			if errs[i] != nil {
				errs[i] = fmt.Errorf("%s: %w", e.Name(), errs[i])
			}
		})
	}
	wg.Wait()
	return values, errs
}

// head is the newest block that enough endpoints have, and agree on field by field.
func (s *Sender) head(ctx context.Context) (rpc.Header, error) {
	latest := func(ctx context.Context, c rpc.Caller) (rpc.Header, error) { return rpc.HeaderByTag(ctx, c, "latest") }
	if s.Agree <= 1 {
		return latest(ctx, s.Caller)
	}
	heads, errs := each(ctx, s, latest)
	var numbers []uint64
	for i, h := range heads {
		if errs[i] == nil {
			numbers = append(numbers, h.Number)
		}
	}
	if len(numbers) < s.Agree {
		return rpc.Header{}, fmt.Errorf("head: %d of %d needed endpoints answered: %w", len(numbers), s.Agree, errors.Join(append(errs, rpc.ErrNoEndpoint)...))
	}
	slices.Sort(numbers)
	number := numbers[len(numbers)-s.Agree]
	byNumber := func(ctx context.Context, c rpc.Caller) (rpc.Header, error) { return rpc.HeaderByNumber(ctx, c, number) }
	key, err := agreed(ctx, s, func(ctx context.Context, c rpc.Caller) (rpc.HeaderKey, error) {
		h, err := byNumber(ctx, c)
		return h.Key(), err
	})
	if err != nil {
		return rpc.Header{}, fmt.Errorf("head: %w", err)
	}
	all, errs := each(ctx, s, byNumber)
	for i, h := range all {
		if errs[i] == nil && h.Key() == key {
			return h, nil
		}
	}
	return rpc.Header{}, fmt.Errorf("head: block %d has changed: %w", number, rpc.ErrDisagreement)
}

// nonce is how many transactions the voter has in the chain up to a block.
func (s *Sender) nonce(ctx context.Context, voter gov.Address, at gov.Hash) (uint64, error) {
	return agreed(ctx, s, func(ctx context.Context, c rpc.Caller) (uint64, error) {
		return rpc.Nonce(ctx, c, ethAddress(voter), at)
	})
}

func blockOf(h rpc.Header) gov.Block {
	return gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}
}
