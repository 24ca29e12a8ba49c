package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/policies/strict"
)

// TestG44ConfigProblems: every mistake is an error at its line and column, all at once, and nothing is accepted in
// silence.
func TestG44ConfigProblems(t *testing.T) {
	const good = fixtureConfig
	const governor = `  - {name: compound, address: "eip155:1:0xc001000000000000000000000000000000000000"}` + "\n"
	if _, problems := parseConfig("legate.yaml", []byte(good)); len(problems) > 0 {
		t.Fatal(problems.Detail())
	}
	for _, c := range []struct {
		name, old, new string
		want           []string // line:column: part of the message
	}{
		{"an unknown key", "policies: policies.yaml", "polices: policies.yaml", []string{"7:1: polices"}},
		{"an unknown key, with a hint", "ledger: ledger/", "leger: ledger/", []string{`6:37: leger`}},
		{"a key twice", "policies: policies.yaml", "policies: policies.yaml\npolicies: other.yaml", []string{"8:1: policies"}},
		{"a version of a later release", "version: 1", "version: 2", []string{"1:10: 2"}},
		{"no version", "version: 1\n", "", []string{"1:1: version"}},
		{"no chains", "chains:\n  eip155:1: {rpc: [\"http://127.0.0.1:1\"]}\n", "", []string{"1:1: chains"}},
		{"an anchor", "policies: policies.yaml", "policies: &p policies.yaml", []string{"7:11: anchor"}},
		{"null", "policies: policies.yaml", "policies: null", []string{"7:1: no value"}},

		{"a model on no host", "policies: p", "model: {endpoint: \"ollama\"}\npolicies: p", []string{"7:19: http://"}},
		{"a model with a secret", "policies: p", "model: {endpoint: \"http://me:hunter2@gpu.lan\"}\npolicies: p", []string{"7:19: credentials"}},
		{"a gate that nobody keeps", "policies: p", "model: {endpoint: none, gate: required}\npolicies: p", []string{"7:31: there is no model"}},
		{"a gate of another kind", "policies: p", "model: {gate: maybe}\npolicies: p", []string{"7:15: maybe"}},
		{"another language", "policies: p", "model: {language: de}\npolicies: p", []string{"7:19: not in this release"}},
		{"no time for a model", "policies: p", "model: {timeout: 0s}\npolicies: p", []string{"7:18: not between 1s and 2m30s"}},
		{"too much time for a model", "policies: p", "model: {timeout: 10m}\npolicies: p", []string{"7:18: not between 1s and 2m30s"}},
		{"a model's key that is none", "policies: p", "model: {key: x}\npolicies: p", []string{"7:9: key"}},
		{"a channel of two kinds", "policies: p", "channels: {desk: {url: env:X, webhook: env:Y}}\npolicies: p", []string{"7:18: exactly one of"}},
		{"a route to nowhere", "policies: p", "routes: [{to: [desk]}]\npolicies: p", []string{"7:16: there is no channel"}},
		{"half a metric", "policies: p", "metrics: [{name: x}]\npolicies: p", []string{"7:11: chain", "7:11: call"}},
		{"feeds", governor, strings.Replace(governor, `000"}`, `000", feeds: {a: b}}`, 1), []string{"5:86: not in this release"}},
		{"after", governor, strings.Replace(governor, `000"}`, `000", after: []}`, 1), []string{"5:86: not in this release"}},
		{"resimulate and digest", "policies: p", "schedules: {resimulate: x, digest: y}\npolicies: p", []string{"7:25: 5 fields", "7:36: 5 fields"}},

		{"agree above the endpoints", `{rpc: ["http://127.0.0.1:1"]}`, `{rpc: ["http://127.0.0.1:1"], agree: 2}`, []string{"3:50: agree is 2, but there are 1"}},
		{"agree 0", `{rpc: ["http://127.0.0.1:1"]}`, `{rpc: ["http://127.0.0.1:1"], agree: 0}`, []string{"3:50: "}},
		{"no endpoint", `{rpc: ["http://127.0.0.1:1"]}`, `{rpc: []}`, []string{"3:13: at least one rpc endpoint"}},
		{"finality in words", `{rpc: ["http://127.0.0.1:1"]}`, `{rpc: ["http://127.0.0.1:1"], finality: soon}`, []string{"3:53: finalized, safe, latest"}},
		{"poll without a unit", `{rpc: ["http://127.0.0.1:1"]}`, `{rpc: ["http://127.0.0.1:1"], poll: 4}`, []string{"3:49: "}},
		{"a chain that is none", "  eip155:1:", "  mainnet:", []string{"3:12: mainnet", "5:31: not among chains"}},
		{"a governor on another chain", "eip155:1:0xc0", "eip155:10:0xc0", []string{"5:31: chain eip155:10 is not among chains"}},
		{"a governor twice", governor, governor + strings.Replace(governor, "compound", "second", 1), []string{"6:29: listed twice"}},
		{"a name twice", governor, governor + strings.Replace(governor, "c001", "C002", 1), []string{"6:12: two governors are named"}},
		{"a name with a space", "name: compound", "name: the compound", []string{"5:12: cannot be a name"}},
		{"no governor", governor, "  []\n", []string{"5:3: no governor"}},
		{"no address", governor, "  - {name: compound}\n", []string{"5:5: address"}},
		{"an address with a wrong checksum", "0xc001000000000000000000000000000000000000", "0xC0DA02939E1441F497fd74F78cE7Decb17B66529", []string{"5:31: "}},
		{"a passphrase in plain sight", "ledger: ledger/", "passphrase: hunter2", []string{"6:49: where it is"}},
		{"a fee below zero", "ledger: ledger/", "max_fee_gwei: -1", []string{"6:51: "}},
		{"a log level", "policies: p", "log: {level: loud}\npolicies: p", []string{"7:14: loud"}},
		{"a store of a later release", "policies: p", "store: postgres://me:hunter2@db/x\npolicies: p", []string{"7:8: not in this release"}},
		{"a store of no kind", "policies: p", "store: hunter2\npolicies: p", []string{"7:8: not in this release"}},
		{"a key of a later release", `"keystore:voter.json"`, `"socket:/run/legate"`, []string{"6:14: not in this release"}},
		{"the key itself", `"keystore:voter.json"`, `hunter2`, []string{"6:14: named by a kind"}},
		{"a key of no kind", `"keystore:voter.json"`, `vault:hunter2`, []string{"6:14: no such kind"}},
		{"everybody may read", "policies: p", "web: {listen: \"0.0.0.0:8645\"}\npolicies: p", []string{"7:15: a token is needed"}},
		{"an address without a port", "policies: p", "web: {listen: localhost}\npolicies: p", []string{"7:15: missing port"}},
		{"another time zone", "policies: p", "schedules: {sweep: \"CRON_TZ=Europe/Berlin 0 6 * * *\"}\npolicies: p", []string{"7:20: UTC"}},
		{"meaning beside shape", "policies: policies.yaml", "polices: x\nroutes: [{to: [desk]}]\nmodel: {gate: required, endpoint: none}", []string{"7:1: polices", "8:16: there is no channel", "9:15: there is no model"}},
		{"a chain unread, and a governor of it", `eip155:1: {rpc: ["http://127.0.0.1:1"]}`, `eip155:1: {rpc: x}`, []string{"3:19: a list"}},
		{"three mistakes", "policies: policies.yaml", "polices: x\nlog: {level: loud}\nschedules: {digest: y}", []string{"7:1: polices", "8:14: loud", "9:21: 5 fields"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatalf("the fixture does not hold %q", c.old)
			}
			_, problems := parseConfig("legate.yaml", []byte(strings.Replace(good, c.old, c.new, 1)))
			var got []strict.Problem
			for _, p := range problems {
				if p.Severity == strict.Error {
					got = append(got, p)
				}
			}
			if len(got) != len(c.want) {
				t.Fatalf("%d problems, want %d:\n%s", len(got), len(c.want), problems.Detail())
			}
			for i, want := range c.want {
				place, message, _ := strings.Cut(want, ": ")
				if at := fmt.Sprintf("%d:%d", got[i].Line, got[i].Column); at != place || !strings.Contains(got[i].Message+got[i].Hint, message) {
					t.Errorf("%s: %s (%s), want %s: %s", at, got[i].Message, got[i].Hint, place, message)
				}
				if got[i].Excerpt == "" || strings.Contains(problems.Detail(), "hunter2") {
					t.Errorf("the excerpt:\n%s", problems.Detail())
				}
			}
		})
	}
}

// TestConfigRefusedByCommands: a configuration with a mistake stops every command that reads it, with the same text.
func TestConfigRefusedByCommands(t *testing.T) {
	fixture(t)
	edit(t, "legate.yaml", "policies: policies.yaml", "polices: policies.yaml")
	for _, args := range [][]string{{"run"}, {"proposals"}, {"show", "compound/289"}, {"vote", "compound/289", "for", "--key=keystore:k"}, {"cancel", "compound/289"}, {"freeze"}, {"ledger", "fsck"}} {
		if _, errs := legate(t, 3, args...); !strings.Contains(errs, "legate.yaml:7:1") || !strings.Contains(errs, "policies") {
			t.Errorf("%v: %s", args, errs)
		}
	}
	for _, args := range [][]string{{"run"}, {"doctor"}, {"proposals"}} {
		if _, errs := legate(t, 3, append(args, "-c", "elsewhere.yaml")...); !strings.Contains(errs, "elsewhere.yaml") {
			t.Errorf("%v: %s", args, errs)
		}
	}
}

// The model's part takes what FORMATS says, with the defaults for what is left out; a host that the operator named
// may be any, and the address may end in /v1.
func TestConfigModel(t *testing.T) {
	usual := newConfig().Model
	for text, want := range map[string]func(*ModelConfig){
		"":            func(*ModelConfig) {},
		"model: {}\n": func(*ModelConfig) {},
		"model: {endpoint: auto, name: \"\", gate: none, language: en, timeout: 120s}\n": func(*ModelConfig) {},
		"model: {endpoint: none}\n": func(m *ModelConfig) { m.Endpoint = "none" },
		"model: {endpoint: \"http://gpu.lan:8000/v1\", gate: required, name: qwen3}\n": func(m *ModelConfig) {
			m.Endpoint, m.Gate, m.Name = "http://gpu.lan:8000/v1", "required", "qwen3"
		},
		"model: {endpoint: \"https://models.example\", timeout: 30s}\n": func(m *ModelConfig) {
			m.Endpoint, m.Timeout = "https://models.example", strict.Duration(30*time.Second)
		},
	} {
		m := usual
		want(&m)
		c, problems := parseConfig("legate.yaml", []byte(fixtureConfig+text))
		if problems.HasErrors() || c.Model != m {
			t.Errorf("%s: %+v, want %+v\n%s", text, c.Model, m, problems.Detail())
		}
	}
	if usual.Endpoint != "auto" || usual.Gate != "none" || usual.Language != "en" || usual.Timeout.Std() != 2*time.Minute {
		t.Errorf("defaults: %+v", usual)
	}
}

func TestConfigDefaults(t *testing.T) {
	c, problems := parseConfig("dir/legate.yaml", []byte(fixtureConfig))
	if len(problems) > 0 {
		t.Fatal(problems.Detail())
	}
	if got := c.file("book.yaml"); got != "dir/book.yaml" {
		t.Errorf("a path beside the file: %s", got)
	}
	if got := c.file("/etc/book.yaml"); got != "/etc/book.yaml" {
		t.Errorf("an absolute path: %s", got)
	}
	if c.file("") != "" {
		t.Error("no path becomes one")
	}
	if fee := c.Voter.maxFee().String(); fee != "200000000000" {
		t.Errorf("200 gwei are %s wei", fee)
	}
	for n, want := range map[int]int{1: 1, 2: 2, 3: 2} {
		if got := (ChainConfig{RPC: make([]EndpointConfig, n)}).agree(); got != want {
			t.Errorf("agree with %d endpoints: %d, want %d", n, got, want)
		}
	}
}
