package fit

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators"
)

// The constants of the estimate. They were chosen on the votes of Compound, Aave v2, Lido, Uniswap Alpha (before April
// 2022) and Decentraland (before 2022), by the back-test.
const (
	// individuals is how many voters have habits of their own; the rest is pooled.
	individuals = 48
	// halfLife is after how many votings a vote counts half: electorates change.
	halfLife = 20
	// turnoutPrior and choicePrior are how many votings the habits of all weigh beside a voter's own.
	turnoutPrior, choicePrior = 2, 1.5
	// priorYes, priorNo, priorAbstain are what is assumed before anything is known, worth priorVotes votes: most
	// proposals that reach a vote on a chain pass.
	priorYes, priorNo, priorAbstain = .88, .09, .03
	priorVotes                      = 10
	// priorTurnout likewise for voters seen once.
	priorTurnout, priorTurnoutVotes = .3, 5
	// Standard deviations of the common factors in log odds, before anything is known, worth priorVotings votings;
	// and their bounds.
	priorTurnoutLoad, priorChoiceLoad = .5, 1.8
	priorVotings                      = 5
	minLoad, maxTurnoutLoad           = .15, 1.5
	maxChoiceLoad                     = 3
	// evidence is as how many independent votes the votes cast so far speak about the common factors, at most:
	// voters follow each other.
	evidence = 10
	// bins of the time at which votes come, within the voting; uniformVotes is what a flat spread weighs beside them.
	bins, uniformVotes = 20, 10
	// turnoutNodes and choiceNodes is how finely the common factors are integrated; nodes lighter than lightNode are
	// left out.
	turnoutNodes, choiceNodes = 9, 19
	lightNode                 = 1e-4
)

// voter is what is known of one account.
type voter struct {
	address        gov.Address
	first          int     // the voting in which it was first seen
	weight         float64 // when it last voted, or by its power now
	seen, could    float64 // decayed votings it voted in after the first, and could have
	yes, no, blank float64 // decayed
}

// habits is what is known of a governor's voters.
type habits struct {
	voters   []*voter // by weight times turnout, the largest first
	byVoter  map[gov.Address]*voter
	newcomer pool
	// common shares of choices and of turnout
	yes, no, blank          float64
	turnout                 float64
	turnoutLoad, choiceLoad float64
	arrived                 float64 // share of a voting's votes that have come by now
	arrivedWeight           float64 // and of their weight: large voters often wait
}

// pool is the votes of voters that nobody knew before, a voting.
type pool struct{ mean, variance, yes, no, blank float64 }

// Habits makes the electorate of the current voting out of a governor's past. The unit is the history's own.
func Habits(h gov.History) (simulators.Electorate, error) {
	if err := check(h); err != nil {
		return simulators.Electorate{}, err
	}
	k := learn(h)
	cast := lastVotes(h.Current.Votes)
	e := simulators.Electorate{
		Rule: simulators.Rule{
			Quorum: h.Rule.Quorum.Float(), Lead: h.Rule.Lead.Float(),
			CountFor: h.Rule.For, CountAgainst: h.Rule.Against, CountAbstain: h.Rule.Abstain,
		},
		Nodes: k.nodes(cast, h),
	}
	voted := map[gov.Address]bool{}
	for _, v := range cast {
		voted[v.Voter] = true
		switch w := v.Weight.Float(); v.Support {
		case gov.SupportFor:
			e.Cast.For += w
		case gov.SupportAgainst:
			e.Cast.Against += w
		default:
			e.Cast.Abstain += w
		}
	}
	e.Voters = k.electorate(voted)
	return e, e.Check()
}

// check refuses a history that contradicts itself.
func check(h gov.History) error {
	for i, v := range h.Ended {
		if v.Ends > h.At {
			return fmt.Errorf("voting %d ends at %d, after the moment %d of the history", i+1, v.Ends, h.At)
		}
		if i > 0 && v.Ends < h.Ended[i-1].Ends {
			return fmt.Errorf("voting %d ends before voting %d", i+1, i)
		}
	}
	for _, v := range h.Current.Votes {
		if v.At > h.At {
			return fmt.Errorf("a vote of %s at %d is after the moment %d of the history", v.Voter, v.At, h.At)
		}
	}
	return nil
}

// lastVotes are the votes that count: the last one of each voter, with any weight.
func lastVotes(votes []gov.CastVote) []gov.CastVote {
	last := make(map[gov.Address]int, len(votes))
	for i, v := range votes {
		last[v.Voter] = i
	}
	out := make([]gov.CastVote, 0, len(last))
	for i, v := range votes {
		if last[v.Voter] == i && !v.Weight.IsZero() {
			out = append(out, v)
		}
	}
	return out
}

// learn goes through the past once.
func learn(h gov.History) *habits {
	n := len(h.Ended)
	k := &habits{byVoter: map[gov.Address]*voter{}, yes: priorVotes * priorYes, no: priorVotes * priorNo, blank: priorVotes * priorAbstain}
	decay := make([]float64, n+1) // summed from the first voting
	var arrivals, weights [bins + 1]float64
	turnouts, choices := &spread{}, &spread{}
	k.newcomer = pool{yes: priorVotes * priorYes, no: priorVotes * priorNo, blank: priorVotes * priorAbstain}
	var strangers weighted
	for j, voting := range h.Ended {
		weight := math.Exp2(-float64(n-1-j) / halfLife)
		decay[j+1] = decay[j] + weight
		votes := lastVotes(voting.Votes)
		if len(votes) == 0 {
			continue
		}
		fresh, yes, no, total := 0.0, 0.0, 0.0, 0.0
		for _, v := range votes {
			total += v.Weight.Float()
		}
		for _, v := range votes {
			w, known := v.Weight.Float(), k.byVoter[v.Voter]
			if known == nil {
				known = &voter{address: v.Voter, first: j}
				k.byVoter[v.Voter] = known
				fresh += w
				count(&k.newcomer.yes, &k.newcomer.no, &k.newcomer.blank, v.Support, weight)
			} else {
				known.seen += weight
			}
			known.weight = w
			count(&known.yes, &known.no, &known.blank, v.Support, weight)
			count(&k.yes, &k.no, &k.blank, v.Support, weight*float64(min(10, len(votes)))/float64(len(votes)))
			count(&yes, &no, new(float64), v.Support, 1)
			bin := int(bins * within(voting, v.At))
			arrivals[bin] += weight
			weights[bin] += weight * w / total * float64(min(10, len(votes)))
		}
		if j > 0 {
			strangers.add(fresh, weight)
		}
		choices.add(math.Log((yes+.5)/(no+.5)), 1/(yes+.5)+1/(no+.5), weight)
		turnouts.add(math.Log(float64(len(votes))), 1/float64(len(votes)), weight)
	}
	k.newcomer.mean, k.newcomer.variance = strangers.mean(), strangers.variance()
	k.arrived = arrivedBy(arrivals, within(h.Current, h.At))
	k.arrivedWeight = arrivedBy(weights, within(h.Current, h.At))
	k.choiceLoad = choices.deviation(priorChoiceLoad, minLoad, maxChoiceLoad)
	k.turnoutLoad = turnouts.steps(priorTurnoutLoad, minLoad, maxTurnoutLoad)
	if strangers.weight == 0 && len(k.byVoter) == 0 {
		k.stranger(h)
	}
	k.rank(h, decay)
	return k
}

// stranger is what is expected of a governor without a past: strangers who bring about the quorum, more or less.
func (k *habits) stranger(h gov.History) {
	m := max(h.Rule.Quorum.Float()*1.5, 1)
	for _, v := range h.Current.Votes {
		m = max(m, 2*v.Weight.Float())
	}
	k.newcomer.mean, k.newcomer.variance = m, m*m
}

func count(yes, no, blank *float64, s gov.Support, weight float64) {
	switch s {
	case gov.SupportFor:
		*yes += weight
	case gov.SupportAgainst:
		*no += weight
	case gov.SupportAbstain:
		*blank += weight
	}
}

// within is how far into a voting a moment is, 0 to 1.
func within(v gov.Voting, at gov.Clocks) float64 {
	if at <= v.Starts {
		return 0
	}
	if at >= v.Ends {
		return 1
	}
	return float64(at-v.Starts) / float64(v.Ends-v.Starts)
}

// arrivedBy is the share of votes that come in the first part of a voting.
func arrivedBy(arrivals [bins + 1]float64, part float64) float64 {
	arrivals[bins-1] += arrivals[bins] // the very end
	sum, total := 0.0, 0.0
	for i, n := range arrivals[:bins] {
		n += uniformVotes / float64(bins)
		total += n
		sum += n * min(max(part*bins-float64(i), 0), 1)
	}
	return sum / total
}

// rank puts the voters in order and fills in what all have in common.
func (k *habits) rank(h gov.History, decay []float64) {
	powers := map[gov.Address]float64{}
	for _, p := range h.Powers {
		powers[p.Voter] = p.Power.Float()
	}
	seen, could := priorTurnoutVotes*priorTurnout, float64(priorTurnoutVotes)
	for _, v := range k.byVoter {
		if w, ok := powers[v.address]; ok {
			v.weight = w
		}
		v.could = decay[len(decay)-1] - decay[v.first+1]
		k.voters = append(k.voters, v)
	}
	slices.SortFunc(k.voters, func(a, b *voter) int {
		return cmp.Or(cmp.Compare(b.weight*(b.seen+.5), a.weight*(a.seen+.5)), a.address.Cmp(b.address))
	})
	for _, v := range k.voters[:min(len(k.voters), 2*individuals)] {
		seen, could = seen+v.seen, could+v.could
	}
	k.turnout = seen / could
	sum := k.yes + k.no + k.blank
	k.yes, k.no, k.blank = k.yes/sum, k.no/sum, k.blank/sum
}

// turnoutOf is the chance that a voter takes part in a voting.
func (k *habits) turnoutOf(v *voter) float64 {
	return (v.seen + turnoutPrior*k.turnout) / (v.could + turnoutPrior)
}

// choiceOf are the chances of for, against and abstain of one who votes.
func (k *habits) choiceOf(yes, no, blank float64) (float64, float64, float64) {
	sum := yes + no + blank + choicePrior
	return (yes + choicePrior*k.yes) / sum, (no + choicePrior*k.no) / sum, (blank + choicePrior*k.blank) / sum
}

func logit(p float64) float64 {
	p = min(max(p, 1e-6), 1-1e-6)
	return math.Log(p / (1 - p))
}

// widen is the middle of a logistic chance that averages to p over a normal factor with a load (to within 0.01).
func widen(p, load float64) float64 { return logit(p) * math.Sqrt(1+math.Pi/8*load*load) }

// ballot is a voter who may still vote. What has arrived by now has been seen: the odds of a late vote are those of
// any vote times the share of votes still to come.
func (k *habits) ballot(weight, turnout, arrived, yes, no, blank float64) simulators.Voter {
	return simulators.Voter{
		Weight: weight, Turnout: widen(turnout, k.turnoutLoad) + math.Log(max(1-arrived, 1e-9)), TurnoutLoad: k.turnoutLoad,
		Choice: widen(yes/(yes+no), k.choiceLoad), ChoiceLoad: k.choiceLoad, Abstain: blank,
	}
}

// electorate are those who may still vote: the largest by themselves, the rest and the strangers as a few voters of
// equal weight with the same mean and variance.
func (k *habits) electorate(voted map[gov.Address]bool) (out []simulators.Voter) {
	if k.arrived >= 1 {
		return nil
	}
	var rest crowd
	for _, v := range k.voters {
		if voted[v.address] || v.weight == 0 {
			continue
		}
		turnout := k.turnoutOf(v)
		yes, no, blank := k.choiceOf(v.yes, v.no, v.blank)
		if len(out) < individuals {
			out = append(out, k.ballot(v.weight, turnout, k.arrivedWeight, yes, no, blank))
			continue
		}
		rest.add(v.weight, turnout, yes, no, blank)
	}
	out = append(out, rest.voters(k, 16)...)
	n := k.newcomer
	strangers := crowd{mean: n.mean, variance: n.variance, yes: n.yes * n.mean, no: n.no * n.mean, blank: n.blank * n.mean}
	return append(out, strangers.voters(k, 5)...)
}

// crowd are voters taken together.
type crowd struct{ mean, variance, yes, no, blank float64 }

func (c *crowd) add(weight, turnout, yes, no, blank float64) {
	m := weight * turnout
	c.mean += m
	c.variance += m * weight * (1 - turnout)
	c.yes, c.no, c.blank = c.yes+m*yes, c.no+m*no, c.blank+m*blank
}

// voters are n of equal weight with the crowd's mean and variance.
func (c crowd) voters(k *habits, n int) []simulators.Voter {
	sum := c.yes + c.no + c.blank
	if !(c.mean > 0) || sum == 0 {
		return nil
	}
	spread := c.variance / (c.mean * c.mean)
	turnout := min(max(1/(1+float64(n)*spread), .02), .95)
	v := k.ballot(c.mean/(float64(n)*turnout), turnout, k.arrived, c.yes/sum, c.no/sum, c.blank/sum)
	return slices.Repeat([]simulators.Voter{v}, n)
}
