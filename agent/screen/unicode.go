package screen

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold gives the form in which words are compared: hidden characters and marks taken away, compatibility
// forms normalised (NFKC), look-alikes made Latin inside Latin words, lower case. Patterns are folded
// the same way, so that what is lost is lost on both sides.
func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return latinised(normal(s))
}

// normal is fold without the look-alikes.
func normal(s string) string {
	s = strings.Map(func(r rune) rune {
		if unseen(r) || bidiControl(r) {
			return -1
		}
		return r
	}, s)
	s = norm.NFKD.String(s)
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unseen(r) {
			return -1
		}
		if l, ok := smallCapitals[r]; ok {
			return l
		}
		return unicode.ToLower(r)
	}, s)
	return norm.NFC.String(s)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < 0x20 && s[i] != '\n' && s[i] != '\t' && s[i] != '\r' || s[i] == 0x7f {
			return false
		}
	}
	return true
}

// latinised replaces look-alikes in words that also have Latin letters, or that are nothing but
// look-alikes and spell a word of the patterns.
func latinised(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return lookalikes[r] != 0 }) {
		return s
	}
	var b strings.Builder
	for rest := s; rest != ""; {
		n := strings.IndexFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
		if n < 0 {
			n = len(rest)
		}
		if n == 0 {
			n = len(string([]rune(rest[:min(len(rest), 4)])[0]))
			b.WriteString(rest[:n])
		} else {
			b.WriteString(latinWord(rest[:n]))
		}
		rest = rest[n:]
	}
	return b.String()
}

// latinWord is the skeleton of a word where it passes for a Latin one.
func latinWord(w string) string {
	c := lettersOf(w)
	if c.alike == 0 || c.foreign > 0 {
		return w
	}
	skeleton := strings.Map(func(r rune) rune {
		if l := lookalikes[r]; l != 0 {
			return unicode.ToLower(l)
		}
		return r
	}, w)
	if c.latin == 0 && !vocabulary.english(skeleton) {
		return w
	}
	return skeleton
}
