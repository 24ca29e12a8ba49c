package taintwall

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
)

// leak is a place where a stranger's text becomes a plain string, or an interface from which anyone may take it.
type leak struct {
	pos  token.Position
	in   string // package and function, as the list of sinks names it
	what string
}

func (l leak) String() string {
	return fmt.Sprintf("%s:%d: in %s: %s", filepath.Base(l.pos.Filename), l.pos.Line, l.in, l.what)
}

// analyzer looks through the files of one package.
type analyzer struct {
	fset  *token.FileSet
	info  *types.Info
	pkg   *types.Package
	in    string
	sig   *types.Signature // of the function that is looked at
	holds map[types.Type]bool
	leaks []leak
}

// untrusted says whether a type is the stranger's string type itself, or an alias of it.
func untrusted(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Untrusted" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == module+"agent/dossier"
}

// carries says whether a value of the type holds a stranger's string that its type still names.
func (a *analyzer) carries(t types.Type) bool {
	t = types.Unalias(t)
	if untrusted(t) {
		return true
	}
	if known, ok := a.holds[t]; ok {
		return known
	}
	a.holds[t] = false // for types that hold themselves
	found := false
	switch u := t.Underlying().(type) {
	case *types.Interface: // such as dossier.Event
		n, ok := t.(*types.Named)
		found = ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == module+"agent/dossier"
	case *types.Struct:
		for i := range u.NumFields() {
			found = found || a.carries(u.Field(i).Type())
		}
	case *types.Slice:
		found = a.carries(u.Elem())
	case *types.Array:
		found = a.carries(u.Elem())
	case *types.Pointer:
		found = a.carries(u.Elem())
	case *types.Chan:
		found = a.carries(u.Elem())
	case *types.Map:
		found = a.carries(u.Key()) || a.carries(u.Elem())
	}
	a.holds[t] = found
	return found
}

// open says whether a type is an interface that forgets what is in it: the empty one, error, and those of the
// standard library, whose users print, encode or reflect.
func open(t types.Type) bool {
	t = types.Unalias(t)
	if _, ok := t.(*types.TypeParam); ok {
		return false
	}
	i, ok := t.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	n, named := t.(*types.Named)
	if i.NumMethods() == 0 || !named || n.Obj().Pkg() == nil {
		return true
	}
	first, _, _ := strings.Cut(n.Obj().Pkg().Path(), "/")
	return !strings.Contains(first, ".")
}

// plain says whether a type is made of letters that nobody marked.
func plain(t types.Type) bool {
	switch u := types.Unalias(t).Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0 || u.Kind() == types.UnsafePointer
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && (b.Kind() == types.Byte || b.Kind() == types.Rune)
	}
	return false
}

func (a *analyzer) report(n ast.Node, format string, args ...any) {
	a.leaks = append(a.leaks, leak{a.fset.Position(n.Pos()), a.in, fmt.Sprintf(format, args...)})
}

func (a *analyzer) typeOf(e ast.Expr) types.Type {
	if t := a.info.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

// passes reports a value that goes where its mark is lost.
func (a *analyzer) passes(e ast.Expr, to types.Type) {
	if e == nil || to == nil || !open(to) {
		return
	}
	if tuple, ok := a.typeOf(e).(*types.Tuple); ok {
		for i := range tuple.Len() {
			if a.carries(tuple.At(i).Type()) {
				a.report(e, "%s becomes %s", tuple.At(i).Type(), to)
			}
		}
		return
	}
	if tv, ok := a.info.Types[e]; ok && tv.Value != nil {
		return // a constant of ours
	}
	if t := a.typeOf(e); a.carries(t) {
		a.report(e, "%s becomes %s", t, to)
	}
}

// file looks at every function and variable of a file.
func (a *analyzer) file(f *ast.File) {
	for _, d := range f.Decls {
		name := "var"
		a.sig = nil
		if fn, ok := d.(*ast.FuncDecl); ok {
			name = fn.Name.Name
			if fn.Recv != nil && len(fn.Recv.List) == 1 {
				name = receiver(fn.Recv.List[0].Type) + "." + name
			}
			a.sig, _ = a.typeOf(fn.Name).(*types.Signature)
		}
		a.in = strings.TrimPrefix(a.pkg.Path(), module) + "." + name
		a.walk(d)
	}
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return "?"
}

func (a *analyzer) walk(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			outer := a.sig
			a.sig, _ = a.typeOf(n).(*types.Signature)
			a.walk(n.Body)
			a.sig = outer
			return false
		case *ast.CallExpr:
			a.call(n)
		case *ast.AssignStmt:
			a.assign(n)
		case *ast.ValueSpec:
			if n.Type != nil {
				for _, v := range n.Values {
					a.passes(v, a.typeOf(n.Type))
				}
			}
		case *ast.ReturnStmt:
			a.returns(n)
		case *ast.SendStmt:
			if c, ok := a.typeOf(n.Chan).Underlying().(*types.Chan); ok {
				a.passes(n.Value, c.Elem())
			}
		case *ast.CompositeLit:
			a.literal(n)
		case *ast.RangeStmt:
			if n.Value != nil && untrusted(a.typeOf(n.X)) {
				a.report(n.X, "its letters are taken one by one")
			}
		case *ast.IndexExpr:
			if untrusted(a.typeOf(n.X)) {
				a.report(n, "a byte is taken out of it")
			}
		case *ast.Ident:
			a.instance(n)
		}
		return true
	})
}

// call looks at conversions, at what goes into parameters, and at append and copy, which take a string's bytes.
func (a *analyzer) call(n *ast.CallExpr) {
	if tv := a.info.Types[n.Fun]; tv.IsType() {
		a.converts(n, tv.Type)
		return
	}
	if tv := a.info.Types[n.Fun]; tv.IsBuiltin() {
		a.builtin(n)
		return
	}
	sig, ok := a.typeOf(n.Fun).Underlying().(*types.Signature)
	if !ok {
		return
	}
	if _, ok := takers[a.callee(n)]; ok {
		return
	}
	for i, arg := range n.Args {
		if to, ok := parameter(sig, i, n.Ellipsis.IsValid()); ok {
			a.passes(arg, to)
		}
	}
}

// callee names the function that is called, as the list of takers does.
func (a *analyzer) callee(n *ast.CallExpr) string {
	var name *ast.Ident
	switch fun := ast.Unparen(n.Fun).(type) {
	case *ast.Ident:
		name = fun
	case *ast.SelectorExpr:
		name = fun.Sel
	default:
		return ""
	}
	fn, ok := a.info.Uses[name].(*types.Func)
	if !ok || fn.Pkg() == nil {
		return ""
	}
	path := strings.TrimPrefix(fn.Pkg().Path(), module)
	if recv := fn.Signature().Recv(); recv != nil {
		t := recv.Type()
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		if named, ok := types.Unalias(t).(*types.Named); ok {
			path += "." + named.Obj().Name()
		}
	}
	return path + "." + fn.Name()
}

func parameter(sig *types.Signature, i int, spread bool) (types.Type, bool) {
	last := sig.Params().Len() - 1
	switch {
	case i < last || i == last && (!sig.Variadic() || spread):
		return sig.Params().At(i).Type(), true
	case sig.Variadic():
		return sig.Params().At(last).Type().(*types.Slice).Elem(), true
	}
	return nil, false
}

func (a *analyzer) converts(n *ast.CallExpr, to types.Type) {
	if len(n.Args) != 1 {
		return
	}
	from := a.typeOf(n.Args[0])
	a.passes(n.Args[0], to)
	if basic, ok := to.Underlying().(*types.Basic); ok && basic.Kind() == types.UnsafePointer && a.carries(from) {
		a.report(n, "%s becomes a bare pointer", from)
		return
	}
	if _, ok := types.Unalias(to).(*types.TypeParam); ok && untrusted(from) {
		a.report(n, "it becomes %s, of whatever type that is", to)
		return
	}
	if untrusted(from) && !untrusted(to) && plain(to) {
		a.report(n, "it becomes %s", to)
	}
}

func (a *analyzer) builtin(n *ast.CallExpr) {
	name, ok := ast.Unparen(n.Fun).(*ast.Ident)
	if !ok || len(n.Args) == 0 {
		return
	}
	switch name.Name {
	case "append":
		if s, ok := a.typeOf(n.Args[0]).Underlying().(*types.Slice); ok {
			for _, arg := range n.Args[1:] {
				if n.Ellipsis.IsValid() {
					if untrusted(a.typeOf(arg)) {
						a.report(arg, "its bytes are appended")
					}
					continue
				}
				a.passes(arg, s.Elem())
			}
		}
	case "copy":
		if len(n.Args) == 2 && untrusted(a.typeOf(n.Args[1])) {
			a.report(n.Args[1], "its bytes are copied")
		}
	case "panic":
		a.passes(n.Args[0], types.Universe.Lookup("any").Type())
	}
}

func (a *analyzer) assign(n *ast.AssignStmt) {
	if n.Tok == token.DEFINE {
		return // takes the type of what it is given
	}
	if len(n.Lhs) == len(n.Rhs) {
		for i := range n.Lhs {
			a.passes(n.Rhs[i], a.typeOf(n.Lhs[i]))
		}
		return
	}
	if tuple, ok := a.typeOf(n.Rhs[0]).(*types.Tuple); ok {
		for i := range n.Lhs {
			if i < tuple.Len() && open(a.typeOf(n.Lhs[i])) && a.carries(tuple.At(i).Type()) {
				a.report(n, "%s becomes %s", tuple.At(i).Type(), a.typeOf(n.Lhs[i]))
			}
		}
	}
}

func (a *analyzer) returns(n *ast.ReturnStmt) {
	if a.sig == nil {
		return
	}
	results := a.sig.Results()
	if len(n.Results) == results.Len() {
		for i, e := range n.Results {
			a.passes(e, results.At(i).Type())
		}
	}
}

func (a *analyzer) literal(n *ast.CompositeLit) {
	switch u := a.typeOf(n).Underlying().(type) {
	case *types.Struct:
		for i, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok {
					a.passes(kv.Value, a.typeOf(key))
				}
				continue
			}
			a.passes(e, u.Field(i).Type())
		}
	case *types.Map:
		for _, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				a.passes(kv.Key, u.Key())
				a.passes(kv.Value, u.Elem())
			}
		}
	case *types.Slice:
		a.elements(n, u.Elem())
	case *types.Array:
		a.elements(n, u.Elem())
	}
}

func (a *analyzer) elements(n *ast.CompositeLit, elem types.Type) {
	for _, e := range n.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			e = kv.Value
		}
		a.passes(e, elem)
	}
}

// instance looks at generic functions that are made for the stranger's type: one that takes any string can turn
// it into a plain one out of our sight.
func (a *analyzer) instance(n *ast.Ident) {
	made, ok := a.info.Instances[n]
	if !ok {
		return
	}
	fn, ok := a.info.Uses[n].(*types.Func)
	if !ok {
		return
	}
	params := fn.Type().(*types.Signature).TypeParams()
	for i := range made.TypeArgs.Len() {
		if untrusted(made.TypeArgs.At(i)) && stringOnly(params.At(i).Constraint()) {
			a.report(n, "%s is made for it, and takes any kind of string", fn.Name())
		}
	}
}

// stringOnly says whether all types that a constraint takes can be converted to a string or its bytes.
func stringOnly(constraint types.Type) bool {
	i, ok := constraint.Underlying().(*types.Interface)
	if !ok {
		return false
	}
	for k := range i.NumEmbeddeds() {
		u, ok := i.EmbeddedType(k).(*types.Union)
		if !ok {
			if stringOnly(i.EmbeddedType(k)) {
				return true
			}
			continue
		}
		all := true
		for j := range u.Len() {
			all = all && plain(u.Term(j).Type())
		}
		if all {
			return true
		}
	}
	return false
}
