package dossier

import (
	"github.com/legate-dao/legate/agent/gov"
)

// Untrusted is text that another party chose: titles, descriptions, decoded strings, token names, revert
// reasons, RPC error text. It is quoted to models as data and escaped on the way out.
type Untrusted string

// Text is what the proposer wrote, as submitted.
type Text struct {
	Title       Untrusted  `json:"title"`
	Description Untrusted  `json:"description"`
	Flags       []gov.Flag `json:"flags"`
}

// Shown are the foreign strings that belong to the facts for display: no part of what decides or of any digest.
type Shown struct {
	// Signatures are the strings that Alpha and Bravo governors store beside each action; empty elsewhere.
	Signatures []Untrusted `json:"signatures"`
	// Calls add to the decoded calls, by path such as "0" or "0.2.1" (index in the tree).
	Calls map[string]ShownCall `json:"calls"`
	// RevertReason is why the dry run failed, as the contract or the node says it.
	RevertReason Untrusted `json:"revert_reason"`
	// Symbols are what tokens call themselves.
	Symbols map[string]Untrusted `json:"symbols"` // by EIP-55 address
}

// ShownCall is what may be said of a call without a bound ABI: candidates of the 4-byte table, arguments
// as decoded with the first that fits, and string and bytes arguments in full.
type ShownCall struct {
	Candidates []Untrusted `json:"candidates"`
	Args       []ShownArg  `json:"args"`
}

// ShownArg is one argument for display. Value is JSON: decimal string, boolean, hex, string or list.
type ShownArg struct {
	Name  Untrusted   `json:"name"`
	Type  gov.ABIType `json:"type"`
	Value any         `json:"value"`
}

// Merge adds the strings of other to s; other wins where both speak.
func (s *Shown) Merge(other Shown) {
	if len(other.Signatures) > 0 {
		s.Signatures = other.Signatures
	}
	for path, c := range other.Calls {
		if s.Calls == nil {
			s.Calls = map[string]ShownCall{}
		}
		s.Calls[path] = c
	}
	if other.RevertReason != "" {
		s.RevertReason = other.RevertReason
	}
	for a, sym := range other.Symbols {
		if s.Symbols == nil {
			s.Symbols = map[string]Untrusted{}
		}
		s.Symbols[a] = sym
	}
}
