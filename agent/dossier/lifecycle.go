package dossier

import (
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// StepKind is something owed to a proposal.
type StepKind string

// The steps. Each is one durable job; doing one twice gives the same end.
const (
	Preview  StepKind = "preview"  // a provisional dossier at the head
	Gather   StepKind = "gather"   // facts at a final block
	Decide   StepKind = "decide"   // the policy, on the gathered facts
	Gate     StepKind = "gate"     // text and context; only a For waits for it
	Foretell StepKind = "forecast" // how the vote may end; only a gate that reads it waits for it
	Write    StepKind = "brief"    // a summary for people; nothing waits for it
	Remind   StepKind = "remind"   // tell the holder that a hold nears its end
	TimeOut  StepKind = "timeout"  // the hold met `latest`
	Lock     StepKind = "lock"     // pre-flight, plan, record the provenance
	Sign     StepKind = "sign"     // ledger line, then signature
	Send     StepKind = "send"     // broadcast the stored bytes
	Confirm  StepKind = "confirm"  // look for the receipt; send again; finality
	Settle   StepKind = "settle"   // read the chain's state after a deadline
	Close    StepKind = "close"    // nothing more is owed
)

// Step is one thing owed to one proposal. Basis tells a repeated step from the same step: jobs are
// unique by (proposal, kind, basis).
type Step struct {
	ID    gov.ProposalID `json:"id"`
	Kind  StepKind       `json:"kind"`
	Basis string         `json:"basis"`
}

// reminders are how long before `latest` a hold is called to mind, in seconds.
var reminders = []struct {
	name   string
	before gov.UnixTime
}{{"24h", 86400}, {"2h", 7200}}

// Next lists all steps owed now. It is pure and total: same dossier, same head, same steps.
func Next(d Dossier, head gov.Head) []Step {
	var steps []Step
	owe := func(k StepKind, basis string) { steps = append(steps, Step{d.ID(), k, basis}) }
	if d.Vote.Status.Bound() {
		nextBound(d, head, owe)
	}
	if basis, owed := d.brief(); owed {
		owe(Write, basis)
	}
	if d.Proposal.State == gov.StatePending && d.open(head) && d.Stage != AtSeen && d.Stage != AtGathered && d.Stage != AtClosed {
		owe(Settle, "opened") // that voting opens leaves no log
	}
	switch d.Stage {
	case AtSeen:
		if d.Vote.Status.Bound() {
			break // the holder's answer on the content alone: nothing is gathered for it
		}
		if d.over(head) {
			owe(Settle, "closed")
			break
		}
		if d.castable(head) {
			owe(Lock, fmt.Sprint(d.Seq))
		}
		if d.Gathered == nil {
			owe(Preview, blockBasis(d.Proposal.Created))
		}
		if head.Final.Number >= d.Proposal.Created.Number {
			owe(Gather, "first/"+blockBasis(d.Proposal.Created))
		}
	case AtGathered:
		owe(Decide, fmt.Sprint(d.Seq))
	case AtDecided:
		if d.foretellable(head) {
			owe(Foretell, fmt.Sprint(int64(d.ForecastAt)))
		}
		if !d.Vote.Status.Bound() {
			nextVote(d, head, owe)
		}
	case AtVoted, AtNotVoted, AtQueued:
		if d.Stage == AtNotVoted && d.reopens(head) {
			// the end was a mistake, or a lie: the chain is asked again while it can be put right
			owe(Settle, fmt.Sprintf("reopen/%d", int64(head.Latest.Time)/60))
		}
		if d.over(head) && !d.Proposal.State.Over() {
			// defeat, success and expiry leave no log: the state is read once an hour
			owe(Settle, fmt.Sprint(int64(head.Latest.Time)/3600))
		}
	case AtExecuted, AtDefeated, AtCanceled, AtExpired:
		if !inFlight(d.Vote.Status) {
			owe(Close, "")
		}
	}
	return steps
}

func blockBasis(b gov.Block) string { return fmt.Sprintf("%d-%x", b.Number, b.Hash[:6]) }

// inFlight says whether a vote's end is still open.
func inFlight(s gov.VoteStatus) bool {
	return s == gov.VoteLocked || s == gov.VoteSigned || s == gov.VoteSent || s == gov.VoteMined
}

// nextBound follows a vote whose ledger line exists, or is about to: nothing is decided again.
func nextBound(d Dossier, head gov.Head, owe func(StepKind, string)) {
	switch d.Vote.Status {
	case gov.VoteLocked:
		if d.over(head) {
			owe(Settle, "closed") // what was not signed in time holds up no other vote of the key
			return
		}
		owe(Sign, fmt.Sprint(d.Seq))
	case gov.VoteSigned:
		if d.over(head) || d.Swapped() {
			owe(Confirm, fmt.Sprint(head.Latest.Number)) // it may have been sent before a crash
			return
		}
		owe(Send, fmt.Sprint(d.Seq))
	case gov.VoteSent, gov.VoteMined:
		owe(Confirm, fmt.Sprint(head.Latest.Number))
	case gov.VoteReverted:
		if d.open(head) && !d.Proposal.State.Over() && !d.Swapped() {
			owe(Confirm, fmt.Sprint(head.Latest.Number)) // the same vote is made again with more gas
		}
	case gov.VoteExpired:
		// until the close is final a reorganisation may still bring a block that has it
		if d.Vote.Raw.Len() > 0 && head.Final.Time <= d.Window(head).Closes {
			owe(Confirm, fmt.Sprint(head.Latest.Number))
		}
	}
}

// Swapped says whether the chain holds other content under the id than the bound vote was made for: it is then
// watched, and never sent again (G20).
func (d Dossier) Swapped() bool {
	return d.Locked != nil && d.Locked.Content != (gov.Hash{}) && d.Locked.Content != d.Proposal.ContentHash
}

// nextVote is what a decided proposal is owed until it is voted or voting is over.
func nextVote(d Dossier, head gov.Head, owe func(StepKind, string)) {
	if d.over(head) {
		owe(Settle, "closed")
		return
	}
	w := d.Window(head)
	if d.Verdict.Direction == gov.For && d.Gate == nil && d.Standing == nil && d.foreseen(head, w) {
		owe(Gate, d.Gathered.Digest.String()+fmt.Sprint(d.Seq))
	}
	if d.snapshotPassed(head, w) && d.gatherable(head) {
		owe(Gather, "snapshot/"+fmt.Sprint(d.Proposal.Starts))
	}
	choice := d.Choice(head)
	if choice.Direction == gov.Hold {
		nextHeld(d, head, w, choice, owe)
		return
	}
	if !d.due(choice, head) {
		return
	}
	if !d.Plan.Live {
		owe(Lock, "not-live") // records that nothing is sent
		return
	}
	if choice.Content { // no facts stand behind it, so it waits for none
		if head.Latest.Time >= d.Refused.again() {
			owe(Lock, fmt.Sprint(d.Seq))
		}
		return
	}
	if d.Vote.Status == gov.VoteHeld { // by the budget: it is tried again, and a person can answer
		d.remind(head, w, owe)
	}
	// gathered and decided again right before signing; a standing Against signs on its own facts when that fails
	if late := d.GatheredAt < choice.Due; late || d.aged(d.Gathered.Facts, head) {
		if (late || d.newer(head)) && d.gatherable(head) {
			owe(Gather, fmt.Sprintf("due/%d/%d", choice.Due, head.Final.Number))
		}
		if !choice.stands || head.Latest.Time < choice.Due+gov.UnixTime(standingGrace) {
			return
		}
	}
	if head.Latest.Time < d.Refused.again() || d.Refused.Times > 1 && !choice.Standing && d.Gathered.Facts.At == d.Refused.Block {
		return
	}
	owe(Lock, fmt.Sprint(d.Seq))
}

// castable reports whether the holder's answer on the content alone is to be cast though there are no facts: its block
// is final, so that the content is agreed.
func (d Dossier) castable(head gov.Head) bool {
	return d.Choice(head).Content && d.open(head) && head.Final.Number >= d.Proposal.Created.Number && head.Latest.Time >= d.Refused.again()
}

// due says whether a choice is to be cast now, by its wait and the voting window.
func (d Dossier) due(c Choice, head gov.Head) bool {
	return c.Direction != gov.Hold && head.Latest.Time >= c.Due && d.open(head) && head.Latest.Time <= d.Window(head).Closes-gov.UnixTime(d.Plan.Margin)
}

// turn is for how long, in seconds after it is due, other votes of the key wait for one that comes first. It is bounded:
// what cannot be cast holds up nothing.
const turn = 600

// rush is how little time, in seconds before the close, a vote has left when it waits for no other any more.
const rush = 120

// Before reports whether this proposal's vote goes before that of another of the same key: see [Turn.Before].
func (d Dossier) Before(o Dossier, head, theirs gov.Head) bool {
	return d.Turn().Before(o.Turn(), head, theirs)
}

// Late says whether a vote is due, not sent, and only the last quarter of its window is left.
func (d Dossier) Late(head gov.Head) bool {
	if d.Stage != AtDecided || !d.Plan.Live || !d.ending(head) {
		return false
	}
	if d.Vote.Status.Bound() {
		return d.Vote.Status == gov.VoteLocked || d.Vote.Status == gov.VoteSigned
	}
	return d.due(d.Choice(head), head)
}

// Undecided says whether only the last quarter of the window is left and there is no decision yet, on whatever facts.
func (d Dossier) Undecided(head gov.Head) bool {
	return (d.Stage == AtSeen || d.Stage == AtGathered) && d.FirstDecided == 0 && !d.Canceled && !d.Vote.Status.Bound() && d.ending(head)
}

// ending says whether the last quarter of the window has begun.
func (d Dossier) ending(head gov.Head) bool {
	w := d.Window(head)
	return d.open(head) && head.Latest.Time > w.Closes-(w.Closes-w.Opens)/4
}

// aged says whether facts are too old to be signed on, by the chain's time.
func (d Dossier) aged(f gov.Facts, head gov.Head) bool {
	return int64(head.Latest.Time-f.At.Time) > d.Plan.MaxAge
}

// newer says whether there is a final block that the facts are not of. While finality stalls there is none, and to
// gather again brings the same.
func (d Dossier) newer(head gov.Head) bool {
	at := d.Gathered.Facts.At
	return head.Final.Number > at.Number || head.Final.Hash != at.Hash
}

// gatherable says whether to gather again now: after refusals only at another block, and not at once.
func (d Dossier) gatherable(head gov.Head) bool {
	return d.Refused.Times <= 1 || head.Latest.Time >= d.Refused.again() && head.Final != d.Refused.Block
}

// standingGrace is how long, in seconds, a standing Against waits for fresh facts before it is signed on
// the facts that gave it: long enough for a stalled node to come back, short beside any voting window.
const standingGrace = 600

// nextHeld reminds the holder, and at `latest` ends the hold as the policy says.
func nextHeld(d Dossier, head gov.Head, w Window, c Choice, owe func(StepKind, string)) {
	if d.TimedOut != nil || d.Canceled {
		return
	}
	if d.mayBeHad() && d.gatherable(head) {
		// what could not be had may be had later: once an hour until `latest`
		if hours := int64(head.Latest.Time-d.GatheredAt) / 3600; hours > 0 && head.Latest.Time < w.Latest {
			owe(Gather, fmt.Sprintf("retry/%d/%d", d.GatheredAt, head.Final.Number/300))
		}
	}
	if c.Reason != "" { // else it waits for the gate only
		d.remind(head, w, owe)
	}
	if head.Latest.Time >= w.Latest && d.open(head) {
		owe(TimeOut, "")
	}
}

func (d Dossier) remind(head gov.Head, w Window, owe func(StepKind, string)) {
	until := w.Latest
	for _, r := range slices.Backward(reminders) { // only the nearest: a hold that begins late is not told twice at once
		if head.Latest.Time >= w.Latest-r.before && head.Latest.Time < until && !slices.Contains(d.Reminded, r.name) {
			owe(Remind, r.name)
		}
		until = w.Latest - r.before
	}
}

// patience is for how long, in seconds of chain time, facts that failed to be read are read again before a hold is
// put on record, which only a person can answer with a For.
const patience = 3600

// Patient says whether a gathering that is owed, and in which reads failed, may be tried again before it is recorded.
// It counts from when the gathering was owed, and takes a quarter of what is left then at most: the person needs time
// too. At `latest` it ends, but not for a hold that has timed out: nobody is asked any more.
func (d Dossier) Patient(head gov.Head) bool {
	w, from := d.Window(head), d.Head.Latest.Time
	owed := []gov.UnixTime{w.Opens}
	if d.Gathered != nil && d.Stage == AtDecided {
		owed = append(owed, d.Choice(head).Due, d.Gathered.Facts.At.Time+gov.UnixTime(d.Plan.MaxAge))
	}
	for _, t := range owed {
		if t <= head.Latest.Time {
			from = max(from, t)
		}
	}
	return head.Latest.Time < from+min(patience, (w.Closes-from)/4) && (head.Latest.Time < w.Latest || d.TimedOut != nil)
}

// Answered says whether the holder's answer counts on the facts that are known now.
func (d Dossier) Answered(head gov.Head) bool {
	return d.Stage == AtDecided && d.Approval != nil && d.approves(*d.Approval, head)
}

// mayBeHad says whether something that could not be had is among the reasons of a hold.
func (d Dossier) mayBeHad() bool {
	return d.Verdict.Direction == gov.Hold && slices.ContainsFunc(d.Verdict.Reasons, gov.HoldReason.Failure)
}

// snapshotPassed says whether the facts are older than a snapshot that is final by now: power and
// delegation are fixed there, so the proposal is gathered and decided again.
func (d Dossier) snapshotPassed(head gov.Head, w Window) bool {
	return d.GatheredAt < w.Opens && head.Final.Time >= w.Opens && d.open(head)
}

// open says whether votes count now, by the governor's own clock.
func (d Dossier) open(head gov.Head) bool {
	return head.Clock > d.Proposal.Starts && head.Clock <= d.Proposal.Ends
}

// over says whether voting has ended, or the chain has ended the proposal.
func (d Dossier) over(head gov.Head) bool {
	return head.Clock > d.Proposal.Ends || d.Proposal.State.Over()
}

// Window is the voting window in chain time, as estimated at one head.
type Window struct {
	Opens, Closes, Latest gov.UnixTime
	TooShort              bool // shorter than wait + latest
}

// Window estimates when voting opens and closes. Deadlines are read again at every head, extensions included.
func (d Dossier) Window(head gov.Head) Window {
	w := Window{
		Opens:  head.At(d.Proposal.Clock, d.Proposal.Starts),
		Closes: head.At(d.Proposal.Clock, d.Proposal.Ends),
	}
	w.Latest = w.Closes - gov.UnixTime(d.Plan.Latest)
	from := max(w.Opens, d.FirstDecided)
	w.TooShort = int64(w.Closes-from) < d.Plan.Wait+d.Plan.Latest
	return w
}

// Choice is what is to be cast, by whom, and from when. A Hold carries its reason.
type Choice struct {
	Direction gov.Direction
	By        gov.By
	Rule      gov.Label
	Due       gov.UnixTime
	// Standing: an Against that is signed on the facts that gave it, whatever their age.
	Standing bool
	// Content: the holder's answer over the content hash alone. No facts stand behind it.
	Content bool
	Reason  gov.HoldReason
	stands  bool // an Against that may be signed so when no fresh facts can be had
}

// Choice says what is to be cast at a head. The holder's signed answer comes first, then the holder's
// cancel, then an Against that stands, then the verdict after its gate, then a time-out.
func (d Dossier) Choice(head gov.Head) Choice {
	w := d.Window(head)
	if a := d.Approval; a != nil && d.approves(*a, head) {
		return Choice{Direction: a.Support.Direction(), By: gov.ByHolder, Due: w.Opens, Content: a.OnContent()}
	}
	if d.Canceled {
		return Choice{Reason: gov.HoldReason(StoppedByHand)}
	}
	if d.Standing != nil {
		return Choice{Direction: gov.Against, By: gov.ByPolicy, Rule: d.Standing.Verdict.Rule, Due: d.againstDue(w), stands: true,
			Standing: d.Verdict == nil || d.Verdict.Direction != gov.Against || d.Refused.Times > 0 || d.aged(d.Standing.Gathered.Facts, head)}
	}
	final := d.Final()
	if final == gov.Hold {
		return d.timedOut(w)
	}
	c := Choice{Direction: final, By: gov.ByPolicy, Rule: d.Verdict.Rule, Due: max(w.Opens, d.Since[final]+gov.UnixTime(d.Plan.Wait))}
	// a wait that would end after the close is a short window too: for instance that of a For that came late
	if w.TooShort || c.Due > w.Closes-gov.UnixTime(d.Plan.Margin) {
		if !d.Plan.VoteShort {
			return Choice{Reason: gov.HoldTooShort}
		}
		c.Due = w.Opens
	}
	return c
}

// againstDue is from when a standing Against is cast: after its own wait, and at once where the time from its first
// decision to the close is too short for that, however early other directions were decided.
func (d Dossier) againstDue(w Window) gov.UnixTime {
	from := max(w.Opens, d.Since[gov.Against])
	if w.TooShort || int64(w.Closes-from) < d.Standing.Wait+d.Plan.Latest {
		return w.Opens
	}
	return max(w.Opens, d.Since[gov.Against]+gov.UnixTime(d.Standing.Wait))
}

// timedOut is what a hold became at `latest`, or the hold itself.
func (d Dossier) timedOut(w Window) Choice {
	if d.TimedOut != nil && d.TimedOut.Direction != gov.Hold && d.mayTimeOut() {
		return Choice{Direction: d.TimedOut.Direction, By: gov.ByPolicy, Rule: d.Verdict.Rule, Due: w.Latest}
	}
	return Choice{Reason: d.holdReason()}
}

// mayTimeOut says whether the hold has known content facts as its only reasons, and so had every hold before it.
func (d Dossier) mayTimeOut() bool { return d.Verdict != nil && d.Verdict.Timely() && d.Barred == "" }

// TimeOutDirection is what the policy casts for this hold when nobody answers: Hold for no vote.
func (d Dossier) TimeOutDirection() gov.Direction {
	if d.mayTimeOut() && d.Plan.OnTimeout != gov.For {
		return d.Plan.OnTimeout
	}
	return gov.Hold
}

// holdReason is the first reason of a hold, for people.
func (d Dossier) holdReason() gov.HoldReason {
	switch {
	case d.Verdict == nil:
		return ""
	case d.Verdict.Direction == gov.Hold && len(d.Verdict.Reasons) > 0:
		return d.Verdict.Reasons[0]
	case d.Gate != nil && len(d.Gate.Gate.Reasons) > 0:
		return d.Gate.Gate.Reasons[0]
	case d.Verdict.Direction == gov.For && d.Barred != "":
		return d.Barred
	case d.Verdict.Direction == gov.For && d.TimedOut != nil:
		return gov.HoldNoAnswer
	}
	return ""
}

// approves says whether an answer speaks of what is known now, and still holds: of the facts that are known, or of the
// content alone. Its signature was verified when it was recorded and is verified again by the signer.
func (d Dossier) approves(a gov.Approval, head gov.Head) bool {
	if a.Proposal != d.ID() || a.ContentHash != d.Proposal.ContentHash || head.Latest.Time > a.Expires {
		return false
	}
	if a.OnContent() {
		return a.ContentHash != gov.Hash{}
	}
	return d.Gathered != nil && !d.Provisional && a.Basis == d.Gathered.Basis
}
