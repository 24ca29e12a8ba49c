package policies

import (
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/legate-dao/legate/agent/gov"
)

// Emergency lists the emergency rules that are true at this moment, and those that could not be evaluated.
// It is pure: who calls it keeps the clock of [EmergencyRule.For], and does nothing about an unknown one
// but alert that it could not be evaluated. A metric that is missing is unknown.
func (s *Set) Emergency(f gov.Facts, m gov.Metrics, _ gov.UnixTime) []gov.Alarm {
	if len(s.emergency) == 0 {
		return []gov.Alarm{}
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
	out := []gov.Alarm{}
	for i := range s.emergency {
		r := &s.emergency[i]
		switch result, why := r.expr.evaluate(on); result {
		case gov.True:
			out = append(out, gov.Alarm{Rule: r.Name, Result: gov.True, Do: r.Do, Severity: r.Severity, Why: r.When})
		case gov.Unknown:
			out = append(out, gov.Alarm{Rule: r.Name, Result: gov.Unknown, Severity: r.Severity, Why: why})
		}
	}
	return out
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
