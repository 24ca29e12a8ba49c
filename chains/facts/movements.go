package facts

import (
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// movement is value that went from one account to another in the run.
type movement struct {
	token    gov.Asset
	from, to gov.Address
	amount   gov.Amount
}

// transfers are what the logs of ERC-20 and ERC-721 say, one NFT as one. They are hints: what was measured bounds them.
func (g *gathering) transfers() (out []movement) {
	for _, l := range g.facts.Effects.Logs {
		data := l.Data.Bytes()
		if len(l.Topics) == 4 && l.Topics[0] == topicTransfer {
			out = append(out, movement{
				token: gov.Asset(l.Account), from: gov.Address(l.Topics[1][12:]), to: gov.Address(l.Topics[2][12:]), amount: gov.NewAmount(1),
			})
			continue
		}
		if len(l.Topics) != 3 || l.Topics[0] != topicTransfer || len(data) < 32 {
			continue
		}
		out = append(out, movement{
			token: gov.Asset(l.Account), from: gov.Address(l.Topics[1][12:]), to: gov.Address(l.Topics[2][12:]),
			amount: gov.Value{Word: [32]byte(data[:32])}.Amount(),
		})
	}
	return out
}

// payments are native values that call frames carried. A frame counts only when it and all around it succeeded.
func (g *gathering) payments() (out []movement) {
	var failed []bool // of the frames around, by depth
	for _, f := range g.facts.Effects.Calls {
		depth := min(f.Depth, len(failed))
		around := depth > 0 && failed[depth-1]
		failed = append(failed[:depth], around || !f.OK)
		carries := f.Type == gov.FrameCall || f.Type == gov.FrameCreate || f.Type == gov.FrameCreate2 || f.Type == gov.FrameSelfDestruct
		if failed[depth] || !carries || f.Value.IsZero() {
			continue
		}
		out = append(out, movement{token: gov.Native, from: f.From, to: f.To, amount: f.Value})
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

// decodedPayments are the amounts that known calls name themselves: of a token to an account.
func decodedPayments(calls []gov.Call) map[movement]bool {
	out := map[movement]bool{}
	for _, l := range gov.Leaves(calls) {
		c := l.Call
		switch {
		case c.Kind == gov.KindNative:
			out[movement{token: gov.Native, to: c.To, amount: c.Value}] = true
		case c.Signature == "transfer(address,uint256)" && len(c.Args) == 2:
			out[movement{token: gov.Asset(c.To), to: c.Args[0].Value.Address(), amount: c.Args[1].Value.Amount()}] = true
		case c.Signature == "approve(address,uint256)" && len(c.Args) == 2:
			out[movement{token: gov.Asset(c.To), to: c.Args[0].Value.Address(), amount: c.Args[1].Value.Amount()}] = true
		case (c.Signature == "payToken(address,address,uint256)" || c.Signature == "transfer(address,address,uint256)") && len(c.Args) == 3:
			out[movement{token: gov.Asset(c.Args[0].Value.Address()), to: c.Args[1].Value.Address(), amount: c.Args[2].Value.Amount()}] = true
		case c.Signature == "pay(address,uint256)" && len(c.Args) == 2:
			out[movement{token: gov.Native, to: c.Args[0].Value.Address(), amount: c.Args[1].Value.Amount()}] = true
		}
	}
	return out
}
