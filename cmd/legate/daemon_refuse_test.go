package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
)

// replace edits one file of a home; the text must be there.
func replace(t *testing.T, name, old, new string) func(map[string]string) {
	return func(files map[string]string) {
		t.Helper()
		if !strings.Contains(files[name], old) {
			t.Fatalf("%s has no %q:\n%s", name, old, files[name])
		}
		files[name] = strings.ReplaceAll(files[name], old, new)
	}
}

// TestDaemonRefusesToStart: what is wrong before the start ends it, with an error that says what and where.
func TestDaemonRefusesToStart(t *testing.T) {
	s := newSite(t, "harbor")
	dao := s.daos["harbor"]
	node := func(f chaintest.Faults) []string {
		p := chaintest.NewProxy(t, s.url)
		p.Set(f)
		return []string{p.URL()}
	}
	live := []string{"--live"}
	for _, c := range []struct {
		name  string
		setup setup
		args  []string
		want  []string
	}{
		{"wrong chain id", setup{rpc: node(chaintest.Faults{ChainID: 5})}, live, []string{"chain eip155:31337", "chain id 5", "31337"}},
		{"RPC answers HTML", setup{rpc: node(chaintest.Faults{HTML: true})}, live, []string{"chain eip155:31337", "not JSON", "<!DOCTYPE html>"}},
		{"RPC is down", setup{rpc: []string{"http://127.0.0.1:1"}}, live, []string{"chain eip155:31337", "127.0.0.1"}},
		{"pruned state", setup{rpc: node(chaintest.Faults{Pruned: true})}, live, []string{"governor harbor", "state"}},
		{"governor is a token", setup{edit: replace(t, "legate.yaml", dao.Governor.Hex(), dao.Token.Hex())}, live, []string{"governor harbor"}},
		{"governor has no code", setup{edit: replace(t, "legate.yaml", dao.Governor.Hex(), devchain.Address(9).Hex())}, live, []string{"governor harbor", "no contract at this address"}},
		{"policy names another governor", setup{edit: replace(t, "policies.yaml", "[harbor]", "[habror]")}, live, []string{"policies.yaml:", "habror", "harbor"}},
		{"policy with three errors", setup{edit: func(files map[string]string) {
			replace(t, "policies.yaml", "treasury.outflow_bps > 2500", "treasury.outflow_bsp > 2500")(files)
			replace(t, "policies.yaml", "otherwise: hold", "otherwise: for")(files)
			replace(t, "policies.yaml", "vote: abstain", "vote: obtain")(files)
		}}, live, []string{"policies.yaml:", "outflow_bps", "otherwise", "obtain"}},
		{"configuration with an unknown key", setup{edit: replace(t, "legate.yaml", "finality:", "finalty:")}, live, []string{"legate.yaml:", "finalty", "finality"}},
		{"wrong passphrase", setup{edit: func(files map[string]string) { files["passphrase"] = "wrong\n" }}, live, []string{"passphrase"}},
		{"no passphrase", setup{edit: replace(t, "legate.yaml", "file:passphrase", "env:LEGATE_TEST_NO_SUCH_VARIABLE")}, live, []string{"passphrase", "LEGATE_TEST_NO_SUCH_VARIABLE"}},
		{"no key file", setup{edit: replace(t, "legate.yaml", "keystore:voter.json", "keystore:nobody.json")}, live, []string{"voter.key", "nobody.json"}},
		{"book with an error", setup{edit: replace(t, "harbor-book.yaml", "label: Market", "lable: Market")}, live, []string{"harbor-book.yaml", "lable"}},
		{"prices with an error", setup{edit: replace(t, "harbor-prices.csv", "native,3000", "native,much")}, live, []string{"harbor-prices.csv", "much"}},
		{"holder on another chain", setup{edit: replace(t, "policies.yaml", "account: eip155:31337:", "account: eip155:1:")}, live, []string{"alice", "eip155:1", "eip155:31337"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHome(t, s, c.setup)
			text := h.refuses(c.args, c.want...)
			t.Log(tail(strings.TrimSpace(text), 600))
			if _, err := os.Stat(h.path("ledger/votes")); err == nil {
				t.Error("a ledger was made")
			}
		})
	}
	if sent := s.sent(); sent != 0 {
		t.Errorf("the key made %d transactions", sent)
	}
}

// TestDaemonMissingFiles: what is not there is named.
func TestDaemonMissingFiles(t *testing.T) {
	s := newSite(t, "harbor")
	for _, name := range []string{"legate.yaml", "policies.yaml", "harbor-book.yaml", "harbor-prices.csv"} {
		h := newHome(t, s, setup{})
		must(t, os.Remove(h.path(name)))
		h.refuses([]string{"--live"}, name, "no such file")
	}
}

// TestDaemonNodeTroubleWhileRunning: a node that answers with pages, that has lost its state or that is gone
// for a while delays, and loses nothing.
func TestDaemonNodeTroubleWhileRunning(t *testing.T) {
	s := newSite(t, "harbor")
	p := chaintest.NewProxy(t, s.url)
	h := newHome(t, s, setup{rpc: []string{p.URL()}})
	h.start("--live")
	for _, c := range []struct {
		name   string
		faults chaintest.Faults
		says   string
	}{
		{"HTML", chaintest.Faults{HTML: true}, "not JSON"},
		{"pruned", chaintest.Faults{Pruned: true}, "state"},
		{"down", chaintest.Faults{Down: true}, "127.0.0.1"},
		{"one call in five fails", chaintest.Faults{ErrorRate: 0.2, Seed: 1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := len(h.out.String())
			p.Set(c.faults)
			m := s.propose("harbor", "A grant", s.grant("harbor"))
			for range 6 {
				s.mine(1)
				pause(t.Context(), 200*time.Millisecond)
			}
			if c.says != "" {
				if !h.await(10*time.Second, func() bool { return strings.Contains(h.out.String()[from:], c.says) }) {
					t.Errorf("the log does not say %q:\n%s", c.says, h.out.String()[from:])
				}
				s.uncounted(m)
			}
			p.Set(chaintest.Faults{})
			h.final(m, devchain.For)
		})
	}
	h.fsck()
	h.interrupt()
}

// TestG32DaemonTooLarge: a proposal with too many actions or too long a text is held where no rule is against it, never a
// crash, and a person can still decide it (G49).
func TestG32DaemonTooLarge(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{})
	h.start("--live")
	many := make([]devchain.Action, governor.MaxActions+1)
	for i := range many {
		many[i] = devchain.Action{Target: common.Address{1}}
	}
	for name, c := range map[string]struct {
		motion motion
		large  bool
	}{
		"actions": {s.propose("harbor", "A thousand steps", many...), true},
		// 210 kB is over what is read; the limit of 1 MiB, from which nothing is kept, does not fit into a transaction here
		"text": {s.propose("harbor", strings.Repeat("Read this carefully. ", 10_000), s.grant("harbor")), false},
	} {
		began := time.Now()
		d := h.until(c.motion, gov.VoteHeld)
		t.Logf("%s: held after %.1f s", name, time.Since(began).Seconds())
		if d.Proposal.TooLarge != c.large {
			t.Errorf("%s: too large is %t", name, d.Proposal.TooLarge)
		}
		if !c.large && (d.Verdict.Direction != gov.For || d.Vote.Reason != gov.HoldReason(gov.FlagTooLong)) {
			t.Errorf("%s: %s, held because of %q", name, d.Verdict.Direction, d.Vote.Reason)
		}
		s.uncounted(c.motion)
		h.legate(0, "show", c.motion.id.String())
		_, stderr := h.legate(0, "vote", c.motion.id.String(), "against", "--key", "keystore:hand.json", "--passphrase", "file:passphrase", "--yes")
		if c.large != strings.Contains(stderr, "more actions, text or signature than is read") {
			t.Errorf("%s: the hand is told %q", name, stderr)
		}
		h.final(c.motion, devchain.Against)
	}
	h.final(s.propose("harbor", "A grant", s.grant("harbor")), devchain.For)
	h.fsck()
	h.interrupt()
}

// TestG04DaemonLostLedger: a ledger that is gone, or put back to yesterday's, stops everything.
func TestG04DaemonLostLedger(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{})
	h.start("--live")
	first := s.propose("harbor", "A grant", s.grant("harbor"))
	h.final(first, devchain.For)
	h.interrupt()
	yesterday := may(os.ReadFile(h.path("ledger/votes")))(t)
	h.start("--live")
	h.final(s.propose("harbor", "Maintenance", s.drain("harbor")), devchain.Against)
	h.interrupt()
	today := may(os.ReadFile(h.path("ledger/votes")))(t)

	h.write("ledger/votes", string(yesterday))
	h.refuses([]string{"--live"}, "ledger")
	h.legate(1, "ledger", "fsck")
	h.write("ledger/votes", string(today[:len(today)-30]))
	h.refuses([]string{"--live"}, "ledger")
	h.write("ledger/votes", string(today))
	h.fsck()
	must(t, os.Rename(h.path("ledger"), h.path("away")))
	h.refuses([]string{"--live"}, "ledger was lost")
	h.start() // without votes it still reads and decides
	h.interrupt()
	must(t, os.Rename(h.path("away"), h.path("ledger")))

	// a store and a ledger that are both gone: the chain remembers that the key has voted
	open := s.propose("harbor", "A last grant", s.grant("harbor"))
	h.start("--live")
	h.until(open, gov.VoteFinal)
	h.interrupt()
	sent := s.sent()
	for _, name := range []string{"legate.db", "legate.db-wal", "legate.db-shm", "ledger"} {
		must(t, os.RemoveAll(h.path(name)))
	}
	h.start("--live")
	again := s.propose("harbor", "One more grant", s.grant("harbor"))
	if !h.await(20*time.Second, func() bool {
		s.mine(1)
		pause(t.Context(), 200*time.Millisecond)
		return strings.Contains(h.out.String(), "the ledger was lost") || len(s.casts(again, devchain.Address(accountVoter))) > 0
	}) {
		t.Fatal("nothing is said of the lost ledger")
	}
	s.uncounted(again)
	if got := s.sent(); got != sent {
		t.Errorf("%d more transactions without a ledger", got-sent)
	}
	h.interrupt()
}

// TestG09DaemonTwice: a second daemon on the same store is refused, and the first goes on.
func TestG09DaemonTwice(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{})
	h.start("--live")
	first := h.daemon
	h.refuses([]string{"--live"}, "another legate daemon runs on this store", "legate.db.lock")
	h.refuses(nil, "another legate daemon runs on this store")
	h.daemon = first
	h.final(s.propose("harbor", "A grant", s.grant("harbor")), devchain.For)
	h.fsck()
	h.interrupt()
}

// TestG46DaemonApprovers: the answer of a key that the configuration does not list counts nowhere, not even when it
// is written into the store.
func TestG46DaemonApprovers(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{})
	h.start("--live")
	m := s.propose("harbor", "A registry", s.opaque("harbor"))
	h.until(m, gov.VoteHeld)
	vote := func(key string) []string {
		return []string{"vote", m.id.String(), "for", "--key", "keystore:" + key, "--passphrase", "file:passphrase", "--yes"}
	}
	if _, stderr := h.legate(3, vote("stranger.json")...); !strings.Contains(stderr, "not among voter.approvers") {
		t.Errorf("the error is %q", stderr)
	}
	// a stranger with write access and a configuration of his own gets past the command, not past the signer
	mine := may(os.ReadFile(h.path("legate.yaml")))(t)
	h.write("other.yaml", strings.ReplaceAll(string(mine), devchain.Address(accountHand).Hex(), devchain.Address(accountAttacker).Hex()))
	h.legate(0, append(vote("stranger.json"), "-c", "other.yaml")...)
	for range 10 {
		s.mine(1)
		pause(t.Context(), 150*time.Millisecond)
	}
	s.uncounted(m)
	if kinds := h.records(m); slices.Contains(kinds, "WasSigned") {
		t.Errorf("records %v: a stranger's answer was signed", kinds)
	}
	if lines, err := os.ReadFile(h.path("ledger/votes")); err == nil && strings.Contains(string(lines), " vote ") {
		t.Errorf("the ledger has a vote:\n%s", lines)
	}
	h.fsck()
	h.interrupt()
}

// TestG15DaemonNotDelegated: a holder whose tokens are not delegated to the key gets no transaction, and is told.
func TestG15DaemonNotDelegated(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{edit: replace(t, "policies.yaml", devchain.Address(accountHolder).Hex(), devchain.Address(accountProposer).Hex())})
	h.start("--live")
	m := s.propose("harbor", "A grant", s.grant("harbor"))
	d := h.until(m, gov.VoteNoVote)
	if d.NotVoted != dossier.NotDelegated {
		t.Errorf("not voted because of %q", d.NotVoted)
	}
	if sent := s.sent(); sent != 0 {
		t.Errorf("the key made %d transactions", sent)
	}
	h.fsck()
}
