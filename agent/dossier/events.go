package dossier

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// Event is something that happened to a proposal. The set is closed: the types of this file, and [WasBriefed].
type Event interface{ event() }

// Plan is what a policy says about when: copied into the record, so that [Next] stays pure. Spans are
// seconds of chain time.
type Plan struct {
	Wait      int64         `json:"wait"`
	Latest    int64         `json:"latest"`     // counts back from the deadline
	VoteShort bool          `json:"vote_short"` // if_too_short: vote
	OnTimeout gov.Direction `json:"on_timeout"` // Hold stands for no_vote
	MaxAge    int64         `json:"max_age"`    // of facts at the moment of signing
	Margin    int64         `json:"margin"`     // nothing is signed later than this before the close
	Live      bool          `json:"live"`
	// Forecast says that a hold_if reads the forecast of the vote, so that the gate waits for one.
	Forecast bool `json:"forecast,omitempty"`
}

// The events, in the order of a life.
type (
	// WasSeen: its creation was logged.
	WasSeen struct {
		Seen Seen     `json:"seen"`
		Head gov.Head `json:"head"`
	}
	// WasRewound: a reorganisation took the block of its creation away, or the final block does not say what was told of
	// it before.
	WasRewound struct {
		To gov.Block `json:"to"` // the last common block, or the last final one
		// Contradicted says that the block stands, and an endpoint told what is not in it.
		Contradicted bool `json:"contradicted,omitempty"`
	}
	// WasTakenBack: the chain was read to have changed it, and that did not happen: a reorganisation took the blocks away,
	// or they do not say it now that they are final. Its creation stands.
	WasTakenBack struct {
		To   gov.Block `json:"to"`   // the last common block, or the last final one
		Head gov.Head  `json:"head"` // after it
		// Logs are the digests of the logs that did not happen; empty: of all above To.
		Logs []gov.Hash `json:"logs,omitempty"`
	}
	// WasReopened: no vote was cast since voting seemed over, and the chain says that it is not.
	WasReopened struct {
		State gov.State  `json:"state"`
		Ends  gov.Clocks `json:"ends"`
		Head  gov.Head   `json:"head"`
	}
	// WasPreviewed: a provisional dossier at the head, before finality; shown, never signed.
	WasPreviewed struct {
		Gathered Gathered    `json:"gathered"`
		Verdict  gov.Verdict `json:"verdict"`
	}
	// WasGathered: facts are in, at one final block.
	WasGathered struct {
		Gathered Gathered `json:"gathered"`
		Head     gov.Head `json:"head"`
	}
	// WasDecided: the policy has spoken.
	WasDecided struct {
		Verdict gov.Verdict `json:"verdict"`
		Holder  gov.Holder  `json:"holder"`
		Plan    Plan        `json:"plan"`
		Head    gov.Head    `json:"head"`
		// Standing is what a policy that has changed since says on the facts of the Against that stands; nil
		// where none stands, or by the same policy.
		Standing *gov.Verdict `json:"standing,omitempty"`
	}
	// WasGated: the gate has read text and context.
	WasGated struct {
		Gate     gov.Gated     `json:"gate"`
		Reading  gov.Reading   `json:"reading"`
		HoldIf   []gov.HoldIf  `json:"hold_if"`
		Findings []gov.Finding `json:"findings"` // of class text and context
		Claims   []Claim       `json:"claims"`
		// Model is what a model said of the texts; nil where none was asked: none is required, or the screens hold already.
		Model *GateModel `json:"model,omitempty"`
		Facts gov.Digest `json:"facts"`
		Head  gov.Head   `json:"head"`
	}
	// WasHeld: the holder's limits have no room for a vote that is due. A For is a person's from then on; an Against or
	// Abstain is tried again until the close.
	WasHeld struct {
		Reason    gov.HoldReason `json:"reason"` // budget
		Direction gov.Direction  `json:"direction"`
		Why       string         `json:"why"`
		Head      gov.Head       `json:"head"`
	}
	// WasApproved: the holder answered, with a signature.
	WasApproved struct {
		Approval gov.Approval `json:"approval"`
	}
	// WasCanceled: the holder stopped the waiting vote.
	WasCanceled struct {
		Why string `json:"why"`
	}
	// WasReminded: the holder was told that a hold nears its end.
	WasReminded struct {
		Before string `json:"before"` // 24h or 2h
	}
	// WasTimedOut: nobody answered the hold until `latest`.
	WasTimedOut struct {
		Direction gov.Direction `json:"direction"` // Hold: no vote
		Head      gov.Head      `json:"head"`
	}
	// WasLocked: the vote is bound; its whole provenance is on record before any signature exists.
	WasLocked struct {
		Ballot   gov.Ballot            `json:"ballot"`
		Tx       gov.Tx                `json:"tx"`
		Power    gov.Maybe[gov.Amount] `json:"power"`
		Facts    gov.Digest            `json:"facts"`
		Basis    gov.Digest            `json:"basis"`
		Policy   gov.Digest            `json:"policy"`
		Gate     gov.Gated             `json:"gate"`
		Standing bool                  `json:"standing"`
		Approval *gov.Approval         `json:"approval"`
		Sources  int                   `json:"sources"` // endpoints that gave the facts; 1 is an unverified source
		// Content is what was judged: the vote is sent for nothing else under the same id (G20).
		Content gov.Hash `json:"content"`
		// Holder is whose tokens they are, where no decision has said it before: the holder answered on the content alone.
		Holder *gov.Holder `json:"holder,omitempty"`
	}
	// WasReleased: the grounds of a vote do not hold any more, or the signer refused before the ledger was
	// written; the proposal is gathered and decided again.
	WasReleased struct {
		Why string `json:"why"`
		// Answer says that the holder's answer is what was refused: it no longer counts.
		Answer bool     `json:"answer,omitempty"`
		Head   gov.Head `json:"head"`
	}
	// WasSigned: the raw transaction is stored, before it leaves.
	WasSigned struct {
		Tx   gov.Tx       `json:"tx"`
		Hash gov.Hash     `json:"hash"`
		Raw  gov.Calldata `json:"raw"`
	}
	// WasSent: an endpoint took the transaction.
	WasSent struct {
		Hash gov.Hash `json:"hash"`
	}
	// WasMined: the transaction is in a block that is not final yet.
	WasMined struct {
		Receipt gov.Receipt `json:"receipt"`
	}
	// WasUnmined: a reorganisation took that block away; the same bytes are sent again.
	WasUnmined struct{}
	// WasFinal: the vote counts, read from VoteCast in a final block.
	WasFinal struct {
		Receipt gov.Receipt `json:"receipt"`
	}
	// WasReverted: the transaction failed in a final block.
	WasReverted struct {
		Receipt gov.Receipt `json:"receipt"`
	}
	// WasNotVoted: no vote by us, and why.
	WasNotVoted struct {
		Status gov.VoteStatus `json:"status"`
		Why    NotVotedReason `json:"why"`
	}
	// WasChanged: the chain moved the proposal, or its deadline.
	WasChanged struct {
		Change Change `json:"change"`
	}
	// WasClosed: nothing more is owed.
	WasClosed struct{}
)

// OnContent reports whether the bound vote is the holder's, over the content hash alone.
func (e WasLocked) OnContent() bool { return e.Approval != nil && e.Approval.OnContent() }

// NotVotedReason is why there is no vote by us.
type NotVotedReason string

// The reasons.
const (
	NotOpen       NotVotedReason = "voting-closed"
	NotHeldOpen   NotVotedReason = "held-until-close"
	NotLive       NotVotedReason = "not-live"
	NoPower       NotVotedReason = "no-power"
	NotDelegated  NotVotedReason = "not-delegated"
	VotedBefore   NotVotedReason = "already-voted"
	StoppedByHand NotVotedReason = "canceled"
	LedgerRefused NotVotedReason = "ledger-refused"
)

// Gathered is what one gathering brought.
type Gathered struct {
	Facts    gov.Facts     `json:"facts"`
	Context  gov.Context   `json:"context"`
	Shown    Shown         `json:"shown"`
	Findings []gov.Finding `json:"findings"`
	Digest   gov.Digest    `json:"digest"`
	Basis    gov.Digest    `json:"basis"`
	// Content is the content hash of the proposal that was gathered.
	Content gov.Hash `json:"content"`
	// Outlook is computed from the facts where a policy reads it; nil elsewhere. It is no part of digest and basis.
	Outlook *gov.Outlooks `json:"outlook,omitempty"`

	// gist is the record of which this is the gist, without its lists; 0 for a whole gathering.
	gist int64
}

// Claim is something that the text names, held against the calls (detector D10).
type Claim struct {
	Text     Untrusted `json:"text"`
	Relation Relation  `json:"relation"`
	Sources  []string  `json:"sources"`
}

// Relation says how a claim stands to the calls.
type Relation string

// Match: the calls have it; silent: they do not speak of it; contradicts: they say otherwise.
const (
	Match       Relation = "match"
	Silent      Relation = "silent"
	Contradicts Relation = "contradicts"
)

func (WasSeen) event()      {}
func (WasRewound) event()   {}
func (WasTakenBack) event() {}
func (WasReopened) event()  {}
func (WasPreviewed) event() {}
func (WasGathered) event()  {}
func (WasDecided) event()   {}
func (WasGated) event()     {}
func (WasHeld) event()      {}
func (WasApproved) event()  {}
func (WasCanceled) event()  {}
func (WasReminded) event()  {}
func (WasTimedOut) event()  {}
func (WasLocked) event()    {}
func (WasReleased) event()  {}
func (WasSigned) event()    {}
func (WasSent) event()      {}
func (WasMined) event()     {}
func (WasUnmined) event()   {}
func (WasFinal) event()     {}
func (WasReverted) event()  {}
func (WasNotVoted) event()  {}
func (WasChanged) event()   {}
func (WasClosed) event()    {}

// kinds maps the type of a record to its event.
var kinds = map[string]func() Event{
	"WasSeen":      func() Event { return &WasSeen{} },
	"WasRewound":   func() Event { return &WasRewound{} },
	"WasTakenBack": func() Event { return &WasTakenBack{} },
	"WasReopened":  func() Event { return &WasReopened{} },
	"WasPreviewed": func() Event { return &WasPreviewed{} },
	"WasGathered":  func() Event { return &WasGathered{} },
	"WasDecided":   func() Event { return &WasDecided{} },
	"WasGated":     func() Event { return &WasGated{} },
	"WasHeld":      func() Event { return &WasHeld{} },
	"WasApproved":  func() Event { return &WasApproved{} },
	"WasCanceled":  func() Event { return &WasCanceled{} },
	"WasReminded":  func() Event { return &WasReminded{} },
	"WasTimedOut":  func() Event { return &WasTimedOut{} },
	"WasLocked":    func() Event { return &WasLocked{} },
	"WasReleased":  func() Event { return &WasReleased{} },
	"WasSigned":    func() Event { return &WasSigned{} },
	"WasSent":      func() Event { return &WasSent{} },
	"WasMined":     func() Event { return &WasMined{} },
	"WasUnmined":   func() Event { return &WasUnmined{} },
	"WasFinal":     func() Event { return &WasFinal{} },
	"WasReverted":  func() Event { return &WasReverted{} },
	"WasNotVoted":  func() Event { return &WasNotVoted{} },
	"WasChanged":   func() Event { return &WasChanged{} },
	"WasClosed":    func() Event { return &WasClosed{} },
	"WasBriefed":   func() Event { return &WasBriefed{} },
	"WasForecast":  func() Event { return &WasForecast{} },
}

// Kinds lists the types of records, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Record is one event of one proposal as stored: append-only, under (proposal, seq).
type Record struct {
	ID    gov.ProposalID
	Seq   int64 // from 1
	Type  string
	Time  time.Time // wall clock of writing, UTC
	Body  []byte    // JSON of the event
	Event Event
}

// Encode makes the record of an event.
func Encode(id gov.ProposalID, seq int64, at time.Time, e Event) (Record, error) {
	e = value(e)
	body, err := json.Marshal(e)
	if err != nil {
		return Record{}, fmt.Errorf("encode %s of %s: %w", TypeOf(e), id, err)
	}
	return Record{id, seq, TypeOf(e), at.UTC(), body, e}, nil
}

// Decode reads a stored event by its type. A body from which parts were cut has to be joined before.
func Decode(kind string, body []byte) (Event, error) {
	if bytes.HasPrefix(body, []byte(cutsOpen)) {
		return nil, fmt.Errorf("decode record %s: its parts are elsewhere: %w", kind, ErrPart)
	}
	return decode(kind, body)
}

func decode(kind string, body []byte) (Event, error) {
	make, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("record of unknown type %q: written by a newer version?", kind)
	}
	e := make()
	if err := json.Unmarshal(body, e); err != nil {
		return nil, fmt.Errorf("decode record %s: %w", kind, err)
	}
	return value(e), nil
}

// Digest is the sha256 of the record's body, as it is stored: see [Record.Split].
func (r Record) Digest() gov.Digest { return sha256.Sum256(r.Body) }
