package jobs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
)

// crashDir names the folder of store and world to the process that is to die.
const crashDir = "LEGATE_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := dieAtTheNextPoint(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// dieAtTheNextPoint runs a daemon that kills itself with SIGKILL at the first point that no earlier process of
// this folder has passed: after each type of record, and before and after the work of each port. It
// returns when the proposals are closed.
func dieAtTheNextPoint(dir string) error {
	w, err := agenttest.Open(filepath.Join(dir, "world.json"))
	if err != nil {
		return err
	}
	die := func(point string) {
		if w.Cross(point) {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	w.Pace = 1
	w.Before = func(port string, _ gov.ProposalID) error {
		if port != "head" { // asked by nearly every step
			die("before " + port)
		}
		return nil
	}
	w.After = func(port string, _ gov.ProposalID) error {
		if port != "head" && port != "standing" && port != "plan" { // they change nothing
			die("after " + port)
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := journal.Open(ctx, "sqlite:legate.db", dir, journal.Daemon)
	if err != nil {
		return err
	}
	defer db.Close()
	runner, err := jobs.New(db, agent.New(w.Parts(db, nil)), jobs.Config{
		Pollers: []jobs.Poller{&agenttest.Poller{World: w}}, Poll: 15 * time.Millisecond, Fetch: 10 * time.Millisecond, Log: quietLog(),
		Observe: func(rec dossier.Record, _ dossier.Dossier) { die(rec.Type) },
	})
	if err != nil {
		return err
	}
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			if over(ctx, db) {
				cancel()
				return
			}
		}
	}()
	err = runner.Run(ctx)
	if err == nil && ctx.Err() == context.DeadlineExceeded {
		err = fmt.Errorf("not over after a minute")
	}
	return err
}

func over(ctx context.Context, db *journal.DB) bool {
	list, err := db.Proposals(ctx)
	for _, e := range list {
		if e.Stage != dossier.AtClosed {
			return false
		}
	}
	return err == nil && len(list) == crashProposals
}

// crashProposals is how many proposals the dying daemon has to bring to their end: a For, an Against, a For that the gate
// holds, and an Against whose first transaction runs out of gas.
const crashProposals = 4

// SIGKILL after each type of record and at each port, every process starting where the last one died: the end
// is that of a life without deaths, and each vote was signed with one support only.
func TestG01NoDoubleVoteDriver(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the test binary dozens of times")
	}
	dir := t.TempDir()
	w, err := agenttest.Open(filepath.Join(dir, "world.json"))
	if err != nil {
		t.Fatal(err)
	}
	// a window that leaves room for deaths
	w.Propose(agenttest.Proposal{Number: 1, Direction: gov.Against, Ends: 400 * agenttest.BlockTime})
	w.Propose(agenttest.Proposal{Number: 2, Direction: gov.For, Ends: 400 * agenttest.BlockTime})
	w.Propose(agenttest.Proposal{Number: 3, Direction: gov.For, GateHolds: true, Ends: 400 * agenttest.BlockTime})
	w.Propose(agenttest.Proposal{Number: 4, Direction: gov.Against, Ends: 400 * agenttest.BlockTime, Starved: 1})
	deaths := 0
	for ; ; deaths++ {
		if deaths > 60 {
			t.Fatal("no end")
		}
		if !killed(t, dir) {
			break
		}
		checkStore(t, dir)
	}
	w, err = agenttest.Open(filepath.Join(dir, "world.json"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d deaths at: %s", deaths, strings.Join(w.Crossed(), ", "))
	for _, point := range []string{"WasSeen", "WasGathered", "WasDecided", "WasGated", "WasLocked", "WasSigned", "WasSent", "WasReverted", "WasFinal", "WasTimedOut",
		"WasNotVoted", "WasChanged", "WasClosed", "before poll", "before gather", "after gather", "before gate", "after gate", "before preflight", "before sign", "after sign",
		"before send", "after send", "before confirm", "after confirm"} {
		if !strings.Contains(strings.Join(w.Crossed(), ",")+",", point+",") {
			t.Errorf("no death at %s", point)
		}
	}
	ballots := map[gov.ProposalID]map[gov.Support]bool{}
	for _, b := range w.Signed() {
		if ballots[b.Proposal] == nil {
			ballots[b.Proposal] = map[gov.Support]bool{}
		}
		ballots[b.Proposal][b.Support] = true
	}
	for p, supports := range ballots {
		if len(supports) != 1 {
			t.Errorf("%s was signed with %v", p, supports)
		}
	}
	votes, doubled := w.Votes()
	if len(votes) != 3 || votes[1] != gov.SupportAgainst || votes[2] != gov.SupportFor || votes[4] != gov.SupportAgainst || doubled != 0 {
		t.Errorf("votes %v, %d doubled", votes, doubled)
	}
	checkStore(t, dir)
}

// killed runs one process to its death; false when it came to its end.
func killed(t *testing.T, dir string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the daemon failed: %v\n%s", err, out)
	}
	return true
}

func checkStore(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(dir, "legate.db")); err != nil {
		return // died before there was one
	}
	db, err := journal.Open(t.Context(), "sqlite:legate.db", dir, journal.Daemon)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	report, err := db.Fsck(t.Context())
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("fsck: %v %v", report.Problems, err)
	}
}

// A job that a killed daemon left running is taken back at once, not after the job engine's own time for that.
func TestReclaimAtStart(t *testing.T) {
	r := newRig(t)
	r.world.Propose(agenttest.Proposal{Number: 7, Direction: gov.Against})
	hang := make(chan struct{})
	var restarted atomic.Bool
	var again atomic.Int64
	r.world.Before = func(port string, _ gov.ProposalID) error {
		if port == "gather" && !restarted.Load() {
			<-hang // also the preview's
		} else if port == "gather" {
			again.CompareAndSwap(0, time.Now().UnixNano())
		}
		return nil
	}
	r.start().head(3)
	r.until("gather under way", func() bool { return r.count("state = 'running' AND queue = 'slow'") > 0 })
	if took := r.stop(); took > 10*time.Second {
		t.Errorf("Run ended %s after its context", took)
	}
	if n := r.count("state = 'running'"); n == 0 {
		t.Fatal("the step that hangs is not left running; this test shows nothing")
	}
	r.db.Close()
	r.open()
	restarted.Store(true)
	begun := time.Now()
	r.start()
	r.until("gather again", func() bool { return again.Load() != 0 })
	if took := time.Unix(0, again.Load()).Sub(begun); took > 6*time.Second { // left to itself it is rescued after minutes
		t.Errorf("taken back after %s", took)
	}
	close(hang)
}
