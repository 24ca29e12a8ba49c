package dossier

import "github.com/legate-dao/legate/agent/gov"

// WasForecast: how the vote may end was computed from the governor's past, or could not be. It is a record
// beside the stages, and no direction follows from it. Where a hold_if reads the forecast the gate waits for it, and so
// a For does; nothing else does.
type WasForecast struct {
	Forecast *gov.Forecast `json:"forecast"` // nil when it could not be had
	Why      Untrusted     `json:"why"`      // why not; may quote a node
	At       gov.UnixTime  `json:"at"`       // chain time
	// Again is from when it is made again, by the schedule that held when it was made; 0: after a day.
	Again gov.UnixTime `json:"again,omitempty"`
}

func (WasForecast) event() {}

// Spans of forecasts in seconds of chain time.
const (
	forecastEach = 86400 // how long one stands where no schedule says when it is made again
	// forecastRetry is when one that a gate waits for, and that could not be had, is tried again.
	forecastRetry = 600
	// foresight is for how long after its time a For waits for the first try of a forecast.
	foresight = 600
)

// foretold takes in a forecast while the vote is open or ahead.
func (d Dossier) foretold(e WasForecast) (Dossier, bool) {
	if !d.Briefable() {
		return d, false
	}
	d.ForecastAt, d.ForecastAgain = e.At, e.Again
	if d.ForecastAgain <= e.At {
		d.ForecastAgain = e.At + forecastEach
	}
	if e.Forecast != nil {
		d.Forecast = e.Forecast
	}
	return d, true
}

// foretellable says whether a forecast is to be made now: the first at once, another when its time has come.
func (d Dossier) foretellable(head gov.Head) bool {
	now := head.Latest.Time
	switch {
	case d.over(head):
		return false
	case d.ForecastAt == 0 || now >= d.ForecastAgain:
		return true
	}
	return d.Plan.Forecast && d.Forecast == nil && now >= d.ForecastAt+forecastRetry
}

// foreseen says whether the gate may be asked about a For: where it reads the forecast it waits for one, but not
// longer than the For itself would. Then what cannot be had is unknown, and holds.
func (d Dossier) foreseen(head gov.Head, w Window) bool {
	if !d.Plan.Forecast || d.Forecast != nil {
		return true
	}
	due := max(w.Opens, d.Since[gov.For]+gov.UnixTime(d.Plan.Wait))
	if w.TooShort {
		due = w.Opens
	}
	due = min(due, w.Latest-foresight) // at `latest` it is too late for an answer
	now := head.Latest.Time
	return now >= due && d.ForecastAt != 0 || now >= due+foresight
}
