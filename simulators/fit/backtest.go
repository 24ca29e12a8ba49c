package fit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/simulators"
	"github.com/legate-dao/legate/simulators/mc"
)

// Line is one forecast of the back-test, in the unit of the record.
type Line struct {
	DAO      string    `json:"dao"`
	Proposal string    `json:"proposal_id"`
	At       float64   `json:"at"` // share of the voting's time that has passed
	Pass     float64   `json:"p_pass"`
	Quorum   float64   `json:"p_quorum"`
	For      Quantiles `json:"for"`
	Against  Quantiles `json:"against"`
	Turnout  Quantiles `json:"turnout"`
}

// Quantiles are three of a final count.
type Quantiles struct {
	P05 float64 `json:"p05"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// BacktestPaths is how many paths one line has: the error of sampling is then a hundredth, far below that of the
// habits.
const BacktestPaths = 8192

// Score is how good the lines of one DAO (or of all: "") were at one share of the time.
type Score struct {
	DAO string  `json:"dao"`
	At  float64 `json:"at"`
	// N votings are scored: those that ended by vote, with yes or no.
	N int `json:"n"`
	// Brier and LogLoss of p_pass; smaller is better.
	Brier   float64 `json:"brier"`
	LogLoss float64 `json:"log_loss"`
	// BaseBrier is that of the share of the DAO's votings that had passed by then (one in two of two imagined ones).
	BaseBrier float64 `json:"base_brier"`
	// Within is how often the final for votes lay between p05 and p95, of those with recorded votes.
	Within float64 `json:"for_within_90"`
}

// Backtest walks through recorded votings: each is forecast at shares of its time from what was known at that moment,
// the training record (nil: none) and the votings of the record that had ended. Each line is handed to emit in the
// order of the record. What comes later changes no line.
func Backtest(ctx context.Context, data, train *Recorded, at []float64, emit func(Line) error) ([]Score, error) {
	for _, x := range at {
		if !(x >= 0 && x <= 1) {
			return nil, fmt.Errorf("share of time %g is not between 0 and 1", x)
		}
	}
	daos, order, err := merge(data, train)
	if err != nil {
		return nil, err
	}
	views, err := look(ctx, daos, at)
	if err != nil {
		return nil, err
	}
	lines := make([][]Line, len(order))
	if err := each(ctx, len(order), func(i int) (err error) {
		lines[i], err = forecastLines(ctx, daos[order[i].DAO], order[i], at, views)
		return err
	}); err != nil {
		return nil, err
	}
	var all scores
	for i, list := range lines {
		for _, l := range list {
			if err := emit(l); err != nil {
				return nil, err
			}
			all.add(daos[l.DAO], order[i], l)
		}
	}
	return all.means(), nil
}

// merge puts both records together: the DAOs, and the votings to forecast in the order of the record.
func merge(data, train *Recorded) (map[string]*votings, []recorded, error) {
	daos := map[string]*votings{}
	rules := &Recorded{rules: map[string]governorRecord{}}
	for _, r := range []*Recorded{train, data} {
		if r == nil {
			continue
		}
		for dao, g := range r.rules {
			rules.rules[dao] = g
		}
	}
	if train != nil {
		known := map[key]bool{}
		for _, p := range data.proposals {
			known[key{p.DAO, p.ID}] = true
		}
		rest := &Recorded{votes: train.votes}
		for _, p := range train.proposals {
			if !known[key{p.DAO, p.ID}] {
				rest.proposals = append(rest.proposals, p)
			}
		}
		if err := rest.add(daos, false, rules); err != nil {
			return nil, nil, err
		}
	}
	if err := data.add(daos, true, rules); err != nil {
		return nil, nil, err
	}
	byKey := map[key]recorded{}
	for _, v := range daos {
		slices.SortStableFunc(v.list, func(a, b recorded) int {
			return cmp.Or(cmp.Compare(a.voting.Ends, b.voting.Ends), cmp.Compare(a.voting.Starts, b.voting.Starts), cmp.Compare(a.ID, b.ID))
		})
		for _, r := range v.list {
			byKey[key{r.DAO, r.ID}] = r
		}
	}
	var order []recorded
	for _, p := range data.proposals {
		if r, ok := byKey[key{p.DAO, p.ID}]; ok && r.subject {
			order = append(order, r)
		}
	}
	return daos, order, nil
}

// each does n things on all processors and stops at the first error.
func each(ctx context.Context, n int, do func(i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait supervise.Group
	next := make(chan int)
	for range workers() {
		wait.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}

// view is a voting as it looked at a share of its time.
type view struct {
	electorate simulators.Electorate
	lesson     lesson
	teaches    bool
}

// look makes all views, those of the training too: they are each other's lessons.
func look(ctx context.Context, daos map[string]*votings, at []float64) (map[key][]view, error) {
	type job struct {
		dao *votings
		v   recorded
	}
	var jobs []job
	for _, name := range slices.Sorted(maps.Keys(daos)) {
		for _, v := range daos[name].list {
			jobs = append(jobs, job{daos[name], v})
		}
	}
	made := make([][]view, len(jobs))
	err := each(ctx, len(jobs), func(i int) error {
		v := jobs[i].v
		for _, share := range at {
			e, err := Habits(jobs[i].dao.asOf(v, v.moment(share)))
			if err != nil {
				return fmt.Errorf("%s %s at %g: %w", v.DAO, v.ID, share, err)
			}
			teaches := !v.canceled && len(v.voting.Votes) > 0 && !v.rule.Quorum.IsZero()
			made[i] = append(made[i], view{e, lessonOf(e, reachedBy(v.voting, v.rule)), teaches})
		}
		return nil
	})
	out := map[key][]view{}
	for i, j := range jobs {
		out[key{j.v.DAO, j.v.ID}] = made[i]
	}
	return out, err
}

// moment is a share of the voting's time.
func (v recorded) moment(share float64) gov.Clocks {
	return v.voting.Starts + gov.Clocks(share*float64(v.voting.Ends-v.voting.Starts))
}

// lessonsOf are those of the votings that had ended by a moment, in the order of their ends.
func (v *votings) lessonsOf(current recorded, share int, at gov.Clocks, views map[key][]view) (out []lesson) {
	for _, other := range v.list {
		if o := views[key{other.DAO, other.ID}]; other.voting.Ends <= at && other.ID != current.ID && o[share].teaches {
			out = append(out, o[share].lesson)
		}
	}
	return out[max(0, len(out)-recent):]
}

func forecastLines(ctx context.Context, dao *votings, v recorded, at []float64, views map[key][]view) (out []Line, err error) {
	for i, share := range at {
		e := calibrate(views[key{v.DAO, v.ID}][i].electorate, dao.lessonsOf(v, i, v.moment(share), views))
		seed := mc.HashName(fmt.Sprintf("%s\x00%s\x00%g", v.DAO, v.ID, share))
		o, err := e.Outcome(ctx, mc.Engine{Seed: seed, Paths: BacktestPaths, Workers: 1}, 0)
		if err != nil {
			return nil, err
		}
		quantiles := func(s mc.Sample) Quantiles {
			u := v.unit()
			return Quantiles{s.Quantile(.05) * u, s.Quantile(.5) * u, s.Quantile(.95) * u}
		}
		out = append(out, Line{
			DAO: v.DAO, Proposal: v.ID, At: share, Pass: o.Pass.P, Quorum: o.Quorum.P,
			For: quantiles(o.For), Against: quantiles(o.Against), Turnout: quantiles(o.Turnout),
		})
	}
	return out, nil
}

// scores adds up by DAO and share of time.
type scores struct {
	order []group
	sums  map[group]*sums
}

type group struct {
	dao string
	at  float64
}

type sums struct {
	n, votes, inside      int
	brier, loss, baseline float64
}

func (s *scores) add(dao *votings, v recorded, l Line) {
	passed, ok := v.passed()
	if !ok {
		return
	}
	y := 0.0
	if passed {
		y = 1
	}
	base := dao.baseRate(v, l.At)
	p := min(max(l.Pass, 1e-3), 1-1e-3)
	loss := -y*math.Log(p) - (1-y)*math.Log(1-p)
	for _, g := range []group{{l.DAO, l.At}, {"", l.At}} {
		if s.sums == nil {
			s.sums = map[group]*sums{}
		}
		t := s.sums[g]
		if t == nil {
			t = &sums{}
			s.sums[g] = t
			s.order = append(s.order, g)
		}
		t.n++
		t.brier += (l.Pass - y) * (l.Pass - y)
		t.baseline += (base - y) * (base - y)
		t.loss += loss
		if final, known := v.finalFor(); known {
			t.votes++
			if l.For.P05 <= final*(1+1e-9) && final <= l.For.P95*(1+1e-9) {
				t.inside++
			}
		}
	}
}

// finalFor is the for votes that were recorded.
func (v recorded) finalFor() (sum float64, known bool) {
	for _, c := range lastVotes(v.voting.Votes) {
		if c.Support == gov.SupportFor {
			sum += c.Weight.Float()
		}
		known = known || c.Voter != everybody[0] && c.Voter != everybody[1]
	}
	return sum * v.unit(), known
}

// baseRate is the share of the DAO's votings that had passed by the moment of a line.
func (v *votings) baseRate(current recorded, share float64) float64 {
	moment := current.moment(share)
	n, passed := 2.0, 1.0
	for _, other := range v.list {
		if y, ok := other.passed(); ok && other.voting.Ends <= moment && other.ID != current.ID {
			n++
			if y {
				passed++
			}
		}
	}
	return passed / n
}

func (s *scores) means() []Score {
	out := []Score{}
	slices.SortFunc(s.order, func(a, b group) int { return cmp.Or(cmp.Compare(a.dao, b.dao), cmp.Compare(a.at, b.at)) })
	for _, g := range s.order {
		t := s.sums[g]
		n := float64(t.n)
		out = append(out, Score{g.dao, g.at, t.n, t.brier / n, t.loss / n, t.baseline / n, float64(t.inside) / float64(max(t.votes, 1))})
	}
	return out
}
