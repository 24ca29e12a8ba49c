package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/sender"
	"github.com/legate-dao/legate/chains/signer"
)

// booth is the key side of a daemon over a spoilt world, without its signer.
type booth struct {
	*spoilt
	voter *voter
	db    *journal.DB
}

func newBooth(t *testing.T) *booth {
	t.Helper()
	b := &booth{spoilt: newSpoilt(t)}
	b.db = may(journal.Open(t.Context(), b.conf.Store, b.conf.dir(), journal.Daemon))(t)
	db := b.db
	t.Cleanup(func() { must(t, db.Close()) })
	b.open()
	return b
}

// open makes the key side again, over honest endpoints.
func (b *booth) open() {
	b.t.Helper()
	b.dial()
	e := &engine{conf: b.conf, world: b.world.world, db: b.db}
	b.voter = &voter{engine: e, log: slog.New(slog.NewJSONHandler(b.log, nil)), ref: b.conf.Voter.Key, folder: b.conf.file(b.conf.Voter.Ledger),
		senders: map[gov.ChainID]*sender.Sender{}, limits: map[gov.Address]sender.Limits{}, self: gov.Address(devchain.Address(accountVoter))}
	must(b.t, b.voter.configure(b.set))
}

// ballot is the voting key's on a proposal, by the policy.
func (b *booth) ballot(p gov.Proposal, s gov.Support) gov.Ballot {
	return gov.Ballot{Proposal: p.ID, Flavour: p.Flavour, Voter: b.voter.self, Support: s, Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "r"}}
}

func (b *booth) holder() gov.Holder { return b.set.Holders()[0].Holder }

// session speaks for an account until the test ends.
func (b *booth) session(account int) *devchain.Session {
	b.t.Helper()
	s := may(b.chain.Session(b.t.Context(), account))(b.t)
	b.t.Cleanup(s.Close)
	return s
}

// TestG15VoterRefusals: each thing that pre-flight finds becomes the reason that people read, or is tried again; what it
// cannot know is neither.
func TestG15VoterRefusals(t *testing.T) {
	b := newBooth(t)
	dao := b.daos["harbor"]
	// before the snapshot: an account without tokens speaks through another one
	poor := b.session(accountAuditor)
	must(t, poor.Delegate(t.Context(), dao, b.grantee))
	open, _ := b.propose(0, "# One")
	voted, votedMade := b.propose(0, "# Two")
	canceled, canceledMade := b.propose(0, "# Three")
	must(t, b.proposer.Cancel(t.Context(), dao, canceledMade))
	b.mine(26)
	pending, _ := b.propose(0, "# Four")
	must(t, b.session(accountVoter).CastVote(t.Context(), dao, votedMade.ID, devchain.For, ""))
	swapped := open
	swapped.ContentHash[0] ^= 1
	swapped.Actions = []gov.Action{{To: open.Actions[0].To, Value: gov.NewAmount(6)}}
	foreign := open
	foreign.Flavour = gov.GovernorBravo
	holder := b.holder()
	wrong, n := calls(selectorState, 4), 0
	for name, c := range map[string]struct {
		p      gov.Proposal
		holder gov.Address // of the holder; the policy's own where zero
		voter  common.Address
		faults []chaintest.Faults
		freeze bool
		why    dossier.NotVotedReason // empty: no refusal
		later  bool
		fine   bool
	}{
		"it counts":                   {p: open, fine: true},
		"one endpoint lies":           {p: open, faults: []chaintest.Faults{wrong}, fine: true},
		"voting has not begun":        {p: pending, later: true},
		"it was canceled":             {p: canceled, why: dossier.NotOpen},
		"it was defeated":             {p: open, faults: []chaintest.Faults{calls(selectorState, 3), calls(selectorState, 3)}, why: dossier.NotOpen},
		"the key has voted":           {p: voted, why: dossier.VotedBefore},
		"nobody's tokens speak":       {p: open, holder: gov.Address(b.attacker), why: dossier.NotDelegated},
		"tokens speak through others": {p: open, voter: b.attacker, why: dossier.NotDelegated},
		"no power at the snapshot":    {p: open, holder: gov.Address(b.auditor), voter: b.grantee, why: dossier.NoPower},
		"other content":               {p: swapped, later: true},
		"another flavour":             {p: foreign, later: true},
		"another chain":               {p: open, faults: []chaintest.Faults{{ChainID: 5}, {ChainID: 5}, {ChainID: 5}}, later: true},
		"frozen":                      {p: open, freeze: true, later: true},
		"endpoints disagree":          {p: open, faults: []chaintest.Faults{wrong, calls(selectorState, 7)}},
		"two are down":                {p: open, faults: []chaintest.Faults{{Down: true}, {Down: true}}},
	} {
		n++
		b.open()
		b.lie(c.faults...)
		h, ballot := holder, b.ballot(c.p, gov.SupportFor)
		ballot.Flavour = gov.OpenZeppelin5
		if c.holder != (gov.Address{}) {
			h.Account = c.holder
		}
		if c.voter != (common.Address{}) {
			ballot.Voter = gov.Address(c.voter)
		}
		if c.freeze {
			must(t, ledger.Freeze(b.voter.folder, "by the test"))
		}
		power, err := valueOf(b.voter.Preflight(t.Context(), c.p, h, ballot))
		if c.freeze {
			must(t, os.RemoveAll(b.voter.folder))
		}
		if c.fine {
			if err != nil || power.String() != ether(60_000).String() {
				t.Errorf("%s: power %s, %v", name, power, err)
			}
			continue
		}
		var refusal *agent.Refusal
		refused := errors.As(err, &refusal)
		if err == nil || refused != (c.why != "") || errors.Is(err, agent.ErrLater) != c.later {
			t.Errorf("%s: %v; want refusal %q, later %v", name, err, c.why, c.later)
			continue
		}
		if refused && (refusal.Why != c.why || refusal.Status != gov.VoteNoVote) {
			t.Errorf("%s: %s because %s, want %s", name, refusal.Status, refusal.Why, c.why)
		}
	}
	t.Logf("n=%d pre-flights", n)
}

// TestVoterPlanErrors: a vote that cannot be made now is tried again, and said to be; it is no refusal and no budget.
func TestVoterPlanErrors(t *testing.T) {
	b := newBooth(t)
	dao := b.daos["harbor"]
	open, made := b.propose(0, "# One")
	b.mine(26)
	plan := func(ballot gov.Ballot, over ...gov.Vote) (gov.Tx, error) {
		return valueOf(b.voter.Plan(t.Context(), ballot, over))
	}
	good, err := plan(b.ballot(open, gov.SupportFor))
	if err != nil || good.Gas == 0 || good.Nonce != 0 {
		t.Fatalf("%+v, %v", good, err)
	}
	later := func(name string, err error, want error) {
		t.Helper()
		var refusal *agent.Refusal
		if !errors.Is(err, want) || !errors.Is(err, agent.ErrLater) || errors.Is(err, agent.ErrBudget) || errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broke := b.ballot(open, gov.SupportFor)
	broke.Voter = gov.Address{0xb0}
	_, err = plan(broke)
	later("a key without coin", err, sender.ErrFunds)

	limits := b.voter.limits[open.ID.Governor]
	b.voter.limits[open.ID.Governor] = sender.Limits{FeePerVote: gov.NewAmount(good.Gas), FeePerDay: limits.FeePerDay, VotesPerDay: 9}
	_, err = plan(b.ballot(open, gov.SupportFor))
	later("a vote may cost one wei per gas", err, sender.ErrFee)
	b.voter.limits[open.ID.Governor] = limits

	// a sent vote that can be mined goes first
	other, _ := b.propose(1, "# Another")
	sent := b.signed(other, gov.SupportFor, 0, 30_000_000_000)
	_, err = plan(b.ballot(open, gov.SupportAgainst), sent)
	later("a vote is under way", err, sender.ErrBehind)

	must(t, b.session(accountVoter).CastVote(t.Context(), dao, made.ID, devchain.For, ""))
	_, err = plan(b.ballot(open, gov.SupportFor))
	later("the vote would fail", err, sender.ErrReverts)

	b.lie(chaintest.Faults{Down: true}, chaintest.Faults{Down: true}, chaintest.Faults{Down: true})
	if _, err = plan(b.ballot(open, gov.SupportFor)); err == nil || errors.Is(err, agent.ErrLater) && !errors.Is(err, rpc.ErrNoEndpoint) || errors.Is(err, agent.ErrBudget) {
		t.Errorf("all endpoints are down: %v", err)
	}
	if _, err = plan(gov.Ballot{Proposal: gov.ProposalID{Chain: 5}}); err == nil {
		t.Error("a vote on a chain that is not followed is planned")
	}
	for _, what := range []string{"cannot pay", "would fail"} {
		if !strings.Contains(b.log.String(), what) {
			t.Errorf("the log does not say that the vote %q", what)
		}
	}
}

// signed is a vote whose bytes are the voting key's, at some fee.
func (b *booth) signed(p gov.Proposal, s gov.Support, nonce, feeCap uint64) gov.Vote {
	b.t.Helper()
	vote := b.ballot(p, s)
	key := devchain.Account(accountVoter)
	to := common.Address(p.ID.Governor)
	cap := new(big.Int).SetUint64(feeCap)
	tx := may(types.SignNewTx(key, types.LatestSignerForChainID(b.chain.ChainID()), &types.DynamicFeeTx{
		ChainID: b.chain.ChainID(), Nonce: nonce, GasFeeCap: cap, GasTipCap: cap, Gas: 200_000, To: &to, Data: may(ballot.Encode(vote))(b.t),
	}))(b.t)
	return gov.Vote{Status: gov.VoteSent, Ballot: vote, Nonce: nonce, Tx: tx.Hash(), Raw: gov.CalldataOf(may(tx.MarshalBinary())(b.t))}
}

// spend puts a vote on record that may have cost wei, some hours ago.
func (b *booth) spend(p gov.Proposal, s gov.Support, by gov.By, wei uint64, hours int64) {
	b.t.Helper()
	head := gov.Head{Latest: p.Created, Final: p.Created}
	locked := dossier.WasLocked{Ballot: b.ballot(p, s), Tx: gov.Tx{Gas: 1, FeeCap: gov.NewAmount(wei)}, Content: p.ContentHash}
	locked.Ballot.Reason.By = by
	f := gov.Facts{At: p.Created}
	digest := may(f.Digest())(b.t)
	must(b.t, b.db.InTx(b.t.Context(), func(ctx context.Context, tx journal.Tx) error {
		_, _, err := tx.Append(ctx, p.ID, dossier.Dossier{}, time.Now().Add(-time.Duration(hours)*time.Hour),
			dossier.WasSeen{Seen: dossier.Seen{Proposal: p}, Head: head},
			dossier.WasGathered{Gathered: dossier.Gathered{Facts: f, Digest: digest, Content: p.ContentHash}, Head: head},
			dossier.WasDecided{Verdict: gov.Verdict{Direction: s.Direction(), Facts: digest}, Head: head}, locked)
		return err
	}))
}

// store gives the key side a new store.
func (b *booth) store(t *testing.T) {
	t.Helper()
	b.db = may(journal.Open(t.Context(), "sqlite:legate.db", t.TempDir(), journal.Daemon))(t)
	b.voter.engine.db = b.db
	db := b.db
	t.Cleanup(func() { must(t, db.Close()) })
}

// TestG13VoterBudget: what the store knows of votes bounds the next one; half of it is kept for Against, a person's own
// vote is free, and neither votes elsewhere, nor old ones, nor this very vote count.
func TestG13VoterBudget(t *testing.T) {
	b := newBooth(t)
	self, _ := b.propose(0, "# One")
	other, _ := b.propose(0, "# Other")
	elsewhere := other
	elsewhere.ID.Governor = gov.Address(b.daos["meadow"].Governor)
	b.mine(26)
	// one vote costs this much, and a day has room for ten of them
	costOf := func(s gov.Support) uint64 {
		return sender.Cost(may(valueOf(b.voter.Plan(t.Context(), b.ballot(self, s), nil)))(t)).Int().Uint64()
	}
	cost, costNo := costOf(gov.SupportFor), costOf(gov.SupportAgainst)
	fees := sender.Limits{FeePerVote: gov.NewAmount(4 * cost), FeePerDay: gov.NewAmount(10 * cost), VotesPerDay: 100}
	votes := sender.Limits{FeePerVote: gov.NewAmount(4 * cost), FeePerDay: gov.NewAmount(100 * cost), VotesPerDay: 2}
	const no, yes, abstain = gov.SupportAgainst, gov.SupportFor, gov.SupportAbstain
	n := 0
	for name, c := range map[string]struct {
		limits  sender.Limits
		spent   *gov.Proposal // a vote on it was bound
		as      gov.Support
		by      gov.By
		wei     uint64
		hours   int64
		support gov.Support
		hand    bool
		fine    bool
	}{
		"nothing was spent":                {limits: votes, support: yes, fine: true},
		"one for, of one":                  {limits: votes, spent: &other, as: yes, support: yes},
		"an abstain after one for":         {limits: votes, spent: &other, as: yes, support: abstain},
		"an against after one for":         {limits: votes, spent: &other, as: yes, support: no, fine: true},
		"by hand after one for":            {limits: votes, spent: &other, as: yes, support: yes, hand: true, fine: true},
		"one for, 23 hours ago":            {limits: votes, spent: &other, as: yes, hours: 23, support: yes},
		"one for, 25 hours ago":            {limits: votes, spent: &other, as: yes, hours: 25, support: yes, fine: true},
		"a for after an against":           {limits: votes, spent: &other, as: no, support: yes, fine: true},
		"a for after one by hand":          {limits: votes, spent: &other, as: yes, by: gov.ByHolder, support: yes, fine: true},
		"a for after one elsewhere":        {limits: votes, spent: &elsewhere, as: yes, support: yes, fine: true},
		"the same vote, locked before":     {limits: votes, spent: &self, as: yes, support: yes, fine: true},
		"the fees just fit":                {limits: fees, spent: &other, as: yes, wei: 4 * cost, support: yes, fine: true},
		"the fees do not fit by a wei":     {limits: fees, spent: &other, as: yes, wei: 4*cost + 1, support: yes},
		"half is kept for an against":      {limits: fees, spent: &other, as: yes, wei: 4*cost + 1, support: no, fine: true},
		"an against that just fits":        {limits: fees, spent: &other, as: yes, wei: 10*cost - costNo, support: no, fine: true},
		"an against, too dear by a wei":    {limits: fees, spent: &other, as: no, wei: 10*cost - costNo + 1, support: no},
		"by hand, and nothing is left":     {limits: fees, spent: &other, as: no, wei: 99 * cost, support: yes, hand: true, fine: true},
		"no limits of this governor known": {spent: &other, as: yes, wei: 99 * cost, support: yes, fine: true},
	} {
		n++
		b.store(t)
		delete(b.voter.limits, self.ID.Governor)
		if c.limits.VotesPerDay > 0 {
			b.voter.limits[self.ID.Governor] = c.limits
		}
		if c.spent != nil {
			by := c.by
			if by == "" {
				by = gov.ByPolicy
			}
			b.spend(*c.spent, c.as, by, max(c.wei, 1), c.hours)
		}
		vote := b.ballot(self, c.support)
		if c.hand {
			vote.Reason.By = gov.ByHolder
		}
		_, err := b.voter.Plan(t.Context(), vote, nil)
		if (err == nil) != c.fine || errors.Is(err, agent.ErrBudget) == c.fine || errors.Is(err, agent.ErrLater) {
			t.Errorf("%s: %v; want fine %v, else the budget's error", name, err, c.fine)
		}
	}
	t.Logf("n=%d budgets", n)
}

// TestG13ReplacementWithinBudget: a dearer transaction of a vote that cannot be mined is made only where the budget has
// room; else the sent one stays, and the log says so. A store that cannot be read is neither.
func TestG13ReplacementWithinBudget(t *testing.T) {
	b := newBooth(t)
	p, _ := b.propose(0, "# One")
	other, _ := b.propose(0, "# Other")
	b.mine(26)
	b.store(t)
	room := b.voter.limits[p.ID.Governor]
	none := sender.Limits{FeePerVote: room.FeePerVote, FeePerDay: room.FeePerDay, VotesPerDay: 1}
	b.spend(other, gov.SupportFor, gov.ByPolicy, 1, 0)
	replace := func(v gov.Vote) (*gov.Tx, error) { return valueOf(b.voter.Replace(t.Context(), v)) }
	const spent = "the budget is spent; the sent one stays"

	good := b.signed(p, gov.SupportFor, 0, 50_000_000_000)
	if plan, err := replace(good); plan != nil || err != nil {
		t.Errorf("a vote that can be mined is planned again: %+v, %v", plan, err)
	}
	cheap := b.signed(p, gov.SupportFor, 0, 1)
	b.voter.limits[p.ID.Governor] = none
	if plan, err := replace(cheap); plan != nil || err != nil {
		t.Errorf("without room in the budget: %+v, %v", plan, err)
	}
	if !strings.Contains(b.log.String(), spent) {
		t.Error("the log does not say that the sent vote stays")
	}
	b.voter.limits[p.ID.Governor] = room
	plan, err := replace(cheap)
	if err != nil || plan == nil || plan.Nonce != 0 || plan.FeeCap.Int().Uint64() <= 1 {
		t.Errorf("with room: %+v, %v", plan, err)
	}
	b.voter.limits[p.ID.Governor] = none
	against := b.signed(p, gov.SupportAgainst, 0, 1)
	if plan, err := replace(against); err != nil || plan == nil {
		t.Errorf("an against is bound by the number of votes: %+v, %v", plan, err)
	}
	poor := none
	poor.FeePerDay = gov.NewAmount(2)
	b.voter.limits[p.ID.Governor] = poor
	if plan, err := replace(against); err != nil || plan != nil {
		t.Errorf("an against where the fees of the day are spent: %+v, %v", plan, err)
	}
	hand := cheap
	hand.Ballot.Reason.By = gov.ByHolder
	none.VotesPerDay = 1
	b.voter.limits[p.ID.Governor] = none
	if plan, err := replace(hand); err != nil || plan == nil {
		t.Errorf("a person's own vote: %+v, %v", plan, err)
	}
	closed := may(journal.Open(t.Context(), "sqlite:legate.db", t.TempDir(), journal.Daemon))(t)
	must(t, closed.Close())
	b.voter.engine.db = closed
	if plan, err := replace(cheap); err == nil || plan != nil {
		t.Errorf("the store cannot be read: %+v, %v", plan, err)
	}
	b.voter.engine.db = b.db
	forged := cheap
	forged.Ballot.Support = gov.SupportAgainst
	if plan, err := replace(forged); !errors.Is(err, sender.ErrBytes) || plan != nil {
		t.Errorf("bytes of another vote: %+v, %v", plan, err)
	}
}

// TestVoterSendsWhatCannotBeMined: a nonce that is used by something else is left to what follows the vote; bytes of
// another vote are an error.
func TestVoterSendsWhatCannotBeMined(t *testing.T) {
	b := newBooth(t)
	p, _ := b.propose(0, "# One")
	b.mine(26)
	must(t, b.session(accountVoter).Delegate(t.Context(), b.daos["meadow"], b.grantee)) // the key's owner, by hand: nonce 0
	vote := b.signed(p, gov.SupportFor, 0, 50_000_000_000)
	said := func() bool { return strings.Contains(b.log.String(), "cannot be mined as it is") }
	for end := time.Now().Add(10 * time.Second); !said() && time.Now().Before(end); pause(t.Context(), 50*time.Millisecond) {
		if err := b.voter.Send(t.Context(), vote); err != nil { // a pool that has not seen the new block yet takes it
			t.Fatalf("a used nonce: %v", err)
		}
	}
	if !said() {
		t.Error("the log does not tell of it")
	}
	plan, err := valueOf(b.voter.Replace(t.Context(), vote))
	if err != nil || plan == nil || plan.Nonce != 1 {
		t.Errorf("it is planned again as %+v, %v; want nonce 1", plan, err)
	}
	vote.Ballot.Support = gov.SupportAgainst
	if err := b.voter.Send(t.Context(), vote); !errors.Is(err, sender.ErrBytes) {
		t.Errorf("bytes of another vote: %v", err)
	}
	b.lie(chaintest.Faults{Down: true}, chaintest.Faults{Down: true}, chaintest.Faults{Down: true})
	if err := b.voter.Send(t.Context(), b.signed(p, gov.SupportFor, 1, 50_000_000_000)); err == nil {
		t.Error("it was sent to nobody")
	}
}

// refusing is a signer that fails in one way.
type refusing struct {
	signer.Signer
	err error
}

func (r refusing) Sign(context.Context, gov.Intent) (gov.Vote, error) { return gov.Vote{}, r.err }

// TestVoterSignerWords: the signer's refusals have the agent's names, each its own and no other; what is none of them
// has none.
func TestVoterSignerWords(t *testing.T) {
	db := may(journal.Open(t.Context(), "sqlite:legate.db", t.TempDir(), journal.Daemon))(t)
	defer db.Close()
	names := []error{agent.ErrStale, agent.ErrRefused, agent.ErrUnfit, agent.ErrLater, agent.ErrBudget, agent.ErrMoved}
	for _, c := range []struct{ err, want error }{
		{signer.ErrStale, agent.ErrStale}, {signer.ErrRefused, agent.ErrRefused}, {signer.ErrIntent, agent.ErrUnfit}, {signer.ErrLater, agent.ErrLater}, {errors.New("disk full"), nil},
	} {
		v := &voter{signer: refusing{err: fmt.Errorf("sign: %w", c.err)}, engine: &engine{db: db}}
		_, err := v.Sign(t.Context(), gov.Intent{})
		if !errors.Is(err, c.err) {
			t.Errorf("%v is lost in %v", c.err, err)
		}
		for _, name := range names {
			if errors.Is(err, name) != errors.Is(name, c.want) {
				t.Errorf("%v is %v: %v", c.err, name, errors.Is(err, name))
			}
		}
	}
}
