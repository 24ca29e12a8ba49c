package checks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/impact"
)

// TestG49ExcerptIsEvidence: what a check finds by a call of a proposal whose calls are all known, it finds by the same
// call in the excerpt of a proposal that has too many, for each function that has a meaning. Else the call could hide
// among thousands. An undeclared call is no evidence, and neither is a target's missing code.
func TestG49ExcerptIsEvidence(t *testing.T) {
	own := gov.Address{1}
	n := 0
	for _, c := range meant(t) {
		for _, to := range []gov.Address{{9}, own} {
			c.To = to
			p, dao := gov.Proposal{Actions: []gov.Action{{To: c.To}}}, gov.DAO{Token: own}
			whole := checks.Run(p, gov.Facts{DAO: dao, Calls: gov.Known([]gov.Call{c})})
			hidden := checks.Run(p, gov.Facts{DAO: dao, Excerpt: []gov.Call{c}})
			for _, check := range checks.All {
				if check.Name == checks.Undeclared.Name || check.Name == checks.TargetCode.Name || checks.StatusOf(check.Name, whole) != gov.Found {
					continue
				}
				n++
				if want, got := ends(check.Name, whole), ends(check.Name, hidden); !slices.Equal(got, want) {
					t.Errorf("%s of %s to %s: %q in an excerpt, want %q", check.Name, c.Signature, c.To, got, want)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("only %d findings were compared", n)
	}
	t.Logf("n = %d findings", n)
}

// ends is how a check's findings end.
func ends(name gov.CheckName, of []gov.Finding) (out []string) {
	for _, f := range of {
		if f.Name == name {
			out = append(out, fmt.Sprint(f.Status, " ", f.Severity, " ", f.Title))
		}
	}
	return out
}

// meant lists a call of each function of the table; every word of its arguments is the same account outside.
func meant(t *testing.T) (out []gov.Call) {
	t.Helper()
	for _, family := range impact.Meanings {
		for _, m := range family.Lines {
			types, ok := gov.Components(gov.ABIType(string(m.Signature)[len(m.Signature.Function()):]))
			if !ok {
				t.Fatalf("the arguments of %s cannot be read", m.Signature)
			}
			selector := impact.SelectorOf(m.Signature)
			c := gov.Call{Selector: &selector, Signature: m.Signature, Kind: gov.KindUnknown}
			for _, of := range types {
				c.Args = append(c.Args, gov.Arg{Type: of, Value: valueOf(of)})
			}
			out = append(out, c)
		}
	}
	return out
}

func valueOf(of gov.ABIType) (v gov.Value) {
	if element, ok := strings.CutSuffix(string(of), "[]"); ok {
		return gov.Value{List: []gov.Value{valueOf(gov.ABIType(element))}}
	}
	if parts, ok := gov.Components(of); ok {
		for _, part := range parts {
			v.List = append(v.List, valueOf(part))
		}
		return v
	}
	v.Word[31] = 7
	return v
}
