package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// endsAt is when a vote ends, as estimated at a block; 0 where that cannot be said.
func (w *world) endsAt(ctx context.Context, c *rpc.Client, g governor.Governor, p gov.Proposal, at rpc.Header) gov.UnixTime {
	if p.Clock == gov.ClockTimestamp {
		return gov.UnixTime(p.Ends)
	}
	head, err := chains.HeadAt(ctx, chains.Over(c, nil), g, at)
	if err != nil || head.BlockTime == 0 {
		w.log.Debug("the end of the vote is not estimated", "error", err)
		return 0
	}
	return head.At(p.Clock, p.Ends)
}

// findProposal looks for the creation log of a proposal, backwards from a block: first where the snapshot
// says it should be, then range by range down to the governor's deployment.
func findProposal(ctx context.Context, c rpc.Caller, g governor.Governor, number gov.Amount, at rpc.Header) (dossier.Seen, error) {
	snapshot, err := g.Snapshot(ctx, c, number, at.Hash)
	if err != nil {
		return dossier.Seen{}, fmt.Errorf("look up proposal %s: %w", number, err)
	}
	if snapshot == 0 {
		return dossier.Seen{}, fmt.Errorf("governor %s knows no proposal %s at block %d", g.Address, number, at.Number)
	}
	to := at.Number
	if g.Clock == gov.ClockBlock && g.HeaderClock {
		to = min(to, uint64(snapshot))
	}
	first := uint64(0)
	if deployed, err := chains.Deployed(ctx, c, g.Address, at); err == nil {
		first = deployed
	}
	for span := uint64(2000); ; {
		from := max(first, to-min(to, span-1))
		logs, err := rpc.Logs(ctx, c, rpc.Filter{
			Addresses: []common.Address{common.Address(g.Address)}, Topics: [][]common.Hash{governorTopics(g)}, From: from, To: to,
		})
		switch {
		case errors.Is(err, rpc.ErrRange) && span > 1:
			span /= 2
			continue
		case err != nil:
			return dossier.Seen{}, fmt.Errorf("read the logs of blocks %d to %d: %w", from, to, err)
		}
		if seen, ok, err := createdIn(ctx, c, g, logs, number); ok || err != nil {
			return seen, err
		}
		if from <= first {
			return dossier.Seen{}, fmt.Errorf("no creation log of proposal %s of %s between blocks %d and %d", number, g.Address, first, at.Number)
		}
		to, span = from-1, min(span*2, 50_000)
	}
}

func governorTopics(g governor.Governor) (out []common.Hash) { return append(out, g.Topics()...) }

// createdIn is the proposal among logs, with the time of its block.
func createdIn(ctx context.Context, c rpc.Caller, g governor.Governor, logs []rpc.Log, number gov.Amount) (dossier.Seen, bool, error) {
	for _, l := range logs {
		e, err := g.Decode(l)
		if err != nil {
			continue // another of the governor's logs, or one that no one can read
		}
		created, ok := e.(governor.Created)
		if !ok || created.Seen.Proposal.ID.Number != number {
			continue
		}
		header, err := rpc.HeaderByHash(ctx, c, l.BlockHash)
		if err != nil {
			return dossier.Seen{}, false, err
		}
		seen := created.Seen
		seen.Proposal.Name = g.Name
		seen.Proposal.Created = gov.Block{Number: header.Number, Hash: header.Hash, Time: gov.UnixTime(header.Time)}
		return seen, true, nil
	}
	return dossier.Seen{}, false, nil
}
