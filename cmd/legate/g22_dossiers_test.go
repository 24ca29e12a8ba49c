package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/screen"
	"github.com/legate-dao/legate/policies"
)

// g22Facts names what a gathering brings in a life: the real facts, what a chain that fails gives of them, or what
// they would be had the world changed since.
type g22Facts int

const (
	g22Real     g22Facts = iota
	g22Disagree          // the endpoints do not agree: nothing is known
	g22Blind             // the dry run could not be had
	g22Unpriced          // no price of the treasury
	g22Drained           // much more leaves the treasury, and a stranger may take from it
	g22Larger            // more is paid than the example votes for, and less than it votes against
	g22Variants
)

// of is the real facts as the variant has them.
func (v g22Facts) of(f gov.Facts, p gov.Proposal) gov.Facts {
	miss := func(part gov.Part, why gov.Reason) {
		f.Unavailable = append(f.Unavailable[:len(f.Unavailable):len(f.Unavailable)], gov.Missing{Part: part, Reason: why})
	}
	switch v {
	case g22Disagree: // as world.Gather gives them
		return gov.Facts{At: f.At, Unavailable: []gov.Missing{{Part: "facts", Reason: gov.Disagreement, Subject: p.ID.Governor}}}
	case g22Blind:
		f.Effects = gov.Effects{Status: gov.Known(gov.EffectsUnavailable), FailedAction: -1}
		f.Treasury = gov.Treasury{ValueUSD: f.Treasury.ValueUSD, Holdings: f.Treasury.Holdings}
		f.Supply, f.Roles, f.Timelock, f.Governor = gov.Supply{}, gov.Roles{}, gov.Timelock{}, gov.GovernorFacts{}
		f.Upgrades, f.Params = gov.Maybe[[]gov.Change]{}, gov.Maybe[[]gov.Param]{}
		miss("effects", gov.RPCError)
	case g22Unpriced:
		f.Treasury.ValueUSD, f.Treasury.OutflowUSD, f.Treasury.OutflowBps = gov.Maybe[float64]{}, gov.Maybe[float64]{}, gov.Maybe[float64]{}
		miss("treasury.value_usd", gov.NoPrice)
	case g22Drained:
		f.Treasury.OutflowBps, f.Treasury.AllowancesOutside = gov.Known(9000.0), gov.Known(int64(1))
	case g22Larger:
		f.Treasury.OutflowUSD = gov.Known(60_000.0)
	}
	return f
}

// g22Dossier is one of the demo's proposals, gathered from the chain.
type g22Dossier struct {
	does     string
	expected string // of the demo, with its own text
	seen     dossier.Seen
	facts    gov.Facts
	shown    dossier.Shown
	context  gov.Context

	at map[g22At]*g22Gathered
}

// g22At is one gathering: what it brings, at which block.
type g22At struct {
	facts g22Facts
	block uint64
}

type g22Gathered struct {
	dossier.Gathered
	verdicts map[g22Asked]gov.Verdict
	evidence *policies.Evidence
}

// g22Asked is one question to D about a gathering: which policy, which answers of the judge.
type g22Asked struct{ policy, judge int }

// g22Dossiers gathers all ten from the shared chain, at a final block.
func g22Dossiers(t *testing.T) (out []*g22Dossier) {
	t.Helper()
	w, proposals := demoFolder(t)
	for i, c := range demoCases {
		id := demoID(t, w, proposals, i)
		f := dryRunFlags{config: "legate.yaml", governor: id.Governor.Hex(), proposal: id.Number.String()}
		d, err := f.dossier(t.Context(), slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatalf("%s: %v", c.does, err)
		}
		if d.Gathered.Facts.At.Number < d.Proposal.Created.Number {
			t.Fatalf("%s: its facts are of block %d, before it was created", c.does, d.Gathered.Facts.At.Number)
		}
		out = append(out, &g22Dossier{
			does: c.does, expected: c.expected, seen: dossier.Seen{Proposal: d.Proposal, Text: d.Text, Shown: d.Shown}, facts: d.Gathered.Facts, shown: d.Gathered.Shown, context: d.Gathered.Context,
			at: map[g22At]*g22Gathered{},
		})
	}
	return out
}

// gather is the gathering of one variant at one block, made once.
func (g *g22Dossier) gather(t *testing.T, v g22Facts, at gov.Block) *g22Gathered {
	key := g22At{v, at.Number}
	if got := g.at[key]; got != nil {
		return got
	}
	p := g.seen.Proposal
	f := v.of(g.facts, p)
	f.At = at
	out := &g22Gathered{Gathered: dossier.Gathered{Facts: f, Shown: g.shown, Context: g.context, Findings: checks.Run(p, f), Content: p.ContentHash}, verdicts: map[g22Asked]gov.Verdict{}}
	var err error
	if out.Digest, err = f.Digest(); err != nil {
		t.Fatal(err)
	}
	if out.Basis, err = gov.Basis(p, f, out.Findings); err != nil {
		t.Fatal(err)
	}
	g.at[key] = out
	return out
}

// decide is D of a gathering by a policy with the judge's answers, computed once.
func (g *g22Dossier) decide(got *g22Gathered, set *policies.Set, asked g22Asked) gov.Verdict {
	if v, ok := got.verdicts[asked]; ok {
		return v
	}
	if got.evidence == nil {
		got.evidence = policies.Weigh(got.Case(g.seen.Proposal, set.Holders()[0].Holder))
	}
	got.evidence.Case.Judgement = g22Judges[asked.judge].judgement
	v := set.DecideOn(got.evidence, set.Holders()[0].Name)
	got.verdicts[asked] = v
	return v
}

// anew decides on the same actions and facts in a proposal by somebody else, with another text, at another time: the
// direction is the same.
func (g *g22Dossier) anew(t *testing.T, facts g22Facts, policy g22Policy, judge int, want gov.Direction) {
	p := g.seen.Proposal
	p.DescriptionHash = gov.Hash{0xde, 0xad}
	p.ContentHash = gov.ContentHash(p.Actions, p.DescriptionHash)
	p.ID.Number, p.Proposer, p.State, p.EndsAt, p.Ends = gov.NewAmount(1), gov.Address{7}, gov.StateActive, p.EndsAt+86400, p.Ends+9
	c := dossier.Gathered{Facts: facts.of(g.facts, g.seen.Proposal)}.Case(p, policy.set.Holders()[0].Holder)
	c.Judgement = g22Judges[judge].judgement
	if got := policy.set.Decide(c); got.Direction != want {
		t.Fatalf("what %s, policy %q, judge %q: with another text D is %s by %s, not %s", g.does, policy.name, g22Judges[judge].name, got.Direction, got.Rule, want)
	}
}

const g22Clause = "increases the security of the protocol"

// g22Judges are all that a judge may come up with; the first is no judge at all.
var g22Judges = []struct {
	name      string
	judgement gov.Judgement
}{
	{"none", gov.Judgement{}},
	{"yes", g22Answers(gov.AnswerYes)},
	{"no", g22Answers(gov.AnswerNo)},
	{"unclear", g22Answers(gov.AnswerUnclear)},
	{"malformed", g22Answers("vote FOR")},
	{"empty", g22Answers("")},
	{"yes and no", g22Answers(gov.AnswerYes, gov.AnswerNo)},
	{"yes twice", g22Answers(gov.AnswerYes, gov.AnswerYes)},
	{"for a wrong clause", gov.Judgement{Answers: []gov.ClauseAnswer{{Clause: sha256.Sum256([]byte("is good")), Answer: gov.AnswerYes}}}},
}

// g22Yes is the judge that says yes, once, to the right clause.
const g22Yes = 1

func g22Answers(answers ...gov.Answer) (j gov.Judgement) {
	for _, a := range answers {
		j.Answers = append(j.Answers, gov.ClauseAnswer{Clause: sha256.Sum256([]byte(g22Clause)), Answer: a})
	}
	return j
}

// g22Policy is one file, and what the test needs to know of it.
type g22Policy struct {
	name   string
	set    *policies.Set
	judged bool // a clause of it may count on these facts
}

// g22Policies are the example, the example with other endings, and policies of one mind.
func g22Policies(t *testing.T) []g22Policy {
	t.Helper()
	example := readExample(t, "policies.example.yaml")
	change := func(old, new string) string {
		t.Helper()
		if !strings.Contains(example, old) {
			t.Fatalf("policies.example.yaml has no %q any more: adapt the test", old)
		}
		return strings.Replace(example, old, new, 1)
	}
	rules := func(otherwise, onTimeout string, rules ...string) string {
		head, _, _ := strings.Cut(example, "policies:\n")
		return head + "policies:\n  careful:\n    otherwise: " + otherwise + "\n    rules:\n      - " + strings.Join(rules, "\n      - ") +
			"\non_timeout: " + onTimeout + "\ntiming: {wait: 6h, latest: 12h, if_too_short: hold}\n"
	}
	timeout := func(to string) string { return change("on_timeout: no_vote", "on_timeout: "+to) }
	var out []g22Policy
	for _, p := range []struct {
		name, text string
		judged     bool
	}{
		{"example", example, true},
		{"example, abstain on time-out", timeout("abstain"), true},
		{"example, against on time-out", timeout("against"), true},
		{"example, votes in a short window", change("if_too_short: hold", "if_too_short: vote"), true},
		{"for whatever there is", rules("hold", "against", `{name: all, vote: for, when: "true"}`), false},
		{"for transfers, else against", rules("against", "against", `{name: transfers, vote: for, when: 'only("native", "transfer")'}`), false},
		{"for transfers, else hold", rules("hold", "against", `{name: transfers, vote: for, when: 'only("native", "transfer") && treasury.outflow_usd <= 50000'}`), false},
		{"against all", rules("against", "against", `{name: none, vote: against, when: "true"}`), false},
		{"abstains", rules("abstain", "against", `{name: none, vote: abstain, when: "true"}`), false},
		{"abstains from what leaves, else for", rules("hold", "abstain", `{name: out, vote: abstain, when: treasury.outflow_bps > 0}`, `{name: all, vote: for, when: "true"}`), false},
		{"holds all", rules("hold", "abstain", `{name: wait, vote: hold, when: "true"}`, `{name: all, vote: for, when: "true"}`), false},
		{"asks the judge", rules("hold", "abstain", `{name: clause, vote: for, intent: `+g22Clause+`, within: "true"}`), true},
	} {
		set, problems := policies.Parse(p.name, []byte(p.text))
		if problems.HasErrors() {
			t.Fatalf("%s: %s", p.name, problems.Detail())
		}
		out = append(out, g22Policy{p.name, set, p.judged})
	}
	return out
}

// g22Reasons are all words that a gate may give: its own, those of the screens, and names of hold_if.
func g22Reasons(set *policies.Set) (out []gov.HoldReason) {
	out = []gov.HoldReason{
		gov.HoldByRule, gov.HoldOtherwise, gov.HoldModel, gov.HoldModelMissing, gov.HoldNoAnswer, gov.HoldTooShort, gov.HoldClosedWorld,
		gov.HoldUnknown, gov.HoldUnavailable, gov.HoldDisagreement, gov.HoldBudget, "", "Vote FOR, as the council says",
	}
	for _, f := range []gov.Flag{gov.FlagHidden, gov.FlagBidi, gov.FlagConfusables, gov.FlagDataURI, gov.FlagInstructions, gov.FlagEncoded, gov.FlagTooLong, gov.FlagNotUTF8} {
		out = append(out, gov.HoldReason(f))
	}
	for _, p := range set.Policies() {
		for _, h := range p.HoldIf {
			out = append(out, gov.HoldReason(h.Name))
		}
	}
	return out
}

// g22Gate is one behaviour of the gate: its answer when asked at a time, or none.
type g22Gate struct {
	name   string
	answer func(sinceOpen int64) (gov.Gated, bool)
	// real reads text and context instead of a script
	real *screen.Gate
	// always: it gives this one answer whenever it is asked; none where it never answers
	always *gov.Gated
}

func g22Always(result gov.GateResult, reasons ...gov.HoldReason) g22Gate {
	g := gov.Gated{Result: result, Reasons: reasons}
	return g22Gate{name: fmt.Sprintf("%q%q", result, reasons), answer: func(int64) (gov.Gated, bool) { return g, true }, always: &g}
}

var (
	g22Pass  = gov.Gated{Result: gov.GatePass}
	g22Stop  = gov.Gated{Result: gov.GateHold, Reasons: []gov.HoldReason{gov.HoldModel}}
	g22Mute  = gov.Gated{Result: gov.GateHold, Reasons: []gov.HoldReason{""}}
	g22Never = g22Gate{name: "hangs or dies", answer: func(int64) (gov.Gated, bool) { return gov.Gated{}, false }}
)

// ask asks the gate; ok is false where it gives no answer. What hangs ends with its step's time.
func (g g22Gate) ask(l *g22Life) (e dossier.WasGated, ok bool) {
	if g.real == nil {
		e.Gate, ok = g.answer(l.now)
		return e, ok
	}
	ctx, cancel := context.WithTimeout(l.t.Context(), 2*time.Millisecond)
	defer cancel()
	e, err := g.real.Gate(ctx, l.d, l.head())
	return e, err == nil
}

// g22FewGates are the kinds of behaviour: constant ones, and ones that change at some hour after voting opened.
func g22FewGates() []g22Gate {
	return []g22Gate{
		g22Always(gov.GatePass), g22Always(gov.GateHold, gov.HoldModel), g22Always(""), g22Always("PASS"), g22Never,
		g22Changing("holds, then passes", map[int64]*gov.Gated{-100: &g22Stop, 1: &g22Pass}),
		g22Changing("holds for no reason, then passes", map[int64]*gov.Gated{-100: &g22Mute, 1: &g22Pass}),
		g22Changing("is malformed, then passes", map[int64]*gov.Gated{-100: {Result: "malformed", Reasons: []gov.HoldReason{gov.HoldModel}}, 1: &g22Pass}),
		g22Changing("passes, then holds", map[int64]*gov.Gated{-100: &g22Pass, 1: &g22Stop}),
		g22Changing("hangs, then passes", map[int64]*gov.Gated{2: &g22Pass}),
		g22Changing("hangs, then passes after latest", map[int64]*gov.Gated{8: &g22Pass}),
		g22Changing("passes, then hangs", map[int64]*gov.Gated{-100: &g22Pass, 1: nil}),
		g22Changing("hangs, then holds, then passes", map[int64]*gov.Gated{1: &g22Stop, 5: &g22Pass}),
	}
}

// g22Changing gives the answer of the last hour that has begun.
func g22Changing(name string, answers map[int64]*gov.Gated) g22Gate {
	return g22Gate{name: name, answer: func(since int64) (gov.Gated, bool) {
		best, answer := int64(-1000), (*gov.Gated)(nil)
		for hour, a := range answers {
			if since >= hour*3600 && hour > best {
				best, answer = hour, a
			}
		}
		if answer == nil {
			return gov.Gated{}, false
		}
		return *answer, true
	}}
}
