package strict

import (
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// wary is what a source knows of a file that may hold secrets: the keys whose values may be shown where the file
// could not be decoded. It is nil for a file that has no place for a secret.
type wary map[string]bool

// warinessOf looks through a type for secrets.
func warinessOf(t reflect.Type) wary {
	open, holds := wary{}, false
	var secret []string
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type) (hidden bool)
	walk = func(t reflect.Type) bool {
		switch t {
		case reflect.TypeFor[Secret](), reflect.TypeFor[Private]():
			holds = true
			return true
		}
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			return walk(t.Elem())
		case reflect.Struct:
			if seen[t] {
				return false
			}
			seen[t] = true
			for _, f := range fields(t) {
				if walk(t.FieldByIndex(f.index).Type) {
					secret = append(secret, f.name)
				} else {
					open[f.name] = true
				}
			}
		}
		return false
	}
	walk(t)
	for _, name := range secret {
		open[name] = false
	}
	if !holds {
		return nil
	}
	return open
}

// hide masks the value of a key that is not known, or comes twice, in a file that may hold secrets: it may be a
// secret under a misspelt key.
func (s *source) hide(key scalar, value ast.Node) {
	if s.wary == nil {
		return
	}
	if key.line > 0 && key.line <= len(s.written) {
		s.secret[key.line] = append(s.secret[key.line], span{key.end + 1, len(s.written[key.line-1]) + 1})
	}
	last := key.line
	ast.Walk(visitor(func(n ast.Node) {
		if tk := n.GetToken(); tk != nil && tk.Position != nil {
			last = max(last, tk.Position.Line+lineBreaks(n, tk))
		}
	}), value)
	for line := key.line + 1; line <= min(last, len(s.written)); line++ {
		s.secret[line] = append(s.secret[line], span{1, len(s.written[line-1]) + 1})
	}
}

// lineBreaks is how many lines a scalar goes beyond its own.
func lineBreaks(n ast.Node, tk *token.Token) int {
	if block, ok := n.(*ast.LiteralNode); ok && block.Value != nil && block.Value.GetToken() != nil {
		return 1 + strings.Count(block.Value.GetToken().Origin, "\n")
	}
	return strings.Count(strings.TrimRight(tk.Origin, "\n"), "\n")
}

type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

var keyInLine = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.-]*)["']?[ \t]*:([ \t]|$)`)

// hideUnread masks what may be a secret in a line that was repaired, or of a file that could not be decoded to its end:
// what follows a key that is not known as harmless, and whole lines without a key, but a key's name whose colon is missing.
func (s *source) hideUnread(line []rune) {
	text := string(line)
	if trimmed := strings.TrimLeft(text, " \t-"); trimmed == "" || trimmed[0] == '#' {
		return
	}
	matches := keyInLine.FindAllStringSubmatchIndex(text, -1)
	from := -1
	for _, m := range matches {
		if !s.wary[text[m[2]:m[3]]] {
			from = m[1]
			break
		}
	}
	if len(matches) == 0 {
		from = 0
		if word := strings.Fields(text)[0]; strings.Contains(text, word+" ") {
			if _, known := s.wary[word]; known {
				from = strings.Index(text, word) + len(word)
			}
		}
	}
	if from < 0 {
		return
	}
	for i := len([]rune(text[:from])); i < len(line); i++ {
		if line[i] != ' ' {
			line[i] = '*'
		}
	}
}
