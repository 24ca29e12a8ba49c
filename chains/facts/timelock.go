package facts

import (
	"context"
	"math"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// timelock reads the delay on both sides, and counts the roles of the timelock that changed.
func timelock(ctx context.Context, g *gathering) {
	t := &g.facts.Timelock
	if g.facts.DAO.Timelock.IsZero() {
		if g.p.Draft {
			for _, part := range []gov.Part{"timelock.delay_before", "timelock.delay_after", "timelock.roles_changed"} {
				g.missing(part, gov.NoState, gov.Address{})
			}
			return
		}
		*t = gov.Timelock{DelayBefore: gov.Known(int64(0)), DelayAfter: gov.Known(int64(0)), RolesChanged: gov.Known(int64(0))}
		g.neutral("timelock.delay_before", "timelock.delay_after", "timelock.roles_changed")
		return
	}
	t.DelayBefore = g.delay(ctx, g.before, "timelock.delay_before")
	if !g.executed() {
		g.missing("timelock.delay_after", g.effectsReason(), g.facts.DAO.Timelock)
		g.missing("timelock.roles_changed", g.effectsReason(), g.facts.DAO.Timelock)
		return
	}
	t.DelayAfter = g.delay(ctx, g.after, "timelock.delay_after")
	changed := int64(0)
	for _, c := range g.roleChanges() {
		if c.Target == g.facts.DAO.Timelock {
			changed++
		}
	}
	t.RolesChanged = gov.Known(changed)
}

func (g *gathering) delay(ctx context.Context, s book.State, part gov.Part) gov.Maybe[int64] {
	n, err := firstOf(ctx, s, g.facts.DAO.Timelock, "getMinDelay()", "delay()")
	if err != nil {
		g.fail(part, err, g.facts.DAO.Timelock)
		return gov.Maybe[int64]{}
	}
	return gov.Known(count(n))
}

// count is a number of clocks or seconds; beyond 2^63 it is as good as for ever.
func count(n gov.Amount) int64 {
	if i := n.Int(); i.IsUint64() && i.Uint64() <= math.MaxInt64 {
		return int64(i.Uint64())
	}
	return math.MaxInt64
}
