package policies_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// fiftyRules is a policy of 50 mixed rules of which 3 in 10 loop, none true on the grant, so all are read
// in full.
func fiftyRules() string {
	mixed := []string{
		`treasury.outflow_bps > %d00.5 || treasury.allowances_outside > 0`,
		`supply.minted_bps > %d0 || supply.minters_added > 0 || supply.cap_raised`,
		`params.exists(p, p.direction == "looser" && p.change_bps > %d00)`,
		`effects.status == "reverted" && (found("upgrade") || found("roles")) && unknown_calls > %d`,
		`roles.granted_outside > %d || timelock.delay_after < timelock.delay_before`,
		`treasury.outflows.exists(o, o.usd > %d00000.0 && o.kind == "transfer")`,
		`only("parameter") && clean() && size(params) > %d`,
		`governor.quorum.after < governor.quorum.before * 0.%d5`,
		`calls.exists(c, c.delegatecall && !c.known && c.depth > %d)`,
		`targets.fresh > %d && found("target-code")`,
	}
	var b strings.Builder
	b.WriteString("version: 1\nholders: [{name: alice, account: \"eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529\", governors: [compound], policy: p}]\npolicies:\n  p:\n    rules:\n")
	votes := []string{"against", "hold", "abstain", "for", "against"}
	for i := range 50 {
		when := fmt.Sprintf(mixed[i%10], 6+i%4)
		fmt.Fprintf(&b, "      - name: rule-%d\n        vote: %s\n        when: |\n          %s\n", i, votes[i%5], when)
	}
	b.WriteString("    hold_if: [{name: c, when: brief.contradicts}]\n")
	return b.String()
}

func parse(t testing.TB, text string) *policies.Set {
	t.Helper()
	set, problems := policies.Parse("policies.yaml", []byte(text))
	if err := problems.Err(); err != nil {
		t.Fatalf("%s\n%s", text, problems.Detail())
	}
	return set
}

func BenchmarkDecide50(b *testing.B) {
	set := parse(b, fiftyRules())
	c := grant()
	missing := edit(grant(), func(c *gov.Case) {
		c.Facts.Treasury, c.Facts.Supply, c.Facts.Roles, c.Facts.Params = gov.Treasury{}, gov.Supply{}, gov.Roles{}, gov.Maybe[[]gov.Param]{}
	})
	p, _ := set.Policy("alice")
	b.Run("policy", func(b *testing.B) { // one more policy on a case that was weighed
		b.ReportAllocs()
		e := policies.Weigh(c)
		for b.Loop() {
			p.Decide(e)
		}
	})
	b.Run("policy-missing", func(b *testing.B) {
		b.ReportAllocs()
		e := policies.Weigh(missing)
		for b.Loop() {
			p.Decide(e)
		}
	})
	b.Run("case", func(b *testing.B) { // findings, digest and decision
		b.ReportAllocs()
		for b.Loop() {
			set.Decide(c)
		}
	})
	b.Run("weigh", func(b *testing.B) {
		for b.Loop() {
			policies.Weigh(c)
		}
	})
	b.Run("parse", func(b *testing.B) {
		text := []byte(fiftyRules())
		for b.Loop() {
			policies.Parse("policies.yaml", text)
		}
	})
}

func parsed(t *rapid.T, text string) *policies.Set {
	set, problems := policies.Parse("policies.yaml", []byte(text))
	if err := problems.Err(); err != nil {
		t.Fatalf("%s\n%s", text, problems.Detail())
	}
	return set
}
