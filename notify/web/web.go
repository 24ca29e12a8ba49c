package web

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
)

// Limits of what one process answers. The API reads the store, which has one connection that the
// pipeline needs more.
const (
	maxInFlight = 16
	answerTime  = 15 * time.Second
)

// Config is how the handler answers.
type Config struct {
	// Token is asked of every request but health and readiness. Empty: none is asked, and only requests
	// addressed to a loopback name are answered, so that a page of another site cannot read through a name
	// that it points at this host.
	Token string
	// Metrics are shown at /metrics beside those of the chains; nil shows only these.
	Metrics *Metrics
	// Log gets what a page or the API could not be made of; nil is silent.
	Log *slog.Logger
	// Tell is called with what panicked while a page or the API was made; nil tells the log alone.
	Tell func(what string, err error)
	// Now is the wall clock from which times on pages are counted; nil is the system's.
	Now func() time.Time
}

// New is the handler of everything that Legate says over HTTP.
func New(r Reader, c Config) http.Handler {
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r = logged{r, c.Log, c.Tell}
	a := api{reader: r}
	p := &pages{reader: r, metrics: c.Metrics, now: c.Now, boot: rand.Text(), log: c.Log}
	open, guarded := http.NewServeMux(), http.NewServeMux()
	for _, rt := range routes(c, r, a, p) {
		mux := guarded
		if rt.open {
			mux = open
		}
		mux.Handle(rt.pattern, rt.handler)
	}
	open.Handle("/", authorize(c.Token, rate.NewLimiter(5, 10), guarded))
	return whole(harden(readOnly(bounded(open))))
}

// route is one address that is answered. Every one is answered to GET and HEAD only; see [readOnly].
type route struct {
	pattern string
	handler http.Handler
	open    bool // without a token
}

// routes are all of them.
func routes(c Config, r Reader, a api, p *pages) []route {
	return []route{
		{"/healthz", http.HandlerFunc(a.healthy), true},
		{"/readyz", http.HandlerFunc(a.ready), true},
		{"/assets/{hash}/{name}", http.HandlerFunc(sendAsset), true},

		{"/metrics", c.Metrics.handler(r), false},
		{"/api/v1/proposals", http.HandlerFunc(a.proposals), false},
		{"/api/v1/proposals/{chain}/{governor}/{number}", http.HandlerFunc(a.proposal), false},
		{"/api/v1/status", http.HandlerFunc(a.status), false},
		{"/login", login(c.Token), false},
		{"/live", http.HandlerFunc(p.live), false},
		{"/{$}", http.HandlerFunc(p.home), false},
		{"/p/{handle...}", http.HandlerFunc(p.show), false},
		{"/", http.HandlerFunc(p.nothing), false},
	}
}

// caught makes a panic of a reader an error. The metrics read in a goroutine of their own, where a panic would end the
// program.
func caught[T any](read func() (T, error)) (out T, err error) {
	err = supervise.Catch(func() (err error) { out, err = read(); return err })
	return out, err
}

// logged is a reader whose failures are in the log: what is answered does not repeat them.
type logged struct {
	Reader
	log  *slog.Logger
	tell func(what string, err error) // may be nil
}

func (l logged) note(ctx context.Context, what string, err error) {
	if _, panicked := supervise.Panicked(err); panicked && l.tell != nil {
		l.tell("a page or the API failed at "+what, err)
	}
	if err != nil && !errors.Is(err, ErrUnknown) && !errors.Is(ctx.Err(), context.Canceled) { // or the reader has gone away
		l.log.Error("what a page or the API shows could not be read", "what", what, "error", err)
	}
}

// Proposals is the reader's.
func (l logged) Proposals(ctx context.Context) ([]dossier.Summary, error) {
	list, err := caught(func() ([]dossier.Summary, error) { return l.Reader.Proposals(ctx) })
	l.note(ctx, "the list of proposals", err)
	return list, err
}

// Document is the reader's.
func (l logged) Document(ctx context.Context, id gov.ProposalID) (dossier.Document, error) {
	d, err := caught(func() (dossier.Document, error) { return l.Reader.Document(ctx, id) })
	l.note(ctx, "the dossier of "+id.String(), err)
	return d, err
}

// Status is the reader's.
func (l logged) Status(ctx context.Context) (Status, error) {
	s, err := caught(func() (Status, error) { return l.Reader.Status(ctx) })
	l.note(ctx, "the status", err)
	return s, err
}

// harden adds the headers under which nothing that we send becomes active.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// readOnly refuses every method but GET and HEAD: nothing over HTTP changes anything.
func readOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed, "only GET and HEAD are answered: nothing over HTTP changes anything")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bounded bounds how many requests are answered at a time, and each in time. Health is answered always.
func bounded(next http.Handler) http.Handler {
	slots := make(chan struct{}, maxInFlight)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			default:
				w.Header().Set("Retry-After", "1")
				refuse(w, http.StatusServiceUnavailable, "too many requests are being answered")
				return
			}
		}
		ctx, cancel := context.WithTimeout(r.Context(), answerTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
