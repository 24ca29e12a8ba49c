package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Store is the outbox: alerts in the order of delivery, and how far each channel is. Package journal has it.
type Store interface {
	Notes
	// Fill makes alerts of the records that were written since, and says how many.
	Fill(ctx context.Context) (made int, err error)
	// Raise stores an alert that no record makes; fresh is false when one with its id is there.
	Raise(ctx context.Context, a dossier.Alert) (fresh bool, err error)
	// Firing lists what is on now, for channels that forget. What is over is not among them once its alert is stored.
	Firing(ctx context.Context) ([]dossier.Alert, error)
	// Pending lists what a channel has not been given yet, in order.
	Pending(ctx context.Context, channel string, limit int64) ([]dossier.Queued, error)
	// Delivered: the channel has everything up to n, of which sent went out. Failed: the next is tried again.
	// Refused: the channel does not take n, and goes on.
	Delivered(ctx context.Context, channel string, n int64, sent int) error
	Failed(ctx context.Context, channel, why string) error
	Refused(ctx context.Context, channel string, n int64, why string) error
}

// Route sends some alerts to some channels.
type Route struct {
	To []string
	// Events are those that it takes; empty for all.
	Events []dossier.AlertEvent
	// Severity is the least that it takes; empty for all.
	Severity gov.Severity
}

// takes says whether an alert goes this way.
func (r Route) takes(a dossier.Alert) bool {
	return (len(r.Events) == 0 || slices.Contains(r.Events, a.Event)) && rank(a.Severity) >= rank(r.Severity)
}

func rank(s gov.Severity) int {
	return slices.Index([]gov.Severity{gov.Info, gov.Warning, gov.Critical}, s)
}

// RouterConfig is how a router works. Zero values have defaults.
type RouterConfig struct {
	// Routes: an alert goes to the channels of every route that takes it; without any route to all.
	Routes []Route
	// Now is the wall clock for the router's own alerts.
	Now func() time.Time
	Log *slog.Logger
	// Sent is told of every alert that a channel has taken.
	Sent func(channel string, a dossier.Alert)
}

// Router gives each channel its alerts: in order, at least once, each channel for itself.
type Router struct {
	store   Store
	conf    RouterConfig
	workers []*worker
	wake    chan struct{}
}

// New builds a router over open channels, whose names differ.
func New(store Store, channels []Channel, c RouterConfig) (*Router, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Sent == nil {
		c.Sent = func(string, dossier.Alert) {}
	}
	r := &Router{store: store, conf: c, wake: make(chan struct{}, 1)}
	names := map[string]bool{}
	for _, ch := range channels {
		if names[ch.Name()] {
			return nil, fmt.Errorf("two channels are named %q", ch.Name())
		}
		names[ch.Name()] = true
		r.workers = append(r.workers, &worker{router: r, channel: ch, wake: make(chan struct{}, 1)})
	}
	for i, route := range c.Routes {
		for _, name := range route.To {
			if !names[name] {
				return nil, fmt.Errorf("route %d goes to %q, which is no channel", i+1, name)
			}
		}
	}
	return r, nil
}

// Notify stores an alert that no record makes, such as one about the program itself; it is durable when
// Notify returns, and delivered by [Router.Run].
func (r *Router) Notify(ctx context.Context, a dossier.Alert) error {
	if _, err := r.store.Raise(ctx, a); err != nil {
		return err
	}
	r.Wake()
	return nil
}

// Wake has the router look for new records and alerts; it does not wait.
func (r *Router) Wake() { nudge(r.wake) }

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run works until the context ends. A delivery under way then has a few seconds to end.
func (r *Router) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, w := range r.workers {
		all.Go(func() { w.run(ctx) })
		if again, ok := w.channel.(Repeater); ok {
			all.Go(func() { w.repeat(ctx, again) })
		}
	}
	r.fill(ctx)
	all.Wait()
	return nil
}

// lookInterval is how often the records are looked at without a call of Wake: another process may have
// written some.
const lookInterval = time.Second

// fill makes alerts of records, and wakes the channels.
func (r *Router) fill(ctx context.Context) {
	failed := false
	for ctx.Err() == nil {
		_, err := r.store.Fill(ctx)
		if err != nil && ctx.Err() == nil && !failed {
			r.conf.Log.Error("cannot make alerts of the records; tried again each second", "error", err)
		}
		failed = err != nil
		for _, w := range r.workers {
			nudge(w.wake)
		}
		pause(ctx, r.wake, lookInterval)
	}
}

// pause waits for a wake-up, at most so long.
func pause(ctx context.Context, wake <-chan struct{}, long time.Duration) {
	t := time.NewTimer(long)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-t.C:
	}
}

// Drain waits until every channel has what is there now, or cannot be given it: one that failed its last try
// is not waited for. It is for a program that ends.
func (r *Router) Drain(ctx context.Context) error {
	if _, err := r.store.Fill(ctx); err != nil {
		return err
	}
	r.Wake()
	for _, w := range r.workers {
		for {
			list, err := r.store.Pending(ctx, w.channel.Name(), 1)
			if err != nil {
				return err
			}
			if len(list) == 0 || w.ailing() {
				break
			}
			nudge(w.wake)
			pause(ctx, nil, 20*time.Millisecond)
			if ctx.Err() != nil {
				return fmt.Errorf("wait for channel %s: %w", w.channel.Name(), ctx.Err())
			}
		}
	}
	return nil
}

// wants says whether an alert goes to a channel.
func (r *Router) wants(channel string, a dossier.Alert) bool {
	if len(r.conf.Routes) == 0 {
		return true
	}
	return slices.ContainsFunc(r.conf.Routes, func(route Route) bool { return slices.Contains(route.To, channel) && route.takes(a) })
}

// worker gives one channel its alerts.
type worker struct {
	router  *Router
	channel Channel
	wake    chan struct{}

	// turn is held while the channel is given something, so that what is repeated is no older than what was sent.
	turn sync.Mutex

	mu     sync.Mutex
	tries  int  // failed in a row, at the same alert
	warned bool // a person was told of this outage
}

func (w *worker) ailing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tries > 0
}

// run delivers until the context ends.
func (w *worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := w.round(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			w.router.conf.Log.Error("cannot read or note what was delivered; tried again", "channel", w.channel.Name(), "error", err)
			pause(ctx, nil, 5*time.Second)
		case n == 0:
			pause(ctx, w.wake, time.Minute)
		}
	}
}

// round delivers a few alerts, and says how many it looked at.
func (w *worker) round(ctx context.Context) (n int, err error) {
	const few = 32
	store, name := w.router.store, w.channel.Name()
	list, err := store.Pending(ctx, name, few)
	if err != nil {
		return 0, err
	}
	noted := true // whether everything looked at is noted
	for _, q := range list {
		if !w.router.wants(name, q.Alert) {
			noted = false
			continue
		}
		if err := w.deliver(ctx, q); err != nil || ctx.Err() != nil {
			return len(list), err
		}
		noted = true
	}
	if !noted {
		err = store.Delivered(ctx, name, list[len(list)-1].N, 0)
	}
	return len(list), err
}

// deliver gives the channel one alert, as often as it takes. Its error is of the store.
func (w *worker) deliver(ctx context.Context, q dossier.Queued) error {
	store, name := w.router.store, w.channel.Name()
	after := context.WithoutCancel(ctx) // what was delivered is noted, also when all ends
	for {
		err := w.send(ctx, q.Alert)
		if err == nil {
			w.recovered()
			w.router.conf.Sent(name, q.Alert)
			return store.Delivered(after, name, q.N, 1)
		}
		if ctx.Err() != nil {
			return nil // at the next start again
		}
		fault := asFault(err)
		tries := w.failed()
		if fault.Advice == Refuse && tries >= refuseAfter {
			w.recovered()
			w.router.conf.Log.Error("an alert was not taken and is given up", "channel", name, "alert", q.Alert.ID, "why", fault.What)
			if err := store.Refused(after, name, q.N, fault.What); err != nil {
				return err
			}
			return w.report(after, "channel "+name+" does not take an alert", fault)
		}
		if err := store.Failed(after, name, fault.What); err != nil {
			return err
		}
		if tries >= warnAfter[fault.Advice] && w.warnOnce() {
			w.router.conf.Log.Warn("a channel fails; its alerts wait", "channel", name, "why", fault.What)
			if err := w.report(after, "channel "+name+" cannot be given its alerts", fault); err != nil {
				return err
			}
		}
		pause(ctx, nil, backoff(fault, tries))
		if ctx.Err() != nil {
			return nil
		}
	}
}

// refuseAfter is how often an alert is offered that the other side does not take as it is: its refusal may
// have been a passing error of its own.
const refuseAfter = 3

// warnAfter is after how many tries a person is told: at once where the channel is not usable as configured,
// after some ten minutes where it cannot be reached.
var warnAfter = map[Advice]int{Later: 10, Broken: 1, Refuse: refuseAfter + 1}

// backoff is how long to wait after so many failed tries; never less than the other side asked for. A 429 of
// a busy channel says itself when to come back, so its count does not slow it down further.
func backoff(f *Fault, tries int) time.Duration {
	first, most := time.Second, 5*time.Minute
	if f.Advice == Broken {
		first, most = time.Minute, time.Hour
	}
	if f.Advice == Later && f.After > 0 {
		return f.After
	}
	return max(min(first<<min(tries-1, 12), most), f.After)
}

// stopping is how long a delivery under way may still take when all ends.
const stopping = 3 * time.Second

func (w *worker) send(ctx context.Context, a dossier.Alert) error {
	return w.give(ctx, func(sending context.Context) error { return w.channel.Send(sending, a) })
}

// give has the channel to itself for one request, which may end when all ends.
func (w *worker) give(ctx context.Context, request func(context.Context) error) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	sending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*sendTimeout)
	defer cancel()
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(ctx, func() {
		t := time.NewTimer(stopping)
		defer t.Stop()
		select {
		case <-t.C:
			cancel()
		case <-ended:
		}
	})
	defer stop()
	return request(sending)
}

func asFault(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Advice: Later, What: dossier.Untrusted(err.Error()).Quote(200)}
}

func (w *worker) failed() (tries int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries++
	return w.tries
}

func (w *worker) warnOnce() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := !w.warned
	w.warned = true
	return first
}

func (w *worker) recovered() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries, w.warned = 0, false
}

// report tells the other channels. The same within an hour is one alert, so that a channel that does not take
// even this makes no more of them.
func (w *worker) report(ctx context.Context, what string, f *Fault) error {
	return w.router.Notify(ctx, dossier.SystemAlert(gov.Warning, what, f, w.router.conf.Now()))
}
