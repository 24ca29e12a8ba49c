package jobs_test

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
)

// liar tells lies of what is not final, newly drawn at each poll, until it is told to stop.
type liar struct {
	*agenttest.Poller
	mu    sync.Mutex
	rng   *rand.Rand
	quiet bool
	ahead bool // its heads are of the far future
	told  []string
}

func (l *liar) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quiet, l.ahead = true, false
}

func (l *liar) future(h gov.Head) gov.Head {
	h.Latest.Number += 1000
	h.Latest.Time += 365 * 86400
	h.Clock += 365 * 86400
	return h
}

func (l *liar) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	b, err := l.Poller.Poll(ctx, from, recent)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ahead = false
	if l.quiet || err != nil {
		return b, err
	}
	say := func(what string) { l.told = append(l.told, what) }
	var seen []dossier.Seen
	for _, s := range b.Seen {
		if !b.Confirmed.Has(s.Proposal.Created.Number) {
			switch l.rng.IntN(4) {
			case 0:
				say("left out")
				continue
			case 1:
				say("other content")
				s.Proposal.ContentHash[0]++
				s.Log[0]++
			case 2:
				say("earlier block")
				s.Proposal.Created.Number--
				s.Log[0]++
			}
		}
		seen = append(seen, s)
	}
	b.Seen = seen
	changes := b.Changes[:0:0]
	for _, c := range b.Changes {
		if b.Confirmed.Has(c.Block.Number) || l.rng.IntN(2) == 0 {
			changes = append(changes, c)
		}
	}
	b.Changes = changes
	if l.rng.IntN(4) == 0 && b.To.Block != from.Block {
		c := dossier.Change{ID: agenttest.ID(7), Block: b.To.Block, Log: gov.Hash{byte(l.rng.IntN(255) + 1)}}
		c.State = []gov.State{gov.StateCanceled, gov.StateQueued, gov.StateExecuted, gov.StateActive, ""}[l.rng.IntN(5)]
		if c.State == "" {
			c.Ends = 900 * agenttest.BlockTime
		}
		say("change to " + string(c.State))
		b.Changes = append(b.Changes, c)
	}
	if l.rng.IntN(6) == 0 {
		say("future")
		l.ahead = true
		for g, h := range b.Heads {
			b.Heads[g] = l.future(h)
		}
	}
	return b, err
}

// Whatever is told of blocks that are not final, and through reorganisations and restarts, the Against is cast once and in
// time when the lies end while voting is open.
func TestG48NoLieLosesAnAgainst(t *testing.T) {
	t.Parallel()
	lives := uint64(4)
	if os.Getenv("LEGATE_SOAK") != "" {
		lives = 400
	}
	for seed := range lives {
		rng := rand.New(rand.NewPCG(seed, 48))
		r := newRig(t)
		l := &liar{Poller: r.poller, rng: rng}
		r.conf.Pollers, r.conf.Observe = []jobs.Poller{l}, nil
		normal := r.world.Ports.Head
		r.world.Ports.Head = func(ctx context.Context, id gov.ProposalID) (gov.Head, error) {
			h, err := normal(ctx, id)
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.ahead {
				h = l.future(h)
			}
			return h, err
		}
		id := agenttest.ID(7)
		r.start().head(4)
		r.polls(2)
		r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Starts: 20 * agenttest.BlockTime, Ends: 300 * agenttest.BlockTime})
		for range 5 + rng.IntN(20) {
			r.head(1)
			r.polls(1)
			time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
			switch l.roll(12) {
			case 0:
				r.world.Reorg(1, true)
			case 1:
				r.stop()
				r.start()
				r.head(1)
			}
		}
		l.stop()
		done := func() bool { return r.dossier(id).Vote.Status == gov.VoteFinal }
		for n := 0; n < 60 && !done(); n++ {
			r.head(1)
			r.stored()
			for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end) && !done() && r.busy(); {
				time.Sleep(2 * time.Millisecond)
			}
		}
		votes, doubled := r.world.Votes()
		if d := r.dossier(id); !done() || votes[7] != gov.SupportAgainst || len(votes) != 1 || doubled != 0 {
			var kinds []string
			for _, m := range d.Records {
				kinds = append(kinds, m.Type)
			}
			t.Errorf("seed %d: votes %v, %d doubled; it is at %s, vote %s, not voted %q, state %s\nlies %q\nrecords %q\nalarms %s", seed, votes, doubled, d.Stage, d.Vote.Status, d.NotVoted, d.Proposal.State, l.told, kinds, r.told())
		}
		r.sound()
		r.stop()
	}
	t.Logf("n = %d lives", lives)
}

func (l *liar) roll(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rng.IntN(n)
}
