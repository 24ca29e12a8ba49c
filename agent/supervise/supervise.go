package supervise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Config is how a supervisor works. Zero values have defaults.
type Config struct {
	// Tell is called with what needs a person. It may be slow, and it may fail: no part depends on it.
	Tell func(what string, err error)
	Log  *slog.Logger
	// First and Most are the shortest and the longest time before a part is started again; default 1 s and 1 minute.
	First, Most time.Duration
	// Again is after how long the same failure is told again; default 1 hour.
	Again time.Duration
	// Stuck is after how long with one piece of work a part is told to be stuck; default 15 minutes.
	Stuck time.Duration
	Now   func() time.Time
}

// errorsInRow is how many errors in a row a part may note before a person is told.
const errorsInRow = 5

// Supervisor runs parts and knows how each of them does.
type Supervisor struct {
	conf Config

	mu    sync.Mutex
	parts []*Part
	told  map[string]time.Time
}

// New makes a supervisor.
func New(c Config) *Supervisor {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Tell == nil {
		c.Tell = func(what string, err error) { c.Log.Error(what, "error", err) }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.First, c.Most = cmp.Or(c.First, time.Second), cmp.Or(c.Most, time.Minute)
	c.Again, c.Stuck = cmp.Or(c.Again, time.Hour), cmp.Or(c.Stuck, 15*time.Minute)
	return &Supervisor{conf: c, told: map[string]time.Time{}}
}

// Part is one long-running part. A nil part notes nothing.
type Part struct {
	sup  *Supervisor
	name string

	mu    sync.Mutex
	on    string    // what it works on
	since time.Time // when it began with that
	row   int       // errors noted in a row
	state State
}

// State is how a part does.
type State struct {
	Name string `json:"name"`
	// Running is false while it waits to be started again.
	Running bool `json:"running"`
	// Restarts is how often it was started again.
	Restarts int `json:"restarts"`
	// Error is why it stopped last, or what it fails with now; empty while all is well.
	Error string `json:"error"`
	// On is what it worked on when it stopped last.
	On string `json:"on"`
}

// On notes what the part works on from now on. It is told with a failure, and when the part is stuck with it.
func (p *Part) On(format string, args ...any) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on, p.since = fmt.Sprintf(format, args...), p.sup.conf.Now()
}

// Idle notes that the part waits for work.
func (p *Part) Idle() { p.On("") }

// Note notes how a piece of work went that the part will try again by itself. Some errors in a row are told, nil ends
// the row.
func (p *Part) Note(err error) {
	if p == nil {
		return
	}
	p.mu.Lock()
	if err == nil {
		if p.row > 0 {
			p.state.Error = ""
		}
		p.row = 0
		p.mu.Unlock()
		return
	}
	p.row++
	p.state.Error = err.Error()
	tell, on := p.row >= errorsInRow, p.on
	p.mu.Unlock()
	if what := p.name + " fails again and again"; tell { // one failure, whatever the texts of its errors are
		p.sup.tell(what, what, working(on, err))
	}
}

// working adds to an error what was worked on.
func working(on string, err error) error {
	if on == "" {
		return err
	}
	return fmt.Errorf("working on %s: %w", on, err)
}

// errEnded is a part that returned without being asked to.
var errEnded = errors.New("it ended although nobody asked it to")

// Run runs f until the context ends. When f panics, fails or returns before, that is told, and f is called again after a
// pause that doubles while it goes on like that. Run returns when the context ends and f has returned.
func (s *Supervisor) Run(ctx context.Context, name string, f func(context.Context, *Part) error) {
	p := &Part{sup: s, name: name, state: State{Name: name}}
	s.mu.Lock()
	s.parts = append(s.parts, p)
	s.mu.Unlock()
	defer p.ended()
	watching, done := context.WithCancel(ctx)
	defer done()
	go p.watch(watching)
	for wait := s.conf.First; ; wait = min(2*wait, s.conf.Most) {
		begun := s.conf.Now()
		p.begin()
		err := p.call(ctx, f)
		if _, panicked := Panicked(err); ctx.Err() != nil && !panicked {
			return
		}
		p.stopped(err)
		if ctx.Err() != nil {
			return
		}
		if s.conf.Now().Sub(begun) > 10*s.conf.Most {
			wait = s.conf.First // it did well for long
		}
		if !pause(ctx, wait) {
			return
		}
	}
}

// call calls f in a goroutine of its own, which f cannot take down, whatever it does.
func (p *Part) call(ctx context.Context, f func(context.Context, *Part) error) error {
	end := make(chan error, 1)
	go func() {
		err := errEnded // where the goroutine exits under f
		defer func() { end <- err }()
		err = Catch(func() error { return f(ctx, p) })
	}()
	return <-end
}

// watch tells when the part has been at one piece of work for too long: nothing that hangs returns an error.
func (p *Part) watch(ctx context.Context) {
	for stuck := p.sup.conf.Stuck; pause(ctx, stuck/3); {
		p.mu.Lock()
		on, long := p.on, p.sup.conf.Now().Sub(p.since)
		p.mu.Unlock()
		if on != "" && long > stuck {
			p.sup.Tell(p.name+" is stuck; if it does not come back, restart the daemon", fmt.Errorf("working on %s since more than %s", on, stuck))
		}
	}
}

// begin notes that the part runs.
func (p *Part) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Running, p.on, p.row = true, "", 0
}

// ended notes that the part runs no more, as it was asked to.
func (p *Part) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Running = false
}

// stopped tells that the part stopped and is started again.
func (p *Part) stopped(err error) {
	if err == nil {
		err = errEnded
	}
	p.mu.Lock()
	on := p.on
	p.state.Running, p.state.Error, p.state.On = false, err.Error(), on
	p.state.Restarts++
	p.mu.Unlock()
	attrs := []any{"part", p.name, "on", on, "error", err}
	if v, ok := Panicked(err); ok {
		attrs = append(attrs, "stack", string(v.Stack))
	}
	p.sup.conf.Log.Error("a part of the program stopped; it is started again", attrs...)
	p.sup.Tell(p.name+" stopped and is started again", working(on, err))
}

// Tell tells a person of a failure, the same once in a while. That it cannot be told harms nobody.
func (s *Supervisor) Tell(what string, err error) { s.tell(what+"\n"+err.Error(), what, err) }

// tell is Tell where the key says what the same failure is.
func (s *Supervisor) tell(key, what string, err error) {
	s.mu.Lock()
	last, known := s.told[key]
	now := s.conf.Now()
	if known && now.Sub(last) < s.conf.Again {
		s.mu.Unlock()
		return
	}
	if len(s.told) > 1000 { // errors whose texts all differ
		clear(s.told)
	}
	s.told[key] = now
	s.mu.Unlock()
	if failed := Catch(func() error { s.conf.Tell(what, err); return nil }); failed != nil {
		s.conf.Log.Error("could not tell a person", "what", what, "error", err, "why", failed)
	}
}

// States says how every part does, by name.
func (s *Supervisor) States() []State {
	s.mu.Lock()
	parts := slices.Clone(s.parts)
	s.mu.Unlock()
	out := make([]State, 0, len(parts))
	for _, p := range parts {
		p.mu.Lock()
		out = append(out, p.state)
		p.mu.Unlock()
	}
	slices.SortFunc(out, func(a, b State) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// pause waits, and reports whether the context goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
