package dossier

import (
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// changed takes in the chain's state and deadline.
func (d Dossier) changed(c Change) (Dossier, bool) {
	if d.Stage == Unseen || d.Stage == AtClosed {
		return d, false
	}
	d.Changes = append(d.Changes[:len(d.Changes):len(d.Changes)], c)
	d.Proposal = c.on(d.Proposal)

	if d.Proposal.State.Over() && !d.Vote.Status.Bound() && d.votable() {
		d.leave()
		d.NotVoted, d.Stage = NotOpen, AtNotVoted
		if d.Vote.Status != gov.VoteCanceled {
			d.Vote.Status = gov.VoteNoVote
		}
	}
	d.followState()
	return d, true
}

// on is a proposal after a change. A deadline only moves away.
func (c Change) on(p gov.Proposal) gov.Proposal {
	p.Ends = max(p.Ends, c.Ends)
	if c.State != "" {
		p.State = c.State
	}
	return p
}

// votable reports whether a vote may still come of the stage.
func (d Dossier) votable() bool {
	return d.Stage == AtSeen || d.Stage == AtGathered || d.Stage == AtDecided
}

// leave remembers where the proposal stands before it is found that no vote of ours is cast.
func (d *Dossier) leave() {
	if d.votable() {
		d.Left = &Left{d.Stage, d.Vote}
	}
}

// Gone is the event by which a reorganisation takes something of the proposal away; false where nothing is gone. to is
// the last common block, head is the governor's after the reorganisation.
func (d Dossier) Gone(to gov.Block, head gov.Head) (Event, bool) {
	if d.Proposal.Created.Number > to.Number {
		return WasRewound{To: to}, d.Stage != Unseen && !d.Rewound
	}
	e := WasTakenBack{To: to, Head: head}
	return e, d.lost(e)
}

// RestsOn reports whether the dossier rests on the very log of a creation. Records of older versions do not say which log.
func (d Dossier) RestsOn(s Seen) bool {
	if d.Stage == Unseen || d.Rewound || len(d.Changes) == 0 {
		return false
	}
	if log := d.Changes[0].Log; log != (gov.Hash{}) {
		return log == s.Log
	}
	return d.Proposal.Created == s.Proposal.Created && d.Proposal.ContentHash == s.Proposal.ContentHash && d.Proposal.DescriptionHash == s.Proposal.DescriptionHash
}

// HasChange reports whether the dossier has a change by the very log.
func (d Dossier) HasChange(c Change) bool {
	return slices.ContainsFunc(d.Changes, func(mine Change) bool {
		return mine == c || mine.Log == (gov.Hash{}) && mine.Block == c.Block && mine.State == c.State && mine.Ends == c.Ends
	})
}

// Contradicted lists the logs of the dossier's changes that final blocks do not have. What was read as a state, without
// a log, is none.
func (d Dossier) Contradicted(final *Span, have func(Change) bool) (logs []gov.Hash) {
	if len(d.Changes) == 0 {
		return nil
	}
	for _, c := range d.Changes[1:] {
		if final.Has(c.Block.Number) && c.Log != (gov.Hash{}) && !have(c) {
			logs = append(logs, c.Log)
		}
	}
	return logs
}

// takenBack takes back the changes of blocks that are gone, and only those: what was gathered, decided, answered and
// awaited stands. Where no vote of ours was cast because voting was over, and it is open now, the proposal goes on
// where it stood.
func (d Dossier) takenBack(e WasTakenBack) (Dossier, bool) {
	if d.Stage == Unseen || d.Rewound || !d.lost(e) {
		return d, false
	}
	stand := []Change{d.Changes[0]}
	for _, c := range d.Changes[1:] {
		if !e.takes(c) {
			stand = append(stand, c)
		}
	}
	d.Changes = stand
	d.Proposal.State, d.Proposal.Ends = "", 0
	for _, c := range stand {
		d.Proposal = c.on(d.Proposal)
	}

	switch {
	case d.votable():
		return d, true
	case d.reopens(e.Head):
		d.reopen()
		return d, true
	case d.Vote.Status == gov.VoteFinal:
		d.Stage = AtVoted
	default:
		d.Stage = AtNotVoted
	}
	d.followState()
	return d, true
}

// takes reports whether a change is among those that did not happen.
func (e WasTakenBack) takes(c Change) bool {
	if len(e.Logs) > 0 {
		return slices.Contains(e.Logs, c.Log)
	}
	return c.Block.Number > e.To.Number
}

// lost reports whether any change is taken back. The creation, which comes first, is none.
func (d Dossier) lost(e WasTakenBack) bool {
	return len(d.Changes) > 0 && slices.ContainsFunc(d.Changes[1:], e.takes)
}

// reopened goes on where the proposal stood before it seemed over.
func (d Dossier) reopened(e WasReopened) (Dossier, bool) {
	d.Proposal.State, d.Proposal.Ends = e.State, max(d.Proposal.Ends, e.Ends)
	if d.Stage != AtNotVoted || !d.reopens(e.Head) {
		return d, false
	}
	d.reopen()
	return d, true
}

func (d *Dossier) reopen() {
	d.Stage, d.Vote = d.Left.Stage, d.Left.Vote
	d.NotVoted, d.Left = "", nil
	d.GatheredAt = 0 // what else was told of the end is read again before anything is signed
}

// reopens reports whether a vote was given up because voting was over, and it is open again.
func (d Dossier) reopens(head gov.Head) bool {
	if d.Left == nil || d.over(head) || d.Vote.Status == gov.VoteFinal || d.Vote.Status == gov.VoteReverted {
		return false
	}
	return d.NotVoted == NotOpen || d.NotVoted == NotHeldOpen || d.NotVoted == StoppedByHand
}

// followState moves a settled proposal along with the chain's state.
func (d *Dossier) followState() {
	if d.Stage != AtVoted && d.Stage != AtNotVoted && d.Stage != AtQueued {
		return
	}
	switch d.Proposal.State {
	case gov.StateQueued:
		d.Stage = AtQueued
	case gov.StateExecuted:
		d.Stage = AtExecuted
	case gov.StateDefeated:
		d.Stage = AtDefeated
	case gov.StateCanceled:
		d.Stage = AtCanceled
	case gov.StateExpired:
		d.Stage = AtExpired
	}
}
