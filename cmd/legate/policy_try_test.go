package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// templates are the policies that this project gives out: the example, the demo's, and that of `init`.
func templates(t *testing.T) map[string]string {
	t.Helper()
	example, err := os.ReadFile("../../policies.example.yaml")
	must(t, err)
	f := initFlags{name: "dao"}
	x := &found{}
	x.account.Chain = "eip155:1"
	return map[string]string{"example": string(example), "demo": string(demoPolicies), "init": f.policies(x, "0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A")}
}

// TestG50TemplatesMeetNoHarm: every policy that this project gives out passes the trial, and lint finds none of its rules
// open-ended.
func TestG50TemplatesMeetNoHarm(t *testing.T) {
	n := 0
	for name, text := range templates(t) {
		set, problems := policies.Parse(name, []byte(text))
		if problems.HasErrors() {
			t.Fatalf("%s: %s", name, problems.Detail())
		}
		for _, p := range problems {
			if strings.Contains(p.Message, "open-ended") || strings.Contains(p.Message, "no bound") {
				t.Errorf("%s: %s", name, p)
			}
		}
		doc := try(set)
		if !doc.OK {
			t.Errorf("%s:\n%s", name, tryText(doc))
		}
		for _, p := range doc.Policies {
			n += len(p.Cases)
			votes := map[gov.Direction]int{}
			for _, c := range p.Cases {
				votes[c.Direction]++
			}
			if votes[gov.For] < 5 || votes[gov.Against] < 10 || len(p.Cases) < 40 {
				t.Errorf("%s at %s: %v of %d", p.Name, p.Governor, votes, len(p.Cases))
			}
		}
	}
	t.Logf("n=%d decisions", n)
}

func TestPolicyTry(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.WriteFile("good.yaml", demoPolicies, 0o600))
	out, _ := legate(t, 0, "policy", "try", "good.yaml")
	if strings.Count(out, "at harbor") != 1 || strings.Contains(out, "at meadow") || !strings.Contains(out, "no vote for harm") ||
		!strings.Contains(out, "for      small-grant        Pays 20 000 USDC to a contributor") {
		t.Errorf("the example:\n%s", out)
	}

	evil := strings.Replace(string(demoPolicies), `only("native", "transfer") && clean_but("outflow") && treasury.outflow_usd <= 50000`, "treasury.outflow_bps < 100.0", 1)
	evil = strings.ReplaceAll(evil, "vote: against", "vote: for")
	must(t, os.WriteFile("evil.yaml", []byte(evil), 0o600))
	out, _ = legate(t, 1, "policy", "try", "evil.yaml")
	if !strings.Contains(out, "\n! for ") || !strings.Contains(out, "for what does harm") {
		t.Errorf("an open one:\n%s", out)
	}
	out, _ = legate(t, 1, "policy", "try", "evil.yaml", "--json")
	var doc tryDocument
	if err := json.Unmarshal([]byte(out), &doc); err != nil || doc.OK || len(doc.Policies) != 2 || doc.Policies[0].Harm == 0 {
		t.Errorf("%v:\n%s", err, out)
	}
}
