package policies

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/legate-dao/legate/policies/strict"
)

// inspector walks a checked expression: it refuses what the type checker lets through and collects the
// facts that the expression reads.
type inspector struct {
	env    *environment
	tree   *ast.AST
	names  Names
	faults []fault
	reads  []read
	seen   map[string]bool
	vars   []variable
}

// variable is one of a macro such as all(p, …): an element of a list.
type variable struct {
	name string
	of   chain
	ok   bool
}

// chain is a path of facts from a variable in scope.
type chain struct {
	steps []step
	field *field // the last field; nil at an element of a list of words
	text  string // `params[*].direction`; [*] for any element
	elem  bool   // it is an element of the list that field is
}

// step goes one deeper: a field of an object, an element of a list, or every element.
type step struct {
	field int
	index int
	every bool
	name  string
}

func (in *inspector) report(x ast.Expr, message, hint string) {
	at := in.tree.SourceInfo().GetStartLocation(x.ID())
	in.faults = append(in.faults, fault{max(at.Line(), 1), max(at.Column()+1, 1), message, hint})
}

// add remembers a fact for the trace, once, in the order of the rule.
func (in *inspector) add(r read) {
	if in.seen == nil {
		in.seen = map[string]bool{}
	}
	if !in.seen[r.name] {
		in.seen[r.name] = true
		in.reads = append(in.reads, r)
	}
}

func (in *inspector) walk(x ast.Expr) {
	if c, ok := in.resolve(x); ok {
		in.add(read{name: c.text, steps: c.steps})
		return
	}
	switch x.Kind() {
	case ast.LiteralKind:
		in.literal(x)
	case ast.IdentKind:
		if x.AsIdent() == metricsName {
			in.report(x, `metrics is read as metrics["name"]`, "")
		}
	case ast.SelectKind:
		in.walk(x.AsSelect().Operand())
	case ast.ListKind:
		for _, e := range x.AsList().Elements() {
			in.walk(e)
		}
	case ast.StructKind, ast.MapKind:
		in.report(x, "values in braces are not in the language", "")
	case ast.CallKind:
		in.call(x)
	case ast.ComprehensionKind:
		in.comprehension(x.AsComprehension())
	}
}

func (in *inspector) literal(x ast.Expr) {
	switch v := x.AsLiteral().(type) {
	case types.Double:
		if notFinite(float64(v)) {
			in.report(x, "this number is too large", "")
		}
	case types.Uint, types.Bytes, types.Null:
		in.report(x, fmt.Sprintf("%s values are not in the language", v.Type().TypeName()), "")
	}
}

func (in *inspector) comprehension(c ast.ComprehensionExpr) {
	of, ok := in.resolve(c.IterRange())
	if !ok {
		in.walk(c.IterRange())
	}
	before := len(in.reads)
	in.vars = append(in.vars, variable{c.IterVar(), element(of, step{every: true, name: "[*]"}), ok && of.field != nil && of.field.list})
	in.walk(c.LoopCondition())
	in.walk(c.LoopStep())
	in.vars = in.vars[:len(in.vars)-1]
	in.walk(c.Result())
	if ok && len(in.reads) == before {
		in.add(read{name: of.text, steps: of.steps})
	}
}

// element is one or any element of a list.
func element(of chain, s step) chain {
	of.steps = append(slices.Clip(of.steps), s)
	of.text += s.name
	of.elem = true
	return of
}

// resolve follows a chain of fields and literal indexes from a variable.
func (in *inspector) resolve(x ast.Expr) (chain, bool) {
	switch x.Kind() {
	case ast.IdentKind:
		name := x.AsIdent()
		for _, v := range slices.Backward(in.vars) {
			if v.name == name {
				return v.of, v.ok
			}
		}
		i, ok := in.env.root.index[name]
		if !ok {
			return chain{}, false
		}
		return chain{steps: []step{{field: i}}, field: &in.env.root.fields[i], text: name}, true
	case ast.SelectKind:
		s := x.AsSelect()
		c, ok := in.resolve(s.Operand())
		if !ok || c.field.object == nil || c.field.list && !c.elem {
			return chain{}, false
		}
		i, ok := c.field.object.index[s.FieldName()]
		if !ok {
			return chain{}, false
		}
		return chain{steps: append(slices.Clip(c.steps), step{field: i}), field: &c.field.object.fields[i], text: c.text + "." + s.FieldName()}, true
	case ast.CallKind:
		call := x.AsCall()
		if call.FunctionName() != operators.Index || call.Args()[1].Kind() != ast.LiteralKind {
			return chain{}, false
		}
		n, isInt := call.Args()[1].AsLiteral().(types.Int)
		c, ok := in.resolve(call.Args()[0])
		if !ok || !isInt || n < 0 || !c.field.list || c.elem {
			return chain{}, false
		}
		return element(c, step{index: int(n), name: fmt.Sprintf("[%d]", n)}), true
	}
	return chain{}, false
}

func (in *inspector) call(x ast.Expr) {
	call := x.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case foundCall, cleanCall, cleanBut:
		mask := uint64(args[1].AsLiteral().(types.Int))
		in.add(read{name: checkText(call.FunctionName(), mask), call: call.FunctionName(), mask: mask})
		return
	case amountCall:
		return
	case operators.Index:
		if args[0].Kind() == ast.IdentKind && args[0].AsIdent() == metricsName {
			in.metric(x, args[1])
			return
		}
	case operators.Equals, operators.NotEquals:
		in.comparable(x, args[0])
		in.words(args[0], args[1])
		in.words(args[1], args[0])
	case operators.In:
		in.comparable(x, args[0])
		in.words(args[0], args[1])
		in.words(args[1], args[0])
	}
	if call.IsMemberFunction() {
		in.walk(call.Target())
	}
	for _, a := range args {
		in.walk(a)
	}
}

func (in *inspector) metric(x, key ast.Expr) {
	name, ok := literalString(key)
	if !ok {
		in.report(x, `a metric is named in quotes, as in metrics["eth-price"]`, "")
		return
	}
	if in.names.Metrics != nil && !slices.Contains(in.names.Metrics, name) {
		in.report(key, fmt.Sprintf("there is no metric %q", name), near(name, in.names.Metrics))
	}
	in.add(read{name: fmt.Sprintf("metrics[%q]", name), metric: name})
}

// comparable refuses to compare groups of facts: it would be an error at every evaluation.
func (in *inspector) comparable(x, side ast.Expr) {
	t := in.tree.GetType(side.ID())
	for t != nil && t.Kind() == types.ListKind {
		t = t.Parameters()[0]
	}
	if t != nil && (t.Kind() == types.StructKind || t.TypeName() == checksType.TypeName()) {
		in.report(x, fmt.Sprintf("%s cannot be compared", typeName(cel.ObjectType(t.TypeName()))), "name one of its fields")
	}
}

// words checks the literal texts that a fact is compared with.
func (in *inspector) words(fact, other ast.Expr) {
	c, ok := in.resolve(fact)
	if !ok || c.field == nil || c.field.object != nil {
		return
	}
	literals := []ast.Expr{other}
	if other.Kind() == ast.ListKind {
		literals = other.AsList().Elements()
	}
	for _, l := range literals {
		text, isText := literalString(l)
		if !isText {
			continue
		}
		switch {
		case c.field.enum != nil && !slices.Contains(c.field.enum, text):
			hint := near(text, c.field.enum)
			if hint == "" {
				hint = "one of: " + strings.Join(c.field.enum, ", ")
			}
			in.report(l, fmt.Sprintf("%s is never %q", c.text, text), hint)
		case c.field.addr && text != "native":
			if _, err := strict.ParseAddress(text); err != nil {
				message, hint := err.Error(), ""
				if m := (strict.Mistake{}); errors.As(err, &m) {
					message, hint = m.Message, m.Hint
				}
				in.report(l, message, hint)
			}
		case c.text == "proposal.name" && in.names.Governors != nil && !slices.Contains(in.names.Governors, text):
			in.report(l, fmt.Sprintf("there is no governor %q", text), near(text, in.names.Governors))
		}
	}
}
