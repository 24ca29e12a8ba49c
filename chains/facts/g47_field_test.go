package facts_test

import (
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/policies"
)

// reasonable is a policy as a careful holder may write it: it acts on rights, and votes for what does nothing.
const reasonable = `version: 1
holders: [{name: alice, account: "eip155:31337:0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A", governors: [harbor], policy: p}]
policies:
  p:
    otherwise: hold
    rules:
      - {name: no-new-masters, vote: against, when: roles.granted_outside > 0}
      - {name: harmless, vote: for, when: clean() && treasury.outflow_usd <= 0}
`

// bounded is a policy of a holder who lets the DAO pay and stream little, and run what is booked.
const bounded = `version: 1
holders: [{name: alice, account: "eip155:31337:0x1811957E997c7B19D0d00bBcD0c793BFdC5Ec99A", governors: [harbor], policy: p}]
policies:
  p:
    otherwise: hold
    rules:
      - {name: small, vote: for, when: treasury.outflow_usd <= 20000 && treasury.allowances_outside == 0 && roles.granted_outside == 0 && timelock.delay_after >= timelock.delay_before}
`

// field is an arena with well known protocols on it, all in the book with code and ABI but for one fresh contract.
type field struct {
	*arena
	at                            map[string]common.Address
	example, reasonable, generous *policies.Set
}

func newField(t testing.TB) *field {
	t.Helper()
	w := newWorld(t, devchain.OZ5Block)
	a := &arena{world: w}
	f := &field{arena: a, at: map[string]common.Address{}}
	timelock, token, stable := w.dao.Timelock, w.dao.Token, w.dao.Stable
	entries := w.deps.Book.Entries()
	put := func(name, contract string, booked bool, args ...any) {
		at, err := w.s.Deploy(t.Context(), contract, args...)
		must(t, err)
		f.at[name] = at
		if booked {
			entries = append(entries, w.entry(name, contract, at))
		}
	}
	put("comptroller", "Comptroller", true, timelock, token)
	put("comet", "Comet", true, timelock, stable)
	put("vesting", "Vesting", true, token, timelock)
	put("executor", "UpgradeExecutor", true, timelock)
	put("proxy", "UpgradeExecutor", true, timelock)
	put("flags", "FlagExecutor", true, timelock)
	put("inbox", "Inbox", true)
	put("registry", "Registry", true, timelock)
	put("wards", "Wards", true, timelock)
	put("wards of the executor", "Wards", true, f.at["executor"])
	put("manager", "AccessManager", true, timelock)
	put("streams", "Streams", true)
	put("fresh", "Fresh", false)
	put("1155", "Multi1155", true, timelock)
	put("6909", "Multi6909", true, timelock)
	for mode, name := range []string{"hook-nothing", "hook-pays", "hook-owner", "hook-silent", "hook-foreign"} {
		put(name, "Hooked", true, timelock, token, uint8(mode))
	}
	w.deps.Book = book.Of(entries...)

	for _, to := range []string{"comptroller", "vesting", "hook-pays"} {
		must(t, w.s.TransferToken(t.Context(), w.dao, f.at[to], ether(50_000)))
	}
	_, err := w.s.Transact(t.Context(), stable, "StableToken", "transfer", f.at["comet"], big.NewInt(200_000e6))
	must(t, err)
	must(t, w.s.TransferToken(t.Context(), w.dao, f.payer(), ether(400_000)))
	_, err = w.s.As(devchain.Account(5)).Transact(t.Context(), token, w.dao.TokenContract(), "approve", timelock, ether(400_000))
	must(t, err)
	must(t, w.s.TransferToken(t.Context(), w.dao, w.dao.Governor, ether(100_000)))
	must(t, w.s.MineBlocks(t.Context(), 2))

	text, err := os.ReadFile("../../policies.example.yaml")
	must(t, err)
	f.example, f.reasonable, f.generous = f.parse(string(text)), f.parse(reasonable), f.parse(bounded)
	return f
}

// payer is a third party that has approved the timelock.
func (f *field) payer() common.Address { return devchain.Address(5) }

func (f *field) parse(text string) *policies.Set {
	f.Helper()
	set, problems := policies.Parse("p", []byte(text))
	must(f, problems.Err())
	return set
}

// entry pins a contract with its whole ABI.
func (w *world) entry(label, contract string, at common.Address) book.Entry {
	w.Helper()
	p, err := book.Propose(w.Context(), w.rpc, gov.Address(at), w.head())
	must(w, err)
	compiled, err := devchain.Load(contract)
	must(w, err)
	p.Entry.ABI, err = book.ParseJSON(compiled.RawABI)
	must(w, err)
	p.Entry.Label = gov.Label(label)
	return p.Entry
}

func (f *field) token(method string, args ...any) devchain.Action {
	return f.act(f.dao.Token, f.dao.TokenContract(), method, args...)
}

func (f *field) on(name, contract, method string, args ...any) devchain.Action {
	f.Helper()
	return f.act(f.at[name], contract, method, args...)
}

func (f *field) data(contract, method string, args ...any) []byte {
	f.Helper()
	out, err := devchain.Pack(contract, method, args...)
	must(f, err)
	return out
}

// judge makes a proposal, gathers it and decides by a policy.
func (f *field) judge(set *policies.Set, actions ...devchain.Action) (gov.Facts, gov.Verdict) {
	f.Helper()
	p := f.made(actions...)
	got, err := facts.Gather(f.Context(), f.deps, p, f.head())
	must(f, err)
	return got.Facts, set.Decide(gov.Case{Proposal: p, Facts: got.Facts, Holder: gov.Holder{Name: "alice"}})
}

// result is what a rule came to.
func result(t testing.TB, v gov.Verdict, rule gov.Label) gov.Tri {
	t.Helper()
	i := slices.IndexFunc(v.Trace, func(x gov.Trace) bool { return x.Rule == rule })
	if i < 0 {
		t.Fatalf("no rule %s in the trace %+v", rule, v.Trace)
	}
	return v.Trace[i].Result
}

// TestG47Fooled: A1 to A4, A6 and A7 of the review that fooled the facts, under the example policy: never For, and the
// outflow is counted whoever pays. The token is worth 5 USD, the treasury with the governor's own tokens 1 550 000 USD.
func TestG47Fooled(t *testing.T) {
	f := newField(t)
	timelock, n := f.dao.Timelock, ether(30_000)
	for _, c := range []struct {
		name    string
		outflow float64 // at least, in USD
		to      common.Address
		against bool
		actions []devchain.Action
	}{
		{"A1: _grantComp", 150_000, stranger, false, []devchain.Action{f.on("comptroller", "Comptroller", "_grantComp", stranger, n)}},
		{"A2: withdrawReserves", 100_000, stranger, false, []devchain.Action{f.on("comet", "Comet", "withdrawReserves", stranger, big.NewInt(100_000e6))}},
		{"A3: a third party pays", 1_500_000, stranger, true, []devchain.Action{f.token("transferFrom", f.payer(), stranger, ether(300_000))}},
		{"A4: in and out", 1_500_000, stranger, true, []devchain.Action{f.token("transferFrom", f.payer(), timelock, ether(300_000)), f.token("transfer", stranger, ether(300_000))}},
		{"A4: with Vesting.release first", 2_250_000, stranger, true, []devchain.Action{
			f.on("vesting", "Vesting", "release"), f.token("transferFrom", f.payer(), timelock, ether(300_000)), f.token("transfer", stranger, ether(450_000))}},
		{"A4: what came in is allowed to a stranger", 1_500_000, stranger, true, []devchain.Action{
			f.token("transferFrom", f.payer(), timelock, ether(300_000)), f.token("approve", stranger, ether(300_000))}},
		{"A6: rely", 0, stranger, true, []devchain.Action{f.on("wards", "Wards", "rely", stranger)}},
		{"A6: AccessManager grantRole", 0, stranger, true, []devchain.Action{f.on("manager", "AccessManager", "grantRole", uint64(0), stranger, uint32(0))}},
		{"A7: relay of the governor's own tokens", 150_000, stranger, false, []devchain.Action{
			f.act(f.dao.Governor, f.dao.GovernorContract(), "relay", f.dao.Token, new(big.Int), f.data(f.dao.TokenContract(), "transfer", stranger, n))}},
		{"burnt", 150_000, common.HexToAddress("0xdead"), false, []devchain.Action{f.token("transfer", common.HexToAddress("0xdead"), n)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, v := f.judge(f.example, c.actions...)
			if v.Direction == gov.For || c.against && v.Direction != gov.Against {
				t.Errorf("%s by %s: %s", v.Direction, v.Rule, v.Because)
			}
			if usd, ok := got.Treasury.OutflowUSD.Get(); !ok || usd < c.outflow || usd > c.outflow*1.001 {
				t.Errorf("outflow %v (known %v), want %v", usd, ok, c.outflow)
			}
			out, _ := got.Treasury.Outflows.Get()
			if c.outflow > 0 && (len(out) == 0 || !slices.ContainsFunc(out, func(o gov.Outflow) bool { return o.To == gov.Address(c.to) })) {
				t.Errorf("outflows %+v", out)
			}
			if c.outflow == 0 {
				is(t, "granted_outside", got.Roles.GrantedOutside, 1)
			}
		})
	}
}

// TestG47BenignPayments: the twins of what must not be voted for, small and to people, are voted for by the example policy
// where it speaks of them, and else by a policy that bounds what it lets through.
func TestG47BenignPayments(t *testing.T) {
	f := newField(t)
	timelock, n := f.dao.Timelock, ether(1000)
	for _, c := range []struct {
		name    string
		set     *policies.Set
		outflow float64
		actions []devchain.Action
	}{
		{"transfer", f.example, 5000, []devchain.Action{f.token("transfer", stranger, n)}},
		{"through the governor", f.generous, 5000, []devchain.Action{
			f.act(f.dao.Governor, f.dao.GovernorContract(), "relay", f.dao.Token, new(big.Int), f.data(f.dao.TokenContract(), "transfer", stranger, n))}},
		{"a third party pays the DAO", f.generous, 0, []devchain.Action{f.token("transferFrom", f.payer(), timelock, n)}},
		{"in and a part out", f.example, 5000, []devchain.Action{f.token("transferFrom", f.payer(), timelock, ether(300_000)), f.token("transfer", stranger, n)}},
		{"_grantComp", f.generous, 5000, []devchain.Action{f.on("comptroller", "Comptroller", "_grantComp", stranger, n)}},
		{"withdrawReserves to the treasury", f.generous, 0, []devchain.Action{f.on("comet", "Comet", "withdrawReserves", f.dao.Treasury, big.NewInt(1000e6))}},
		{"withdrawReserves", f.generous, 1000, []devchain.Action{f.on("comet", "Comet", "withdrawReserves", stranger, big.NewInt(1000e6))}},
		{"from the governor to the timelock", f.generous, 0, []devchain.Action{
			f.act(f.dao.Governor, f.dao.GovernorContract(), "relay", f.dao.Token, new(big.Int), f.data(f.dao.TokenContract(), "transfer", timelock, n))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, v := f.judge(c.set, c.actions...)
			if v.Direction != gov.For {
				t.Errorf("%s by %s: %s; foreign %+v", v.Direction, v.Rule, v.Because, got.Foreign)
			}
			is(t, "outflow_usd", got.Treasury.OutflowUSD, c.outflow)
		})
	}
}

// rights are the cases of the field in which a right, or value that leaves later, is in no balance.
func (f *field) rights() []rightCase {
	fresh, upgrade := f.at["fresh"], f.data("Fresh", "execute")
	operator := f.data("Fresh", "setOperator", stranger)
	zero := new(big.Int)
	label := crypto.Keccak256Hash([]byte("pay"))
	pay := [][4]byte{[4]byte(crypto.Keccak256([]byte("pay(address,uint256)")))}
	return []rightCase{
		{"upgradeexecutor-fresh-delegatecall", false, f.on("executor", "UpgradeExecutor", "execute", fresh, upgrade)},
		{"upgradeexecutor-executeCall", false, f.on("executor", "UpgradeExecutor", "executeCall", fresh, operator)},
		{"dsproxy-execute", false, f.on("proxy", "UpgradeExecutor", "execute", fresh, upgrade)},
		{"executor-with-delegatecall-flag", false, f.on("flags", "FlagExecutor", "executeTransaction", fresh, zero, "", upgrade, true)},
		{"executor-with-a-textual-name", false, f.on("flags", "FlagExecutor", "executeTransaction", fresh, zero, "execute()", []byte{}, true)},
		{"inbox-retryable-setOwner", false, f.on("inbox", "Inbox", "createRetryableTicket", fresh, zero, zero, stranger, stranger, zero, zero, f.data("Hooked", "transferOwnership", stranger))},
		{"wormhole-setOwner", false, f.on("inbox", "Inbox", "sendMessage", []common.Address{fresh}, []*big.Int{zero}, [][]byte{f.data("Hooked", "transferOwnership", stranger)}, fresh, uint16(4))},
		{"accessmanager-grant-admin", true, f.on("manager", "AccessManager", "grantRole", uint64(0), stranger, uint32(0))},
		{"accessmanager-public-role", false, f.on("manager", "AccessManager", "setTargetFunctionRole", f.dao.Treasury, pay, ^uint64(0))},
		{"ens-setSubnodeRecord", false, f.on("registry", "Registry", "setSubnodeRecord", [32]byte{}, label, stranger, stranger, uint64(0))},
		{"ens-setSubnodeOwner", false, f.on("registry", "Registry", "setSubnodeOwner", [32]byte{}, label, stranger)},
		{"rely", true, f.on("wards", "Wards", "rely", stranger)},
		{"superfluid-setFlowrate", false, f.on("streams", "Streams", "setFlowrate", f.dao.Token, stranger, big.NewInt(1e15))},
		{"llamapay-createStream", false, f.on("streams", "Streams", "createStream", stranger, big.NewInt(1e15))},
		{"compound-contributor-speed", false, f.on("comptroller", "Comptroller", "_setContributorCompSpeed", stranger, ether(5))},
	}
}

type rightCase struct {
	name    string
	masters bool
	action  devchain.Action
}

// TestG47Rights: the cases of rights.json. No rule that lets through what does nothing is true of them, and where a
// stranger becomes a master the rule against that is not false.
func TestG47Rights(t *testing.T) {
	f := newField(t)
	cases := f.rights()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, v := f.judge(f.reasonable, c.action)
			if got.Effects.Status.Or("") != gov.EffectsExecuted {
				t.Fatalf("the dry run is %s", got.Effects.Status.Or("?"))
			}
			if v.Direction == gov.For {
				t.Errorf("For by %s", v.Rule)
			}
			if r := result(t, v, "harmless"); r == gov.True {
				t.Errorf("harmless is true; outflow %v", got.Treasury.OutflowUSD)
			}
			if r := result(t, v, "no-new-masters"); c.masters && r == gov.False {
				t.Errorf("no-new-masters is false; changes %+v", got.Roles.Changes)
			}
			for name, set := range map[string]*policies.Set{"example": f.example, "bounded": f.generous} {
				if _, v := f.judge(set, c.action); v.Direction == gov.For {
					t.Errorf("%s policy: For by %s", name, v.Rule)
				}
			}
		})
	}
	t.Logf("n=%d", len(cases))
}

// TestG47BenignRights: the twins, which a reasonable rule lets through.
func TestG47BenignRights(t *testing.T) {
	f := newField(t)
	deposit := ether(1000)
	for _, c := range []struct {
		name    string
		set     *policies.Set
		actions []devchain.Action
	}{
		{"a call to what is booked, by an executor", f.generous, []devchain.Action{f.on("executor", "UpgradeExecutor", "executeCall", f.at["wards of the executor"], f.data("Wards", "deny", stranger))}},
		{"a role for the DAO's own account", f.generous, []devchain.Action{f.on("manager", "AccessManager", "grantRole", uint64(7), f.dao.Treasury, uint32(0))}},
		{"a name for the DAO", f.generous, []devchain.Action{f.on("registry", "Registry", "setSubnodeOwner", [32]byte{}, crypto.Keccak256Hash([]byte("x")), f.dao.Treasury)}},
		{"a ward that is the DAO's own", f.generous, []devchain.Action{f.on("wards", "Wards", "rely", f.dao.Treasury)}},
		{"a ward less", f.generous, []devchain.Action{f.on("wards", "Wards", "deny", stranger)}},
		{"a record", f.reasonable, []devchain.Action{f.on("hook-nothing", "Hooked", "setText", [32]byte{}, "url", "https://example.org")}},
		{"a stream that is paid for now", f.generous, []devchain.Action{
			f.token("approve", f.at["streams"], deposit), f.on("streams", "Streams", "createStream0", stranger, deposit, f.dao.Token, n(1), n(2))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, v := f.judge(c.set, c.actions...)
			if v.Direction != gov.For {
				t.Errorf("%s by %s: %s; foreign %+v; missing %s", v.Direction, v.Rule, v.Because, got.Foreign, missing(got))
			}
		})
	}
}

// TestG47Hooks: a function that does more than it declares is never voted for, and the fact that sees it says so. Its twin
// without a hook is.
func TestG47Hooks(t *testing.T) {
	f := newField(t)
	set := f.generous
	for _, c := range []struct {
		hook string
		want gov.Direction
		sees func(gov.Facts) bool
	}{
		{"hook-nothing", gov.For, func(x gov.Facts) bool { return x.Roles.GrantedOutside.Or(-1) == 0 && x.Treasury.OutflowUSD.Or(-1) == 0 }},
		{"hook-pays", gov.Hold, func(x gov.Facts) bool { return x.Treasury.OutflowUSD.Or(-1) == 5000 }},
		{"hook-owner", gov.Hold, func(x gov.Facts) bool { return x.Roles.GrantedOutside.Or(-1) == 1 }},
		{"hook-silent", gov.Hold, func(x gov.Facts) bool { return x.Roles.GrantedOutside.Or(-1) == 1 }},
		{"hook-foreign", gov.Hold, func(x gov.Facts) bool {
			foreign, _ := x.Foreign.Get()
			return len(foreign.Changed) == 1 && !x.Roles.GrantedOutside.IsKnown()
		}},
	} {
		for method, args := range map[string][]any{"setText": {[32]byte{}, "a", "b"}, "release": {}} {
			got, v := f.judge(set, f.on(c.hook, "Hooked", method, args...))
			if v.Direction != c.want || !c.sees(got) {
				t.Errorf("%s of %s: %s by %s (%s); roles %+v, outflow %v, foreign %+v", method, c.hook, v.Direction, v.Rule, v.Because, got.Roles, got.Treasury.OutflowUSD, got.Foreign)
			}
		}
	}
}

// TestG47ByID: tokens with ids leave the treasury by their logs, proven by their own getter; they have no price.
func TestG47ByID(t *testing.T) {
	f := newField(t)
	for name, action := range map[string]devchain.Action{
		"1155": f.on("1155", "Multi1155", "safeTransferFrom", f.dao.Timelock, stranger, n(7), n(40), []byte{}),
		"6909": f.on("6909", "Multi6909", "transfer", stranger, n(7), n(40)),
	} {
		got, v := f.judge(f.example, action)
		out, _ := got.Treasury.Outflows.Get()
		if len(out) != 1 || out[0].To != gov.Address(stranger) || out[0].Amount != gov.NewAmount(40) || !out[0].Decoded || out[0].USD.IsKnown() || v.Direction == gov.For {
			t.Errorf("%s: %s, outflows %+v", name, v.Direction, out)
		}
		unknown(t, name+" outflow_usd", got.Treasury.OutflowUSD)
	}
}
