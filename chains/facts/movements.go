package facts

import (
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
	"github.com/legate-dao/legate/chains/book"
)

// movement is value that went from one account to another in the run.
type movement struct {
	assetID
	from, to gov.Address
	amount   gov.Amount
}

// transfers are what the logs of ERC-20, ERC-721, ERC-1155 and ERC-6909 say, one NFT as one. They are hints: what was
// measured bounds them.
func (g *gathering) transfers() (out []movement) {
	for _, l := range g.facts.Effects.Logs {
		out = append(out, transfersOf(l)...)
	}
	return out
}

func transfersOf(l gov.EventLog) []movement {
	if len(l.Topics) < 3 {
		return nil
	}
	data := l.Data.Bytes()
	word := func(i int) gov.Amount { return gov.Value{Word: [32]byte(data[32*i : 32*i+32])}.Amount() }
	account := func(i int) gov.Address { return gov.Address(l.Topics[i][12:]) }
	of := func(id gov.Amount) assetID { return assetID{token: gov.Asset(l.Account), id: id, multi: true} }
	plain := assetID{token: gov.Asset(l.Account)}
	switch {
	case l.Topics[0] == topicTransfer && len(l.Topics) == 4:
		return []movement{{plain, account(1), account(2), gov.NewAmount(1)}}
	case l.Topics[0] == topicTransfer && len(data) >= 32:
		return []movement{{plain, account(1), account(2), word(0)}}
	case l.Topics[0] == topicTransferSingle && len(l.Topics) == 4 && len(data) >= 64:
		return []movement{{of(word(0)), account(2), account(3), word(1)}}
	case l.Topics[0] == topicTransfer6909 && len(l.Topics) == 4 && len(data) >= 64:
		return []movement{{of(gov.Value{Word: l.Topics[3]}.Amount()), account(1), account(2), word(1)}}
	case l.Topics[0] == topicTransferBatch && len(l.Topics) == 4:
		lists, _, err := decodeArguments(batchTypes, data)
		if err != nil || len(lists[0].list) != len(lists[1].list) {
			return nil
		}
		var out []movement
		for i, id := range lists[0].list {
			out = append(out, movement{of(id.value.Amount()), account(2), account(3), lists[1].list[i].value.Amount()})
		}
		return out
	}
	return nil
}

// batchTypes are the ids and amounts of ERC-1155's TransferBatch.
var batchTypes = func() []book.Type {
	t, err := book.ParseType("uint256[]")
	if err != nil {
		panic(err)
	}
	return []book.Type{t, t}
}()

// payments are native values that call frames carried, of those frames that stood.
func (g *gathering) payments() (out []movement) {
	for i, stands := range g.standing() {
		f := g.facts.Effects.Calls[i]
		carries := f.Type == gov.FrameCall || f.Type == gov.FrameCreate || f.Type == gov.FrameCreate2 || f.Type == gov.FrameSelfDestruct
		if !stands || !carries || f.Value.IsZero() {
			continue
		}
		out = append(out, movement{assetID{token: gov.Native}, f.From, f.To, f.Value})
	}
	return out
}

// standing says of each frame whether what it did stands: it and all around it succeeded.
func (g *gathering) standing() []bool {
	frames := g.facts.Effects.Calls
	out := make([]bool, len(frames))
	var failed []bool // of the frames around, by depth
	for i, f := range frames {
		depth := min(f.Depth, len(failed))
		failed = append(failed[:depth], depth > 0 && failed[depth-1] || !f.OK)
		out[i] = !failed[depth]
	}
	return out
}

// used says whether a spender moved an owner's tokens in the run: a transferFrom by it at the token or, for Permit2, at
// the contract that holds the allowance.
func (g *gathering) used(a gov.Allowance) bool {
	at := a.Token
	if !a.Via.IsZero() {
		at = a.Via
	}
	for _, f := range g.facts.Effects.Calls {
		if f.OK && f.From == a.Spender && f.To == at && f.Selector != nil && spends[*f.Selector] {
			return true
		}
	}
	return false
}

// spends are the methods by which a spender uses an allowance.
var spends = func() map[gov.Selector]bool {
	out := map[gov.Selector]bool{}
	for _, s := range []gov.Signature{
		"transferFrom(address,address,uint256)", "transferFrom(address,address,uint160,address)", "burnFrom(address,uint256)",
		"transferFrom((address,address,uint160,address)[])",
	} {
		out[book.SelectorOf(s)] = true
	}
	return out
}()

// declared are the impacts that the calls declare.
type declared []gov.Impact

// declaredAmounts are the payments and allowances that the calls name themselves.
func (g *gathering) declaredAmounts() (out declared) {
	for _, i := range impact.Declared(g.decoded.Calls, g.facts.DAO.Executor) {
		if i.When == gov.WhenNow && (i.Kind == gov.ImpactPays || i.Kind == gov.ImpactAllows) {
			out = append(out, i)
		}
	}
	return out
}

// names reports whether a call names this amount of this asset for this account. A call that does not say of which asset
// it speaks names any.
func (d declared) names(asset gov.Asset, to gov.Address, amount gov.Amount) bool {
	return slices.ContainsFunc(d, func(i gov.Impact) bool {
		n, ok := i.Amount.Get()
		if _, one := i.ID.Get(); !ok && one {
			n, ok = gov.NewAmount(1), true
		}
		return ok && i.To == to && n == amount && i.Asset.Or(asset) == asset
	})
}

// defers says whether a call merely schedules the calls inside it.
func defers(c gov.Call) bool {
	if c.Selector == nil {
		return false
	}
	m, _, ok := book.Own(*c.Selector)
	if !ok || m.Signature != c.Signature {
		return false
	}
	w, ok := book.Wraps(m)
	return ok && w.Deferred
}
