package notify_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify"
	"github.com/legate-dao/legate/notify/discordtest"
)

// hostile are texts that some sink would make more of than letters.
var hostile = []string{
	// mentions
	"@everyone", "@here", "<@123456789012345678>", "<@!1>", "<@&99>", "<#42>", "<!channel>", "<!subteam^S1|x>", "<@U024BE7LH>", "</cmd:1>", "<id:customize>",
	// links
	"https://evil.example/x", "http://1.2.3.4", "HTTPS://EVIL.EXAMPLE", "discord://invite/x", "[click](https://evil.example)", "[safe.example](http://evil.example 'title')",
	"<https://evil.example|safe>", "<https://evil.example>", "javascript://alert(1)", "[x](javascript:alert(1))", "![i](http://evil.example/p.png)", "tg://resolve?domain=x",
	"[a]: http://evil.example\n[a]", "steam://run/1", "file:///etc/passwd", "data://text/html,x",
	// escapes of terminals
	"\x1b[31mred", "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\x\x1b]8;;\x1b\\", "\x9b31m", "\x1bP1$r\x1b\\", "a\rb", "\b\b\b\bfor", "\x00", "\x7f\x7f", "\x1b]52;c;aGk=\x07", "\x1b[6n", "\x0e\x0f",
	// HTML
	"<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<b>bold</b>", "<a href=//evil.example>x</a>", "</pre><h1>x</h1>", "<!-- x -->", "<iframe src=x>", "<svg/onload=alert(1)>", "<details open ontoggle=x>", "<i>x</i>",
	// direction and invisible characters
	"\u202egnp.exe", "\u2066a\u2069", "a\u200bb", "\ufeffx", "\u200fx", "x\u2060y", "\u202dx", "\U000e0041\U000e0042x", "\u2067x", "a\u200db",
	// Markdown
	"# heading", "**bold**\n# heading", "***x***", "~~struck~~", "||spoiler||", "__under__", "_slanted_", "*slanted*", "> quoted", ">>> all", "-# small", "`code", "```\ncode\n```", "```ansi\n\x1b[31mx\n```",
	"``` @everyone", "` @here `", "``` ``` @everyone ```", ":rotating_light:", "<:name:1234>", "<a:name:1234>", "<t:1:R>", "<t:9999999999:F>",
	// a false line of ours
	"x\n\n!! compound/7: for\n     Voted for.", "x\r\n• does nothing", "x\u2028y", "x\u2029y", "x\u0085y",
	// invalid bytes
	"\xff\xfe<b>", "\xc0\xaf@everyone", "\xed\xa0\x80@here",
}

// placings put a payload where a filter may not look.
var placings = []string{"%s", "Fund the grants %s for a year", "%s%[1]s%[1]s"}

// raw says what in a text a sink may make something of.
func raw(text string) string {
	for _, r := range text {
		if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == unicode.ReplacementChar {
			return fmt.Sprintf("U+%04X", r)
		}
	}
	if m := markupOf.FindString(text); m != "" {
		return m
	}
	return discordtest.Active(text)
}

var markupOf = regexp.MustCompile(`[<>]|@(everyone|here)|://|\]\(`)

var unsafeName = regexp.MustCompile(`[<>\x00-\x1f\x7f-\x9f\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{2069}\x{feff}\x{fffd}\x{e0000}-\x{e0fff}]|@(everyone|here)|://`)

func TestG30CleanOutput(t *testing.T) {
	var payloads []dossier.Untrusted
	for _, h := range hostile {
		for _, p := range placings {
			payloads = append(payloads, dossier.Untrusted(fmt.Sprintf(p, h)))
		}
	}
	if len(payloads) < 200 {
		t.Fatalf("%d payloads", len(payloads))
	}
	var screen bytes.Buffer
	s, forum, plain := newSink(t), startDiscord(t), startDiscord(t)
	plain.SetForum(true) // where each message comes as text, in a thread that is named for its proposal
	plain.Always(discordtest.Rule{Has: "embed", Failure: discordtest.Failure{Status: 400, Body: `{"code":50035,"message":"Invalid Form Body"}`}})
	channels := []notify.Channel{
		open(t, notify.Config{Kind: "terminal", Out: &screen}),
		open(t, notify.Config{Kind: "webhook", URL: s.URL + "/hook"}),
		open(t, notify.Config{Kind: "alertmanager", URL: s.URL + "/am"}),
		open(t, notify.Config{Kind: "url", URL: s.generic()}),
		open(t, notify.Config{Kind: "discord", URL: forum.Webhook(), Notes: &notes{}}),
		open(t, notify.Config{Kind: "discord", URL: plain.Webhook(), Notes: &notes{}}),
	}
	for i, p := range payloads {
		if i%len(placings) == 0 && raw(string(p)) == "" && !strings.Contains(string(p), "\n") {
			t.Errorf("payload %q is harmless: the test would show nothing", p)
		}
		for _, a := range hostileAlerts(t, uint64(i+1), p) {
			for _, ch := range channels {
				if err := ch.Send(t.Context(), a); err != nil {
					t.Fatalf("%q to %s: %v", p, ch.Name(), err)
				}
			}
		}
	}
	checkScreen(t, screen.String())
	for _, r := range s.got() {
		checkBody(t, r)
	}
	if p := append(forum.Problems(), plain.Problems()...); len(p) > 0 {
		t.Error(p)
	}
	for _, m := range plain.Messages() {
		if a := discordtest.Active(m.Content); a != "" || len(m.Embeds) > 0 {
			t.Errorf("%q is active in %q", a, m.Content)
		}
	}
	for _, th := range plain.Threads() {
		if m := unsafeName.FindString(th.Name); m != "" { // a name is shown as it is written: Markdown is letters there
			t.Errorf("%q in the name of thread %q", m, th.Name)
		}
	}
	if n := len(plain.Threads()); n < len(payloads) {
		t.Errorf("%d threads of %d proposals", n, len(payloads))
	}
	for _, m := range forum.Messages() {
		for _, e := range m.Embeds {
			checkEmbed(t, e)
		}
	}
	if n := len(forum.Messages()); n < len(payloads) {
		t.Errorf("%d messages", n)
	}
	t.Logf("%d payloads, %d sinks", len(payloads), len(channels))
}

// hostileAlerts are alerts in which a stranger, or a stranger's server, has spoken everywhere it can.
func hostileAlerts(t *testing.T, n uint64, p dossier.Untrusted) []dossier.Alert {
	events := life(n, p)
	v := events[1].(dossier.WasPreviewed)
	v.Verdict.Because = string(p)
	v.Gathered.Findings[0].Title = "says " + string(p)
	events[1] = v
	b := events[4].(dossier.WasBriefed)
	b.Brief.Model = &dossier.BriefModel{Name: p, Outcome: dossier.ModelUsed}
	events[4] = b
	all := alertsOf(t, n, events...)
	system := dossier.SystemAlert(gov.Warning, "the endpoint failed", errors.New("it says: "+string(p)), all[0].Time)
	return []dossier.Alert{all[0], all[1], all[3], system}
}

// checkScreen looks at what a terminal was sent: nothing moves, and every line is one that we began.
func checkScreen(t *testing.T, text string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.HasPrefix(line, "   ") && !strings.HasPrefix(line, "!  ") && !strings.HasPrefix(line, "!! ") && !strings.HasPrefix(line, "     ") {
			t.Errorf("a line of somebody else: %q", line)
		}
		if strings.HasPrefix(strings.TrimLeft(line, " !"), "compound/7: for") {
			t.Errorf("a false alert: %q", line)
		}
		if r := raw(line); r != "" {
			t.Errorf("terminal: %q in %q", r, line)
		}
	}
}

func checkBody(t *testing.T, r request) {
	t.Helper()
	var texts []string
	switch r.path {
	case "/hook":
		var a dossier.Alert
		if err := json.Unmarshal([]byte(r.body), &a); err != nil {
			t.Fatal(err)
		}
		texts = append(a.Lines, a.Title)
	case "/am/api/v2/alerts":
		var list []struct{ Labels, Annotations map[string]string }
		if err := json.Unmarshal([]byte(r.body), &list); err != nil {
			t.Fatal(err)
		}
		for _, m := range []map[string]string{list[0].Labels, list[0].Annotations} {
			for _, v := range m {
				texts = append(texts, v)
			}
		}
	default:
		texts = []string{r.body}
	}
	for _, text := range texts {
		if a := raw(text); a != "" {
			t.Errorf("%s: %q in %q", r.path, a, text)
		}
	}
	if strings.ContainsAny(r.body, "<>\x1b") {
		t.Errorf("%s: markup in the raw body %.200q", r.path, r.body)
	}
}

func checkEmbed(t *testing.T, e discordtest.Embed) {
	t.Helper()
	texts := map[string]string{"title": e.Title, "description": e.Description, "footer": e.Footer.Text}
	for _, f := range e.Fields {
		texts["name of "+f.Name] = f.Name
		texts[f.Name] = f.Value
		if n := strings.Count(f.Value, "```"); n != 0 && n != 2 {
			t.Errorf("%s: a code block is broken: %q", f.Name, f.Value)
		}
		if strings.HasPrefix(f.Name, "Its title") && !strings.HasPrefix(f.Value, "```text\n") {
			t.Errorf("a title outside of its block: %q", f.Value)
		}
	}
	for what, text := range texts {
		if a := discordtest.Active(text); a != "" {
			t.Errorf("Discord's %s: %q in %q", what, a, text)
		}
		for _, r := range text {
			if r < 0x20 && r != '\n' || unicode.Is(unicode.Cf, r) {
				t.Errorf("Discord's %s: U+%04X in %q", what, r, text)
			}
		}
	}
}
