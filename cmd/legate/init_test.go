package main

import (
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/devchain"
)

// A person starts from nothing but an endpoint and a governor: init finds the rest on a real governor that
// has executed proposals, one of them on a proxy, and what it writes is what doctor, lint and run accept.
func TestInitFindsTheRest(t *testing.T) {
	ctx := t.Context()
	chain, err := devchain.Start(devchain.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer chain.Close()
	s, err := chain.Session(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	dao, err := devchain.DeployDAO(ctx, s, devchain.DAOConfig{Flavour: devchain.OZ5Block})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.TransferToken(ctx, dao, dao.Timelock, devchain.Tokens(1)); err != nil {
		t.Fatal(err)
	}
	factor, err := devchain.ActionOn(dao.Market, "Market", "setCollateralFactor", dao.Stable, new(big.Int).Mul(big.NewInt(7), big.NewInt(1e17)))
	if err != nil {
		t.Fatal(err)
	}
	spend, err := devchain.ActionOn(dao.Stable, "StableToken", "approve", devchain.Address(5), big.NewInt(1))
	if err != nil {
		t.Fatal(err)
	}
	executeProposal(t, s, dao, []devchain.Action{factor, spend})

	dir := filepath.Join(t.TempDir(), "new")
	id := "eip155:31337:" + dao.Governor.Hex()
	out, _ := legate(t, exitFine, "init", "--rpc", chain.HTTP(), "--governor", id, "--dir", dir, "--name", "harbor", "--yes")
	for _, want := range []string{"openzeppelin-5, block clock", dao.Timelock.Hex(), dao.Token.Hex(), dao.Market.Hex() + " was called by executed proposals"} {
		if !strings.Contains(out, want) {
			t.Errorf("init does not say %q:\n%s", want, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "book.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b, problems := book.Parse("book.yaml", text, os.ReadFile)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if entries := b.Entries(); len(entries) != 1 || entries[0].Address.Hex() != dao.Stable.Hex() {
		t.Errorf("the book has %d entries: %s", len(entries), text)
	}
	conf, err := readConfig(filepath.Join(dir, "legate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if from := conf.Governors[0].FromBlock; from == 0 || from > dao.Block {
		t.Errorf("from_block %d, the DAO was deployed up to block %d", from, dao.Block)
	}
	if conf.Voter == nil || conf.Voter.Live {
		t.Error("init turned live voting on")
	}
	legate(t, exitFine, "policy", "lint", filepath.Join(dir, "policies.yaml"), "-c", filepath.Join(dir, "legate.yaml"))
	if info, err := os.Stat(filepath.Join(dir, "passphrase")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("passphrase: %v %v", info.Mode(), err)
	}
	// nothing is overwritten, and the history is offered again only for what no book has
	_, said := legate(t, exitFail, "init", "--rpc", chain.HTTP(), "--governor", id, "--dir", dir, "--yes")
	if !strings.Contains(said, "overwrites nothing") {
		t.Error(said)
	}
	if err := chain.Mine(ctx, 70); err != nil { // finality: finalized
		t.Fatal(err)
	}
	out, _ = legate(t, exitFine, "book", "add", "--from-history", "-c", filepath.Join(dir, "legate.yaml"))
	if !strings.Contains(out, dao.Market.Hex()) || strings.Contains(out, dao.Stable.Hex()) {
		t.Errorf("from history:\n%s", out)
	}
}

func executeProposal(t *testing.T, s *devchain.Session, dao *devchain.DAO, actions []devchain.Action) {
	t.Helper()
	ctx := t.Context()
	if err := s.Delegate(ctx, dao, s.From); err != nil {
		t.Fatal(err)
	}
	if err := s.MineBlocks(ctx, 1); err != nil {
		t.Fatal(err)
	}
	p, err := s.Propose(ctx, dao, actions, "# Set up")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return s.SkipToVoting(ctx, dao, p.ID) },
		func() error { return s.CastVote(ctx, dao, p.ID, devchain.For, "") },
		func() error { return s.SkipToEnd(ctx, dao, p.ID) },
		func() error { return s.Queue(ctx, dao, p) },
		func() error { return s.SkipToETA(ctx, dao, p.ID) },
		func() error { return s.Execute(ctx, dao, p) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInitRefusesWhatItCannotUse(t *testing.T) {
	for _, args := range [][]string{
		{"init"}, {"init", "--rpc", "http://127.0.0.1:1"}, {"init", "--rpc", "http://127.0.0.1:1", "--governor", "0x1"},
		{"init", "--rpc", "http://127.0.0.1:1", "--governor", "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529", "--name", "a b"},
	} {
		legate(t, exitUsage, args...)
	}
	legate(t, exitFail, "init", "--dir", t.TempDir(), "--rpc", "http://127.0.0.1:1", "--governor", "eip155:1:0xc0Da02939E1441F497fd74F78cE7Decb17B66529")
}
