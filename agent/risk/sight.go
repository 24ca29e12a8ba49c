package risk

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/gov"
)

// blindAfter is after how many intervals without a reading people are told, and how many readings must have failed:
// a jump of a clock is no blindness.
const blindAfter = 3

// unseen notes that a number could not be read.
func (d *Desk) unseen(m gov.Label, r reading, err error) {
	s, known := d.sights[m]
	if !known {
		s = gov.Sight{Metric: m, Since: d.wall(), Chain: d.now}
	}
	s.Ended = 0 // that it was over could not be stored
	s.Fails, s.Why, s.Rules = s.Fails+1, whyOf(err), d.rulesOn(m)
	if !r.good.IsZero() {
		s.Last, s.LastAt = gov.Known(r.got.Value), gov.UnixTime(r.good.Unix())
	}
	d.sights[m] = s
}

// seen notes that a number could be read.
func (d *Desk) seen(m gov.Label) {
	s, known := d.sights[m]
	switch {
	case !known:
	case s.Told && s.Ended == 0:
		s.Ended = d.wall()
		d.sights[m] = s
	case !s.Told:
		delete(d.sights, m)
	}
}

// rulesOn are the emergency rules that read a number.
func (d *Desk) rulesOn(m gov.Label) []gov.Label {
	out := []gov.Label{}
	for _, r := range d.conf.Set.EmergencyRules() {
		if slices.Contains(r.Metrics(), m) {
			out = append(out, r.Name)
		}
	}
	return out
}

// saveSights tells of numbers that could not be read for three intervals, and of those that can be again.
func (d *Desk) saveSights(ctx context.Context) error {
	next := map[gov.Label]gov.Sight{}
	var told []gov.Sight
	every := map[gov.Label]time.Duration{}
	for _, m := range d.conf.Metrics {
		every[m.Name] = m.Every
	}
	for _, m := range slices.Sorted(maps.Keys(d.sights)) {
		s := d.sights[m]
		if _, still := every[m]; !still && s.Ended == 0 {
			s.Ended, s.Why = d.wall(), "it is not watched any more"
		}
		switch {
		case s.Ended != 0:
			if s.Told {
				told = append(told, s)
			}
			continue // it is over: forgotten once told
		case !s.Told && d.isBlind(s, every[m]):
			s.Told, s.Raised = true, d.wall()
			told = append(told, s)
		}
		next[m] = s
	}
	if len(told) > 0 || !maps.EqualFunc(d.stored, next, func(a, b gov.Sight) bool { return a.Since == b.Since && a.Told == b.Told }) {
		list := []gov.Sight{}
		for _, m := range slices.Sorted(maps.Keys(next)) {
			list = append(list, next[m])
		}
		if err := d.conf.Memory.SaveSights(ctx, list, told); err != nil {
			return err
		}
		d.stored = maps.Clone(next)
	}
	d.sights = next
	return nil
}

// isBlind says whether a number could not be read for three of its intervals, by the clock that ran further.
func (d *Desk) isBlind(s gov.Sight, every time.Duration) bool {
	long := blindAfter * every
	byChain := s.Chain > 0 && int64(d.now-s.Chain) >= int64(long/time.Second)
	return s.Fails >= blindAfter && (byChain || d.conf.Now().Sub(s.Since.Time()) >= long)
}
