package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Severities of a Problem.
const (
	Error   = "error"
	Warning = "warning"
)

// Problem is one thing that is wrong with a file. Line and Column count from 1, columns in characters.
type Problem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Severity string `json:"severity"`
	Rule     string `json:"rule"` // name of the policy rule, where there is one
	Message  string `json:"message"`
	Hint     string `json:"hint"`
	Excerpt  string `json:"excerpt"` // the line, and under it a caret; values of secrets are masked
}

// String is `file:line:column: message (hint)`.
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Severity == Warning {
		s += "warning: "
	}
	s += p.Message
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Detail is String with the line and a caret under it.
func (p Problem) Detail() string {
	if p.Excerpt == "" {
		return p.String()
	}
	return p.String() + "\n    " + strings.ReplaceAll(p.Excerpt, "\n", "\n    ")
}

// Problems are all problems of a file, in the order of the file.
type Problems []Problem

// Error lists the problems, one a line. Use Err to get an error that is nil when there is none.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Detail lists the problems with their lines.
func (p Problems) Detail() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.Detail()
	}
	return strings.Join(lines, "\n")
}

// HasErrors says whether one of the problems is more than a warning.
func (p Problems) HasErrors() bool {
	return slices.ContainsFunc(p, func(one Problem) bool { return one.Severity != Warning })
}

// Err is nil when there is nothing worse than a warning.
func (p Problems) Err() error {
	if !p.HasErrors() {
		return nil
	}
	return p
}

// Sort puts the problems in the order of the file: callers that add their own call it before they show them.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// Mistake is an error with a hint: what ParseStrict of a type of your own may return.
type Mistake struct{ Message, Hint string }

func (m Mistake) Error() string {
	if m.Hint == "" {
		return m.Message
	}
	return m.Message + " (" + m.Hint + ")"
}

func mistake(hint, format string, args ...any) error {
	return Mistake{Message: fmt.Sprintf(format, args...), Hint: hint}
}

// excerptWidth is what fits beside a file name in a terminal.
const excerptWidth = 120

// excerpt shows the part of a line around a column, with a caret under the column. What does not print becomes a dot,
// so that a file cannot hide or reorder what a person sees.
func excerpt(line []rune, column int) string {
	at := min(max(column-1, 0), len(line))
	from := 0
	if len(line) > excerptWidth {
		from = min(max(at-excerptWidth/2, 0), len(line)-excerptWidth)
	}
	part := slices.Clone(line[from:min(len(line), from+excerptWidth)])
	for i, r := range part {
		if !unicode.IsPrint(r) {
			part[i] = '·'
		}
	}
	if len(part) == 0 {
		return ""
	}
	return strings.TrimRight(string(part), " ") + "\n" + strings.Repeat(" ", at-from) + "^"
}

// quote shows a value in a message, cut to a length that leaves the message readable.
func quote(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", text)
}
