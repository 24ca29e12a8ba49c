package notify_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify"
)

// memory is an outbox in memory, for the tests in which days pass.
type memory struct {
	notes
	mu      sync.Mutex
	alerts  []dossier.Alert
	at      map[string]int64
	failed  map[string]int
	refused map[string][]int64
	firing  []dossier.Alert // what is on
	broken  error           // of Firing
}

func (m *memory) Firing(context.Context) ([]dossier.Alert, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.firing), m.broken
}

func newMemory() *memory {
	return &memory{at: map[string]int64{}, failed: map[string]int{}, refused: map[string][]int64{}}
}

func (m *memory) Fill(context.Context) (int, error) { return 0, nil }

func (m *memory) Raise(_ context.Context, a dossier.Alert) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.alerts, func(b dossier.Alert) bool { return a.ID == b.ID }) {
		return false, nil
	}
	m.alerts = append(m.alerts, a)
	return true, nil
}

func (m *memory) Pending(_ context.Context, channel string, limit int64) (out []dossier.Queued, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := m.at[channel] + 1; n <= int64(len(m.alerts)) && int64(len(out)) < limit; n++ {
		out = append(out, dossier.Queued{N: n, Alert: m.alerts[n-1]})
	}
	return out, nil
}

func (m *memory) Delivered(_ context.Context, channel string, n int64, _ int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at[channel] = max(n, m.at[channel])
	return nil
}

func (m *memory) Failed(_ context.Context, channel, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed[channel]++
	return nil
}

func (m *memory) Refused(_ context.Context, channel string, n int64, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refused[channel] = append(m.refused[channel], n)
	m.at[channel] = max(n, m.at[channel])
	return nil
}

// fake is a channel that takes or fails as told.
type fake struct {
	name string
	mu   sync.Mutex
	fail func(a dossier.Alert, try int) error
	try  int
	got  []string
	when []time.Time
}

func (f *fake) Name() string { return f.name }

func (f *fake) Send(_ context.Context, a dossier.Alert) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.try++
	if f.fail != nil {
		if err := f.fail(a, f.try); err != nil {
			return err
		}
	}
	f.got, f.when = append(f.got, a.ID), append(f.when, time.Now())
	return nil
}

func (f *fake) ids() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

// route runs a router over channels in virtual time, until f returns.
func route(t *testing.T, routes []notify.Route, channels []*fake, f func(t *testing.T, m *memory, r *notify.Router)) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var list []notify.Channel
		for _, c := range channels {
			list = append(list, c)
		}
		r, err := notify.New(m, list, notify.RouterConfig{Routes: routes})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		f(t, m, r)
		stop()
		<-done
	})
}

func raise(t *testing.T, r *notify.Router, list ...dossier.Alert) {
	t.Helper()
	for _, a := range list {
		if err := r.Notify(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
}

// system says whether an alert is the router's own, about a channel.
func system(m *memory, what string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.alerts {
		if strings.Contains(a.Title, what) {
			n++
		}
	}
	return n
}

func TestG45SinkDownForDaysDelaysNoOtherAndLosesNothing(t *testing.T) {
	start := time.Time{}
	down := func(dossier.Alert, int) error {
		if time.Since(start) < 7*24*time.Hour {
			return &notify.Fault{What: "down"}
		}
		return nil
	}
	dead, live := &fake{name: "dead", fail: down}, &fake{name: "live"}
	route(t, nil, []*fake{dead, live}, func(t *testing.T, m *memory, r *notify.Router) {
		start = time.Now()
		var want []string
		for i := range 7 * 24 {
			a := plainAlert(fmt.Sprint(i))
			want = append(want, a.ID)
			raise(t, r, a)
			synctest.Wait()
			if got := live.ids(); !slices.Contains(got, a.ID) {
				t.Fatalf("the live channel waits for the dead one at hour %d", i)
			}
			time.Sleep(time.Hour)
		}
		if len(dead.ids()) > 0 {
			t.Fatal("the dead channel was given alerts")
		}
		time.Sleep(10 * time.Minute)
		got := dead.ids()
		for _, id := range want {
			if n := count(got, id); n != 1 {
				t.Errorf("alert %s arrived %d times", id, n)
			}
		}
		if !slices.IsSortedFunc(dead.when, time.Time.Compare) || dead.try > 7*24*60/5+len(want)+60 {
			t.Errorf("%d tries in a week", dead.try)
		}
		if n := system(m, "channel dead cannot be given"); n != 1 {
			t.Errorf("%d alerts about the outage, want 1", n)
		}
	})
}

func count(list []string, id string) (n int) {
	for _, s := range list {
		if s == id {
			n++
		}
	}
	return n
}

func TestFloodOfAlertsArrivesOnceInOrder(t *testing.T) {
	a := &fake{name: "a"}
	route(t, nil, []*fake{a}, func(t *testing.T, m *memory, r *notify.Router) {
		const flood = 10_000
		for i := range flood {
			m.alerts = append(m.alerts, plainAlert(fmt.Sprintf("%05d", i)))
		}
		r.Wake()
		synctest.Wait()
		got := a.ids()
		if len(got) != flood || !slices.IsSorted(got) {
			t.Errorf("%d arrived of %d", len(got), flood)
		}
	})
}

func TestEachAdviceHasItsRetry(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault notify.Fault
		tries int           // until it is taken or given up
		took  time.Duration // about
		taken bool
		told  string
	}{
		{"later backs off", notify.Fault{}, 5, 15 * time.Second, true, ""},
		{"later as asked", notify.Fault{After: 40 * time.Second}, 4, 120 * time.Second, true, ""},
		{"broken is seldom", notify.Fault{Advice: notify.Broken}, 4, 7 * time.Minute, true, "cannot be given"},
		{"refused is given up", notify.Fault{Advice: notify.Refuse}, 3, 3 * time.Second, false, "does not take"},
		{"any error is tried again", notify.Fault{What: "plain"}, 3, 3 * time.Second, true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch := &fake{name: "a"}
			ch.fail = func(a dossier.Alert, try int) error {
				if a.ID == "1" && (try < c.tries || !c.taken) {
					if c.fault.What == "plain" {
						return errors.New("unknown")
					}
					f := c.fault
					f.What = "no"
					return &f
				}
				return nil
			}
			route(t, nil, []*fake{ch, {name: "b"}}, func(t *testing.T, m *memory, r *notify.Router) {
				began := time.Now()
				raise(t, r, plainAlert("1"), plainAlert("2"))
				for len(ch.ids()) == 0 && time.Since(began) < time.Hour {
					time.Sleep(time.Second)
				}
				if took := time.Since(began); took < c.took-time.Second || took > c.took+2*time.Second {
					t.Errorf("took %s, want about %s", took, c.took)
				}
				synctest.Wait()
				want := []string{"1", "2"}
				if !c.taken {
					want = want[1:]
				}
				if got := ch.ids(); !slices.Equal(got[:min(len(got), len(want))], want) {
					t.Errorf("got %v", got)
				}
				if c.told != "" && system(m, c.told) != 1 || c.told == "" && system(m, "channel") != 0 {
					t.Errorf("told: %d alerts about the channel", system(m, "channel"))
				}
				if !c.taken && !slices.Equal(m.refused["a"], []int64{1}) {
					t.Errorf("refused %v", m.refused)
				}
			})
		})
	}
}

// A channel that takes nothing at all makes no endless chain of alerts about itself.
func TestRefusalOfEverythingEnds(t *testing.T) {
	ch := &fake{name: "a", fail: func(dossier.Alert, int) error { return &notify.Fault{Advice: notify.Refuse, What: "no"} }}
	route(t, nil, []*fake{ch}, func(t *testing.T, m *memory, r *notify.Router) {
		raise(t, r, plainAlert("1"), plainAlert("2"))
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if n := len(m.alerts); n > 4 {
			t.Errorf("%d alerts", n)
		}
	})
}

func TestRoutes(t *testing.T) {
	routes := []notify.Route{
		{To: []string{"forum"}, Events: []dossier.AlertEvent{dossier.AlertProposal, dossier.AlertVote}},
		{To: []string{"desk", "pager"}, Severity: gov.Critical},
		{To: []string{"desk"}, Severity: gov.Warning, Events: []dossier.AlertEvent{dossier.AlertReminder}},
	}
	channels := []*fake{{name: "forum"}, {name: "desk"}, {name: "pager"}, {name: "nobody"}}
	route(t, routes, channels, func(t *testing.T, m *memory, r *notify.Router) {
		alert := func(id string, e dossier.AlertEvent, s gov.Severity) dossier.Alert {
			return dossier.Alert{ID: id, Event: e, Severity: s}
		}
		raise(t, r, alert("pi", dossier.AlertProposal, gov.Info), alert("vc", dossier.AlertVote, gov.Critical), alert("rw", dossier.AlertReminder, gov.Warning),
			alert("ri", dossier.AlertReminder, gov.Info), alert("dc", dossier.AlertDecision, gov.Critical), alert("di", dossier.AlertDecision, gov.Info))
		time.Sleep(time.Second)
		synctest.Wait()
		for i, want := range []string{"pi vc", "vc rw dc", "vc dc", ""} {
			if got := strings.Join(channels[i].ids(), " "); got != want {
				t.Errorf("%s got %q, want %q", channels[i].name, got, want)
			}
			if m.at[channels[i].name] != 6 {
				t.Errorf("%s stands at %d", channels[i].name, m.at[channels[i].name])
			}
		}
	})
	if _, err := notify.New(newMemory(), nil, notify.RouterConfig{Routes: []notify.Route{{To: []string{"x"}}}}); err == nil {
		t.Error("a route to no channel was taken")
	}
}

// What is under way when the program ends has a few seconds; what hangs is given again at the next start.
func TestStopWaitsForADeliveryUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		slow, stuck := &slowChannel{name: "slow", takes: 2 * time.Second}, &slowChannel{name: "stuck", takes: time.Hour}
		r, err := notify.New(m, []notify.Channel{slow, stuck}, notify.RouterConfig{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan time.Time, 1)
		go func() { r.Run(ctx); done <- time.Now() }()
		raise(t, r, plainAlert("1"))
		synctest.Wait()
		stop()
		began := time.Now()
		if took := (<-done).Sub(began); took > 4*time.Second {
			t.Errorf("stopping took %s", took)
		}
		if m.at["slow"] != 1 || m.at["stuck"] != 0 {
			t.Errorf("delivered: %v", m.at)
		}
	})
}

type slowChannel struct {
	name  string
	takes time.Duration
}

func (s *slowChannel) Name() string { return s.name }

func (s *slowChannel) Send(ctx context.Context, _ dossier.Alert) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.takes):
		return nil
	}
}

func TestDrain(t *testing.T) {
	dead := &fake{name: "dead", fail: func(dossier.Alert, int) error { return &notify.Fault{What: "down"} }}
	live := &fake{name: "live"}
	route(t, nil, []*fake{dead, live}, func(t *testing.T, m *memory, r *notify.Router) {
		for i := range 100 {
			raise(t, r, plainAlert(fmt.Sprint(i)))
		}
		if err := r.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := len(live.ids()); n != 100 {
			t.Errorf("%d of 100 delivered after Drain", n)
		}
	})
}

// A channel that panics, or whose goroutine exits, has no part in any other, and goes on with the next alert; what it
// could not be given is told as critical.
func TestG51ChannelThatPanicsDelaysNoOther(t *testing.T) {
	poison := plainAlert("poison")
	first := true
	bad := &fake{name: "bad", fail: func(a dossier.Alert, _ int) error {
		if a.ID == poison.ID {
			panic("cannot render this")
		}
		if a.ID == plainAlert("2").ID && first {
			first = false
			runtime.Goexit()
		}
		return nil
	}}
	live := &fake{name: "live"}
	route(t, nil, []*fake{bad, live}, func(t *testing.T, m *memory, r *notify.Router) {
		raise(t, r, plainAlert("1"), poison, plainAlert("2"), plainAlert("3"))
		synctest.Wait()
		if got := len(live.ids()); got < 4 {
			t.Fatalf("the live channel has %d of 4", got)
		}
		time.Sleep(time.Minute)
		want := []string{plainAlert("1").ID, plainAlert("2").ID, plainAlert("3").ID}
		if got := bad.ids(); len(got) < 3 || !slices.Equal(got[:3], want) {
			t.Errorf("the bad channel has %q", got)
		}
		if n := system(m, "channel bad was not given alert 2, which it cannot deal with"); n != 1 {
			t.Errorf("%d alerts about what it was not given", n)
		}
		if n := system(m, "channel bad stopped and is started again"); n != 1 {
			t.Errorf("%d alerts about the channel", n)
		}
		if !slices.Equal(m.refused["bad"], []int64{2}) {
			t.Errorf("refused %v", m.refused)
		}
	})
}
