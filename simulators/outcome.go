package simulators

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators/mc"
)

// Version names the models in forecasts: a change of a model changes it.
const Version = "vote-1/" + mc.Version

// Outcome is how a voting ends, in the electorate's unit.
type Outcome struct {
	Pass, Quorum gov.Chance
	// For, Against and Turnout are the final counts.
	For, Against, Turnout mc.Sample
	Engine                gov.ForecastEngine
}

// Outcome computes how the voting ends. The quorum and the lead of for over against are exact but for the lattice
// (cells on each side of zero; 0 leaves them to sampling too); that both hold comes from sampling, with the two exact
// ones as control variates, so its error is that of what they do not explain.
func (e Electorate) Outcome(ctx context.Context, engine mc.Engine, cells int) (*Outcome, error) {
	k, err := e.Kernel()
	if err != nil {
		return nil, err
	}
	r, err := engine.Run(ctx, "vote", k)
	if err != nil {
		return nil, err
	}
	out := &Outcome{
		For: r.Values[voteFor], Against: r.Values[voteAgainst], Turnout: r.Values[voteTurnout],
		Pass: chanceOf(r.Events[votePass]), Quorum: chanceOf(r.Events[voteQuorum]),
		Engine: gov.ForecastEngine{Paths: r.Paths, Seed: strconv.FormatUint(r.Seed, 10), Version: Version},
	}
	if cells > 0 {
		lead, quorum := e.leadChance(cells), e.quorumChance(cells)
		out.Quorum = around(quorum+e.Rescue*(1-quorum), latticeError)
		out.Pass = jointChance(r, lead, quorum, e.Rescue)
	}
	return out, nil
}

func chanceOf(p mc.Proportion) (c gov.Chance) {
	c.P, c.Low, c.High = p.Wilson()
	return c
}

// around is an interval of a half-width, within 0 and 1.
func around(p, half float64) gov.Chance {
	return gov.Chance{P: p, Low: max(p-half, 0), High: min(p+half, 1)}
}

// jointChance is the chance to pass. The voters' own lead and quorum happen in the sample more or less often than they
// should, which is known; the regression of passing on them says by how much passing does.
func jointChance(r *mc.Result, lead, quorum, rescue float64) gov.Chance {
	n := float64(r.Paths)
	share := func(event int) float64 { return r.Events[event].P() }
	l, q, pass := share(ownLead), share(ownQuorum), share(votePass)
	switch {
	case quorum >= 1-latticeError/10:
		return around(lead, latticeError)
	case rescue == 0 && lead >= 1-latticeError/10:
		return around(quorum, latticeError)
	}
	ll, qq, lq := l*(1-l), q*(1-q), share(ownBoth)-l*q // covariances of the indicators
	lp, qp, pp := share(passAndLead)-l*pass, share(passAndQuorum)-q*pass, pass*(1-pass)
	det := ll*qq - lq*lq
	if pp == 0 || det < 1e-9*ll*qq || ll == 0 || qq == 0 { // seen never or always, or one follows from the other
		return chanceOf(r.Events[votePass])
	}
	bl, bq := (lp*qq-qp*lq)/det, (qp*ll-lp*lq)/det
	p := pass - bl*(l-lead) - bq*(q-quorum)
	left := max(pp-bl*lp-bq*qp, 0) / n
	if rescue == 0 {
		p = min(max(p, lead+quorum-1), min(lead, quorum)) // bounds that hold whatever the dependence
	}
	return around(min(max(p, 0), 1), mc.Z95*math.Sqrt(left)+latticeError)
}

// Forecast is the outcome in the token's smallest unit, of which the electorate's unit is unit.
func (o *Outcome) Forecast(unit float64) gov.Forecast {
	spread := func(s mc.Sample) gov.Spread {
		return gov.Spread{P05: amount(s.Quantile(.05) * unit), P50: amount(s.Quantile(.5) * unit), P95: amount(s.Quantile(.95) * unit)}
	}
	return gov.Forecast{Pass: o.Pass, Quorum: o.Quorum, For: spread(o.For), Against: spread(o.Against), Turnout: spread(o.Turnout), Engine: o.Engine}
}

// amount rounds to a whole number below 2^256.
func amount(x float64) gov.Amount {
	if !(x > 0) {
		return gov.Amount{}
	}
	whole, _ := new(big.Float).SetFloat64(math.Round(min(x, 1e77))).Int(nil)
	n, _ := uint256.FromBig(whole)
	return gov.AmountOf(n)
}

// Seed is the seed of a proposal's models at a block: the same proposal at the same block is forecast alike anywhere.
func Seed(id gov.ProposalID, at gov.Block) uint64 {
	return mc.HashName(fmt.Sprintf("%s at %d %s", id, at.Number, at.Hash))
}
