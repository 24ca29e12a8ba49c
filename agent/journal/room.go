package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/legate-dao/legate/agent/fsfault"
)

// onDisk says of an error of SQLite's that the disk is at fault, in one sentence; see [fsfault.Fault].
func (db *DB) onDisk(err error) error {
	var said sqlite3.Error
	if !errors.As(err, &said) {
		return fsfault.Of(db.Dir(), err)
	}
	kind := said.SystemErrno
	switch said.Code {
	case sqlite3.ErrFull:
		kind = syscall.ENOSPC
	case sqlite3.ErrReadonly:
		kind = syscall.EROFS
	case sqlite3.ErrIoErr:
		// SQLite tells a full disk by its own code, except where a write is cut short
		if kind != syscall.ENOSPC && kind != syscall.EDQUOT && kind != syscall.EROFS {
			kind = syscall.EIO
		}
	case sqlite3.ErrCantOpen:
	default:
		return err
	}
	if fault := (*fsfault.Fault)(nil); errors.As(fsfault.Of(db.Dir(), kind), &fault) {
		fault.Err = err
		return fault
	}
	return err
}

// Dir is the folder of the store's file.
func (db *DB) Dir() string { return filepath.Dir(db.Path) }

// What [DB.Room] writes for a moment. No channel has an empty name.
const (
	roomChannel = ""
	roomName    = "room"
)

// Sizes for [DB.Room], in bytes.
const (
	RoomToVote   = 16 << 10 // more than the records of one vote
	RoomToGather = 4 << 20  // more than the facts of one proposal
)

// Room reports whether records of so many bytes can be written: it writes them durably and takes them away again, so
// that a record that follows finds their place. An error is a [*fsfault.Fault] where the disk is at fault.
func (db *DB) Room(ctx context.Context, bytes int) error {
	err := db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO channel_notes (channel, name, value) VALUES (?, ?, ?) ON CONFLICT (channel, name) DO UPDATE SET value = EXCLUDED.value", roomChannel, roomName, strings.Repeat("0", bytes))
		return err
	})
	if err == nil {
		err = db.InTx(ctx, func(ctx context.Context, tx Tx) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM channel_notes WHERE channel = ? AND name = ?", roomChannel, roomName)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("look whether records can be written: %w", err)
	}
	return nil
}
