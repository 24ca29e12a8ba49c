package facts

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// freshFor is how long after its deployment a contract is fresh, in seconds of block time: 30 days, more than most
// votes with their timelock take.
const freshFor = 30 * 24 * 60 * 60

// targets describes the code of every account that the calls name, but the recipients of known native leaves.
func (g *gathering) targets(ctx context.Context) {
	known := g.knownTargets()
	code := []gov.TargetCode{}
	var fresh, codeless, proxy, eoa int64
	allFresh, allNonces := true, true
	for _, a := range targetsOf(g.decoded.Calls) {
		isKnown, isTarget := known[a]
		if !isTarget {
			continue
		}
		t := g.target(ctx, a, isKnown)
		code = append(code, t)
		if f, ok := t.Fresh.Get(); ok && f {
			fresh++
		} else if !ok {
			allFresh = false
		}
		if !t.Implementation.IsZero() {
			proxy++
		}
		if t.Size > 0 {
			continue
		}
		codeless++
		nonce, err := g.before.Nonce(ctx, a)
		if err != nil {
			g.fail("targets.eoa", err, a)
			allNonces = false
		}
		if nonce > 0 {
			code[len(code)-1].EOA = true
			eoa++
		}
	}
	g.facts.Targets = gov.Targets{Codeless: gov.Known(codeless), Proxy: gov.Known(proxy), Code: gov.Known(code)}
	if allFresh {
		g.facts.Targets.Fresh = gov.Known(fresh)
	}
	if allNonces {
		g.facts.Targets.EOA = gov.Known(eoa)
	}
}

// knownTargets says of each target whether every call to it is known, or it is the DAO's own.
func (g *gathering) knownTargets() map[gov.Address]bool {
	out := map[gov.Address]bool{}
	var walk func([]gov.Call)
	walk = func(calls []gov.Call) {
		for _, c := range calls {
			if !(c.Known && c.Kind == gov.KindNative && len(c.Children) == 0) {
				before, seen := out[c.To]
				out[c.To] = (before || !seen) && c.Known || g.facts.DAO.Own(c.To)
			}
			walk(c.Children)
		}
	}
	walk(g.decoded.Calls)
	return out
}

func (g *gathering) target(ctx context.Context, a gov.Address, known bool) gov.TargetCode {
	c := g.contracts[a]
	t := gov.TargetCode{
		Address: a, Known: known, CodeHash: gov.CodeHash(c.Hash), Implementation: c.Implementation, ImplCodeHash: gov.CodeHash(c.ImplHash),
		Size: int64(c.Size), SelfDestruct: c.SelfDestruct, DelegateCall: c.DelegateCall, Designator: c.Designator,
	}
	e, booked := g.deps.Book.Entry(a)
	switch {
	case c.Size == 0, known, g.facts.DAO.Own(a), booked && e.Matches(c.Code):
		t.Fresh = gov.Known(false)
	default:
		fresh, err := g.fresh(ctx, a, c.Hash)
		if err != nil {
			g.fail("targets.fresh", err, a)
			break
		}
		t.Fresh = gov.Known(fresh)
	}
	return t
}

// fresh says whether the code now at an address was not there 30 days of block time before the facts' block.
func (g *gathering) fresh(ctx context.Context, a gov.Address, now gov.Hash) (bool, error) {
	if !g.monthAgo.asked {
		g.monthAgo.asked = true
		g.monthAgo.header, g.monthAgo.there, g.monthAgo.err = g.blockBefore(ctx, g.at.Time-freshFor)
	}
	old, there, err := g.monthAgo.header, g.monthAgo.there, g.monthAgo.err
	if err != nil {
		return false, fmt.Errorf("find the block 30 days before %d: %w", g.at.Number, err)
	}
	if !there {
		return true, nil // the chain itself is younger
	}
	code, err := rpc.Code(ctx, g.deps.Caller, common.Address(a), old.Hash)
	if err != nil {
		return false, fmt.Errorf("read the code of %s at block %d: %w", a, old.Number, err)
	}
	return len(code) == 0 || crypto.Keccak256Hash(code) != now, nil
}

// blockBefore finds the newest ancestor of the facts' block whose time is not after t; ok is false when there is none.
// Headers are asked by number, so the chain is checked to be the facts' own at the end.
func (g *gathering) blockBefore(ctx context.Context, t gov.UnixTime) (out rpc.Header, ok bool, err error) {
	first, err := rpc.HeaderByNumber(ctx, g.deps.Caller, 0)
	if err != nil {
		return out, false, err
	}
	if gov.UnixTime(first.Time) > t {
		return out, false, nil
	}
	low, high := first, g.at.Number // low is not after t, high is
	for low.Number+1 < high {
		h, err := rpc.HeaderByNumber(ctx, g.deps.Caller, low.Number+(high-low.Number)/2)
		if err != nil {
			return out, false, err
		}
		if gov.UnixTime(h.Time) <= t {
			low = h
		} else {
			high = h.Number
		}
	}
	check, err := rpc.HeaderByNumber(ctx, g.deps.Caller, g.at.Number)
	if err != nil {
		return out, false, err
	}
	if check.Hash != g.at.Hash {
		return out, false, fmt.Errorf("block %d is %s by now: %w", g.at.Number, check.Hash, rpc.ErrNotFound)
	}
	return low, true, nil
}
