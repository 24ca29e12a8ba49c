package agenttest

import (
	"context"
	"errors"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// voice is a member of a panel that says whatever it is asked for.
type voice string

func (v voice) Name() string { return string(v) }

func (voice) Call(context.Context, any, string, ...any) error { return errNoMethods }
func (voice) Batch(context.Context, []rpc.Request) error      { return errNoMethods }

var errNoMethods = errors.New("a scripted endpoint has no methods")

// panel is two endpoints of the scripted chain.
var panel = quorum.NewPanel(2, func() []quorum.Member { return []quorum.Member{voice("a"), voice("b")} }, nil)

// Agree is what two scripted endpoints say alike.
func Agree[T any](ctx context.Context, v T) (quorum.Agreed[T], error) {
	return quorum.AskBy(context.WithoutCancel(ctx), panel, func(T) bool { return true }, func(context.Context, rpc.Caller) (T, error) { return v, nil })
}

// agreeing is Agree for an answer that may have failed.
func agreeing[T any](ctx context.Context, v T, err error) (quorum.Agreed[T], error) {
	if err != nil {
		return quorum.Agreed[T]{}, err
	}
	return Agree(ctx, v)
}

// holding is agreeing for what reports whether something holds; the error not says that it does not.
func holding(ctx context.Context, not, err error) (quorum.Agreed[bool], error) {
	if errors.Is(err, not) {
		return Agree(ctx, false)
	}
	return agreeing(ctx, err == nil, err)
}

// PlainFacts, PlainChain and PlainSender are the agent's ports for scripts that say values: [OverFacts], [OverChain] and [OverSender]
// make ports of them, on which two endpoints agree. A method of PlainChain that says an error of agent.ErrOther or
// agent.ErrMoved says that something does not hold.
type (
	PlainFacts interface {
		Gather(context.Context, gov.Proposal, gov.Block) (dossier.Gathered, error)
	}
	PlainChain interface {
		Head(context.Context, gov.ProposalID) (gov.Head, error)
		Standing(context.Context, gov.Proposal) (gov.State, gov.Clocks, error)
		Same(context.Context, gov.Proposal, gov.Block) error
		Canonical(context.Context, gov.ProposalID, gov.Block) error
		SameCode(context.Context, gov.Proposal, gov.Facts, gov.Block) error
	}
	PlainSender interface {
		Preflight(context.Context, gov.Proposal, gov.Holder, gov.Ballot) (gov.Amount, error)
		Plan(context.Context, gov.Ballot, []gov.Vote) (gov.Tx, error)
		Send(context.Context, gov.Vote) error
		Confirm(context.Context, gov.Vote, gov.Block) (*gov.Receipt, error)
		Replace(context.Context, gov.Vote) (*gov.Tx, error)
		Retry(context.Context, gov.Vote) (*gov.Tx, error)
	}
)

// OverFacts is the agent's port over a script.
func OverFacts(f PlainFacts) agent.Facts { return agreedFacts{f} }

// OverChain is the agent's port over a script.
func OverChain(c PlainChain) agent.Chain { return agreedChain{c} }

// OverSender is the agent's port over a script.
func OverSender(s PlainSender) agent.Sender { return agreedSender{s} }

type (
	agreedFacts  struct{ is PlainFacts }
	agreedChain  struct{ is PlainChain }
	agreedSender struct{ is PlainSender }
)

func (a agreedFacts) Gather(ctx context.Context, p gov.Proposal, at gov.Block) (quorum.Agreed[dossier.Gathered], error) {
	v, err := a.is.Gather(ctx, p, at)
	return agreeing(ctx, v, err)
}

func (a agreedChain) Head(ctx context.Context, id gov.ProposalID) (quorum.Agreed[gov.Head], error) {
	v, err := a.is.Head(ctx, id)
	return agreeing(ctx, v, err)
}

func (a agreedChain) Standing(ctx context.Context, p gov.Proposal) (quorum.Agreed[agent.Standing], error) {
	state, ends, err := a.is.Standing(ctx, p)
	return agreeing(ctx, agent.Standing{State: state, Ends: ends}, err)
}

func (a agreedChain) Same(ctx context.Context, p gov.Proposal, at gov.Block) (quorum.Agreed[bool], error) {
	return holding(ctx, agent.ErrOther, a.is.Same(ctx, p, at))
}

func (a agreedChain) Canonical(ctx context.Context, id gov.ProposalID, b gov.Block) (quorum.Agreed[bool], error) {
	return holding(ctx, agent.ErrMoved, a.is.Canonical(ctx, id, b))
}

func (a agreedChain) SameCode(ctx context.Context, p gov.Proposal, f gov.Facts, at gov.Block) (quorum.Agreed[bool], error) {
	return holding(ctx, agent.ErrMoved, a.is.SameCode(ctx, p, f, at))
}

func (a agreedSender) Preflight(ctx context.Context, p gov.Proposal, h gov.Holder, b gov.Ballot) (quorum.Agreed[gov.Amount], error) {
	v, err := a.is.Preflight(ctx, p, h, b)
	return agreeing(ctx, v, err)
}

func (a agreedSender) Plan(ctx context.Context, b gov.Ballot, over []gov.Vote) (quorum.Agreed[gov.Tx], error) {
	v, err := a.is.Plan(ctx, b, over)
	return agreeing(ctx, v, err)
}

func (a agreedSender) Send(ctx context.Context, v gov.Vote) error { return a.is.Send(ctx, v) }

func (a agreedSender) Confirm(ctx context.Context, v gov.Vote, final quorum.Agreed[gov.Block]) (quorum.Agreed[*gov.Receipt], error) {
	r, err := a.is.Confirm(ctx, v, final.Value())
	return agreeing(ctx, r, err)
}

func (a agreedSender) Replace(ctx context.Context, v gov.Vote) (quorum.Agreed[*gov.Tx], error) {
	tx, err := a.is.Replace(ctx, v)
	return agreeing(ctx, tx, err)
}

func (a agreedSender) Retry(ctx context.Context, v gov.Vote) (quorum.Agreed[*gov.Tx], error) {
	tx, err := a.is.Retry(ctx, v)
	return agreeing(ctx, tx, err)
}
