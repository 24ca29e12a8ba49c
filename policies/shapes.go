package policies

import (
	"math"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/legate-dao/legate/agent/gov"
)

// shapes says for every Go type of a fact how expressions see it.
type shapes map[reflect.Type]func(*vocabulary) field

func newShapes() shapes {
	s := shapes{}
	plain(s, types.BoolType, nil, func(v bool) ref.Val { return types.Bool(v) })
	plain(s, types.IntType, nil, func(v int64) ref.Val { return types.Int(v) })
	plain(s, types.DoubleType, nil, double)
	plain(s, amountType, nil, func(v gov.Amount) ref.Val { return amount{v} })
	plain(s, types.StringType, nil, func(v gov.Label) ref.Val { return types.String(v) })
	plain(s, types.StringType, nil, func(v functionName) ref.Val { return types.String(v) })
	plain(s, types.StringType, words(gov.Kinds...), word[gov.Kind])
	plain(s, types.StringType, words(gov.EffectsExecuted, gov.EffectsReverted, gov.EffectsExhausted, gov.EffectsUnavailable), word[gov.EffectsStatus])
	plain(s, types.StringType, words(gov.Tighter, gov.Looser, gov.Unclear), word[gov.Tightness])
	plain(s, types.StringType, words(gov.OutflowNative, gov.OutflowTransfer, gov.OutflowAllowance, gov.OutflowApprovalForAll), word[gov.OutflowKind])
	plain(s, types.StringType, words(gov.OpenZeppelin5, gov.OpenZeppelin4, gov.GovernorBravo, gov.GovernorAlpha), word[gov.Flavour])
	plain(s, types.StringType, words(gov.ClockBlock, gov.ClockTimestamp), word[gov.Clock])
	plain(s, types.StringType, words(gov.BriefNone, gov.BriefExtractive, gov.BriefModel), word[gov.BriefKind])
	plain(s, types.StringType, allFlags, word[gov.Flag])
	plain(s, types.StringType, words(gov.ImpactKinds...), word[gov.ImpactKind])
	plain(s, types.StringType, words(gov.RoleGranted, gov.RoleRevoked, gov.RoleOpened, gov.OwnerChanged, gov.OwnerPending, gov.AdminChanged, gov.AdminPending), text[gov.RoleChangeKind])
	plain(s, types.StringType, words(gov.WhenNow, gov.WhenLater, gov.WhenOverTime, gov.WhenElsewhere), word[gov.When])
	plain(s, types.StringType, words(gov.Info, gov.Warning, gov.Critical), word[gov.Severity])
	plain(s, types.StringType, nil, text[gov.Signature])
	plain(s, types.StringType, nil, func(v gov.Hash) ref.Val { return types.String(v.String()) })
	texts[gov.CallPath](s)
	address(s, func(v gov.Address) ref.Val { return types.String(v.Hex()) })
	address(s, func(v gov.Asset) ref.Val { return types.String(v.String()) })

	wordList[gov.Kind](s, words(gov.Kinds...))
	wordList[gov.Flag](s, allFlags)
	objects[gov.Outflow](s)
	objects[gov.Change](s)
	objects[gov.Param](s)
	objects[gov.Impact](s)
	objects[leafView](s)
	maybeObject[gov.Tally](s)
	maybeObject[gov.QuorumReach](s)
	maybeObject[gov.VoteChances](s)
	maybeObject[gov.TreasuryOutlook](s)
	maybeObject[gov.CollateralOutlook](s)
	maybeObject[gov.Quantiles](s)
	calls(s)
	return s
}

var allFlags = words(gov.FlagHidden, gov.FlagBidi, gov.FlagConfusables, gov.FlagDataURI, gov.FlagInstructions, gov.FlagEncoded, gov.FlagTooLong, gov.FlagNotUTF8)

func words[T ~string](all ...T) []string {
	out := make([]string, len(all))
	for i, w := range all {
		out[i] = string(w)
	}
	return out
}

func word[T ~string](v T) ref.Val {
	if v == "" {
		return nil
	}
	return types.String(v)
}

// text is a word that may be empty: it says that there is none.
func text[T ~string](v T) ref.Val { return types.String(v) }

// double refuses what is not finite: it is no fact.
func double(v float64) ref.Val {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return types.Double(v)
}

// at0 is the value at v without a copy: v is always addressable, since views are pointers.
func at0[T any](v reflect.Value) *T { return v.Addr().Interface().(*T) }

// plain makes T and Maybe[T] readable.
func plain[T any](s shapes, typ *types.Type, enum []string, conv func(T) ref.Val) {
	one := field{typ: typ, enum: enum, read: func(v reflect.Value, _ place) ref.Val { return conv(*at0[T](v)) }}
	may := one
	may.read = func(v reflect.Value, _ place) ref.Val {
		x, ok := at0[gov.Maybe[T]](v).Get()
		if !ok {
			return nil
		}
		return conv(x)
	}
	s[reflect.TypeFor[T]()] = func(*vocabulary) field { return one }
	s[reflect.TypeFor[gov.Maybe[T]]()] = func(*vocabulary) field { return may }
}

func address[T any](s shapes, conv func(T) ref.Val) {
	plain(s, types.StringType, nil, conv)
	for _, t := range []reflect.Type{reflect.TypeFor[T](), reflect.TypeFor[gov.Maybe[T]]()} {
		inner := s[t]
		s[t] = func(w *vocabulary) field {
			f := inner(w)
			f.addr = true
			return f
		}
	}
}

// wordList makes Maybe[[]T] readable for an enum T.
func wordList[T ~string](s shapes, enum []string) {
	s[reflect.TypeFor[gov.Maybe[[]T]]()] = func(*vocabulary) field {
		return field{typ: types.NewListType(types.StringType), enum: enum, list: true, read: func(v reflect.Value, _ place) ref.Val {
			list, ok := at0[gov.Maybe[[]T]](v).Get()
			if !ok {
				return nil
			}
			vals := make([]ref.Val, len(list))
			for i, w := range list {
				vals[i] = types.String(w)
			}
			return types.NewRefValList(adapter{}, vals)
		}}
	}
}

// texts makes []T readable for a string T of our own making.
func texts[T ~string](s shapes) {
	s[reflect.TypeFor[[]T]()] = func(*vocabulary) field {
		return field{typ: types.NewListType(types.StringType), list: true, read: func(v reflect.Value, _ place) ref.Val {
			list := *at0[[]T](v)
			vals := make([]ref.Val, len(list))
			for i, w := range list {
				vals[i] = types.String(w)
			}
			return types.NewRefValList(adapter{}, vals)
		}}
	}
}

// objects makes Maybe[[]T] readable for a struct T.
func objects[T any](s shapes) {
	s[reflect.TypeFor[gov.Maybe[[]T]]()] = func(w *vocabulary) field {
		o := w.objectOf(reflect.TypeFor[T]())
		return field{typ: types.NewListType(o.cel), object: o, list: true, read: func(v reflect.Value, at place) ref.Val {
			list, ok := at0[gov.Maybe[[]T]](v).Get()
			if !ok {
				return nil
			}
			vals := make([]ref.Val, len(list))
			for i := range list {
				vals[i] = newObject(o, reflect.ValueOf(&list[i]).Elem(), place{at.parent, at.name, i})
			}
			return types.NewRefValList(adapter{}, vals)
		}}
	}
}

// maybeObject makes Maybe[T] readable for a struct T.
func maybeObject[T any](s shapes) {
	s[reflect.TypeFor[gov.Maybe[T]]()] = func(w *vocabulary) field {
		o := w.objectOf(reflect.TypeFor[T]())
		return field{typ: o.cel, object: o, read: func(v reflect.Value, at place) ref.Val {
			x, ok := at0[gov.Maybe[T]](v).Get()
			if !ok {
				return nil
			}
			return newObject(o, reflect.ValueOf(&x).Elem(), at)
		}}
	}
}

// adapter hands values on as they are.
type adapter struct{}

// NativeToValue is part of types.Adapter.
func (adapter) NativeToValue(v any) ref.Val {
	if val, ok := v.(ref.Val); ok {
		return val
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// calls makes the leaf calls readable.
func calls(s shapes) {
	s[reflect.TypeFor[leafCalls]()] = func(w *vocabulary) field {
		o := w.objectOf(reflect.TypeFor[leafView]())
		return field{typ: types.NewListType(o.cel), object: o, list: true, read: func(v reflect.Value, at place) ref.Val {
			tree, ok := at0[leafCalls](v).tree.Get()
			if !ok {
				return nil
			}
			leaves := leafViews(tree)
			vals := make([]ref.Val, len(leaves))
			for i := range leaves {
				vals[i] = newObject(o, reflect.ValueOf(&leaves[i]).Elem(), place{at.parent, at.name, i})
			}
			return types.NewRefValList(adapter{}, vals)
		}}
	}
}
