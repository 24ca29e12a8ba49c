package main

import (
	"context"
	"sync"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// payments knows whom a governor's executed proposals paid, from their actions in the journal.
type payments struct {
	db *journal.DB

	mu   sync.Mutex
	seen map[gov.ProposalID]int64 // proposals that were looked through, at their last record
	paid map[gov.Address]map[gov.Address]uint64
}

func newPayments(db *journal.DB) *payments {
	return &payments{db: db, seen: map[gov.ProposalID]int64{}, paid: map[gov.Address]map[gov.Address]uint64{}}
}

// transferSelector is transfer(address,uint256).
var transferSelector = gov.Selector{0xa9, 0x05, 0x9c, 0xbb}

// Paid says whether an executed proposal that was created before a block paid an account, in the native
// coin or by transfer(address,uint256).
func (p *payments) Paid(ctx context.Context, governor, to gov.Address, before gov.Block) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.look(ctx, governor); err != nil {
		return false, err
	}
	block, ok := p.paid[governor][to]
	return ok && block < before.Number, nil
}

func (p *payments) look(ctx context.Context, governor gov.Address) error {
	list, err := p.db.Proposals(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		if e.ID.Governor != governor || p.seen[e.ID] == e.Seq {
			continue
		}
		d, err := p.db.Load(ctx, e.ID)
		if err != nil {
			return err
		}
		p.seen[e.ID] = e.Seq
		if d.Proposal.State == gov.StateExecuted {
			p.note(governor, d.Proposal)
		}
	}
	return nil
}

func (p *payments) note(governor gov.Address, proposal gov.Proposal) {
	at := proposal.Created.Number
	for _, a := range proposal.Actions {
		to := a.To
		selector, ok := a.Calldata.Selector()
		switch {
		case a.Calldata.Len() == 0 && !a.Value.IsZero():
		case ok && selector == transferSelector && a.Calldata.Len() == 68:
			to = gov.Address(a.Calldata.Bytes()[16:36])
		default:
			continue
		}
		if p.paid[governor] == nil {
			p.paid[governor] = map[gov.Address]uint64{}
		}
		if first, ok := p.paid[governor][to]; !ok || at < first {
			p.paid[governor][to] = at
		}
	}
}
