package book

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// Sort says what a Type is.
type Sort uint8

// The sorts of ABI types. Word covers uint, int, address, bool and bytesN.
const (
	Word  Sort = iota
	Text       // string and bytes
	Array      // T[] and T[n]
	Tuple
)

// Type is an ABI type as a tree.
type Type struct {
	Sort Sort
	Name gov.ABIType // canonical
	Bits int         // of a word's value
	Left bool        // bytesN: the value is left aligned
	Sign bool        // intN
	Elem *Type       // of an array
	Size int         // of a fixed array, -1 for T[]
	Part []Type      // of a tuple
}

// maxTypeDepth bounds nested arrays and tuples.
const maxTypeDepth = 12

// maxFixed bounds the length of a fixed array.
const maxFixed = 4096

// ParseType reads a canonical ABI type such as uint256, (address,uint256)[] or bytes32[4].
func ParseType(t gov.ABIType) (Type, error) { return parseType(t, 0) }

func parseType(t gov.ABIType, depth int) (Type, error) {
	if depth > maxTypeDepth {
		return Type{}, fmt.Errorf("type nested deeper than %d", maxTypeDepth)
	}
	s := string(t)
	switch {
	case strings.HasSuffix(s, "]"):
		return parseArray(t, depth)
	case strings.HasPrefix(s, "("):
		return parseTuple(t, depth)
	case s == "string" || s == "bytes":
		return Type{Sort: Text, Name: t}, nil
	case s == "address":
		return Type{Name: t, Bits: 160}, nil
	case s == "bool":
		return Type{Name: t, Bits: 1}, nil
	case s == "function":
		return Type{Name: t, Bits: 192, Left: true}, nil
	case strings.HasPrefix(s, "uint"):
		return number(t, s[4:], false)
	case strings.HasPrefix(s, "int"):
		return number(t, s[3:], true)
	case strings.HasPrefix(s, "bytes"):
		n, err := strconv.Atoi(s[5:])
		if err != nil || n < 1 || n > 32 || strconv.Itoa(n) != s[5:] {
			return Type{}, fmt.Errorf("%.60q is not an ABI type", s)
		}
		return Type{Name: t, Bits: 8 * n, Left: true}, nil
	}
	return Type{}, fmt.Errorf("%.60q is not an ABI type", s)
}

func number(t gov.ABIType, digits string, sign bool) (Type, error) {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 8 || n > 256 || n%8 != 0 || strconv.Itoa(n) != digits {
		return Type{}, fmt.Errorf("%.60q is not an ABI type", string(t))
	}
	return Type{Name: t, Bits: n, Sign: sign}, nil
}

func parseArray(t gov.ABIType, depth int) (Type, error) {
	open := strings.LastIndexByte(string(t), '[')
	if open < 1 {
		return Type{}, fmt.Errorf("%.60q is not an ABI type", string(t))
	}
	elem, err := parseType(t[:open], depth+1)
	if err != nil {
		return Type{}, err
	}
	size, digits := -1, string(t[open+1:len(t)-1])
	if digits != "" {
		if size, err = strconv.Atoi(digits); err != nil || size < 1 || size > maxFixed || strconv.Itoa(size) != digits {
			return Type{}, fmt.Errorf("%.60q: the length of a fixed array is 1 to %d", string(t), maxFixed)
		}
	}
	return Type{Sort: Array, Name: t, Elem: &elem, Size: size}, nil
}

func parseTuple(t gov.ABIType, depth int) (Type, error) {
	parts, ok := gov.Components(t)
	if !ok || len(parts) == 0 {
		return Type{}, fmt.Errorf("%.60q is not an ABI type", string(t))
	}
	out := Type{Sort: Tuple, Name: t}
	for _, p := range parts {
		part, err := parseType(p, depth+1)
		if err != nil {
			return Type{}, err
		}
		out.Part = append(out.Part, part)
	}
	return out, nil
}

// Dynamic says whether a value lies in the tail, behind an offset.
func (t Type) Dynamic() bool {
	switch t.Sort {
	case Text:
		return true
	case Array:
		return t.Size < 0 || t.Elem.Dynamic()
	case Tuple:
		for _, p := range t.Part {
			if p.Dynamic() {
				return true
			}
		}
	}
	return false
}

// HeadSize is the number of bytes in the head: 32 for a dynamic type.
func (t Type) HeadSize() int {
	switch {
	case t.Dynamic() || t.Sort == Word:
		return 32
	case t.Sort == Array:
		return t.Size * t.Elem.HeadSize()
	}
	n := 0
	for _, p := range t.Part {
		n += p.HeadSize()
	}
	return n
}
