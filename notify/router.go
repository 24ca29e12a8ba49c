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
	"github.com/legate-dao/legate/agent/supervise"
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
	// Sent is called with every alert that a channel has taken.
	Sent func(channel string, a dossier.Alert)
	// Parts keeps the parts of the router going; by default one that raises alerts.
	Parts *supervise.Supervisor
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
	if r.conf.Parts == nil {
		r.conf.Parts = supervise.New(supervise.Config{Tell: r.fell, Log: c.Log})
	}
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

// Tell gives an alert to every channel that takes it, without the store: for what is wrong with the store itself. It
// tries each channel a few times, and returns what did not work.
func (r *Router) Tell(ctx context.Context, a dossier.Alert) error {
	const tries = 3
	failed := make([]error, len(r.workers))
	var all sync.WaitGroup
	for i, w := range r.workers {
		if !r.wants(w.channel.Name(), a) {
			continue
		}
		all.Go(func() {
			for try := range tries {
				if failed[i] = w.send(ctx, a); failed[i] == nil || ctx.Err() != nil {
					return
				}
				pause(ctx, nil, time.Second<<try)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
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
		all.Go(func() { r.conf.Parts.Run(ctx, "channel "+w.channel.Name(), w.run) })
		if again, ok := w.channel.(Repeater); ok {
			all.Go(func() {
				r.conf.Parts.Run(ctx, "what is on at channel "+w.channel.Name(), func(ctx context.Context, part *supervise.Part) error {
					w.repeat(ctx, again)
					return nil
				})
			})
		}
	}
	r.conf.Parts.Run(ctx, "the outbox", r.fill)
	all.Wait()
	return nil
}

// fell raises an alert about a part of the router itself.
func (r *Router) fell(what string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*sendTimeout)
	defer cancel()
	if err := r.Notify(ctx, dossier.SystemAlert(gov.Critical, what, err, r.conf.Now())); err != nil {
		r.conf.Log.Error("could not store an alert", "error", err)
	}
}

// lookInterval is how often the records are looked at without a call of Wake: another process may have
// written some.
const lookInterval = time.Second

// fill makes alerts of records, and wakes the channels.
func (r *Router) fill(ctx context.Context, part *supervise.Part) error {
	failed := false
	for ctx.Err() == nil {
		part.On("new records")
		_, err := r.store.Fill(ctx)
		part.Idle()
		if err != nil && ctx.Err() == nil && !failed {
			r.conf.Log.Error("cannot make alerts of the records; tried again each second", "error", err)
		}
		failed = err != nil
		if ctx.Err() == nil {
			part.Note(err)
		}
		for _, w := range r.workers {
			nudge(w.wake)
		}
		pause(ctx, r.wake, lookInterval)
	}
	return nil
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
	ahead   ahead // of the one goroutine that delivers

	// turn is held while the channel is given something, so that what is repeated is no older than what was sent.
	turn sync.Mutex

	mu     sync.Mutex
	tries  int  // failed in a row, at the same alert
	warned bool // a person was told of this outage

	// of the one goroutine that delivers: what was sent and could not be noted, since the store takes nothing
	sent  int64 // up to here
	count int   // so many
	mute  bool  // the log says so already
}

func (w *worker) ailing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tries > 0
}

// run delivers until the context ends.
func (w *worker) run(ctx context.Context, part *supervise.Part) error {
	for ctx.Err() == nil {
		n, err := w.round(ctx, part)
		if ctx.Err() == nil {
			part.Note(err)
		}
		switch {
		case err != nil && ctx.Err() == nil:
			w.complain(err)
			pause(ctx, nil, 5*time.Second)
		case n == 0:
			part.Idle()
			pause(ctx, w.wake, time.Minute)
		}
	}
	return nil
}

// round delivers a few alerts, and says how many it looked at.
func (w *worker) round(ctx context.Context, part *supervise.Part) (n int, err error) {
	const few = 32
	name := w.channel.Name()
	list, err := w.pending(ctx, w.sent, few)
	if err != nil {
		return 0, err
	}
	if len(list) == 0 && w.count > 0 {
		return 1, w.note(ctx, w.sent)
	}
	noted := true // whether everything looked at is noted
	for _, q := range list {
		if !w.router.wants(name, q.Alert) {
			noted = false
			continue
		}
		if err := w.deliver(ctx, q, part); err != nil || ctx.Err() != nil {
			return len(list), err
		}
		noted = true
	}
	if !noted {
		err = w.note(ctx, list[len(list)-1].N)
	}
	return len(list), err
}

// note notes that the channel has everything up to n.
func (w *worker) note(ctx context.Context, n int64) error {
	if err := w.router.store.Delivered(ctx, w.channel.Name(), n, w.count); err != nil {
		return err
	}
	w.count, w.mute = 0, false
	return nil
}

// noteSent notes that alert n was sent. Where the store takes nothing, it is kept in mind: the alert is not sent again
// and again, and those behind it are sent.
func (w *worker) noteSent(ctx context.Context, n int64) {
	w.sent = n
	w.count++
	if err := w.note(ctx, n); err != nil {
		w.complain(err)
	}
}

// complain logs, once for each outage, that the store takes nothing.
func (w *worker) complain(err error) {
	if !w.mute {
		w.router.conf.Log.Error("cannot read or note what was delivered; tried again", "channel", w.channel.Name(), "error", err)
	}
	w.mute = true
}

// deliver gives the channel one alert, as often as it takes. Its error is of the store.
func (w *worker) deliver(ctx context.Context, q dossier.Queued, part *supervise.Part) error {
	store, name := w.router.store, w.channel.Name()
	after := context.WithoutCancel(ctx) // what was delivered is noted, also when all ends
	for {
		part.On("alert %d, %s", q.N, q.Alert.Title)
		err := w.send(ctx, q.Alert)
		if err == nil {
			w.recovered()
			w.told(q.Alert)
			w.noteSent(after, q.N)
			return nil
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
			if _, panicked := supervise.Panicked(err); panicked {
				what := fmt.Sprintf("channel %s was not given alert %d, which it cannot deal with", name, q.N)
				return w.router.Notify(after, dossier.SystemAlert(gov.Critical, what, fault, w.router.conf.Now()))
			}
			return w.report(after, "channel "+name+" does not take an alert", fault)
		}
		if err := store.Failed(after, name, fault.What); err != nil {
			w.complain(err) // the alert is tried again all the same
		}
		if tries >= warnAfter[fault.Advice] && w.warnOnce() {
			w.router.conf.Log.Warn("a channel fails; its alerts wait", "channel", name, "why", fault.What)
			if err := w.report(after, "channel "+name+" cannot be given its alerts", fault); err != nil {
				return err
			}
		}
		part.Idle()
		if err := w.hold(ctx, q, fault, backoff(fault, tries)); err != nil || ctx.Err() != nil {
			return err
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
// a busy channel says itself when to come back, so its count does not slow it down further; one that asks for less
// than a second each time is not believed for ever.
func backoff(f *Fault, tries int) time.Duration {
	first, most := time.Second, 5*time.Minute
	if f.Advice == Broken {
		first, most = time.Minute, 10*time.Minute
	}
	if f.Advice == Later && f.After >= time.Second {
		return f.After
	}
	if f.Advice == Later && f.After > 0 {
		return max(f.After, min(first/16<<min(tries-1, 9), 30*time.Second))
	}
	return max(min(first<<min(tries-1, 12), most), f.After)
}

// stopping is how long a delivery under way may still take when all ends.
const stopping = 3 * time.Second

func (w *worker) send(ctx context.Context, a dossier.Alert) error {
	return w.give(ctx, func(ctx context.Context) error { return w.channel.Send(ctx, a) })
}

// give has the channel to itself for one request, and gives it the time that it may take.
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
	return supervise.Catch(func() error { return request(sending) })
}

// told tells who wants to know that an alert is out, which is true whatever they do with it.
func (w *worker) told(a dossier.Alert) {
	err := supervise.Catch(func() error { w.router.conf.Sent(w.channel.Name(), a); return nil })
	if err != nil {
		w.router.conf.Log.Error("what observes deliveries failed", "error", err)
	}
}

// asFault is what is to be done about an error. A channel that panics cannot deal with this alert; it has no part in
// the next one.
func asFault(err error) *Fault {
	if p, ok := supervise.Panicked(err); ok {
		return &Fault{Advice: Refuse, What: dossier.Untrusted(p.Error()).Quote(200)}
	}
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
