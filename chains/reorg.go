package chains

import (
	"context"
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// rewind goes back to the last block that the chain still has.
func (p *poll) rewind(ctx context.Context) error {
	common, ok, err := p.common(ctx)
	if err != nil {
		return fmt.Errorf("look for the last common block: %w", err)
	}
	if ok && common == p.at.Block {
		return fmt.Errorf("the endpoints do not agree which chain block %d belongs to: %w", common.Number, rpc.ErrDisagreement)
	}
	if !ok {
		if common, err = p.before(ctx); err != nil {
			return err
		}
	}
	if !ok || common.Number < p.at.Final.Number {
		if err := p.broken(ctx); err != nil {
			return err
		}
	}
	p.w.cfg.Log.Warn("reorganisation", "chain", p.w.chain.String(), "from", p.at.Block.Number, "to", common.Number, "broken", p.out.Broken)
	p.at.Block = common
	p.recent = slices.DeleteFunc(p.recent, func(b gov.Block) bool { return b.Number > common.Number })
	if !ok {
		p.recent = nil
		if read(p.at) {
			p.recent = []gov.Block{common}
		}
	}
	if p.out.Broken {
		p.at.Final = common
		p.w.final, p.w.asked = rpc.Header{}, 0
	}
	p.retract(common)
	if p.final, err = p.newestFinal(ctx); err != nil {
		return fmt.Errorf("ask for the final block: %w", err)
	}
	return nil
}

// retract takes back what this poll told above the last common block.
func (p *poll) retract(common gov.Block) {
	if p.out.Rewound == nil || common.Number < p.out.Rewound.Number {
		p.out.Rewound = &common
	}
	for i := len(p.out.Seen) - 1; i >= 0; i-- {
		if p.out.Seen[i].Proposal.Created.Number > common.Number {
			p.out.Seen = slices.Delete(p.out.Seen, i, i+1)
		}
	}
	for i := len(p.out.Changes) - 1; i >= 0; i-- {
		if p.out.Changes[i].Block.Number > common.Number {
			p.out.Changes = slices.Delete(p.out.Changes, i, i+1)
		}
	}
	for id, block := range p.told {
		if block > common.Number {
			delete(p.told, id)
		}
	}
}

// common is the newest recent block that the chain still has, asked from the top in growing steps.
func (p *poll) common(ctx context.Context) (gov.Block, bool, error) {
	const chunk = 64
	top := len(p.recent)
	for top > 0 && p.recent[top-1].Number > p.head.Number {
		top--
	}
	for top > 0 {
		from := max(0, top-chunk)
		part := p.recent[from:top]
		heights := make([]uint64, len(part))
		for i, b := range part {
			heights[i] = b.Number
		}
		agreed, err := p.w.cfg.Client.Headers(ctx, heights...)
		if err != nil {
			return gov.Block{}, false, err
		}
		headers := agreed.Value()
		for i := len(part) - 1; i >= 0; i-- {
			if headers[i].Hash == part[i].Hash {
				return part[i], true, nil
			}
		}
		top = from
	}
	return gov.Block{}, false, nil
}

// before is the block under the first one read: where reading begins again when nothing recent is left.
func (p *poll) before(ctx context.Context) (gov.Block, error) {
	if p.at.From == 0 {
		return gov.Block{}, nil
	}
	h, err := p.w.cfg.Client.Headers(ctx, p.at.From-1)
	if err != nil {
		return gov.Block{}, fmt.Errorf("block before the first: %w", err)
	}
	return blockOf(h.Value()[0]), nil
}

// broken says that a final block is gone, if the sources agree on that; one endpoint on another chain is an
// error instead.
func (p *poll) broken(ctx context.Context) error {
	now, err := p.w.cfg.Client.Headers(ctx, p.at.Final.Number)
	if err != nil {
		return fmt.Errorf("final block %d seems gone: %w", p.at.Final.Number, err)
	}
	if now.Value()[0].Hash == p.at.Final.Hash {
		return fmt.Errorf("an endpoint is on another chain than the final block %d: %w", p.at.Final.Number, rpc.ErrDisagreement)
	}
	p.out.Broken = true
	return nil
}
