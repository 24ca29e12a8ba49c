package fit

import (
	"context"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/mc"
)

// Options say how a forecast is computed.
type Options struct {
	// Engine's Seed and Paths belong to the result; see simulators.Seed.
	Engine mc.Engine
	// Cells of the exact distributions; 0 leaves all to sampling.
	Cells int
}

// Paths and Cells are how many a forecast has unless told: its error is below a thousandth then, in half a second.
const (
	Paths = 100_000
	Cells = simulators.Cells / 2
)

// Forecast says how the current voting of a history may end. A history that holds something later than its own moment
// is an error.
func Forecast(ctx context.Context, h gov.History, o Options) (gov.Forecast, error) {
	e, err := Habits(h)
	if err != nil {
		return gov.Forecast{}, fmt.Errorf("learn the voters' habits: %w", err)
	}
	out, err := calibrate(e, lessons(h)).Outcome(ctx, o.Engine, o.Cells)
	if err != nil {
		return gov.Forecast{}, fmt.Errorf("forecast: %w", err)
	}
	return out.Forecast(1), nil
}

// ForecastOf is Forecast of a proposal at a block, with the seed that belongs to them.
func ForecastOf(ctx context.Context, p gov.Proposal, at gov.Block, h gov.History) (gov.Forecast, error) {
	return Forecast(ctx, h, Options{Engine: mc.Engine{Seed: simulators.Seed(p.ID, at), Paths: Paths}, Cells: Cells})
}
