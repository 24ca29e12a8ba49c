package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

const selectorTimelock = "d33219b4" // timelock()

// says makes an endpoint answer an address to every call of a function.
func says(selector string, answer common.Address) chaintest.Faults {
	return chaintest.Faults{Rewrite: func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage {
		if method != "eth_call" || !strings.Contains(string(params[0]), `"0x`+selector) {
			return result
		}
		return json.RawMessage(`"` + common.BytesToHash(answer[:]).Hex() + `"`)
	}}
}

// TestG48IdentityIsAgreed: what one endpoint says that the governor is, while the daemon starts, is not believed (B1).
func TestG48IdentityIsAgreed(t *testing.T) {
	s := newSpoilt(t)
	dao := s.daos["harbor"]
	n := 0
	for _, f := range []chaintest.Faults{
		says(selectorTimelock, s.daos["meadow"].Timelock), says(selectorTimelock, common.Address{}), says(selectorTimelock, devchain.Address(accountAttacker)),
		says("fc0c546a", s.daos["meadow"].Token), calls("91d14854", 0), {Code: map[common.Address][]byte{dao.Governor: {}}}, {Pruned: true},
	} {
		for at := range s.proxies {
			faults := make([]chaintest.Faults, len(s.proxies))
			faults[at] = f
			s.lie(faults...)
			w, err := openWorld(t.Context(), s.conf, s.world.log)
			if err != nil {
				t.Errorf("lie %d at endpoint %d: %v", n/3, at, err)
				continue
			}
			g := may(w.of(s.id()))(t)
			if g.governor.Timelock != gov.Address(dao.Timelock) || g.governor.Token != gov.Address(dao.Token) {
				t.Errorf("lie %d at endpoint %d: timelock %s, token %s", n/3, at, g.governor.Timelock, g.governor.Token)
			}
			w.close()
			n++
		}
	}
	t.Logf("n=%d lies about a governor, one of three", n)
}

// newTimelock deploys a timelock that obeys harbor's governor, and holds tokens of the DAO.
func (s *spoilt) newTimelock() common.Address {
	s.t.Helper()
	return newTimelock(s.t, s.deployer, s.daos["harbor"])
}

// moveTo has the governor name another timelock, as an executed updateTimelock leaves it.
func (s *spoilt) moveTo(timelock common.Address) {
	s.t.Helper()
	moveTo(s.t, s.deployer, s.daos["harbor"], timelock)
	s.mine(1)
}

// newTimelock deploys a timelock that obeys the governor of a DAO, and holds tokens of it.
func newTimelock(t *testing.T, deployer *devchain.Session, dao *devchain.DAO) common.Address {
	t.Helper()
	ctx := t.Context()
	a := may(deployer.Deploy(ctx, "TimelockController", common.Big1, []common.Address{}, []common.Address{{}}, deployer.From))(t)
	role := crypto.Keccak256Hash([]byte("PROPOSER_ROLE"))
	may(deployer.Transact(ctx, a, "TimelockController", "grantRole", role, dao.Governor))(t)
	must(t, deployer.TransferToken(ctx, dao, a, ether(50_000)))
	return a
}

// moveTo writes another timelock into a governor; it holds from the next block.
func moveTo(t *testing.T, deployer *devchain.Session, dao *devchain.DAO, timelock common.Address) {
	t.Helper()
	for slot := range int64(64) {
		at := common.BigToHash(common.Big0)
		at[31] = byte(slot)
		var word common.Hash
		must(t, deployer.RPC.CallContext(t.Context(), &word, "eth_getStorageAt", dao.Governor, at, "latest"))
		if common.BytesToAddress(word[:]) == dao.Timelock && word.Big().BitLen() <= 160 {
			must(t, deployer.RPC.CallContext(t.Context(), nil, "anvil_setStorageAt", dao.Governor, at, common.BytesToHash(timelock[:])))
			return
		}
	}
	t.Fatal("the governor's slot of its timelock was not found")
}

// verdict is what the demo's policy says of gathered facts.
func (s *spoilt) verdict(p gov.Proposal, g dossier.Gathered) gov.Verdict {
	s.t.Helper()
	g.Findings = checks.Run(p, g.Facts)
	return s.set.Decide(g.Case(p, may(voice{set: s.set}.Holder("harbor"))(s.t)))
}

// TestG48IdentityFollowsTheChain: a DAO that moves to another timelock while the daemon runs holds a For, keeps an
// Against, is told, and is followed once that is final; the new timelock's drain is voted down without a restart (B2).
func TestG48IdentityFollowsTheChain(t *testing.T) {
	s := newSpoilt(t)
	var told []string
	s.world.onAlarm(func(_ gov.Severity, what string, _ error) { told = append(told, what) })
	poll := func() gov.Head {
		t.Helper()
		var cursor gov.Cursor
		var recent []gov.Block
		poller := may(s.world.pollers())(t)[0]
		for range 40 {
			b := may(poller.Poll(t.Context(), cursor, recent))(t)
			cursor, recent = b.To, b.Recent
			if b.To.Block.Number == s.latest().Number {
				break
			}
		}
		return may(s.world.Head(t.Context(), s.id()))(t)
	}
	moved := s.newTimelock()
	s.mine(80)
	old := gov.Address(s.daos["harbor"].Timelock)
	s.moveTo(moved)
	grant, _ := s.propose(0, "# A grant")
	dao := s.daos["harbor"]
	take := may(devchain.ActionOn(dao.Token, dao.TokenContract(), "approve", devchain.Address(accountAttacker), ether(50_000)))(t)
	made := may(s.proposer.Propose(t.Context(), dao, []devchain.Action{take}, "# Take all"))(t)
	drain := s.read(made)
	must(t, s.deployer.RPC.CallContext(t.Context(), nil, "anvil_setBalance", moved, "0xde0b6b3a76400000"))
	s.mine(1)

	// at the head, not final: nothing is followed yet
	head := poll()
	first := may(s.world.Gather(t.Context(), grant, s.latest()))(t)
	doubt := gov.Missing{Part: gov.PartDAO, Reason: gov.Changed, Subject: gov.Address(dao.Governor)}
	if !slices.Contains(first.Facts.Unavailable, doubt) || first.Facts.DAO.Timelock != gov.Address(moved) || !slices.Contains(first.Facts.DAO.Treasury, old) {
		t.Errorf("facts at the head: dao %+v, missing %+v; want the new timelock, the old one's treasury, and %+v", first.Facts.DAO, first.Facts.Unavailable, doubt)
	}
	if v := s.verdict(grant, first); v.Direction != gov.Hold || !slices.Contains(v.Reasons, gov.HoldUnavailable) {
		t.Errorf("a grant while the governor is in doubt: %s because %s, %v", v.Direction, v.Because, v.Reasons)
	}
	if got := may(s.world.of(s.id()))(t).governor.Timelock; got != old {
		t.Errorf("block %d is followed at final block %d", s.latest().Number, head.Final.Number)
	}
	if len(told) != 1 || told[0] != "governor harbor is not what it was" {
		t.Errorf("told %q", told)
	}

	// once final it is followed, and the first gathering that sees it keeps an Against
	s.mine(80)
	head = poll()
	g := may(s.world.Gather(t.Context(), drain, head.Final))(t)
	if v := s.verdict(drain, g); v.Direction != gov.Against {
		t.Errorf("the new timelock's drain: %s by %s, %s", v.Direction, v.Rule, v.Because)
	}
	if got := may(s.world.of(s.id()))(t).governor.Timelock; got != gov.Address(moved) {
		t.Errorf("timelock %s is followed, want %s", got, moved)
	}
	if c, ok := s.world.contract(s.id().Chain, s.id().Governor); !ok || c.Timelock != gov.Address(moved) {
		t.Error("the sender does not know it")
	}
	again := may(s.world.Gather(t.Context(), grant, head.Final))(t)
	if slices.ContainsFunc(again.Facts.Unavailable, func(m gov.Missing) bool { return m.Part == gov.PartDAO }) || !slices.Contains(again.Facts.DAO.Treasury, old) {
		t.Errorf("after it is followed: dao %+v, missing %+v", again.Facts.DAO, again.Facts.Unavailable)
	}

	// one that cannot be recognised any more holds a For, and is told
	s.lie(calls("dd4e2ba5", 0), calls("dd4e2ba5", 0), calls("dd4e2ba5", 0)) // COUNTING_MODE() answers nonsense
	last := may(s.world.Gather(t.Context(), grant, head.Final))(t)
	if v := s.verdict(grant, last); !slices.Contains(last.Facts.Unavailable, doubt) || v.Direction != gov.Hold {
		t.Errorf("not recognised: %s, missing %+v", v.Direction, last.Facts.Unavailable)
	}
	if got := may(s.world.of(s.id()))(t).governor.Timelock; got != gov.Address(moved) || told[len(told)-1] != "governor harbor cannot be recognised any more" {
		t.Errorf("timelock %s, told %q", got, told)
	}
}

// TestG48SlowEndpoint: an endpoint that answers after 5 s each costs a gathering the grace, and the next one nothing (B6).
func TestG48SlowEndpoint(t *testing.T) {
	s := newSpoilt(t)
	p, _ := s.propose(0, "# A grant")
	at := s.latest()
	time1 := func() time.Duration {
		began := time.Now()
		if g, err := s.world.Gather(t.Context(), p, at); err != nil || g.Facts.Effects.Status != gov.Known(gov.EffectsExecuted) {
			t.Fatalf("%+v, %v", g.Facts.Unavailable, err)
		}
		return time.Since(began)
	}
	honest := time1()
	for i := range s.proxies {
		s.dial()
		faults := make([]chaintest.Faults, len(s.proxies))
		faults[i] = chaintest.Faults{Delay: 5 * time.Second}
		s.lie(faults...)
		if took := time1(); took > 5*honest+2*time.Second {
			t.Errorf("endpoint %d is slow: a gathering took %s, among honest ones %s", i, took, honest)
		}
		if took := time1(); took > 2*honest+500*time.Millisecond {
			t.Errorf("endpoint %d is slow: the next gathering took %s", i, took)
		}
	}
	if len(s.client().Sources()) < 2 {
		t.Error("fewer endpoints are left than must agree")
	}
}

// TestG48EndpointsAreTold: who differs is told at once and once an hour, who is slow or fails when it lasts; status says
// since when.
func TestG48EndpointsAreTold(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var told []string
	d := &doubts{now: func() time.Time { return now }, tell: func(_ gov.Severity, what string, _ error) { told = append(told, what) }, of: map[string]map[ailment]*doubt{}}
	health := []rpc.Health{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	want := func(step string, lines ...string) {
		t.Helper()
		if !slices.Equal(told, lines) {
			t.Errorf("%s: told %q, want %q", step, told, lines)
		}
		told = nil
	}
	d.notice(quorum.Agreement{Agreeing: []string{"a", "b"}, Minority: []string{"c"}, Slow: nil})
	want("a lie", "endpoint c differs from the others")
	for range 30 {
		now = now.Add(time.Minute)
		d.notice(quorum.Agreement{Agreeing: []string{"a"}, Minority: []string{"c"}, Slow: []string{"b"}})
	}
	want("half an hour of it", "endpoint b is slow")
	if got := d.list(health); got[2].Differs != gov.Known(gov.UnixTime(1_800_000_000)) || got[1].Slow != gov.Known(gov.UnixTime(1_800_000_060)) || got[0].Failing.IsKnown() {
		t.Errorf("status %+v", got)
	}
	d.notice(quorum.Agreement{Agreeing: []string{"a", "b", "c"}})
	if got := d.list(health); got[1].Slow.IsKnown() || !got[2].Differs.IsKnown() {
		t.Errorf("after all agree: %+v; want no slow one, and the liar still named", got)
	}
	for range 5 {
		now = now.Add(time.Minute)
		d.examine([]rpc.Health{{Name: "a", Failures: 4}, {Name: "b", Lagging: true}, {Name: "c"}})
	}
	want("two that are not asked any more", "endpoint a is failing", "endpoint b is failing")
	for range 4 { // another fork at the tip is no lie until it lasts
		d.notice(quorum.Agreement{Agreeing: []string{"a", "b"}, Minority: []string{"c"}, Tip: true})
		now = now.Add(20 * time.Second)
	}
	want("a fork")
	if d.notice(quorum.Agreement{Agreeing: []string{"a", "b", "c"}, Tip: true}); d.of["c"][apart] != nil {
		t.Error("it is on the others' chain, and apart")
	}
	now = now.Add(61 * time.Minute)
	d.notice(quorum.Agreement{Agreeing: []string{"a", "b"}, Minority: []string{"c"}})
	want("again after an hour", "endpoint c differs from the others")
}
