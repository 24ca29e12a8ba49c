// Package fsfault says in one sentence what is wrong with a disk: what, where, and what to do. What cannot be written is
// not signed, so the sentence says that too.
package fsfault

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// Fault is a disk that takes nothing.
type Fault struct {
	Dir string // the folder that could not be written in
	// Kind is what the system said, as one of the errors of [Of].
	Kind syscall.Errno
	// Err is the error that said so; nil where there is no more to it.
	Err error
}

// sentences are what each kind means, and what a person does about it. %s is the folder.
var sentences = map[syscall.Errno]string{
	syscall.ENOSPC: "the disk that holds %s is full: nothing is signed until there is room; free some space",
	syscall.EROFS:  "the disk that holds %s is read-only: nothing is signed until it can be written; mount it for writing, or look why the system changed it",
	syscall.EIO:    "the disk that holds %s fails (input/output error): nothing is signed until it can be written; look at the system's log and replace the disk",
}

// kinds are the errors of the system that are about a disk, as the kind that they are.
var kinds = map[syscall.Errno]syscall.Errno{
	syscall.ENOSPC: syscall.ENOSPC, syscall.EDQUOT: syscall.ENOSPC, syscall.EFBIG: syscall.ENOSPC,
	syscall.EROFS: syscall.EROFS, syscall.EIO: syscall.EIO,
}

// Error is the sentence.
func (f *Fault) Error() string { return fmt.Sprintf(sentences[f.Kind], f.Dir) }

// Unwrap is what the system said.
func (f *Fault) Unwrap() []error {
	if f.Err == nil {
		return []error{f.Kind}
	}
	return []error{f.Kind, f.Err}
}

// Of returns an error as a [*Fault] where it says that the disk of a folder is full (a quota or a limit of sizes too),
// read-only or failing, and as it is otherwise.
func Of(dir string, err error) error {
	var fault *Fault
	var said syscall.Errno
	if errors.As(err, &fault) || !errors.As(err, &said) {
		return err
	}
	kind, ok := kinds[said]
	if !ok {
		return err
	}
	return &Fault{dir, kind, err}
}

// Is reports whether an error is about a disk.
func Is(err error) bool {
	var fault *Fault
	return errors.As(err, &fault)
}

// probed is how much [Probe] writes: a ledger line and its mark need less.
const probed = 16 << 10

// Probe reports whether a folder's disk takes a few kilobytes durably: it writes a file, and takes it away again.
func Probe(dir string) error {
	f, err := os.CreateTemp(dir, ".room-*")
	if err != nil {
		return Of(dir, fmt.Errorf("look whether there is room: %w", err))
	}
	_, err = f.Write(make([]byte, probed))
	err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
	return Of(dir, err)
}
