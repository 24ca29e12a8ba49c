package brief

import (
	"strings"
	"unicode"
)

// frequent are words by which a language is told; stopwords joins those of English with a few of the others.
var frequent = []struct {
	tag   string
	words string
}{
	{"en", "the of and to in is that for it as was with be by on not this are or from at which have an they you will has been their would we can its our if more"},
	{"de", "der die das und ist nicht mit von ein eine für auf den dem werden wird zu im sich auch als wir nach bei oder"},
	{"es", "el la los las de que en y un una por con para del se es esta como más al lo su sus este propuesta"},
	{"fr", "le la les des et est une un pour dans que qui sur par avec ce cette du au aux nous pas ou sont"},
	{"pt", "o os as de que em e um uma para com não do da dos das no na por mais se esta proposta como"},
	{"it", "il lo gli di che è una un per con del della dei non sono questa nel alla come si più"},
}

// scripts tell a language by its letters alone.
var scripts = []struct {
	tag   string
	table []*unicode.RangeTable
}{
	{"ja", []*unicode.RangeTable{unicode.Hiragana, unicode.Katakana}},
	{"ko", []*unicode.RangeTable{unicode.Hangul}},
	{"zh", []*unicode.RangeTable{unicode.Han}},
	{"ru", []*unicode.RangeTable{unicode.Cyrillic}},
	{"ar", []*unicode.RangeTable{unicode.Arabic}},
	{"hi", []*unicode.RangeTable{unicode.Devanagari}},
	{"th", []*unicode.RangeTable{unicode.Thai}},
	{"el", []*unicode.RangeTable{unicode.Greek}},
	{"he", []*unicode.RangeTable{unicode.Hebrew}},
}

var stopwords = func() map[string]bool {
	out := map[string]bool{}
	for _, f := range frequent {
		for _, w := range strings.Fields(f.words) {
			out[w] = true
		}
	}
	return out
}()

// languageOf is the language of a text as a BCP 47 tag, "und" where it cannot be told.
func languageOf(s string) string {
	letters := 0
	seen := make([]int, len(scripts))
	for _, r := range s {
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		for i, x := range scripts {
			if r > 0x7f && unicode.In(r, x.table...) {
				seen[i]++
				break
			}
		}
	}
	for i, x := range scripts {
		if seen[i]*3 > letters || x.tag == "ja" && seen[i]*8 > letters {
			return x.tag
		}
	}
	best, most, second := "und", 0, 0
	all := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) })
	for _, f := range frequent {
		known := map[string]bool{}
		for _, w := range strings.Fields(f.words) {
			known[w] = true
		}
		n := 0
		for _, w := range all {
			if known[w] {
				n++
			}
		}
		switch {
		case n > most:
			best, most, second = f.tag, n, most
		case n > second:
			second = n
		}
	}
	if most < 2 || most == second || most*20 < len(all) {
		return "und"
	}
	return best
}
