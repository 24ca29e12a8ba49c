package strict

import (
	"strings"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

const quoteIt = "quote it"

// repair looks at the tokens of a file for what is YAML but not ours (tags, anchors, …) and for expressions that should
// have been quoted, reports each and writes something harmless in its place, until nothing is left. The parser would
// stop at the first of them or, worse, read something else: after `when: !found("x")` the keys that follow belong to the
// tag. Where nothing can be repaired the file is cut before that entry. ok is false when nothing is left to parse.
func (s *source) repair() (whole, ok bool) {
	const passes = 8 // one fault may hide another in its line
	whole = true
	for range passes {
		tokens := lexer.Tokenize(s.text(s.end()))
		if len(tokens) > maxTokens {
			// What stands at the beginning is still worth looking at.
			at := tokens[maxTokens].Position
			s.report(at.Line, at.Column, "the file has too many values", "split it")
			whole = false
			if !s.cutBefore(tokens[maxTokens/8].Position.Line) {
				return false, false
			}
			continue
		}
		if !s.bounded(tokens) {
			return false, false
		}
		f := faults{source: s, tokens: tokens}
		f.look()
		switch {
		case f.stop > 0:
			whole = false
			if !s.cutBefore(f.stop) {
				return false, false
			}
		case !f.changed:
			return whole, true
		}
	}
	return false, false
}

// cutBefore drops the entry that a line belongs to and what follows; false when nothing is left.
func (s *source) cutBefore(line int) bool {
	line = s.entryOf(line)
	s.repaired = s.repaired[:line-1]
	return line > 1
}

// bounded reports nesting that the parser could not take in reasonable memory.
func (s *source) bounded(tokens token.Tokens) bool {
	flow, columns := 0, []int{}
	for i, tk := range tokens {
		switch tk.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingValueType:
			column := tk.Position.Column
			if tk.Type == token.MappingValueType && i > 0 {
				column = tokens[i-1].Position.Column
			}
			for len(columns) > 0 && columns[len(columns)-1] >= column {
				columns = columns[:len(columns)-1]
			}
			columns = append(columns, column)
		}
		if flow+len(columns) > maxDepth {
			s.report(tk.Position.Line, tk.Position.Column, "the file is nested too deeply", "")
			return false
		}
	}
	return true
}

// faults is one pass over the tokens.
type faults struct {
	*source
	tokens  token.Tokens
	open    []*token.Token // the brackets that are open
	content bool           // something of the document was seen
	changed bool
	stop    int // the line where nothing can be repaired
	line    int // faults up to this column of this line were repaired in this pass
	column  int
}

func (f *faults) look() {
	for i, tk := range f.tokens {
		at := tk.Position
		if at.Line == f.line && at.Column < f.column || at.Line > len(f.repaired) {
			continue
		}
		aligned := f.aligned(tk)
		if aligned || tk.Type == token.InvalidType {
			f.structure(i, tk)
		}
		if f.stop > 0 {
			return
		}
		if at.Line == f.line && at.Column < f.column {
			continue
		}
		f.value(i, tk, aligned)
		if tk.Type != token.CommentType && tk.Type != token.DocumentHeaderType {
			f.content = true
		}
	}
}

// aligned says whether a token is where the lexer says it is. After a tag, and for the text of a block, it is not; what is
// wrong there is found in the next pass, when the tag is gone.
func (f *faults) aligned(tk *token.Token) bool {
	var first rune
	switch tk.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType:
		first = firstRune(tk.Value)
	case token.SingleQuoteType:
		first = '\''
	case token.DoubleQuoteType:
		first = '"'
	case token.TagType:
		first = '!'
	case token.MappingValueType:
		first = ':'
	case token.AnchorType:
		first = '&'
	case token.AliasType:
		first = '*'
	case token.MappingStartType:
		first = '{'
	case token.SequenceStartType:
		first = '['
	case token.MergeKeyType:
		first = '<'
	default:
		return true
	}
	return tk.Position.Line <= len(f.repaired) && f.is(tk.Position.Line, tk.Position.Column, first)
}

// structure looks for the parts of YAML that are not ours.
func (f *faults) structure(i int, tk *token.Token) {
	line, column := tk.Position.Line, tk.Position.Column
	switch tk.Type {
	case token.TagType:
		f.tag(i, tk)
	case token.AnchorType:
		if next := f.next(i); next != nil && next.Type == token.AnchorType {
			f.fault(tk, "a value beginning with & is a YAML anchor", quoteIt)
			return
		}
		f.report(line, column, "anchors are not used here", "write the value where it is needed")
		f.blank(line, column, f.word(line, column))
	case token.AliasType:
		f.fault(tk, "a value beginning with * is a YAML alias", "write the value itself, or quote it")
	case token.MergeKeyType:
		f.report(line, column, "merge keys are not used here", "write the keys themselves")
		f.fill(line, column, column+2)
	case token.MappingKeyType:
		f.report(line, column, "a key beginning with ? is not used here", quoteIt)
		f.stop = line
	case token.DirectiveType:
		if column == 1 {
			f.report(line, column, "YAML directives are not used here", "remove the line")
			f.blank(line, column, len(f.repaired[line-1])+1)
			return
		}
		f.fault(tk, "a value cannot begin with %", quoteIt)
	case token.DocumentHeaderType:
		if f.content {
			f.report(line, column, "a second document begins here", "one file holds one document")
			f.cut(line)
		}
	case token.DocumentEndType:
		if next := f.next(i); next != nil {
			f.report(next.Position.Line, next.Position.Column, "something follows the end of the document", "one file holds one document")
			f.cut(line + 1)
		}
	case token.InvalidType:
		f.invalid(tk)
	}
}

// tag tells a type (`!!str 1`) from an expression (`!found("x")`): the tag alone is taken away where a value follows it.
func (f *faults) tag(i int, tk *token.Token) {
	line, column := tk.Position.Line, tk.Position.Column
	const message = "a value beginning with ! is a YAML tag"
	end := f.word(line, column)
	word := string(f.repaired[line-1][column-1 : end-1])
	next := f.next(i)
	typed := !strings.ContainsAny(word, `("'[=<>&|`)
	sameLine := next != nil && next.Position.Line == line && next.Type != token.AnchorType && !isDelimiter(next)
	if sameLine && strings.ContainsAny(next.Value[:min(1, len(next.Value))], "&|=<>+-*/?") {
		typed = false
	}
	nested := next != nil && next.Position.Line > line && next.Position.Column > f.indent(line)
	if typed && (sameLine || nested) {
		f.report(line, column, message, "tags are not used: remove it, or quote the value")
		f.blank(line, column, end)
		return
	}
	f.fault(tk, message, quoteIt)
}

// indent is the column where the entry that begins in a line has its key.
func (f *faults) indent(line int) int {
	for i, r := range f.repaired[line-1] {
		if r != ' ' && r != '-' {
			return i + 1
		}
	}
	return 1
}

// value looks for expressions that YAML would take apart.
func (f *faults) value(i int, tk *token.Token, aligned bool) {
	if tk.Type == token.CommentType {
		return
	}
	next := f.next(i)
	sameLine := next != nil && next.Position.Line == tk.Position.Line
	switch tk.Type {
	case token.MappingStartType, token.SequenceStartType:
		f.open = append(f.open, tk)
		return
	case token.MappingEndType, token.SequenceEndType:
		if len(f.open) == 0 {
			return
		}
		start := f.open[len(f.open)-1]
		if (start.Type == token.MappingStartType) != (tk.Type == token.MappingEndType) {
			f.report(tk.Position.Line, tk.Position.Column, "this bracket closes another one than was opened", "quote the value if it is an expression")
			f.stop = tk.Position.Line
			return
		}
		f.open = f.open[:len(f.open)-1]
		if sameLine && !isDelimiter(next) && f.aligned(start) && start.Position.Line == tk.Position.Line {
			f.fault(start, "text follows this list or mapping", "quote the whole value if it is an expression")
		}
		return
	}
	if !aligned {
		return
	}
	switch tk.Type {
	case token.SingleQuoteType, token.DoubleQuoteType:
		if sameLine && !isDelimiter(next) {
			f.fault(tk, "text follows the closing quote", "quote the whole value, with the other kind of quotes")
			return
		}
		f.colon(i, tk, next)
	case token.StringType:
		if len(f.open) > 0 && (isOpen(next) || strings.Count(tk.Value, "(") > strings.Count(tk.Value, ")")) {
			f.fault(tk, "YAML takes this value apart at its brackets and commas", quoteIt)
			return
		}
		if len(f.open) > 0 && strings.ContainsAny(tk.Value, "[]{},") {
			f.report(tk.Position.Line, tk.Position.Column, "there is a bracket or comma in this value", quoteIt)
			f.stop = tk.Position.Line
			return
		}
		f.colon(i, tk, next)
	case token.CollectEntryType:
		if len(f.open) > 0 && next != nil && next.Type == token.CollectEntryType || i > 0 && isOpen(f.tokens[i-1]) {
			f.report(tk.Position.Line, tk.Position.Column, "there is nothing beside this comma", "")
			f.stop = tk.Position.Line
		}
	case token.MappingValueType:
		f.tightColon(i, tk, next)
	default:
		if tk.Type == token.IntegerType || tk.Type == token.FloatType || tk.Type == token.BoolType {
			f.colon(i, tk, next)
		}
	}
}

// colon reports `key: a ? b : c`, where the second colon makes the value a key.
func (f *faults) colon(i int, tk, next *token.Token) {
	if i == 0 || next == nil || next.Type != token.MappingValueType || next.Position.Line != tk.Position.Line {
		return
	}
	if before := f.tokens[i-1]; before.Type == token.MappingValueType && before.Position.Line == tk.Position.Line {
		f.fault(tk, `the value contains ": "`, quoteIt)
	}
}

// tightColon reports `{eip155:1: x}` and `{a:1}`: to the lexer the first colon ends the key, to YAML it is part of it.
func (f *faults) tightColon(i int, tk, next *token.Token) {
	if len(f.open) == 0 || i == 0 || next == nil {
		return
	}
	before, at := f.tokens[i-1], tk.Position
	switch before.Type {
	case token.MappingStartType, token.MappingEndType, token.SequenceStartType, token.SequenceEndType,
		token.SingleQuoteType, token.DoubleQuoteType, token.CollectEntryType:
		return
	}
	tight := at.Column < len(f.repaired[at.Line-1]) && !strings.ContainsRune(" ,]}", f.repaired[at.Line-1][at.Column])
	if tight && before.Position.Line == at.Line && f.aligned(before) {
		f.fault(before, "there is no blank after the colon", "write one, or quote the text if the colon is part of it")
	}
}

// invalid is what the lexer refused.
func (f *faults) invalid(tk *token.Token) {
	line, column := tk.Position.Line, tk.Position.Column
	if text := strings.TrimSpace(tk.Value); text != "" && strings.ContainsAny(text[:1], "@`") && f.is(line, column, rune(text[0])) {
		f.fault(tk, "a value cannot begin with "+text[:1], quoteIt)
		return
	}
	f.report(line, column, "this is not YAML: "+tk.Error, "")
	f.stop = line
}

func (f *faults) is(line, column int, r rune) bool {
	text := f.repaired[line-1]
	return column >= 1 && column <= len(text) && text[column-1] == r
}

// fault reports a value and puts something harmless in its place.
func (f *faults) fault(tk *token.Token, message, hint string) {
	f.report(tk.Position.Line, tk.Position.Column, message, hint)
	f.fill(tk.Position.Line, tk.Position.Column, f.valueEnd(tk.Position.Line, tk.Position.Column))
}

// fill writes x over a range of columns.
func (f *faults) fill(line, from, to int) { f.write(line, from, to, 'x') }

// blank writes blanks over a range of columns.
func (f *faults) blank(line, from, to int) { f.write(line, from, to, ' ') }

func (f *faults) write(line, from, to int, r rune) {
	text := f.repaired[line-1]
	to = min(to, len(text)+1)
	if from < 1 || from >= to {
		f.stop = line // the lexer's place is not in the text: nothing can be repaired
		return
	}
	for i := from - 1; i < to-1; i++ {
		text[i] = r
	}
	f.poison[line] = append(f.poison[line], span{from, to})
	f.changed, f.line, f.column = true, line, to
}

// cut drops the lines from one on.
func (f *faults) cut(line int) {
	f.repaired = f.repaired[:min(line-1, len(f.repaired))]
	f.changed = true
	f.line, f.column = line, 1<<30
}

// word is the column after the blank-delimited word at a place.
func (f *faults) word(line, column int) int {
	text := f.repaired[line-1]
	end := column
	for end <= len(text) && text[end-1] != ' ' && !(len(f.open) > 0 && strings.ContainsRune(",}]", text[end-1])) {
		end++
	}
	return end
}

// valueEnd is the column after the value at a place, as a person would read it: with its brackets and quotes closed.
func (f *faults) valueEnd(line, column int) int {
	text := f.repaired[line-1]
	depth, quoted := 0, rune(0)
	last := column // after the last character that is no blank
	for i := column - 1; i < len(text); i++ {
		r := text[i]
		switch {
		case quoted != 0:
			if r == quoted {
				quoted = 0
			}
		case r == '"' || r == '\'':
			quoted = r
		case strings.ContainsRune("([{", r):
			depth++
		case strings.ContainsRune(")]}", r):
			if depth == 0 && r != ')' && len(f.open) > 0 {
				return last
			}
			depth--
		case r == ',' && depth <= 0 && len(f.open) > 0:
			return last
		case r == '#' && i > 0 && text[i-1] == ' ':
			return last
		}
		if r != ' ' {
			last = i + 2
		}
	}
	return last
}

// next is the token after i that is no comment.
func (f *faults) next(i int) *token.Token {
	for _, tk := range f.tokens[i+1:] {
		if tk.Type != token.CommentType {
			return tk
		}
	}
	return nil
}

func isDelimiter(tk *token.Token) bool {
	switch tk.Type {
	case token.MappingValueType, token.CollectEntryType, token.MappingEndType, token.SequenceEndType:
		return true
	}
	return false
}

func isOpen(tk *token.Token) bool {
	return tk != nil && (tk.Type == token.MappingStartType || tk.Type == token.SequenceStartType)
}
