package fit

import (
	"math"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/mc"
)

// Voters see how far a voting is from its quorum and act on it: in some DAOs the large ones come late, and as many as
// are needed. Habits alone then say too little. So the chance of the quorum is calibrated on the governor's own past:
// what habits said at the same share of the time of earlier votings, beside what came of them.

// recent is how many votings are looked back at.
const recent = 80

// Prior widths of the calibration: how far the past may move the log odds, and stretch them.
const (
	shiftWidth   = 1.5
	stretchWidth = .2
)

// lesson is one earlier voting: the log odds that habits gave for the quorum, and whether it was reached.
type lesson struct {
	odds    float64
	reached bool
}

// lessonOf is what habits said of an electorate.
func lessonOf(e simulators.Electorate, reached bool) lesson {
	return lesson{min(max(logit(quorumOdds(e, 0)), -6), 6), reached}
}

// lessons looks back at the ended votings, at the same share of their time as the current one has passed.
func lessons(h gov.History) (out []lesson) {
	share := within(h.Current, h.At)
	for j := max(0, len(h.Ended)-recent); j < len(h.Ended); j++ {
		v := h.Ended[j]
		then := gov.History{At: v.Starts + gov.Clocks(share*float64(v.Ends-v.Starts)), Rule: h.Rule, Current: gov.Voting{Starts: v.Starts, Ends: v.Ends}}
		if !v.Quorum.IsZero() {
			then.Rule.Quorum = v.Quorum
		}
		if then.Rule.Quorum.IsZero() || len(v.Votes) == 0 {
			continue
		}
		for _, other := range h.Ended[:j] {
			if other.Ends <= then.At {
				then.Ended = append(then.Ended, other)
			}
		}
		for _, c := range v.Votes {
			if c.At <= then.At && c.At < v.Ends {
				then.Current.Votes = append(then.Current.Votes, c)
			}
		}
		if e, err := Habits(then); err == nil {
			out = append(out, lessonOf(e, reachedBy(v, then.Rule)))
		}
	}
	return out
}

// reachedBy says whether a voting that is over reached its quorum.
func reachedBy(v gov.Voting, rule gov.VoteRule) bool {
	sum := 0.0
	for _, c := range lastVotes(v.Votes) {
		if rule.For && c.Support == gov.SupportFor || rule.Against && c.Support == gov.SupportAgainst || rule.Abstain && c.Support == gov.SupportAbstain {
			sum += c.Weight.Float()
		}
	}
	return sum >= rule.Quorum.Float()
}

// calibrate makes an electorate's chance of the quorum what the lessons of the past make of it: a larger one by rescues
// of votings that would miss it, a smaller one by a lower turnout of all.
func calibrate(e simulators.Electorate, past []lesson) simulators.Electorate {
	if len(past) == 0 || e.Rule.Quorum == 0 || len(e.Voters) == 0 {
		return e
	}
	said := quorumOdds(e, 0)
	if said < 1e-6 || said > 1-1e-6 {
		return e // settled, or out of reach
	}
	shift, stretch := regress(past)
	if want := logistic(shift + stretch*min(max(logit(said), -6), 6)); want > said {
		e.Rescue = (want - said) / (1 - said)
	} else {
		e.Voters = shifted(e, want)
	}
	return e
}

// shifted are the voters with all turnouts moved in log odds.
func shifted(e simulators.Electorate, want float64) []simulators.Voter {
	low, high := -8.0, 8.0
	for range 30 {
		if mid := (low + high) / 2; quorumOdds(e, mid) < want {
			low = mid
		} else {
			high = mid
		}
	}
	out := slices.Clone(e.Voters)
	for i := range out {
		out[i].Turnout += (low + high) / 2
	}
	return out
}

// regress is the logistic regression of what came on what was said, drawn towards "as said": log odds = shift +
// stretch·said. Older lessons weigh less. Newton's method on two numbers.
func regress(past []lesson) (shift, stretch float64) {
	stretch = 1
	for range 25 {
		gs, gt := shift/(shiftWidth*shiftWidth), (stretch-1)/(stretchWidth*stretchWidth)
		hss, htt, hst := 1/(shiftWidth*shiftWidth), 1/(stretchWidth*stretchWidth), 0.0
		for i, l := range past {
			w := math.Exp2(-float64(len(past)-1-i) / halfLife)
			p := logistic(shift + stretch*l.odds)
			miss := p
			if l.reached {
				miss--
			}
			c := w * p * (1 - p)
			gs, gt = gs+w*miss, gt+w*miss*l.odds
			hss, htt, hst = hss+c, htt+c*l.odds*l.odds, hst+c*l.odds
		}
		det := hss*htt - hst*hst
		ds, dt := (gs*htt-gt*hst)/det, (gt*hss-gs*hst)/det
		shift, stretch = shift-min(max(ds, -2), 2), stretch-min(max(dt, -1), 1)
	}
	return shift, max(stretch, .1)
}

// quorumOdds is the chance of the quorum by the normal approximation in each state of the factors, with all turnouts
// shifted in log odds. It is quick and a little rough, which the calibration takes in.
func quorumOdds(e simulators.Electorate, shift float64) (chance float64) {
	need := e.Rule.Quorum - e.Cast.For*one(e.Rule.CountFor) - e.Cast.Against*one(e.Rule.CountAgainst) - e.Cast.Abstain*one(e.Rule.CountAbstain)
	for _, n := range e.Nodes {
		mean, variance := 0.0, 0.0
		for _, v := range e.Voters {
			t := logistic(v.Turnout + shift + v.TurnoutLoad*n.Turnout)
			yes := logistic(v.Choice + v.ChoiceLoad*n.Choice)
			counts := (1-v.Abstain)*(yes*one(e.Rule.CountFor)+(1-yes)*one(e.Rule.CountAgainst)) + v.Abstain*one(e.Rule.CountAbstain)
			p := t * counts
			mean += v.Weight * p
			variance += v.Weight * v.Weight * p * (1 - p)
		}
		switch {
		case need <= 0:
			chance += n.Weight
		case variance > 0:
			chance += n.Weight * mc.NormalCDF((mean-need)/math.Sqrt(variance))
		}
	}
	return chance
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
