package web

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// forecastView is the forecast as two gauges and three ranges, in the units of a chart 1000 wide.
type forecastView struct {
	Chances []chanceView
	Ranges  []rangeView
	Needed  int // x of the quorum, -1 if not known
	Quorum  string
	Paths   string
	Seed    string
	Version string
}

type chanceView struct {
	Name      string
	Text      string
	Interval  string
	P         int // x
	Low, Wide int // x and width of the interval
}

type rangeView struct {
	Look           string
	Name           string
	Text           string
	From, Mid, Len int
	Y              int
}

// forecast reads the document's forecast. The second value says why there is none.
func (s *seen) forecast() (*forecastView, string) {
	raw, err := json.Marshal(s.doc.Forecast)
	if err != nil {
		return nil, unreadableForecast
	}
	return s.forecastOf(raw)
}

const unreadableForecast = "The forecast of this proposal cannot be read by this page; the JSON document has it."

// forecastOf draws a forecast from its JSON.
func (s *seen) forecastOf(raw json.RawMessage) (*forecastView, string) {
	if string(raw) == "null" {
		return nil, "There is no forecast for this proposal yet. It is made of the votes that this governor's voters cast before, and never decides."
	}
	var f gov.Forecast
	if err := json.Unmarshal(raw, &f); err != nil || f.Engine.Paths == 0 {
		return nil, unreadableForecast
	}
	v := &forecastView{Needed: -1, Paths: group(fmt.Sprint(f.Engine.Paths)), Seed: dossier.Untrusted(f.Engine.Seed).Line(40), Version: dossier.Untrusted(f.Engine.Version).Line(40)}
	for _, c := range []struct {
		name string
		gov.Chance
	}{{"Passes", f.Pass}, {"Quorum is reached", f.Quorum}} {
		low, high := place(c.Low), place(c.High)
		interval := percent(c.Low) + " to " + percent(c.High)
		if percent(c.Low) == percent(c.High) {
			interval = "" // computed, not sampled
		}
		v.Chances = append(v.Chances, chanceView{c.name, percent(c.P), interval, place(c.P), low, max(high-low, 4)})
	}
	needed := gov.Maybe[gov.QuorumReach]{}
	if s.facts != nil {
		needed = s.facts.Context.Quorum
	}
	q, known := needed.Get()
	top := max(f.For.P95.Float(), f.Against.P95.Float(), f.Turnout.P95.Float(), q.Needed.Float(), 1) * 1.05
	x := func(a gov.Amount) int { return int(math.Round(1000 * a.Float() / top)) }
	for i, r := range []struct {
		look, name string
		gov.Spread
	}{{"for", "For", f.For}, {"against", "Against", f.Against}, {"abstain", "Turnout", f.Turnout}} {
		from := x(r.P05)
		v.Ranges = append(v.Ranges, rangeView{
			Look: r.look, Name: r.name, From: from, Mid: x(r.P50), Len: max(x(r.P95)-from, 6), Y: 20 + 48*i,
			Text: fmt.Sprintf("%s (9 in 10: %s to %s)", s.wholeVotes(r.P50), s.wholeVotes(r.P05), s.wholeVotes(r.P95)),
		})
	}
	if known {
		v.Needed, v.Quorum = x(q.Needed), s.votes(q.Needed)
	}
	return v, ""
}

// wholeVotes is votes without the fractions that an expectation has no use for.
func (s *seen) wholeVotes(a gov.Amount) string {
	if s.facts != nil && !s.facts.DAO.Token.IsZero() {
		if d, ok := s.digits[gov.Asset(s.facts.DAO.Token)]; ok && d <= 77 {
			one := new(uint256.Int).Exp(uint256.NewInt(10), uint256.NewInt(uint64(d)))
			if n := a.Int(); n.Gt(new(uint256.Int).Mul(one, uint256.NewInt(1000))) {
				a = gov.AmountOf(n.Sub(n, new(uint256.Int).Mod(n, one)))
			}
		}
	}
	return s.votes(a)
}

// place is a probability as a place on the chart.
func place(p float64) int {
	if math.IsNaN(p) {
		return 0
	}
	return int(math.Round(1000 * min(max(p, 0), 1)))
}

// briefView is the brief with the sources of each sentence.
type briefView struct {
	By        string
	Headline  string
	Sentences []sentenceView
	Cut       []cutView
	Sources   []sourceView
	Contra    string
	Language  string
	Model     string
}

type sentenceView struct {
	Text    string
	Sources []string
}

type cutView struct{ Text, Why string }

type sourceView struct {
	ID   string
	What string
	Text string
}

type claimView struct {
	Text     string
	Relation badge
}

func (s *seen) brief() (*briefView, string) {
	b := s.doc.Brief
	if b == nil {
		return nil, "No brief has been written for this proposal yet. The facts above do not need one."
	}
	v := &briefView{By: "Made of the proposal's own sentences", Headline: b.Headline.Line(shownTitle), Language: dossier.Untrusted(b.Language).Line(20)}
	if m := b.Model; m != nil {
		name := m.Name.Line(80)
		switch m.Outcome {
		case dossier.ModelUsed:
			v.By = "Written by a model, held to its sources"
			v.Model = name
		case dossier.ModelPending:
			v.Model = "a model is still writing one"
		default:
			v.Model = fmt.Sprintf("%s was asked and its answer is not used: %s", name, m.Outcome)
			if m.Why != "" {
				v.Model += " (“" + m.Why.Line(160) + "”)"
			}
		}
	}
	used := map[string]bool{}
	cite := func(ids []string) []string {
		out := []string{}
		for _, id := range ids {
			if _, ok := b.Sources[id]; ok && sourceID(id) {
				used[id] = true
				out = append(out, id)
			}
		}
		return out
	}
	for _, st := range b.Sentences {
		v.Sentences = append(v.Sentences, sentenceView{st.Text.Line(shownValue), cite(st.Sources)})
	}
	for _, c := range b.Cut {
		v.Cut = append(v.Cut, cutView{c.Text.Line(shownValue), dossier.Untrusted(c.Why).Line(shownValue)})
	}
	ids := []string{}
	for id := range used {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, bySource)
	for _, id := range ids {
		v.Sources = append(v.Sources, sourceView{id, map[byte]string{'s': "text", 'c': "call", 'f': "fact"}[id[0]], b.Sources[id].Line(shownValue)})
	}
	if c, ok := b.Contradicts.Get(); ok && c {
		v.Contra = "The text says something else than the calls do."
	}
	return v, ""
}

// sourceID says whether an id is a letter and digits, as ours are: it becomes an anchor.
func sourceID(id string) bool {
	if len(id) < 2 || len(id) > 8 || (id[0] != 's' && id[0] != 'c' && id[0] != 'f') {
		return false
	}
	for _, r := range id[1:] {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// bySource puts s2 before s10, and the text before calls and facts.
func bySource(a, b string) int {
	const kinds = "scf"
	if a[0] != b[0] {
		return indexByte(kinds, a[0]) - indexByte(kinds, b[0])
	}
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

func indexByte(s string, c byte) int {
	for i := range len(s) {
		if s[i] == c {
			return i
		}
	}
	return -1
}

func claimsOf(list []dossier.Claim) []claimView {
	var out []claimView
	for _, c := range list {
		b := badge{"none", "the calls do not say"}
		switch c.Relation {
		case dossier.Match:
			b = badge{"good", "the calls say so too"}
		case dossier.Contradicts:
			b = badge{"bad", "the calls say otherwise"}
		}
		out = append(out, claimView{c.Text.Line(shownValue), b})
	}
	return out
}
