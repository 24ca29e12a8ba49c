package fork

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// compose makes the result of a run that ended, executed or reverted. ready are the changes before it and at its
// moment.
func (x *run) compose(m *machine, t *trace, out receipt, logs []*types.Log, ready *overlay, at moment) (*Result, error) {
	res := &Result{Ready: x.view(ready, at)}
	if _, known := RulesOf(x.runner.cfg.ChainID); !known {
		res.Notes = append(res.Notes, "the fork rules of "+x.runner.cfg.ChainID.String()+" are assumed to be those of Osaka")
	}
	if out.err != nil {
		res.Effects = emptyEffects(x.mode(), gov.EffectsReverted)
		res.Effects.OutOfGas = isOutOfGas(out.err) || t.outOfGas()
		gas, bound := m.gas()
		if bound && res.Effects.OutOfGas {
			return nil, fmt.Errorf("%d gas, less than the chain allows: %w", gas, errGas)
		}
		// A callee that was given little gas fails for want of it as well; what needs more than a block has uses it up,
		// but for the 64th that each frame keeps back.
		if res.Effects.OutOfGas && out.gas > gas/2 {
			res.Effects.Status = gov.Known(gov.EffectsExhausted)
			res.Missing = append(res.Missing, gov.Missing{Part: "effects.status", Reason: gov.TooLarge})
		}
		res.Shown.RevertReason = reasonText(out.err, out.output)
		if i, frame, ok := t.action(x.plan.Executor, x.proposal.Actions); ok {
			res.Effects.FailedAction = i
			res.Shown.RevertReason = reasonText(t.frames[frame].err, t.frames[frame].output)
		}
		res.After = &View{fail: errReverted}
	} else {
		res.Effects = emptyEffects(x.mode(), gov.EffectsExecuted)
		after := m.changes()
		res.After = x.view(after, at)
		res.Effects.StorageDiffs = storageDiffs(m, t)
		res.Effects.CodeChanges = codeChanges(m, t)
		res.Effects.Logs = eventLogs(logs)
		if err := x.readTokens(m, t, logs, res, ready, after); err != nil {
			return nil, err
		}
		if len(logs) > MaxLogs {
			res.cut(gov.Missing{Part: "effects.logs", Reason: gov.TooLarge})
		}
		res.Effects.BalanceDeltas = append(res.Effects.BalanceDeltas, x.nativeDeltas(m, t, out)...)
		slices.SortFunc(res.Effects.BalanceDeltas, func(a, b gov.BalanceDelta) int {
			return cmp.Or(a.Account.Cmp(b.Account), gov.Address(a.Token).Cmp(gov.Address(b.Token)))
		})
	}
	if t.over {
		res.cut(gov.Missing{Part: "effects.calls", Reason: gov.TooLarge})
	}
	res.Effects.Calls = t.calls()
	res.Effects.Gas = gov.Known(gov.NewAmount(out.gas))
	return res, nil
}

// cut notes a part of which the proposal makes more than is taken in. The calls ran, and what is known of them is true.
func (r *Result) cut(m gov.Missing) {
	r.Missing = append(r.Missing, m)
	if r.Effects.Executed() {
		r.Effects.Status, r.Effects.Ended = gov.Known(gov.EffectsExhausted), true
	}
}

func (x *run) view(over *overlay, at moment) *View {
	return &View{runner: x.runner, src: x.src, over: over, at: at}
}

func storageDiffs(m *machine, t *trace) []gov.StorageDiff {
	out := []gov.StorageDiff{}
	for k, before := range t.slots {
		after := m.sdb.GetState(k.account, k.slot)
		if after != before {
			out = append(out, gov.StorageDiff{Account: gov.Address(k.account), Slot: k.slot, Before: before, After: after})
		}
	}
	slices.SortFunc(out, func(a, b gov.StorageDiff) int {
		return cmp.Or(a.Account.Cmp(b.Account), a.Slot.Cmp(b.Slot))
	})
	return out
}

func codeChanges(m *machine, t *trace) []gov.CodeChange {
	out := []gov.CodeChange{}
	for a, before := range t.codes {
		after := m.sdb.GetCodeHash(a)
		if codeHash(before) != codeHash(after) {
			out = append(out, gov.CodeChange{Account: gov.Address(a), Before: codeHash(before), After: codeHash(after)})
		}
	}
	slices.SortFunc(out, func(a, b gov.CodeChange) int { return a.Account.Cmp(b.Account) })
	return out
}

func codeHash(h common.Hash) gov.CodeHash {
	if h == types.EmptyCodeHash {
		return gov.CodeHash{}
	}
	return gov.CodeHash(h)
}

func eventLogs(logs []*types.Log) []gov.EventLog {
	out := make([]gov.EventLog, len(logs))
	for i, l := range logs {
		out[i] = gov.EventLog{Account: gov.Address(l.Address), Topics: slices.Clone(l.Topics), Data: gov.CalldataOf(l.Data)}
	}
	return out
}

// nativeDeltas are the changes of the chain's coin. The payer's is without the fee and the value it sent, so that
// only what the actions themselves did to it remains.
func (x *run) nativeDeltas(m *machine, t *trace, out receipt) []gov.BalanceDelta {
	var deltas []gov.BalanceDelta
	for a, before := range t.balances {
		after := new(uint256.Int).Set(m.sdb.GetBalance(a))
		if a == m.rd.payer.account && x.steps != nil {
			after.Add(after, new(uint256.Int).Mul(uint256.NewInt(out.gas), m.baseFee))
			after.Add(after, t.frames[0].Value.Int())
		}
		if after.Eq(&before) {
			continue
		}
		if a == m.rd.payer.account && m.rd.payer.real {
			after.Sub(after, payerMeans)
			before.Sub(&before, payerMeans)
		}
		b := gov.AmountOf(&before)
		deltas = append(deltas, gov.BalanceDelta{
			Account: gov.Address(a), Token: gov.Native, Before: b, Delta: gov.DeltaOf(b, gov.AmountOf(after)),
		})
	}
	return deltas
}
