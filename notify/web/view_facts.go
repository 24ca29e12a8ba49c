package web

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// factRow is one fact as policies see it: its path, and its value for people.
type factRow struct {
	Path    string
	Value   string
	Unknown bool
}

// rows collects facts.
type rows struct{ out []factRow }

func (r *rows) put(path, value string, known bool) {
	if !known {
		value = "unknown"
	}
	r.out = append(r.out, factRow{path, value, !known})
}

func putNumber[T int64 | float64](r *rows, path, unit string, m gov.Maybe[T]) {
	v, ok := m.Get()
	text := decimal(float64(v))
	if unit != "" {
		text += " " + unit
	}
	r.put(path, text, ok)
}

func putBool(r *rows, path string, m gov.Maybe[bool]) {
	v, ok := m.Get()
	r.put(path, map[bool]string{true: "yes", false: "no"}[v], ok)
}

// factRows are the numbers that a policy reads.
func (s *seen) factRows() []factRow {
	f := s.facts
	r := &rows{}
	kinds, ok := f.Kinds.Get()
	r.put("kinds", fmt.Sprint(kinds), ok)
	putNumber(r, "unknown_calls", "", f.UnknownCalls)
	status, ok := f.Effects.Status.Get()
	r.put("effects.status", string(status), ok)
	gas, ok := f.Effects.Gas.Get()
	r.put("effects.gas", group(gas.String()), ok)
	t := f.Treasury
	putNumber(r, "treasury.value_usd", "USD", t.ValueUSD)
	putNumber(r, "treasury.outflow_usd", "USD", t.OutflowUSD)
	putNumber(r, "treasury.outflow_bps", "bps", t.OutflowBps)
	putNumber(r, "treasury.allowances", "", t.Allowances)
	putNumber(r, "treasury.allowances_outside", "", t.AllowancesOutside)
	putNumber(r, "treasury.recipients_new", "", t.RecipientsNew)
	u := f.Supply
	putNumber(r, "supply.minted_bps", "bps", u.MintedBps)
	putNumber(r, "supply.burned_bps", "bps", u.BurnedBps)
	putNumber(r, "supply.minters_added", "", u.MintersAdded)
	putBool(r, "supply.cap_raised", u.CapRaised)
	putBool(r, "supply.paused", u.Paused)
	o := f.Roles
	putNumber(r, "roles.granted", "", o.Granted)
	putNumber(r, "roles.granted_outside", "", o.GrantedOutside)
	putNumber(r, "roles.revoked", "", o.Revoked)
	putNumber(r, "roles.owner_changed", "", o.OwnerChanged)
	putNumber(r, "roles.admin_changed", "", o.AdminChanged)
	l := f.Timelock
	putNumber(r, "timelock.delay_before", "s", l.DelayBefore)
	putNumber(r, "timelock.delay_after", "s", l.DelayAfter)
	putNumber(r, "timelock.roles_changed", "", l.RolesChanged)
	g := f.Governor
	putNumber(r, "governor.quorum.before", "tokens", g.Quorum.Before)
	putNumber(r, "governor.quorum.after", "tokens", g.Quorum.After)
	putNumber(r, "governor.threshold.before", "tokens", g.Threshold.Before)
	putNumber(r, "governor.threshold.after", "tokens", g.Threshold.After)
	putNumber(r, "governor.delay.before", "", g.Delay.Before)
	putNumber(r, "governor.delay.after", "", g.Delay.After)
	putNumber(r, "governor.period.before", "", g.Period.Before)
	putNumber(r, "governor.period.after", "", g.Period.After)
	upgrades, ok := f.Upgrades.Get()
	r.put("size(upgrades)", fmt.Sprint(len(upgrades)), ok)
	params, ok := f.Params.Get()
	r.put("size(params)", fmt.Sprint(len(params)), ok)
	x := f.Targets
	putNumber(r, "targets.fresh", "", x.Fresh)
	putNumber(r, "targets.codeless", "", x.Codeless)
	putNumber(r, "targets.proxy", "", x.Proxy)
	putNumber(r, "targets.eoa", "", x.EOA)
	return r.out
}

// outlookRows are the outcomes that were simulated; empty where none was.
func outlookRows(o gov.Outlook) []factRow {
	r := &rows{}
	quantiles := func(path, unit string, q gov.Quantiles) {
		putNumber(r, path+".p05", unit, q.P05)
		putNumber(r, path+".p50", unit, q.P50)
		putNumber(r, path+".p95", unit, q.P95)
	}
	if t, ok := o.Treasury.Get(); ok {
		quantiles("outlook.treasury.runway_days", "days", t.RunwayDays)
		quantiles("outlook.treasury.value_usd", "USD", t.ValueUSD)
	}
	if d, ok := o.Dilution.Get(); ok {
		quantiles("outlook.dilution", "", d)
	}
	if c, ok := o.Collateral.Get(); ok {
		quantiles("outlook.collateral.bad_debt_usd", "USD", c.BadDebtUSD)
	}
	return r.out
}
