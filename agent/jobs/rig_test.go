package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
)

// rig is a daemon in this process on a world in memory.
type rig struct {
	t      testing.TB
	dir    string
	db     *journal.DB
	world  *agenttest.World
	poller *agenttest.Poller
	conf   jobs.Config
	runner *jobs.Runner
	cancel context.CancelFunc
	done   chan error

	mu      sync.Mutex
	records []dossier.Record
	alarms  []string
	seqs    map[gov.ProposalID]int64
}

// newRig opens a store; change what it has, then start it.
func newRig(t testing.TB) *rig {
	r := &rig{t: t, dir: t.TempDir(), world: agenttest.New(), seqs: map[gov.ProposalID]int64{}}
	r.open()
	return r
}

func (r *rig) open() {
	r.t.Helper()
	db, err := journal.Open(r.t.Context(), "sqlite:legate.db", r.dir, journal.Daemon)
	if err != nil {
		r.t.Fatal(err)
	}
	r.db, r.poller = db, &agenttest.Poller{World: r.world, Heads: make(chan struct{}, 1)}
	r.t.Cleanup(func() { r.stop(); db.Close() })
	r.conf = jobs.Config{
		Pollers: []jobs.Poller{r.poller}, Poll: 20 * time.Millisecond, Fetch: 20 * time.Millisecond, Log: quietLog(),
		Observe: func(rec dossier.Record, d dossier.Dossier) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if rec.Seq != d.Seq {
				r.t.Errorf("record %d of %s is told with the dossier at %d", rec.Seq, rec.ID, d.Seq)
			}
			if last := r.seqs[rec.ID]; rec.Seq != last+1 {
				r.t.Errorf("record %d of %s is told after record %d", rec.Seq, rec.ID, last)
			}
			r.seqs[rec.ID] = rec.Seq
			r.records = append(r.records, rec)
		},
		Alarm: func(what string, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.alarms = append(r.alarms, fmt.Sprint(what, ": ", err))
		},
	}
}

func quietLog() *slog.Logger {
	if os.Getenv("LEGATE_TEST_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

func (r *rig) start() *rig {
	r.t.Helper()
	runner, err := jobs.New(r.db, agent.New(r.world.Parts(r.db, r.conf.Log)), r.conf)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	r.runner, r.cancel, r.done = runner, cancel, make(chan error, 1)
	go func() { r.done <- runner.Run(ctx) }()
	return r
}

// stop ends the daemon and says how long that took.
func (r *rig) stop() time.Duration {
	r.t.Helper()
	if r.cancel == nil {
		return 0
	}
	begun := time.Now()
	r.cancel()
	r.cancel = nil
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Errorf("Run: %v", err)
		}
	case <-time.After(12 * time.Second):
		r.t.Fatal("Run did not end within 12 s")
	}
	return time.Since(begun)
}

// head mines n blocks and says so to the follower.
func (r *rig) head(n uint64) {
	r.world.Mine(n)
	select {
	case r.poller.Heads <- struct{}{}:
	default:
	}
}

// heads mines block after block, each when the steps of the last one have been done or hang, until
// something is true.
func (r *rig) heads(what string, f func() bool) {
	r.t.Helper()
	for n := 0; !f(); n++ {
		if n == 50 {
			r.t.Fatalf("mined %d blocks in vain for: %s\nrecords: %s\nalarms: %s", n, what, r.story(), r.told())
		}
		r.head(1)
		r.stored()
		for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end) && !f() && r.busy(); {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// busy says whether steps are under way or about to be, other than those that hang on purpose.
func (r *rig) busy() bool {
	return r.count("kind = 'step' AND state IN ('running', 'available', 'retryable')") > 0
}

// stored waits until the newest block is stored.
func (r *rig) stored() {
	r.t.Helper()
	r.until("the newest block stored", func() bool { return r.runner.Health()[agenttest.Chain].Head.Number == r.world.Newest() })
}

// polls waits until the chain was asked a number of times more.
func (r *rig) polls(n int) {
	r.t.Helper()
	last := r.runner.Health()[agenttest.Chain].Polled
	for range n {
		r.until("another poll", func() bool { return r.runner.Health()[agenttest.Chain].Polled.After(last) })
		last = r.runner.Health()[agenttest.Chain].Polled
	}
}

// until waits for something to become true.
func (r *rig) until(what string, f func() bool) {
	r.t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("waited in vain for: %s\nrecords: %s\nalarms: %s", what, r.story(), r.told())
		}
	}
}

func (r *rig) dossier(id gov.ProposalID) dossier.Dossier {
	d, err := r.db.Load(r.t.Context(), id)
	if err != nil && !errors.Is(err, journal.ErrUnknown) {
		r.t.Error(err)
	}
	return d
}

func (r *rig) stage(id gov.ProposalID, want dossier.Stage) {
	r.t.Helper()
	r.until(fmt.Sprintf("stage %s of %s", want, id), func() bool { return r.dossier(id).Stage == want })
}

func (r *rig) vote(id gov.ProposalID, want gov.VoteStatus) {
	r.t.Helper()
	r.until(fmt.Sprintf("vote %s of %s", want, id), func() bool { return r.dossier(id).Vote.Status == want })
}

// story is the types of the records told, in order, without briefs and forecasts, which come whenever they do.
func (r *rig) story() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, rec := range r.records {
		if rec.Type == "WasBriefed" || rec.Type == "WasForecast" {
			continue
		}
		out = append(out, strings.TrimPrefix(rec.Type, "Was"))
	}
	return strings.Join(out, " ")
}

func (r *rig) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.alarms, "\n")
}

// sound fails unless the journal is in order.
func (r *rig) sound() {
	r.t.Helper()
	report, err := r.db.Fsck(r.t.Context())
	if err != nil || len(report.Problems) > 0 {
		r.t.Errorf("fsck: %v %v", report.Problems, err)
	}
}

// count counts rows of the job table.
func (r *rig) count(where string) (n int) {
	r.t.Helper()
	if err := r.db.SQL().QueryRowContext(r.t.Context(), "SELECT count(*) FROM river_job WHERE "+where).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}
