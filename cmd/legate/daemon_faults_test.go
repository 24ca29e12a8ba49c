package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
)

// TestG12DaemonReorgBeforeFinality takes the vote's block away before it is final: the same transaction comes back
// and counts once.
func TestG12DaemonReorgBeforeFinality(t *testing.T) {
	s := newSite(t, "harbor", "bravo")
	h := newHome(t, s, setup{finality: 6})
	h.start("--live")
	for _, name := range s.names {
		m := s.propose(name, "Maintenance", s.drain(name))
		d := h.until(m, gov.VoteMined)
		block, tx := d.Vote.Block, d.Vote.Tx
		for s.height() < block.Number+2 {
			s.mine(1)
		}
		if s.height() != block.Number+2 {
			t.Fatalf("the vote is in block %d, the head is at %d: a reorganisation of depth 3 does not reach it", block.Number, s.height())
		}
		s.rpc("anvil_reorg", 3, []any{})
		if casts := s.casts(m, devchain.Address(accountVoter)); len(casts) != 0 {
			t.Fatalf("the vote survived the reorganisation: %+v", casts)
		}
		if name == "bravo" {
			s.mine(7) // at once: the heights that were taken away are beyond finality before the daemon looks
		}
		d = h.final(m, devchain.Against)
		if d.Vote.Tx != tx || d.Vote.Block == block {
			t.Errorf("transaction %s in block %d became %s in %d, want the same one in another block", tx, block.Number, d.Vote.Tx, d.Vote.Block.Number)
		}
		if name != "bravo" && !slices.Contains(h.records(m), "WasUnmined") {
			t.Errorf("records %v have no WasUnmined", h.records(m))
		}
		t.Logf("%s: mined in block %d, reorganised away, final in block %d, transaction %s", name, block.Number, d.Vote.Block.Number, tx)
	}
	if sent := s.sent(); sent != 2 {
		t.Errorf("the key made %d transactions for 2 votes", sent)
	}
	h.fsck()
}

// TestG21DaemonFreezesOnBrokenFinality: a chain that takes back what was final stops all signing, also after a
// new start, until a person lifts it.
func TestG21DaemonFreezesOnBrokenFinality(t *testing.T) {
	s := newSite(t, "harbor")
	h := newHome(t, s, setup{})
	h.start("--live")
	first := s.propose("harbor", "A grant", s.grant("harbor"))
	h.final(first, devchain.For)
	s.mine(10)
	h.await(3*time.Second, func() bool { _, body := h.get("/readyz"); return strings.Contains(body, "true") })
	pause(t.Context(), 1500*time.Millisecond) // a poll sees the ten blocks
	s.rpc("anvil_reorg", 6, []any{})
	s.mine(1)
	if !h.await(10*time.Second, func() bool { return strings.Contains(h.out.String(), "signing is stopped") }) {
		t.Fatalf("no alarm:\n%s", tail(h.out.String(), 4000))
	}
	stdout, _ := h.legate(0, "ledger", "fsck", "--ledger", "ledger", "--json")
	if !strings.Contains(stdout, `"frozen": true`) {
		t.Fatalf("the ledger is not frozen: %s", stdout)
	}
	h.interrupt()
	h.start("--live")
	second := s.propose("harbor", "Another grant", s.grant("harbor"))
	for range 12 {
		s.mine(1)
		pause(t.Context(), 100*time.Millisecond)
	}
	s.uncounted(second)
	if sent := s.sent(); sent != 1 {
		t.Errorf("the key made %d transactions, the second while signing was frozen", sent)
	}
}

// three are three endpoints of the site, the first two of which a test may spoil.
func three(t *testing.T, s *site) (proxies [3]*chaintest.Proxy, urls []string) {
	for i := range proxies {
		proxies[i] = chaintest.NewProxy(t, s.url)
		urls = append(urls, proxies[i].URL())
	}
	return proxies, urls
}

// TestDaemonOneDownOneLagging: of three endpoints, two of which must agree, one is down and one is three blocks
// late.
func TestDaemonOneDownOneLagging(t *testing.T) {
	s := newSite(t, "harbor")
	p, urls := three(t, s)
	h := newHome(t, s, setup{rpc: urls, agree: 2})
	p[0].Set(chaintest.Faults{Down: true})
	p[1].Set(chaintest.Faults{Lag: 3})
	h.start("--live")
	grant, drain := s.propose("harbor", "A grant", s.grant("harbor")), s.propose("harbor", "Maintenance", s.drain("harbor"))
	h.final(grant, devchain.For)
	d := h.final(drain, devchain.Against)
	if d.Gathered.Facts.Sources != 2 {
		t.Errorf("the facts are from %d sources, want 2", d.Gathered.Facts.Sources)
	}
	// and the other way round, while it runs
	p[0].Set(chaintest.Faults{Lag: 3})
	p[1].Set(chaintest.Faults{})
	p[2].Set(chaintest.Faults{Down: true})
	h.final(s.propose("harbor", "A grant again", s.grant("harbor")), devchain.For)
	h.fsck()
	h.interrupt()
}

// rich makes an endpoint tell that the treasury has more than it has.
func rich(of common.Address) chaintest.Faults {
	return chaintest.Faults{Rewrite: func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage {
		if method == "eth_getBalance" && strings.EqualFold(string(params[0]), `"`+of.Hex()+`"`) {
			return json.RawMessage(`"0xffffffffffffffffffffff"`)
		}
		return result
	}}
}

// TestG18DaemonLiars: one liar among three is outvoted and named in the log; where no two agree nothing is
// voted, and the log says so.
func TestG18DaemonLiars(t *testing.T) {
	s := newSite(t, "harbor")
	p, urls := three(t, s)
	h := newHome(t, s, setup{rpc: urls, agree: 2})
	h.start("--live")
	p[1].Set(rich(s.daos["harbor"].Treasury))
	h.final(s.propose("harbor", "Maintenance", s.drain("harbor")), devchain.Against)
	if !strings.Contains(h.out.String(), "tells other facts") {
		t.Errorf("the log does not name the liar")
	}
	// people are told, and status names it
	host := strings.TrimPrefix(p[1].URL(), "http://")
	if !strings.Contains(h.out.String(), "endpoint "+host+" differs from the others") {
		t.Errorf("no alarm names %s", host)
	}
	var status struct {
		Chains []struct {
			Endpoints []struct {
				Host    string     `json:"host"`
				Differs *time.Time `json:"differs_since"`
			} `json:"endpoints"`
		} `json:"chains"`
	}
	_, body := h.get("/api/v1/status")
	if err := json.Unmarshal([]byte(body), &status); err != nil || len(status.Chains) != 1 || len(status.Chains[0].Endpoints) != 3 {
		t.Fatalf("status %s, %v", body, err)
	}
	for _, e := range status.Chains[0].Endpoints {
		if (e.Differs != nil) != (e.Host == host) {
			t.Errorf("status says of %s: %v; the liar is %s", e.Host, e.Differs, host)
		}
	}
	p[2].Set(rich(s.daos["harbor"].Timelock))
	m := s.propose("harbor", "A grant", s.grant("harbor"))
	d := h.until(m, gov.VoteHeld)
	if !slices.Contains(d.Verdict.Reasons, gov.HoldDisagreement) {
		t.Errorf("held because of %q", d.Verdict.Reasons)
	}
	if !strings.Contains(h.out.String(), "the endpoints disagree about the facts") {
		t.Errorf("the log does not tell of the disagreement")
	}
	for range 10 {
		s.mine(1)
		pause(t.Context(), 100*time.Millisecond)
	}
	s.uncounted(m)
	h.fsck()
}

// TestG48DaemonOneEndpointLosesNoVote: whatever one of three endpoints says or does while an Against is planned, sent and
// confirmed, the vote is cast and final (B6, B7, B8).
func TestG48DaemonOneEndpointLosesNoVote(t *testing.T) {
	s := newSite(t, "harbor")
	p, urls := three(t, s)
	h := newHome(t, s, setup{rpc: urls, agree: 2})
	h.start("--live")
	answers := func(method, result string) chaintest.Faults {
		return chaintest.Faults{Rewrite: func(m string, _ []json.RawMessage, r json.RawMessage) json.RawMessage {
			if m == method {
				return json.RawMessage(result)
			}
			return r
		}}
	}
	n := 0
	for name, f := range map[string]chaintest.Faults{
		"21000 gas": answers("eth_estimateGas", `"0x5208"`), "two million gas": answers("eth_estimateGas", `"0x1e8480"`), "no money": answers("eth_getBalance", `"0x0"`),
		"no receipt": answers("eth_getTransactionReceipt", `null`), "no code": answers("eth_getCode", `"0x"`), "nonce 9": answers("eth_getTransactionCount", `"0x9"`),
		"slow": {Delay: 2 * time.Second}, "hangs": {Hang: true}, "another chain": {ChainID: 5}, "errors": {ErrorRate: 0.5, Seed: 48},
	} {
		p[n%3].Set(f)
		h.final(s.propose("harbor", name, s.drain("harbor")), devchain.Against)
		p[n%3].Set(chaintest.Faults{})
		n++
	}
	t.Logf("n=%d ways of one endpoint, one of three", n)
	h.fsck()
}
