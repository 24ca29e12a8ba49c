package facts

import (
	"context"
	"errors"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
)

// governorParameters reads the governor's own rules on both sides.
func governorParameters(ctx context.Context, g *gathering) {
	f := &g.facts.Governor
	if g.facts.DAO.Governor.IsZero() {
		for _, part := range []gov.Part{"governor.quorum", "governor.threshold", "governor.delay", "governor.period"} {
			g.missing(part, gov.NoState, gov.Address{})
		}
		return
	}
	f.Delay.Before, f.Period.Before, f.Threshold.Before, f.Quorum.Before = g.rules(ctx, g.before, "before")
	if g.executed() {
		f.Delay.After, f.Period.After, f.Threshold.After, f.Quorum.After = g.rules(ctx, g.after, "after")
		return
	}
	for _, part := range []gov.Part{"governor.quorum.after", "governor.threshold.after", "governor.delay.after", "governor.period.after"} {
		g.missing(part, g.effectsReason(), g.facts.DAO.Governor)
	}
}

// rules reads the four numbers of one side.
func (g *gathering) rules(ctx context.Context, s book.State, side gov.Part) (delay, period gov.Maybe[int64], threshold, quorum gov.Maybe[float64]) {
	governor := g.facts.DAO.Governor
	clocks := func(part gov.Part, getter gov.Signature) gov.Maybe[int64] {
		n, err := askAmount(ctx, s, governor, getter)
		if err != nil {
			g.fail("governor."+part+"."+side, err, governor)
			return gov.Maybe[int64]{}
		}
		return gov.Known(count(n))
	}
	tokens := func(part gov.Part, n gov.Amount, err error) gov.Maybe[float64] {
		var decimals uint8
		if err == nil {
			decimals, err = g.decimals(ctx, g.facts.DAO.Token)
		}
		if err != nil {
			g.fail("governor."+part+"."+side, err, governor)
			return gov.Maybe[float64]{}
		}
		return gov.Known(whole(n, decimals))
	}
	delay, period = clocks("delay", "votingDelay()"), clocks("period", "votingPeriod()")
	n, err := askAmount(ctx, s, governor, "proposalThreshold()")
	threshold = tokens("threshold", n, err)
	n, err = g.quorum(ctx, s)
	quorum = tokens("quorum", n, err)
	return delay, period, threshold, quorum
}

// quorum is what the rules of one side ask of a proposal that is made now. A quorum that is a share of the supply is
// taken of the supply before, so that it moves with the rule alone: quorum() itself answers for the past only, where a
// share set by this run does not count yet.
func (g *gathering) quorum(ctx context.Context, s book.State) (gov.Amount, error) {
	governor := g.facts.DAO.Governor
	share, ok, err := askWord(ctx, s, governor, "quorumNumerator()")
	if err != nil {
		return gov.Amount{}, err
	}
	if ok {
		return g.shareOfSupply(ctx, s, share.Amount())
	}
	n, err := firstOf(ctx, s, governor, "quorumVotes()")
	if err == nil || !errors.Is(err, errNoGetter) {
		return n, err
	}
	now, ok, err := askWord(ctx, g.before, governor, "clock()")
	if err != nil {
		return gov.Amount{}, err
	}
	point := uint256.NewInt(g.at.Number)
	if ok {
		point = now.Amount().Int()
	}
	if !point.IsZero() {
		point.SubUint64(point, 1)
	}
	return askAmount(ctx, s, governor, "quorum(uint256)", gov.Hash(point.Bytes32()))
}

func (g *gathering) shareOfSupply(ctx context.Context, s book.State, share gov.Amount) (gov.Amount, error) {
	of := uint256.NewInt(100)
	if v, ok, err := askWord(ctx, s, g.facts.DAO.Governor, "quorumDenominator()"); err != nil {
		return gov.Amount{}, err
	} else if ok && !v.Amount().IsZero() {
		of = v.Amount().Int()
	}
	supply, err := askAmount(ctx, g.before, g.facts.DAO.Token, "totalSupply()")
	if err != nil {
		return gov.Amount{}, err
	}
	n, over := new(uint256.Int).MulDivOverflow(supply.Int(), share.Int(), of)
	if over {
		return gov.Amount{}, errNoGetter
	}
	return gov.AmountOf(n), nil
}
