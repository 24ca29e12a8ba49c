package policies_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// critical is a case that a rule votes for, with one critical finding more.
func critical(t *testing.T, name gov.CheckName, class gov.Class) *policies.Evidence {
	t.Helper()
	e := policies.Weigh(grant())
	i := slices.IndexFunc(e.Findings, func(f gov.Finding) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no finding of %s", name)
	}
	e.Findings[i].Class, e.Findings[i].Status, e.Findings[i].Severity = class, gov.Found, gov.Critical
	return e
}

// TestG50NoForOverACriticalFinding: whatever the rule says, a For over a critical content finding is held unless the rule
// names the check.
func TestG50NoForOverACriticalFinding(t *testing.T) {
	example, err := os.ReadFile("../policies.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(50, 50))
	n, held, despite := 0, 0, 0
	for _, check := range checks.All {
		var texts []string
		texts = append(texts, string(example))
		for range 40 {
			texts = append(texts, openEnded(rng, ""))
		}
		for _, text := range texts {
			set, problems := policies.Parse("p.yaml", []byte(text))
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			n++
			v := set.DecideOn(critical(t, check.Name, gov.ClassContent), "alice")
			if v.Direction == gov.For {
				t.Errorf("%s: for over a critical finding by %s of\n%s", check.Name, v.Rule, text)
			}
			if v.Rule == "floor" {
				held++
				if !slices.Equal(v.Reasons, []gov.HoldReason{gov.HoldCritical}) || !strings.Contains(v.Because, string(check.Name)) {
					t.Errorf("%s: %+v", check.Name, v)
				}
			}
			if w := set.DecideOn(critical(t, check.Name, gov.ClassContext), "alice"); v.Rule == "floor" && w.Direction != gov.For {
				t.Errorf("%s: a finding of class context holds by the floor: %+v", check.Name, w)
			}
		}
		named, problems := policies.Parse("p.yaml", []byte(openEnded(rng, string(check.Name))))
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		v := named.DecideOn(critical(t, check.Name, gov.ClassContent), "alice")
		if check.Name == checks.Undeclared.Name { // no rule can pass over what nobody declared
			if v.Direction == gov.For {
				t.Errorf("%s: for over what no call declares", check.Name)
			}
			despite++
		} else if v.Direction != gov.For {
			t.Errorf("%s: a rule that names the check is held: %+v", check.Name, v)
		} else {
			despite++
		}
	}
	if held == 0 || despite != len(checks.All) {
		t.Errorf("%d held by the floor, %d of %d voted despite", held, despite, len(checks.All))
	}
	t.Logf("n=%d policies and findings, 0 votes for, %d held by the floor", n, held)
}

// openEnded is a policy whose For is true of nearly everything.
func openEnded(rng *rand.Rand, despite string) string {
	when := []string{"treasury.outflow_bps < 10000.0", "treasury.outflow_usd <= 1e12", "proposal.actions >= 0", "size(params) >= 0", `!("mint" in kinds)`}[rng.IntN(5)]
	if despite != "" {
		despite = ", despite: [" + despite + "]"
	}
	return fmt.Sprintf(`version: 1
holders: [{name: alice, account: "eip155:1:0x00000000000000000000000000000000000000A1", governors: [dao], policy: p}]
policies:
  p:
    rules:
      - {name: open, vote: for, when: '%s'%s}
    hold_if: [{name: contradicts, when: brief.contradicts}]
`, when, despite)
}

func TestDespiteIsReadStrictly(t *testing.T) {
	for rule, want := range map[string]string{
		`{name: a, vote: for, when: 'proposal.actions > 1', despite: [roles, outflow]}`: "",
		`{name: a, vote: for, when: 'proposal.actions > 1', despite: [role]}`:           `there is no check "role"`,
		`{name: a, vote: against, when: 'proposal.actions > 1', despite: [roles]}`:      "despite stands under vote: for only",
		`{name: a, vote: for, when: 'proposal.actions > 1', despite: []}`:               "despite names no check",
		`{name: a, vote: for, when: 'proposal.actions > 1', despite: [roles, roles]}`:   "is there twice",
		`{name: floor, vote: for, when: 'proposal.actions > 1'}`:                        "means something else in verdicts",
	} {
		text := strings.Replace(openEnded(rand.New(rand.NewPCG(1, 1)), ""), "      - {name: open", "      - "+rule+"\n      - {name: open", 1)
		_, problems := policies.Parse("p.yaml", []byte(text))
		if want == "" && problems.HasErrors() || want != "" && !strings.Contains(fmt.Sprint(problems), want) {
			t.Errorf("%s: %v, want %q", rule, problems, want)
		}
	}
}
