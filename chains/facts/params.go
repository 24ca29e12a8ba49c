package facts

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// isParameter says whether a method sets a parameter: it is in the table, or it is setX or _setX and the bound ABI has
// a getter of that name.
func isParameter(b bound) bool {
	if p, ok := parametersBySelector[b.method.Selector()]; ok && p.Setter == b.method.Signature {
		return true
	}
	_, ok := namedGetter(b)
	return ok
}

// namedGetter finds x(), X() or getX() for setX and _setX in the bound ABI, with the setter's leading arguments as keys.
func namedGetter(b bound) (book.Method, bool) {
	name, ok := strings.CutPrefix(strings.TrimPrefix(b.method.Signature.Function(), "_"), "set")
	if !ok || name == "" || b.abi.Len() == 0 {
		return book.Method{}, false
	}
	first, size := utf8.DecodeRuneInString(name)
	names := []string{string(unicode.ToLower(first)) + name[size:], name, "get" + name}
	for _, m := range b.abi.Methods() {
		if m.View && len(m.Outputs) > 0 && slices.Contains(names, m.Signature.Function()) && keysFit(m, b.method) {
			return m, true
		}
	}
	return book.Method{}, false
}

// keysFit says whether the getter takes the setter's arguments but the last.
func keysFit(getter, setter book.Method) bool {
	if len(getter.Inputs) >= len(setter.Inputs) {
		return false
	}
	for i, a := range getter.Inputs {
		t, err := book.ParseType(a.Type)
		if err != nil || t.Sort != book.Word || a.Type != setter.Inputs[i].Type {
			return false
		}
	}
	return true
}

// parameters fills one entry for each leaf of kind parameter. Before is read at the block, after on the fork.
func parameters(ctx context.Context, g *gathering) {
	calls, ok := g.facts.Calls.Get()
	if !ok {
		g.missing("params", g.reasonFor("calls"), gov.Address{})
		return
	}
	leaves := slices.DeleteFunc(gov.Leaves(calls), func(l gov.Leaf) bool { return l.Call.Kind != gov.KindParameter })
	out := make([]gov.Param, len(leaves))
	g.each(ctx, len(leaves), func(ctx context.Context, i int) { out[i] = g.parameter(ctx, leaves[i].Call) })
	g.facts.Params = gov.Known(out)
}

// parameter is one entry. What cannot be read stays missing and is listed.
func (g *gathering) parameter(ctx context.Context, c gov.Call) gov.Param {
	out := gov.Param{Label: c.Label, Target: c.To, Signature: c.Signature}
	spec, inTable := parametersBySelector[*c.Selector]
	if inTable {
		inTable = spec.Setter == c.Signature
	}
	if !inTable {
		out.Direction = gov.Known(gov.Unclear)
		var ok bool
		if spec, ok = g.namedParameter(c); !ok {
			g.missing("params.before", gov.NoCode, c.To)
			g.missing("params.after", gov.NoCode, c.To)
			return out
		}
	}
	if own, ok := g.namedParameter(c); ok && inTable && sameKeys(own, spec) {
		spec.Getters = append(slices.Clone(spec.Getters), own.Getters...) // the target's own getter, where it has no usual one
	}
	changes, err := g.changes(ctx, spec, c)
	if err != nil {
		g.fail("params.before", err, c.To)
		g.fail("params.after", err, c.To)
		g.fail("params.direction", err, c.To)
		return out
	}
	if !g.executed() {
		g.missing("params.after", g.effectsReason(), c.To)
		g.missing("params.direction", g.effectsReason(), c.To)
	} else if inTable {
		out.Direction = gov.Known(direction(changes))
	}
	shown := changes[0]
	for _, ch := range changes {
		if ch.executed && ch.before.Word != ch.after.Word {
			shown = ch
			break
		}
	}
	shown.numbers(&out)
	return out
}

// namedParameter describes a setter that is not in the table by the getter of its name.
func (g *gathering) namedParameter(c gov.Call) (Parameter, bool) {
	b, ok := g.bound(c)
	if !ok {
		return Parameter{}, false
	}
	m, ok := namedGetter(b)
	if !ok || len(c.Args) <= len(m.Inputs) {
		return Parameter{}, false
	}
	p := Parameter{Setter: c.Signature, Value: len(m.Inputs), Getters: get(m.Signature)}
	for i := range m.Inputs {
		p.Keys = append(p.Keys, i)
	}
	return p, true
}

// sameKeys says whether the getter by name reads the one value that the entry speaks of.
func sameKeys(named, entry Parameter) bool {
	return named.Value == entry.Value && slices.Equal(named.Keys, entry.Keys)
}

// change is one value before and after.
type change struct {
	set, before, after gov.Value
	executed           bool
	kind               gov.ABIType
	sense              Sense
	zeroUnlimited      bool
}

var errNoGetter = errors.New("the target has no getter for the parameter")

// changes reads every value that a call of a setter sets.
func (g *gathering) changes(ctx context.Context, p Parameter, c gov.Call) ([]change, error) {
	rows := 1
	_, isList := listOf(c, p.Value)
	if isList {
		list, _ := listOf(c, p.Value)
		rows = len(list)
	}
	var out []change
	for row := range rows {
		keys, ok := keysOf(c, p.Keys, row, isList)
		if !ok {
			return nil, errNoGetter
		}
		values := append([]Also{{p.Value, 0, p.Sense}}, p.Also...)
		for i, v := range values {
			set, t, ok := valueAt(c, v.Value, row, isList)
			if !ok {
				return nil, errNoGetter
			}
			ch := change{set: set, kind: t, sense: v.Sense, zeroUnlimited: p.ZeroUnlimited}
			getters := p.Getters
			if i > 0 {
				getters = []Getter{{p.Getters[0].Signature, v.Word}}
			}
			if err := g.read(ctx, c.To, getters, keys, &ch); err != nil {
				return nil, err
			}
			out = append(out, ch)
		}
	}
	if len(out) == 0 {
		return nil, errNoGetter
	}
	return out, nil
}

func listOf(c gov.Call, i int) ([]gov.Value, bool) {
	if i >= len(c.Args) || !strings.HasSuffix(string(c.Args[i].Type), "[]") {
		return nil, false
	}
	return c.Args[i].Value.List, true
}

func valueAt(c gov.Call, i, row int, isList bool) (gov.Value, gov.ABIType, bool) {
	if i >= len(c.Args) {
		return gov.Value{}, "", false
	}
	a := c.Args[i]
	if !isList {
		return a.Value, a.Type, true
	}
	if row >= len(a.Value.List) {
		return gov.Value{}, "", false
	}
	return a.Value.List[row], gov.ABIType(strings.TrimSuffix(string(a.Type), "[]")), true
}

func keysOf(c gov.Call, positions []int, row int, isList bool) (out []byte, ok bool) {
	for _, i := range positions {
		v, _, ok := valueAt(c, i, row, isList)
		if !ok {
			return nil, false
		}
		out = append(out, v.Word[:]...)
	}
	return out, true
}

// read asks the getters for the value before and, when the dry run executed, after it. Of several getters the first
// that shows after the run what was set counts; if none does, the first that answers.
func (g *gathering) read(ctx context.Context, to gov.Address, getters []Getter, keys []byte, ch *change) error {
	found := false
	for _, getter := range getters {
		try := *ch
		ok, err := g.ask(ctx, to, getter, keys, &try)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		fits := !try.executed || try.after.Word == try.set.Word
		if !found || fits {
			*ch, found = try, true
		}
		if fits {
			break
		}
	}
	if !found {
		return errNoGetter
	}
	return nil
}

func (g *gathering) ask(ctx context.Context, to gov.Address, getter Getter, keys []byte, ch *change) (bool, error) {
	before, ok, err := word(ctx, g.before, to, getter, keys)
	if err != nil || !ok {
		return false, err
	}
	ch.before = before
	if !g.executed() {
		return true, nil
	}
	after, ok, err := word(ctx, g.after, to, getter, keys)
	if err != nil || !ok {
		return false, err
	}
	ch.after, ch.executed = after, true
	return true, nil
}

// word calls a getter and takes one word of the answer; ok is false where the contract has no such getter.
func word(ctx context.Context, s book.State, to gov.Address, getter Getter, keys []byte) (v gov.Value, ok bool, err error) {
	selector := book.SelectorOf(getter.Signature)
	out, err := s.Call(ctx, to, append(selector[:], keys...))
	if errors.Is(err, book.ErrReverted) {
		return v, false, nil
	}
	if err != nil || len(out) < 32*(getter.Word+1) {
		return v, false, err
	}
	v.Word = [32]byte(out[32*getter.Word:])
	return v, true, nil
}

// direction of several values: tighter or looser when all that change go one way.
func direction(changes []change) gov.Tightness {
	out := gov.Tightness("")
	for _, ch := range changes {
		one, moved := ch.direction()
		switch {
		case !moved:
		case one == gov.Unclear || out != "" && out != one:
			return gov.Unclear
		default:
			out = one
		}
	}
	if out == "" {
		return gov.Unclear // nothing changed: neither tighter nor looser
	}
	return out
}

func (ch change) direction() (gov.Tightness, bool) {
	if ch.before.Word == ch.after.Word && ch.after.Word == ch.set.Word {
		return gov.Unclear, false
	}
	// What is in force after the run must be what was set: else the getter reads something else.
	if ch.after.Word != ch.set.Word || ch.sense == Neither {
		return gov.Unclear, true
	}
	before, after := ch.before.Amount(), ch.after.Amount()
	lower := after.Cmp(before) < 0
	if ch.zeroUnlimited && (before.IsZero() || after.IsZero()) {
		lower = before.IsZero() // from no limit to a limit
	}
	if lower == (ch.sense == Lower) {
		return gov.Tighter, true
	}
	return gov.Looser, true
}

// numbers writes before, after and the change where the value is a number.
func (ch change) numbers(out *gov.Param) {
	if ch.kind == "address" || strings.HasPrefix(string(ch.kind), "bytes") || ch.kind == "string" {
		return
	}
	before, after := number(ch.kind, ch.before), number(ch.kind, ch.after)
	out.Before = gov.Known(toFloat(before))
	if !ch.executed {
		return
	}
	out.After = gov.Known(toFloat(after))
	switch {
	case before.Sign() != 0:
		moved := new(big.Int).Sub(after, before)
		out.ChangeBps = gov.Known(quotient(moved.Mul(moved, big.NewInt(10_000)), before))
	case after.Sign() == 0:
		out.ChangeBps = gov.Known(0.0)
	}
}

func toFloat(n *big.Int) float64 { return quotient(n, big.NewInt(1)) }

// number reads a word as a number, signed where its type is.
func number(t gov.ABIType, v gov.Value) *big.Int {
	n := new(big.Int).SetBytes(v.Word[:])
	if strings.HasPrefix(string(t), "int") && v.Word[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	return n
}
