package strict

import (
	"regexp"
	"strings"

	"github.com/holiman/uint256"
)

// Amount is an amount of a chain's native coin, written as a decimal and ETH, gwei or wei, and held exactly.
type Amount struct {
	Wei uint256.Int
}

const amountPattern = `^[0-9]+(\.[0-9]+)? (ETH|gwei|wei)$`

var (
	amountForm = regexp.MustCompile(amountPattern)
	decimals   = map[string]int{"ETH": 18, "gwei": 9, "wei": 0}
)

// ParseAmount reads an amount such as `0.05 ETH`.
func ParseAmount(text string) (Amount, error) {
	var a Amount
	err := a.ParseStrict(text)
	return a, err
}

// ParseStrict reads an amount such as `0.05 ETH`.
func (a *Amount) ParseStrict(text string) error {
	if !amountForm.MatchString(text) {
		return mistake("a decimal, a blank and ETH, gwei or wei: 0.05 ETH", "%s is not an amount", quote(text))
	}
	number, unit, _ := strings.Cut(text, " ")
	whole, fraction, _ := strings.Cut(number, ".")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > decimals[unit] {
		return mistake("", "%s is not a whole number of wei", quote(text))
	}
	digits := strings.TrimLeft(whole+fraction+strings.Repeat("0", decimals[unit]-len(fraction)), "0")
	if digits == "" {
		digits = "0"
	}
	if err := a.Wei.SetFromDecimal(digits); err != nil {
		return mistake("", "%s does not fit in 256 bits", quote(text))
	}
	return nil
}

// String is the amount in ETH, exactly.
func (a Amount) String() string {
	digits := a.Wei.Dec()
	if len(digits) <= 18 {
		digits = strings.Repeat("0", 19-len(digits)) + digits
	}
	at := len(digits) - 18
	text := strings.TrimRight(digits[:at]+"."+digits[at:], "0")
	return strings.TrimSuffix(text, ".") + " ETH"
}

// MarshalText is String.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

func (*Amount) describe() string { return "an amount" }
