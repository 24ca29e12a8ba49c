package screen

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/gov"
)

var encoded = Screen{
	Flag:  gov.FlagEncoded,
	Title: "text in a code",
	Text: "Base64, base32, hex, binary, Morse, percent and escape codes, rotated or reversed letters that decode to readable " +
		"text, and long blobs that are neither an address, a hash, a content id nor calldata. A person does not read them, a model can. " +
		"Hex that decodes to bytes which are no text (calldata, hashes, code) is not flagged.",
	see: func(p *page) bool {
		return blobs(p.raw) || morse(p.raw) || binary(p.raw) || escapes(p.raw) || turned(p)
	},
}

const (
	minBlob  = 20  // characters: shorter codes carry no sentence
	maxBlob  = 240 // characters of base64 that nothing explains: a signature is shorter
	minWords = 10  // letters that a decoded text must have
)

// blobs looks at every run of base64 or hex characters.
func blobs(s string) bool {
	found := false
	eachRun(s, func(before string, run string) bool {
		if len(run) < minBlob {
			return true
		}
		if len(run) >= maxBlob || !inLink(before) {
			found = decodes(run) || !inLink(before) && opaque(run)
		}
		return !found
	})
	return found
}

// eachRun calls f with each run of characters of the base64 alphabets until it says false.
func eachRun(s string, f func(before, run string) bool) {
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && (isWordByte(s[j]) || s[j] == '+' || s[j] == '/' || s[j] == '-') {
			j++
		}
		if j > i {
			k := j
			for k < len(s) && s[k] == '=' {
				k++
			}
			if !f(s[max(0, i-200):i], s[i:j]) {
				return
			}
			j = k
		}
		i = max(j, i+1)
	}
}

// inLink says whether what stands before a run makes it part of a link.
func inLink(before string) bool {
	if i := strings.LastIndexAny(before, " \n\t\"'<>"); i >= 0 {
		before = before[i:]
	}
	return strings.Contains(before, "://") || strings.Contains(before, "](/")
}

// decodes says whether a run is readable text in base64, base32 or hex.
func decodes(run string) bool {
	digits := strings.TrimPrefix(run, "0x")
	if allHex(digits) {
		raw, err := hex.DecodeString(digits[:len(digits)/2*2])
		return err == nil && isText(raw)
	}
	if strings.Trim(run, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == "" {
		raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(run[:len(run)/8*8])
		if err == nil && isText(raw) {
			return true
		}
	}
	for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		raw, err := e.DecodeString(run[:len(run)/4*4])
		if err == nil && isText(raw) {
			return true
		}
	}
	return false
}

func allHex(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return s != ""
}

// isText says whether decoded bytes read as text: valid UTF-8, nine in ten characters letters, digits,
// spaces or common signs, with enough letters.
func isText(raw []byte) bool {
	if !utf8.Valid(raw) {
		return false
	}
	all, fine, letter := 0, 0, 0
	for _, r := range string(raw) {
		all++
		if r == utf8.RuneError {
			return false
		}
		if unicode.IsLetter(r) {
			letter++
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" \n\t.,;:!?'\"()-_/", r) {
			fine++
		}
	}
	return letter >= minWords && fine*10 >= all*9 && letter*10 >= all*6
}

// opaque says whether a run is a long mix of digits and both cases: no word, no path, no file name.
func opaque(run string) bool {
	if len(run) < maxBlob {
		return false
	}
	if strings.Count(run, "/")*40 > len(run) { // a path has more of them than base64 by chance
		return false
	}
	upper, lower, digit := 0, 0, 0
	for i := range len(run) {
		switch c := run[i]; {
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= 'a' && c <= 'z':
			lower++
		case c >= '0' && c <= '9':
			digit++
		}
	}
	n := len(run)
	return upper*10 > n && lower*10 > n && digit*30 > n
}

// letter by letter, in Morse
var morseLetters = func() map[string]byte {
	out := map[string]byte{}
	for i, code := range strings.Fields(".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --..") {
		out[code] = byte('a' + i)
	}
	for i, code := range strings.Fields("----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.") {
		out[code] = byte('0' + i)
	}
	return out
}()

const (
	minMorse   = 12 // signs in a row
	minLetters = 5  // different ones: rulers and dotted lines repeat two or three
)

// morse says whether s has a run of Morse signs.
func morse(s string) bool {
	s = strings.NewReplacer("·", ".", "•", ".", "−", "-", "–", "-", "—", "-", "_", "-").Replace(s)
	run, kinds := 0, map[byte]bool{}
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '/' || r == '|' }) {
		l, ok := byte(0), false
		if len(w) <= 6 {
			l, ok = morseLetters[w]
		}
		if !ok {
			run, kinds = 0, map[byte]bool{}
			continue
		}
		run++
		kinds[l] = true
		if run >= minMorse && len(kinds) >= minLetters {
			return true
		}
	}
	return false
}

// minBytes is how many bytes in a row, written as binary or decimal numbers, make a code.
const minBytes = 10

// binary says whether s spells letters as binary or decimal numbers.
func binary(s string) bool {
	run := make([]byte, 0, minBytes)
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == '\n' || r == ',' || r == '\t' }) {
		v, ok := byteOf(w)
		if !ok || v < 0x20 || v >= 0x7f {
			run = run[:0]
			continue
		}
		if run = append(run, v); len(run) >= minBytes && isText(run[len(run)-minBytes:]) {
			return true
		}
	}
	return false
}

// byteOf reads 01101001, 0x69 or 105.
func byteOf(w string) (byte, bool) {
	base, digits := 10, w
	switch {
	case len(w) == 8 && strings.Trim(w, "01") == "":
		base = 2
	case len(w) == 4 && strings.HasPrefix(w, "0x"):
		base, digits = 16, w[2:]
	case len(w) < 2 || len(w) > 3:
		return 0, false
	}
	n := 0
	for i := range len(digits) {
		if !isHex(digits[i]) || int(hexValue(digits[i])) >= base {
			return 0, false
		}
		n = n*base + int(hexValue(digits[i]))
	}
	return byte(n), n < 256
}

// minEscapes is how many escaped letters in a row make a code; links escape a sign or two at a time.
const minEscapes = 8

// escapes says whether s spells plain letters as %69, \x69, \u0069 or &#105; in a row.
func escapes(s string) bool {
	run := 0
	for i := 0; i < len(s); {
		n, letter := escape(s[i:])
		if n == 0 {
			run, i = 0, i+1
			continue
		}
		if letter {
			run++
		}
		if run >= minEscapes {
			return true
		}
		i += n
	}
	return false
}

// escape is the length of the escape at the start of s, and whether it stands for a Latin letter.
func escape(s string) (n int, letter bool) {
	r, ok := rune(0), false
	switch {
	case len(s) >= 3 && s[0] == '%':
		r, ok = hexRune(s[1:], 2)
		n = 3
	case len(s) >= 4 && s[0] == '\\' && s[1] == 'x':
		r, ok = hexRune(s[2:], 2)
		n = 4
	case len(s) >= 6 && s[0] == '\\' && s[1] == 'u':
		r, ok = hexRune(s[2:], 4)
		n = 6
	case len(s) >= 4 && s[0] == '&' && s[1] == '#':
		return entity(s)
	}
	if !ok {
		return 0, false
	}
	return n, r < 0x80 && unicode.IsLetter(r)
}

func entity(s string) (n int, letter bool) {
	end := strings.IndexByte(s[:min(len(s), 10)], ';')
	if end < 3 {
		return 0, false
	}
	v := 0
	digits, base := s[2:end], 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	for i := range len(digits) {
		if !isHex(digits[i]) || int(hexValue(digits[i])) >= base {
			return 0, false
		}
		v = v*base + int(hexValue(digits[i]))
	}
	return end + 1, v < 0x80 && unicode.IsLetter(rune(v))
}

// turned says whether an instruction appears once the letters are rotated by 13 or reversed: one of at
// least three words, since two meet by chance among letters that were not meant so.
func turned(p *page) bool {
	plain := p.plain()
	return matchesLong(vocabulary.read(rot13(plain))) || matchesLong(vocabulary.read(reversed(plain)))
}

func rot13(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return 'a' + (r-'a'+13)%26
		}
		return r
	}, s)
}

func reversed(s string) string {
	r := []rune(s)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return string(r)
}
