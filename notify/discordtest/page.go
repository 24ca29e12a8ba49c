package discordtest

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// page shows the channel as a person would see it; ?about=harbor/295eaf only what begins so.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	about := r.URL.Query().Get("about")
	list := slices.DeleteFunc(s.Messages(), func(m Message) bool {
		return !slices.ContainsFunc(m.Embeds, func(e Embed) bool { return strings.HasPrefix(e.Title, about) }) && about != ""
	})
	var out bytes.Buffer
	if err := pageTemplate.Execute(&out, list); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'")
	_, _ = w.Write(out.Bytes()) // who left needs no page
}

func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	for _, m := range s.Messages() {
		if b, ok := m.Files[r.PathValue("name")]; ok && m.ID == r.PathValue("message") {
			w.Header().Set("Content-Type", "image/png")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			_, _ = w.Write(b)
			return
		}
	}
	http.NotFound(w, r)
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"rich":  rich,
	"color": func(c int) template.CSS { return template.CSS(fmt.Sprintf("#%06x", c&0xffffff)) }, //nolint:gosec // six hex digits
	"clock": func(t time.Time) string { return t.Format("15:04") },
	"name":  func(u string) string { return strings.TrimPrefix(u, "attachment://") },
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="refresh" content="5">
<title>#governance · stand-in for Discord</title>
<style>
:root{color-scheme:dark}
body{background:#313338;color:#dbdee1;font:16px/1.375 "gg sans","Noto Sans","Helvetica Neue",Helvetica,Arial,sans-serif;margin:0;padding:0 16px 32px}
header{border-bottom:1px solid #26272b;padding:14px 0;margin-bottom:12px;font-weight:600;color:#f2f3f5}
header i{color:#80848e;font-style:normal;font-weight:400;font-size:21px;margin-right:8px;vertical-align:-1px}
header small{font-weight:400;color:#949ba4;margin-left:12px;font-size:13px}
.m{display:flex;gap:16px;margin:20px 0}
.m>div:last-child{min-width:0;flex:1}
.a{width:40px;height:40px;border-radius:50%;background:#1f4e55;color:#fff;display:grid;place-items:center;flex:none}
.a svg{width:22px;height:22px}
.n{font-weight:600;color:#f2f3f5}.n small{font-weight:400;color:#949ba4;margin-left:8px;font-size:12px}
.app{background:#5865f2;color:#fff;font-size:10px;font-weight:600;border-radius:3px;padding:1px 5px;margin-left:6px;vertical-align:2px}
.e{background:#2b2d31;border-left:4px solid;border-radius:4px;max-width:516px;box-sizing:border-box;padding:8px 16px 16px 12px;margin-top:6px;overflow-wrap:anywhere}
h3{font-size:16px;font-weight:600;margin:8px 0 8px;color:#f2f3f5}
.f{margin-top:10px;font-size:14px;line-height:1.3}.f b.k{display:block;color:#f2f3f5;font-weight:600;margin-bottom:2px}
.t{white-space:pre-line;font-size:14px;line-height:1.375}
.d{display:inline-block;width:.85em;height:.85em;border-radius:50%;vertical-align:-.08em;margin:0 .15em}
pre{background:#1e1f22;border:1px solid #232428;border-radius:4px;padding:8px;margin:6px 0 0;white-space:pre-wrap;font:13px/1.4 "Noto Sans Mono",Consolas,"DejaVu Sans Mono",monospace}
code{background:#1e1f22;border-radius:3px;padding:1px 4px;font:13px "Noto Sans Mono",Consolas,"DejaVu Sans Mono",monospace}
time{background:#3f4248;border-radius:3px;padding:0 2px}
img{width:100%;border-radius:4px;margin-top:16px;display:block}
footer{color:#949ba4;font-size:12px;margin-top:10px}
</style></head><body>
<header><i>#</i>governance <small>a stand-in for Discord on this machine; nothing here has left it</small></header>
{{range $m := .}}<div class="m"><div class="a"><svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M5 13l5 5L20 7"/></svg></div><div><div class="n">Legate<span class="app">APP</span><small>Today at {{clock .Time}}{{if .Edits}} (edited){{end}}</small></div>
{{with .Content}}<div class="t">{{rich .}}</div>{{end}}{{range .Embeds}}<div class="e" style="border-color:{{color .Color}}"><h3>{{rich .Title}}</h3><div class="t">{{rich .Description}}</div>
{{range .Fields}}<div class="f"><b class="k">{{rich .Name}}</b><div class="t">{{rich .Value}}</div></div>{{end}}
{{with .Image}}<img alt="forecast" src="/files/{{$m.ID}}/{{name .URL}}">{{end}}{{with .Footer}}<footer>{{.Text}}</footer>{{end}}</div>{{end}}
</div></div>{{else}}<p>No messages yet.</p>{{end}}
</body></html>`))

var (
	blockCode  = regexp.MustCompile("(?s)```(?:text\n)?(.*?)\n?```")
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	bold       = regexp.MustCompile(`\*\*([^*\n]+)\*\*`)
	stamp      = regexp.MustCompile(`&lt;t:(\d{1,12})(?::([a-zA-Z]))?&gt;`)
)

// unescape draws what Discord draws: escapes as the letter, dots without a font that has them.
var unescape = strings.NewReplacer(`\_`, "_", `\-`, "-", `\|`, "|", "🔴", dot("#dd2e44"), "🟠", dot("#f4900c"), "⚪", dot("#99aab5"))

func dot(color string) string { return `<span class="d" style="background:` + color + `"></span>` }

// rich draws the little of Discord's Markdown that the program uses. Everything is escaped first.
func rich(s string) template.HTML {
	s = html.EscapeString(s)
	s = blockCode.ReplaceAllString(s, "<pre>$1</pre>")
	s = inlineCode.ReplaceAllString(s, "<code>$1</code>")
	s = bold.ReplaceAllString(s, "<strong>$1</strong>")
	s = unescape.Replace(s)
	s = stamp.ReplaceAllStringFunc(s, func(m string) string {
		p := stamp.FindStringSubmatch(m)
		unix, err := strconv.ParseInt(p[1], 10, 64)
		if err != nil {
			return m
		}
		at := time.Unix(unix, 0).UTC()
		if p[2] == "R" {
			return "<time>" + relative(time.Until(at)) + "</time>"
		}
		return "<time>" + at.Format("2 January 2006 15:04 UTC") + "</time>"
	})
	return template.HTML(s) //nolint:gosec // escaped above, and only tags of our own added
}

// relative is a span as Discord says it.
func relative(d time.Duration) string {
	form := "in %d %s"
	if d < 0 {
		d, form = -d, "%d %s ago"
	}
	for _, u := range []struct {
		span time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if n := int(d / u.span); n >= 1 || u.span == time.Second {
			if n != 1 {
				u.name += "s"
			}
			return fmt.Sprintf(form, n, u.name)
		}
	}
	return ""
}
