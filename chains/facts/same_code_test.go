package facts_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
)

// An Against that stands may be signed on old facts only while the code behind its calls is what they say.
func TestG15StandingAgainstNeedsTheSameCode(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	p := w.propose(w.act(w.dao.Stable, "StableToken", "transfer", common.Address{0x99}, big.NewInt(1)))
	got, err := facts.Gather(t.Context(), w.deps, p, w.head())
	must(t, err)
	must(t, w.s.MineBlocks(t.Context(), 3))
	must(t, facts.SameCode(t.Context(), w.rpc, 31337, got.Facts, w.head()))
	calls, _ := got.Facts.Calls.Get()
	if len(calls) != 1 || calls[0].CodeHash == (gov.Hash{}) {
		t.Fatal("the facts know no code; this test shows nothing")
	}
	for name, change := range map[string]func(*gov.TargetCode){
		"code":           func(c *gov.TargetCode) { c.CodeHash[0]++ },
		"implementation": func(c *gov.TargetCode) { c.Implementation[0]++ },
		"its code":       func(c *gov.TargetCode) { c.ImplCodeHash[0]++ },
	} {
		other := got.Facts
		targets, _ := got.Facts.Targets.Code.Get()
		targets = append([]gov.TargetCode{}, targets...)
		change(&targets[0])
		other.Targets.Code = gov.Known(targets)
		if err := facts.SameCode(t.Context(), w.rpc, 31337, other, w.head()); !errors.Is(err, facts.ErrOtherCode) {
			t.Errorf("other %s: %v", name, err)
		}
	}
	if err := facts.SameCode(t.Context(), w.rpc, 31337, got.Facts, gov.Block{Number: 9, Hash: gov.Hash{9}}); err == nil || errors.Is(err, facts.ErrOtherCode) {
		t.Errorf("a read that failed: %v", err)
	}
}
