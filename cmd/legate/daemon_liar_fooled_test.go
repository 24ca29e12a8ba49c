package main

import (
	"slices"
	"testing"

	"github.com/legate-dao/legate/chains/chaintest"
)

// lieNamed finds a lie by its name.
func lieNamed(t *testing.T, f chaintest.Form, name string) chaintest.Lie {
	t.Helper()
	all := chaintest.Lies(f)
	i := slices.IndexFunc(all, func(l chaintest.Lie) bool { return l.Name == name })
	if i < 0 {
		t.Fatalf("no lie %q among those of %q", name, f)
	}
	return all[i]
}

// fooled are the ways in which one of three endpoints once lost an Against or changed a vote, each with the number that
// the review gave it. B2 is a DAO that changes, see TestG48DaemonFollowsTheTimelock.
var fooled = []struct {
	name, question, lie, moment string
	once                        bool
}{
	{"B1: a false timelock at the start", "timelock()", "a stranger", starting, true},
	{"B1: no timelock at the start", "timelock()", "nobody", starting, true},
	{"B3: a year ahead after the decision", "eth_getBlockByNumber latest", "a year ahead", deciding, true},
	{"B3: a year ahead, whenever asked", "eth_getBlockByNumber latest", "a year ahead", deciding, false},
	{"B4: six hours back at the decision", "eth_getBlockByNumber latest", "six hours back", gathering, true},
	{"B4: six hours back, whenever asked", "eth_getBlockByNumber latest", "six hours back", gathering, false},
	{"B5: another id", "eth_getLogs", "another id", watching, true},
	{"B5: another byte", "eth_getLogs", "a byte of the text", watching, true},
	{"B6: 5 s for each answer", "everything", "5 s", gathering, false},
	{"B7: the estimate reverts", "eth_estimateGas", "reverts", planning, false},
	{"B7: the estimate is two million", "eth_estimateGas", "two million", planning, false},
	{"B7: no money", "eth_getBalance", "zero", planning, false},
	{"B8: the estimate is 21 000", "eth_estimateGas", "21000", planning, false},
}

// TestG48FooledByOneEndpoint: none of the lies that once lost or changed a vote does so, at whichever endpoint.
func TestG48FooledByOneEndpoint(t *testing.T) {
	s := newStage(t)
	honest := s.live(nil)
	if bad := honest.wrong(honest); bad != "" {
		t.Fatalf("the honest run: %s; %s", bad, honest.story)
	}
	var list []lieCell
	for _, f := range fooled {
		i := slices.IndexFunc(append([]question{everything}, questions...), func(q question) bool { return q.name == f.question })
		if i < 0 {
			t.Fatalf("no question %q", f.question)
		}
		q := append([]question{everything}, questions...)[i]
		list = append(list, lieCell{q, lieNamed(t, q.form, f.lie), f.moment, f.once})
	}
	n := 0
	scan(t, honest, s, list, func(int) int { return 0 }, func(f finding) {
		switch {
		case f.wrong != "":
			t.Errorf("%s (%s): %s; %s", f.cell, f.took, f.wrong, f.story)
		case f.vacuous:
			t.Errorf("%s: the lie was not told; %s", f.cell, f.story)
		default:
			t.Logf("%s: named %t", f.cell, f.named)
			n++
		}
	})
	t.Logf("n=%d lies that once worked, told by the preferred endpoint of three", n)
}
