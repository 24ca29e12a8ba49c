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
	for _, d := range g.facts.Effects.StorageDiffs {
		isSlot := d.Slot == book.ImplementationSlot || d.Slot == book.BeaconSlot || d.Slot == book.AdminSlot
		if d.Slot == book.MasterCopySlot && !made[d.Account] {
			code, err := g.before.Code(ctx, d.Account)
			if err != nil {
				g.fail("upgrades", err, d.Account)
				return
			}
			isSlot = book.IsMasterCopyProxy(code)
		}
		if isSlot && !made[d.Account] {
			out = append(out, gov.Change{Proxy: d.Account, Before: gov.Address(d.Before[12:]), After: gov.Address(d.After[12:])})
		}
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
	for _, a := range upgradedBy(g.decoded.Calls) {
		if slices.ContainsFunc(told, func(c gov.Change) bool { return c.Proxy == a }) {
			continue
		}
		before, err := book.ReadContract(ctx, g.before, a)
		if err != nil {
			return nil, fmt.Errorf("before the run: %w", err)
		}
		after, err := book.ReadContract(ctx, g.after, a)
		if err != nil {
			return nil, fmt.Errorf("after the run: %w", err)
		}
		if before.Implementation != after.Implementation && before.Size > 0 {
			out = append(out, gov.Change{Proxy: a, Before: before.Implementation, After: after.Implementation})
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
	for i, c := range changes {
		code, err := g.after.Code(ctx, c.After)
		if err != nil {
			return err
		}
		if len(code) > 0 {
			changes[i].AfterCode = gov.CodeHash(crypto.Keccak256Hash(code))
		}
	}
	return nil
}
