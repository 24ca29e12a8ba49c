package dossier

import (
	"cmp"

	"github.com/legate-dao/legate/agent/gov"
)

// Stake is how much an Against on the proposal has to prevent, by the facts that it would stand on and by the newest.
func (d Dossier) Stake() gov.Stake {
	var s gov.Stake
	if d.Gathered != nil {
		s = gov.StakeOf(d.Gathered.Facts)
	}
	if d.Standing != nil {
		s = max(s, gov.StakeOf(d.Standing.Gathered.Facts))
	}
	return s
}

// Turn is what the order of a key's votes goes by: as much of a dossier as says what is cast when, and how much is at
// stake. The journal keeps it beside the records, so that planning a vote reads no other dossier.
type Turn struct {
	ID    gov.ProposalID `json:"id"`
	Stake gov.Stake      `json:"stake"`
	// Waits: the proposal is decided, and its vote waits for its time or its turn.
	Waits bool `json:"waits"`

	Clock    gov.Clock       `json:"clock"`
	Starts   gov.Clocks      `json:"starts"`
	Ends     gov.Clocks      `json:"ends"`
	Plan     Plan            `json:"plan"`
	Since    [4]gov.UnixTime `json:"since"`
	First    gov.UnixTime    `json:"first"`
	Final    gov.Direction   `json:"final"`
	Canceled bool            `json:"canceled,omitempty"`
	// Answer is the holder's, where it speaks of the facts that are known.
	Answer *TurnAnswer `json:"answer,omitempty"`
	// Stands is the wait of the Against that stands, nil without one.
	Stands *int64 `json:"stands,omitempty"`
	// TimedOut is what a hold that nobody answered became.
	TimedOut gov.Direction `json:"timed_out"`
}

// TurnAnswer is a holder's answer and how long it counts.
type TurnAnswer struct {
	Support gov.Support  `json:"support"`
	Expires gov.UnixTime `json:"expires"`
}

// Turn is the dossier's own. Its stake needs whole facts.
func (d Dossier) Turn() Turn {
	t := Turn{
		ID: d.ID(), Stake: d.Stake(), Waits: d.Stage == AtDecided && d.Vote.Status == gov.VoteWaiting,
		Clock: d.Proposal.Clock, Starts: d.Proposal.Starts, Ends: d.Proposal.Ends, Plan: d.Plan,
		Since: d.Since, First: d.FirstDecided, Final: d.Final(), Canceled: d.Canceled,
	}
	if a := d.Approval; a != nil && d.approves(*a, gov.Head{}) {
		t.Answer, t.Stake = &TurnAnswer{a.Support, a.Expires}, gov.MostStake // a person weighed it, and no decoy comes before
	}
	if d.Standing != nil {
		wait := d.Standing.Wait
		t.Stands = &wait
	}
	if d.TimedOut != nil && d.mayTimeOut() {
		t.TimedOut = d.TimedOut.Direction
	}
	return t
}

// dossier is one of which [Dossier.Choice] says the same, but for its words.
func (t Turn) dossier() Dossier {
	content := gov.Hash{1} // whichever: an answer that counts speaks of it
	d := Dossier{
		Proposal: gov.Proposal{ID: t.ID, Clock: t.Clock, Starts: t.Starts, Ends: t.Ends, ContentHash: content},
		Gathered: &Gathered{}, Verdict: &gov.Verdict{Direction: t.Final}, Gate: &WasGated{Gate: gov.Gated{Result: gov.GatePass}},
		Plan: t.Plan, Since: t.Since, FirstDecided: t.First, Canceled: t.Canceled,
	}
	if t.Answer != nil {
		d.Approval = &gov.Approval{Proposal: t.ID, ContentHash: content, Support: t.Answer.Support, Expires: t.Answer.Expires}
	}
	if t.Stands != nil {
		d.Standing = &Standing{Wait: *t.Stands}
	}
	if t.Final == gov.Hold && t.TimedOut != gov.Hold {
		d.Verdict.Reasons = []gov.HoldReason{gov.HoldByRule}
		d.TimedOut = &WasTimedOut{Direction: t.TimedOut}
	}
	return d
}

// Choice is what the dossier's own says at a head, without the words for it.
func (t Turn) Choice(head gov.Head) Choice {
	c := t.dossier().Choice(head)
	return Choice{Direction: c.Direction, By: c.By, Due: c.Due}
}

// Before reports whether this vote goes before another of the same key, where both are due: an Against first, of these the
// one with more at stake, then the nearest deadline. head and theirs are the heads of the two governors.
//
// What has little time left waits for none but an Against that has as little and more at stake: so neither the deadline
// of a decoy nor their number puts it ahead of what it is to cover.
func (t Turn) Before(o Turn, head, theirs gov.Head) bool {
	d, other := t.dossier(), o.dossier()
	mine, his := d.Choice(head), other.Choice(theirs)
	if !t.Waits || !t.Plan.Live || !d.due(mine, head) || head.Latest.Time >= mine.Due+turn {
		return false
	}

	against := mine.Direction == gov.Against
	both := against && his.Direction == gov.Against
	if other.rushed(theirs) && !(both && t.Stake > o.Stake && d.rushed(head)) {
		return false
	}
	if !both && (against || his.Direction == gov.Against) {
		return against
	}
	if both && t.Stake != o.Stake {
		return t.Stake > o.Stake
	}
	return cmp.Or(cmp.Compare(d.Window(head).Closes, other.Window(theirs).Closes), cmp.Compare(t.ID.String(), o.ID.String())) < 0
}

// rushed says whether so little time is left before the close that the vote waits for no other any more.
func (d Dossier) rushed(head gov.Head) bool {
	return head.Latest.Time > d.Window(head).Closes-gov.UnixTime(d.Plan.Margin)-rush
}
