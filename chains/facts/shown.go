package facts

import (
	"encoding/hex"
	"math/big"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// candidates are the names that public tables have for a selector, for display.
func candidates(s gov.Selector) []dossier.Untrusted {
	out := []dossier.Untrusted{}
	for _, signature := range book.Candidates(s) {
		out = append(out, dossier.Untrusted(signature))
	}
	return out
}

// guess decodes the arguments by the first candidate that the bytes fit.
func guess(s gov.Selector, data []byte) []dossier.ShownArg {
	for _, signature := range book.Candidates(s) {
		m, err := book.ParseSignature(signature)
		if err != nil {
			continue
		}
		if nodes, canonical, err := arguments(m, data); err == nil && canonical {
			return shownArgs(m, nodes)
		}
	}
	return []dossier.ShownArg{}
}

// shownArgs are the arguments with their strings and bytes in full.
func shownArgs(m book.Method, nodes []node) []dossier.ShownArg {
	out := make([]dossier.ShownArg, len(nodes))
	for i, n := range nodes {
		t, _ := book.ParseType(m.Inputs[i].Type)
		out[i] = dossier.ShownArg{Name: dossier.Untrusted(m.Inputs[i].Name), Type: m.Inputs[i].Type, Value: shownValue(t, n)}
	}
	return out
}

func shownValue(t book.Type, n node) any {
	switch t.Sort {
	case book.Array, book.Tuple:
		list := make([]any, len(n.list))
		for i := range n.list {
			elem := t.Elem
			if t.Sort == book.Tuple {
				elem = &t.Part[i]
			}
			list[i] = shownValue(*elem, n.list[i])
		}
		return list
	case book.Text:
		if t.Name == "string" {
			return string(n.text)
		}
		return "0x" + hex.EncodeToString(n.text)
	}
	switch {
	case t.Name == "address":
		return n.value.Address().Hex()
	case t.Name == "bool":
		return n.value.Bool()
	case t.Left:
		return "0x" + hex.EncodeToString(n.value.Word[:t.Bits/8])
	case t.Sign:
		v := new(big.Int).SetBytes(n.value.Word[:])
		if v.Bit(255) == 1 {
			v.Sub(v, new(big.Int).Lsh(big.NewInt(1), 256))
		}
		return v.String()
	}
	return n.value.Amount().String()
}
