package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Freeze stops all signing with this ledger, from the next signature on and through restarts, until
// [Unfreeze]. why is kept for people. A folder that is not there yet is made.
func Freeze(path, why string) error {
	if err := makeFolder(path); err != nil {
		return fmt.Errorf("freeze %s: %w", path, err)
	}
	text := strings.Join(strings.Fields(why), " ")
	if len(text) > maxLine {
		text = text[:maxLine]
	}
	if err := freeze(folder{path, os.Geteuid()}, text); err != nil {
		return fmt.Errorf("freeze %s: %w", path, err)
	}
	return nil
}

// freeze needs no room on the disk: where why cannot be written, the file's name alone stops signing.
func freeze(d disk, why string) error {
	err := replace(d, frozenFile, []byte(why+"\n"))
	if err == nil {
		return nil
	}
	h, bare := d.create(frozenFile)
	switch {
	case errors.Is(bare, fs.ErrExist): // frozen before, for another reason
	case bare != nil:
		return errors.Join(err, bare)
	default:
		if bare := h.Close(); bare != nil {
			return errors.Join(err, bare)
		}
	}
	if bare := d.syncDir(); bare != nil {
		return errors.Join(err, bare)
	}
	return nil
}

// Unfreeze lets signing go on. It is no error when nothing is frozen.
func Unfreeze(path string) error {
	if err := os.Remove(filepath.Join(path, frozenFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unfreeze %s: %w", path, err)
	}
	if err := syncDir(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unfreeze %s: %w", path, err)
	}
	return nil
}

// Frozen says whether signing is stopped, and why. What cannot be told is frozen, with the error as why.
func Frozen(path string) (why string, frozen bool) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	return isFrozen(folder{path, os.Geteuid()})
}

func isFrozen(d disk) (why string, frozen bool) {
	raw, err := d.read(frozenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	if err != nil {
		return err.Error(), true
	}
	return strings.TrimSpace(string(raw)), true
}

// frozen is the check inside the lock.
func (l *Ledger) frozen() error {
	if why, frozen := isFrozen(l.disk); frozen {
		return fmt.Errorf("%w: %s", ErrFrozen, why)
	}
	return nil
}
