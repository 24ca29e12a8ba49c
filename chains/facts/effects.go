package facts

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/fork"
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
	plan := fork.Plan{Executor: g.facts.DAO.Executor, Watch: g.watched(), Tokens: g.tokens()}
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
	if g.surveyed && g.facts.Effects.Executed() {
		g.facts.Effects.Status, g.facts.Effects.Ended = gov.Known(gov.EffectsExhausted), true
	}
	if !g.facts.Effects.Shows() {
		return // it reverted, or did not end: there is no state after it
	}
	g.result = result
	g.ready, g.after = view{result.Ready}, view{result.After}
}

// watched are the accounts whose balances and allowances are measured whatever happens: the treasury, and the
// governance token's contract.
func (g *gathering) watched() []gov.Address {
	out := slices.Clone(g.facts.DAO.Treasury)
	if token := g.facts.DAO.Token; !token.IsZero() && !slices.Contains(out, token) {
		out = append(out, token)
	}
	return out
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
	out, err := v.View.Call(ctx, to, data)
	if fork.IsReverted(err) {
		err = fmt.Errorf("%w: %w", book.ErrReverted, err)
	}
	return out, err
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
