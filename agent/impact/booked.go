package impact

import (
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// Booked is what an operator's book says of one function: what it declares, and where the calls lie that it carries.
type Booked struct {
	Meaning gov.Meaning
	Opens   *Opens
}

// Add is what stands on a call of the function: what the book adds to the table, which stays as it is. The problems say
// where the book has places that no argument has, and where it says less than the table or other than it: an operator may
// make a meaning graver, and never lighter by mistake.
func (b Booked) Add(signature gov.Signature) (added Booked, problems []string) {
	own := Meaning{Signature: signature, Opens: b.Opens}
	for _, s := range b.Meaning.Says {
		own.Says = append(own.Says, saysOf(s))
	}
	if problems = own.Problems(); len(problems) > 0 {
		return b, problems
	}

	table, known := Of(signature)
	if !known {
		return b.carrying(), nil
	}
	if len(own.Says) == 0 && own.Opens == nil && table.matters() {
		return b, []string{fmt.Sprintf("inert, but the program knows that it %s", table.what())}
	}
	added.Meaning.Says = slices.DeleteFunc(slices.Clone(b.Meaning.Says), func(s gov.Statement) bool {
		i := slices.IndexFunc(table.Says, func(t Says) bool { return t.Kind == s.Kind })
		if i >= 0 && !agrees(saysOf(s), table.Says[i]) {
			problems = append(problems, fmt.Sprintf("%s: the program has other arguments for it", s.Kind))
		}
		return i >= 0 // what the table says stays
	})
	switch {
	case table.Opens == nil:
		added.Opens = b.Opens
	case b.Opens != nil && !graver(*b.Opens, *table.Opens):
		problems = append(problems, "forwards: the program finds the calls elsewhere in it")
	case b.Opens != nil && *b.Opens != *table.Opens:
		added.Opens = b.Opens
	}
	return added.carrying(), problems
}

// carrying puts onto the call where its calls lie.
func (b Booked) carrying() Booked {
	if b.Opens == nil {
		return b
	}
	at := b.Opens.Data
	if b.Opens.Form == Tuples || b.Opens.Form == Self {
		at = b.Opens.List
	}
	b.Meaning.Carries = &gov.Carries{At: gov.Place(at), Deferred: b.Opens.Deferred}
	return b
}

// matters reports whether a function does more than to keep a record that is about nobody.
func (m Meaning) matters() bool {
	return m.Opens != nil || slices.ContainsFunc(m.Says, func(s Says) bool { return s.Kind != gov.ImpactRegisters || s.To != none })
}

// what is the kinds of a function's statements in words.
func (m Meaning) what() (out string) {
	for i, s := range m.Says {
		if i > 0 {
			out += " and "
		}
		out += string(s.Kind)
	}
	if out == "" {
		out = "forwards calls"
	}
	return out
}

// agrees reports whether every part that a book says of a statement is that of the table.
func agrees(b, table Says) bool {
	same := func(x, y place) bool { return x == none || x == y }
	return same(b.From, table.From) && same(b.To, table.To) && same(b.Asset, table.Asset) && same(b.ID, table.ID) &&
		same(b.Amount, table.Amount) && same(b.Role, table.Role) && (b.At == target || b.At == table.At)
}

// graver reports whether the calls lie where the table says, and are delegatecalls or run at once where the table's may be
// neither.
func graver(b, table Opens) bool {
	if table.Delegate && !b.Delegate || b.Deferred && !table.Deferred {
		return false
	}
	b.Delegate, b.Deferred = table.Delegate, table.Deferred
	return b == table
}

// with is a meaning with what the book adds on a call. That a parameter has a getter stays known, whatever the book says.
func (m Meaning) with(c *gov.Call) Meaning {
	out := Meaning{Signature: c.Signature, Says: slices.Clone(m.Says), Opens: m.Opens}
	for _, s := range c.Means.Says {
		out.Says = append(out.Says, saysOf(s))
	}
	if in := c.Means.Carries; in != nil {
		at, _, _ := in.At.Argument()
		out.Opens = &Opens{Form: Single, List: None, To: None, Value: None, Data: at, Operation: None, TextualName: None, Deferred: in.Deferred}
	}
	if c.Kind == gov.KindParameter && !slices.ContainsFunc(out.Says, func(s Says) bool { return s.Kind == gov.ImpactSets }) {
		out.Says = append(out.Says, sets())
	}
	return out
}

// saysOf is a statement of the book as one of the table.
func saysOf(s gov.Statement) Says {
	out := say(s.Kind).from(s.From).to(s.To).of(s.Asset).id(s.ID).amount(s.Amount).role(s.Role).at(s.Target)
	out.When, out.Each = s.When, s.Each
	switch s.Kind {
	case gov.ImpactGrants, gov.ImpactOpens:
		out.Right = gov.RoleGranted
	case gov.ImpactRevokes:
		out.Right = gov.RoleRevoked
	}
	return out
}
