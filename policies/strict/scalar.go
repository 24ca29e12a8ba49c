package strict

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// style is how a scalar is written.
type style int

const (
	plain style = iota
	quoted
	block
)

// scalar is a value as a person wrote it: the text of the token, never a number printed again (1.10 stays 1.10).
type scalar struct {
	style  style
	text   string
	line   int
	column int
	end    int   // the column after it, for plain and quoted
	places []int // quoted: the column of each character of text
	indent int   // block: columns before each line
}

// scalar reads a node, checking it against the lines of the file: the lexer's word for where something is or what an
// escape means is not taken unseen.
func (s *source) scalar(n ast.Node) (scalar, bool) {
	if lit, ok := n.(*ast.LiteralNode); ok {
		return s.block(lit)
	}
	tk := n.GetToken()
	line, column := tk.Position.Line, tk.Position.Column
	if line < 1 || line > len(s.repaired) || column < 1 || column > len(s.repaired[line-1]) {
		s.report(max(line, 1), max(column, 1), "this value cannot be read", "quote it, on one line")
		return scalar{}, false
	}
	rest := s.repaired[line-1][column-1:]
	if tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType {
		return s.quoted(tk, rest)
	}
	if fault := notPlain(tk.Value); fault != "" || rest[0] != firstRune(tk.Value) {
		if fault == "" {
			fault = "this value cannot be read"
		}
		s.report(line, column, fault, quoteIt)
		return scalar{}, false
	}
	text := []rune(tk.Value)
	if len(text) > len(rest) || string(rest[:len(text)]) != tk.Value {
		s.report(line, column, "the value goes over several lines", "write it in one line, or as a | block")
		return scalar{}, false
	}
	return scalar{text: tk.Value, line: line, column: column, end: column + len(text)}, true
}

// notPlain says why a text may not stand without quotes. The lexer lets some pass that other readers of YAML refuse.
func notPlain(text string) string {
	first, second := firstRune(text), ' '
	if len(text) > 1 {
		second = rune(text[1])
	}
	switch {
	case text == "":
		return "there is no text here"
	case strings.ContainsRune("?:,[]{}#&*!|>'\"%@`", first), first == '-' && second == ' ':
		return "a value cannot begin with " + string(first)
	case strings.Contains(text, ": "):
		return `the value contains ": "`
	case strings.HasSuffix(text, ":"):
		return "the value ends with a colon"
	}
	return ""
}

func firstRune(text string) rune {
	for _, r := range text {
		return r
	}
	return 0
}

func (s *source) quoted(tk *token.Token, rest []rune) (scalar, bool) {
	v := scalar{style: quoted, line: tk.Position.Line, column: tk.Position.Column}
	text, places, size, fault := unquote(rest)
	if fault != "" {
		hint := ""
		if size == len(rest) {
			hint = "close the quotes in the same line, or use a | block"
		}
		s.report(v.line, v.column+size, fault, hint)
		return v, false
	}
	if text != tk.Value {
		s.report(v.line, v.column, "this quoted text can be read in two ways", "use single quotes")
		return v, false
	}
	v.text, v.end = text, v.column+size
	for _, p := range places {
		v.places = append(v.places, v.column+p)
	}
	return v, true
}

// unquote reads quoted text from the start of a line's rest: the text, where each of its characters stands, and how
// many characters it takes. On a fault, size is where it is.
func unquote(line []rune) (text string, places []int, size int, fault string) {
	var b strings.Builder
	for i := 1; i < len(line); {
		r, width := line[i], 1
		switch {
		case line[0] == '\'' && r == '\'':
			if i+1 >= len(line) || line[i+1] != '\'' {
				return b.String(), places, i + 1, ""
			}
			width = 2
		case line[0] == '"' && r == '"':
			return b.String(), places, i + 1, ""
		case line[0] == '"' && r == '\\':
			if r, width = unescape(line[i:]); width == 0 {
				return "", nil, i, "this escape is not used here"
			}
		}
		b.WriteRune(r)
		places = append(places, i)
		i += width
	}
	return "", nil, len(line), "the quoted text goes over several lines"
}

// unescape reads an escape of double-quoted text; width is 0 for what is not allowed.
func unescape(line []rune) (r rune, width int) {
	if len(line) < 2 {
		return 0, 0
	}
	digits := 0
	switch line[1] {
	case '"', '\\', '/':
		return line[1], 2
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	}
	if digits == 0 || len(line) < 2+digits {
		return 0, 0
	}
	n, err := strconv.ParseUint(string(line[2:2+digits]), 16, 32)
	if err != nil || n > 0x10ffff || n >= 0xd800 && n < 0xe000 {
		return 0, 0
	}
	return rune(n), 2 + digits
}

// blockHeader allows | and |-, and an indent in digits. |+ is refused: how many empty lines it keeps depends on the reader.
var blockHeader = regexp.MustCompile(`^\|([1-9]?-?|-[1-9])$`)

// block reads `|` text. The place that the lexer gives for it is that of its end at times, so the indent is measured in
// the file.
func (s *source) block(lit *ast.LiteralNode) (scalar, bool) {
	at := lit.Start.Position
	v := scalar{style: block, line: at.Line, column: at.Column}
	if lit.Start.Type != token.LiteralType {
		s.report(at.Line, at.Column, "text folded with > is not used here", "use |")
		return v, false
	}
	if !blockHeader.MatchString(lit.Start.Value) {
		s.report(at.Line, at.Column, "this block cannot be read", "write | or |-")
		return v, false
	}
	v.text = lit.Value.Value
	indent, ok := s.indentOf(at.Line, strings.Split(v.text, "\n"))
	if !ok {
		s.report(at.Line, at.Column, "this block cannot be read", "indent its lines evenly, by blanks")
		return v, false
	}
	v.indent = indent
	return v, true
}

// indentOf is the indent of a block under its header's line: what stands before every line of its text.
func (s *source) indentOf(header int, text []string) (indent int, ok bool) {
	indent = -1
	longest := 0 // of the empty lines before the text; they may not be deeper than it
	for i, line := range text {
		if header+i >= len(s.repaired) {
			return max(indent, 0), line == ""
		}
		written := string(s.repaired[header+i])
		if strings.Trim(line, " ") == "" {
			if indent < 0 {
				longest = max(longest, len(s.written[header+i]))
			}
			continue
		}
		if indent < 0 {
			indent = len(written) - len(line)
			if indent < longest {
				return 0, false
			}
		}
		if indent < 1 || len(written) < indent || written[indent:] != line || strings.Trim(written[:indent], " ") != "" {
			return 0, false
		}
	}
	return max(indent, 0), true
}

// position maps a place in the text (line and column from 1) to the file.
func (v scalar) position(line, column int) (fileLine, fileColumn int) {
	line, column = max(line, 1), max(column, 1)
	if v.style == block {
		return v.line + line, v.indent + column
	}
	at, row := 0, 1
	for i, r := range []rune(v.text) { // an escaped line break is one in the text and none in the file
		if row == line {
			break
		}
		if r == '\n' {
			row++
			at = i + 1
		}
	}
	at += column - 1
	if v.style == plain {
		return v.line, v.column + at
	}
	if at < len(v.places) {
		return v.line, v.places[at]
	}
	return v.line, max(v.end-1, v.column) // the closing quote
}
