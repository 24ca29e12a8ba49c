package policies

import (
	"encoding/json"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/legate-dao/legate/agent/gov"
)

// Emergency lists the emergency rules that are true at this moment, and those that could not be evaluated.
// It is pure: who calls it keeps the clock of [EmergencyRule.For], and does nothing about an unknown one
// but alert that it could not be evaluated. A metric that is missing is unknown.
func (s *Set) Emergency(f gov.Facts, m gov.Metrics, _ gov.UnixTime) []gov.Alarm {
	out := []gov.Alarm{}
	for _, j := range s.Judge(f, m) {
		if j.Alarm.Result != gov.False {
			out = append(out, j.Alarm)
		}
	}
	return out
}

// Judge says of every emergency rule, in the order of the file, what it is at this moment and what it read. It is
// pure; a metric that is missing is unknown.
func (s *Set) Judge(f gov.Facts, m gov.Metrics) []gov.Judged {
	if len(s.emergency) == 0 {
		return nil
	}
	view := viewOf(&f)
	on := newScope(emergencyEnv.root, &view, &f, nil)
	on.metrics = map[string]any{}
	for i := range s.emergency {
		for _, r := range s.emergency[i].expr.reads {
			if r.metric != "" {
				on.metrics[r.metric] = metricValue(m, r.metric)
			}
		}
	}
	out := make([]gov.Judged, 0, len(s.emergency))
	for i := range s.emergency {
		r := &s.emergency[i]
		result, why := r.expr.evaluate(on)
		a := gov.Alarm{Rule: r.Name, Result: result, Severity: r.Severity, Why: why}
		if result != gov.Unknown {
			a.Do, a.Why = r.Do, r.When
		}
		out = append(out, gov.Judged{Alarm: a, Reading: r.reading(on)})
	}
	return out
}

// reading is what the rule read, and the two sides of its comparison where it is one.
func (r *EmergencyRule) reading(on *scope) gov.RuleReading {
	out := gov.RuleReading{Expression: r.When, Metrics: r.Metrics(), Values: r.expr.values(on)}
	side, limit, ok := r.expr.comparison()
	if !ok {
		return out
	}
	out.Limit = gov.Known(limit)
	if len(out.Metrics) == 1 {
		out.Metric = out.Metrics[0]
	}
	for _, v := range out.Values {
		if v.Name == side {
			out.Value = numberIn(v.Value)
		}
	}
	return out
}

// numberIn is the number that a value of a trace is; missing for null and for what is none.
func numberIn(raw json.RawMessage) gov.Maybe[float64] {
	var n *float64
	if json.Unmarshal(raw, &n) != nil || n == nil {
		return gov.Maybe[float64]{}
	}
	return gov.Known(*n)
}

// comparison says whether the whole expression is one comparison of one thing that it reads with a constant number,
// whichever side that stands on.
func (e *expression) comparison() (reads string, limit float64, ok bool) {
	root := e.tree.Expr()
	if root.Kind() != ast.CallKind || len(e.reads) != 1 {
		return "", 0, false
	}
	switch root.AsCall().FunctionName() {
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals, operators.Equals, operators.NotEquals:
	default:
		return "", 0, false
	}
	args := root.AsCall().Args()
	for i, a := range args {
		n, isNumber := constantOf(a)
		if isNumber && e.isRead(args[1-i]) {
			return e.reads[0].name, n, true
		}
	}
	return "", 0, false
}

// isRead says whether an expression is one thing read and nothing else: a metric, or a fact.
func (e *expression) isRead(x ast.Expr) bool {
	if x.Kind() == ast.CallKind && x.AsCall().FunctionName() == operators.Index {
		args := x.AsCall().Args()
		if args[0].Kind() == ast.IdentKind && args[0].AsIdent() == metricsName {
			return true
		}
	}
	_, ok := (&inspector{env: e.env, tree: e.tree}).resolve(x)
	return ok
}

func constantOf(x ast.Expr) (float64, bool) {
	if x.Kind() != ast.LiteralKind {
		return 0, false
	}
	switch v := x.AsLiteral().(type) {
	case types.Int:
		return float64(v), true
	case types.Double:
		return float64(v), true
	}
	return 0, false
}

// ReadsFacts says whether the rule reads facts of a proposal, and not only watched numbers.
func (r EmergencyRule) ReadsFacts() bool {
	for _, read := range r.expr.reads {
		if read.metric == "" {
			return true
		}
	}
	return false
}

// Metrics are the watched numbers that the rule reads, in its order.
func (r EmergencyRule) Metrics() (out []gov.Label) {
	for _, read := range r.expr.reads {
		if read.metric != "" {
			out = append(out, gov.Label(read.metric))
		}
	}
	return out
}

func metricValue(m gov.Metrics, name string) ref.Val {
	if v, ok := m[gov.Label(name)].Get(); ok {
		if d := double(v); d != nil {
			return d
		}
	}
	return types.NewUnknown(0, types.NewAttributeTrail("metrics."+name))
}
