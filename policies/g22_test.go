package policies_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// atoms are conditions over every group of facts, for random policies.
var atoms = []string{
	`true`, `false`, `supply.minted_bps > 50`, `supply.burned_bps < 1.5`, `supply.minters_added > 0`, `supply.cap_raised`, `supply.paused`,
	`treasury.outflow_bps > 2500`, `treasury.outflow_usd <= 50000`, `treasury.value_usd / treasury.outflow_usd > 10.0`, `treasury.allowances_outside > 0`, `treasury.recipients_new == 0`,
	`treasury.outflows.all(o, o.usd < 30000.0)`, `treasury.outflows.exists(o, o.kind == "allowance" || o.bps > 10)`, `treasury.outflows.exists_one(o, o.usd > 1.0)`,
	`treasury.outflows.map(o, o.usd).exists(u, u > 100.0)`, `size(treasury.outflows.filter(o, o.bps > 50)) == 1`, `treasury.outflows[0].usd > 1.0`,
	`roles.granted_outside > 0`, `roles.granted + roles.revoked > 0`, `timelock.delay_after < timelock.delay_before`, `timelock.roles_changed > 0`,
	`governor.quorum.after < governor.quorum.before`, `governor.period.after == governor.period.before`, `size(upgrades) > 0`, `upgrades.exists(u, u.after == u.before)`,
	`size(params) > 0 && params.all(p, p.direction == "tighter")`, `params.exists(p, p.change_bps < 0)`, `params.all(p, p.after < p.before)`,
	`unknown_calls == 0`, `only("transfer", "native")`, `only("parameter")`, `"mint" in kinds`, `calls.all(c, c.known)`, `calls.exists(c, c.function == "transfer" && c.depth == 0)`,
	`effects.status == "executed"`, `effects.status == "reverted"`, `effects.status == "unavailable"`, `effects.gas > 50000`, `effects.gas < amount("1 gwei")`,
	`found("outflow")`, `found("upgrade")`, `found("roles")`, `found("reverts")`, `clean()`, `clean("supply", "timelock")`, `clean_but("outflow")`, `targets.fresh > 0`, `found("target-code")`,
	`proposal.flavour == "governor-bravo"`, `proposal.actions > 1`,
	`outlook.treasury.runway_days.p05 < 180`, `outlook.treasury.value_usd.p05 / treasury.value_usd > 0.3`, `outlook.dilution.p95 > 0.1`, `outlook.collateral.bad_debt_usd.p99 > 1`,
}

func drawCondition(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom(atoms).Draw(t, "atom")
	}
	a, b := drawCondition(t, depth-1), drawCondition(t, depth-1)
	return fmt.Sprintf(rapid.SampledFrom([]string{"(%[1]s) && (%[2]s)", "(%[1]s) || (%[2]s)", "!(%[1]s)", "((%[1]s) ? (%[2]s) : !(%[1]s))"}).Draw(t, "op"), a, b)
}

// drawPolicy is a file with random rules; a rule with an intent stands among them at times.
func drawPolicy(t *rapid.T) string {
	var b strings.Builder
	b.WriteString(head + "policies:\n  p:\n    otherwise: " + rapid.SampledFrom([]string{"hold", "abstain", "against"}).Draw(t, "otherwise") + "\n    rules:\n")
	for i := range rapid.IntRange(1, 6).Draw(t, "rules") {
		vote := rapid.SampledFrom([]string{"for", "for", "against", "abstain", "hold"}).Draw(t, "vote")
		fmt.Fprintf(&b, "      - name: r%d\n        vote: %s\n", i, vote)
		if vote == "for" && rapid.IntRange(0, 3).Draw(t, "intent") == 0 {
			fmt.Fprintf(&b, "        intent: is good\n        within: |\n          %s\n", drawCondition(t, 1))
			continue
		}
		fmt.Fprintf(&b, "        when: |\n          %s\n", drawCondition(t, 2))
	}
	return b.String()
}

// bases are the cases that random facts begin from.
var bases = []string{"grant", "tighten", "dilution", "allowance", "timelock", "reverted", "unknown", "upgrade"}

// drawCase is a base case, or two mixed, with a judge's answer at times.
func drawCase(t *rapid.T) gov.Case {
	c := cases[rapid.SampledFrom(bases).Draw(t, "base")]()
	other := cases[rapid.SampledFrom(bases).Draw(t, "other")]()
	for i, mix := range []func(){
		func() { c.Facts.Treasury = other.Facts.Treasury }, func() { c.Facts.Supply = other.Facts.Supply }, func() { c.Facts.Timelock = other.Facts.Timelock },
		func() { c.Facts.Params = other.Facts.Params }, func() { c.Facts.Upgrades = other.Facts.Upgrades },
	} {
		if rapid.Bool().Draw(t, fmt.Sprint("mix", i)) {
			mix()
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "outlook") > 0 {
		c = withOutlook(c)
		c.Outlook.Dilution = gov.Known(quantiles(0, .01, rapid.SampledFrom([]float64{.01, .2}).Draw(t, "dilution"), .3))
	}
	if rapid.IntRange(0, 3).Draw(t, "answer") > 0 {
		c.Judgement = gov.Judgement{Answers: []gov.ClauseAnswer{{Clause: clause("is good"), Answer: rapid.SampledFrom([]gov.Answer{gov.AnswerYes, gov.AnswerNo, gov.AnswerUnclear}).Draw(t, "answered")}}}
	}
	return c
}

// maskFacts takes facts away: each Maybe with the given chance in a hundred, those of list elements too, and
// the answers of the judge.
func maskFacts(t *rapid.T, c gov.Case) gov.Case {
	chance := rapid.SampledFrom([]int{5, 20, 60}).Draw(t, "chance")
	gone := func() bool { return rapid.IntRange(0, 99).Draw(t, "gone") < chance }
	var take func(v reflect.Value)
	take = func(v reflect.Value) {
		if strings.HasPrefix(v.Type().Name(), "Maybe[") {
			if gone() {
				v.SetZero()
			}
			return
		}
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				if v.Field(i).CanSet() {
					take(v.Field(i))
				}
			}
		}
	}
	f := &c.Facts
	if params, ok := f.Params.Get(); ok {
		params = append([]gov.Param{}, params...)
		for i := range params {
			take(reflect.ValueOf(&params[i]).Elem())
		}
		f.Params = gov.Known(params)
	}
	if outflows, ok := f.Treasury.Outflows.Get(); ok {
		outflows = append([]gov.Outflow{}, outflows...)
		for i := range outflows {
			take(reflect.ValueOf(&outflows[i]).Elem())
		}
		f.Treasury.Outflows = gov.Known(outflows)
	}
	if codes, ok := f.Targets.Code.Get(); ok {
		codes = append([]gov.TargetCode{}, codes...)
		for i := range codes {
			take(reflect.ValueOf(&codes[i]).Elem())
		}
		f.Targets.Code = gov.Known(codes)
	}
	take(reflect.ValueOf(f).Elem())
	if x, ok := c.Outlook.Treasury.Get(); ok { // computed from other facts, or not
		take(reflect.ValueOf(&x).Elem())
		c.Outlook.Treasury = gov.Known(x)
	}
	take(reflect.ValueOf(&c.Outlook).Elem())
	if gone() {
		f.Effects.Status = gov.Known(gov.EffectsUnavailable)
	}
	if gone() {
		c.Judgement = gov.Judgement{}
	}
	return c
}

// D of facts of which some are missing is D of all facts, or Hold: nothing missing, failed or slow makes a vote
// or turns one.
func TestG22DirectionNoninterferenceMaskedFacts(t *testing.T) {
	n, changed, votes := 0, 0, map[gov.Direction]int{}
	rapid.Check(t, func(t *rapid.T) {
		text := drawPolicy(t)
		set, problems := policies.Parse("p", []byte(text))
		if problems.HasErrors() {
			t.Fatalf("%s\n%v", text, problems)
		}
		for range 20 {
			full := drawCase(t)
			want := set.Decide(full)
			votes[want.Direction]++
			for range 10 {
				part := maskFacts(t, full)
				got := set.Decide(part)
				n++
				if got.Direction != want.Direction {
					changed++
				}
				if got.Direction != want.Direction && got.Direction != gov.Hold {
					t.Fatalf("%s\nall facts: %s by %s\n%s\nmasked: %s by %s\n%s", text, want.Direction, want.Rule, trace(want), got.Direction, got.Rule, trace(got))
				}
				if got.Direction == gov.Hold && got.Direction != want.Direction && got.Timely() {
					t.Fatalf("%s\na hold for want of facts may time out: %s %s", text, got.Rule, got.Reasons)
				}
			}
		}
	})
	t.Logf("n=%d random policies x facts x masks, %d of them held, directions of the full facts %v", n, changed, votes)
	if votes[gov.For] == 0 || votes[gov.Against] == 0 || votes[gov.Abstain] == 0 || changed == 0 {
		t.Errorf("the trial is empty: %v, %d held", votes, changed)
	}
}

// readings are every combination of what code and a model may see in a text.
func readings() (out []gov.Reading) {
	lengths := []gov.Maybe[int64]{{}, gov.Known(int64(0)), gov.Known(int64(200_000)), gov.Known(int64(200_001))}
	flags := []gov.Maybe[[]gov.Flag]{{}, gov.Known([]gov.Flag{})}
	for _, f := range []gov.Flag{gov.FlagHidden, gov.FlagBidi, gov.FlagConfusables, gov.FlagDataURI, gov.FlagInstructions, gov.FlagEncoded, gov.FlagTooLong, gov.FlagNotUTF8} {
		flags = append(flags, gov.Known([]gov.Flag{f}))
	}
	kinds := []gov.Maybe[gov.BriefKind]{{}, gov.Known(gov.BriefNone), gov.Known(gov.BriefExtractive), gov.Known(gov.BriefModel), gov.Known(gov.BriefKind("malformed"))}
	contradicts := []gov.Maybe[bool]{{}, gov.Known(false), gov.Known(true)}
	for _, l := range lengths {
		for _, f := range flags {
			for _, k := range kinds {
				for _, c := range contradicts {
					out = append(out, gov.Reading{Text: gov.TextReading{Length: l, Flags: f}, Brief: gov.BriefReading{Kind: k, Contradicts: c}})
				}
			}
		}
	}
	return out
}

// contexts are nothing known, nobody voted, a landslide, and a borrowed majority.
func contexts() []gov.Context {
	tally := func(yes, no uint64) gov.Maybe[gov.Tally] {
		return gov.Known(gov.Tally{For: gov.NewAmount(yes), Against: gov.NewAmount(no)})
	}
	full := gov.Context{Tally: tally(0, 0), Quorum: gov.Known(gov.QuorumReach{Needed: gov.NewAmount(10)}), Turnout: gov.Known(0.0),
		Voter: gov.Voter{Power: gov.Known(gov.NewAmount(5)), Share: gov.Known(0.1), HasVoted: gov.Known(false), HolderDelegates: gov.Known(true)}}
	full.Forecast = gov.Known(gov.VoteChances{Pass: .5, Quorum: .4})
	landslide, borrowed := full, full
	landslide.Forecast = gov.Known(gov.VoteChances{Pass: .99, Quorum: 1})
	landslide.Tally, landslide.Turnout = tally(100, 1), gov.Known(0.9)
	landslide.Quorum = gov.Known(gov.QuorumReach{Needed: gov.NewAmount(10), Reached: true})
	borrowed.Voter.Share = gov.Known(0.9)
	return []gov.Context{{}, full, landslide, borrowed}
}

// Exhaustive over the gate: whatever text, context and the gate's model do, the final direction is D or, where D
// is For, Hold.
func TestG22DirectionNoninterferenceGate(t *testing.T) {
	text := strings.Replace(file("for", `clean_but("outflow")`), "{name: c, when: brief.contradicts}", `{name: c, when: brief.contradicts}, {name: long, when: text.length > 200000}, {name: flagged, when: 'text.flags.exists(f, f != "too-long")'}, {name: brief, when: 'brief.kind == "none"'}, {name: turnout, when: context.turnout > 0.5}, {name: tally, when: 'context.tally.for > amount("50")'}, {name: reached, when: context.quorum.reached}, {name: whale, when: context.voter.share > 0.5 || context.voter.has_voted}, {name: sure, when: context.forecast.pass > 0.9}`, 1)
	example := read(t, "../policies.example.yaml")
	set := parse(t, text)
	n, held := 0, 0
	ofFor, stopped := 0, 0
	for name, make := range cases {
		for _, s := range []*policies.Set{set, example} {
			c := make()
			d := s.Decide(c).Direction
			for _, ctx := range contexts() {
				for _, r := range readings() {
					holds := s.Holds(c, ctx, r)
					gates := []gov.Gated{{}, {Result: gov.GateHold, Reasons: []gov.HoldReason{gov.HoldModel}}, {Result: "malformed"}}
					if len(holds) == 0 {
						gates = append(gates, gov.Gated{Result: gov.GatePass})
					} else {
						held++
					}
					for _, g := range gates {
						n++
						final := gov.Final(d, g)
						if final != d && (d != gov.For || final != gov.Hold) || d == gov.For && final == gov.For && (g.Result != gov.GatePass || len(holds) > 0) {
							t.Fatalf("%s: D %s, final %s, gate %+v, holds %+v", name, d, final, g, holds)
						}
						if d == gov.For {
							ofFor++
							if final == gov.Hold {
								stopped++
							}
						}
					}
					if again := s.Decide(c).Direction; n%97 == 0 && again != d {
						t.Fatalf("%s: D went from %s to %s", name, d, again)
					}
				}
			}
		}
	}
	if held == 0 || stopped == 0 || stopped == ofFor {
		t.Errorf("the trial is empty: %d held, %d of %d For stopped", held, stopped, ofFor)
	}
	t.Logf("n=%d gate outcomes x readings x contexts x cases, %d with a hold_if, %d of %d For stopped", n, held, stopped, ofFor)
}

// A model chooses between For and Hold, and only inside the clause's `within` and the built-in caps.
func TestG22DirectionNoninterferenceJudge(t *testing.T) {
	text := strings.Replace(file("for", "true"), "        when: |\n          true\n", "        intent: is good\n        within: |\n          treasury.outflow_usd <= 50000\n", 1)
	set := parse(t, text)
	n := 0
	for name, make := range cases {
		var without gov.Direction
		for i, answers := range [][]gov.ClauseAnswer{nil, {{Clause: clause("is good"), Answer: gov.AnswerYes}}, {{Clause: clause("is good"), Answer: gov.AnswerNo}},
			{{Clause: clause("is good"), Answer: gov.AnswerUnclear}}, {{Clause: clause("is good"), Answer: "malformed"}}, {{Clause: clause("other"), Answer: gov.AnswerYes}},
			{{Clause: clause("is good"), Answer: gov.AnswerYes}, {Clause: clause("is good"), Answer: gov.AnswerNo}}} {
			c := make()
			c.Judgement.Answers = answers
			v := set.Decide(c)
			n++
			if i == 0 {
				without = v.Direction
			}
			if v.Direction != without && (i != 1 || v.Direction != gov.For || without != gov.Hold) {
				t.Errorf("%s: %v turns %s into %s", name, answers, without, v.Direction)
			}
			capped := name == "timelock" || name == "upgrade" || name == "reverted" || name == "blind" || name == "unknown" || name == "draft"
			if capped && v.Direction == gov.For {
				t.Errorf("%s: the judge widened a cap", name)
			}
			if name == "grant" && i == 1 && v.Direction != gov.For {
				t.Errorf("a yes inside the caps gives %s by %s\n%s", v.Direction, v.Rule, trace(v))
			}
		}
	}
	t.Logf("n=%d answers x cases", n)
}
