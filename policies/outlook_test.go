package policies_test

import (
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

func quantiles(p05, p50, p95, p99 float64) gov.Quantiles {
	return gov.Quantiles{P05: gov.Known(p05), P50: gov.Known(p50), P95: gov.Known(p95), P99: gov.Known(p99)}
}

// withOutlook adds one of a treasury that lasts 120 days at worst, and a dilution of a tenth.
func withOutlook(c gov.Case) gov.Case {
	c.Outlook = gov.Outlook{
		Treasury: gov.Known(gov.TreasuryOutlook{RunwayDays: quantiles(120, 300, 365, 365), ValueUSD: quantiles(1e5, 9e5, 2e6, 4e6)}),
		Dilution: gov.Known(quantiles(.05, .07, .1, .12)),
	}
	return c
}

// TestOutlookInRules: a rule reads what remains with the proposal; what is missing is unknown, and so is all of it
// unless the run executed.
func TestOutlookInRules(t *testing.T) {
	noFlow := withOutlook(grant())
	noFlow.Outlook.Treasury = gov.Known(gov.TreasuryOutlook{ValueUSD: quantiles(1, 2, 3, 4)})
	reverted := withOutlook(cases["reverted"]())
	for _, one := range []struct {
		when, result, why string
		c                 gov.Case
	}{
		{`outlook.treasury.runway_days.p05 < 180`, "true", "", withOutlook(grant())},
		{`outlook.treasury.runway_days.p05 < 120`, "false", "", withOutlook(grant())},
		{`outlook.treasury.value_usd.p05 < 5e5 && outlook.dilution.p95 > 0.09`, "true", "", withOutlook(grant())},
		{`outlook.collateral.bad_debt_usd.p99 > 0`, "unknown", "missing outlook.collateral", withOutlook(grant())},
		{`outlook.treasury.runway_days.p05 < 180`, "unknown", "missing outlook.treasury.runway_days.p05", noFlow},
		{`outlook.treasury.value_usd.p50 == 2.0`, "true", "", noFlow},
		{`outlook.dilution.p95 > 0.5`, "unknown", "missing outlook.dilution", grant()},
		{`outlook.treasury.value_usd.p05 > 1`, "unknown", "missing outlook.treasury", reverted},
	} {
		got := result(t, one.when, one.c)
		if string(got.Result) != one.result || got.Why != one.why {
			t.Errorf("%s is %s (%s), want %s (%s)", one.when, got.Result, got.Why, one.result, one.why)
		}
	}
	set := parse(t, file("for", "outlook.treasury.runway_days.p05 > 100"))
	if v := set.Decide(withOutlook(grant())); v.Direction != gov.For {
		t.Errorf("%s by %s", v.Direction, v.Rule)
	}
	if v := set.Decide(grant()); v.Direction != gov.Hold || v.Timely() {
		t.Errorf("without an outlook it is %s, timely %v", v.Direction, v.Timely())
	}
}

// TestReadsOutlook: only what names it needs it.
func TestReadsOutlook(t *testing.T) {
	of := func(text string) *policies.Policy { return parse(t, text).Policies()[0] }
	if !of(file("against", "true || outlook.dilution.p95 > 0.1")).ReadsOutlook() {
		t.Error("a rule's outlook is not seen")
	}
	plain := of(file("against", `treasury.outflow_usd > 1 && !found("outflow")`))
	if plain.ReadsOutlook() || plain.ReadsForecast() {
		t.Error("a rule without outlook and forecast needs one")
	}
	hold := func(when string) *policies.Policy {
		return of(strings.Replace(file("for", "true"), "{name: c, when: brief.contradicts}", "{name: c, when: brief.contradicts}, {name: d, when: '"+when+"'}", 1))
	}
	if !hold("outlook.treasury.value_usd.p05 < 1").ReadsOutlook() || !hold("1.0 - context.forecast.pass > 0.5").ReadsForecast() || hold("context.turnout > 0.5").ReadsForecast() {
		t.Error("what a hold_if reads is not seen")
	}
}

// TestForecastInHoldIf: by its point estimates, and unknown without one, which holds.
func TestForecastInHoldIf(t *testing.T) {
	set := parse(t, strings.Replace(file("for", "true"), "{name: c, when: brief.contradicts}", `{name: late, when: 'context.forecast.quorum < 0.2 || context.forecast.pass > 0.99'}`, 1))
	ctx := func(pass, quorum float64) gov.Context {
		return gov.Context{Forecast: gov.Known(gov.VoteChances{Pass: pass, Quorum: quorum})}
	}
	for _, one := range []struct {
		ctx  gov.Context
		want string
	}{{ctx(.5, .5), ""}, {ctx(.5, .1), "true"}, {ctx(1, .9), "true"}, {gov.Context{}, "unknown"}} {
		holds := set.Holds(grant(), one.ctx, gov.Reading{})
		got := ""
		if len(holds) > 0 {
			got = string(holds[0].Result)
		}
		if got != one.want {
			t.Errorf("%+v: %+v, want %q", one.ctx, holds, one.want)
		}
	}
}
