package dossier

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is the text made inert for one line of a terminal or log: at most max runes, white space folded,
// and every control, bidi, invisible or invalid character written out as its number, so that it neither
// moves a cursor nor hides a word (G30).
func (u Untrusted) Line(max int) string {
	var b strings.Builder
	n, space := 0, false
	for i, r := range string(u) {
		if n >= max {
			b.WriteString("…")
			break
		}
		if unicode.IsSpace(r) {
			space = b.Len() > 0
			continue
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(string(u)[i:], "\uFFFD"):
			fmt.Fprintf(&b, "<%02x>", string(u)[i])
		case visible(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "<U+%04X>", r)
		}
		n++
	}
	return b.String()
}

// Block is the text made inert for several lines, cut after max runes.
func (u Untrusted) Block(max int) string {
	var out []string
	left := max
	for line := range strings.SplitSeq(string(u), "\n") {
		if left <= 0 {
			out = append(out, "…")
			break
		}
		l := Untrusted(strings.ReplaceAll(line, "\t", "    ")).Line(left)
		left -= utf8.RuneCountInString(l) + 1
		out = append(out, l)
	}
	return strings.Join(out, "\n")
}

// visible says whether a rune shows itself and nothing else.
func visible(r rune) bool {
	if r < 0x20 || (r >= 0x7f && r < 0xa0) || r == 0x00ad || (r >= 0xe0000 && r <= 0xe0fff) || (r >= 0xfe00 && r <= 0xfe0f) {
		return false
	}
	return unicode.IsPrint(r) && !unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mn, r) && !unicode.Is(unicode.Variation_Selector, r)
}
