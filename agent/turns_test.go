package agent_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// hangar is a key with other votes under way, and a sender and signer that do what they are told.
type hangar struct {
	desk
	flying   []gov.Vote
	left     []gov.Vote // given up
	waiting  []dossier.Turn
	plan     error
	replaced *gov.Tx
	over     []gov.Vote // what the last plan was to overtake
	done     []string
}

func (h *hangar) Standing(context.Context, gov.Proposal) (gov.State, gov.Clocks, error) {
	return gov.StateActive, 1000, nil
}
func (h *hangar) Address() gov.Address { return gov.Address{1} }
func (h *hangar) Sign(_ context.Context, i gov.Intent) (gov.Vote, error) {
	h.done = append(h.done, "sign")
	return gov.Vote{Tx: gov.Hash{byte(i.Tx.Nonce)}, Raw: gov.CalldataOf([]byte{1})}, nil
}
func (h *hangar) Preflight(context.Context, gov.Proposal, gov.Holder, gov.Ballot) (gov.Amount, error) {
	return gov.NewAmount(1), nil
}

// runway is the sender; its Plan is another one than that of the policies.
type runway struct{ *hangar }

func (h runway) Plan(_ context.Context, _ gov.Ballot, over []gov.Vote) (gov.Tx, error) {
	h.over = over
	return gov.Tx{Nonce: 6}, h.plan
}
func (h *hangar) Send(context.Context, gov.Vote) error { h.done = append(h.done, "send"); return nil }
func (h *hangar) Confirm(context.Context, gov.Vote, gov.Block) (*gov.Receipt, error) {
	return nil, nil
}
func (h *hangar) Replace(context.Context, gov.Vote) (*gov.Tx, error) { return h.replaced, nil }
func (h *hangar) Retry(context.Context, gov.Vote) (*gov.Tx, error)   { return nil, nil }
func (h *hangar) InFlight(context.Context, gov.ProposalID) ([]gov.Vote, error) {
	return slices.Clone(h.flying), nil
}
func (h *hangar) GivenUp(context.Context, gov.ProposalID) ([]gov.Vote, error) {
	return slices.Clone(h.left), nil
}
func (h *hangar) Waiting(context.Context, gov.ProposalID) ([]dossier.Turn, error) {
	return h.waiting, nil
}

func (h *hangar) step(t *testing.T, d dossier.Dossier, k dossier.StepKind) ([]dossier.Event, error) {
	t.Helper()
	h.done, h.over = nil, nil
	return agent.New(agent.Parts{Chain: agenttest.OverChain(h), Policies: h, Facts: agenttest.OverFacts(h), Signer: h, Sender: agenttest.OverSender(runway{h}), Flights: h, Log: slog.New(slog.DiscardHandler)}).Do(t.Context(), d, dossier.Step{Kind: k})
}

// of is a vote that is under way.
func of(s gov.Support, status gov.VoteStatus, nonce uint64) gov.Vote {
	return gov.Vote{Ballot: gov.Ballot{Support: s}, Status: status, Nonce: nonce}
}

// locked is a proposal whose vote is bound.
func locked(s gov.Support, status gov.VoteStatus, nonce uint64) dossier.Dossier {
	return dossier.Dossier{
		Proposal: gov.Proposal{Starts: 1, Ends: 1000, State: gov.StateActive, Clock: gov.ClockTimestamp}, Stage: dossier.AtDecided,
		Gathered: &dossier.Gathered{}, Verdict: &gov.Verdict{}, Locked: &dossier.WasLocked{}, Vote: of(s, status, nonce),
	}
}

// TestG14OvertakenVoteStaysBack: a vote whose nonce an against has taken is neither sent again nor planned again under the
// nonce of another against, whatever the sender proposes.
func TestG14OvertakenVoteStaysBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		flying   []gov.Vote
		replaced *gov.Tx
		want     []string
	}{
		{"alone and good", nil, nil, []string{"send"}},
		{"alone and too cheap", nil, &gov.Tx{Nonce: 5}, []string{"sign"}},
		{"alone, its nonce used by hand", nil, &gov.Tx{Nonce: 6}, []string{"sign"}},
		{"overtaken", []gov.Vote{of(gov.SupportAgainst, gov.VoteSent, 5)}, &gov.Tx{Nonce: 5}, nil},
		{"overtaken by one that is not sent yet", []gov.Vote{of(gov.SupportAgainst, gov.VoteSigned, 5)}, &gov.Tx{Nonce: 5}, nil},
		{"beside one that is only locked", []gov.Vote{of(gov.SupportAgainst, gov.VoteLocked, 5)}, &gov.Tx{Nonce: 5}, []string{"sign"}},
		{"its nonce used, the next is an against's", []gov.Vote{of(gov.SupportAgainst, gov.VoteSent, 6)}, &gov.Tx{Nonce: 6}, []string{"send"}},
		{"behind one that left the chain", []gov.Vote{of(gov.SupportAbstain, gov.VoteSent, 4)}, &gov.Tx{Nonce: 4}, []string{"send"}},
	} {
		h := &hangar{flying: c.flying, replaced: c.replaced}
		_, err := h.step(t, locked(gov.SupportFor, gov.VoteSent, 5), dossier.Confirm)
		if err != nil || !slices.Equal(h.done, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, h.done, err, c.want)
		}
	}
}

// TestLockedVoteIsLetGo: what is only locked and cannot be planned stands in the way of nothing; a failure of the node
// lets nothing go.
func TestLockedVoteIsLetGo(t *testing.T) {
	against, broken := of(gov.SupportAgainst, gov.VoteSent, 5), errors.New("the node is down")
	for _, c := range []struct {
		name   string
		plan   error
		flying []gov.Vote
		free   bool
	}{
		{"no budget", agent.ErrBudget, nil, true},
		{"too dear now", agent.ErrLater, nil, true},
		{"an against is under way", nil, []gov.Vote{against}, true},
		{"no node", broken, nil, false},
	} {
		h := &hangar{plan: c.plan, flying: c.flying}
		events, err := h.step(t, locked(gov.SupportFor, gov.VoteLocked, 5), dossier.Sign)
		released := len(events) == 1 && dossier.TypeOf(events[0]) == "WasReleased"
		if released != c.free || (err == nil) != c.free || len(h.done) > 0 {
			t.Errorf("%s: %v, %v, done %v", c.name, events, err, h.done)
		}
	}
}

// TestAgainstOvertakesOnly: an against is planned over a sent vote of another direction, and over nothing else.
func TestAgainstOvertakesOnly(t *testing.T) {
	for _, c := range []struct {
		name   string
		ballot gov.Support
		flying gov.Vote
		waits  bool
	}{
		{"a for is sent", gov.SupportAgainst, of(gov.SupportFor, gov.VoteSent, 6), false},
		{"an abstain is signed", gov.SupportAgainst, of(gov.SupportAbstain, gov.VoteSigned, 6), false},
		{"a for is locked", gov.SupportAgainst, of(gov.SupportFor, gov.VoteLocked, 6), true},
		{"an against is sent", gov.SupportAgainst, of(gov.SupportAgainst, gov.VoteSent, 6), true},
		{"a for behind a for", gov.SupportFor, of(gov.SupportFor, gov.VoteSent, 6), true},
		{"an abstain behind a for", gov.SupportAbstain, of(gov.SupportFor, gov.VoteSent, 6), true},
	} {
		h := &hangar{flying: []gov.Vote{c.flying}}
		events, err := h.step(t, locked(c.ballot, gov.VoteLocked, 6), dossier.Sign)
		if err != nil || len(events) != 1 || (dossier.TypeOf(events[0]) == "WasReleased") != c.waits || c.waits == (len(h.over) == 1) {
			t.Errorf("%s: %v, %v, over %v", c.name, events, err, h.over)
		}
	}
}

// TestGivenUpVoteIsOvertaken: what voting closed over may wait in a pool still, and holds up no vote of any direction.
func TestGivenUpVoteIsOvertaken(t *testing.T) {
	for _, s := range []gov.Support{gov.SupportAgainst, gov.SupportFor, gov.SupportAbstain} {
		h := &hangar{left: []gov.Vote{of(gov.SupportAgainst, gov.VoteExpired, 6)}}
		events, err := h.step(t, locked(s, gov.VoteLocked, 6), dossier.Sign)
		if err != nil || len(events) != 1 || dossier.TypeOf(events[0]) != "WasSigned" || len(h.over) != 1 {
			t.Errorf("%s: %v, %v, over %v", s, events, err, h.over)
		}
	}
}

// TestLockWaitsForWhatGoesFirst: a vote that is due is not planned while another Against of the key with more at stake is due,
// and is when that is not due yet.
func TestLockWaitsForWhatGoesFirst(t *testing.T) {
	wait := int64(0)
	mine := dossier.Dossier{
		Proposal: gov.Proposal{ID: gov.ProposalID{Number: gov.NewAmount(1)}, Starts: 1, Ends: 100_000, State: gov.StateActive, Clock: gov.ClockTimestamp}, Stage: dossier.AtDecided, FirstDecided: 900,
		Since: [4]gov.UnixTime{gov.Abstain: 900, gov.Against: 900}, Gathered: &dossier.Gathered{}, Verdict: &gov.Verdict{Direction: gov.Against}, Standing: &dossier.Standing{},
		Vote: gov.Vote{Status: gov.VoteWaiting}, Plan: dossier.Plan{Live: true, MaxAge: 100_000}, GatheredAt: 1,
	}
	other := dossier.Turn{
		ID: gov.ProposalID{Number: gov.NewAmount(2)}, Stake: gov.MostStake, Waits: true, Clock: gov.ClockTimestamp, Starts: 1, Ends: 100_000, Plan: mine.Plan,
		Since: mine.Since, First: 900, Final: gov.Against, Stands: &wait,
	}
	for name, c := range map[string]struct {
		change func(*dossier.Turn)
		waits  bool
	}{
		"more at stake":     {func(*dossier.Turn) {}, true},
		"less at stake":     {func(o *dossier.Turn) { o.Stake = 0; o.Ends = 50_000 }, false},
		"it waits for none": {func(o *dossier.Turn) { o.Waits = false }, false},
		"it is not due yet": {func(o *dossier.Turn) { later := int64(50_000); o.Stands = &later }, false},
		"an abstain":        {func(o *dossier.Turn) { o.Stands, o.Final = nil, gov.Abstain }, false},
		"its turn was over": {func(o *dossier.Turn) {
			o.Stands, o.Final, o.Answer = nil, gov.Hold, &dossier.TurnAnswer{Support: gov.SupportAgainst, Expires: 1000}
		}, false},
	} {
		o := other
		c.change(&o)
		h := &hangar{waiting: []dossier.Turn{o}}
		_, err := h.step(t, mine, dossier.Lock)
		if waits := err != nil && errors.Is(err, agent.ErrLater); waits != c.waits {
			t.Errorf("%s: %v", name, err)
		}
	}
}
