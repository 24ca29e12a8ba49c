package screen

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/legate-dao/legate/agent/gov"
)

// tokenKind is what a piece of text is to the claim matcher.
type tokenKind uint8

const (
	aWord tokenKind = iota
	aNumber
	anAddress
)

// token is a word, number or address of the text. Sentences count from 1, in reading order.
type token struct {
	kind     tokenKind
	text     string // as written, for words and numbers without what follows
	low      string // words in lower case
	number   number
	address  gov.Address
	sentence int
	unit     string // of a number: the symbol, wei, %, $ beside it
}

// number is a number as written: its value, and how far the stated digits leave it open.
type number struct {
	value float64
	slack float64 // relative
}

// Bounds of what is read from a text: the budget leaves room for more, no real text comes near.
const (
	maxTokens = 120_000
	maxDigits = 90
)

// tokensOf cuts a text. Hidden characters are gone and compatibility forms normalised first. One pass.
func tokensOf(text string) []token {
	if !isASCII(text) {
		text = norm.NFKC.String(strings.Map(func(r rune) rune {
			if unseen(r) || bidiControl(r) {
				return -1
			}
			return r
		}, text))
	}
	c := cutter{s: text, sentence: 1}
	for c.at < len(c.s) && len(c.out) < maxTokens {
		c.next()
	}
	units(c.out)
	return c.out
}

type cutter struct {
	s        string
	at       int
	sentence int
	filled   bool // the sentence has a token
	dollar   bool // a currency sign stands just before
	out      []token
}

func (c *cutter) next() {
	r, size := utf8.DecodeRuneInString(c.s[c.at:])
	rest := c.s[c.at:]
	switch {
	case strings.HasPrefix(rest, "0x") || strings.HasPrefix(rest, "0X"):
		c.hexadecimal(rest)
	case r >= '0' && r <= '9':
		c.digits(rest)
	case unicode.IsLetter(r) || r == '_':
		n := wordLength(rest)
		c.put(token{kind: aWord, text: rest[:n], low: strings.ToLower(rest[:min(n, 64)])})
		c.at += n
	default:
		c.sign(r, rest[size:])
		c.at += size
	}
}

// sign reads what is no word: ends of sentences and signs beside numbers.
func (c *cutter) sign(r rune, rest string) {
	switch r {
	case '$', '€', '£':
		c.dollar = true
		return
	case '%':
		if n := len(c.out); n > 0 && c.out[n-1].kind == aNumber && c.out[n-1].unit == "" {
			c.out[n-1].unit = "%"
		}
	case '\n':
		c.end()
	case '.', '!', '?', '。', '！', '？':
		if rest == "" || rest[0] == ' ' || rest[0] == '\n' || r > 0x80 {
			c.end()
		}
	}
	if r != ' ' {
		c.dollar = false
	}
}

func (c *cutter) end() {
	if c.filled {
		c.sentence, c.filled = c.sentence+1, false
	}
}

func (c *cutter) put(t token) {
	t.sentence, c.filled, c.dollar = c.sentence, true, false
	c.out = append(c.out, t)
}

func wordLength(s string) int {
	for i, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && !unicode.IsMark(r) {
			return i
		}
	}
	return len(s)
}

// hexadecimal reads an address; longer and shorter hex is neither a claim nor a number.
func (c *cutter) hexadecimal(rest string) {
	n := 2
	for n < len(rest) && isHex(rest[n]) {
		n++
	}
	if a, err := gov.ParseAddress("0x" + rest[2:n]); err == nil {
		c.put(token{kind: anAddress, text: rest[:n], address: a})
	}
	c.at += n
}

// digits reads 1,500,000.25, 1_000, 1e18 and a suffix grown to it such as 2.5M.
func (c *cutter) digits(rest string) {
	var b strings.Builder
	i, decimals, point := 0, 0, false
	for i < len(rest) {
		switch ch := rest[i]; {
		case ch >= '0' && ch <= '9':
			if b.Len() < maxDigits {
				b.WriteByte(ch)
				if point {
					decimals++
				}
			}
			i++
			continue
		case (ch == ',' || ch == '_' || ch == '\'') && !point && threeDigits(rest[i+1:]):
			i++
			continue
		case ch == '.' && !point && i+1 < len(rest) && rest[i+1] >= '0' && rest[i+1] <= '9':
			point = true
			b.WriteByte('.')
			i++
			continue
		}
		break
	}
	written := i
	value, err := strconv.ParseFloat(b.String(), 64)
	exp, n := exponent(rest[i:])
	i += n
	scale, n := suffix10(rest[i:])
	i += n
	if n := wordLength(rest[i:]); n > 0 && scale == 1 && exp == 0 && !unitWord(rest[i:i+n]) { // v3, 4byte, 2nd: a name, not a number
		c.put(token{kind: aWord, text: rest[:i+n], low: strings.ToLower(rest[:min(i+n, 64)])})
		c.at += i + n
		return
	}
	dollar := c.dollar
	t := token{kind: aNumber, text: rest[:written], number: stated(value*math.Pow10(exp)*scale, value, decimals, point || scale > 1)}
	if err != nil || math.IsInf(t.number.value, 0) {
		t.number = number{}
	}
	c.put(t)
	if dollar {
		c.out[len(c.out)-1].unit = "$"
	}
	c.at += i
}

// threeDigits says whether a separator of thousands stands before s.
func threeDigits(s string) bool {
	n := 0
	for n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n == 3
}

// exponent reads e18 and its length.
func exponent(s string) (exp, n int) {
	if len(s) < 2 || s[0]|0x20 != 'e' || s[1] < '0' || s[1] > '9' {
		return 0, 0
	}
	for n = 1; n < len(s) && n < 4 && s[n] >= '0' && s[n] <= '9'; n++ {
		exp = exp*10 + int(s[n]-'0')
	}
	if wordLength(s[n:]) > 0 {
		return 0, 0
	}
	return exp, n
}

// scales are the words for thousands and more, grown to the number or after a space.
var scales = map[string]float64{
	"k": 1e3, "thousand": 1e3, "m": 1e6, "mm": 1e6, "mn": 1e6, "mil": 1e6, "million": 1e6, "millions": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9,
	"t": 1e12, "trillion": 1e12,
}

// suffix10 reads k, M, million and the like and its length.
func suffix10(s string) (scale float64, n int) {
	space := 0
	if strings.HasPrefix(s, " ") || strings.HasPrefix(s, "-") {
		space = 1
	}
	n = wordLength(s[space:])
	if n == 0 || n > 9 {
		return 1, 0
	}
	w := s[space : space+n]
	v, ok := scales[strings.ToLower(w)]
	if !ok || space == 1 && len(w) < 3 {
		return 1, 0
	}
	return v, space + n
}

// unitWord says whether letters grown to a number are its unit, as in 10ETH.
func unitWord(w string) bool { return len(w) >= 2 && symbolLike(w) || strings.EqualFold(w, "wei") }

// symbolLike says whether a word looks like a token's symbol: letters and digits, two of them capitals.
func symbolLike(w string) bool {
	if len(w) < 2 || len(w) > 12 {
		return false
	}
	upper := 0
	for i := range len(w) {
		if w[i] >= 'A' && w[i] <= 'Z' {
			upper++
		} else if !isWordByte(w[i]) {
			return false
		}
	}
	return upper >= 2
}

// stated gives the number with the slack of its last digit: half of it, at most 5 % for a rounded form
// (2.5M, 3.14) and a thousandth for a whole number, which people mean as written.
func stated(value, coefficient float64, decimals int, rounded bool) number {
	if coefficient == 0 {
		return number{value, 0}
	}
	half, most := 0.5*math.Pow10(-decimals)/coefficient, 0.001
	if rounded {
		most = 0.05
	}
	return number{value, max(1e-9, min(half, most))}
}

// units gives each number the symbol after it.
func units(tokens []token) {
	for i := range tokens {
		t := &tokens[i]
		if t.kind != aNumber || t.unit != "" || i+1 >= len(tokens) {
			continue
		}
		next := tokens[i+1]
		if next.kind != aWord || next.sentence != t.sentence {
			continue
		}
		switch {
		case next.low == "wei", next.low == "gwei":
			t.unit = next.low
		case next.low == "percent" || next.low == "bps" || next.low == "basis":
			t.unit = "%"
		case next.low == "eth" || next.low == "ether":
			t.unit = "ETH"
		case symbolLike(next.text):
			t.unit = next.text
		}
	}
}
