package dossier

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// digestLines is how many lines one alert of a digest has at most: every channel shows so many in full.
const digestLines = 10

// Digest are the alerts of one scheduled time: what is held, what waits to be voted, what was voted since the last
// digest, and what is not available. Where it is long there are several, so that none of it is cut off. The same time
// gives the same ids. troubles are lines about the program itself.
func Digest(list []Dossier, since, at time.Time, troubles []string) []Alert {
	var held, due, cast, missing []digestLine
	for _, d := range list {
		h := d.ID().Handle(d.Proposal.Name, 6)
		switch {
		case d.Stage == AtDecided && d.Vote.Status == gov.VoteHeld:
			held = append(held, d.heldLine(h))
		case d.Stage == AtDecided && (d.Vote.Status == gov.VoteWaiting || inFlight(d.Vote.Status)):
			due = append(due, d.dueLine(h))
		}
		if line, ok := d.castLine(h, since, at); ok {
			cast = append(cast, line)
		}
		if line, ok := d.missingLine(h); ok {
			missing = append(missing, line)
		}
	}
	var lines []string
	for _, section := range [][]digestLine{held, due, cast, missing} {
		slices.SortFunc(section, func(a, b digestLine) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.text, b.text))
		})
		for _, l := range section {
			lines = append(lines, l.text)
		}
	}
	for _, t := range troubles {
		lines = append(lines, "Unavailable: "+Untrusted(t).Plain(200))
	}
	if len(lines) == 0 {
		lines = []string{"Nothing is held, due or unavailable, and nothing was voted since " + moment(gov.UnixTime(since.Unix())) + "."}
	}
	return digestAlerts(lines, at)
}

func digestAlerts(lines []string, at time.Time) (out []Alert) {
	parts := slices.Collect(slices.Chunk(lines, digestLines))
	for i, part := range parts {
		title := "legate: digest of " + at.UTC().Format("2006-01-02")
		if len(parts) > 1 {
			title += fmt.Sprintf(", %d of %d", i+1, len(parts))
		}
		out = append(out, Alert{
			Version: Version, ID: alertID("digest", fmt.Sprint(at.Unix()), fmt.Sprint(i)), Event: AlertSystem, Severity: gov.Info,
			Title: title, Lines: part, Time: at.UTC().Truncate(time.Second),
		})
	}
	return out
}

// digestLine is a line with the time by which its section is sorted.
type digestLine struct {
	at   gov.UnixTime
	text string
}

func (d Dossier) heldLine(handle string) digestLine {
	end := d.latest()
	text := fmt.Sprintf("Held: %s, because of %s", handle, inertLabel(d.Vote.Reason))
	if end > 0 {
		text += fmt.Sprintf("; answer before %s", moment(end))
	}
	return digestLine{end, text + fmt.Sprintf(", with: legate vote %s for (or against, or abstain)", handle)}
}

func (d Dossier) dueLine(handle string) digestLine {
	if d.Vote.Status != gov.VoteWaiting {
		return digestLine{0, fmt.Sprintf("Due: %s, the vote %s is %s", handle, d.Vote.Ballot.Support, d.Vote.Status)}
	}
	c := d.Choice(d.Head)
	if c.Direction == gov.Hold {
		return digestLine{d.EndsAt(), fmt.Sprintf("Due: %s waits for its gate; voting ends about %s", handle, moment(d.EndsAt()))}
	}
	return digestLine{c.Due, fmt.Sprintf("Due: %s, %s from about %s; voting ends about %s", handle, c.Direction, moment(c.Due), moment(d.EndsAt()))}
}

// castLine is what became of our vote in the span of the digest.
func (d Dossier) castLine(handle string, since, at time.Time) (digestLine, bool) {
	for i := len(d.Records) - 1; i >= 0; i-- {
		r := d.Records[i]
		if !r.Time.After(since) || r.Time.After(at) {
			continue
		}
		when := gov.UnixTime(r.Time.Unix())
		switch {
		case r.Type == TypeOf(WasFinal{}) && d.Vote.Status == gov.VoteFinal:
			return digestLine{when, fmt.Sprintf("Voted: %s, %s in block %d", handle, d.Vote.Ballot.Support, d.Vote.Block.Number)}, true
		case r.Type == TypeOf(WasReverted{}) && d.Vote.Status == gov.VoteReverted:
			return digestLine{when, fmt.Sprintf("Not voted: %s, the transaction failed", handle)}, true
		case r.Type == TypeOf(WasNotVoted{}) && d.NotVoted != "" && !d.BackFilled:
			return digestLine{when, fmt.Sprintf("Not voted: %s, %s", handle, inertLabel(d.NotVoted))}, true
		}
	}
	return digestLine{}, false
}

// missingLine is which facts of an open vote could not be had.
func (d Dossier) missingLine(handle string) (digestLine, bool) {
	if d.Gathered == nil || d.Stage != AtSeen && d.Stage != AtGathered && d.Stage != AtDecided {
		return digestLine{}, false
	}
	list := slices.Clone(d.Gathered.Facts.Unavailable)
	if o := d.Gathered.Outlook; o != nil {
		list = append(list, o.Missing...)
	}
	var parts []string
	for _, m := range list {
		if m.Reason != gov.NotInRelease && m.Reason != gov.NoPositions {
			parts = append(parts, fmt.Sprintf("%s (%s)", inertLabel(m.Part), inertLabel(m.Reason)))
		}
	}
	slices.Sort(parts)
	parts = slices.Compact(parts)
	if len(parts) == 0 {
		return digestLine{}, false
	}
	text := fmt.Sprintf("Unavailable: %s: %s", handle, parts[0])
	if len(parts) > 1 {
		text += fmt.Sprintf(" and %d more", len(parts)-1)
	}
	return digestLine{0, text}, true
}
