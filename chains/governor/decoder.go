package governor

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"
)

var (
	// errBounds says that ABI data points outside itself.
	errBounds = errors.New("ABI data points outside itself")
	// errLarge says that ABI data holds more than is read.
	errLarge = errors.New("ABI data holds more than is read")
)

// decoder reads ABI data that strangers chose. Offsets and lengths are checked against what is there
// before they are followed, and the bytes copied out never exceed the bytes given: data that refers to
// one piece from many places does not come out larger than it went in.
type decoder struct {
	data   []byte
	copied int
}

func (d *decoder) word(at int) (w word, err error) {
	if at < 0 || at > len(d.data)-wordSize {
		return w, fmt.Errorf("%w: word at %d of %d bytes", errBounds, at, len(d.data))
	}
	copy(w[:], d.data[at:])
	return w, nil
}

// small reads a number that must be at most limit.
func (d *decoder) small(at, limit int) (int, error) {
	w, err := d.word(at)
	if err != nil {
		return 0, err
	}
	n := new(uint256.Int).SetBytes32(w[:])
	if !n.IsUint64() || n.Uint64() > uint64(limit) {
		return 0, fmt.Errorf("%w: %s at %d, where at most %d can be", errBounds, n.Dec(), at, limit)
	}
	return int(n.Uint64()), nil
}

// offset follows the pointer at a word; it counts from base.
func (d *decoder) offset(at, base int) (int, error) {
	n, err := d.small(at, len(d.data)-base)
	return base + n, err
}

// list reads the length of a list whose elements have at least one word each, and where they begin.
func (d *decoder) list(at int) (n, first int, err error) {
	if n, err = d.small(at, len(d.data)); err != nil {
		return 0, 0, err
	}
	first = at + wordSize
	if n > (len(d.data)-first)/wordSize {
		return 0, 0, fmt.Errorf("%w: %d elements at %d of %d bytes", errBounds, n, at, len(d.data))
	}
	return n, first, nil
}

// bytesAt reads a byte string with its length in front.
func (d *decoder) bytesAt(at, limit int) ([]byte, error) {
	n, err := d.small(at, len(d.data))
	if err != nil {
		return nil, err
	}
	if from := at + wordSize; n > len(d.data)-from {
		return nil, fmt.Errorf("%w: %d bytes at %d of %d", errBounds, n, at, len(d.data))
	}
	if n > limit || n > len(d.data)-d.copied {
		return nil, fmt.Errorf("%w: %d bytes at %d", errLarge, n, at)
	}
	d.copied += n
	return d.data[at+wordSize : at+wordSize+n], nil
}
