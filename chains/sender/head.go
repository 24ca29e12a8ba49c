package sender

import (
	"context"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// ask asks the panel for something that compares.
func ask[T comparable](ctx context.Context, s *Sender, from func(context.Context, rpc.Caller) (T, error)) (quorum.Agreed[T], error) {
	return quorum.Ask(ctx, s.Panel, from)
}

// head is the newest block that enough endpoints have, and agree on field by field.
func (s *Sender) head(ctx context.Context) (quorum.Agreed[rpc.Header], error) {
	head, err := quorum.Highest(ctx, s.Panel, func(ctx context.Context, c rpc.Caller) (rpc.Header, error) {
		return rpc.HeaderByTag(ctx, c, "latest")
	})
	if err != nil {
		return head, fmt.Errorf("head: %w", err)
	}
	return head, nil
}

// nonce is how many transactions the voter has in the chain up to a block.
func (s *Sender) nonce(ctx context.Context, voter gov.Address, at quorum.Agreed[rpc.Header]) (quorum.Agreed[uint64], error) {
	return ask(ctx, s, func(ctx context.Context, c rpc.Caller) (uint64, error) {
		return rpc.Nonce(ctx, c, ethAddress(voter), at.Value().Hash)
	})
}

// voted reports whether the chain has a vote of a ballot's voter at a block.
func (s *Sender) voted(ctx context.Context, g Governor, b gov.Ballot, at quorum.Agreed[rpc.Header]) (quorum.Agreed[bool], error) {
	return ask(ctx, s, func(ctx context.Context, c rpc.Caller) (bool, error) {
		return g.HasVoted(ctx, c, b.Proposal.Number, b.Voter, at.Value().Hash)
	})
}

func blockOf(h rpc.Header) gov.Block {
	return gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}
}
