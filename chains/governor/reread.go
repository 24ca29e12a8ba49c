package governor

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// Stored is what Alpha and Bravo keep of a proposal. The description is kept nowhere but in the log.
type Stored struct {
	Proposer     gov.Address
	Starts, Ends gov.Clocks
	Actions      []gov.Action
	Signatures   []dossier.Untrusted // nil where there are none
}

var getActions = mustCall("getActions(uint256)(address[] targets,uint256[] values,string[] signatures,bytes[] calldatas)")

// Reread reads a proposal from the contract's storage. OpenZeppelin stores only the hash: [ErrNotOffered].
func (g Governor) Reread(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (s Stored, err error) {
	f, err := g.flavour()
	if err != nil {
		return s, err
	}
	if !f.calls.ByID {
		return s, fmt.Errorf("stored actions of %s: %w", g.id(id), ErrNotOffered)
	}
	out, err := rpc.CallContract(ctx, c, common.Address(g.Address), getActions.data(amountWord(id)), at)
	if err != nil {
		return s, fmt.Errorf("stored actions of %s: %w", g.id(id), err)
	}
	if len(out) > MaxLog {
		return s, fmt.Errorf("stored actions of %s: %w", g.id(id), ErrTooLarge)
	}
	if s.Actions, s.Signatures, err = decodeActions(&decoder{data: out}, [4]int{0, wordSize, 2 * wordSize, 3 * wordSize}); err != nil {
		return s, fmt.Errorf("stored actions of %s: %w", g.id(id), err)
	}
	a := &ask{call: f.calls.Snapshot.call, to: g.Address, args: []word{amountWord(id)}}
	if err := askAll(ctx, c, at, []*ask{a}); err != nil {
		return s, err
	}
	if a.err != nil {
		return s, fmt.Errorf("stored proposal %s: %w", g.id(id), a.err)
	}
	all, err := a.call.words(a.out)
	if err != nil {
		return s, fmt.Errorf("stored proposal %s: %w", g.id(id), err)
	}
	if s.Proposer, err = all[f.calls.Proposer.index].address(); err != nil {
		return s, err
	}
	starts, err := all[f.calls.Snapshot.index].number()
	if err != nil {
		return s, err
	}
	ends, err := all[f.calls.Deadline.index].number()
	s.Starts, s.Ends = gov.Clocks(starts), gov.Clocks(ends)
	return s, err
}
