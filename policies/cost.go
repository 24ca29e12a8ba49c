package policies

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/legate-dao/legate/agent/gov"
)

const (
	// shortList is how long a list may be for an evaluation without a counter.
	shortList = 64
	// nodeCost is more than any operation of the language costs that does not grow with its operands.
	nodeCost = 16
)

// costBound is more than an evaluation of x can cost while no list is longer than shortList, and whether
// it loops. Counting costs as much time as evaluating, so what cannot reach the limit is not counted: the
// limit would never have stopped it, and the result is the same.
func costBound(x ast.Expr) (bound int, loops bool) {
	add := func(e ast.Expr, times int) {
		b, l := costBound(e)
		bound, loops = min(bound+times*b, 2*maxCost), loops || l
	}
	bound = nodeCost
	switch x.Kind() {
	case ast.SelectKind:
		add(x.AsSelect().Operand(), 1)
	case ast.ListKind:
		for _, e := range x.AsList().Elements() {
			add(e, 1)
		}
	case ast.CallKind:
		call := x.AsCall()
		if grows(call) {
			bound = 2 * maxCost
		}
		if call.IsMemberFunction() {
			add(call.Target(), 1)
		}
		for _, a := range call.Args() {
			add(a, 1)
		}
	case ast.ComprehensionKind:
		c := x.AsComprehension()
		loops = true
		times := shortList
		switch c.IterRange().Kind() {
		case ast.IdentKind, ast.SelectKind: // a list of facts
		case ast.ListKind:
			times = max(times, c.IterRange().AsList().Size())
		default: // a list that was made, perhaps a long one
			bound = 2 * maxCost
		}
		add(c.IterRange(), 1)
		add(c.AccuInit(), 1)
		add(c.LoopCondition(), times)
		add(c.LoopStep(), times)
		add(c.Result(), 1)
	}
	return bound, loops
}

// grows says whether a call's cost grows with its operands: texts searched, lists joined or compared. The
// search of a word in the kinds, of which there are few, does not count.
func grows(call ast.CallExpr) bool {
	switch call.FunctionName() {
	case "contains", "startsWith", "endsWith":
		return true
	case operators.Add:
		for _, a := range call.Args() {
			if a.Kind() == ast.ListKind {
				return true
			}
		}
	}
	return false
}

// short says whether every list that an expression can loop over is short.
func short(f *gov.Facts) bool {
	outflows, _ := f.Treasury.Outflows.Get()
	params, _ := f.Params.Get()
	upgrades, _ := f.Upgrades.Get()
	kinds, _ := f.Kinds.Get()
	calls, _ := f.Calls.Get()
	impacts, _ := f.Impacts.Get()
	return max(len(outflows), len(params), len(upgrades), len(kinds), len(impacts), countLeaves(calls)) <= shortList
}

func countLeaves(calls []gov.Call) (n int) {
	for i := range calls {
		if len(calls[i].Children) == 0 {
			n++
			continue
		}
		n += countLeaves(calls[i].Children)
	}
	return n
}
