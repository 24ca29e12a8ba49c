package main

import (
	"fmt"
	"strconv"

	"github.com/legate-dao/legate/agent/gov"
)

// factRow is one group of facts on one line.
type factRow struct {
	name  string
	items []string
}

// add appends a fact under its name; a missing one says so, and never looks like 0.
func add[T any](row *factRow, f gov.Facts, name string, m gov.Maybe[T]) {
	text := maybe(m)
	if !m.IsKnown() && (!f.Applies(gov.Part(row.name)) || !f.Applies(gov.Part(row.name+"."+name))) {
		text = "does not apply"
	}
	row.items = append(row.items, name+" "+text)
}

// maybe is a fact as a person reads it.
func maybe[T any](m gov.Maybe[T]) string {
	v, known := m.Get()
	if !known {
		return "unknown"
	}
	if x, ok := any(v).(float64); ok {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// factRows are the facts that policies read, a group a line.
func factRows(f gov.Facts) []factRow {
	rows := []factRow{}
	group := func(name string, fill func(row *factRow)) {
		row := factRow{name: name}
		fill(&row)
		rows = append(rows, row)
	}
	group("calls", func(r *factRow) {
		kinds := "unknown"
		if k, ok := f.Kinds.Get(); ok {
			kinds = joined(k)
		}
		r.items = append(r.items, "kinds "+kinds)
		add(r, f, "unknown_calls", f.UnknownCalls)
	})
	group("effects", func(r *factRow) {
		add(r, f, "status", f.Effects.Status)
		r.items = append(r.items, "mode "+string(f.Effects.Mode))
		add(r, f, "gas", f.Effects.Gas)
	})
	group("treasury", func(r *factRow) {
		t := f.Treasury
		add(r, f, "value_usd", t.ValueUSD)
		add(r, f, "outflow_usd", t.OutflowUSD)
		add(r, f, "outflow_bps", t.OutflowBps)
		add(r, f, "allowances", t.Allowances)
		add(r, f, "allowances_outside", t.AllowancesOutside)
		add(r, f, "recipients_new", t.RecipientsNew)
	})
	group("supply", func(r *factRow) {
		s := f.Supply
		add(r, f, "minted_bps", s.MintedBps)
		add(r, f, "burned_bps", s.BurnedBps)
		add(r, f, "minters_added", s.MintersAdded)
		add(r, f, "cap_raised", s.CapRaised)
		add(r, f, "paused", s.Paused)
	})
	group("roles", func(r *factRow) {
		x := f.Roles
		add(r, f, "granted", x.Granted)
		add(r, f, "granted_outside", x.GrantedOutside)
		add(r, f, "revoked", x.Revoked)
		add(r, f, "owner_changed", x.OwnerChanged)
		add(r, f, "admin_changed", x.AdminChanged)
	})
	group("timelock", func(r *factRow) {
		add(r, f, "delay_before", f.Timelock.DelayBefore)
		add(r, f, "delay_after", f.Timelock.DelayAfter)
		add(r, f, "roles_changed", f.Timelock.RolesChanged)
	})
	group("governor", func(r *factRow) {
		g := f.Governor
		span(r, f, "quorum", g.Quorum)
		span(r, f, "threshold", g.Threshold)
		span(r, f, "delay", g.Delay)
		span(r, f, "period", g.Period)
	})
	group("targets", func(r *factRow) {
		t := f.Targets
		add(r, f, "fresh", t.Fresh)
		add(r, f, "codeless", t.Codeless)
		add(r, f, "proxy", t.Proxy)
		add(r, f, "eoa", t.EOA)
	})
	return rows
}

// span is a number before and after, once where it stays the same.
func span[T comparable](row *factRow, f gov.Facts, name string, s gov.Span[T]) {
	if s.Before == s.After {
		add(row, f, name, s.Before)
		return
	}
	row.items = append(row.items, fmt.Sprintf("%s %s to %s", name, maybe(s.Before), maybe(s.After)))
}
