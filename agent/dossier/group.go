package dossier

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// Anybody who may propose can make as many proposals as wanted that each deserve an Against. Told one by one they would
// bury the one that they cover, and whoever is called twenty times does not come the twenty-first time. So the alerts of
// Against at one governor are told as one for a day: the first by itself, the others as info and counted in an alert of
// their own each time that their number doubles, and within the hour. One that puts more at stake than any told before is
// told by itself, whatever their number.

// grouped names the group of those alerts that tell of an Against by the policy, or of one that is held.
func grouped(list []Alert, r Record, after Dossier) []Alert {
	against := after.Verdict != nil && after.Final() == gov.Against || after.Held != nil && after.Held.Direction == gov.Against
	if !against || after.Approval != nil {
		return list
	}
	for i, a := range list {
		looked := a.Event == AlertProposal && r.Type == TypeOf(WasPreviewed{})
		if (a.Event == AlertDecision || looked) && a.Severity != gov.Info {
			what := string(a.Event)
			if after.Vote.Status == gov.VoteHeld {
				what = "held"
			}
			list[i].Group = fmt.Sprintf("%s against at %s:%s", what, after.ID().Chain, after.ID().Governor.Hex())
			list[i].Stake = after.Stake()
		}
	}
	return list
}

// Bounds of a group, in seconds: after how long it starts over, and how long its alerts may wait.
const (
	groupDay  = 86400
	groupWait = 3600
)

// groupLines is how many proposals a group names in one alert.
const groupLines = 9

// Group is a group of alerts: which were sent, and which still wait.
type Group struct {
	Name  string       `json:"name"`
	Since gov.UnixTime `json:"since"` // of its first alert
	// Members are the proposals, in order; the first Told of them were told by name.
	Members []GroupMember `json:"members"`
	Told    int           `json:"told"`
	At      gov.UnixTime  `json:"at"`    // when something was told last
	Stake   gov.Stake     `json:"stake"` // the most that was told
	// Severity is the worst of what is still to be told, Last the newest of it; nil where nothing is.
	Severity gov.Severity `json:"severity"`
	Last     *GroupNews   `json:"last"`
}

// GroupNews is what an alert that was only counted says.
type GroupNews struct {
	Event AlertEvent `json:"event"`
	Lines []string   `json:"lines"`
	Time  time.Time  `json:"time"`
}

// GroupMember is a proposal of a group.
type GroupMember struct {
	ID     gov.ProposalID `json:"id"`
	Handle string         `json:"handle"`
	Stake  gov.Stake      `json:"stake"`
}

// Over reports whether a group is closed at a time, so that the next alert starts a new one.
func (g Group) Over(now time.Time) bool {
	return len(g.Members) == 0 || gov.UnixTime(now.Unix()) >= g.Since+groupDay
}

// Take adds an alert of the group, and returns what is told now: the alert itself, which is info where it is only counted,
// and an alert of the whole group where it is time for one.
func (g Group) Take(a Alert) (Group, []Alert) {
	var out []Alert
	if g.Over(a.Time) {
		if tell, ok := g.sum(); ok {
			out = append(out, tell)
		}
		g = Group{Name: a.Group, Since: gov.UnixTime(a.Time.Unix()), At: gov.UnixTime(a.Time.Unix())}
	}

	known := slices.IndexFunc(g.Members, func(m GroupMember) bool { return a.Proposal != nil && m.ID == *a.Proposal })
	first, more := len(g.Members) == 0, a.Stake > g.Stake
	if known < 0 && a.Proposal != nil {
		g.Members = append(slices.Clone(g.Members), GroupMember{*a.Proposal, a.Card.Handle, a.Stake})
	}
	if first || more {
		if more && !first && a.Stake.Level() >= gov.StakeLarge {
			a.Severity = gov.Critical
		}
		g.Stake = max(g.Stake, a.Stake)
		if first {
			g.Told = 1
		}
		return g, append(out, a)
	}

	quiet := a
	quiet.Severity = gov.Info
	out = append(out, quiet)
	if known >= 0 {
		return g, out // told before, by itself or as one of the others
	}
	if a.Severity == gov.Critical || g.Severity == "" {
		g.Severity = a.Severity
	}
	g.Last = &GroupNews{a.Event, a.Lines, a.Time}
	if n := len(g.Members); n&(n-1) == 0 { // two, four, eight
		if tell, ok := g.sum(); ok {
			g = g.told(a.Time)
			out = append(out, tell)
		}
	}
	return g, out
}

// Due is from when what a group waits with is told; 0 where it waits with nothing.
func (g Group) Due() gov.UnixTime {
	if g.Last == nil {
		return 0
	}
	return g.At + groupWait
}

// Flush returns what a group has waited with for long enough, if anything.
func (g Group) Flush(now time.Time) (Group, []Alert) {
	if due := g.Due(); due == 0 || gov.UnixTime(now.Unix()) < due {
		return g, nil
	}
	tell, ok := g.sum()
	if !ok {
		return g, nil
	}
	return g.told(now), []Alert{tell}
}

func (g Group) told(now time.Time) Group {
	g.Told, g.At, g.Severity, g.Last = len(g.Members), gov.UnixTime(now.Unix()), "", nil
	return g
}

// sum is the alert of what was not told yet; ok is false where there is nothing.
func (g Group) sum() (Alert, bool) {
	if g.Last == nil {
		return Alert{}, false
	}
	news := slices.Clone(g.Members[min(g.Told, len(g.Members)):])
	slices.SortStableFunc(news, func(x, y GroupMember) int { return cmp.Compare(y.Stake, x.Stake) })

	lines := []string{fmt.Sprintf("%d proposals since %s. Each was decided for itself; the following ones are told as info, and counted here.", len(g.Members), moment(g.Since))}
	for i, m := range news {
		if i == groupLines {
			lines = append(lines, fmt.Sprintf("And %d more: `legate proposals` lists them.", len(news)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%s: at stake is %s.", m.Handle, m.Stake))
	}
	if len(news) == 1 {
		lines = append(lines[:1], g.Last.Lines...)
	}
	// of no proposal alone: it brings no card up to date
	a := Alert{
		Version: Version, ID: alertID("group", g.Name, fmt.Sprint(int64(g.Since)), fmt.Sprint(len(g.Members), g.Told)), Event: g.Last.Event, Severity: g.Severity,
		Title: fmt.Sprintf("%s, and others: %d proposals to vote against within a day", g.Members[len(g.Members)-1].Handle, len(g.Members)),
		Lines: lines, Time: g.Last.Time,
	}
	return a, true
}

// MarshalGroup is the form in which a group is stored.
func MarshalGroup(g Group) (string, error) {
	text, err := json.Marshal(g)
	return string(text), err
}

// UnmarshalGroup reads what MarshalGroup wrote.
func UnmarshalGroup(text string) (g Group, err error) {
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return g, fmt.Errorf("read a group of alerts: %w", err)
	}
	return g, nil
}
