package fsfault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/legate-dao/legate/agent/fsfault"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string // empty: it is no fault of a disk
	}{
		{syscall.ENOSPC, "is full"}, {syscall.EDQUOT, "is full"}, {syscall.EFBIG, "is full"}, {syscall.EROFS, "is read-only"}, {syscall.EIO, "fails"},
		{fmt.Errorf("write: %w", &fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}), "is full"},
		{errors.Join(errors.New("close"), syscall.EIO), "fails"},
		{syscall.EACCES, ""}, {syscall.ECONNRESET, ""}, {errors.New("no space left on device"), ""}, {nil, ""},
	} {
		err := fsfault.Of("/var/lib/legate", c.err)
		var fault *fsfault.Fault
		if errors.As(err, &fault) != (c.want != "") {
			t.Errorf("%v is %v", c.err, err)
			continue
		}
		if c.want == "" {
			if err != c.err { //nolint:errorlint // the very same
				t.Errorf("%v became %v", c.err, err)
			}
			continue
		}
		if s := err.Error(); !strings.Contains(s, "the disk that holds /var/lib/legate "+c.want) || !strings.Contains(s, "nothing is signed until") || strings.Contains(s, "\n") {
			t.Errorf("%v says %q", c.err, s)
		}
		if !errors.Is(err, c.err) || fsfault.Of("/elsewhere", err) != err { //nolint:errorlint // not wrapped twice
			t.Errorf("%v is not in %v, or is wrapped twice", c.err, err)
		}
	}
}

func TestProbeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := fsfault.Probe(dir); err != nil {
		t.Fatal(err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("%v %v", list, err)
	}
	if err := fsfault.Probe(dir + "/missing"); err == nil {
		t.Error("a folder that is not there can be written")
	}
}
