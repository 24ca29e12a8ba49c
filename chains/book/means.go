package book

import (
	"fmt"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/policies/strict"
)

// The words of `means` that are no kinds of impact.
const (
	meansInert    = "inert"
	meansOpaque   = "opaque" // as `book add` proposes it: nobody has said yet
	meansForwards = "forwards"
)

// statedKinds are the impacts that a book may state. What is inert or opaque is a word of its own.
var statedKinds = slices.DeleteFunc(slices.Clone(gov.ImpactKinds), func(k gov.ImpactKind) bool {
	return k == gov.ImpactInert || k == gov.ImpactOpaque
})

// meaningField is what an entry says of one function: a word, or statements by kind.
type meaningField struct {
	word     string
	says     []gov.Statement
	forwards *forwardsField
}

// statementField is one statement, as people write it.
type statementField struct {
	From   placeField `yaml:"from"`
	To     placeField `yaml:"to"`
	Asset  placeField `yaml:"asset"`
	ID     placeField `yaml:"id"`
	Amount placeField `yaml:"amount"`
	Role   placeField `yaml:"role"`
	Target placeField `yaml:"target"`
	When   string     `yaml:"when" strict:"enum=now|later|over_time|elsewhere"`
}

// forwardsField says where the calls lie.
type forwardsField struct {
	To        placeField `yaml:"to"`
	Value     placeField `yaml:"value"`
	Data      placeField `yaml:"data,required"`
	Operation placeField `yaml:"operation"`
	Signature placeField `yaml:"signature"`
	Delegate  bool       `yaml:"delegate"`
	Deferred  bool       `yaml:"deferred"`
}

// placeField is an argument by its number, a component such as 0.1, or a word.
type placeField struct {
	gov.Place
	said bool
}

// ParseStrict reads the forms of gov.Place.
func (p *placeField) ParseStrict(text string) error {
	if err := p.UnmarshalText([]byte(text)); err != nil || p.Place == gov.PlaceNone || p.Place == gov.PlaceFirstWord {
		return strict.Mistake{Message: fmt.Sprintf("%.40q is not an argument", text), Hint: "arguments count from 0, 0.1 is a component of a tuple; native, value, unlimited, target, caller and everybody are no arguments"}
	}
	p.said = true
	return nil
}

// or is the place, or another where none is said.
func (p placeField) or(other gov.Place) gov.Place {
	if !p.said {
		return other
	}
	return p.Place
}

// index is the number that a wrapper's part has among arguments, or among the components of a tuple.
func (p placeField) index() int {
	if !p.said {
		return impact.None
	}
	arg, component, ok := p.Argument()
	switch {
	case !ok:
		return -2 // no argument at all, which no signature has
	case component >= 0:
		return component
	}
	return arg
}

// ParseNode reads either shape.
func (f *meaningField) ParseNode(n strict.Node) {
	if n.Kind() != strict.Mapping {
		text, ok := n.Text()
		if f.word = text; ok && text != meansInert && text != meansOpaque {
			n.Report(fmt.Sprintf("%.40q says nothing of a function", text), "inert, or what it does: {pays: {to: 0, amount: 1}}")
		}
		return
	}
	keys := n.Keys()
	if len(keys) == 0 {
		n.Report("there is no statement here", "inert, where it changes nothing that matters")
	}
	known := []string{meansForwards}
	for _, k := range statedKinds {
		known = append(known, string(k))
	}
	for _, key := range keys {
		switch {
		case key == meansInert || key == meansOpaque:
			n.Report(key+" stands alone", key+" without braces, or without "+key)
			return
		case !slices.Contains(known, key):
			hint := strings.Join(known, ", ")
			if near := strict.Suggest(key, known); near != "" {
				hint = "did you mean " + near + "?"
			}
			n.Report(fmt.Sprintf("%.40q is no kind of impact", key), hint)
			return
		}
	}
	// Reading every part strictly gives each of their mistakes its own place.
	parts := map[string]anyField{}
	n.Decode(&parts)
	for _, key := range keys {
		part, ok := parts[key]
		switch {
		case !ok:
		case key == meansForwards:
			f.forwards = part.forwards
		default:
			f.says = append(f.says, part.statement(gov.ImpactKind(key)))
		}
	}
}

// anyField is a statement or where calls lie, by the key that it stands under.
type anyField struct {
	said     statementField
	forwards *forwardsField
}

// ParseNode reads the shape that the key wants.
func (a *anyField) ParseNode(n strict.Node) {
	if strings.HasSuffix(n.Path(), "."+meansForwards) {
		a.forwards = &forwardsField{}
		n.Decode(a.forwards)
		return
	}
	n.Decode(&a.said)
}

// times are those of kinds that are not about now.
var times = map[gov.ImpactKind]gov.When{
	gov.ImpactStreams: gov.WhenOverTime, gov.ImpactOrders: gov.WhenLater, gov.ImpactSends: gov.WhenElsewhere,
}

func (a anyField) statement(kind gov.ImpactKind) gov.Statement {
	s := a.said
	out := gov.Statement{
		Kind: kind, When: gov.When(s.When), From: s.From.or(gov.PlaceNone), To: s.To.or(gov.PlaceNone), Asset: s.Asset.or(gov.PlaceNone),
		ID: s.ID.or(gov.PlaceNone), Amount: s.Amount.or(gov.PlaceNone), Role: s.Role.or(gov.PlaceNone), Target: s.Target.or(gov.PlaceTarget),
	}
	if out.When == "" {
		out.When = gov.WhenNow
		if w, ok := times[kind]; ok {
			out.When = w
		}
	}
	return out
}

// needsReceiver are the kinds that are about somebody, who is to be named.
var needsReceiver = []gov.ImpactKind{gov.ImpactPays, gov.ImpactAllows, gov.ImpactStreams, gov.ImpactMints, gov.ImpactGrants}

// meaning checks what an entry says of a function of its ABI, and gives what it adds to the program's own table.
func (f meaningField) meaning(m Method) (impact.Booked, []string) {
	var problems []string
	b := impact.Booked{Meaning: gov.Meaning{Says: slices.Clone(f.says)}}
	for i := range b.Meaning.Says {
		s := &b.Meaning.Says[i]
		if s.To == gov.PlaceNone && slices.Contains(needsReceiver, s.Kind) {
			problems = append(problems, fmt.Sprintf("%s: it does not say to whom", s.Kind))
		}
		problems = append(problems, misplaced(*s)...)
		s.Each = overArrays(*s, m)
	}
	if f.word == meansInert && mayCarry(m) {
		problems = append(problems, "inert, but it takes an address and bytes, as a function does that makes calls: say forwards, or what it does, such as {registers: {}}")
	}
	if f.forwards != nil {
		opens, err := f.forwards.opens(m)
		if err != nil {
			return b, append(problems, err.Error())
		}
		b.Opens = &opens
	}
	added, more := b.Add(m.Signature)
	return added, append(problems, more...)
}

// mayCarry reports whether a function looks as if it made calls that it is given: bytes, and an account to send them to,
// or a list of bytes.
func mayCarry(m Method) bool {
	account, data := false, false
	for _, in := range m.Inputs {
		t := string(in.Type)
		account = account || strings.Contains(t, "address")
		for _, part := range strings.FieldsFunc(t, func(r rune) bool { return r == '(' || r == ')' || r == ',' }) {
			data = data || part == "bytes" || part == "bytes[]"
			if part == "bytes[]" {
				return true
			}
		}
	}
	return account && data
}

// misplaced finds words that stand where they mean nothing.
func misplaced(s gov.Statement) (out []string) {
	for _, part := range []struct {
		name  string
		at    gov.Place
		words []gov.Place
	}{
		{"from", s.From, []gov.Place{gov.PlaceTarget, gov.PlaceCaller}},
		{"to", s.To, []gov.Place{gov.PlaceTarget, gov.PlaceCaller, gov.PlaceEverybody}},
		{"asset", s.Asset, []gov.Place{gov.PlaceTarget, gov.PlaceCoin}},
		{"id", s.ID, nil}, {"role", s.Role, nil},
		{"amount", s.Amount, []gov.Place{gov.PlaceSent, gov.PlaceUnlimited}},
		{"target", s.Target, []gov.Place{gov.PlaceTarget}},
	} {
		if _, _, ok := part.at.Argument(); !ok && part.at != gov.PlaceNone && !slices.Contains(part.words, part.at) {
			out = append(out, fmt.Sprintf("%s of %s is never %s", part.name, s.Kind, part.at))
		}
	}
	return out
}

// overArrays reports whether a statement is about the elements of arrays: then each is one of its own.
func overArrays(s gov.Statement, m Method) bool {
	for _, p := range []gov.Place{s.From, s.To, s.Asset, s.ID, s.Amount} {
		if arg, _, ok := p.Argument(); ok && arg < len(m.Inputs) && strings.HasSuffix(string(m.Inputs[arg].Type), "[]") {
			return true
		}
	}
	return false
}

// opens is the form in which the calls lie, by the types of the arguments.
func (f forwardsField) opens(m Method) (impact.Opens, error) {
	arg, component, ok := f.Data.Argument()
	if !ok || arg >= len(m.Inputs) {
		return impact.Opens{}, fmt.Errorf("forwards: there is no argument %s", f.Data)
	}
	o := impact.Opens{
		Form: impact.Single, List: impact.None, To: f.To.index(), Value: f.Value.index(), Data: f.Data.index(), Operation: f.Operation.index(),
		TextualName: f.Signature.index(), Delegate: f.Delegate, Deferred: f.Deferred,
	}
	for _, p := range []placeField{f.To, f.Value, f.Operation, f.Signature} {
		a, c, isArgument := p.Argument()
		if p.said && (!isArgument || (c >= 0) != (component >= 0) || component >= 0 && a != arg) {
			return o, fmt.Errorf("forwards: %s is not beside the data in %s", p, f.Data)
		}
	}
	switch t := m.Inputs[arg].Type; {
	case component >= 0:
		o.Form, o.List = impact.Tuples, arg
	case t == "bytes[]" && !f.To.said:
		o.Form, o.List, o.Data = impact.Self, arg, impact.None
	case strings.HasSuffix(string(t), "[]"):
		o.Form = impact.Batch
	}
	return o, nil
}

// means reads what an entry says of its functions; the problems stand at the functions' names.
func means(doc *strict.Doc, at string, said map[string]meaningField, e *Entry) (problems strict.Problems) {
	for _, name := range doc.Keys(at) {
		field, ok := said[name]
		if !ok {
			continue
		}
		line, column := doc.KeyPosition(keyPath(at, name))
		report := func(message, hint string) { problems = append(problems, doc.ProblemAt(line, column, message, hint)) }

		written, err := ParseSignature(name)
		if err != nil {
			report(err.Error(), "")
			continue
		}
		m, there := e.ABI.Method(written.Selector())
		switch {
		case !there || m.Signature != written.Signature:
			report(fmt.Sprintf("the ABI of this entry has no %s", written.Signature), nearest(written.Signature, e.ABI))
			continue
		case e.CodeHash == (gov.Hash{}):
			report("the entry is a label only, so nothing is known of its functions", "add code_hash, or take means away")
			continue
		case field.word == meansOpaque:
			continue
		}
		if _, twice := e.Means[m.Signature]; twice {
			report(fmt.Sprintf("%s is there twice", m.Signature), "")
			continue
		}
		b, wrong := field.meaning(m)
		for _, w := range wrong {
			report(fmt.Sprintf("%s: %s", m.Signature.Function(), w), "")
		}
		if e.Means == nil {
			e.Means = map[gov.Signature]impact.Booked{}
		}
		e.Means[m.Signature] = b
	}
	return problems
}

// keyPath is the path of a key under another path.
func keyPath(at, key string) string { return at + strings.TrimPrefix(strict.Path(key), "$") }

// nearest is the function of an ABI that is probably meant.
func nearest(s gov.Signature, abi ABI) string {
	var all []string
	for _, m := range abi.Methods() {
		if m.Signature.Function() == s.Function() {
			return "did you mean " + string(m.Signature) + "?"
		}
		all = append(all, string(m.Signature))
	}
	if near := strict.Suggest(string(s), all); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// Meaningless lists the functions of an ABI whose meaning nobody has said, in the order of their signatures: they are
// opaque, and no proposal that calls one is voted for.
func (e Entry) Meaningless() (out []gov.Signature) {
	for _, m := range e.ABI.Methods() {
		_, booked := e.Means[m.Signature]
		_, table := impact.Of(m.Signature)
		if !m.View && !booked && !table {
			out = append(out, m.Signature)
		}
	}
	return out
}
