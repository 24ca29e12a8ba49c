package fork

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// run is one dry run.
type run struct {
	runner   *Runner
	src      *Source
	proposal gov.Proposal
	plan     Plan
	budget   *budget
	head     rpc.Header
	steps    *Steps // nil: direct
}

func (x *run) mode() gov.EffectsMode {
	if x.plan.Lifecycle == nil {
		return gov.ModeDirect
	}
	return gov.ModeLifecycle
}

// failed is the result of a run that gave none.
func (x *run) failed(err error) *Result {
	u := unavailable(err)
	view := &View{fail: u}
	return &Result{
		Effects: emptyEffects(x.mode(), gov.EffectsUnavailable),
		Ready:   view, After: view, Missing: []gov.Missing{{Part: "effects.status", Reason: u.Reason}},
	}
}

// exhausted is the result of a run of which there is none, because the proposal is more than a run takes in.
func (x *run) exhausted() *Result {
	view := &View{fail: &Unavailable{gov.TooLarge, errTouched}}
	return &Result{
		Effects: emptyEffects(x.mode(), gov.EffectsExhausted),
		Ready:   view, After: view, Missing: []gov.Missing{{Part: "effects.status", Reason: gov.TooLarge}},
	}
}

func emptyEffects(mode gov.EffectsMode, status gov.EffectsStatus) gov.Effects {
	return gov.Effects{
		Status: gov.Known(status), Mode: mode, FailedAction: -1,
		Calls: []gov.Frame{}, Logs: []gov.EventLog{}, BalanceDeltas: []gov.BalanceDelta{}, Allowances: []gov.Allowance{},
		StorageDiffs: []gov.StorageDiff{}, CodeChanges: []gov.CodeChange{},
	}
}

func (x *run) dry(ctx context.Context) (*Result, error) {
	cfg := &x.runner.cfg
	if notEquivalent(cfg.ChainID) {
		return nil, notSupported("%s does not run Ethereum's virtual machine: its own node must simulate", cfg.ChainID)
	}
	if x.proposal.TooLarge && len(x.proposal.Actions) == 0 {
		return nil, errLeftOut
	}
	if len(x.proposal.Actions) == 0 {
		return nil, notSupported("the proposal has no actions")
	}
	if x.plan.Executor.IsZero() {
		return nil, notSupported("the plan names no executor")
	}
	if x.plan.Lifecycle != nil {
		steps, err := x.plan.Lifecycle.Steps(x.proposal)
		if err != nil {
			return nil, notSupported("build the steps to execution: %w", err)
		}
		x.steps = &steps
	}
	var err error
	if x.head, err = x.src.header(ctx, x.budget); err != nil {
		return nil, err
	}
	if !cfg.NoPrefetch {
		if err := x.prefetch(ctx); err != nil && !errors.Is(err, errReads) {
			return nil, err
		}
	}
	result, err := x.settle(ctx)
	if err != nil || x.steps == nil || result.Effects.Executed() {
		return result, err
	}
	return x.explain(ctx, result)
}

// settle makes the run until nothing that it reads is missing. What it touched is counted in the last pass, which
// depends on nothing but the state. A run that touches much is made once more as if nothing were known, so that how
// deep its reads depend on each other is counted alike whatever node and cache stand behind it.
func (x *run) settle(ctx context.Context) (result *Result, err error) {
	cfg := &x.runner.cfg
	once := func() error {
		return x.src.settle(ctx, x.budget, cfg.NoPrefetch, func(p *pass) (err error) {
			result, err = x.pass(ctx, p)
			return err
		})
	}
	err = once()
	switch deep := errors.Is(err, errDeep); {
	case err != nil && !deep:
		return result, err
	case !deep && x.budget.touched > cfg.MaxReads:
		return nil, errTouched
	case !deep && (x.budget.touched <= MaxDeep || cfg.NoPrefetch):
		return result, nil
	}
	x.budget.left, x.budget.cold = cfg.MaxReads, &cold{known: newWant(), max: cfg.MaxReads, most: MaxDeep}
	err = once()
	x.budget.cold = nil
	return result, err
}

// explain runs the actions of a lifecycle that reverted on their own. What that shows is no part of the effects,
// but for the index of the failed action where the lifecycle's own calls do not tell it.
func (x *run) explain(ctx context.Context, result *Result) (*Result, error) {
	alone := *x
	alone.steps = nil
	shown, err := alone.settle(ctx)
	if tooMuch(err) {
		return result, nil // the lifecycle has shown what it is
	}
	if err != nil {
		return nil, fmt.Errorf("run the actions on their own: %w", err)
	}
	result.Direct = shown.Direct
	if result.Effects.FailedAction < 0 {
		result.Effects.FailedAction = shown.Effects.FailedAction
	}
	return result, nil
}

// pass makes the run once.
func (x *run) pass(ctx context.Context, p *pass) (*Result, error) {
	rd := &reader{pass: p, payer: x.payer()}
	m, err := newMachine(ctx, &x.runner.cfg, x.head, rd, moment{x.head.Number, x.head.Time})
	if err != nil {
		return nil, err
	}
	if fee := x.plan.Env.BaseFee; fee != nil {
		m.baseFee = fee.Int()
	}
	if x.steps == nil {
		return x.runDirect(m)
	}
	return x.runLifecycle(m)
}

// payer is the caller that the plan names, or an account that has no history on any chain.
func (x *run) payer() *payer {
	if a := x.plan.Env.Caller; !a.IsZero() {
		return &payer{account: common.Address(a), real: true}
	}
	return &payer{account: common.BytesToAddress(crypto.Keccak256([]byte("legate dry run"), []byte(x.proposal.ID.String())))}
}

// vary moves the clock by what the plan asks for beyond what is due.
func (x *run) vary(m *machine) {
	if later := min(x.plan.Env.Later, uint64(horizon.Seconds())); later > 0 {
		m.at = m.at.later(later, x.runner.cfg.BlockTime)
	}
	m.at.number += min(x.plan.Env.Blocks, 1<<32)
}

func (x *run) newTrace(base int) *trace {
	return newTrace(base, limits{x.runner.cfg.MaxFrames, x.runner.cfg.MaxTrace})
}

// runDirect calls the actions from the executor, in order, in the next block, all or none.
func (x *run) runDirect(m *machine) (*Result, error) {
	m.at = m.at.blocks(1, x.runner.cfg.BlockTime)
	x.vary(m)
	ready := m.at
	executor := common.Address(x.plan.Executor)
	rules := m.chainRules()
	t := x.newTrace(1)
	gas, _ := m.gas()
	budget := vm.NewGasBudget(gas, 0)
	initial := budget
	results := []ActionResult{}
	m.txs++
	m.sdb.SetTxContext(m.txHash(), m.txs, 0)
	m.sdb.Prepare(rules, m.rd.payer.account, m.head.Coinbase, &executor, vm.ActivePrecompiles(rules), nil)
	m.trace = t
	start := m.sdb.Snapshot()
	var last receipt
	err := m.with(m.hooked, m.hooks(), func(evm *vm.EVM) error {
		evm.SetTxContext(vm.TxContext{Origin: m.rd.payer.account, GasPrice: new(uint256.Int).Set(m.baseFee)})
		for _, a := range x.proposal.Actions {
			out, left, vmErr := evm.Call(executor, common.Address(a.To), a.Calldata.Bytes(), vm.NewGasBudget(budget.ExecutionGas, budget.StateGas), a.Value.Int())
			used := left.Used(budget)
			budget = vm.NewGasBudget(left.ExecutionGas, left.StateGas)
			last = receipt{used, common.CopyBytes(out), vmErr}
			r := ActionResult{OK: vmErr == nil, Gas: used}
			if vmErr != nil {
				r.OutOfGas, r.Reason = t.outOfGas(), reasonText(vmErr, out)
			}
			results = append(results, r)
			if vmErr != nil {
				return nil
			}
		}
		return nil
	})
	m.trace = nil
	if err = m.rd.trust(err); err != nil {
		return nil, fmt.Errorf("run the actions: %w", err)
	}
	if last.err != nil {
		m.sdb.RevertToSnapshot(start)
	}
	logs := m.logs()
	m.finalise()
	last.gas = budget.Used(initial)
	res, err := x.compose(m, t, last, logs, nil, ready)
	if err != nil {
		return nil, err
	}
	res.Direct = results
	if last.err != nil {
		res.Effects.FailedAction = len(results) - 1
		res.Shown.RevertReason = results[len(results)-1].Reason
	}
	return res, nil
}

// watched are the plan's accounts and the executor, without repetition.
func (x *run) watched() []gov.Address {
	out := append(slices.Clone(x.plan.Watch), x.plan.Executor)
	slices.SortFunc(out, gov.Address.Cmp)
	return slices.Compact(out)
}
