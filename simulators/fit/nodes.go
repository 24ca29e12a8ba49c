package fit

import (
	"math"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators"
)

// nodes are the states of the common factors, weighted by what the votes so far say of them (Bayes). That voters who
// usually come have come or not speaks of turnout; how those who voted did, of the choice.
func (k *habits) nodes(cast []gov.CastVote, h gov.History) []simulators.Node {
	nodes := simulators.NormalNodes(turnoutNodes, choiceNodes)
	turnout, choice := map[float64]float64{}, map[float64]float64{} // log likelihood by factor
	for _, n := range nodes {
		if _, done := turnout[n.Turnout]; !done {
			turnout[n.Turnout] = k.turnoutLikelihood(n.Turnout, cast)
		}
		if _, done := choice[n.Choice]; !done {
			choice[n.Choice] = k.choiceLikelihood(n.Choice, cast)
		}
	}
	best := math.Inf(-1)
	for _, n := range nodes {
		best = max(best, turnout[n.Turnout]+choice[n.Choice])
	}
	sum := 0.0
	for i, n := range nodes {
		nodes[i].Weight *= math.Exp(turnout[n.Turnout] + choice[n.Choice] - best)
		sum += nodes[i].Weight
	}
	out, kept := nodes[:0], 0.0
	for _, n := range nodes {
		if n.Weight /= sum; n.Weight >= lightNode {
			out, kept = append(out, n), kept+n.Weight
		}
	}
	for i := range out {
		out[i].Weight /= kept
	}
	return out
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// turnoutLikelihood is how likely it is, in a state of turnout, that of the voters with habits those have voted by now
// who have.
func (k *habits) turnoutLikelihood(z float64, cast []gov.CastVote) (sum float64) {
	if k.arrivedWeight == 0 {
		return 0
	}
	voted := map[gov.Address]bool{}
	for _, v := range cast {
		voted[v.Voter] = true
	}
	n := min(len(k.voters), individuals)
	for _, v := range k.voters[:n] {
		p := k.arrivedWeight * logistic(widen(k.turnoutOf(v), k.turnoutLoad)+k.turnoutLoad*z)
		if voted[v.address] {
			sum += math.Log(p)
		} else {
			sum += math.Log1p(-p)
		}
	}
	return sum * tempered(n)
}

// choiceLikelihood is how likely the choices made so far are in a state of the choice.
func (k *habits) choiceLikelihood(z float64, cast []gov.CastVote) (sum float64) {
	n := 0
	for _, v := range cast {
		if v.Support > gov.SupportFor {
			continue
		}
		yes, no := k.yes, k.no
		if known := k.byVoter[v.Voter]; known != nil {
			yes, no, _ = k.choiceOf(known.yes, known.no, known.blank)
		}
		p := logistic(widen(yes/(yes+no), k.choiceLoad) + k.choiceLoad*z)
		if v.Support == gov.SupportAgainst {
			p = 1 - p
		}
		sum += math.Log(p)
		n++
	}
	return sum * tempered(n)
}

// tempered is the weight of one of n voters' evidence.
func tempered(n int) float64 {
	if n <= evidence {
		return 1
	}
	return evidence / float64(n)
}
