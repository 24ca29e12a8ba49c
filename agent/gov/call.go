package gov

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
)

// Call is one decoded call, with the calls inside it. Signature, argument names and values are filled
// from a bound ABI or the program's own table of signatures only; what a 4-byte directory says is display.
type Call struct {
	To           Address   `json:"to"`
	Label        Label     `json:"label"`
	Value        Amount    `json:"value"`
	Selector     *Selector `json:"selector"` // nil for a call without data
	Signature    Signature `json:"signature"`
	Kind         Kind      `json:"kind"`
	Known        bool      `json:"known"`
	Decoded      Decoded   `json:"decoded"`
	Args         []Arg     `json:"args"`
	Delegatecall bool      `json:"delegatecall"`
	// Means is what the operator's book says that the function declares; nil where it says nothing.
	Means    *Meaning `json:"means,omitempty"`
	Children []Call   `json:"children"`
	// CodeHash and Implementation are those of the target at the facts' block; zero without code or proxy.
	CodeHash       Hash    `json:"code_hash"`
	Implementation Address `json:"implementation"`
	ImplCodeHash   Hash    `json:"implementation_code_hash"`
	// DataHash is keccak256 of the call's data.
	DataHash Hash `json:"data_hash"`
}

// MarshalText writes 0x hex.
func (s Selector) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 0x hex.
func (s *Selector) UnmarshalText(b []byte) error {
	if len(b) != 10 || b[0] != '0' || b[1] != 'x' {
		return fmt.Errorf("%.20q is not a selector of the form 0x and 8 hex digits", b)
	}
	_, err := hex.Decode(s[:], b[2:])
	return err
}

// Leaf is a call without children, as rules see it.
type Leaf struct {
	Call  Call
	Depth int
}

// Leaves lists the leaf calls of a tree in order.
func Leaves(calls []Call) []Leaf { return appendLeaves(nil, calls, 0) }

func appendLeaves(out []Leaf, calls []Call, depth int) []Leaf {
	for _, c := range calls {
		if len(c.Children) == 0 {
			out = append(out, Leaf{c, depth})
			continue
		}
		out = appendLeaves(out, c.Children, depth+1)
	}
	return out
}

// Signature is a canonical function signature, transfer(address,uint256), from a bound ABI or an own table.
type Signature string

// Function is the name before the parenthesis.
func (s Signature) Function() string {
	name, _, _ := strings.Cut(string(s), "(")
	return name
}

// Ident is the name of an argument in a bound ABI.
type Ident string

// ABIType is a canonical ABI type, such as uint256, address[] or (address,uint256).
type ABIType string

// Arg is one decoded argument.
type Arg struct {
	Name  Ident   `json:"name"`
	Type  ABIType `json:"type"`
	Value Value   `json:"value"`
}

// Value is one decoded ABI value. Numbers, addresses, booleans and fixed bytes are words; string and
// bytes are their length and keccak256 only, so that no text is carried; arrays and tuples are lists.
type Value struct {
	Word [32]byte // uint, int, address, bool: right aligned; bytesN: left aligned
	Size int      // bytes of a string or bytes value
	Hash Hash     // of a string or bytes value
	List []Value  // elements of an array or components of a tuple
}

// TextValue is what the facts keep of a string or bytes argument.
func TextValue(b []byte) Value { return Value{Size: len(b), Hash: crypto.Keccak256Hash(b)} }

// Amount reads the word as an unsigned number.
func (v Value) Amount() Amount { return Amount{*new(uint256.Int).SetBytes32(v.Word[:])} }

// Address reads the word as an address.
func (v Value) Address() Address { return Address(v.Word[12:]) }

// Bool reads the word as a boolean.
func (v Value) Bool() bool { return v.Word[31] != 0 }

// MarshalJSON writes name, type and value; the value's form follows the type (FORMATS, `args[].value`).
func (a Arg) MarshalJSON() ([]byte, error) {
	value, err := marshalValue(a.Type, a.Value)
	if err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Name  Ident           `json:"name"`
		Type  ABIType         `json:"type"`
		Value json.RawMessage `json:"value"`
	}{a.Name, a.Type, value})
}

// UnmarshalJSON reads what MarshalJSON writes, and a string or bytes value in full, of which it keeps
// length and hash.
func (a *Arg) UnmarshalJSON(b []byte) error {
	var raw struct {
		Name  Ident           `json:"name"`
		Type  ABIType         `json:"type"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	value, err := unmarshalValue(raw.Type, raw.Value, 0)
	if err != nil {
		return fmt.Errorf("argument %s of type %s: %w", raw.Name, raw.Type, err)
	}
	*a = Arg{raw.Name, raw.Type, value}
	return nil
}

// digestOfText is how a string or bytes value stands in the facts' own JSON.
type digestOfText struct {
	Size int  `json:"size"`
	Hash Hash `json:"keccak256"`
}

func marshalValue(t ABIType, v Value) (json.RawMessage, error) {
	if elem, ok := elementType(t); ok {
		return marshalList(v.List, func(int) ABIType { return elem })
	}
	if parts, ok := Components(t); ok {
		if len(parts) != len(v.List) {
			return nil, fmt.Errorf("a tuple %s with %d values", t, len(v.List))
		}
		return marshalList(v.List, func(i int) ABIType { return parts[i] })
	}
	switch {
	case t == "string" || t == "bytes":
		return json.Marshal(digestOfText{v.Size, v.Hash})
	case t == "bool":
		return json.Marshal(v.Bool())
	case t == "address":
		return json.Marshal(v.Address())
	case strings.HasPrefix(string(t), "bytes"):
		n := 0
		if _, err := fmt.Sscanf(string(t), "bytes%d", &n); err != nil || n < 1 || n > 32 {
			return nil, fmt.Errorf("%q is not an ABI type", t)
		}
		return json.Marshal("0x" + hex.EncodeToString(v.Word[:n]))
	case strings.HasPrefix(string(t), "int"):
		return json.Marshal(signed(v.Word).String())
	}
	return json.Marshal(v.Amount())
}

func marshalList(list []Value, typeOf func(int) ABIType) (json.RawMessage, error) {
	var out bytes.Buffer
	out.WriteByte('[')
	for i, v := range list {
		if i > 0 {
			out.WriteByte(',')
		}
		b, err := marshalValue(typeOf(i), v)
		if err != nil {
			return nil, err
		}
		out.Write(b)
	}
	out.WriteByte(']')
	return out.Bytes(), nil
}

// signed reads a word as two's complement.
func signed(word [32]byte) Delta {
	n := new(uint256.Int).SetBytes32(word[:])
	if n.Sign() < 0 {
		return Delta{true, Amount{*new(uint256.Int).Neg(n)}}
	}
	return Delta{false, Amount{*n}}
}

// maxNesting bounds the depth of nested arrays and tuples read back from a document.
const maxNesting = 16

func unmarshalValue(t ABIType, raw json.RawMessage, depth int) (v Value, err error) {
	if depth > maxNesting {
		return v, fmt.Errorf("nested deeper than %d", maxNesting)
	}
	elem, isList := elementType(t)
	parts, isTuple := Components(t)
	if isList || isTuple {
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			return v, err
		}
		if isTuple && len(items) != len(parts) {
			return v, fmt.Errorf("%d values for %s", len(items), t)
		}
		v.List = make([]Value, len(items))
		for i, item := range items {
			if isTuple {
				elem = parts[i]
			}
			if v.List[i], err = unmarshalValue(elem, item, depth+1); err != nil {
				return v, err
			}
		}
		return v, nil
	}
	if t == "bool" {
		var b bool
		err = json.Unmarshal(raw, &b)
		if b {
			v.Word[31] = 1
		}
		return v, err
	}
	if t == "string" || t == "bytes" {
		return unmarshalText(t, raw)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return v, err
	}
	return wordOf(t, s)
}

func unmarshalText(t ABIType, raw json.RawMessage) (Value, error) {
	var d digestOfText
	if json.Unmarshal(raw, &d) == nil {
		return Value{Size: d.Size, Hash: d.Hash}, nil
	}
	if t == "bytes" {
		var c Calldata
		err := json.Unmarshal(raw, &c)
		return TextValue(c.Bytes()), err
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return TextValue([]byte(s)), err
}

func wordOf(t ABIType, s string) (v Value, err error) {
	switch {
	case t == "address":
		a, err := ParseAddress(s)
		copy(v.Word[12:], a[:])
		return v, err
	case strings.HasPrefix(string(t), "bytes"):
		var c Calldata
		if err := c.UnmarshalText([]byte(s)); err != nil || c.Len() > 32 {
			return v, fmt.Errorf("%.80q is not a value of %s", s, t)
		}
		copy(v.Word[:], c.raw)
		return v, nil
	}
	var d Delta
	if err := d.UnmarshalText([]byte(s)); err != nil {
		return v, err
	}
	n := d.Size.Int()
	if d.Negative {
		n.Neg(n)
	}
	v.Word = n.Bytes32()
	return v, nil
}

// elementType is T of T[] or T[n].
func elementType(t ABIType) (ABIType, bool) {
	if !strings.HasSuffix(string(t), "]") {
		return "", false
	}
	return t[:strings.LastIndexByte(string(t), '[')], true
}

// Components splits a tuple type (a,b,(c,d)) into its parts.
func Components(t ABIType) ([]ABIType, bool) {
	s := string(t)
	if len(s) < 2 || s[0] != '(' || s[len(s)-1] != ')' {
		return nil, false
	}
	var out []ABIType
	depth, from := 0, 1
	for i := 1; i < len(s)-1; i++ {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				out, from = append(out, ABIType(s[from:i])), i+1
			}
		}
	}
	if s == "()" {
		return nil, true
	}
	return append(out, ABIType(s[from:len(s)-1])), true
}
