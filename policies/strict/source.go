package strict

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits. The parser below us takes quadratic time in the number of keys and quadratic memory in the depth, so both are
// bounded before it sees a file.
const (
	MaxBytes    = 256 << 10
	MaxProblems = 100
	maxTokens   = 50_000 // about 2 000 entries of book.yaml, or 15 000 keys
	maxDepth    = 32
	maxEmpty    = 200 // empty lines in a row: the lexer takes quadratic time for them in a block
)

// source is a file being read: its lines as written (for excerpts), and as repaired (for the parser). A repair replaces
// what is wrong by as many harmless characters, so places stay true and what follows can still be checked.
type source struct {
	name     string
	written  [][]rune
	repaired [][]rune
	poison   map[int][]span // by line: values that were repaired, so nothing more is said about them
	secret   map[int][]span // by line: values that must not be shown
	wary     wary           // nil where the file has no place for a secret
	problems Problems
	total    int  // of problems, also of those beyond MaxProblems
	blind    bool // the file was not decoded to its end, so it is not known where its secrets are
	alone    bool // the file is one value: a key or a passphrase that was named by mistake, so nothing of it is shown
}

// span is a range of columns, from 1, the end excluded.
type span struct{ from, to int }

// newSource checks the bytes and splits them; ok is false when nothing more can be done.
func newSource(name string, text []byte) (s *source, ok bool) {
	s = &source{name: name, poison: map[int][]span{}, secret: map[int][]span{}}
	switch {
	case len(text) > MaxBytes:
		s.report(1, 1, fmt.Sprintf("the file has %d bytes, more than %d", len(text), MaxBytes), "")
		return s, false
	case bytes.HasPrefix(text, []byte("\xef\xbb\xbf")):
		s.report(1, 1, "the file begins with a byte order mark", "save it as UTF-8 without BOM")
		text = text[3:]
	}
	if at := invalidUTF8(text); at >= 0 {
		line := bytes.Count(text[:at], []byte("\n")) + 1
		column := utf8.RuneCount(text[bytes.LastIndexByte(text[:at], '\n')+1:at]) + 1
		s.report(line, column, "the file is not valid UTF-8", "")
		return s, false
	}
	for _, line := range strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n") {
		s.written = append(s.written, []rune(line))
		s.repaired = append(s.repaired, []rune(line))
	}
	s.checkCharacters()
	return s, s.checkEmpty()
}

func invalidUTF8(text []byte) int {
	for at := 0; at < len(text); {
		r, size := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// checkEmpty refuses long runs of empty lines.
func (s *source) checkEmpty() bool {
	run := 0
	for i, line := range s.repaired {
		if run++; len(line) > 0 {
			run = 0
		}
		if run > maxEmpty {
			s.report(i+1, 1, fmt.Sprintf("there are more than %d empty lines", maxEmpty), "remove them")
			return false
		}
	}
	return true
}

// checkCharacters reports tabs and control characters and puts blanks in their place. Lines of blanks become empty.
func (s *source) checkCharacters() {
	for i, line := range s.repaired {
		told, blank := false, true
		for j, r := range line {
			if r == '\t' || r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfeff || r == 0x2028 || r == 0x2029 {
				line[j] = ' '
				if !told {
					s.reportCharacter(i+1, j+1, r)
					told = true // one a line is enough
				}
			}
			blank = blank && line[j] == ' '
		}
		if blank {
			s.repaired[i] = nil
		}
	}
}

func (s *source) reportCharacter(line, column int, r rune) {
	if r == '\t' {
		s.report(line, column, "there is a tab here", `use blanks; inside double quotes write \t`)
		return
	}
	s.report(line, column, fmt.Sprintf("the character U+%04X is not allowed", r), "")
}

// text is what the parser reads, down to a line (excluded, from 1).
func (s *source) text(until int) string {
	var b strings.Builder
	for _, line := range s.repaired[:min(until-1, len(s.repaired))] {
		b.WriteString(string(line))
		b.WriteByte('\n')
	}
	return b.String()
}

// end is the line after the last.
func (s *source) end() int { return len(s.repaired) + 1 }

// report adds an error.
func (s *source) report(line, column int, message, hint string) {
	s.add(Problem{Line: line, Column: column, Severity: Error, Message: message, Hint: hint})
}

func (s *source) add(p Problem) {
	s.total++
	if len(s.problems) < MaxProblems {
		p.File = s.name
		s.problems = append(s.problems, p)
	}
}

// finish sorts the problems, shows their lines, and says how many there were beyond the limit.
func (s *source) finish() Problems {
	s.problems.Sort()
	for i := range s.problems {
		s.problems[i].Excerpt = s.excerpt(s.problems[i].Line, s.problems[i].Column)
	}
	if more := s.total - len(s.problems); more > 0 {
		last := s.problems[len(s.problems)-1]
		s.problems = append(s.problems, Problem{File: s.name, Line: last.Line, Column: last.Column, Severity: Error,
			Message: fmt.Sprintf("and %d more problems", more)})
	}
	return s.problems
}

// excerpt is the line as written, without the values of secrets.
func (s *source) excerpt(line, column int) string {
	if line < 1 || line > len(s.written) || s.alone {
		return ""
	}
	shown := append([]rune(nil), s.written[line-1]...)
	for _, hide := range s.secret[line] {
		for i := max(hide.from-1, 0); i < hide.to-1 && i < len(shown); i++ {
			if shown[i] != ' ' {
				shown[i] = '*'
			}
		}
	}
	if s.blind {
		hideAddresses(shown)
	}
	if s.wary != nil {
		hideUsers(shown)
	}
	if s.wary != nil && (s.blind || len(s.poison[line]) > 0) {
		s.hideUnread(shown)
	}
	return excerpt(shown, column)
}

// hideUsers masks what stands before the @ of an address, wherever one was written.
func hideUsers(line []rune) {
	for i := 3; i < len(line); i++ {
		if line[i-3] != ':' || line[i-2] != '/' || line[i-1] != '/' {
			continue
		}
		for end := i; end < len(line) && !strings.ContainsRune(" \"',]}/", line[end]); end++ {
			if line[end] == '@' {
				for j := i; j < end; j++ {
					line[j] = '*'
				}
			}
		}
	}
}

// hideAddresses masks what follows `://`: where a file could not be decoded, an address may hold a credential.
func hideAddresses(line []rune) {
	for i := 3; i < len(line); i++ {
		if line[i-3] == ':' && line[i-2] == '/' && line[i-1] == '/' {
			for ; i < len(line) && !strings.ContainsRune(" \"',]}", line[i]); i++ {
				line[i] = '*'
			}
		}
	}
}

// poisoned says whether a value at this place was repaired.
func (s *source) poisoned(line, column int) bool {
	for _, p := range s.poison[line] {
		if p.from <= column && column < p.to {
			return true
		}
	}
	return false
}
