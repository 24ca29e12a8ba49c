package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
)

func TestFailedStepIsDoneAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.world.Pace = 1
	var failed sync.Map
	r.world.Before = func(port string, id gov.ProposalID) error {
		if port == "plan" || port == "gather" || port == "send" {
			if _, again := failed.LoadOrStore(port, true); !again {
				return errors.New("connection refused")
			}
		}
		return nil
	}
	r.world.After = func(port string, id gov.ProposalID) error { // the work was done, and the answer lost
		if port == "sign" {
			if _, again := failed.LoadOrStore(port, true); !again {
				return errors.New("connection reset")
			}
		}
		return nil
	}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	r.start().vote(id, gov.VoteFinal)
	for _, port := range []string{"plan", "gather", "send", "sign"} {
		if _, ok := failed.Load(port); !ok {
			t.Errorf("%s never failed", port)
		}
	}
	if votes, doubled := r.world.Votes(); len(votes) != 1 || doubled != 0 {
		t.Errorf("votes %v, %d doubled", votes, doubled)
	}
	r.sound()
}

// What waits for the key is put off and goes as soon as the other vote is mined: one transaction at a time.
func TestStepsThatMustWaitArePutOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ids := []gov.ProposalID{}
	for n := range uint64(4) {
		ids = append(ids, r.world.Propose(agenttest.Proposal{Number: n + 1, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime}))
	}
	var most, asked atomic.Int32
	r.world.Before = func(port string, id gov.ProposalID) error {
		if port == "sign" {
			flying, err := r.db.InFlight(context.Background(), id)
			if err != nil {
				return err
			}
			most.Store(max(most.Load(), int32(len(flying))))
		}
		if port == "preflight" && asked.Add(1) == 1 {
			return fmt.Errorf("frozen: %w", agent.ErrLater)
		}
		return nil
	}
	r.world.Pace = 1
	r.start()
	for _, id := range ids {
		r.vote(id, gov.VoteFinal)
	}
	if most.Load() != 0 {
		t.Errorf("%d other transactions were under way at a signature", most.Load())
	}
	if votes, doubled := r.world.Votes(); len(votes) != 4 || doubled != 0 {
		t.Errorf("votes %v, %d doubled", votes, doubled)
	}
	r.sound()
}

// A step that cannot be done for many heads is one job, not one a head.
func TestJobsDoNotPileUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	voted := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	stuck := r.world.Propose(agenttest.Proposal{Number: 8, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	r.world.Before = func(port string, id gov.ProposalID) error {
		if port == "confirm" || port == "gather" && id == stuck {
			return errors.New("connection refused")
		}
		return nil
	}
	r.start()
	r.heads("sent", func() bool { return r.dossier(voted).Vote.Status == gov.VoteSent })
	for range 40 {
		r.head(1)
		r.stored()
	}
	if n := r.count("kind = 'step' AND state NOT IN ('completed', 'cancelled', 'discarded')"); n != 3 {
		t.Errorf("%d jobs wait, want one to confirm, one to gather, one to preview", n)
	}
}

// lockThen runs a proposal to a slow pre-flight, lets something happen to it meanwhile, and returns the rig
// when the lock has ended.
func lockThen(t *testing.T, meanwhile func(*rig, gov.ProposalID)) (*rig, gov.ProposalID, *atomic.Int32) {
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	var calls atomic.Int32
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "preflight" && calls.Add(1) == 1 {
			meanwhile(r, id)
		}
		return nil
	}
	r.start()
	r.heads("pre-flight", func() bool { return calls.Load() > 0 })
	return r, id, &calls
}

// A writer that lost on the sequence number appends what still belongs, without doing the step again.
func TestLostRaceAppendsWhatBelongs(t *testing.T) {
	t.Parallel()
	r, id, calls := lockThen(t, func(r *rig, id gov.ProposalID) {
		if _, err := jobs.Tell(context.Background(), r.db, id, time.Now(), dossier.WasReminded{Before: "24h"}); err != nil {
			r.t.Error(err)
		}
	})
	r.vote(id, gov.VoteSent)
	if n := calls.Load(); n != 1 {
		t.Errorf("pre-flight was asked %d times", n)
	}
	r.until("lock after the reminder", func() bool { return strings.Contains(r.story(), "Reminded Locked Signed Sent") })
	r.sound()
}

// The holder's stop during the lock wins: the lock was made of something that is not so any more.
func TestLostRaceDropsALockThatTheHolderStopped(t *testing.T) {
	t.Parallel()
	r, id, _ := lockThen(t, func(r *rig, id gov.ProposalID) {
		if _, err := jobs.Tell(context.Background(), r.db, id, time.Now(), dossier.WasCanceled{}); err != nil {
			r.t.Error(err)
		}
	})
	r.until("the step's end", func() bool { return r.count("state IN ('running', 'available', 'retryable') AND kind = 'step'") == 0 })
	if d := r.dossier(id); d.Vote.Status != gov.VoteCanceled || len(r.world.Signed()) != 0 {
		t.Errorf("vote %q after %s", d.Vote.Status, r.story())
	}
}

// A job whose step is no longer owed does nothing and goes.
func TestStepNoLongerOwedIsDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.For})
	var gathers atomic.Int32
	gate := make(chan struct{})
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "gate" {
			<-gate
			return errors.New("the reader died")
		}
		if port == "gather" {
			gathers.Add(1)
		}
		return nil
	}
	r.start().head(4)
	r.until("gate under way", func() bool { return r.count("state = 'running' AND args ->> 'step' = 'gate'") == 1 })
	r.world.Change(7, gov.StateCanceled)
	r.head(1)
	r.stage(id, dossier.AtClosed)
	seq := r.dossier(id).Seq
	close(gate)
	r.until("all jobs done", func() bool {
		return r.count("kind = 'step' AND state NOT IN ('completed', 'cancelled', 'discarded')") == 0
	})
	if r.dossier(id).Seq != seq {
		t.Errorf("story %s", r.story())
	}
}

// Dry runs that hang take no worker from a vote, nor from a decision.
func TestSlowStepsDelayNoVote(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var hang atomic.Bool
	release := make(chan struct{})
	r.world.Before = func(port string, id gov.ProposalID) error {
		if hang.Load() && port == "gather" && id != agenttest.ID(1) {
			<-release
		}
		return nil
	}
	r.world.Plan.MaxAge = 100_000
	vote := r.world.Propose(agenttest.Proposal{Number: 1, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	r.start().head(5)
	r.vote(vote, gov.VoteWaiting)
	hang.Store(true)
	for n := range uint64(20) {
		r.world.Propose(agenttest.Proposal{Number: 10 + n, Direction: gov.For, Ends: 1000 * agenttest.BlockTime})
	}
	r.head(1)
	r.until("dry runs fill their queue", func() bool { return r.count("state = 'running' AND queue = 'slow'") == 4 })
	// the holder's answer needs no gathering: decision, lock, signature and sending go on
	d := r.dossier(vote)
	if _, err := jobs.Tell(t.Context(), r.db, vote, time.Now(), dossier.WasApproved{Approval: gov.Approval{
		Proposal: vote, ContentHash: d.Proposal.ContentHash, Basis: d.Gathered.Basis, Support: gov.SupportFor, Expires: d.Proposal.EndsAt,
	}}); err != nil {
		t.Fatal(err)
	}
	r.heads("a final vote", func() bool { return r.dossier(vote).Vote.Status == gov.VoteFinal })
	close(release)
}

// Where several votes of the key are due, the against goes first, then the nearest deadline.
func TestG14AgainstFirstThenTheNearestDeadline(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const far = 1000 * agenttest.BlockTime
	ids := []gov.ProposalID{
		r.world.Propose(agenttest.Proposal{Number: 1, Direction: gov.For, Ends: far + 300}),
		r.world.Propose(agenttest.Proposal{Number: 2, Direction: gov.For, Ends: far}),
		r.world.Propose(agenttest.Proposal{Number: 3, Direction: gov.Abstain, Ends: far + 200}),
		r.world.Propose(agenttest.Proposal{Number: 4, Direction: gov.Against, Ends: far + 400}),
	}
	var open atomic.Bool
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "preflight" && !open.Load() {
			return fmt.Errorf("frozen: %w", agent.ErrLater)
		}
		return nil
	}
	r.start()
	r.heads("all are due", func() bool {
		return r.count("args ->> 'step' = 'lock' AND state NOT IN ('completed', 'cancelled', 'discarded')") == len(ids)
	})
	open.Store(true)
	for _, id := range ids {
		r.heads("a final vote", func() bool { return r.dossier(id).Vote.Status == gov.VoteFinal })
	}
	order := []uint64{}
	for _, b := range r.world.Signed() {
		order = append(order, b.Proposal.Number.Int().Uint64())
	}
	if diff := cmp.Diff([]uint64{4, 2, 3, 1}, order); diff != "" {
		t.Errorf("signed in another order (-want +got):\n%s", diff)
	}
}
