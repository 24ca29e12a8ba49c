package checks_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Every check has cases for each way in which it can end, in testdata/<name>; a case is named for its end.
func TestChecks(t *testing.T) {
	for _, c := range checks.All {
		t.Run(string(c.Name), func(t *testing.T) {
			dir := filepath.Join("testdata", strings.ReplaceAll(string(c.Name), "-", "_"))
			files, err := filepath.Glob(filepath.Join(dir, "*.json"))
			if err != nil {
				t.Fatal(err)
			}
			ends := map[gov.Status]int{}
			for _, file := range files {
				ends[runCase(t, c, file)]++
			}
			for _, s := range []gov.Status{gov.Found, gov.Clean, gov.NotApplicable, gov.NotChecked} {
				if ends[s] == 0 {
					t.Errorf("no case in %s ends %s", dir, s)
				}
			}
		})
	}
}

func runCase(t *testing.T, c checks.Check, file string) gov.Status {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var one gov.Case
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&one); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	found := c.Run(one.Proposal, one.Facts)
	status := checks.StatusOf(c.Name, found)
	if name := filepath.Base(file); !strings.HasPrefix(name, string(status)) {
		t.Errorf("%s ends %s", file, status)
	}
	for _, f := range found {
		if f.ID != c.ID || f.Name != c.Name || f.Class != c.Class || f.Title == "" || f.Severity == "" || f.Evidence == nil {
			t.Errorf("%s: %+v", file, f)
		}
		if f.Status == gov.Found && f.Remedy == "" || f.Status != gov.Found && f.Severity != gov.Info {
			t.Errorf("%s: %+v", file, f)
		}
	}
	got, err := json.MarshalIndent(found, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	golden := strings.TrimSuffix(file, ".json") + ".golden"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
	return status
}

// Each check documents itself, and the required ones are those of the guarantees that this release has.
func TestChecksAreDocumented(t *testing.T) {
	want := map[gov.CheckID]gov.CheckName{"D1": "upgrade", "D2": "roles", "D3": "timelock", "D4": "governor", "D5": "outflow", "D6": "delegatecall", "D7": "target-code", "D12": "supply", "D13": "cross-chain", "D16": "reverts", "D25": "undeclared"}
	for _, c := range checks.All {
		if want[c.ID] != c.Name || !c.Required || c.Class != gov.ClassContent || c.Title == "" || len(c.Text) < 200 || !strings.Contains(c.Text, "warning") {
			t.Errorf("%s %s is not documented as it should be", c.ID, c.Name)
		}
		delete(want, c.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// Nothing known is never clean, whichever check is asked.
func TestNothingKnownIsNotChecked(t *testing.T) {
	p := gov.Proposal{Actions: []gov.Action{{}}}
	for _, f := range checks.Run(p, gov.Facts{}) {
		if f.Status != gov.NotChecked {
			t.Errorf("%s of no facts is %s", f.Name, f.Status)
		}
	}
	if s := checks.StatusOf("outflow", nil); s != gov.NotChecked {
		t.Errorf("no finding is %s", s)
	}
}

// A proposal of very many calls gets a bounded number of findings, and the gravest is not hidden by the many.
func TestManyCallsGiveFewFindings(t *testing.T) {
	own := gov.Address{1}
	calls := make([]gov.Call, 5000)
	for i := range calls {
		calls[i] = gov.Call{To: gov.Address{2}, Kind: gov.KindUpgrade}
	}
	calls[4000].To = own
	found := checks.Upgrade.Run(gov.Proposal{}, gov.Facts{Calls: gov.Known(calls), DAO: gov.DAO{Token: own}})
	last := found[len(found)-1]
	if len(found) > 100 || last.Severity != gov.Critical || last.Title != "and 4936 more like these" {
		t.Errorf("%d findings, the last %+v", len(found), last)
	}
}
