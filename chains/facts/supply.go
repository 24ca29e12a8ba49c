package facts

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

var (
	topicTransfer        = topic("Transfer(address,address,uint256)")
	topicTransferSingle  = topic("TransferSingle(address,address,address,uint256,uint256)")
	topicTransferBatch   = topic("TransferBatch(address,address,address,uint256[],uint256[])")
	topicTransfer6909    = topic("Transfer(address,address,address,uint256,uint256)")
	topicDelegateChanged = topic("DelegateChanged(address,address,address)")
	topicMinterChanged   = topic("MinterChanged(address,address)")
	pauserRole           = topic("PAUSER_ROLE")
)

func topic(signature string) gov.Hash { return crypto.Keccak256Hash([]byte(signature)) }

// supply says how the governance token changes. Amounts are read on the two sides of the run; what its own logs add is
// what was both minted and burned.
func supply(ctx context.Context, g *gathering) {
	s, token := &g.facts.Supply, g.facts.DAO.Token
	if token.IsZero() {
		for _, part := range []gov.Part{"supply.before", "supply.after", "supply.minted_bps", "supply.burned_bps", "supply.minters_added", "supply.cap_raised", "supply.paused", "supply.self_delegated"} {
			g.missing(part, gov.NoState, gov.Address{})
		}
		return
	}
	g.capAndPause(ctx)
	before, err := askAmount(ctx, g.before, token, "totalSupply()")
	if err != nil {
		g.fail("supply.before", err, token)
	} else {
		s.Before = gov.Known(before)
	}
	if !g.executed() {
		for _, part := range []gov.Part{"supply.after", "supply.minted_bps", "supply.burned_bps", "supply.minters_added", "supply.self_delegated"} {
			g.missing(part, g.effectsReason(), token)
		}
		return
	}
	g.mintedAndBurned(ctx)
	s.MintersAdded = gov.Known(g.mintersAdded())
	s.SelfDelegated = gov.Known(g.selfDelegated())
}

func (g *gathering) mintedAndBurned(ctx context.Context) {
	s, token := &g.facts.Supply, g.facts.DAO.Token
	before, err := askAmount(ctx, g.ready, token, "totalSupply()")
	if err != nil {
		g.fail("supply.minted_bps", err, token)
		g.fail("supply.burned_bps", err, token)
		return
	}
	after, err := askAmount(ctx, g.after, token, "totalSupply()")
	if err != nil {
		for _, part := range []gov.Part{"supply.after", "supply.minted_bps", "supply.burned_bps"} {
			g.fail(part, err, token)
		}
		return
	}
	s.After = gov.Known(after)
	minted, burned := new(uint256.Int), new(uint256.Int)
	for _, t := range g.transfers() {
		if gov.Address(t.token) != token {
			continue
		}
		if t.from.IsZero() {
			addCapped(minted, t.amount)
		}
		if t.to.IsZero() {
			addCapped(burned, t.amount)
		}
	}
	net := gov.DeltaOf(before, after)
	if side := net.Size.Int(); net.Negative && side.Gt(burned) {
		burned = side
	} else if !net.Negative && side.Gt(minted) {
		minted = side
	}
	s.MintedBps, s.BurnedBps = bps(gov.AmountOf(minted), before), bps(gov.AmountOf(burned), before)
	if !s.MintedBps.IsKnown() || !s.BurnedBps.IsKnown() {
		g.missing("supply.minted_bps", gov.NoState, token) // there was no supply to compare with
	}
}

// bps is a share in basis points; missing where a part is taken of nothing.
func bps(part, of gov.Amount) gov.Maybe[float64] {
	switch {
	case part.IsZero():
		return gov.Known(0.0)
	case of.IsZero():
		return gov.Maybe[float64]{}
	}
	n := part.Int().ToBig()
	return gov.Known(quotient(n.Mul(n, big.NewInt(10_000)), of.Int().ToBig()))
}

func addCapped(sum *uint256.Int, n gov.Amount) {
	if _, over := sum.AddOverflow(sum, n.Int()); over {
		sum.SetAllOne()
	}
}

// capAndPause reads a cap and a pause where the token has them.
func (g *gathering) capAndPause(ctx context.Context) {
	s, token := &g.facts.Supply, g.facts.DAO.Token
	before, err := firstOf(ctx, g.before, token, "cap()", "maxSupply()", "MAX_SUPPLY()")
	switch {
	case errors.Is(err, errNoGetter):
		s.CapRaised = gov.Known(false)
		g.neutral("supply.cap_raised")
	case err != nil:
		g.fail("supply.cap_raised", err, token)
	case !g.executed():
		g.missing("supply.cap_raised", g.effectsReason(), token)
	default:
		after, err := firstOf(ctx, g.after, token, "cap()", "maxSupply()", "MAX_SUPPLY()")
		if err != nil {
			g.fail("supply.cap_raised", err, token)
			break
		}
		s.CapRaised = gov.Known(after.Cmp(before) > 0)
	}
	paused, ok, err := askWord(ctx, g.before, token, "paused()")
	switch {
	case err != nil:
		g.fail("supply.paused", err, token)
	case !ok:
		s.Paused = gov.Known(false)
		g.neutral("supply.paused")
	case !g.executed():
		g.missing("supply.paused", g.effectsReason(), token)
	default:
		after, ok, err := askWord(ctx, g.after, token, "paused()")
		if err != nil || !ok {
			g.fail("supply.paused", errors.Join(err, errNoGetter), token)
			break
		}
		s.Paused = gov.Known(after.Bool() && !paused.Bool())
	}
}

// mintersAdded counts rights given over the token: owners, admins, minters, and every role but that of pausing, since a
// role's name says little about what it may do.
func (g *gathering) mintersAdded() int64 {
	added := int64(0)
	for _, c := range g.roleChanges() {
		if c.Target == g.facts.DAO.Token && grants(c) && c.Role != pauserRole {
			added++
		}
	}
	return added
}

// selfDelegated says whether one of the DAO's accounts delegated its votes.
func (g *gathering) selfDelegated() bool {
	for _, l := range g.facts.Effects.Logs {
		if l.Account == g.facts.DAO.Token && len(l.Topics) == 4 && l.Topics[0] == topicDelegateChanged && g.facts.DAO.Own(gov.Address(l.Topics[1][12:])) {
			return true
		}
	}
	return false
}
