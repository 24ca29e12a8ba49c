package web

import (
	"fmt"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Alarm is an emergency rule as it stands; one for each proposal where it reads facts of one.
type Alarm struct {
	Rule       gov.Label          `json:"rule"`
	State      gov.AlarmState     `json:"state"` // inactive, pending, firing, resolved, or unknown: it cannot be evaluated
	Severity   gov.Severity       `json:"severity"`
	Expression string             `json:"expression"` // the operator's own, verbatim
	Proposal   *gov.ProposalID    `json:"proposal"`   // null where it reads watched numbers only
	Value      gov.Maybe[float64] `json:"value"`      // when it came true, or over
	Limit      gov.Maybe[float64] `json:"limit"`
	Before     gov.Maybe[float64] `json:"before"`
	Metric     *string            `json:"metric"`
	Since      gov.UnixTime       `json:"since"` // chain time; null where it is inactive
	Block      gov.Maybe[uint64]  `json:"block"`
	// Blind is since when a rule that fires cannot be evaluated; it goes on firing.
	Blind gov.UnixTime `json:"unreadable_since"`
	Ended gov.UnixTime `json:"ended"` // of one that is over
}

// Number is a watched number as it was read last.
type Number struct {
	Metric gov.Label `json:"metric"`
	// Value is the last one that was read since the start, Age how many seconds ago that was.
	Value  gov.Maybe[float64] `json:"value"`
	Age    gov.Maybe[float64] `json:"age_seconds"`
	Block  gov.Maybe[uint64]  `json:"block"`
	Source string             `json:"source"`
	// Error is why it cannot be read now, empty while it can; Since is since when, by the wall clock.
	Error string       `json:"error"`
	Since gov.UnixTime `json:"unreadable_since"`
	// Blind says that it could not be read for so long that people were told.
	Blind bool `json:"blind"`
}

// File is a table of the operator's, as it was read at the start.
type File struct {
	Governor gov.Label `json:"governor"`
	Kind     string    `json:"kind"` // book, prices
	File     string    `json:"file"`
	Modified time.Time `json:"modified"`
	Age      float64   `json:"age_seconds"`
	Digest   string    `json:"sha256"`
	Read     time.Time `json:"read"`
	Old      bool      `json:"old"`     // prices that were not written for a week
	Changed  bool      `json:"changed"` // another content is on the disk since it was read
}

// Delivery is how far a channel is.
type Delivery struct {
	Channel string            `json:"channel"`
	Waiting int64             `json:"waiting"` // alerts that it has not been given yet
	Failed  int64             `json:"failed"`  // tries that failed, ever
	Refused int64             `json:"refused"` // alerts that it would not take
	Error   dossier.Untrusted `json:"error"`   // of the last try, empty if it worked
}

// Firing are the alarms that are on.
func (s Status) Firing() (out []Alarm) {
	for _, a := range s.Alarms {
		if a.State == gov.AlarmFiring {
			out = append(out, a)
		}
	}
	return out
}

// Degraded says in words what does not work as it should although every chain is followed. It names no text of a
// node or a stranger.
func (s Status) Degraded() []string {
	out := []string{}
	for _, m := range s.Metrics {
		if m.Blind {
			out = append(out, fmt.Sprintf("metric %s cannot be read since %s: %s", m.Metric, m.Since, m.Error))
		}
	}
	for _, a := range s.Alarms {
		switch {
		case a.State == gov.AlarmUnknown:
			out = append(out, fmt.Sprintf("emergency rule %s cannot be evaluated since %s", a.Rule, a.Since))
		case a.State == gov.AlarmFiring && a.Blind != 0:
			out = append(out, fmt.Sprintf("emergency rule %s fires, and cannot be evaluated since %s", a.Rule, a.Blind))
		}
	}
	for _, d := range s.Deliveries {
		if d.Error != "" && d.Waiting > 0 {
			out = append(out, fmt.Sprintf("channel %s cannot be given its alerts, %d wait", d.Channel, d.Waiting))
		}
	}
	for _, f := range s.Files {
		if f.Changed {
			out = append(out, fmt.Sprintf("%s of %s changed on the disk since the start; restart to use the file", f.Kind, f.Governor))
		}
		if f.Old {
			out = append(out, fmt.Sprintf("prices of %s are %d days old", f.Governor, int(f.Age/86400)))
		}
	}
	return out
}

// alarmBanners are what a person should know of the emergency rules and of what they read.
func alarmBanners(s Status) (out []banner) {
	for _, a := range s.Firing() {
		b := banner{"bad", fmt.Sprintf("Emergency: %s fires.", a.Rule), "True since " + a.Since.String()}
		if n, ok := a.Block.Get(); ok {
			b.More += fmt.Sprintf(" (block %d)", n)
		}
		b.More += ": " + a.Expression
		if v, ok := a.Value.Get(); ok {
			b.More += fmt.Sprintf(", value %v", v)
		}
		b.More += "."
		if a.Blind != 0 {
			b.More += " It cannot be read since " + a.Blind.String() + "."
		}
		if a.Proposal != nil {
			b.More += " Proposal " + a.Proposal.String() + "."
		}
		out = append(out, b)
	}
	for _, line := range s.Degraded() {
		out = append(out, banner{"warn", upper(line) + ".", ""})
	}
	return out
}

func upper(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
