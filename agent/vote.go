package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
)

// lastTry bounds the gathering that is tried before an Against is signed on the facts that gave it.
const lastTry = 75 * time.Second

// lock checks that a vote may be made and binds it: its whole provenance is on record before a
// signature exists (G43).
func (a *Agent) lock(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	choice := d.Choice(head)
	support, ok := choice.Direction.Support()
	if !ok {
		return nil, nil // the world moved: Next asks again
	}
	var holder *gov.Holder
	if d.Stage == dossier.AtSeen { // nothing was decided: the holder answered on the content alone
		h, err := a.Policies.Holder(d.Proposal.Name)
		if err != nil {
			return nil, err
		}
		holder, d.Holder, d.Plan = &h, h, a.Policies.Plan(h, gov.Verdict{})
	}
	if !d.Plan.Live || a.Signer == nil {
		return []dossier.Event{dossier.WasNotVoted{Status: gov.VoteNotLive, Why: dossier.NotLive}}, nil
	}
	if _, err := a.ahead(ctx, d.ID(), support); err != nil {
		return nil, err
	}
	if err := a.turn(ctx, d, head); err != nil {
		return nil, err
	}
	if choice.Standing && d.GatheredAt < choice.Due && d.Refused.Times == 0 {
		// the step that gathers does not come to an end, or has not had its turn since a restart: once more, before old
		// facts are voted on
		trying, cancel := context.WithTimeout(ctx, lastTry)
		events, err := a.gather(trying, d)
		cancel()
		if err == nil {
			return events, nil
		}
		a.Log.Error("an against is cast on the facts that gave it, fresh ones cannot be had", "proposal", d.ID().String(), "error", err)
	}
	g := d.Grounds(choice)
	if choice.Content {
		a.Log.Warn("the holder's answer is over the content alone: no facts stand behind it", "proposal", d.ID().String(), "vote", support.String())
	} else if err := a.grounds(ctx, d, g.Facts, choice.Standing, head); errors.Is(err, ErrMoved) && !choice.Standing {
		a.Log.Warn("the facts do not hold any more, they are gathered again", "proposal", d.ID().String(), "why", err)
		return []dossier.Event{dossier.WasReleased{Why: err.Error(), Head: head}}, nil
	} else if err != nil {
		return nil, err
	}
	ballot := gov.Ballot{
		Proposal: d.ID(), Flavour: d.Proposal.Flavour, Voter: a.Signer.Address(), Support: support,
		Reason: gov.BallotReason{By: choice.By, Rule: choice.Rule, Record: g.Digest},
	}
	if err := a.same(ctx, d.Proposal, head.Final); err != nil {
		return nil, err
	}
	power, err := a.Sender.Preflight(ctx, d.Proposal, d.Holder, ballot)
	if e, ok := refusal(err); ok {
		a.Log.Error("no vote", "proposal", d.ID().String(), "why", err)
		return []dossier.Event{e}, nil
	} else if err != nil {
		return nil, err
	}
	plan, err := a.plan(ctx, ballot)
	if errors.Is(err, ErrBudget) {
		return a.overBudget(d, choice, head, err)
	} else if err != nil {
		return nil, err
	}
	e := dossier.WasLocked{
		Ballot: ballot, Tx: plan, Power: gov.Known(power.Value()), Facts: g.Digest, Basis: g.Basis,
		Standing: choice.Standing, Sources: g.Facts.Sources, Content: d.Proposal.ContentHash, Holder: holder,
	}
	if d.Verdict != nil {
		e.Policy = d.Verdict.Policy
	}
	if d.Gate != nil {
		e.Gate = d.Gate.Gate
	}
	if choice.By == gov.ByHolder {
		e.Approval = d.Approval
	}
	return []dossier.Event{e}, nil
}

// ahead lists the votes of the key that are under way and that this one may overtake. One transaction of the key is
// under way at a time; only an Against is not held up by a vote of another direction that no block takes, such as one
// whose share of the budget is too small for the fees of the day. An error wraps [ErrLater].
func (a *Agent) ahead(ctx context.Context, id gov.ProposalID, s gov.Support) ([]gov.Vote, error) {
	busy, err := a.Flights.InFlight(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, v := range busy {
		if s != gov.SupportAgainst || v.Ballot.Support == gov.SupportAgainst || v.Status == gov.VoteLocked {
			return nil, fmt.Errorf("the key's transaction for %s is under way: %w", v.Ballot.Proposal, ErrLater)
		}
	}
	return busy, nil
}

// turn is an error that wraps [ErrLater] where another vote of the key is due and goes first.
func (a *Agent) turn(ctx context.Context, d dossier.Dossier, head gov.Head) error {
	others, err := a.Flights.Waiting(ctx, d.ID())
	if err != nil {
		return err
	}
	mine, heads := d.Turn(), map[gov.Address]gov.Head{d.ID().Governor: head}
	for _, o := range others {
		theirs, ok := heads[o.ID.Governor]
		if !ok {
			if theirs, err = a.head(ctx, o.ID); err != nil {
				continue // of a governor that cannot be read or is no longer watched: it is not its turn
			}
			heads[o.ID.Governor] = theirs
		}
		if o.Before(mine, theirs, head) {
			return fmt.Errorf("the vote on %s goes first: %w", o.ID, ErrLater)
		}
	}
	return nil
}

// plan is the next transaction of the key.
func (a *Agent) plan(ctx context.Context, b gov.Ballot) (gov.Tx, error) {
	over, err := a.ahead(ctx, b.Proposal, b.Support)
	if err != nil {
		return gov.Tx{}, err
	}
	left, err := a.Flights.GivenUp(ctx, b.Proposal)
	if err != nil {
		return gov.Tx{}, err
	}
	plan, err := a.Sender.Plan(ctx, b, append(over, left...))
	if err != nil {
		return gov.Tx{}, err
	}
	return plan.Value(), nil
}

// under lists the other votes of the key that are signed under a nonce and in no block.
func (a *Agent) under(ctx context.Context, v gov.Vote, nonce uint64) ([]gov.Vote, error) {
	busy, err := a.Flights.InFlight(ctx, v.Ballot.Proposal)
	return slices.DeleteFunc(busy, func(o gov.Vote) bool { return o.Status == gov.VoteLocked || o.Nonce != nonce }), err
}

// overtaken says whether an Against was sent under the nonce of this vote: it must not be pushed out again.
func (a *Agent) overtaken(ctx context.Context, v gov.Vote) (bool, error) {
	if v.Ballot.Support == gov.SupportAgainst {
		return false, nil
	}
	others, err := a.under(ctx, v, v.Nonce)
	return slices.ContainsFunc(others, func(o gov.Vote) bool { return o.Ballot.Support == gov.SupportAgainst }), err
}

// replace plans a sent vote again where it has to be; nil where the sent one stays. Under another nonce than it had it
// pushes out no other vote of the key.
func (a *Agent) replace(ctx context.Context, v gov.Vote) (*gov.Tx, error) {
	agreed, err := a.Sender.Replace(ctx, v)
	if err != nil {
		return nil, err
	}
	plan := agreed.Value()
	if plan == nil || plan.Nonce == v.Nonce {
		return plan, nil
	}
	others, err := a.under(ctx, v, plan.Nonce)
	if err != nil || len(others) > 0 {
		return nil, err
	}
	return plan, nil
}

// overBudget puts on record, once, that a vote is held for want of budget; the step is tried again.
func (a *Agent) overBudget(d dossier.Dossier, c dossier.Choice, head gov.Head, why error) ([]dossier.Event, error) {
	if d.Held != nil && d.Held.Direction == c.Direction {
		return nil, fmt.Errorf("%w: %w", why, ErrLater)
	}
	a.Log.Error("the budget for votes is spent; a vote by hand still works", "proposal", d.ID().String(), "vote", c.Direction.String(), "why", why)
	return []dossier.Event{dossier.WasHeld{Reason: gov.HoldBudget, Direction: c.Direction, Why: why.Error(), Head: head}}, nil
}

// grounds says whether facts may be voted on: those of a fresh decision while their block is in the chain, those of an
// Against that stands while the code behind the calls is what they say (content is checked beside this).
func (a *Agent) grounds(ctx context.Context, d dossier.Dossier, f gov.Facts, standing bool, head gov.Head) error {
	if !standing {
		return a.canonical(ctx, d.ID(), f.At)
	}
	err := a.sameCode(ctx, d, f, head.Latest)
	if errors.Is(err, ErrMoved) {
		a.Log.Error("an against cannot be cast: the code behind the calls has changed and no facts could be gathered since; only a person can vote",
			"proposal", d.ID().String(), "why", err)
		return fmt.Errorf("%w: %w", ErrLater, err)
	}
	return err
}

// sign asks the signer. The nonce is derived again: after a crash the planned one may be used up.
func (a *Agent) sign(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	if !d.Locked.Standing && !d.Locked.OnContent() {
		if err := a.canonical(ctx, d.ID(), d.LockedOn().Facts.At); errors.Is(err, ErrMoved) {
			return a.release(ctx, d, err)
		} else if err != nil {
			return nil, err
		}
	}
	plan, err := a.plan(ctx, d.Vote.Ballot)
	if errors.Is(err, ErrBudget) || errors.Is(err, ErrLater) {
		// dearer than when it was locked, or it would fail now: nothing unsigned stands in the way of the key's other votes
		return a.release(ctx, d, err)
	} else if err != nil {
		return nil, err
	}
	signed, err := a.signWith(ctx, d, plan, head)
	switch {
	case errors.Is(err, ErrStale):
		return a.release(ctx, d, err)
	case errors.Is(err, ErrUnfit):
		a.Log.Error("the signer refuses this vote", "proposal", d.ID().String(), "error", err)
		return a.release(ctx, d, err)
	case errors.Is(err, ErrRefused):
		a.Log.Error("the ledger refuses this vote", "proposal", d.ID().String(), "error", err)
		return []dossier.Event{dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.LedgerRefused}}, nil
	case err != nil:
		return nil, err
	}
	return []dossier.Event{signed}, nil
}

// release takes a locked vote back. What the signer says of a holder's answer as such is final for that answer.
func (a *Agent) release(ctx context.Context, d dossier.Dossier, why error) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	return []dossier.Event{dossier.WasReleased{Why: why.Error(), Answer: d.Locked.Approval != nil && errors.Is(why, ErrUnfit), Head: head}}, nil
}

// signWith asks the signer for one transaction. The end of voting is the one that is estimated now: from it the
// signer takes when a hold timed out.
func (a *Agent) signWith(ctx context.Context, d dossier.Dossier, plan gov.Tx, head gov.Head) (e dossier.WasSigned, err error) {
	g, p := d.LockedOn(), d.Proposal
	p.EndsAt = d.Window(head).Closes
	intent := gov.Intent{
		Case: g.Case(p, d.Holder),
		Gate: d.Locked.Gate, Ballot: d.Vote.Ballot, Tx: plan, Standing: d.Locked.Standing, Approval: d.Locked.Approval,
	}
	signed, err := a.Signer.Sign(ctx, intent)
	return dossier.WasSigned{Tx: plan, Hash: signed.Tx, Raw: signed.Raw}, err
}

// send hands the stored bytes to the chain. The same bytes again are no harm.
func (a *Agent) send(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	if err := a.Sender.Send(ctx, d.Vote); err != nil {
		a.Log.Error("the signed vote cannot be sent, it is tried again", "proposal", d.ID().String(), "error", err)
		return nil, err
	}
	return []dossier.Event{dossier.WasSent{Hash: d.Vote.Tx}}, nil
}

// confirm follows the transaction: sends it again while no block has it, and believes it only in a final block.
func (a *Agent) confirm(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	agreed, err := a.Chain.Head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	head := agreed.Value()
	receipt, err := a.Sender.Confirm(ctx, d.Vote, quorum.Map(agreed, func(h gov.Head) gov.Block { return h.Final }))
	if err != nil {
		return nil, err
	}
	r := receipt.Value()
	switch {
	case r == nil:
		return a.unmined(ctx, d, head)
	case d.Vote.Status == gov.VoteExpired && !(r.Final && r.OK):
		return nil, nil // given up; only a vote that counts after all would be news
	case !r.OK && (r.Final || d.Vote.Status == gov.VoteReverted || head.Latest.Time > d.Window(head).Closes-lastHour):
		return a.failed(ctx, d, head, *r)
	case !r.Final:
		if d.Vote.Status == gov.VoteReverted || d.Vote.Status == gov.VoteMined && d.Vote.Block == r.Block {
			return nil, nil
		}
		return []dossier.Event{dossier.WasMined{Receipt: *r}}, nil
	case r.Support != gov.Known(d.Vote.Ballot.Support):
		if d.Vote.Status == gov.VoteReverted {
			return nil, nil // it is on record that ours did not count
		}
		a.Log.Error("the vote's transaction did not cast the vote", "proposal", d.ID().String(), "tx", r.Tx)
		return []dossier.Event{dossier.WasReverted{Receipt: *r}}, nil
	}
	return []dossier.Event{dossier.WasFinal{Receipt: *r}}, nil
}

// lastHour is the time before the close, in seconds, in which a failed transaction is not waited for until it is final.
const lastHour = 3600

// failed is a vote whose transaction was mined and reverted: it is on record, and the same vote is made again with more
// gas while voting is open.
func (a *Agent) failed(ctx context.Context, d dossier.Dossier, head gov.Head, r gov.Receipt) (events []dossier.Event, err error) {
	if d.Vote.Status != gov.VoteReverted {
		a.Log.Error("the vote's transaction failed", "proposal", d.ID().String(), "tx", r.Tx)
		events = append(events, dossier.WasReverted{Receipt: r})
	}
	signed, err := a.again(ctx, d, head)
	switch {
	case signed != nil:
		return append(events, *signed), nil
	case err != nil && events == nil:
		return nil, err
	case err != nil: // the failure is on record all the same; the next step tries again
		a.Log.Warn("the failed vote cannot be made again now", "proposal", d.ID().String(), "error", err)
	}
	return events, nil
}

// again signs the same vote again after its transaction failed; nil where there is nothing to be gained, or other votes of
// the key are under the nonce.
func (a *Agent) again(ctx context.Context, d dossier.Dossier, head gov.Head) (*dossier.WasSigned, error) {
	if a.Signer == nil || d.Swapped() || head.Clock > d.Proposal.Ends {
		return nil, nil
	}
	state, ends, err := a.standing(ctx, d.Proposal)
	if err != nil || state != gov.StateActive || head.Clock > ends {
		return nil, err
	}
	plan, err := a.Sender.Retry(ctx, d.Vote)
	if err != nil || plan.Value() == nil {
		return nil, err
	}
	if others, err := a.under(ctx, d.Vote, plan.Value().Nonce); err != nil || len(others) > 0 {
		return nil, err
	}
	signed, err := a.signWith(ctx, d, *plan.Value(), head)
	if err != nil {
		return nil, err
	}
	return &signed, nil
}

// unmined is a vote that no block has: back from a reorganisation, too cheap, or too late.
func (a *Agent) unmined(ctx context.Context, d dossier.Dossier, head gov.Head) ([]dossier.Event, error) {
	switch {
	case d.Vote.Status == gov.VoteExpired:
		return nil, nil
	case d.Vote.Status == gov.VoteMined:
		return []dossier.Event{dossier.WasUnmined{}}, nil
	case d.Rewound && d.Stage == dossier.AtClosed && head.Clock <= d.Proposal.Ends:
		return nil, nil // the proposal is gone, and may come back
	case d.Rewound && d.Stage == dossier.AtClosed:
		return []dossier.Event{dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen}}, nil
	}
	state, ends, err := a.standing(ctx, d.Proposal)
	if err != nil {
		return nil, err
	}
	if head.Clock > ends || (state != gov.StateActive && state != gov.StatePending) {
		a.Log.Error("voting closed before the vote was mined", "proposal", d.ID().String())
		return []dossier.Event{dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen}}, nil
	}
	if d.Swapped() {
		a.Log.Error("the chain holds other content under the id of a vote that is under way; it is not sent again", "proposal", d.ID().String(), "tx", d.Vote.Tx)
		return nil, nil
	}
	if over, err := a.overtaken(ctx, d.Vote); err != nil || over {
		return nil, err
	}
	plan, err := a.replace(ctx, d.Vote)
	if err != nil {
		return nil, err
	}
	if plan != nil {
		signed, err := a.signWith(ctx, d, *plan, head)
		if err == nil {
			return []dossier.Event{signed}, nil
		}
		if !errors.Is(err, ErrStale) && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrUnfit) {
			return nil, err
		}
		a.Log.Error("a dearer transaction of the vote is not signed, the sent one stays", "proposal", d.ID().String(), "error", err)
	}
	return nil, a.Sender.Send(ctx, d.Vote)
}
