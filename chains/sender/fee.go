package sender

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// ErrFee says that the chain wants more than may be paid; it may want less later.
var ErrFee = errors.New("the chain's fee is above what may be paid")

// minTip is the smallest tip, in wei per gas: block builders, and the dev chains, leave lower ones waiting.
var minTip = uint256.NewInt(gwei)

// fees are what one gas may cost: the cap, at most twice the base fee and the tip, so that six full blocks in
// a row do not outrun it, and never above most.
func fees(base, tip, most *uint256.Int) (feeCap, tipCap *uint256.Int, err error) {
	tipCap = clamp(tip, minTip, new(uint256.Int).Rsh(most, 2))
	feeCap, over := new(uint256.Int).MulOverflow(base, uint256.NewInt(2))
	if !over {
		_, over = feeCap.AddOverflow(feeCap, tipCap)
	}
	if over || feeCap.Gt(most) {
		feeCap.Set(most)
	}
	floor, over := new(uint256.Int).AddOverflow(base, minTip)
	if over || feeCap.Lt(floor) {
		return nil, nil, fmt.Errorf("%w: base fee %s, at most %s wei per gas", ErrFee, base.Dec(), most.Dec())
	}
	if room := new(uint256.Int).Sub(feeCap, base); tipCap.Gt(room) {
		tipCap.Set(room)
	}
	return feeCap, tipCap, nil
}

// clamp is v between low and high; low where they cross.
func clamp(v, low, high *uint256.Int) *uint256.Int {
	out := v.Clone()
	if out.Gt(high) {
		out.Set(high)
	}
	if out.Lt(low) {
		out.Set(low)
	}
	return out
}

// most is the highest fee per gas that a ballot with this gas may pay.
func (s *Sender) most(b gov.Ballot, gas uint64) *uint256.Int {
	most := s.MaxFee.Int()
	l, ok := s.Limits(b.Proposal.Governor)
	if !ok {
		return most
	}
	if vote, ok := l.PerVote(b); ok {
		if perGas := new(uint256.Int).Div(vote.Int(), uint256.NewInt(gas)); perGas.Lt(most) {
			return perGas
		}
	}
	return most
}

// gasFor is the limit for an estimate: a block later more storage may be touched than the node's estimate on
// the newest state says, so a third more and 60 000 (measured), at least what any vote takes.
func gasFor(estimate, most uint64) (uint64, error) {
	const least = 150_000
	if estimate > most {
		return 0, fmt.Errorf("%w: the node estimates %d gas, at most %d", ErrFee, estimate, most)
	}
	return min(max(estimate+estimate*3/10+60_000, least), most), nil
}
