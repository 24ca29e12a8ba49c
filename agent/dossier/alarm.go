package dossier

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// Emergency are the fields that an alert about a watched state has beside its lines. They are as they are: what shows
// them makes them inert for its own place.
type Emergency struct {
	// State is firing or resolved; of a rule that does not fire, unknown (it cannot be evaluated) or known (again).
	State gov.AlarmState `json:"state"`
	// Expression is the operator's own, verbatim; empty for a number that cannot be read.
	Expression string `json:"expression"`
	// Value and Limit are the sides of the rule's comparison, null where it is not one comparison with a constant.
	// Before is the value before the state began.
	Value  gov.Maybe[float64] `json:"value"`
	Limit  gov.Maybe[float64] `json:"limit"`
	Before gov.Maybe[float64] `json:"before"`
	// Since is when the state began, in chain time (of a number that cannot be read: by the wall clock), and Block the
	// block in which it was read first, null where none is known.
	Since gov.UnixTime      `json:"since"`
	Block gov.Maybe[uint64] `json:"block"`
	// Metric is the watched number, several with a comma between them, null where the rule reads none.
	Metric *string `json:"metric"`
	// Values are all values that were read, where they are not one comparison.
	Values gov.Values `json:"values,omitempty"`
	// Source is how the numbers were read, and how many operators agreed on them.
	Source string `json:"source,omitempty"`
	// Blind is since when a rule that fires cannot be evaluated.
	Blind *gov.UnixTime `json:"unreadable_since,omitempty"`
	// Ended and Lasted (in seconds) are set when it is over.
	Ended  *gov.UnixTime `json:"ended,omitempty"`
	Lasted *int64        `json:"lasted_seconds,omitempty"`
	// Governor is the name of the proposal's governor.
	Governor gov.Label `json:"governor,omitempty"`
	// Raised is the wall clock when the state was first announced; all alerts of one episode carry the same.
	Raised gov.UnixTime `json:"raised"`
}

// On reports whether the state goes on. A channel that forgets alerts is then sent it again.
func (e *Emergency) On() bool {
	return e != nil && (e.State == gov.AlarmFiring || e.State == gov.AlarmUnknown)
}

// AlarmAlert is the alert of an emergency rule: that it fires, that it is over, that it cannot be evaluated
// or can be again. The same of one episode has the same id, however often it is made.
func AlarmAlert(f gov.Firing) Alert {
	if f.State == "" {
		f.State = gov.AlarmFiring
		if f.Alarm.Result == gov.Unknown {
			f.State = gov.AlarmUnknown
		}
	}
	out := Alert{
		Version: Version, ID: alarmID(f), Event: AlertEmergency, Severity: f.Alarm.Severity, Proposal: f.About,
		Title: "emergency: " + inertLabel(f.Alarm.Rule) + alarmTitles[alarmKind(f)], Time: f.At.Time(),
		Rule: f.Alarm.Rule, Emergency: emergencyOf(f),
	}
	if out.Severity == "" {
		out.Severity = gov.Critical
	}
	out.Lines = alarmLines(f)
	return out
}

// alarmKind is the state, with one more for what fires and cannot be evaluated.
func alarmKind(f gov.Firing) string {
	if f.State == gov.AlarmFiring && f.Blind != 0 {
		return "blind"
	}
	return string(f.State)
}

var alarmTitles = map[string]string{
	string(gov.AlarmFiring): "", "blind": " still fires, and cannot be read", string(gov.AlarmResolved): " resolved",
	string(gov.AlarmUnknown): " could not be evaluated", string(gov.AlarmKnown): " can be evaluated again",
}

// alarmID keeps the ids of earlier releases, which told of what fires and of what is unknown only.
func alarmID(f gov.Firing) string {
	key := ""
	if f.About != nil {
		key = f.About.String()
	}
	since := fmt.Sprint(int64(f.Since))
	switch kind := alarmKind(f); kind {
	case string(gov.AlarmFiring):
		return alertID("alarm", string(f.Alarm.Rule), key, string(gov.True), since)
	case string(gov.AlarmUnknown):
		return alertID("alarm", string(f.Alarm.Rule), key, string(gov.Unknown), since)
	case "blind":
		return alertID("alarm", string(f.Alarm.Rule), key, kind, since, fmt.Sprint(int64(f.Blind)))
	default:
		return alertID("alarm", string(f.Alarm.Rule), key, kind, since)
	}
}

func emergencyOf(f gov.Firing) *Emergency {
	r := f.Reading
	e := &Emergency{
		State: f.State, Expression: r.Expression, Value: r.Value, Limit: r.Limit, Before: f.Before, Since: f.Since,
		Source: strings.Join(f.Sources, "; "), Governor: f.Governor, Raised: f.Raised,
	}
	if e.Expression == "" && f.Alarm.Result != gov.Unknown {
		e.Expression = f.Alarm.Why
	}
	if f.Block > 0 {
		e.Block = gov.Known(f.Block)
	}
	if len(r.Metrics) > 0 {
		metrics := metricNames(r.Metrics)
		e.Metric = &metrics
	}
	if !r.Limit.IsKnown() {
		e.Values = r.Values
	}
	if f.Blind != 0 {
		e.Blind = &f.Blind
	}
	if f.Ended != 0 {
		lasted := int64(f.Ended - f.Since)
		e.Ended, e.Lasted = &f.Ended, &lasted
	}
	return e
}

// metricNames are the names of numbers, each once and in one order: they name a series.
func metricNames(list []gov.Label) string {
	var names []string
	for _, m := range list {
		names = append(names, string(m))
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ",")
}

// PlainExpression is how an expression stands in an alert's lines.
func PlainExpression(expression string) string { return Untrusted(expression).Plain(300) }

func alarmLines(f gov.Firing) (lines []string) {
	e := emergencyOf(f)
	since := moment(f.Since)
	if f.Block > 0 {
		since += fmt.Sprintf(" (block %d)", f.Block)
	}
	expression := PlainExpression(e.Expression)
	switch alarmKind(f) {
	case string(gov.AlarmFiring):
		lines = append(lines, "True since "+since+": "+expression)
	case "blind":
		lines = append(lines, "True since "+since+": "+expression, "It cannot be read since "+moment(f.Blind)+": it is not over, until it can be read that it is.")
	case string(gov.AlarmResolved):
		why := "It is false again"
		if f.Why != "" {
			why = sentence(Untrusted(f.Why).Plain(200))
		}
		lines = append(lines, fmt.Sprintf("%s, after %s: %s", strings.TrimSuffix(why, "."), lasting(f), expression), "It was true from "+since+" to "+moment(f.Ended)+".")
	case string(gov.AlarmUnknown):
		lines = append(lines, "Unknown since "+since+": "+Untrusted(f.Alarm.Why).Plain(300), "Nothing is done about it; whether it is true is not known: "+expression)
	default:
		lines = append(lines, fmt.Sprintf("It was unknown for %s, from %s to %s: %s", lasting(f), since, moment(f.Ended), expression), "Now it is "+nowIs(f)+".")
	}
	return append(lines, readLines(f)...)
}

func nowIs(f gov.Firing) string {
	switch {
	case f.Why != "":
		return "not looked at any more"
	case f.Alarm.Result == gov.True:
		return "true, and fires when it has been for as long as the rule says"
	}
	return "false"
}

// readLines say what was read, and from where.
func readLines(f gov.Firing) (lines []string) {
	r := f.Reading
	limit, simple := r.Limit.Get()
	switch value, known := r.Value.Get(); {
	case simple && known:
		line := fmt.Sprintf("Value %s, limit %s", numeral(value), numeral(limit))
		if before, ok := f.Before.Get(); ok {
			line += ", before " + numeral(before)
		}
		lines = append(lines, line+".")
	case !simple && len(r.Values) > 0:
		var parts []string
		for _, v := range r.Values {
			value := "unknown"
			if v.Value != nil {
				value = string(v.Value)
			}
			parts = append(parts, v.Name+" = "+value)
		}
		lines = append(lines, "Read: "+Untrusted(strings.Join(parts, ", ")).Plain(400))
	}
	for _, s := range f.Sources {
		lines = append(lines, "Source: "+Untrusted(s).Plain(300))
	}
	return lines
}

func numeral(v float64) string { return strconv.FormatFloat(v, 'g', 12, 64) }

// lasting is how long it was on.
func lasting(f gov.Firing) string { return (time.Duration(f.Ended-f.Since) * time.Second).String() }

// SightAlert is the alert of a watched number that cannot be read, and of the end of that. It is critical where an
// emergency rule reads the number.
func SightAlert(s gov.Sight, at time.Time) Alert {
	name := string(s.Metric)
	e := &Emergency{State: gov.AlarmFiring, Metric: &name, Before: s.Last, Since: s.Since, Raised: s.Raised}
	out := Alert{
		Version: Version, Event: AlertSystem, Severity: gov.Warning, Emergency: e, Time: at.UTC().Truncate(time.Second),
		Title: "legate: the watched number " + inertLabel(s.Metric) + " cannot be read",
		Lines: []string{"Not since " + moment(s.Since) + ": " + sentence(Untrusted(s.Why).Plain(300))},
	}
	if v, ok := s.Last.Get(); ok {
		out.Lines = append(out.Lines, "Last read at "+moment(s.LastAt)+": "+numeral(v)+".")
	}
	if len(s.Rules) > 0 {
		out.Severity = gov.Critical
		out.Lines = append(out.Lines, "Until it can be read nothing is known of "+inertLabel(metricNames(s.Rules))+": no alarm does not mean all is well.")
	}
	if s.Ended != 0 {
		lasted := int64(s.Ended - s.Since)
		e.State, e.Ended, e.Lasted = gov.AlarmResolved, &s.Ended, &lasted
		out.Title = "legate: the watched number " + inertLabel(s.Metric) + " can be read again"
		out.Lines = []string{fmt.Sprintf("It could not be for %s, from %s to %s.", time.Duration(lasted)*time.Second, moment(s.Since), moment(s.Ended))}
	}
	out.ID = alertID("sight", name, string(e.State), fmt.Sprint(int64(s.Since)))
	return out
}

// OnceAlert is an alert about the program's surroundings that is told once for a key, whenever it is raised.
func OnceAlert(severity gov.Severity, key, what string, lines []string, at time.Time) Alert {
	out := SystemAlert(severity, what, nil, at)
	out.ID, out.Lines = alertID("once", key), lines
	return out
}
