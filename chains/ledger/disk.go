package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// maxFile bounds what is read: some 200 000 votes.
const maxFile = 64 << 20

// disk is what the ledger does with a folder; the tests put faults between.
type disk interface {
	// read returns a file's bytes; fs.ErrNotExist when there is none.
	read(name string) ([]byte, error)
	// extend opens a file for adding at the end, cut to size bytes before.
	extend(name string, size int64) (file, error)
	// create makes a new file; it must not exist.
	create(name string) (file, error)
	rename(from, to string) error
	remove(name string) error
	// syncDir makes names durable.
	syncDir() error
	// lock takes the folder's lock without waiting; ErrLater when another holds it.
	lock() (unlock func() error, err error)
}

type file interface {
	io.WriteCloser
	Sync() error
}

// folder is a disk in a directory that belongs to us alone.
type folder struct {
	path  string
	owner int // user id that must own everything
}

// check refuses a folder that others can write to, or that is not where it seems to be.
func (f folder) check() error {
	info, err := os.Lstat(f.path)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%w: %s is a symbolic link; name the folder itself", ErrDamaged, f.path)
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is not a folder", ErrDamaged, f.path)
	}
	return f.ours(info, 0o700)
}

// ours demands our own user, no rights for others, and the rights that the owner needs.
func (f folder) ours(info fs.FileInfo, need fs.FileMode) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return fmt.Errorf("%w: the owner of %s cannot be told on this system", ErrDamaged, info.Name())
	case int(stat.Uid) != f.owner:
		return fmt.Errorf("%w: %s belongs to user %d, the program runs as %d", ErrDamaged, info.Name(), stat.Uid, f.owner)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%w: %s is open to others (mode %04o); chmod go-rwx", ErrDamaged, info.Name(), info.Mode().Perm())
	case info.Mode().Perm()&need != need:
		return fmt.Errorf("%w: %s is read-only (mode %04o)", ErrDamaged, info.Name(), info.Mode().Perm())
	case !info.IsDir() && stat.Nlink != 1:
		return fmt.Errorf("%w: %s has a second name (hard link)", ErrDamaged, info.Name())
	}
	return nil
}

// open opens an existing or new file of ours, never through a link.
func (f folder) open(name string, flags int) (*os.File, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	path := filepath.Join(f.path, name)
	h, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0o600)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%w: %s is a symbolic link", ErrDamaged, name)
	}
	if err != nil {
		return nil, err
	}
	info, err := h.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is not a file", ErrDamaged, name)
	}
	if err == nil {
		err = f.ours(info, 0o600)
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (f folder) read(name string) ([]byte, error) {
	h, err := f.open(name, os.O_RDONLY|syscall.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	raw, err := io.ReadAll(io.LimitReader(h, maxFile+1))
	if err == nil && len(raw) > maxFile {
		err = fmt.Errorf("%w: %s has more than %d bytes", ErrDamaged, name, maxFile)
	}
	return raw, err
}

func (f folder) extend(name string, size int64) (file, error) {
	h, err := f.open(name, os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return nil, err
	}
	if err := h.Truncate(size); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (f folder) create(name string) (file, error) {
	return f.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
}

func (f folder) rename(from, to string) error {
	return os.Rename(filepath.Join(f.path, from), filepath.Join(f.path, to))
}

func (f folder) remove(name string) error { return os.Remove(filepath.Join(f.path, name)) }

func (f folder) syncDir() error { return syncDir(f.path) }

func syncDir(path string) error {
	h, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(h.Sync(), h.Close())
}

func (f folder) lock() (func() error, error) {
	h, err := f.open(lockFile, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(h.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		h.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLater
		}
		return nil, fmt.Errorf("lock the ledger: %w", err)
	}
	return h.Close, nil // closing lets go
}

// replace puts a file's new content in place of the old one, all or nothing, durably.
func replace(d disk, name string, content []byte) error {
	temp := name + ".new"
	if err := d.remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	h, err := d.create(temp)
	if err != nil {
		return fmt.Errorf("create %s: %w", temp, err)
	}
	if err := finish(h, content); err != nil {
		return fmt.Errorf("write %s: %w", temp, err)
	}
	if err := d.rename(temp, name); err != nil {
		return fmt.Errorf("rename %s: %w", temp, err)
	}
	if err := d.syncDir(); err != nil {
		return fmt.Errorf("sync the ledger folder: %w", err)
	}
	return nil
}

// finish writes all of content, makes it durable and closes.
func finish(h file, content []byte) error {
	n, err := h.Write(content)
	if err == nil && n < len(content) {
		err = io.ErrShortWrite
	}
	if err == nil {
		err = h.Sync()
	}
	return errors.Join(err, h.Close())
}
