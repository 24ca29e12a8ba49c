package facts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/rpc"
)

// ErrOtherCode says that the code behind a call is not what the facts say of it.
var ErrOtherCode = errors.New("the code behind the calls has changed")

// SameCode compares the code of every account that facts name as a target, and of what it delegates to, with a block. An
// Against that stands is signed on old facts only where nothing of it changed: the error wraps [ErrOtherCode] then.
func SameCode(ctx context.Context, c rpc.Caller, chain gov.ChainID, f gov.Facts, at gov.Block) error {
	then := codeOf(f)
	reads := rpc.NewReads(c)
	state := stateAt(reads, chain, nil, at, f.DAO.Own)
	all := slices.SortedFunc(maps.Keys(then), gov.Address.Cmp)
	found, errs := make([]book.Contract, len(all)), make([]error, len(all))
	reads.Each(ctx, len(all), func(ctx context.Context, i int) { found[i], errs[i] = book.ReadContract(ctx, state, all[i]) })
	for i, a := range all {
		if errs[i] != nil {
			return fmt.Errorf("compare the code of %s at block %d: %w", a, at.Number, errs[i])
		}
		now := found[i]
		if was := then[a]; now.Code != was {
			return fmt.Errorf("%s had code %s with implementation %s (%s), at block %d it is %s with %s (%s): %w",
				a, was.Hash, was.Implementation, was.ImplHash, at.Number, now.Hash, now.Implementation, now.ImplHash, ErrOtherCode)
		}
	}
	return nil
}

// codeOf is what facts say of the code at each target.
func codeOf(f gov.Facts) map[gov.Address]book.Code {
	out := map[gov.Address]book.Code{}
	var walk func([]gov.Call)
	walk = func(list []gov.Call) {
		for _, c := range list {
			out[c.To] = book.Code{Hash: c.CodeHash, Implementation: c.Implementation, ImplHash: c.ImplCodeHash}
			walk(c.Children)
		}
	}
	calls, _ := f.Calls.Get()
	walk(calls)
	targets, _ := f.Targets.Code.Get()
	for _, t := range targets {
		out[t.Address] = book.Code{Hash: gov.Hash(t.CodeHash), Implementation: t.Implementation, ImplHash: gov.Hash(t.ImplCodeHash)}
	}
	return out
}
