package gov

// Metrics are watched numbers of a protocol, for emergency rules.
type Metrics map[Label]Maybe[float64]

// AlarmAction is what an emergency rule does.
type AlarmAction string

// AlarmAlert raises an alert; the zero value does nothing.
const AlarmAlert AlarmAction = "alert"

// Alarm is an emergency rule that came true, or could not be evaluated.
type Alarm struct {
	Rule     Label       `json:"rule"`
	Result   Tri         `json:"result"`
	Do       AlarmAction `json:"do"`
	Severity Severity    `json:"severity"`
	Why      string      `json:"why"`
}

// Watch is how long an emergency rule has been true, or unknown. About is the proposal whose facts it read,
// empty where it read watched numbers only.
type Watch struct {
	Rule  Label    `json:"rule"`
	About string   `json:"about"`
	Since UnixTime `json:"since"` // chain time of the first tick with a result other than false
	// Result is true or unknown: what the clock runs for. Fired says that it was alerted; it is alerted again
	// only after it was false in between.
	Result Tri  `json:"result"`
	Fired  bool `json:"fired"`
}
