package brief_test

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSoakRealProposals writes the briefs of all real proposals of Compound, Uniswap and ENS that are not
// committed, and holds each to the rules. LEGATE_DATA is the folder that holds proposals/ as described in its
// README; `make soak` gives it. Without it there is nothing to do, and the test says so; it is no part of what
// `make test` promises.
//
//	LEGATE_DATA=… go test -v -run Soak ./agent/brief
func TestSoakRealProposals(t *testing.T) {
	dir := os.Getenv("LEGATE_DATA")
	if dir == "" {
		t.Log("LEGATE_DATA is not given: nothing was done")
		return
	}
	total := 0
	for _, name := range []string{"compound", "uniswap-alpha", "uniswap-alpha2", "uniswap-bravo", "ens"} {
		for _, r := range rows[real](t, filepath.Join(dir, "proposals", name+".jsonl")) {
			d := r.dossier(t)
			b := write(t, nil, d)
			total++
			obeys(t, r.name(), d, b)
			t.Logf("%s\n%s", r.name(), printed(b))
		}
	}
	t.Logf("%d briefs", total)
}
