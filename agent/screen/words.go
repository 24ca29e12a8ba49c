package screen

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// set is a set of word classes, by their index in the lexicon.
type set [4]uint64

func (s *set) add(i int)     { s[i/64] |= 1 << (i % 64) }
func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 == 1 }
func (s set) empty() bool    { return s == set{} }
func (s *set) join(o set) {
	for i := range s {
		s[i] |= o[i]
	}
}

// word is one word of a text, as far as the patterns care for it.
type word struct{ in set }

// lexicon knows the words of the patterns: whole words, and stems that begin them.
type lexicon struct {
	classes []string
	whole   map[string]set
	stems   map[string]set
	longest int // runes of the longest entry in a script without spaces
}

// Lengths of stems in bytes: shorter ones would begin too many words.
const (
	minStem = 3
	maxStem = 30
)

// newLexicon folds the words of every class.
func newLexicon(classes [][2]string) *lexicon {
	l := &lexicon{whole: map[string]set{}, stems: map[string]set{}}
	for i, c := range classes {
		l.classes = append(l.classes, c[0])
		for _, w := range strings.Fields(c[1]) {
			l.enter(i, w)
		}
	}
	return l
}

func (l *lexicon) enter(class int, w string) {
	entries, stem := l.whole, strings.HasSuffix(w, "*")
	w = normal(strings.ToLower(strings.TrimSuffix(w, "*")))
	if stem {
		entries = l.stems
	}
	if r, _ := utf8.DecodeRuneInString(w); spaceless(r) {
		entries = l.whole
		l.longest = max(l.longest, utf8.RuneCountInString(w))
	}
	s := entries[w]
	s.add(class)
	entries[w] = s
}

// class is the index of a class, -1 if there is none.
func (l *lexicon) class(name string) int {
	for i, c := range l.classes {
		if c == name {
			return i
		}
	}
	return -1
}

// english says whether w is a word of the lexicon.
func (l *lexicon) english(w string) bool { return !l.lookup(w).empty() }

// lookup gives the classes of a folded word.
func (l *lexicon) lookup(w string) set {
	in := l.whole[w]
	for n := minStem; n <= len(w) && n <= maxStem; n++ {
		if s, ok := l.stems[w[:n]]; ok {
			in.join(s)
		}
	}
	return in
}

// of gives the classes of a word as a reader would take it: also without an Arabic prefix, and with
// digits read as letters.
func (l *lexicon) of(w string) set {
	in := l.lookup(w)
	if !in.empty() {
		return in
	}
	if r, size := utf8.DecodeRuneInString(w); unicode.Is(unicode.Arabic, r) {
		for n := 0; n < 3 && len(w) > size; n++ {
			_, size = utf8.DecodeRuneInString(w)
			w = w[size:]
			if in = l.lookup(w); !in.empty() {
				return in
			}
		}
		return in
	}
	if strings.ContainsAny(w, "0134578@$") && strings.ContainsFunc(w, unicode.IsLetter) {
		in = l.lookup(leet.Replace(w))
	}
	return in
}

var leet = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "8", "b", "@", "a", "$", "s")

// spaceless says whether a script writes words without spaces, or with endings grown to them.
func spaceless(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai)
}

// read cuts a folded text into words. In scripts without spaces the longest entry of the lexicon is a
// word, every other character one that no pattern knows. Letters spelled out one by one are put together.
func (l *lexicon) read(s string) []word {
	out := make([]word, 0, len(s)/6+1)
	var spelled []byte
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case spaceless(r):
			w, n := l.longestAt(s[i:])
			out = append(out, w)
			i += max(n, size)
		case inWord(s, i, r, size):
			j := i + size
			for j < len(s) {
				r, n := utf8.DecodeRuneInString(s[j:])
				if spaceless(r) || !inWord(s, j, r, n) {
					break
				}
				j += n
			}
			w := s[i:j]
			if len(w) == 1 {
				spelled = append(spelled, w[0])
			} else {
				out = l.spell(out, spelled)
				spelled = spelled[:0]
			}
			if len(w) <= 64 {
				out = append(out, word{l.of(w)})
			} else {
				out = append(out, word{})
			}
			i = j
		default:
			i += size
		}
	}
	return l.spell(out, spelled)
}

// inWord says whether the rune at i belongs to a word; @ and $ do between letters.
func inWord(s string, i int, r rune, size int) bool {
	if r < utf8.RuneSelf {
		if isWordByte(byte(r)) && r != '_' {
			return true
		}
		return (r == '@' || r == '$') && i > 0 && i+size < len(s) && isWordByte(s[i-1]) && isWordByte(s[i+1])
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mc, r)
}

func (l *lexicon) longestAt(s string) (word, int) {
	ends := make([]int, 0, 16)
	for i := range s {
		if i > 0 {
			ends = append(ends, i)
		}
		if len(ends) == l.longest {
			break
		}
	}
	if len(ends) < l.longest {
		ends = append(ends, len(s))
	}
	for k := len(ends) - 1; k >= 0; k-- {
		if in, ok := l.whole[s[:ends[k]]]; ok {
			return word{in}, ends[k]
		}
	}
	return word{}, 0
}

// minSpelled is how many single letters in a row are read as spelled-out words.
const minSpelled = 5

// spell adds the words of the lexicon that spelled-out letters make.
func (l *lexicon) spell(out []word, letters []byte) []word {
	if len(letters) < minSpelled {
		return out
	}
	s := string(letters)
	for i := 0; i < len(s); {
		n := min(16, len(s)-i)
		for ; n > 2; n-- {
			if in := l.whole[s[i:i+n]]; !in.empty() {
				out = append(out, word{in})
				break
			}
			if in := l.stems[s[i:i+n]]; !in.empty() {
				out = append(out, word{in})
				break
			}
		}
		i += max(n, 1)
	}
	return out
}
