package gov

import "fmt"

// Ballot is a vote to be cast.
type Ballot struct {
	Proposal ProposalID   `json:"proposal"`
	Flavour  Flavour      `json:"flavour"`
	Voter    Address      `json:"voter"`
	Support  Support      `json:"support"`
	Reason   BallotReason `json:"reason"`
}

// BallotReason is what the chain is told: a template over the operator's rule name and the record's
// digest. No foreign or model text leaves on chain.
type BallotReason struct {
	By     By     `json:"by"`
	Rule   Label  `json:"rule"`
	Record Digest `json:"record"` // facts digest that the decision stands on; zero: the content hash alone
}

// Text is the reason for a ballot with support s.
func (r BallotReason) Text(s Support) string {
	if r.By == ByHolder && r.Record == (Digest{}) {
		return fmt.Sprintf("Legate: %s, by the holder's own hand, over the content alone", s)
	}
	if r.By == ByHolder {
		return fmt.Sprintf("Legate: %s, by the holder's own hand. Facts %s", s, r.Record)
	}
	return fmt.Sprintf("Legate: %s by rule %s. Facts %s", s, r.Rule, r.Record)
}

// By says who decided a vote.
type By string

// Policy: the rules; holder: a signed approval.
const (
	ByPolicy By = "policy"
	ByHolder By = "holder"
)

// Tx is what the sender plans for a ballot: everything of a transaction but target, value and data,
// which the signer builds itself.
type Tx struct {
	Nonce  uint64 `json:"nonce"`
	Gas    uint64 `json:"gas"`
	FeeCap Amount `json:"fee_cap"` // wei per gas
	TipCap Amount `json:"tip_cap"` // wei per gas
}

// Intent is what a signer is asked: it recomputes findings and direction from the case, or checks the
// holder's approval, and signs nothing else.
type Intent struct {
	Case   Case   `json:"case"`
	Gate   Gated  `json:"gate"`
	Ballot Ballot `json:"ballot"`
	Tx     Tx     `json:"tx"`
	// Standing says that this Against was given by the case's facts before, and stands while content hash
	// and code hashes are unchanged: max_age does not apply to it.
	Standing bool      `json:"standing"`
	Approval *Approval `json:"approval"`
}

// Approval is a holder's signed answer. Only a key that the signer's own configuration lists counts.
type Approval struct {
	Proposal    ProposalID `json:"proposal"`
	ContentHash Hash       `json:"content_hash"`
	// Basis is what the proposal did when the holder was shown it. Zero says that no facts were shown: the answer is
	// over the content hash alone, and counts whatever the facts are.
	Basis     Digest   `json:"basis"`
	Support   Support  `json:"support"`
	Expires   UnixTime `json:"expires"`
	Approver  Address  `json:"approver"`
	Signature Calldata `json:"signature"` // 65 bytes r,s,v over the EIP-712 hash of the above
}

// OnContent reports whether the answer is over the content hash alone.
func (a Approval) OnContent() bool { return a.Basis == Digest{} }

// VoteStatus is where a vote stands.
type VoteStatus string

// The life of a vote (DESIGN §4). The zero value means that none is wanted yet.
const (
	VoteNone     VoteStatus = ""
	VoteWaiting  VoteStatus = "waiting"
	VoteHeld     VoteStatus = "held"
	VoteCanceled VoteStatus = "canceled"
	VoteNoVote   VoteStatus = "no_vote"
	VoteNotLive  VoteStatus = "not_live"
	VoteLocked   VoteStatus = "locked"
	VoteSigned   VoteStatus = "signed"
	VoteSent     VoteStatus = "sent"
	VoteMined    VoteStatus = "mined"
	VoteFinal    VoteStatus = "final"
	VoteReverted VoteStatus = "reverted"
	VoteExpired  VoteStatus = "expired"
)

// Bound says whether a ledger line exists: from here on nothing is decided again.
func (s VoteStatus) Bound() bool {
	switch s {
	case VoteLocked, VoteSigned, VoteSent, VoteMined, VoteFinal, VoteReverted, VoteExpired:
		return true
	}
	return false
}

// Vote is our vote on one proposal. Reason is why it is held or was not cast, or the text on chain.
type Vote struct {
	Status   VoteStatus    `json:"status"`
	Ballot   Ballot        `json:"ballot"`
	Approval *Approval     `json:"approval"`
	Power    Maybe[Amount] `json:"power"`
	Nonce    uint64        `json:"nonce"`
	Tx       Hash          `json:"tx"`
	Raw      Calldata      `json:"raw"` // the signed transaction
	Block    Block         `json:"block"`
	Reason   HoldReason    `json:"reason"`
}

// Receipt is what became of a sent transaction.
type Receipt struct {
	Tx    Hash  `json:"tx"`
	Block Block `json:"block"`
	OK    bool  `json:"ok"`
	// Support is what VoteCast in the receipt says; missing when there is no such event by the voter.
	Support Maybe[Support] `json:"support"`
	Final   bool           `json:"final"`
}
