package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
)

// beside adds a holder to policies.yaml, before the one that is there.
func beside(s *site, name string, account int, policy string) func(map[string]string) {
	return func(files map[string]string) {
		one := fmt.Sprintf("holders:\n  - {name: %s, account: \"%s:%s\", governors: [harbor], policy: %s}\n", name, s.chain, devchain.Address(account), policy)
		files["policies.yaml"] = strings.Replace(files["policies.yaml"], "holders:\n", one, 1)
	}
}

// TestG15DaemonSeveralHolders: of two holders at one governor the one who does not delegate raises an alarm, once, and
// the vote is made for the other; where neither delegates there is none.
func TestG15DaemonSeveralHolders(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{edit: beside(s, "bob", accountProposer, "careful")})
	h.start("--live")
	h.final(s.propose("harbor", "A grant", s.grant("harbor")), devchain.For)
	if n := strings.Count(h.out.String(), "is not for holder bob"); n != 1 {
		t.Errorf("%d alarms for bob", n)
	}
	if strings.Contains(h.out.String(), "is not for holder alice") {
		t.Error("an alarm for alice, who delegates")
	}
	h.fsck()
	h.interrupt()

	none := newHome(t, s, setup{edit: func(files map[string]string) {
		replace(t, "policies.yaml", devchain.Address(accountHolder).Hex(), devchain.Address(accountAttacker).Hex())(files)
		beside(s, "bob", accountProposer, "careful")(files)
	}})
	none.start("--live")
	m := s.propose("harbor", "Another grant", s.grant("harbor"))
	if d := none.until(m, gov.VoteNoVote); d.NotVoted != dossier.NotDelegated {
		t.Errorf("not voted because of %q", d.NotVoted)
	}
	s.uncounted(m)
	none.interrupt()
}
