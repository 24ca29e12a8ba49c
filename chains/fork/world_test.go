package fork_test

import (
	"context"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	gethrpc "github.com/ethereum/go-ethereum/rpc"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// world is a chain with a DAO on it, whose deployer holds most of the votes.
type world struct {
	testing.TB
	chain *devchain.Chain
	s     *devchain.Session
	dao   *devchain.DAO
	rpc   *rpc.Client
}

func newWorld(t testing.TB, flavour devchain.Flavour) *world {
	t.Helper()
	c, err := devchain.Start(devchain.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	s, err := devchain.Dial(t.Context(), c.HTTP(), devchain.Account(0))
	must(t, err)
	t.Cleanup(s.Close)
	dao, err := devchain.DeployDAO(t.Context(), s, devchain.DAOConfig{Flavour: flavour})
	must(t, err)
	must(t, s.Delegate(t.Context(), dao, s.From))
	must(t, s.MineBlocks(t.Context(), 1))
	client, err := rpc.Dial(t.Context(), rpc.Config{ChainID: 31337, Endpoints: []rpc.Endpoint{{HTTP: c.HTTP()}}, Finality: rpc.LatestTag})
	must(t, err)
	t.Cleanup(client.Close)
	return &world{t, c, s, dao, client}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) act(target common.Address, contract, method string, args ...any) devchain.Action {
	w.Helper()
	a, err := devchain.ActionOn(target, contract, method, args...)
	must(w, err)
	return a
}

func (w *world) propose(actions ...devchain.Action) *devchain.Proposal {
	w.Helper()
	p, err := w.s.Propose(w.Context(), w.dao, actions, "A proposal. "+w.Name())
	must(w, err)
	return p
}

// proposal is p as the agent knows it.
func (w *world) proposal(p *devchain.Proposal) gov.Proposal {
	out := gov.Proposal{
		ID:              gov.ProposalID{Chain: 31337, Governor: gov.Address(w.dao.Governor), Number: amount(p.ID)},
		DescriptionHash: crypto.Keccak256Hash([]byte(p.Description)),
	}
	for _, a := range p.Actions {
		data := a.Calldata
		if a.Signature != "" {
			data = append(crypto.Keccak256([]byte(a.Signature))[:4], data...)
		}
		out.Actions = append(out.Actions, gov.Action{To: gov.Address(a.Target), Value: amount(a.Value), Calldata: gov.CalldataOf(data), Signed: a.Signature != ""})
	}
	return out
}

func amount(n *big.Int) gov.Amount {
	if n == nil {
		return gov.Amount{}
	}
	return gov.AmountOf(uint256.MustFromBig(n))
}

func (w *world) head() gov.Block {
	w.Helper()
	h, err := w.chain.Head(w.Context())
	must(w, err)
	return gov.Block{Number: h.Number.Uint64(), Hash: h.Hash(), Time: gov.UnixTime(h.Time)}
}

func (w *world) plan() fork.Plan {
	return fork.Plan{
		Lifecycle: lifecycle{w.dao},
		Executor:  gov.Address(w.dao.Timelock),
		Watch:     []gov.Address{gov.Address(w.dao.Treasury), gov.Address(w.dao.Governor)},
		Tokens:    []gov.Address{gov.Address(w.dao.Token), gov.Address(w.dao.Stable)},
	}
}

func (w *world) runner() *fork.Runner { return fork.New(w.rpc, fork.Config{ChainID: 31337}) }

// run is a lifecycle run at the head.
func (w *world) run(p *devchain.Proposal) *fork.Result {
	w.Helper()
	res, err := w.runner().Run(w.Context(), w.proposal(p), w.head(), w.plan())
	must(w, err)
	return res
}

// direct runs actions as a draft.
func (w *world) direct(actions ...devchain.Action) *fork.Result {
	w.Helper()
	plan := w.plan()
	plan.Lifecycle = nil
	res, err := w.runner().Run(w.Context(), w.proposal(&devchain.Proposal{ID: new(big.Int), Actions: actions}), w.head(), plan)
	must(w, err)
	return res
}

// vote takes a proposal to where it can be queued.
func (w *world) vote(p *devchain.Proposal) {
	w.Helper()
	ctx := w.Context()
	must(w, w.s.SkipToVoting(ctx, w.dao, p.ID))
	must(w, w.s.CastVote(ctx, w.dao, p.ID, devchain.For, ""))
	must(w, w.s.SkipToEnd(ctx, w.dao, p.ID))
}

// execute executes for real.
func (w *world) execute(p *devchain.Proposal) (*types.Receipt, *types.Header) {
	w.Helper()
	must(w, w.s.Execute(w.Context(), w.dao, p))
	head, err := w.chain.Head(w.Context())
	must(w, err)
	receipts, err := w.s.Client.BlockReceipts(w.Context(), gethrpc.BlockNumberOrHashWithHash(head.Hash(), false))
	must(w, err)
	if len(receipts) != 1 {
		w.Fatalf("the head has %d transactions, want the one that executes", len(receipts))
	}
	return receipts[0], head
}

// lifecycle drives the governors of the dev chain. Flavours proper live in chains/governor.
type lifecycle struct{ dao *devchain.DAO }

var ozABI = parseABI(`[
 {"type":"function","name":"state","inputs":[{"name":"id","type":"uint256"}]},
 {"type":"function","name":"proposals","inputs":[{"name":"id","type":"uint256"}]},
 {"type":"function","name":"proposalVotes","inputs":[{"name":"id","type":"uint256"}]},
 {"type":"function","name":"proposalDeadline","inputs":[{"name":"id","type":"uint256"}]},
 {"type":"function","name":"proposalEta","inputs":[{"name":"id","type":"uint256"}]},
 {"type":"function","name":"queue","inputs":[{"name":"t","type":"address[]"},{"name":"v","type":"uint256[]"},{"name":"c","type":"bytes[]"},{"name":"d","type":"bytes32"}]},
 {"type":"function","name":"execute","inputs":[{"name":"t","type":"address[]"},{"name":"v","type":"uint256[]"},{"name":"c","type":"bytes[]"},{"name":"d","type":"bytes32"}]}]`)

var bravoABI = parseABI(`[
 {"type":"function","name":"queue","inputs":[{"name":"id","type":"uint256"}]},
 {"type":"function","name":"execute","inputs":[{"name":"id","type":"uint256"}]}]`)

func parseABI(text string) abi.ABI {
	a, err := abi.JSON(strings.NewReader(text))
	if err != nil {
		panic(err)
	}
	return a
}

func (l lifecycle) Steps(p gov.Proposal) (fork.Steps, error) {
	to, id := gov.Address(l.dao.Governor), p.ID.Number.Int().ToBig()
	pack := func(a abi.ABI, name string, args ...any) []byte {
		data, err := a.Pack(name, args...)
		if err != nil {
			panic(err)
		}
		return data
	}
	s := fork.Steps{Clock: gov.ClockBlock, State: fork.Call{To: to, Data: pack(ozABI, "state", id)}}
	if l.dao.Clock == devchain.ClockTime {
		s.Clock = gov.ClockTimestamp
	}
	var total uint256.Int
	var targets []common.Address
	var values []*big.Int
	var calldatas [][]byte
	for _, a := range p.Actions {
		targets, values, calldatas = append(targets, common.Address(a.To)), append(values, a.Value.Int().ToBig()), append(calldatas, a.Calldata.Bytes())
		total.Add(&total, a.Value.Int())
	}
	if l.dao.Flavour == devchain.Bravo {
		read := pack(ozABI, "proposals", id)
		s.For, s.Deadline, s.Eta = fork.Word{To: to, Data: read, Index: 5}, fork.Word{To: to, Data: read, Index: 4}, fork.Word{To: to, Data: read, Index: 2}
		s.Queue = &fork.Call{To: to, Data: pack(bravoABI, "queue", id)}
		s.Execute = fork.Call{To: to, Data: pack(bravoABI, "execute", id), Value: gov.AmountOf(&total)}
		return s, nil
	}
	s.For = fork.Word{To: to, Data: pack(ozABI, "proposalVotes", id), Index: 1}
	s.Deadline = fork.Word{To: to, Data: pack(ozABI, "proposalDeadline", id)}
	s.Eta = fork.Word{To: to, Data: pack(ozABI, "proposalEta", id)}
	args := []any{targets, values, calldatas, [32]byte(p.DescriptionHash)}
	s.Queue = &fork.Call{To: to, Data: pack(ozABI, "queue", args...)}
	s.Execute = fork.Call{To: to, Data: pack(ozABI, "execute", args...)}
	return s, nil
}

// faulty is a Caller that fails the n-th request on, or the ones that a filter picks.
type faulty struct {
	rpc.Caller
	fail  func(rpc.Request) error
	blank string // a method that is answered with null
	trips atomic.Int64
}

func (f *faulty) Batch(ctx context.Context, reqs []rpc.Request) error {
	f.trips.Add(1)
	for i := range reqs {
		if err := f.fail(reqs[i]); err != nil {
			reqs[i].Err = err
		}
	}
	var rest []rpc.Request
	var at []int
	for i := range reqs {
		if reqs[i].Err == nil && (f.blank == "" || reqs[i].Method != f.blank) {
			rest, at = append(rest, reqs[i]), append(at, i)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	err := f.Caller.Batch(ctx, rest)
	for i, r := range rest {
		reqs[at[i]] = r
	}
	return err
}
