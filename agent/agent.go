package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Parts are what an agent works with. Signer and Sender may be nil when not live.
type Parts struct {
	Facts    Facts
	Chain    Chain
	Policies Policies
	Gate     Gate
	Briefs   Briefs
	// Forecasts may be nil: then it is on record that there is none.
	Forecasts Forecasts
	// Outlooks may be nil: then rules that read the outlook are unknown.
	Outlooks Outlooks
	// Resimulate says when a forecast that is made at a moment is made again; nil: after a day.
	Resimulate func(time.Time) time.Time
	Signer     Signer
	Sender     Sender
	Flights    Flights
	Log        *slog.Logger
}

// Agent does steps. It holds no state of its own.
type Agent struct{ Parts }

// New builds an agent from its parts.
func New(p Parts) *Agent { return &Agent{p} }

// Do does one step of one proposal and returns what happened, to be stored in order. Doing a step again
// after a crash ends the same. An error means that nothing happened and the step is still owed;
// [ErrLater] that it should be tried again soon.
func (a *Agent) Do(ctx context.Context, d dossier.Dossier, s dossier.Step) ([]dossier.Event, error) {
	do := map[dossier.StepKind]func(context.Context, dossier.Dossier) ([]dossier.Event, error){
		dossier.Preview: a.preview, dossier.Gather: a.gather, dossier.Decide: a.decide, dossier.Gate: a.gate, dossier.Write: a.brief, dossier.Foretell: a.foretell,
		dossier.TimeOut: a.timeOut, dossier.Lock: a.lock, dossier.Sign: a.sign, dossier.Send: a.send,
		dossier.Confirm: a.confirm, dossier.Settle: a.settle,
		dossier.Remind: func(context.Context, dossier.Dossier) ([]dossier.Event, error) {
			return []dossier.Event{dossier.WasReminded{Before: s.Basis}}, nil
		},
		dossier.Close: func(context.Context, dossier.Dossier) ([]dossier.Event, error) {
			return []dossier.Event{dossier.WasClosed{}}, nil
		},
	}[s.Kind]
	if do == nil {
		return nil, fmt.Errorf("step %q is unknown: written by a newer version?", s.Kind)
	}
	events, err := do(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", s.Kind, d.ID(), err)
	}
	return events, nil
}

// preview gathers at the newest head and decides for display only.
func (a *Agent) preview(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	g, err := a.facts(ctx, d, head.Latest)
	if err != nil {
		return nil, err
	}
	holder, err := a.Policies.Holder(d.Proposal.Name)
	if err != nil {
		return nil, err
	}
	v := a.Policies.Decide(g.Case(d.Proposal, holder))
	return []dossier.Event{dossier.WasPreviewed{Gathered: g, Verdict: v}}, nil
}

// gather reads the facts at the newest final block, of the very content that was seen.
func (a *Agent) gather(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	if head.Final.Number < d.Proposal.Created.Number {
		return nil, fmt.Errorf("block %d of its creation is not final yet: %w", d.Proposal.Created.Number, ErrLater)
	}
	if err := a.same(ctx, d.Proposal, head.Final); err != nil {
		return nil, err
	}
	g, err := a.facts(ctx, d, head.Final)
	if err != nil {
		return nil, err
	}
	if part, failed := failedRead(g.Facts); failed {
		waits, err := a.awaits(d, g, head)
		if err != nil {
			return nil, err
		}
		if waits {
			a.Log.Warn("a read failed; the facts are read again before they are put on record", "proposal", d.ID().String(), "part", part.Part, "reason", string(part.Reason))
			return nil, fmt.Errorf("%s could not be read, %s: %w", part.Part, part.Reason, ErrLater)
		}
	}
	gathered := dossier.WasGathered{Gathered: g, Head: head}
	// a vote that opens leaves no log, and a deadline may have moved
	state, ends, err := a.standing(ctx, d.Proposal)
	if err != nil {
		return nil, err
	}
	if state != d.Proposal.State || ends > d.Proposal.Ends {
		change := dossier.WasChanged{Change: dossier.Change{ID: d.ID(), State: state, Ends: ends, Block: head.Latest}}
		if state.Over() {
			return []dossier.Event{change}, nil
		}
		return []dossier.Event{change, gathered}, nil
	}
	return []dossier.Event{gathered}, nil
}

// failedRead finds a part of the facts that another try may bring.
func failedRead(f gov.Facts) (gov.Missing, bool) {
	i := slices.IndexFunc(f.Unavailable, func(m gov.Missing) bool {
		return m.Reason == gov.TimedOut || m.Reason == gov.RPCError || m.Reason == gov.NoState
	})
	if i < 0 {
		return gov.Missing{}, false
	}
	return f.Unavailable[i], true
}

// awaits says whether facts with failed reads are worth less than another try: where the policy holds on them because of
// what is missing, or the holder has answered and the answer would not count on them. An Against that is true on what
// there is does not wait for the rest.
func (a *Agent) awaits(d dossier.Dossier, g dossier.Gathered, head gov.Head) (bool, error) {
	if d.Answered(head) {
		return !d.Approval.OnContent() && g.Basis != d.Approval.Basis, nil
	}
	if !d.Patient(head) {
		return false, nil
	}
	holder, err := a.Policies.Holder(d.Proposal.Name)
	if err != nil {
		return false, err
	}
	v := a.Policies.Decide(g.Case(d.Proposal, holder))
	return v.Direction == gov.Hold && slices.ContainsFunc(v.Reasons, gov.HoldReason.Failure), nil
}

// facts gathers, inspects and computes the digests.
func (a *Agent) facts(ctx context.Context, d dossier.Dossier, at gov.Block) (dossier.Gathered, error) {
	agreed, err := a.Facts.Gather(ctx, d.Proposal, at)
	var g dossier.Gathered
	switch {
	case errors.Is(err, ErrDisagree), errors.Is(err, ErrUnread): // nothing is known, and that is on record
		why := gov.Disagreement
		if errors.Is(err, ErrUnread) {
			why = gov.RPCError
		}
		g.Facts = gov.Facts{At: at, Unavailable: []gov.Missing{{Part: "facts", Reason: why, Subject: d.ID().Governor}}}
	case err != nil:
		return g, err
	default:
		g = agreed.Value()
		g.Facts.Sources = agreed.Sources()
	}
	g.Findings = checks.Run(d.Proposal, g.Facts)
	g.Content = d.Proposal.ContentHash
	if g.Digest, err = g.Facts.Digest(); err != nil {
		return g, err
	}
	if g.Basis, err = gov.Basis(d.Proposal, g.Facts, g.Findings); err != nil || a.Outlooks == nil {
		return g, err
	}
	g.Outlook, err = a.Outlooks.Outlook(ctx, d.Proposal, g.Facts)
	return g, err
}

// decide asks the policy about the gathered facts. Pure but for the head, which the record keeps.
func (a *Agent) decide(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	holder, err := a.Policies.Holder(d.Proposal.Name)
	if err != nil {
		return nil, err
	}
	v := a.Policies.Decide(d.Gathered.Case(d.Proposal, holder))
	e := dossier.WasDecided{Verdict: v, Holder: holder, Plan: a.Policies.Plan(holder, v), Head: head}
	if e.Standing, err = a.stillStands(ctx, d, holder, v.Policy); err != nil {
		return nil, err
	}
	if d.Approval != nil && !d.Approval.OnContent() && d.Approval.Basis != d.Gathered.Basis {
		a.Log.Warn("the holder's answer does not count: what the proposal does has changed since", "proposal", d.ID().String(), "answer", d.Approval.Support.String())
	}
	return []dossier.Event{e}, nil
}

// stillStands is what is said now of the facts of the Against that stands: nil where none does, or where neither the
// policy nor the outlook of those facts is another than when it was decided. The operator's inputs may be.
func (a *Agent) stillStands(ctx context.Context, d dossier.Dossier, holder gov.Holder, policy gov.Digest) (*gov.Verdict, error) {
	if d.Standing == nil {
		return nil, nil
	}
	g := d.Standing.Gathered
	was := g.Case(d.Proposal, holder)
	if a.Outlooks != nil {
		var err error
		if g.Outlook, err = a.Outlooks.Outlook(ctx, d.Proposal, g.Facts); err != nil {
			return nil, err
		}
	}
	is := g.Case(d.Proposal, holder)
	if d.Standing.Verdict.Policy == policy && was.Outlook == is.Outlook {
		return nil, nil
	}
	v := a.Policies.Decide(is)
	return &v, nil
}

// gate asks the reader of text and context.
func (a *Agent) gate(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	e, err := a.Gate.Gate(ctx, d, head)
	if err != nil {
		return nil, err
	}
	e.Head, e.Facts = head, d.Gathered.Digest
	return []dossier.Event{e}, nil
}

// brief writes the summary for people; nothing waits for it.
func (a *Agent) brief(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	b, err := a.Briefs.Brief(ctx, d)
	if err != nil {
		return nil, err
	}
	return []dossier.Event{dossier.WasBriefed{Brief: b, Basis: d.Gathered.Basis}}, nil
}

// forecastTime bounds one forecast: what takes longer is on record as not had, since a gate may wait for the record.
const forecastTime = 2 * time.Minute

// foretell computes how the vote may end. What cannot be had is on record, and tried again on the schedule.
func (a *Agent) foretell(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	e := dossier.WasForecast{At: head.Latest.Time, Why: "no forecasts here"}
	if a.Resimulate != nil {
		e.Again = gov.UnixTime(a.Resimulate(head.Latest.Time.Time()).Unix())
	}
	if a.Forecasts != nil {
		trying, cancel := context.WithTimeout(ctx, forecastTime)
		f, err := a.Forecasts.Forecast(trying, d.Proposal, head.Final)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			e.Why = dossier.Untrusted(err.Error())
		default:
			e.Forecast, e.Why = &f, ""
		}
	}
	return []dossier.Event{e}, nil
}

// timeOut ends a hold that nobody answered.
func (a *Agent) timeOut(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	return []dossier.Event{dossier.WasTimedOut{Direction: d.TimeOutDirection(), Head: head}}, nil
}

// settle reads what the chain says after a deadline, and ends a vote that was never made.
func (a *Agent) settle(ctx context.Context, d dossier.Dossier) ([]dossier.Event, error) {
	state, ends, err := a.standing(ctx, d.Proposal)
	if err != nil {
		return nil, err
	}
	change := dossier.WasChanged{Change: dossier.Change{ID: d.ID(), State: state, Ends: ends}}
	head, err := a.head(ctx, d.ID())
	if err != nil {
		return nil, err
	}
	change.Change.Block = head.Latest // a reorganisation may take it back
	if ends > d.Proposal.Ends {       // extended: the window is open again
		return []dossier.Event{change}, nil
	}
	if head.Clock <= ends && d.Stage == dossier.AtNotVoted && d.Vote.Status != gov.VoteReverted && (state == gov.StatePending || state == gov.StateActive) {
		a.Log.Error("voting seemed over and is not; the proposal goes on where it stood", "proposal", d.ID().String())
		return []dossier.Event{dossier.WasReopened{State: state, Ends: ends, Head: head}}, nil
	}
	if head.Clock <= ends && !state.Over() { // it has only opened
		if state == d.Proposal.State {
			return nil, nil
		}
		return []dossier.Event{change}, nil
	}
	var events []dossier.Event
	if d.Vote.Status == gov.VoteLocked {
		a.Log.Error("voting closed before the vote was signed", "proposal", d.ID().String())
		events = append(events, dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen})
	}
	if (d.Stage == dossier.AtSeen || d.Stage == dossier.AtGathered || d.Stage == dossier.AtDecided) && !d.Vote.Status.Bound() {
		events = append(events, unvoted(d))
	}
	if state != d.Proposal.State {
		events = append(events, change)
	}
	return events, nil
}

// unvoted is the end of a vote that was not made while voting was open.
func unvoted(d dossier.Dossier) dossier.WasNotVoted {
	switch d.Vote.Status {
	case gov.VoteCanceled:
		return dossier.WasNotVoted{Status: gov.VoteCanceled, Why: dossier.StoppedByHand}
	case gov.VoteHeld, gov.VoteNoVote:
		return dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.NotHeldOpen}
	}
	return dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.NotOpen}
}

// refusal turns a pre-flight refusal into its event.
func refusal(err error) (dossier.Event, bool) {
	var r *Refusal
	if !errors.As(err, &r) {
		return nil, false
	}
	return dossier.WasNotVoted{Status: r.Status, Why: r.Why}, true
}
