package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/notify"
)

// The steps of a delivery at which the process is killed.
var killSteps = []string{
	"recorded",  // records are durable, no alert is made of them
	"made",      // alerts are made, nothing is sent
	"sending",   // the other side has the request and has not answered
	"taken",     // the other side has taken it, and nobody here knows
	"posted",    // Discord has a new message whose id is not noted
	"delivered", // it is noted
}

const killsEach = 10

// TestG45AlertsArrive kills a daemon's deliveries with SIGKILL at each of their steps, ten times in a row on
// one store, and counts what two sinks have been given.
func TestG45AlertsArrive(t *testing.T) {
	for _, step := range killSteps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var child atomic.Pointer[os.Process]
			var armed atomic.Int32
			s := newSink(t)
			s.answer = func(_ int, _ http.ResponseWriter) bool {
				if step == "sending" && armed.Add(-1) == 0 {
					child.Load().Kill()
					return false
				}
				return false
			}
			forum := startDiscord(t)
			killed := 0
			for run := 1; run <= killsEach+1; run++ {
				last := run > killsEach
				armed.Store(int32(1 + run%3))
				if last {
					armed.Store(1 << 30) // the last one ends by itself
				}
				cmd := exec.Command(os.Args[0], "-test.run=^TestG45Child$", "-test.v")
				cmd.Env = append(os.Environ(), "LEGATE_G45_DIR="+dir, "LEGATE_G45_SINK="+s.URL+"/hook", "LEGATE_G45_FORUM="+forum.Webhook(),
					"LEGATE_G45_RUN="+strconv.Itoa(run), "LEGATE_G45_STEP="+map[bool]string{false: step}[last])
				out := &strings.Builder{}
				cmd.Stdout, cmd.Stderr = out, out
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				child.Store(cmd.Process)
				err := cmd.Wait()
				var exit *exec.ExitError
				if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
					killed++
				} else if err != nil || !last {
					t.Fatalf("run %d ended with %v:\n%s", run, err, out)
				}
			}
			if killed != killsEach {
				t.Fatalf("%d of %d kills", killed, killsEach)
			}
			checkArrived(t, s, forum.Messages())
			if p := forum.Problems(); len(p) > 0 {
				t.Error(p)
			}
		})
	}
}

// checkArrived compares what came with what the records say should have.
func checkArrived(t *testing.T, s *sink, cards []discordMessage) {
	t.Helper()
	came := map[string]int{}
	for _, r := range s.got() {
		var a dossier.Alert
		if err := json.Unmarshal([]byte(r.body), &a); err != nil {
			t.Fatal(err)
		}
		if a.Proposal == nil && strings.Contains(a.Title, "to vote against within a day") {
			continue // it counts those that are told as info beside it, and of which each is looked for below
		}
		came[a.ID]++
	}
	want, lost, twice := 0, 0, 0
	for n := uint64(1); n <= killsEach+1; n++ {
		for _, a := range alertsOf(t, n, life(n, "Grants")...) {
			want++
			if came[a.ID] == 0 {
				lost++
				t.Errorf("lost: %s", a.Title)
			}
			twice += max(came[a.ID]-1, 0)
			delete(came, a.ID)
		}
		title := fmt.Sprintf("compound/%d · defeated, we voted against", n)
		if !slices.ContainsFunc(cards, func(m discordMessage) bool { return m.Embeds[0].Title == title }) {
			t.Errorf("no message says %q", title)
		}
	}
	if len(came) > 0 {
		t.Errorf("alerts that no record makes: %v", came)
	}
	t.Logf("%d alerts, %d lost, %d given again", want, lost, twice)
}

// killStore kills the process at a step of the outbox.
type killStore struct {
	*journal.Outbox
	step string
	left *atomic.Int32
}

func (k killStore) Fill(ctx context.Context) (int, error) {
	n, err := k.Outbox.Fill(ctx)
	if n > 0 && k.step == "made" {
		die()
	}
	return n, err
}

func (k killStore) Delivered(ctx context.Context, channel string, n int64, sent int) error {
	if k.step == "taken" && sent > 0 && k.left.Add(-1) == 0 {
		die()
	}
	err := k.Outbox.Delivered(ctx, channel, n, sent)
	if k.step == "delivered" && sent > 0 && k.left.Add(-1) == 0 {
		die()
	}
	return err
}

func (k killStore) SetNote(ctx context.Context, channel, name, value string) error {
	if k.step == "posted" {
		die()
	}
	return k.Outbox.SetNote(ctx, channel, name, value)
}

// die ends the process as the kernel would, in the middle of what it does.
func die() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// TestG45Child is the daemon's part of TestG45AlertsArrive; on its own it does nothing.
func TestG45Child(t *testing.T) {
	dir := os.Getenv("LEGATE_G45_DIR")
	if dir == "" {
		return
	}
	step := os.Getenv("LEGATE_G45_STEP")
	run, err := strconv.Atoi(os.Getenv("LEGATE_G45_RUN"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	db, err := journal.Open(ctx, "sqlite:legate.db", dir, journal.Daemon)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	outbox, err := db.Outbox(ctx, []string{"hook", "forum"})
	if err != nil {
		t.Fatal(err)
	}
	record(t, db, uint64(run))
	if step == "recorded" {
		die()
	}
	left := &atomic.Int32{}
	left.Store(int32(1 + run%3))
	store := killStore{outbox, step, left}
	r, err := notify.New(store, []notify.Channel{
		open(t, notify.Config{Name: "hook", Kind: "webhook", URL: os.Getenv("LEGATE_G45_SINK")}),
		open(t, notify.Config{Name: "forum", Kind: "discord", URL: os.Getenv("LEGATE_G45_FORUM"), Notes: store}),
	}, notify.RouterConfig{})
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() { r.Run(running) })
	if err := r.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	stop()
	wait.Wait()
}

// record writes the life of a proposal, in one transaction.
func record(t *testing.T, db *journal.DB, n uint64) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		d, err := tx.Load(ctx, proposalID(n))
		if err != nil {
			return err
		}
		_, _, err = tx.Append(ctx, proposalID(n), d, time.Unix(created, 0), life(n, "Grants")...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
