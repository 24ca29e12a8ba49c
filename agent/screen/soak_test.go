package screen_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/screen"
)

// TestSoakCorpora measures on all of the data that is not committed. LEGATE_DATA is the folder that holds
// injection/ and proposals/ as described in its README; `make soak` gives it. Without it there is nothing
// to measure, and the test says so; it is no part of what `make test` promises.
//
//	LEGATE_DATA=… go test -v -run Soak ./agent/screen
func TestSoakCorpora(t *testing.T) {
	dir := os.Getenv("LEGATE_DATA")
	if dir == "" {
		t.Log("LEGATE_DATA is not given: nothing was measured")
		return
	}
	var clean []real
	for _, file := range matching(t, filepath.Join(dir, "proposals", "*.jsonl")) {
		clean = append(clean, falseHolds(t, file)...)
	}
	for _, name := range []string{"bipia_text_attacks", "payloads", "sysprompt_extraction", "jailbreaks"} {
		var alone, mixed, built rate
		for i, a := range rows[attack](t, filepath.Join(dir, "injection", name+".jsonl")) {
			if !counts(a.Text) {
				count(&built, dossier.Text{Description: dossier.Untrusted(a.Text)})
				continue
			}
			count(&alone, dossier.Text{Description: dossier.Untrusted(a.Text)})
			for k, place := range keys(places) {
				c := clean[(i*7+k*13)%len(clean)]
				count(&mixed, dossier.Text{Title: dossier.Untrusted(c.Title), Description: dossier.Untrusted(places[place](c.Description, a.Text))})
			}
		}
		t.Logf("%-22s counting half: held %d of %d alone, %d of %d in real texts (%.3f); building half %d of %d",
			name, alone.held, alone.n, mixed.held, mixed.n, mixed.share(), built.held, built.n)
	}
}

func count(r *rate, text dossier.Text) {
	r.n++
	if len(screen.Flags(text)) > 0 {
		r.held++
	}
}

// falseHolds counts flags and contradictions on the real texts of one file, and returns its clean rows.
func falseHolds(t *testing.T, file string) []real {
	t.Helper()
	var flagged, contradicts, matched, amount, recipient rate
	var clean []real
	flags := map[gov.Flag]int{}
	for _, p := range rows[real](t, file) {
		if len(p.Description) < 20 {
			continue
		}
		f := screen.Flags(p.text())
		flagged.n++
		if len(f) > 0 {
			flagged.held++
			t.Logf("   %s %.20s: %v", p.DAO, p.ProposalID, f)
		} else {
			clean = append(clean, p)
		}
		for _, x := range f {
			flags[x]++
		}
		if len(p.Actions) == 0 {
			continue
		}
		planted(p, &amount, &recipient)
		m := screen.Claims(p.text(), p.facts(), dossier.Shown{})
		contradicts.n++
		matched.n++
		if v, _ := m.Contradicts.Get(); v {
			contradicts.held++
			t.Logf("   %s %.20s contradicts: %q %v", p.DAO, p.ProposalID, m.Claims[0].Text, m.Finding.Evidence)
		}
		for _, c := range m.Claims {
			if c.Relation == dossier.Match {
				matched.held++
				break
			}
		}
	}
	t.Logf("%-22s clean texts: %d of %d held %v; with actions: %d of %d contradict, %d have a match",
		filepath.Base(file), flagged.held, flagged.n, flags, contradicts.held, contradicts.n, matched.held)
	t.Logf("%-22s planted in the calls and seen: other amounts %d of %d, other recipients %d of %d", "", amount.held, amount.n, recipient.held, recipient.n)
	return clean
}

func matching(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files: %v", pattern, err)
	}
	return files
}

// planted counts how often another amount and another recipient in the calls are seen.
func planted(p real, amount, recipient *rate) {
	for _, c := range []struct {
		r      *rate
		change func(*gov.Call)
	}{
		{amount, func(c *gov.Call) {
			a := c.Args[1].Value.Amount().Int()
			c.Args[1].Value.Word = a.Mul(a, uint256.NewInt(137)).Bytes32()
		}},
		{recipient, func(c *gov.Call) { c.Args[0].Value.Word[31] ^= 0x5a; c.Args[0].Value.Word[12] ^= 0x5a }},
	} {
		f, n := p.facts(), 0
		calls, _ := f.Calls.Get()
		for i := range calls {
			if calls[i].Kind == gov.KindTransfer && len(calls[i].Args) == 2 {
				c.change(&calls[i])
				n++
			}
		}
		if n == 0 {
			continue
		}
		c.r.n++
		if v, _ := screen.Claims(p.text(), f, dossier.Shown{}).Contradicts.Get(); v {
			c.r.held++
		}
	}
}
