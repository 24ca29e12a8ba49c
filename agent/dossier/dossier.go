package dossier

import (
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// Stage is where a proposal stands with us; its State is the chain's word. The zero value is unseen.
type Stage string

// The stages, in the order of a life.
const (
	Unseen     Stage = ""
	AtSeen     Stage = "seen"
	AtGathered Stage = "gathered"
	AtDecided  Stage = "decided"
	AtVoted    Stage = "voted"
	AtNotVoted Stage = "not_voted"
	AtQueued   Stage = "queued"
	AtExecuted Stage = "executed"
	AtDefeated Stage = "defeated"
	AtCanceled Stage = "canceled"
	AtExpired  Stage = "expired"
	AtClosed   Stage = "closed"
)

// Dossier is all that is known of one proposal: the fold of its records.
type Dossier struct {
	Proposal gov.Proposal
	Text     Text
	Shown    Shown
	Stage    Stage
	// Provisional: gathered at the head, before finality; never signed.
	Provisional bool

	Gathered   *Gathered
	GatheredAt gov.UnixTime // chain time of the head at the last final gathering
	Verdict    *gov.Verdict
	Holder     gov.Holder
	Plan       Plan
	// Since is the first decision of each direction; the wait runs from it once.
	Since [4]gov.UnixTime
	// FirstDecided is the first decision on final facts.
	FirstDecided gov.UnixTime
	Gate         *WasGated
	// GateModel is what a model last said of the texts, where the gate requires one; kept, so that it is asked once.
	GateModel *GateModel
	// Brief is the newest brief; BriefedOn is the basis of the facts that the last one was written on with which a model
	// has nothing more to do, DraftedOn that of the last of all.
	Brief     *Brief
	BriefedOn gov.Digest
	DraftedOn gov.Digest
	// Forecast is the newest forecast of the vote; ForecastAt the chain time of the last try, ForecastAgain of the next.
	Forecast      *gov.Forecast
	ForecastAt    gov.UnixTime
	ForecastAgain gov.UnixTime
	// Barred is why only a person votes for from now on, and no hold times out into a vote: the reason of the first hold
	// because of text, context, a model, something unknown or unavailable, or the budget (claim 1).
	Barred gov.HoldReason
	// Held is the vote for which the holder's limits had no room.
	Held *WasHeld
	// Standing is an Against that no later gathering has lifted.
	Standing *Standing
	TimedOut *WasTimedOut
	Approval *gov.Approval
	Canceled bool
	Reminded []string
	Vote     gov.Vote
	Locked   *WasLocked // the provenance of a bound vote
	Refused  Refused
	NotVoted NotVotedReason
	Rewound  bool
	// Changes is what the chain was read to do with it: its creation first, then each change in the order of reading.
	// A reorganisation takes back those of the blocks that are gone.
	Changes []Change
	// Left is where it stood when it was found that no vote of ours is cast; nil before.
	Left *Left
	// Head is the newest head of which the records tell.
	Head gov.Head
	// Told is the decision that people were last told of.
	Told Told
	// BackFilled: voting was over before we saw the proposal; nobody is told of it.
	BackFilled bool

	Seq     int64
	Records []Meta
}

// Standing is a decision for Against with the facts that gave it, and its own wait: what a later decision
// waits for does not delay it.
type Standing struct {
	Gathered Gathered
	Verdict  gov.Verdict
	Wait     int64
}

// Left is a stage that was left without a vote, with the vote as it was: where a proposal goes on whose end did not happen.
type Left struct {
	Stage Stage
	Vote  gov.Vote
}

// Refused counts how often the grounds of a vote were refused when it was to be signed: each time it is gathered
// again later, and at another block, so that a wrong clock or a node that stands still fills no journal.
type Refused struct {
	Times int
	Block gov.Block    // of the facts that were refused last
	At    gov.UnixTime // chain time of the refusal
}

// again is from when the next gathering after a refusal makes sense: at once after the first, which a new policy or a
// reorganisation explains, then after one minute, two, four, at most an hour.
func (r Refused) again() gov.UnixTime {
	if r.Times <= 1 {
		return 0
	}
	return r.At + gov.UnixTime(min(60<<min(r.Times-2, 6), 3600))
}

// Meta is a record without its body.
type Meta struct {
	Seq    int64      `json:"seq"`
	Type   string     `json:"type"`
	Time   time.Time  `json:"time"`
	Digest gov.Digest `json:"digest"`
}

// ID is the proposal's id.
func (d Dossier) ID() gov.ProposalID { return d.Proposal.ID }

// Final is the direction after the gate: what the policy wants on chain now. A standing Against counts;
// a For without a gate's answer, or after a hold that only a person answers, does not.
func (d Dossier) Final() gov.Direction {
	if d.Standing != nil {
		return gov.Against
	}
	if d.Verdict == nil {
		return gov.Hold
	}
	gate := gov.Gated{}
	if d.Gate != nil {
		gate = d.Gate.Gate
	}
	if d.Verdict.Direction == gov.For && (d.Barred != "" || d.TimedOut != nil) {
		return gov.Hold // after such a hold, or one that nobody answered
	}
	return gov.Final(d.Verdict.Direction, gate)
}

// Grounds is the gathering that a choice stands on: that of a standing Against, else the newest; none where it is the
// holder's on the content alone.
func (d Dossier) Grounds(c Choice) Gathered {
	if c.Content || d.Gathered == nil {
		return Gathered{}
	}
	if c.Standing && d.Standing != nil {
		return d.Standing.Gathered
	}
	return *d.Gathered
}

// LockedOn is the gathering that the bound vote was locked on.
func (d Dossier) LockedOn() Gathered {
	return d.Grounds(Choice{Standing: d.Locked != nil && d.Locked.Standing, Content: d.Locked != nil && d.Locked.OnContent()})
}

// Fold applies records in order to an empty dossier.
func Fold(records []Record) (Dossier, error) {
	var d Dossier
	for _, r := range records {
		var err error
		if d, err = d.ApplyRecord(r); err != nil {
			return d, err
		}
	}
	return d, nil
}
