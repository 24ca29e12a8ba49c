package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const treasuryFile = `version: 1
kind: treasury
seed: 7
paths: 20000                  # never fewer
horizon: 365d                 # whole steps; a year is 365 days
step: 1d
cash_usd: 1005000             # spent first
assets:                       # then sold pro rata by value
  - {name: ETH, amount: 1000, price_usd: 2000, drift: 0.05, vol: 0.6}
correlation: [[1]]            # in the order of assets; left out: independent
shocks: normal                # normal | {student_t: 4}, unit variance
jumps: {per_year: 8, mean: -0.08, sd: 0.12}   # common, in log price
flows:
  - {name: salaries, usd_per_day: -10000}     # in is positive, out negative; netted
barriers:
  - {name: low, below: 0.7, monitor: step}
`

const collateralFile = `version: 1
kind: collateral
seed: 12
paths: 20000
horizon: 30d
step: 1d
buffer_usd: 33000
assets:
  - {name: ETH, price_usd: 2000, drift: 0, vol: 0, threshold: 0.8, bonus: 0.05}
jumps: {per_year: 1, mean: -0.5, sd: 0}
liquidation: {delay: 0d, close_factor: 1}
positions:
  - {owner: vault-1, collateral: {ETH: 100}, debt_usd: 150000}
`

// object runs a command and reads its document.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out, _ := legate(t, 0, args...)
	doc := map[string]any{}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return doc
}

// shape is a document with its numbers left out: the keys in the order of their names.
func shape(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return ""
	}
	keys := make(map[string]string, len(m))
	for k, inner := range m {
		keys[k] = shape(inner)
	}
	return strings.ReplaceAll(fmt.Sprint(keys), "map", "")
}

func number(t *testing.T, doc map[string]any, path ...string) float64 {
	t.Helper()
	var v any = doc
	for _, k := range path {
		v = v.(map[string]any)[k]
	}
	x, ok := v.(float64)
	if !ok {
		t.Fatalf("%v is %v, no number", path, v)
	}
	return x
}

func TestSimulateTreasury(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "t.yaml", treasuryFile)
	doc := object(t, "simulate", "treasury", "t.yaml", "--json")
	want := "[barriers: engine:[paths: seed: version:] kind: ruin:[high: low: p:] runway_days:[p05: p50: p95:] value_usd:[mean: p05: p50: p95: se:] version:]"
	if diff := cmp.Diff(want, shape(doc)); diff != "" {
		t.Errorf("keys:\n%s", diff)
	}
	if number(t, doc, "engine", "paths") != 20000 || number(t, doc, "engine", "seed") != 7 {
		t.Errorf("engine %v", doc["engine"])
	}
	ruin := number(t, doc, "ruin", "p")
	if !(number(t, doc, "ruin", "low") < ruin && ruin < number(t, doc, "ruin", "high")) || ruin < .7 || ruin > .9 {
		t.Errorf("ruin %v", doc["ruin"])
	}
	if p95 := doc["runway_days"].(map[string]any)["p95"]; p95 != nil {
		t.Errorf("a fifth survives, but the last quantile of the runway is %v, not null", p95)
	}
	one, _ := legate(t, 0, "simulate", "treasury", "t.yaml", "--json", "--workers", "1")
	seven, _ := legate(t, 0, "simulate", "treasury", "t.yaml", "--json", "--workers", "7")
	if one != seven {
		t.Error("the number of workers shows in the document")
	}
	// Still prices: 100.5 days, and an event never seen.
	still := strings.NewReplacer("vol: 0.6", "vol: 0", "drift: 0.05", "drift: 0", "amount: 1000", "amount: 0", "jumps:", "# jumps:").Replace(treasuryFile)
	write(t, "still.yaml", still)
	doc = object(t, "simulate", "treasury", "still.yaml", "--json")
	for _, q := range []string{"p05", "p50", "p95"} {
		if got := number(t, doc, "runway_days", q); math.Abs(got-100.5) > 1e-9 {
			t.Errorf("runway %s is %g, not 100.5", q, got)
		}
	}
	write(t, "safe.yaml", strings.Replace(still, "-10000", "10", 1))
	doc = object(t, "simulate", "treasury", "safe.yaml", "--json")
	if number(t, doc, "ruin", "p") != 0 || number(t, doc, "ruin", "low") != 0 || number(t, doc, "ruin", "high") != 3.0/20000 {
		t.Errorf("never seen: %v", doc["ruin"])
	}
	if text, _ := legate(t, 0, "simulate", "treasury", "t.yaml"); !strings.Contains(text, "runs out") {
		t.Error(text)
	}
}

func TestSimulateCollateral(t *testing.T) {
	t.Chdir(t.TempDir())
	write(t, "c.yaml", collateralFile)
	doc := object(t, "simulate", "collateral", "c.yaml", "--json")
	want := "[bad_debt_usd:[mean: p50: p95: p99: se:] engine:[paths: seed: version:] insolvent:[high: low: p:] kind: liquidated:[high: low: p:] over_buffer:[high: low: p:] version:]"
	if diff := cmp.Diff(want, shape(doc)); diff != "" {
		t.Errorf("keys:\n%s", diff)
	}
	exact := 1 - math.Exp(-30.0/365)
	if p := number(t, doc, "insolvent", "p"); math.Abs(p-exact) > 4*math.Sqrt(exact/20000) {
		t.Errorf("insolvent %g, want %g", p, exact)
	}
	if text, _ := legate(t, 0, "simulate", "collateral", "c.yaml"); !strings.Contains(text, "any bad debt") {
		t.Error(text)
	}
}

// TestSimulateRefuses: what is wrong is said with its place, all of it.
func TestSimulateRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		kind, file, old, new string
		want                 []string
	}{
		{"treasury", treasuryFile, "vol: 0.6", "vol: -1", []string{"f.yaml:9:"}},
		{"treasury", treasuryFile, "horizon: 365d", "horizon: 365d12h", []string{"f.yaml:5:", "whole number of steps"}},
		{"treasury", treasuryFile, "shocks: normal", "shocks: {student_t: 2}", []string{"f.yaml:11:", "variance"}},
		{"treasury", treasuryFile, "shocks: normal", "shocks: gaussian", []string{"f.yaml:11:"}},
		{"treasury", treasuryFile, "[[1]]", "[[1, 0.2]]", []string{"f.yaml:10:"}},
		{"treasury", treasuryFile, "below: 0.7", "below: 1.7", []string{"f.yaml:16:", "between 0 and 1"}},
		{"treasury", treasuryFile, "monitor: step", "monitor: daily", []string{"f.yaml:16:"}},
		{"treasury", treasuryFile, "paths: 20000 ", "paths: 0 ", []string{"f.yaml:4:"}},
		{"treasury", treasuryFile, "kind: treasury", "kind: collateral", []string{"f.yaml:2:"}},
		{"treasury", treasuryFile, "cash_usd", "cash", []string{"f.yaml:7:", "cash_usd"}},
		{"collateral", collateralFile, "{ETH: 100}", "{ETHH: 100}", []string{"f.yaml:13:", "ETHH"}},
		{"collateral", collateralFile, "delay: 0d", "delay: 5h", []string{"delay"}},
		{"collateral", collateralFile, "threshold: 0.8, ", "", []string{"f.yaml:9:", "threshold"}},
		{"collateral", collateralFile, "close_factor: 1", "close_factor: 0", []string{"close_factor"}},
	} {
		text := strings.Replace(c.file, c.old, c.new, 1)
		if text == c.file {
			t.Fatalf("%q is not in the file", c.old)
		}
		write(t, "f.yaml", text)
		_, errs := legate(t, exitFail, "simulate", c.kind, "f.yaml", "--json")
		for _, want := range c.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%s: the error does not say %q:\n%s", c.new, want, errs)
			}
		}
	}
	legate(t, exitFail, "simulate", "treasury", "no-such.yaml")
	legate(t, exitUsage, "simulate", "treasury")
	legate(t, exitUsage, "simulate", "weather", "f.yaml")
}

// TestBench: one line a model; the checks depend on neither time nor workers, and are those of the other programs.
func TestBench(t *testing.T) {
	checks := func(args ...string) (out []string) {
		text, _ := legate(t, 0, append([]string{"bench"}, args...)...)
		for line := range strings.Lines(text) {
			f := strings.Fields(line)
			if len(f) != 6 {
				t.Fatalf("line %q", line)
			}
			out = append(out, strings.Join([]string{f[0], f[3], f[4], f[5]}, " "))
		}
		return out
	}
	one := checks("--seconds", "0.01")
	if diff := cmp.Diff(one, checks("--seconds", "0.02", "--workers", "2")); diff != "" {
		t.Errorf("workers and time show in the checks:\n%s", diff)
	}
	for i, want := range []struct {
		name          string
		check, check2 float64 // of the exact model, or of the other programs
		near, near2   float64 // four standard errors of our fixed run
	}{
		{"legate:vote voter-samples", .4192, .4386, .011, .011},
		{"legate:treasury path-steps", .800, 284.7, .009, 2},
		{"legate:gbm path-steps", math.Exp(.05), 2.431, .015, .02},
		{"legate:collateral position-steps", .0075, .0314, .003, .004},
	} {
		f := strings.Fields(one[i])
		var a, b float64
		fmt.Sscan(f[2], &a)
		fmt.Sscan(f[3], &b)
		if strings.Join(f[:2], " ") != want.name || math.Abs(a-want.check) > want.near || math.Abs(b-want.check2) > want.near2 {
			t.Errorf("%s, want %s %g %g", one[i], want.name, want.check, want.check2)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/peer", []byte("#!/bin/sh\necho vote 1e8 1e8 voter-samples 0.41 0.43\necho a remark\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	text, _ := legate(t, 0, "bench", "--seconds", "0.001", "--peer", "other="+dir+"/peer")
	if !strings.HasSuffix(text, "\nother:vote 1e8 1e8 voter-samples 0.41 0.43\n") {
		t.Errorf("the peer's line is missing:\n%s", text)
	}
	legate(t, exitUsage, "bench", "--peer", "other")
	legate(t, exitUsage, "bench", "--workers", "0")
	legate(t, exitFail, "bench", "--seconds", "0.001", "--peer", "none="+dir+"/none")
}

// TestBacktestCommand writes a line for each voting and share, and the scores.
func TestBacktestCommand(t *testing.T) {
	t.Chdir(t.TempDir())
	must(t, os.MkdirAll("data/proposals", 0o755))
	must(t, os.MkdirAll("data/votes", 0o755))
	var proposals, votes strings.Builder
	for i := range 6 {
		fmt.Fprintf(&proposals, `{"dao":"x","proposal_id":"%d","start_time_est":"2021-01-%02dT00:00:00Z","end_time_est":"2021-01-%02dT12:00:00Z","outcome":{"passed_by_tally":true}}`+"\n", i, i+1, i+1)
		fmt.Fprintf(&votes, `{"dao":"x","proposal_id":"%d","voter":"0x00000000000000000000000000000000000000aa","support":1,"weight":"500","time":"2021-01-%02dT06:00:00Z"}`+"\n", i, i+1)
	}
	write(t, "data/proposals/x.jsonl", proposals.String())
	write(t, "data/votes/x.jsonl", votes.String())
	write(t, "data/governors.json", `{"x":{"decimals":0,"quorum_for_votes":"100"}}`)
	doc := object(t, "forecast", "backtest", "--data", "data", "--at", "0.25,0.75", "--out", "lines.jsonl", "--json")
	if n := len(doc["scores"].([]any)); n != 4 {
		t.Errorf("%d scores", n)
	}
	text, err := os.ReadFile("lines.jsonl")
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 12 {
		t.Fatalf("%d lines", len(lines))
	}
	var last map[string]any
	must(t, json.Unmarshal([]byte(lines[11]), &last))
	if got := shape(last); got != "[against:[p05: p50: p95:] at: dao: for:[p05: p50: p95:] p_pass: p_quorum: proposal_id: turnout:[p05: p50: p95:]]" {
		t.Errorf("keys %s", got)
	}
	if number(t, last, "p_pass") < .95 || number(t, last, "for", "p50") < 500 {
		t.Errorf("the votes are in, but: %s", lines[11])
	}
	if human, _ := legate(t, 0, "forecast", "backtest", "--data", "data", "--out", "lines.jsonl"); !strings.Contains(human, "brier") {
		t.Error(human)
	}
	legate(t, exitUsage, "forecast", "backtest", "--data", "data")
	legate(t, exitUsage, "forecast", "backtest", "--data", "data", "--out", "x", "--at", "2")
	legate(t, exitFail, "forecast", "backtest", "--data", "none", "--out", "x")
}
