package chains

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

const (
	// below is how many blocks under the newest final one stay in Recent, so that a reorganisation that
	// should be impossible can be told with its last common block.
	below = 64
	// byHash is up to how many new blocks are asked for one by one, by hash.
	byHash = 2
)

// errForked says that the chain does not continue the block at the cursor.
var errForked = errors.New("the chain does not continue the block at the cursor")

// poll is one Poll under way.
type poll struct {
	w           *Watcher
	by          quorum.Agreed[rpc.Header] // of head
	head, final rpc.Header
	at          gov.Cursor
	recent      []gov.Block      // ascending, up to at.Block
	told        map[logID]uint64 // as Watcher.told, kept if the poll succeeds
	out         dossier.Batch
	behind      bool
	// fresh: what was told before is not remembered, so that a log may wait for finality
	fresh bool
}

func cloneBlocks(b []gov.Block) []gov.Block { return append([]gov.Block(nil), b...) }

func blockOf(h rpc.Header) gov.Block {
	return gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}
}

// read says whether any block was read at all.
func read(c gov.Cursor) bool { return c.Block.Hash != gov.Hash{} }

// begin asks for the final block and gives a new cursor its place.
func (p *poll) begin(ctx context.Context) (err error) {
	if p.final, err = p.newestFinal(ctx); err != nil {
		return fmt.Errorf("ask for the final block: %w", err)
	}
	if read(p.at) {
		return nil
	}
	if p.at.From, err = p.w.first(ctx, p.head); err != nil {
		return err
	}
	if p.at.From > p.head.Number {
		return fmt.Errorf("from_block %d is above the newest block %d", p.at.From, p.head.Number)
	}
	p.recent = nil
	if p.at.From == 0 {
		return nil
	}
	before, err := p.w.cfg.Client.Headers(ctx, p.at.From-1)
	if err != nil {
		return fmt.Errorf("block before the first: %w", err)
	}
	p.at.Block = blockOf(before.Value()[0])
	p.at.Final = p.at.Block
	if p.at.Block.Number > p.final.Number {
		headers, err := p.w.cfg.Client.Linked(ctx, p.final.Number, p.at.Block.Number)
		if err != nil {
			return fmt.Errorf("blocks from the final one to the first: %w", err)
		}
		for _, h := range headers.Value() {
			p.recent = append(p.recent, blockOf(h))
		}
		p.at.Final, p.at.Block = p.recent[0], p.recent[len(p.recent)-1]
		return nil
	}
	p.recent = []gov.Block{p.at.Block}
	return nil
}

// newestFinal is the final block, asked for only when it may have moved.
func (p *poll) newestFinal(ctx context.Context) (rpc.Header, error) {
	w := p.w
	if n, ok := w.cfg.Client.Behind(); ok {
		number := p.head.Number - min(p.head.Number, n)
		if number == p.head.Number {
			return p.head, nil
		}
		if b, known := p.known(number); known { // confirm compares its hash at every source
			return rpc.Header{Number: number, Hash: b.Hash, Time: uint64(b.Time)}, nil
		}
	} else if w.final.Hash != (gov.Hash{}) && p.head.Number >= w.asked {
		if moved := p.head.Number - w.asked; moved == 0 || len(p.told) == 0 && !p.fresh && moved < w.cfg.FinalEvery {
			return w.final, nil
		}
	}
	agreed, err := w.cfg.Client.Final(ctx)
	if err != nil {
		return rpc.Header{}, err
	}
	h := agreed.Value()
	if h.Number < w.final.Number && w.final.Number <= p.at.Final.Number {
		h = w.final // endpoints that lag; finality does not go back
	}
	w.final, w.asked = h, p.head.Number
	return h, nil
}

// known finds a block among the recent ones.
func (p *poll) known(number uint64) (gov.Block, bool) {
	i, ok := slices.BinarySearchFunc(p.recent, number, func(b gov.Block, n uint64) int {
		switch {
		case b.Number < n:
			return -1
		case b.Number > n:
			return 1
		}
		return 0
	})
	if !ok {
		return gov.Block{}, false
	}
	return p.recent[i], true
}

// maxForks bounds the reorganisations followed in one poll.
const maxForks = 3

// run reads as far as one poll goes.
func (p *poll) run(ctx context.Context) error {
	for forks := 0; ; forks++ {
		err := p.advance(ctx)
		if err == nil {
			return p.heads(ctx)
		}
		if !errors.Is(err, errForked) || forks == maxForks {
			return err
		}
		if err := p.rewind(ctx); err != nil {
			return err
		}
	}
}

func (p *poll) advance(ctx context.Context) error {
	if read(p.at) && p.head.Number <= p.at.Block.Number {
		mine, known := p.known(p.head.Number)
		if known && mine.Hash != p.head.Hash {
			return errForked
		}
		if p.head.Number < p.at.Block.Number {
			return nil // the endpoints lag
		}
	}
	if mine, known := p.known(p.final.Number); known && mine.Hash != p.final.Hash {
		return errForked
	}
	if err := p.confirm(ctx); err != nil {
		return err
	}
	if p.at.Final.Number < p.final.Number {
		p.behind = true
		return nil
	}
	return p.follow(ctx)
}

// moved says whether there is anything to store.
func (p *poll) moved() bool {
	return p.at != p.out.From || p.out.Rewound != nil || len(p.out.Seen)+len(p.out.Changes) > 0
}

func (p *poll) batch() dossier.Batch {
	p.out.To = p.at
	for _, g := range p.w.cfg.Governors {
		p.out.Followed = append(p.out.Followed, g.Address)
	}
	p.out.Behind = p.behind || read(p.at) && p.at.Block.Number < p.head.Number
	keep := 0
	for i, b := range p.recent {
		if b.Number+below >= p.at.Final.Number {
			keep = i
			break
		}
	}
	p.out.Recent = p.recent[keep:]
	return p.out
}

// tell decodes a log and adds what it says.
func (p *poll) tell(l rpc.Log, at gov.Block) {
	g := p.w.governors[gov.Address(l.Address)]
	event, err := g.Decode(l)
	if err != nil {
		p.w.cfg.Log.Error("log of a governor cannot be read", "governor", g.Address.String(), "block", l.BlockNumber,
			"index", l.Index, "error", err)
		return
	}
	if c, ok := governor.ChangeOf(event, at); ok {
		c.Log = digestOf(l)
		p.out.Changes = append(p.out.Changes, c)
		return
	}
	if created, ok := event.(governor.Created); ok {
		seen := created.Seen
		seen.Proposal.Created, seen.Log = at, digestOf(l)
		p.out.Seen = append(p.out.Seen, seen)
	}
}
