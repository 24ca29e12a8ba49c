package facts

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// Prices are US dollars for one whole token. The zero Prices knows none.
type Prices struct{ usd map[gov.Asset]float64 }

// Count is how many prices there are.
func (p Prices) Count() int { return len(p.usd) }

// MaxPrices bounds a price file in bytes.
const MaxPrices = 1 << 20

// ParsePrices reads prices.csv: a first line `token,usd`, then a token's address or `native` and a price. All that is
// wrong is reported at once, each with its line.
func ParsePrices(name, text string) (Prices, error) {
	if len(text) > MaxPrices {
		return Prices{}, fmt.Errorf("%s: %d bytes, more than %d", name, len(text), MaxPrices)
	}
	out := Prices{map[gov.Asset]float64{}}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = -1, true, '#'
	var problems []error
	problem := func(line int, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s:%d: %s", name, line, fmt.Sprintf(format, args...)))
	}
	for first := true; ; first = false {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			if first {
				problem(1, "the first line must be token,usd")
			}
			break
		}
		line, _ := r.FieldPos(0)
		switch {
		case err != nil:
			return Prices{}, errors.Join(append(problems, fmt.Errorf("%s: %w", name, err))...)
		case first:
			if len(row) != 2 || row[0] != "token" || strings.TrimSpace(row[1]) != "usd" {
				problem(line, "the first line must be token,usd")
			}
			continue
		case len(row) != 2:
			problem(line, "%d values; a line is a token and a price", len(row))
			continue
		}
		var asset gov.Asset
		if err := asset.UnmarshalText([]byte(strings.TrimSpace(row[0]))); err != nil {
			problem(line, "%q is neither native nor an address", row[0])
			continue
		}
		price, err := strconv.ParseFloat(strings.TrimSpace(row[1]), 64)
		if err != nil || math.IsNaN(price) || math.IsInf(price, 0) || price < 0 {
			problem(line, "%q is not a price of 0 or more in US dollars", row[1])
			continue
		}
		if _, twice := out.usd[asset]; twice {
			problem(line, "%s has a price already", asset)
		}
		out.usd[asset] = price
	}
	if len(problems) > 0 {
		return Prices{}, errors.Join(problems...)
	}
	return out, nil
}

// PricesOf are prices from a table.
func PricesOf(usd map[gov.Asset]float64) Prices {
	out := Prices{map[gov.Asset]float64{}}
	for a, p := range usd {
		out.usd[a] = p
	}
	return out
}

// USD is the price of one whole token; missing where the operator gave none.
func (p Prices) USD(a gov.Asset) (float64, bool) {
	usd, ok := p.usd[a]
	return usd, ok
}

// Value is what an amount of the smallest unit is worth.
func (p Prices) Value(a gov.Asset, amount gov.Amount, decimals uint8) (float64, bool) {
	usd, ok := p.usd[a]
	return usd * whole(amount, decimals), ok
}

// whole is an amount in whole tokens, to the nearest double.
func whole(amount gov.Amount, decimals uint8) float64 {
	return quotient(amount.Int().ToBig(), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil))
}

// quotient is n/d to the nearest double, so that a share that is a whole number comes out as one.
func quotient(n, d *big.Int) float64 {
	out, _ := new(big.Rat).SetFrac(n, d).Float64()
	return out
}
