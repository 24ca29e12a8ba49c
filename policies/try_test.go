package policies_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/trial"
)

// TestG50TheExampleMeetsNoHarm: the example votes for none of the proposals that do harm, and for those that it is there for.
func TestG50TheExampleMeetsNoHarm(t *testing.T) {
	p, _ := read(t, "../policies.example.yaml").Policy("alice")
	n, votes := 0, []string{}
	for _, one := range p.Try("harbor") {
		n++
		if one.ForHarm() {
			t.Errorf("%s: %s by %s", one.Words, one.Verdict.Direction, one.Verdict.Rule)
		}
		if one.Verdict.Direction == gov.For {
			votes = append(votes, string(one.Name))
		}
		if one.Good() && one.Verdict.Direction == gov.Against && one.Name != "tiny-mint" {
			t.Errorf("%s: against by %s", one.Words, one.Verdict.Rule)
		}
	}
	for _, want := range []string{"grant", "coins", "auditor", "two-payments", "stricter-collateral", "stricter-reserve", "stricter-close"} {
		if !slices.Contains(votes, want) {
			t.Errorf("the example does not vote for %s, only for %v", want, votes)
		}
	}
	t.Logf("n=%d proposals, %d votes for: %v", n, len(votes), votes)
}

// TestG50RandomPoliciesOverTheTrial: whatever a rule says, what a check finds critical is voted for by none that does not
// name the check; and what is no call's own declaration, or has no meaning, by none at all.
func TestG50RandomPoliciesOverTheTrial(t *testing.T) {
	rng := rand.New(rand.NewPCG(50, 9))
	never := []gov.Label{"opaque", "closed-forwarder", "fresh-delegatecall", "hook", "hidden-right", "exhausted", "reverted"}
	n, held := 0, 0
	for range 60 {
		text := openEnded(rng, "")
		set, problems := policies.Parse("p.yaml", []byte(text))
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		p, _ := set.Policy("alice")
		for _, one := range p.Try("dao") {
			n++
			if one.Verdict.Rule == "floor" {
				held++
			}
			if one.Verdict.Direction != gov.For {
				continue
			}
			if slices.Contains(never, one.Name) {
				t.Errorf("for %s by\n%s", one.Name, text)
			}
			for _, f := range policies.Weigh(one.Case.Case).Findings {
				if f.Class == gov.ClassContent && f.Status == gov.Found && f.Severity == gov.Critical {
					t.Errorf("for %s over %s by\n%s", one.Name, f.Name, text)
				}
			}
		}
	}
	if held == 0 {
		t.Error("the floor held nothing")
	}
	t.Logf("n=%d decisions, %d held by the floor", n, held)
}

// A rule can be written on impacts alone, and an impact that is not known is never false.
func TestImpactsInRules(t *testing.T) {
	find := func(name gov.Label) gov.Case {
		all := trial.Cases()
		return all[slices.IndexFunc(all, func(c trial.Case) bool { return c.Name == name })].Case
	}
	holder := func(c gov.Case) gov.Case { c.Holder.Name = "alice"; return c }
	for _, one := range []struct {
		when, of string
		want     string
	}{
		{`impacts.exists(i, i.kind == "streams" && i.when == "over_time")`, "stream-superfluid", "against"},
		{`impacts.exists(i, i.kind == "streams" && i.when == "over_time")`, "grant", "hold"},
		{`impacts.exists(i, i.kind == "grants" && i.to == "0x7a1a000000000000000000000000000000000042")`, "rely", "error"},
		{`impacts.exists(i, i.kind == "pays" && i.amount >= amount("20000000000"))`, "grant", "against"},
		{`impacts.exists(i, i.kind == "pays" && i.asset == "native")`, "coins", "against"},
		{`impacts.exists(i, i.right == "owner")`, "next-owner", "against"},
		{`impacts.exists(i, i.param.startsWith("setCollateralFactor("))`, "stricter-collateral", "against"},
		{`impacts.exists(i, size(i.declared) == 1 && "1" in i.declared)`, "two-payments", "against"},
		{`only("pays")`, "two-payments", "against"},
		{`only("pays")`, "relay", "against"},
		{`only("sets", "pays")`, "stricter-collateral", "against"},
		{`only("sets")`, "grant", "hold"},
		{`only("pays", "transfer")`, "grant", "error"},
		{`impacts.exists(i, i.kind == "pay")`, "grant", "error"},
		{`impacts.exists(i, i.when == "soon")`, "grant", "error"},
		{`only("pays")`, "reverted", "hold unknown"},
		{`impacts.all(i, i.kind == "grants")`, "reverted", "hold unknown"},
	} {
		set, problems := policies.Parse("p", []byte(strings.Replace(file("against", one.when), "governors: [compound]", "governors: [dao]", 1)))
		if problems.HasErrors() {
			if one.want != "error" {
				t.Errorf("%s: %v", one.when, problems)
			}
			continue
		}
		v := set.Decide(holder(find(gov.Label(one.of))))
		got := fmt.Sprint(v.Direction)
		if slices.Contains(v.Reasons, gov.HoldUnknown) {
			got += " unknown"
		}
		if got != one.want {
			t.Errorf("%s of %s: %s (%s), want %s", one.when, one.of, got, v.Because, one.want)
		}
	}
	for _, k := range gov.Kinds {
		if slices.Contains(gov.ImpactKinds, gov.ImpactKind(k)) {
			t.Errorf("%s is a kind of calls and of impacts: only() cannot tell them apart", k)
		}
	}
	r, _ := parse(t, file("for", `only("pays", "sets") && impacts.all(i, i.kind != "grants" && only("pays"))`)).Policy("alice")
	if got := r.Rules[0].Explain(); !strings.Contains(got, "every impact is of kind pays or sets") || !strings.Contains(got, "every impact is of kind pays)") && !strings.Contains(got, "every impact is of kind pays.") {
		t.Errorf("read aloud: %s", got)
	}
}
