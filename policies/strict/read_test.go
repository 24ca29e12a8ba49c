package strict_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

func read(t *testing.T, text string) (file, *strict.Doc, strict.Problems) {
	t.Helper()
	var f file
	doc, problems := strict.ReadAt("f.yaml", []byte(text), &f)
	return f, doc, problems
}

func shown(problems strict.Problems) []string {
	var all []string
	for _, p := range problems {
		all = append(all, strings.TrimPrefix(p.String(), "f.yaml:"))
	}
	return all
}

func TestExplore(t *testing.T) {
	for _, text := range []string{
		"", "# only\n", "\xef\xbb\xbfversion: 1\n", "version: 1\nwait: \xff\n", "version:\t1\n\twait: 2d\n", "- 1\n", "hello\n", "---\nversion: 1\n...\n", "---\nversion: 1\n---\nfoo: 2\n", "version: 1\n...\nfoo: 1\n", "%YAML 1.2\n---\nversion: 1\n",
		"version: 1\nverion: 2\nversion: 1\nrules: {}\nwait: [2d]\nlive: yes\n",
		"version: 1\nrules:\n  - name: a\n    when: !found(\"x\")\n    votte: for\n  - name: b\n    vote: fro\n",
		"version: 1\nrules:\n  - name: a\n    when: !found(\"x\") && y\n    vote: x\n",
		"version: !!int 1\nlabels: !map\n  a: b\nrules:\n  - !r {name: !!str x}\n",
		"version: &v 1\nlabels:\n  <<: *v\n  a: *v\n  b: &x\n  c: ~\n  d:\n  e: null\n",
		"version: 1\nrules:\n  - {name: a, when: f(a, b), for: 10m}\n  - {when: p[\"x\"] > 1, name: q, vot: for}\n  - {name: z, when: a ? b : c, vote: foo}\n",
		"version: 1\nrules:\n  - name: a\n    when: a ? b : c\n  - name: b\n    when: \"x\" == y\n  - name: c\n    when: [1, 2].exists(x, x == 1)\n  - name: d\n    when: {a}.b\n  - name: e\n    when: @x\n  - name: f\n    when: %a\n  - name: g\n    when: *a * 2\n  - name: h\n    when: && x\n    vote: f\n",
		"version: 1\nrules:\n  - name: a\n    when: >\n      a ||\n      b\n  - name: b\n    when: a ||\n      b\n  - name: c\n    when: \"a ||\n      b\"\n  - name: d\n    when: 'a ||\n\n      b'\n",
		"version: 1\nwait: 90m\nfee: 1.5 eth\nto: 0xc0da02939e1441f497fd74f78ce7decb17b66529\naccount: eip155:1:0xc0da02939E1441F497fd74F78cE7Decb17B66529\ntoken: hunter2\nshare: 1.5\nblock: 010\n",
		"version: 1\nchains:\n  eip155:1: {http: https://user:pass@x.example, vs: 'wss://x', http: 2}\n  eip155:01: []\n",
		"version: 1\nrules:\n- name: a\n   vote: for\nwaitt: 1\n",
		"version: 1\nvorsion: 1\nrules:\n  - name: a\n vote: for\n",
		"version: 1\nstream: x\nwords: [red, blue]\n? a\n: b\n",
		"version: 1\nlabels: {a: b, c}\n", "version: 1\nlabels: {a: b\n", "version: \"1\"\nlive: 'true'\nshare: .inf\nblock: -1\n",
		"version: 1\nlabels: {\"a\\qb\": \"\\ud800\"}\n",
		"rules: [{nam: a}]\n",
		"version: 1\nrules:\n  - name: a\n    when: |\n      a ||\n      b\n    when: metrics[\"x\"] > 1 # why\n    vote: for # x\n    because: p[\"x\"] {a}\n",
	} {
		f, _, problems := read(t, text)
		fmt.Printf("%q\n", text)
		for _, p := range problems {
			fmt.Println("   ", strings.ReplaceAll(p.Detail(), "\n", "\n    "))
		}
		if len(problems) == 0 {
			fmt.Printf("%+v\n", f)
		}
	}
}

func TestExploreTime(t *testing.T) {
	for _, s := range []string{strings.Repeat("a: 1\n", 20000), strings.Repeat("a: 1\n", 16000), strings.Repeat("version: 1\n", 16000), strings.Repeat("[", 250000), strings.Repeat("{a: ", 60000), strings.Repeat("- ", 120000), "a: [" + strings.Repeat("a,", 20000) + "]", strings.Repeat("a: ", 80000), "a: '" + strings.Repeat("\\\"", 100000), strings.Repeat("? ", 100000), strings.Repeat("!a ", 80000), strings.Repeat("a: !a \n", 12000), strings.Repeat("&a ", 80000), strings.Repeat("#\n", 120000), "a: |\n" + strings.Repeat(" x\n", 80000), "a: |\n" + strings.Repeat("\n", 250000), "a: |\n" + strings.Repeat("  \n", 80000), "a: |\n x\n" + strings.Repeat("  \n", 80000) + " y", strings.Repeat("x\n", 120000), "%" + strings.Repeat("a ", 100000), strings.Repeat("{]", 100000), strings.Repeat("'a' ", 60000), "a: 'b\n" + strings.Repeat("\n", 250000) + "'", strings.Repeat("a: *b\n", 16000), "version: [" + strings.Repeat("{a: p[1]},", 6000) + "]"} {
		t0 := time.Now()
		var f file
		problems := strict.Read("f.yaml", []byte(s), &f)
		fmt.Printf("%.20q %v %d %s\n", s, time.Since(t0), len(problems), problems[0])
	}
	_ = cmp.Diff
}
