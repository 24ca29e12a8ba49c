package screen

import (
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// page is one text under the screens, with the views of it that they share. What a view shows is made
// on first use.
type page struct {
	raw  string // at most the budget
	long bool   // there was more
	bad  bool   // not UTF-8

	plainView string
	views     [][]word
}

// newPage reads at most budget bytes of s.
func newPage(s string, budget int) *page {
	p := &page{raw: s, bad: !utf8.ValidString(s)}
	if len(s) > budget {
		p.long = true
		for budget > 0 && !utf8.RuneStart(s[budget]) {
			budget--
		}
		p.raw = s[:budget]
	}
	if p.bad {
		p.raw = strings.ToValidUTF8(p.raw, "\uFFFD")
	}
	return p
}

// plain is the text as a person or a model takes it in: without hidden characters, normalised, look-alike
// letters made Latin, lower case, entities and escapes resolved. Markup still stands in it.
func (p *page) plain() string {
	if p.plainView == "" && p.raw != "" {
		p.plainView = fold(resolve(p.raw))
	}
	return p.plainView
}

// words are the views in which instructions are looked for: with markup as a space, with markup taken
// away (so that a word broken by it is whole), and with spelled-out words put together.
func (p *page) words() [][]word {
	if p.views == nil {
		plain := p.plain()
		views := []string{plain}
		if bare := withoutMarkup(plain); bare != plain {
			views = append(views, bare)
		}
		for _, v := range views {
			p.views = append(p.views, vocabulary.read(v))
		}
	}
	return p.views
}

// resolve turns what stands for a character into it: HTML entities, percent and \u escapes.
func resolve(s string) string {
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	if strings.Contains(s, "%") {
		s = unpercent(s)
	}
	if strings.Contains(s, `\u`) || strings.Contains(s, `\x`) {
		s = unescape(s)
	}
	return s
}

// unpercent decodes %20 and the like wherever it is well formed.
func unpercent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j+2 < len(s) && s[j] == '%' && isHex(s[j+1]) && isHex(s[j+2]) {
			j += 3
		}
		if j == i {
			b.WriteByte(s[i])
			i++
			continue
		}
		if text, err := url.PathUnescape(s[i:j]); err == nil && utf8.ValidString(text) {
			b.WriteString(text)
		} else {
			b.WriteString(s[i:j])
		}
		i = j
	}
	return b.String()
}

// unescape decodes \u0069 and \x69.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		n := 0
		if i+6 <= len(s) && s[i] == '\\' && s[i+1] == 'u' {
			n = 4
		} else if i+4 <= len(s) && s[i] == '\\' && s[i+1] == 'x' {
			n = 2
		}
		r, ok := hexRune(s[i+min(2, len(s)-i):], n)
		if n == 0 || !ok {
			b.WriteByte(s[i])
			i++
			continue
		}
		b.WriteRune(r)
		i += 2 + n
	}
	return b.String()
}

func hexRune(s string, n int) (rune, bool) {
	if n == 0 || len(s) < n {
		return 0, false
	}
	r := rune(0)
	for i := range n {
		if !isHex(s[i]) {
			return 0, false
		}
		r = r<<4 | rune(hexValue(s[i]))
	}
	return r, r >= 0x20 && utf8.ValidRune(r)
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// withoutMarkup deletes tags, comments and the signs of emphasis, and leaves nothing in their place. What
// a comment says is read in the other view.
func withoutMarkup(s string) string {
	if !strings.ContainsAny(s, "<*_`~-|\\") {
		return s
	}
	var b strings.Builder
	open := true // a comment may still end
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case open && strings.HasPrefix(s[i:], "<!--"):
			end := strings.Index(s[i:], "-->")
			if open = end >= 0; open {
				i += end + 3
			}
		case c == '<':
			n := tagLength(s[i:])
			if n == 0 {
				b.WriteByte(' ')
				n = 1
			}
			i += n
		case strings.IndexByte("*_`~-|\\", c) >= 0:
			i++
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// maxTag is the longest tag that is taken for one.
const maxTag = 400

// tagLength is the length of the tag at the start of s, 0 if it is none.
func tagLength(s string) int {
	if len(s) < 3 || s[1] != '/' && !unicode.IsLetter(rune(s[1])) {
		return 0
	}
	end := strings.IndexByte(s[:min(len(s), maxTag)], '>')
	return end + 1
}
