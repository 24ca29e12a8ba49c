package policies_test

import (
	"github.com/legate-dao/legate/agent/gov"
)

// addr is an address that is easy to tell apart.
func addr(n byte) gov.Address { return gov.Address{0: 0xA0, 19: n} }

var (
	governor = addr(1)
	timelock = addr(2)
	token    = addr(3)
	stranger = addr(9)
	usdc     = addr(4)
	market   = addr(5)
)

func selector(s string) *gov.Selector {
	var out gov.Selector
	if err := out.UnmarshalText([]byte(s)); err != nil {
		panic(err) // a constant of a test
	}
	return &out
}

func word(a gov.Address) (v gov.Value) {
	copy(v.Word[12:], a[:])
	return v
}

func number(n uint64) gov.Value { return gov.Value{Word: gov.NewAmount(n).Int().Bytes32()} }

// quiet is a case with one known call that executes and does nothing that a check finds.
func quiet(call gov.Call) gov.Case {
	none := func() gov.Maybe[int64] { return gov.Known(int64(0)) }
	zero := gov.Known(0.0)
	no := gov.Known(false)
	f := gov.Facts{
		At:      gov.Block{Number: 100, Time: 1_700_000_000},
		Calls:   gov.Known([]gov.Call{call}),
		Effects: gov.Effects{Status: gov.Known(gov.EffectsExecuted), Mode: gov.ModeLifecycle, Gas: gov.Known(gov.NewAmount(91234)), FailedAction: -1},
		Treasury: gov.Treasury{
			ValueUSD: gov.Known(2e6), OutflowUSD: zero, OutflowBps: zero, Allowances: none(), AllowancesOutside: none(),
			RecipientsNew: none(), Outflows: gov.Known([]gov.Outflow{}),
		},
		Supply:   gov.Supply{MintedBps: zero, BurnedBps: zero, MintersAdded: none(), CapRaised: no, Paused: no, SelfDelegated: no},
		Roles:    gov.Roles{Granted: none(), GrantedOutside: none(), Revoked: none(), OwnerChanged: none(), AdminChanged: none(), Changes: gov.Known([]gov.RoleChange{})},
		Timelock: gov.Timelock{DelayBefore: gov.Known(int64(172800)), DelayAfter: gov.Known(int64(172800)), RolesChanged: none()},
		Governor: gov.GovernorFacts{
			Quorum: both(400000.0), Threshold: both(25000.0), Delay: both(int64(13140)), Period: both(int64(19710)),
		},
		Upgrades: gov.Known([]gov.Change{}), Params: gov.Known([]gov.Param{}),
		Targets: gov.Targets{Fresh: none(), Codeless: none(), Proxy: none(), EOA: none(), Code: gov.Known([]gov.TargetCode{{Address: call.To, Known: call.Known, Size: 100}})},
		DAO:     gov.DAO{Governor: governor, Timelock: timelock, Token: token, Executor: timelock, Treasury: []gov.Address{timelock}},
	}
	f.Finish()
	return gov.Case{
		Holder:   gov.Holder{Name: "alice"},
		Proposal: gov.Proposal{Name: "compound", Flavour: gov.GovernorBravo, Clock: gov.ClockBlock, Actions: []gov.Action{{To: call.To}}},
		Facts:    f,
	}
}

func both[T any](v T) gov.Span[T] { return gov.Span[T]{Before: gov.Known(v), After: gov.Known(v)} }

func transfer(to gov.Address, n uint64) gov.Call {
	return gov.Call{
		To: usdc, Label: "USDC", Selector: selector("0xa9059cbb"), Signature: "transfer(address,uint256)", Kind: gov.KindTransfer, Known: true, Decoded: gov.DecodedFull,
		Args: []gov.Arg{{Name: "to", Type: "address", Value: word(to)}, {Name: "amount", Type: "uint256", Value: number(n)}},
	}
}

// edit changes a case and finishes its facts.
func edit(c gov.Case, change func(c *gov.Case)) gov.Case {
	change(&c)
	c.Facts.Finish()
	return c
}

func grant() gov.Case {
	return edit(quiet(transfer(stranger, 20_000_000_000)), func(c *gov.Case) {
		t := &c.Facts.Treasury
		t.OutflowUSD, t.OutflowBps, t.RecipientsNew = gov.Known(20000.0), gov.Known(100.0), gov.Known(int64(1))
		t.Outflows = gov.Known([]gov.Outflow{{To: stranger, Token: gov.Asset(usdc), Amount: gov.NewAmount(20_000_000_000), USD: gov.Known(20000.0), Bps: gov.Known(100.0), Kind: gov.OutflowTransfer, Decoded: true, Outside: true}})
	})
}

func tighten() gov.Case {
	call := gov.Call{To: market, Label: "Comptroller", Selector: selector("0xe4028eee"), Signature: "_setCollateralFactor(address,uint256)", Kind: gov.KindParameter, Known: true, Decoded: gov.DecodedFull}
	return edit(quiet(call), func(c *gov.Case) {
		c.Facts.Params = gov.Known([]gov.Param{{Label: "collateral-factor", Target: market, Before: gov.Known(0.8), After: gov.Known(0.75), ChangeBps: gov.Known(-625.0), Direction: gov.Known(gov.Tighter)}})
	})
}

// cases are what the example policy is shown.
var cases = map[string]func() gov.Case{
	"grant":   grant,
	"tighten": tighten,
	"dilution": func() gov.Case {
		call := gov.Call{To: token, Label: "COMP", Selector: selector("0x40c10f19"), Signature: "mint(address,uint256)", Kind: gov.KindMint, Known: true, Decoded: gov.DecodedFull}
		return edit(quiet(call), func(c *gov.Case) { c.Facts.Supply.MintedBps = gov.Known(2000.0) })
	},
	"allowance": func() gov.Case {
		call := transfer(stranger, 1)
		call.Selector, call.Signature, call.Kind = selector("0x095ea7b3"), "approve(address,uint256)", gov.KindApproval
		return edit(quiet(call), func(c *gov.Case) {
			c.Facts.Treasury.Allowances, c.Facts.Treasury.AllowancesOutside = gov.Known(int64(1)), gov.Known(int64(1))
		})
	},
	"timelock": func() gov.Case {
		call := gov.Call{To: timelock, Label: "Timelock", Selector: selector("0xe177246e"), Signature: "setDelay(uint256)", Kind: gov.KindTimelock, Known: true, Decoded: gov.DecodedFull}
		return edit(quiet(call), func(c *gov.Case) { c.Facts.Timelock.DelayAfter = gov.Known(int64(3600)) })
	},
	"reverted": func() gov.Case {
		return edit(upgrade(), func(c *gov.Case) { c.Facts.Effects.Status = gov.Known(gov.EffectsReverted) })
	},
	"unknown": func() gov.Case {
		return edit(grant(), func(c *gov.Case) {
			calls, _ := c.Facts.Calls.Get()
			call := calls[0]
			call.Known = false
			c.Facts.Calls = gov.Known([]gov.Call{call})
		})
	},
	"blind": func() gov.Case {
		return edit(grant(), func(c *gov.Case) { c.Facts.Effects.Status = gov.Known(gov.EffectsUnavailable) })
	},
	"upgrade": upgrade,
	"draft":   func() gov.Case { return edit(grant(), func(c *gov.Case) { c.Proposal.Draft = true }) },
}

func upgrade() gov.Case {
	call := gov.Call{To: market, Label: "Comptroller", Selector: selector("0x3659cfe6"), Signature: "upgradeTo(address)", Kind: gov.KindUpgrade, Known: true, Decoded: gov.DecodedFull}
	return edit(quiet(call), func(c *gov.Case) {
		c.Facts.Upgrades = gov.Known([]gov.Change{{Proxy: market, Before: addr(20), After: addr(21), AfterCode: gov.CodeHash{1}}})
	})
}
