package web

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Bounds of what a page shows of texts that others wrote, in runes. The JSON document has all of them.
const (
	shownTitle = 200
	shownValue = 400
	shownText  = 40_000
)

// thin is the narrow no-break space between groups of three digits.
const thin = "\u202f"

// breakable is one where a line may end, for numbers that are longer than a line on a phone.
const breakable = "\u2009"

// longNumber is from how many digits on a number may be broken.
const longNumber = 25

// group writes a run of decimal digits in groups of three.
func group(digits string) string {
	var b strings.Builder
	space := thin
	if len(digits) > longNumber {
		space = breakable
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(space)
		}
		b.WriteRune(d)
	}
	return b.String()
}

// unlimited says whether an allowance is more than anybody can own.
func unlimited(a gov.Amount) bool { return a.Cmp(halfOfAll) >= 0 }

var halfOfAll = gov.AmountOf(new(uint256.Int).Lsh(uint256.NewInt(1), 255))

// units writes an amount in whole units of an asset. At most six decimals are shown; what is cut is told by ≈.
func units(a gov.Amount, decimals uint8) string {
	s := a.String()
	if decimals == 0 || decimals > 77 {
		return group(s)
	}
	for len(s) <= int(decimals) {
		s = "0" + s
	}
	whole, part := s[:len(s)-int(decimals)], strings.TrimRight(s[len(s)-int(decimals):], "0")
	sign := ""
	if len(part) > 6 {
		sign, part = "≈", strings.TrimRight(part[:6], "0")
		if part == "" && whole == "0" {
			return "< 0.000001"
		}
	}
	if part == "" {
		return sign + group(whole)
	}
	return sign + group(whole) + "." + part
}

// decimal writes a double for reading.
func decimal(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "not a number"
	}
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		s := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
		if v < 0 {
			return "−" + group(s)
		}
		return group(s)
	}
	if a := math.Abs(v); a >= 1e15 || a < 1e-4 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	whole, part, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'f', 4, 64), ".")
	s := group(whole)
	if part = strings.TrimRight(part, "0"); part != "" {
		s += "." + part
	}
	if v < 0 {
		s = "−" + s
	}
	return s
}

// percent writes a share between 0 and 1.
func percent(p float64) string {
	switch {
	case p > 0.999 && p < 1:
		return "> 99.9 %"
	case p > 0 && p < 0.001:
		return "< 0.1 %"
	}
	return strings.TrimSuffix(strconv.FormatFloat(100*p, 'f', 1, 64), ".0") + " %"
}

// span writes a span of time in its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	days, rest := int(d/(24*time.Hour)), d%(24*time.Hour)
	h, m, s := int(rest/time.Hour), int(rest%time.Hour/time.Minute), int(rest%time.Minute/time.Second)
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, h)
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min", m)
	}
	return fmt.Sprintf("%d s", max(s, 0))
}

// moment is a time on a page: Iso for programs, Text for people, Left how far it is from now.
type moment struct {
	ISO  string
	Text string
	Left string // "in 3 h 10 min" or "3 h ago"
	// Seconds until then; the script counts them down.
	Seconds int64
}

// at is a moment of chain time as seen from now; nil where it is not known.
func at(t gov.UnixTime, now time.Time) *moment {
	if t == 0 {
		return nil
	}
	when := t.Time()
	left := when.Sub(now)
	m := &moment{ISO: when.Format(time.RFC3339), Text: when.Format("2 Jan 2006, 15:04 UTC"), Seconds: int64(left / time.Second)}
	if left >= 0 {
		m.Left = "in " + span(left)
	} else {
		m.Left = span(-left) + " ago"
	}
	return m
}

// plural writes a number with its word.
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return group(strconv.Itoa(n)) + " " + word + "s"
}

// readable writes a JSON value of the program's own facts in one line.
func readable(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return "unknown"
	}
	var v any
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return dossier.Untrusted(raw).Line(shownValue)
	}
	return dossier.Untrusted(flat(v)).Line(shownValue)
}

func flat(v any) string {
	switch v := v.(type) {
	case nil:
		return "unknown"
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		if f, err := v.Float64(); err == nil && (strings.ContainsAny(v.String(), ".eE") || len(v.String()) < 16) {
			return decimal(f)
		}
		return v.String()
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = flat(v[i])
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "not shown"
	}
	return string(b)
}
