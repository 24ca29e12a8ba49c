package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/chains/devchain"
)

// fullDisk is a way to have no room, and to have it again.
type fullDisk struct {
	place func(*testing.T, *home)
	fill  func(*testing.T, *home, *engine)
	free  func(*testing.T, *home, *engine)
}

var fullDisks = map[string]fullDisk{
	// a small file system of its own, for store, ledger and all
	"tmpfs": {
		place: moveToTmpfs,
		fill: func(t *testing.T, h *home, _ *engine) {
			f := may(os.Create(h.path("filler")))(t)
			defer f.Close()
			for block := make([]byte, 64<<10); len(block) > 0; {
				if _, err := f.Write(block); err != nil {
					if !errors.Is(err, syscall.ENOSPC) {
						t.Fatal(err)
					}
					block = block[:len(block)/2]
				}
			}
		},
		free: func(t *testing.T, h *home, _ *engine) { must(t, os.Remove(h.path("filler"))) },
	},
	// a store that SQLite lets grow no further, which works everywhere
	"page limit": {
		place: func(*testing.T, *home) {},
		fill:  func(t *testing.T, _ *home, e *engine) { exhaust(t, e.db.SQL()) },
		free: func(t *testing.T, _ *home, e *engine) {
			pragma(t, e.db.SQL(), "max_page_count = 1000000")
			must(t, second(e.db.SQL().ExecContext(t.Context(), "DELETE FROM channel_notes WHERE channel = '' AND name LIKE 'filler%'")))
		},
	},
}

func second[T any](_ T, err error) error { return err }

// exhaust leaves a store without a free page.
func exhaust(t *testing.T, db *sql.DB) {
	t.Helper()
	pragma(t, db, fmt.Sprintf("max_page_count = %d", pragma(t, db, "page_count")))
	for n := range 100_000 {
		_, err := db.ExecContext(t.Context(), "INSERT INTO channel_notes (channel, name, value) VALUES ('', ?, ?)", fmt.Sprintf("filler%d", n), strings.Repeat("x", 200))
		if err != nil {
			return
		}
	}
	t.Fatal("the store grows past its limit")
}

func pragma(t *testing.T, db *sql.DB, what string) (n int64) {
	t.Helper()
	must(t, db.QueryRowContext(t.Context(), "PRAGMA "+what).Scan(&n))
	return n
}

// errNoMount says that this process may not mount.
var errNoMount = errors.New("no mount")

// moveToTmpfs moves a home to a file system of 32 MB.
func moveToTmpfs(t *testing.T, h *home) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	must(t, os.Mkdir(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m,mode=700"); err != nil {
		panic(errNoMount)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	must(t, os.CopyFS(dir, os.DirFS(h.dir)))
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			err = os.Chmod(path, 0o600)
		}
		return err
	}))
	h.dir = dir
}

// mounts reports whether this process may mount a file system.
func mounts(t *testing.T) bool {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return false
	}
	must(t, syscall.Unmount(dir, 0))
	return true
}

// TestG51DaemonFullDisk: a full disk is one sentence, told once, and nothing is signed; with room again everything goes
// on by itself, and no vote is lost.
func TestG51DaemonFullDisk(t *testing.T) {
	for name, disk := range fullDisks {
		if name == "tmpfs" && !mounts(t) {
			t.Log("no file system can be mounted here: the limit of pages stands in for it")
			continue
		}
		t.Run(name, func(t *testing.T) { playFullDisk(t, disk) })
	}
}

func playFullDisk(t *testing.T, disk fullDisk) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{live: true, edit: func(files map[string]string) {
		files["legate.yaml"] += "channels:\n  here: {terminal: true}\n"
	}})
	disk.place(t, h)
	t.Chdir(h.dir)

	ctx, stop := context.WithCancel(t.Context())
	h.daemon = &daemon{out: &output{}, exited: make(chan struct{})}
	conf := may(readConfig(h.path("legate.yaml")))(t)
	e := may(openEngine(ctx, conf, engineConfig{live: true, out: h.out, log: slog.New(slog.NewJSONHandler(h.out, nil)), fetch: 40 * time.Millisecond}))(t)
	ended := make(chan error, 1)
	go func() { ended <- e.run(ctx) }()
	defer func() {
		stop()
		if err := errors.Join(<-ended, e.close()); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", tail(h.out.String(), 12_000))
		}
	}()
	h.api = e.address()

	// one is decided before, and waits for its vote to open; one comes while nothing can be written
	before := s.propose("harbor", "Maintenance", s.drain("harbor"))
	h.await(30*time.Second, func() bool { s.mine(1); return slices.Contains(h.records(before), "WasGathered") })
	disk.fill(t, h, e)
	filled := time.Now()
	during := s.propose("harbor", "A grant", s.grant("harbor"))
	full := func() bool {
		code, body := h.get("/readyz")
		return code == 503 && strings.Contains(body, "is full: nothing is signed until there is room; free some space")
	}
	if !h.await(30*time.Second, func() bool { s.mine(1); pause(t.Context(), 200*time.Millisecond); return full() }) {
		code, body := h.get("/readyz")
		t.Fatalf("readyz does not say that the disk is full: %d %s", code, body)
	}
	told := time.Since(filled)
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); pause(t.Context(), 200*time.Millisecond) {
		s.mine(1)
	}
	if !full() {
		t.Error("the sentence is gone while the disk is full")
	}
	if n := strings.Count(h.out.String(), "!! legate: the store cannot be written"); n != 1 {
		t.Errorf("the alert was given %d times", n)
	}
	if _, page := h.get("/"); !strings.Contains(page, "Nothing can be written.") {
		t.Errorf("the page does not say it: %.500s", page)
	}
	if n := s.sent(); n != 0 {
		t.Errorf("%d transactions were sent without a record", n)
	}

	lines := map[string]int{}
	for _, l := range h.out.lines() {
		if l.Level == "ERROR" || l.Level == "WARN" {
			lines[l.Level+" "+l.Msg]++
		}
	}
	t.Logf("the log, while it was full: %v", lines)

	disk.free(t, h, e)
	h.final(before, devchain.Against)
	h.final(during, devchain.For)
	if !h.await(20*time.Second, func() bool { code, _ := h.get("/readyz"); return code == 200 }) {
		t.Error("not ready again")
	}
	if n := s.sent(); n != 2 {
		t.Errorf("the key made %d transactions for 2 votes", n)
	}
	if !h.await(10*time.Second, func() bool { return strings.Contains(h.out.String(), "can be written again: everything goes on") }) {
		t.Error("nobody is told that it is over")
	}
	t.Logf("told %s after the disk was full", told.Round(100*time.Millisecond))
}

// Half a key is none: on a full disk it is taken away again, in the same sentence, and the next try finds its place.
func TestKeyOnAFullDiskLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "voter.json")
	if mounts(t) {
		must(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"))
		defer func() { must(t, syscall.Unmount(dir, syscall.MNT_DETACH)) }()
		err := writeNew(path, make([]byte, 1<<20))
		if err == nil || !strings.Contains(err.Error(), "the disk that holds "+dir+" is full") {
			t.Errorf("%v", err)
		}
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("half a key is left: %v", err)
		}
	}
	must(t, writeNew(path, []byte("key")))
	if err := writeNew(path, []byte("another")); err == nil {
		t.Error("a key was written over")
	}
}
