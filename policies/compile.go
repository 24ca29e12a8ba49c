package policies

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/legate-dao/legate/policies/strict"
)

// expression is one compiled expression.
type expression struct {
	text string
	// limited counts the cost of an evaluation and stops it; free does not, and is set where the cost cannot
	// come near the limit: at once, or with lists of at most shortList elements where there are loops.
	limited cel.Program
	free    cel.Program
	loops   bool
	tree    *ast.AST
	reads   []read
	env     *environment
}

// fault is what is wrong with an expression, at a line and a column of its own text, both from 1.
type fault struct {
	line, column  int
	message, hint string
}

// Names are what the operator's config defines. A nil list is not checked. Governors are followed by one daemon, whose
// one key votes for all holders of each.
type Names struct {
	Governors []string
	Metrics   []string
}

// compile checks an expression in full: syntax, types, enum words, addresses, and what is not in the language.
func (e *environment) compile(text string, names Names) (*expression, []fault) {
	parsed, issues := e.cel.Parse(text)
	if issues.Err() != nil {
		return nil, e.faults(issues, nil)
	}
	checked, issues := e.cel.Check(parsed)
	if issues.Err() != nil {
		return nil, e.faults(issues, parsed.NativeRep())
	}
	in := &inspector{env: e, tree: checked.NativeRep(), names: names}
	in.walk(in.tree.Expr())
	if checked.OutputType() != cel.BoolType {
		in.report(in.tree.Expr(), fmt.Sprintf("this is %s, not a condition", typeName(checked.OutputType())), "compare it with something")
	}
	if len(in.faults) > 0 {
		return nil, in.faults
	}
	out := &expression{text: text, tree: in.tree, reads: in.reads, env: e}
	var err error
	if out.limited, err = e.cel.Program(checked, cel.CostLimit(maxCost)); err != nil {
		return nil, []fault{{1, 1, "this cannot be evaluated: " + err.Error(), ""}}
	}
	bound, loops := costBound(in.tree.Expr())
	out.loops = loops
	if bound <= maxCost {
		if out.free, err = e.cel.Program(checked); err != nil {
			return nil, []fault{{1, 1, "this cannot be evaluated: " + err.Error(), ""}}
		}
	}
	return out, nil
}

// mentions says whether a variable stands anywhere in the expression; one of a macro with the same name counts too.
func (e *expression) mentions(variable string) (found bool) {
	ast.PreOrderVisit(e.tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		found = found || x.Kind() == ast.IdentKind && x.AsIdent() == variable
	}))
	return found
}

// mentionsField is mentions for a field of the variable.
func (e *expression) mentionsField(variable, field string) (found bool) {
	ast.PreOrderVisit(e.tree.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
		if x.Kind() != ast.SelectKind || x.AsSelect().FieldName() != field {
			return
		}
		of := x.AsSelect().Operand()
		found = found || of.Kind() == ast.IdentKind && of.AsIdent() == variable
	}))
	return found
}

var (
	undeclaredForm = regexp.MustCompile(`^undeclared reference to '([^']*)'`)
	fieldForm      = regexp.MustCompile(`^undefined field '([^']*)'`)
	overloadForm   = regexp.MustCompile(`^found no matching overload for '([^']*)' applied to '(.*)'$`)
	hintForm       = regexp.MustCompile(`^(.*) \((did you mean [^()]*)\)$`)
)

// faults puts what CEL says into the words of this language.
func (e *environment) faults(issues *cel.Issues, parsed *ast.AST) (out []fault) {
	for _, one := range issues.Errors() {
		f := fault{line: max(one.Location.Line(), 1), column: max(one.Location.Column()+1, 1), message: strings.TrimPrefix(one.Message, "Syntax error: ")}
		if m := undeclaredForm.FindStringSubmatch(one.Message); m != nil {
			f.message, f.hint = e.undeclared(m[1])
		} else if m := fieldForm.FindStringSubmatch(one.Message); m != nil {
			f.message, f.hint = e.undefined(parsed, one.ExprID, m[1])
			f.column++ // CEL points at the dot
		} else if m := overloadForm.FindStringSubmatch(one.Message); m != nil {
			f.message, f.hint = overload(m[1], m[2])
		} else if m := hintForm.FindStringSubmatch(f.message); m != nil {
			f.message, f.hint = m[1], m[2]
		} else if f.message != one.Message {
			f.message = "syntax: " + f.message
		}
		out = append(out, f)
	}
	return out
}

// laterNames are roots and fields that this release does not have.
var laterNames = map[string]bool{
	"bridge": true, "context.power": true, "context.proposer": true, "context.history": true,
}

var notInLanguage = []string{"has", "dyn", "type", "int", "uint", "double", "string", "bytes", "bool", "matches", "timestamp", "duration", "getFullYear", "getHours", "null_type", "list", "map"}

func (e *environment) undeclared(name string) (message, hint string) {
	root, _, _ := strings.Cut(name, ".")
	switch {
	case laterNames[root]:
		return fmt.Sprintf("%q is not in this release", root), ""
	case slices.Contains(notInLanguage, root):
		return fmt.Sprintf("%s is not in the language", root), "has, dyn, conversions, regular expressions and times are left out"
	case e != holdEnv && slices.Contains(holdEnv.names(), root) && !slices.Contains(ruleEnv.names(), root):
		return fmt.Sprintf("%q can be read in hold_if only", root), "no direction follows from text or from who votes"
	case root == metricsName:
		return `"metrics" can be read in emergency rules only`, ""
	case e == emergencyEnv && slices.Contains([]string{"proposal", "outlook", "found", "clean", "clean_but"}, root):
		return fmt.Sprintf("%q cannot be read in emergency rules", root), "they speak of no single proposal"
	}
	return fmt.Sprintf("there is no %q here", root), near(root, append(e.names(), e.functions()...))
}

func near(word string, known []string) string {
	if n := strict.Suggest(word, known); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return ""
}

// undefined explains a field that does not exist, by the path it stands in where that is plain.
func (e *environment) undefined(parsed *ast.AST, id int64, name string) (message, hint string) {
	path, known := "", e.allFieldNames()
	if parsed != nil {
		ast.PreOrderVisit(parsed.Expr(), ast.NewExprVisitor(func(x ast.Expr) {
			if x.ID() != id || x.Kind() != ast.SelectKind {
				return
			}
			if t, p := e.typeOfPath(x.AsSelect().Operand()); t != nil {
				path, known = p+".", nil
				for _, f := range t.fields {
					known = append(known, f.name)
				}
			}
		}))
	}
	if laterNames[path+name] {
		return fmt.Sprintf("%q is not in this release", path+name), ""
	}
	hint = near(name, known)
	if hint == "" && path != "" {
		hint = strings.TrimSuffix(path, ".") + " has: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("undefined field %q", path+name), hint
}

func (e *environment) allFieldNames() (out []string) {
	for _, name := range sortedKeys(e.all.types) {
		for _, f := range e.all.types[name].fields {
			out = append(out, f.name)
		}
	}
	return out
}

// typeOfPath is the object type that a chain of fields from a variable ends in.
func (e *environment) typeOfPath(x ast.Expr) (*objectType, string) {
	switch x.Kind() {
	case ast.IdentKind:
		if i, ok := e.root.index[x.AsIdent()]; ok && !e.root.fields[i].list {
			return e.root.fields[i].object, x.AsIdent()
		}
	case ast.SelectKind:
		t, path := e.typeOfPath(x.AsSelect().Operand())
		if t == nil {
			return nil, ""
		}
		if i, ok := t.index[x.AsSelect().FieldName()]; ok && !t.fields[i].list {
			return t.fields[i].object, path + "." + x.AsSelect().FieldName()
		}
	}
	return nil, ""
}

// overload explains operands that do not go together.
func overload(operator, operands string) (message, hint string) {
	symbol := strings.Trim(operator, "_@")
	symbol = strings.ReplaceAll(symbol, "_", "")
	types := strings.ReplaceAll(strings.ReplaceAll(strings.Trim(operands, "()"), "fact.", ""), "view.", "")
	switch symbol {
	case "==", "!=":
		if strings.Contains(types, "double") && strings.Contains(types, "int") {
			return fmt.Sprintf("%s does not mix whole numbers and decimals (%s)", symbol, types), "write 0.0 instead of 0"
		}
		return fmt.Sprintf("%s cannot compare (%s)", symbol, types), ""
	case "<", "<=", ">", ">=":
		return fmt.Sprintf("%s cannot compare (%s)", symbol, types), "only numbers and amounts have an order"
	case "!", "&&", "||", "?:":
		return fmt.Sprintf("%s takes conditions, not (%s)", symbol, types), ""
	}
	return fmt.Sprintf("%s cannot be used with (%s)", symbol, types), ""
}

func typeName(t *cel.Type) string {
	switch t.Kind() {
	case types.IntKind:
		return "a whole number"
	case types.DoubleKind:
		return "a number"
	case types.StringKind:
		return "a text"
	case types.ListKind:
		return "a list"
	case types.StructKind:
		return "a group of facts"
	}
	return "a value of type " + t.String()
}

func notFinite(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) }
