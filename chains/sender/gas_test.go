package sender_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/sender"
)

var reverted = &rpc.NodeError{Code: 3, Message: "execution reverted"}

// TestG48GasIsBounded: fewer endpoints than must agree move the gas of a vote to nothing that no honest one says, and
// keep none from being planned (B7, B8).
func TestG48GasIsBounded(t *testing.T) {
	const honest, most = 90_000 + 27_000 + 60_000, sender.DefaultMaxGas
	says := func(gas uint64) func(*node) { return func(n *node) { n.gas = gas } }
	fails := func(err error) func(*node) { return func(n *node) { n.errs["eth_estimateGas"] = err } }
	reverts, down := fails(reverted), fails(errDown)
	higher, cheap := says(100_000), func(n *node) { n.baseFee = big.NewInt(1e9) }
	both := func(f, g func(*node)) func(*node) { return func(n *node) { f(n); g(n) } }
	for _, c := range []struct {
		name   string
		change [3]func(*node)
		want   uint64
		err    error
	}{
		{"all honest", [3]func(*node){}, honest, nil},
		{"one says it reverts", [3]func(*node){reverts}, honest, nil},
		{"one says two million", [3]func(*node){says(2_000_000)}, honest, nil},
		{"one says 21000", [3]func(*node){nil, says(21_000)}, honest, nil},
		{"one says 0", [3]func(*node){nil, nil, says(0)}, honest, nil},
		{"one is down", [3]func(*node){nil, down}, honest, nil},
		{"honest ones differ, one lies high", [3]func(*node){says(1 << 60), higher, nil}, 100_000 + 30_000 + 60_000, nil},
		{"honest ones differ, one lies low", [3]func(*node){says(1), higher, nil}, honest, nil},
		{"one lies, one is down", [3]func(*node){reverts, down}, honest, nil}, // the most is too dear at this fee
		{"one lies, one is down, low fees", [3]func(*node){both(reverts, cheap), both(down, cheap), cheap}, most, nil},
		{"nobody estimates", [3]func(*node){down, down, down}, 300_000, nil},
		{"two revert", [3]func(*node){reverts, reverts}, 0, sender.ErrReverts},
		{"all revert", [3]func(*node){reverts, reverts, reverts}, 0, sender.ErrReverts},
		{"two say two million", [3]func(*node){says(2_000_000), says(3_000_000)}, 0, sender.ErrFee},
	} {
		nodes := []*node{newNode("a"), newNode("b"), newNode("c")}
		for i, change := range c.change {
			if change != nil {
				change(nodes[i])
			}
		}
		plan, err := open(t, ready(), 2, nodes...).Plan(t.Context(), vote(0), nil)
		if plan.Gas != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: gas %d, %v; want %d, %v", c.name, plan.Gas, err, c.want, c.err)
		}
	}
}

// TestG48OneEndpointKeepsNoVoteFromBeingMade: what one of three says of balance, tip, nonce, head, or of the bytes that it
// is sent.
func TestG48OneEndpointKeepsNoVoteFromBeingMade(t *testing.T) {
	want := gov.Tx{Nonce: 5, Gas: 90_000 + 27_000 + 60_000, FeeCap: gov.NewAmount(22e9), TipCap: gov.NewAmount(2e9)}
	n := 0
	for name, lie := range map[string]func(*node){
		"no money":          func(n *node) { n.balance = new(big.Int) },
		"much money":        func(n *node) { n.balance = new(big.Int).Lsh(big.NewInt(1), 200) },
		"a huge tip":        func(n *node) { n.tip = new(big.Int).Lsh(big.NewInt(1), 200) },
		"no tip":            func(n *node) { n.tip = new(big.Int) },
		"a high nonce":      func(n *node) { n.nonce = 900 },
		"a low nonce":       func(n *node) { n.nonce = 0 },
		"a head ahead":      func(n *node) { n.head = 1 << 40 },
		"a head behind":     func(n *node) { n.head = 3 },
		"another base fee":  func(n *node) { n.baseFee = big.NewInt(1) },
		"another chain":     func(n *node) { n.chain = 5 },
		"errors":            func(n *node) { n.errs["eth_getBalance"], n.errs["eth_getTransactionCount"] = errDown, reverted },
		"the nonce is used": func(n *node) { n.sendErr = nodeError("nonce too low") },
		"already known":     func(n *node) { n.sendErr = nodeError("already known") },
		"underpriced":       func(n *node) { n.sendErr = nodeError("transaction underpriced") },
	} {
		for at := range 3 {
			nodes := []*node{newNode("a"), newNode("b"), newNode("c")}
			lie(nodes[at])
			s := open(t, ready(), 2, nodes...)
			if power, err := s.Preflight(t.Context(), proposal(), holder, vote(1)); err != nil || power != gov.NewAmount(10) {
				t.Errorf("%s at %d: power %s, %v", name, at, power, err)
			}
			plan, err := s.Plan(t.Context(), vote(0), nil)
			if err != nil || plan != want {
				t.Errorf("%s at %d: %+v, %v, want %+v", name, at, plan, err, want)
				continue
			}
			v := sign(t, vote(0), plan)
			if err := s.Send(t.Context(), v); err != nil {
				t.Errorf("%s at %d: send: %v", name, at, err)
			}
			for i, node := range nodes {
				if i != at && len(node.sent) != 1 {
					t.Errorf("%s at %d: endpoint %d was sent %d transactions", name, at, i, len(node.sent))
				}
			}
			n++
		}
	}
	t.Logf("n=%d lies, one of three", n)
}

// TestG48UnderpricedByTheHonest: one endpoint that claims to have the vote's nonce used does not keep the others' refusal
// for its fee from raising it.
func TestG48UnderpricedByTheHonest(t *testing.T) {
	nodes := []*node{newNode("a"), newNode("b"), newNode("c")}
	s := open(t, ready(), 2, nodes...)
	v := signed(t, s, vote(1))
	nodes[0].sendErr = nodeError("nonce too low")
	nodes[1].sendErr, nodes[2].sendErr = nodeError("transaction underpriced"), nodeError("transaction underpriced")
	if err := s.Send(t.Context(), v); !errors.Is(err, sender.ErrUnderpriced) {
		t.Fatalf("%v, want ErrUnderpriced", err)
	}
	if plan, err := s.Replace(t.Context(), v); err != nil || plan == nil || plan.TipCap.Cmp(gov.NewAmount(4e9)) < 0 {
		t.Errorf("%+v, %v; want a dearer one", plan, err)
	}
}

// TestG18SearchIsAgreed: the log by which a vote is found is one that enough endpoints tell.
func TestG18SearchIsAgreed(t *testing.T) {
	nodes := []*node{newNode("a"), newNode("b"), newNode("c")}
	g := ready()
	s := open(t, g, 2, nodes...)
	first := signed(t, s, vote(1))
	second := sign(t, first.Ballot, gov.Tx{Nonce: first.Nonce, Gas: 200_000, FeeCap: gov.NewAmount(50e9), TipCap: gov.NewAmount(4e9)})
	g.voted = true
	for i, n := range nodes {
		n.mined(first, 95, true)
		log := castLog(first.Ballot)
		tx := first.Tx
		if i == 0 {
			tx = gov.Hash{0xbad & 0xff}
		}
		for k, v := range map[string]any{"blockNumber": "0x5f", "blockHash": n.block(95).Hash(), "transactionHash": tx, "transactionIndex": "0x0", "logIndex": "0x0", "removed": false} {
			log[k] = v
		}
		raw, err := json.Marshal(log)
		if err != nil {
			t.Fatal(err)
		}
		n.logs = []json.RawMessage{raw}
	}
	if r, err := s.Confirm(t.Context(), second, final(nodes[1], 96)); err != nil || r == nil || r.Tx != first.Tx || !r.Final {
		t.Errorf("one tells of another transaction: %+v, %v", r, err)
	}
}

// TestG48Retry: a vote that was mined and failed is planned again with more gas, unless it counts by another transaction,
// would fail again, or has had the most.
func TestG48Retry(t *testing.T) {
	n := newNode("a")
	g := ready()
	s := open(t, g, 1, n)
	v := signed(t, s, vote(0))
	if plan, err := s.Retry(t.Context(), v); err != nil || plan != nil {
		t.Errorf("it is not mined: %+v, %v", plan, err)
	}
	n.mined(v, 95, false)
	plan, err := s.Retry(t.Context(), v)
	if err != nil || plan == nil || plan.Nonce != v.Nonce+1 || plan.Gas < 2*177_000 {
		t.Fatalf("it failed: %+v, %v", plan, err)
	}
	n.errs["eth_estimateGas"] = reverted
	if plan, err := s.Retry(t.Context(), v); !errors.Is(err, sender.ErrReverts) || plan != nil {
		t.Errorf("it would fail again: %+v, %v", plan, err)
	}
	delete(n.errs, "eth_estimateGas")
	full := sign(t, vote(0), gov.Tx{Nonce: 6, Gas: sender.DefaultMaxGas, FeeCap: gov.NewAmount(1e9), TipCap: gov.NewAmount(1e9)})
	n.mined(full, 96, false)
	if plan, err := s.Retry(t.Context(), full); err != nil || plan != nil {
		t.Errorf("it failed with the most gas: %+v, %v", plan, err)
	}
	n.mined(v, 95, true)
	if plan, err := s.Retry(t.Context(), v); err != nil || plan != nil {
		t.Errorf("it counts: %+v, %v", plan, err)
	}
}

// TestG48OutOfGasOnChain: on a real governor, a vote that runs out of gas is made again with more, and counts once.
func TestG48OutOfGasOnChain(t *testing.T) {
	w := start(t, devchain.OZ5Block)
	ctx := t.Context()
	p, id := w.propose("pay account 7")
	must(t, w.deployer.SkipToVoting(ctx, w.dao, id))
	b := w.ballot(p, gov.SupportAgainst)
	plan, err := w.Plan(ctx, b, nil)
	must(t, err)
	plan.Gas = 60_000 // as an endpoint would have it that says 21 000
	poor := sign(t, b, plan)
	must(t, w.Send(ctx, poor))
	must(t, w.chain.Mine(ctx, 10))
	if r, err := w.Confirm(ctx, poor, w.final()); err != nil || r == nil || r.OK || !r.Final {
		t.Fatalf("%+v, %v; want a final failure", r, err)
	}
	again, err := w.Retry(ctx, poor)
	if err != nil || again == nil || again.Nonce != plan.Nonce+1 || again.Gas < 120_000 {
		t.Fatalf("%+v, %v", again, err)
	}
	rich := sign(t, b, *again)
	must(t, w.Send(ctx, rich))
	must(t, w.chain.Mine(ctx, 10))
	if r, err := w.Confirm(ctx, rich, w.final()); err != nil || r == nil || !r.OK || !r.Final || r.Support != gov.Known(gov.SupportAgainst) {
		t.Errorf("%+v, %v", r, err)
	}
	// whichever of the two is followed, it is the one that counts
	if r, err := w.Confirm(ctx, poor, w.final()); err != nil || r == nil || r.Tx != rich.Tx || !r.OK {
		t.Errorf("the failed one is followed: %+v, %v", r, err)
	}
	if plan, err := w.Retry(ctx, poor); err != nil || plan != nil {
		t.Errorf("it counts and is made again: %+v, %v", plan, err)
	}
}
