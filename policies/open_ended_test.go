package policies_test

import (
	"strings"
	"testing"

	"github.com/legate-dao/legate/policies"
)

// TestG50OpenEndedRulesAreTold: lint tries a For on proposals that do harm, and says which guard to add. What is bounded is
// left alone, however it is written.
func TestG50OpenEndedRulesAreTold(t *testing.T) {
	const file = `version: 1
holders: [{name: alice, account: "eip155:1:0x00000000000000000000000000000000000000A1", governors: [dao], policy: p}]
policies:
  p:
    rules:
      - {name: a, vote: VOTE, when: 'RULE'}
    hold_if: [{name: contradicts, when: brief.contradicts}]
`
	for _, c := range []struct{ rule, want string }{
		{`treasury.outflow_bps < 100.0`, `clean_but("outflow")`},
		{`treasury.outflow_usd <= 50000`, `only("native", "transfer") && clean_but("outflow")`},
		{`!(treasury.outflow_usd > 50000)`, `only("native", "transfer")`},
		{`proposal.actions >= 1`, "open-ended"},
		{`!("mint" in kinds) && treasury.outflow_usd < 10`, "open-ended"},
		{`clean_but("outflow") && treasury.outflow_usd <= 50000`, `only("native", "transfer")`}, // streams and allowances pay nothing now
		{`roles.granted_outside == 0 && treasury.outflow_usd <= 0`, "open-ended"},
		{`only("stream") && treasury.outflow_usd <= 10`, "open-ended"},
		{`only("parameter") && clean()`, "p.change_bps >= -2500.0"},
		{`only("parameter") && clean() && params.all(p, p.direction == "tighter")`, "p.change_bps >= -2500.0"},
		{`clean() && params.all(p, p.direction == "tighter" && p.change_bps > -9000.0)`, "no bound"},
		{`impacts.all(i, i.kind == "sets")`, "p.change_bps >= -2500.0"},

		{`only("native", "transfer") && clean_but("outflow") && treasury.outflow_usd <= 50000`, ""},
		{`only("pays") && clean_but("outflow") && treasury.outflow_usd <= 50000`, ""},
		{`clean() && treasury.outflow_usd <= 0 && size(params) == 0`, ""},
		{`only("parameter") && clean() && params.all(p, p.direction == "tighter" && p.change_bps >= -2500.0 && p.change_bps <= 2500.0)`, ""},
		{`only("registers") && clean()`, ""},
	} {
		text := strings.NewReplacer("RULE", c.rule, "VOTE", "for").Replace(file)
		_, problems := policies.Parse("p.yaml", []byte(text))
		if problems.HasErrors() {
			t.Fatal(c.rule, problems)
		}
		if got := problems.Error(); c.want == "" && len(problems) > 0 || c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s\n%s\nwant %q", c.rule, got, c.want)
		}
		text = strings.NewReplacer("RULE", c.rule, "VOTE", "against").Replace(file)
		if _, problems := policies.Parse("p.yaml", []byte(text)); len(problems) > 0 {
			t.Errorf("as an against: %s\n%s", c.rule, problems)
		}
	}
}
