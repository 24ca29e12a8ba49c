package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/sender"
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// voter is the key side of a daemon: the signer with its ledger, and a sender for each chain.
type voter struct {
	engine *engine
	log    *slog.Logger
	conf   signer.Config
	ref    string
	folder string
	self   gov.Address

	mu     sync.Mutex
	signer signer.Signer
	ledger *ledger.Ledger // of an opened signer
	// uncovered: the ledger lacks a chain of the configuration
	uncovered bool
	senders   map[gov.ChainID]*sender.Sender
	limits    map[gov.Address]sender.Limits
	chains    []gov.ChainID
	told      sync.Map // proposals and holders who do not delegate: an alarm was raised
}

// openVoter finds out which key votes, and when live opens its signer and ledger.
func (e *engine) openVoter(ctx context.Context, parts *agent.Parts, set *policies.Set, ec engineConfig) error {
	c := e.conf.Voter
	if c == nil {
		if ec.live {
			return fmt.Errorf("%s: to vote there must be a voter", e.conf.path)
		}
		return nil
	}
	v := &voter{engine: e, log: ec.log, ref: c.Key, folder: e.conf.file(c.Ledger), senders: map[gov.ChainID]*sender.Sender{}, limits: map[gov.Address]sender.Limits{}}
	e.frozen = func() (bool, error) {
		_, frozen := ledger.Frozen(v.folder)
		return frozen, nil
	}
	e.freeze = func(why string) error { return ledger.Freeze(v.folder, why) }
	var err error
	if v.self, err = addressOf(c.Key, e.conf); err != nil {
		if ec.live {
			return fmt.Errorf("%s: voter.key: %w", e.conf.path, err)
		}
		ec.log.Warn("the voting key's address is not known, so voting power is not shown", "error", err)
		return nil
	}
	e.world.voter = v.self
	if !ec.live {
		return nil
	}
	if err := v.configure(set); err != nil {
		return err
	}
	if err := v.open(ctx); err != nil {
		return err
	}
	parts.Signer, parts.Sender = v, v
	return nil
}

// addressOf is the address in a key file, which is not secret.
func addressOf(ref string, c Config) (gov.Address, error) {
	path, ok := strings.CutPrefix(ref, "keystore:")
	if !ok {
		scheme, _, named := strings.Cut(ref, ":")
		if !named { // it may be the key itself, by mistake (G07)
			return gov.Address{}, errors.New("a key is named by a kind, a colon and a name, such as keystore:voter.json")
		}
		return gov.Address{}, fmt.Errorf("%s: %w", scheme, signer.ErrKind)
	}
	text, err := readBounded(c.file(path), maxKeyFile)
	if err != nil {
		return gov.Address{}, err
	}
	return keyAddress(text)
}

// configure gathers what the signer and the senders go by.
func (v *voter) configure(set *policies.Set) error {
	c, e := v.engine.conf.Voter, v.engine
	pass, err := c.Passphrase.Resolve(e.conf.dir())
	if err != nil && !errors.Is(err, strict.ErrNoSecret) {
		return fmt.Errorf("%s: voter.passphrase: %w", e.conf.path, err)
	}
	v.conf = signer.Config{
		Passphrase: signer.PassphraseOf(strings.TrimRight(pass, "\r\n")), Dir: e.conf.dir(), Policies: set,
		MaxFee: c.maxFee(), MaxAge: c.MaxAge.Std(), Now: time.Now,
	}
	for _, a := range c.Approvers {
		v.conf.Approvers = append(v.conf.Approvers, gov.Address(a.Address))
	}
	for id, client := range e.world.clients {
		v.chains = append(v.chains, id)
		for _, g := range e.world.governors(id) {
			v.conf.Governors = append(v.conf.Governors, signer.Governor{
				Chain: id, Address: g.governor.Address, Name: g.governor.Name, Flavour: g.governor.Flavour, LooseClock: client.Finality().Weak(),
				Scenario: g.conf.Outlook.scenario(),
			})
			if of := set.HoldersOf(g.governor.Name); len(of) > 0 {
				if p, ok := set.Policy(of[0].Name); ok {
					v.limits[g.governor.Address] = sender.Limits{FeePerVote: p.Limits.FeePerVote, FeePerDay: p.Limits.FeePerDay, VotesPerDay: p.Limits.VotesPerDay}
				}
			}
		}
		v.senders[id], err = sender.New(sender.Config{
			Chain: id, Panel: e.world.panels[id], Governors: func(a gov.Address) (sender.Governor, bool) { return e.world.contract(id, a) },
			OtherContent: governor.ErrOtherContent, MaxFee: c.maxFee(), Log: v.log,
			Limits: func(a gov.Address) (sender.Limits, bool) { l, ok := v.limits[a]; return l, ok },
			Frozen: func() (string, bool) { return ledger.Frozen(v.folder) },
		})
		if err != nil {
			return fmt.Errorf("send on %s: %w", id, err)
		}
	}
	slices.Sort(v.chains)
	return nil
}

// open opens signer and ledger. A ledger that is missing may be made only by a key that never voted: the
// store must hold no vote of it, and the first signature looks at the chain as well (see create).
func (v *voter) open(ctx context.Context) error {
	bound, err := v.bound(ctx)
	if err != nil {
		return err
	}
	_, err = ledger.Open(v.folder, v.self)
	if errors.Is(err, ledger.ErrMissing) && len(bound) == 0 {
		// a wrong passphrase should be told now, not when the first vote is due
		_, err := signer.OpenApprover(ctx, v.ref, v.conf.Passphrase, v.conf.Dir)
		return err
	}
	if errors.Is(err, ledger.ErrMissing) {
		return fmt.Errorf("%w at %s, but the store holds %d votes of %s: the ledger was lost, and nothing is signed without it; bring it back, or `legate ledger import` an export", err, v.folder, len(bound), v.self)
	}
	if err != nil {
		return fmt.Errorf("ledger %s: %w", v.folder, err)
	}
	return v.openSigner(ctx, func(self gov.Address) (*ledger.Ledger, error) {
		l, err := ledger.Open(v.folder, self)
		if err != nil {
			return nil, err
		}
		v.uncovered = slices.ContainsFunc(v.chains, func(c gov.ChainID) bool { return !l.Covers(c) })
		v.ledger = l
		return l, l.Expect(bound)
	})
}

func (v *voter) openSigner(ctx context.Context, open func(gov.Address) (*ledger.Ledger, error)) (err error) {
	c := v.conf
	c.Ledger = open
	v.signer, err = signer.Open(ctx, v.ref, c)
	if err == nil && v.signer.Address() != v.self {
		err = fmt.Errorf("the key file says %s, but its key is %s", v.self, v.signer.Address())
	}
	return err
}

// bound lists the votes of this key that the store knows to be signed: one that was only locked may have no line.
func (v *voter) bound(ctx context.Context) ([]gov.Ballot, error) {
	list, err := v.engine.db.BoundBy(ctx, v.self)
	var out []gov.Ballot
	for _, b := range list {
		if b.Raw.Len() > 0 {
			out = append(out, b.Ballot)
		}
	}
	return out, err
}

// create makes the first ledger of a key, or has it cover a chain that it did not.
func (v *voter) create(ctx context.Context) error {
	if err := v.neverVoted(ctx); err != nil {
		return err
	}
	if v.signer == nil {
		v.log.Warn("a ledger is made for a key that never voted here", "ledger", v.folder, "voter", v.self.String())
		return v.openSigner(ctx, func(self gov.Address) (*ledger.Ledger, error) { return ledger.Create(v.folder, self, v.chains...) })
	}
	for _, c := range v.chains {
		if !v.ledger.Covers(c) {
			if err := v.ledger.Cover(ctx, c); err != nil {
				return err
			}
		}
	}
	v.uncovered = false
	return nil
}

// neverVoted looks, once the chains are read to their heads, whether an open proposal on a chain that no
// ledger covers has a vote by the key: then a ledger there was is lost.
func (v *voter) neverVoted(ctx context.Context) error {
	for chain, h := range v.engine.runner.Health() {
		if !h.CaughtUp {
			return fmt.Errorf("%s is not read to its head yet: %w", chain, agent.ErrLater)
		}
	}
	list, err := v.engine.db.Proposals(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		if v.ledger != nil && v.ledger.Covers(e.ID.Chain) || e.Stage == dossier.AtClosed {
			continue
		}
		d, err := v.engine.db.Load(ctx, e.ID)
		if err != nil && !journal.Itself(err) {
			return err
		}
		if err == nil && d.Proposal.State.Over() {
			continue // one whose records cannot be read may be open: its number is enough to ask
		}
		g, err := v.engine.world.of(e.ID)
		if err != nil {
			continue // of a governor that is no longer watched
		}
		head, err := headOf(ctx, g.panel)
		if err != nil {
			return err
		}
		voted, err := quorum.Ask(ctx, g.panel, func(ctx context.Context, c rpc.Caller) (bool, error) {
			return g.governor.HasVoted(ctx, c, e.ID.Number, v.self, head.Value().Hash)
		})
		if err != nil {
			return err
		}
		if voted.Value() {
			return fmt.Errorf("there is no ledger at %s, but %s has voted on %s: the ledger was lost, and nothing is signed without it", v.folder, v.self, e.ID)
		}
	}
	return nil
}

// Address is the voting key's.
func (v *voter) Address() gov.Address { return v.self }

// Sign asks the signer, and gives its refusals the agent's names.
func (v *voter) Sign(ctx context.Context, i gov.Intent) (_ gov.Vote, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer func() { v.engine.room.takes(err) }()
	// a signature whose record cannot be stored would be lost, and made again
	if err := v.engine.db.Room(ctx, journal.RoomToVote); err != nil {
		return gov.Vote{}, err
	}
	if v.signer == nil || v.uncovered {
		if err := v.create(ctx); err != nil {
			return gov.Vote{}, err
		}
	}
	signed, err := v.signer.Sign(ctx, i)
	switch {
	case errors.Is(err, signer.ErrStale):
		err = fmt.Errorf("%w: %w", agent.ErrStale, err)
	case errors.Is(err, signer.ErrRefused):
		err = fmt.Errorf("%w: %w", agent.ErrRefused, err)
	case errors.Is(err, signer.ErrIntent):
		err = fmt.Errorf("%w: %w", agent.ErrUnfit, err)
	case errors.Is(err, signer.ErrLater):
		err = fmt.Errorf("%w: %w", agent.ErrLater, err)
	}
	return signed, err
}

func (v *voter) sender(b gov.Ballot) (*sender.Sender, error) {
	s := v.senders[b.Proposal.Chain]
	if s == nil {
		return nil, fmt.Errorf("chain %s is not among chains", b.Proposal.Chain)
	}
	return s, nil
}

// delegating looks at every holder whom the vote would be for, and is one who delegates to the voting key; the given one
// where none does. Each who does not is an alarm, once a proposal.
func (v *voter) delegating(ctx context.Context, s *sender.Sender, p gov.Proposal, h gov.Holder, b gov.Ballot) (gov.Holder, error) {
	all := v.conf.Policies.HoldersOf(p.Name)
	if len(all) < 2 {
		return h, nil
	}
	var does *gov.Holder
	for _, one := range all {
		agreed, err := s.Delegate(ctx, p.ID, one.Account)
		if err != nil {
			return h, err
		}
		to := agreed.Value()
		switch {
		case to == b.Voter && (does == nil || one.Holder == h):
			does = &one.Holder
		case to != b.Voter:
			v.notDelegated(ctx, p.ID, one.Holder, to)
		}
	}
	if does == nil {
		return h, nil
	}
	return *does, nil
}

func (v *voter) notDelegated(ctx context.Context, id gov.ProposalID, h gov.Holder, to gov.Address) {
	if _, told := v.told.LoadOrStore(id.String()+" "+string(h.Name), true); told {
		return
	}
	v.engine.metrics.Alarm()
	v.engine.alerts.system(ctx, gov.Critical, fmt.Sprintf("the vote on %s is not for holder %s", id, h.Name), fmt.Errorf("%w: those of %s are delegated to %s", sender.ErrNotDelegated, h.Account, to))
}

// Preflight is the sender's, with its refusals named for the record.
func (v *voter) Preflight(ctx context.Context, p gov.Proposal, h gov.Holder, b gov.Ballot) (power quorum.Agreed[gov.Amount], err error) {
	s, err := v.sender(b)
	if err != nil {
		return power, err
	}
	if h, err = v.delegating(ctx, s, p, h, b); err != nil {
		return power, err
	}
	power, err = s.Preflight(ctx, p, h, b)
	for sentinel, why := range map[error]dossier.NotVotedReason{
		sender.ErrNotActive: dossier.NotOpen, sender.ErrNoPower: dossier.NoPower,
		sender.ErrNotDelegated: dossier.NotDelegated, sender.ErrVoted: dossier.VotedBefore,
	} {
		if errors.Is(err, sentinel) {
			return power, &agent.Refusal{Status: gov.VoteNoVote, Why: why, Err: err}
		}
	}
	if errors.Is(err, sender.ErrContent) || errors.Is(err, sender.ErrChain) {
		v.log.Error("no vote: the chain is not what was judged", "proposal", p.ID.String(), "error", err)
		err = fmt.Errorf("%w: %w", agent.ErrLater, err)
	}
	if errors.Is(err, sender.ErrNotYet) || errors.Is(err, sender.ErrFrozen) {
		err = fmt.Errorf("%w: %w", agent.ErrLater, err)
	}
	return power, err
}

// Plan is the sender's, within the holder's budget. A spent budget needs a person.
func (v *voter) Plan(ctx context.Context, b gov.Ballot, over []gov.Vote) (tx quorum.Agreed[gov.Tx], err error) {
	s, err := v.sender(b)
	if err != nil {
		return tx, err
	}
	tx, err = s.Plan(ctx, b, over)
	if err != nil {
		return tx, v.later(b, err)
	}
	return tx, v.allow(ctx, b, tx.Value())
}

// later marks the errors of a plan that may pass.
func (v *voter) later(b gov.Ballot, err error) error {
	if errors.Is(err, sender.ErrBehind) {
		err = fmt.Errorf("%w: %w", agent.ErrLater, err)
	}
	if errors.Is(err, sender.ErrFunds) || errors.Is(err, sender.ErrFee) || errors.Is(err, sender.ErrReverts) {
		v.log.Error("the vote cannot be made now", "proposal", b.Proposal.String(), "vote", b.Support.String(), "error", err)
		err = fmt.Errorf("%w: %w", agent.ErrLater, err)
	}
	return err
}

// allow asks whether the budget has room for a transaction, whatever was planned for the same vote before.
func (v *voter) allow(ctx context.Context, b gov.Ballot, tx gov.Tx) error {
	limits, ok := v.limits[b.Proposal.Governor]
	if !ok || b.Reason.By == gov.ByHolder {
		return nil
	}
	now := gov.UnixTime(time.Now().Unix())
	spent, err := v.spent(ctx, b, now)
	if err != nil {
		return err
	}
	stake, err := v.engine.db.Stake(ctx, b.Proposal)
	if err != nil {
		return err
	}
	if err := limits.Allow(spent, now, b, stake, sender.Cost(tx)); err != nil {
		return fmt.Errorf("%w: %w", agent.ErrBudget, err)
	}
	return nil
}

// spent lists this governor's other votes of the day before now with the most that they can cost: each once, at its dearest.
func (v *voter) spent(ctx context.Context, b gov.Ballot, now gov.UnixTime) (out []sender.Spent, err error) {
	list, err := v.engine.db.BoundSince(ctx, b.Proposal, now-24*60*60)
	for _, one := range list {
		out = append(out, spentOn(one))
	}
	return out, err
}

// spentOn is what a bound vote may cost, from when it was bound last or sent again: what was let go before costs nothing.
func spentOn(b journal.Bound) sender.Spent {
	s := sender.Spent{At: b.At, Support: b.Ballot.Support, By: b.Ballot.Reason.By, Stake: b.Stake, Fee: sender.Cost(b.Plan)}
	tx := new(types.Transaction)
	if tx.UnmarshalBinary(b.Raw.Bytes()) == nil { // a dearer one in its place
		fee, over := uint256.FromBig(new(big.Int).Mul(tx.GasFeeCap(), new(big.Int).SetUint64(tx.Gas())))
		if over {
			fee.SetAllOne()
		}
		if cost := gov.AmountOf(fee); cost.Cmp(s.Fee) > 0 {
			s.Fee = cost
		}
	}
	return s
}

// Send, Confirm and Replace are the chain's sender's.
func (v *voter) Send(ctx context.Context, vote gov.Vote) error {
	s, err := v.sender(vote.Ballot)
	if err != nil {
		return err
	}
	err = s.Send(ctx, vote)
	if errors.Is(err, sender.ErrNonce) || errors.Is(err, sender.ErrUnderpriced) {
		// these bytes cannot be mined: what follows the vote looks for another copy of it, or plans it again
		v.log.Warn("the sent vote cannot be mined as it is", "proposal", vote.Ballot.Proposal.String(), "error", err)
		return nil
	}
	return err
}

// Confirm looks for the vote in the chain.
func (v *voter) Confirm(ctx context.Context, vote gov.Vote, final quorum.Agreed[gov.Block]) (r quorum.Agreed[*gov.Receipt], err error) {
	s, err := v.sender(vote.Ballot)
	if err != nil {
		return r, err
	}
	return s.Confirm(ctx, vote, final)
}

// Replace plans the same vote again where the sent transaction cannot be mined.
func (v *voter) Replace(ctx context.Context, vote gov.Vote) (tx quorum.Agreed[*gov.Tx], err error) {
	s, err := v.sender(vote.Ballot)
	if err != nil {
		return tx, err
	}
	tx, err = s.Replace(ctx, vote)
	return v.affordable(ctx, vote, tx, err)
}

// Retry plans the same vote again where its transaction failed.
func (v *voter) Retry(ctx context.Context, vote gov.Vote) (tx quorum.Agreed[*gov.Tx], err error) {
	s, err := v.sender(vote.Ballot)
	if err != nil {
		return tx, err
	}
	tx, err = s.Retry(ctx, vote)
	if err != nil {
		return tx, v.later(vote.Ballot, err)
	}
	return v.affordable(ctx, vote, tx, nil)
}

// affordable is a planned transaction of a vote that was signed before; nil where the budget has no room for it.
func (v *voter) affordable(ctx context.Context, vote gov.Vote, tx quorum.Agreed[*gov.Tx], err error) (quorum.Agreed[*gov.Tx], error) {
	if err != nil || tx.Value() == nil {
		return tx, err
	}
	err = v.allow(ctx, vote.Ballot, *tx.Value())
	if errors.Is(err, agent.ErrBudget) {
		v.log.Warn("no further transaction of the vote: the budget is spent; the sent one stays", "proposal", vote.Ballot.Proposal.String(), "error", err)
		return quorum.Map(tx, func(*gov.Tx) *gov.Tx { return nil }), nil
	}
	return tx, err
}

// onBroken stops all signing when a chain took back what it had called final (G21).
func (e *engine) onBroken(_ context.Context, chain gov.ChainID) {
	if e.freeze == nil {
		return
	}
	if err := e.freeze(fmt.Sprintf("a reorganisation of %s reached below a finalized block", chain)); err != nil {
		e.log.Error("could not freeze signing", "error", err)
	}
}

var _ agent.Flights = (*journal.DB)(nil)
