package llm

import (
	"errors"
	"sync"
	"time"
)

// A server that failed three times in a row is left alone, first for a minute, then twice as long each
// time, up to half an hour: a dead one must not cost every proposal its time-out. One that is absent costs no
// time and may be started any moment: it is asked again after a minute at most.
const (
	patience   = 3
	firstPause = time.Minute
	longest    = 30 * time.Minute
)

// breaker counts failures in a row. The zero value is closed.
type breaker struct {
	mu     sync.Mutex
	failed int
	open   time.Time
}

// until is when the pause ends; zero when there is none.
func (b *breaker) until(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.open) {
		return b.open
	}
	return time.Time{}
}

func (b *breaker) failures() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

// report takes in how asking went. An answer of any worth shows that the server lives, and what the
// caller broke off shows nothing.
func (b *breaker) report(err error, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var e *Error
	if err != nil && !errors.As(err, &e) {
		return
	}
	switch {
	case err == nil, e.Class == Garbage, e.Class == Truncated:
		b.failed, b.open = 0, time.Time{}
	case e.Class == Canceled, e.Class == Paused:
	default:
		b.failed++
		if b.failed < patience {
			return
		}
		pause := min(longest, firstPause<<min(b.failed-patience, 10))
		if e.Class == Absent {
			pause = firstPause
		}
		b.open = now.Add(pause)
	}
}
