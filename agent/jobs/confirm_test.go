package jobs_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
)

// lying tells something else of blocks that are not final yet, while it lies.
type lying struct {
	*agenttest.Poller
	lies *atomic.Bool
	lie  func(*dossier.Batch)
}

func (l lying) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	b, err := l.Poller.Poll(ctx, from, recent)
	if l.lies.Load() {
		l.lie(&b)
	}
	return b, err
}

func newLying(r *rig, lie func(*dossier.Batch)) *atomic.Bool {
	lies := &atomic.Bool{}
	lies.Store(true)
	r.conf.Pollers = []jobs.Poller{lying{r.poller, lies, lie}}
	return lies
}

// What an endpoint told of a proposal for one poll is replaced by what the final block says, and the deserved Against is
// cast: with another byte of its content, with another id, with none at all, and all of them also through a restart (B5).
func TestG18FinalLogsReplaceWhatWasTold(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(*dossier.Batch){
		"other content": func(b *dossier.Batch) {
			for i := range b.Seen {
				b.Seen[i].Proposal.ContentHash[0]++
				b.Seen[i].Log[0]++
			}
		},
		"another id": func(b *dossier.Batch) {
			for i := range b.Seen {
				b.Seen[i].Proposal.ID.Number = gov.NewAmount(99)
				b.Seen[i].Log[0]++
			}
		},
		"left out": func(b *dossier.Batch) { b.Seen = nil },
		"in an earlier block": func(b *dossier.Batch) {
			for i := range b.Seen {
				b.Seen[i].Proposal.Created.Number--
				b.Seen[i].Proposal.ContentHash[0]++
				b.Seen[i].Log[0]++
			}
		},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRig(t)
				lies := newLying(r, lie)
				r.start().head(4)
				r.polls(2)
				id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Starts: 10 * agenttest.BlockTime, Ends: 300 * agenttest.BlockTime})
				r.head(1)
				r.polls(3)
				lies.Store(false)
				if restart {
					r.stop()
					r.db.Close()
					r.open()
					r.seqs = map[gov.ProposalID]int64{}
					r.conf.Observe = nil
					r.start()
				}
				r.heads("voted", func() bool { r.world.Mine(1); return r.dossier(id).Stage == dossier.AtVoted })
				if votes, _ := r.world.Votes(); votes[7] != gov.SupportAgainst || len(votes) != 1 {
					t.Errorf("votes %v", votes)
				}
				if ghost := r.dossier(agenttest.ID(99)); ghost.Seq > 0 && !ghost.Rewound {
					t.Errorf("the invented proposal is at %s", ghost.Stage)
				}
			})
		}
	}
}

// A change that was told at the head and is not in its final block is taken back alone; what was decided stands.
func TestG18InventedCancellationIsTakenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Starts: 40 * agenttest.BlockTime, Ends: 300 * agenttest.BlockTime})
	lies := newLying(r, func(b *dossier.Batch) {
		b.Changes = append(b.Changes, dossier.Change{ID: id, State: gov.StateCanceled, Block: b.To.Block, Log: gov.Hash{1}})
	})
	lies.Store(false)
	r.start().head(4)
	r.vote(id, gov.VoteWaiting)
	lies.Store(true)
	r.head(1)
	r.until("believed", func() bool { return r.dossier(id).Proposal.State == gov.StateCanceled })
	lies.Store(false)
	r.heads("voted", func() bool { r.world.Mine(1); return r.dossier(id).Stage == dossier.AtVoted })
	if !strings.Contains(r.story(), "TakenBack") || strings.Contains(r.story(), "Rewound") {
		t.Errorf("story: %s", r.story())
	}
	r.sound()
}

// A head of the far future ends a vote by mistake; when the heads are true again and the chain says that voting goes on,
// the proposal goes on where it stood, and the Against is cast in time (B3).
func TestG48NotVotedIsNotFinalWhileVotingIsOpen(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Starts: 40 * agenttest.BlockTime, Ends: 300 * agenttest.BlockTime})
	lies := newLying(r, func(b *dossier.Batch) {
		for g, h := range b.Heads {
			h.Latest.Number += 1000
			h.Latest.Time += 365 * 86400
			h.Clock += 365 * 86400
			b.Heads[g] = h
		}
	})
	lies.Store(false)
	r.start().head(4)
	r.vote(id, gov.VoteWaiting)
	normal := r.world.Ports.Head
	r.world.Ports.Head = func(ctx context.Context, id gov.ProposalID) (gov.Head, error) {
		h, err := normal(ctx, id)
		if lies.Load() {
			h.Latest.Time, h.Clock = h.Latest.Time+365*86400, h.Clock+365*86400
		}
		return h, err
	}
	lies.Store(true)
	r.head(1)
	r.stage(id, dossier.AtNotVoted)
	r.fire()
	r.until("the watch over its deadline ends", func() bool { return r.count("kind = 'deadline' AND state <> 'completed'") == 0 })
	lies.Store(false)
	r.heads("reopened", func() bool { return strings.Contains(r.story(), "Reopened") })
	r.until("the watch over its deadline again", func() bool { return r.count("kind = 'deadline' AND state = 'scheduled'") == 1 })
	r.heads("voted", func() bool { r.world.Mine(1); return r.dossier(id).Stage == dossier.AtVoted })
	if votes, _ := r.world.Votes(); votes[7] != gov.SupportAgainst || !strings.Contains(r.story(), "Reopened") {
		t.Errorf("votes %v, story %s", votes, r.story())
	}
	r.sound()
}
