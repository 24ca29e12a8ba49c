package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
)

func TestForAndAgainstFromSeenToClosed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		direction gov.Direction
		support   gov.Support
		gated     bool
	}{
		"for": {gov.For, gov.SupportFor, true}, "against": {gov.Against, gov.SupportAgainst, false}, "abstain": {gov.Abstain, gov.SupportAbstain, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.world.Pace = 1
			id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: c.direction})
			r.start().stage(id, dossier.AtClosed)
			r.stop()
			votes, doubled := r.world.Votes()
			if got, ok := votes[7]; !ok || got != c.support || doubled != 0 {
				t.Errorf("the chain has vote %v %v, %d doubled", got, ok, doubled)
			}
			if n := len(r.world.Signed()); n != 1 {
				t.Errorf("%d signatures", n)
			}
			story := r.story()
			for _, want := range []string{"Seen ", "Gathered Decided", "Locked Signed Sent ", " Final Changed Closed"} {
				if !strings.Contains(story, want) {
					t.Errorf("%q is not in the story %q", want, story)
				}
			}
			if got := strings.Contains(story, "Gated"); got != c.gated {
				t.Errorf("gated %v in %q", got, story)
			}
			r.sound()
		})
	}
}

// TestG48StarvedVoteCountsInTheEnd: a vote whose transactions run out of gas is made again, with the same support, until
// one counts.
func TestG48StarvedVoteCountsInTheEnd(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.world.Pace = 1
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Starved: 2, Ends: 400 * agenttest.BlockTime})
	r.start().until("a final vote", func() bool { return r.dossier(id).Vote.Status == gov.VoteFinal })
	r.stop()
	votes, doubled := r.world.Votes()
	if votes[7] != gov.SupportAgainst || len(votes) != 1 || doubled != 0 {
		t.Errorf("the chain has votes %v, %d doubled", votes, doubled)
	}
	signed := r.world.Signed()
	if len(signed) != 3 || signed[0] != signed[1] || signed[1] != signed[2] {
		t.Errorf("%d signatures %v, want three of one ballot", len(signed), signed)
	}
	if story := r.story(); strings.Count(story, "Reverted Signed Sent") != 2 || !strings.Contains(story, "Final") {
		t.Errorf("story %q", story)
	}
	r.sound()
}

func TestHoldWaitsForTheHolderAndAnAnswerFromAnotherProcessIsNoticed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Hold})
	r.start().head(8) // open, gathered at the snapshot
	r.until("hold at the snapshot", func() bool {
		d := r.dossier(id)
		return d.Vote.Status == gov.VoteHeld && d.GatheredAt >= gov.UnixTime(d.Proposal.Starts)
	})
	d := r.dossier(id)
	other, err := journal.Open(t.Context(), "sqlite:legate.db", r.dir, journal.Command)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	begun := time.Now() // no head from here on
	_, err = jobs.Tell(t.Context(), other, id, time.Now(), dossier.WasApproved{Approval: gov.Approval{
		Proposal: id, ContentHash: d.Proposal.ContentHash, Basis: d.Gathered.Basis, Support: gov.SupportAgainst, Expires: d.Proposal.EndsAt,
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.vote(id, gov.VoteSent)
	if took := time.Since(begun); took > 6*time.Second { // without the wake-up it waits for the sweep, minutes away
		t.Errorf("the holder's answer took %s to be sent", took)
	}
	r.until("the answer told", func() bool {
		_, after, ok := strings.Cut(r.story(), "Approved")
		return ok && strings.Contains(after, "Locked Signed Sent")
	})
	r.head(1)
	r.head(3)
	r.stage(id, dossier.AtVoted)
	votes, _ := r.world.Votes()
	if votes[7] != gov.SupportAgainst || r.dossier(id).Vote.Ballot.Reason.By != gov.ByHolder {
		t.Errorf("votes %v by %s", votes, r.dossier(id).Vote.Ballot.Reason.By)
	}
	r.sound()
}

func TestCancelFromAnotherProcessStopsAWaitingVote(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start().head(4)
	r.vote(id, gov.VoteWaiting)
	other, err := journal.Open(t.Context(), "sqlite:legate.db", r.dir, journal.Command)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := jobs.Tell(t.Context(), other, id, time.Now(), dossier.WasCanceled{}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r.head(4)
		r.stored()
	}
	r.stage(id, dossier.AtClosed)
	if len(r.world.Signed()) != 0 || r.dossier(id).NotVoted != dossier.StoppedByHand {
		t.Errorf("%d signatures, %q", len(r.world.Signed()), r.dossier(id).NotVoted)
	}
}

func TestNotLiveSendsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.world.Plan.Live = false
	r.world.Pace = 1
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.For})
	r.start().stage(id, dossier.AtClosed)
	d := r.dossier(id)
	if d.Vote.Status != gov.VoteNotLive || len(r.world.Signed()) != 0 || d.NotVoted != dossier.NotLive {
		t.Errorf("vote %q, %d signatures", d.Vote.Status, len(r.world.Signed()))
	}
	r.sound()
}

// A reorganisation of depth 3 takes the mined vote back into the pool, and it ends final once.
func TestReorganisationBeforeFinality(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start()
	r.heads("mined", func() bool { return r.dossier(id).Vote.Status == gov.VoteMined })
	r.world.Reorg(2, true)
	r.head(0)
	r.heads("final", func() bool { return r.dossier(id).Vote.Status == gov.VoteFinal })
	votes, doubled := r.world.Votes()
	if votes[7] != gov.SupportAgainst || doubled != 0 || len(r.world.Signed()) != 1 {
		t.Errorf("votes %v, %d doubled, %d signatures", votes, doubled, len(r.world.Signed()))
	}
	r.sound()
}

// A cancellation in a block that a reorganisation takes away must not lose the vote, also when the proposal
// was closed meanwhile.
func TestCancellationThatIsReorganisedAwayLosesNoVote(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start().head(4)
	r.vote(id, gov.VoteWaiting)
	r.world.Change(7, gov.StateCanceled)
	r.head(1)
	r.stage(id, dossier.AtClosed)
	r.world.Reorg(1, false)
	r.head(0)
	r.heads("voted", func() bool { return r.dossier(id).Stage == dossier.AtVoted })
	if votes, _ := r.world.Votes(); votes[7] != gov.SupportAgainst || len(votes) != 1 {
		t.Errorf("votes %v", votes)
	}
	r.sound()
}

func TestProposalOfALostBlockIsClosedAndComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start().head(1)
	r.until("seen", func() bool { return r.dossier(id).Seq > 0 })
	r.world.Reorg(1, false)
	r.head(0)
	r.until("rewound", func() bool { return r.dossier(id).Rewound })
	r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.For})
	r.heads("voted", func() bool { return r.dossier(id).Stage == dossier.AtVoted })
	if votes, _ := r.world.Votes(); votes[7] != gov.SupportFor {
		t.Errorf("votes %v", votes)
	}
	r.sound()
}

// An ordinary reorganisation that takes back "is active", read at the head, takes back that and nothing else: the hold and
// the holder's answer stand, and the vote is cast (D1).
func TestG51ReorganisationTakesBackAChangeNotTheProposal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Starts: 30 * agenttest.BlockTime, Ends: 300 * agenttest.BlockTime})
	r.start().head(4)
	r.vote(id, gov.VoteWaiting)
	r.world.Change(7, gov.StateActive)
	r.head(1)
	r.until("active", func() bool { return r.dossier(id).Proposal.State == gov.StateActive })
	facts := r.dossier(id).Gathered.Digest
	r.world.Reorg(1, false)
	r.head(0)
	r.until("taken back", func() bool { return r.dossier(id).Proposal.State == gov.StatePending })
	if d := r.dossier(id); d.Stage != dossier.AtDecided || d.Gathered.Digest != facts || d.Vote.Status != gov.VoteWaiting || strings.Contains(r.story(), "Rewound") {
		t.Errorf("stage %s, vote %s: %s", d.Stage, d.Vote.Status, r.story())
	}
	r.heads("voted", func() bool { r.world.Mine(5); return r.dossier(id).Stage == dossier.AtVoted })
	r.sound()
}

// A proposal whose creation and end are in blocks that are gone is seen when it is made again.
func TestG51ClosedProposalOfALostBlockComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start().head(4)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.head(1)
	r.until("seen", func() bool { return r.dossier(id).Seq > 0 })
	r.world.Change(7, gov.StateCanceled)
	r.head(1)
	r.stage(id, dossier.AtClosed)
	r.world.Reorg(2, false)
	r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.head(1)
	r.heads("voted", func() bool { return r.dossier(id).Stage == dossier.AtVoted })
	if votes, _ := r.world.Votes(); votes[7] != gov.SupportAgainst {
		t.Errorf("votes %v", votes)
	}
	r.sound()
}
