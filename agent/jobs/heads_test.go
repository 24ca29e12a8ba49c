package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
)

// fire makes the watch over deadlines look now instead of at its time.
func (r *rig) fire() {
	r.t.Helper()
	_, err := r.db.SQL().ExecContext(r.t.Context(), "UPDATE river_job SET state = 'available', scheduled_at = CURRENT_TIMESTAMP WHERE kind = 'deadline' AND state = 'scheduled'")
	if err != nil {
		r.t.Fatal(err)
	}
}

// watched is in how many seconds the watch looks.
func (r *rig) watched() (seconds float64) {
	r.t.Helper()
	err := r.db.SQL().QueryRowContext(r.t.Context(), "SELECT (julianday(scheduled_at) - julianday('now')) * 86400 FROM river_job WHERE kind = 'deadline' AND state = 'scheduled'").Scan(&seconds)
	if err != nil {
		r.t.Fatal(err)
	}
	return seconds
}

func TestDeadlineWithoutHeadsAlarmsAndSweeps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var late, gates atomic.Int64
	r.conf.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "gate" && gates.Add(1) == 1 {
			return errors.New("the reader died")
		}
		return nil
	}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.For, Ends: 1000 * agenttest.BlockTime})
	r.start().head(3)
	r.until("the watch", func() bool { return r.count("kind = 'deadline' AND state = 'scheduled'") == 1 })
	if left := r.watched(); left < 5900 || left > 6001 {
		t.Errorf("the watch looks in %.0f s, want at half of 12000 s", left)
	}
	r.until("a failed gate", func() bool {
		return r.count("args ->> 'step' = 'gate' AND errors IS NOT NULL AND state <> 'running'") == 1
	})
	if _, err := r.db.SQL().ExecContext(t.Context(), "DELETE FROM river_job WHERE args ->> 'step' = 'gate'"); err != nil {
		t.Fatal(err)
	}
	late.Store(int64(time.Hour)) // an hour goes by without a block
	r.fire()
	title := "no new block of eip155:1337, and voting on " + id.String() + " ends soon: voting ends in about 2h"
	r.until("an alarm", func() bool { return strings.Contains(r.told(), title) && strings.Contains(r.told(), ", for 1h0m") })
	r.until("the lost step done", func() bool { return r.dossier(id).Gate != nil })
	r.until("the watch again", func() bool { return r.count("kind = 'deadline' AND state = 'scheduled'") == 1 })
	if left := r.watched(); left < 4000 || left > 4210 {
		t.Errorf("the watch looks in %.0f s, want at half of what is left, about 8400 s", left)
	}
	r.world.Change(7, gov.StateCanceled)
	r.head(1)
	r.stage(id, dossier.AtClosed)
	r.fire()
	r.until("the watch ends", func() bool { return r.count("kind = 'deadline' AND state <> 'completed'") == 0 })
}

// However long no block comes, an alarm has the same title, and there is none any more when voting must be over.
func TestDeadlineWithoutHeadsAlarmsWithOneTitle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var late atomic.Int64
	r.conf.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	r.start().head(3)
	look := func(after time.Duration) {
		t.Helper()
		r.until("the watch", func() bool { return r.count("kind = 'deadline' AND state = 'scheduled'") == 1 })
		snoozes := 0
		if err := r.db.SQL().QueryRowContext(t.Context(), "SELECT COALESCE(CAST(metadata ->> 'snoozes' AS INTEGER), 0) FROM river_job WHERE kind = 'deadline'").Scan(&snoozes); err != nil {
			t.Fatal(err)
		}
		late.Store(int64(after))
		r.fire()
		r.until("a look", func() bool {
			return r.count(fmt.Sprintf("kind = 'deadline' AND state = 'scheduled' AND CAST(metadata ->> 'snoozes' AS INTEGER) > %d", snoozes)) == 1
		})
	}
	for _, after := range []time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour, 12_000 * time.Second} {
		look(after)
	}
	titles := map[string]bool{}
	for _, line := range strings.Split(r.told(), "\n") {
		title, _, _ := strings.Cut(line, ": voting ends in")
		titles[title] = true
	}
	if len(titles) != 1 || strings.Count(r.told(), "no new block") != 4 {
		t.Errorf("%d titles: %s", len(titles), r.told())
	}
	for _, after := range []time.Duration{4 * time.Hour, 5 * time.Hour, 1000 * time.Hour} {
		look(after)
	}
	if n := strings.Count(r.told(), "no new block"); n != 4 {
		t.Errorf("%d alarms, some after the end: %s", n, r.told())
	}
	if left := r.watched(); left < 500 {
		t.Errorf("the watch looks in %.0f s", left)
	}
}

// A proposal whose facts cannot be had up to the last quarter of its window is an alarm, whatever its vote would be.
func TestG14UndecidedNearTheEndAlarms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "gather" {
			return errors.New("503 service unavailable")
		}
		return nil
	}
	r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 40 * agenttest.BlockTime})
	r.start().head(20)
	r.until("the watch", func() bool { return r.count("kind = 'deadline' AND state = 'scheduled'") == 1 })
	r.fire()
	r.until("the watch looks and goes on", func() bool {
		return r.count("kind = 'deadline' AND state = 'scheduled' AND CAST(metadata ->> 'snoozes' AS INTEGER) = 1") == 1
	})
	if told := r.told(); strings.Contains(told, "no decision") {
		t.Errorf("an alarm in the middle of the window: %s", told)
	}
	r.head(15)
	r.fire()
	r.until("an alarm", func() bool { return strings.Contains(r.told(), "there is no decision on "+agenttest.ID(7).String()) })
}

// What waits for its budget is tried again seldom after a while, so that it does not fill the queue of votes.
func TestG13SpentBudgetLeavesTheQueueFree(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.world.Ports.TxPlan = func(context.Context, gov.Ballot) (gov.Tx, error) {
		return gov.Tx{}, fmt.Errorf("%w: 10 votes a day", agent.ErrBudget)
	}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	r.start()
	r.heads("held because of the budget", func() bool { return r.dossier(id).Vote.Reason == gov.HoldBudget })
	const waiting = "args ->> 'step' = 'lock' AND state IN ('available', 'scheduled')"
	r.until("tried an hour later, it waits for minutes", func() bool {
		if _, err := r.db.SQL().ExecContext(t.Context(), "UPDATE river_job SET created_at = datetime('now', '-1 hour') WHERE "+waiting); err != nil {
			t.Fatal(err)
		}
		return r.count(waiting+" AND julianday(scheduled_at) > julianday('now', '+4 minutes')") > 0
	})
}

func TestPollsThatFailAlarmOnceAndRecover(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var fails atomic.Int32
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "poll" && fails.Add(1) <= 6 {
			return errors.New("502 bad gateway")
		}
		return nil
	}
	r.start()
	r.until("health says so", func() bool { h := r.runner.Health()[agenttest.Chain]; return h.Err != nil && !h.CaughtUp })
	r.until("recovered", func() bool { h := r.runner.Health()[agenttest.Chain]; return h.Err == nil && h.CaughtUp })
	if got := r.told(); strings.Count(got, "cannot follow") != 1 || !strings.Contains(got, "502") {
		t.Errorf("alarms %q", got)
	}
}

// countingLog counts the lines of a log.
type countingLog struct {
	slog.Handler
	lines *atomic.Int64
}

func (c countingLog) Enabled(context.Context, slog.Level) bool { return true }
func (c countingLog) Handle(_ context.Context, rec slog.Record) error {
	if rec.Level >= slog.LevelWarn {
		c.lines.Add(1)
	}
	return nil
}
func (c countingLog) WithAttrs([]slog.Attr) slog.Handler { return c }

// An outage of many polls, with errors that all differ, or one that comes and goes, is a few lines of the log.
func TestLongOutagesDoNotFloodTheLog(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(n int64) bool{
		"down": func(n int64) bool { return n <= 60 }, "flapping": func(n int64) bool { return n <= 60 && n%2 == 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			var lines, polls atomic.Int64
			r.conf.Log = slog.New(countingLog{slog.DiscardHandler, &lines})
			r.conf.Poll = 5 * time.Millisecond
			r.world.Before = func(port string, _ gov.ProposalID) error {
				if port != "poll" {
					return nil
				}
				if n := polls.Add(1); fails(n) {
					return fmt.Errorf("502 bad gateway, try %d", n)
				}
				return nil
			}
			r.start()
			r.until("it is over", func() bool { return polls.Load() > 65 })
			if n := lines.Load(); n > 3 || n == 0 {
				t.Errorf("%d lines in the log", n)
			}
			if n := strings.Count(r.told(), "cannot follow"); n > 1 || name == "down" && n != 1 {
				t.Errorf("told %d times: %s", n, r.told())
			}
		})
	}
}

// forgetful is a chain whose endpoints cannot tell of its past for a while.
type forgetful struct {
	*agenttest.Poller
	fails *atomic.Int32
}

func (f forgetful) BackFill(context.Context, gov.Cursor, []gov.Followed, map[gov.Address]gov.Head) (dossier.Batch, error) {
	if f.fails.Add(-1) >= 0 {
		return dossier.Batch{}, errors.New("no endpoint has the state any more")
	}
	return dossier.Batch{}, nil
}

// A past that cannot be read is told once and tried again; the chain is followed and voted on meanwhile.
func TestPastThatCannotBeReadStopsNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fails := &atomic.Int32{}
	fails.Store(1 << 20)
	var late atomic.Int64
	r.conf.Now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	r.conf.Pollers = []jobs.Poller{forgetful{r.poller, fails}}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start()
	r.until("an alarm", func() bool { return strings.Contains(r.told(), "what lies before") })
	if h := r.runner.Health()[agenttest.Chain]; h.Past == nil || h.Err != nil || !h.CaughtUp {
		t.Errorf("the chain is followed, and its past is missing: %+v", h)
	}
	r.heads("a final vote", func() bool { return r.dossier(id).Vote.Status == gov.VoteFinal })
	fails.Store(0)
	late.Store(int64(time.Hour)) // it is tried again after minutes at most
	r.until("the past is read", func() bool { return r.runner.Health()[agenttest.Chain].Past == nil })
	if got := r.told(); strings.Count(got, "what lies before") != 1 {
		t.Errorf("alarms %q", got)
	}
}

// broken is a chain whose finality broke.
type broken struct{ *agenttest.Poller }

func (b broken) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	batch, err := b.Poller.Poll(ctx, from, recent)
	batch.Broken = true
	return batch, err
}

func TestG21BrokenFinalityStopsAndAlarms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var frozen atomic.Int32
	r.conf.Pollers = []jobs.Poller{broken{r.poller}}
	r.conf.OnBroken = func(_ context.Context, c gov.ChainID) {
		if c == agenttest.Chain {
			frozen.Add(1)
		}
	}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start().head(3)
	r.until("frozen", func() bool { return frozen.Load() > 0 })
	r.until("an alarm", func() bool { return strings.Contains(r.told(), "below a finalized block") })
	if _, _, known, err := r.db.Cursor(t.Context(), agenttest.Chain); known || err != nil || r.dossier(id).Seq != 0 {
		t.Errorf("a broken batch was stored (%v)", err)
	}
}

// Finality that moves while the newest block stays makes the gathering due all the same.
type laggingFinal struct {
	*agenttest.Poller
	back *atomic.Uint64
}

func (l laggingFinal) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	b, err := l.Poller.Poll(ctx, from, recent)
	for g, h := range b.Heads {
		h.Final.Number -= l.back.Load()
		b.Heads[g] = h
	}
	return b, err
}

func TestFinalityThatMovesAloneIsNoticed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	back := &atomic.Uint64{}
	back.Store(3)
	r.conf.Pollers = []jobs.Poller{laggingFinal{r.poller, back}}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	r.start().head(3)
	r.until("a preview", func() bool { return r.dossier(id).Provisional })
	r.polls(4)
	if r.dossier(id).Stage != dossier.AtSeen {
		t.Fatalf("stage %s before its block is final", r.dossier(id).Stage)
	}
	back.Store(0)
	r.stage(id, dossier.AtDecided)
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.conf.Sweep = "every now and then"
	if _, err := jobs.New(r.db, nil, r.conf); err == nil || !strings.Contains(err.Error(), "schedules.sweep") {
		t.Errorf("a sweep that is no cron expression: %v", err)
	}
	if _, err := jobs.New(r.db, nil, jobs.Config{}); err != nil {
		t.Errorf("all defaults: %v", err)
	}
}

// What a process wrote while no daemon ran is told at the next start, and nothing is told twice without a crash.
func TestRecordsWrittenWhileDownAreTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Hold, Ends: 1000 * agenttest.BlockTime})
	r.start().head(3)
	r.vote(id, gov.VoteHeld)
	r.stop()
	if _, err := jobs.Tell(t.Context(), r.db, id, time.Now(), dossier.WasCanceled{Why: "by hand"}); err != nil {
		t.Fatal(err)
	}
	before := r.story()
	r.start()
	r.until("the stop told", func() bool { return r.story() == before+" Canceled" })
}

// aborted is a chain whose first batch with a proposal is of a moment that the journal refuses, and tells the
// proposal as over.
type aborted struct {
	*agenttest.Poller
	times *atomic.Int32
}

func (a aborted) Poll(ctx context.Context, from gov.Cursor, recent []gov.Block) (dossier.Batch, error) {
	b, err := a.Poller.Poll(ctx, from, recent)
	if len(b.Seen) > 0 && a.times.Add(1) == 1 {
		b.From.Block.Number++
		b.Seen[0].Proposal.Ends = 1
	}
	return b, err
}

// What a transaction wrote that did not commit is remembered nowhere.
func TestAbortedBatchIsForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.conf.Pollers = []jobs.Poller{aborted{r.poller, &atomic.Int32{}}}
	id := r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against, Ends: 1000 * agenttest.BlockTime})
	r.start()
	r.until("blocks before", func() bool { return r.runner.Health()[agenttest.Chain].Head.Number == r.world.Newest() })
	r.head(3)
	r.stage(id, dossier.AtDecided)
	if d := r.dossier(id); d.Proposal.Ends == 1 {
		t.Error("the batch that was refused is stored")
	}
	r.sound()
}
