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
