package checks

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// maxFindings bounds what one check says of one proposal: a person reads no more, and a proposal of a hundred
// thousand calls must not fill the store. What is beyond it is counted in one last finding, as grave as the
// gravest among it.
const maxFindings = 64

// report collects what one check finds.
type report struct {
	id     gov.CheckID
	name   gov.CheckName
	remedy string
	found  []gov.Finding
	more   int
	worst  gov.Severity // of those beyond maxFindings
}

func newReport(id gov.CheckID, name gov.CheckName, remedy string) *report {
	return &report{id: id, name: name, remedy: remedy}
}

// add records a finding that stands on the facts.
func (r *report) add(severity gov.Severity, title string, evidence ...gov.Evidence) {
	if len(r.found) == maxFindings {
		r.more++
		r.worst = worse(r.worst, severity)
		return
	}
	if evidence == nil {
		evidence = []gov.Evidence{}
	}
	for i := range evidence {
		if evidence[i].Call == nil {
			evidence[i].Call = []int{}
		}
	}
	r.found = append(r.found, gov.Finding{
		ID: r.id, Name: r.name, Severity: severity, Class: gov.ClassContent, Status: gov.Found,
		Title: title, Evidence: evidence, Remedy: r.remedy,
	})
}

// end gives the findings, or the one finding that says why there is none. The order matters: what was
// found stays found; what does not exist needs no evidence; without full evidence nothing is clean.
func (r *report) end(applies, complete bool, clean string) []gov.Finding {
	if r.more > 0 {
		r.found = append(r.found, gov.Finding{
			ID: r.id, Name: r.name, Severity: r.worst, Class: gov.ClassContent, Status: gov.Found,
			Title: fmt.Sprintf("and %d more like these", r.more), Evidence: []gov.Evidence{}, Remedy: r.remedy,
		})
	}
	if len(r.found) > 0 {
		return r.found
	}
	one := gov.Finding{ID: r.id, Name: r.name, Severity: gov.Info, Class: gov.ClassContent, Evidence: []gov.Evidence{}}
	switch {
	case !applies:
		one.Status, one.Title = gov.NotApplicable, "does not apply to this proposal"
	case !complete:
		one.Status, one.Title = gov.NotChecked, "not checked: facts are missing or the dry run did not execute"
	default:
		one.Status, one.Title = gov.Clean, clean
	}
	return []gov.Finding{one}
}

// applies says whether a part exists: it does not when it, or every one of its listed fields, is listed
// as not applicable.
func applies(f gov.Facts, part gov.Part, fields ...string) bool {
	if !f.Applies(part) {
		return false
	}
	for _, field := range fields {
		if f.Applies(part + "." + gov.Part(field)) {
			return true
		}
	}
	return len(fields) == 0
}

// acts says whether the proposal asks for anything at all.
func acts(p gov.Proposal, f gov.Facts) bool {
	calls, known := f.Calls.Get()
	return len(p.Actions) > 0 || !known || len(calls) > 0
}

// positive says whether a count or share is known and above 0; missing says that it is not known.
func positive[T int64 | float64](m gov.Maybe[T]) (above, missing bool) {
	v, known := m.Get()
	return known && v > 0, !known || v != v
}

// callName names a call for a title: the operator's label or the address, and the function where a bound
// ABI or an own table tells it.
func callName(c *gov.Call) string {
	target := string(c.Label)
	if target == "" {
		target = c.To.Hex()
	}
	if function := c.Signature.Function(); function != "" {
		return target + "." + function
	}
	if c.Selector != nil {
		return fmt.Sprintf("%s (selector %s)", target, c.Selector)
	}
	return target
}
