package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// What the operator's caps are when none are set (FORMATS, `caps`).
const (
	defaultCapUSD = 1_000_000
	defaultCapBps = 500
)

// Outflow is D5.
var Outflow = Check{
	ID: "D5", Name: "outflow", Class: gov.ClassContent, Required: true,
	Title: "Value leaves the treasury, or may be taken from it",
	Text: "Found when a call pays, transfers, streams or approves from the DAO's accounts, and when the dry run shows balances falling or allowances " +
		"raised or used: an allowance is a payment that has not happened yet. A payment as such is info. It is a warning beyond the operator's caps (`caps`: " +
		"1 000 000 USD or 500 bps of the treasury where none are set) and where a spender outside the DAO and its book may take tokens, " +
		"because a spender takes when it wants; and critical at five times a cap, or where such an allowance or operator right has no practical limit.",
	Run: runOutflow,
}

func runOutflow(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D5", "outflow", "Check recipient, amount and purpose; prefer payments over allowances, and bounded allowances over unlimited ones.")
	calls, callsKnown := nodes(f)
	declared := declared(f)
	for _, n := range calls {
		if what := paysOut(n, declared, f.DAO); what != "" {
			r.add(gov.Info, what+": "+callName(n.call), n.evidence(what))
		}
	}
	outflows, outflowsKnown := f.Treasury.Outflows.Get()
	for _, o := range outflows {
		r.add(outflowSeverity(o, f.Caps), fmt.Sprintf("%s to %s%s", outflowTitle(o), o.To, worth(o)), gov.Evidence{What: fmt.Sprintf("%s of %s %s", o.Kind, o.Amount, o.Token), Account: o.To})
	}
	missing := false
	for _, n := range []gov.Maybe[int64]{f.Treasury.Allowances, f.Treasury.AllowancesOutside} {
		above, unknown := positive(n)
		missing = missing || unknown
		if above && len(outflows) == 0 {
			r.add(gov.Warning, count(n.Or(0), "allowance on the treasury's tokens is raised or used", "allowances on the treasury's tokens are raised or used"))
		}
	}
	if s := sumSeverity(f); s != gov.Info {
		r.add(s, sumTitle(f))
	}
	for _, d := range f.Effects.BalanceDeltas {
		if len(outflows) == 0 && d.Delta.Negative && !d.Delta.Size.IsZero() && f.DAO.Own(d.Account) {
			r.add(gov.Info, fmt.Sprintf("the balance of %s falls by %s", d.Account, amountOf(d.Token, d.Delta.Size)), gov.Evidence{What: "balance", Account: d.Account})
		}
	}
	return r.end(acts(p, f) && applies(f, "treasury"), callsKnown && outflowsKnown && !missing && f.Effects.Executed(), "nothing leaves the treasury")
}

// outKinds are the impacts by which value leaves, now or later, and what each is called.
var outKinds = map[gov.ImpactKind]string{
	gov.ImpactPays: "transfers tokens", gov.ImpactAllows: "allows a spender", gov.ImpactStreams: "opens a stream", gov.ImpactOrders: "signs an order",
}

// paysOut says in what way a call by itself moves value out or lets it be moved; empty where it does not.
func paysOut(n node, declared []gov.Impact, dao gov.DAO) string {
	path := gov.CallPath(pathText(n.path))
	for _, i := range declared {
		what, out := outKinds[i.Kind]
		if !out || i.Declared[0] != path || dao.Own(i.To) && !i.To.IsZero() {
			continue
		}
		if i.Asset == gov.Known(gov.Native) && i.Kind == gov.ImpactPays {
			what = "sends native coin"
		}
		return what
	}
	if !n.leaf || impact.Meant(n.call) {
		return ""
	}
	switch n.call.Kind { // as far as a file says
	case gov.KindTransfer:
		return "transfers tokens"
	case gov.KindStream:
		return "opens a stream"
	case gov.KindApproval:
		return "allows a spender"
	}
	return ""
}

func caps(c gov.Caps) gov.Caps {
	if c.OutflowUSD <= 0 {
		c.OutflowUSD = defaultCapUSD
	}
	if c.OutflowBps <= 0 {
		c.OutflowBps = defaultCapBps
	}
	return c
}

// beyond grades a number against a cap.
func beyond(v, limit float64) gov.Severity {
	switch {
	case v > 5*limit:
		return gov.Critical
	case v > limit:
		return gov.Warning
	}
	return gov.Info
}

// worse is the graver of two severities.
func worse(a, b gov.Severity) gov.Severity {
	if a == gov.Critical || b == gov.Critical {
		return gov.Critical
	}
	if a == gov.Warning || b == gov.Warning {
		return gov.Warning
	}
	return gov.Info
}

func sumSeverity(f gov.Facts) gov.Severity {
	c := caps(f.Caps)
	return worse(beyond(f.Treasury.OutflowUSD.Or(0), c.OutflowUSD), beyond(f.Treasury.OutflowBps.Or(0), c.OutflowBps))
}

// unlimited says that there is no limit in practice: no token has 2^127 units.
func unlimited(a gov.Amount) bool { return a.Int().BitLen() >= 128 }

// sumTitle is what leaves in all, as far as it is known.
func sumTitle(f gov.Facts) string {
	usd, inUSD := f.Treasury.OutflowUSD.Get()
	bps, inBps := f.Treasury.OutflowBps.Get()
	out := "the sum of outflows is "
	switch {
	case !inBps:
		return out + dollars(usd)
	case !inUSD:
		return out + percent(bps) + " of the treasury"
	}
	return out + dollars(usd) + ", " + percent(bps) + " of the treasury"
}

// worth is an outflow's value, where it is known.
func worth(o gov.Outflow) string {
	if usd, ok := o.USD.Get(); ok {
		return ", about " + dollars(usd)
	}
	return ""
}

// amountOf is an amount of a token. How many decimals a token has is no fact, so its amounts stay in its smallest unit.
func amountOf(t gov.Asset, n gov.Amount) string {
	if t == gov.Native {
		return coins(n) + " of the chain's coin"
	}
	return fmt.Sprintf("%s of the smallest unit of %s", grouped(n.String()), t)
}

// outflowTitle is what leaves, without to whom.
func outflowTitle(o gov.Outflow) string {
	switch {
	case o.Kind == gov.OutflowNative:
		return "payment of " + amountOf(o.Token, o.Amount)
	case o.Kind == gov.OutflowAllowance && unlimited(o.Amount):
		return fmt.Sprintf("unlimited allowance of %s", o.Token)
	}
	if o.Kind == gov.OutflowApprovalForAll {
		return fmt.Sprintf("a right over all tokens of %s", o.Token)
	}
	return fmt.Sprintf("%s of %s", o.Kind, amountOf(o.Token, o.Amount))
}

// coins are wei as whole coins, exactly.
func coins(wei gov.Amount) string {
	digits := fmt.Sprintf("%019s", wei)
	whole, rest := digits[:len(digits)-18], digits[len(digits)-18:]
	for len(rest) > 0 && rest[len(rest)-1] == '0' {
		rest = rest[:len(rest)-1]
	}
	if rest == "" {
		return grouped(whole)
	}
	return grouped(whole) + "." + rest
}

func outflowSeverity(o gov.Outflow, limits gov.Caps) gov.Severity {
	c := caps(limits)
	s := worse(beyond(o.USD.Or(0), c.OutflowUSD), beyond(o.Bps.Or(0), c.OutflowBps))
	if !o.Outside {
		return s
	}
	switch o.Kind {
	case gov.OutflowApprovalForAll:
		return gov.Critical
	case gov.OutflowAllowance:
		if unlimited(o.Amount) {
			return gov.Critical
		}
		return worse(s, gov.Warning)
	}
	return s
}
