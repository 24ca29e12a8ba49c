package strict

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Read reads text into a struct and returns all problems. name is the file's name in messages. What the file leaves out
// keeps the value that into has already. After errors into holds what could be read, and must not be used.
func Read(name string, text []byte, into any) Problems {
	_, problems := ReadAt(name, text, into)
	return problems
}

// ReadAt is Read, and returns the places of all values for the caller's own problems. The Doc is never nil.
func ReadAt(name string, text []byte, into any) (*Doc, Problems) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		panic("strict: into is not a pointer to a struct")
	}
	s, ok := newSource(name, text)
	s.wary = warinessOf(v.Elem().Type())
	doc := &Doc{source: s, places: map[string]place{}}
	if ok {
		doc.read(v.Elem())
	} else {
		s.blind = true
	}
	return doc, s.finish()
}

func (d *Doc) read(into reflect.Value) {
	s := d.source
	whole, ok := s.repair()
	d.partial = !whole
	if !ok {
		s.blind = true
		return
	}
	body, fault := parse(s.text(s.end()))
	if fault != nil {
		line, column := max(fault.line, 1), max(fault.column, 1)
		s.report(line, column, "this is not YAML: "+fault.message, fault.hint())
		// The entries before the one with the fault can still be checked.
		body, fault = parse(s.text(s.entryOf(line)))
		d.partial = true
		if fault != nil || body == nil {
			s.blind = true
			return
		}
	}
	if body == nil && !d.partial {
		s.report(1, 1, "the file is empty", "")
	}
	s.blind = s.blind || d.partial
	if body == nil {
		return
	}
	_, s.alone = body.(ast.ScalarNode)
	(&walker{Doc: d}).decode(into, body, "$", tagOptions{})
}

// entryOf is the line in which the entry of the outermost mapping begins that a line belongs to.
func (s *source) entryOf(line int) int {
	line = min(line, len(s.repaired))
	for ; line > 1; line-- {
		if text := s.repaired[line-1]; len(text) > 0 && !strings.ContainsRune(" -#]}", text[0]) {
			break
		}
	}
	return max(line, 1)
}

// syntaxFault is what the parser said.
type syntaxFault struct {
	line, column int
	message      string
}

func (f *syntaxFault) hint() string {
	if strings.Contains(f.message, "not allowed in this context") || strings.Contains(f.message, "unexpected key name") {
		return "look at the indentation, and quote the value if it is an expression"
	}
	return ""
}

// parse gives the body of the one document. The parser is not ours and has been seen to panic: then the file is refused.
func parse(text string) (body ast.Node, fault *syntaxFault) {
	defer func() {
		if r := recover(); r != nil {
			body, fault = nil, &syntaxFault{line: 1, column: 1, message: "the parser gave up"}
		}
	}()
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		fault = &syntaxFault{line: 1, column: 1, message: err.Error()}
		var at interface {
			GetToken() *token.Token
			GetMessage() string
		}
		if errors.As(err, &at) {
			fault.message = at.GetMessage()
			if tk := at.GetToken(); tk != nil && tk.Position != nil {
				fault.line, fault.column = tk.Position.Line, tk.Position.Column
			}
		}
		return nil, fault
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		if body != nil {
			at := doc.Body.GetToken().Position
			return nil, &syntaxFault{line: at.Line, column: at.Column, message: "a second document begins here"}
		}
		body = doc.Body
	}
	return body, nil
}

// Doc knows where the values of a file stand. Paths look like `$.governors[0].name`, with keys that are no plain words
// in brackets: `$.chains["eip155:1"].rpc[2]`. Path builds them.
type Doc struct {
	source  *source
	places  map[string]place
	partial bool // the end of the file was not read: keys may be missing that are there
}

// place is where a value and its key stand; keys are those of a mapping, in the order of the file.
type place struct {
	line, column       int
	keyLine, keyColumn int
	keys               []string
}

// Path joins keys (strings) and positions in lists (ints) to a path: Path("governors", 0, "name").
func Path(parts ...any) string {
	path := "$"
	for _, part := range parts {
		switch part := part.(type) {
		case int:
			path = join(path, part)
		case string:
			path = joinKey(path, part)
		default:
			path = joinKey(path, fmt.Sprint(part))
		}
	}
	return path
}

func join(path string, index int) string { return fmt.Sprintf("%s[%d]", path, index) }

func joinKey(path, key string) string {
	for i, r := range key {
		if r != '_' && r != '-' && !(r >= 'a' && r <= 'z') && !(r >= 'A' && r <= 'Z') && (i == 0 || !(r >= '0' && r <= '9')) {
			return fmt.Sprintf("%s[%q]", path, key)
		}
	}
	if key == "" {
		return path + `[""]`
	}
	return path + "." + key
}

// Has says whether the file has a value at the path.
func (d *Doc) Has(path string) bool {
	_, ok := d.places[path]
	return ok
}

// Keys are the keys of the mapping at the path, in the order of the file.
func (d *Doc) Keys(path string) []string { return d.places[path].keys }

// Position is where the value at the path stands; for a value that the file leaves out, where what would hold it stands.
func (d *Doc) Position(path string) (line, column int) {
	for {
		if p, ok := d.places[path]; ok {
			return p.line, p.column
		}
		cut := max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['))
		if cut < 1 {
			return 1, 1
		}
		path = path[:cut]
	}
}

// KeyPosition is where the key of the value at the path stands.
func (d *Doc) KeyPosition(path string) (line, column int) {
	if p, ok := d.places[path]; ok && p.keyLine > 0 {
		return p.keyLine, p.keyColumn
	}
	return d.Position(path)
}

// Problem is an error about the value at a path.
func (d *Doc) Problem(path, message, hint string) Problem {
	line, column := d.Position(path)
	return d.ProblemAt(line, column, message, hint)
}

// ProblemAt is an error at a place, such as one that Expr.Position gave.
func (d *Doc) ProblemAt(line, column int, message, hint string) Problem {
	return Problem{File: d.source.name, Line: line, Column: column, Severity: Error, Message: message, Hint: hint,
		Excerpt: d.source.excerpt(line, column)}
}
