package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/chains/ledger"
)

// A daemon that is interrupted while it opens ends with status 0, as later.
func TestRunInterruptedBeforeAllIsOpen(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFixture(t, ".")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	var stdout, stderr bytes.Buffer
	if status := run(ctx, []string{"run"}, &stdout, &stderr); status != exitFine || !strings.Contains(stderr.String(), "stopped before all was open") {
		t.Errorf("status %d: %s", status, stderr.String())
	}
	stderr.Reset()
	for _, end := range []string{"", "-wal", "-shm"} {
		os.Remove("legate.db" + end)
	}
	write(t, "legate.db", "no database")
	if status := run(t.Context(), []string{"run"}, &stdout, &stderr); status != exitFail || strings.Contains(stderr.String(), "stopped") {
		t.Errorf("a broken store: status %d: %s", status, stderr.String())
	}
}

// The log tells of a freeze once when it is there, and once when it is gone.
func TestTellFreezes(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "ledger")
	must(t, ledger.Freeze(folder, "an odd\nsmell"))
	var out output
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tellFreezes(ctx, folder, newLogger(&out, LogConfig{Level: "info", Format: "text"}))
	}()
	waitFor := func(text string) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !strings.Contains(out.String(), text); pause(ctx, 20*time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %q in %s", text, out.String())
			}
		}
	}
	waitFor("signing is frozen")
	must(t, ledger.Unfreeze(folder))
	waitFor("signing goes on")
	stop()
	<-done
	if got := out.String(); strings.Count(got, "\n") != 2 || strings.Count(got, "frozen") < 2 {
		t.Errorf("told %s", got)
	}
}

// What stays up until it is interrupted ends with status 0 then; what was asked for an answer does not.
func TestInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	for line, want := range map[string]int{"demo --fast": exitFine, "demo --fast --headless": exitFail, "dry-run --rpc http://127.0.0.1:1 --actions a.json --from 0x0000000000000000000000000000000000000001": exitFail} {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		write(t, "a.json", "[]")
		var stdout, stderr bytes.Buffer
		if status := run(ctx, strings.Fields(line), &stdout, &stderr); status != want || !strings.Contains(stderr.String(), "legate: interrupted (") || stdout.Len() > 0 {
			t.Errorf("%s: status %d, want %d: %s%s", line, status, want, stdout.String(), stderr.String())
		}
	}
}
