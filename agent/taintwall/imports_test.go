package taintwall

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// imports reads what every package of the module imports in its own files, tests aside. A package is its folder.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != root && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(folder)
		if _, ok := out[pkg]; !ok {
			out[pkg] = nil
		}
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(out[pkg], name) {
				out[pkg] = append(out[pkg], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d packages were found", len(out))
	}
	return out
}

// broken lists what a module's imports break of the table and of the wall.
func broken(packages map[string][]string) (out []string) {
	for _, pkg := range slices.Sorted(maps.Keys(packages)) {
		allowed, known := mayImport[pkg]
		if !known {
			out = append(out, fmt.Sprintf("%s is not in the table of packages (agent/taintwall/table_test.go): which packages of ours may it import?", pkg))
			continue
		}
		for _, path := range packages[pkg] {
			name, ours := strings.CutPrefix(path, module)
			if !ours || slices.Contains(allowed, name) || slices.Contains(allowed, anything) && !strings.HasPrefix(name, "cmd/") {
				continue
			}
			out = append(out, fmt.Sprintf("%s imports %s", pkg, name))
		}
	}
	for _, pkg := range walled {
		for _, way := range ways(packages, pkg, nil) {
			out = append(out, "through the wall: "+strings.Join(way, " > "))
		}
	}
	return out
}

// ways are the paths on which a package behind the wall reaches one beyond it, or a model.
func ways(packages map[string][]string, pkg string, path []string) (out [][]string) {
	path = append(slices.Clone(path), pkg)
	for _, p := range packages[pkg] {
		name, ours := strings.CutPrefix(p, module)
		switch {
		case !ours && slices.ContainsFunc(modelPackages, func(m string) bool { return p == m || strings.HasPrefix(p, m+"/") }), ours && slices.Contains(beyond, name):
			out = append(out, append(slices.Clone(path), name))
		case ours && !slices.Contains(path, name):
			out = append(out, ways(packages, name, path)...)
		}
	}
	return out
}

// TestG23TaintWallImports: the packages import what the table says; what decides and signs reaches no text and no
// model, on whatever way.
func TestG23TaintWallImports(t *testing.T) {
	packages := imports(t)
	for _, b := range broken(packages) {
		t.Error(b)
	}
	for _, pkg := range walled {
		if slices.Contains(beyond, pkg) {
			t.Errorf("%s is on both sides of the wall", pkg)
		}
	}
	for _, name := range []string{"policies", "agent/checks", "chains/ledger", "chains/signer", "agent/approval", "chains/governor/ballot", "chains/book"} {
		if _, ok := packages[name]; !ok {
			t.Errorf("%s is not there, so the wall guards nothing", name)
		}
	}
	t.Logf("n=%d packages, %d behind the wall", len(packages), len(walled))

	// planted breaches are seen
	for pkg, path := range map[string]string{
		"policies": module + "agent/dossier", "agent/checks": module + "agent/screen", "chains/signer": module + "agent/brief", "chains/ledger": module + "agent/llm",
		"agent/gov": module + "notify/web", "agent/approval": "github.com/tmc/langchaingo/llms/openai", "policies/strict": "github.com/yuin/goldmark",
		"chains/rpc": module + "agent/dossier", // reached from chains/book
	} {
		planted := maps.Clone(packages)
		planted[pkg] = append(slices.Clone(planted[pkg]), path)
		if !slices.ContainsFunc(broken(planted), func(b string) bool { return strings.Contains(b, "through the wall") }) {
			t.Errorf("%s may import %s, and the wall does not see it", pkg, path)
		}
	}
	planted := maps.Clone(packages)
	planted["agent/util"] = nil
	planted["chains/rpc"] = append(slices.Clone(planted["chains/rpc"]), module+"agent/gov")
	if n := len(broken(planted)) - len(broken(packages)); n != 2 {
		t.Errorf("%d of 2 breaches of the table were seen", n)
	}
}
