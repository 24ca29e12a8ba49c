package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"github.com/robfig/cron/v3"
)

// Schedule is a cron expression, in UTC.
type Schedule string

// ParseStrict reads one. What never comes up, such as the 30th of February, is none either.
func (s *Schedule) ParseStrict(text string) error {
	*s = Schedule(text)
	next, err := s.next()
	if err == nil && next(time.Unix(0, 0)).IsZero() {
		err = fmt.Errorf("%q never comes up", text)
	}
	if err != nil {
		return fmt.Errorf(`%w; a schedule is minute, hour, day, month and weekday, in UTC: "0 8 * * 1"`, err)
	}
	return nil
}

// JSONSchema is a word; what it means no schema says.
func (Schedule) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Description: "a cron expression, in UTC"}
}

// next is when it comes up after a time.
func (s Schedule) next() (func(time.Time) time.Time, error) {
	if strings.Contains(string(s), "TZ=") {
		return nil, fmt.Errorf("%q: no other time zone than UTC is taken", string(s))
	}
	c, err := cron.ParseStandard(string(s))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", string(s), err)
	}
	return func(t time.Time) time.Time { return c.Next(t.UTC()) }, nil
}
