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
	bun  *bun.DB
	sql  *sql.DB
	lock *os.File
	// Path is the SQLite file.
	Path string
}

// Open opens the store of a dsn such as sqlite:legate.db, relative to dir. A daemon creates and migrates
// it, and returns [ErrBusy] when another one has it; a command needs it to be there.
func Open(ctx context.Context, dsn, dir string, mode Mode) (*DB, error) {
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok {
		return nil, fmt.Errorf("store %q: this release has sqlite:PATH only", redact(dsn))
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	db := &DB{Path: path}
	if mode == Daemon {
		if err := db.takeLock(); err != nil {
			return nil, err
		}
	} else if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("store %s is not there: has `legate run` or `legate demo` been started with this configuration? %w", path, err)
	}
	if err := db.open(ctx, mode); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// redact keeps a dsn's scheme only: the rest may hold a password.
func redact(dsn string) string {
	scheme, _, _ := strings.Cut(dsn, ":")
	return scheme + ":…"
}

func (db *DB) takeLock() error {
	f, err := os.OpenFile(db.Path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the lock of store %s: %w", db.Path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("store %s: %w; stop it first (its lock is %s.lock)", db.Path, ErrBusy, db.Path)
	}
	db.lock = f
	return nil
}

func (db *DB) open(ctx context.Context, mode Mode) error {
	q := url.Values{
		"_journal_mode": {"WAL"}, "_busy_timeout": {"10000"}, "_synchronous": {"FULL"},
		"_txlock": {"immediate"}, "_foreign_keys": {"1"},
	}
	s, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: db.Path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return fmt.Errorf("open store %s: %w", db.Path, err)
	}
	s.SetMaxOpenConns(1) // River and our writes share the one writer; see the driver's own advice
	db.sql, db.bun = s, bun.NewDB(s, sqlitedialect.New())
	if err := s.PingContext(ctx); err != nil {
		return fmt.Errorf("open store %s: %w", db.Path, err)
	}
	if mode == Daemon {
		return db.migrate(ctx)
	}
	return nil
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
func (db *DB) Ping(ctx context.Context) error { return db.sql.PingContext(ctx) }

// Close closes the store and gives up its lock.
func (db *DB) Close() error {
	var err error
	if db.sql != nil {
		err = db.sql.Close()
	}
	if db.lock != nil {
		err = errors.Join(err, db.lock.Close())
	}
	return err
}

// Tx is one transaction over records, cursors and jobs.
type Tx struct{ bun.Tx }

// SQL is the same transaction for the job engine.
func (tx Tx) SQL() *sql.Tx { return tx.Tx.Tx }

// InTx runs f in one transaction, durable when it returns nil.
func (db *DB) InTx(ctx context.Context, f func(context.Context, Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return db.bun.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return f(ctx, Tx{tx}) })
}
