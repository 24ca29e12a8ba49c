package dossier

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// Alert is what people and other programs are told: the body of a webhook. Title and lines are plain text
// that is inert in any sink; what a stranger wrote stands in them in quotation marks.
type Alert struct {
	Version  int             `json:"version"`
	ID       string          `json:"id"` // the same on every delivery
	Event    AlertEvent      `json:"event"`
	Severity gov.Severity    `json:"severity"`
	Proposal *gov.ProposalID `json:"proposal"` // null for emergency, system, and one that tells of several
	Title    string          `json:"title"`
	Lines    []string        `json:"lines"`
	Time     time.Time       `json:"time"`
	// Rule is the emergency rule that it is about, empty for other events.
	Rule gov.Label `json:"rule,omitempty"`
	// Emergency are the fields of an emergency, and of a watched number that cannot be read; nil without.
	*Emergency
	// Card is where the proposal stands, for channels that show more than lines; nil without a proposal.
	Card *Card `json:"-"`
	// Group names the alerts that are told as one where there are many in a day; empty where each stands for itself. Stake
	// is what the proposal puts at stake: one with more than those told before is told by itself.
	Group string    `json:"-"`
	Stake gov.Stake `json:"-"`
}

// AlertEvent is what an alert is about.
type AlertEvent string

// The events of alerts.
const (
	AlertProposal  AlertEvent = "proposal"  // it is new, or gone, or its deadline moved
	AlertDecision  AlertEvent = "decision"  // what the policy or the holder wants, another than before
	AlertReminder  AlertEvent = "reminder"  // a hold nears its end
	AlertVote      AlertEvent = "vote"      // what becomes of our vote
	AlertResult    AlertEvent = "result"    // how the proposal ends
	AlertDrift     AlertEvent = "drift"     // what it would do has changed
	AlertEmergency AlertEvent = "emergency" // an emergency rule
	AlertSystem    AlertEvent = "system"    // the program itself needs a person
)

// AlertEvents lists them all.
var AlertEvents = []AlertEvent{AlertProposal, AlertDecision, AlertReminder, AlertVote, AlertResult, AlertDrift, AlertEmergency, AlertSystem}

// Alerts are the alerts of one record: none, or one. before is the dossier without it, after the one with it.
// It is pure, so that a record gives the same alert with the same id however often it is asked.
//
// Critical is what cannot wait for the morning: an Against for critical findings, such a proposal passing all
// the same, a vote that failed or that the ledger refused, a hold that ends within two hours. Warning needs a
// person: a hold, an Against, a vote that was not cast. The rest is info.
func Alerts(before Dossier, r Record, after Dossier) []Alert {
	if after.BackFilled {
		return nil
	}
	n := newNews(before, r, after)
	switch e := r.Event.(type) {
	case WasSeen:
		n.seen(e)
	case WasRewound:
		n.rewound(e)
	case WasTakenBack:
		n.takenBack(e)
	case WasReopened:
		n.tell(AlertProposal, gov.Warning, "voting is not over, it is open again", "It goes on where it stood: "+n.goesOn()+".", "Voting ends about "+moment(n.after.EndsAt())+".")
	case WasPreviewed:
		n.previewed()
	case WasGathered:
		n.gathered()
	case WasApproved:
		n.tell(AlertDecision, gov.Info, "the holder says "+e.Approval.Support.String(), "By a signed answer of "+e.Approval.Approver.Hex()+".")
	case WasCanceled:
		n.tell(AlertDecision, gov.Info, "the holder stopped the vote", "Nothing is cast unless the holder answers.")
	case WasReminded:
		n.reminded(e)
	case WasTimedOut:
		n.timedOut(e)
	case WasChanged:
		n.changed(e.Change)
	default:
		n.vote()
	}
	// of a proposal that starts over nothing has been announced yet: that is no decision
	if after.Told != before.Told && after.Told != (Told{}) && after.Verdict != nil {
		n.decided(*after.Verdict)
	}
	return grouped(n.alerts, r, after)
}

// news collects what is told of one record.
type news struct {
	before, after Dossier
	record        Record
	card          Card
	alerts        []Alert
}

func newNews(before Dossier, r Record, after Dossier) *news {
	return &news{before: before, after: after, record: r, card: after.Card()}
}

// tell adds an alert; the proposal's title, in quotation marks, is its last line.
func (n *news) tell(event AlertEvent, s gov.Severity, what string, lines ...string) {
	id := n.record.ID
	if t := n.after.Text.Title.Quote(120); t != "" {
		lines = append(lines, "Titled by its proposer: “"+t+"”")
	}
	n.alerts = append(n.alerts, Alert{
		Version: Version, ID: alertID(id.String(), fmt.Sprint(n.record.Seq), string(event)), Event: event, Severity: s, Proposal: &id,
		Title: n.card.Handle + ": " + what, Lines: lines, Time: n.record.Time.UTC().Truncate(time.Second), Card: &n.card,
	})
}

func alertID(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(fmt.Appendf(nil, "%d:%s", len(p), p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (n *news) seen(e WasSeen) {
	p := n.after.Proposal
	lines := []string{fmt.Sprintf("%s by %s.", plural(len(p.Actions), "action"), p.Proposer.Hex())}
	if e.Head.Latest.Number > 0 {
		w := n.after.Window(e.Head)
		lines = append(lines, fmt.Sprintf("Voting opens about %s and ends about %s.", moment(w.Opens), moment(w.Closes)))
	}
	n.tell(AlertProposal, gov.Info, "new proposal", lines...)
}

func (n *news) previewed() {
	v := n.after.Verdict
	severity := gov.Info
	if v.Direction == gov.Against {
		severity = gov.Warning
	}
	lines := append(n.factLines(), "Provisional: read before the block is final. Nothing is signed on it.")
	n.tell(AlertProposal, severity, fmt.Sprintf("first look: %s by %s", v.Direction, inertLabel(v.Rule)), lines...)
}

// gathered tells when what the proposal would do is another thing than at the last reading.
func (n *news) gathered() {
	n.unanswered()
	was, is := n.before.Gathered, n.after.Gathered
	if was == nil || n.before.Provisional || was.Basis == is.Basis || was.Facts.Effects.Status.Or(gov.EffectsUnavailable) == gov.EffectsUnavailable ||
		is.Facts.Effects.Status.Or(gov.EffectsUnavailable) == gov.EffectsUnavailable {
		return
	}
	n.tell(AlertDrift, gov.Warning, "what it would do has changed", append(n.factLines(), "It is decided again on these facts.")...)
}

// unanswered tells that the holder's answer was to other facts than those that are known now, for whatever reason: who
// answered believes that a vote is on its way.
func (n *news) unanswered() {
	a, was := n.after.Approval, n.before.Gathered
	if a == nil || a.OnContent() || was == nil || n.after.Vote.Status.Bound() || a.Basis != was.Basis || a.Basis == n.after.Gathered.Basis {
		return
	}
	why := "What is known of the proposal has changed since the answer was signed."
	if n.after.Gathered.Facts.Effects.Status.Or(gov.EffectsUnavailable) == gov.EffectsUnavailable {
		why = "The newest facts are without a dry run, so what the answer was to is not known any more."
	}
	lines := append([]string{why, "Look again and answer again. With --content-only an answer counts whatever the facts turn out to be."}, n.deadlines(true)...)
	n.tell(AlertDecision, gov.Critical, "the holder's answer, "+a.Support.String()+", does not count any more", lines...)
}

// decided announces the decision that stands now; v is the newest verdict.
func (n *news) decided(v gov.Verdict) {
	told := n.after.Told
	because := "By rule " + inertLabel(told.Rule) + "."
	if v.Because != "" && v.Rule == told.Rule {
		because = "By rule " + inertLabel(told.Rule) + ": " + strings.TrimSuffix(Untrusted(v.Because).Plain(cardLine), ".") + "."
	}
	if told.Final == gov.Hold {
		why, severity := "Why: "+inertLabel(told.Reason)+". "+because, gov.Warning
		if v.Direction == gov.For && n.before.Barred != "" {
			why = fmt.Sprintf("The policy says for now, but it was held before because of %s: only an answer by hand votes for. %s", inertLabel(n.before.Barred), because)
		}
		if h := n.after.Held; h != nil && told.Reason == h.Reason {
			why, severity = h.sentence(), gov.Critical
		}
		lines := append([]string{why}, n.factLines()...)
		n.tell(AlertDecision, severity, "held, a person is asked", append(lines, n.deadlines(true)...)...)
		return
	}
	severity := gov.Info
	if told.Final == gov.Against {
		severity = gov.Warning
		if n.after.critical() {
			severity = gov.Critical
		}
	}
	lines := append([]string{because}, n.factLines()...)
	n.tell(AlertDecision, severity, told.Final.String(), append(lines, n.deadlines(false)...)...)
}

// sentence says what the budget does to a vote, and what can be done.
func (h WasHeld) sentence() string {
	again := "It is tried again until the close"
	if h.Direction == gov.For {
		again = "Only an answer by hand votes for now"
	}
	return fmt.Sprintf("A vote %s is due, but %s. %s; a vote by hand is free of the limits.", h.Direction, Untrusted(h.Why).Plain(200), again)
}

func (n *news) reminded(e WasReminded) {
	severity := gov.Warning
	if e.Before == reminders[len(reminders)-1].name {
		severity = gov.Critical
	}
	lines := append([]string{"Why it is held: " + inertLabel(n.after.Vote.Reason) + "."}, n.factLines()...)
	n.tell(AlertReminder, severity, "the hold ends in "+Untrusted(e.Before).Quote(10), append(lines, n.deadlines(true)...)...)
}

func (n *news) timedOut(e WasTimedOut) {
	becomes := "no vote"
	if e.Direction != gov.Hold {
		becomes = e.Direction.String()
	}
	n.tell(AlertDecision, gov.Warning, "nobody answered the hold: "+becomes,
		"While voting is open, an answer by hand still works.", "Voting ends about "+moment(n.after.EndsAt())+".")
}

// vote is what became of our own vote.
func (n *news) vote() {
	v := n.after.Vote
	switch e := n.record.Event.(type) {
	case WasReleased:
		n.tell(AlertVote, gov.Info, "not signed yet, it is decided again", "Why: "+Untrusted(e.Why).Quote(200)+".")
	case WasSent:
		if n.before.Vote.Status == gov.VoteSigned {
			n.tell(AlertVote, gov.Info, "vote "+v.Ballot.Support.String()+" sent", "Transaction "+e.Hash.Hex()+".")
		}
	case WasUnmined:
		n.tell(AlertVote, gov.Warning, "a reorganisation took the vote's block away", "The same signed transaction is sent again.")
	case WasFinal:
		n.tell(AlertVote, gov.Info, "voted "+v.Ballot.Support.String(), fmt.Sprintf("Counted in block %d, transaction %s.", e.Receipt.Block.Number, e.Receipt.Tx.Hex()), by(v.Ballot))
	case WasReverted:
		n.tell(AlertVote, gov.Critical, "the vote failed on chain", fmt.Sprintf("Transaction %s in block %d reverted. While voting is open the same vote is made again with more gas; a vote by hand works too.", e.Receipt.Tx.Hex(), e.Receipt.Block.Number))
	case WasNotVoted:
		n.notVoted(e)
	}
}

func by(b gov.Ballot) string {
	if b.Reason.By == gov.ByHolder {
		return "By the holder's own hand."
	}
	return "By rule " + inertLabel(b.Reason.Rule) + "."
}

// notVotedText says what a person makes of each reason, and how much it matters.
var notVotedText = map[NotVotedReason]struct {
	severity gov.Severity
	text     string
}{
	NotOpen:       {gov.Info, "Voting is over."},
	NotHeldOpen:   {gov.Warning, "It was held until voting closed, and nobody answered."},
	NotLive:       {gov.Info, "This daemon is not live: nothing is signed or sent."},
	NoPower:       {gov.Warning, "The voting key has no votes on this proposal."},
	NotDelegated:  {gov.Warning, "The holder's tokens were not delegated to the voting key when the votes were counted."},
	VotedBefore:   {gov.Warning, "This key has voted on it before, not by this daemon."},
	StoppedByHand: {gov.Info, "The holder stopped it."},
	LedgerRefused: {gov.Critical, "The ledger has another vote on this proposal, so the signer refused. Find out who asked for two."},
}

func (n *news) notVoted(e WasNotVoted) {
	is, ok := notVotedText[e.Why]
	if !ok {
		is.severity, is.text = gov.Warning, "Why: "+Untrusted(e.Why).Quote(60)+"."
	}
	n.tell(AlertVote, is.severity, "no vote", is.text)
}

// changed is what the chain did to the proposal.
func (n *news) changed(c Change) {
	if c.State != "" && n.after.Proposal.State != n.before.Proposal.State {
		switch s := n.after.Proposal.State; s {
		case gov.StatePending, gov.StateActive:
		case gov.StateSucceeded, gov.StateQueued, gov.StateExecuted:
			severity := gov.Info
			if n.after.Final() == gov.Against && n.after.critical() {
				severity = gov.Critical // what we voted against for critical findings goes on
			}
			n.tell(AlertResult, severity, string(s), n.result()...)
		default:
			n.tell(AlertResult, gov.Info, string(s), n.result()...)
		}
	}
	if n.after.Proposal.Ends > n.before.Proposal.Ends {
		n.tell(AlertProposal, gov.Info, "its deadline was extended", "Voting goes on longer than was announced; every deadline of ours moves with it.")
	}
}

// takenBack tells what a reorganisation took back, and that the rest stands.
func (n *news) takenBack(e WasTakenBack) {
	was, is := n.before.Proposal, n.after.Proposal
	lines := []string{}
	if was.State != is.State {
		lines = append(lines, fmt.Sprintf("It was %s, and is %s again.", stateWord(was.State), stateWord(is.State)))
	}
	if was.Ends != is.Ends {
		lines = append(lines, "Voting ends about "+moment(n.after.EndsAt())+" again.")
	}
	by, event, severity := "a reorganisation", AlertProposal, gov.Info
	if len(e.Logs) > 0 {
		by, severity = "the final block", gov.Warning
		lines = append(lines, "An endpoint reported a change that is not in its final block.")
	}
	what := by + " took a change back"
	switch {
	case n.after.votable() && !n.before.votable():
		severity, what = gov.Warning, by+" took its end back, it is open again"
		lines = append(lines, "It goes on where it stood: "+n.goesOn()+".")
	case !n.before.votable():
		event = AlertResult
		lines = append(lines, n.result()...)
	default:
		lines = append(lines, "Its facts, what was decided and what the holder said stand.")
	}
	n.tell(event, severity, what, lines...)
}

func (n *news) rewound(e WasRewound) {
	if e.Contradicted {
		n.tell(AlertProposal, gov.Warning, "not as it was told", "An endpoint reported a proposal that its block, now final, does not contain in that form. If the block contains another one, it starts over with that.")
		return
	}
	n.tell(AlertProposal, gov.Warning, "removed by a reorganisation", "The block of its creation is gone. If it comes back, it starts over.")
}

// goesOn is where our vote stands.
func (n *news) goesOn() string {
	switch v := n.after.Vote; {
	case v.Status.Bound():
		return "our vote is " + string(v.Status)
	case n.after.Canceled:
		return "the holder stopped the vote"
	case v.Status == gov.VoteHeld:
		return "held because of " + inertLabel(v.Reason)
	case n.after.Verdict != nil:
		return n.after.Final().String() + ", not cast yet"
	}
	return "not decided yet"
}

// stateWord is the chain's word for people.
func stateWord(s gov.State) string {
	if s == "" {
		return "in a state not known"
	}
	return string(s)
}

func (n *news) result() []string {
	v := n.after.Vote
	switch {
	case v.Status == gov.VoteFinal:
		return []string{"Our vote: " + v.Ballot.Support.String() + "."}
	case v.Status.Bound():
		return []string{"Our vote is " + string(v.Status) + "."}
	}
	return []string{"We have not voted."}
}

// deadlines say until when something can be done, and what.
func (n *news) deadlines(held bool) []string {
	var out []string
	if held {
		end := "While voting is open, answer with"
		if n.card.Latest > 0 {
			end = "Before " + moment(n.card.Latest) + ", answer with"
		}
		out = append(out, end+": legate vote "+n.card.Handle+" for (or against, or abstain)")
	}
	if n.card.Closes > 0 {
		out = append(out, "Voting ends about "+moment(n.card.Closes)+".")
	}
	return out
}

// factLines are the facts and the worst findings as sentences.
func (n *news) factLines() []string {
	out := []string{}
	for _, f := range n.card.Facts {
		out = append(out, sentence(f))
	}
	for _, f := range n.card.Findings {
		out = append(out, sentence(fmt.Sprintf("%s, %s: %s", f.Severity, f.Name, f.Title)))
	}
	if n.card.More > 0 {
		out = append(out, fmt.Sprintf("And %s more.", plural(n.card.More, "finding")))
	}
	return out
}

// sentence gives a line a capital and a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	if s[len(s)-1] != '.' {
		s += "."
	}
	return s
}

// moment is a time of the chain as people read it.
func moment(t gov.UnixTime) string {
	if t == 0 {
		return "an unknown time"
	}
	return t.Time().Format("2006-01-02 15:04 UTC")
}

func inertLabel[T ~string](s T) string { return Untrusted(s).Plain(80) }

// SystemAlert is an alert about the program itself. The same what within the same hour is the same alert, so
// that what goes wrong a hundred times is told once. why may quote what a stranger's server said.
func SystemAlert(severity gov.Severity, what string, why error, at time.Time) Alert {
	a := Alert{
		Version: Version, ID: alertID("system", what, at.UTC().Truncate(time.Hour).String()), Event: AlertSystem, Severity: severity,
		Title: "legate: " + Untrusted(what).Plain(160), Lines: []string{}, Time: at.UTC().Truncate(time.Second),
	}
	if why != nil {
		a.Lines = append(a.Lines, Untrusted(why.Error()).Quote(500))
	}
	return a
}

// Queued is an alert with its place in the order of delivery.
type Queued struct {
	N     int64
	Alert Alert
}
