package brief

import (
	"html"
	"regexp"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// block is one paragraph, heading, list item or table row of a text, without its Markdown.
type block struct {
	text    string
	heading bool
	row     bool // of a table
}

// maxText is the most bytes of a text that are read; the longest of a thousand real ones has 33 kB.
const maxText = 200_000

var markdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough)).Parser()

// blocksOf reads a text as Markdown. Code blocks are left out: they are no sentences.
func blocksOf(s string) []block {
	source := []byte(unflatten(tame(s)))
	r := reader{source: source}
	_ = ast.Walk(markdown.Parse(text.NewReader(source)), r.visit) // visit gives no error
	return r.out
}

// Marks that open structures one inside the other: with thousands of them in a row a parser's work grows with
// the square of the text. Nobody writes more than a few.
var (
	deep    = regexp.MustCompile(`(?m)^((?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])[ \t]*){12})(?:[ \t]*(?:>|[-*+]|\d{1,9}[.)])[ \t]*)+`)
	runs    = regexp.MustCompile("[*_~]{8,}|`{8,}|\\[{4,}|\\]{4,}|<{4,}|!{4,}|\\|{4,}|\\({8,}|&{8,}")
	maxLine = 20_000
)

// tame takes away what only makes work: long runs of marks, deep nesting, endless lines.
func tame(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	s = deep.ReplaceAllString(runs.ReplaceAllString(s, " "), "$1")
	var b strings.Builder
	for line := range strings.Lines(s) {
		for len(line) > maxLine {
			at := strings.LastIndexByte(line[:maxLine], ' ')
			if at <= 0 {
				at = maxLine
				for at > 0 && line[at]&0xc0 == 0x80 {
					at--
				}
			}
			b.WriteString(unmarked(line[:at]))
			b.WriteString("\n\n")
			line = line[at:]
		}
		b.WriteString(unmarked(line))
	}
	return b.String()
}

// maxMarks is the most marks of a line that are read as such; no paragraph has so many.
const maxMarks = 1000

// unmarked is a line, with its marks as spaces where there are too many of them.
func unmarked(line string) string {
	const marks = "*_[]`<~!|&\\"
	n := 0
	for i := range len(line) {
		if strings.IndexByte(marks, line[i]) >= 0 {
			n++
		}
	}
	if n <= maxMarks {
		return line
	}
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(marks, r) {
			return ' '
		}
		return r
	}, line)
}

var (
	flatHeading = regexp.MustCompile(`[ \t]+(#{1,6} )`)
	flatBreak   = regexp.MustCompile(`[ \t]{2,}`)
	flatItem    = regexp.MustCompile(` ([*-] [\p{Lu}\[*])`)
)

// unflatten gives a text back its lines where an indexer has put them into one: headings and items that
// stand inside a line begin a new one.
func unflatten(s string) string {
	if strings.Count(s, "\n") > len(s)/400 || len(s) < 300 || !strings.Contains(s, "# ") {
		return s
	}
	s = flatHeading.ReplaceAllString(s, "\n\n$1")
	s = flatBreak.ReplaceAllString(s, "\n\n")
	return flatItem.ReplaceAllString(s, "\n$1")
}

// reader collects blocks from a tree.
type reader struct {
	source []byte
	out    []block
}

func (r *reader) visit(n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	switch n := n.(type) {
	case *ast.Heading:
		r.add(block{text: r.inline(n), heading: true})
	case *ast.Paragraph, *ast.TextBlock:
		r.add(block{text: r.inline(n)})
	case *extast.TableHeader:
		r.add(block{text: r.cells(n), heading: true})
	case *extast.TableRow:
		r.add(block{text: r.cells(n), row: true})
	case *ast.HTMLBlock:
		r.add(block{text: r.html(n)})
	case *ast.CodeBlock, *ast.FencedCodeBlock:
	default:
		return ast.WalkContinue, nil
	}
	return ast.WalkSkipChildren, nil
}

func (r *reader) add(b block) {
	if b.text = tidy(b.text); b.text != "" {
		r.out = append(r.out, b)
	}
}

func (r *reader) cells(row ast.Node) string {
	var cells []string
	for c := row.FirstChild(); c != nil; c = c.NextSibling() {
		if s := tidy(r.inline(c)); s != "" {
			cells = append(cells, s)
		}
	}
	return strings.Join(cells, "; ")
}

// inline is what a reader of the rendered text sees: the words of links, not where they lead.
func (r *reader) inline(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch c := c.(type) {
		case *ast.Text:
			if c.IsRaw() { // of a code span
				b.Write(c.Segment.Value(r.source))
			} else {
				b.Write(util.UnescapePunctuations(c.Segment.Value(r.source)))
			}
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.Label(r.source))
		case *ast.RawHTML:
			b.WriteByte(' ')
		}
		return ast.WalkContinue, nil
	})
	return html.UnescapeString(b.String())
}

var tag = regexp.MustCompile(`(?s)<!--.*?(-->|$)|<(script|style)\b.*?(</(script|style)>|$)|<[^<>]{0,400}>`)

func (r *reader) html(n *ast.HTMLBlock) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		b.Write(line.Value(r.source))
	}
	if n.HasClosure() {
		b.Write(n.ClosureLine.Value(r.source))
	}
	return html.UnescapeString(tag.ReplaceAllString(b.String(), " "))
}

var (
	leftLink = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()\s]*\)`)
	leftMark = regexp.MustCompile("\\*\\*+|__+|~~+|`+")
	leading  = regexp.MustCompile(`^(?:[#>*+-]+\s+)+`)
	spaces   = regexp.MustCompile(`\s+`)
)

// tidy folds white space and takes away what is left of marks that were not balanced.
func tidy(s string) string {
	s = leftMark.ReplaceAllString(leftLink.ReplaceAllString(s, "$1"), "")
	return leading.ReplaceAllString(strings.TrimSpace(spaces.ReplaceAllString(s, " ")), "")
}
