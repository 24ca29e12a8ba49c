package facts_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// mover is a chain whose head moves between any two calls: it mines a block, with a payment to the treasury in it,
// before every so many requests. It also notes reads that are not at the pinned block.
type mover struct {
	rpc.Caller
	w      *world
	every  int64
	calls  atomic.Int64
	pinned gov.Hash
	stray  []string
}

func (m *mover) note(method string, args []any) {
	switch method {
	case "eth_call", "eth_getCode", "eth_getStorageAt", "eth_getBalance", "eth_getTransactionCount", "eth_createAccessList":
	default:
		return
	}
	for _, a := range args {
		if at, ok := a.(rpc.AtHash); ok && at.Hash == m.pinned {
			return
		}
	}
	m.stray = append(m.stray, fmt.Sprintf("%s %v", method, args))
}

func (m *mover) move() {
	if m.calls.Add(1)%m.every == 0 {
		treasury := m.w.dao.Treasury
		_, err := m.w.s.Send(m.w.Context(), &treasury, big.NewInt(1), nil)
		must(m.w, err)
	}
}

func (m *mover) Call(ctx context.Context, result any, method string, args ...any) error {
	m.move()
	m.note(method, args)
	return m.Caller.Call(ctx, result, method, args...)
}

func (m *mover) Batch(ctx context.Context, reqs []rpc.Request) error {
	m.move()
	for _, r := range reqs {
		m.note(r.Method, r.Args)
	}
	return m.Caller.Batch(ctx, reqs)
}

// TestG19OneHeight: with a head that moves between any two calls, every read is at the one block hash and the facts are
// those of a chain that stands still.
func TestG19OneHeight(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	p := w.propose(devchain.Action{Target: stranger, Value: ether(10)}, w.act(w.dao.Token, w.dao.TokenContract(), "transfer", stranger, ether(7)),
		w.act(w.dao.Opaque, "OpaqueTarget", "zq7_k9Wobble", big.NewInt(7), []byte("hello")))
	at := w.head()
	still, err := facts.Gather(t.Context(), w.deps, p, at)
	must(t, err)
	const n = 10
	reads := int64(0)
	for i := range n {
		m := &mover{Caller: w.rpc, w: w, every: int64(1 + i%5), pinned: at.Hash}
		deps := w.deps
		deps.Caller, deps.Runner = m, fork.New(m, fork.Config{ChainID: 31337})
		moved, err := facts.Gather(t.Context(), deps, p, at)
		must(t, err)
		if digest(t, still.Facts) != digest(t, moved.Facts) {
			t.Fatalf("run %d: the facts differ from those of a chain that stands still", i)
		}
		if len(m.stray) > 0 {
			t.Fatalf("run %d: %d reads are not at the block's hash, the first %s", i, len(m.stray), m.stray[0])
		}
		reads += m.calls.Load()
	}
	if now := w.head(); now.Number <= at.Number {
		t.Fatal("the head never moved")
	}
	t.Logf("n=%d gatherings with %d conversations; the head moved %d blocks under them", n, reads, w.head().Number-at.Number)
}

// TestGatherTwice: two gatherings at one hash give equal digests, also of the context, and through two clients.
func TestGatherTwice(t *testing.T) {
	for _, flavour := range devchain.Flavours() {
		t.Run(string(flavour), func(t *testing.T) {
			w := newWorld(t, flavour)
			p := w.propose(devchain.Action{Target: stranger, Value: ether(10)}, w.act(w.dao.Token, w.dao.TokenContract(), "transfer", stranger, ether(7)))
			at := w.head()
			a, err := facts.Gather(t.Context(), w.deps, p, at)
			must(t, err)
			deps := w.deps
			deps.Runner, deps.Sources = fork.New(w.rpc, fork.Config{ChainID: 31337}), 3
			b, err := facts.Gather(t.Context(), deps, p, at)
			must(t, err)
			x, err := a.Facts.Digest()
			must(t, err)
			y, err := b.Facts.Digest()
			must(t, err)
			same(t, "digest", x, y)
			same(t, "context", digest(t, a.Context), digest(t, b.Context))
			f := a.Facts
			is(t, "status", f.Effects.Status, gov.EffectsExecuted)
			is(t, "unknown_calls", f.UnknownCalls, 0)
			is(t, "outflow_usd", f.Treasury.OutflowUSD, 20_035)
			is(t, "minted_bps", f.Supply.MintedBps, 0)
			before, ok := f.Timelock.DelayBefore.Get()
			if after, _ := f.Timelock.DelayAfter.Get(); !ok || before == 0 || before != after {
				t.Errorf("delay %d → %d (known %v)", before, after, ok)
			}
			if q, ok := f.Governor.Quorum.Before.Get(); !ok || q == 0 || f.Governor.Quorum.After != f.Governor.Quorum.Before {
				t.Errorf("quorum = %+v", f.Governor.Quorum)
			}
			if flavour == devchain.Bravo && (f.Applies("supply.cap_raised") || f.Applies("supply.paused")) {
				t.Errorf("Uni has no cap and no pause: %v", f.NotApplicable)
			}
			for _, m := range f.Unavailable {
				if !slices.Contains([]gov.Part{"bridge.chains", "bridge.undecoded", "lookalikes", "treasury.recipients_new"}, m.Part) {
					t.Errorf("unavailable: %+v", m)
				}
			}
		})
	}
}

// broken answers some methods with an error, as a pruned node does.
type broken struct {
	rpc.Caller
	fail func(method string, args []any) bool
}

var errPruned = fmt.Errorf("missing trie node: %w", rpc.ErrNoState)

func (b broken) Call(ctx context.Context, result any, method string, args ...any) error {
	if b.fail(method, args) {
		return errPruned
	}
	return b.Caller.Call(ctx, result, method, args...)
}

func (b broken) Batch(ctx context.Context, reqs []rpc.Request) error {
	for i := range reqs {
		if b.fail(reqs[i].Method, reqs[i].Args) {
			reqs[i].Err = errPruned
			continue
		}
		reqs[i].Err = b.Caller.Call(ctx, reqs[i].Result, reqs[i].Method, reqs[i].Args...)
	}
	return nil
}

// TestMissingIsNeverZero: what a node does not answer is missing and listed, never zero, and the rest stays.
func TestMissingIsNeverZero(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	p := w.propose(w.act(w.dao.Token, w.dao.TokenContract(), "transfer", stranger, ether(7)))
	at := w.head()
	listed := func(t *testing.T, f gov.Facts, part gov.Part, reason gov.Reason) {
		t.Helper()
		if !slices.ContainsFunc(f.Unavailable, func(m gov.Missing) bool { return m.Part == part && m.Reason == reason }) {
			t.Errorf("%s is not listed as %s: %v", part, reason, f.Unavailable)
		}
	}
	gather := func(t *testing.T, fail func(string, []any) bool) gov.Facts {
		t.Helper()
		deps := w.deps
		deps.Caller = broken{w.rpc, fail}
		deps.Runner = fork.New(deps.Caller, fork.Config{ChainID: 31337})
		got, err := facts.Gather(t.Context(), deps, p, at)
		must(t, err)
		return got.Facts
	}
	t.Run("no state at all", func(t *testing.T) {
		f := gather(t, func(string, []any) bool { return true })
		is(t, "status", f.Effects.Status, gov.EffectsUnavailable)
		if k, ok := f.Kinds.Get(); !ok || len(k) != 1 || k[0] != gov.KindTransfer {
			t.Errorf("kinds = %v: the selectors alone say it", k)
		}
		unknown(t, "unknown_calls", f.UnknownCalls)
		unknown(t, "calls", f.Calls)
		unknown(t, "value_usd", f.Treasury.ValueUSD)
		unknown(t, "outflow_usd", f.Treasury.OutflowUSD)
		unknown(t, "allowances", f.Treasury.Allowances)
		unknown(t, "minted_bps", f.Supply.MintedBps)
		unknown(t, "paused", f.Supply.Paused)
		unknown(t, "cap_raised", f.Supply.CapRaised)
		unknown(t, "granted", f.Roles.Granted)
		unknown(t, "delay_before", f.Timelock.DelayBefore)
		unknown(t, "quorum.before", f.Governor.Quorum.Before)
		unknown(t, "upgrades", f.Upgrades)
		unknown(t, "fresh", f.Targets.Fresh)
		unknown(t, "params", f.Params)
		for _, part := range []gov.Part{"calls", "unknown_calls", "treasury.value_usd", "treasury.outflow_usd", "supply.paused", "timelock.delay_before", "governor.quorum.before", "upgrades", "roles.granted"} {
			listed(t, f, part, gov.NoState)
		}
	})
	t.Run("the dry run alone", func(t *testing.T) {
		f := gather(t, func(method string, _ []any) bool {
			return method == "eth_getStorageAt" || method == "eth_createAccessList"
		})
		is(t, "status", f.Effects.Status, gov.EffectsUnavailable)
		is(t, "unknown_calls", f.UnknownCalls, 0)
		is(t, "value_usd", f.Treasury.ValueUSD, 1_050_000)
		unknown(t, "outflow_usd", f.Treasury.OutflowUSD)
		listed(t, f, "effects.status", gov.NoState)
	})
	t.Run("too large", func(t *testing.T) {
		big := p
		big.Actions, big.TooLarge = nil, true
		got, err := facts.Gather(t.Context(), w.deps, big, at)
		must(t, err)
		unknown(t, "kinds", got.Facts.Kinds)
		unknown(t, "outflow_usd", got.Facts.Treasury.OutflowUSD)
		listed(t, got.Facts, "calls", gov.TooLarge)
		listed(t, got.Facts, "effects.status", gov.TooLarge)
	})
	t.Run("the context ends", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := facts.Gather(ctx, w.deps, p, at); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	})
}

// TestOutflows: what FORMATS says of gross, allowances, prices and the one asset.
func TestOutflows(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	d := w.dao
	token, stable := gov.Asset(d.Token), gov.Asset(d.Stable)
	with := func(prices map[gov.Asset]float64, actions ...devchain.Action) gov.Treasury {
		t.Helper()
		world := *w
		world.deps.Prices = facts.PricesOf(prices)
		f := world.gather(actions...).Facts
		is(t, "status", f.Effects.Status, gov.EffectsExecuted)
		return f.Treasury
	}
	grant := func(n int64) devchain.Action {
		return w.act(d.Token, d.TokenContract(), "transfer", stranger, ether(n))
	}

	t.Run("an unpriced asset that moves", func(t *testing.T) {
		got := with(map[gov.Asset]float64{gov.Native: 2000}, grant(1))
		unknown(t, "outflow_usd", got.OutflowUSD)
		unknown(t, "outflow_bps", got.OutflowBps)
		unknown(t, "value_usd", got.ValueUSD)
	})
	t.Run("an unpriced asset that stays", func(t *testing.T) {
		got := with(map[gov.Asset]float64{gov.Native: 2000}, devchain.Action{Target: stranger, Value: ether(3)})
		is(t, "outflow_usd", got.OutflowUSD, 6000)
		is(t, "outflow_bps", got.OutflowBps, 200)
		unknown(t, "value_usd", got.ValueUSD)
	})
	t.Run("no price and one asset moves", func(t *testing.T) {
		got := with(nil, grant(15_000))
		is(t, "outflow_bps", got.OutflowBps, 1000) // of 150 000
		unknown(t, "outflow_usd", got.OutflowUSD)
	})
	t.Run("no price and two assets move", func(t *testing.T) {
		got := with(nil, grant(16_000), devchain.Action{Target: stranger, Value: ether(3)})
		unknown(t, "outflow_bps", got.OutflowBps)
	})
	t.Run("no movement needs no price", func(t *testing.T) {
		got := with(nil, w.act(d.Market, "Market", "setCloseFactor", big.NewInt(5e17)))
		is(t, "outflow_usd", got.OutflowUSD, 0)
		is(t, "outflow_bps", got.OutflowBps, 0)
		is(t, "recipients_new", got.RecipientsNew, 0)
	})
	prices := map[gov.Asset]float64{gov.Native: 2000, token: 5, stable: 1}
	t.Run("between the treasury's own accounts", func(t *testing.T) {
		got := with(prices, w.act(d.Token, d.TokenContract(), "transfer", d.Treasury, ether(100)))
		is(t, "outflow_usd", got.OutflowUSD, 0)
		if out, _ := got.Outflows.Get(); len(out) != 0 {
			t.Errorf("outflows = %+v", out)
		}
	})
	t.Run("gross, not net of what comes back", func(t *testing.T) {
		// The Bomb sends back what a call with value brings: out 5 ETH, in 5 ETH.
		data, err := devchain.Pack("Bomb", "reenter", d.Timelock, []byte{})
		must(t, err)
		got := with(prices, devchain.Action{Target: d.Bomb, Value: ether(5), Calldata: data})
		is(t, "outflow_usd", got.OutflowUSD, 10_000)
	})
	t.Run("Permit2", func(t *testing.T) {
		got := with(prices,
			w.act(d.Token, d.TokenContract(), "approve", d.Permit2, ether(1_000_000)),
			w.act(d.Permit2, "MockPermit2", "approve", d.Token, stranger, ether(50), new(big.Int).SetUint64(1<<47)))
		is(t, "allowances", got.Allowances, 2)
		is(t, "allowances_outside", got.AllowancesOutside, 2)
		out, _ := got.Outflows.Get()
		if !slices.ContainsFunc(out, func(o gov.Outflow) bool {
			return o.To == gov.Address(stranger) && o.Token == token && o.Kind == gov.OutflowAllowance && o.Amount == amount(ether(50))
		}) {
			t.Errorf("outflows = %+v", out)
		}
	})
	t.Run("an NFT has no price", func(t *testing.T) {
		got := with(prices, w.act(d.NFT, "DevNFT", "transferFrom", d.Timelock, stranger, big.NewInt(1)))
		unknown(t, "outflow_usd", got.OutflowUSD)
		unknown(t, "outflow_bps", got.OutflowBps)
		if out, _ := got.Outflows.Get(); len(out) != 1 || out[0].To != gov.Address(stranger) || out[0].Amount != gov.NewAmount(1) {
			t.Errorf("outflows = %+v", out)
		}
	})
	t.Run("a revoked allowance is none", func(t *testing.T) {
		got := with(prices, w.act(d.Token, d.TokenContract(), "approve", stranger, big.NewInt(0)))
		is(t, "allowances", got.Allowances, 0)
		is(t, "outflow_usd", got.OutflowUSD, 0)
	})
}

// TestRecipients: the history says who was paid before.
func TestRecipients(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	old := gov.Address(stranger)
	w.deps.History = paid{old: true}
	other := common.HexToAddress("0x0000000000000000000000000000000000000b0b")
	f := w.gather(devchain.Action{Target: stranger, Value: ether(1)}, devchain.Action{Target: other, Value: ether(1)}).Facts
	is(t, "recipients_new", f.Treasury.RecipientsNew, 1)
}

type paid map[gov.Address]bool

func (p paid) Paid(_ context.Context, _, to gov.Address, _ gov.Block) (bool, error) {
	return p[to], nil
}

// TestTargets: what the code at a target shows.
func TestTargets(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	d := w.dao
	// An account with a nonce and no code, another that delegates by EIP-7702, and a plain stranger called with data.
	delegating := common.HexToAddress("0x0000000000000000000000000000000000007702")
	must(t, w.s.RPC.CallContext(t.Context(), nil, "anvil_setCode", delegating, hexutil.Bytes(append([]byte{0xef, 1, 0}, d.Bomb[:]...))))
	data := hexutil.MustDecode("0x12345678")
	f := w.gather(
		devchain.Action{Target: d.Deployer, Calldata: data}, devchain.Action{Target: stranger, Calldata: data},
		w.act(d.Bomb, "Bomb", "reenter", stranger, []byte{}), devchain.Action{Target: delegating, Calldata: data},
		w.act(d.Stable, "StableToken", "decimals"),
	).Facts
	is(t, "codeless", f.Targets.Codeless, 2)
	is(t, "eoa", f.Targets.EOA, 1)
	is(t, "proxy", f.Targets.Proxy, 1)
	is(t, "fresh", f.Targets.Fresh, 2) // the Bomb and the delegating account; the token is booked
	code, _ := f.Targets.Code.Get()
	byAddress := map[gov.Address]gov.TargetCode{}
	for _, c := range code {
		byAddress[c.Address] = c
	}
	if c := byAddress[gov.Address(d.Bomb)]; !c.SelfDestruct || c.DelegateCall || c.Known {
		t.Errorf("the Bomb: %+v", c)
	}
	if c := byAddress[gov.Address(delegating)]; c.Designator != gov.Address(d.Bomb) || c.Implementation != gov.Address(d.Bomb) {
		t.Errorf("the delegating account: %+v", c)
	}
	if c := byAddress[gov.Address(d.Stable)]; !c.Known || c.SelfDestruct {
		t.Errorf("the token: %+v", c)
	}
}

// TestImplementationOfASafe: what a Safe's proxy delegates to stands in its first slot. It is part of the facts and of
// their basis, and a change of it in the run is an upgrade.
func TestImplementationOfASafe(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	at := func(a string) common.Address { return common.HexToAddress(a) }
	safe, plain, copier := at("0x5afe01"), at("0x5afe02"), at("0x5afe03")
	// the proxy of a Safe as far as it matters: delegate to the address in slot 0
	proxy := hexutil.MustDecode("0x36600060003760006000366000" + "73ffffffffffffffffffffffffffffffffffffffff" + "600054165af43d600060003e603557" + "3d6000fd" + "5b" + "3d6000f3")
	for account, code := range map[common.Address][]byte{
		safe:   proxy,
		copier: hexutil.MustDecode("0x60043560005500"), // writes its argument into slot 0 of who delegates to it
		plain:  hexutil.MustDecode("0x60043560005500"), // the same by itself: a contract that has something else there
	} {
		must(t, w.s.RPC.CallContext(t.Context(), nil, "anvil_setCode", account, hexutil.Bytes(code)))
	}
	must(t, w.s.RPC.CallContext(t.Context(), nil, "anvil_setStorageAt", safe, common.Hash{}, common.BytesToHash(copier[:])))
	set := append(hexutil.MustDecode("0x7de7edef"), common.BytesToHash(w.dao.Bomb[:]).Bytes()...) // changeMasterCopy(address)
	before := w.gather(devchain.Action{Target: safe, Calldata: set}, devchain.Action{Target: plain, Calldata: set}).Facts
	is(t, "status", before.Effects.Status, gov.EffectsExecuted)
	is(t, "proxies", before.Targets.Proxy, 1)
	code, _ := before.Targets.Code.Get()
	for _, c := range code {
		if c.Address == gov.Address(safe) && (c.Implementation != gov.Address(copier) || c.ImplCodeHash == (gov.CodeHash{})) {
			t.Errorf("the Safe: %+v", c)
		}
	}
	changes, ok := before.Upgrades.Get()
	if !ok || len(changes) != 1 || changes[0].Proxy != gov.Address(safe) || changes[0].Before != gov.Address(copier) || changes[0].After != gov.Address(w.dao.Bomb) {
		t.Errorf("upgrades %+v", changes)
	}
	must(t, facts.SameCode(t.Context(), w.rpc, 31337, before, w.head()))
	must(t, w.s.RPC.CallContext(t.Context(), nil, "anvil_setStorageAt", safe, common.Hash{}, common.BytesToHash(w.dao.MarketV2[:])))
	if err := facts.SameCode(t.Context(), w.rpc, 31337, before, w.head()); !errors.Is(err, facts.ErrOtherCode) {
		t.Errorf("another master copy: %v", err)
	}
}

// TestRolesOfASafe: a Safe logs its modules and owners in its own way.
func TestRolesOfASafe(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	inner, err := devchain.Pack("MockSafe", "enableModule", stranger)
	must(t, err)
	f := w.gather(devchain.Action{Target: w.dao.Safe, Calldata: exec(t, gov.Address(w.dao.Safe), inner, 0)}).Facts
	is(t, "status", f.Effects.Status, gov.EffectsExecuted)
	is(t, "granted_outside", f.Roles.GrantedOutside, 1)
	if k, _ := f.Kinds.Get(); len(k) != 1 || k[0] != gov.KindRole {
		t.Errorf("kinds = %v", k)
	}
	// Both changes of one contract count, though it logs them alike; an owner's change counts once.
	f = w.gather(w.act(w.dao.Treasury, "Treasury", "transferOwnership", stranger),
		w.act(w.dao.Market, "Market", "transferOwnership", w.dao.Treasury)).Facts
	is(t, "granted", f.Roles.Granted, 2)
	is(t, "granted_outside", f.Roles.GrantedOutside, 1)
	is(t, "owner_changed", f.Roles.OwnerChanged, 2)
}

// TestAdminsOfBravo: Compound's timelock names its next admin, and logs that in its own way.
func TestAdminsOfBravo(t *testing.T) {
	w := newWorld(t, devchain.Bravo)
	f := w.gather(w.act(w.dao.Timelock, "UniTimelock", "setPendingAdmin", stranger),
		w.act(w.dao.Timelock, "UniTimelock", "setDelay", big.NewInt(3*24*3600)),
		w.act(w.dao.Token, "Uni", "setMinter", stranger)).Facts
	is(t, "status", f.Effects.Status, gov.EffectsExecuted)
	is(t, "unknown_calls", f.UnknownCalls, 1) // setMinter is not in the ABI bound to a token
	is(t, "granted", f.Roles.Granted, 2)
	is(t, "granted_outside", f.Roles.GrantedOutside, 2)
	is(t, "admin_changed", f.Roles.AdminChanged, 0) // pending only
	is(t, "roles_changed", f.Timelock.RolesChanged, 1)
	is(t, "minters_added", f.Supply.MintersAdded, 1)
	is(t, "delay_before", f.Timelock.DelayBefore, 2*24*3600)
	is(t, "delay_after", f.Timelock.DelayAfter, 3*24*3600)
}

// TestPrices: all problems of a price file at once.
func TestPrices(t *testing.T) {
	p, err := facts.ParsePrices("prices.csv", "token,usd\nnative,2000.5\n0x00000000000000000000000000000000000a55e7,0\n")
	must(t, err)
	if usd, ok := p.USD(gov.Native); !ok || usd != 2000.5 {
		t.Errorf("native = %v, %v", usd, ok)
	}
	if usd, ok := p.USD(gov.Asset(asset)); !ok || usd != 0 {
		t.Errorf("a price of 0 = %v, %v", usd, ok)
	}
	_, err = facts.ParsePrices("prices.csv", "tok,usd\nETH,5\nnative,-1\nnative,NaN\nnative\n")
	for _, want := range []string{"prices.csv:1: the first line", `prices.csv:2: "ETH"`, `prices.csv:3: "-1"`, `prices.csv:4: "NaN"`, "prices.csv:5: 1 values"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
