package llm

import (
	"errors"
	"testing"
	"time"
)

// The pause grows to half an hour, ends by itself, and one answer of any worth closes the breaker.
func TestBreaker(t *testing.T) {
	var b breaker
	now := time.Unix(1000, 0)
	fail := func(c Class) { b.report(&Error{Class: c, Err: errors.New("x")}, now) }
	for range 2 {
		fail(Slow)
	}
	if !b.until(now).IsZero() {
		t.Error("open after two")
	}
	for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		fail(Killed)
		until := b.until(now)
		if until.Sub(now) != want {
			t.Errorf("pause %d is %s, want %s", i, until.Sub(now), want)
		}
		now = until
		if !b.until(now).IsZero() {
			t.Error("the pause does not end")
		}
	}
	fail(Absent)
	if until := b.until(now); until.Sub(now) != time.Minute {
		t.Errorf("the pause of an absent server is %s", until.Sub(now))
	}
	now = now.Add(time.Minute)
	b.failed--
	fail(Canceled)
	fail(Paused)
	if b.failures() != 9 {
		t.Errorf("%d failures counted", b.failures())
	}
	b.report(errors.New("a misuse"), now)
	fail(Garbage)
	fail(Absent)
	if b.failures() != 1 || !b.until(now).IsZero() {
		t.Errorf("after an answer %d failures, paused until %v", b.failures(), b.until(now))
	}
}
