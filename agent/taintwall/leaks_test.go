package taintwall

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is a package as `go list` describes it.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Error                   *struct{ Err string }
}

// loaded is the module: what is ours, and the compiled form of all that it imports.
type loaded struct {
	ours    []listed
	imports types.Importer
	fset    *token.FileSet
}

func load(t *testing.T) loaded {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Error", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("list the packages: %v\n%s", err, &stderr)
	}
	l := loaded{fset: token.NewFileSet()}
	export := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Error != nil {
			t.Fatalf("%s: %s", p.ImportPath, p.Error.Err)
		}
		export[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module) && len(p.GoFiles) > 0 {
			l.ours = append(l.ours, p)
		}
	}
	l.imports = importer.ForCompiler(l.fset, "gc", func(path string) (io.ReadCloser, error) {
		file := export[path]
		if file == "" {
			return nil, fmt.Errorf("there is no compiled form of %s", path)
		}
		return os.Open(file)
	})
	return l
}

// leaksOf looks through one package.
func (l loaded) leaksOf(t *testing.T, p listed) (out []leak, files []*ast.File) {
	t.Helper()
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(l.fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Instances: map[*ast.Ident]types.Instance{}}
	conf := types.Config{Importer: l.imports}
	pkg, err := conf.Check(p.ImportPath, l.fset, files, info)
	if err != nil {
		t.Fatalf("check the types of %s: %v", p.ImportPath, err)
	}
	a := &analyzer{fset: l.fset, info: info, pkg: pkg, holds: map[types.Type]bool{}}
	for _, f := range files {
		a.file(f)
	}
	return a.leaks, files
}

// TestG23TaintWallSinks: a stranger's text becomes a plain string, or goes where its type is forgotten, only in
// the sinks that are listed; every listed sink is one.
func TestG23TaintWallSinks(t *testing.T) {
	l := load(t)
	used := map[string]bool{}
	places := 0
	for _, p := range l.ours {
		leaks, _ := l.leaksOf(t, p)
		for _, leak := range leaks {
			places++
			name, ok := sinkOf(leak.in)
			if !ok {
				t.Errorf("%s %s\n  keep it dossier.Untrusted, show it by Line or Block, or list the function in agent/taintwall/sinks_test.go and say why it is safe", strings.TrimPrefix(p.ImportPath, module), leak)
			}
			used[name] = true
		}
	}
	for name := range takers {
		if _, ok := sinks[name]; ok {
			t.Errorf("%s is a sink and a taker", name)
		}
	}
	for name := range sinks {
		pkg, _, _ := strings.Cut(name, ".")
		if there := slices.ContainsFunc(l.ours, func(p listed) bool { return p.ImportPath == module+pkg }); there && !used[name] {
			t.Errorf("%s is listed as a sink, but is none: take it off the list", name)
		}
	}
	if places < 20 {
		t.Errorf("only %d places were found in the whole module, which cannot be", places)
	}
	t.Logf("n=%d places in %d packages, %d sinks", places, len(l.ours), len(sinks))
}

// sinkOf is the entry of the list that allows a place: its function, or its whole package.
func sinkOf(in string) (string, bool) {
	if _, ok := sinks[in]; ok {
		return in, true
	}
	pkg, _, _ := strings.Cut(in, ".")
	_, ok := sinks[pkg]
	return pkg, ok
}

// TestG23PlantedLeaksAreCaught: every line of testdata/leaks that says so leaks, and no other does.
func TestG23PlantedLeaksAreCaught(t *testing.T) {
	l := load(t)
	leaks, files := l.leaksOf(t, listed{ImportPath: module + "leaks", Dir: filepath.Join("testdata", "leaks"), GoFiles: []string{"leaks.go"}})
	want, got := map[int]bool{}, map[int]string{}
	for _, f := range files {
		for _, group := range f.Comments {
			for _, c := range group.List {
				if strings.HasPrefix(c.Text, "// leak") {
					want[l.fset.Position(c.Pos()).Line] = true
				}
			}
		}
	}
	for _, leak := range leaks {
		got[leak.pos.Line] = leak.what
		if !want[leak.pos.Line] {
			t.Errorf("no leak is there: %s", leak)
		}
		if _, ok := sinkOf(leak.in); ok {
			t.Errorf("the list of sinks takes in %s", leak.in)
		}
	}
	for line := range want {
		if got[line] == "" {
			t.Errorf("leaks.go:%d: the leak was not seen", line)
		}
	}
	if len(want) < 20 {
		t.Errorf("%d leaks are planted, want at least 20", len(want))
	}
	t.Logf("n=%d planted leaks", len(want))
}
