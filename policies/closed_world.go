package policies

import (
	"fmt"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// OpenWorld lists what keeps a For from being cast whatever a rule says, in words composed from facts;
// empty when nothing does. Every leaf call is known, the dry run executed in lifecycle mode (every
// flavour of this release has it) and was measured in full, every required check is found, clean or not applicable, and
// the proposal stands on a governor and was read in full.
func OpenWorld(c gov.Case, findings []gov.Finding) (open []string) {
	if c.Proposal.Draft {
		open = append(open, "it is a draft")
	}
	if doubtfulDAO(c.Facts) {
		open = append(open, "the governor is not what it was")
	}
	if c.Proposal.TooLarge {
		open = append(open, "it is larger than is read")
	}
	open = append(open, unknownLeaves(c.Facts)...)
	open = append(open, opaqueCalls(c.Facts)...)
	switch {
	case !c.Facts.Effects.Executed():
		open = append(open, fmt.Sprintf("the dry run is %s", c.Facts.Effects.Status.Or(gov.EffectsUnavailable)))
	case c.Facts.Effects.Mode != gov.ModeLifecycle:
		open = append(open, "the dry run did not go through the governor")
	}
	if part, cut := unmeasured(c.Facts); cut {
		open = append(open, fmt.Sprintf("%s could not be had in full", part))
	}
	for _, check := range checks.All {
		if !check.Required {
			continue
		}
		switch status := checks.StatusOf(check.Name, findings); {
		case status == gov.Found && check.Name == checks.Undeclared.Name:
			open = append(open, "it does more than its calls declare")
		case status == gov.Found, status == gov.Clean, status == gov.NotApplicable:
		default:
			open = append(open, fmt.Sprintf("%s is not checked", check.Name))
		}
	}
	return open
}

// doubtfulDAO reports whether it is in doubt what the governor is.
func doubtfulDAO(f gov.Facts) bool {
	return slices.ContainsFunc(f.Unavailable, func(m gov.Missing) bool { return m.Part == gov.PartDAO })
}

// unmeasured is a part of the run's effects that is missing for any reason, also where the run as such executed.
func unmeasured(f gov.Facts) (gov.Part, bool) {
	for _, m := range f.Unavailable {
		if strings.HasPrefix(string(m.Part), "effects.") && m.Part != "effects.status" && m.Part != "effects.gas" {
			return m.Part, true
		}
	}
	return "", false
}

// unknownLeaves says which leaf calls are not known. It looks at the calls themselves, and not
// at a count that someone made of them, but where the count is higher.
func unknownLeaves(f gov.Facts) []string {
	calls, ok := f.Calls.Get()
	if !ok {
		return []string{"the calls are not decoded"}
	}
	var unknown []string
	walkLeaves(calls, nil, func(c *gov.Call, path []int) {
		if c.Known && c.Kind != gov.KindUnknown && c.Kind != "" {
			return
		}
		unknown = append(unknown, strings.Trim(strings.ReplaceAll(fmt.Sprint(path), " ", "."), "[]"))
	})
	if len(unknown) == 0 {
		if n := f.UnknownCalls.Or(0); n > 0 {
			return []string{fmt.Sprintf("%d calls are counted as not known", n)}
		}
		return nil
	}
	const most = 8
	rest := ""
	if len(unknown) > most {
		unknown, rest = unknown[:most], " and more"
	}
	return []string{fmt.Sprintf("call %s%s is not known", strings.Join(unknown, ", "), rest)}
}

// opaqueCalls says which known calls nobody can read: their functions have no meaning, or what they carry could not be
// taken out.
func opaqueCalls(f gov.Facts) []string {
	calls, _ := f.Calls.Get()
	var paths []string
	walkLeaves(calls, nil, func(c *gov.Call, path []int) {
		if c.Known && !impact.Meant(c) {
			paths = append(paths, strings.Trim(strings.ReplaceAll(fmt.Sprint(path), " ", "."), "[]"))
		}
	})
	if len(paths) == 0 {
		return nil
	}
	const most = 8
	rest := ""
	if len(paths) > most {
		paths, rest = paths[:most], " and more"
	}
	return []string{fmt.Sprintf("call %s%s has no known meaning", strings.Join(paths, ", "), rest)}
}

func walkLeaves(calls []gov.Call, path []int, visit func(c *gov.Call, path []int)) {
	for i := range calls {
		at := append(path[:len(path):len(path)], i)
		if len(calls[i].Children) == 0 {
			visit(&calls[i], at)
			continue
		}
		walkLeaves(calls[i].Children, at, visit)
	}
}
