package simulators

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/simulators/mc"
)

// sure is a voter who turns out and is for with given chances, whatever the factors.
func sure(weight, turnout, yes float64) Voter {
	logit := func(p float64) float64 { return math.Log(p / (1 - p)) }
	return Voter{Weight: weight, Turnout: logit(turnout), Choice: logit(yes)}
}

var still = []Node{{Weight: 1}}

// enumerate is the chance of an event over all 3^n ways to vote.
func enumerate(e Electorate, event func(Counts) bool) float64 {
	var walk func(i int, c Counts, p float64, n Node) float64
	walk = func(i int, c Counts, p float64, n Node) float64 {
		if i == len(e.Voters) {
			if event(c) {
				return p
			}
			return 0
		}
		v := e.Voters[i]
		yes, no, abstain := v.chances(n)
		sum := walk(i+1, c, p*(1-yes-no-abstain), n)
		for j, chance := range []float64{yes, no, abstain} {
			if chance == 0 {
				continue
			}
			d := c
			*[]*float64{&d.For, &d.Against, &d.Abstain}[j] += v.Weight
			sum += walk(i+1, d, p*chance, n)
		}
		return sum
	}
	total := 0.0
	for _, n := range e.Nodes {
		total += n.Weight * walk(0, e.Cast, 1, n)
	}
	return total
}

// ten voters with uneven weights, some votes cast.
func ten() Electorate {
	e := Electorate{Nodes: NormalNodes(3, 5), Cast: Counts{For: 2.3, Against: 3.1, Abstain: .5},
		Rule: Rule{Quorum: 14.05, CountFor: true, CountAbstain: true}}
	for i, w := range []float64{7.07, 5.31, 4.1, 4.03, 3.3, 2.2, 2.02, 1.7, 1.1, .9} {
		v := sure(w, []float64{.9, .2, .5, .7, .35, .6, .1, .8, .45, .55}[i], .3+.06*float64(i))
		v.Abstain, v.TurnoutLoad, v.ChoiceLoad = .05, .5, .8
		e.Voters = append(e.Voters, v)
	}
	return e
}

// TestExactVote: lattice and sampling agree with the enumeration of all 3^10 outcomes. On ten voters the lattice
// spreads each single outcome a little, which its 4096 cells keep below 1e-3.
func TestExactVote(t *testing.T) {
	e := ten()
	pass := enumerate(e, func(c Counts) bool { return c.For > c.Against && e.Rule.counted(c) >= e.Rule.Quorum })
	lead := enumerate(e, func(c Counts) bool { return c.For > c.Against })
	quorum := enumerate(e, func(c Counts) bool { return e.Rule.counted(c) >= e.Rule.Quorum })
	if got := e.leadChance(Cells); math.Abs(got-lead) > 1e-3 {
		t.Errorf("lattice: lead %g, want %g", got, lead)
	}
	if got := e.quorumChance(Cells); math.Abs(got-quorum) > 1e-3 {
		t.Errorf("lattice: quorum %g, want %g", got, quorum)
	}
	o, err := e.Outcome(t.Context(), mc.Engine{Seed: 1, Paths: 400_000}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{{"pass", o.Pass.P, pass}, {"quorum", o.Quorum.P, quorum}} {
		if z := (c.got - c.want) / math.Sqrt(c.want*(1-c.want)/400_000); math.Abs(z) > 4 {
			t.Errorf("sampling: %s %g, want %g, z %.1f", c.name, c.got, c.want, z)
		}
	}
	mean := e.Cast.For + e.Cast.Against + e.Cast.Abstain
	for _, v := range e.Voters {
		for _, n := range e.Nodes {
			yes, no, abstain := v.chances(n)
			mean += n.Weight * v.Weight * (yes + no + abstain)
		}
	}
	if z := (o.Turnout.Mean - mean) / o.Turnout.SE(); math.Abs(z) > 4 {
		t.Errorf("turnout %g, want %g", o.Turnout.Mean, mean)
	}
}

// TestControlVariates: with the exact lead and quorum the interval of the joint event is narrower and still right.
func TestControlVariates(t *testing.T) {
	e := ten()
	pass := enumerate(e, func(c Counts) bool { return c.For > c.Against && e.Rule.counted(c) >= e.Rule.Quorum })
	plain, narrow := 0.0, 0.0
	held := 0
	for seed := range uint64(40) {
		o, err := e.Outcome(t.Context(), mc.Engine{Seed: seed, Paths: 4000}, 0)
		if err != nil {
			t.Fatal(err)
		}
		c, err := e.Outcome(t.Context(), mc.Engine{Seed: seed, Paths: 4000}, 1024)
		if err != nil {
			t.Fatal(err)
		}
		plain, narrow = plain+o.Pass.High-o.Pass.Low, narrow+c.Pass.High-c.Pass.Low
		if c.Pass.Low <= pass+1e-3 && pass-1e-3 <= c.Pass.High {
			held++
		}
	}
	if narrow > .8*plain || held < 34 {
		t.Errorf("widths %g with, %g without; %d of 40 hold %g", narrow/40, plain/40, held, pass)
	}
}

// TestRescue: where the quorum is missed votes for it are found with that chance, and the exact parts know of it.
func TestRescue(t *testing.T) {
	e := ten()
	lone := enumerate(e, func(c Counts) bool { return e.Rule.counted(c) >= e.Rule.Quorum })
	before := enumerate(e, func(c Counts) bool { return c.For > c.Against && e.Rule.counted(c) >= e.Rule.Quorum })
	e.Rescue = .6
	want := lone + .6*(1-lone)
	for _, cells := range []int{0, Cells} {
		o, err := e.Outcome(t.Context(), mc.Engine{Seed: 1, Paths: 100_000}, cells)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(o.Quorum.P-want) > .006 || o.Pass.P > o.Quorum.P || o.Pass.P < before+.05 {
			t.Errorf("%d cells: quorum %g, want %g; pass %g", cells, o.Quorum.P, want, o.Pass.P)
		}
		if q := o.For.Quantile(.95); q > 38 {
			t.Errorf("for votes up to %g", q)
		}
	}
}

// TestBinomial: 100 equal voters at 0.55, P(at least 60) = 0.1830569, as a lead of 20 and as a quorum of 60. Only the
// split of a weight over two cells is between the lattice and the exact number; the level lies between two outcomes.
func TestBinomial(t *testing.T) {
	e := Electorate{Nodes: still, Rule: Rule{Lead: 19, Quorum: 59.5, CountFor: true}}
	for range 100 {
		v := sure(1, .5, .55)
		v.Turnout = 60 // all turn out
		e.Voters = append(e.Voters, v)
	}
	for cells, within := range map[int]float64{4096: 2e-3, 4000: 1e-7} { // 4000 cells: 40 a voter, no split
		if got := e.leadChance(cells); math.Abs(got-0.1830569) > within {
			t.Errorf("%d cells: lead %g", cells, got)
		}
		if got := e.quorumChance(cells); math.Abs(got-0.1830569) > within {
			t.Errorf("%d cells: quorum %g", cells, got)
		}
	}
}

// TestBenchmarkElectorate: 200 voters; exact P(quorum) 0.4386, and 0.41922 for the joint event (2-D lattice).
func TestBenchmarkElectorate(t *testing.T) {
	k, err := benchVote()
	if err != nil {
		t.Fatal(err)
	}
	e := k.(*voteKernel).Electorate
	e.Nodes = nil
	for _, n := range grid(25) {
		e.Nodes = append(e.Nodes, Node{n[0], n[0], n[1]})
	}
	normalise(e.Nodes)
	quorum := e.quorumChance(Cells)
	if math.Abs(quorum-0.4386) > 2e-4 {
		t.Errorf("quorum %g", quorum)
	}
	o, err := e.Outcome(t.Context(), mc.Engine{Seed: 4, Paths: 300_000}, Cells)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(o.Pass.P-0.41922) > 4*(o.Pass.High-o.Pass.Low)/4 || o.Pass.High-o.Pass.Low > .002 {
		t.Errorf("pass %+v, want 0.41922", o.Pass)
	}
	// The sampler against the lattice, at 1e6 paths.
	r, err := mc.Engine{Seed: 1, Paths: 1_000_000}.Run(t.Context(), "vote", k)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "sampled quorum", r.Events[voteQuorum], quorum)
	within(t, "sampled pass", r.Events[votePass], 0.41922)
}

// TestVoteWeights: the unit does not matter, nor does doubling everything; workers do not show.
func TestVoteWeights(t *testing.T) {
	e := ten()
	var first string
	for _, c := range []struct {
		factor  float64
		workers int
	}{{1, 1}, {2, 2}, {1 << 40, 7}, {1, 16}} {
		x := ten()
		for i := range x.Voters {
			x.Voters[i].Weight *= c.factor
		}
		x.Cast = Counts{e.Cast.For * c.factor, e.Cast.Against * c.factor, e.Cast.Abstain * c.factor}
		x.Rule.Quorum *= c.factor
		o, err := x.Outcome(t.Context(), mc.Engine{Seed: 1, Paths: 5000, Block: 100, Workers: c.workers}, 256)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(o.Pass, o.Quorum, o.For.Quantile(.05)/c.factor, o.Turnout.Quantile(.95)/c.factor)
		if first == "" {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("weights × %g, %d workers:\n%s", c.factor, c.workers, diff)
		}
	}
}

// TestVotesAtTheEdge: nobody left to vote, nothing needed, more needed than there is.
func TestVotesAtTheEdge(t *testing.T) {
	rule := Rule{Quorum: 10, CountFor: true}
	for _, c := range []struct {
		name         string
		e            Electorate
		pass, quorum float64
	}{
		{"decided for", Electorate{Cast: Counts{For: 10}, Rule: rule}, 1, 1},
		{"one short", Electorate{Cast: Counts{For: 9}, Rule: rule}, 0, 0},
		{"a tie fails", Electorate{Cast: Counts{For: 10, Against: 10}, Rule: rule}, 0, 1},
		{"out of reach", Electorate{Cast: Counts{For: 2}, Rule: rule, Voters: []Voter{sure(7, .9, .9)}}, 0, 0},
		{"nobody votes", Electorate{Rule: Rule{}, Voters: []Voter{sure(7, 1e-9, .9)}}, 0, 1},
		{"no quorum needed", Electorate{Rule: Rule{}, Voters: []Voter{sure(7, .5, .5)}}, .25, 1},
		{"exactly enough", Electorate{Rule: Rule{Quorum: 7, CountFor: true}, Voters: []Voter{sure(7, .5, .5)}}, .25, .25},
	} {
		c.e.Nodes = still
		for _, cells := range []int{0, 512} {
			o, err := c.e.Outcome(t.Context(), mc.Engine{Seed: 1, Paths: 20_000}, cells)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(o.Pass.P-c.pass) > .015 || math.Abs(o.Quorum.P-c.quorum) > .015 {
				t.Errorf("%s, %d cells: pass %+v, quorum %+v, want %g and %g", c.name, cells, o.Pass, o.Quorum, c.pass, c.quorum)
			}
			if o.Pass.Low > o.Pass.P || o.Pass.High < o.Pass.P || c.pass == 0 && cells == 0 && o.Pass.High != 3.0/20_000 {
				t.Errorf("%s: %+v", c.name, o.Pass)
			}
		}
	}
	if _, err := (Electorate{}).Kernel(); err == nil {
		t.Error("an electorate without nodes was accepted")
	}
	if _, err := (Electorate{Nodes: still, Voters: []Voter{{Weight: math.NaN()}}}).Kernel(); err == nil {
		t.Error("a voter of no weight was accepted")
	}
}

// TestFactorSpreadsVotes: with a common factor a large electorate does not average out: P(For < 1/2) of the one-factor
// limit, p .55, rho .1, is 0.3455 for probit loads; a logistic load of the same spread is within 0.02.
func TestFactorSpreadsVotes(t *testing.T) {
	load := 1.702 * math.Sqrt(.1/.9) // logistic(1.702x) is close to the normal's Φ(x)
	mean := 1.702 * mc.NormalQuantile(.55) / math.Sqrt(.9)
	e := Electorate{Nodes: NormalNodes(1, 41)}
	for range 2000 {
		e.Voters = append(e.Voters, Voter{Weight: 1, Turnout: 40, Choice: mean, ChoiceLoad: load})
	}
	if got := 1 - e.leadChance(512); math.Abs(got-0.3455451) > .02 {
		t.Errorf("P(for < half) = %g, want about 0.3455", got)
	}
}
