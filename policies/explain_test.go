package policies_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/trial"
)

func TestExplainReadsRulesAloud(t *testing.T) {
	p, _ := read(t, "../policies.example.yaml").Policy("alice")
	want := map[string]string{
		"no-dilution":       "Vote against when supply.minted_bps is above 50 or supply.minters_added is above 0 or supply.cap_raised, because it would dilute holders by more than 0.5 %.",
		"unverifiable":      "Vote against when (proposal.too_large or effects.status is among reverted, exhausted) and (the check upgrade found something or the check roles found something or the check outflow found something or the check supply found something or the check timelock found something), because it cannot be executed or read as it stands, so what it would do cannot be seen.",
		"small-grant":       "Vote for when every call is of kind transfer or native and no required check but outflow found anything and treasury.outflow_usd is at most 50000, because a small payment that does nothing else.",
		"safer-parameters":  "Vote for when every call is of kind parameter and no required check found anything and the number of params is above 0 and for every p of params, p.direction is tighter and p.change_bps is at least -2500 and p.change_bps is at most 2500, because it only tightens known parameters, by a quarter at most.",
		"stronger-security": "Vote for when the judge says that it increases the security of the protocol, provided that treasury.outflow_usd is at most 0 and no required check found anything.",
	}
	for _, r := range p.Rules {
		if text, ok := want[string(r.Name)]; ok && r.Explain() != text {
			t.Errorf("%s:\n got %s\nwant %s", r.Name, r.Explain(), text)
		}
	}
}

func TestExplainSaysWhyAVerdict(t *testing.T) {
	set := read(t, "../policies.example.yaml")
	for name, part := range map[string]string{
		"grant":    `For: rule small-grant (5 of 7) is true (kinds = ["transfer"], clean_but("outflow") = true, treasury.outflow_usd = 20000)`,
		"dilution": "Against: rule no-dilution (1 of 7) is true (supply.minted_bps = 2000",
		"unknown":  "Hold: small-grant would vote for, but call 0 is not known.",
		"blind":    "Hold: rule no-dilution (1 of 7), which would vote against, could not be decided: missing supply.cap_raised, supply.minted_bps, supply.minters_added.",
		"upgrade":  "Hold: all 7 rules are false",
	} {
		if got := policies.Explain(set.Decide(cases[name]())); !strings.Contains(got, part) {
			t.Errorf("%s: %s, want %s", name, got, part)
		}
	}
}

// Every fact that is tagged in gov or in a view is documented with a type, and with a unit where it is a number.
func TestFactsAreDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range policies.Facts() {
		if seen[f.Path] || f.Unknown == "" || f.Class == "" || !f.Later && f.Type == "" {
			t.Errorf("%+v", f)
		}
		seen[f.Path] = true
		if number := f.Type == "int" || f.Type == "double" || f.Type == "amount"; number && f.Unit == "" {
			t.Errorf("%s is a number without a unit", f.Path)
		}
	}
	for _, path := range []string{"kinds[]", "calls[].value_eth", "treasury.outflows[].usd", "governor.quorum.after", "context.tally.for", "outlook.treasury.runway_days.p05", "outlook.dilution.p95", "outlook.collateral.bad_debt_usd.p99", "context.forecast.pass", "bridge", "context.power"} {
		if !seen[path] {
			t.Errorf("%s is not listed", path)
		}
	}
}

// A For that passes over critical findings says so, and one that is held by the floor says what to name.
func TestG50DespiteIsSaid(t *testing.T) {
	takeover := func(rule string) gov.Verdict {
		set := parse(t, strings.Replace(file("for", `only("timelock")`), "        vote: for\n", "        vote: for\n"+rule, 1))
		all := trial.Cases()
		c := all[slices.IndexFunc(all, func(c trial.Case) bool { return c.Name == "timelock-takeover" })].Case
		c.Holder.Name = "alice"
		p, _ := set.Policy("alice")
		if text := p.Rules[0].Explain(); strings.Contains(text, "despite critical findings of roles, timelock") != (rule != "") {
			t.Errorf("the rule aloud: %s", text)
		}
		return set.Decide(c)
	}
	if v := takeover(""); v.Direction != gov.Hold || !strings.Contains(policies.Explain(v), "over critical findings of roles") || !strings.Contains(policies.Explain(v), "under despite") {
		t.Errorf("held: %s", policies.Explain(v))
	}
	v := takeover("        despite: [roles, timelock]\n")
	if text := policies.Explain(v); v.Direction != gov.For || !strings.Contains(text, "despite critical findings of roles") {
		t.Errorf("for: %s", text)
	}
}
