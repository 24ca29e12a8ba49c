package governor

import (
	"fmt"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/fork"
)

var _ fork.Lifecycle = Governor{}

// Steps are the calls that take a proposal from a vote to its execution, for a dry run on a fork.
func (g Governor) Steps(p gov.Proposal) (fork.Steps, error) {
	f, err := g.flavour()
	if err != nil {
		return fork.Steps{}, err
	}
	if p.TooLarge && len(p.Actions) == 0 {
		return fork.Steps{}, fmt.Errorf("steps of %s: its actions are not kept: %w", p.ID, ErrTooLarge)
	}
	id := amountWord(p.ID.Number)
	at := func(v view) fork.Word { return fork.Word{To: g.Address, Data: v.data(id), Index: v.index} }
	s := fork.Steps{
		Clock:    g.Clock,
		State:    fork.Call{To: g.Address, Data: f.calls.State.data(id)},
		For:      at(f.calls.For),
		Deadline: at(f.calls.Deadline),
		Execute:  fork.Call{To: g.Address, Data: f.content(f.calls.Execute, p)},
	}
	if f.calls.PaysValue {
		s.Execute.Value = sum(p.Actions)
	}
	if !g.Timelock.IsZero() {
		s.Queue = &fork.Call{To: g.Address, Data: f.content(f.calls.Queue, p)}
		s.Eta = at(f.calls.Eta)
	}
	return s, nil
}

// content is the calldata of queue or execute.
func (f Flavour) content(selector gov.Selector, p gov.Proposal) []byte {
	if f.calls.ByID {
		id := amountWord(p.ID.Number)
		return append(selector[:], id[:]...)
	}
	return append(selector[:], gov.EncodeContent(p.Actions, p.DescriptionHash)...)
}

// sum is what the actions pay together; the largest number where it overflows: nobody can send either.
func sum(actions []gov.Action) gov.Amount {
	total := new(uint256.Int)
	for _, a := range actions {
		if _, over := total.AddOverflow(total, a.Value.Int()); over {
			return gov.AmountOf(total.SetAllOne())
		}
	}
	return gov.AmountOf(total)
}
