package facts

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	all := slices.DeleteFunc(targetsOf(g.decoded.Calls), func(a gov.Address) bool { _, isTarget := known[a]; return !isTarget })
	old := g.monthBefore(ctx, all, known)
	code, nonces := make([]gov.TargetCode, len(all)), make([]error, len(all))
	g.each(ctx, len(all), func(ctx context.Context, i int) {
		a := all[i]
		code[i] = g.target(ctx, a, known[a], old)
		if code[i].Size > 0 {
			return
		}
		nonce, err := g.before.Nonce(ctx, a)
		code[i].EOA, nonces[i] = err == nil && nonce > 0, err
	})
	var fresh, codeless, proxy, eoa int64
	allFresh, allNonces := true, true
	for i, t := range code {
		if f, ok := t.Fresh.Get(); ok && f {
			fresh++
		} else if !ok {
			allFresh = false
		}
		if !t.Implementation.IsZero() {
			proxy++
		}
		if t.Size == 0 {
			codeless++
		}
		if t.EOA {
			eoa++
		}
		if nonces[i] != nil {
			g.fail("targets.eoa", nonces[i], t.Address)
			allNonces = false
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

func (g *gathering) target(ctx context.Context, a gov.Address, known bool, old monthAgo) gov.TargetCode {
	c := g.contracts[a]
	t := gov.TargetCode{
		Address: a, Known: known, CodeHash: gov.CodeHash(c.Hash), Implementation: c.Implementation, ImplCodeHash: gov.CodeHash(c.ImplHash),
		Size: int64(c.Size), SelfDestruct: c.SelfDestruct, DelegateCall: c.DelegateCall, Designator: c.Designator,
	}
	if g.settled(a, known) {
		t.Fresh = gov.Known(false)
		return t
	}
	fresh, err := g.fresh(ctx, a, c.Hash, old)
	if err != nil {
		g.fail("targets.fresh", err, a)
		return t
	}
	t.Fresh = gov.Known(fresh)
	return t
}

// settled says whether an account is not fresh whatever its age: without code, known, the DAO's own, or booked with the
// code that it has.
func (g *gathering) settled(a gov.Address, known bool) bool {
	c := g.contracts[a]
	e, booked := g.deps.Book.Entry(a)
	return c.Size == 0 || known || g.facts.DAO.Own(a) || booked && e.Matches(c.Code)
}

// monthAgo is the block 30 days before the facts' block; there is none where the chain is younger.
type monthAgo struct {
	there  bool
	header rpc.Header
	err    error
}

// monthBefore finds the block where the age of a target matters.
func (g *gathering) monthBefore(ctx context.Context, all []gov.Address, known map[gov.Address]bool) (old monthAgo) {
	if slices.ContainsFunc(all, func(a gov.Address) bool { return !g.settled(a, known[a]) }) {
		old.header, old.there, old.err = g.blockBefore(ctx, g.at.Time-freshFor)
	}
	return old
}

// fresh says whether the code now at an address was not there 30 days of block time before the facts' block.
func (g *gathering) fresh(ctx context.Context, a gov.Address, now gov.Hash, old monthAgo) (bool, error) {
	if old.err != nil {
		return false, fmt.Errorf("find the block 30 days before %d: %w", g.at.Number, old.err)
	}
	if !old.there {
		return true, nil // the chain itself is younger
	}
	code, err := rpc.Code(ctx, g.deps.Caller, common.Address(a), old.header.Hash)
	if err != nil {
		return false, fmt.Errorf("read the code of %s at block %d: %w", a, old.header.Number, err)
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
		probes, err := g.headersBetween(ctx, low.Number, high)
		if err != nil {
			return out, false, err
		}
		for _, h := range probes {
			if gov.UnixTime(h.Time) > t {
				high = h.Number
				break
			}
			low = h
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

// maxProbes are the headers that one step of a search asks for: a chain of 2^32 blocks takes eight steps.
const maxProbes = 15

// headersBetween are up to maxProbes headers between two blocks, evenly spread and ascending, in one batch.
func (g *gathering) headersBetween(ctx context.Context, low, high uint64) ([]rpc.Header, error) {
	n := min(maxProbes, high-low-1)
	headers, errs := make([]rpc.Header, n), make([]error, n)
	g.each(ctx, int(n), func(ctx context.Context, i int) {
		// Of high-low-1 blocks the i-th of n: the product cannot overflow, a height is far below 2^60.
		headers[i], errs[i] = rpc.HeaderByNumber(ctx, g.deps.Caller, low+(high-low)*uint64(i+1)/(n+1))
	})
	return headers, errors.Join(errs...)
}
