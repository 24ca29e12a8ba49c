package dossier

import (
	"strings"
	"unicode"
)

// Quote is the text made inert for a line that may end up anywhere: a terminal, a chat, a mail, a page. It is
// Line with everything replaced that some sink takes for more than letters: mentions, links and domains that
// chats make clickable, HTML, Markdown. What replaces it is visible, so that a person reads what was meant and
// sees that it was changed (G30).
func (u Untrusted) Quote(max int) string { return u.quote(max, true) }

// Plain is Quote that leaves dots as they are: for texts of our own or the operator's, in which Market.setCap
// is a name and no domain.
func (u Untrusted) Plain(max int) string { return u.quote(max, false) }

func (u Untrusted) quote(max int, dots bool) string {
	in := []rune(u.Line(max))
	var b strings.Builder
	for i, r := range in {
		before, after := rune(0), rune(0)
		if i > 0 {
			before = in[i-1]
		}
		if i+1 < len(in) {
			after = in[i+1]
		}
		switch {
		case r == ':' && active(before, after):
			b.WriteString("[:]")
		case dots && r == '.' && word(before) && unicode.IsLetter(after):
			b.WriteString("[.]")
		case r == '_' && !(word(before) && word(after)):
			b.WriteRune('＿')
		default:
			if s, ok := inert[r]; ok {
				b.WriteString(s)
				continue
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// inert are the characters that some sink gives a meaning, and what is written for them. Square brackets
// around a single sign are ours.
var inert = map[rune]string{
	'@': "＠", '<': "‹", '>': "›", '`': "'", '*': "∗", '~': "∼", '|': "¦", '[': "［", ']': "］", '\\': "＼", '#': "＃", '&': "＆",
}

// active says whether a colon between two characters may make a link (https://, mailto:, javascript:) or what
// chats draw for :name:. A time of day and eip155:1 stay as they are.
func active(before, after rune) bool {
	if after == 0 || unicode.IsSpace(after) {
		return false
	}
	return !unicode.IsDigit(before) || after == '/' || unicode.IsLetter(after)
}

func word(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
