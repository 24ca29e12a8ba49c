package policies

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// neverHolds finds the plain mistake of asking a fact that is never negative to be below zero: as the whole
// condition or as one part of an `and`.
func neverHolds(e *expression) bool { return never(e.tree.Expr()) }

func never(x ast.Expr) bool {
	if x.Kind() != ast.CallKind {
		return false
	}
	call := x.AsCall()
	args := call.Args()
	switch call.FunctionName() {
	case operators.LogicalAnd:
		return never(args[0]) || never(args[1])
	case operators.LogicalOr:
		return never(args[0]) && never(args[1])
	case operators.Less:
		return neverNegative(args[0]) && literalNumber(args[1], func(f float64) bool { return f <= 0 })
	case operators.LessEquals, operators.Equals:
		return neverNegative(args[0]) && literalNumber(args[1], func(f float64) bool { return f < 0 })
	case operators.Greater:
		return neverNegative(args[1]) && literalNumber(args[0], func(f float64) bool { return f <= 0 })
	case operators.GreaterEquals:
		return neverNegative(args[1]) && literalNumber(args[0], func(f float64) bool { return f < 0 })
	}
	return false
}

// neverNegative says whether x is a fact that is a count, a share or an amount. Only what a parameter was and
// becomes, and its change, may be negative.
func neverNegative(x ast.Expr) bool {
	if x.Kind() == ast.CallKind {
		return x.AsCall().FunctionName() == "size"
	}
	if x.Kind() == ast.IdentKind {
		return x.AsIdent() == "unknown_calls"
	}
	if x.Kind() != ast.SelectKind {
		return false
	}
	operand := x.AsSelect().Operand()
	if operand.Kind() == ast.IdentKind {
		_, isRoot := ruleEnv.root.index[operand.AsIdent()]
		return isRoot
	}
	return operand.Kind() == ast.SelectKind && operand.AsSelect().Operand().Kind() == ast.IdentKind && operand.AsSelect().Operand().AsIdent() == "governor"
}

func literalNumber(x ast.Expr, is func(float64) bool) bool {
	if x.Kind() == ast.CallKind && x.AsCall().FunctionName() == operators.Negate {
		return literalNumber(x.AsCall().Args()[0], func(f float64) bool { return is(-f) })
	}
	if x.Kind() != ast.LiteralKind {
		return false
	}
	switch v := x.AsLiteral().(type) {
	case types.Int:
		return is(float64(v))
	case types.Double:
		return is(float64(v))
	}
	return false
}
