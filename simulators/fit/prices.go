package fit

import (
	"fmt"
	"math"

	"github.com/legate-dao/legate/simulators"
)

// minReturns is the fewest returns that a volatility is estimated from: its error is then below a fifth.
const minReturns = 16

// Calibrate estimates a market from prices at equal distances, perYear of them a year: yearly volatilities, and the
// correlation of log returns. Drift is left at 0: a past mean says next to nothing of the future, and would be taken for
// a promise. names are the assets', prices one list for each, equally long.
func Calibrate(names []string, prices [][]float64, perYear float64) (m simulators.Market, err error) {
	if len(names) != len(prices) || len(names) == 0 || !(perYear > 0) {
		return m, fmt.Errorf("calibrate: %d names, %d lists of prices, %g prices a year", len(names), len(prices), perYear)
	}
	returns := make([][]float64, len(prices))
	for i, list := range prices {
		if len(list) != len(prices[0]) || len(list) <= minReturns {
			return m, fmt.Errorf("calibrate %s: %d prices; all lists need the same number, above %d", names[i], len(list), minReturns)
		}
		if returns[i], err = logReturns(list); err != nil {
			return m, fmt.Errorf("calibrate %s: %w", names[i], err)
		}
	}
	for i, r := range returns {
		m.Assets = append(m.Assets, simulators.Asset{Name: names[i], Vol: math.Sqrt(covariance(r, r) * perYear)})
		row := make([]float64, len(returns))
		for j, other := range returns {
			if d := math.Sqrt(covariance(r, r) * covariance(other, other)); i != j && d > 0 {
				row[j] = min(max(covariance(r, other)/d, -1), 1)
			}
		}
		row[i] = 1
		m.Correlation = append(m.Correlation, row)
	}
	return m, m.Check()
}

func logReturns(prices []float64) ([]float64, error) {
	out := make([]float64, len(prices)-1)
	for i := range prices {
		if !(prices[i] > 0) || math.IsInf(prices[i], 0) {
			return nil, fmt.Errorf("price %d is %g", i+1, prices[i])
		}
		if i > 0 {
			out[i-1] = math.Log(prices[i] / prices[i-1])
		}
	}
	return out, nil
}

func covariance(a, b []float64) (sum float64) {
	var ma, mb float64
	for i := range a {
		ma, mb = ma+a[i], mb+b[i]
	}
	n := float64(len(a))
	for i := range a {
		sum += (a[i] - ma/n) * (b[i] - mb/n)
	}
	return sum / (n - 1)
}
