package facts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// noEffects are the effects of a run that was not made.
func noEffects() gov.Effects {
	return gov.Effects{
		Status: gov.Known(gov.EffectsUnavailable), Mode: gov.ModeDirect, FailedAction: -1,
		Calls: []gov.Frame{}, Logs: []gov.EventLog{}, BalanceDeltas: []gov.BalanceDelta{}, Allowances: []gov.Allowance{},
		StorageDiffs: []gov.StorageDiff{}, CodeChanges: []gov.CodeChange{},
	}
}

// dryRun runs the actions between the two rounds. Its effects are facts; the state after it is what round two reads.
func (g *gathering) dryRun(ctx context.Context) {
	if g.deps.Runner == nil {
		g.missing("effects.status", gov.NotInRelease, gov.Address{})
		return
	}
	plan := fork.Plan{Executor: g.facts.DAO.Executor, Watch: g.facts.DAO.Treasury, Tokens: g.tokens()}
	if !g.p.Draft && !g.facts.DAO.Governor.IsZero() {
		plan.Lifecycle = g.deps.Governor
	}
	result, err := g.deps.Runner.Run(ctx, g.p, g.at, plan)
	if result != nil {
		g.facts.Effects = result.Effects
		g.shown.Merge(result.Shown)
		g.facts.Unavailable = append(g.facts.Unavailable, result.Missing...)
	}
	if status := g.facts.Effects.Status.Or(gov.EffectsUnavailable); err != nil || status == gov.EffectsUnavailable || result == nil {
		reason := gov.NoState
		if err != nil {
			reason = reasonOf(err)
		}
		g.missing("effects.status", reason, gov.Address{})
		return
	}
	if g.surveyed != nil && g.facts.Effects.Executed() {
		g.facts.Effects.Status, g.facts.Effects.Ended = gov.Known(gov.EffectsExhausted), true
	}
	if !g.facts.Effects.Shows() {
		return // it reverted, or did not end: there is no state after it
	}
	g.result = result
	g.ready, g.after = g.wary(view{result.Ready}, result.Ready), g.wary(view{result.After}, result.After)
}

// effectsReason is why there is no state after the run.
func (g *gathering) effectsReason() gov.Reason { return g.reasonFor("effects.status") }

// tokens are those whose balances matter: the governance token and the operator's.
func (g *gathering) tokens() []gov.Address {
	var out []gov.Address
	seen := map[gov.Address]bool{{}: true}
	for _, t := range append([]gov.Address{g.facts.DAO.Token}, g.deps.Tokens...) {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	return out
}

// view is one side of a dry run as a book.State.
type view struct{ *fork.View }

// Call marks a call that ran and failed as book.ErrReverted.
func (v view) Call(ctx context.Context, to gov.Address, data []byte) ([]byte, error) {
	return answered(v.View.Call(ctx, to, data))
}

func answered(out []byte, err error) ([]byte, error) {
	if fork.IsReverted(err) {
		err = fmt.Errorf("%w: %w", book.ErrReverted, err)
	}
	return out, err
}

// wary is a state that asks contracts which anybody may have made in our own interpreter, on both sides of a run alike. A
// node would give them as much gas and time as it likes, and what it makes up of the block: by that a contract can tell
// each node something else, or keep it busy until it gives up, and no two endpoints would agree on the proposal.
type wary struct {
	book.State
	view *fork.View
	ours func(gov.Address) bool // the DAO's own, and what the operator names
}

// Call implements book.State.
func (w wary) Call(ctx context.Context, to gov.Address, data []byte) ([]byte, error) {
	if w.ours(to) {
		return w.State.Call(ctx, to, data)
	}
	return answered(w.view.Ask(ctx, to, data))
}

// capped asks such contracts at the node, with the same gas everywhere: for chains that are not interpreted here.
type capped struct {
	book.State
	caller rpc.Caller
	block  gov.Hash
	ours   func(gov.Address) bool
}

// Call implements book.State.
func (c capped) Call(ctx context.Context, to gov.Address, data []byte) ([]byte, error) {
	if c.ours(to) {
		return c.State.Call(ctx, to, data)
	}
	var out hexutil.Bytes
	err := c.caller.Call(ctx, &out, "eth_call", rpc.CallArgs{To: (*common.Address)(&to), Gas: fork.DefaultProbeGas, Data: data}, rpc.AtHash{Hash: c.block})
	if rpc.Classify(err) == rpc.Reverted {
		err = fmt.Errorf("%w: %w", book.ErrReverted, err)
	}
	return out, err
}

// stateAt is the state of a block, read through the wire but for what contracts that are not ours answer.
func stateAt(caller rpc.Caller, chain gov.ChainID, runner Runner, at gov.Block, ours func(gov.Address) bool) book.State {
	wire := book.At(caller, at.Hash)
	if !fork.Interprets(chain) {
		return capped{wire, caller, at.Hash, ours}
	}
	r, ok := runner.(*fork.Runner)
	if !ok || r == nil {
		r = fork.New(caller, fork.Config{ChainID: chain})
	}
	return wary{wire, r.Before(at), ours}
}

// wary is one side of a run.
func (g *gathering) wary(s book.State, v *fork.View) book.State { return wary{s, v, g.ours} }

// ours says whether an account is the DAO's own, or one that the operator names: nobody chose it for this proposal.
func (g *gathering) ours(a gov.Address) bool {
	_, priced := g.deps.Prices.USD(gov.Asset(a))
	return priced || !g.outside(a) || slices.Contains(g.deps.Tokens, a)
}

// Compile-time check: both sides read alike.
var _ book.State = view{}

// forkReason is the reason that the dry run itself gave.
func forkReason(err error) (gov.Reason, bool) {
	var u *fork.Unavailable
	if errors.As(err, &u) {
		return u.Reason, true
	}
	return "", false
}
