package dossier

import "github.com/legate-dao/legate/agent/gov"

// Told is a decision as people are told of it: they hear of it again when it is another one, not each time
// that fresh facts give the same.
type Told struct {
	Final  gov.Direction
	Rule   gov.Label
	Reason gov.HoldReason // of a hold
}

// told is the decision that stands now; the last one where there is none to tell yet.
func (d Dossier) told() Told {
	if d.Stage != AtDecided || d.Verdict == nil || d.Vote.Status.Bound() || d.Canceled || d.TimedOut != nil {
		return d.Told
	}
	switch d.Vote.Status {
	case gov.VoteHeld:
		return Told{gov.Hold, d.Verdict.Rule, d.Vote.Reason}
	case gov.VoteWaiting:
	default:
		return d.Told
	}
	if d.Approval != nil {
		return d.Told // the holder's own word is told when it comes
	}
	if d.Standing != nil {
		return Told{Final: gov.Against, Rule: d.Standing.Verdict.Rule}
	}
	if d.Verdict.Direction == gov.For && d.Gate == nil {
		return d.Told // no decision before the gate has read the text
	}
	return Told{Final: d.Final(), Rule: d.Verdict.Rule}
}

// hear keeps the newest head that the records tell of: deadlines of a governor that counts in blocks are
// estimated from it.
func (d *Dossier) hear(e Event) {
	var h gov.Head
	switch e := e.(type) {
	case WasSeen:
		h = e.Head
	case WasTakenBack:
		h = e.Head
	case WasReopened:
		h = e.Head
	case WasGathered:
		h = e.Head
	case WasDecided:
		h = e.Head
	case WasGated:
		h = e.Head
	case WasHeld:
		h = e.Head
	case WasTimedOut:
		h = e.Head
	}
	if h.Latest.Number > d.Head.Latest.Number {
		d.Head = h
	}
}

// EndsAt is when voting ends, as estimated at the newest head that the records tell of; 0 if not known.
func (d Dossier) EndsAt() gov.UnixTime {
	switch {
	case d.Proposal.EndsAt > 0:
		return d.Proposal.EndsAt
	case d.Proposal.Clock != gov.ClockTimestamp && d.Head.Latest.Number == 0:
		return 0
	}
	return d.Head.At(d.Proposal.Clock, d.Proposal.Ends)
}
