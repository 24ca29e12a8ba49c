package policies

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/legate-dao/legate/agent/gov"
)

// maxTraced is how many elements of one list a trace shows: it is for people.
const maxTraced = 16

// read is one thing that an expression reads: a path of facts, a check function, or a metric.
type read struct {
	name   string
	steps  []step
	call   string
	mask   uint64
	metric string
}

// evaluate gives true or false where the expression settles, else unknown with the reason. Whatever goes
// wrong in it is unknown.
func (e *expression) evaluate(s *scope) (result gov.Tri, why string) {
	defer func() {
		if r := recover(); r != nil {
			result, why = gov.Unknown, "it could not be evaluated"
		}
	}()
	program := e.limited
	if e.free != nil && (s.short || !e.loops) {
		program = e.free
	}
	out, _, err := program.Eval(s)
	if err != nil {
		return gov.Unknown, reasonOf(err)
	}
	switch out := out.(type) {
	case types.Bool:
		if out {
			return gov.True, ""
		}
		return gov.False, ""
	case *types.Unknown:
		return gov.Unknown, "missing " + strings.Join(missingOf(out), ", ")
	}
	return gov.Unknown, "it gave no answer"
}

// missingOf lists the facts that an unknown stands for, sorted, without doubles.
func missingOf(u *types.Unknown) (out []string) {
	for _, id := range u.IDs() {
		trails, _ := u.GetAttributeTrails(id)
		for _, t := range trails {
			out = append(out, t.String())
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reasonOf puts an error into words of ours: the text of others is not repeated.
func reasonOf(err error) string {
	var stopped interpreter.EvalCancelledError
	if errors.As(err, &stopped) && stopped.Cause == interpreter.CostLimitExceeded {
		return "cost limit"
	}
	text := err.Error()
	for _, known := range []string{"division by zero", "not finite", "index out of bounds", "integer overflow"} {
		if strings.Contains(text, known) {
			return known
		}
	}
	if strings.Contains(text, "modulus by zero") || strings.Contains(text, "divide by zero") {
		return "division by zero"
	}
	if strings.Contains(text, "no such key") {
		return "no such element"
	}
	if strings.Contains(text, "overflow") {
		return "integer overflow"
	}
	return "it could not be evaluated"
}

// values are the facts that the expression reads, for the trace.
func (e *expression) values(s *scope) gov.Values {
	if len(e.reads) == 0 {
		return gov.Values{}
	}
	out := make(gov.Values, 0, len(e.reads))
	for i := range e.reads {
		r := &e.reads[i]
		switch {
		case r.call != "":
			t := s.checks.any(r.mask)
			if r.call != foundCall {
				t = not(t)
			}
			out = append(out, gov.NamedValue{Name: r.name, Value: jsonOfTri(t)})
		case r.metric != "":
			v, _ := s.metrics[r.metric].(ref.Val)
			out = append(out, gov.NamedValue{Name: r.name, Value: jsonOf(v)})
		default:
			out = appendValues(out, r.name, s.root, r.steps)
		}
	}
	return out
}

// appendValues follows the steps from an object; a list of objects stands with its size.
func appendValues(out gov.Values, name string, from *object, steps []step) gov.Values {
	var val ref.Val = from
	for i, s := range steps {
		list, isList := val.(traits.Lister)
		o, isObject := val.(*object)
		switch {
		case s.every && isList:
			return appendElements(out, list, steps[:i], steps[i+1:], from)
		case isList && !s.every:
			if types.Int(s.index) >= list.Size().(types.Int) {
				return append(out, gov.NamedValue{Name: name})
			}
			val = list.Get(types.Int(s.index))
		case isObject:
			val = o.get(s.field)
		default:
			return append(out, gov.NamedValue{Name: name}) // unknown on the way
		}
	}
	return append(out, gov.NamedValue{Name: nameOf(name, val), Value: jsonOf(val)})
}

func nameOf(name string, val ref.Val) string {
	if list, ok := val.(traits.Lister); ok && isObjects(list) {
		return "size(" + name + ")"
	}
	return name
}

func isObjects(list traits.Lister) bool {
	if list.Size() == types.IntZero {
		return false
	}
	_, ok := list.Get(types.IntZero).(*object)
	return ok
}

// appendElements shows what was read of each element.
func appendElements(out gov.Values, list traits.Lister, before, after []step, from *object) gov.Values {
	path := pathOf(from, before)
	size := int(list.Size().(types.Int))
	for i := range min(size, maxTraced) {
		name := path + "[" + strconv.Itoa(i) + "]"
		elem := list.Get(types.Int(i))
		o, ok := elem.(*object)
		switch {
		case ok && len(after) > 0:
			out = appendValues(out, name+"."+pathOf(o, after), o, after)
		case !ok && len(after) == 0:
			out = append(out, gov.NamedValue{Name: name, Value: jsonOf(elem)})
		}
	}
	if size == 0 || size > maxTraced {
		out = append(out, gov.NamedValue{Name: "size(" + path + ")", Value: json.RawMessage(strconv.Itoa(size))})
	}
	return out
}

// pathOf writes steps as a person would, from an object whose type is known.
func pathOf(from *object, steps []step) string {
	var b strings.Builder
	t := from.typ
	for _, s := range steps {
		switch {
		case s.name != "":
			b.WriteString(s.name)
		case t != nil:
			f := &t.fields[s.field]
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(f.name)
			t = f.object
		}
	}
	return b.String()
}

func jsonOfTri(t gov.Tri) json.RawMessage {
	switch t {
	case gov.True:
		return json.RawMessage("true")
	case gov.False:
		return json.RawMessage("false")
	}
	return nil
}

// jsonOf writes a value for the trace; nil, which shows as null, for what is missing.
func jsonOf(v ref.Val) json.RawMessage {
	switch v := v.(type) {
	case types.Bool:
		return strconv.AppendBool(nil, bool(v))
	case types.Int:
		return strconv.AppendInt(nil, int64(v), 10)
	case types.Double:
		b, err := json.Marshal(float64(v))
		if err != nil {
			return nil
		}
		return b
	case types.String:
		b, err := json.Marshal(string(v))
		if err != nil {
			return nil
		}
		return b
	case amount:
		return fmt.Appendf(nil, "%q", v.String())
	case traits.Lister:
		if isObjects(v) {
			return strconv.AppendInt(nil, int64(v.Size().(types.Int)), 10)
		}
		parts := []string{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			part := jsonOf(it.Next())
			if part == nil {
				part = json.RawMessage("null")
			}
			parts = append(parts, string(part))
		}
		return json.RawMessage("[" + strings.Join(parts, ",") + "]")
	}
	return nil
}
