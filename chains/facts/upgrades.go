package facts

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// upgrades lists the proxies whose implementation, beacon or admin changed: by the slots of EIP-1967 that the run
// changed, and by the first slot of a Safe's proxy, and, for proxies with other slots, by asking the targets of upgrade calls before and after.
func upgrades(ctx context.Context, g *gathering) {
	if !g.executed() {
		g.missing("upgrades", g.effectsReason(), gov.Address{})
		return
	}
	made := map[gov.Address]bool{}
	for _, c := range g.facts.Effects.CodeChanges {
		if c.Before == (gov.CodeHash{}) {
			made[c.Account] = true // a proxy that this run deployed replaces nothing
		}
	}
	out := []gov.Change{}
	diffs := g.facts.Effects.StorageDiffs
	copies, errs := make([]bool, len(diffs)), make([]error, len(diffs))
	g.each(ctx, len(diffs), func(ctx context.Context, i int) {
		if d := diffs[i]; d.Slot == book.MasterCopySlot && !made[d.Account] {
			code, err := g.before.Code(ctx, d.Account)
			copies[i], errs[i] = book.IsMasterCopyProxy(code), err
		}
	})
	for i, d := range diffs {
		if errs[i] != nil {
			g.fail("upgrades", errs[i], d.Account)
			return
		}
		isSlot := d.Slot == book.ImplementationSlot || d.Slot == book.BeaconSlot || d.Slot == book.AdminSlot || copies[i]
		if isSlot && !made[d.Account] {
			out = append(out, gov.Change{Proxy: d.Account, Before: gov.Address(d.Before[12:]), After: gov.Address(d.After[12:])})
		}
	}
	if g.surveyed != nil && g.surveyed.Cut && len(out) == 0 {
		g.missing("upgrades", gov.TooLarge, gov.Address{}) // what was left closed may name proxies with other slots
		return
	}
	asked, err := g.askUpgraded(ctx, out)
	if err == nil {
		out = append(out, asked...)
		err = g.codeAfter(ctx, out)
	}
	if err != nil {
		g.fail("upgrades", err, gov.Address{})
		return
	}
	slices.SortFunc(out, func(x, y gov.Change) int {
		return cmp.Or(x.Proxy.Cmp(y.Proxy), x.Before.Cmp(y.Before), x.After.Cmp(y.After))
	})
	g.facts.Upgrades = gov.Known(out)
}

// askUpgraded compares what the targets of upgrade calls delegate to before and after, where no slot told it.
func (g *gathering) askUpgraded(ctx context.Context, told []gov.Change) (out []gov.Change, err error) {
	named := upgradedBy(g.decoded.Calls)
	if g.surveyed != nil {
		named = slices.SortedFunc(slices.Values(g.surveyed.Upgrades), gov.Address.Cmp)
	}
	all := slices.DeleteFunc(named, func(a gov.Address) bool {
		return slices.ContainsFunc(told, func(c gov.Change) bool { return c.Proxy == a })
	})
	before, after, errs := make([]book.Contract, len(all)), make([]book.Contract, len(all)), make([]error, len(all))
	g.each(ctx, len(all), func(ctx context.Context, i int) {
		var err error
		if before[i], err = book.ReadContract(ctx, g.before, all[i]); err != nil {
			errs[i] = fmt.Errorf("before the run: %w", err)
			return
		}
		if after[i], err = book.ReadContract(ctx, g.after, all[i]); err != nil {
			errs[i] = fmt.Errorf("after the run: %w", err)
		}
	})
	for i, a := range all {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if before[i].Implementation != after[i].Implementation && before[i].Size > 0 {
			out = append(out, gov.Change{Proxy: a, Before: before[i].Implementation, After: after[i].Implementation})
		}
	}
	return out, nil
}

// upgradedBy are the accounts that upgrade calls name: their targets, and the proxy of an admin's call. Sorted.
func upgradedBy(calls []gov.Call) (out []gov.Address) {
	var walk func([]gov.Call)
	walk = func(list []gov.Call) {
		for _, c := range list {
			if c.Kind == gov.KindUpgrade && !c.Delegatecall {
				out = append(out, c.To)
				switch c.Signature {
				case "upgrade(address,address)", "upgradeAndCall(address,address,bytes)", "changeProxyAdmin(address,address)":
					if len(c.Args) > 0 {
						out = append(out, c.Args[0].Value.Address())
					}
				}
			}
			walk(c.Children)
		}
	}
	walk(calls)
	slices.SortFunc(out, gov.Address.Cmp)
	return slices.Compact(out)
}

func (g *gathering) codeAfter(ctx context.Context, changes []gov.Change) error {
	errs := make([]error, len(changes))
	g.each(ctx, len(changes), func(ctx context.Context, i int) {
		code, err := g.after.Code(ctx, changes[i].After)
		if errs[i] = err; err == nil && len(code) > 0 {
			changes[i].AfterCode = gov.CodeHash(crypto.Keccak256Hash(code))
		}
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
