package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

const fullSentence = " is full: nothing is signed until there is room; free some space"

// checkFull uses up what still fits, and demands that nothing can be written, in one sentence, and that everything can
// still be read.
func checkFull(t *testing.T, db *journal.DB, o *journal.Outbox, dir string) {
	t.Helper()
	var err error
	for n := 0; err == nil && n < 100_000; n++ {
		err = o.SetNote(t.Context(), "a", fmt.Sprint(n), strings.Repeat("x", 200))
	}
	want := "the disk that holds " + dir + fullSentence
	var raised error
	for n := 0; raised == nil && n < 1000; n++ { // a page may have room for a few
		_, raised = o.Raise(t.Context(), dossier.SystemAlert(gov.Info, fmt.Sprint(n), errors.New(strings.Repeat("x", 400)), now))
	}
	for what, err := range map[string]error{"note": errors.Unwrap(err), "room": errors.Unwrap(db.Room(t.Context(), journal.RoomToVote)), "alert": raised} {
		var fault *fsfault.Fault
		if !errors.As(err, &fault) || fault.Kind != syscall.ENOSPC || err.Error() != want {
			t.Errorf("%s: %v", what, err)
		}
	}
	if d, err := db.Load(t.Context(), id(1)); err != nil || d.Seq != 1 {
		t.Errorf("what was written cannot be read: %v", err)
	}
}

// A full disk is one sentence; nothing half is stored, and with room again everything can be written.
func TestFullDiskIsOneSentence(t *testing.T) {
	t.Run("page limit", func(t *testing.T) {
		dir := t.TempDir()
		db := open(t, dir, journal.Daemon)
		add(t, db, id(1), seen(id(1)))
		o := outbox(t, db)
		for _, limit := range []string{"1", "1000000"} {
			var n int64
			if err := db.SQL().QueryRowContext(t.Context(), "PRAGMA max_page_count = "+limit).Scan(&n); err != nil {
				t.Fatal(err)
			}
			if limit == "1" {
				checkFull(t, db, o, dir)
			}
		}
		if err := db.Room(t.Context(), journal.RoomToVote); err != nil {
			t.Errorf("with room again: %v", err)
		}
		add(t, db, id(2), seen(id(2)))
	})
	t.Run("tmpfs", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "small")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
			t.Logf("no file system can be mounted here (%v): the limit of pages stands in for it", err)
			return
		}
		defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
		db := open(t, dir, journal.Daemon)
		add(t, db, id(1), seen(id(1)))
		o := outbox(t, db)
		filler := filepath.Join(dir, "filler")
		if err := os.WriteFile(filler, make([]byte, 16<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("16 MB fit into 8: %v", err)
		}
		checkFull(t, db, o, dir)
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		if err := db.Room(t.Context(), journal.RoomToVote); err != nil {
			t.Errorf("with room again: %v", err)
		}
		add(t, db, id(2), seen(id(2)))
	})
}

// Read-only is another sentence, with another thing to do.
func TestReadOnlyStoreIsOneSentence(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, journal.Daemon)
	if _, err := db.SQL().ExecContext(t.Context(), "PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	var fault *fsfault.Fault
	if err := db.Room(t.Context(), journal.RoomToVote); !errors.As(err, &fault) || fault.Kind != syscall.EROFS || !strings.Contains(fault.Error(), "is read-only") {
		t.Errorf("%v", err)
	}
}
