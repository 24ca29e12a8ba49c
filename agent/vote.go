package agent

import (
	"context"
	"errors"
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// lock checks that a vote may be made and binds it: its whole provenance is on record before a
// signature exists (G43).
func (a *Agent) lock(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.Chain.Head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	choice := d.Choice(head)
	support, ok := choice.Direction.Support()
	if !ok {
		return nil, nil // the world moved: Next asks again
	}
	if !d.Plan.Live || a.Signer == nil {
		return []dossier.Event{dossier.WasNotVoted{Status: gov.VoteNotLive, Why: dossier.NotLive}}, nil
	}
	if busy, err := a.Flights.InFlight(ctx, d.ID()); err != nil {
		return nil, err
	} else if len(busy) > 0 {
		return nil, fmt.Errorf("the key's transaction for %s is under way: %w", busy[0], ErrLater)
	}
	ballot := gov.Ballot{
		Proposal: d.ID(), Flavour: d.Proposal.Flavour, Voter: a.Signer.Address(), Support: support,
		Reason: gov.BallotReason{By: choice.By, Rule: choice.Rule, Record: d.Grounds(choice).Digest},
	}
	if err := a.Chain.Same(ctx, d.Proposal, head.Final); err != nil {
		return nil, err
	}
	power, err := a.Sender.Preflight(ctx, d.Proposal, d.Holder, ballot)
	if e, ok := refusal(err); ok {
		a.Log.Warn("no vote", "proposal", d.ID().String(), "why", err)
		return []dossier.Event{e}, nil
	} else if err != nil {
		return nil, err
	}
	plan, err := a.Sender.Plan(ctx, ballot)
	if err != nil {
		return nil, err
	}
	g := d.Grounds(choice)
	e := dossier.WasLocked{
		Ballot: ballot, Tx: plan, Power: gov.Known(power), Facts: g.Digest, Basis: g.Basis, Policy: d.Verdict.Policy,
		Standing: choice.Standing, Sources: g.Facts.Sources,
	}
	if d.Gate != nil {
		e.Gate = d.Gate.Gate
	}
	if choice.By == gov.ByHolder {
		e.Approval = d.Approval
	}
	return []dossier.Event{e}, nil
}

// sign asks the signer. The nonce is derived anew: after a crash the planned one may be used up.
func (a *Agent) sign(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	plan, err := a.Sender.Plan(ctx, d.Vote.Ballot)
	if err != nil {
		return nil, err
	}
	return a.signWith(ctx, d, plan)
}

func (a *Agent) signWith(ctx context.Context, d dossier.Dossier, plan gov.Tx) ([]dossier.Event, error) {
	g := d.LockedOn()
	intent := gov.Intent{
		Case: gov.Case{Proposal: d.Proposal, Facts: g.Facts, Holder: d.Holder},
		Gate: d.Locked.Gate, Ballot: d.Vote.Ballot, Tx: plan, Standing: d.Locked.Standing, Approval: d.Locked.Approval,
	}
	signed, err := a.Signer.Sign(ctx, intent)
	switch {
	case errors.Is(err, ErrStale):
		return []dossier.Event{dossier.WasReleased{Why: err.Error()}}, nil
	case errors.Is(err, ErrRefused):
		a.Log.Error("the ledger refuses this vote", "proposal", d.ID().String(), "error", err)
		return []dossier.Event{dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.LedgerRefused}}, nil
	case err != nil:
		return nil, err
	}
	return []dossier.Event{dossier.WasSigned{Tx: plan, Hash: signed.Tx, Raw: signed.Raw}}, nil
}

// send hands the stored bytes to the chain. The same bytes again are no harm.
func (a *Agent) send(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	if err := a.Sender.Send(ctx, d.Vote); err != nil {
		return nil, err
	}
	return []dossier.Event{dossier.WasSent{Hash: d.Vote.Tx}}, nil
}

// confirm follows the transaction: sends it again while no block has it, and believes it only in a final block.
func (a *Agent) confirm(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.Chain.Head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	r, err := a.Sender.Confirm(ctx, d.Vote, head.Final)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return a.unmined(ctx, d, head)
	}
	if !r.Final {
		if d.Vote.Status == gov.VoteMined && d.Vote.Block == r.Block {
			return nil, nil
		}
		return []dossier.Event{dossier.WasMined{Receipt: *r}}, nil
	}
	if r.OK && r.Support == gov.Known(d.Vote.Ballot.Support) {
		return []dossier.Event{dossier.WasFinal{Receipt: *r}}, nil
	}
	a.Log.Error("the vote's transaction failed", "proposal", d.ID().String(), "tx", r.Tx)
	return []dossier.Event{dossier.WasReverted{Receipt: *r}}, nil
}

// unmined is a vote that no block has: back from a reorganisation, too cheap, or too late.
func (a *Agent) unmined(ctx context.Context, d dossier.Dossier, head gov.Head) ([]dossier.Event, error) {
	if d.Vote.Status == gov.VoteMined {
		return []dossier.Event{dossier.WasUnmined{}}, nil
	}
	state, ends, err := a.Chain.Standing(ctx, d.Proposal)
	if err != nil {
		return nil, err
	}
	if head.Clock > ends || (state != gov.StateActive && state != gov.StatePending) {
		a.Log.Error("voting closed before the vote was mined", "proposal", d.ID().String())
		return []dossier.Event{dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen}}, nil
	}
	plan, err := a.Sender.Replace(ctx, d.Vote)
	if err != nil {
		return nil, err
	}
	if plan != nil {
		return a.signWith(ctx, d, *plan)
	}
	return nil, a.Sender.Send(ctx, d.Vote)
}
