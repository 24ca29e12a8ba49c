package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver, by name sqlite3
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/legate-dao/legate/agent/fsfault"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Errors that callers branch on.
var (
	// ErrSeq: another writer appended first.
	ErrSeq = errors.New("another record has this sequence number")
	// ErrBusy: another daemon has this file.
	ErrBusy = errors.New("another legate daemon runs on this store")
	// ErrUnknown: no such proposal.
	ErrUnknown = errors.New("no such proposal")
)

// Mode says what a process does with the store.
type Mode int

// A daemon has the store to itself among daemons; a command shares it, and creates nothing.
const (
	Command Mode = iota
	Daemon
)

// DB is an open store.
type DB struct {
	bun     *bun.DB // the one writer
	sql     *sql.DB
	read    *bun.DB // readers, who wait for nobody
	lock    *os.File
	written chan struct{}
	kept    gatherings
	// Path is the SQLite file.
	Path string
}

// Open opens the store of a dsn such as sqlite:legate.db, relative to dir. A daemon creates and migrates
// it, and returns [ErrBusy] when another one has it; a command needs it to be there.
func Open(ctx context.Context, dsn, dir string, mode Mode) (*DB, error) {
	path, err := pathOf(dsn, dir)
	if err != nil {
		return nil, err
	}
	db := &DB{Path: path, written: make(chan struct{}, 1)}
	if mode == Daemon {
		if err := db.takeLock(); err != nil {
			return nil, err
		}
	} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("store %s is not there: has `legate run` or `legate demo` been started with this configuration? %w", path, err)
	}
	if err := db.open(ctx, mode); err != nil {
		return nil, errors.Join(db.onDisk(err), db.Close())
	}
	return db, nil
}

// pathOf is the file of a dsn.
func pathOf(dsn, dir string) (string, error) {
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok || path == "" {
		return "", fmt.Errorf("store %q: not in this release, which has sqlite:PATH only", redact(dsn))
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return path, nil
}

// CheckDSN says whether a dsn names a kind of store that this release has. Its errors hold no more of it than the kind.
func CheckDSN(dsn string) error {
	_, err := pathOf(dsn, "")
	return err
}

// redact keeps a dsn's scheme only: the rest may hold a password.
func redact(dsn string) string {
	scheme, _, ok := strings.Cut(dsn, ":")
	if !ok {
		return "…"
	}
	return scheme + ":…"
}

func (db *DB) takeLock() error {
	f, err := os.OpenFile(db.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fsfault.Of(db.Dir(), fmt.Errorf("open the lock of store %s: %w", db.Path, err))
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		f.Close()
		return fmt.Errorf("store %s: %w; stop it first (its lock is %s.lock)", db.Path, ErrBusy, db.Path)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("lock %s.lock (a store must be on a local disk): %w", db.Path, err)
	}
	db.lock = f
	return nil
}

func (db *DB) open(ctx context.Context, mode Mode) error {
	write, err := sql.Open("sqlite3", db.dsn(nil))
	if err != nil {
		return fmt.Errorf("open store %s: %w", db.Path, err)
	}
	write.SetMaxOpenConns(1) // River and our writes share the one writer; see the driver's own advice
	db.sql, db.bun = write, bun.NewDB(write, sqlitedialect.New())
	if err := write.PingContext(ctx); err != nil {
		return fmt.Errorf("open store %s: %w", db.Path, err)
	}
	if mode == Daemon {
		if err := db.migrate(ctx); err != nil {
			return err
		}
	} else if err := db.checkVersion(ctx); err != nil {
		return err
	}
	read, err := sql.Open("sqlite3", db.dsn(url.Values{"mode": {"ro"}, "_query_only": {"1"}}))
	if err != nil {
		return fmt.Errorf("open store %s for reading: %w", db.Path, err)
	}
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	db.read = bun.NewDB(read, sqlitedialect.New())
	if mode == Daemon {
		return db.reindex(ctx)
	}
	return db.indexed(ctx)
}

// readers is how many connections read beside the writer.
const readers = 4

// dsn is the driver's name for the file; every connection gets the same pragmas.
func (db *DB) dsn(more url.Values) string {
	q := url.Values{
		"_journal_mode": {"WAL"}, "_busy_timeout": {"10000"}, "_synchronous": {"FULL"},
		"_txlock": {"immediate"}, "_foreign_keys": {"1"},
	}
	for k, v := range more {
		q[k] = v
	}
	if q.Has("mode") { // a reader can set neither
		q.Del("_journal_mode")
		q.Del("_txlock")
	}
	return "file:" + (&url.URL{Path: db.Path}).EscapedPath() + "?" + q.Encode()
}

// checkVersion says whether the file has the tables that this program knows.
func (db *DB) checkVersion(ctx context.Context) error {
	var have int64
	err := db.sql.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&have)
	if err != nil {
		return fmt.Errorf("store %s is not a store of legate: %w", db.Path, err)
	}
	newest, err := newestMigration()
	if err != nil {
		return err
	}
	switch {
	case have > newest:
		return fmt.Errorf("store %s has version %d, this program knows %d: use the newer program", db.Path, have, newest)
	case have < newest:
		return fmt.Errorf("store %s has version %d, this program wants %d: start `legate run` once to bring it up to date", db.Path, have, newest)
	}
	return nil
}

// newestMigration is the version that a daemon brings a store to.
func newestMigration() (int64, error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, f := range files {
		v, err := goose.NumericComponent(f)
		if err != nil {
			return 0, err
		}
		newest = max(newest, v)
	}
	return newest, nil
}

func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db.sql, files)
	if err != nil {
		return fmt.Errorf("migrate store %s: %w", db.Path, err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate store %s: %w", db.Path, err)
	}
	if err := db.checkVersion(ctx); err != nil {
		return err
	}
	m, err := rivermigrate.New(riversqlite.New(db.sql), nil)
	if err != nil {
		return fmt.Errorf("migrate the job tables of store %s: %w", db.Path, err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrate the job tables of store %s: %w", db.Path, err)
	}
	return nil
}

// SQL is the pool that the job engine shares with the records: one transaction covers both.
func (db *DB) SQL() *sql.DB { return db.sql }

// Ping says whether the store answers.
func (db *DB) Ping(ctx context.Context) error {
	if _, err := db.Newest(ctx); err != nil {
		return fmt.Errorf("store %s: %w", db.Path, err)
	}
	return nil
}

// Written yields after a transaction of this process; several may become one. It has one reader.
func (db *DB) Written() <-chan struct{} { return db.written }

// Close closes the store and gives up its lock.
func (db *DB) Close() error {
	var err error
	if db.read != nil {
		err = db.read.Close()
	}
	if db.sql != nil {
		err = errors.Join(err, db.sql.Close())
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}

// Tx is one transaction over records, cursors and jobs.
type Tx struct {
	bun.Tx
	kept *gatherings
}

func (tx Tx) source() source  { return source{tx.Tx, tx.kept} }
func (db *DB) source() source { return source{db.read, &db.kept} }

// SQL is the same transaction for the job engine.
func (tx Tx) SQL() *sql.Tx { return tx.Tx.Tx }

// InTx runs f in one transaction, durable when it returns nil, without a trace when it does not. There
// is one writer: inside f nothing but tx may write.
func (db *DB) InTx(ctx context.Context, f func(context.Context, Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := db.onDisk(db.bun.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return f(ctx, Tx{tx, &db.kept}) }))
	if err == nil {
		select {
		case db.written <- struct{}{}:
		default: // the reader has not looked yet
		}
	}
	return err
}
