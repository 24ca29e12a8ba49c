package dossier_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// What a file says of kinds and unknown calls counts where it says more than its calls do, and never less.
func TestReadDocumentKeepsWhatSaysMore(t *testing.T) {
	call := func(known bool) map[string]any {
		return map[string]any{"to": "0x1111111111111111111111111111111111111111", "value": "0", "kind": "transfer", "known": known, "args": nil, "children": nil}
	}
	for _, c := range []struct {
		name    string
		facts   map[string]any
		kinds   []gov.Kind
		unknown int64
	}{
		{"nothing stored", map[string]any{"calls": []any{call(true)}}, []gov.Kind{gov.KindTransfer}, 0},
		{"null", map[string]any{"calls": []any{call(false)}, "kinds": nil, "unknown_calls": nil}, []gov.Kind{gov.KindTransfer}, 1},
		{"less", map[string]any{"calls": []any{call(false)}, "kinds": []string{}, "unknown_calls": 0}, []gov.Kind{gov.KindTransfer}, 1},
		{"more", map[string]any{"calls": []any{call(true)}, "kinds": []string{"transfer", "upgrade"}, "unknown_calls": 2}, []gov.Kind{gov.KindTransfer, gov.KindUpgrade}, 2},
	} {
		b, err := json.Marshal(map[string]any{"version": 1, "id": "eip155:1:0x1111111111111111111111111111111111111111/1", "facts": c.facts})
		if err != nil {
			t.Fatal(err)
		}
		_, g, err := dossier.ReadDocument(b)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := g.Facts.Kinds.Or(nil); !slices.Equal(got, c.kinds) {
			t.Errorf("%s: kinds are %v, want %v", c.name, got, c.kinds)
		}
		if got, ok := g.Facts.UnknownCalls.Get(); !ok || got != c.unknown {
			t.Errorf("%s: unknown calls are %d, want %d", c.name, got, c.unknown)
		}
	}
}
