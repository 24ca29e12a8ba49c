package dossier_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
)

// TestG30JSONIsInert: what a terminal would obey leaves as an escape, and reads back the same.
func TestG30JSONIsInert(t *testing.T) {
	for _, text := range []string{
		"plain é 漢字 👍", "\u009b31mred\u009c", "\x7f\x7f", "a\u202egnp.exe", "zero\u200bwidth", "tag\U000E0041", "\u2028line", "\u00adsoft", "esc\x1b[2J",
	} {
		doc, err := json.Marshal(map[string]string{"title": text})
		if err != nil {
			t.Fatal(err)
		}
		inert := dossier.InertJSON(doc)
		var back map[string]string
		if err := json.Unmarshal(inert, &back); err != nil || back["title"] != text {
			t.Errorf("%q became %q (%v)", text, back["title"], err)
		}
		if i := strings.IndexFunc(string(inert), func(r rune) bool {
			return r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x202e || r >= 0xe0000
		}); i >= 0 {
			t.Errorf("%q leaves %q", text, inert)
		}
	}
	if got := string(dossier.InertJSON([]byte("\"\xff\""))); got != `"\ufffd"` {
		t.Errorf("an invalid byte leaves as %q", got)
	}
}
