package main

import (
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
)

// TestG49DaemonNoOptOut: the whole program with the example policy on a drawn few of the tricks by which a proposer makes
// reading fail (chains/facts has them all): each that deserves it is voted against, what shows nothing is held and the
// hand's answer is cast, over the content alone too, and an honest proposal beside them is voted for.
func TestG49DaemonNoOptOut(t *testing.T) {
	s := newSite(t, "harbor")
	d := s.daos["harbor"]
	hostile := may(s.deployer.Deploy(t.Context(), "Hostile"))(t)
	token := may(s.deployer.Deploy(t.Context(), "HostileToken", big.NewInt(1)))(t)
	on := func(at common.Address, contract, method string, args ...any) devchain.Action {
		return may(devchain.ActionOn(at, contract, method, args...))(t)
	}
	approve := on(d.Token, d.TokenContract(), "approve", devchain.Address(accountAttacker), ether(40_000))
	many := on(hostile, "Hostile", "staticCalls", big.NewInt(20_001))
	padded := []devchain.Action{approve}
	for range governor.MaxActions {
		padded = append(padded, devchain.Action{Target: common.Address{1}})
	}
	h := newHome(t, s, setup{})
	h.start("--live")
	all := []struct {
		name    string
		actions []devchain.Action
	}{
		{"C1: static calls", []devchain.Action{approve, many}},
		{"C2: a token that burns", []devchain.Action{approve, on(token, "HostileToken", "move", d.Timelock)}},
		{"C3: 1000 empty actions", padded},
	}
	if os.Getenv("LEGATE_SOAK") == "" { // one of them at each commit
		one := rand.IntN(len(all))
		all = all[one : one+1]
	}
	tricks := map[string]motion{}
	for _, x := range all {
		tricks[x.name] = s.propose("harbor", "Maintenance", x.actions...)
	}
	honest := s.propose("harbor", "A grant", s.grant("harbor"))
	nothing := s.propose("harbor", "Nothing to see", many)
	for name, m := range tricks {
		got := h.final(m, devchain.Against)
		if got.Vote.Ballot.Reason.By != gov.ByPolicy {
			t.Errorf("%s: voted by %s", name, got.Vote.Ballot.Reason.By)
		}
		t.Logf("%s: against by %s", name, got.Vote.Ballot.Reason.Rule)
	}
	h.final(honest, devchain.For)
	h.until(nothing, gov.VoteHeld)
	_, stderr := h.legate(0, "vote", nothing.id.String(), "against", "--content-only", "--key", "keystore:hand.json", "--passphrase", "file:passphrase", "--yes")
	for _, want := range []string{"over the content hash", "does more than a dry run takes in"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("the hand is not told %q: %s", want, stderr)
		}
	}
	got := h.final(nothing, devchain.Against)
	if !got.Locked.OnContent() || got.Stage != dossier.AtVoted {
		t.Errorf("locked %+v, stage %s", got.Locked, got.Stage)
	}
	h.fsck()
	h.interrupt()
}
