package screen

import (
	"strings"
	"unicode"

	"github.com/legate-dao/legate/agent/gov"
)

var hiddenCharacters = Screen{
	Flag:  gov.FlagHidden,
	Title: "characters that show nothing",
	Text: "Zero-width and tag characters, soft hyphens, fillers, variation selectors, interlinear and control " +
		"characters and styles that hide text: a person does not see them, a model reads them. Emoji sequences, flags of " +
		"England, Scotland and Wales, a byte order mark at the start, joiners inside Arabic and Indic words and breaks " +
		"inside Thai, Khmer, Lao and Burmese ones are not flagged. Of a thousand real descriptions three carry such a character.",
	see: func(p *page) bool { return hides(p.raw) || hidesByStyle(p.raw) },
}

// maxMarks is the most marks on one letter: Vietnamese and Hebrew stay below, stacked marks hide lines.
const maxMarks = 6

// hides says whether s has a hidden character that its neighbours do not explain.
func hides(s string) bool {
	if isASCII(s) {
		return false
	}
	runes := []rune(strings.TrimPrefix(s, "\uFEFF"))
	rtl, marks := false, 0
	for _, r := range runes {
		rtl = rtl || rightToLeft(r)
	}
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		if unicode.Is(unicode.Mn, r) {
			marks++
		} else {
			marks = 0
		}
		if marks > maxMarks {
			return true
		}
		if !unseen(r) {
			continue
		}
		if r == 0xE0067 && i > 0 && runes[i-1] == 0x1F3F4 {
			if n := flagTags(runes[i:]); n > 0 {
				i += n - 1
				continue
			}
		}
		if !explained(r, around(runes, i-1), around(runes, i+1), rtl) {
			return true
		}
	}
	return false
}

func around(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) {
		return ' '
	}
	return runes[i]
}

// unseen says whether a rune shows nothing by itself.
func unseen(r rune) bool {
	switch {
	case r < 0x20:
		return r != '\n' && r != '\t' && r != '\r'
	case r < 0x7f:
		return false
	case r < 0xa0:
		return true
	case r == 0xad, r == 0x34f, r == 0x61c, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r == 0x2800, r == 0x3164, r == 0xfeff, r == 0xffa0:
		return true
	case r >= 0x180b && r <= 0x180f, r >= 0x200b && r <= 0x200f, r >= 0x2060 && r <= 0x2065, r >= 0x206a && r <= 0x206f:
		return true
	case r >= 0xfe00 && r <= 0xfe0f, r >= 0xfff0 && r <= 0xfffb, r >= 0x1d173 && r <= 0x1d17a, r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

// explained says whether the neighbours of a hidden character give it a use.
func explained(r, before, after rune, rtl bool) bool {
	switch {
	case r == 0xfe0f || r == 0xfe0e: // emoji or text form of the sign before it
		return pictographic(before) || unicode.Is(unicode.Han, before)
	case r == 0x200d: // joins emoji, and letters of joining scripts
		return (pictographic(before) || before == 0xfe0f) && pictographic(after) || joining(before)
	case r == 0x200c:
		return joining(before) && unicode.IsLetter(after)
	case r == 0x200b:
		return breaking(before) && breaking(after)
	case r == 0x200e || r == 0x200f || r == 0x61c:
		return rtl
	case r >= 0x180b && r <= 0x180f:
		return unicode.Is(unicode.Mongolian, before)
	case r >= 0xe0100 && r <= 0xe01ef:
		return unicode.Is(unicode.Han, before)
	}
	return false
}

// flags are the three sub-regions that have an emoji flag spelled in tag characters.
var flags = []string{"gbeng", "gbsct", "gbwls"}

// flagTags is the length of a flag's tags at the start of runes, 0 if they are none.
func flagTags(runes []rune) int {
	for _, f := range flags {
		n := len(f) + 1
		if len(runes) < n || runes[n-1] != 0xE007F {
			continue
		}
		same := true
		for i := range len(f) {
			same = same && runes[i] == 0xE0000+rune(f[i])
		}
		if same {
			return n
		}
	}
	return 0
}

func pictographic(r rune) bool {
	return unicode.Is(unicode.So, r) || unicode.Is(unicode.Sm, r) || r >= 0x1f3fb && r <= 0x1f3ff || r >= 0x1f000 && r <= 0x1faff ||
		r >= '0' && r <= '9' || r == '#' || r == '*' || r == 0xa9 || r == 0xae || r == 0x203c || r == 0x2049 || r == 0x3030 || r == 0x303d
}

// joining says whether a letter or mark is of a script in which joiners change the shape of letters.
func joining(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Syriac, unicode.Mongolian, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi,
		unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala,
		unicode.Khmer, unicode.Myanmar)
}

// breaking says whether a letter is of a script that marks possible line breaks with a zero-width space.
func breaking(r rune) bool {
	return unicode.In(r, unicode.Thai, unicode.Khmer, unicode.Lao, unicode.Myanmar)
}

func rightToLeft(r rune) bool {
	return r >= 0x590 && unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana)
}

// hidingStyles are the ways in which a style keeps text from being seen.
var hidingStyles = []string{
	"display:none", "visibility:hidden", "font-size:0", "opacity:0;", "opacity:0\"", "color:transparent", "color:white", "color:#fff",
}

// hidesByStyle says whether a tag hides its text.
func hidesByStyle(s string) bool {
	if !strings.Contains(s, "<") {
		return false
	}
	lower := strings.ToLower(s)
	for at := strings.Index(lower, "style"); at >= 0; {
		end := min(at+maxTag, len(lower))
		style := strings.ReplaceAll(lower[at:end], " ", "")
		if i := strings.IndexByte(style, '>'); i >= 0 {
			style = style[:i]
		}
		for _, h := range hidingStyles {
			if strings.Contains(style, h) && strings.Contains(style, "=") {
				return true
			}
		}
		next := strings.Index(lower[at+5:], "style")
		if next < 0 {
			break
		}
		at += 5 + next
	}
	return false
}
