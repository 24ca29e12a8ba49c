package simulators

import (
	"errors"
	"fmt"
	"math"
	"sort"

	"github.com/legate-dao/legate/simulators/mc"
)

// Electorate is a voting from now to its end: what is cast, who may still vote and how, and what all have in common.
// Weights are in any one unit.
//
// Two common factors move all voters together: one their turnout, one their choice. They are integrated over nodes;
// given a node voters are independent. Package fit makes an electorate from a governor's past.
type Electorate struct {
	Cast   Counts
	Voters []Voter
	Nodes  []Node // weights add up to 1
	Rule   Rule
	// Rescue is the chance that, where the counted votes would miss the quorum at the end, as many more for votes are
	// found as it needs, and up to a fifth of it beyond: in some DAOs the large voters come late and as they are needed.
	Rescue float64
}

// Counts are votes by choice.
type Counts struct{ For, Against, Abstain float64 }

// Rule is when a proposal passes: for exceeds against by more than Lead, and the counted votes reach Quorum.
type Rule struct {
	Quorum, Lead                         float64
	CountFor, CountAgainst, CountAbstain bool
}

// Voter is one account that may still vote, or a share of those too small to be told apart. Chances are logistic in
// the common factors: of turning out 1/(1+exp(-(Turnout+TurnoutLoad·z))), of for among for and against likewise.
type Voter struct {
	Weight               float64
	Turnout, TurnoutLoad float64
	Choice, ChoiceLoad   float64
	Abstain              float64 // of those who vote
	NoFor                bool    // may only vote against from now on
}

// Node is one state of the common factors.
type Node struct{ Turnout, Choice, Weight float64 }

// chances are of for, against and abstain; the rest stays away.
func (v Voter) chances(n Node) (yes, no, abstain float64) {
	t, c := logistic(v.Turnout+v.TurnoutLoad*n.Turnout), logistic(v.Choice+v.ChoiceLoad*n.Choice)
	yes, no, abstain = t*(1-v.Abstain)*c, t*(1-v.Abstain)*(1-c), t*v.Abstain
	if v.NoFor {
		yes, abstain = 0, 0
	}
	return yes, no, abstain
}

func logistic(x float64) float64 { return 1 / (1 + mc.Exp(-x)) }

// Limits of an electorate.
const (
	MaxVoters = 100_000
	MaxNodes  = 4096
)

// Check says what makes no sense.
func (e Electorate) Check() error {
	if len(e.Voters) > MaxVoters || len(e.Nodes) == 0 || len(e.Nodes) > MaxNodes {
		return fmt.Errorf("%d voters in %d nodes: at most %d in 1 to %d", len(e.Voters), len(e.Nodes), MaxVoters, MaxNodes)
	}
	if !finite(e.Cast.For, e.Cast.Against, e.Cast.Abstain, e.Rule.Quorum, e.Rule.Lead) || min(e.Cast.For, e.Cast.Against, e.Cast.Abstain, e.Rule.Quorum, e.Rule.Lead) < 0 {
		return errors.New("votes, quorum and lead must be finite and not negative")
	}
	if !(e.Rescue >= 0 && e.Rescue <= 1) {
		return fmt.Errorf("rescue %g is no chance", e.Rescue)
	}
	for i, v := range e.Voters {
		if !finite(v.Weight, v.Turnout, v.TurnoutLoad, v.Choice, v.ChoiceLoad, v.Abstain) || v.Weight < 0 || v.Abstain < 0 || v.Abstain > 1 {
			return fmt.Errorf("voter %d has impossible numbers", i+1)
		}
	}
	sum := 0.0
	for _, n := range e.Nodes {
		if !finite(n.Turnout, n.Choice, n.Weight) || n.Weight < 0 {
			return errors.New("a node has impossible numbers")
		}
		sum += n.Weight
	}
	if math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("the nodes' weights add up to %g", sum)
	}
	return nil
}

// counted are the votes of a set that count towards the quorum.
func (r Rule) counted(c Counts) (sum float64) {
	if r.CountFor {
		sum += c.For
	}
	if r.CountAgainst {
		sum += c.Against
	}
	if r.CountAbstain {
		sum += c.Abstain
	}
	return sum
}

// Nodes for one and for two normal factors: the trapezoid rule, whose error falls faster than any power of the
// distance for functions that a normal smooths. reach is in standard deviations.
func NormalNodes(turnout, choice int) []Node {
	var out []Node
	for _, t := range grid(turnout) {
		for _, c := range grid(choice) {
			out = append(out, Node{t[0], c[0], t[1] * c[1]})
		}
	}
	return normalise(out)
}

// reach is how far out the grid goes: beyond it lies 1 in 3000.
const reach = 3.6

func grid(n int) [][2]float64 {
	if n <= 1 {
		return [][2]float64{{0, 1}}
	}
	out := make([][2]float64, n)
	for i := range out {
		z := reach * (2*float64(i)/float64(n-1) - 1)
		out[i] = [2]float64{z, math.Exp(-z * z / 2)}
	}
	return out
}

func normalise(nodes []Node) []Node {
	sum := 0.0
	for _, n := range nodes {
		sum += n.Weight
	}
	for i := range nodes {
		nodes[i].Weight /= sum
	}
	return nodes
}

// The values and events of a vote's path.
const (
	voteFor = iota
	voteAgainst
	voteTurnout
	voteValues
)

const (
	votePass = iota
	voteQuorum
	// What voters do by themselves, without rescue: control variates, whose chances are known exactly.
	ownLead   // for exceeds against by enough, whatever the quorum
	ownQuorum //
	ownBoth
	passAndLead
	passAndQuorum
	voteEvents
)

// totalWeight is what the weights of all voters add up to inside the kernel: as whole numbers their sums are exact
// and do not depend on an order.
const totalWeight = 1 << 30

// voteKernel lets every voter draw once a path. Paths are spread over the nodes in proportion to their weights, all
// paths of a node together: the factors are stratified, and a table of thresholds stays in the cache.
type voteKernel struct {
	Electorate
	unit    float64 // weight of one whole number
	tables  [][]mc.Ballot
	until   []float64 // cumulative weights of the nodes
	lead    int64     // for less against must exceed it
	quorum  int64     // counted must reach it
	weights [3]int64  // 1 where for, against, abstain count
	silent  bool      // only events are wanted
}

// Kernel prepares the model.
func (e Electorate) Kernel() (mc.Kernel, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	k := &voteKernel{Electorate: e, unit: 1}
	total := 0.0
	for _, v := range e.Voters {
		total += v.Weight
	}
	if total > 0 {
		k.unit = total / totalWeight
	}
	sum := 0.0
	for _, n := range e.Nodes {
		sum += n.Weight
		k.until = append(k.until, sum)
		k.tables = append(k.tables, k.table(n))
	}
	r := e.Rule
	for i, counts := range [3]bool{r.CountFor, r.CountAgainst, r.CountAbstain} {
		if counts {
			k.weights[i] = 1
		}
	}
	k.lead = whole(math.Floor((r.Lead - e.Cast.For + e.Cast.Against) / k.unit))
	k.quorum = whole(math.Ceil((r.Quorum - r.counted(e.Cast)) / k.unit))
	return k, nil
}

// overshoot is how far beyond the quorum a rescue goes at most, as a share of it.
const overshoot = .2

// whole is a number of units; beyond what votes can reach it does not matter how far.
func whole(x float64) int64 { return int64(min(max(x, -1<<50), 1<<50)) }

func (k *voteKernel) table(n Node) []mc.Ballot {
	out := make([]mc.Ballot, 0, len(k.Voters)+1)
	for _, v := range k.Voters {
		yes, no, abstain := v.chances(n)
		out = append(out, mc.Ballot{One: mc.Threshold(yes), Two: mc.Threshold(yes + no), Three: mc.Threshold(yes + no + abstain),
			Weight: uint32(math.Round(v.Weight / k.unit))})
	}
	if len(out)%2 == 1 {
		out = append(out, mc.Ballot{})
	}
	return out
}

func (k *voteKernel) Shape() (values, events int) {
	if k.silent {
		return 0, voteEvents
	}
	return voteValues, voteEvents
}

// Fork is the kernel itself: it has no scratch.
func (k *voteKernel) Fork() mc.Kernel { return k }

func (k *voteKernel) Block(s *mc.Stream, out *mc.Out) {
	node := sort.SearchFloat64s(k.until, (float64(out.First)+0.5)/float64(out.Total))
	for p := range out.Paths {
		for at := (float64(out.First+int64(p)) + 0.5) / float64(out.Total); node < len(k.until)-1 && k.until[node] < at; {
			node++
		}
		one, two, three := s.Ballots(k.tables[min(node, len(k.tables)-1)])
		yes, no, abstain := int64(one), int64(two-one), int64(three-two)
		lead := yes-no > k.lead
		counted := yes*k.weights[0] + no*k.weights[1] + abstain*k.weights[2]
		quorum := counted >= k.quorum
		out.Hits[ownLead] += truth(lead)
		out.Hits[ownQuorum] += truth(quorum)
		out.Hits[ownBoth] += truth(lead && quorum)
		ownLeads, ownReaches := lead, quorum
		if !quorum && k.Rescue > 0 {
			if u := s.Float64(); u < k.Rescue {
				more := k.quorum - counted + int64(overshoot*u/k.Rescue*k.Rule.Quorum/k.unit)
				yes, three = yes+more, three+uint64(more)
				lead, quorum = yes-no > k.lead, true
			}
		}
		out.Hits[votePass] += truth(lead && quorum)
		out.Hits[voteQuorum] += truth(quorum)
		out.Hits[passAndLead] += truth(lead && quorum && ownLeads)
		out.Hits[passAndQuorum] += truth(lead && quorum && ownReaches)
		if k.silent {
			continue
		}
		out.Values[voteFor][p] = k.Cast.For + float64(yes)*k.unit
		out.Values[voteAgainst][p] = k.Cast.Against + float64(no)*k.unit
		out.Values[voteTurnout][p] = k.Cast.For + k.Cast.Against + k.Cast.Abstain + float64(int64(three))*k.unit
	}
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
