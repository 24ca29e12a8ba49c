package brief

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/dossier"
)

// sentence is one sentence of the text; its id is s and its number from 1.
type sentence struct {
	id      string
	text    string
	heading bool
	row     bool
}

// maxSentences bounds the numbered sentences of a text.
const maxSentences = 4000

// written is the text that is read: title and description, the title once.
func written(t dossier.Text) string {
	title, body := string(t.Title), string(t.Description)
	if title != "" && !strings.Contains(body, title) {
		body = title + "\n\n" + body
	}
	return body
}

// sentencesOf numbers the sentences of a text in reading order. cut says that there was more than is read.
func sentencesOf(s string) (out []sentence, cut bool) {
	if len(s) > maxText {
		at := maxText
		for at > 0 && !utf8.RuneStart(s[at]) {
			at--
		}
		s, cut = s[:at], true
	}
	for _, b := range blocksOf(s) {
		parts := []string{b.text}
		if !b.heading && !b.row {
			parts = split(b.text)
		}
		for _, p := range parts {
			if len(out) == maxSentences {
				return out, true
			}
			if strings.ContainsFunc(p, unicode.IsLetter) {
				out = append(out, sentence{id: id('s', len(out)), text: p, heading: b.heading, row: b.row})
			}
		}
	}
	return out, cut
}

// split cuts a paragraph into sentences: after a full stop, exclamation or question mark with its closing
// quotes, where the next word begins with a capital, a digit or an opening mark; and after the full stops of
// scripts that write no space.
func split(s string) []string {
	var out []string
	from := 0
	cut := func(to int) {
		if p := strings.TrimSpace(s[from:to]); p != "" {
			out = append(out, p)
		}
		from = to
	}
	for i, r := range s {
		switch {
		case i < from:
		case strings.ContainsRune("。！？।؟", r):
			cut(i + utf8.RuneLen(r))
		case r == '.' || r == '!' || r == '?' || r == '…':
			end := i + utf8.RuneLen(r)
			for end < len(s) {
				c, n := utf8.DecodeRuneInString(s[end:])
				if !strings.ContainsRune(`.!?"'”’)]»`, c) {
					break
				}
				end += n
			}
			if begins(s[end:]) && !(r == '.' && end == i+1 && abbreviated(s[from:i])) {
				cut(end)
			}
		}
	}
	cut(len(s))
	return out
}

// begins says whether a new sentence may begin after white space.
func begins(rest string) bool {
	next := strings.TrimLeft(rest, " ")
	if next == rest || next == "" {
		return false
	}
	r, _ := utf8.DecodeRuneInString(next)
	return unicode.IsUpper(r) || unicode.IsDigit(r) || unicode.IsLetter(r) && !unicode.IsLower(r) || strings.ContainsRune(`"'“‘([«`, r)
}

// abbreviations that stand before a capital or a number without ending a sentence.
var abbreviations = map[string]bool{
	"e.g": true, "i.e": true, "etc": true, "vs": true, "cf": true, "mr": true, "mrs": true, "ms": true, "dr": true, "prof": true,
	"inc": true, "ltd": true, "co": true, "no": true, "nr": true, "approx": true, "ca": true, "st": true, "fig": true, "sec": true, "u.s": true, "u.k": true, "al": true,
	"jan": true, "feb": true, "mar": true, "apr": true, "jun": true, "jul": true, "aug": true, "sep": true, "sept": true, "oct": true, "nov": true, "dec": true,
}

// abbreviated says whether the text before a full stop ends in an abbreviation, an initial, or the number
// of a list item.
func abbreviated(before string) bool {
	word := before[strings.LastIndexAny(before, " (\"'“[")+1:]
	if abbreviations[strings.ToLower(word)] || len(word) == 1 && unicode.IsUpper(rune(word[0])) {
		return true
	}
	if strings.Contains(word, ".") && !slices.ContainsFunc(strings.Split(word, "."), func(p string) bool { return len(p) != 1 }) {
		return true // f.k.a., p.m.
	}
	return word == strings.TrimSpace(before) && len(word) < 4 && strings.Trim(word, "0123456789") == ""
}

// words counts as a reader would.
func words(s string) int { return len(strings.Fields(s)) }
