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

// Firing is an alarm whose time has come: whoever tells people makes the alert of it.
type Firing struct {
	Alarm Alarm       `json:"alarm"`
	Since UnixTime    `json:"since"` // chain time of the first evaluation with this result
	About *ProposalID `json:"about"` // nil where the rule read watched numbers only
	At    UnixTime    `json:"at"`    // wall clock
}

// Watch is a clock of an emergency rule: for how long it has been true, or unknown. A rule has both at once
// when it was true before it could not be evaluated. About is the proposal whose facts it read, empty where it
// read watched numbers only.
type Watch struct {
	Rule   Label  `json:"rule"`
	About  string `json:"about"`
	Result Tri    `json:"result"` // true or unknown: what the clock runs for
	// Since and Last are the chain times of the first and the last evaluation with this result.
	Since UnixTime `json:"since"`
	Last  UnixTime `json:"last"`
	// Fired says that it was alerted; it is alerted again only after the result was another in between.
	Fired bool `json:"fired"`
}
