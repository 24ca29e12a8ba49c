package journal_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

func open(t *testing.T, dir string, mode journal.Mode) *journal.DB {
	t.Helper()
	db, err := journal.Open(t.Context(), "sqlite:legate.db", dir, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var now = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.FixedZone("elsewhere", 3600))

func id(n uint64) gov.ProposalID {
	return gov.ProposalID{Chain: 1, Governor: gov.Address{7}, Number: gov.NewAmount(n)}
}

func seen(id gov.ProposalID) dossier.WasSeen {
	return dossier.WasSeen{Seen: dossier.Seen{
		Proposal: gov.Proposal{ID: id, Name: "ens", Created: gov.Block{Number: 90}, State: gov.StatePending},
		Text:     dossier.Text{Description: "a \x1b[31m\x00 b'; DROP TABLE records; -- \u202e ?"},
	}}
}

func changed(id gov.ProposalID) dossier.Event {
	return dossier.WasChanged{Change: dossier.Change{ID: id, State: gov.StateActive}}
}

func add(t *testing.T, db *journal.DB, id gov.ProposalID, events ...dossier.Event) dossier.Dossier {
	t.Helper()
	d, err := try(t.Context(), db, id, events...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func try(ctx context.Context, db *journal.DB, id gov.ProposalID, events ...dossier.Event) (d dossier.Dossier, err error) {
	err = db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		if d, err = tx.Load(ctx, id); err != nil {
			return err
		}
		d, _, err = tx.Append(ctx, id, d, now, events...)
		return err
	})
	return d, err
}

func exec(t *testing.T, db *journal.DB, query string, args ...any) {
	t.Helper()
	r, err := db.SQL().ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := r.RowsAffected(); n == 0 {
		t.Fatalf("%s touched nothing", query)
	}
}

func TestStoreIsDurableAndNew(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	var mode, version string
	var sync int
	for query, into := range map[string]any{"PRAGMA journal_mode": &mode, "PRAGMA synchronous": &sync, "SELECT sqlite_version()": &version} {
		if err := db.SQL().QueryRowContext(t.Context(), query).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	if mode != "wal" || sync != 2 {
		t.Errorf("journal_mode %s, synchronous %d, want wal and 2 (FULL)", mode, sync)
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil || major*1000+minor < 3045 {
		t.Errorf("SQLite %s is older than 3.45 (%v)", version, err)
	}
}

func TestRecordsReadBack(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, journal.Daemon)
	want := seen(id(1))
	add(t, db, id(1), want)
	add(t, db, id(1), dossier.WasCanceled{Why: "by hand"})
	add(t, db, id(2), seen(id(2)))
	other := open(t, dir, journal.Command)
	d, err := other.Load(t.Context(), id(1))
	if err != nil {
		t.Fatal(err)
	}
	if d.Text.Description != want.Seen.Text.Description || !d.Canceled || d.Seq != 2 {
		t.Errorf("read back %q, canceled %v, record %d", d.Text.Description, d.Canceled, d.Seq)
	}
	if at := d.Records[0].Time; !at.Equal(now.Truncate(time.Microsecond)) || at.Location() != time.UTC {
		t.Errorf("the record's time %s is not %s in UTC", at, now)
	}
	var got []string
	for r, err := range other.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s/%d/%s", r.ID.Number, r.Seq, r.Type))
	}
	if fmt.Sprint(got) != "[1/1/WasSeen 1/2/WasCanceled 2/1/WasSeen]" {
		t.Errorf("records %v", got)
	}
	if _, err := other.Load(t.Context(), id(9)); !errors.Is(err, journal.ErrUnknown) {
		t.Errorf("an unknown proposal: %v", err)
	}
	if d, err := other.LoadUntil(t.Context(), id(1), 1); err != nil || d.Seq != 1 || d.Canceled {
		t.Errorf("up to record 1: record %d, canceled %v, %v", d.Seq, d.Canceled, err)
	}
}

func TestBigBody(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	e := seen(id(1))
	e.Seen.Text.Description = dossier.Untrusted(strings.Repeat("0123456789'\"\\\n", 600_000)) // 8 MB and many escapes
	add(t, db, id(1), e)
	d, err := db.Load(t.Context(), id(1))
	if err != nil || d.Text.Description != e.Seen.Text.Description {
		t.Errorf("%d bytes came back, %v", len(d.Text.Description), err)
	}
}

// Writers in this process and another handle race for sequence numbers: none is lost, none doubled.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	daemon := open(t, dir, journal.Daemon)
	command := open(t, dir, journal.Command)
	add(t, daemon, id(1), seen(id(1)))
	const writers, each = 4, 10
	var group sync.WaitGroup
	for i := range 2 * writers {
		db := daemon
		if i%2 == 1 {
			db = command
		}
		group.Go(func() {
			for range each {
				if _, err := try(t.Context(), db, id(1), changed(id(1))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	d, err := command.Load(t.Context(), id(1))
	if err != nil || d.Seq != 1+2*writers*each {
		t.Errorf("record %d, want %d (%v)", d.Seq, 1+2*writers*each, err)
	}
	r, err := daemon.Fsck(t.Context())
	if err != nil || len(r.Problems) > 0 {
		t.Errorf("%v %v", r.Problems, err)
	}
}

func TestErrSeqForAStaleDossier(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	stale := add(t, db, id(1), seen(id(1)))
	add(t, db, id(1), changed(id(1)))
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		d, _, err := tx.Append(ctx, id(1), stale, now, dossier.WasCanceled{})
		if d.Seq != stale.Seq {
			t.Errorf("the dossier moved to %d in spite of %v", d.Seq, err)
		}
		return err
	})
	if !errors.Is(err, journal.ErrSeq) {
		t.Errorf("a stale writer: %v", err)
	}
	err = db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		_, _, err := tx.Append(ctx, id(2), stale, now, dossier.WasCanceled{})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "the dossier is that of") {
		t.Errorf("a dossier of another proposal: %v", err)
	}
}

// An event that would not read back is refused: stored, it would stop the proposal for ever.
func TestUnreadableEventIsNotStored(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	add(t, db, id(1), seen(id(1)))
	if _, err := try(t.Context(), db, id(1), dossier.WasChanged{Change: dossier.Change{State: gov.StateActive}}); err == nil {
		t.Error("a change without an id was stored")
	}
	if d, err := db.Load(t.Context(), id(1)); err != nil || d.Seq != 1 {
		t.Errorf("record %d, %v", d.Seq, err)
	}
}

func cursor(block uint64) gov.Cursor {
	b := gov.Block{Number: block, Hash: gov.Hash{byte(block)}}
	return gov.Cursor{Chain: 1, From: 80, Block: b, Final: b}
}

func advance(ctx context.Context, db *journal.DB, from, to gov.Cursor) error {
	return db.InTx(ctx, func(ctx context.Context, tx journal.Tx) error {
		return tx.Advance(ctx, from, to, []gov.Block{to.Block})
	})
}

func TestG16RolledBackTransactionLeavesNothing(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	cut := errors.New("cut")
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		if _, _, err := tx.Append(ctx, id(1), dossier.Dossier{}, now, seen(id(1))); err != nil {
			return err
		}
		if err := tx.Advance(ctx, gov.Cursor{Chain: 1}, cursor(100), []gov.Block{cursor(100).Block}); err != nil {
			return err
		}
		return cut
	})
	if !errors.Is(err, cut) {
		t.Fatal(err)
	}
	if _, err := db.Load(t.Context(), id(1)); !errors.Is(err, journal.ErrUnknown) {
		t.Errorf("the record stayed: %v", err)
	}
	if _, _, ok, err := db.Cursor(t.Context(), 1); ok || err != nil {
		t.Errorf("the cursor stayed: %v", err)
	}
	if list, err := db.Proposals(t.Context()); len(list) > 0 || err != nil {
		t.Errorf("the index stayed: %v %v", list, err)
	}
}

func TestG17CursorAdvancesFromWhereItStands(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	ctx := t.Context()
	if err := advance(ctx, db, cursor(50), cursor(100)); !errors.Is(err, journal.ErrSeq) {
		t.Errorf("without a cursor from block 50: %v", err)
	}
	if err := advance(ctx, db, gov.Cursor{Chain: 1}, cursor(100)); err != nil {
		t.Fatal(err)
	}
	if err := advance(ctx, db, cursor(90), cursor(110)); !errors.Is(err, journal.ErrSeq) {
		t.Errorf("from block 90 while it stands at 100: %v", err)
	}
	if err := advance(ctx, db, cursor(100), cursor(110)); err != nil {
		t.Fatal(err)
	}
	c, recent, ok, err := db.Cursor(ctx, 1)
	if err != nil || !ok || c != cursor(110) || len(recent) != 1 {
		t.Errorf("%+v %v %v %v", c, recent, ok, err)
	}
	list, err := db.Coverage(ctx)
	if err != nil || len(list) != 1 || list[0].From != 80 || list[0].To != 110 {
		t.Errorf("coverage %+v %v", list, err)
	}
}

func TestSecondDaemonIsRefused(t *testing.T) {
	dir := t.TempDir()
	first := open(t, dir, journal.Daemon)
	_, err := journal.Open(t.Context(), "sqlite:legate.db", dir, journal.Daemon)
	if !errors.Is(err, journal.ErrBusy) || !strings.Contains(err.Error(), "legate.db") {
		t.Errorf("a second daemon: %v", err)
	}
	command := open(t, dir, journal.Command)
	if err := command.Ping(t.Context()); err != nil {
		t.Errorf("a command beside the daemon: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(dir, "legate.db"), "/elsewhere", journal.Daemon)
	if err != nil {
		t.Fatalf("after the first has gone: %v", err)
	}
	second.Close()
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	refused := func(dsn string, mode journal.Mode, want string) {
		t.Helper()
		db, err := journal.Open(t.Context(), dsn, dir, mode)
		if err == nil {
			db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", dsn, err, want)
		}
	}
	refused("sqlite:legate.db", journal.Command, "is not there")
	refused("postgres://user:secret@host/db", journal.Daemon, "sqlite:PATH only")
	if _, err := journal.Open(t.Context(), "postgres://user:secret@host/db", dir, journal.Daemon); strings.Contains(err.Error(), "secret") {
		t.Errorf("G07: the password is shown: %v", err)
	}
	refused("sqlite:missing/legate.db", journal.Daemon, "no such file or directory")
	refused("sqlite:journal_test.go\x00", journal.Daemon, "invalid argument")
	db := open(t, dir, journal.Daemon)
	exec(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	db.Close()
	refused("sqlite:legate.db", journal.Command, "use the newer program")
	refused("sqlite:legate.db", journal.Daemon, "use the newer program")
}
