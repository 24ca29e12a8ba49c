package taintwall

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// singleSources are the functions that take the word of one endpoint, each with the reason why no vote rests on it. A
// client with failover is such a word whatever its configuration says; everything else asks a quorum.Panel (G48).
var singleSources = map[string]string{
	// the machinery itself
	"chains/quorum":           "the member of a panel where one endpoint is enough: every record then says so",
	"chains/quorum.membersOf": "makes the members of a panel",

	// what is shown and decides nothing
	"cmd/legate.forecastProposal": "prints a forecast",

	// commands whose answer a person reads
	"cmd/legate.doctor.chain":              "says how the endpoints are",
	"cmd/legate.doctor.endpoint":           "looks at one endpoint by itself",
	"cmd/legate.doctor.governor":           "a line for people",
	"cmd/legate.doctor.fromBlock":          "a line for people",
	"cmd/legate.doctor.holder":             "a line for people",
	"cmd/legate.doctor.power":              "a line for people",
	"cmd/legate.doctor.book":               "a line for people",
	"cmd/legate.dryRunFlags.header":        "dry-run prints, and says unverified source",
	"cmd/legate.dryRunFlags.dossier":       "dry-run",
	"cmd/legate.dryRunFlags.subject":       "dry-run",
	"cmd/legate.dryRunFlags.draftGovernor": "dry-run",
	"cmd/legate.decodeFlags.decode":        "decode prints",

	// commands that write files for a person to read; a code hash in a book that is not the chain's makes a call unknown
	"cmd/legate.initFlags.look":    "init writes files that do not vote",
	"cmd/legate.initFlags.propose": "init writes a book to be read",
	"cmd/legate.newBookAdd":        "book add writes an entry to be read",
	"cmd/legate.addFromHistory":    "book add writes entries to be read",
	"cmd/legate.chainFlags.moved":  "book diff prints",
	"cmd/legate.finalBlock":        "the block for book add and diff",
}

// modest are the methods of a client that ask nothing, or compare all endpoints.
var modest = []string{"Close", "ChainID", "Need", "Finality", "Health", "Check", "Sources", "Reserve", "All", "Freshen", "SubscribeHeads"}

// singles looks for places where one client or one endpoint answers alone.
type singles struct {
	info  *types.Info
	fset  *token.FileSet
	pkg   string
	found map[string]token.Position // by function
}

// alone reports whether a value of the type is one client or endpoint.
func alone(t types.Type) bool {
	if t == nil {
		return false
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == module+"chains/rpc" && (n.Obj().Name() == "Client" || n.Obj().Name() == "Source")
}

func forgets(t types.Type) bool { return t != nil && types.IsInterface(t) }

// file looks through one file.
func (s *singles) file(f *ast.File) {
	for _, d := range f.Decls {
		in := s.pkg
		var results *types.Tuple
		if fn, ok := d.(*ast.FuncDecl); ok {
			in += "." + nameOf(fn)
			results = s.info.Defs[fn.Name].Type().(*types.Signature).Results()
		}
		ast.Inspect(d, func(n ast.Node) bool {
			s.node(n, in, results)
			return true
		})
	}
}

// nameOf is a function's name with its receiver's type.
func nameOf(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	t := fn.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if i, ok := t.(*ast.IndexExpr); ok {
		t = i.X
	}
	if id, ok := t.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func (s *singles) see(e ast.Node, in string) { s.found[in] = s.fset.Position(e.Pos()) }

// given notes a value that is put where its type is forgotten.
func (s *singles) given(e ast.Expr, to types.Type, in string) {
	if forgets(to) && alone(s.info.TypeOf(e)) {
		s.see(e, in)
	}
}

func (s *singles) node(n ast.Node, in string, results *types.Tuple) {
	switch n := n.(type) {
	case *ast.SelectorExpr: // a method that asks
		if alone(s.info.TypeOf(n.X)) && s.info.Selections[n] != nil && s.info.Selections[n].Kind() == types.MethodVal && !slices.Contains(modest, n.Sel.Name) && n.Sel.Name != "Name" {
			s.see(n, in)
		}
	case *ast.CallExpr:
		if tv := s.info.Types[n.Fun]; tv.IsType() { // a conversion
			s.given(n.Args[0], tv.Type, in)
			return
		}
		sig, ok := s.info.TypeOf(n.Fun).(*types.Signature)
		if !ok {
			return
		}
		for i, arg := range n.Args {
			at := min(i, sig.Params().Len()-1)
			if at < 0 {
				continue
			}
			t := sig.Params().At(at).Type()
			if slice, ok := t.(*types.Slice); ok && sig.Variadic() && at == sig.Params().Len()-1 {
				t = slice.Elem()
			}
			s.given(arg, t, in)
		}
	case *ast.CompositeLit:
		s.literal(n, in)
	case *ast.AssignStmt:
		for i, right := range n.Rhs {
			if len(n.Lhs) == len(n.Rhs) {
				s.given(right, s.info.TypeOf(n.Lhs[i]), in)
			}
		}
	case *ast.ValueSpec:
		for _, v := range n.Values {
			if n.Type != nil {
				s.given(v, s.info.TypeOf(n.Type), in)
			}
		}
	case *ast.ReturnStmt:
		for i, v := range n.Results {
			if results != nil && len(n.Results) == results.Len() {
				s.given(v, results.At(i).Type(), in)
			}
		}
	case *ast.StructType: // a type that is a client by embedding
		for _, f := range n.Fields.List {
			if len(f.Names) == 0 && alone(s.info.TypeOf(f.Type)) {
				s.see(f, in)
			}
		}
	}
}

func (s *singles) literal(n *ast.CompositeLit, in string) {
	t := s.info.TypeOf(n)
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	for i, e := range n.Elts {
		value := e
		var to types.Type
		switch u := t.Underlying().(type) {
		case *types.Struct:
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				value = kv.Value
				to = s.info.TypeOf(kv.Key)
				if id, ok := kv.Key.(*ast.Ident); ok && s.info.Uses[id] != nil {
					to = s.info.Uses[id].Type()
				}
			} else if i < u.NumFields() {
				to = u.Field(i).Type()
			}
		case *types.Slice:
			to = u.Elem()
		case *types.Map:
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				value, to = kv.Value, u.Elem()
			}
		}
		s.given(value, to, in)
	}
}

// singlesOf looks through one package.
func (l loaded) singlesOf(t *testing.T, p listed) map[string]token.Position {
	t.Helper()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(l.fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	s := &singles{
		info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}},
		fset: l.fset, pkg: strings.TrimPrefix(p.ImportPath, module), found: map[string]token.Position{},
	}
	conf := types.Config{Importer: l.imports}
	if _, err := conf.Check(p.ImportPath, l.fset, files, s.info); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		s.file(f)
	}
	return s.found
}

// TestG48NoSingleWord: a client with failover, or one endpoint, is asked only where the list says so, and why no vote
// rests on it.
func TestG48NoSingleWord(t *testing.T) {
	l := load(t)
	used, n := map[string]bool{}, 0
	for _, p := range l.ours {
		switch pkg := strings.TrimPrefix(p.ImportPath, module); pkg {
		case "chains/rpc", "chains/chaintest", "chains/devchain": // the client itself, and chains for tests
			continue
		}
		for in, at := range l.singlesOf(t, p) {
			n++
			used[in] = true
			if singleSources[in] == "" {
				t.Errorf("%s:%d: %s takes the word of one endpoint: ask a quorum.Panel, or list it in agent/taintwall/single_test.go and say why no vote rests on it", at.Filename, at.Line, in)
			}
		}
	}
	for in := range singleSources {
		if !used[in] {
			t.Errorf("%s is listed and asks no single endpoint: take it off the list", in)
		}
	}
	if n == 0 {
		t.Error("no place was found, which cannot be")
	}
	t.Logf("n=%d places that ask one endpoint", n)
}

// TestG48PlantedSingleWordsAreSeen: every way in which a client becomes a Caller.
func TestG48PlantedSingleWordsAreSeen(t *testing.T) {
	l := load(t)
	p := listed{ImportPath: module + "single", Dir: filepath.Join("testdata", "single"), GoFiles: []string{"single.go"}}
	var bad []string
	for in := range l.singlesOf(t, p) {
		bad = append(bad, strings.TrimPrefix(in, "single."))
	}
	slices.Sort(bad)
	// the embedding type stands outside any function
	want := []string{"argument", "assigned", "boxed", "called", "converted", "endpoint", "keyed", "listed", "newest", "positional", "returned", "single"}
	if !slices.Equal(bad, want) {
		t.Errorf("seen in %q, want %q", bad, want)
	}
	t.Logf("n=%d planted places", len(bad))
}
