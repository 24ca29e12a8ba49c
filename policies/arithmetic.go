package policies

import (
	"fmt"
	"math"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// arithmetic replaces the standard + - * / % and < <= > >=: a result that is not
// finite is an error, and so makes the rule unknown (0.0/0.0 > 1 would be false by the standard, and its
// negation true); and whole numbers, decimals and amounts mix.
func arithmetic() []cel.EnvOption {
	opts := []cel.EnvOption{
		calculate(operators.Add, "add", func(a, b float64) float64 { return a + b },
			func(a, b types.Int) ref.Val { return a.Add(b) }, addList),
		calculate(operators.Subtract, "subtract", func(a, b float64) float64 { return a - b },
			func(a, b types.Int) ref.Val { return a.Subtract(b) }),
		calculate(operators.Multiply, "multiply", func(a, b float64) float64 { return a * b },
			func(a, b types.Int) ref.Val { return a.Multiply(b) }),
		calculate(operators.Divide, "divide", func(a, b float64) float64 { return a / b },
			func(a, b types.Int) ref.Val {
				if b == 0 {
					return errDivisionByZero
				}
				return a.Divide(b)
			}),
		cel.Function(operators.Modulo, cel.Overload("legate_modulo", []*cel.Type{cel.IntType, cel.IntType}, cel.IntType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val {
				if b == types.IntZero {
					return errDivisionByZero
				}
				return a.(types.Int).Modulo(b)
			}))),
		cel.Function(operators.Negate,
			cel.Overload("legate_negate_int", []*cel.Type{cel.IntType}, cel.IntType, cel.UnaryBinding(func(a ref.Val) ref.Val { return a.(types.Int).Negate() })),
			cel.Overload("legate_negate_double", []*cel.Type{cel.DoubleType}, cel.DoubleType, cel.UnaryBinding(func(a ref.Val) ref.Val { return a.(types.Double).Negate() }))),
		order(operators.Less, "less", func(c int) bool { return c < 0 }),
		order(operators.LessEquals, "less_equals", func(c int) bool { return c <= 0 }),
		order(operators.Greater, "greater", func(c int) bool { return c > 0 }),
		order(operators.GreaterEquals, "greater_equals", func(c int) bool { return c >= 0 }),
	}
	return opts
}

var (
	errDivisionByZero = types.NewErr("division by zero")
	errNotFinite      = types.NewErr("a result that is not finite")
	errNotComparable  = types.NewErr("values that cannot be compared")
)

var listOfA = cel.ListType(cel.TypeParamType("A"))

// addList is list concatenation, which the macros map and filter need.
var addList = cel.Overload("legate_add_list", []*cel.Type{listOfA, listOfA}, listOfA,
	cel.BinaryBinding(func(a, b ref.Val) ref.Val { return a.(traits.Adder).Add(b) }))

func calculate(operator, name string, doubles func(a, b float64) float64, ints func(a, b types.Int) ref.Val, more ...cel.FunctionOpt) cel.EnvOption {
	mixed := cel.BinaryBinding(func(a, b ref.Val) ref.Val {
		x, y := float(a), float(b)
		if operator == operators.Divide && y == 0 {
			return errDivisionByZero
		}
		r := doubles(x, y)
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return errNotFinite
		}
		return types.Double(r)
	})
	opts := []cel.FunctionOpt{cel.Overload("legate_"+name+"_int", []*cel.Type{cel.IntType, cel.IntType}, cel.IntType,
		cel.BinaryBinding(func(a, b ref.Val) ref.Val { return ints(a.(types.Int), b.(types.Int)) }))}
	for _, pair := range [][2]*cel.Type{{cel.DoubleType, cel.DoubleType}, {cel.IntType, cel.DoubleType}, {cel.DoubleType, cel.IntType}} {
		id := fmt.Sprintf("legate_%s_%s_%s", name, pair[0], pair[1])
		opts = append(opts, cel.Overload(id, []*cel.Type{pair[0], pair[1]}, cel.DoubleType, mixed))
	}
	return cel.Function(operator, append(opts, more...)...)
}

func float(v ref.Val) float64 {
	switch v := v.(type) {
	case types.Int:
		return float64(v)
	case types.Double:
		return float64(v)
	}
	return math.NaN()
}

func order(operator, name string, holds func(cmp int) bool) cel.EnvOption {
	binding := cel.BinaryBinding(func(a, b ref.Val) ref.Val {
		c, ok := compareNumbers(a, b)
		if !ok {
			return errNotComparable
		}
		return types.Bool(holds(c))
	})
	numbers := []*cel.Type{cel.IntType, cel.DoubleType, amountType}
	var opts []cel.FunctionOpt
	for _, a := range numbers {
		for _, b := range numbers {
			opts = append(opts, cel.Overload(fmt.Sprintf("legate_%s_%s_%s", name, a, b), []*cel.Type{a, b}, cel.BoolType, binding))
		}
	}
	return cel.Function(operator, opts...)
}
