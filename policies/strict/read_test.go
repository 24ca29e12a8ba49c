package strict_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"github.com/legate-dao/legate/policies/strict"
)

// file is a small policy file: every kind of value that the package reads.
type file struct {
	Version int                       `yaml:"version,required" strict:"min=1,max=1"`
	Rules   []rule                    `yaml:"rules"`
	Wait    strict.Duration           `yaml:"wait"`
	Fee     strict.Amount             `yaml:"fee"`
	To      *strict.Address           `yaml:"to"`
	Chains  map[strict.Chain]endpoint `yaml:"chains"`
	Account strict.Account            `yaml:"account"`
	Token   strict.Secret             `yaml:"token"`
	Share   float64                   `yaml:"share" strict:"min=0,max=1"`
	Block   uint64                    `yaml:"block"`
	Live    bool                      `yaml:"live"`
	Words   []string                  `yaml:"words" strict:"enum=red|green"`
	Labels  map[string]string         `yaml:"labels"`
	Stream  string                    `yaml:"stream" strict:"later"`
}

type rule struct {
	Name    string      `yaml:"name,required"`
	Vote    string      `yaml:"vote" strict:"enum=for|against|abstain|hold"`
	When    strict.Expr `yaml:"when"`
	For     string      `yaml:"for"`
	Because string      `yaml:"because"`
}

// endpoint is an address or a mapping of two.
type endpoint struct {
	HTTP strict.Private `yaml:"http,required"`
	WS   strict.Private `yaml:"ws"`
}

func (e *endpoint) ParseNode(n strict.Node) {
	switch n.Kind() {
	case strict.Scalar:
		n.Decode(&e.HTTP)
	case strict.Mapping:
		type plain endpoint
		n.Decode((*plain)(e))
	default:
		n.Report("expected an address or {http, ws}", "")
	}
}

// JSONSchema is the schema of both shapes.
func (endpoint) JSONSchema() *jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	both := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), Required: []string{"http"}, AdditionalProperties: jsonschema.FalseSchema}
	both.Properties.Set("http", text)
	both.Properties.Set("ws", text)
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text, both}}
}

func read(t *testing.T, text string) (file, *strict.Doc, strict.Problems) {
	t.Helper()
	var f file
	doc, problems := strict.ReadAt("f.yaml", []byte(text), &f)
	return f, doc, problems
}

// shown are problems without the file's name.
func shown(problems strict.Problems) []string {
	var all []string
	for _, p := range problems {
		all = append(all, strings.TrimPrefix(p.String(), "f.yaml:"))
	}
	return all
}

func TestGoodFile(t *testing.T) {
	t.Parallel()
	f, doc, problems := read(t, `# yaml-language-server: $schema=f.schema.json
---
version: 1
rules:
  - name: 1.10
    vote: for
    when: metrics["x"] > 1   # why
  - {name: "b", vote: against, when: 'only("native") && x in ["a", "b"]', for: 10m}
  - name: c
    because: true
    when: |-
      a ||
        b
wait: 1d12h
fee: 0.01 ETH
to: 0xc0Da02939E1441F497fd74F78cE7Decb17B66529
chains:
  eip155:1: {http: https://one.example, ws: env:WS}
  eip155:10: "https://two.example"
account: "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529"
token: file:token
share: 2.5e-1
block: 18446744073709551615
live: true
words: [red, green]
labels: {a: "", "b c": 'it''s', 1: x}
...
`)
	if len(problems) > 0 {
		t.Fatal(problems.Detail())
	}
	if f.Rules[0].Name != "1.10" || f.Rules[2].Because != "true" {
		t.Errorf("a text is not the text of its token: %q %q", f.Rules[0].Name, f.Rules[2].Because)
	}
	if got, want := f.Rules[2].When.Text, "a ||\n  b"; got != want {
		t.Errorf("block: %q, want %q", got, want)
	}
	if got, want := f.Rules[1].When.Text, `only("native") && x in ["a", "b"]`; got != want {
		t.Errorf("quoted: %q, want %q", got, want)
	}
	if f.Wait.Std() != 36*time.Hour || f.Fee.Wei.Uint64() != 1e16 || f.Share != 0.25 || f.Block != 1<<64-1 || !f.Live {
		t.Errorf("numbers: %v %v %v %v %v", f.Wait, f.Fee, f.Share, f.Block, f.Live)
	}
	if got := f.To.Hex() + " " + f.Account.String(); got != "0xc0Da02939E1441F497fd74F78cE7Decb17B66529 eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529" {
		t.Errorf("addresses: %s", got)
	}
	one, two := f.Chains["eip155:1"], f.Chains["eip155:10"]
	if text, _ := one.HTTP.Resolve(""); text != "https://one.example" || one.WS.String() != "env:WS" {
		t.Errorf("the mapping: %q %v", text, one.WS)
	}
	if text, _ := two.HTTP.Resolve(""); text != "https://two.example" || !two.WS.IsZero() {
		t.Errorf("the word: %q %v", text, two.WS)
	}
	if diff := cmp.Diff(map[string]string{"a": "", "b c": "it's", "1": "x"}, f.Labels); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"eip155:1", "eip155:10"}, doc.Keys("$.chains")); diff != "" {
		t.Error(diff)
	}
}

func TestLeftOutKeepsItsValue(t *testing.T) {
	t.Parallel()
	f := file{Wait: strict.Duration(time.Hour), Words: []string{"red"}}
	if p := strict.Read("f.yaml", []byte("version: 1\nwords: []\n"), &f); len(p) > 0 {
		t.Fatal(p)
	}
	if f.Wait != strict.Duration(time.Hour) || len(f.Words) != 0 || f.To != nil {
		t.Errorf("got %+v", f)
	}
}

func TestDocPlaces(t *testing.T) {
	t.Parallel()
	_, doc, problems := read(t, "version: 1\nrules:\n  - name: a\n    vote: for\n  - {name: b}\nchains:\n  eip155:1: {http: x}\n")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, c := range []struct {
		path         string
		line, column int
	}{
		{"$", 1, 1}, {"$.version", 1, 10}, {"$.rules", 3, 3}, {"$.rules[0]", 3, 5}, {"$.rules[0].vote", 4, 11},
		{"$.rules[1].name", 5, 12}, {"$.rules[1].vote", 5, 5}, {"$.wait", 1, 1}, {`$.chains["eip155:1"].http`, 7, 20}, {"", 1, 1},
	} {
		if line, column := doc.Position(c.path); line != c.line || column != c.column {
			t.Errorf("%s: %d:%d, want %d:%d", c.path, line, column, c.line, c.column)
		}
	}
	if line, column := doc.KeyPosition(strict.Path("chains", "eip155:1", "http")); line != 7 || column != 14 {
		t.Errorf("the key is at %d:%d", line, column)
	}
	if !doc.Has(strict.Path("rules", 1, "name")) || doc.Has("$.wait") {
		t.Error("Has is wrong")
	}
	p := doc.Problem("$.rules[1].name", "no such name", "look")
	if got, want := p.Detail(), "f.yaml:5:12: no such name (look)\n      - {name: b}\n               ^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExprPosition(t *testing.T) {
	t.Parallel()
	f, _, problems := read(t, `version: 1
rules:
  - name: plain
    when: aé > b
  - name: single
    when: 'it''s > b'
  - name: double
    when: "\u00e9\n\"x\" > b"
  - name: block
    when: |   # why
      first &&

        second
  - name: indented
    when: |2

        third
  - {name: flow, when: "a[b]"}
`)
	if len(problems) > 0 {
		t.Fatal(problems.Detail())
	}
	for _, c := range []struct {
		rule         int
		line, column int
		find         string // what stands there in the file, for the reader
		wantLine     int
		wantColumn   int
	}{
		{0, 1, 1, "a", 4, 11}, {0, 1, 6, "b", 4, 16},
		{1, 1, 1, "i", 6, 12}, {1, 1, 4, "s", 6, 16}, {1, 1, 8, "b", 6, 20}, {1, 1, 9, "'", 6, 21}, {1, 1, 50, "'", 6, 21},
		{2, 1, 1, "\\u00e9", 8, 12}, {2, 2, 1, `\"`, 8, 20}, {2, 2, 2, "x", 8, 22}, {2, 2, 7, "b", 8, 28},
		{3, 1, 1, "f", 11, 7}, {3, 1, 7, "&&", 11, 13}, {3, 3, 3, "s", 13, 9}, {3, -1, 0, "f", 11, 7},
		{4, 2, 3, "t", 17, 9},
		{5, 1, 3, "b", 18, 27},
	} {
		line, column := f.Rules[c.rule].When.Position(c.line, c.column)
		if line != c.wantLine || column != c.wantColumn {
			t.Errorf("%s %d:%d (%s): %d:%d, want %d:%d", f.Rules[c.rule].Name, c.line, c.column, c.find, line, column, c.wantLine, c.wantColumn)
		}
	}
}

func TestProblemsError(t *testing.T) {
	t.Parallel()
	var none strict.Problems
	warned := strict.Problems{{File: "f", Line: 1, Column: 2, Severity: strict.Warning, Message: "odd"}}
	if none.Err() != nil || warned.Err() != nil || warned.HasErrors() {
		t.Error("no error is an error")
	}
	if got := warned.Error(); got != "f:1:2: warning: odd" {
		t.Error(got)
	}
	_, _, problems := read(t, "version: 2\nx: 1\n")
	if err := problems.Err(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v", err)
	}
}

func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"version: 1\nlabels: 1\ntoken: hunter2\n",
		"version: 1\nchains: {\"eip155:1\": {http: \"https://hunter2@x\", was: 1}}\n",
		"version: 1\nchains: {\"eip155:1\": {http: https://hunter2@x, ws: [}}\n",
		"version: 1\nchains: {\"eip155:1\": {ht: https://hunter2@x, ws: [}}\n? x\n",
		"version: 1\ntoken: |\n  hunter2\n",
	} {
		_, _, problems := read(t, text)
		if got := problems.Detail(); len(problems) == 0 || strings.Contains(got, "hunter2") {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// TestG07MisspeltKeys: the value of a key that is not known may be a secret under a misspelt name, and so may what stands
// where a file could not be read. The key, and where it is, still show.
func TestG07MisspeltKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"version: 1\ntokn: hunter2\n", "f.yaml:2:1: unknown key \"tokn\" (did you mean \"token\"?)\n    tokn: *******\n    ^"},
		{"version: 1\ntokn: \"hunter2 # x\"\n", "tokn: ******** * **"},
		{"version: 1\nchains: {\"eip155:1\": {http: env:X, htpp: hunter2, ws: env:Y}}\n", "unknown key \"htpp\""},
		{"version: 1\ntokn: |\n  a\n\n  hunter2\nblok: 1\n", "unknown key \"tokn\""},
		{"version: 1\ntokn:\n  - a\n  - deep: {x: y,\n      z: hunter2}\n", "unknown key \"tokn\""},
		{"version: 1\nstream: hunter2\n", "\"stream\" is not in this release"},
		{"version: 1\ntoken: env:A\ntoken: hunter2\n", "is there twice"},
		{"version: 1\ntokn: hunter2\nlive: [\n", "live: ["},
		{"version: 1\ntoken:\thunter2: x\n", "token:"},
		{"version: 1\ntoken hunter2\n", "token *******"},
		{"version: 1\n  hunter2\nlive: [\n", "version: 1"},
		{"version: 1\nlive: true\n  tokn: hunter2\n", "live: true"},
		{"version: 1\n- hunter2\n", "* *******"},
		{"version: 1\nlabels: {a: \"http://me:hunter2@host/x\", a: b}\n", "http://**********@host/x"},
	} {
		_, _, problems := read(t, c.text)
		got := problems.Detail()
		if len(problems) == 0 || strings.Contains(got, "hunter2") || !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q:\n%s", c.text, c.want, got)
		}
	}
	// a file that has no place for a secret shows its lines
	var plain struct {
		Name string `yaml:"name"`
	}
	if got := strict.Read("f.yaml", []byte("nam: somebody\n"), &plain).Detail(); !strings.Contains(got, "nam: somebody") {
		t.Error(got)
	}
}

func TestGiganticFile(t *testing.T) {
	t.Parallel()
	_, _, problems := read(t, "version: 1\n"+strings.Repeat("#", strict.MaxBytes))
	want := []string{"1:1: the file has 262155 bytes, more than 262144"}
	if diff := cmp.Diff(want, shown(problems)); diff != "" {
		t.Error(diff)
	}
}

// The lexer and the parser take quadratic time or memory for some of these.
func TestG44StrictConfigBombs(t *testing.T) {
	for name, text := range map[string]string{
		"many unknown keys":    strings.Repeat("a: 1\n", 16000),
		"20 000 the same keys": strings.Repeat("version: 1\n", 20000),
		"[":                    strings.Repeat("[", 250000),
		"[ in few tokens":      "labels: " + strings.Repeat("[", 40000),
		"{":                    strings.Repeat("{a: ", 60000),
		"-":                    strings.Repeat("- ", 20000),
		"colons":               strings.Repeat("a: ", 80000),
		"question marks":       strings.Repeat("? ", 10000),
		"tags":                 strings.Repeat("!a ", 10000),
		"tags of values":       strings.Repeat("a: !a \n", 12000),
		"anchors":              strings.Repeat("&a ", 10000),
		"comments":             strings.Repeat("#\n", 120000),
		"comments then a key":  strings.Repeat("#\n", 49000) + "version: x\n",
		"empty lines":          "a: |\n" + strings.Repeat("\n", 250000),
		"blank lines":          "a: |\n x\n" + strings.Repeat("  \n", 80000) + " y",
		"empty lines, split":   "a: |\n" + strings.Repeat(strings.Repeat("\n", 199)+"b: |\n", 1200),
		"many documents":       strings.Repeat("---\n", 16000) + "a: b",
		"quotes":               "a: '" + strings.Repeat("\\\"", 100000),
		"long plain":           "a: " + strings.Repeat("x ", 120000),
		"faults in flow":       "version: [" + strings.Repeat("{a: p[1]},", 4000) + "]",
		"deep blocks":          deepBlocks(300),
	} {
		start := time.Now()
		_, _, problems := read(t, text)
		if spent := time.Since(start); spent > 30*time.Second {
			t.Errorf("%s: took %v", name, spent)
		}
		if len(problems) == 0 || len(problems) > strict.MaxProblems+1 {
			t.Errorf("%s: %d problems", name, len(problems))
		}
	}
}

func deepBlocks(depth int) string {
	var b bytes.Buffer
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestG44StrictConfigDuplicateFlood(t *testing.T) {
	start := time.Now()
	_, _, problems := read(t, strings.Repeat("version: 1\n", 20000))
	if spent := time.Since(start); spent > 30*time.Second {
		t.Errorf("20 000 keys took %v", spent)
	}
	if got, want := shown(problems)[0], `2:1: the key "version" is there twice, first in line 1`; got != want {
		t.Errorf("first problem %s, want %s", got, want)
	}
	if last := problems[len(problems)-1]; len(problems) != strict.MaxProblems+1 || !strings.HasPrefix(last.Message, "and ") || !strings.HasSuffix(last.Message, " more problems") {
		t.Errorf("%d problems, the last %s", len(problems), last)
	}
}

// The classic bomb: every level is nine of the one before.
func TestG44StrictConfigAnchorBomb(t *testing.T) {
	t.Parallel()
	text := "version: 1\nlabels:\n  a0: &a0 [x, x]\n"
	for i := 1; i < 12; i++ {
		was := "*a" + string(rune('0'+(i-1)%10))
		text += "  a" + string(rune('0'+i%10)) + "x: &a" + string(rune('0'+i%10)) + " [" + strings.Repeat(was+", ", 8) + was + "]\n"
	}
	_, _, problems := read(t, text)
	if got, want := shown(problems)[0], "3:7: anchors are not used here (write the value where it is needed)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(problems) != strict.MaxProblems+1 {
		t.Errorf("%d problems", len(problems))
	}
}
