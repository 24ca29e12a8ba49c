package policies

import (
	"reflect"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
)

// factsView is what the expressions of every environment see. What a release does not have yet is not in it,
// so it does not compile.
type factsView struct {
	Kinds        gov.Maybe[[]gov.Kind]   `fact:"kinds"`
	UnknownCalls gov.Maybe[int64]        `fact:"unknown_calls"`
	Calls        leafCalls               `fact:"calls"`
	Effects      effectsView             `fact:"effects"`
	Treasury     gov.Treasury            `fact:"treasury"`
	Supply       gov.Supply              `fact:"supply"`
	Roles        gov.Roles               `fact:"roles"`
	Timelock     gov.Timelock            `fact:"timelock"`
	Governor     gov.GovernorFacts       `fact:"governor"`
	Upgrades     gov.Maybe[[]gov.Change] `fact:"upgrades"`
	Params       gov.Maybe[[]gov.Param]  `fact:"params"`
	Targets      gov.Targets             `fact:"targets"`
	Impacts      gov.Maybe[[]gov.Impact] `fact:"impacts"`
}

// ruleView is what rules see.
type ruleView struct {
	factsView
	Outlook  gov.Outlook  `fact:"outlook"`
	Proposal proposalView `fact:"proposal"`
}

// holdView is what hold_if sees.
type holdView struct {
	ruleView
	Context gov.Context      `fact:"context"`
	Text    gov.TextReading  `fact:"text"`
	Brief   gov.BriefReading `fact:"brief"`
}

// proposalView is the proposal without proposer, title and description.
type proposalView struct {
	Name    gov.Label   `fact:"name"`
	Flavour gov.Flavour `fact:"flavour"`
	Clock   gov.Clock   `fact:"clock"`
	// Actions is not known where they were not kept.
	Actions  gov.Maybe[int64] `fact:"actions"`
	TooLarge bool             `fact:"too_large"`
}

// effectsView is the dry run without its evidence.
type effectsView struct {
	Status gov.Maybe[gov.EffectsStatus] `fact:"status"`
	Gas    gov.Maybe[gov.Amount]        `fact:"gas"`
}

// leafCalls are the leaf calls, made when an expression asks for them.
type leafCalls struct{ tree gov.Maybe[[]gov.Call] }

// functionName is the name of a function from a bound ABI or an own table.
type functionName string

// leafView is one leaf call.
type leafView struct {
	To           gov.Address        `fact:"to"`
	Label        gov.Label          `fact:"label"`
	Function     functionName       `fact:"function"`
	Kind         gov.Kind           `fact:"kind"`
	ValueETH     gov.Maybe[float64] `fact:"value_eth"`
	Known        bool               `fact:"known"`
	Delegatecall bool               `fact:"delegatecall"`
	Depth        int64              `fact:"depth"`
}

func leafViews(calls []gov.Call) []leafView {
	leaves := gov.Leaves(calls)
	out := make([]leafView, len(leaves))
	for i, l := range leaves {
		c := l.Call
		out[i] = leafView{
			To: c.To, Label: c.Label, Function: functionName(c.Signature.Function()), Kind: c.Kind,
			ValueETH: gov.Known(c.Value.Float() / 1e18), Known: c.Known, Delegatecall: c.Delegatecall, Depth: int64(l.Depth),
		}
	}
	return out
}

// viewOf is what expressions see of the facts. Unless the calls ran to their end, everything that only execution
// shows is missing, whatever the gatherers put there; what does not exist for this DAO keeps its neutral value.
func viewOf(f *gov.Facts) factsView {
	v := factsView{
		Kinds: f.Kinds, UnknownCalls: f.UnknownCalls, Calls: leafCalls{f.Calls},
		Effects: effectsView{f.Effects.Status, f.Effects.Gas}, Treasury: f.Treasury, Supply: f.Supply, Roles: f.Roles,
		Timelock: f.Timelock, Governor: f.Governor, Upgrades: f.Upgrades, Params: f.Params, Targets: f.Targets, Impacts: f.Impacts,
	}
	if f.Effects.Shows() {
		return v
	}
	// An unavailable run is a missing fact: no comparison with it may come out false, and so reach
	// `otherwise`.
	if f.Effects.Status.Or(gov.EffectsUnavailable) == gov.EffectsUnavailable {
		v.Effects = effectsView{}
	}
	v.Effects.Gas = gov.Maybe[gov.Amount]{}
	v.Treasury = gov.Treasury{ValueUSD: f.Treasury.ValueUSD}
	v.Supply, v.Roles, v.Upgrades = gov.Supply{}, gov.Roles{}, gov.Maybe[[]gov.Change]{}
	v.Impacts = gov.Maybe[[]gov.Impact]{} // what the calls declare is not all that they do
	v.Timelock = gov.Timelock{DelayBefore: f.Timelock.DelayBefore}
	v.Governor = beforeOnly(f.Governor)
	v.Params = withoutOutcome(f.Params)
	keepNeutral(f, &v)
	return v
}

// keepNeutral puts back the values of facts that cannot exist for this DAO: no execution could change them.
func keepNeutral(f *gov.Facts, v *factsView) {
	for _, part := range f.NotApplicable {
		switch part {
		case "supply.minted_bps":
			v.Supply.MintedBps = f.Supply.MintedBps
		case "supply.burned_bps":
			v.Supply.BurnedBps = f.Supply.BurnedBps
		case "supply.minters_added":
			v.Supply.MintersAdded = f.Supply.MintersAdded
		case "supply.cap_raised":
			v.Supply.CapRaised = f.Supply.CapRaised
		case "supply.paused":
			v.Supply.Paused = f.Supply.Paused
		case "supply":
			v.Supply = f.Supply
		case "timelock.delay_after":
			v.Timelock.DelayAfter = f.Timelock.DelayAfter
		case "timelock.roles_changed":
			v.Timelock.RolesChanged = f.Timelock.RolesChanged
		case "timelock":
			v.Timelock = f.Timelock
		case "governor":
			v.Governor = f.Governor
		case "governor.quorum":
			v.Governor.Quorum = f.Governor.Quorum
		case "governor.threshold":
			v.Governor.Threshold = f.Governor.Threshold
		case "governor.delay":
			v.Governor.Delay = f.Governor.Delay
		case "governor.period":
			v.Governor.Period = f.Governor.Period
		}
	}
}

func beforeOnly(g gov.GovernorFacts) (out gov.GovernorFacts) {
	out.Quorum.Before, out.Threshold.Before = g.Quorum.Before, g.Threshold.Before
	out.Delay.Before, out.Period.Before = g.Delay.Before, g.Period.Before
	return out
}

func withoutOutcome(m gov.Maybe[[]gov.Param]) gov.Maybe[[]gov.Param] {
	params, ok := m.Get()
	if !ok {
		return m
	}
	out := make([]gov.Param, len(params))
	for i, p := range params {
		out[i] = gov.Param{Label: p.Label, Target: p.Target, Before: p.Before, Signature: p.Signature}
	}
	return gov.Known(out)
}

// ruleViewOf is what rules see of a case. An outlook of a run that did not execute is none, whoever computed it.
func ruleViewOf(c *gov.Case) ruleView {
	v := ruleView{factsView: viewOf(&c.Facts), Proposal: proposalViewOf(&c.Proposal)}
	if c.Facts.Effects.Executed() {
		v.Outlook = c.Outlook
	}
	return v
}

func proposalViewOf(p *gov.Proposal) proposalView {
	v := proposalView{Name: p.Name, Flavour: p.Flavour, Clock: p.Clock, TooLarge: p.TooLarge}
	if !p.TooLarge || len(p.Actions) > 0 {
		v.Actions = gov.Known(int64(len(p.Actions)))
	}
	return v
}

// scope is the activation of one evaluation. It is not safe for concurrent use.
type scope struct {
	root    *object
	checks  *checkResults
	metrics map[string]any
	short   bool // no list is longer than shortList
}

// ResolveName is part of cel.Activation.
func (s *scope) ResolveName(name string) (any, bool) {
	if i, ok := s.root.typ.index[name]; ok {
		return s.root.get(i), true
	}
	switch {
	case name == checksName && s.checks != nil:
		return s.checks, true
	case name == metricsName && s.metrics != nil:
		return s.metrics, true
	}
	return nil, false
}

// Parent is part of cel.Activation.
func (*scope) Parent() cel.Activation { return nil }

// newScope makes the activation over a view, which v points to.
func newScope[V any](t *objectType, v *V, f *gov.Facts, results *checkResults) *scope {
	return &scope{root: newObject(t, reflect.ValueOf(v).Elem(), place{index: -1}), checks: results, short: short(f)}
}

// checkResults are the outcomes of all checks, one bit each in the order of checks.All.
type checkResults struct{ found, unknown uint64 }

var checksType = types.NewOpaqueType("checks")

func resultsOf(findings []gov.Finding) *checkResults {
	r := &checkResults{}
	for i, c := range checks.All {
		switch checks.StatusOf(c.Name, findings) {
		case gov.Found:
			r.found |= 1 << i
		case gov.Clean, gov.NotApplicable:
		default:
			r.unknown |= 1 << i
		}
	}
	return r
}

// any says whether one of the checks in mask found something.
func (r *checkResults) any(mask uint64) gov.Tri {
	switch {
	case r.found&mask != 0:
		return gov.True
	case r.unknown&mask != 0:
		return gov.Unknown
	}
	return gov.False
}

// ConvertToNative is part of ref.Val.
func (*checkResults) ConvertToNative(reflect.Type) (any, error) { return nil, errNoConversion }

// ConvertToType is part of ref.Val.
func (*checkResults) ConvertToType(ref.Type) ref.Val {
	return types.NewErr("checks have no other type")
}

// Equal is part of ref.Val.
func (*checkResults) Equal(ref.Val) ref.Val { return types.NewErr("checks cannot be compared") }

// Type is part of ref.Val.
func (*checkResults) Type() ref.Type { return checksType }

// Value is part of ref.Val.
func (r *checkResults) Value() any { return r }
