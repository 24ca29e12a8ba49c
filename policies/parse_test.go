package policies_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

const head = "version: 1\nholders: [{name: alice, account: \"eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529\", governors: [compound], policy: p}]\n"

// file is a policies.yaml with one rule, whose when stands in line 9.
func file(vote, when string) string {
	return head + "policies:\n  p:\n    hold_if: [{name: c, when: brief.contradicts}]\n    rules:\n      - name: r\n        vote: " + vote + "\n        when: |\n          " + strings.ReplaceAll(when, "\n", "\n          ") + "\n"
}

// G44 for expressions: what is not in the language, not in scope or misspelt is an error at its place.
func TestG44ExpressionErrors(t *testing.T) {
	for _, one := range []struct{ when, want string }{
		{`treasury.outfow_usd > 1`, `10:20: undefined field "treasury.outfow_usd" (did you mean "outflow_usd"?)`},
		{"true &&\n  tresury.outflow_usd > 1", `11:13: there is no "tresury" here (did you mean "treasury"?)`},
		{`params.all(p, p.direction == "tigher")`, `10:40: params[*].direction is never "tigher" (did you mean "tighter"?)`},
		{`effects.status in ["executed", "revert"]`, `10:42: effects.status is never "revert" (did you mean "reverted"?)`},
		{`"transfers" in kinds`, `10:11: kinds is never "transfers" (did you mean "transfer"?)`},
		{`kinds.exists(k, k == "trasnfer")`, `10:32: kinds[*] is never "trasnfer" (did you mean "transfer"?)`},
		{`found("upgrades")`, `10:17: there is no check "upgrades" (did you mean "upgrade"?)`},
		{`found("look-alike")`, `the check "look-alike" cannot be named here: not in this release`},
		{`only("transfr")`, `10:16: there is no kind "transfr" (did you mean "transfer"?)`},
		{`only()`, `only() needs the name of a kind`},
		{`found(kinds[0])`, `found() takes names of checks in quotes`},
		{`outlook.dilution > 0.1`, `10:28: > cannot compare (Quantiles, double)`},
		{`outlook.treasury.runway.p05 < 180`, `undefined field "outlook.treasury.runway" (outlook.treasury has: runway_days, value_usd)`},
		{`bridge.undecoded > 0`, `10:11: "bridge" is not in this release`},
		{`context.tally.for > amount("1")`, `10:11: "context" can be read in hold_if only`},
		{`text.length > 5`, `"text" can be read in hold_if only`},
		{`metrics["x"] > 5.0`, `"metrics" can be read in emergency rules only`},
		{`has(treasury.outflow_usd)`, `has is not in the language`},
		{`dyn(1) == 1`, `dyn is not in the language`},
		{`double(1) > 0.5`, `double is not in the language`},
		{`proposal.name.matches("a.*")`, `matches is not in the language`},
		{`treasury.outflow_usd == 0`, `== does not mix whole numbers and decimals (double, int) (write 0.0 instead of 0)`},
		{`treasury == treasury`, `a group of facts cannot be compared`},
		{`treasury.outflow_usd`, `this is a number, not a condition`},
		{`{"a": 1}["a"] == 1`, `values in braces are not in the language`},
		{`treasury.outflow_usd > 1e999`, `10:34: invalid double literal`},
		{`calls.exists(c, c.to == "0xc0da02939e1441f497fd74f78ce7decb17b66529")`, `has no checksum (write 0xc0Da02939E1441F497fd74F78cE7Decb17B66529)`},
		{`effects.gas < amount("1.5 ETHER")`, `10:32: "1.5 ETHER" is not an amount`},
		{`found("roles"`, `11:11: syntax: missing`},
		{strings.Repeat("(", 60) + "true" + strings.Repeat(")", 60), `recursion`},
		{"true" + strings.Repeat(" || true", 2000), `size`},
		{`proposal.proposer == "x"`, `undefined field "proposal.proposer"`},
		{`true ? 1 : true`, `?: takes conditions`},
	} {
		set, problems := policies.Parse("policies.yaml", []byte(file("hold", one.when)))
		if set != nil || !strings.Contains(problems.Error(), one.want) {
			t.Errorf("%.80s:\n got %v\nwant %s", one.when, problems, one.want)
		}
	}
}

// G44 for the file: every mistake is reported, all at once, and nothing is accepted in silence.
func TestG44PolicyFileErrors(t *testing.T) {
	good := file("for", "true")
	for name, one := range map[string]struct{ text, want string }{
		"unknown key":       {good + "on_timout: no_vote\n", `11:1: unknown key "on_timout" (did you mean "on_timeout"?)`},
		"duplicate key":     {good + "on_timeout: no_vote\non_timeout: no_vote\n", "there twice"},
		"anchor":            {strings.Replace(good, "p:\n", "p: &x\n", 1), ""},
		"a governor twice":  {strings.Replace(good, "governors: [compound]", "governors: [compound, compound]", 1), "is there twice"},
		"no policy":         {strings.Replace(good, "policy: p}", "policy: q}", 1), `there is no policy "q"`},
		"otherwise for":     {strings.Replace(good, "    rules:", "    otherwise: for\n    rules:", 1), `unknown word "for"`},
		"intent against":    {strings.Replace(file("against", "true"), "        when: |\n          true\n", "        intent: is bad\n        within: clean()\n", 1), "an intent stands under vote: for only"},
		"intent alone":      {strings.Replace(good, "        when: |\n          true\n", "        intent: is good\n", 1), "an intent needs within"},
		"within alone":      {strings.Replace(good, "        when: |\n          true\n", "        within: clean()\n", 1), "needs an intent"},
		"neither":           {strings.Replace(good, "        when: |\n          true\n", "        because: x\n", 1), "a rule needs when"},
		"reserved name":     {strings.Replace(good, "name: r", "name: otherwise", 1), "means something else"},
		"bad name":          {strings.Replace(good, "name: r", "name: \"<b>\"", 1), "is not a name"},
		"reserved hold":     {strings.Replace(good, "name: c,", "name: rule,", 1), "means something else"},
		"same name":         {good + "      - {name: r, vote: hold, when: clean()}\n", "is there twice"},
		"amount":            {good + "limits: {fee_per_vote: 1 EUR}\n", "is not an amount"},
		"duration":          {good + "timing: {wait: 6 hours}\n", "is not a duration"},
		"unquoted bang":     {strings.Replace(good, "|\n          true", `!found("roles")`, 1), ""},
		"folded":            {strings.Replace(good, "when: |", "when: >", 1), ""},
		"empty":             {"", "empty"},
		"version":           {strings.Replace(good, "version: 1", "version: 2", 1), ""},
		"emergency do":      {good + "emergency: [{name: x, when: 'metrics[\"a\"] > 1.0', do: []}]\n", "exactly one thing"},
		"emergency context": {good + "emergency: [{name: x, when: 'context.turnout > 0.1', do: [{alert: critical}]}]\n", `"context" can be read in hold_if only`},
		"emergency found":   {good + "emergency: [{name: x, when: 'found(\"roles\")', do: [{alert: critical}]}]\n", "cannot be read in emergency rules"},
		"emergency outlook": {good + "emergency: [{name: x, when: 'outlook.dilution.p95 > 0.1', do: [{alert: critical}]}]\n", "cannot be read in emergency rules"},
		"emergency metrics": {good + "emergency: [{name: x, when: 'metrics.size() > 1', do: [{alert: critical}]}]\n", "metrics is read as"},
		"hold_if later":     {strings.Replace(good, "brief.contradicts", "context.power.spike > 0.1", 1), `"context.power" is not in this release`},
	} {
		set, problems := policies.Parse("policies.yaml", []byte(one.text))
		if set != nil || !problems.HasErrors() || !strings.Contains(problems.Error(), one.want) {
			t.Errorf("%s: got %v, want %s", name, problems, one.want)
		}
	}
	two := strings.Replace(file("hold", "treasury.x > 1"), "brief.contradicts", "brief.contradict", 1)
	if _, problems := policies.Parse("p", []byte(two)); len(problems) != 2 {
		t.Errorf("two mistakes give %d problems: %v", len(problems), problems)
	}
}

func TestNamesAreChecked(t *testing.T) {
	text := file("hold", `proposal.name == "compund"`) + "emergency: [{name: x, when: 'metrics[\"eth-prise\"] > 1.0', do: [{alert: critical}]}]\n"
	names := policies.Names{Governors: []string{"aave"}, Metrics: []string{"eth-price"}}
	_, problems := policies.ParseWith("p", []byte(text), names)
	for _, want := range []string{`there is no governor "compound"`, `there is no governor "compund"`, `there is no metric "eth-prise" (did you mean "eth-price"?)`} {
		if !strings.Contains(problems.Error(), want) {
			t.Errorf("no %s in %v", want, problems)
		}
	}
	if _, problems := policies.Parse("p", []byte(text)); problems.HasErrors() {
		t.Errorf("without a config: %v", problems)
	}
}

// TestOneKeyOnePolicy: with the operator's configuration, which has one voting key, holders who share a governor share a
// policy: which one would decide is told at the line of the second.
func TestOneKeyOnePolicy(t *testing.T) {
	const text = `version: 1
holders:
  - {name: a, account: "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529", governors: [compound, aave], policy: one}
  - {name: b, account: "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529", governors: [uniswap], policy: two}
  - {name: c, account: "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529", governors: [uniswap, aave], policy: two}
  - {name: d, account: "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529", governors: [aave], policy: one}
policies:
  one: {rules: [{name: r, vote: hold, when: unknown_calls > 0}], hold_if: [{name: c, when: brief.contradicts}]}
  two: {rules: [{name: r, vote: hold, when: unknown_calls > 0}], hold_if: [{name: c, when: brief.contradicts}]}
`
	_, problems := policies.ParseWith("p", []byte(text), policies.Names{Governors: []string{"aave", "compound", "uniswap"}})
	if len(problems) != 1 || problems[0].Line != 5 || problems[0].Severity != strict.Error || !strings.Contains(problems[0].Message, "a and c have different policies for aave") {
		t.Errorf("got %v", problems)
	}
	if _, problems := policies.Parse("p", []byte(text)); problems.HasErrors() {
		t.Errorf("without a config: %v", problems)
	}
}

func TestLintWarns(t *testing.T) {
	for name, one := range map[string]struct{ text, want string }{
		"no hold_if":        {strings.Replace(file("for", "clean()"), "    hold_if: [{name: c, when: brief.contradicts}]\n", "", 1), "hold_if is missing"},
		"otherwise against": {strings.Replace(file("for", "clean()"), "    rules:", "    otherwise: against\n    rules:", 1), "votes against everything"},
		"abstain":           {file("abstain", "clean()"), "counts for quorum"},
		"never":             {file("against", "treasury.outflow_usd < 0"), "can never be true"},
		"never and":         {file("against", "clean() && roles.granted < 0"), "can never be true"},
		"constant":          {file("against", "1 > 2"), "can never be true"},
		"always":            {file("hold", "true"), "always true"},
		"wait":              {file("for", "clean()") + "timing: {wait: 5m}\n", "under an hour"},
	} {
		set, problems := policies.Parse("p", []byte(one.text))
		if set == nil || !strings.Contains(problems.Error(), one.want) {
			t.Errorf("%s: got %v, want %s", name, problems, one.want)
		}
	}
	if _, problems := policies.Parse("p", []byte(file("for", `clean() && treasury.outflow_usd <= 0 && params.all(p, p.before < 0)`))); len(problems) != 0 {
		t.Errorf("warned of nothing: %v", problems)
	}
}

func TestWhatAFileLeavesOut(t *testing.T) {
	p, ok := parse(t, file("for", "clean()")).Policy("alice")
	got := fmt.Sprintln(ok, p.Otherwise, p.OnTimeout, p.Timing, p.Limits.FeePerVote, p.Limits.FeePerDay, p.Limits.VotesPerDay, p.Rules[0].Wait)
	if want := "true hold no_vote {6h0m0s 12h0m0s false} 10000000000000000 50000000000000000 20 6h0m0s\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	other, _ := parse(t, strings.Replace(file("for", "clean()"), "        when", "        wait: 2h\n        when", 1)+"timing: {latest: 0s, if_too_short: vote}\non_timeout: against\n").Policy("alice")
	if other.Rules[0].Wait != 2*time.Hour || other.Timing != (policies.Timing{Wait: 6 * time.Hour, VoteIfTooShort: true}) {
		t.Errorf("%+v %v", other.Timing, other.Rules[0].Wait)
	}
	if d, ok := other.OnTimeout.Direction(); !ok || d != gov.Against {
		t.Errorf("on_timeout is %v", d)
	}
}

// The digest follows what decides, not layout.
func TestPolicyDigest(t *testing.T) {
	digest := func(text string) gov.Digest { p, _ := parse(t, text).Policy("alice"); return p.Digest }
	base := file("for", "clean()")
	same := strings.ReplaceAll(strings.Replace(base, "policies:\n", "# a comment\npolicies:\n\n", 1), "governors: [compound]", "governors: [aave]")
	if digest(base) != digest(same) {
		t.Error("a comment changes the digest")
	}
	for _, other := range []string{file("against", "clean()"), file("for", "clean() "), strings.Replace(base, "name: r", "name: s", 1), base + "on_timeout: abstain\n", base + "timing: {wait: 7h}\n"} {
		if other != file("for", "clean() ") && digest(base) == digest(other) {
			t.Errorf("the digest does not see\n%s", other)
		}
	}
}

func FuzzG44Parse(f *testing.F) {
	f.Add([]byte(file("for", `clean() && params.all(p, p.direction == "tighter")`)))
	f.Add([]byte(file("hold", "treasury.outfow_usd > 1e999 || found(\"x\")")))
	f.Add([]byte(file("for", "true") + "emergency: [{name: x, when: 'metrics[\"a\"] > 1.0', do: [{alert: critical}]}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, problems := policies.Parse("policies.yaml", text)
		if (set == nil) != problems.HasErrors() {
			t.Errorf("set %v with problems %v", set != nil, problems)
		}
		if set != nil {
			for _, h := range set.Holders() {
				c := grant()
				c.Holder = h.Holder
				set.Decide(c)
			}
		}
	})
}
