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
	return WasTakenBack{To: to, Head: head}, d.lost(to)
}

// takenBack takes back the changes of blocks that are gone, and only those: what was gathered, decided, answered and
// awaited stands. Where no vote of ours was cast because voting was over, and it is open now, the proposal goes on
// where it stood.
func (d Dossier) takenBack(e WasTakenBack) (Dossier, bool) {
	if d.Stage == Unseen || d.Rewound || !d.lost(e.To) {
		return d, false
	}
	stand := []Change{d.Changes[0]}
	for _, c := range d.Changes[1:] {
		if c.Block.Number <= e.To.Number {
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
		d.Stage, d.Vote = d.Left.Stage, d.Left.Vote
		d.NotVoted, d.Left = "", nil
		d.GatheredAt = 0 // what else the lost blocks told is read again before anything is signed
		return d, true
	case d.Vote.Status == gov.VoteFinal:
		d.Stage = AtVoted
	default:
		d.Stage = AtNotVoted
	}
	d.followState()
	return d, true
}

// lost reports whether a change was read in a block above to. The creation, which comes first, is none.
func (d Dossier) lost(to gov.Block) bool {
	return len(d.Changes) > 0 && slices.ContainsFunc(d.Changes[1:], func(c Change) bool { return c.Block.Number > to.Number })
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
