package jobs_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Proposals that closed long ago are settled without a gathering, hundreds of them in seconds.
func TestBackfillSettlesWithoutGathering(t *testing.T) {
	const n = 300
	r := newRig(t)
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "gather" || port == "gate" {
			t.Errorf("%s for a proposal that closed long ago", port)
		}
		return nil
	}
	for i := range uint64(n) {
		p := agenttest.Proposal{Number: i + 1, Created: 1 + i/4, Ends: 10 * agenttest.BlockTime, Direction: gov.For}
		if i%3 == 0 {
			p.Changes = map[uint64]gov.State{p.Created + 12: gov.StateExecuted}
		}
		r.world.Propose(p)
	}
	r.world.Mine(100)
	r.poller.Span = 20
	begun, used := time.Now(), cpu()
	r.start()
	r.until("all settled", func() bool {
		time.Sleep(50 * time.Millisecond)
		list, err := r.db.Proposals(t.Context())
		return err == nil && len(list) == n && !slices.ContainsFunc(list, func(e journal.Entry) bool { return e.Stage != dossier.AtClosed })
	})
	t.Logf("%d proposals settled in %s, %s of CPU", n, time.Since(begun).Round(time.Millisecond), (cpu() - used).Round(time.Millisecond))
	r.sound()
}

// latency measures from a new head to the end of the step that it makes due.
func latency(t testing.TB, fetch time.Duration, n int) []time.Duration {
	r := newRig(t)
	r.conf.Poll, r.conf.Fetch = time.Hour, fetch // heads come by Wake only
	r.start().head(1)
	var took []time.Duration
	for i := range n {
		id := r.world.Propose(agenttest.Proposal{Number: uint64(i + 1), Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
		time.Sleep(fetch * time.Duration(i%7) / 7) // at any phase of the fetching
		begun := time.Now()
		r.head(1)
		r.until("preview", func() bool { return r.dossier(id).Gathered != nil })
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return took
}

func TestLatencyFromHeadToFinishedStep(t *testing.T) {
	const want = 150 * time.Millisecond
	for try := 1; ; try++ { // a busy machine may spoil one
		took := latency(t, 50*time.Millisecond, 15)
		median := took[len(took)/2]
		t.Logf("from head to finished step: median %s, worst %s", median, took[len(took)-1])
		if median <= want {
			return
		}
		if try == 3 {
			t.Fatalf("median %s, want at most %s", median, want)
		}
	}
}

// BenchmarkIdle is the share of one core that a daemon with open dossiers and no news takes.
func BenchmarkIdle(b *testing.B) {
	for _, fetch := range []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond} {
		b.Run(fetch.String(), func(b *testing.B) {
			r := newRig(b)
			r.conf.Fetch, r.conf.Poll = fetch, 4*time.Second
			for i := range uint64(20) {
				r.world.Propose(agenttest.Proposal{Number: i + 1, Direction: gov.Hold, Ends: 100_000 * agenttest.BlockTime})
			}
			r.start().head(10)
			time.Sleep(2 * time.Second)
			used, begun := cpu(), time.Now()
			time.Sleep(5 * time.Second)
			b.ReportMetric(float64(cpu()-used)/float64(time.Since(begun))*100, "%core")
		})
	}
}

func TestIdleDaemonIsCheap(t *testing.T) {
	r := newRig(t)
	r.conf.Fetch, r.conf.Poll = 0, 0 // the defaults
	r.world.Propose(agenttest.Proposal{Number: 1, Direction: gov.Hold, Ends: 100_000 * agenttest.BlockTime})
	r.start().head(10)
	time.Sleep(time.Second)
	used, begun := cpu(), time.Now()
	time.Sleep(1500 * time.Millisecond)
	share := float64(cpu()-used) / float64(time.Since(begun)) * 100
	t.Logf("%.1f %% of a core", share)
	if share > 15 { // 5 on a quiet machine; a busy loop takes 100
		t.Errorf("an idle daemon takes %.1f %% of a core", share)
	}
}

// BenchmarkHead is one head with 200 open dossiers that owe nothing.
func BenchmarkHead(b *testing.B) {
	r := newRig(b)
	r.conf.Poll = time.Hour
	for i := range uint64(200) {
		r.world.Propose(agenttest.Proposal{Number: i + 1, Direction: gov.Hold, Ends: 1_000_000 * agenttest.BlockTime})
	}
	r.start().head(10)
	held := func() bool {
		list, err := r.db.Proposals(context.Background())
		return err == nil && len(list) == 200 && !slices.ContainsFunc(list, func(e journal.Entry) bool { return e.Vote != gov.VoteHeld })
	}
	for !held() {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(time.Second)
	b.ResetTimer()
	used := cpu()
	for range b.N {
		r.head(1)
		r.stored()
	}
	b.ReportMetric(float64(cpu()-used)/float64(time.Millisecond)/float64(b.N), "cpu-ms/head")
}

// After its context ends Run returns in time, and what was under way is in the journal or done again.
func TestStopLosesNothing(t *testing.T) {
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	var slow atomic.Bool
	var entered sync.WaitGroup
	entered.Add(1)
	r.world.After = func(port string, _ gov.ProposalID) error {
		if port == "sign" && slow.CompareAndSwap(false, true) {
			entered.Done()
			time.Sleep(300 * time.Millisecond)
		}
		return nil
	}
	r.world.Pace = 1
	r.start()
	entered.Wait()
	if took := r.stop(); took > 5*time.Second {
		t.Errorf("Run ended %s after its context", took)
	}
	if d := r.dossier(id); d.Vote.Raw.Len() == 0 {
		t.Errorf("the signature that was under way is not stored: vote %q", d.Vote.Status)
	}
	if told := r.story(); !strings.HasSuffix(strings.TrimSuffix(told, " Sent"), "Locked Signed") {
		t.Errorf("what was written last is not told: %s", told)
	}
	r.db.Close()
	r.open()
	r.start().stage(id, dossier.AtVoted)
	if n := len(r.world.Signed()); n != 1 {
		t.Errorf("%d signatures", n)
	}
	r.sound()
}
