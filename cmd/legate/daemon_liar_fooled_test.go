package main

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
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

// How a DAO counts, which says what a false head moves: its number or its time.
const blocks, seconds = devchain.ClockBlocks, devchain.ClockTime

// fooled are the ways in which one of three endpoints once lost an Against or changed a vote, each with the number that
// the review gave it. B2 and B8 have tests of their own below.
var fooled = []struct {
	name, question, lie, moment string
	once                        bool
	clock                       devchain.Clock
}{
	{"B1: a false timelock at the start", "timelock()", "a stranger", starting, true, blocks},
	{"B1: no timelock at the start", "timelock()", "nobody", starting, true, blocks},
	{"B3: far ahead after the decision", "eth_getBlockByNumber latest", "1000 blocks on", deciding, true, blocks}, // its clock is the block number
	{"B3: far ahead, whenever asked", "eth_getBlockByNumber latest", "1000 blocks on", deciding, false, blocks},
	{"B3: a year ahead after the decision", "eth_getBlockByNumber latest", "a year ahead", deciding, true, seconds},
	{"B3: a year ahead, whenever asked", "eth_getBlockByNumber latest", "a year ahead", deciding, false, seconds},
	{"B4: six hours back at the decision", "eth_getBlockByNumber latest", "six hours back", gathering, true, blocks},
	{"B4: six hours back, whenever asked", "eth_getBlockByNumber latest", "six hours back", gathering, false, blocks},
	{"B5: another id", "eth_getLogs", "another id", watching, true, blocks},
	{"B5: another byte", "eth_getLogs", "a byte of the text", watching, true, blocks},
	{"B6: 5 s for each answer", "everything", "5 s", gathering, false, blocks},
	{"B7: the estimate reverts", "eth_estimateGas", "reverts", planning, false, blocks},
	{"B7: the estimate is two million", "eth_estimateGas", "two million", planning, false, blocks},
	{"B7: no money", "eth_getBalance", "zero", planning, false, blocks},
}

// TestG48FooledByOneEndpoint: none of the lies that once lost or changed a vote does so, at whichever endpoint.
func TestG48FooledByOneEndpoint(t *testing.T) {
	stages := map[devchain.Clock]*stage{}
	for _, s := range bothClocks(t) {
		stages[s.clock] = s
	}
	lists := map[devchain.Clock][]lieCell{}
	for _, f := range fooled {
		i := slices.IndexFunc(append([]question{everything}, questions...), func(q question) bool { return q.name == f.question })
		if i < 0 {
			t.Fatalf("no question %q", f.question)
		}
		q := append([]question{everything}, questions...)[i]
		lists[f.clock] = append(lists[f.clock], lieCell{q, lieNamed(t, q.form, f.lie), f.moment, f.once})
	}
	n := 0
	tell := func(f finding) {
		switch {
		case f.wrong != "":
			t.Errorf("%s (%s): %s; %s", f.cell, f.took, f.wrong, f.story)
		case f.vacuous:
			t.Errorf("%s: the lie was not told; %s", f.cell, f.story)
		default:
			t.Logf("%s: named %t", f.cell, f.named)
			n++
		}
	}
	for clock, list := range lists {
		scan([]*stage{stages[clock]}, list, func(int) int { return 0 }, tell)
	}
	t.Logf("n=%d lies that once worked, told by the preferred endpoint of three", n)
}

// TestG48DaemonFollowsTheTimelock: nobody lies, but the DAO moves to another timelock while the daemon runs. Its drain
// is voted down without a restart, and people are told (B2). The grant beside it is never voted against.
func TestG48DaemonFollowsTheTimelock(t *testing.T) {
	s := newStage(t, devchain.OZ5Block)
	o := s.live(func(l *life) {
		l.against = true
		l.started = func() {
			dao := l.daos["harbor"]
			moved := newTimelock(t, l.deployer, dao)
			must(t, l.deployer.RPC.CallContext(t.Context(), nil, "anvil_setBalance", moved, "0x56bc75e2d63100000"))
			moveTo(t, l.deployer, dao, moved)
			l.mine(1)
			l.bad = may(devchain.ActionOn(dao.Token, dao.TokenContract(), "approve", devchain.Address(accountAttacker), ether(50_000)))(t)
		}
	})
	if o.against.casts != 1 || o.against.support != uint8(devchain.Against) {
		t.Errorf("the drain of the new timelock: %+v; %s; %s", o.against, o.stuck, o.story)
	}
	if o.forth.casts > 0 && o.forth.support != uint8(devchain.For) {
		t.Errorf("the grant: %+v", o.forth)
	}
	if !strings.Contains(o.log, "governor harbor is not what it was") {
		t.Errorf("nobody is told:\n%s", o.log)
	}
}

// TestG48GasOfACostlyToken: one endpoint says that a vote takes 21 000 gas, where the token's checkpoints make it cost far
// more than usual. It is planned with what the others say, is mined and counts (B8).
func TestG48GasOfACostlyToken(t *testing.T) {
	s := newStage(t, devchain.OZ5Block)
	for at := range s.liars {
		o := s.live(func(l *life) {
			l.costly()
			s.liars[at].Lie(lieNamed(t, chaintest.Gas, "21000"), chaintest.When{Question: "eth_estimateGas"})
		})
		if bad := o.wrong(o); bad != "" || o.told == 0 {
			t.Errorf("endpoint %d says 21 000, %d times: %s; %s", at, o.told, bad, o.story)
		}
		if gas := s.gasOfVotes(); gas < 200_000 {
			t.Errorf("the votes took %d gas each: the token is not costly", gas)
		}
	}
}

// costly makes every call of the token burn gas before it does what it did.
func (l *life) costly() {
	token := l.daos["harbor"].Token
	var code hexutil.Bytes
	must(l.t, l.deployer.RPC.CallContext(l.t.Context(), &code, "eth_getCode", token, "latest"))
	inner := common.HexToAddress("0x00000000000000000000000000000000c0571e55")
	const loops = 5000 // of 26 gas each
	outer := binary.BigEndian.AppendUint16([]byte{0x61}, loops)
	outer = append(outer, 0x5b, 0x60, 1, 0x90, 0x03, 0x80, 0x60, 3, 0x57, 0x50) // JUMPDEST, n-1, until 0
	outer = append(outer, 0x36, 0x5f, 0x5f, 0x37, 0x5f, 0x5f, 0x36, 0x5f, 0x73) // the calldata, to inner
	outer = append(outer, inner[:]...)
	outer = append(outer, 0x5a, 0xf4, 0x3d, 0x5f, 0x5f, 0x3e) // DELEGATECALL, its answer
	ok := byte(len(outer) + 6)
	outer = append(outer, 0x60, ok, 0x57, 0x3d, 0x5f, 0xfd, 0x5b, 0x3d, 0x5f, 0xf3) // RETURN or REVERT
	must(l.t, l.deployer.RPC.CallContext(l.t.Context(), nil, "anvil_setCode", inner, code))
	must(l.t, l.deployer.RPC.CallContext(l.t.Context(), nil, "anvil_setCode", token, hexutil.Bytes(outer)))
	l.mine(1)
}

// gasOfVotes is the least gas that a vote of the key took.
func (s *stage) gasOfVotes() uint64 {
	s.t.Helper()
	least := ^uint64(0)
	logs := may(s.deployer.Client.FilterLogs(s.t.Context(), ethereum.FilterQuery{
		Addresses: []common.Address{s.daos["harbor"].Governor}, Topics: [][]common.Hash{{voteCast}},
	}))(s.t)
	for _, l := range logs {
		least = min(least, may(s.deployer.Client.TransactionReceipt(s.t.Context(), l.TxHash))(s.t).GasUsed)
	}
	return least
}
