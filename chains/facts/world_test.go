package facts_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// world is a chain with a DAO on it, whose deployer holds most of the votes.
type world struct {
	testing.TB
	chain *devchain.Chain
	s     *devchain.Session
	dao   *devchain.DAO
	rpc   *rpc.Client
	deps  facts.Deps
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
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
	must(t, s.MineBlocks(t.Context(), 2))
	client, err := rpc.Dial(t.Context(), rpc.Config{ChainID: 31337, Endpoints: []rpc.Endpoint{{HTTP: c.HTTP()}}, Finality: rpc.LatestTag})
	must(t, err)
	t.Cleanup(client.Close)
	w := &world{TB: t, chain: c, s: s, dao: dao, rpc: client}
	g, err := governor.Detect(t.Context(), client, gov.Address(dao.Governor), w.head().Hash)
	must(t, err)
	w.deps = facts.Deps{
		Caller: client, Governor: g, Runner: fork.New(client, fork.Config{ChainID: 31337}),
		Treasury: []gov.Address{gov.Address(dao.Treasury)}, Tokens: []gov.Address{gov.Address(dao.Stable)},
		Prices: facts.PricesOf(map[gov.Asset]float64{gov.Native: 2000, gov.Asset(dao.Token): 5, gov.Asset(dao.Stable): 1}),
		Voter:  gov.Address(s.From), Holder: gov.Address(s.From), Sources: 1,
	}
	w.deps.Book = w.book()
	return w
}

// book pins the DAO's contracts as `book add` proposes them, with the ABI of each.
func (w *world) book() *book.Book {
	w.Helper()
	var entries []book.Entry
	for _, one := range []struct {
		label    gov.Label
		kind     book.Kind
		at       common.Address
		contract string
	}{
		{"Stable", book.Token, w.dao.Stable, "StableToken"},
		{"Treasury", book.Treasury, w.dao.Treasury, "Treasury"},
		{"Market", book.Market, w.dao.Market, "Market"},
		{"ParamBox", book.Market, w.dao.ParamBox, "ParamBox"},
	} {
		p, err := book.Propose(w.Context(), w.rpc, gov.Address(one.at), w.head())
		must(w, err)
		compiled, err := devchain.Load(one.contract)
		must(w, err)
		p.Entry.ABI, err = book.ParseJSON(compiled.RawABI)
		must(w, err)
		p.Entry.Label, p.Entry.Kind = one.label, one.kind
		entries = append(entries, p.Entry)
	}
	return book.Of(entries...)
}

func (w *world) head() gov.Block {
	w.Helper()
	h, err := w.chain.Head(w.Context())
	must(w, err)
	return gov.Block{Number: h.Number.Uint64(), Hash: h.Hash(), Time: gov.UnixTime(h.Time)}
}

func (w *world) act(target common.Address, contract, method string, args ...any) devchain.Action {
	w.Helper()
	a, err := devchain.ActionOn(target, contract, method, args...)
	must(w, err)
	return a
}

// propose makes a proposal on the chain and returns it as the agent knows it.
func (w *world) propose(actions ...devchain.Action) gov.Proposal {
	w.Helper()
	p, err := w.s.Propose(w.Context(), w.dao, actions, "A proposal. "+w.Name())
	must(w, err)
	out := gov.Proposal{
		ID:              gov.ProposalID{Chain: 31337, Governor: gov.Address(w.dao.Governor), Number: amount(p.ID)},
		Flavour:         w.deps.Governor.Flavour,
		DescriptionHash: crypto.Keccak256Hash([]byte(p.Description)),
	}
	start, end, err := w.s.Window(w.Context(), w.dao, p.ID)
	must(w, err)
	out.Starts, out.Ends = gov.Clocks(start), gov.Clocks(end)
	for _, a := range p.Actions {
		data := a.Calldata
		if a.Signature != "" {
			data = append(crypto.Keccak256([]byte(a.Signature))[:4], data...)
		}
		out.Actions = append(out.Actions, gov.Action{To: gov.Address(a.Target), Value: amount(a.Value), Calldata: gov.CalldataOf(data), Signed: a.Signature != ""})
	}
	return out
}

// gather proposes and gathers at the head.
func (w *world) gather(actions ...devchain.Action) facts.Gathered {
	w.Helper()
	got, err := facts.Gather(w.Context(), w.deps, w.propose(actions...), w.head())
	must(w, err)
	return got
}

func amount(n *big.Int) gov.Amount {
	if n == nil {
		return gov.Amount{}
	}
	return gov.AmountOf(uint256.MustFromBig(n))
}

// is compares a fact that must be known.
func is[T comparable](t testing.TB, name string, got gov.Maybe[T], want T) {
	t.Helper()
	if v, ok := got.Get(); !ok || v != want {
		t.Errorf("%s = %v (known %v), want %v", name, v, ok, want)
	}
}

// unknown compares a fact that must be missing.
func unknown[T any](t testing.TB, name string, got gov.Maybe[T]) {
	t.Helper()
	if v, ok := got.Get(); ok {
		t.Errorf("%s = %v, want missing", name, v)
	}
}

func same[T comparable](t testing.TB, name string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", name, got, want)
	}
}
