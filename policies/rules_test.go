package policies_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// result is how one expression comes out on a case.
func result(t *testing.T, when string, c gov.Case) gov.Trace {
	t.Helper()
	return parse(t, file("hold", when)).Decide(c).Trace[0]
}

func TestThreeValues(t *testing.T) {
	bare := edit(grant(), func(c *gov.Case) {
		c.Facts.Treasury.ValueUSD, c.Facts.Supply.MintedBps = gov.Maybe[float64]{}, gov.Known(math.NaN())
		c.Facts.Params = gov.Known([]gov.Param{{Direction: gov.Known(gov.Tighter)}, {}})
	})
	for _, one := range []struct{ when, result, why string }{
		{`treasury.value_usd > 1`, "unknown", "missing treasury.value_usd"},
		{`treasury.value_usd > 1 || true`, "true", ""},
		{`treasury.value_usd > 1 && false`, "false", ""},
		{`!(treasury.value_usd > 1)`, "unknown", "missing treasury.value_usd"},
		{`treasury.value_usd > 1 || supply.minted_bps > 1`, "unknown", "missing supply.minted_bps, treasury.value_usd"},
		{`supply.minted_bps > 1`, "unknown", "missing supply.minted_bps"},
		{`params.all(p, p.direction == "tighter")`, "unknown", "missing params[1].direction"},
		{`params.all(p, p.direction == "looser")`, "false", ""},
		{`params.exists(p, p.direction == "tighter")`, "true", ""},
		{`params[0].direction == "tighter"`, "true", ""},
		{`params[2].direction == "tighter"`, "unknown", "index out of bounds"},
		{`size(params) == 2`, "true", ""},
		{`treasury.outflow_usd / 0 > 1`, "unknown", "division by zero"},
		{`!(treasury.outflow_usd / 0.0 > 1)`, "unknown", "division by zero"},
		{`unknown_calls / unknown_calls == 1`, "unknown", "division by zero"},
		{`treasury.outflow_usd * 1e308 * 1e308 > 1`, "unknown", "not finite"},
		{`9223372036854775807 + proposal.actions > 0`, "unknown", "integer overflow"},
		{`treasury.outflow_usd * 2 + 1 == 40001.0`, "true", ""},
		{`treasury.outflow_usd > 19999 && treasury.outflow_usd < 20000.5 && 20000 <= treasury.outflow_usd`, "true", ""},
		{`effects.gas == amount("91234") && effects.gas < amount("1 gwei") && effects.gas > 91233 && effects.gas >= 91234.0 && 91235 > effects.gas`, "true", ""},
		{`effects.gas > -1 && effects.gas != amount("91235")`, "true", ""},
		{`treasury.outflows[0].amount == amount("20000000000")`, "true", ""},
		{`treasury.outflows[0].to == "` + stranger.Hex() + `" && treasury.outflows[0].token != "native"`, "true", ""},
		{`calls[0].function == "transfer" && calls[0].value_eth == 0.0 && calls[0].label == "USDC"`, "true", ""},
		{`effects.status == "executed" ? only("transfer") : false`, "true", ""},
		{`[1, 2, 3].map(x, x * 2).exists(x, x == 6)`, "true", ""},
		{strings.Repeat("params.all(a, ", 8) + `[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20].all(x, [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20].all(y, [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20].all(z, x + y + z > 0)))` + strings.Repeat(")", 8), "unknown", "cost limit"},
	} {
		got := result(t, one.when, bare)
		if string(got.Result) != one.result || got.Why != one.why {
			t.Errorf("%.90s is %s (%s), want %s (%s)", one.when, got.Result, got.Why, one.result, one.why)
		}
	}
}

func TestTraceShowsWhatWasRead(t *testing.T) {
	c := edit(tighten(), func(c *gov.Case) { c.Facts.Treasury.ValueUSD = gov.Maybe[float64]{} })
	for when, want := range map[string]string{
		`treasury.value_usd > 1 || treasury.outflow_usd > 5 || treasury.value_usd < 0.5`: `{"treasury.value_usd":null,"treasury.outflow_usd":0}`,
		`params.all(p, p.direction == "tighter" && p.change_bps < 0)`:                    `{"params[0].direction":"tighter","params[0].change_bps":-625}`,
		`size(params) > 0 && size(upgrades) == 0`:                                        `{"size(params)":1,"upgrades":[]}`,
		`only("parameter") && clean() && found("roles")`:                                 `{"kinds":["parameter"],"clean()":true,"found(\"roles\")":false}`,
		`kinds.exists(k, k == "mint")`:                                                   `{"kinds[0]":"parameter"}`,
		`calls[0].to != "native" && effects.gas > 5`:                                     `{"calls[0].to":"` + market.Hex() + `","effects.gas":"91234"}`,
		`governor.quorum.after > 1 && proposal.name == "compound"`:                       `{"governor.quorum.after":400000,"proposal.name":"compound"}`,
		`treasury.outflows.all(o, o.usd > 1.0)`:                                          `{"size(treasury.outflows)":0}`,
	} {
		b, err := result(t, when, c).Values.MarshalJSON()
		if err != nil || string(b) != want {
			t.Errorf("%s:\n got %s\nwant %s", when, b, want)
		}
	}
}

// The four rules of GUARANTEES, each against every neighbour: T true, F false, U unknown.
func TestDenyOverrides(t *testing.T) {
	word := map[byte]string{'T': "true", 'F': "false", 'U': "treasury.value_usd > 1"}
	vote := map[byte]string{'f': "for", 'a': "against", 's': "abstain", 'h': "hold"}
	c := edit(grant(), func(c *gov.Case) { c.Facts.Treasury.ValueUSD = gov.Maybe[float64]{} })
	for rules, want := range map[string]string{
		"fT":       "for r0 []",
		"fT aT":    "against r1 []",
		"hT aT":    "against r1 []",
		"aU aT":    "against r1 []",
		"fT hT":    "hold r1 [rule]",
		"fT aU":    "hold r1 [unknown]",
		"fT hU":    "hold r1 [unknown]",
		"hT aU":    "hold r0 [rule unknown]",
		"fT sT":    "for r0 []",
		"sT fT":    "abstain r0 []",
		"fU sT":    "hold r0 [unknown]",
		"sU fT":    "hold r0 [unknown]",
		"fU fT":    "for r1 []",
		"fU fU fT": "for r2 []",
		"sT fU":    "abstain r0 []",
		"fF sT":    "abstain r1 []",
		"fU":       "hold r0 [unknown]",
		"fF sU":    "hold r1 [unknown]",
		"fF aF hF": "hold otherwise [otherwise]",
	} {
		var b strings.Builder
		b.WriteString(head + "policies:\n  p:\n    rules:\n")
		for i, r := range strings.Fields(rules) {
			fmt.Fprintf(&b, "      - {name: r%d, vote: %s, when: '%s'}\n", i, vote[r[0]], word[r[1]])
		}
		v := parse(t, b.String()).Decide(c)
		if got := fmt.Sprint(v.Direction, " ", v.Rule, " ", v.Reasons); got != want {
			t.Errorf("%s: %s, want %s", rules, got, want)
		}
	}
}

func TestOtherwiseSpeaksOnlyWhenAllIsFalse(t *testing.T) {
	for otherwise, want := range map[string]string{"hold": "hold [otherwise]", "abstain": "abstain []", "against": "against []"} {
		set := parse(t, strings.Replace(file("against", `effects.status == "reverted"`), "    rules:", "    otherwise: "+otherwise+"\n    rules:", 1))
		if v := set.Decide(grant()); fmt.Sprint(v.Direction, " ", v.Reasons) != want || v.Rule != "otherwise" {
			t.Errorf("%s: %s %v by %s", otherwise, v.Direction, v.Reasons, v.Rule)
		}
		// A dry run that could not be had must not come out as "not reverted".
		for _, status := range []gov.Maybe[gov.EffectsStatus]{{}, gov.Known(gov.EffectsUnavailable)} {
			c := grant()
			c.Facts.Effects.Status = status
			if v := set.Decide(c); v.Direction != gov.Hold || v.Rule == "otherwise" || v.Timely() {
				t.Errorf("%s with effects %v: %s by %s", otherwise, status, v.Direction, v.Rule)
			}
		}
	}
}

func TestUnknownHolderHolds(t *testing.T) {
	c := grant()
	c.Holder.Name = "mallory"
	set := parse(t, file("for", "true"))
	if v := set.Decide(c); v.Direction != gov.Hold || v.Timely() {
		t.Errorf("%+v", v)
	}
	if holds := set.Holds(c, gov.Context{}, gov.Reading{}); len(holds) != 1 || holds[0].Result != gov.Unknown {
		t.Errorf("%+v", holds)
	}
}

func TestVerdictCarriesItsProvenance(t *testing.T) {
	set := read(t, "../policies.example.yaml")
	c := grant()
	v := set.Decide(c)
	p, _ := set.Policy("alice")
	facts, err := c.Facts.Digest()
	if err != nil || v.Facts != facts || v.Policy != p.Digest || v.Policy == (gov.Digest{}) || fmt.Sprint(v.Unchecked) != "[look-alike environment]" || len(v.Trace) != len(p.Rules) {
		t.Errorf("%+v", v)
	}
}

func TestHolds(t *testing.T) {
	set := read(t, "../policies.example.yaml")
	fine := gov.Reading{Text: gov.TextReading{Length: gov.Known(int64(100)), Flags: gov.Known([]gov.Flag{})}, Brief: gov.BriefReading{Kind: gov.Known(gov.BriefExtractive), Contradicts: gov.Known(false)}}
	long, silent := fine, fine
	long.Text.Length = gov.Known(int64(200_001))
	silent.Brief = gov.BriefReading{}
	for name, one := range map[string]struct {
		r    gov.Reading
		want string
	}{
		"fine":    {fine, "[]"},
		"long":    {long, "[{long-text true }]"},
		"silent":  {silent, "[{contradicts unknown missing brief.contradicts}]"},
		"nothing": {gov.Reading{}, "[{contradicts unknown missing brief.contradicts} {long-text unknown missing text.length}]"},
	} {
		if got := fmt.Sprint(set.Holds(grant(), gov.Context{}, one.r)); got != one.want {
			t.Errorf("%s: %s, want %s", name, got, one.want)
		}
	}
}

func TestEmergencyReadsNumbersAndFacts(t *testing.T) {
	set := parse(t, file("for", "clean()")+`emergency:
  - {name: crash, when: 'metrics["eth-price"] < 900', for: 10m, do: [{alert: critical}]}
  - {name: drain, when: 'treasury.value_usd < 1000000 || metrics["tvl"] < 5', do: [{alert: warning}]}
`)
	f := grant().Facts
	for _, one := range []struct {
		m    gov.Metrics
		want string
	}{
		{gov.Metrics{"eth-price": gov.Known(899.0), "tvl": gov.Known(9.0)}, `[{crash true alert critical metrics["eth-price"] < 900}]`},
		{gov.Metrics{"eth-price": gov.Known(900.0), "tvl": gov.Known(4.0)}, `[{drain true alert warning treasury.value_usd < 1000000 || metrics["tvl"] < 5}]`},
		{gov.Metrics{"eth-price": gov.Known(math.NaN()), "tvl": gov.Known(9.0)}, `[{crash unknown  critical missing metrics.eth-price}]`},
		{nil, `[{crash unknown  critical missing metrics.eth-price} {drain unknown  warning missing metrics.tvl}]`},
	} {
		if got := fmt.Sprint(set.Emergency(f, one.m, 0)); got != one.want {
			t.Errorf("%v:\n got %s\nwant %s", one.m, got, one.want)
		}
	}
	if r := set.EmergencyRules()[0]; r.For.Minutes() != 10 || r.Explain() != "Raise a critical alert when metrics[eth-price] is below 900 for 10m." {
		t.Errorf("%v %s", r.For, r.Explain())
	}
	if holders := set.HoldersOf("compound"); len(holders) != 1 || holders[0].Chain != 1 || len(set.HoldersOf("aave")) != 0 {
		t.Errorf("%+v", holders)
	}
	_ = policies.Facts
}
