package impact

import (
	"strconv"

	"github.com/legate-dao/legate/agent/gov"
)

// Declared lists what the calls of a proposal declare, in their order: one impact for each statement of each call, and for
// the coins that a call sends along. executor is who makes the outermost calls. What a call merely schedules is declared
// too, for later. A call whose function has no meaning here is opaque.
func Declared(calls []gov.Call, executor gov.Address) []gov.Impact {
	var d declaring
	d.all(calls, executor, "", gov.WhenNow)
	return d.out
}

type declaring struct{ out []gov.Impact }

func (d *declaring) all(calls []gov.Call, by gov.Address, parent string, when gov.When) {
	for i := range calls {
		path := strconv.Itoa(i)
		if parent != "" {
			path = parent + "." + path
		}
		d.call(&calls[i], by, path, when)
	}
}

func (d *declaring) call(c *gov.Call, by gov.Address, path string, when gov.When) {
	if !c.Value.IsZero() && !c.Delegatecall {
		d.add(gov.Impact{Kind: gov.ImpactPays, From: by, To: c.To, Asset: gov.Known(gov.Native), Amount: gov.Known(c.Value), Target: c.To}, path, when)
	}
	m, ok := meaningOf(c)
	switch {
	case c.Selector == nil && c.Kind == gov.KindNative:
		return // nothing but coins
	case !ok && c.Kind == gov.KindParameter:
		d.add(gov.Impact{Kind: gov.ImpactSets, From: by, Target: c.To, Param: c.Signature}, path, when)
		return
	case !ok:
		d.add(opaque(c, by), path, when)
		return
	case len(c.Args) == 0 && c.Decoded != gov.DecodedFull:
		d.add(opaque(c, by), path, when) // what it does is known by its selector, to whom is not
	case m.Opens != nil && len(c.Children) == 0 && !empty(m.Opens, c):
		// it carries calls, and they could not be taken out
		d.add(opaque(c, by), path, when)
	}
	for _, s := range m.Says {
		d.says(s, c, by, path, when)
	}
	inner := c.To // who calls what is inside
	if c.Delegatecall {
		inner = by
	}
	if m.Opens != nil && m.Opens.Deferred {
		when = gov.WhenLater
	}
	d.all(c.Children, inner, path, when)
}

// empty reports whether a function that may carry calls carries none: an upgrade without a call after it, an empty list.
func empty(o *Opens, c *gov.Call) bool {
	at := o.Data
	if o.Form == Tuples || o.Form == Self {
		at = o.List
	}
	if at < 0 || at >= len(c.Args) {
		return false
	}
	v := c.Args[at].Value
	return v.Size == 0 && len(v.List) == 0
}

// meaningOf is a call's meaning: that of the table, with what the operator's book adds.
func meaningOf(c *gov.Call) (Meaning, bool) {
	m, ok := tableOf(c)
	if c.Means == nil {
		return m, ok
	}
	return m.with(c), true
}

// tableOf finds a call's function in the table by its signature, or by its selector where nothing tells the signature.
func tableOf(c *gov.Call) (Meaning, bool) {
	if c.Signature != "" {
		return Of(c.Signature)
	}
	if c.Selector == nil {
		return Meaning{}, false
	}
	m, ok := bySelector[*c.Selector]
	return m, ok
}

// Meant reports whether a call has a meaning: by the table, as a parameter with a getter, by the operator's book, or
// since it only sends coins.
func Meant(c *gov.Call) bool {
	if c.Kind == gov.KindParameter || c.Selector == nil && c.Kind == gov.KindNative {
		return true
	}
	m, ok := meaningOf(c)
	return ok && (m.Opens == nil || len(c.Children) > 0 || empty(m.Opens, c))
}

// Kinds lists the kinds of what a call's function declares, whatever its arguments.
func Kinds(c *gov.Call) (out []gov.ImpactKind) {
	m, _ := meaningOf(c)
	for _, s := range m.Says {
		out = append(out, s.Kind)
	}
	return out
}

func opaque(c *gov.Call, by gov.Address) gov.Impact {
	return gov.Impact{Kind: gov.ImpactOpaque, From: by, To: c.To, Target: c.To}
}

func (d *declaring) add(i gov.Impact, path string, when gov.When) {
	if i.When == "" || i.When == gov.WhenNow {
		i.When = when
	}
	i.Declared = []gov.CallPath{gov.CallPath(path)}
	d.out = append(d.out, i)
}

// says turns one statement into impacts, one for each element where it is about arrays.
func (d *declaring) says(s Says, c *gov.Call, by gov.Address, path string, when gov.When) {
	r := reading{c: c, by: by, element: -1}
	if on, ok := r.value(s.Only); s.Only != none && ok && !on.Bool() {
		return
	}
	if off, ok := r.value(s.Unless); s.Unless != none && ok && off.Bool() {
		return
	}
	n := 1
	if s.Each {
		n = r.length(s)
	}
	for e := range n {
		if s.Each {
			r.element = e
		}
		i := gov.Impact{Kind: s.Kind, Right: s.Right, When: s.When, From: r.address(s.From), To: r.address(s.To), Target: r.address(s.At)}
		if s.Kind == gov.ImpactSets || s.Kind == gov.ImpactGoverns || s.Kind == gov.ImpactDelays || s.Kind == gov.ImpactPauses {
			i.Param = c.Signature
		}
		if s.Asset == coin {
			i.Asset = gov.Known(gov.Native)
		} else if a := r.address(s.Asset); !a.IsZero() {
			i.Asset = gov.Known(gov.Asset(a))
		}
		i.Amount, i.ID = r.amount(s.Amount), r.amount(s.ID)
		if v, ok := r.value(s.Role); ok {
			i.Role = v.Word
		}
		if s.Zero && i.Amount.IsKnown() && i.Amount.Or(gov.Amount{}).IsZero() {
			continue // it takes back
		}
		d.add(i, path, when)
	}
}

// reading takes the parts of a statement from a call.
type reading struct {
	c       *gov.Call
	by      gov.Address
	element int // of arrays; -1: none
}

// value is the argument at a place; false where there is none.
func (r reading) value(p place) (gov.Value, bool) {
	arg, component, ok := p.Argument()
	if !ok || arg >= len(r.c.Args) {
		return gov.Value{}, false
	}
	v := r.c.Args[arg].Value
	if len(v.List) > 0 && r.element >= 0 && (component < 0 || len(v.List[0].List) > 0) {
		if r.element >= len(v.List) {
			return gov.Value{}, false
		}
		v = v.List[r.element]
	}
	if component < 0 {
		return v, true
	}
	if component >= len(v.List) {
		return gov.Value{}, false
	}
	return v.List[component], true
}

// length is how many elements the longest array of a statement has.
func (r reading) length(s Says) (n int) {
	for _, p := range []place{s.From, s.To, s.Asset, s.ID, s.Amount} {
		if arg, _, ok := p.Argument(); ok && arg < len(r.c.Args) {
			n = max(n, len(r.c.Args[arg].Value.List))
		}
	}
	return n
}

func (r reading) address(p place) gov.Address {
	switch p {
	case target:
		return r.c.To
	case caller:
		return r.by
	}
	v, ok := r.value(p)
	if !ok {
		return gov.Address{}
	}
	return v.Address()
}

// amount is the number at a place; the largest there is where it is unlimited.
func (r reading) amount(p place) gov.Maybe[gov.Amount] {
	switch p {
	case unlimited:
		return gov.Known(gov.MaxAmount)
	case sent:
		return gov.Known(r.c.Value)
	}
	v, ok := r.value(p)
	if !ok {
		return gov.Maybe[gov.Amount]{}
	}
	return gov.Known(v.Amount())
}
