package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify"
)

// How often it is looked whether the store and the ledger can be written: seldom, and often while one cannot.
const (
	roomEvery     = time.Minute
	roomEverySoon = 2 * time.Second
	roomPause     = 500 * time.Millisecond
)

// storage is one place in which the daemon must be able to write before it signs.
type storage struct {
	name string // in an alert
	dir  string
	// check looks whether it can be written; much asks for the room of what is written at once at most.
	check func(ctx context.Context, much bool) error
}

// room watches that what is signed can be written: it says once that a disk is full, read-only or failing, by the
// channels even where the store takes no alert, and once that it is over.
type room struct {
	places []storage
	router *notify.Router
	log    *slog.Logger
	over   func(context.Context) // called when everything can be written again
	look   chan struct{}         // something could not be written

	mu    sync.Mutex
	wrong map[string]string // by place
	met   map[string]bool   // folders in which something could not be written since the last look
}

func newRoom(router *notify.Router, log *slog.Logger, over func(context.Context), places ...storage) *room {
	return &room{places: places, router: router, log: log, over: over, look: make(chan struct{}, 1), wrong: map[string]string{}, met: map[string]bool{}}
}

// takes reports whether an error is about a disk that is watched: then it is told here, once, and not by each part that
// met it.
func (r *room) takes(err error) bool {
	var fault *fsfault.Fault
	if r == nil || !errors.As(err, &fault) || !slices.ContainsFunc(r.places, func(p storage) bool { return p.dir == fault.Dir }) {
		return false
	}
	r.mu.Lock()
	r.met[fault.Dir] = true
	r.mu.Unlock()
	select {
	case r.look <- struct{}{}:
	default:
	}
	return true
}

// says is what is wrong now, in a sentence each; empty where everything can be written.
func (r *room) says() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, p := range r.places {
		if s := r.wrong[p.name]; s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return strings.Join(out, "; ")
}

// run looks until the context ends.
func (r *room) run(ctx context.Context) {
	for ctx.Err() == nil {
		for _, p := range r.places {
			r.note(ctx, p, p.check(ctx, r.needsMuch(p)))
		}
		every := roomEvery
		if r.says() != "" {
			every = roomEverySoon
		}
		t := time.NewTimer(every)
		select {
		case <-ctx.Done():
		case <-r.look:
		case <-t.C:
		}
		t.Stop()
		if ctx.Err() == nil && r.says() != "" {
			wait(ctx, roomPause) // what fails again and again asks for a look each time
		}
	}
}

// needsMuch reports whether something did not fit at this place: then it has room only where the largest fits.
func (r *room) needsMuch(p storage) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	much := r.met[p.dir] || r.wrong[p.name] != ""
	delete(r.met, p.dir)
	return much
}

// wait waits for a while, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// note keeps what a look has shown, and tells when it changes.
func (r *room) note(ctx context.Context, p storage, err error) {
	if ctx.Err() != nil {
		return
	}
	is := ""
	var fault *fsfault.Fault
	if errors.As(err, &fault) {
		is = fault.Error()
	} else if err != nil {
		r.log.Warn("it could not be seen whether "+p.name+" can be written; looked at again", "error", err)
		return
	}
	before := r.says()
	r.mu.Lock()
	was := r.wrong[p.name]
	r.wrong[p.name] = is
	r.mu.Unlock()

	switch {
	case is != "" && is != was && !strings.Contains(before, is):
		r.tell(ctx, dossier.SystemAlert(gov.Critical, p.name+" cannot be written", fault, time.Now()))
	case is == "" && was != "" && r.says() == "":
		r.log.Info("there is room again: everything goes on", "was", was)
		r.over(ctx)
		r.tell(ctx, dossier.SystemAlert(gov.Info, p.name+" can be written again: everything goes on", nil, time.Now()))
	}
}

// tell stores an alert where that works, and otherwise gives it to the channels itself. It waits for neither.
func (r *room) tell(ctx context.Context, a dossier.Alert) {
	if a.Severity == gov.Critical {
		r.log.Error(strings.Join(a.Lines, " "), "alert", a.ID)
	}
	if r.router.Notify(ctx, a) == nil {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		if err := r.router.Tell(ctx, a); err != nil && ctx.Err() == nil {
			r.log.Error("a channel could not be told", "alert", a.ID, "error", err)
		}
	}()
}
