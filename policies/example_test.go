package policies_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// read parses a policies file that must be without errors.
func read(t testing.TB, name string) *policies.Set {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	set, problems := policies.Parse(name, text)
	if err := problems.Err(); err != nil {
		t.Fatalf("%s:\n%s", name, problems.Detail())
	}
	return set
}

func TestExampleDecides(t *testing.T) {
	set := read(t, "../policies.example.yaml")
	for name, want := range map[string]string{
		"grant":     "for small-grant [] ",
		"tighten":   "for safer-parameters [] ",
		"dilution":  "against no-dilution [] ",
		"allowance": "against no-drain [] ",
		"timelock":  "against no-new-masters [] ",
		"reverted":  "against unverifiable [] ",
		"unknown":   "hold closed-world [closed-world] ",
		"blind":     "hold no-dilution [unknown unavailable] ",
		"upgrade":   "hold otherwise [otherwise] timely",
		"draft":     "hold closed-world [closed-world] ",
	} {
		v := set.Decide(cases[name]())
		timely := ""
		if v.Timely() {
			timely = "timely"
		}
		if got := fmt.Sprintf("%s %s %s %s", v.Direction, v.Rule, v.Reasons, timely); got != want {
			t.Errorf("%s: %s (%s), want %s\n%s", name, got, v.Because, want, trace(v))
		}
	}
}

func trace(v gov.Verdict) (out string) {
	for _, one := range v.Trace {
		values, _ := one.Values.MarshalJSON()
		out += fmt.Sprintf("  %s %s %s %s %s\n", one.Rule, one.Vote, one.Result, values, one.Why)
	}
	return out
}
