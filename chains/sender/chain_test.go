package sender_test

import (
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/sender"
)

// world is a dev chain with a DAO, whose holder has delegated to the voting key.
type world struct {
	plain
	t        *testing.T
	chain    *devchain.Chain
	deployer *devchain.Session
	holder   *devchain.Session
	voter    *devchain.Session
	client   *rpc.Client
	panel    *quorum.Panel
	dao      *devchain.DAO
	governor governor.Governor
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, flavour devchain.Flavour) *world {
	t.Helper()
	w := &world{t: t}
	var err error
	w.chain, err = devchain.Start(devchain.Config{GenesisTime: time.Unix(1_750_000_000, 0), FinalityLag: 8, SafeLag: 4})
	must(t, err)
	t.Cleanup(func() { must(t, w.chain.Close()) })
	for i, s := range map[int]**devchain.Session{0: &w.deployer, 4: &w.holder} {
		*s, err = w.chain.Session(t.Context(), i)
		must(t, err)
		t.Cleanup((*s).Close)
	}
	w.voter = w.deployer.As(key)
	w.dao, err = devchain.DeployDAO(t.Context(), w.deployer, devchain.DAOConfig{Flavour: flavour, VotingPeriod: period[flavour]})
	must(t, err)
	to := common.Address(voter)
	_, err = w.deployer.Send(t.Context(), &to, devchain.Tokens(1), nil)
	must(t, err)
	must(t, w.deployer.Delegate(t.Context(), w.dao, w.deployer.From))
	must(t, w.deployer.TransferToken(t.Context(), w.dao, w.holder.From, devchain.Tokens(1000)))
	must(t, w.holder.Delegate(t.Context(), w.dao, to))
	must(t, w.chain.Mine(t.Context(), 1))
	w.connect()
	return w
}

// period leaves room for the reorganisations of the tests.
var period = map[devchain.Flavour]uint64{devchain.OZ5Block: 100, devchain.OZ5Time: 1200, devchain.OZ49: 100, devchain.Bravo: 100}

// connect opens the client and the sender over it.
func (w *world) connect() {
	w.t.Helper()
	var err error
	w.client, err = rpc.Dial(w.t.Context(), rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: w.chain.HTTP()}}, Finality: rpc.Finalized})
	must(w.t, err)
	w.t.Cleanup(w.client.Close)
	head, err := rpc.HeaderByTag(w.t.Context(), w.client, "latest")
	must(w.t, err)
	w.governor, err = governor.Detect(w.t.Context(), w.client, gov.Address(w.dao.Governor), head.Hash)
	must(w.t, err)
	w.panel = quorum.Of(w.client, nil)
	w.Sender, err = sender.New(sender.Config{
		Chain: gov.ChainID(w.chain.ChainID().Uint64()), Panel: w.panel, OtherContent: governor.ErrOtherContent,
		Governors: func(a gov.Address) (sender.Governor, bool) { return w.governor, a == w.governor.Address },
	})
	must(w.t, err)
}

// propose makes a proposal and reads it back from the log.
func (w *world) propose(title string) (gov.Proposal, *big.Int) {
	w.t.Helper()
	pay, err := devchain.ActionOn(w.dao.Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(3))
	must(w.t, err)
	sent, err := w.deployer.Propose(w.t.Context(), w.dao, []devchain.Action{pay}, title)
	must(w.t, err)
	logs, err := rpc.Logs(w.t.Context(), w.client, rpc.Filter{Addresses: []common.Address{w.dao.Governor}, Topics: [][]common.Hash{w.governor.Topics()}, BlockHash: &sent.Receipt.BlockHash})
	must(w.t, err)
	e, err := w.governor.Decode(logs[0])
	must(w.t, err)
	return e.(governor.Created).Seen.Proposal, sent.ID
}

func (w *world) holderIs() gov.Holder {
	return gov.Holder{Name: "h", Account: gov.Address(w.holder.From)}
}

func (w *world) ballot(p gov.Proposal, s gov.Support) gov.Ballot {
	return gov.Ballot{
		Proposal: p.ID, Flavour: p.Flavour, Voter: voter, Support: s,
		Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "rule", Record: gov.Digest{1}},
	}
}

func (w *world) final() gov.Block {
	w.t.Helper()
	agreed, err := quorum.Highest(w.t.Context(), w.panel, func(ctx context.Context, c rpc.Caller) (rpc.Header, error) {
		return rpc.FinalBy(ctx, c, rpc.Finalized)
	})
	must(w.t, err)
	h := agreed.Value()
	return gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}
}

// refused demands a pre-flight error.
func (w *world) refused(p gov.Proposal, h gov.Holder, want error) {
	w.t.Helper()
	if power, err := w.Preflight(w.t.Context(), p, h, w.ballot(p, 1)); !errors.Is(err, want) {
		w.t.Errorf("power %s, error %v, want %v", power, err, want)
	}
}

// TestOnChain takes a vote from pre-flight to finality on each flavour of real governor: what the chain counts
// is what the ballot said.
func TestG15OnChain(t *testing.T) {
	for n, f := range devchain.Flavours() {
		t.Run(string(f), func(t *testing.T) { story(t, start(t, f), gov.Support(n%3)) })
	}
}

func story(t *testing.T, w *world, s gov.Support) {
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	w.refused(p, w.holderIs(), sender.ErrNotYet)
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	w.refused(p, gov.Holder{Account: gov.Address(w.deployer.From)}, sender.ErrNotDelegated)
	swapped := p
	swapped.Actions = []gov.Action{{To: gov.Address(w.dao.Treasury), Value: gov.NewAmount(1), Calldata: p.Actions[0].Calldata}}
	swapped.ContentHash = gov.ContentHash(swapped.Actions, swapped.DescriptionHash)
	w.refused(swapped, w.holderIs(), sender.ErrContent)

	b := w.ballot(p, s)
	power, err := w.Preflight(ctx, p, w.holderIs(), b)
	must(t, err)
	if want, _ := uint256.FromBig(devchain.Tokens(1000)); power != gov.AmountOf(want) {
		t.Errorf("power %s, want %s", power, want)
	}
	plan, err := w.Plan(ctx, b, nil)
	must(t, err)
	v := sign(t, b, plan)
	if r, err := w.Confirm(ctx, v, w.final()); err != nil || r != nil {
		t.Fatalf("before it is sent: %+v, %v", r, err)
	}
	for range 2 { // again is no harm, mined or not
		must(t, w.Send(ctx, v))
		must(t, w.chain.Mine(ctx, 1))
	}
	r, err := w.Confirm(ctx, v, w.final())
	must(t, err)
	if r == nil || !r.OK || r.Final || r.Support != gov.Known(s) || r.Tx != v.Tx {
		t.Fatalf("mined: %+v", r)
	}
	w.refused(p, w.holderIs(), sender.ErrVoted)
	must(t, w.chain.Mine(ctx, 9))
	if r, err = w.Confirm(ctx, v, w.final()); err != nil || r == nil || !r.Final {
		t.Fatalf("final: %+v, %v", r, err)
	}
	votes, err := w.deployer.ProposalVotes(ctx, w.dao, id)
	must(t, err)
	for i, n := range []*big.Int{votes.Against, votes.For, votes.Abstain} {
		if want := devchain.Tokens(1000); (gov.Support(i) == s) != (n.Cmp(want) == 0) || gov.Support(i) != s && n.Sign() != 0 {
			t.Errorf("the chain counts %s for %s, cast was %s", n, gov.Support(i), s)
		}
	}
	must(t, w.deployer.SkipToEnd(ctx, w.dao, id))
	w.refused(p, w.holderIs(), sender.ErrNotActive)
	if _, err := w.Plan(ctx, b, nil); !errors.Is(err, sender.ErrReverts) {
		t.Errorf("a plan after the end: %v, want ErrReverts", err)
	}
}

// mined waits until a block has a vote that was sent: the chain mines by itself when it hears of one.
func (w *world) mined(v gov.Vote) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		r, err := w.Confirm(w.t.Context(), v, w.final())
		must(w.t, err)
		if r != nil {
			return
		}
		if time.Now().After(end) {
			w.t.Fatal("the vote that was sent is not mined")
		}
	}
}

// TestG12Reorganised: a vote whose block is reorganised away is not confirmed any more, and the same bytes
// bring it back.
func TestG12Reorganised(t *testing.T) {
	w := start(t, devchain.OZ5Block)
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	b := w.ballot(p, gov.SupportAgainst)
	plan, err := w.Plan(ctx, b, nil)
	must(t, err)
	v := sign(t, b, plan)
	must(t, w.Send(ctx, v))
	for depth := 1; depth <= 3; depth++ {
		w.mined(v)
		must(t, w.chain.Mine(ctx, depth-1))
		if r, err := w.Confirm(ctx, v, w.final()); err != nil || r == nil || r.Final {
			t.Fatalf("depth %d, mined: %+v, %v", depth, r, err)
		}
		must(t, w.chain.Reorg(ctx, depth))
		if r, err := w.Confirm(ctx, v, w.final()); err != nil || r != nil {
			t.Fatalf("depth %d, reorganised: %+v, %v", depth, r, err)
		}
		if plan, err := w.Replace(ctx, v); err != nil || plan != nil {
			t.Fatalf("depth %d: replaced by %+v, %v", depth, plan, err)
		}
		must(t, w.Send(ctx, v))
	}
	w.mined(v)
	must(t, w.chain.Mine(ctx, 10))
	if r, err := w.Confirm(ctx, v, w.final()); err != nil || r == nil || !r.Final || r.Support != gov.Known(gov.SupportAgainst) {
		t.Errorf("final: %+v, %v", r, err)
	}
}

// TestG14AgainstOvertakes: a vote for that no block takes at the fees of the day does not hold up an against of the same
// key: the against takes its nonce in the pool, and the vote for follows under the next. One whose nonce is used so holds
// up no further against either.
func TestG14AgainstOvertakes(t *testing.T) {
	w := start(t, devchain.OZ5Block)
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	q, second := w.propose("pay account 8")
	r, third := w.propose("pay account 9")
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	must(t, w.deployer.SkipToVoting(ctx, w.dao, second))
	must(t, w.deployer.SkipToVoting(ctx, w.dao, third))
	yes, no := w.ballot(p, gov.SupportFor), w.ballot(q, gov.SupportAgainst)
	plan, err := w.Plan(ctx, yes, nil)
	must(t, err)
	good := sign(t, yes, plan)
	if _, err := w.Plan(ctx, no, []gov.Vote{good}); !errors.Is(err, sender.ErrBehind) {
		t.Fatalf("what can be mined is waited for: %v, want ErrBehind", err)
	}
	head, err := rpc.HeaderByTag(ctx, w.client, "latest")
	must(t, err)
	poor := plan
	poor.FeeCap, poor.TipCap = gov.NewAmount(head.BaseFee.Uint64()/4), gov.NewAmount(head.BaseFee.Uint64()/4)
	stuck := sign(t, yes, poor)
	must(t, w.Send(ctx, stuck))
	must(t, w.chain.Mine(ctx, 1))
	if r, err := w.Confirm(ctx, stuck, w.final()); err != nil || r != nil {
		t.Fatalf("the poor vote was mined: %+v, %v", r, err)
	}
	over, err := w.Plan(ctx, no, []gov.Vote{stuck})
	must(t, err)
	if over.Nonce != poor.Nonce || over.FeeCap.Cmp(poor.FeeCap) <= 0 || over.TipCap.Cmp(poor.TipCap) <= 0 {
		t.Fatalf("the plan %+v does not overtake %+v", over, poor)
	}
	first := sign(t, no, over)
	must(t, w.Send(ctx, first))
	must(t, w.chain.Mine(ctx, 1))
	if r, err := w.Confirm(ctx, first, w.final()); err != nil || r == nil || r.Support != gov.Known(gov.SupportAgainst) {
		t.Fatalf("the against: %+v, %v", r, err)
	}
	if next, err := w.Plan(ctx, w.ballot(r, gov.SupportAgainst), []gov.Vote{stuck}); err != nil || next.Nonce != poor.Nonce+1 {
		t.Fatalf("another against while the vote for waits under a nonce that is used: %+v, %v", next, err)
	}
	again, err := w.Replace(ctx, stuck)
	if err != nil || again == nil || again.Nonce != poor.Nonce+1 {
		t.Fatalf("the vote for after it: %+v, %v", again, err)
	}
	anew := sign(t, yes, *again)
	must(t, w.Send(ctx, anew))
	must(t, w.chain.Mine(ctx, 10))
	if r, err := w.Confirm(ctx, anew, w.final()); err != nil || r == nil || !r.Final || r.Support != gov.Known(gov.SupportFor) {
		t.Errorf("the vote for: %+v, %v", r, err)
	}
}

// TestG10GivenUpVoteIsOvertaken: a vote that waits in the pools when its voting closes, for want of fees, does not keep the
// next vote of the key out of them: every pool wants a tenth more of both fees under the same nonce.
func TestG10GivenUpVoteIsOvertaken(t *testing.T) {
	w := start(t, devchain.OZ5Block)
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	q, next := w.propose("pay account 8")
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	must(t, w.deployer.SkipToVoting(ctx, w.dao, next))
	plan, err := w.Plan(ctx, w.ballot(p, gov.SupportFor), nil)
	must(t, err)
	head, err := rpc.HeaderByTag(ctx, w.client, "latest")
	must(t, err)
	plan.FeeCap = gov.NewAmount(head.BaseFee.Uint64() / 4)
	plan.TipCap = plan.FeeCap
	left := sign(t, w.ballot(p, gov.SupportFor), plan)
	must(t, w.Send(ctx, left))
	left.Status = gov.VoteExpired

	b := w.ballot(q, gov.SupportAbstain)
	alone := plan
	alone.FeeCap = gov.NewAmount(3 * head.BaseFee.Uint64()) // as planned by one that does not know of the other
	if err := w.Send(ctx, sign(t, b, alone)); !errors.Is(err, sender.ErrUnderpriced) {
		t.Fatalf("the pool takes the same tip: %v; this test shows nothing", err)
	}
	over, err := w.Plan(ctx, b, []gov.Vote{left})
	if err != nil || over.Nonce != plan.Nonce || over.TipCap.Cmp(plan.TipCap) <= 0 {
		t.Fatalf("%+v, %v", over, err)
	}
	v := sign(t, b, over)
	must(t, w.Send(ctx, v))
	must(t, w.chain.Mine(ctx, 10))
	if r, err := w.Confirm(ctx, v, w.final()); err != nil || r == nil || !r.Final {
		t.Errorf("%+v, %v", r, err)
	}
	if after, err := w.Plan(ctx, w.ballot(p, gov.SupportFor), []gov.Vote{left}); err != nil || after.Nonce != plan.Nonce+1 {
		t.Errorf("once its nonce is used: %+v, %v", after, err)
	}
}

// TestG10ReplacementIsTaken: whatever fees a stuck transaction has, the real pool takes its replacement at once.
func TestG10ReplacementIsTaken(t *testing.T) {
	w := start(t, devchain.OZ5Block)
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	b := w.ballot(p, gov.SupportFor)
	plan, err := w.Plan(ctx, b, nil)
	must(t, err)
	rng := rand.New(rand.NewPCG(10, 1))
	for n := range 24 {
		head, err := rpc.HeaderByTag(ctx, w.client, "latest")
		must(t, err)
		base := head.BaseFee.Uint64()
		if base < 4 {
			t.Fatalf("the base fee fell to %d", base)
		}
		feeCap := 1 + rng.Uint64N(min(base/2, 1<<n)) // no block takes it
		tip := 1 + rng.Uint64N(feeCap)
		plan.FeeCap, plan.TipCap = gov.NewAmount(feeCap), gov.NewAmount(tip)
		stuck := sign(t, b, plan)
		must(t, w.Send(ctx, stuck))
		again, err := w.Replace(ctx, stuck)
		if err != nil || again == nil || again.Nonce != plan.Nonce {
			t.Fatalf("cap %d, tip %d: %+v, %v", feeCap, tip, again, err)
		}
		if err := w.Send(ctx, sign(t, b, *again)); err != nil {
			t.Fatalf("cap %d, tip %d, replaced by cap %s, tip %s: %v", feeCap, tip, again.FeeCap, again.TipCap, err)
		}
		must(t, w.chain.Mine(ctx, 1))
		plan.Nonce++
	}
}

// TestG10LeastTipOfThePool: a pool that wants a higher tip than a node suggests gets it after some refusals; what may
// be paid bounds it.
func TestG10LeastTipOfThePool(t *testing.T) {
	w := start(t, devchain.OZ5Block)
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	b := w.ballot(p, gov.SupportFor)
	plan, err := w.Plan(ctx, b, nil)
	must(t, err)
	plan.FeeCap, plan.TipCap = gov.NewAmount(3_000_000_000), gov.NewAmount(1_000_000_000) // as on a node that suggests little
	v := sign(t, b, plan)
	w.chain.SetLeastTip(30_000_000_000)
	tries := 0
	for err := w.Send(ctx, v); err != nil; err = w.Send(ctx, v) {
		if tries++; tries > 8 || !errors.Is(err, sender.ErrUnderpriced) {
			t.Fatalf("send %d: %v", tries, err)
		}
		again, err := w.Replace(ctx, v)
		if err != nil || again == nil || again.Nonce != plan.Nonce {
			t.Fatalf("replace %d: %+v, %v", tries, again, err)
		}
		v = sign(t, b, *again)
	}
	if tries == 0 {
		t.Fatal("the pool took a tip of 1 gwei")
	}
	if again, err := w.Replace(ctx, v); err != nil || again != nil {
		t.Errorf("what the pool has is replaced: %+v, %v", again, err)
	}
	must(t, w.chain.Mine(ctx, 10))
	if r, err := w.Confirm(ctx, v, w.final()); err != nil || r == nil || !r.Final {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestG11ForeignNonceOnChain: the key's owner uses the nonce by hand; the vote gets the next one. And where a
// higher-priced copy of the vote was mined, it is found.
func TestG11ForeignNonceOnChain(t *testing.T) {
	w := start(t, devchain.OZ5Block)
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	b := w.ballot(p, gov.SupportFor)
	plan, err := w.Plan(ctx, b, nil)
	must(t, err)
	v := sign(t, b, plan)
	to := devchain.Address(9)
	_, err = w.voter.Send(ctx, &to, big.NewInt(1), nil)
	must(t, err)
	if err := w.Send(ctx, v); !errors.Is(err, sender.ErrNonce) {
		t.Fatalf("send: %v, want ErrNonce", err)
	}
	again, err := w.Replace(ctx, v)
	if err != nil || again == nil || again.Nonce != plan.Nonce+1 {
		t.Fatalf("replace: %+v, %v", again, err)
	}
	first := sign(t, b, *again)
	dearer := *again
	dearer.FeeCap, dearer.TipCap = gov.NewAmount(50e9), gov.NewAmount(5e9)
	second := sign(t, b, dearer)
	must(t, w.Send(ctx, first))
	must(t, w.chain.Mine(ctx, 1)) // it is mined; the second is what was stored last
	must(t, w.Send(ctx, second))
	must(t, w.chain.Mine(ctx, 9))
	r, err := w.Confirm(ctx, second, w.final())
	if err != nil || r == nil || r.Tx != first.Tx || !r.Final || r.Support != gov.Known(gov.SupportFor) {
		t.Errorf("confirm the copy: %+v, %v", r, err)
	}
}
