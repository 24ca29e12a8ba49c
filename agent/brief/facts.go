package brief

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// facts adds facts to the sources, each under the next id.
type facts struct{ s *Sources }

func (f facts) add(notable bool, format string, args ...any) {
	f.s.add(source{id: id('f', len(f.s.of('f'))), text: fmt.Sprintf(format, args...), notable: notable})
}

// maxFacts of a kind, such as parameters or findings, that are sources.
const maxFacts = 20

// tell lists the facts that are no calls. Missing ones are not told, except that the calls or their effects
// are not known.
func (f facts) tell(g gov.Facts, leaves []leaf, known bool, findings []gov.Finding, contradicts gov.Maybe[bool]) {
	if v, _ := contradicts.Get(); v {
		f.add(true, "The text says other than the calls do.")
	}
	f.calls(leaves, known)
	f.findings(findings)
	f.effects(g.Effects)
	f.money(g.Treasury)
	f.rights(g)
	f.changes(g)
}

func (f facts) calls(leaves []leaf, known bool) {
	if !known {
		f.add(true, "What the proposal calls is not known.")
		return
	}
	counts := map[gov.Kind]int{}
	unknown := 0
	for _, l := range leaves {
		counts[l.call.Kind]++
		if !l.call.Known {
			unknown++
		}
	}
	var parts []string
	for _, k := range gov.Kinds {
		if n := counts[k]; n > 0 {
			parts = append(parts, string(k)+" "+strconv.Itoa(n))
		}
	}
	switch len(leaves) {
	case 0:
		f.add(true, "The proposal calls nothing.")
		return
	case 1:
		f.add(false, "The proposal makes 1 call, of kind %s.", leaves[0].call.Kind)
	default:
		if len(parts) == 1 {
			f.add(false, "The proposal makes %d calls, all of kind %s.", len(leaves), leaves[0].call.Kind)
			break
		}
		f.add(false, "The proposal makes %d calls: %s.", len(leaves), strings.Join(parts, ", "))
	}
	if unknown > 0 {
		f.add(false, "Calls that are not known to the operator's book: %d.", unknown)
	}
}

func (f facts) effects(e gov.Effects) {
	switch e.Status.Or("") {
	case gov.EffectsExecuted:
		if gas, ok := e.Gas.Get(); ok {
			f.add(false, "A dry run of the calls executed, with %s gas.", gas)
			return
		}
		f.add(false, "A dry run of the calls executed.")
	case gov.EffectsReverted:
		if e.FailedAction >= 0 {
			f.add(true, "A dry run of the calls reverted, in action %d.", e.FailedAction)
			return
		}
		f.add(true, "A dry run of the calls reverted.")
	case gov.EffectsExhausted:
		if e.OutOfGas {
			f.add(true, "The calls need more gas than a block has.")
			return
		}
		f.add(true, "The calls do more than a dry run takes in, so not all that they do is known.")
	case gov.EffectsUnavailable:
		f.add(true, "A dry run of the calls could not be made.")
	}
}

func (f facts) money(t gov.Treasury) {
	usd, ok := t.OutflowUSD.Get()
	if ok && usd > 0 {
		text := "About " + cents(usd) + " USD leave the treasury"
		if bps, ok := t.OutflowBps.Get(); ok {
			text += ", " + cents(bps) + " bps of its value"
		}
		f.add(true, "%s.", text)
	}
	if n, _ := t.AllowancesOutside.Get(); n == 1 {
		f.add(true, "1 allowance lets an account outside the DAO move tokens of the treasury.")
	} else if n > 1 {
		f.add(true, "%d allowances let accounts outside the DAO move tokens of the treasury.", n)
	}
	if n, _ := t.RecipientsNew.Get(); n > 0 {
		f.add(false, "%d recipients were never paid by this DAO before.", n)
	}
}

func (f facts) rights(g gov.Facts) {
	granted, _ := g.Roles.Granted.Get()
	outside, _ := g.Roles.GrantedOutside.Get()
	revoked, _ := g.Roles.Revoked.Get()
	if granted+revoked > 0 {
		f.add(outside > 0, "Roles granted: %d, of them to outsiders: %d; revoked: %d.", granted, outside, revoked)
	}
	if bps, _ := g.Supply.MintedBps.Get(); bps > 0 {
		f.add(true, "New governance tokens are minted: %s bps of the supply.", cents(bps))
	}
}

func (f facts) changes(g gov.Facts) {
	upgrades, _ := g.Upgrades.Get()
	for _, u := range upgrades[:min(len(upgrades), maxFacts)] {
		f.add(true, "The code behind %s changes from %s to %s.", u.Proxy.Hex(), u.Before.Hex(), u.After.Hex())
	}
	params, _ := g.Params.Get()
	for i, p := range params[:min(len(params), maxFacts)] {
		before, hadBefore := p.Before.Get()
		after, hadAfter := p.After.Get()
		if !hadBefore || !hadAfter {
			continue
		}
		name := p.Signature.Function()
		if p.Label != "" {
			name = string(p.Label) + " " + name
		}
		f.add(i < 2, "Parameter %s of %s: from %s to %s.", name, p.Target.Hex(), float(before), float(after))
	}
	span(f, "The timelock's delay in seconds", gov.Span[int64]{Before: g.Timelock.DelayBefore, After: g.Timelock.DelayAfter})
	span(f, "The quorum in tokens", g.Governor.Quorum)
	span(f, "The proposal threshold in tokens", g.Governor.Threshold)
	span(f, "The voting delay", g.Governor.Delay)
	span(f, "The voting period", g.Governor.Period)
}

func span[T int64 | float64](f facts, what string, s gov.Span[T]) {
	before, ok := s.Before.Get()
	after, ok2 := s.After.Get()
	if ok && ok2 && before != after {
		f.add(true, "%s changes from %s to %s.", what, float(float64(before)), float(float64(after)))
	}
}

// cents is v with at most two decimals.
func cents(v float64) string { return float(math.Round(v*100) / 100) }

func float(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// findings are those that are more than a remark, the gravest first.
func (f facts) findings(all []gov.Finding) {
	var found []gov.Finding
	for _, x := range all {
		if x.Status == gov.Found && x.Severity != gov.Info && x.Class != gov.ClassText {
			found = append(found, x)
		}
	}
	rank := func(s gov.Severity) int { return slices.Index([]gov.Severity{gov.Critical, gov.Warning}, s) }
	slices.SortStableFunc(found, func(a, b gov.Finding) int { return cmp.Compare(rank(a.Severity), rank(b.Severity)) })
	for i, x := range found[:min(len(found), maxFacts)] {
		f.add(i < 2 && x.Severity == gov.Critical, "Finding %s, %s: %s.", x.Name, x.Severity, strings.TrimSuffix(x.Title, "."))
	}
}

// gather numbers all sources of a dossier. Claims and contradiction come from code.
func gather(d dossier.Dossier, contradicts gov.Maybe[bool], suspicious func(dossier.Untrusted) bool) (*Sources, []sentence, bool) {
	s := newSources()
	text := written(d.Text)
	sentences, cut := sentencesOf(text)
	for _, x := range sentences {
		s.add(source{id: x.id, text: x.text})
	}
	s.long = len([]rune(text[:min(len(text), 4*longText+4)])) > longText
	var shown dossier.Shown
	shown.Merge(d.Shown)
	var g gov.Facts
	var findings []gov.Finding
	if d.Gathered != nil {
		shown.Merge(d.Gathered.Shown)
		g, findings = d.Gathered.Facts, d.Gathered.Findings
	}
	calls, known := g.Calls.Get()
	leaves := leavesOf(calls, "", nil)
	t := newTeller(d, g, shown, suspicious)
	for i, l := range leaves[:min(len(leaves), maxCalls)] {
		s.add(t.callSource(i, l))
	}
	if d.Gathered != nil {
		facts{s}.tell(g, leaves, known, findings, contradicts)
	}
	return s, sentences, cut
}

// longText is the length in characters from which a text must be cited.
const longText = 500
