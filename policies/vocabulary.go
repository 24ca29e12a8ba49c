package policies

import (
	"reflect"
	"strconv"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/legate-dao/legate/agent/gov"
)

// objectType is a Go struct as expressions see it: its fields with a `fact` tag.
type objectType struct {
	name   string
	cel    *types.Type
	fields []field
	index  map[string]int
}

// field is one fact. Exactly one of the readers of its shape is set in how it is read.
type field struct {
	name   string
	typ    *types.Type
	path   []int // of the Go struct field
	enum   []string
	addr   bool        // an EIP-55 address
	object *objectType // of the field, or of the elements of a list
	list   bool
	goType reflect.Type
	read   reader
}

// reader turns the Go field at v into a CEL value; nil means that the fact is missing.
type reader func(v reflect.Value, at place) ref.Val

// place is where a value stands, for the names of missing facts and of list elements.
type place struct {
	parent *object
	name   string
	index  int // of a list element, -1 for a field
}

func (p place) String() string {
	s := p.name
	if p.index >= 0 {
		s += "[" + strconv.Itoa(p.index) + "]"
	}
	if p.parent == nil {
		return s
	}
	if up := p.parent.at.String(); up != "" {
		return up + "." + s
	}
	return s
}

// object is one struct in an evaluation, with the values of its fields kept as they are read. It belongs
// to one evaluation and is not safe for concurrent use.
type object struct {
	typ  *objectType
	v    reflect.Value
	at   place
	vals []ref.Val
}

func newObject(t *objectType, v reflect.Value, at place) *object {
	return &object{typ: t, v: v, at: at, vals: make([]ref.Val, len(t.fields))}
}

// get is the value of the i-th field, a CEL unknown where the fact is missing.
func (o *object) get(i int) ref.Val {
	if o.vals[i] != nil {
		return o.vals[i]
	}
	f := &o.typ.fields[i]
	at := place{parent: o, name: f.name, index: -1}
	val := f.read(o.v.FieldByIndex(f.path), at)
	if val == nil {
		val = missing(at.String())
	}
	o.vals[i] = val
	return val
}

func missing(path string) ref.Val { return types.NewUnknown(0, types.NewAttributeTrail(path)) }

// ConvertToNative is part of ref.Val; objects do not leave expressions.
func (o *object) ConvertToNative(reflect.Type) (any, error) { return nil, errNoConversion }

// ConvertToType is part of ref.Val.
func (o *object) ConvertToType(ref.Type) ref.Val {
	return types.NewErr("an object of facts has no other type")
}

// Equal is part of ref.Val; comparing objects does not compile.
func (o *object) Equal(ref.Val) ref.Val { return types.NewErr("objects of facts cannot be compared") }

// Type is part of ref.Val.
func (o *object) Type() ref.Type { return o.typ.cel }

// Value is part of ref.Val.
func (o *object) Value() any { return o }

// vocabulary is the type provider: every object type by name.
type vocabulary struct {
	types  map[string]*objectType
	shapes shapes
}

// EnumValue is part of types.Provider: there are none.
func (*vocabulary) EnumValue(name string) ref.Val { return types.NewErr("no enum value %q", name) }

// FindIdent is part of types.Provider: types are no values here.
func (*vocabulary) FindIdent(string) (ref.Val, bool) { return nil, false }

// FindStructType is part of types.Provider.
func (w *vocabulary) FindStructType(name string) (*types.Type, bool) {
	t, ok := w.types[name]
	if !ok {
		return nil, false
	}
	return types.NewTypeTypeWithParam(t.cel), true
}

// FindStructFieldNames is part of types.Provider.
func (w *vocabulary) FindStructFieldNames(name string) (names []string, ok bool) {
	t, ok := w.types[name]
	if !ok {
		return nil, false
	}
	for _, f := range t.fields {
		names = append(names, f.name)
	}
	return names, true
}

// FindStructFieldType is part of types.Provider. A field of something unknown is the same unknown.
func (w *vocabulary) FindStructFieldType(name, fieldName string) (*types.FieldType, bool) {
	t, ok := w.types[name]
	if !ok {
		return nil, false
	}
	i, ok := t.index[fieldName]
	if !ok {
		return nil, false
	}
	return &types.FieldType{
		Type:  t.fields[i].typ,
		IsSet: func(any) bool { return true },
		GetFrom: func(of any) (any, error) {
			switch of := of.(type) {
			case *object:
				return of.get(i), nil
			case *types.Unknown:
				return of, nil
			}
			return nil, errNotObject
		},
	}, true
}

// NewValue is part of types.Provider: struct literals are not in the language.
func (*vocabulary) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("no values of %q can be made", name)
}

// objectOf describes a struct type and, first, the types of its fields.
func (w *vocabulary) objectOf(t reflect.Type) *objectType {
	name := "fact." + t.Name()
	if t.PkgPath() != reflect.TypeFor[gov.Facts]().PkgPath() {
		name = "view." + t.Name()
	}
	if known, ok := w.types[name]; ok {
		return known
	}
	o := &objectType{name: name, cel: types.NewObjectType(name), index: map[string]int{}}
	w.types[name] = o
	for _, sf := range reflect.VisibleFields(t) {
		tag, ok := sf.Tag.Lookup("fact")
		if !ok {
			continue
		}
		f := w.fieldOf(tag, sf.Type)
		f.path = sf.Index
		o.index[tag] = len(o.fields)
		o.fields = append(o.fields, f)
	}
	return o
}

func (w *vocabulary) fieldOf(name string, t reflect.Type) field {
	if s, ok := w.shapes[t]; ok {
		f := s(w)
		f.name, f.goType = name, t
		return f
	}
	if t.Kind() != reflect.Struct {
		panic("policies: the fact " + name + " has the type " + t.String() + ", which no expression can read")
	}
	o := w.objectOf(t)
	return field{name: name, typ: o.cel, object: o, goType: t, read: func(v reflect.Value, at place) ref.Val { return newObject(o, v, at) }}
}
