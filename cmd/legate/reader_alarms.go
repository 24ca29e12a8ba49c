package main

import (
	"context"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/notify/web"
)

// alarmStatus adds emergency rules, watched numbers, tables and channels to the status. Rules are read from the store,
// so that what is shown is what was told.
func (e *engine) alarmStatus(ctx context.Context, s *web.Status) error {
	s.Alarms, s.Metrics, s.Files, s.Deliveries = []web.Alarm{}, []web.Number{}, []web.File{}, []web.Delivery{}
	if e.alerts == nil {
		return nil
	}
	now := time.Now()
	watches, err := e.alerts.outbox.Watches(ctx)
	if err != nil {
		return err
	}
	s.Alarms = e.alerts.alarms(watches)
	sights, err := e.alerts.outbox.Sights(ctx)
	if err != nil {
		return err
	}
	s.Metrics = e.alerts.numbers(sights, now)
	for _, f := range e.world.files() {
		s.Files = append(s.Files, f.shown(now))
	}
	channels, err := e.db.Deliveries(ctx)
	if err != nil {
		return err
	}
	for _, d := range channels {
		if _, configured := e.conf.Channels[d.Channel]; configured {
			s.Deliveries = append(s.Deliveries, web.Delivery{Channel: d.Channel, Waiting: d.Pending, Failed: d.Failed, Refused: d.Refused, Error: dossier.Untrusted(d.Error)})
		}
	}
	return nil
}

// alarms are all rules in the order of the file, each at least once.
func (a *alerting) alarms(watches []gov.Watch) []web.Alarm {
	out := []web.Alarm{}
	for _, rule := range a.set.EmergencyRules() {
		of := map[string]web.Alarm{}
		var order []string
		for _, w := range watches {
			if w.Rule != rule.Name || w.Result == gov.Unknown && !w.Fired {
				continue
			}
			was, twice := of[w.About]
			if was.State == gov.AlarmFiring {
				continue // it fires, and cannot be evaluated: unknown is not over
			}
			if !twice {
				order = append(order, w.About)
			}
			of[w.About] = alarmOf(w)
		}
		if len(order) == 0 {
			order, of[""] = []string{""}, web.Alarm{State: gov.AlarmInactive}
		}
		for _, about := range order {
			one := of[about]
			one.Rule, one.Severity, one.Expression = rule.Name, rule.Severity, rule.When
			out = append(out, one)
		}
	}
	return out
}

func alarmOf(w gov.Watch) web.Alarm {
	out := web.Alarm{State: w.State, Since: w.Since, Before: w.Before, Blind: w.Blind, Ended: w.Ended}
	if w.Result == gov.Unknown {
		out.State = gov.AlarmUnknown
	}
	if w.Block > 0 {
		out.Block = gov.Known(w.Block)
	}
	if id, err := gov.ParseProposalID(w.About); err == nil && w.About != "" {
		out.Proposal = &id
	}
	if w.Told != nil {
		told := dossier.AlarmAlert(*w.Told)
		out.Value, out.Limit, out.Metric = told.Value, told.Limit, told.Metric
	}
	return out
}

// numbers are the watched numbers in the order of the configuration.
func (a *alerting) numbers(sights []gov.Sight, now time.Time) []web.Number {
	out := []web.Number{}
	for _, n := range a.desk.Numbers() {
		one := web.Number{Metric: n.Metric}
		if !n.At.IsZero() {
			one.Value, one.Age, one.Source = gov.Known(n.Read.Value), gov.Known(max(now.Sub(n.At).Seconds(), 0)), n.Read.Source
			one.Block = gov.Known(n.Read.Block.Number)
		}
		for _, s := range sights {
			if s.Metric == n.Metric {
				one.Error, one.Since, one.Blind = s.Why, s.Since, s.Told
			}
		}
		out = append(out, one)
	}
	return out
}
