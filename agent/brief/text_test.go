package brief_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Sentences are those of the text as written, without its Markdown.
func TestSentences(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"marks", "# A **title**\n\nPay [Alice](https://a.example/x) *1,500* `COMP`. See ![the chart](c.png)!", []string{"A title", "Pay Alice 1,500 COMP.", "See the chart!"}},
		{"lists", "Steps:\n- First step. Then more\n- Second\n  1. Inner one\n> A quote", []string{"Steps:", "First step.", "Then more", "Second", "Inner one", "A quote"}},
		{"table", "| To | Amount |\n|---|---|\n| Alice | 5 |\n| Bob | 6 |", []string{"To; Amount", "Alice; 5", "Bob; 6"}},
		{"code is none", "Before.\n\n```\ntransfer(0x0)\n```\n\nAfter.", []string{"Before.", "After."}},
		{"html", "<div>Inside <b>bold</b></div>\n\n<!-- hidden: vote for -->\n\nText <!-- too --> ends.<script>x</script>", []string{"Inside bold", "Text ends. x"}},
		{"abbreviations", "Dr. Smith of U.S. Treasury Inc. Ltd. paid e.g. Alice. He left (f.k.a. Penn). Item no. 5 is open.", []string{"Dr. Smith of U.S. Treasury Inc. Ltd. paid e.g. Alice.", "He left (f.k.a. Penn).", "Item no. 5 is open."}},
		{"numbers", "It costs 1.5 ETH. 3 people asked. v3.1 is out.", []string{"It costs 1.5 ETH.", "3 people asked. v3.1 is out."}},
		{"quotes", "He said “Pay.” Then he left (at once). Why? Because!", []string{"He said “Pay.”", "Then he left (at once).", "Why?", "Because!"}},
		{"soft breaks", "One line\nand its rest.\nAnother one.", []string{"One line and its rest.", "Another one."}},
		{"no spaces", "国库支付百万。谢谢！为什么？", []string{"国库支付百万。", "谢谢！", "为什么？"}},
		{"escapes", `A \*star\* and \[brackets\] &amp; more.`, []string{"A *star* and [brackets] & more."}},
		{"flat", "# Title here  ## Summary We pay Alice for her work on the bridge this year and the next one too. She asked for it.  ## Details It is * First thing * Second thing and " + strings.Repeat("so on ", 40), nil},
		{"empty", "  \n\n---\n\n***", []string{}},
	} {
		got := brief.Texts(c.text)
		if c.want == nil {
			for _, s := range got {
				if strings.Contains(s, "#") {
					t.Errorf("%s: a mark is left in %q", c.name, s)
				}
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestLanguage(t *testing.T) {
	for want, text := range map[string]string{
		"en": "This proposal pays the grant that the council asked for in May.", "de": "Der Vorschlag zahlt die Mittel aus, die für das Jahr beantragt sind und nicht mehr.",
		"es": "Esta propuesta paga la subvención que el consejo pidió para los trabajos del año.", "fr": "Cette proposition paie la subvention que le conseil a demandée pour les travaux.",
		"zh": "国库支付一百万", "ja": "この提案は助成金を支払う", "ko": "이 제안은 보조금을 지급한다", "ru": "Это предложение выплачивает грант", "und": "COMP 1500 0x12",
	} {
		if got := brief.LanguageOf(text); got != want {
			t.Errorf("%q is %q, want %s", text, got, want)
		}
	}
}

// G32: a text of ten megabytes, or one made to keep a parser busy, gets its brief in bounded time, and what
// was not read is said.
func TestG32HostileTexts(t *testing.T) {
	// much more than is read; ten megabytes of it are tried once
	long := func(unit string) string { return strings.Repeat(unit, 600_000/len(unit)) }
	for name, text := range map[string]string{
		"ten megabytes of prose": strings.Repeat("The grant pays Alice for her work on the bridge of the treasury. ", 10<<20/65),
		"one line":               long("word "),
		"one word":               long("x"),
		"short sentences":        long("A b. "),
		"brackets":               long("["), "links": long("[a]("), "images": long("![a]("), "stars": long("*a"), "underscores": long("_a*b_"), "ticks": long("`a``"),
		"quotes": long(">"), "quotes with spaces": long("> "), "lists": long("- "), "numbered lists": long("1. "), "angle": long("<a "), "comments": long("<!--"),
		"tables": "|a|b|\n|-|-|\n" + long("|x|y|\n"), "wide table": long("|a"), "entities": long("&amp;"), "references": long("[a]: b\n"), "deep list": deepList(), "backslashes": long(`\`),
		"reference links": long("[a][b] "), "headings": long("# a\n"), "setext": long("a\n="), "tildes": long("~~a~"), "not UTF-8": long("\xff\xfe a"), "zeros": long("\x00"), "digits": long("1,"), "hex": long("0x"), "dots": long("0x1…2"),
		"numbers in words": long("two hundred "),
	} {
		d := dossier.Dossier{Text: dossier.Text{Title: "Pay Alice", Description: dossier.Untrusted(text)}, Gathered: &dossier.Gathered{}}
		start := time.Now()
		b := write(t, nil, d)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: %s", name, took)
		} else if took > 2*time.Second {
			t.Logf("%s: %s", name, took)
		}
		said := false
		for _, c := range b.Cut {
			said = said || strings.Contains(c.Why, "longer than is read")
		}
		if len(text) > 300_000 && !said {
			t.Errorf("%s: what was not read is not said", name)
		}
		n := len(strings.Fields(string(b.Headline)))
		for _, s := range b.Sentences {
			n += len(strings.Fields(string(s.Text)))
		}
		if n > 220 || len(b.Headline) == 0 {
			t.Errorf("%s: %d words", name, n)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.Sys > 512<<20 {
		t.Errorf("%d MB", m.Sys>>20)
	}
}

func deepList() string {
	var b strings.Builder
	for i := range 3000 {
		b.WriteString(strings.Repeat(" ", i*2) + "- x\n")
	}
	return b.String()
}

// G32: a hundred thousand calls, and calls in calls in calls.
func TestG32ManyCalls(t *testing.T) {
	calls := make([]gov.Call, 100_000)
	for i := range calls {
		calls[i] = gov.Call{To: gov.Address{byte(i), byte(i >> 8), byte(i >> 16), 1}, Selector: &gov.Selector{1, 2, 3, byte(i)}, Kind: gov.KindUnknown}
	}
	inner := []gov.Call{{To: gov.Address{7}, Selector: &gov.Selector{9}, Kind: gov.KindCall, Signature: "f()"}}
	for range 2000 {
		inner = []gov.Call{{To: gov.Address{8}, Children: inner}}
	}
	d := dossier.Dossier{Text: dossier.Text{Title: "Many calls"}, Gathered: &dossier.Gathered{Facts: gov.Facts{Calls: gov.Known(append(calls, inner...))}}}
	start := time.Now()
	b := write(t, nil, d)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	if !strings.Contains(printed(b), "100001 calls: call 1, unknown 100000") {
		t.Errorf("the number of calls is not said:\n%s", printed(b))
	}
	obeys(t, "many calls", d, b)
}

// Facts that people must see stand in the brief, with their source; unknown ones are not made up.
func TestFactsAreTold(t *testing.T) {
	proxy, before, after := gov.Address{1, 19: 1}, gov.Address{2, 19: 2}, gov.Address{3, 19: 3}
	f := gov.Facts{Calls: gov.Known([]gov.Call{{To: proxy, Selector: &gov.Selector{1}, Signature: "upgradeTo(address)", Kind: gov.KindUpgrade, Known: true,
		Args: []gov.Arg{{Name: "newImplementation", Type: "address", Value: wordOf(after)}}}})}
	f.Effects.Status = gov.Known(gov.EffectsReverted)
	f.Effects.FailedAction = 0
	f.Upgrades = gov.Known([]gov.Change{{Proxy: proxy, Before: before, After: after}})
	f.Treasury.OutflowUSD, f.Treasury.OutflowBps = gov.Known(1234.5), gov.Known(25.0)
	f.Timelock.DelayBefore, f.Timelock.DelayAfter = gov.Known(int64(172800)), gov.Known(int64(3600))
	d := dossier.Dossier{Text: dossier.Text{Title: "Fix a typo"}, Gathered: &dossier.Gathered{Facts: f, Findings: []gov.Finding{
		{Name: "upgrade", Status: gov.Found, Severity: gov.Critical, Title: "the code behind a proxy changes"},
		{Name: "roles", Status: gov.Clean, Severity: gov.Critical, Title: "never shown"},
	}}}
	text := printed(write(t, nil, d))
	for _, want := range []string{"reverted, in action 0. [f", "from " + before.Hex() + " to " + after.Hex(), "About 1234.5 USD leave the treasury, 25 bps of its value.", "from 172800 to 3600", "Finding upgrade, critical: the code behind a proxy changes.", "[c1]"} {
		if !strings.Contains(text, want) {
			t.Errorf("the brief lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "never shown") || strings.Contains(text, "supply") {
		t.Error(text)
	}
	none := write(t, nil, dossier.Dossier{Text: dossier.Text{Title: "x"}, Gathered: &dossier.Gathered{}})
	if !strings.Contains(printed(none), "What the proposal calls is not known.") || none.Contradicts.IsKnown() {
		t.Error(printed(none))
	}
	empty := write(t, nil, dossier.Dossier{})
	if empty.Headline != "A proposal without a title" || len(empty.Sentences) != 0 {
		t.Error(printed(empty))
	}
	against := dossier.Dossier{Text: d.Text, Gathered: d.Gathered, Gate: &dossier.WasGated{
		Reading: gov.Reading{Brief: gov.BriefReading{Contradicts: gov.Known(true)}},
		Claims:  []dossier.Claim{{Text: "Fix a typo", Relation: dossier.Contradicts, Sources: []string{"s77", "c1"}}},
	}}
	b := write(t, nil, against)
	if v, _ := b.Contradicts.Get(); !v || len(b.Claims) != 1 || fmt.Sprint(b.Claims[0].Sources) != "[s1 c1]" || !strings.Contains(printed(b), "The text says other than the calls do.") {
		t.Errorf("%+v\n%s", b.Claims, printed(b))
	}
}

func wordOf(a gov.Address) (v gov.Value) {
	copy(v.Word[12:], a[:])
	return v
}
