package governor

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// ErrOtherContent says that the chain holds other content under this id than was judged.
var ErrOtherContent = errors.New("the chain holds other content under this id")

// Binding says what ties a proposal's id to its content.
type Binding string

// By hash the id is the content's hash; by log the id is counted, and only the creation log in its block
// (and what the contract stored) says which content it stands for.
const (
	ByHash Binding = "hash"
	ByLog  Binding = "log"
)

// Binding finds out what ties id and content together. An OpenZeppelin id that is neither the hash of the
// content nor a counted number is [ErrOtherContent]; the content hash must be that of the actions.
func (g Governor) Binding(p gov.Proposal) (Binding, error) {
	f, err := g.flavour()
	if err != nil {
		return "", err
	}
	if p.ContentHash == (gov.Hash{}) {
		return "", fmt.Errorf("content of %s: %w", p.ID, ErrTooLarge)
	}
	if leftOut := p.TooLarge && len(p.Actions) == 0; !leftOut && gov.ContentHash(p.Actions, p.DescriptionHash) != p.ContentHash {
		return "", fmt.Errorf("content of %s: the hash %s is not that of its actions: %w", p.ID, p.ContentHash, ErrOtherContent)
	}
	if f.calls.ByID {
		return ByLog, nil
	}
	if gov.Hash(p.ID.Number.Int().Bytes32()) == p.ContentHash {
		return ByHash, nil
	}
	// A hash below 2^64 has a chance of 2^-192: such an id was counted, whether or not the contract says so.
	if g.Sequential || p.ID.Number.Int().IsUint64() {
		return ByLog, nil
	}
	return "", fmt.Errorf("content of %s: its hash is %s: %w", p.ID, p.ContentHash, ErrOtherContent)
}

// CheckContent compares the content with the id where the id is a hash; [Governor.Binding] says whether it is.
func (g Governor) CheckContent(p gov.Proposal) error {
	_, err := g.Binding(p)
	return err
}

// Same says whether the chain at a block still holds the content that p has: the id if it is a hash and the
// contract knows it; else the creation log in its block, which must be an ancestor of that block, and on Alpha
// and Bravo the stored actions. [ErrOtherContent] if not.
func (g Governor) Same(ctx context.Context, c rpc.Caller, p gov.Proposal, at gov.Block) error {
	binding, err := g.Binding(p)
	if err != nil {
		return err
	}
	snapshot, err := g.Snapshot(ctx, c, p.ID.Number, at.Hash)
	if err != nil {
		return err
	}
	if snapshot == 0 {
		return fmt.Errorf("%s is not known to the governor in block %d: %w", p.ID, at.Number, ErrOtherContent)
	}
	if binding == ByHash {
		return nil
	}
	if snapshot != p.Starts {
		return fmt.Errorf("%s starts at %d, not at %d: %w", p.ID, snapshot, p.Starts, ErrOtherContent)
	}
	if g.stored() {
		now, err := g.Reread(ctx, c, p.ID.Number, at.Hash)
		if err != nil {
			return err
		}
		if gov.ContentHash(now.Actions, p.DescriptionHash) != p.ContentHash || now.Proposer != p.Proposer {
			return fmt.Errorf("stored actions of %s: %w", p.ID, ErrOtherContent)
		}
	}
	return g.sameLog(ctx, c, p, at)
}

func (g Governor) stored() bool {
	f, err := g.flavour()
	return err == nil && f.calls.ByID
}

// sameLog reads the creation log again in its block. The block must be the canonical one at its height, and
// the height of at must still hold at.
func (g Governor) sameLog(ctx context.Context, c rpc.Caller, p gov.Proposal, at gov.Block) error {
	if p.Created.Number > at.Number {
		return fmt.Errorf("%s was created in block %d, after %d: %w", p.ID, p.Created.Number, at.Number, ErrOtherContent)
	}
	for _, b := range []gov.Block{p.Created, at} {
		h, err := rpc.HeaderByNumber(ctx, c, b.Number)
		if err != nil {
			return err
		}
		if h.Hash != b.Hash {
			return fmt.Errorf("%s: block %d is %s now, not %s: %w", p.ID, b.Number, h.Hash, b.Hash, ErrOtherContent)
		}
	}
	logs, err := rpc.Logs(ctx, c, rpc.Filter{
		Addresses: []common.Address{common.Address(g.Address)}, Topics: [][]common.Hash{{topicCreated}}, BlockHash: &p.Created.Hash,
	})
	if err != nil {
		return fmt.Errorf("creation log of %s: %w", p.ID, err)
	}
	for _, l := range logs {
		e, err := g.Decode(l)
		if created, ok := e.(Created); err == nil && ok && created.Seen.Proposal.ID == p.ID && created.Seen.Proposal.ContentHash == p.ContentHash {
			return nil
		}
	}
	return fmt.Errorf("block %d has no creation log of %s with this content: %w", p.Created.Number, p.ID, ErrOtherContent)
}
