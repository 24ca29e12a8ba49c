package web

import (
	"fmt"
	"math"
	"strconv"

	"github.com/legate-dao/legate/agent/dossier"
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

// outlookView is what was simulated of the DAO's prospects.
type outlookView struct {
	Rows    []factRow
	Missing []missingView
	Engine  string
}

// outlookView is nil where no policy reads an outlook, and so none was computed.
func (s *seen) outlookView() *outlookView {
	o := s.doc.Outlook
	if o.Engine == nil {
		return nil
	}
	v := &outlookView{Engine: fmt.Sprintf("%s draws, seed %s, %s", group(strconv.FormatInt(o.Engine.Paths, 10)), dossier.Untrusted(o.Engine.Seed).Line(60), dossier.Untrusted(o.Engine.Version).Line(60))}
	without := gov.Outlook{}
	if o.Without != nil {
		without = *o.Without
	}
	r := &rows{}
	with, before := o.Treasury.Or(gov.TreasuryOutlook{}), without.Treasury.Or(gov.TreasuryOutlook{})
	r.putQuantiles("treasury.runway_days", "days", with.RunwayDays, before.RunwayDays)
	r.putQuantiles("treasury.value_usd", "USD", with.ValueUSD, before.ValueUSD)
	r.putQuantiles("dilution", "", o.Dilution.Or(gov.Quantiles{}), without.Dilution.Or(gov.Quantiles{}))
	if c, ok := o.Collateral.Get(); ok {
		r.putQuantiles("collateral.bad_debt_usd", "USD", c.BadDebtUSD, without.Collateral.Or(gov.CollateralOutlook{}).BadDebtUSD)
	}
	v.Rows = r.out
	for _, m := range o.Missing {
		why := missingWords[m.Reason]
		if why == "" {
			why = dossier.Untrusted(m.Reason).Line(60)
		}
		v.Missing = append(v.Missing, missingView{Part: dossier.Untrusted(m.Part).Line(60), Why: why})
	}
	return v
}

// putQuantiles shows what remains with the proposal, and what without it.
func (r *rows) putQuantiles(path, unit string, with, without gov.Quantiles) {
	for _, q := range []struct {
		name       string
		with, than gov.Maybe[float64]
	}{{"p05", with.P05, without.P05}, {"p50", with.P50, without.P50}, {"p95", with.P95, without.P95}} {
		v, ok := q.with.Get()
		text := outlookNumber(v, unit)
		if before, known := q.than.Get(); known && ok {
			text += ", " + outlookNumber(before, "") + " without"
		}
		r.put(path+"."+q.name, text, ok)
	}
}

// outlookNumber is no more exact than a simulation is.
func outlookNumber(v float64, unit string) string {
	switch {
	case unit != "":
		return decimal(math.Round(v)) + " " + unit
	case math.Abs(v) < 1: // a share
		return decimal(math.Round(v*1e4) / 1e4)
	}
	return decimal(math.Round(v))
}
