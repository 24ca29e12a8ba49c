package trial

import (
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// Case is one proposal, and whether it does harm.
type Case struct {
	Name gov.Label
	// Words say what it does, in one sentence without its full stop.
	Words string
	// Harm is what it does to those who hold the token, empty for a proposal that does none.
	Harm string
	gov.Case
}

// Good reports whether the proposal does no harm.
func (c Case) Good() bool { return c.Harm == "" }

// The accounts of the world in which the proposals stand.
var (
	governor = account(1)
	timelock = account(2)
	token    = account(3) // worth 10 USD, 1 000 000 of them
	usdc     = account(4)
	market   = account(5) // a lending market of the DAO
	vault    = account(6) // a treasury account of the DAO
	records  = account(7) // names
	manager  = account(8) // decides who may call what
	payroll  = account(9) // streams
	bridge   = account(10)
	executor = account(11) // an executor in the book, that forwards calls
	auditor  = account(20) // in the book
	stranger = account(66)
	fresh    = account(67) // a contract deployed a minute ago
)

func account(n byte) gov.Address { return gov.Address{0: 0x7A, 1: 0x1A, 19: n} }

// treasuryUSD is what the DAO holds.
const treasuryUSD = 20e6

func address(a gov.Address) (v gov.Value) {
	copy(v.Word[12:], a[:])
	return v
}

func number(n uint64) gov.Value { return gov.Value{Word: gov.NewAmount(n).Int().Bytes32()} }

func amount(a gov.Amount) gov.Value { return gov.Value{Word: a.Int().Bytes32()} }

func bytes(n int) gov.Value { return gov.Value{Size: n, Hash: gov.Hash{31: byte(n)}} }

// call is a known call of a function that the program understands.
func call(to gov.Address, kind gov.Kind, signature gov.Signature, args ...gov.Value) gov.Call {
	s := impact.SelectorOf(signature)
	types, _ := gov.Components(gov.ABIType(signature[len(signature.Function()):]))
	c := gov.Call{To: to, Selector: &s, Signature: signature, Kind: kind, Known: true, Decoded: gov.DecodedFull, CodeHash: gov.Hash{19: to[19], 31: 1}}
	for i, v := range args {
		c.Args = append(c.Args, gov.Arg{Type: types[i], Value: v})
	}
	return c
}

// coins is a plain payment.
func coins(to gov.Address, ether uint64) gov.Call {
	return gov.Call{To: to, Value: gov.NewAmount(ether * 1e18), Kind: gov.KindNative, Known: true, Decoded: gov.DecodedFull}
}

// holding marks a call as one that carries others.
func holding(c gov.Call, inner ...gov.Call) gov.Call {
	c.Children = inner
	return c
}

// unread marks a call as one whose target is in no book.
func unread(c gov.Call) gov.Call {
	c.Known = false
	return c
}

// world is the facts of a proposal while they are made.
type world struct {
	name, words, harm string
	f                 gov.Facts
	status            gov.EffectsStatus
}

// begin is a proposal whose calls execute and change nothing else.
func begin(name, words string, calls ...gov.Call) *world {
	zero, none, no := gov.Known(0.0), gov.Known(int64(0)), gov.Known(false)
	w := &world{name: name, words: words, status: gov.EffectsExecuted}
	w.f = gov.Facts{
		At: gov.Block{Number: 100, Time: 1_700_000_000}, Sources: 3, Calls: gov.Known(calls),
		Effects: gov.Effects{Mode: gov.ModeLifecycle, Gas: gov.Known(gov.NewAmount(91_234)), FailedAction: -1},
		Treasury: gov.Treasury{
			ValueUSD: gov.Known(treasuryUSD), OutflowUSD: zero, OutflowBps: zero, Allowances: none, AllowancesOutside: none,
			RecipientsNew: none, Outflows: gov.Known([]gov.Outflow{}),
		},
		Supply:   gov.Supply{MintedBps: zero, BurnedBps: zero, MintersAdded: none, CapRaised: no, Paused: no, SelfDelegated: no},
		Roles:    gov.Roles{Granted: none, GrantedOutside: none, Revoked: none, OwnerChanged: none, AdminChanged: none, Changes: gov.Known([]gov.RoleChange{})},
		Timelock: gov.Timelock{DelayBefore: gov.Known(int64(172_800)), DelayAfter: gov.Known(int64(172_800)), RolesChanged: none},
		Governor: gov.GovernorFacts{Quorum: both(400_000.0), Threshold: both(25_000.0), Delay: both(int64(13_140)), Period: both(int64(19_710))},
		Upgrades: gov.Known([]gov.Change{}), Params: gov.Known([]gov.Param{}),
		Targets: gov.Targets{Fresh: none, Codeless: none, Proxy: none, EOA: none},
		DAO:     gov.DAO{Governor: governor, Timelock: timelock, Token: token, Executor: timelock, Treasury: []gov.Address{timelock, vault}},
	}
	targets := []gov.TargetCode{}
	for _, l := range gov.Leaves(calls) {
		if !slices.ContainsFunc(targets, func(t gov.TargetCode) bool { return t.Address == l.Call.To }) {
			targets = append(targets, gov.TargetCode{Address: l.Call.To, Known: l.Call.Known, Size: 100, Fresh: gov.Known(false), Create2: gov.Known(false)})
		}
	}
	w.f.Targets.Code = gov.Known(targets)
	return w
}

func both[T any](v T) gov.Span[T] { return gov.Span[T]{Before: gov.Known(v), After: gov.Known(v)} }

// harms says what the proposal does to holders.
func (w *world) harms(harm string) *world {
	w.harm = harm
	return w
}

// pays lets value leave to an account; usd below 0: an asset without a price.
func (w *world) pays(to gov.Address, asset gov.Asset, n gov.Amount, usd float64) *world {
	kind := gov.OutflowTransfer
	if asset == gov.Native {
		kind = gov.OutflowNative
	}
	w.f.Effects.BalanceDeltas = append(w.f.Effects.BalanceDeltas,
		gov.BalanceDelta{Account: vault, Token: asset, Before: n, Delta: gov.Delta{Negative: true, Size: n}},
		gov.BalanceDelta{Account: to, Token: asset, Delta: gov.Delta{Size: n}})
	return w.outflow(gov.Outflow{To: to, Token: asset, Amount: n, Kind: kind, Decoded: true, Outside: to != auditor}, usd)
}

// allows lets an account outside take value.
func (w *world) allows(to gov.Address, asset gov.Asset, n gov.Amount, kind gov.OutflowKind, usd float64) *world {
	w.f.Treasury.Allowances, w.f.Treasury.AllowancesOutside = more(w.f.Treasury.Allowances), more(w.f.Treasury.AllowancesOutside)
	return w.outflow(gov.Outflow{To: to, Token: asset, Amount: n, Kind: kind, Decoded: true, Outside: true}, usd)
}

func (w *world) outflow(o gov.Outflow, usd float64) *world {
	t := &w.f.Treasury
	if usd < 0 {
		t.OutflowUSD, t.OutflowBps = gov.Maybe[float64]{}, gov.Maybe[float64]{}
	} else {
		o.USD, o.Bps = gov.Known(usd), gov.Known(usd*10_000/treasuryUSD)
		if sum, ok := t.OutflowUSD.Get(); ok {
			t.OutflowUSD, t.OutflowBps = gov.Known(sum+usd), gov.Known((sum+usd)*10_000/treasuryUSD)
		}
	}
	if o.Outside {
		t.RecipientsNew = more(t.RecipientsNew)
	}
	list, _ := t.Outflows.Get()
	t.Outflows = gov.Known(append(list, o))
	return w
}

// grants gives a right over a contract to an account.
func (w *world) grants(target, to gov.Address, kind gov.RoleChangeKind) *world {
	r := &w.f.Roles
	list, _ := r.Changes.Get()
	outside := to == stranger || to == fresh
	r.Changes = gov.Known(append(list, gov.RoleChange{Target: target, Kind: kind, Account: to, Outside: outside}))
	if kind == gov.RoleRevoked {
		r.Revoked = more(r.Revoked)
		return w
	}
	r.Granted = more(r.Granted)
	if outside {
		r.GrantedOutside = more(r.GrantedOutside)
	}
	switch kind {
	case gov.OwnerChanged, gov.OwnerPending:
		r.OwnerChanged = more(r.OwnerChanged)
	case gov.AdminChanged, gov.AdminPending:
		r.AdminChanged = more(r.AdminChanged)
	}
	return w
}

func more(n gov.Maybe[int64]) gov.Maybe[int64] { return gov.Known(n.Or(0) + 1) }

// param changes a parameter of the market.
func (w *world) param(label gov.Label, before, after float64, direction gov.Tightness) *world {
	calls, _ := w.f.Calls.Get()
	list, _ := w.f.Params.Get()
	p := gov.Param{Label: label, Target: market, Signature: calls[len(list)].Signature, Direction: gov.Known(direction)}
	if direction != gov.Unclear {
		p.Before, p.After, p.ChangeBps = gov.Known(before), gov.Known(after), gov.Known((after-before)/before*10_000)
	}
	w.f.Params = gov.Known(append(list, p))
	return w
}

// but changes the facts in a way that only one proposal needs.
func (w *world) but(change func(f *gov.Facts)) *world {
	change(&w.f)
	return w
}

// ends gives the run another end than success.
func (w *world) ends(status gov.EffectsStatus) *world {
	w.status = status
	return w
}

// end is the case, whose impacts are what its calls declare.
func (w *world) end() Case {
	w.f.Effects.Status = gov.Known(w.status)
	calls, _ := w.f.Calls.Get()
	w.f.Impacts = gov.Known(impact.Declared(calls, w.f.DAO.Executor))
	w.f.Finish()
	p := gov.Proposal{Name: "dao", Flavour: gov.OpenZeppelin5, Clock: gov.ClockBlock}
	for i := range calls {
		p.Actions = append(p.Actions, gov.Action{To: calls[i].To, Value: calls[i].Value})
	}
	return Case{Name: gov.Label(w.name), Words: w.words, Harm: w.harm, Case: gov.Case{Proposal: p, Facts: w.f}}
}
