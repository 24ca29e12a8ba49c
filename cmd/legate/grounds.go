package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/signer"
)

// Canonical reports whether a block is still in the chain, as many sources as must agree say so.
func (w *world) Canonical(ctx context.Context, id gov.ProposalID, b gov.Block) (quorum.Agreed[bool], error) {
	g, err := w.of(id)
	if err != nil {
		return quorum.Agreed[bool]{}, err
	}
	now, err := quorum.Ask(ctx, g.panel, func(ctx context.Context, c rpc.Caller) (gov.Hash, error) {
		h, err := rpc.HeaderByNumber(ctx, c, b.Number)
		return h.Hash, err
	})
	if err != nil {
		return quorum.Agreed[bool]{}, fmt.Errorf("look whether block %d is in the chain: %w", b.Number, err)
	}
	return quorum.Map(now, func(h gov.Hash) bool { return h == b.Hash }), nil
}

// SameCode reports whether the code behind the calls is what facts say, as many sources as must agree say so.
func (w *world) SameCode(ctx context.Context, p gov.Proposal, f gov.Facts, at gov.Block) (quorum.Agreed[bool], error) {
	g, err := w.of(p.ID)
	if err != nil {
		return quorum.Agreed[bool]{}, err
	}
	return quorum.Ask(ctx, g.panel, func(ctx context.Context, c rpc.Caller) (bool, error) {
		err := facts.SameCode(ctx, c, p.ID.Chain, f, at)
		if errors.Is(err, facts.ErrOtherCode) {
			w.log.Warn("other code than the facts say", "proposal", p.ID.String(), "error", err)
			return false, nil
		}
		return err == nil, err
	})
}

// watchFinality alarms, once, when the newest final block is older than facts may be: then a For holds and an Against is
// cast on the facts that gave it.
func (w *world) watchFinality(chain gov.ChainID, heads map[gov.Address]gov.Head) {
	maxAge := gov.UnixTime(signer.DefaultMaxAge.Seconds())
	if v := w.conf.Voter; v != nil {
		maxAge = gov.UnixTime(v.MaxAge.Seconds())
	}
	var behind gov.UnixTime
	for _, h := range heads {
		behind = max(behind, h.Latest.Time-h.Final.Time)
	}
	if len(heads) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if stuck := behind > maxAge; stuck != w.stuck[chain] {
		if w.stuck == nil {
			w.stuck = map[gov.ChainID]bool{}
		}
		w.stuck[chain] = stuck
		if !stuck {
			w.log.Info("finality moves again", "chain", chain.String())
			return
		}
		w.log.Error("finality stands still: facts are too old for a For, which holds; an Against is cast on the facts that gave it",
			"chain", chain.String(), "behind", (time.Duration(behind) * time.Second).String())
	}
}
