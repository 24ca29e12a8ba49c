package impact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// Form says how further calls lie in a function's arguments.
type Form uint8

// The forms.
const (
	// Single is one call: target, value, data.
	Single Form = iota + 1
	// Batch is parallel arrays of targets, values and data.
	Batch
	// Tuples is one array of tuples; the positions of Opens are those within a tuple.
	Tuples
	// Packed is Safe's packed list: operation (1 byte), to (20), value (32), length (32), data.
	Packed
	// Self is an array of calls to the target itself, by delegatecall.
	Self
	// Setup is one delegatecall, made only when there is data: the initialisation of an upgrade.
	Setup
)

// None marks an argument that a wrapper does not have.
const None = -1

// Opens says which arguments of a function hold further calls. Positions count from 0; None where there is none.
type Opens struct {
	Form                                    Form
	List                                    int // of Tuples and Self: the array
	To, Value, Data, Operation, TextualName int
	// Delegate: the inner call is a delegatecall, without an argument that says so.
	Delegate bool
	// Deferred: the inner calls run later than the call, or never; a dry run of the call does not show them.
	Deferred bool
}

func single(to, value, data int) Opens {
	return Opens{Form: Single, List: None, To: to, Value: value, Data: data, Operation: None, TextualName: None}
}

func (o Opens) as(f Form) Opens              { o.Form = f; return o }
func (o Opens) operation(position int) Opens { o.Operation = position; return o }
func (o Opens) textual(position int) Opens   { o.TextualName = position; return o }
func (o Opens) list(position int) Opens      { o.List = position; return o }
func (o Opens) delegate() Opens              { o.Delegate = true; return o }
func (o Opens) deferred() Opens              { o.Deferred = true; return o }

// problems lists what is wrong with the positions among arguments of some types.
func (o Opens) problems(types []gov.ABIType) (out []string) {
	list := func(t gov.ABIType) gov.ABIType { return t }
	if o.Form == Batch {
		list = func(t gov.ABIType) gov.ABIType { return t + "[]" }
	}
	if o.Form == Tuples || o.Form == Self {
		if o.List < 0 || o.List >= len(types) {
			return []string{fmt.Sprintf("the calls: there is no argument %d", o.List)}
		}
		whole := types[o.List]
		if o.Form == Self {
			if whole != "bytes[]" {
				return []string{fmt.Sprintf("the calls: argument %d is of type %s, not bytes[]", o.List, whole)}
			}
			return nil
		}
		tuple, isList := strings.CutSuffix(string(whole), "[]")
		var isTuple bool
		if types, isTuple = gov.Components(gov.ABIType(tuple)); !isList || !isTuple {
			return []string{fmt.Sprintf("the calls: argument %d is of type %s, not a list of tuples", o.List, whole)}
		}
	}
	for _, part := range []struct {
		name  string
		at    int
		wants []gov.ABIType
		must  bool
	}{
		{"the target of the calls", o.To, []gov.ABIType{"address"}, o.Form != Packed},
		{"the value of the calls", o.Value, []gov.ABIType{"uint256", "uint128", "uint96"}, false},
		{"the data of the calls", o.Data, []gov.ABIType{"bytes"}, true},
		{"the operation of the calls", o.Operation, []gov.ABIType{"uint8", "bool"}, false},
		{"the signature of the calls", o.TextualName, []gov.ABIType{"string"}, false},
	} {
		switch {
		case part.at == None && part.must:
			out = append(out, part.name+" is not said")
		case part.at == None:
		case part.at < 0 || part.at >= len(types):
			out = append(out, fmt.Sprintf("%s: there is no argument %d", part.name, part.at))
		case !slices.ContainsFunc(part.wants, func(t gov.ABIType) bool { return list(t) == types[part.at] }):
			out = append(out, fmt.Sprintf("%s: argument %d is of type %s, not %s", part.name, part.at, types[part.at], list(part.wants[0])))
		}
	}
	return out
}
