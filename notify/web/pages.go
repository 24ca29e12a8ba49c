package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets/legate.css assets/legate.js assets/legate.svg
var assetFiles embed.FS

// pagePolicy lets a page load our own style, script and picture, and ask us; nothing else, and nothing inline.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

var templates = mustPages()

func mustPages() map[string]*template.Template {
	out := map[string]*template.Template{}
	base := template.Must(template.New("base").Funcs(template.FuncMap{
		"asset": assetPath, "head": headOf, "tail": tailOf, "dict": dict,
	}).ParseFS(pageFiles, "pages/base.html", "pages/parts.html"))
	for _, name := range []string{"list", "dossier", "login", "problem"} {
		out[name] = template.Must(template.Must(base.Clone()).ParseFS(pageFiles, "pages/"+name+".html"))
	}
	return out
}

// dict lets a part take several values.
func dict(pairs ...any) map[string]any {
	out := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[fmt.Sprint(pairs[i])] = pairs[i+1]
	}
	return out
}

// headOf and tailOf divide a long number so that a narrow screen keeps both ends of it.
func headOf(s string) string { return s[:len(s)-len(tailOf(s))] }
func tailOf(s string) string {
	if len(s) <= 12 {
		return ""
	}
	return s[len(s)-6:]
}

// pages are the HTML pages over a reader.
type pages struct {
	reader  Reader
	metrics *Metrics
	now     func() time.Time
	log     *slog.Logger
	boot    string // tells this process from the one before

	mu     sync.Mutex
	list   []dossier.Summary
	listed string // the revision of list
	until  time.Time
}

// listFor is how long a list is kept while no record comes.
const listFor = 5 * time.Second

// revision names what can be shown: it changes with every record and with the state of the daemon.
func (p *pages) revision(s Status) string {
	var b strings.Builder
	fmt.Fprint(&b, p.boot, p.metrics.seen.Load(), s.Live, s.Frozen.Or(false), s.Disk)
	for _, c := range s.Chains {
		fmt.Fprint(&b, c.Chain, c.Followed, c.Error != "")
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}

// summaries is the reader's list, read once for each revision however many people look at it.
func (p *pages) summaries(ctx context.Context, revision string) ([]dossier.Summary, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listed == revision && time.Now().Before(p.until) {
		return p.list, nil
	}
	list, err := p.reader.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	p.list, p.listed, p.until = list, revision, time.Now().Add(listFor)
	return list, nil
}

// live says whether there is something newer than a page that is open. It reads nothing from the store.
func (p *pages) live(w http.ResponseWriter, r *http.Request) {
	s, err := p.reader.Status(r.Context())
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the status could not be read")
		return
	}
	s.sort()
	answer(w, http.StatusOK, map[string]string{"revision": p.revision(s)})
}

// nothing answers what is no address of ours.
func (p *pages) nothing(w http.ResponseWriter, r *http.Request) {
	if wantsPage(r) {
		p.problem(w, http.StatusNotFound, "There is nothing at this address.", "The list has all proposals.")
		return
	}
	refuse(w, http.StatusNotFound, "there is nothing at this path")
}

// home is the list of proposals.
func (p *pages) home(w http.ResponseWriter, r *http.Request) {
	s, revision, ok := p.status(w, r)
	if !ok {
		return
	}
	show := r.URL.Query().Get("show")
	switch show {
	case showAll, showWaiting, showOpen, showOver:
	default:
		show = showAll
	}
	list, err := p.summaries(r.Context(), revision)
	if err != nil {
		p.problem(w, http.StatusInternalServerError, "The proposals could not be read.", "The daemon's log says why.")
		return
	}
	page, _ := strconv.Atoi(r.URL.Query().Get("page")) // what is no number is the first page
	v := &listView{frame: pageFrame("Proposals", revision, s, p.now())}
	v.fill(list, s, show, page, p.now())
	if n := v.Filters[1].Count; n > 0 {
		v.Title = fmt.Sprintf("(%d) Proposals", n)
	}
	p.render(w, http.StatusOK, "list", v)
}

// show is the page of one proposal.
func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	s, revision, ok := p.status(w, r)
	if !ok {
		return
	}
	list, err := p.summaries(r.Context(), revision)
	if err != nil {
		p.problem(w, http.StatusInternalServerError, "The proposals could not be read.", "The daemon's log says why.")
		return
	}
	hits := find(list, r.PathValue("handle"))
	switch {
	case len(hits) == 0:
		p.problem(w, http.StatusNotFound, "There is no such proposal.", "The list has all that were seen.")
		return
	case len(hits) > 1:
		p.problem(w, http.StatusNotFound, fmt.Sprintf("%d proposals begin like this.", len(hits)), "Write more digits of the number, or choose from the list.")
		return
	case pathOf(hits[0].Handle) != r.URL.EscapedPath():
		http.Redirect(w, r, pathOf(hits[0].Handle), http.StatusFound)
		return
	}
	doc, err := p.reader.Document(r.Context(), hits[0].ID)
	if errors.Is(err, ErrUnknown) {
		p.problem(w, http.StatusNotFound, "There is no such proposal.", "The list has all that were seen.")
		return
	}
	var seen *seen
	if err == nil {
		doc.Handle = hits[0].Handle
		if seen, err = read(doc, clockOf(s, doc.ID.Chain, p.now())); err != nil {
			p.log.Error("a dossier could not be shown", "proposal", doc.ID.String(), "error", err)
		}
	}
	if err != nil {
		p.problem(w, http.StatusInternalServerError, "The dossier could not be read.", "The daemon's log says why.")
		return
	}
	v := viewOf(seen)
	said := v.Said
	v.frame = pageFrame(v.Name+" · "+v.Handle, revision, s, p.now())
	v.Said = said
	p.render(w, http.StatusOK, "dossier", v)
}

// find looks a proposal up as people name it: by handle, by a longer or shorter beginning of its number, by id.
func find(list []dossier.Summary, name string) []dossier.Summary {
	var hits []dossier.Summary
	for _, s := range list {
		if s.Handle == name || s.ID.String() == name {
			return []dossier.Summary{s}
		}
		governor, digits, ok := strings.Cut(name, "/")
		mine, _, _ := strings.Cut(s.Handle, "/")
		full := s.ID.Handle(gov.Label(mine), 64)
		if ok && governor == mine && (s.ID.Number.String() == digits || len(digits) >= 6 && strings.HasPrefix(full, mine+"/"+strings.ToLower(digits)) && len(full) == len(mine)+65) {
			hits = append(hits, s)
		}
	}
	return hits
}

// status reads where the daemon stands and answers by itself where that fails.
func (p *pages) status(w http.ResponseWriter, r *http.Request) (Status, string, bool) {
	s, err := p.reader.Status(r.Context())
	if err != nil {
		p.problem(w, http.StatusInternalServerError, "The status could not be read.", "The daemon's log says why.")
		return s, "", false
	}
	s.sort()
	return s, p.revision(s), true
}

// problemView is a page that says what is not there.
type problemView struct {
	frame
	Text string
	Hint string
}

func (p *pages) problem(w http.ResponseWriter, status int, text, hint string) {
	p.render(w, status, "problem", &problemView{frame{Title: http.StatusText(status)}, text, hint})
}

// render writes a page whole or not at all.
func (p *pages) render(w http.ResponseWriter, status int, name string, view any) {
	page(w, status, name, view)
}

func page(w http.ResponseWriter, status int, name string, view any) {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "base", view); err != nil {
		refuse(w, http.StatusInternalServerError, "the page could not be made")
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Vary", "Accept, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // an error says that the reader is gone
}

// asset is one embedded file with the name under which it may be kept for ever.
type asset struct {
	body        []byte
	contentType string
	path        string
}

var assets = mustAssets()

func mustAssets() map[string]asset {
	out := map[string]asset{}
	for name, contentType := range map[string]string{
		"legate.css": "text/css; charset=utf-8", "legate.js": "text/javascript; charset=utf-8", "legate.svg": "image/svg+xml",
	} {
		body, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(body)
		out[name] = asset{body, contentType, "/assets/" + hex.EncodeToString(sum[:6]) + "/" + name}
	}
	return out
}

func assetPath(name string) string { return assets[name].path }

// sendAsset answers with a file of the program. They are no secret: the login page needs them.
func sendAsset(w http.ResponseWriter, r *http.Request) {
	a, ok := assets[r.PathValue("name")]
	if !ok || a.path != r.URL.Path {
		refuse(w, http.StatusNotFound, "there is no such file")
		return
	}
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.body) // an error says that the reader is gone
}

// wantsPage says whether it is a person's browser that asks for a page.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, "/api/")
}
