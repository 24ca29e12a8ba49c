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

// Allow says whether a ballot that may cost fee fits into the day before now. spent may hold older votes.
// The error wraps [ErrBudget].
func (l Limits) Allow(spent []Spent, now gov.UnixTime, b gov.Ballot, fee gov.Amount) error {
	if b.Reason.By != gov.ByPolicy {
		return nil
	}
	if most, _ := l.PerVote(b); fee.Cmp(most) > 0 {
		return fmt.Errorf("%w: %s may cost %s wei, one vote at most %s", ErrBudget, b.Support, fee, most)
	}
	votes, fees := l.VotesPerDay, l.FeePerDay
	if b.Support != gov.SupportAgainst {
		votes, fees = (votes+1)/2, half(fees)
	}
	count, sum := 1, fee.Int()
	for _, s := range spent {
		if s.At <= now-day || s.By != gov.ByPolicy || b.Support != gov.SupportAgainst && s.Support == gov.SupportAgainst {
			continue
		}
		count++
		if _, over := sum.AddOverflow(sum, s.Fee.Int()); over {
			sum.SetAllOne()
		}
	}
	switch {
	case count > votes:
		return fmt.Errorf("%w: %d votes a day for %s", ErrBudget, votes, b.Support)
	case gov.AmountOf(sum).Cmp(fees) > 0:
		return fmt.Errorf("%w: %s wei of fees a day, at most %s for %s", ErrBudget, sum.Dec(), fees, b.Support)
	}
	return nil
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
