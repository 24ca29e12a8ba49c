package risk

import (
	"cmp"
	"context"
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
	// Every is how long a reading counts, in chain time.
	Every time.Duration
}

// Reader reads a watched number as it is now, in the unit of its scale. An error makes it unknown.
type Reader interface {
	Read(ctx context.Context, metric gov.Label) (float64, error)
}

// Memory keeps the clocks, and stores what fires in the same transaction.
type Memory interface {
	Watches(ctx context.Context) ([]gov.Watch, error)
	SaveWatches(ctx context.Context, list []gov.Watch, fired []gov.Firing) error
}

// Subject is an open proposal that rules about facts are held against.
type Subject struct {
	ID    gov.ProposalID
	Facts gov.Facts
}

// Config is a desk's parts. Subjects may be nil: rules about facts then have nothing to speak of.
type Config struct {
	Set      *policies.Set
	Metrics  []Metric
	Reader   Reader
	Memory   Memory
	Subjects func(ctx context.Context) ([]Subject, error)
	// Now is the wall clock for the alerts' times.
	Now func() time.Time
	Log *slog.Logger
}

// A rule that could not be evaluated is told of after its `for:`, and not before patience: one failed reading
// is no news. A rule whose truth was not seen for longer than tolerance begins its `for:` anew: that it was true
// all the while is not known. Two hours outlast a restart, and a jump of a chain's clock.
const (
	patience  = 5 * 60
	tolerance = 2 * 3600
	// saveEach is how far a clock may run without being stored.
	saveEach = 600
)

// Desk watches. Its methods may be called by several goroutines.
type Desk struct {
	conf Config

	mu       sync.Mutex
	readings map[gov.Label]reading
	clocks   map[key]gov.Watch // nil before the first tick
	saved    map[key]gov.Watch
	now      gov.UnixTime
}

type reading struct {
	value gov.Maybe[float64]
	at    gov.UnixTime
}

// key names a clock.
type key struct {
	rule   gov.Label
	about  string
	result gov.Tri
}

// New builds a desk.
func New(c Config) *Desk {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{conf: c, readings: map[gov.Label]reading{}}
}

// Tick reads the numbers that are due, evaluates all rules, and returns what fires now; that is stored when
// Tick returns nil. After an error nothing has changed and the next tick fires the same, with the same ids.
func (d *Desk) Tick(ctx context.Context, head gov.Head) ([]gov.Alarm, error) {
	if len(d.conf.Set.EmergencyRules()) == 0 {
		return nil, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.load(ctx); err != nil {
		return nil, err
	}
	d.now = max(d.now, head.Latest.Time) // of several chains the one that is ahead
	metrics := d.read(ctx)
	results, err := d.evaluate(ctx, metrics)
	if err != nil {
		return nil, err
	}
	next, alarms, alerts := d.advance(results)
	if len(alerts) > 0 || d.moved(next) {
		list := slices.SortedFunc(maps.Values(next), func(a, b gov.Watch) int {
			return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.About, b.About), cmp.Compare(a.Result, b.Result))
		})
		if err := d.conf.Memory.SaveWatches(ctx, list, alerts); err != nil {
			return nil, err
		}
		d.saved = next
	}
	d.clocks = next
	return alarms, nil
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
	d.clocks, d.saved = map[key]gov.Watch{}, map[key]gov.Watch{}
	for _, w := range list {
		d.clocks[key{w.Rule, w.About, w.Result}] = w
		d.saved[key{w.Rule, w.About, w.Result}] = w
		d.now = max(d.now, w.Last)
	}
	return nil
}

// read reads the numbers whose last reading counts no more. One that cannot be read is unknown at once.
func (d *Desk) read(ctx context.Context) gov.Metrics {
	out := gov.Metrics{}
	for _, m := range d.conf.Metrics {
		last, ok := d.readings[m.Name]
		if ok && last.value.IsKnown() && int64(d.now-last.at) < int64(m.Every/time.Second) {
			out[m.Name] = last.value
			continue
		}
		fresh := reading{at: d.now}
		v, err := d.conf.Reader.Read(ctx, m.Name)
		switch {
		case err == nil && !math.IsNaN(v) && !math.IsInf(v, 0):
			fresh.value = gov.Known(v)
		case !ok || last.value.IsKnown():
			d.conf.Log.Warn("a watched number cannot be read", "metric", string(m.Name), "error", err)
		}
		d.readings[m.Name] = fresh
		out[m.Name] = fresh.value
	}
	return out
}

// evaluate gives all rules that are not false, by what they speak of.
func (d *Desk) evaluate(ctx context.Context, metrics gov.Metrics) (map[key]gov.Alarm, error) {
	aboutFacts := map[gov.Label]bool{}
	any := false
	for _, r := range d.conf.Set.EmergencyRules() {
		aboutFacts[r.Name] = r.ReadsFacts()
		any = any || r.ReadsFacts()
	}
	out := map[key]gov.Alarm{}
	take := func(about string, f gov.Facts, wanted bool) {
		for _, a := range d.conf.Set.Emergency(f, metrics, d.now) {
			if aboutFacts[a.Rule] == wanted {
				out[key{a.Rule, about, a.Result}] = a
			}
		}
	}
	take("", gov.Facts{}, false)
	if !any || d.conf.Subjects == nil {
		return out, nil
	}
	subjects, err := d.conf.Subjects(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the proposals for the emergency rules: %w", err)
	}
	for _, s := range subjects {
		take(s.ID.String(), s.Facts, true)
	}
	return out, nil
}

// advance moves the clocks, and says what fires.
func (d *Desk) advance(results map[key]gov.Alarm) (next map[key]gov.Watch, alarms []gov.Alarm, fired []gov.Firing) {
	next = map[key]gov.Watch{}
	spans := map[gov.Label]int64{}
	for _, r := range d.conf.Set.EmergencyRules() {
		spans[r.Name] = int64(r.For / time.Second)
	}
	// a rule that is unknown keeps the clock of its truth: unknown is not false
	for k, w := range d.clocks {
		_, unknown := results[key{k.rule, k.about, gov.Unknown}]
		if k.result == gov.True && unknown {
			next[k] = w
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(results), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.rule, b.rule), cmp.Compare(a.about, b.about), cmp.Compare(a.result, b.result))
	}) {
		w, running := d.clocks[k]
		if !running || (!w.Fired && int64(d.now-w.Last) > tolerance) {
			w = gov.Watch{Rule: k.rule, About: k.about, Result: k.result, Since: d.now}
		}
		w.Last = d.now
		span := spans[k.rule]
		if k.result == gov.Unknown {
			span = max(span, patience)
		}
		if !w.Fired && int64(d.now-w.Since) >= span {
			w.Fired = true
			a := results[k]
			alarms = append(alarms, a)
			fired = append(fired, gov.Firing{Alarm: a, Since: w.Since, About: subject(k.about), At: gov.UnixTime(d.conf.Now().Unix())})
		}
		next[k] = w
	}
	return next, alarms, fired
}

func subject(about string) *gov.ProposalID {
	id, err := gov.ParseProposalID(about)
	if about == "" || err != nil {
		return nil
	}
	return &id
}

// moved says whether the clocks differ from the stored ones by more than a little running.
func (d *Desk) moved(next map[key]gov.Watch) bool {
	return !maps.EqualFunc(d.saved, next, func(a, b gov.Watch) bool {
		return a.Since == b.Since && a.Fired == b.Fired && b.Last-a.Last < saveEach
	})
}
