package brief_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// The rules of FORMATS, `brief`, written a second time and without the code of the package: how numbers and
// addresses are found here has nothing in common with how the writer checks them.
var (
	figure   = regexp.MustCompile(`\d+(?:[,.]\d+)*`)
	longHex  = regexp.MustCompile(`0x[0-9a-fA-F]{40}\b`)
	anyHex   = regexp.MustCompile(`0x[0-9a-fA-F]*`)
	function = regexp.MustCompile(`[A-Za-z_]\w*\(`)
	marks    = regexp.MustCompile("\\*\\*|__|`|^#|^[-*+] |\\]\\(")
)

// obeys says which rules a brief breaks.
func obeys(t testing.TB, name string, d dossier.Dossier, b dossier.Brief) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf(name+": "+format, args...)
	}
	if n := utf8.RuneCountInString(string(b.Headline)); n == 0 || n > 120 {
		fail("headline of %d characters: %s", n, b.Headline)
	}
	words := len(strings.Fields(string(b.Headline)))
	cited := map[byte]bool{}
	for _, s := range b.Sentences {
		words += len(strings.Fields(string(s.Text)))
		if len(s.Sources) == 0 {
			fail("cites nothing: %s", s.Text)
		}
		var sources []string
		for _, id := range s.Sources {
			cited[id[0]] = true
			text, ok := b.Sources[id]
			if !ok {
				fail("source %s is not in the brief", id)
			}
			sources = append(sources, string(text))
		}
		stands(fail, string(s.Text), sources)
		if marks.MatchString(string(s.Text)) {
			fail("Markdown in %s", s.Text)
		}
		if suspicious(s.Text) && !(strings.Contains(string(s.Text), "“") && strings.HasSuffix(string(s.Text), "”")) {
			fail("a flagged sentence: %s", s.Text)
		}
	}
	var all []string
	for _, text := range b.Sources {
		all = append(all, string(text))
	}
	stands(fail, string(b.Headline), all)
	if words > 220 {
		fail("%d words", words)
	}
	if marks.MatchString(string(b.Headline)) || suspicious(b.Headline) {
		fail("headline %s", b.Headline)
	}
	if calls, _ := d.Gathered.Facts.Calls.Get(); len(calls) > 0 && !cited['c'] {
		fail("no sentence cites a call")
	}
	if len([]rune(string(d.Text.Description))) > 500 && !cited['s'] {
		fail("no sentence cites the text")
	}
	for id, text := range b.Sources {
		if id[0] == 's' && !written(d.Text, string(text)) {
			fail("source %s is not in the text: %s", id, text)
		}
	}
	if (b.Kind == gov.BriefModel) != (b.Model != nil && b.Model.Outcome == dossier.ModelUsed) {
		fail("kind %s of model %+v", b.Kind, b.Model)
	}
}

// stands fails for a number, address or function of text that no source has. Amounts of calls are scaled in
// the source already.
func stands(fail func(string, ...any), text string, sources []string) {
	joined := strings.Join(sources, "\n")
	for _, a := range longHex.FindAllString(text, -1) {
		if !strings.Contains(strings.ToLower(joined), strings.ToLower(a)) {
			fail("address %s of %q not in its sources", a, text)
		}
	}
	for _, f := range function.FindAllString(text, -1) {
		if !strings.Contains(joined, strings.TrimSuffix(f, "(")) {
			fail("function %s of %q not in its sources", f, text)
		}
	}
	had := map[string]bool{}
	for _, n := range figure.FindAllString(anyHex.ReplaceAllString(joined, " "), -1) {
		had[bare(n)] = true
	}
	for _, n := range figure.FindAllString(anyHex.ReplaceAllString(text, " "), -1) {
		if !had[bare(n)] {
			fail("number %s of %q not in its sources", n, text)
		}
	}
}

func bare(n string) string {
	n = strings.ReplaceAll(n, ",", "")
	if strings.Contains(n, ".") {
		n = strings.TrimRight(strings.TrimRight(n, "0"), ".")
	}
	return n
}

var (
	linkTarget = regexp.MustCompile(`\](?:\([^()\s]*\)|\(\[[^\[\]]*\]\([^()\s]*\)\))`)
	htmlTag    = regexp.MustCompile(`<[a-zA-Z/!][^<>]*>`)
)

// written says whether a sentence is in a text once all marks are taken out of both.
func written(t dossier.Text, sentence string) bool {
	letters := func(s string) string {
		var b strings.Builder
		for _, r := range s {
			if r > ' ' && !strings.ContainsRune("*_`~#>|[]()\\;-+!&", r) && r != '\u00a0' {
				b.WriteRune(r)
			}
		}
		return b.String()
	}
	text := string(t.Title) + "\n" + string(t.Description)
	text = htmlTag.ReplaceAllString(linkTarget.ReplaceAllString(text, "]"), " ")
	text = strings.NewReplacer("&nbsp;", "", "&amp;", "", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#39;", "'").Replace(text)
	return strings.Contains(letters(text), letters(sentence))
}

// Every real proposal of the sample gets a brief that obeys the rules.
func TestG31FaithfulSummary(t *testing.T) {
	all := rows[real](t, "testdata/proposals.jsonl")
	for _, r := range all {
		d := r.dossier(t)
		obeys(t, r.name(), d, write(t, nil, d))
	}
	if len(all) < 40 {
		t.Errorf("%d proposals", len(all))
	}
}
