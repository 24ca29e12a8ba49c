package risk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// Metric is a watched number.
type Metric struct {
	Name gov.Label
	// Every is how long a reading counts, in chain time and by the wall clock.
	Every time.Duration
}

// Reader reads a watched number as it is now, in the unit of its scale; several are read at once. An error makes it unknown; an [Unreadable]
// says why in words that may be told.
type Reader interface {
	Read(ctx context.Context, metric gov.Label) (gov.Measured, error)
}

// Unreadable is why a number cannot be read: in words of the program, and the error behind it, which may quote a node
// and is for the log.
type Unreadable struct {
	Why string
	Err error
}

// Error is the words and the error.
func (u *Unreadable) Error() string {
	if u.Err == nil {
		return u.Why
	}
	return u.Why + ": " + u.Err.Error()
}

// Unwrap gives the error behind it.
func (u *Unreadable) Unwrap() error { return u.Err }

// Memory keeps the clocks, and stores what is told in the same transaction.
type Memory interface {
	// Watches are the clocks of the rules; SaveWatches replaces them and stores the alerts of what is told.
	Watches(ctx context.Context) ([]gov.Watch, error)
	SaveWatches(ctx context.Context, list []gov.Watch, told []gov.Firing) error
	// Sights are the numbers that cannot be read; SaveSights replaces them and stores the alerts of what is told.
	Sights(ctx context.Context) ([]gov.Sight, error)
	SaveSights(ctx context.Context, list, told []gov.Sight) error
}

// Subject is an open proposal that rules about facts are held against.
type Subject struct {
	ID       gov.ProposalID
	Governor gov.Label // its name, for labels
	Facts    gov.Facts
}

// Config is a desk's parts. Subjects may be nil: rules about facts then have nothing to speak of.
type Config struct {
	Set      *policies.Set
	Metrics  []Metric
	Reader   Reader
	Memory   Memory
	Subjects func(ctx context.Context) ([]Subject, error)
	// Now is the wall clock for the alerts' times, and for how long a number cannot be read.
	Now func() time.Time
	Log *slog.Logger
}

// A rule that could not be evaluated is told of after its `for:`, and not before patience: one failed reading
// is no news. A rule that is not firing yet and whose truth was not seen for longer than tolerance begins its `for:`
// again: that it was true all the while is not known. Two hours outlast a restart, and a jump of a chain's clock.
const (
	patience  = 5 * 60
	tolerance = 2 * 3600
	// saveEach is how far a clock may run without being stored.
	saveEach = 600
	// readIn bounds the reading of all numbers that are due.
	readIn = 15 * time.Second
	// shownFor is how long a rule is called resolved, before it is inactive like any other.
	shownFor = 24 * 3600
)

// Desk watches. Its methods may be called by several goroutines.
type Desk struct {
	conf Config

	mu     sync.Mutex
	clocks map[key]gov.Watch // nil before the first tick
	saved  map[key]gov.Watch
	prior  map[about]gov.Maybe[float64] // the value at the last evaluation that was false
	now    gov.UnixTime
	sights map[gov.Label]gov.Sight
	stored map[gov.Label]gov.Sight

	look     sync.Mutex // of the readings, so that who looks at them waits for no chain
	readings map[gov.Label]reading
}

type reading struct {
	value gov.Maybe[float64] // missing: the last try failed
	got   gov.Measured       // the last one that worked
	at    gov.UnixTime       // chain time of the try
	wall  time.Time          // of the try
	good  time.Time          // of the last one that worked, zero before
}

// about names a rule and what it speaks of; key one of its clocks.
type about struct {
	rule gov.Label
	of   string
}

type key struct {
	about
	result gov.Tri
}

// judged is what a rule says of a subject.
type judged struct {
	gov.Judged
	subject *Subject // nil for a rule that reads watched numbers only
}

// New builds a desk.
func New(c Config) *Desk {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{conf: c, readings: map[gov.Label]reading{}, prior: map[about]gov.Maybe[float64]{}}
}

// Tick reads the numbers that are due, evaluates all rules, and returns what is told now; that is stored when
// Tick returns nil. After an error nothing has changed and the next tick tells the same, with the same ids. A zero
// head is for a chain that does not answer: no time passes for the rules, but what cannot be read is noticed.
func (d *Desk) Tick(ctx context.Context, head gov.Head) ([]gov.Firing, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	d.now = max(d.now, head.Latest.Time) // of several chains the one that is ahead
	metrics := d.read(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := d.saveSights(ctx); err != nil {
		return nil, err
	}
	if d.now == 0 || len(d.conf.Set.EmergencyRules()) == 0 && len(d.clocks) == 0 {
		return nil, nil
	}
	results, err := d.evaluate(ctx, metrics)
	if err != nil {
		return nil, err
	}
	turn := d.advance(results)
	if len(turn.told) > 0 || d.moved(turn.next) {
		list := slices.SortedFunc(maps.Values(turn.next), func(a, b gov.Watch) int {
			return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.About, b.About), cmp.Compare(a.Result, b.Result))
		})
		if err := d.conf.Memory.SaveWatches(ctx, list, turn.told); err != nil {
			return nil, err
		}
		d.saved = turn.next
	}
	d.clocks, d.prior = turn.next, turn.prior
	return turn.told, nil
}

// load takes the clocks over from the last run.
func (d *Desk) load(ctx context.Context) error {
	if d.clocks != nil {
		return nil
	}
	list, err := d.conf.Memory.Watches(ctx)
	if err != nil {
		return err
	}
	blind, err := d.conf.Memory.Sights(ctx)
	if err != nil {
		return err
	}
	d.clocks, d.sights = map[key]gov.Watch{}, map[gov.Label]gov.Sight{}
	for _, w := range list {
		if w.State == "" && w.Result == gov.True { // stored by a release that knew no states
			w.State = gov.AlarmPending
			if w.Fired {
				w.State = gov.AlarmFiring
			}
		}
		d.clocks[key{about{w.Rule, w.About}, w.Result}] = w
		d.now = max(d.now, w.Last)
	}
	for _, s := range blind {
		d.sights[s.Metric] = s
	}
	d.saved, d.stored = maps.Clone(d.clocks), maps.Clone(d.sights)
	return nil
}

// read reads the numbers whose last reading counts no more, beside each other: one chain that does not answer holds up
// the numbers of no other for longer than readIn. One that cannot be read is unknown at once.
func (d *Desk) read(ctx context.Context) gov.Metrics {
	out := gov.Metrics{}
	type answer struct {
		got gov.Measured
		err error
	}
	due, answers := d.due(out), map[gov.Label]*answer{}
	reading, cancel := context.WithTimeout(ctx, readIn)
	defer cancel()
	var all sync.WaitGroup
	for _, m := range due {
		a := &answer{}
		answers[m] = a
		all.Go(func() {
			// a panic here would be nobody's to catch, and end the program; so it is a number that cannot be read
			defer func() {
				if p := recover(); p != nil {
					a.err = &Unreadable{Why: "reading it fails in the program itself", Err: fmt.Errorf("panic: %v", p)}
				}
			}()
			a.got, a.err = d.conf.Reader.Read(reading, m)
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return nil // all ends: what could not be read is no news
	}
	for _, m := range due {
		out[m] = d.take(m, answers[m].got, answers[m].err)
	}
	return out
}

// due lists the numbers to read; those whose reading still counts are put into known.
func (d *Desk) due(known gov.Metrics) (due []gov.Label) {
	d.look.Lock()
	defer d.look.Unlock()
	for _, m := range d.conf.Metrics {
		last, ok := d.readings[m.Name]
		if ok && last.value.IsKnown() && int64(d.now-last.at) < int64(m.Every/time.Second) && d.conf.Now().Sub(last.wall) < m.Every {
			known[m.Name] = last.value
			continue
		}
		due = append(due, m.Name)
	}
	return due
}

// take notes a reading, or that there was none.
func (d *Desk) take(m gov.Label, got gov.Measured, err error) gov.Maybe[float64] {
	d.look.Lock()
	last, ok := d.readings[m]
	d.look.Unlock()
	wall := d.conf.Now()
	fresh := reading{at: d.now, wall: wall, got: last.got, good: last.good}
	if err == nil && (math.IsNaN(got.Value) || math.IsInf(got.Value, 0)) {
		err = &Unreadable{Why: "it is no finite number"}
	}
	if err == nil {
		fresh.value, fresh.got, fresh.good = gov.Known(got.Value), got, wall
		d.seen(m)
	} else {
		if !ok || last.value.IsKnown() {
			d.conf.Log.Warn("a watched number cannot be read", "metric", string(m), "error", err)
		}
		d.unseen(m, fresh, err)
	}
	d.look.Lock()
	defer d.look.Unlock()
	d.readings[m] = fresh
	return fresh.value
}

// evaluate gives what every rule says, by what it speaks of.
func (d *Desk) evaluate(ctx context.Context, metrics gov.Metrics) (map[about]judged, error) {
	aboutFacts := map[gov.Label]bool{}
	anyFacts := false
	for _, r := range d.conf.Set.EmergencyRules() {
		aboutFacts[r.Name] = r.ReadsFacts()
		anyFacts = anyFacts || r.ReadsFacts()
	}
	out := map[about]judged{}
	take := func(of string, f gov.Facts, s *Subject) {
		for _, j := range d.conf.Set.Judge(f, metrics) {
			if aboutFacts[j.Alarm.Rule] == (s != nil) {
				out[about{j.Alarm.Rule, of}] = judged{j, s}
			}
		}
	}
	take("", gov.Facts{}, nil)
	if !anyFacts || d.conf.Subjects == nil {
		return out, nil
	}
	subjects, err := d.conf.Subjects(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the proposals for the emergency rules: %w", err)
	}
	for i := range subjects {
		take(subjects[i].ID.String(), subjects[i].Facts, &subjects[i])
	}
	return out, nil
}

// moved says whether the clocks differ from the stored ones by more than a little running.
func (d *Desk) moved(next map[key]gov.Watch) bool {
	return !maps.EqualFunc(d.saved, next, func(a, b gov.Watch) bool {
		return a.Since == b.Since && a.Fired == b.Fired && (a.Told == nil) == (b.Told == nil) && a.State == b.State && a.Blind == b.Blind && a.Ended == b.Ended && b.Last-a.Last < saveEach
	})
}

// wall is the wall clock as it stands in alerts.
func (d *Desk) wall() gov.UnixTime { return gov.UnixTime(d.conf.Now().Unix()) }

// Number is a watched number as it stands.
type Number struct {
	Metric gov.Label
	Every  time.Duration
	// Read is the last reading that worked, at At by the wall clock; At is zero where none did since the start.
	Read gov.Measured
	At   time.Time
	// Fails says that the last reading failed.
	Fails bool
}

// Numbers are the watched numbers in the order of the configuration, as they were read last. It waits for no chain.
func (d *Desk) Numbers() []Number {
	d.look.Lock()
	defer d.look.Unlock()
	out := make([]Number, 0, len(d.conf.Metrics))
	for _, m := range d.conf.Metrics {
		r, ok := d.readings[m.Name]
		out = append(out, Number{Metric: m.Name, Every: m.Every, Read: r.got, At: r.good, Fails: ok && !r.value.IsKnown()})
	}
	return out
}

func whyOf(err error) string {
	var u *Unreadable
	if errors.As(err, &u) {
		return u.Why
	}
	return "it cannot be read"
}
