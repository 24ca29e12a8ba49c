package policies

import (
	"fmt"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies/strict"
)

// Explain says a rule in one English sentence.
func (r Rule) Explain() string {
	verb := map[gov.Direction]string{gov.For: "Vote for", gov.Against: "Vote against", gov.Abstain: "Abstain", gov.Hold: "Hold and ask a person"}[r.Vote]
	s := fmt.Sprintf("%s when %s", verb, Speak(r.expr))
	if r.Intent != "" {
		s = fmt.Sprintf("%s when the judge says that it %s, provided that %s", verb, strings.TrimRight(r.Intent, ". "), Speak(r.expr))
	}
	if len(r.Despite) > 0 {
		s += ", despite critical findings of " + list(r.Despite)
	}
	if r.Because != "" {
		s += ", because " + strings.TrimRight(r.Because, ". ")
	}
	return s + "."
}

// list joins names with commas.
func list(names []gov.CheckName) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = string(n)
	}
	return strings.Join(out, ", ")
}

// Explain says a hold_if in one English sentence.
func (h HoldRule) Explain() string {
	return fmt.Sprintf("Hold a vote for when %s, or when that is not known.", Speak(h.expr))
}

// Explain says an emergency rule in one English sentence.
func (r EmergencyRule) Explain() string {
	s := fmt.Sprintf("Raise a %s alert when %s", r.Severity, Speak(r.expr))
	if r.For > 0 {
		s += " for " + strict.Duration(r.For).String()
	}
	return s + "."
}

// Explain says in one or more sentences why a verdict is what it is.
func Explain(v gov.Verdict) string {
	switch {
	case v.Direction == gov.Hold && v.Rule == "otherwise" && len(v.Trace) == 0:
		return fmt.Sprintf("Hold: %s.", v.Because)
	case v.Rule == "closed-world":
		return fmt.Sprintf("Hold: %s. A vote for needs every call known, an executed dry run and every required check.", v.Because)
	case v.Rule == "otherwise":
		return fmt.Sprintf("%s: all %d rules are false, so the policy's otherwise speaks.", title(v.Direction), len(v.Trace))
	}
	for i, t := range v.Trace {
		if t.Rule != v.Rule {
			continue
		}
		place := fmt.Sprintf("rule %s (%d of %d)", t.Rule, i+1, len(v.Trace))
		if t.Result == gov.Unknown {
			return fmt.Sprintf("Hold: %s, which would vote %s, could not be decided: %s. What is not known never counts as false.", place, t.Vote, t.Why)
		}
		s := fmt.Sprintf("%s: %s is true%s", title(v.Direction), place, valuesOf(t.Values))
		if v.Because != "" {
			s += "; " + strings.TrimRight(v.Because, ". ")
		}
		return s + "."
	}
	return fmt.Sprintf("%s: %s.", title(v.Direction), v.Because)
}

func title(d gov.Direction) string {
	s := d.String()
	return strings.ToUpper(s[:1]) + s[1:]
}

// valuesOf lists what a rule read, in brackets; empty when it read nothing.
func valuesOf(values gov.Values) string {
	if len(values) == 0 {
		return ""
	}
	const most = 6
	parts := []string{}
	for i, v := range values {
		if i == most {
			parts = append(parts, "…")
			break
		}
		value := "not known"
		if v.Value != nil {
			value = string(v.Value)
		}
		parts = append(parts, v.Name+" = "+value)
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
