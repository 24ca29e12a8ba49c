package strict

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// ScalarParser is a type that reads itself from the text of a scalar. An error may be a Mistake; its place is known.
type ScalarParser interface{ ParseStrict(text string) error }

// NodeParser is a type with several shapes (a word or a mapping): it looks at the node and decodes it, or reports.
type NodeParser interface{ ParseNode(n Node) }

// Defaulter is a type whose values have defaults in lists and maps too: it is called before each is decoded.
type Defaulter interface{ SetDefaults() }

// walker decodes nodes.
type walker struct{ *Doc }

func (w *walker) decode(v reflect.Value, n ast.Node, path string, o tagOptions) {
	line, column := place0(n)
	p := w.places[path]
	p.line, p.column = line, column
	w.places[path] = p
	if kindOf(n) == singleValue && w.source.poisoned(line, column) || w.refused(n, path) {
		return
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
			setDefaults(v.Elem())
		}
		v = v.Elem()
	}
	if parser, ok := v.Addr().Interface().(NodeParser); ok {
		parser.ParseNode(Node{w: w, node: n, path: path})
		return
	}
	if parser, ok := v.Addr().Interface().(ScalarParser); ok {
		w.decodeScalar(parser, n)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		w.decodeStruct(v, n, path)
	case reflect.Slice:
		w.decodeSlice(v, n, path, o)
	case reflect.Map:
		w.decodeMap(v, n, path, o)
	default:
		if text, ok := w.text(n, wanted(v.Type())); ok {
			if err := setPlain(v, text, o); err != nil {
				w.mistake(text.line, text.column, err)
			}
		}
	}
}

// refused reports nodes that have no value of ours.
func (w *walker) refused(n ast.Node, path string) bool {
	line, column := place0(n)
	switch n := n.(type) {
	case *ast.NullNode:
		at := w.places[path]
		for _, p := range w.source.poison[line] {
			if at.keyLine != line || p.from > at.keyColumn {
				return true // its value was taken away by a repair
			}
		}
		if at.keyLine > 0 {
			line, column = at.keyLine, at.keyColumn
		}
		w.source.report(line, column, "there is no value here", `leave the key out, or write "" for an empty text`)
		return true
	case *ast.TagNode, *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.DirectiveNode, *ast.MappingKeyNode, *ast.CommentGroupNode:
		w.source.report(line, column, fmt.Sprintf("%s is not used here", n.Type()), "")
		return true
	}
	return false
}

// place0 is where a person sees a node begin; the parser puts block mappings at their first colon.
func place0(n ast.Node) (line, column int) {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		n = m.Values[0].Key
	}
	at := n.GetToken().Position
	return max(at.Line, 1), max(at.Column, 1)
}

// kindOf names what a node is.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	}
	return singleValue
}

const singleValue = "a single value"

func (w *walker) mismatch(n ast.Node, want string) {
	line, column := place0(n)
	w.source.report(line, column, "expected "+want+", found "+kindOf(n), "")
}

func (w *walker) mistake(line, column int, err error) {
	var m Mistake
	if !errors.As(err, &m) {
		m.Message = err.Error()
	}
	w.source.report(line, column, m.Message, m.Hint)
}

// text reads a scalar node, or reports that something else is wanted.
func (w *walker) text(n ast.Node, want string) (scalar, bool) {
	switch n.(type) {
	case *ast.MappingNode, *ast.SequenceNode:
		w.mismatch(n, want)
		return scalar{}, false
	}
	return w.source.scalar(n)
}

func (w *walker) decodeScalar(into ScalarParser, n ast.Node) {
	want := singleValue
	if d, ok := into.(interface{ describe() string }); ok {
		want = d.describe()
	}
	text, ok := w.text(n, want)
	if !ok {
		return
	}
	private, ok := into.(interface{ hidden() bool })
	if ok && text.style == block {
		w.source.report(text.line, text.column, "a secret is not written as a block", "")
		w.source.blind = true
		return
	}
	err := into.ParseStrict(text.text)
	if err != nil {
		w.mistake(text.line, text.column, err)
	}
	if private != nil && (err != nil || private.hidden()) {
		w.source.secret[text.line] = append(w.source.secret[text.line], span{text.column, text.end})
	}
}

func (w *walker) decodeStruct(v reflect.Value, n ast.Node, path string) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		w.mismatch(n, "a mapping")
		return
	}
	all := fields(v.Type())
	names := make([]string, 0, len(all))
	for _, f := range all {
		if !f.later {
			names = append(names, f.name)
		}
	}
	given := map[string]bool{}
	w.each(m, path, func(key scalar, value ast.Node, path string) {
		i := slices.IndexFunc(all, func(f field) bool { return f.name == key.text })
		switch {
		case i < 0:
			w.source.hide(key, value)
			w.source.report(key.line, key.column, "unknown key "+quote(key.text), didYouMean(key.text, names))
		case all[i].later:
			w.source.hide(key, value)
			w.source.report(key.line, key.column, quote(key.text)+" is not in this release", "remove it")
		default:
			given[key.text] = true
			w.decode(v.FieldByIndex(all[i].index), value, path, all[i].tagOptions)
		}
	})
	if w.partial && path == "$" {
		return
	}
	line, column := place0(n)
	for _, f := range all {
		if f.required && !given[f.name] {
			w.source.report(line, column, fmt.Sprintf("the key %q is missing%s", f.name, in(path)), "")
		}
	}
}

func in(path string) string {
	if path == "$" {
		return ""
	}
	return " in " + path[2:]
}

// each goes through a mapping in the order of the file and reports keys that are no keys or come twice.
func (w *walker) each(m *ast.MappingNode, path string, visit func(key scalar, value ast.Node, path string)) {
	first := make(map[string]int, len(m.Values))
	var keys []string
	for _, entry := range m.Values {
		line, column := place0(entry.Key)
		if w.source.poisoned(line, column) || w.refused(entry.Key, "") {
			continue
		}
		if m.IsFlowStyle && entry.Start == entry.Key.GetToken() {
			w.source.report(line, column, "this key has no value", "if it is the end of an expression, quote the whole expression")
			continue
		}
		if entry.Start.Position.Line != line {
			w.source.report(line, column, "the colon is not in the line of its key", "")
			continue
		}
		key, ok := w.source.scalar(entry.Key)
		if !ok {
			continue
		}
		if at, twice := first[key.text]; twice {
			w.source.hide(key, entry.Value)
			w.source.report(line, column, fmt.Sprintf("the key %s is there twice, first in line %d", quote(key.text), at), "")
			continue
		}
		first[key.text] = line
		if !m.IsFlowStyle && !w.indented(entry.Key.GetToken().Position, entry.Value, true) {
			continue
		}
		keys = append(keys, key.text)
		inner := joinKey(path, key.text)
		w.places[inner] = place{keyLine: line, keyColumn: column}
		visit(key, entry.Value, inner)
	}
	p := w.places[path]
	p.keys = keys
	w.places[path] = p
}

func (w *walker) decodeSlice(v reflect.Value, n ast.Node, path string, o tagOptions) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		w.mismatch(n, "a list")
		return
	}
	all := reflect.MakeSlice(v.Type(), len(list.Values), len(list.Values))
	for i, value := range list.Values {
		if !list.IsFlowStyle && i < len(list.Entries) && !w.indented(list.Entries[i].Start.Position, value, false) {
			continue
		}
		setDefaults(all.Index(i))
		w.decode(all.Index(i), value, join(path, i), o)
	}
	v.Set(all)
}

// indented reports a value that stands on a line of its own and no deeper than its key or dash. The parser takes it,
// other readers of YAML do not. A list may begin under its key.
func (w *walker) indented(at *token.Position, value ast.Node, key bool) bool {
	line, column := place0(value)
	list, ok := value.(*ast.SequenceNode)
	if ok && key && !list.IsFlowStyle && column == at.Column || line == at.Line || column > at.Column {
		return true
	}
	if _, null := value.(*ast.NullNode); null {
		return true // told elsewhere
	}
	w.source.report(line, column, "this value is not indented", "")
	return false
}

func (w *walker) decodeMap(v reflect.Value, n ast.Node, path string, o tagOptions) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		w.mismatch(n, "a mapping")
		return
	}
	all := reflect.MakeMapWithSize(v.Type(), len(m.Values))
	w.each(m, path, func(key scalar, value ast.Node, path string) {
		k := reflect.New(v.Type().Key()).Elem()
		if parser, ok := k.Addr().Interface().(ScalarParser); ok {
			if err := parser.ParseStrict(key.text); err != nil {
				w.mistake(key.line, key.column, err)
			}
		} else {
			k.SetString(key.text)
		}
		element := reflect.New(v.Type().Elem()).Elem()
		setDefaults(element)
		w.decode(element, value, path, o)
		all.SetMapIndex(k, element)
	})
	v.Set(all)
}

func setDefaults(v reflect.Value) {
	if d, ok := v.Addr().Interface().(Defaulter); ok {
		d.SetDefaults()
	}
}

// wanted names a Go kind in the words of a file.
func wanted(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	panic(fmt.Sprintf("strict: the type %s cannot be read", t))
}

var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	anyNumber   = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// setPlain reads words and numbers. Numbers are decimal: 010 and 0x10 mean something else to other readers of YAML.
func setPlain(v reflect.Value, s scalar, o tagOptions) error {
	if v.Kind() == reflect.String {
		v.SetString(s.text)
		if o.enum != nil && !slices.Contains(o.enum, s.text) {
			return mistake(didYouMean(s.text, o.enum), "unknown word %s", quote(s.text))
		}
		return nil
	}
	want := wanted(v.Type())
	if s.style != plain {
		return mistake("write it without quotes", "expected %s, found a text", want)
	}
	var err error
	switch v.Kind() {
	case reflect.Bool:
		if s.text != "true" && s.text != "false" {
			return mistake("", "expected true or false, found %s", quote(s.text))
		}
		v.SetBool(s.text == "true")
		return nil
	case reflect.Int, reflect.Int64:
		if !wholeNumber.MatchString(s.text) {
			return notNumber(want, s.text)
		}
		var n int64
		n, err = strconv.ParseInt(s.text, 10, 64)
		v.SetInt(n)
		return cmpLimits(float64(n), s.text, err, o)
	case reflect.Uint64:
		if !wholeNumber.MatchString(s.text) {
			return notNumber(want, s.text)
		}
		var n uint64
		n, err = strconv.ParseUint(s.text, 10, 64)
		v.SetUint(n)
		return cmpLimits(float64(n), s.text, err, o)
	default:
		if !anyNumber.MatchString(s.text) {
			return notNumber(want, s.text)
		}
		var n float64
		n, err = strconv.ParseFloat(s.text, 64)
		if math.IsInf(n, 0) {
			n = 0
		}
		v.SetFloat(n)
		return cmpLimits(n, s.text, err, o)
	}
}

func notNumber(want, text string) error {
	return mistake("decimal digits, without quotes, _ or leading zeros", "expected %s, found %s", want, quote(text))
}

func cmpLimits(n float64, text string, err error, o tagOptions) error {
	if err != nil {
		return mistake("", "the number %s is too large or too small", quote(text))
	}
	if o.min != nil && n < *o.min {
		return mistake("", "%s is less than %v", text, *o.min)
	}
	if o.max != nil && n > *o.max {
		return mistake("", "%s is more than %v", text, *o.max)
	}
	return nil
}
