package agent

import (
	"context"
	"errors"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
)

// Facts gathers what the chain knows of a proposal, everything at one block hash.
type Facts interface {
	// Gather returns facts, context and what is shown; findings and digests are filled in by the agent. An error wraps
	// ErrDisagree where fewer endpoints than needed told the same, and ErrUnread where too few told anything.
	Gather(ctx context.Context, p gov.Proposal, at gov.Block) (quorum.Agreed[dossier.Gathered], error)
}

// Chain reads where a chain and a proposal stand. It gives agreed answers only: one endpoint's word ends, delays and
// opens nothing.
type Chain interface {
	// Head is the head for one governor, newest and final, with the governor's own clock.
	Head(ctx context.Context, id gov.ProposalID) (quorum.Agreed[gov.Head], error)
	// Standing is the proposal's state and deadline at the newest block.
	Standing(ctx context.Context, p gov.Proposal) (quorum.Agreed[Standing], error)
	// Same reports whether the chain still holds the content that was judged.
	Same(ctx context.Context, p gov.Proposal, at gov.Block) (quorum.Agreed[bool], error)
	// Canonical reports whether a block that facts were read at is still in the chain.
	Canonical(ctx context.Context, id gov.ProposalID, b gov.Block) (quorum.Agreed[bool], error)
	// SameCode reports whether every account that the calls name, and its implementation, has the code at a block that
	// the facts say.
	SameCode(ctx context.Context, p gov.Proposal, f gov.Facts, at gov.Block) (quorum.Agreed[bool], error)
}

// Standing is what the chain says of a proposal.
type Standing struct {
	State gov.State
	Ends  gov.Clocks
}

// Policies are the holder's rules.
type Policies interface {
	// For returns the holder whose policy speaks on a governor.
	Holder(governor gov.Label) (gov.Holder, error)
	Decide(c gov.Case) gov.Verdict
	// Plan is when to vote on a verdict.
	Plan(holder gov.Holder, v gov.Verdict) dossier.Plan
}

// Gate reads text and context: the only reader of them, and it may only hold a For.
type Gate interface {
	Gate(ctx context.Context, d dossier.Dossier, head gov.Head) (dossier.WasGated, error)
}

// Briefs writes summaries for people. Whatever a model does, there is one.
type Briefs interface {
	Brief(ctx context.Context, d dossier.Dossier) (dossier.Brief, error)
}

// Forecasts says how a vote may end, from the governor's past votes.
type Forecasts interface {
	Forecast(ctx context.Context, p gov.Proposal, at gov.Block) (gov.Forecast, error)
}

// Outlooks computes the DAO's prospects from content facts and the operator's inputs.
type Outlooks interface {
	// Outlook is nil where no policy that speaks at the governor reads one. What cannot be computed is missing in it; an
	// error is only that the context ended.
	Outlook(ctx context.Context, p gov.Proposal, f gov.Facts) (*gov.Outlooks, error)
}

// Signer is the only thing that signs.
type Signer interface {
	Address() gov.Address
	Sign(ctx context.Context, i gov.Intent) (gov.Vote, error)
}

// Sender gets signed bytes onto the chain.
type Sender interface {
	// Preflight returns a [Refusal] when no transaction may be made, and the voting power at the snapshot otherwise.
	Preflight(ctx context.Context, p gov.Proposal, h gov.Holder, b gov.Ballot) (quorum.Agreed[gov.Amount], error)
	// Plan is nonce, gas and fee. over are votes of the key that wait in the pool, sent or given up, and that this one is
	// to overtake; an error that wraps ErrLater says that a sent one must be waited for.
	Plan(ctx context.Context, b gov.Ballot, over []gov.Vote) (quorum.Agreed[gov.Tx], error)
	Send(ctx context.Context, v gov.Vote) error
	// Confirm looks for the vote's transaction; nil when no block has it.
	Confirm(ctx context.Context, v gov.Vote, final quorum.Agreed[gov.Block]) (quorum.Agreed[*gov.Receipt], error)
	// Replace plans the same nonce at a higher fee, nil when the sent one is still good.
	Replace(ctx context.Context, v gov.Vote) (quorum.Agreed[*gov.Tx], error)
	// Retry plans a vote again, with more gas, when its transaction was mined and failed; nil when it counts all the same,
	// or cannot have more.
	Retry(ctx context.Context, v gov.Vote) (quorum.Agreed[*gov.Tx], error)
}

// Flights knows what else the voting key has under way.
type Flights interface {
	// InFlight lists the votes on the same chain, other than that on id, that are locked, signed or sent and not mined.
	InFlight(ctx context.Context, id gov.ProposalID) ([]gov.Vote, error)
	// GivenUp lists the votes on the same chain, other than that on id, that were signed and in no block when voting
	// closed: a pool may have them still.
	GivenUp(ctx context.Context, id gov.ProposalID) ([]gov.Vote, error)
	// Waiting lists the votes on the same chain, other than that on id, that wait for their time or their turn.
	Waiting(ctx context.Context, id gov.ProposalID) ([]dossier.Turn, error)
}

// Refusal is why no vote is made: pre-flight found that it cannot or must not count.
type Refusal struct {
	Status gov.VoteStatus
	Why    dossier.NotVotedReason
	Err    error
}

// Error says what was found.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Errors that a [Signer] or [Sender] wraps, on which the agent branches.
var (
	// ErrStale: the facts are too old, or the verdict is no longer what the ballot says; decide again.
	ErrStale = errors.New("decide again before signing")
	// ErrRefused: the ledger holds another vote on this proposal; nothing will be signed.
	ErrRefused = errors.New("the ledger refuses")
	// ErrUnfit: the signer would not sign this whatever the time: a person has to look.
	ErrUnfit = errors.New("not fit to be signed")
	// ErrDisagree: fewer endpoints than needed give the same answer.
	ErrDisagree = errors.New("the endpoints do not agree")
	// ErrUnread: too few endpoints could read anything.
	ErrUnread = errors.New("too few endpoints can be read")
	// ErrOther: the chain holds other content under a proposal's id than was judged.
	ErrOther = errors.New("the chain holds other content")
	// ErrMoved: the chain is no longer what the facts say of it.
	ErrMoved = errors.New("the chain has moved on from the facts")
	// ErrBudget: the holder's limits have no room for the vote now; the message is for people.
	ErrBudget = errors.New("not within the limits")
	// ErrLater: frozen, or another transaction of the key is under way; try again.
	ErrLater = errors.New("not now")
)
