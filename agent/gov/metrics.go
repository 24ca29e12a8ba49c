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

// RuleReading is what an emergency rule read at one moment.
type RuleReading struct {
	// Expression is the operator's own, as it stands in the file.
	Expression string `json:"expression"`
	// Metrics are the watched numbers that the rule reads, in its order.
	Metrics []Label `json:"metrics"`
	// Metric is the watched number that Value is of; empty where the rule is no comparison of one.
	Metric Label `json:"metric"`
	// Values are all that was read, in the order of the rule.
	Values Values `json:"values"`
	// Value and Limit are the two sides where the rule is one comparison of a number with a constant; else missing.
	Value Maybe[float64] `json:"value"`
	Limit Maybe[float64] `json:"limit"`
}

// Judged is what an emergency rule says at one moment, true, false or unknown, with what it read.
type Judged struct {
	Alarm   Alarm
	Reading RuleReading
}

// AlarmState is where an emergency rule stands, for each proposal where it reads facts of one.
type AlarmState string

// The states. Unknown and known are those of a rule that could not be evaluated while it was not firing: a firing
// one keeps firing, because unknown is not false.
const (
	AlarmInactive AlarmState = "inactive" // false
	AlarmPending  AlarmState = "pending"  // true, and not yet for as long as its `for:`
	AlarmFiring   AlarmState = "firing"   // true for that long, and not false since
	AlarmResolved AlarmState = "resolved" // false after it was firing
	AlarmUnknown  AlarmState = "unknown"  // not firing, and could not be evaluated for a while
	AlarmKnown    AlarmState = "known"    // can be evaluated after that
)

// Firing is the state of an emergency rule that people hear about: that it fires, that it is over, that it cannot be evaluated.
// Whoever tells them makes the alert of it.
type Firing struct {
	Alarm   Alarm       `json:"alarm"`
	Reading RuleReading `json:"reading"`
	State   AlarmState  `json:"state"` // empty means firing, or unknown where the alarm's result is
	Since   UnixTime    `json:"since"` // chain time of the first evaluation with this result
	Block   uint64      `json:"block"` // in which that was read; 0 where it is not known
	About   *ProposalID `json:"about"` // nil where the rule read watched numbers only
	// Governor is the name of the proposal's governor, empty without a proposal.
	Governor Label `json:"governor"`
	// Before is the value at the last evaluation that was false; of one that is over, the value while it fired.
	Before Maybe[float64] `json:"before"`
	// Sources say for each number how it was read and how many agreed on it.
	Sources []string `json:"sources"`
	// Blind is since when a firing rule cannot be evaluated; 0 while it can.
	Blind UnixTime `json:"blind"`
	// Ended is the chain time of its end, 0 before. Why is a reason for the end other than that it became false.
	Ended UnixTime `json:"ended"`
	Why   string   `json:"why"`
	// Raised is the wall clock when it was told first, At when this is told.
	Raised UnixTime `json:"raised"`
	At     UnixTime `json:"at"`
}

// Watch is a clock of an emergency rule: for how long it has been true, or unknown. A rule has both at once
// when it was true before it could not be evaluated. About is the proposal whose facts it read, empty where it
// read watched numbers only.
type Watch struct {
	Rule   Label  `json:"rule"`
	About  string `json:"about"`
	Result Tri    `json:"result"` // true or unknown: what the clock runs for
	// State is pending, firing or resolved of a rule that is or was true.
	State AlarmState `json:"state"`
	// Since and Last are the chain times of the first and the last evaluation with this result. Block is where the
	// first was read.
	Since UnixTime `json:"since"`
	Block uint64   `json:"block"`
	Last  UnixTime `json:"last"`
	// Fired says that it was alerted; it is alerted again only after the result was another in between.
	Fired bool `json:"fired"`
	// Before is the value before it came true.
	Before Maybe[float64] `json:"before"`
	// Blind is since when a firing rule cannot be evaluated. Ended is when it was over.
	Blind UnixTime `json:"blind"`
	Ended UnixTime `json:"ended"`
	// Told is the alert of it, to be repeated while it is on to channels that forget; nil before.
	Told *Firing `json:"told"`
}

// Measured is a watched number as it was read.
type Measured struct {
	Value float64
	Block Block
	// Source is how it was read, and how many operators agreed on it.
	Source string
}

// Sight is a watched number that cannot be read: since when, and whether people know. Its times are of the wall
// clock, since a chain that cannot be read tells none.
type Sight struct {
	Metric Label    `json:"metric"`
	Since  UnixTime `json:"since"`
	Chain  UnixTime `json:"chain"` // the chain's time at Since
	Fails  int      `json:"fails"` // readings that failed in a row
	// Why is the last failure in words of the program.
	Why string `json:"why"`
	// Last is the last value that was read, at LastAt; missing where none was since the start.
	Last   Maybe[float64] `json:"last"`
	LastAt UnixTime       `json:"last_at"`
	// Rules are the emergency rules that read it.
	Rules []Label `json:"rules"`
	// Told says that people were told, at Raised. Ended is when it could be read again.
	Told   bool     `json:"told"`
	Raised UnixTime `json:"raised"`
	Ended  UnixTime `json:"ended"`
}
