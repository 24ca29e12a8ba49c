package dossier

import "github.com/legate-dao/legate/agent/gov"

// WasForecast: how the vote may end was computed from the governor's past, or could not be. It is a record
// beside the stages: nothing waits for it, and no direction follows from it.
type WasForecast struct {
	Forecast *gov.Forecast `json:"forecast"` // nil when it could not be had
	Why      Untrusted     `json:"why"`      // why not; may quote a node
	At       gov.UnixTime  `json:"at"`       // chain time
}

func (WasForecast) event() {}

// forecastEach is how long a forecast stands, in seconds: a day.
const forecastEach = 86400

// foretold takes in a forecast while the vote is open or ahead.
func (d Dossier) foretold(e WasForecast) (Dossier, bool) {
	if !d.Briefable() {
		return d, false
	}
	d.ForecastAt = e.At
	if e.Forecast != nil {
		d.Forecast = e.Forecast
	}
	return d, true
}
