package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Running says whether a daemon has the store of a dsn open. It reads nothing and creates nothing.
func Running(dsn, dir string) (bool, error) {
	path, err := pathOf(dsn, dir)
	if err != nil {
		return false, err
	}
	f, err := os.Open(path + ".lock")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("open the lock of store %s: %w", path, err)
	}
	defer f.Close() // which gives the lock back
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the lock of store %s (a store must be on a local disk): %w", path, err)
	}
	return false, nil
}
