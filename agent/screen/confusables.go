package screen

import (
	"strings"
	"unicode"

	"github.com/legate-dao/legate/agent/gov"
)

var confusables = Screen{
	Flag:  gov.FlagConfusables,
	Title: "letters that pass for others",
	Text: "A word that mixes Latin letters with Cyrillic, Greek, Armenian or Cherokee ones that look the same, a word of nothing but such " +
		"letters in a Latin text, or one written in mathematical, full-width, circled or small-capital letters. Such a word reads " +
		"as another than it is. Words wholly in one script of a text in that script are not flagged.",
	see: func(p *page) bool { return confuses(p.raw) },
}

// lookalikes map letters of other scripts, lower and upper case, to the Latin letter that they pass for.
var lookalikes = pairs(
	// Cyrillic
	"аa ӑa бb вb еe ёe ѐe ӗe ѕs іi їi јj кk ҟk мm нh һh оo ӧo рp сc тt уy ўy хx ѵv ԁd ԛq ԝw ӏl зz гr пn ьb ғf ԍg " +
		"АA ВB ЕE ЁE ЅS ІI ЇI ЈJ КK МM НH ОO РP СC ТT УY ХX ѴV ԌG ԚQ ԜW Ӏl ЗZ " +
		// Greek
		"αa βb γy εe ηn ιi κk νv οo ρp σo τt υu χx ωw ϲc ϳj ϱp " +
		"ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX Ϲc " +
		// Armenian, Cherokee, Georgian
		"օo սu հh ցg ոn քf յj զq ᎪA ᏴB ᏟC ᎠD ᎬE ᏀG ᎻH ᎥI ᎫJ ᏦK ᏞL ᎷM ᎢT ᏢP ᎡR ᏚS ᏙV ᎳW ᏃZ ყy " +
		// Latin letters of phonetics that look like plain ones
		"ɑa ɡg ɩi ʏy ⅼl ⅽc ⅾd ⅿm",
)

// smallCapitals map phonetic capitals to letters; NFKC leaves them alone.
var smallCapitals = pairs("ᴀa ʙb ᴄc ᴅd ᴇe ꜰf ɢg ʜh ɪi ᴊj ᴋk ʟl ᴍm ɴn ᴏo ᴘp ꞯq ʀr ꜱs ᴛt ᴜu ᴠv ᴡw ʏy ᴢz")

func pairs(table string) map[rune]rune {
	out := map[rune]rune{}
	for _, p := range strings.Fields(table) {
		r := []rune(p)
		out[r[0]] = r[1]
	}
	return out
}

// letters counts what a word is made of.
type letters struct {
	latin   int // plain Latin letters
	alike   int // letters of other scripts that pass for Latin ones
	foreign int // letters of other scripts that do not
	styled  int // mathematical, full-width, circled, small-capital letters
	greek   int // those of alike that are Greek
}

func lettersOf(w string) letters {
	var c letters
	for _, r := range w {
		switch {
		case styledLetter(r):
			c.styled++
		case lookalikes[r] != 0:
			c.alike++
			if unicode.Is(unicode.Greek, r) {
				c.greek++
			}
		case unicode.Is(unicode.Latin, r):
			c.latin++
		case unicode.IsLetter(r):
			c.foreign++
		}
	}
	return c
}

// styledLetter says whether a rune is a letter of the Latin alphabet in another dress. Regional
// indicators make flags, and the letter-like signs of units and trademarks stand alone: neither counts.
func styledLetter(r rune) bool {
	_, small := smallCapitals[r]
	return small || r >= 0x1d400 && r <= 0x1d7cb || r >= 0xff21 && r <= 0xff3a || r >= 0xff41 && r <= 0xff5a ||
		r >= 0x24b6 && r <= 0x24e9 || r >= 0x1f130 && r <= 0x1f189 || r >= 0x249c && r <= 0x24b5 || r >= 0xa730 && r <= 0xa731
}

// minStyled is the shortest run of styled letters that makes a word: formulas have one or two.
const minStyled = 3

// confuses says whether a word of s passes for another.
func confuses(s string) bool {
	if isASCII(s) {
		return false
	}
	// A text with letters that only its script has is written in that script; its words may by chance be
	// all look-alikes.
	own, latin, wholly := 0, 0, false
	for w := range strings.FieldsFuncSeq(s, notWord) {
		c := lettersOf(w)
		own += c.foreign
		latin += c.latin
		switch {
		case c.styled >= minStyled:
			return true
		case c.alike > 0 && c.latin > 0 && c.foreign == 0 && !symbolic(c):
			return true
		case c.alike >= 3 && c.latin == 0 && c.foreign == 0:
			wholly = true
		}
	}
	return wholly && own == 0 && latin > 0
}

// symbolic says whether a word is a Greek sign at a Latin name, such as σx or αETH.
func symbolic(c letters) bool { return c.greek == c.alike && c.greek == 1 && c.latin <= 4 }

func notWord(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && !styledLetter(r) && !unseen(r)
}
