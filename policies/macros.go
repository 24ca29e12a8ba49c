package policies

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/strict"
)

// The functions of the language are macros over hidden functions, whose names nobody can type: so their
// words are checked when the file is read.
const (
	checksName  = "@checks"
	metricsName = "metrics"
	foundCall   = "@found"
	cleanCall   = "@clean"
	cleanBut    = "@clean_but"
	onlyCall    = "@only"
	onlyImpacts = "@only_impacts"
	amountCall  = "@amount"
)

// laterChecks are detectors that policies may name one day, with why they may not now.
var laterChecks = map[string]string{
	"look-alike": "not in this release", "environment": "not in this release", "market-probe": "not in this release",
	"code-pin": "it speaks after the vote", "drift": "it speaks after the vote", "text-match": "it reads text: use brief.contradicts in hold_if",
	"imitation": "it is context, which decides no direction", "dao-design": "it is context, which decides no direction", "power-spike": "it is context, which decides no direction",
	"late-surge": "it is context, which decides no direction", "sneak-window": "it is context, which decides no direction",
	"new-proposer": "it is context, which decides no direction", "spam": "it is context, which decides no direction", "bought-votes": "it is context, which decides no direction",
}

func checkNames() []string {
	names := make([]string, len(checks.All))
	for i, c := range checks.All {
		names[i] = string(c.Name)
	}
	return names
}

// requiredMask has a bit for every required check.
var requiredMask = func() (mask uint64) {
	for i, c := range checks.All {
		if c.Required {
			mask |= 1 << i
		}
	}
	return mask
}()

// maskOf has a bit for every word that is among names.
func maskOf(words, names []string) (mask uint64) {
	for _, w := range words {
		for i, n := range names {
			if w == n {
				mask |= 1 << i
			}
		}
	}
	return mask
}

// namesOf lists the names of the bits.
func namesOf(mask uint64, names []string) (out []string) {
	for i, n := range names {
		if mask&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// literals reads the words of a macro; they must be literal.
func literals(eh cel.MacroExprFactory, function, what string, args []ast.Expr, known []string, later map[string]string) ([]string, *common.Error) {
	out := make([]string, 0, len(args))
	for _, a := range args {
		text, ok := literalString(a)
		if !ok {
			return nil, eh.NewError(a.ID(), fmt.Sprintf("%s() takes names of %s in quotes", function, what))
		}
		if maskOf([]string{text}, known) == 0 {
			if why, is := later[text]; is {
				return nil, eh.NewError(a.ID(), fmt.Sprintf("the check %q cannot be named here: %s", text, why))
			}
			return nil, eh.NewError(a.ID(), fmt.Sprintf("there is no %s %q%s", strings.TrimSuffix(what, "s"), text, didYouMean(text, known)))
		}
		out = append(out, text)
	}
	return out, nil
}

func literalString(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

func didYouMean(word string, known []string) string {
	if near := strict.Suggest(word, known); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}

// checkMacro is found, clean or clean_but.
func checkMacro(function, call string, least int) cel.Macro {
	return cel.GlobalVarArgMacro(function, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
		if len(args) < least {
			return nil, eh.NewError(0, fmt.Sprintf("%s() needs the name of a check", function))
		}
		if function == "found" && len(args) > 1 {
			return nil, eh.NewError(args[1].ID(), "found() takes one name; write found(…) || found(…)")
		}
		names, err := literals(eh, function, "checks", args, checkNames(), laterChecks)
		if err != nil {
			return nil, err
		}
		mask := maskOf(names, checkNames())
		switch {
		case call == cleanBut:
			mask = requiredMask &^ mask
		case len(args) == 0:
			mask = requiredMask
		}
		return eh.NewCall(call, eh.NewIdent(checksName), eh.NewLiteral(types.Int(mask))), nil
	})
}

var onlyMacro = cel.GlobalVarArgMacro("only", func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
	if len(args) == 0 {
		return nil, eh.NewError(0, "only() needs the name of a kind")
	}
	calls, impacts := words(gov.Kinds...), words(gov.ImpactKinds...)
	names, err := literals(eh, "only", "kinds", args, slices.Concat(calls, impacts), nil)
	if err != nil {
		return nil, err
	}
	// A word is of a call or of an impact; no word is of both, as a test holds.
	call, list, known := onlyCall, "kinds", calls
	if slices.Contains(impacts, names[0]) {
		call, list, known = onlyImpacts, "impacts", impacts
	}
	for i, n := range names {
		if !slices.Contains(known, n) {
			return nil, eh.NewError(args[i].ID(), fmt.Sprintf("only() takes kinds of calls or kinds of impacts, and %q and %q are not of one sort", names[0], n))
		}
	}
	return eh.NewCall(call, eh.NewIdent(list), eh.NewLiteral(types.Int(maskOf(names, known)))), nil
})

var amountMacro = cel.GlobalMacro("amount", 1, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *common.Error) {
	text, ok := literalString(args[0])
	if !ok {
		return nil, eh.NewError(args[0].ID(), `amount() takes a number in quotes, such as amount("1.5 ETH") or amount("1500000000000000000")`)
	}
	a, err := parseAmount(text)
	if err != nil {
		return nil, eh.NewError(args[0].ID(), err.Error())
	}
	return eh.NewCall(amountCall, eh.NewLiteral(types.String(a.String()))), nil
})

// checkFunctions declare what the macros expand to.
func checkFunctions() []cel.EnvOption {
	args := []*cel.Type{checksType, cel.IntType}
	ask := func(call string, answer func(r *checkResults, mask uint64) gov.Tri) cel.EnvOption {
		return cel.Function(call, cel.Overload("legate_"+call[1:], args, cel.BoolType, cel.BinaryBinding(func(a, b ref.Val) ref.Val {
			r, ok := a.(*checkResults)
			mask, ok2 := b.(types.Int)
			if !ok || !ok2 {
				return errNotComparable
			}
			switch answer(r, uint64(mask)) {
			case gov.True:
				return types.True
			case gov.False:
				return types.False
			}
			return missing(checkText(call, uint64(mask)))
		})))
	}
	none := func(r *checkResults, mask uint64) gov.Tri { return not(r.any(mask)) }
	return []cel.EnvOption{
		cel.Variable(checksName, checksType),
		ask(foundCall, (*checkResults).any), ask(cleanCall, none), ask(cleanBut, none),
		cel.Macros(checkMacro("found", foundCall, 1), checkMacro("clean", cleanCall, 0), checkMacro("clean_but", cleanBut, 1)),
	}
}

func not(t gov.Tri) gov.Tri {
	switch t {
	case gov.True:
		return gov.False
	case gov.False:
		return gov.True
	}
	return gov.Unknown
}

// checkText is how a person writes a call of a check function.
func checkText(call string, mask uint64) string {
	function := strings.TrimPrefix(call, "@")
	switch {
	case call == cleanBut:
		mask = requiredMask &^ mask
	case call == cleanCall && mask == requiredMask:
		mask = 0
	}
	names := namesOf(mask, checkNames())
	for i, n := range names {
		names[i] = fmt.Sprintf("%q", n)
	}
	return function + "(" + strings.Join(names, ", ") + ")"
}

// factFunctions declare only() and amount().
func factFunctions() []cel.EnvOption {
	impactType := types.NewObjectType("fact." + reflect.TypeFor[gov.Impact]().Name())
	return []cel.EnvOption{
		cel.Macros(onlyMacro, amountMacro),
		cel.Function(onlyCall, cel.Overload("legate_only", []*cel.Type{cel.ListType(cel.StringType), cel.IntType}, cel.BoolType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val { return only(a, b) }))),
		cel.Function(onlyImpacts, cel.Overload("legate_only_impacts", []*cel.Type{cel.ListType(impactType), cel.IntType}, cel.BoolType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val { return onlyOf(a, b) }))),
		cel.Function(amountCall, cel.Overload("legate_amount", []*cel.Type{cel.StringType}, amountType,
			cel.UnaryBinding(func(a ref.Val) ref.Val {
				n, err := gov.ParseAmount(string(a.(types.String)))
				if err != nil {
					return types.NewErr("not an amount")
				}
				return amount{n}
			}))),
	}
}

var kindBit = func() map[string]uint64 {
	bits := map[string]uint64{}
	for i, k := range gov.Kinds {
		bits[string(k)] = 1 << i
	}
	return bits
}()

// only says whether there is at least one kind and all are in the mask. A kind that is not in the table
// is not in any mask.
func only(kinds, mask ref.Val) ref.Val {
	list, ok := kinds.(traits.Lister)
	allowed, ok2 := mask.(types.Int)
	if !ok || !ok2 {
		return errNotComparable
	}
	n := 0
	for it := list.Iterator(); it.HasNext() == types.True; n++ {
		kind, isText := it.Next().(types.String)
		if !isText || kindBit[string(kind)]&uint64(allowed) == 0 {
			return types.False
		}
	}
	return types.Bool(n > 0)
}

// onlyOf is only over impacts: their kinds.
func onlyOf(impacts, mask ref.Val) ref.Val {
	list, ok := impacts.(traits.Lister)
	allowed, ok2 := mask.(types.Int)
	if !ok || !ok2 {
		return errNotComparable
	}
	n := 0
	for it := list.Iterator(); it.HasNext() == types.True; n++ {
		o, isObject := it.Next().(*object)
		if !isObject {
			return errNotComparable
		}
		i := slices.Index(gov.ImpactKinds, o.v.Addr().Interface().(*gov.Impact).Kind)
		if i < 0 || types.Int(1)<<i&allowed == 0 {
			return types.False
		}
	}
	return types.Bool(n > 0)
}
