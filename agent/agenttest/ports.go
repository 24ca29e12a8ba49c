package agenttest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Ports are the methods that package agent calls; a test replaces single ones.
type Ports struct {
	Gather    func(context.Context, gov.Proposal, gov.Block) (dossier.Gathered, error)
	Head      func(context.Context, gov.ProposalID) (gov.Head, error)
	Standing  func(context.Context, gov.Proposal) (gov.State, gov.Clocks, error)
	Same      func(context.Context, gov.Proposal, gov.Block) error
	Canonical func(context.Context, gov.ProposalID, gov.Block) error
	SameCode  func(context.Context, gov.Proposal, gov.Facts, gov.Block) error
	Decide    func(gov.Case) gov.Verdict
	Gate      func(context.Context, dossier.Dossier, gov.Head) (dossier.WasGated, error)
	Brief     func(context.Context, dossier.Dossier) (dossier.Brief, error)
	Sign      func(context.Context, gov.Intent) (gov.Vote, error)
	Preflight func(context.Context, gov.Proposal, gov.Holder, gov.Ballot) (gov.Amount, error)
	TxPlan    func(context.Context, gov.Ballot) (gov.Tx, error)
	Replace   func(context.Context, gov.Vote) (*gov.Tx, error)
	Retry     func(context.Context, gov.Vote) (*gov.Tx, error)
	Send      func(context.Context, gov.Vote) error
	Confirm   func(context.Context, gov.Vote, gov.Block) (*gov.Receipt, error)
}

// Parts are the world as an agent's parts, with the journal's knowledge of what is in flight.
func (w *World) Parts(flights agent.Flights, log *slog.Logger) agent.Parts {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return agent.Parts{
		Facts: OverFacts(facts{w}), Chain: OverChain(chain{w}), Policies: policies{w}, Gate: gate{w}, Briefs: briefs{w}, Signer: signer{w}, Sender: OverSender(sender{w}),
		Flights: flights, Log: log,
	}
}

// call does one port between its two hooks.
func call[T any](w *World, port string, id gov.ProposalID, do func() (T, error)) (out T, err error) {
	if w.Before != nil {
		if err := w.Before(port, id); err != nil {
			return out, err
		}
	}
	if out, err = do(); err != nil {
		return out, err
	}
	if w.After != nil {
		err = w.After(port, id)
	}
	return out, err
}

type (
	facts    struct{ w *World }
	chain    struct{ w *World }
	policies struct{ w *World }
	gate     struct{ w *World }
	briefs   struct{ w *World }
	signer   struct{ w *World }
	sender   struct{ w *World }
)

func (p facts) Gather(ctx context.Context, x gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	return call(p.w, "gather", x.ID, func() (dossier.Gathered, error) { return p.w.Ports.Gather(ctx, x, at) })
}

func (p chain) Head(ctx context.Context, id gov.ProposalID) (gov.Head, error) {
	return call(p.w, "head", id, func() (gov.Head, error) { return p.w.Ports.Head(ctx, id) })
}

func (p chain) Standing(ctx context.Context, x gov.Proposal) (gov.State, gov.Clocks, error) {
	type answer struct {
		state gov.State
		ends  gov.Clocks
	}
	a, err := call(p.w, "standing", x.ID, func() (answer, error) {
		state, ends, err := p.w.Ports.Standing(ctx, x)
		return answer{state, ends}, err
	})
	return a.state, a.ends, err
}

func (p chain) Same(ctx context.Context, x gov.Proposal, at gov.Block) error {
	_, err := call(p.w, "same", x.ID, func() (any, error) { return nil, p.w.Ports.Same(ctx, x, at) })
	return err
}

func (p chain) Canonical(ctx context.Context, id gov.ProposalID, b gov.Block) error {
	_, err := call(p.w, "canonical", id, func() (any, error) { return nil, p.w.Ports.Canonical(ctx, id, b) })
	return err
}

func (p chain) SameCode(ctx context.Context, x gov.Proposal, f gov.Facts, b gov.Block) error {
	_, err := call(p.w, "samecode", x.ID, func() (any, error) { return nil, p.w.Ports.SameCode(ctx, x, f, b) })
	return err
}

func (p policies) Holder(gov.Label) (gov.Holder, error) {
	return gov.Holder{Name: "alice", Account: gov.Address{0x71}}, nil
}
func (p policies) Decide(c gov.Case) gov.Verdict             { return p.w.Ports.Decide(c) }
func (p policies) Plan(gov.Holder, gov.Verdict) dossier.Plan { return p.w.Plan }
func (p signer) Address() gov.Address                        { return Voter }

func (p sender) Replace(ctx context.Context, v gov.Vote) (*gov.Tx, error) {
	return p.w.Ports.Replace(ctx, v)
}

func (p sender) Retry(ctx context.Context, v gov.Vote) (*gov.Tx, error) {
	return p.w.Ports.Retry(ctx, v)
}

func (p gate) Gate(ctx context.Context, d dossier.Dossier, h gov.Head) (dossier.WasGated, error) {
	return call(p.w, "gate", d.ID(), func() (dossier.WasGated, error) { return p.w.Ports.Gate(ctx, d, h) })
}

func (p briefs) Brief(ctx context.Context, d dossier.Dossier) (dossier.Brief, error) {
	return call(p.w, "brief", d.ID(), func() (dossier.Brief, error) { return p.w.Ports.Brief(ctx, d) })
}

func (p signer) Sign(ctx context.Context, i gov.Intent) (gov.Vote, error) {
	return call(p.w, "sign", i.Ballot.Proposal, func() (gov.Vote, error) { return p.w.Ports.Sign(ctx, i) })
}

func (p sender) Preflight(ctx context.Context, x gov.Proposal, h gov.Holder, b gov.Ballot) (gov.Amount, error) {
	return call(p.w, "preflight", x.ID, func() (gov.Amount, error) { return p.w.Ports.Preflight(ctx, x, h, b) })
}

func (p sender) Plan(ctx context.Context, b gov.Ballot, _ []gov.Vote) (gov.Tx, error) {
	return call(p.w, "plan", b.Proposal, func() (gov.Tx, error) { return p.w.TxPlan(ctx, b) })
}

func (p sender) Send(ctx context.Context, v gov.Vote) error {
	_, err := call(p.w, "send", v.Ballot.Proposal, func() (any, error) { return nil, p.w.Ports.Send(ctx, v) })
	return err
}

func (p sender) Confirm(ctx context.Context, v gov.Vote, final gov.Block) (*gov.Receipt, error) {
	return call(p.w, "confirm", v.Ballot.Proposal, func() (*gov.Receipt, error) { return p.w.Ports.Confirm(ctx, v, final) })
}

// defaults are ports that work.
func (w *World) defaults() Ports {
	return Ports{
		Gather:   w.gather,
		Head:     func(context.Context, gov.ProposalID) (gov.Head, error) { return at(w, (*state).head), nil },
		Standing: w.standing,
		Same: func(_ context.Context, p gov.Proposal, _ gov.Block) error {
			now, err := w.lookup(p.ID)
			if err == nil && now.ContentHash != p.ContentHash {
				err = fmt.Errorf("%s: %w", p.ID, agent.ErrOther)
			}
			return err
		},
		Canonical: func(_ context.Context, _ gov.ProposalID, b gov.Block) error {
			if now := at(w, func(s *state) gov.Block { return s.block(b.Number) }); now != b {
				return fmt.Errorf("block %d is another one: %w", b.Number, agent.ErrMoved)
			}
			return nil
		},
		SameCode: func(context.Context, gov.Proposal, gov.Facts, gov.Block) error { return nil },
		Replace:  w.replace,
		Retry:    w.retry,
		Decide:   w.decide,
		Gate:     w.gate,
		Brief: func(context.Context, dossier.Dossier) (dossier.Brief, error) {
			return dossier.Brief{Kind: gov.BriefExtractive}, nil
		},
		Sign: w.sign,
		Preflight: func(context.Context, gov.Proposal, gov.Holder, gov.Ballot) (gov.Amount, error) {
			return gov.NewAmount(1000), nil
		},
		TxPlan: func(context.Context, gov.Ballot) (gov.Tx, error) {
			return gov.Tx{Nonce: at(w, (*state).nonce), Gas: 90000, FeeCap: gov.NewAmount(2), TipCap: gov.NewAmount(1)}, nil
		},
		Send:    w.send,
		Confirm: w.confirm,
	}
}

// at reads the world under its lock.
func at[T any](w *World, f func(*state) T) T {
	w.mu.Lock()
	defer w.mu.Unlock()
	return f(&w.s)
}

func (w *World) lookup(id gov.ProposalID) (gov.Proposal, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p, err := w.s.find(id)
	return w.s.proposal(p), err
}

func (w *World) script(id gov.ProposalID) (Proposal, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.s.find(id)
}

func (w *World) gather(_ context.Context, p gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	if _, err := w.script(p.ID); err != nil {
		return dossier.Gathered{}, err
	}
	return dossier.Gathered{Facts: gov.Facts{At: at, Sources: 1, UnknownCalls: gov.Known(int64(0))}}, nil
}

func (w *World) standing(_ context.Context, p gov.Proposal) (gov.State, gov.Clocks, error) {
	s, err := w.script(p.ID)
	if err != nil {
		return "", 0, err
	}
	return at(w, func(st *state) gov.State { return st.standing(s) }), p.Ends, nil
}

func (w *World) decide(c gov.Case) gov.Verdict {
	v := gov.Verdict{Direction: gov.Hold, Rule: "scripted", Policy: Policy, Reasons: []gov.HoldReason{gov.HoldUnavailable}}
	digest, err := c.Facts.Digest()
	s, missing := w.script(c.Proposal.ID)
	if err != nil || missing != nil {
		return v
	}
	v.Facts, v.Direction, v.Reasons = digest, s.Direction, nil
	v.Trace = []gov.Trace{{Rule: "scripted", Vote: s.Direction, Result: gov.True}}
	if s.Direction == gov.Hold {
		v.Reasons = []gov.HoldReason{gov.HoldOtherwise}
	}
	return v
}

func (w *World) gate(_ context.Context, d dossier.Dossier, _ gov.Head) (dossier.WasGated, error) {
	s, err := w.script(d.ID())
	g := dossier.WasGated{Gate: gov.Gated{Result: gov.GatePass}}
	if s.GateHolds {
		g.Gate = gov.Gated{Result: gov.GateHold, Reasons: []gov.HoldReason{"instructions"}}
	}
	return g, err
}

// sign writes the ledger first and refuses another support, as the real one does.
func (w *World) sign(_ context.Context, i gov.Intent) (v gov.Vote, err error) {
	b := i.Ballot
	number := b.Proposal.Number.Int().Uint64()
	raw, err := json.Marshal(transaction{Number: number, Nonce: i.Tx.Nonce, Support: b.Support})
	if err != nil {
		return v, err
	}
	w.change(func(s *state) {
		if had, ok := s.Ledger[number]; ok && had != b.Support {
			err = fmt.Errorf("the ledger has %s on %s: %w", had, b.Proposal, agent.ErrRefused)
			return
		}
		s.Ledger[number] = b.Support
		s.Signed = append(s.Signed, b)
	})
	return gov.Vote{Ballot: b, Nonce: i.Tx.Nonce, Tx: crypto.Keccak256Hash(raw), Raw: gov.CalldataOf(raw)}, err
}

func (w *World) send(_ context.Context, v gov.Vote) error {
	var t transaction
	if err := json.Unmarshal(v.Raw.Bytes(), &t); err != nil {
		return fmt.Errorf("send %s: %w", v.Tx, err)
	}
	t.Hash = v.Tx
	w.change(func(s *state) {
		for _, had := range s.Sent {
			if had.Hash == t.Hash {
				return
			}
		}
		s.Sent = append(s.Sent, t)
	})
	return nil
}

// replace plans a vote again when another transaction of the key has used its nonce.
func (w *World) replace(_ context.Context, v gov.Vote) (*gov.Tx, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.s.nonce() <= v.Nonce || w.s.voted(v.Ballot.Proposal.Number.Int().Uint64()) {
		return nil, nil
	}
	return &gov.Tx{Nonce: w.s.nonce(), Gas: 90_000, FeeCap: gov.NewAmount(2), TipCap: gov.NewAmount(1)}, nil
}

// retry plans a vote again when its transaction failed and no other one of it counts.
func (w *World) retry(_ context.Context, v gov.Vote) (*gov.Tx, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.s.voted(v.Ballot.Proposal.Number.Int().Uint64()) {
		return nil, nil
	}
	return &gov.Tx{Nonce: w.s.nonce(), Gas: 180_000, FeeCap: gov.NewAmount(2), TipCap: gov.NewAmount(1)}, nil
}

func (w *World) confirm(_ context.Context, v gov.Vote, final gov.Block) (*gov.Receipt, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.s.Sent {
		if t.Hash == v.Tx && t.Block != 0 {
			r := &gov.Receipt{Tx: t.Hash, Block: w.s.block(t.Block), OK: t.OK, Final: t.Block <= final.Number}
			if t.OK {
				r.Support = gov.Known(t.Support)
			}
			return r, nil
		}
	}
	return nil, nil
}
