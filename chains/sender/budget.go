package sender

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// ErrBudget says that the holder's limits do not allow one more vote now.
var ErrBudget = errors.New("the budget is spent")

// Limits are a holder's for one governor. Half of each is kept for Against, so that no number of
// proposals to vote For can silence it. A holder's own vote is free of them.
//
// The number of votes does not bind an Against: only the fees do. And of the half of the fees that is kept for Against,
// a part is kept for what has more at stake, so that no number of decoys that each deserve an Against leaves nothing for
// the one that they cover: see [Limits.rooms]. Nothing goes beyond the fees of a day.
type Limits struct {
	FeePerVote  gov.Amount // wei
	FeePerDay   gov.Amount // wei
	VotesPerDay int
}

// Spent is a vote that was signed, with what it cost, or may cost while no block has it.
type Spent struct {
	At      gov.UnixTime
	Support gov.Support
	By      gov.By
	Stake   gov.Stake  // of the proposal
	Fee     gov.Amount // wei
}

const day = 86400

// PerVote is what one ballot may cost; ok is false where nothing bounds it.
func (l Limits) PerVote(b gov.Ballot) (most gov.Amount, ok bool) {
	if b.Reason.By != gov.ByPolicy {
		return gov.Amount{}, false
	}
	if b.Support == gov.SupportAgainst {
		return l.FeePerVote, true
	}
	return half(l.FeePerVote), true
}

// tiers is how many kinds of vote the budget tells apart.
const tiers = 2 + int(gov.StakeWhole)

// tier ranks votes in the budget: 0 is not Against, then by what is at stake.
func tier(s gov.Support, stake gov.Stake) int {
	if s != gov.SupportAgainst {
		return 0
	}
	return 1 + int(min(stake.Level(), gov.StakeWhole))
}

// rooms is how much of the fees of a day may be spent by the votes of each tier and those below it. What is not Against has
// half. Of the other half, one vote at its dearest is kept for what has the whole at stake, a quarter of that half at least
// and half of it at most; half of the rest is kept for what has a large stake, and half of that is open to an unclear one.
func (l Limits) rooms() [tiers]gov.Amount {
	kept := half(l.FeePerDay)
	last := l.FeePerVote
	if least := half(half(kept)); last.Cmp(least) < 0 {
		last = least
	}
	if most := half(kept); last.Cmp(most) > 0 {
		last = most
	}
	rest := gov.AmountOf(new(uint256.Int).Sub(kept.Int(), last.Int()))

	less := func(from, n gov.Amount) gov.Amount { return gov.AmountOf(new(uint256.Int).Sub(from.Int(), n.Int())) }
	large := less(l.FeePerDay, last)
	return [tiers]gov.Amount{kept, less(large, half(rest)), less(large, half(half(rest))), large, l.FeePerDay}
}

// Allow says whether a ballot on a proposal with so much at stake, that may cost fee, fits into the day before now: into
// what its tier may spend, and without taking what is kept for a higher one. spent may hold older votes. The error wraps
// [ErrBudget].
func (l Limits) Allow(spent []Spent, now gov.UnixTime, b gov.Ballot, stake gov.Stake, fee gov.Amount) error {
	if b.Reason.By != gov.ByPolicy {
		return nil
	}
	if most, _ := l.PerVote(b); fee.Cmp(most) > 0 {
		return fmt.Errorf("%w: %s may cost %s wei, one vote at most %s", ErrBudget, b.Support, fee, most)
	}

	mine, votes := tier(b.Support, stake), 1
	var sums [tiers]*uint256.Int // of each tier with those below it
	for k := range sums {
		sums[k] = fee.Int()
	}
	for _, s := range spent {
		if s.At <= now-day || s.By != gov.ByPolicy {
			continue
		}
		its := tier(s.Support, s.Stake)
		if its == 0 {
			votes++
		}
		for k := its; k < tiers; k++ {
			add(sums[k], s.Fee)
		}
	}

	if most := (l.VotesPerDay + 1) / 2; mine == 0 && votes > most {
		return fmt.Errorf("%w: %d votes a day for %s", ErrBudget, most, b.Support)
	}
	for k, room := range l.rooms() {
		if k >= mine && gov.AmountOf(sums[k]).Cmp(room) > 0 {
			return fmt.Errorf("%w: %s wei of fees a day, at most %s for %s", ErrBudget, sums[k].Dec(), room, what(b.Support, stake))
		}
	}
	return nil
}

// what names a vote for people.
func what(s gov.Support, stake gov.Stake) string {
	if s != gov.SupportAgainst {
		return s.String()
	}
	return fmt.Sprintf("%s with %s at stake", s, stake)
}

// add adds up to the largest number.
func add(sum *uint256.Int, n gov.Amount) {
	if _, over := sum.AddOverflow(sum, n.Int()); over {
		sum.SetAllOne()
	}
}

func half(a gov.Amount) gov.Amount { return gov.AmountOf(new(uint256.Int).Rsh(a.Int(), 1)) }

// Cost is the most that a planned transaction can cost, in wei; the largest number where it overflows.
func Cost(t gov.Tx) gov.Amount {
	n, over := new(uint256.Int).MulOverflow(t.FeeCap.Int(), uint256.NewInt(t.Gas))
	if over {
		n.SetAllOne()
	}
	return gov.AmountOf(n)
}
