package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
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
	for _, n := range calls {
		if what := paysOut(n, f.DAO); what != "" {
			r.add(gov.Info, what+": "+callName(n.call), n.evidence(what))
		}
	}
	outflows, outflowsKnown := f.Treasury.Outflows.Get()
	for _, o := range outflows {
		r.add(outflowSeverity(o, f.Caps), fmt.Sprintf("%s to %s", outflowTitle(o), o.To), gov.Evidence{What: string(o.Kind), Account: o.To})
	}
	missing := false
	for _, count := range []gov.Maybe[int64]{f.Treasury.Allowances, f.Treasury.AllowancesOutside} {
		above, unknown := positive(count)
		missing = missing || unknown
		if above && len(outflows) == 0 {
			r.add(gov.Warning, fmt.Sprintf("%d allowances on the treasury's tokens raised or used", count.Or(0)))
		}
	}
	if s := sumSeverity(f); s != gov.Info {
		r.add(s, fmt.Sprintf("the sum of outflows is %.2f USD, %.0f bps of the treasury", f.Treasury.OutflowUSD.Or(0), f.Treasury.OutflowBps.Or(0)))
	}
	for _, d := range f.Effects.BalanceDeltas {
		if len(outflows) == 0 && d.Delta.Negative && !d.Delta.Size.IsZero() && f.DAO.Own(d.Account) {
			r.add(gov.Info, fmt.Sprintf("the balance of %s falls by %s %s", d.Account, d.Delta.Size, d.Token), gov.Evidence{What: "balance", Account: d.Account})
		}
	}
	return r.end(acts(p, f) && applies(f, "treasury"), callsKnown && outflowsKnown && !missing && f.Effects.Executed(), "nothing leaves the treasury")
}

var (
	approvals     = selectorsOf("approve(address,uint256)", "increaseAllowance(address,uint256)", "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", "approve(address,address,uint160,uint48)")
	operators     = selectorsOf("setApprovalForAll(address,bool)", "authorizeOperator(address)")
	transfers     = selectorsOf("transfer(address,uint256)")
	transfersFrom = selectorsOf("transferFrom(address,address,uint256)", "safeTransferFrom(address,address,uint256)", "safeTransferFrom(address,address,uint256,bytes)")
)

// paysOut says in what way a call by itself moves value out or lets it be moved; empty where it does not.
func paysOut(n node, dao gov.DAO) string {
	c := n.call
	if !c.Value.IsZero() && !dao.Own(c.To) {
		return "sends native coin"
	}
	switch {
	case approvals.has(c):
		if amount, ok := arg(c, len(c.Args)-1, "uint256"); ok && len(c.Args) == 2 && amount.Amount().IsZero() {
			return "" // takes an allowance back
		}
		return "allows a spender"
	case operators.has(c):
		if on, ok := arg(c, 1, "bool"); ok && !on.Bool() {
			return ""
		}
		return "allows an operator"
	case transfers.has(c):
		if to, ok := arg(c, 0, "address"); ok && dao.Own(to.Address()) {
			return ""
		}
		return "transfers tokens"
	case transfersFrom.has(c):
		from, ok := arg(c, 0, "address")
		to, ok2 := arg(c, 1, "address")
		if ok && ok2 && (!dao.Own(from.Address()) || dao.Own(to.Address())) {
			return ""
		}
		return "transfers tokens"
	}
	if !n.leaf {
		return ""
	}
	switch c.Kind {
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

// outflowTitle is what leaves, without to whom. How many decimals a token has is no fact, so its amounts stay in units.
func outflowTitle(o gov.Outflow) string {
	switch {
	case o.Kind == gov.OutflowNative:
		return "payment of " + coins(o.Amount) + " of the chain's coin"
	case o.Kind == gov.OutflowAllowance && unlimited(o.Amount):
		return fmt.Sprintf("unlimited allowance of %s", o.Token)
	}
	return fmt.Sprintf("%s of %s %s", o.Kind, o.Amount, o.Token)
}

// coins are wei as whole coins, exactly.
func coins(wei gov.Amount) string {
	digits := fmt.Sprintf("%019s", wei)
	whole, rest := digits[:len(digits)-18], digits[len(digits)-18:]
	for len(rest) > 0 && rest[len(rest)-1] == '0' {
		rest = rest[:len(rest)-1]
	}
	if rest == "" {
		return whole
	}
	return whole + "." + rest
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
