package web

import (
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// effectsView is what the dry run did, in words and tables.
type effectsView struct {
	Status   badge
	How      string
	Gas      string
	Reason   string // of a revert; foreign
	OutOfGas bool
	Failed   string // number of the call that failed
	Moves    []moveView
	Rights   []rightView
	Outflows []outflowView
	Changes  []changeView // rights, code, parameters, supply: one sentence each
	Touched  string
	Nothing  bool
}

type moveView struct {
	Account account
	Asset   account
	Delta   string
	Out     bool
	Raw     string
}

type rightView struct {
	Owner, Token, Spender account
	Before, After, Peak   string
	Used                  bool
}

type outflowView struct {
	To      account
	Token   account
	Amount  string
	What    string
	USD     string
	Share   string
	Outside bool
}

// changeView is a sentence about one change: what, who, on what.
type changeView struct {
	Look   string
	Who    *account
	Words  string
	On     *account
	Detail string
	Code   string // a role or a hash
}

func (s *seen) effects() *effectsView {
	e := s.facts.Effects
	v := &effectsView{OutOfGas: e.OutOfGas}
	switch e.Status.Or(gov.EffectsUnavailable) {
	case gov.EffectsExecuted:
		v.Status = badge{"good", "executes"}
	case gov.EffectsReverted:
		v.Status = badge{"bad", "reverts"}
	case gov.EffectsExhausted:
		v.Status = badge{"bad", "more than is read"}
	default:
		v.Status = badge{"warn", "no dry run"}
	}
	switch e.Mode {
	case gov.ModeLifecycle:
		v.How = "queued and executed through the governor on a fork"
	case gov.ModeDirect:
		v.How = "each action called straight from the executor, without the governor"
	}
	if gas, ok := e.Gas.Get(); ok {
		v.Gas = group(gas.String())
	}
	if s.reason != "" {
		v.Reason = s.reason.Line(shownValue)
	}
	if e.FailedAction >= 0 && !e.Executed() && e.Status.IsKnown() {
		v.Failed = fmt.Sprint(e.FailedAction + 1)
	}
	for _, d := range e.BalanceDeltas {
		sign := "+"
		if d.Delta.Negative {
			sign = "−"
		}
		v.Moves = append(v.Moves, moveView{s.account(d.Account), s.asset(d.Token), sign + s.amount(d.Token, d.Delta.Size), d.Delta.Negative, d.Delta.String()})
	}
	for _, a := range e.Allowances {
		t := gov.Asset(a.Token)
		v.Rights = append(v.Rights, rightView{s.account(a.Owner), s.account(a.Token), s.account(a.Spender),
			s.amount(t, a.Before), s.amount(t, a.After), s.amount(t, a.Peak), a.Peak.Cmp(a.After) > 0 && a.Peak.Cmp(a.Before) > 0})
	}
	v.Outflows = s.outflows()
	v.Changes = s.changes()
	if e.Executed() {
		v.Touched = fmt.Sprintf("%s, %s, %s", plural(len(e.Calls), "call frame"), plural(len(e.Logs), "log"), plural(len(e.StorageDiffs), "storage slot")+" changed")
	}
	v.Nothing = e.Executed() && len(v.Moves)+len(v.Rights)+len(v.Outflows)+len(v.Changes) == 0
	return v
}

func (s *seen) outflows() []outflowView {
	var out []outflowView
	for _, o := range s.facts.Treasury.Outflows.Or(nil) {
		v := outflowView{To: s.account(o.To), Token: s.asset(o.Token), Amount: s.amount(o.Token, o.Amount), What: outflowWords[o.Kind], Outside: o.Outside}
		if usd, ok := o.USD.Get(); ok {
			v.USD = decimal(usd) + " USD"
		}
		if bps, ok := o.Bps.Get(); ok {
			v.Share = percent(bps / 10_000)
		}
		out = append(out, v)
	}
	return out
}

// changes are the sentences about rights, code, the timelock, the governor, parameters and the supply.
func (s *seen) changes() []changeView {
	var out []changeView
	f := s.facts
	for _, c := range f.Roles.Changes.Or(nil) {
		who, on := s.account(c.Account), s.account(c.Target)
		v := changeView{Look: "info", Who: &who, Words: roleWords[c.Kind], On: &on}
		if c.Kind == gov.RoleGranted || c.Kind == gov.RoleRevoked {
			v.Code = c.Role.Hex()
			if c.Role == (gov.Hash{}) {
				v.Detail, v.Code = "the role over all others", ""
			}
		}
		if c.Outside {
			v.Look = "bad"
			v.Detail = join(v.Detail, "an account outside the DAO and its book")
		}
		out = append(out, v)
	}
	for _, u := range f.Upgrades.Or(nil) {
		proxy, after := s.account(u.Proxy), s.account(u.After)
		out = append(out, changeView{Look: "warn", Who: &proxy, Words: "runs other code from now on:", On: &after, Detail: "before " + u.Before.Hex()})
	}
	for _, p := range f.Params.Or(nil) {
		on := s.account(p.Target)
		v := changeView{Look: "info", Words: p.Signature.Function() + " goes " + fromTo(p.Before, p.After) + " on", On: &on}
		if p.Label != "" {
			v.Words = dossier.Untrusted(p.Label).Line(60) + ": " + v.Words
		}
		if d, ok := p.Direction.Get(); ok {
			v.Detail = map[gov.Tightness]string{gov.Tighter: "stricter than before", gov.Looser: "looser than before", gov.Unclear: "whether it is stricter is not known"}[d]
		}
		out = append(out, v)
	}
	out = appendSpan(out, "The timelock's delay in seconds", f.Timelock.DelayBefore, f.Timelock.DelayAfter)
	out = appendSpan(out, "The quorum in tokens", f.Governor.Quorum.Before, f.Governor.Quorum.After)
	out = appendSpan(out, "The threshold for proposing in tokens", f.Governor.Threshold.Before, f.Governor.Threshold.After)
	out = appendSpan(out, "The delay before voting", f.Governor.Delay.Before, f.Governor.Delay.After)
	out = appendSpan(out, "The voting period", f.Governor.Period.Before, f.Governor.Period.After)
	return append(out, s.supplyChanges()...)
}

func (s *seen) supplyChanges() []changeView {
	var out []changeView
	u := s.facts.Supply
	if bps := u.MintedBps.Or(0); bps > 0 {
		out = append(out, changeView{Look: "warn", Words: "The supply of the governance token grows by " + percent(bps/10_000)})
	}
	if bps := u.BurnedBps.Or(0); bps > 0 {
		out = append(out, changeView{Look: "info", Words: "The supply of the governance token shrinks by " + percent(bps/10_000)})
	}
	if n := u.MintersAdded.Or(0); n > 0 {
		out = append(out, changeView{Look: "bad", Words: plural(int(n), "account") + " may mint from now on"})
	}
	if u.CapRaised.Or(false) {
		out = append(out, changeView{Look: "warn", Words: "The cap of the supply rises"})
	}
	if u.Paused.Or(false) {
		out = append(out, changeView{Look: "warn", Words: "The governance token is paused"})
	}
	if u.SelfDelegated.Or(false) {
		out = append(out, changeView{Look: "bad", Words: "The treasury's own votes are delegated"})
	}
	for _, c := range s.facts.Effects.CodeChanges {
		who := s.account(c.Account)
		words := "has other code"
		if c.Before == (gov.CodeHash{}) {
			words = "is a new contract"
		} else if c.After == (gov.CodeHash{}) {
			words = "has no code any more"
		}
		out = append(out, changeView{Look: "info", Who: &who, Words: words})
	}
	return out
}

func fromTo[T int64 | float64](before, after gov.Maybe[T]) string {
	word := func(m gov.Maybe[T]) string {
		if v, ok := m.Get(); ok {
			return decimal(float64(v))
		}
		return "an unknown value"
	}
	return "from " + word(before) + " to " + word(after)
}

// appendSpan adds a sentence where a number changes, or where only one side of it could be read.
func appendSpan[T int64 | float64](out []changeView, what string, before, after gov.Maybe[T]) []changeView {
	x, known := before.Get()
	y, too := after.Get()
	if (!known && !too) || (known && too && x == y) {
		return out
	}
	return append(out, changeView{Look: "warn", Words: what + " goes " + fromTo(before, after)})
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
