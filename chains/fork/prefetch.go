package fork

import (
	"context"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// maxHints is about how many different actions a node is asked: a proposal may have thousands, and the passes find
// what the others touch.
const maxHints = 128

// accessList is the answer of eth_createAccessList, of which only the hints are used.
type accessList struct {
	List []struct {
		Address common.Address `json:"address"`
		Keys    []common.Hash  `json:"storageKeys"`
	} `json:"accessList"`
}

// prefetch asks the node in one batch what the reads of the lifecycle and each action would touch, and reads that
// in another. A node that does not know the method, or says nonsense, costs round trips later and nothing else: the
// passes find what is missing.
func (x *run) prefetch(ctx context.Context) error {
	calls := x.hints()
	if x.known(calls) {
		return nil // the passes find the few things that are new
	}
	at := rpc.AtHash{Hash: x.src.at.Hash}
	answers := make([]accessList, len(calls))
	reqs := make([]rpc.Request, len(calls))
	for i, c := range calls {
		reqs[i] = rpc.Request{Method: "eth_createAccessList", Args: []any{c, at}, Result: &answers[i]}
	}
	x.budget.reads.Trips++
	if err := x.src.caller.Batch(ctx, reqs); err != nil {
		x.runner.log.Debug("no access lists", "error", err)
	}
	w := newWant()
	for _, a := range []common.Address{common.Address(x.plan.Executor), x.head.Coinbase} {
		w.accounts[a] = struct{}{}
	}
	for _, c := range calls {
		w.accounts[*c.To] = struct{}{}
	}
	for i := range answers {
		if reqs[i].Err == nil {
			x.take(w, answers[i])
		}
	}
	return x.src.fetch(ctx, x.budget, w)
}

// known says whether everything that is called was read before.
func (x *run) known(calls []rpc.CallArgs) bool {
	for _, c := range calls {
		if _, ok := x.src.account(*c.To); !ok {
			return false
		}
	}
	return true
}

// take adds the hints of one answer, as far as half of the budget goes.
func (x *run) take(w *want, list accessList) {
	for _, e := range list.List {
		if len(w.accounts)+len(w.slots)+len(e.Keys) >= x.budget.left/2 {
			return
		}
		w.accounts[e.Address] = struct{}{}
		for _, k := range e.Keys {
			w.slots[slotKey{e.Address, k}] = struct{}{}
		}
	}
}

// hints are the calls worth asking about: those that work on the state as it is.
func (x *run) hints() []rpc.CallArgs {
	var out []rpc.CallArgs
	add := func(from *gov.Address, to gov.Address, value gov.Amount, data []byte) {
		c := rpc.CallArgs{To: (*common.Address)(&to), Data: data}
		if from != nil {
			c.From = (*common.Address)(from)
		}
		if !value.IsZero() {
			c.Value = (*hexutil.Big)(value.Int().ToBig())
		}
		out = append(out, c)
	}
	asked := map[gov.Action]bool{}
	for _, a := range x.proposal.Actions {
		if !asked[a] && len(asked) < maxHints {
			asked[a] = true
			add(&x.plan.Executor, a.To, a.Value, a.Calldata.Bytes())
		}
	}
	if s := x.steps; s != nil {
		add(nil, s.State.To, gov.Amount{}, s.State.Data)
		for _, w := range []Word{s.For, s.Deadline, s.Eta} {
			if len(w.Data) > 0 {
				add(nil, w.To, gov.Amount{}, w.Data)
			}
		}
	}
	return out
}
