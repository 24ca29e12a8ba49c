package policies

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/legate-dao/legate/agent/gov"
)

// Speak reads an expression aloud: `treasury.outflow_usd <= 50000` as "treasury.outflow_usd is at most
// 50000". What it has no words for it quotes as written.
func Speak(e *expression) string {
	if e == nil {
		return "…"
	}
	return (&speaker{macros: e.tree.SourceInfo()}).say(e.tree.Expr(), 0)
}

type speaker struct{ macros *ast.SourceInfo }

// comparisons in words.
var comparisons = map[string]string{
	operators.Less: "is below", operators.LessEquals: "is at most", operators.Greater: "is above", operators.GreaterEquals: "is at least",
	operators.Equals: "is", operators.NotEquals: "is not", operators.In: "is among",
}

var symbols = map[string]string{operators.Add: "+", operators.Subtract: "-", operators.Multiply: "*", operators.Divide: "/", operators.Modulo: "%"}

// say gives the words for x; binds is how tightly the surrounding words bind: 1 inside an or, 2 inside an and, 3 inside a not.
func (s *speaker) say(x ast.Expr, binds int) string {
	x = s.unfold(x)
	switch x.Kind() {
	case ast.IdentKind:
		return x.AsIdent()
	case ast.SelectKind:
		return s.say(x.AsSelect().Operand(), 3) + "." + x.AsSelect().FieldName()
	case ast.LiteralKind:
		return literalText(x)
	case ast.ListKind:
		var parts []string
		for _, e := range x.AsList().Elements() {
			parts = append(parts, s.say(e, 0))
		}
		return strings.Join(parts, ", ")
	case ast.ComprehensionKind:
		return s.macro(x)
	case ast.CallKind:
		return s.call(x.AsCall(), binds)
	}
	return "…"
}

func literalText(x ast.Expr) string {
	switch v := x.AsLiteral().(type) {
	case types.String:
		return string(v)
	case types.Int, types.Double, types.Bool:
		return fmt.Sprint(v.Value())
	}
	return "…"
}

func (s *speaker) call(c ast.CallExpr, binds int) string {
	args := c.Args()
	group := func(text string, own int) string {
		if binds > own {
			return "(" + text + ")"
		}
		return text
	}
	switch f := c.FunctionName(); f {
	case operators.LogicalOr:
		return group(s.say(args[0], 1)+" or "+s.say(args[1], 1), 1)
	case operators.LogicalAnd:
		return group(s.say(args[0], 2)+" and "+s.say(args[1], 2), 2)
	case operators.LogicalNot:
		return "not " + s.say(args[0], 3)
	case operators.Negate:
		return "-" + s.say(args[0], 3)
	case operators.Conditional:
		return group(fmt.Sprintf("(if %s then %s else %s)", s.say(args[0], 0), s.say(args[1], 0), s.say(args[2], 0)), 3)
	case operators.Index:
		return s.say(args[0], 3) + "[" + s.say(args[1], 0) + "]"
	case foundCall, cleanCall, cleanBut:
		return checkWords(f, uint64(args[1].AsLiteral().(types.Int)))
	case onlyCall:
		return "every call is of kind " + orList(namesOf(uint64(args[1].AsLiteral().(types.Int)), words(gov.Kinds...)))
	case onlyImpacts:
		return "every impact is of kind " + orList(namesOf(uint64(args[1].AsLiteral().(types.Int)), words(gov.ImpactKinds...)))
	case "found", "clean", "clean_but", "only", "amount":
		return asWritten(f, args)
	case amountCall:
		return literalText(args[0])
	case "size":
		of := args
		if c.IsMemberFunction() {
			of = []ast.Expr{c.Target()}
		}
		return "the number of " + s.say(of[0], 3)
	default:
		if loops[f] != "" && c.IsMemberFunction() && len(args) >= 2 {
			return s.loop(c)
		}
		if words, ok := comparisons[f]; ok {
			return s.say(args[0], 3) + " " + words + " " + s.say(args[1], 3)
		}
		if symbol, ok := symbols[f]; ok {
			return group(s.say(args[0], 3)+" "+symbol+" "+s.say(args[1], 3), 2)
		}
		if c.IsMemberFunction() && len(args) == 1 {
			verb := map[string]string{"contains": "contains", "startsWith": "starts with", "endsWith": "ends with"}[f]
			return s.say(c.Target(), 3) + " " + verb + " " + s.say(args[0], 3)
		}
	}
	return "…"
}

// checkWords says a check function.
func checkWords(call string, mask uint64) string {
	switch call {
	case foundCall:
		return "the check " + orList(namesOf(mask, checkNames())) + " found something"
	case cleanBut:
		return "no required check but " + orList(namesOf(requiredMask&^mask, checkNames())) + " found anything"
	}
	if mask == requiredMask {
		return "no required check found anything"
	}
	return "the check " + orList(namesOf(mask, checkNames())) + " found nothing"
}

func orList(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// macro says a loop over a list, by the macro that it was written as.
func (s *speaker) macro(x ast.Expr) string {
	written, ok := s.macros.GetMacroCall(x.ID())
	if !ok || written.Kind() != ast.CallKind || len(written.AsCall().Args()) < 2 {
		return "…"
	}
	return s.loop(written.AsCall())
}

var loops = map[string]string{"all": "for every %s of %s, %s", "exists": "for some %s of %s, %s", "exists_one": "for exactly one %s of %s, %s", "filter": "those %s of %s for which %s", "map": "for every %s of %s its %s"}

// loop says all, exists, exists_one, filter or map.
func (s *speaker) loop(c ast.CallExpr) string {
	return fmt.Sprintf(loops[c.FunctionName()], s.say(c.Args()[0], 3), s.say(c.Target(), 3), s.say(c.Args()[len(c.Args())-1], 0))
}

// asWritten says a function of the language that stands inside a loop, where it is kept as written.
func asWritten(function string, args []ast.Expr) string {
	var names []string
	for _, a := range args {
		text, _ := literalString(a)
		names = append(names, text)
	}
	switch function {
	case "only":
		if len(names) > 0 && slices.Contains(words(gov.ImpactKinds...), names[0]) {
			return "every impact is of kind " + orList(names)
		}
		return "every call is of kind " + orList(names)
	case "amount":
		return strings.Join(names, "")
	case "found":
		return checkWords(foundCall, maskOf(names, checkNames()))
	case "clean_but":
		return checkWords(cleanBut, requiredMask&^maskOf(names, checkNames()))
	}
	if len(names) == 0 {
		return checkWords(cleanCall, requiredMask)
	}
	return checkWords(cleanCall, maskOf(names, checkNames()))
}

// unfold finds what a macro inside a macro was written as: its place holds an expression without a kind.
func (s *speaker) unfold(x ast.Expr) ast.Expr {
	if x.Kind() == ast.UnspecifiedExprKind {
		if written, ok := s.macros.GetMacroCall(x.ID()); ok {
			return written
		}
	}
	return x
}
