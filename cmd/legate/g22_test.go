package main

import (
	"testing"

	"github.com/legate-dao/legate/agent/gov"
)

// TestG22DevChainDossiers drives every dossier of the development chain through the pure pipeline, from its first block
// to its vote or its close, by several policies, with everything that the gate, the judge, the holder, the endpoints
// and the clock may do, and holds every state against the guarantees' own account of what may be cast (g22Life). Where
// nobody answers, what comes of it is foretold, and must come.
func TestG22DevChainDossiers(t *testing.T) {
	sets := g22Policies(t)
	all := g22Dossiers(t)
	n, asked, judged, ends, directions := 0, 0, 0, map[string]int{}, map[gov.Direction]int{}
	for _, g := range all {
		for pi, policy := range sets {
			judges := 1
			if policy.judged {
				judges = len(g22Judges)
			}
			var without map[g22Facts]gov.Direction // by the first judge, who is none
			for ji := range judges {
				sounds := map[g22Facts]gov.Direction{}
				live := func(s g22Script, gate g22Gate, h g22Human) *g22Life {
					l := &g22Life{t: t, g: g, policy: policy, asked: g22Asked{pi, ji}, script: s, gate: gate, human: h, sounds: sounds}
					l.live()
					n++
					if l.asks > 0 {
						asked++
					}
					by := "nobody"
					if l.cast != nil {
						by = string(l.cast.By)
					}
					ends[l.direction().String()+" by "+by]++
					if h.name == g22Nobody.name {
						l.foretold()
					}
					return l
				}
				g22Cross(policy, ji, live)
				for fact, d := range sounds {
					directions[d]++
					g.anew(t, fact, policy, ji, d)
					if ji > 0 && d != without[fact] {
						judged++
						if ji != g22Yes || d != gov.For || without[fact] != gov.Hold {
							t.Errorf("what %s, policy %q: a judge that says %s turns %s into %s", g.does, policy.name, g22Judges[ji].name, without[fact], d)
						}
					}
				}
				if ji == 0 {
					without = sounds
				}
			}
		}
	}
	t.Logf("n=%d lives of %d dossiers, %d policies: the gate was asked in %d; D of facts x policies x judges %v, %d for by a judge's yes; they end %v", n, len(all), len(sets), asked, directions, judged, ends)
	for _, end := range []string{"for by policy", "against by policy", "abstain by policy", "hold by nobody", "for by holder", "against by holder", "abstain by holder"} {
		if ends[end] == 0 {
			t.Errorf("no life ends %q; the trial shows nothing", end)
		}
	}
	if judged == 0 {
		t.Error("no judge's yes counts; the trial shows nothing")
	}
	if directions[gov.For] < 50 || directions[gov.Against] < 50 {
		t.Errorf("D is for %d times and against %d times, want 50 of each", directions[gov.For], directions[gov.Against])
	}
}

// g22Cross runs the lives of one dossier, policy and judge: every gate with every script; every word that a gate may
// give where nothing changes; and every holder. Where no For is met nothing asks the gate: two of its behaviours show it.
func g22Cross(policy g22Policy, judge int, live func(g22Script, g22Gate, g22Human) *g22Life) {
	for _, s := range g22Scripts {
		pass := live(s, g22Always(gov.GatePass), g22Nobody)
		never := live(s, g22Never, g22Nobody)
		if pass.asks == 0 {
			never.same(pass)
			continue
		}
		for _, gate := range g22FewGates() {
			live(s, gate, g22Nobody)
		}
	}
	if judge > g22Yes {
		return // what is not a yes is the same as none, which the directions show
	}
	if live(g22Scripts[0], g22Never, g22Nobody).asks > 0 {
		for _, reason := range g22Reasons(policy.set) {
			for _, result := range []gov.GateResult{gov.GatePass, gov.GateHold, "", "malformed"} {
				live(g22Scripts[0], g22Always(result, reason), g22Nobody)
			}
		}
	}
	for _, h := range g22Humans[1:] {
		for _, s := range g22Scripts {
			if live(s, g22Always(gov.GatePass), h).asks == 0 {
				continue
			}
			live(s, g22Always(gov.GateHold, gov.HoldModel), h)
			live(s, g22Never, h)
		}
	}
}
