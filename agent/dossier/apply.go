package dossier

import (
	"errors"
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// ErrNotNow is returned by Apply for an event that does not belong to the dossier's stage.
var ErrNotNow = errors.New("event does not belong to this stage")

// ApplyRecord applies a stored event; its sequence number must be the next.
func (d Dossier) ApplyRecord(r Record) (Dossier, error) {
	if r.Seq != d.Seq+1 {
		return d, fmt.Errorf("record %d of %s follows record %d", r.Seq, r.ID, d.Seq)
	}
	next, err := d.Apply(r.Event)
	if err != nil {
		return d, fmt.Errorf("record %d of %s: %w", r.Seq, r.ID, err)
	}
	next.Proposal.ID = r.ID // a stored proposal does not repeat it
	next.Records = append(next.Records[:len(next.Records):len(next.Records)], Meta{r.Seq, r.Type, r.Time, r.Digest()})
	return next, nil
}

// Apply is the only way a dossier changes. It returns [ErrNotNow] for an event that does not belong to
// the stage, and the dossier unchanged.
func (d Dossier) Apply(e Event) (Dossier, error) {
	next, ok := d.apply(e)
	if !ok {
		return d, fmt.Errorf("%s at stage %q, vote %q: %w", TypeOf(e), d.Stage, d.Vote.Status, ErrNotNow)
	}
	next.Seq = d.Seq + 1
	next.hear(e)
	next.Told = next.told()
	return next, nil
}

func (d Dossier) apply(e Event) (Dossier, bool) {
	bound := d.Vote.Status.Bound()
	switch e := e.(type) {
	case WasSeen:
		return d.seen(e)
	case WasRewound:
		return d.rewound()
	case WasTakenBack:
		return d.takenBack(e)
	case WasReopened:
		return d.reopened(e)
	case WasPreviewed:
		if d.Stage != AtSeen || !d.speaks(e.Gathered) {
			return d, false
		}
		d.gathered(e.Gathered, true)
		d.Verdict = &e.Verdict
		return d, true
	case WasGathered:
		if bound || (d.Stage != AtSeen && d.Stage != AtDecided && d.Stage != AtGathered) || !d.speaks(e.Gathered) {
			return d, false
		}
		d.gathered(e.Gathered, false)
		d.GatheredAt, d.Stage = e.Head.Latest.Time, AtGathered
		return d, true
	case WasDecided:
		if d.Stage != AtGathered || bound || e.Verdict.Facts != d.Gathered.Digest {
			return d, false
		}
		return d.decided(e), true
	case WasGated:
		if d.Stage != AtDecided || bound || e.Facts != d.Gathered.Digest {
			return d, false
		}
		d.Gate = &e
		if e.Model != nil {
			d.GateModel = e.Model
		}
		if d.Verdict.Direction == gov.For && e.Gate.Result != gov.GatePass {
			d.bar(e.Gate.Reasons...)
		}
		return d.restate(e.Head), true
	case WasHeld:
		if d.Stage != AtDecided || bound || e.Reason == "" || d.Canceled {
			return d, false
		}
		d.Held = &e
		if e.Direction == gov.For {
			d.bar(e.Reason)
		}
		return d.restate(e.Head), true
	case WasApproved:
		if bound || (d.Stage != AtDecided && d.Stage != AtGathered && !(d.Stage == AtSeen && e.Approval.OnContent())) {
			return d, false
		}
		d.Approval, d.Canceled, d.Vote.Status = &e.Approval, false, gov.VoteWaiting
		return d, true
	case WasCanceled:
		if bound || (d.Stage != AtDecided && d.Stage != AtGathered && d.Stage != AtSeen) {
			return d, false
		}
		d.Canceled, d.Approval = true, nil
		d.Vote.Status, d.Vote.Reason = gov.VoteCanceled, gov.HoldReason(StoppedByHand)
		return d, true
	case WasReminded:
		if d.Stage != AtDecided {
			return d, false
		}
		d.Reminded = append(d.Reminded[:len(d.Reminded):len(d.Reminded)], e.Before)
		return d, true
	case WasTimedOut:
		if d.Stage != AtDecided || bound {
			return d, false
		}
		d.TimedOut = &e
		return d.restate(e.Head), true
	case WasForecast:
		return d.foretold(e)
	case WasBriefed:
		return d.briefed(e)
	case WasChanged:
		return d.changed(e.Change)
	case WasClosed:
		if !d.stageOver() {
			return d, false
		}
		d.Stage = AtClosed
		return d, true
	}
	return d.applyVote(e)
}

func (d Dossier) stageOver() bool {
	return d.Stage == AtExecuted || d.Stage == AtDefeated || d.Stage == AtCanceled || d.Stage == AtExpired
}

// applyVote is the small life of the vote itself.
func (d Dossier) applyVote(e Event) (Dossier, bool) {
	v := &d.Vote
	switch e := e.(type) {
	case WasLocked:
		if v.Status.Bound() || d.Stage != AtDecided && !(d.Stage == AtSeen && e.OnContent()) {
			return d, false
		}
		d.Locked, d.Held = &e, nil
		if e.Holder != nil {
			d.Holder = *e.Holder
		}
		*v = gov.Vote{Status: gov.VoteLocked, Ballot: e.Ballot, Approval: e.Approval, Power: e.Power, Nonce: e.Tx.Nonce}
	case WasReleased:
		if v.Status != gov.VoteLocked && (d.Stage != AtDecided && d.Stage != AtSeen || v.Status.Bound()) {
			return d, false
		}
		d.released(e)
	case WasSigned:
		if v.Status != gov.VoteLocked && v.Status != gov.VoteSigned && v.Status != gov.VoteSent && v.Status != gov.VoteReverted {
			return d, false
		}
		if v.Status == gov.VoteReverted && d.Stage == AtNotVoted {
			d.Stage, v.Block = AtDecided, gov.Block{} // the same vote, made again
		}
		v.Status, v.Nonce, v.Tx, v.Raw = gov.VoteSigned, e.Tx.Nonce, e.Hash, e.Raw
	case WasSent:
		if v.Status != gov.VoteSigned && v.Status != gov.VoteSent {
			return d, false
		}
		v.Status = gov.VoteSent
	case WasMined:
		if !underWay(v.Status) {
			return d, false
		}
		v.Status, v.Block = gov.VoteMined, e.Receipt.Block
	case WasUnmined:
		if v.Status != gov.VoteMined {
			return d, false
		}
		v.Status, v.Block = gov.VoteSent, gov.Block{}
	case WasFinal:
		if !underWay(v.Status) && v.Status != gov.VoteExpired && v.Status != gov.VoteReverted {
			return d, false
		}
		v.Status, v.Block, v.Tx = gov.VoteFinal, e.Receipt.Block, e.Receipt.Tx
		d.voted()
	case WasReverted:
		if !underWay(v.Status) {
			return d, false
		}
		v.Status, v.Block = gov.VoteReverted, e.Receipt.Block
		d.notVoted("")
	case WasNotVoted:
		if d.Stage == Unseen || d.Stage == AtVoted || (d.Stage == AtClosed && !inFlight(v.Status)) || v.Status == gov.VoteFinal {
			return d, false
		}
		if v.Raw.Len() > 0 && !e.Status.Bound() {
			return d, false // what was signed is never nothing
		}
		d.leave()
		v.Status = e.Status
		d.notVoted(e.Why)
	default:
		return d, false
	}
	return d, true
}

func (d *Dossier) voted() {
	if d.Stage == AtDecided || d.Stage == AtNotVoted || d.Stage == AtSeen {
		d.Stage, d.NotVoted = AtVoted, ""
	}
	d.followState()
}

// underWay says whether a signed transaction may be in a block: also one that was signed and not known to be sent.
func underWay(s gov.VoteStatus) bool {
	return s == gov.VoteSigned || s == gov.VoteSent || s == gov.VoteMined
}

// speaks says whether a gathering is of this content: one that began before a reorganisation may end after it.
func (d Dossier) speaks(g Gathered) bool {
	return g.Content == (gov.Hash{}) || g.Content == d.Proposal.ContentHash
}

// released takes a vote back that has no signature. Facts that were refused are not voted on again, but for an Against
// that stands on them.
func (d *Dossier) released(e WasReleased) {
	facts := gov.Block{}
	if d.Gathered != nil {
		facts = d.Gathered.Facts.At
	}
	d.Refused = Refused{Times: d.Refused.Times + 1, Block: facts, At: e.Head.Latest.Time}
	d.GatheredAt, d.Locked = 0, nil
	if d.Vote.Status == gov.VoteLocked || !d.Canceled {
		d.Vote = gov.Vote{Status: gov.VoteWaiting}
	}
	if e.Answer {
		d.Approval = nil
	}
}

func (d *Dossier) notVoted(why NotVotedReason) {
	d.NotVoted = why
	if d.votable() {
		d.Stage = AtNotVoted
	}
	d.followState()
}

func (d Dossier) seen(e WasSeen) (Dossier, bool) {
	again := d.Stage == AtClosed && d.Rewound
	if d.Stage != Unseen && !again {
		return d, false
	}
	vote, locked := d.Vote, d.Locked
	if !vote.Status.Bound() || vote.Status == gov.VoteLocked {
		vote, locked = gov.Vote{}, nil // without a signature all is open again; the ledger bars another vote
	}
	next := Dossier{Proposal: e.Seen.Proposal, Text: e.Seen.Text, Shown: e.Seen.Shown, Stage: AtSeen, Vote: vote, Locked: locked, Seq: d.Seq, Records: d.Records, Head: d.Head,
		BackFilled: e.Head.Clock > e.Seen.Proposal.Ends,
		Changes:    []Change{{State: e.Seen.Proposal.State, Ends: e.Seen.Proposal.Ends, Block: e.Seen.Proposal.Created, Log: e.Seen.Log}}}
	if again && e.Seen.Proposal.ContentHash == d.Proposal.ContentHash && e.Seen.Proposal.DescriptionHash == d.Proposal.DescriptionHash {
		next.keep(d)
	}
	if vote.Status.Bound() {
		if d.Verdict != nil {
			next.Stage = AtDecided // our vote on this id is signed: it is followed, never decided again
		}
		next.Gathered, next.Provisional, next.GatheredAt, next.Standing = d.Gathered, d.Provisional, d.GatheredAt, d.Standing
		next.Verdict, next.Holder, next.Plan, next.Gate = d.Verdict, d.Holder, d.Plan, d.Gate
		switch vote.Status {
		case gov.VoteFinal:
			next.Stage = AtVoted
		case gov.VoteReverted, gov.VoteExpired:
			next.Stage, next.NotVoted = AtNotVoted, d.NotVoted
		}
	}
	return next, true
}

// keep takes over from before a reorganisation what must not be forgotten about the same content: what a
// person said, what was held because of text, an Against that stands, and since when.
func (d *Dossier) keep(before Dossier) {
	d.Barred, d.TimedOut, d.Standing, d.Approval = before.Barred, before.TimedOut, before.Standing, before.Approval
	d.Since, d.FirstDecided, d.Reminded, d.Canceled = before.Since, before.FirstDecided, before.Reminded, before.Canceled
	d.Refused, d.GateModel = before.Refused, before.GateModel
	if d.Canceled && !d.Vote.Status.Bound() {
		d.Vote.Status, d.Vote.Reason = gov.VoteCanceled, gov.HoldReason(StoppedByHand)
	}
}

// rewound may also reach a proposal that was closed since, by a log that is gone.
func (d Dossier) rewound() (Dossier, bool) {
	if d.Stage == Unseen || (d.Stage == AtClosed && d.Rewound) {
		return d, false
	}
	d.Stage, d.Rewound, d.Proposal.State = AtClosed, true, ""
	if !d.Vote.Status.Bound() || d.Vote.Status == gov.VoteLocked {
		d.Vote, d.Locked = gov.Vote{Status: gov.VoteCanceled}, nil
	}
	return d, true
}

func (d *Dossier) gathered(g Gathered, provisional bool) {
	shown := d.Shown
	shown.Merge(g.Shown)
	d.Gathered, d.Shown, d.Provisional, d.Gate = &g, shown, provisional, nil
}

func (d Dossier) decided(e WasDecided) Dossier {
	v := e.Verdict
	d.Stage, d.Verdict, d.Holder, d.Plan = AtDecided, &v, e.Holder, e.Plan
	now := max(e.Head.Latest.Time, d.Proposal.Created.Time) // nothing is decided before it was proposed
	if d.FirstDecided == 0 {
		d.FirstDecided = now
	}
	if d.Since[v.Direction] == 0 {
		d.Since[v.Direction] = now
	}
	if i := slices.IndexFunc(v.Reasons, gov.HoldReason.Failure); v.Direction == gov.Hold && i >= 0 {
		d.bar(v.Reasons[i])
	}
	d.stand(e)
	if d.Held != nil && d.Held.Direction != d.Final() {
		d.Held = nil
	}
	return d.restate(e.Head)
}

// bar makes a For a person's from now on. The first reason stays.
func (d *Dossier) bar(reasons ...gov.HoldReason) {
	if d.Barred != "" {
		return
	}
	d.Barred = gov.HoldNoAnswer // a gate that gave none, or an empty one
	if i := slices.IndexFunc(reasons, func(r gov.HoldReason) bool { return r != "" }); i >= 0 {
		d.Barred = reasons[i]
	}
}

// stand keeps, renews or lifts an Against.
func (d *Dossier) stand(e WasDecided) {
	if e.Verdict.Direction == gov.Against {
		d.Standing = &Standing{*d.Gathered, e.Verdict, e.Plan.Wait}
		return
	}
	if d.Standing == nil {
		return
	}
	if again := e.Standing; again != nil { // by the policy of now
		if again.Direction != gov.Against {
			d.Standing = nil
			return
		}
		d.Standing = &Standing{d.Standing.Gathered, *again, d.Standing.Wait}
	}
	if lifted(d.Standing.Verdict, e.Verdict) {
		d.Standing = nil
	}
}

// lifted says whether every Against of the policy is false on fresh facts: only that lifts an Against that stands;
// unavailable, unknown or late facts do not. An Against by `otherwise`, where no rule was true, is false only when one is.
func lifted(stands, fresh gov.Verdict) bool {
	byRule := slices.ContainsFunc(stands.Trace, func(t gov.Trace) bool { return t.Vote == gov.Against && t.Result == gov.True })
	one := false
	for _, t := range fresh.Trace {
		if t.Vote == gov.Against && t.Result != gov.False {
			return false
		}
		one = one || t.Result == gov.True
	}
	return len(fresh.Trace) > 0 && (byRule || one)
}

// restate sets what the vote's status is before it is bound.
func (d Dossier) restate(head gov.Head) Dossier {
	if d.Canceled {
		return d
	}
	c := d.Choice(head)
	d.Vote.Status, d.Vote.Reason = gov.VoteWaiting, ""
	waitsForGate := d.Verdict.Direction == gov.For && d.Gate == nil && d.TimedOut == nil && c.Reason == ""
	if c.Direction == gov.Hold && !waitsForGate {
		d.Vote.Status, d.Vote.Reason = gov.VoteHeld, c.Reason
		if d.TimedOut != nil {
			d.Vote.Status = gov.VoteNoVote
		}
	}
	if d.Held != nil && c.Direction == d.Held.Direction && c.By == gov.ByPolicy {
		d.Vote.Status, d.Vote.Reason = gov.VoteHeld, d.Held.Reason
	}
	return d
}
