package agenttest

import (
	"context"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Poller follows the world as a watcher follows a chain. It satisfies jobs.Poller.
type Poller struct {
	World *World
	// Heads, when set, wakes the follower at once.
	Heads chan struct{}
	// Span bounds the blocks of one batch; 0 is no bound.
	Span uint64
}

// Chain is the world's chain.
func (p *Poller) Chain() gov.ChainID { return Chain }

// Wake yields what is sent to Heads.
func (p *Poller) Wake(context.Context) <-chan struct{} { return p.Heads }

// Poll mines the world's pace of blocks and reads what is new since the cursor.
func (p *Poller) Poll(_ context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	w := p.World
	if w.Before != nil {
		if err := w.Before("poll", gov.ProposalID{}); err != nil {
			return dossier.Batch{}, err
		}
	}
	if w.Pace > 0 {
		w.Mine(w.Pace)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.s.batch(from, recent, p.Span)
	return b, nil
}

// BackFill finds nothing: the world has one governor, followed from the start.
func (p *Poller) BackFill(context.Context, gov.Cursor, []gov.Followed, map[gov.Address]gov.Head) (dossier.Batch, error) {
	return dossier.Batch{}, nil
}

func (s *state) batch(from gov.Cursor, recent []gov.Block, span uint64) dossier.Batch {
	b := dossier.Batch{From: from, Followed: []gov.Address{Governor}, Heads: map[gov.Address]gov.Head{Governor: s.head()}}
	at := from
	at.Chain = Chain
	for i := len(recent) - 1; i >= 0 && s.block(at.Block.Number) != at.Block; i-- {
		at.Block = recent[i]
		common := recent[i]
		b.Rewound = &common
		recent = recent[:i+1]
	}
	to := s.Newest
	if span > 0 {
		to = min(to, at.Block.Number+span)
	}
	for n := at.Block.Number + 1; n <= to; n++ {
		recent = append(recent[:len(recent):len(recent)], s.block(n))
		s.logs(&b, n)
	}
	b.Behind = to < s.Newest
	read := at.Block.Number
	at.Block = s.block(to)
	at.Final = s.block(min(to, s.Newest-Finality))
	if from := from.Final.Number + 1; from <= at.Final.Number {
		b.Confirmed = &dossier.Span{From: from, To: at.Final.Number}
		for n := from; n <= min(read, at.Final.Number); n++ {
			s.logs(&b, n) // again, now that they are final
		}
	}
	if at.From == 0 {
		at.From = 1
	}
	b.To, b.Recent = at, recent[max(0, len(recent)-64):]
	return b
}

// logs adds what one block tells.
func (s *state) logs(b *dossier.Batch, block uint64) {
	for _, p := range s.Proposals {
		if p.Created == block {
			seen := dossier.Seen{Proposal: s.proposal(p), Text: dossier.Text{Description: p.Text}}
			seen.Log = gov.Hash(crypto.Keccak256Hash(seen.Proposal.Created.Hash[:], seen.Proposal.ContentHash[:]))
			b.Seen = append(b.Seen, seen)
		}
	}
	for _, p := range s.Proposals {
		if to, ok := p.Changes[block]; ok {
			at := s.block(block)
			b.Changes = append(b.Changes, dossier.Change{ID: ID(p.Number), State: to, Block: at, Log: gov.Hash(crypto.Keccak256Hash(at.Hash[:], []byte(to)))})
		}
	}
}
