package brief_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

var (
	aFigure  = regexp.MustCompile(`\b\d+(?:[,.]\d+)*\b`)
	shortHex = regexp.MustCompile(`0x[0-9a-fA-F]{4}…[0-9a-fA-F]{4}`)
	aToken   = regexp.MustCompile(`\b(COMP|UNI|USDC|ENS|ETH|DAI)\b`)
)

// errors that a model makes, planted into a true sentence: each gives the sentence with one thing in it that
// its source does not have, or "" where the sentence has nothing to spoil.
var plants = []struct {
	name  string
	spoil func(string) string
}{
	{"another digit", func(s string) string {
		at := aFigure.FindStringIndex(anyHex.ReplaceAllStringFunc(s, blank))
		if at == nil {
			return ""
		}
		return s[:at[0]] + "7" + strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return '0' + (r-'0'+3)%10
			}
			return r
		}, s[at[0]:at[1]]) + s[at[1]:]
	}},
	{"ten times as much", func(s string) string {
		at := aFigure.FindStringIndex(anyHex.ReplaceAllStringFunc(s, blank))
		if at == nil || strings.ContainsAny(s[at[0]:at[1]], ".") || s[at[0]:at[1]] == "0" {
			return ""
		}
		return s[:at[1]] + "0" + s[at[1]:]
	}},
	{"millions", func(s string) string { return s + " It costs 987 million." }},
	{"millions in words", func(s string) string { return s + " It costs seventy-seven million." }},
	{"a million", func(s string) string {
		if strings.Contains(s, "million") {
			return ""
		}
		return s + " It costs a million."
	}},
	{"a date", func(s string) string { return s + " It ends on 2031-07-19." }},
	{"a year", func(s string) string { return s + " It began in 2033." }},
	{"percent", func(s string) string { return s + " That is 77.31 % of it." }},
	{"basis points", func(s string) string { return s + " That is 7731 bps of it." }},
	{"exponent", func(s string) string { return s + " That is 7.731e21." }},
	{"dollars", func(s string) string { return s + " That is $7,731." }},
	{"digits of another script", func(s string) string { return s + " That is ٧٧٣١." }},
	{"full-width digits", func(s string) string { return s + " That is ７７３１." }},
	{"an address", func(s string) string { return s + " It goes to 0x71C7656EC7ab88b098defB751B7401B5f6d8976F." }},
	{"an address changed", func(s string) string {
		at := shortHex.FindStringIndex(s)
		if at == nil {
			return ""
		}
		return s[:at[0]+2] + "dead" + s[at[0]+6:]
	}},
	{"the end of an address changed", func(s string) string {
		at := shortHex.FindStringIndex(s)
		if at == nil {
			return ""
		}
		return s[:at[1]-4] + "dead" + s[at[1]:]
	}},
	{"a middle made up for an address", func(s string) string { // looks the same when shortened
		at := shortHex.FindStringIndex(s)
		if at == nil {
			return ""
		}
		return s[:at[0]+6] + "01234567890123456789012345678901" + s[at[1]-4:]
	}},
	{"a shortened address", func(s string) string { return s + " It goes to 0x71C7…976F." }},
	{"a function", func(s string) string { return s + " It calls selfDestructVault()." }},
	{"a function with its types", func(s string) string { return s + " It calls sweep(address)." }},
	{"a contract", func(s string) string { return s + " It uses GreenVaultFactory." }},
	{"a name with a dot", func(s string) string { return s + " It goes to mallory.eth." }},
	{"a token", func(s string) string { return s + " It pays in XQZ." }},
	{"another token", func(s string) string {
		at := aToken.FindStringIndex(s)
		if at == nil {
			return ""
		}
		return s[:at[0]] + "WXYZ" + s[at[1]:]
	}},
	{"a version", func(s string) string { return s + " It is version v77." }},
	{"a number in words", func(s string) string { return s + " There are seventy-nine thousand of them." }},
}

func blank(s string) string { return strings.Repeat(" ", len(s)) }

// G31: whatever a model plants into a sentence, the sentence is cut and the cut is listed; the true sentence
// beside it stays. The sentences are those of real proposals, each cited by its own line.
func TestG31PlantedErrorsAreCut(t *testing.T) {
	planted, kept := 0, 0
	for i, r := range rows[real](t, "testdata/proposals.jsonl") {
		d := r.dossier(t)
		for k, p := range plants {
			if (i+k)%3 != 0 { // a third of all pairs: more than a thousand errors
				continue
			}
			var bad []string
			m := &scripted{say: func(_ brief.Question, lines []string) (string, error) {
				bad = nil
				sentences := []said{}
				good := 0
				for i := 1; i < len(lines) && len(sentences) < 3; i++ {
					s := lines[i]
					if len(strings.Fields(s)) > 25 || len(strings.Fields(s)) < 3 || strings.HasSuffix(s, "…") || strings.ContainsAny(s, `\`+"`") || suspicious(dossier.Untrusted(s)) {
						continue
					}
					if spoiled := p.spoil(s); spoiled != "" && spoiled != s {
						sentences = append(sentences, said{[]int{i}, spoiled})
						bad = append(bad, spoiled)
					}
					good = i
				}
				if good == 0 {
					return answer("x"), nil
				}
				return answer(p.spoil("What it is"), append(sentences, said{[]int{good}, lines[good]})...), nil
			}}
			b := write(t, m, d)
			obeys(t, r.name()+", "+p.name, d, b)
			text := printed(dossier.Brief{Headline: b.Headline, Sentences: b.Sentences})
			for _, s := range bad {
				planted++
				if strings.Contains(text, s) {
					t.Errorf("%s, %s: stands in the brief: %s", r.name(), p.name, s)
				}
				listed := false
				for _, c := range b.Cut {
					listed = listed || strings.HasPrefix(s, strings.TrimSuffix(string(c.Text), "…")) && c.Why != ""
				}
				if !listed {
					t.Errorf("%s, %s: not among what was cut: %s\n%s", r.name(), p.name, s, printed(b))
				}
			}
			if b.Kind == gov.BriefModel {
				kept++
			}
		}
	}
	if planted < 800 || kept < 250 {
		t.Errorf("%d errors planted, %d briefs keep the true sentence beside them", planted, kept)
	}
	t.Logf("%d planted errors; %d briefs keep the true sentence beside them", planted, kept)
}

// What is in a source may be said in another form; what is in another source may not.
func TestCheck(t *testing.T) {
	alice := "0x71C7656EC7ab88b098defB751B7401B5f6d8976F"
	d := dossier.Dossier{Text: dossier.Text{Title: "Pay Alice", Description: dossier.Untrusted("Pay Alice. We send 1,500,000 COMP ($2.5m) to " + alice +
		" in 3 parts. The fee falls from 0.5% to 30 bps on 2022-03-01 by _setFee(uint256). Twelve people asked. It uses Uniswap v3 and alice.eth.")}}
	for _, c := range []struct {
		text string
		ids  string
		ok   bool
	}{
		{"It sends 1.5 million COMP to Alice.", "s2", true},
		{"It sends 1500000 COMP to Alice.", "s2", true},
		{"It sends 1.5M COMP, worth $2,500,000.", "s2", true},
		{"It sends 1.5 million UNI to Alice.", "s2", false},
		{"It sends 15 million COMP to Alice.", "s2", false},
		{"It sends 2.5m COMP.", "s2", false},
		{"It sends $1.5m.", "s2", false},
		{"It goes to " + strings.ToLower(alice) + ".", "s2", true},
		{"It goes to 0x71C7…976F.", "s2", true},
		{"It goes to 0x71C7…976E.", "s2", false},
		{"It goes to 0x…976F.", "s2", false},
		{"It comes in three parts.", "s2", true},
		{"It comes in four parts.", "s2", false},
		{"The fee falls from 50 bps to 0.3 %.", "s3", true},
		{"The fee falls from 50 % to 30 bps.", "s3", false},
		{"The fee falls on 2022-03-01.", "s3", true},
		{"The fee falls on 2022-01-03.", "s3", false},
		{"It calls _setFee.", "s3", true},
		{"It calls _setFees.", "s3", false},
		{"It calls burn().", "s3", false},
		{"12 people asked.", "s4", true},
		{"13 people asked.", "s4", false},
		{"Uniswap v3 and alice.eth.", "s5", true},
		{"Uniswap v4.", "s5", false},
		{"The fee falls on 2022-03-01.", "s2", false}, // in another sentence
		{"Nothing to see.", "s99", false},
		{"Pay Alice 1,500,000 COMP by 2022-03-01.", "", true}, // a headline: any source counts
		{"Pay Bob 9 COMP.", "", false},
	} {
		why := brief.CheckIn(d, c.text, strings.Fields(c.ids))
		if (why == "") != c.ok {
			t.Errorf("%q on %q: %q", c.text, c.ids, why)
		}
	}
}

// Amounts of a call are scaled by the decimals of its token, and by nothing else.
func TestCheckScalesAmounts(t *testing.T) {
	for _, r := range rows[real](t, "testdata/proposals.jsonl") {
		if r.ID != "12" || r.DAO != "uniswap-bravo" {
			continue
		}
		d := r.dossier(t)
		for text, ok := range map[string]bool{
			"It transfers 535,906 UNI.": true, "It transfers 535906 UNI.": true, "It transfers 5,359,060 UNI.": false, "It transfers 535.906 UNI.": false,
			"It transfers 535,906 COMP.": false, "It transfers 535,907 UNI.": false, "It transfers " + strconv.Itoa(535) + " UNI.": false,
		} {
			if why := brief.CheckIn(d, text, []string{"c1"}); (why == "") != ok {
				t.Errorf("%s: %q", text, why)
			}
		}
		return
	}
	t.Fatal("the proposal is gone")
}
