package governor_test

import (
	"bytes"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// world is a dev chain with one DAO on it and a client that reads it.
type world struct {
	chain  *devchain.Chain
	s      *devchain.Session
	client *rpc.Client
	dao    *devchain.DAO
}

func newWorld(t *testing.T, flavour devchain.Flavour) *world {
	t.Helper()
	w := startChain(t)
	var err error
	if w.dao, err = devchain.DeployDAO(t.Context(), w.s, devchain.DAOConfig{Flavour: flavour}); err != nil {
		t.Fatal(err)
	}
	must(t, w.s.Delegate(t.Context(), w.dao, w.s.From))
	must(t, w.chain.Mine(t.Context(), 1))
	return w
}

func startChain(t *testing.T) *world {
	t.Helper()
	c, err := devchain.Start(devchain.Config{GenesisTime: time.Unix(1_750_000_000, 0)})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	s, err := c.Session(t.Context(), 0)
	must(t, err)
	t.Cleanup(s.Close)
	client, err := rpc.Dial(t.Context(), rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: c.HTTP()}}, Finality: rpc.LatestTag})
	must(t, err)
	t.Cleanup(client.Close)
	return &world{chain: c, s: s, client: client}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// head is the newest block.
func (w *world) head(t *testing.T) gov.Block {
	t.Helper()
	h, err := rpc.HeaderByTag(t.Context(), w.client, "latest")
	must(t, err)
	return gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}
}

func (w *world) detect(t *testing.T) governor.Governor {
	t.Helper()
	g, err := governor.Detect(t.Context(), w.client, gov.Address(w.dao.Governor), w.head(t).Hash)
	must(t, err)
	g.Name = "dao"
	return g
}

// events decodes the governor's logs of a receipt.
func (w *world) events(t *testing.T, g governor.Governor, r *types.Receipt) []governor.Event {
	t.Helper()
	logs, err := rpc.Logs(t.Context(), w.client, rpc.Filter{Addresses: []common.Address{common.Address(g.Address)},
		Topics: [][]common.Hash{g.Topics()}, BlockHash: &r.BlockHash})
	must(t, err)
	var out []governor.Event
	for _, l := range logs {
		e, err := g.Decode(l)
		must(t, err)
		out = append(out, e)
	}
	return out
}

func amount(b *big.Int) gov.Amount {
	n, _ := uint256.FromBig(b)
	return gov.AmountOf(n)
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

var flavours = map[devchain.Flavour]struct {
	name  gov.Flavour
	clock gov.Clock
	oz    bool
}{
	devchain.OZ5Block: {gov.OpenZeppelin5, gov.ClockBlock, true},
	devchain.OZ5Time:  {gov.OpenZeppelin5, gov.ClockTimestamp, true},
	devchain.OZ49:     {gov.OpenZeppelin4, gov.ClockBlock, true},
	devchain.Bravo:    {gov.GovernorBravo, gov.ClockBlock, false},
}

// Every flavour that the dev chain has takes a proposal through its life; what is read here equals what the
// contract's own ABI says, and the steps for the dry run are sent as real transactions.
func TestSuite(t *testing.T) {
	for _, f := range devchain.Flavours() {
		t.Run(string(f), func(t *testing.T) { suite(t, f) })
	}
}

func suite(t *testing.T, flavour devchain.Flavour) {
	w := newWorld(t, flavour)
	g := w.detect(t)
	detected(t, w, g)
	p := proposed(t, w, g)
	voted(t, w, g, p)
	settled(t, w, g, p)
	canceled(t, w, g)
}

func detected(t *testing.T, w *world, g governor.Governor) {
	t.Helper()
	want := flavours[w.dao.Flavour]
	equal(t, "flavour", g.Flavour, want.name)
	equal(t, "clock", g.Clock, want.clock)
	equal(t, "timelock", g.Timelock, gov.Address(w.dao.Timelock))
	equal(t, "executor", g.Executor, gov.Address(w.dao.Timelock))
	equal(t, "token", g.Token, gov.Address(w.dao.Token))
	equal(t, "clock() of EIP-6372", g.HasClock, want.oz)
	equal(t, "clock follows the header", g.HeaderClock, true)
	equal(t, "timelock with roles", g.TimelockOZ, want.oz)
	equal(t, "counted ids", g.Sequential, !want.oz)
	equal(t, "quorum counts", g.Counts, governor.Counts{For: true, Abstain: want.oz})
	equal(t, "chain", g.Chain, gov.ChainID(w.chain.ChainID().Uint64()))
	for _, of := range []string{"flavour", "clock", "timelock", "executor", "token"} {
		if !slices.ContainsFunc(g.Proofs, func(p governor.Proof) bool { return p.Of == of && p.By != "" }) {
			t.Errorf("no proof of the %s in %v", of, g.Proofs)
		}
	}
}

const description = "\n\n# Lower the factor\n\nand pay account 7."

// proposed makes a proposal and holds what its log says against what was sent.
func proposed(t *testing.T, w *world, g governor.Governor) gov.Proposal {
	t.Helper()
	ctx := t.Context()
	pay, err := devchain.ActionOn(w.dao.Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(3))
	must(t, err)
	bare := devchain.Action{Target: pay.Target, Signature: "pay(address,uint256)", Calldata: pay.Calldata[4:]}
	native := devchain.Action{Target: devchain.Address(8), Value: devchain.Tokens(1)}
	sent, err := w.s.Propose(ctx, w.dao, []devchain.Action{pay, native, bare}, description)
	must(t, err)
	events := w.events(t, g, sent.Receipt)
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	seen := events[0].(governor.Created).Seen
	p := seen.Proposal
	equal(t, "number", p.ID.Number, amount(sent.ID))
	equal(t, "governor", p.ID.Governor, g.Address)
	equal(t, "name", p.Name, "dao")
	equal(t, "proposer", p.Proposer, gov.Address(w.s.From))
	equal(t, "created", p.Created.Hash, sent.Receipt.BlockHash)
	equal(t, "title", seen.Text.Title, "Lower the factor")
	equal(t, "description", seen.Text.Description, description)
	start, end, err := w.s.Window(ctx, w.dao, sent.ID)
	must(t, err)
	equal(t, "start", p.Starts, gov.Clocks(start))
	equal(t, "end", p.Ends, gov.Clocks(end))
	if len(p.Actions) != 3 {
		t.Fatalf("%d actions", len(p.Actions))
	}
	for i, a := range []devchain.Action{pay, native, pay} {
		equal(t, "target", p.Actions[i].To, gov.Address(a.Target))
		if !bytes.Equal(p.Actions[i].Calldata.Bytes(), a.Calldata) {
			t.Errorf("calldata of action %d is %x, want %x", i, p.Actions[i].Calldata.Bytes(), a.Calldata)
		}
	}
	equal(t, "value", p.Actions[1].Value, amount(native.Value))
	signed := w.dao.Flavour == devchain.Bravo
	equal(t, "signed", p.Actions[2].Signed, signed)
	if signed {
		equal(t, "signature", seen.Shown.Signatures[2], "pay(address,uint256)")
	}
	bindings(t, w, g, p)
	return p
}

// bindings checks what ties id and content together, and that other content does not pass.
func bindings(t *testing.T, w *world, g governor.Governor, p gov.Proposal) {
	t.Helper()
	must(t, g.CheckContent(p))
	must(t, g.Same(t.Context(), w.client, p, w.head(t)))
	binding, err := g.Binding(p)
	must(t, err)
	other := p
	other.Actions = slices.Clone(p.Actions)
	other.Actions[0].Value = gov.NewAmount(1)
	if err := g.CheckContent(other); !errors.Is(err, governor.ErrOtherContent) {
		t.Errorf("other actions under the old hash: %v", err)
	}
	other.ContentHash = gov.ContentHash(other.Actions, other.DescriptionHash)
	if err := g.Same(t.Context(), w.client, other, w.head(t)); !errors.Is(err, governor.ErrOtherContent) {
		t.Errorf("other actions with their own hash: %v", err)
	}
	if !flavours[w.dao.Flavour].oz {
		equal(t, "binding", binding, governor.ByLog)
		stored, err := g.Reread(t.Context(), w.client, p.ID.Number, w.head(t).Hash)
		must(t, err)
		equal(t, "stored content", gov.ContentHash(stored.Actions, p.DescriptionHash), p.ContentHash)
		equal(t, "stored proposer", stored.Proposer, p.Proposer)
		equal(t, "stored end", stored.Ends, p.Ends)
		return
	}
	equal(t, "binding", binding, governor.ByHash)
	equal(t, "content hash", p.ContentHash, gov.Hash(p.ID.Number.Int().Bytes32()))
	if err := g.CheckContent(other); !errors.Is(err, governor.ErrOtherContent) {
		t.Errorf("an id that is not the hash: %v", err)
	}
	if _, err := g.Reread(t.Context(), w.client, p.ID.Number, w.head(t).Hash); !errors.Is(err, governor.ErrNotOffered) {
		t.Errorf("stored actions of OpenZeppelin: %v", err)
	}
}

func (w *world) expect(t *testing.T, g governor.Governor, p gov.Proposal, want gov.State) {
	t.Helper()
	got, err := g.State(t.Context(), w.client, p.ID.Number, w.head(t).Hash)
	must(t, err)
	equal(t, "state", got, want)
}

// voted casts a vote and compares every reading with the contract's own.
func voted(t *testing.T, w *world, g governor.Governor, p gov.Proposal) {
	t.Helper()
	ctx, c, me := t.Context(), w.client, gov.Address(w.s.From)
	id := p.ID.Number.Int().ToBig()
	w.expect(t, g, p, gov.StatePending)
	must(t, w.s.SkipToVoting(ctx, w.dao, id))
	w.expect(t, g, p, gov.StateActive)
	before := w.head(t)
	must(t, w.s.CastVote(ctx, w.dao, id, devchain.For, "because"))
	at := w.head(t)
	for _, b := range []struct {
		at   gov.Hash
		want bool
	}{{before.Hash, false}, {at.Hash, true}} {
		has, err := g.HasVoted(ctx, c, p.ID.Number, me, b.at)
		must(t, err)
		equal(t, "has voted", has, b.want)
	}
	votes, err := w.s.ProposalVotes(ctx, w.dao, id)
	must(t, err)
	tally, err := g.Tally(ctx, c, p.ID.Number, at.Hash)
	must(t, err)
	equal(t, "tally", tally, gov.Tally{For: amount(votes.For), Against: amount(votes.Against), Abstain: amount(votes.Abstain)})
	if tally.For.IsZero() {
		t.Error("the vote did not count")
	}
	power, err := g.Power(ctx, c, me, p.Starts, at.Hash)
	must(t, err)
	equal(t, "power", power, tally.For)
	needed, err := g.Quorum(ctx, c, p.Starts, at.Hash)
	must(t, err)
	equal(t, "quorum", needed, amount(directQuorum(t, w, uint64(p.Starts))))
	equal(t, "reached", g.Reached(tally, needed), true)
	equal(t, "reached by nothing", g.Reached(gov.Tally{Against: tally.For}, needed), false)
	snapshot, err := g.Snapshot(ctx, c, p.ID.Number, at.Hash)
	must(t, err)
	equal(t, "snapshot", snapshot, p.Starts)
	deadline, err := g.Deadline(ctx, c, p.ID.Number, at.Hash)
	must(t, err)
	equal(t, "deadline", deadline, p.Ends)
	delegate, err := g.Delegate(ctx, c, me, at.Hash)
	must(t, err)
	equal(t, "delegate", delegate, me)
	now, err := g.Now(ctx, c, at.Hash)
	must(t, err)
	if g.Clock == gov.ClockTimestamp {
		equal(t, "now", now, gov.Clocks(at.Time))
	} else {
		equal(t, "now", now, gov.Clocks(at.Number))
	}
	rules(t, w, g, p, at)
	castLog(t, w, p, power)
}

func rules(t *testing.T, w *world, g governor.Governor, p gov.Proposal, at gov.Block) {
	t.Helper()
	params, err := g.Params(t.Context(), w.client, at.Hash)
	must(t, err)
	name := w.dao.GovernorContract()
	for _, f := range []struct {
		method string
		got    gov.Amount
	}{
		{"votingDelay", gov.NewAmount(uint64(params.Delay))}, {"votingPeriod", gov.NewAmount(uint64(params.Period))},
		{"proposalThreshold", params.Threshold},
	} {
		want, err := devchain.Read[*big.Int](t.Context(), w.s, w.dao.Governor, name, f.method)
		must(t, err)
		equal(t, f.method, f.got, amount(want))
	}
	equal(t, "period", params.Period, p.Ends-p.Starts)
	if params.Quorum.IsZero() {
		t.Error("quorum is 0")
	}
	_, err = g.Supply(t.Context(), w.client, p.Starts, at.Hash)
	if want := flavours[w.dao.Flavour].oz; (err == nil) != want || !want && !errors.Is(err, governor.ErrNotOffered) {
		t.Errorf("past supply: %v", err)
	}
}

func directQuorum(t *testing.T, w *world, snapshot uint64) *big.Int {
	t.Helper()
	method, args := "quorum", []any{new(big.Int).SetUint64(snapshot)}
	if w.dao.Flavour == devchain.Bravo {
		method, args = "quorumVotes", nil
	}
	n, err := devchain.Read[*big.Int](t.Context(), w.s, w.dao.Governor, w.dao.GovernorContract(), method, args...)
	must(t, err)
	return n
}

// castLog decodes the vote's own log.
func castLog(t *testing.T, w *world, p gov.Proposal, power gov.Amount) {
	t.Helper()
	head := w.head(t)
	logs, err := rpc.Logs(t.Context(), w.client, rpc.Filter{Addresses: []common.Address{w.dao.Governor},
		Topics: [][]common.Hash{governor.VoteTopics()}, BlockHash: &head.Hash})
	must(t, err)
	if len(logs) != 1 {
		t.Fatalf("%d vote logs", len(logs))
	}
	got, err := governor.DecodeCast(p.ID.Chain, logs[0])
	must(t, err)
	equal(t, "cast", got, governor.Cast{ID: p.ID, Voter: gov.Address(w.s.From), Support: gov.SupportFor, Weight: power, Reason: "because"})
}

// settled queues and executes with the calls that the dry run would make.
func settled(t *testing.T, w *world, g governor.Governor, p gov.Proposal) {
	t.Helper()
	ctx := t.Context()
	id := p.ID.Number.Int().ToBig()
	steps, err := g.Steps(p)
	must(t, err)
	must(t, w.s.SkipToEnd(ctx, w.dao, id))
	w.expect(t, g, p, gov.StateSucceeded)
	equal(t, "deadline by the steps", word(t, w, steps.Deadline.To, steps.Deadline.Data, steps.Deadline.Index), amount(new(big.Int).SetUint64(uint64(p.Ends))))
	tally, err := g.Tally(ctx, w.client, p.ID.Number, w.head(t).Hash)
	must(t, err)
	equal(t, "votes for by the steps", word(t, w, steps.For.To, steps.For.Data, steps.For.Index), tally.For)
	to := common.Address(steps.Queue.To)
	receipt, err := w.s.Send(ctx, &to, nil, steps.Queue.Data)
	must(t, err)
	w.expect(t, g, p, gov.StateQueued)
	eta, err := g.Eta(ctx, w.client, p.ID.Number, w.head(t).Hash)
	must(t, err)
	direct, err := w.s.ETA(ctx, w.dao, id)
	must(t, err)
	equal(t, "eta", eta, gov.UnixTime(direct))
	equal(t, "eta by the steps", word(t, w, steps.Eta.To, steps.Eta.Data, steps.Eta.Index), gov.NewAmount(direct))
	equal(t, "queued", w.events(t, g, receipt)[0], governor.Event(governor.Queued{ID: p.ID, Eta: eta}))
	must(t, w.s.SkipToETA(ctx, w.dao, id))
	must(t, w.chain.Mine(ctx, 1))
	to = common.Address(steps.Execute.To)
	// What Compound's Bravo would have to be sent; this Bravo's timelock pays from its own balance, which is why the
	// dry run tries without it first.
	equal(t, "value to send", !steps.Execute.Value.IsZero(), w.dao.Flavour == devchain.Bravo)
	receipt, err = w.s.Send(ctx, &to, nil, steps.Execute.Data)
	must(t, err)
	equal(t, "executed", w.events(t, g, receipt)[0], governor.Event(governor.Executed{ID: p.ID}))
	w.expect(t, g, p, gov.StateExecuted)
}

func word(t *testing.T, w *world, to gov.Address, data []byte, index int) gov.Amount {
	t.Helper()
	out, err := rpc.CallContract(t.Context(), w.client, common.Address(to), data, w.head(t).Hash)
	must(t, err)
	if len(out) < 32*(index+1) {
		t.Fatalf("answer of %d bytes", len(out))
	}
	return gov.AmountOf(new(uint256.Int).SetBytes(out[32*index : 32*index+32]))
}

func canceled(t *testing.T, w *world, g governor.Governor) {
	t.Helper()
	ctx := t.Context()
	pay, err := devchain.ActionOn(w.dao.Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(1))
	must(t, err)
	p, err := w.s.Propose(ctx, w.dao, []devchain.Action{pay}, "no heading\nsecond line")
	must(t, err)
	must(t, w.s.Cancel(ctx, w.dao, p))
	id := gov.ProposalID{Chain: g.Chain, Governor: g.Address, Number: amount(p.ID)}
	head := w.head(t)
	equal(t, "canceled", w.events(t, g, &types.Receipt{BlockHash: head.Hash})[0], governor.Event(governor.Canceled{ID: id}))
	w.expect(t, g, gov.Proposal{ID: id}, gov.StateCanceled)
}

// A late quorum moves the deadline of both OpenZeppelin releases.
func TestExtendedDeadline(t *testing.T) {
	for _, f := range []devchain.Flavour{devchain.OZ5Block, devchain.OZ49} {
		w := newWorld(t, f)
		g := w.detect(t)
		pay, err := devchain.ActionOn(w.dao.Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(1))
		must(t, err)
		p, err := w.s.Propose(t.Context(), w.dao, []devchain.Action{pay}, "late")
		must(t, err)
		_, end, err := w.s.Window(t.Context(), w.dao, p.ID)
		must(t, err)
		must(t, w.s.MineBlocks(t.Context(), end-w.head(t).Number-2))
		must(t, w.s.CastVote(t.Context(), w.dao, p.ID, devchain.For, ""))
		events := w.events(t, g, &types.Receipt{BlockHash: w.head(t).Hash})
		if len(events) != 1 {
			t.Fatalf("%s: events %v", f, events)
		}
		e, ok := events[0].(governor.Extended)
		deadline, err := g.Deadline(t.Context(), w.client, amount(p.ID), w.head(t).Hash)
		must(t, err)
		if !ok || e.Ends != deadline || uint64(deadline) <= end {
			t.Errorf("%s: %+v, deadline %d, first %d", f, events[0], deadline, end)
		}
		if c, ok := governor.ChangeOf(e, w.head(t)); !ok || c.Ends != deadline || c.State != "" {
			t.Errorf("change %+v", c)
		}
	}
}

func TestGovernorAlpha(t *testing.T) {
	w := startChain(t)
	ctx := t.Context()
	nonce, err := w.s.Client.PendingNonceAt(ctx, w.s.From)
	must(t, err)
	future := crypto.CreateAddress(w.s.From, nonce+2)
	head := w.head(t)
	timelock, err := w.s.Deploy(ctx, "UniTimelock", future, big.NewInt(2*24*3600))
	must(t, err)
	token, err := w.s.Deploy(ctx, "Uni", w.s.From, w.s.From, big.NewInt(int64(head.Time)+24*3600))
	must(t, err)
	alpha, err := w.s.Deploy(ctx, "GovernorAlpha", timelock, token)
	must(t, err)
	equal(t, "address of the governor", alpha, future)
	_, err = w.s.Transact(ctx, token, "Uni", "delegate", w.s.From)
	must(t, err)
	must(t, w.chain.Mine(ctx, 2))
	g, err := governor.Detect(ctx, w.client, gov.Address(alpha), w.head(t).Hash)
	must(t, err)
	equal(t, "flavour", g.Flavour, gov.GovernorAlpha)
	equal(t, "timelock", g.Timelock, gov.Address(timelock))
	equal(t, "token", g.Token, gov.Address(token))
	receipt, err := w.s.Transact(ctx, alpha, "GovernorAlpha", "propose", []common.Address{token}, []*big.Int{big.NewInt(0)},
		[]string{"setMinter(address)"}, [][]byte{common.LeftPadBytes(w.s.From[:], 32)}, "plain first line\n\n## late heading")
	must(t, err)
	seen := w.events(t, g, receipt)[0].(governor.Created).Seen
	p := seen.Proposal
	equal(t, "title", seen.Text.Title, "late heading")
	must(t, g.Same(ctx, w.client, p, w.head(t)))
	must(t, w.chain.Mine(ctx, 3))
	_, err = w.s.Transact(ctx, alpha, "GovernorAlpha", "castVote", p.ID.Number.Int().ToBig(), false)
	must(t, err)
	at := w.head(t)
	tally, err := g.Tally(ctx, w.client, p.ID.Number, at.Hash)
	must(t, err)
	power, err := g.Power(ctx, w.client, gov.Address(w.s.From), p.Starts, at.Hash)
	must(t, err)
	equal(t, "tally", tally, gov.Tally{Against: power})
	logs, err := rpc.Logs(ctx, w.client, rpc.Filter{Topics: [][]common.Hash{governor.VoteTopics()}, BlockHash: &at.Hash})
	must(t, err)
	cast, err := governor.DecodeCast(g.Chain, logs[0])
	must(t, err)
	equal(t, "cast", cast, governor.Cast{ID: p.ID, Voter: gov.Address(w.s.From), Support: gov.SupportAgainst, Weight: power})
	has, err := g.HasVoted(ctx, w.client, p.ID.Number, gov.Address(w.s.From), at.Hash)
	must(t, err)
	equal(t, "has voted", has, true)
}

func TestDetectRefuses(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	ctx := t.Context()
	timelock, err := w.s.Deploy(ctx, "TimelockController", big.NewInt(60), []common.Address{}, []common.Address{}, w.s.From)
	must(t, err)
	orphan, err := w.s.Deploy(ctx, "DevGovernor", "orphan", w.dao.Token, timelock, big.NewInt(2), uint32(20), big.NewInt(0), big.NewInt(4), big.NewInt(5))
	must(t, err)
	for _, x := range []struct {
		what string
		addr common.Address
		want error
	}{
		{"an account without code", devchain.Address(5), governor.ErrUnknown},
		{"a token", w.dao.Token, governor.ErrUnknown},
		{"a timelock", w.dao.Timelock, governor.ErrUnknown},
		{"a governor whose timelock does not know it", orphan, governor.ErrUnproven},
	} {
		_, err := governor.Detect(ctx, w.client, gov.Address(x.addr), w.head(t).Hash)
		if !errors.Is(err, x.want) {
			t.Errorf("%s: %v", x.what, err)
			continue
		}
		t.Logf("%s: %v", x.what, err)
	}
	if _, err := governor.Detect(ctx, w.client, gov.Address(w.dao.Governor), gov.Hash{1}); err == nil || errors.Is(err, governor.ErrUnknown) {
		t.Errorf("a block that does not exist: %v", err)
	}
}
