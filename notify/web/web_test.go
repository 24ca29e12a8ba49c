package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/web"
)

var testID = gov.ProposalID{Chain: 1, Governor: gov.Address{0xc0}, Number: gov.NewAmount(7)}

// evil is a title that tries to become active wherever it is shown.
const evil = `</script><script>alert(1)</script><img src=x onerror=alert(1)> ` + "\x1b[2J\u009b31m \u202egnp @everyone =HYPERLINK(\"http://x\")"

// store is a reader of one proposal with faults to switch on.
type store struct {
	status  web.Status
	err     error
	waiting chan struct{} // Proposals waits until it is closed
}

func (s *store) Proposals(ctx context.Context) ([]dossier.Summary, error) {
	if s.waiting != nil {
		<-s.waiting
	}
	return []dossier.Summary{dossier.Dossier{Proposal: gov.Proposal{ID: testID, State: gov.StateActive}, Stage: dossier.AtSeen, Text: dossier.Text{Title: evil}}.Summary("g/7")}, s.err
}

func (s *store) Document(_ context.Context, id gov.ProposalID) (dossier.Document, error) {
	if s.err != nil {
		return dossier.Document{}, s.err
	}
	if id != testID {
		return dossier.Document{}, fmt.Errorf("%s: %w", id, web.ErrUnknown)
	}
	return dossier.Dossier{Proposal: gov.Proposal{ID: testID}, Text: dossier.Text{Title: evil}}.Document("g/7")
}

func (s *store) Status(context.Context) (web.Status, error) { return s.status, s.err }

func followed(yes bool) web.Status {
	return web.Status{
		Version: 1, Program: "test", Frozen: gov.Known(true),
		Chains: []web.Chain{{Chain: 1, Head: gov.Block{Number: 90}, Final: gov.Block{Number: 70}, Lag: gov.Known(3.5), Followed: yes}},
	}
}

func get(t *testing.T, h http.Handler, path string, header ...string) *http.Response {
	t.Helper()
	return ask(t, h, http.MethodGet, path, header...)
}

func ask(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, "http://127.0.0.1:8645"+path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const path = "/api/v1/proposals/eip155:1/0xC000000000000000000000000000000000000000/7"

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		path   string
		status web.Status
		err    error
		code   int
		has    string
	}{
		{path: "/healthz", code: 200, has: `"ok":true`},
		{path: "/healthz", err: errors.New("the store is gone"), code: 200, has: `"ok":true`},
		{path: "/readyz", status: followed(true), code: 200, has: `"ok":true`},
		{path: "/readyz", status: followed(false), code: 503, has: "eip155:1 is not followed to its head; block 90"},
		{path: "/readyz", code: 503, has: "no chain"},
		{path: "/readyz", status: followed(true), err: errors.New("secret"), code: 503, has: "could not be read"},
		{path: "/api/v1/proposals", code: 200, has: `"proposals":[{"id":"eip155:1:`},
		{path: "/api/v1/status", status: followed(true), code: 200, has: `"lag_seconds":3.5,"followed":true`},
		{path: path, code: 200, has: `"handle":"g/7"`},
		{path: strings.ToLower(path), code: 200, has: `"handle":"g/7"`},
		{path: path + "1", code: 404, has: "no such proposal"},
		{path: strings.Replace(path, "eip155:1", "eip155:01", 1), code: 400, has: "is not a chain"},
		{path: strings.Replace(path, "0xC0", "0xZZ", 1), code: 400, has: "is not an address"},
		{path: path + strings.Repeat("9", 2000), code: 400, has: "is not a decimal number"},
		{path: path, err: errors.New("secret"), code: 500, has: "could not be read"},
		{path: "/nothing", code: 404, has: "nothing at this path"},
		{path: "/login", code: 404, has: "no token"},
	} {
		h := web.New(&store{status: c.status, err: c.err}, web.Config{})
		r := get(t, h, c.path)
		text := body(t, r)
		if r.StatusCode != c.code || !strings.Contains(text, c.has) {
			t.Errorf("GET %.80s: %d %s, want %d with %q", c.path, r.StatusCode, text, c.code, c.has)
		}
		if strings.Contains(text, "secret") {
			t.Errorf("GET %s tells an inner error: %s", c.path, text)
		}
		want := "application/json"
		if c.code >= 400 {
			want = "application/problem+json"
			var p struct {
				Type, Title, Detail string
				Status              int
			}
			if err := json.Unmarshal([]byte(text), &p); err != nil || p.Status != c.code || p.Title == "" || p.Type != "about:blank" {
				t.Errorf("GET %.80s: not a problem document: %s", c.path, text)
			}
		}
		if got := r.Header.Get("Content-Type"); got != want {
			t.Errorf("GET %.80s: content type %s", c.path, got)
		}
	}
}

// examples are an address of each pattern.
func examples(t *testing.T) (out []string) {
	asset := regexp.MustCompile(`/assets/[^"]+`).FindString(body(t, get(t, web.New(&store{status: followed(true)}, web.Config{}), "/", "Accept", "text/html")))
	if asset == "" {
		t.Fatal("a page names no asset")
	}
	known := map[string][]string{
		"/healthz": {"/healthz"}, "/readyz": {"/readyz"}, "/assets/{hash}/{name}": {asset, "/assets/x/y"}, "/metrics": {"/metrics"},
		"/api/v1/proposals": {"/api/v1/proposals"}, "/api/v1/proposals/{chain}/{governor}/{number}": {path, path + "1", "/api/v1/proposals/x/y/z"}, "/api/v1/status": {"/api/v1/status"},
		"/login": {"/login"}, "/live": {"/live"}, "/{$}": {"/", "/?show=open"}, "/p/{handle...}": {"/p/g/7", "/p/nobody/1"}, "/": {"/nothing"},
	}
	for _, p := range web.Patterns() {
		if len(known[p]) == 0 {
			t.Errorf("no example of %s", p)
		}
		out = append(out, known[p]...)
	}
	return out
}

func TestNothingButGetAndHead(t *testing.T) {
	h := web.New(&store{status: followed(true)}, web.Config{Token: "t"})
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "X"} {
		for _, p := range examples(t) {
			if r := ask(t, h, method, p, "Authorization", "Bearer t"); r.StatusCode != http.StatusMethodNotAllowed || r.Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("%s %s: %d, Allow %q", method, p, r.StatusCode, r.Header.Get("Allow"))
			}
		}
	}
}

// HEAD is GET without the body: the same status and the same headers, its length too, at every address and whatever is
// wrong.
func TestHeadAnswersAsGet(t *testing.T) {
	n := 0
	for name, c := range map[string]struct {
		store  *store
		token  string
		header []string
	}{
		"well": {&store{status: followed(true)}, "", nil}, "not followed": {&store{status: followed(false)}, "", nil},
		"store fails": {&store{status: followed(true), err: errors.New("no")}, "", nil}, "no token": {&store{status: followed(true)}, "t", nil},
		"token": {&store{status: followed(true)}, "t", []string{"Authorization", "Bearer t"}}, "browser": {&store{status: followed(true)}, "", []string{"Accept", "text/html"}},
		"browser without a token": {&store{status: followed(true)}, "t", []string{"Accept", "text/html"}},
	} {
		at := serve(t, web.New(c.store, web.Config{Token: c.token, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}))
		for _, p := range examples(t) {
			g, gotten := overWire(t, http.MethodGet, at+p, c.header)
			h, nothing := overWire(t, http.MethodHead, at+p, c.header)
			n++
			if g.StatusCode != h.StatusCode || nothing != "" || (gotten == "") != (g.StatusCode == http.StatusNoContent) {
				t.Errorf("%s: %s: GET %d with %d bytes, HEAD %d with %d", name, p, g.StatusCode, len(gotten), h.StatusCode, len(nothing))
			}
			if p == "/metrics" { // it counts itself
				g.Header.Del("Content-Length")
				h.Header.Del("Content-Length")
			}
			g.Header.Del("Date")
			h.Header.Del("Date")
			if !maps.EqualFunc(g.Header, h.Header, slices.Equal) {
				t.Errorf("%s: %s: GET %v, HEAD %v", name, p, g.Header, h.Header)
			}
		}
	}
	t.Logf("%d answers compared", n)
}

// serve listens until the test ends.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- web.Serve(ctx, l, h) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func overWire(t *testing.T, method, url string, header []string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// TestG30WebTextIsInert: hostile text leaves as JSON text only, with headers under which nothing runs.
func TestG30WebTextIsInert(t *testing.T) {
	h := web.New(&store{status: followed(true)}, web.Config{})
	for _, p := range []string{path, "/api/v1/proposals"} {
		r := get(t, h, p)
		text := body(t, r)
		for _, active := range []string{"<", ">", "&", "\x1b", "\u009b", "\u202e"} {
			if strings.Contains(text, active) {
				t.Errorf("%s: %q is in %s", p, active, text)
			}
		}
		if !strings.Contains(text, `\u003cscript\u003e`) || !strings.Contains(text, `\u202e`) {
			t.Errorf("%s: the title is missing: %s", p, text)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", p, name, got)
			}
		}
		if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") {
			t.Errorf("%s: policy %q", p, csp)
		}
	}
	// an error does not repeat what was asked as it stands
	if text := body(t, get(t, h, strings.Replace(path, "eip155:1", "%3Cscript%3E", 1))); strings.Contains(text, "<") {
		t.Errorf("an error repeats markup: %s", text)
	}
}

func TestToken(t *testing.T) {
	h := web.New(&store{status: followed(true)}, web.Config{Token: "correct horse"})
	for _, p := range []string{"/healthz", "/readyz"} {
		if r := get(t, h, p); r.StatusCode != 200 {
			t.Errorf("%s needs a token: %d", p, r.StatusCode)
		}
	}
	in := get(t, h, "/login", "Authorization", "Bearer correct horse")
	if in.StatusCode != http.StatusNoContent || len(in.Cookies()) != 1 {
		t.Fatalf("login: %d, cookies %v", in.StatusCode, in.Cookies())
	}
	c := in.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, "correct") {
		t.Errorf("cookie %v", c)
	}
	for _, p := range []string{"/metrics", "/api/v1/status", "/api/v1/proposals", path} {
		for _, x := range []struct {
			header []string
			code   int
		}{
			{[]string{"Authorization", "Bearer correct horse"}, 200},
			{[]string{"Authorization", "bearer correct horse"}, 200},
			{[]string{"Authorization", "Bearer correct horse", "Host", "legate.example"}, 200},
			{[]string{"Cookie", c.Name + "=" + c.Value}, 200},
		} {
			if r := get(t, h, p, x.header...); r.StatusCode != x.code {
				t.Errorf("%s with %v: %d", p, x.header, r.StatusCode)
			}
		}
	}
	for _, header := range [][]string{
		nil, {"Authorization", "Bearer correct hors"}, {"Authorization", "Bearer "}, {"Authorization", "Basic correct horse"},
		{"Cookie", c.Name + "=correct horse"}, {"Cookie", c.Name + "="},
	} {
		if r := get(t, h, path, header...); r.StatusCode != http.StatusUnauthorized || r.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("with %v: %d", header, r.StatusCode)
		}
	}
	slow := false
	for range 40 {
		slow = slow || get(t, h, path, "Authorization", "Bearer guess").StatusCode == http.StatusTooManyRequests
	}
	if !slow {
		t.Error("guessing is not slowed")
	}
	if r := get(t, h, path, "Authorization", "Bearer correct horse"); r.StatusCode != 200 {
		t.Errorf("guessing by others locks out who has the token: %d", r.StatusCode)
	}
}

func TestWithoutTokenOnlyLocalNames(t *testing.T) {
	h := web.New(&store{status: followed(true)}, web.Config{})
	for host, code := range map[string]int{
		"localhost:8645": 200, "127.0.0.1": 200, "[::1]:8645": 200, "LOCALHOST": 200,
		"evil.example:8645": 403, "127.0.0.1.evil.example": 403, "192.168.0.7:8645": 403, "": 403,
	} {
		if r := get(t, h, "/api/v1/status", "Host", host); r.StatusCode != code {
			t.Errorf("host %q: %d, want %d", host, r.StatusCode, code)
		}
	}
	for listen, ok := range map[string]bool{"127.0.0.1:8645": true, "[::1]:1": true, "localhost:1": true, "0.0.0.0:8645": false, ":8645": false, "8645": false} {
		if err := web.Guard(listen, ""); (err == nil) != ok {
			t.Errorf("listening at %s without a token: %v", listen, err)
		}
	}
	if err := web.Guard("0.0.0.0:8645", "token"); err != nil {
		t.Error(err)
	}
}

func TestMetricsAreCountedFromRecords(t *testing.T) {
	m := web.NewMetrics()
	seq := int64(0)
	for _, e := range []dossier.Event{
		dossier.WasSeen{},
		dossier.WasGathered{Gathered: dossier.Gathered{Facts: gov.Facts{Unavailable: []gov.Missing{{Part: "treasury.value_usd", Reason: gov.NoPrice}}}}},
		dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.For}},
		dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.For}},
		dossier.WasGated{Gate: gov.Gated{Result: gov.GatePass}},
		dossier.WasLocked{}, dossier.WasSigned{}, dossier.WasSent{}, dossier.WasMined{}, dossier.WasUnmined{},
		dossier.WasFinal{Receipt: gov.Receipt{Support: gov.Known(gov.SupportFor)}},
		dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.NoPower},
		dossier.WasReverted{},
	} {
		seq++
		r, err := dossier.Encode(testID, seq, time.Time{}, e)
		if err != nil {
			t.Fatal(err)
		}
		m.Observe(r)
	}
	m.Alarm()
	h := web.New(&store{status: followed(true)}, web.Config{Metrics: m})
	text := body(t, get(t, h, "/metrics"))
	for _, want := range []string{
		`legate_records_total{type="WasDecided"} 2`, `legate_verdicts_total{direction="for"} 2`, `legate_verdicts_total{direction="hold"} 0`,
		`legate_gates_total{result="pass"} 1`, `legate_votes_total{status="sent"} 2`, `legate_votes_total{status="final"} 1`,
		`legate_votes_cast_total{support="for"} 1`, `legate_alarms_total{kind="no-power"} 1`, `legate_alarms_total{kind="vote-reverted"} 1`,
		`legate_alarms_total{kind="system"} 1`, `legate_facts_unavailable_total{reason="no-price"} 1`,
		`legate_chain_head_block{chain="eip155:1"} 90`, `legate_chain_lag_seconds{chain="eip155:1"} 3.5`, `legate_chain_followed{chain="eip155:1"} 1`,
		`legate_frozen 1`, `legate_live 0`, `legate_proposals{stage="seen"} 1`, `go_goroutines`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing from\n%s", want, text)
		}
	}
	// counters stay readable while the store is gone
	broken := body(t, get(t, web.New(&store{err: errors.New("gone")}, web.Config{Metrics: m}), "/metrics"))
	if !strings.Contains(broken, `legate_votes_total{status="final"} 1`) {
		t.Errorf("without a status the counters are gone:\n%s", broken)
	}
}

func TestRequestsAreBounded(t *testing.T) {
	s := &store{status: followed(true), waiting: make(chan struct{})}
	h := web.New(s, web.Config{})
	const many = 40
	codes := make(chan int, many)
	for range many {
		go func() {
			r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/api/v1/proposals", nil)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			codes <- w.Code
		}()
	}
	for range many - 16 { // all but those that wait are refused at once
		if code := <-codes; code != http.StatusServiceUnavailable {
			t.Fatalf("one over the bound got %d", code)
		}
	}
	if r := get(t, h, "/healthz"); r.StatusCode != 200 {
		t.Errorf("health is not answered under load: %d", r.StatusCode)
	}
	close(s.waiting)
	for range 16 {
		if code := <-codes; code != 200 {
			t.Errorf("one within the bound got %d", code)
		}
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- web.Serve(ctx, l, web.New(&store{status: followed(true)}, web.Config{})) }()
	r, err := http.Get("http://" + l.Addr().String() + "/readyz")
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("%v %v", r, err)
	}
	r.Body.Close()
	stop()
	if err := <-done; err != nil {
		t.Errorf("Serve ended with %v", err)
	}
}
