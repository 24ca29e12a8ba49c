package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
)

const shortRunway = "      - name: short-runway\n        vote: against\n        when: outlook.treasury.runway_days.p05 < 180\n        because: the treasury would not last half a year\n"

// withProspects has the operator say what is spent, and the holder read the outlook, and the forecast in a hold_if.
func withProspects(flow string) func(map[string]string) {
	return func(files map[string]string) {
		files["legate.yaml"] = strings.Replace(files["legate.yaml"], "    from_block: 1\n",
			"    from_block: 1\n    outlook: {flow_usd_per_day: "+flow+", paths: 2000, step: 5d, assets: [{token: native, vol: 0.7}]}\n", 1)
		p := files["policies.yaml"]
		p = strings.Replace(p, "    rules:\n", "    rules:\n"+shortRunway, 1)
		files["policies.yaml"] = strings.Replace(p, "    hold_if:\n", "    hold_if:\n      - {name: sure-to-fail, when: context.forecast.pass < 0.0}\n", 1)
	}
}

// TestDaemonOutlook: a rule reads how long the treasury lasts with the proposal. The daemon votes against by it, the
// signer having computed the same; decide and dry-run say so too. Where less is spent the same grant gets a For, which
// waited for a forecast.
func TestDaemonOutlook(t *testing.T) {
	s := newSite(t, "harbor")
	poor := newHome(t, s, setup{edit: withProspects("-10000")})
	poor.start("--live")
	m := s.propose("harbor", "A grant", s.grant("harbor"))
	d := poor.final(m, devchain.Against)
	if d.Verdict.Rule != "short-runway" {
		t.Fatalf("by rule %s: %+v", d.Verdict.Rule, d.Verdict.Trace)
	}
	o := d.Gathered.Outlook
	if o == nil {
		t.Fatal("there is no outlook on record")
	}
	with, without := o.With.Treasury.Or(gov.TreasuryOutlook{}), o.Without.Treasury.Or(gov.TreasuryOutlook{})
	if w, b := with.RunwayDays.P05.Or(0), without.RunwayDays.P05.Or(0); !(w > 0 && w < 120 && w < b) {
		t.Errorf("runway %g with the grant, %g without", w, b)
	}
	shown, _ := poor.legate(0, "show", m.id.String())
	if !strings.Contains(shown, "treasury.runway_days.p05") || !strings.Contains(shown, "outlook.collateral is unknown: no-positions") {
		t.Errorf("show has no outlook:\n%s", shown)
	}
	text, _ := poor.legate(0, "show", m.id.String(), "--json")
	poor.write("dossier.json", text)
	decided, _ := poor.legate(0, "decide", "--dossier", "dossier.json", "--policy", "policies.yaml", "--json")
	dry, _ := poor.legate(0, "dry-run", "--config", "legate.yaml", "--policy", "policies.yaml", "--governor", m.id.Governor.Hex(), "--proposal", m.id.Number.String(),
		"--block", fmt.Sprint(d.Gathered.Facts.At.Number), "--json")
	for name, out := range map[string]string{"decide": decided, "dry-run": dry} {
		var doc struct{ Verdict dossier.VerdictDoc }
		must(t, json.Unmarshal([]byte(out), &doc))
		if doc.Verdict.Direction != gov.Against || doc.Verdict.Rule != "short-runway" {
			t.Errorf("%s says %s by %s", name, doc.Verdict.Direction, doc.Verdict.Rule)
		}
	}
	poor.write("dossier.json", strings.Replace(text, `"outlook": {`, `"outlook": null, "was": {`, 1))
	if out, _ := poor.legate(0, "decide", "--dossier", "dossier.json", "--policy", "policies.yaml", "--json"); !strings.Contains(out, `"missing outlook.treasury"`) {
		t.Errorf("a dossier without outlook: %.600s", out)
	}
	poor.fsck()
	poor.interrupt()

	// the operator spends less from now on
	text = string(may(os.ReadFile(poor.path("legate.yaml")))(t))
	poor.write("legate.yaml", strings.Replace(text, "flow_usd_per_day: -10000", "flow_usd_per_day: -100", 1))
	poor.start("--live")
	rich := s.propose("harbor", "Another grant", s.grant("harbor"))
	d = poor.final(rich, devchain.For)
	if d.Verdict.Rule != "small-grant" || d.Gate == nil || len(d.Gate.HoldIf) > 0 {
		t.Errorf("by rule %s, gate %+v", d.Verdict.Rule, d.Gate)
	}
	first := map[string]int{}
	for i, kind := range poor.records(rich) {
		if _, ok := first[kind]; !ok {
			first[kind] = i
		}
	}
	if f, ok := first["WasForecast"]; !ok || f > first["WasGated"] {
		t.Errorf("the gate did not wait for the forecast: %v", poor.records(rich))
	}
	poor.interrupt()
}

// TestOutlookConfig: what makes no sense is told at its place, all at once.
func TestOutlookConfig(t *testing.T) {
	read := func(outlook, schedules string) string {
		_, problems := parseConfig("legate.yaml", []byte("version: 1\nchains: {\"eip155:1\": {rpc: [\"env:A\"]}}\ngovernors:\n  - name: g\n    address: \"eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529\"\n    outlook: "+outlook+"\nschedules: "+schedules+"\n"))
		if len(problems) == 0 {
			return ""
		}
		return problems.Detail()
	}
	if got := read("{flow_usd_per_day: -5, assets: [{token: native, vol: 0.5}]}", "{digest: \"@weekly\"}"); got != "" {
		t.Error(got)
	}
	for _, one := range []struct{ outlook, schedules, want string }{
		{"{flow: -5}", "{}", "flow"},
		{"{horizon: 365d, step: 2d}", "{}", "365d is not a whole number of steps of 2d"},
		{"{horizon: 3650d, step: 1h}", "{}", "87600 steps are more than 3650"},
		{"{step: 0s}", "{}", "not a whole number of steps"},
		{"{student_t: 1.5}", "{}", "student_t 1.5 is not above 2"},
		{"{paths: 10}", "{}", "paths"},
		{"{correlation: 1.5}", "{}", "correlation"},
		{"{assets: [{token: native}]}", "{}", "vol"},
		{"{assets: [{token: ETH, vol: 1}]}", "{}", "ETH"},
		{"{assets: [{token: native, vol: 1}, {token: native, vol: 2}]}", "{}", "native is listed twice"},
		{"{}", `{resimulate: "6 in the morning"}`, "resimulate"},
		{"{}", `{digest: "0 8 30 2 *"}`, "never comes up"},
	} {
		if got := read(one.outlook, one.schedules); !strings.Contains(got, one.want) {
			t.Errorf("%s %s: %q, want %q", one.outlook, one.schedules, got, one.want)
		}
	}
	c := defaultOutlook()
	if s := c.scenario(); s.Check() != nil || s.Horizon != 365 || s.Step != 1 || s.Flow.IsKnown() {
		t.Errorf("%+v: %v", s, s.Check())
	}
}
