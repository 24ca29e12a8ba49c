// Package fit finds the numbers that the simulators need in what happened: voters' habits in a governor's past votes,
// and drift, volatility and correlation in past prices. Its back-test says how good the forecasts would have been.
//
// It answers for estimates from data, and for never looking ahead: what it says of a moment follows from what was
// known by then. It reads no chain; package chains makes a gov.History, and a folder of recorded votes another.
//
//	e, err := fit.Habits(history)
//	f, err := fit.Forecast(ctx, history, fit.Options{Engine: mc.Engine{Seed: 7, Paths: 100_000}})
package fit
