package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/legate-dao/legate/agent/supervise"
)

// heard collects what a person is told.
type heard struct {
	mu   sync.Mutex
	list []string
}

func (h *heard) tell(what string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, what+": "+err.Error())
}

func (h *heard) all() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.list, "\n")
}

func TestG51PanickingPartIsToldOnceAndStartedAgainEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s := supervise.New(supervise.Config{Tell: h.tell})
		ctx, cancel := context.WithCancel(t.Context())
		var starts []time.Duration
		begun := time.Now()
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx, "the teller", func(_ context.Context, p *supervise.Part) error {
				starts = append(starts, time.Since(begun))
				p.On("record %d", 17)
				var m map[string]int
				m["nil"] = 1
				return nil
			})
		}()
		time.Sleep(10 * time.Minute)
		state := s.States()[0]
		cancel()
		<-done
		if n := len(starts); n < 10 || n > 20 {
			t.Errorf("%d starts in ten minutes: %v", n, starts)
		}
		if want := []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}; starts[3] != want[3] {
			t.Errorf("started at %v, want %v", starts[:4], want)
		}
		got := h.all()
		if strings.Count(got, "\n") != 0 || !strings.Contains(got, "the teller stopped and is started again: working on record 17: panic at supervise_test.") ||
			!strings.Contains(got, "assignment to entry in nil map") {
			t.Errorf("told %q", got)
		}
		if state.Running || state.Restarts < 10 || state.On != "record 17" || state.Error == "" {
			t.Errorf("state %+v", state)
		}
	})
}

func TestPartThatReturnsEarlyIsStartedAgainAndOneThatWasStoppedIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s := supervise.New(supervise.Config{Tell: h.tell})
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		go s.Run(ctx, "the web server", func(ctx context.Context, _ *supervise.Part) error {
			if n++; n < 3 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		})
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		if got := h.all(); n != 3 || strings.Count(got, "it ended although nobody asked it to") != 1 {
			t.Errorf("%d starts, told %q", n, got)
		}
	})
}

func TestErrorsInARowAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s := supervise.New(supervise.Config{Tell: func(what string, err error) { h.tell(what, err); panic("the outbox too") }})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx, "the desk", func(ctx context.Context, p *supervise.Part) error {
			for i := range 100 {
				p.Note(errors.New("no such metric"))
				if i == 3 {
					p.Note(nil)
				}
			}
			<-ctx.Done()
			return nil
		})
		synctest.Wait()
		if s := s.States()[0]; !s.Running || s.Error != "no such metric" {
			t.Errorf("state %+v", s)
		}
		cancel()
		synctest.Wait()
		if got := h.all(); got != "the desk fails again and again: no such metric" {
			t.Errorf("told %q", got)
		}
	})
}

// Errors of one outage whose texts all differ, such as by a port, are one failure.
func TestErrorsInARowWhoseTextsDifferAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s := supervise.New(supervise.Config{Tell: h.tell})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx, "the desk", func(ctx context.Context, p *supervise.Part) error {
			for i := range 100 {
				p.Note(fmt.Errorf("read from port %d: connection reset", i))
			}
			<-ctx.Done()
			return nil
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		if got := h.all(); got != "the desk fails again and again: read from port 4: connection reset" {
			t.Errorf("told %q", got)
		}
	})
}

func TestCatchKeepsErrorsAndNamesWhatPanicked(t *testing.T) {
	plain := errors.New("plain")
	if err := supervise.Catch(func() error { return plain }); !errors.Is(err, plain) {
		t.Errorf("%v", err)
	}
	if err := supervise.Catch(func() error { return nil }); err != nil {
		t.Errorf("%v", err)
	}
	err := supervise.Catch(func() error {
		var p *heard
		p.list = nil
		return nil
	})
	v, ok := supervise.Panicked(err)
	if !ok || !strings.Contains(v.Where, "supervise_test.go") || len(v.Stack) == 0 {
		t.Errorf("%v, %+v", err, v)
	}
}

func TestG51PartWhoseGoroutineExitsIsStartedAgainAndOneThatHangsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		s := supervise.New(supervise.Config{Tell: h.tell})
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		go s.Run(ctx, "channel forum", func(ctx context.Context, p *supervise.Part) error {
			if n++; n == 1 {
				runtime.Goexit()
			}
			p.Idle()
			time.Sleep(time.Hour) // waits for work
			p.On("alert %d", 7)
			<-ctx.Done() // hangs
			return nil
		})
		time.Sleep(time.Hour)
		if got := h.all(); n != 2 || got != "channel forum stopped and is started again: it ended although nobody asked it to" {
			t.Errorf("%d starts, told %q", n, got)
		}
		time.Sleep(50 * time.Minute)
		cancel()
		synctest.Wait()
		if got := h.all(); strings.Count(got, "is stuck") != 1 || !strings.Contains(got, "working on alert 7 since more than 15m0s") {
			t.Errorf("told %q", got)
		}
	})
}

func TestGroupPanicsWhereItIsWaitedFor(t *testing.T) {
	err := supervise.Catch(func() error {
		var g supervise.Group
		for i := range 4 {
			g.Go(func() {
				if i == 2 {
					panic("in a goroutine")
				}
			})
		}
		g.Wait()
		return nil
	})
	if p, ok := supervise.Panicked(err); !ok || p.Value != "in a goroutine" || !strings.Contains(string(p.Stack), "TestGroupPanicsWhereItIsWaitedFor") {
		t.Errorf("%v", err)
	}
}
