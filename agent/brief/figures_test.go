package brief_test

import (
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
)

// A long text is cited also where none of its sentences can stand: of one figure of hundreds of digits no beginning is
// in its own source.
func TestTextOfFiguresIsCited(t *testing.T) {
	for name, text := range map[string]string{
		"one hex word": "0x" + strings.Repeat("ab", 300),
		"figures":      strings.Repeat("1 2 3 4 5 6 7 8 9 10. ", 50),
		"one number":   strings.Repeat("7", 900),
	} {
		d := sample(t)
		d.Text = dossier.Text{Title: "t", Description: dossier.Untrusted("# t\n\n" + text)}
		b := write(t, nil, d)
		obeys(t, name, d, b)
		cited := false
		for _, s := range b.Sentences {
			for _, id := range s.Sources {
				cited = cited || id[0] == 's'
			}
		}
		if !cited {
			t.Errorf("%s: no sentence cites the text: %+v", name, b.Sentences)
		}
	}
}
