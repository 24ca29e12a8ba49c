package strict_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/legate-dao/legate/policies/strict"
)

// tree reads any file, as another reader of YAML sees it: a text, []any or map[string]any.
type tree struct{ value any }

func (t *tree) ParseNode(n strict.Node) {
	switch n.Kind() {
	case strict.Scalar:
		t.value, _ = n.Text()
	case strict.List:
		var list []tree
		n.Decode(&list)
		all := []any{}
		for _, one := range list {
			all = append(all, one.value)
		}
		t.value = all
	case strict.Mapping:
		var entries map[string]tree
		n.Decode(&entries)
		all := map[string]any{}
		for key, one := range entries {
			all[key] = one.value
		}
		t.value = all
	}
}

func other(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return other(n.Content[0])
	case yaml.SequenceNode:
		all := []any{}
		for _, one := range n.Content {
			all = append(all, other(one))
		}
		return all
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			all[n.Content[i].Value] = other(n.Content[i+1])
		}
		return all
	}
	return n.Value
}

var seeds = []string{
	"version: 1\n", "a: |\n  x\n\n   y\nb: 'it''s'\nc: \"\\u00e9\\n\"\n", "rules:\n- {name: a, when: f(a, b), x: [1, {b: c}]}\n- when: !found(\"x\")\n  b: *a\n  c: &d e\n",
	"a: >\n  x\nb: |2-\n   x\n", "---\na: 1\n...\n", "%YAML 1.2\n---\na: {eip155:1: x, b:1, c: env:X, \"d\":1}\n", "a:\tb\n\tc: d\r\n", "a: b: c\nd: ~\n? x\n: y\n<<: *z\n", "a: [\n  b,\n  c # d\n]\n",
	"a: |+\n  x\n\n\nb: |- # c\n  y\n", "chains:\n  eip155:1:\n    rpc: [env:A, https://b:1/c#d, {http: x}]\n",
}

// What strict accepts means the same to another reader of YAML: nobody can write a file that two programs, or a person
// with an editor, read in two ways.
func sameElsewhere(t *testing.T, text string) strict.Problems {
	t.Helper()
	var ours struct {
		Top tree `yaml:"top"`
	}
	indented := "top:\n"
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimRight(line, " "); line != "" { // a line of blanks is an empty line here
			line = " " + line
		}
		indented += line + "\n"
	}
	if problems := strict.Read("f.yaml", []byte(indented), &ours); len(problems) > 0 {
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Fatalf("%q: a problem without a place: %#v", text, p)
			}
		}
		return problems
	}
	decoder := yaml.NewDecoder(strings.NewReader(indented))
	var theirs yaml.Node
	if err := decoder.Decode(&theirs); err != nil {
		t.Fatalf("%q: accepted, but not by another reader: %v", indented, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		t.Fatalf("%q: more than one document: %v", indented, err)
	}
	want, _ := other(&theirs).(map[string]any)
	if diff := cmp.Diff(want["top"], ours.Top.value); diff != "" {
		t.Fatalf("%q is read in two ways (-theirs +ours):\n%s", indented, diff)
	}
	return nil
}

// The examples of the formats document are read, and by another reader the same.
func TestExamples(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(names) < 5 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if problems := sameElsewhere(t, string(text)); len(problems) > 0 {
			t.Errorf("%s:\n%s", name, problems.Detail())
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var into file
		doc, problems := strict.ReadAt("f.yaml", []byte(text), &into)
		doc.Position("$.rules[0].when")
		_ = problems.Detail()
		for _, r := range into.Rules {
			r.When.Position(1, 1)
			r.When.Position(9, 99)
		}
		sameElsewhere(t, text)
	})
}
