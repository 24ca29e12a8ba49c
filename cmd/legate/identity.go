package main

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

// told is what one source gives in a gathering: the facts, and what it says that the governor is at their block.
type told struct {
	dossier.Gathered
	is    governor.Governor
	known bool // the contract can be recognised
}

// toldKey is what must be equal for two sources to agree.
type toldKey struct {
	facts gov.Digest
	is    governor.Identity
	known bool
}

func (t told) key() toldKey { return toldKey{t.Digest, t.is.Identity(), t.known} }

// gatherFrom asks one source what the governor is at the facts' block, and gathers on that. Where it is not the one that
// is followed, the facts say so, which holds a For, and the accounts of both count as the DAO's own.
func (w *world) gatherFrom(ctx context.Context, g *watched, c rpc.Caller, p gov.Proposal, at gov.Block) (out told, err error) {
	deps := w.deps(g, c)
	out.is, err = governor.Detect(ctx, c, g.governor.Address, at.Hash)
	switch {
	case errors.Is(err, governor.ErrUnknown), errors.Is(err, governor.ErrUnproven):
		w.log.Warn("the governor cannot be recognised any more", "governor", g.governor.Address.String(), "error", err)
		out.is, deps.Doubt = governor.Governor{}, gov.Changed
	case err != nil:
		return out, err
	case !out.is.Is(g.governor):
		out.is.Name, out.known = g.governor.Name, true
		deps.Treasury = append(slices.Clone(deps.Treasury), own(g.governor)...)
		deps.Governor, deps.Doubt = out.is, gov.Changed
	default:
		out.known = true
	}
	out.Gathered, err = gatherWith(ctx, deps, p, at)
	return out, err
}

// own lists the accounts that hold what the DAO owns.
func own(g governor.Governor) (out []gov.Address) {
	for _, a := range []gov.Address{g.Executor, g.Timelock} {
		if !a.IsZero() && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// judge looks at what enough sources say that a governor is. Another one than is followed is an alarm, and is followed
// when the block is final.
func (w *world) judge(id gov.ProposalID, g *watched, got quorum.Agreed[told], at gov.Block) {
	t := got.Value()
	switch {
	case !t.known:
		w.tell(gov.Critical, fmt.Sprintf("governor %s cannot be recognised any more", g.conf.Name),
			errors.New("what it is cannot be proven at the facts' block; no vote for is cast while that is so, votes against go on as it was before"))
	case t.is.Is(g.governor):
	default:
		w.tell(gov.Critical, fmt.Sprintf("governor %s is not what it was", g.conf.Name), difference(g.governor, t.is))
		if head, err := w.Head(context.Background(), id); err == nil && at.Number <= head.Value().Final.Number {
			w.follow(g, quorum.Map(got, func(t told) governor.Governor { return t.is }))
		}
	}
}

// difference says in words what has changed.
func difference(was, is governor.Governor) error {
	text := "it is followed as it is once that is final"
	for _, f := range []struct {
		what    string
		was, is any
	}{
		{"timelock", was.Timelock, is.Timelock}, {"executor", was.Executor, is.Executor}, {"token", was.Token, is.Token},
		{"flavour", was.Flavour, is.Flavour}, {"clock", was.Clock, is.Clock}, {"votes that count", was.Counts, is.Counts},
	} {
		if f.was != f.is {
			text += fmt.Sprintf("; its %s was %v, is %v", f.what, f.was, f.is)
		}
	}
	if was.Timelock != is.Timelock && !was.Timelock.IsZero() {
		text += fmt.Sprintf("; what %s holds counts as the DAO's until a restart: name it under treasury to keep it so", was.Timelock)
	}
	if was.Flavour != is.Flavour {
		text += "; restart legate, the signer knows the old flavour only"
	}
	return errors.New(text)
}

// follow takes up what a governor has become. What its former timelock still holds remains the DAO's.
func (w *world) follow(old *watched, is quorum.Agreed[governor.Governor]) {
	g := *old
	g.governor = is.Value()
	g.governor.Name = old.governor.Name
	for _, a := range own(old.governor) {
		if !slices.Contains(g.former, a) {
			g.former = append(slices.Clone(g.former), a)
		}
	}
	id := gov.ProposalID{Chain: g.governor.Chain, Governor: g.governor.Address}
	w.mu.Lock()
	if w.watched[id] != old { // another gathering was first
		w.mu.Unlock()
		return
	}
	w.watched[id] = &g
	watcher := w.watchers[id.Chain]
	w.mu.Unlock()
	if watcher != nil {
		if err := watcher.Follow(g.governor); err != nil {
			w.log.Error("the watcher does not take up what a governor has become", "governor", g.conf.Name, "error", err)
		}
	}
	w.log.Warn("a governor is followed as it is now", "governor", g.conf.Name, "timelock", g.governor.Timelock.String(), "token", g.governor.Token.String())
}
