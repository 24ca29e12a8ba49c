package brief

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// entity is something in a text that must not be invented.
type entity struct {
	kind entityKind
	text string // as written
	low  string // lower case
	num  number
}

type entityKind uint8

const (
	aNumber   entityKind = iota // 1,500.5, 3e18, 12k, 5 %, twelve
	aHex                        // an address, a hash, a selector, or one that is shortened
	aCompound                   // digits that are joined: a date, a version, a time, a range
	aName                       // a function, a contract, a symbol, an ENS name, a word with digits in it
)

// number is a decimal value as its significant digits and a power of ten, with what stands beside it.
type number struct {
	digits string // without zeros at either end; empty for 0
	exp    int
	unit   string // "%", "$" or a symbol in capitals
}

// equal says whether two numbers have the same value, once a is divided by 10^shift.
func (a number) equal(b number, shift int) bool {
	return a.digits == b.digits && (a.digits == "" || a.exp-shift == b.exp)
}

var (
	entityPattern = regexp.MustCompile(strings.Join([]string{
		`(?i:0x[0-9a-f]*(?:(?:…|\.{2,3})[0-9a-f]+)?)`,                                                     // hex, shortened or not
		`[\p{L}_][\p{L}\p{N}_]*(?:[.-][\p{L}\p{N}_]+)*`,                                                   // a word, with what is joined to it
		`\p{Nd}+(?:[\p{Nd},.'’_:/\x{00a0}\x{202f}\x{2009}-]*\p{Nd})?(?:[eE][+-]?\p{Nd}{1,3}\b|[\p{L}]+)?`, // digits
	}, "|"))
	grouped   = regexp.MustCompile(`^\d{1,3}(?:[,'’_\x{00a0}\x{202f}\x{2009}]\d{3})+(?:\.\d+)?$`)
	plain     = regexp.MustCompile(`^\d+(?:\.\d+)?$`)
	shortened = regexp.MustCompile(`^(0x[0-9a-f]*)(?:…|\.{2,3})([0-9a-f]+)$`)
	suffixed  = regexp.MustCompile(`^([\p{Nd},.'’_:/\x{00a0}\x{202f}\x{2009}-]*\p{Nd})([eE][+-]?\d+|\p{L}+)?$`)
)

// scales are words and letters that stand for a power of ten.
var scales = map[string]int{
	"k": 3, "thousand": 3, "m": 6, "mm": 6, "mn": 6, "million": 6, "millions": 6, "b": 9, "bn": 9, "billion": 9, "billions": 9, "t": 12, "tn": 12, "trillion": 12, "trillions": 12, "hundred": 2,
}

// spelled are numbers that are written as words. One is left out: it is a pronoun as often.
var spelled = map[string]string{
	"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12",
	"thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19", "twenty": "20", "thirty": "30",
	"forty": "40", "fifty": "50", "sixty": "60", "seventy": "70", "eighty": "80", "ninety": "90",
}

// common are words in capitals that name nothing.
var common = map[string]bool{"DAO": true, "I": true, "A": true, "ID": true, "OK": true, "TLDR": true, "TL": true, "DR": true, "NOT": true, "AND": true, "OR": true}

// entitiesOf lists what a text names. One pass; the text is bounded by the caller.
func entitiesOf(s string) []entity {
	var out []entity
	spans := entityPattern.FindAllStringIndex(s, -1)
	for i := 0; i < len(spans); i++ {
		at := spans[i]
		w := s[at[0]:at[1]]
		first, _ := utf8.DecodeRuneInString(w)
		switch {
		case len(w) >= 2 && (w[:2] == "0x" || w[:2] == "0X"):
			out = append(out, entity{kind: aHex, text: w, low: strings.ToLower(w)})
		case unicode.IsDigit(first):
			e := digits(w)
			if e.kind == aNumber {
				i += e.num.beside(s, at, spans, i)
			}
			out = append(out, e)
		default:
			if n, ok := spelledOut(strings.ToLower(w)); ok {
				e := digits(n)
				e.text = w
				i += e.num.beside(s, at, spans, i)
				out = append(out, e)
			} else {
				for _, name := range names(w, s[at[1]:]) {
					out = append(out, entity{kind: aName, text: name, low: strings.ToLower(name)})
				}
			}
		}
	}
	return out
}

// spelledOut reads a number word: seven, twenty-five.
func spelledOut(w string) (string, bool) {
	tens, unit, joined := strings.Cut(w, "-")
	n, ok := spelled[tens]
	if !joined || !ok {
		return n, ok && !joined
	}
	if unit == "one" {
		return n[:1] + "1", len(n) == 2
	}
	u, ok := spelled[unit]
	return n[:1] + u, ok && len(n) == 2 && len(u) == 1
}

// quantities are words that say how much without a digit; they must stand in a source as they are.
var quantities = map[string]bool{
	"hundred": true, "hundreds": true, "thousand": true, "thousands": true, "million": true, "millions": true, "billion": true, "billions": true, "trillion": true,
	"half": true, "double": true, "doubles": true, "twice": true, "triple": true, "triples": true, "dozen": true, "quarter": true,
}

// digits reads a token that begins with a digit.
func digits(w string) entity {
	e := entity{kind: aCompound, text: w, low: strings.ToLower(w)}
	parts := suffixed.FindStringSubmatch(asciiDigits(w))
	if parts == nil {
		return e
	}
	body, suffix, exp := parts[1], parts[2], 0
	switch {
	case suffix == "":
	case (suffix[0] == 'e' || suffix[0] == 'E') && len(suffix) > 1 && strings.Trim(suffix[1:], "+-0123456789") == "":
		exp = atoi(suffix[1:])
	default:
		n, known := scales[strings.ToLower(suffix)]
		if !known && !ordinal(suffix) {
			return e
		}
		exp = n
	}
	if !plain.MatchString(body) && !grouped.MatchString(body) {
		return e
	}
	e.kind, e.num = aNumber, decimal(body, exp)
	return e
}

func ordinal(s string) bool {
	switch strings.ToLower(s) {
	case "st", "nd", "rd", "th", "x", "bps", "bp", "d", "h", "days":
		return true
	}
	return false
}

// decimal is the value of digits with group marks and a decimal point.
func decimal(s string, exp int) number {
	whole, part, _ := strings.Cut(s, ".")
	var b strings.Builder
	for _, r := range whole + part {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	exp -= len(part)
	d := strings.TrimLeft(b.String(), "0")
	short := strings.TrimRight(d, "0")
	if short == "" {
		return number{}
	}
	return number{digits: short, exp: exp + len(d) - len(short)}
}

// beside takes in the scale and the unit that stand next to a number, and says how many words it used up.
func (n *number) beside(s string, at []int, spans [][]int, i int) (used int) {
	if strings.HasSuffix(strings.ToLower(s[at[0]:at[1]]), "bps") || strings.HasSuffix(strings.ToLower(s[at[0]:at[1]]), "bp") {
		n.percent(-2)
		return 0
	}
	end := at[1]
	for j := i + 1; j < len(spans) && strings.Trim(s[end:spans[j][0]], " -\u00a0") == ""; j++ {
		w := s[spans[j][0]:spans[j][1]]
		low := strings.ToLower(w)
		if exp, ok := scales[low]; ok && len(w) > 1 {
			n.exp += exp
			if n.digits == "" {
				n.exp = 0
			}
			used, end = used+1, spans[j][1]
			continue
		}
		switch {
		case low == "bps" || low == "bp" || low == "basis":
			n.percent(-2)
		case low == "percent":
			n.unit = "%"
		case symbol(w):
			n.unit = w
		}
		break
	}
	if strings.HasPrefix(strings.TrimLeft(s[end:], " "), "%") {
		n.unit = "%"
	}
	if before := strings.TrimRight(s[:at[0]], " "); n.unit == "" && strings.HasSuffix(before, "$") {
		n.unit = "$"
	}
	return used
}

func (n *number) percent(shift int) {
	n.unit = "%"
	if n.digits != "" {
		n.exp += shift
	}
}

// symbol says whether a word is written as tokens are.
func symbol(w string) bool {
	if len(w) < 2 || len(w) > 11 || common[w] {
		return false
	}
	upper := 0
	for _, r := range w {
		switch {
		case r >= 'A' && r <= 'Z':
			upper++
		case r >= '0' && r <= '9':
		case r == 'x' || r == 'c' || r == 'a' || r == 'w' || r == 's' || r == 't': // cDAI, USDCx, stETH
		default:
			return false
		}
	}
	return upper >= 2
}

// names are the names in a word: of words that hyphens join, such as USDC-USDT, each part is one by itself,
// unless digits make it one name, such as EIP-1559.
func names(w, rest string) []string {
	if strings.ContainsFunc(w, unicode.IsDigit) || strings.Contains(w, ".") || !strings.Contains(w, "-") {
		if named(w, rest) {
			return []string{w}
		}
		return nil
	}
	var out []string
	parts := strings.Split(w, "-")
	for i, p := range parts {
		after := ""
		if i == len(parts)-1 {
			after = rest
		}
		if named(p, after) {
			out = append(out, p)
		}
	}
	return out
}

// named says whether a word is a name that must not be invented: written as functions and contracts are,
// in capitals, with digits, joined by a dot, or followed by a parenthesis.
func named(w, rest string) bool {
	if quantities[strings.ToLower(w)] {
		return true
	}
	if strings.HasPrefix(rest, "(") && !strings.HasPrefix(rest, "(s)") || strings.Contains(w, "_") || symbol(w) {
		return true
	}
	if strings.Contains(w, ".") && !abbreviations[strings.ToLower(w)] {
		return true
	}
	lower := false
	for _, r := range w {
		if unicode.IsDigit(r) {
			return true
		}
		if unicode.IsUpper(r) && lower {
			return true
		}
		lower = unicode.IsLower(r)
	}
	return false
}

// asciiDigits writes the digits of other scripts as ours.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0x7f && unicode.Is(unicode.Nd, r) {
			for zero := r; ; zero-- { // digits come in tens, in order
				if !unicode.Is(unicode.Nd, zero-1) || r-zero == 9 {
					return '0' + (r-zero)%10
				}
			}
		}
		return r
	}, s)
}

// atoi reads an exponent of at most three digits.
func atoi(s string) int {
	n, sign := 0, 1
	for _, r := range s {
		switch {
		case r == '-':
			sign = -1
		case r >= '0' && r <= '9':
			n = n*10 + int(r-'0')
		}
	}
	return sign * n
}
