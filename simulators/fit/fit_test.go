package fit_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/simulators/fit"
	"github.com/legate-dao/legate/simulators/mc"
)

const tokens = 1_000_000

func account(i int) gov.Address { return gov.Address{0: 0xaa, 18: byte(i >> 8), 19: byte(i)} }

// whale votes in every voting; the other voters come and go.
var whale = account(0)

// past is a governor with n votings of ten voters, in which the whale always votes as said.
func past(n int, whaleSays gov.Support) gov.History {
	r := rand.New(rand.NewPCG(1, 2))
	h := gov.History{Rule: gov.VoteRule{Quorum: gov.NewAmount(150 * tokens), For: true, Abstain: true}}
	for j := range n {
		v := gov.Voting{Starts: gov.Clocks(1000 * j), Ends: gov.Clocks(1000*j + 500)}
		v.Votes = append(v.Votes, gov.CastVote{Voter: whale, Support: whaleSays, Weight: gov.NewAmount(300 * tokens), At: v.Starts + 400})
		for i := 1; i <= 10; i++ {
			if r.Float64() < .6 {
				support := gov.SupportFor
				if r.Float64() < .2 {
					support = gov.SupportAgainst
				}
				v.Votes = append(v.Votes, gov.CastVote{Voter: account(i), Support: support, Weight: gov.NewAmount(uint64(10+3*i) * tokens), At: v.Starts + gov.Clocks(r.IntN(500))})
			}
		}
		h.Ended = append(h.Ended, v)
	}
	h.At = gov.Clocks(1000*n + 50)
	h.Current = gov.Voting{Starts: gov.Clocks(1000 * n), Ends: gov.Clocks(1000*n + 500)}
	return h
}

func forecast(t *testing.T, h gov.History) gov.Forecast {
	t.Helper()
	f, err := fit.Forecast(t.Context(), h, fit.Options{Engine: mc.Engine{Seed: 3, Paths: 20_000}, Cells: 1024})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestLargeVoterTurnsRound: the forecast follows what one large voter did before.
func TestLargeVoterTurnsRound(t *testing.T) {
	yes, no := forecast(t, past(30, gov.SupportFor)), forecast(t, past(30, gov.SupportAgainst))
	if yes.Pass.P < .9 || no.Pass.P > .15 {
		t.Errorf("with the whale for %+v, against %+v", yes.Pass, no.Pass)
	}
	if yes.For.P50.Cmp(no.For.P50) <= 0 || no.Against.P50.Cmp(yes.Against.P50) <= 0 {
		t.Errorf("for votes %v and %v", yes.For, no.For)
	}
	for _, f := range []gov.Forecast{yes, no} {
		for _, c := range []gov.Chance{f.Pass, f.Quorum} {
			if !(0 <= c.Low && c.Low <= c.P && c.P <= c.High && c.High <= 1) || c.Low == c.High {
				t.Errorf("interval %+v", c)
			}
		}
		if f.Engine.Paths != 20_000 || f.Engine.Seed != "3" || f.Engine.Version == "" {
			t.Errorf("engine %+v", f.Engine)
		}
	}
}

// TestForecastFollowsTheVotes: what was cast counts, and says something of those to come.
func TestForecastFollowsTheVotes(t *testing.T) {
	h := past(30, gov.SupportFor)
	before := forecast(t, h)
	for i := 1; i <= 6; i++ {
		h.Current.Votes = append(h.Current.Votes, gov.CastVote{Voter: account(i), Support: gov.SupportAgainst, Weight: gov.NewAmount(uint64(10+3*i) * tokens), At: h.At})
	}
	after := forecast(t, h)
	if after.Pass.P > before.Pass.P-.02 {
		t.Errorf("before %+v, with six against %+v", before.Pass, after.Pass)
	}
	h.Current.Votes = append(h.Current.Votes, gov.CastVote{Voter: whale, Support: gov.SupportAgainst, Weight: gov.NewAmount(900 * tokens), At: h.At})
	if over := forecast(t, h); over.Pass.P > .02 {
		t.Errorf("lost, but %+v", over.Pass)
	}
	h.At = h.Current.Ends
	if f := forecast(t, h); f.Against.P05 != f.Against.P95 || f.Pass.P != 0 {
		t.Errorf("at the end nothing is open: %+v", f)
	}
	// Who votes twice is counted once.
	twice := past(3, gov.SupportFor)
	for _, s := range []gov.Support{gov.SupportFor, gov.SupportAgainst} {
		twice.Current.Votes = append(twice.Current.Votes, gov.CastVote{Voter: whale, Support: s, Weight: gov.NewAmount(9000 * tokens), At: twice.At})
	}
	if f := forecast(t, twice); f.Pass.P > .01 || f.Turnout.P95.Float() > 10_000*tokens {
		t.Errorf("voted twice: %+v", f)
	}
}

// TestPowerNowReplacesTheLastWeight: a voter who sold is no longer large.
func TestPowerNowReplacesTheLastWeight(t *testing.T) {
	h := past(30, gov.SupportAgainst)
	h.Powers = []gov.VoterPower{{Voter: whale, Power: gov.NewAmount(1)}}
	if f, kept := forecast(t, h), forecast(t, past(30, gov.SupportAgainst)); f.Pass.P < kept.Pass.P+.1 {
		t.Errorf("the whale sold: %+v, if it had not: %+v", f.Pass, kept.Pass)
	}
}

// TestNoPast: a governor without votes has a forecast, a wide one.
func TestNoPast(t *testing.T) {
	f := forecast(t, past(0, 0))
	if f.Pass.P < .1 || f.Pass.P > .95 || f.For.P05 == f.For.P95 {
		t.Errorf("%+v", f)
	}
	empty := forecast(t, gov.History{At: 5, Current: gov.Voting{Starts: 1, Ends: 10}})
	if empty.Quorum.P < .999 {
		t.Errorf("no quorum is needed: %+v", empty.Quorum)
	}
}

// TestLaterVotesAreRefused: a history that knows its future is an error.
func TestLaterVotesAreRefused(t *testing.T) {
	h := past(3, gov.SupportFor)
	h.At = 2400
	if _, err := fit.Habits(h); err == nil {
		t.Error("a voting that ended later was accepted")
	}
	h = past(3, gov.SupportFor)
	h.Current.Votes = []gov.CastVote{{Voter: whale, At: h.At + 1, Weight: gov.NewAmount(1)}}
	if _, err := fit.Habits(h); err == nil {
		t.Error("a later vote was accepted")
	}
}

// record is a folder of two DAOs, a governor and a poll, with votings one after the other, some at once.
func record(until time.Time) fstest.MapFS {
	r := rand.New(rand.NewPCG(7, 7))
	var proposals, votes strings.Builder
	begin := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	for j := range 24 {
		starts := begin.Add(time.Duration(j) * 48 * time.Hour)
		ends := starts.Add(72 * time.Hour)
		poll := j%3 == 2
		yes, no := 0.0, 0.0
		for i := range 12 {
			at, chance := starts.Add(time.Duration(r.IntN(72*60))*time.Minute), r.Float64()
			support, weight := 1, 1000*float64(1+i)*(1+r.Float64())
			if r.Float64() < .35 {
				support = 0
			}
			if chance < .4 || at.After(until) {
				continue
			}
			if support == 1 {
				yes += weight
			} else {
				no += weight
			}
			line := map[string]any{"dao": "gov", "proposal_id": fmt.Sprint(j), "voter": account(i).Hex(), "support": support, "weight": fmt.Sprintf("%.0f", weight), "time": at}
			if poll {
				line = map[string]any{"dao": "poll", "proposal_id": fmt.Sprint(j), "voter": account(i).Hex(), "choice_index": 2 - support, "vp": weight / 7, "time": at}
			}
			writeLine(&votes, line)
		}
		if starts.After(until) {
			continue
		}
		line := map[string]any{"dao": "gov", "proposal_id": fmt.Sprint(j), "start_time_est": starts, "end_time_est": ends}
		if poll {
			line = map[string]any{"dao": "poll", "proposal_id": fmt.Sprint(j), "start_at": starts, "finish_at": ends, "choices": []string{"yes", "no"}, "required_vp_to_pass": 3000}
		}
		if !ends.After(until) {
			passed := yes > no && yes >= 30_000
			line["outcome"] = map[string]any{"for": fmt.Sprintf("%.0f", yes), "against": fmt.Sprintf("%.0f", no), "passed_by_tally": passed}
		}
		writeLine(&proposals, line)
	}
	return fstest.MapFS{
		"proposals/all.jsonl": {Data: []byte(proposals.String())}, "votes/all.jsonl": {Data: []byte(votes.String())},
		"governors.json": {Data: []byte(`{"gov":{"decimals":0,"quorum_for_votes":"30000"}}`)},
	}
}

func writeLine(b *strings.Builder, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	b.Write(text)
	b.WriteByte('\n')
}

// lines is the back-test of a record, as text by voting and share.
func lines(t *testing.T, data, train fstest.MapFS, at []float64) (map[string]string, []fit.Score) {
	t.Helper()
	load := func(f fstest.MapFS) *fit.Recorded {
		if f == nil {
			return nil
		}
		r, err := fit.Load(f)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	out := map[string]string{}
	scores, err := fit.Backtest(t.Context(), load(data), load(train), at, func(l fit.Line) error {
		text, err := json.Marshal(l)
		out[fmt.Sprintf("%s %s %g", l.DAO, l.Proposal, l.At)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, scores
}

// TestBacktestDoesNotLookAhead: a line is the same, to the last digit, when everything after its moment is missing:
// votes, outcomes and later votings.
func TestBacktestDoesNotLookAhead(t *testing.T) {
	at := []float64{.1, .5, .75}
	begin := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	whole, _ := lines(t, record(begin.AddDate(1, 0, 0)), nil, at)
	if len(whole) != 24*3 {
		t.Fatalf("%d lines", len(whole))
	}
	compared := 0
	for _, day := range []int{5, 17, 30, 44} {
		until := begin.Add(time.Duration(24*day) * time.Hour)
		cut, _ := lines(t, record(until), nil, at)
		for j := range 24 {
			starts := begin.Add(time.Duration(j) * 48 * time.Hour)
			for _, share := range at {
				if moment := starts.Add(time.Duration(share * 72 * float64(time.Hour))); moment.After(until) {
					continue
				}
				dao := "gov"
				if j%3 == 2 {
					dao = "poll"
				}
				k := fmt.Sprintf("%s %d %g", dao, j, share)
				if diff := cmp.Diff(cut[k], whole[k]); diff != "" || whole[k] == "" {
					t.Errorf("day %d, %s (-cut +whole): %s", day, k, diff)
				}
				compared++
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d lines were compared", compared)
	}
}

// TestBacktestOrder: which shares are asked for together, and how often, changes no line.
func TestBacktestOrder(t *testing.T) {
	r := record(time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC))
	all, scores := lines(t, r, nil, []float64{.25, .5})
	one, _ := lines(t, r, nil, []float64{.5})
	for k, v := range one {
		if all[k] != v {
			t.Errorf("%s differs", k)
		}
	}
	again, _ := lines(t, r, r, []float64{.25, .5}) // training that is the record itself teaches nothing more
	if diff := cmp.Diff(all, again); diff != "" {
		t.Error(diff)
	}
	if len(scores) == 0 || scores[0].N == 0 || scores[0].Brier <= 0 || scores[0].Brier >= 1 {
		t.Errorf("%+v", scores)
	}
}

// TestTrainingTeaches: with the past of the same voters the lines are others.
func TestTrainingTeaches(t *testing.T) {
	r := record(time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC))
	late := fstest.MapFS{"votes/all.jsonl": r["votes/all.jsonl"], "governors.json": r["governors.json"]}
	rows := strings.SplitAfter(string(r["proposals/all.jsonl"].Data), "\n")
	late["proposals/all.jsonl"] = &fstest.MapFile{Data: []byte(strings.Join(rows[18:], ""))}
	with, _ := lines(t, late, r, []float64{.1})
	without, _ := lines(t, late, nil, []float64{.1})
	if len(with) != 6 || len(without) != 6 {
		t.Fatalf("%d and %d lines", len(with), len(without))
	}
	for k := range with {
		if with[k] == without[k] {
			t.Errorf("%s learnt nothing", k)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	for name, f := range map[string]fstest.MapFS{
		"nothing":  {},
		"no JSON":  {"proposals/a.jsonl": {Data: []byte("{\n")}},
		"bad rule": {"proposals/a.jsonl": {Data: []byte(`{"dao":"a","proposal_id":"1"}`)}, "governors.json": {Data: []byte("[]")}},
	} {
		if _, err := fit.Load(f); err == nil {
			t.Errorf("%s was accepted", name)
		} else if name == "no JSON" && !strings.Contains(err.Error(), "a.jsonl:1") {
			t.Errorf("the error does not say where: %v", err)
		}
	}
	bad := record(time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC))
	bad["votes/b.jsonl"] = &fstest.MapFile{Data: []byte(`{"dao":"gov","proposal_id":"1","voter":"me","weight":"1"}`)}
	r, err := fit.Load(bad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fit.Backtest(t.Context(), r, nil, []float64{.5}, func(fit.Line) error { return nil }); err == nil {
		t.Error("a voter that is no address was accepted")
	}
	if _, err := fit.Backtest(t.Context(), r, nil, []float64{2}, func(fit.Line) error { return nil }); err == nil {
		t.Error("a share of 2 was accepted")
	}
}

// TestCalibrate finds volatilities and the correlation that prices were made with.
func TestCalibrate(t *testing.T) {
	s := mc.NewStream(1, 2, 3)
	const n = 20_000
	a, b := []float64{1}, []float64{50}
	for range n {
		x, y := s.Normal(), s.Normal()
		a = append(a, a[len(a)-1]*math.Exp(.6/math.Sqrt(365)*x))
		b = append(b, b[len(b)-1]*math.Exp(.9/math.Sqrt(365)*(.5*x+math.Sqrt(.75)*y)))
	}
	m, err := fit.Calibrate([]string{"a", "b"}, [][]float64{a, b}, 365)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want float64 }{{m.Assets[0].Vol, .6}, {m.Assets[1].Vol, .9}, {m.Correlation[0][1], .5}, {m.Correlation[1][0], .5}} {
		if math.Abs(c.got-c.want) > .02 {
			t.Errorf("%g, want %g", c.got, c.want)
		}
	}
	for name, prices := range map[string][][]float64{"short": {{1, 2}, {1, 2}}, "ragged": {a, b[1:]}, "zero": {a, append(b[:n:n], 0)}} {
		if _, err := fit.Calibrate([]string{"a", "b"}, prices, 365); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
