package ledger

import (
	"errors"
	"io/fs"
	"sync"
	"syscall"
)

// memory is a disk without a disk, for tests that sign very often.
type memory struct {
	mu    sync.Mutex
	files map[string][]byte
	held  bool
}

func (m *memory) read(name string) ([]byte, error) {
	b, ok := m.files[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return append([]byte(nil), b...), nil
}

func (m *memory) extend(name string, size int64) (file, error) {
	b, ok := m.files[name]
	if !ok || int64(len(b)) < size {
		return nil, fs.ErrNotExist
	}
	m.files[name] = b[:size:size]
	return memoryFile{m, name}, nil
}

func (m *memory) create(name string) (file, error) {
	if _, ok := m.files[name]; ok {
		return nil, fs.ErrExist
	}
	m.files[name] = nil
	return memoryFile{m, name}, nil
}

func (m *memory) rename(from, to string) error {
	b, ok := m.files[from]
	if !ok {
		return fs.ErrNotExist
	}
	delete(m.files, from)
	m.files[to] = b
	return nil
}

func (m *memory) remove(name string) error {
	if _, ok := m.files[name]; !ok {
		return fs.ErrNotExist
	}
	delete(m.files, name)
	return nil
}

func (m *memory) syncDir() error { return nil }

func (m *memory) lock() (func() error, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held {
		return nil, ErrLater
	}
	m.held = true
	return func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.held = false
		return nil
	}, nil
}

type memoryFile struct {
	m    *memory
	name string
}

func (f memoryFile) Write(b []byte) (int, error) {
	f.m.files[f.name] = append(f.m.files[f.name], b...)
	return len(b), nil
}
func (memoryFile) Sync() error  { return nil }
func (memoryFile) Close() error { return nil }

// faulty fails the at-th operation on the disk behind it, in one of several ways.
type faulty struct {
	disk
	at   int // counted from 1; 0 never
	mode string
	n    int
	ops  []string
}

// The ways to fail.
const (
	ioError    = "EIO"
	noSpace    = "ENOSPC"
	halfThenNo = "half a write, then ENOSPC"
	halfSilent = "half a write, no error"
	doneFailed = "done, but reported as EIO"
)

// hit says whether this operation fails.
func (f *faulty) hit(op string) bool {
	f.n++
	f.ops = append(f.ops, op)
	return f.n == f.at
}

func (f *faulty) fail() error {
	if f.mode == noSpace {
		return syscall.ENOSPC
	}
	return syscall.EIO
}

func (f *faulty) do(op string, real func() error) error {
	if !f.hit(op) {
		return real()
	}
	if f.mode == doneFailed {
		return errors.Join(real(), f.fail())
	}
	return f.fail()
}

func (f *faulty) read(name string) (b []byte, err error) {
	if name == frozenFile {
		return f.disk.read(name)
	}
	err = f.do("read "+name, func() (err error) { b, err = f.disk.read(name); return err })
	return b, err
}

func (f *faulty) extend(name string, size int64) (h file, err error) {
	err = f.do("open "+name, func() (err error) { h, err = f.disk.extend(name, size); return err })
	return faultyFile{h, f, name}, err
}

func (f *faulty) create(name string) (h file, err error) {
	err = f.do("create "+name, func() (err error) { h, err = f.disk.create(name); return err })
	return faultyFile{h, f, name}, err
}

func (f *faulty) rename(from, to string) error {
	return f.do("rename "+to, func() error { return f.disk.rename(from, to) })
}

func (f *faulty) syncDir() error { return f.do("sync folder", f.disk.syncDir) }

type faultyFile struct {
	file
	f    *faulty
	name string
}

func (h faultyFile) Write(b []byte) (int, error) {
	if !h.f.hit("write " + h.name) {
		return h.file.Write(b)
	}
	switch h.f.mode {
	case halfThenNo:
		n, err := h.file.Write(b[:len(b)/2])
		return n, errors.Join(err, syscall.ENOSPC)
	case halfSilent:
		return h.file.Write(b[:len(b)/2])
	case doneFailed:
		n, err := h.file.Write(b)
		return n, errors.Join(err, syscall.EIO)
	}
	return 0, h.f.fail()
}

func (h faultyFile) Sync() error { return h.f.do("fsync "+h.name, h.file.Sync) }
