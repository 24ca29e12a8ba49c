package book

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// MaxABI bounds a JSON ABI in bytes; the largest real ones are below 200 kB.
const MaxABI = 2 << 20

// Argument is a named value of a method.
type Argument struct {
	Name gov.Ident
	Type gov.ABIType
}

// Method is one function of an ABI.
type Method struct {
	Signature gov.Signature // canonical
	Inputs    []Argument
	Outputs   []Argument
	View      bool
}

// Selector is the first four bytes of the signature's hash.
func (m Method) Selector() gov.Selector { return SelectorOf(m.Signature) }

// SelectorOf is the selector of a canonical signature.
func SelectorOf(s gov.Signature) gov.Selector {
	return gov.Selector(crypto.Keccak256([]byte(s))[:4])
}

// ABI is a set of methods by selector. The zero ABI is empty.
type ABI struct{ methods map[gov.Selector]Method }

// Method finds a method by its selector.
func (a ABI) Method(s gov.Selector) (Method, bool) {
	m, ok := a.methods[s]
	return m, ok
}

// Methods lists the methods in the order of their signatures.
func (a ABI) Methods() []Method {
	out := make([]Method, 0, len(a.methods))
	for _, m := range a.methods {
		out = append(out, m)
	}
	slices.SortFunc(out, func(x, y Method) int { return strings.Compare(string(x.Signature), string(y.Signature)) })
	return out
}

// Len is the number of methods.
func (a ABI) Len() int { return len(a.methods) }

// Union is an ABI with the methods of all; the first that has a selector wins.
func Union(all ...ABI) ABI {
	out := ABI{map[gov.Selector]Method{}}
	for _, a := range all {
		for s, m := range a.methods {
			if _, there := out.methods[s]; !there {
				out.methods[s] = m
			}
		}
	}
	return out
}

func abiOf(methods []Method) ABI {
	out := ABI{make(map[gov.Selector]Method, len(methods))}
	for _, m := range methods {
		out.methods[m.Selector()] = m
	}
	return out
}

// ParseJSON reads a JSON ABI, or a compiler's artifact with an abi in it.
func ParseJSON(text []byte) (ABI, error) {
	if len(text) > MaxABI {
		return ABI{}, fmt.Errorf("the ABI has %d bytes, more than %d", len(text), MaxABI)
	}
	text, err := abiOfArtifact(text)
	if err != nil {
		return ABI{}, err
	}
	parsed, err := abi.JSON(bytes.NewReader(text))
	if err != nil {
		return ABI{}, fmt.Errorf("read the JSON ABI: %w", err)
	}
	var methods []Method
	for _, m := range parsed.Methods {
		inputs, err := argumentsOf(m.Inputs)
		if err != nil {
			return ABI{}, fmt.Errorf("%s: %w", m.Sig, err)
		}
		outputs, err := argumentsOf(m.Outputs)
		if err != nil {
			return ABI{}, fmt.Errorf("outputs of %s: %w", m.Sig, err)
		}
		methods = append(methods, Method{
			Signature: gov.Signature(m.Sig), Inputs: inputs, Outputs: outputs,
			View: m.StateMutability == "view" || m.StateMutability == "pure" || m.Constant,
		})
	}
	return abiOf(methods), nil
}

func argumentsOf(list abi.Arguments) ([]Argument, error) {
	out := make([]Argument, len(list))
	for i, a := range list {
		t := gov.ABIType(a.Type.String())
		if _, err := ParseType(t); err != nil {
			return nil, err
		}
		name := a.Name
		if !identifier(name) {
			name = ""
		}
		out[i] = Argument{gov.Ident(name), t}
	}
	return out, nil
}

// maxIdentifier bounds names in characters.
const maxIdentifier = 64

// identifier says whether a name is one that Solidity allows: letters, digits, _ and $.
func identifier(s string) bool {
	if s == "" || len(s) > maxIdentifier || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for _, r := range s {
		if !(r == '_' || r == '$' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return false
		}
	}
	return true
}
