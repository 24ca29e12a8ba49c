package main

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/legate-dao/legate/policies/strict"
)

// scheduled is when a cron expression, in UTC, comes up next.
func scheduled(expression string) (func(time.Time) time.Time, error) {
	s, err := cron.ParseStandard(expression)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", expression, err)
	}
	return func(t time.Time) time.Time { return s.Next(t.UTC()) }, nil
}

// check says what is no schedule. One that never comes up again, such as the 30th of February, is none either.
func (s SchedulesConfig) check(complain func(path, message, hint string)) {
	for _, one := range []struct{ key, expression string }{{"sweep", s.Sweep}, {"resimulate", s.Resimulate}, {"digest", s.Digest}} {
		next, err := scheduled(one.expression)
		if err == nil && next(time.Unix(0, 0)).IsZero() {
			err = fmt.Errorf("%q never comes up", one.expression)
		}
		if err != nil {
			complain(strict.Path("schedules", one.key), err.Error(), `minute, hour, day, month and weekday, in UTC: "0 8 * * 1"`)
		}
	}
}
