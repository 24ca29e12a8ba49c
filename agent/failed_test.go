package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// crash is a sender whose transaction was mined and failed.
type crash struct {
	*hangar
	receipt *gov.Receipt
	retry   *gov.Tx
	err     error
}

func (c crash) Plan(context.Context, gov.Ballot, []gov.Vote) (gov.Tx, error) { return gov.Tx{}, nil }
func (c crash) Confirm(context.Context, gov.Vote, gov.Block) (*gov.Receipt, error) {
	return c.receipt, nil
}
func (c crash) Retry(context.Context, gov.Vote) (*gov.Tx, error) { return c.retry, c.err }

// TestG48FailedVoteIsMadeAgain: a vote whose transaction failed is on record as failed, and signed again with the same
// support while voting is open; what cannot be made again now is tried at the next head.
func TestG48FailedVoteIsMadeAgain(t *testing.T) {
	ready := func(status gov.VoteStatus) dossier.Dossier {
		return dossier.Dossier{
			Stage: dossier.AtDecided, Proposal: gov.Proposal{ID: agenttest.ID(1), Starts: 1, Ends: 1 << 40, State: gov.StateActive, Clock: gov.ClockTimestamp},
			Gathered: &dossier.Gathered{}, Verdict: &gov.Verdict{}, Locked: &dossier.WasLocked{}, Vote: of(gov.SupportAgainst, status, 5), Head: deskHead,
		}
	}
	failed := &gov.Receipt{Tx: gov.Hash{1}, Final: true}
	young := &gov.Receipt{Tx: gov.Hash{1}}
	other := &gov.Receipt{Tx: gov.Hash{2}, Final: true, OK: true, Support: gov.Known(gov.SupportFor)} // cast by hand, with the key
	more := &gov.Tx{Nonce: 6, Gas: 300_000}
	for name, c := range map[string]struct {
		status gov.VoteStatus
		sender crash
		flying []gov.Vote
		change func(*dossier.Dossier)
		want   string
		fails  bool
	}{
		"it failed":                       {gov.VoteMined, crash{receipt: failed, retry: more}, nil, nil, "WasReverted WasSigned ", false},
		"it failed, not final":            {gov.VoteSent, crash{receipt: young, retry: more}, nil, nil, "WasMined ", false},
		"it was on record":                {gov.VoteReverted, crash{receipt: failed, retry: more}, nil, nil, "WasSigned ", false},
		"it had the most gas":             {gov.VoteMined, crash{receipt: failed}, nil, nil, "WasReverted ", false},
		"it had the most, on record":      {gov.VoteReverted, crash{receipt: failed}, nil, nil, "", false},
		"another vote counts":             {gov.VoteMined, crash{receipt: other}, nil, nil, "WasReverted ", false},
		"another counts, on record":       {gov.VoteReverted, crash{receipt: other}, nil, nil, "", false},
		"it cannot be planned now":        {gov.VoteMined, crash{receipt: failed, err: agent.ErrLater}, nil, nil, "WasReverted ", false},
		"it still cannot":                 {gov.VoteReverted, crash{receipt: failed, err: agent.ErrLater}, nil, nil, "", true},
		"another vote has the nonce":      {gov.VoteMined, crash{receipt: failed, retry: more}, []gov.Vote{of(gov.SupportFor, gov.VoteSent, 6)}, nil, "WasReverted ", false},
		"the chain has other content":     {gov.VoteMined, crash{receipt: failed, retry: more}, nil, func(d *dossier.Dossier) { d.Locked.Content = gov.Hash{9} }, "WasReverted ", false},
		"voting is over":                  {gov.VoteMined, crash{receipt: failed, retry: more}, nil, func(d *dossier.Dossier) { d.Proposal.Ends = 1 }, "WasReverted ", false},
		"it is near the close, not final": {gov.VoteSent, crash{receipt: young, retry: more}, nil, func(d *dossier.Dossier) { d.Proposal.Ends = deskHead.Clock + 60 }, "WasReverted WasSigned ", false},
	} {
		t.Run(name, func(t *testing.T) {
			d, h := ready(c.status), &hangar{flying: c.flying}
			if c.change != nil {
				c.change(&d)
			}
			c.sender.hangar = h
			events, err := agent.New(agent.Parts{
				Chain: agenttest.OverChain(h), Policies: h, Facts: agenttest.OverFacts(h), Signer: h, Sender: agenttest.OverSender(c.sender), Flights: h,
				Log: slog.New(slog.DiscardHandler),
			}).Do(t.Context(), d, dossier.Step{Kind: dossier.Confirm})
			if (err != nil) != c.fails || err != nil && !errors.Is(err, agent.ErrLater) {
				t.Fatalf("error %v", err)
			}
			got := ""
			for _, e := range events {
				got += dossier.TypeOf(e) + " "
				if d, err = d.Apply(e); err != nil {
					t.Fatalf("%s: %v", dossier.TypeOf(e), err)
				}
			}
			if got != c.want {
				t.Errorf("events %q, want %q", got, c.want)
			}
			if signed, ok := events, len(events) > 0 && got == "WasReverted WasSigned "; ok && (d.Vote.Status != gov.VoteSigned || d.Vote.Nonce != 6 || d.Stage != dossier.AtDecided || d.Vote.Ballot.Support != gov.SupportAgainst) {
				t.Errorf("after %v: %s with nonce %d at %s", signed, d.Vote.Status, d.Vote.Nonce, d.Stage)
			}
		})
	}
}

// TestG48FailedVoteIsFollowed: while voting is open a failed vote owes a look at each head, and after it none.
func TestG48FailedVoteIsFollowed(t *testing.T) {
	d := dossier.Dossier{
		Stage: dossier.AtNotVoted, Proposal: gov.Proposal{ID: agenttest.ID(1), Starts: 10, Ends: 100, State: gov.StateActive, Clock: gov.ClockTimestamp},
		Locked: &dossier.WasLocked{}, Vote: of(gov.SupportAgainst, gov.VoteReverted, 5),
	}
	owes := func(clock gov.Clocks) string {
		out := ""
		for _, s := range dossier.Next(d, gov.Head{Clock: clock, Latest: gov.Block{Number: uint64(clock), Time: gov.UnixTime(clock)}}) {
			out += fmt.Sprint(s.Kind, "/", s.Basis, " ")
		}
		return out
	}
	if got := owes(50); got != "confirm/50 " {
		t.Errorf("while voting is open it owes %q", got)
	}
	if got := owes(101); got == "" || got[:7] == "confirm" {
		t.Errorf("after the close it owes %q, want only a look at the state", got)
	}
}
