package book

import (
	"testing"

	"github.com/legate-dao/legate/agent/impact"
)

// Every function of the ABIs that the program ships has a meaning: a call of a booked contract that nobody can read would
// be held for a reason that no operator can mend.
func TestShippedFunctionsHaveAMeaning(t *testing.T) {
	n := 0
	for _, m := range own {
		if m.method.View {
			continue
		}
		n++
		if _, ok := impact.Of(m.method.Signature); !ok {
			t.Errorf("%s has no meaning", m.method.Signature)
		}
	}
	t.Logf("n=%d functions", n)
}
