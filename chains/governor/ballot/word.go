package ballot

import (
	"encoding/binary"
	"fmt"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

const wordSize = 32

func numberWord(n uint64) []byte {
	var w [wordSize]byte
	binary.BigEndian.PutUint64(w[24:], n)
	return w[:]
}

func amountWord(a gov.Amount) []byte {
	w := a.Int().Bytes32()
	return w[:]
}

// wordAt is the i-th word of data.
func wordAt(data []byte, i int) (*uint256.Int, error) {
	if len(data) < (i+1)*wordSize {
		return nil, fmt.Errorf("%w: %d bytes have no word %d", ErrBytes, len(data), i)
	}
	return new(uint256.Int).SetBytes(data[i*wordSize : (i+1)*wordSize]), nil
}

// smallAt is the i-th word where it is at most limit.
func smallAt(data []byte, i int, limit uint64) (uint64, error) {
	w, err := wordAt(data, i)
	if err != nil {
		return 0, err
	}
	if !w.IsUint64() || w.Uint64() > limit {
		return 0, fmt.Errorf("%w: word %d is %s, above %d", ErrBytes, i, w, limit)
	}
	return w.Uint64(), nil
}

// arguments cuts the selector off.
func arguments(data []byte, want [4]byte) ([]byte, error) {
	if len(data) < 4 || [4]byte(data[:4]) != want {
		return nil, fmt.Errorf("%w: it does not begin with selector 0x%x", ErrBytes, want)
	}
	return data[4:], nil
}

// addressOf reads an address from a word.
func addressOf(w gov.Hash) (gov.Address, error) {
	for _, b := range w[:12] {
		if b != 0 {
			return gov.Address{}, fmt.Errorf("%w: %s is no address", ErrBytes, w)
		}
	}
	return gov.Address(w[12:]), nil
}
