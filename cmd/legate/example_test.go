package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/screen"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

func readExample(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExampleConfig: docs/legate.example.yaml is read without a complaint, says what the program does without it,
// and names every key there is.
func TestExampleConfig(t *testing.T) {
	text := readExample(t, "docs", "legate.example.yaml")
	c, problems := parseConfig("docs/legate.example.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems.Detail())
	}
	if !strings.HasPrefix(text, "# yaml-language-server: $schema=./legate.schema.json\n") {
		t.Error("its first line does not name the schema")
	}
	doc, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compile(t, readExample(t, "docs", "legate.schema.json")).Validate(parse(t, string(doc))); err != nil {
		t.Errorf("an editor would complain: %v", err)
	}

	// what it gives is what a file gives that leaves it out
	bare, problems := parseConfig("bare.yaml", []byte("version: 1\nchains: {\"eip155:1\": {rpc: [\"env:A\", \"env:B\"]}}\n"+
		"governors: [{name: g, address: \"eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529\"}]\nvoter: {key: \"keystore:k\"}\n"))
	if len(problems) > 0 {
		t.Fatal(problems.Detail())
	}
	if c.Store != bare.Store || c.Policies != bare.Policies || c.Schedules != bare.Schedules || c.Caps != bare.Caps || c.Web.Listen != bare.Web.Listen || c.Model != bare.Model || c.Log != bare.Log {
		t.Errorf("defaults: the example has %+v, the program %+v", c, bare)
	}
	if v, w := c.Voter, bare.Voter; v.Ledger != w.Ledger || v.MaxFeeGwei != w.MaxFeeGwei || v.MaxAge != w.MaxAge || v.Live != w.Live {
		t.Errorf("defaults of the voter: the example has %+v, the program %+v", v, w)
	}
	mine, theirs := c.Chains["eip155:1"], bare.Chains["eip155:1"]
	if mine.agree() != theirs.agree() || mine.Finality != theirs.Finality || mine.Poll != theirs.Poll || mine.Finality.Finality != rpc.Finalized {
		t.Errorf("defaults of a chain: the example has %+v, the program %+v", mine, theirs)
	}

	keys(reflect.TypeFor[Config](), func(name string, later bool) {
		said := false
		for line := range strings.Lines(text) {
			comment := strings.HasPrefix(strings.TrimSpace(line), "#")
			if regexp.MustCompile(`(^|[ {(#-])`+name+`: ?`).MatchString(line) && later == (comment && strings.Contains(line, "not in this release")) {
				said = true
			}
		}
		if !said {
			t.Errorf("key %s (later: %v) is not in the example", name, later)
		}
	})
}

// keys walks the keys of a file's type.
func keys(t reflect.Type, f func(name string, later bool)) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		keys(t.Elem(), f)
	case reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			if name == "" {
				if t.Field(i).Anonymous {
					keys(t.Field(i).Type, f)
				}
				continue
			}
			later := t.Field(i).Tag.Get("strict") == "later"
			f(name, later)
			if !later {
				keys(t.Field(i).Type, f)
			}
		}
	}
}

// TestExamplePolicies: the demo's policies are policies.example.yaml, byte for byte.
func TestExamplePolicies(t *testing.T) {
	text := readExample(t, "policies.example.yaml")
	if text != string(demoPolicies) {
		t.Error("cmd/legate/demo/policies.yaml is not policies.example.yaml")
	}
	if !strings.HasPrefix(text, "# yaml-language-server: $schema=./docs/policies.schema.json\n") {
		t.Error("its first line does not name the schema")
	}
	_, problems := policies.ParseWith("policies.example.yaml", []byte(text), policies.Names{Governors: []string{"harbor", "meadow"}})
	for _, p := range problems {
		if p.Severity == strict.Error || !strings.Contains(p.Message, "no judge is in this release") {
			t.Error(p.Detail())
		}
	}
	doc, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compile(t, readExample(t, "docs", "policies.schema.json")).Validate(parse(t, string(doc))); err != nil {
		t.Errorf("an editor would complain: %v", err)
	}
}

// TestExamplePoliciesDecide: the example decides every proposal of the demo as the demo says, each on a dossier
// gathered from the chain; and the text of one proposal holds what its actions would have a For for.
func TestExamplePoliciesDecide(t *testing.T) {
	w, proposals := demoFolder(t)
	set, err := readPolicyFile("policies.yaml")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := screen.New(screen.Config{Policies: set})
	if err != nil {
		t.Fatal(err)
	}
	// rule by proposal: what decides may not change in silence either
	rules := []gov.Label{"small-grant", "small-grant", "safer-parameters", "no-dilution", "no-drain", "no-new-masters", "unverifiable", "small-grant", "", ""}
	held := 0
	for i, c := range demoCases {
		id := demoID(t, w, proposals, i)
		f := dryRunFlags{config: "legate.yaml", governor: id.Governor.Hex(), proposal: id.Number.String(), block: "latest", policy: "policies.yaml"}
		d, err := f.dossier(t.Context(), slog.New(slog.DiscardHandler), set)
		if err != nil {
			t.Fatalf("%s: %v", c.does, err)
		}
		gated, err := gate.Gate(t.Context(), d, gov.Head{})
		if err != nil {
			t.Fatal(err)
		}
		if final := gov.Final(d.Verdict.Direction, gated.Gate); final.String() != c.expected {
			t.Errorf("what %s: %s (%s), then %s; want %s", c.does, d.Verdict.Direction, policies.Explain(*d.Verdict), final, c.expected)
		}
		if rules[i] != "" && d.Verdict.Rule != rules[i] {
			t.Errorf("what %s is decided by %s, want %s", c.does, d.Verdict.Rule, rules[i])
		}
		if d.Verdict.Direction == gov.For && gated.Gate.Result != gov.GatePass {
			held++
		}
		for _, part := range d.Gathered.Facts.Unavailable {
			if d.Gathered.Facts.Effects.Status.Or("") == gov.EffectsReverted && part.Reason == gov.NoState {
				continue // what a run that failed would have left behind
			}
			if part.Reason != gov.NotInRelease && part.Part != "treasury.recipients_new" {
				t.Errorf("what %s: no %s (%s)", c.does, part.Part, part.Reason)
			}
		}
	}
	if held != 1 {
		t.Errorf("%d of the decisions for were held for their text, want 1", held)
	}
}
