package policies

import (
	"errors"
	"math/big"
	"reflect"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/strict"
)

var (
	errNoConversion = errors.New("facts are not converted")
	errNotObject    = errors.New("not an object of facts")
)

// amountType is the 256-bit type of expressions.
var amountType = types.NewOpaqueType("amount")

// amount is a 256-bit number in an expression.
type amount struct{ gov.Amount }

// ConvertToNative is part of ref.Val.
func (a amount) ConvertToNative(reflect.Type) (any, error) { return nil, errNoConversion }

// ConvertToType is part of ref.Val.
func (a amount) ConvertToType(ref.Type) ref.Val {
	return types.NewErr("an amount has no other type")
}

// Equal is part of ref.Val.
func (a amount) Equal(other ref.Val) ref.Val {
	b, ok := other.(amount)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Bool(a.Cmp(b.Amount) == 0)
}

// Type is part of ref.Val.
func (a amount) Type() ref.Type { return amountType }

// Value is part of ref.Val.
func (a amount) Value() any { return a }

// parseAmount reads what amount("…") may hold: a whole decimal number, or a decimal with ETH, gwei or wei.
func parseAmount(text string) (gov.Amount, error) {
	if !strings.Contains(text, " ") {
		return gov.ParseAmount(text)
	}
	a, err := strict.ParseAmount(text)
	if err != nil {
		return gov.Amount{}, err
	}
	return gov.AmountOf(&a.Wei), nil
}

// compareNumbers is -1, 0 or 1 for any two numbers of the language, exactly; ok is false for NaN and for
// values that are no numbers.
func compareNumbers(a, b ref.Val) (cmp int, ok bool) {
	x, okX := a.(amount)
	y, okY := b.(amount)
	if okX && okY {
		return x.Cmp(y.Amount), true
	}
	if okX || okY {
		l, okL := rational(a)
		r, okR := rational(b)
		return l.Cmp(r), okL && okR
	}
	switch l := a.(type) {
	case types.Int:
		c, isInt := l.Compare(b).(types.Int)
		return int(c), isInt && !isNaN(b)
	case types.Double:
		c, isInt := l.Compare(b).(types.Int)
		return int(c), isInt && !isNaN(a) && !isNaN(b)
	}
	return 0, false
}

func isNaN(v ref.Val) bool {
	d, ok := v.(types.Double)
	return ok && d != d
}

func rational(v ref.Val) (*big.Rat, bool) {
	switch v := v.(type) {
	case amount:
		n, ok := new(big.Int).SetString(v.String(), 10)
		return new(big.Rat).SetInt(n), ok
	case types.Int:
		return new(big.Rat).SetInt64(int64(v)), true
	case types.Double:
		r := new(big.Rat)
		if r.SetFloat64(float64(v)) == nil {
			return new(big.Rat), false
		}
		return r, true
	}
	return new(big.Rat), false
}
