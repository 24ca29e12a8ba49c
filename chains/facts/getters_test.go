package facts_test

import (
	"context"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/facts"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// generous is a node that gives each call as much gas as its operator set.
type generous struct {
	rpc.Caller
	gas hexutil.Uint64
}

func (g generous) args(method string, args []any) []any {
	if method != "eth_call" {
		return args
	}
	c := args[0].(rpc.CallArgs)
	if c.Gas == 0 {
		c.Gas = g.gas
	}
	return append([]any{c}, args[1:]...)
}

func (g generous) Call(ctx context.Context, result any, method string, args ...any) error {
	return g.Caller.Call(ctx, result, method, g.args(method, args)...)
}

func (g generous) Batch(ctx context.Context, reqs []rpc.Request) error {
	for i, r := range reqs {
		reqs[i].Err = g.Caller.Call(ctx, r.Result, r.Method, g.args(r.Method, r.Args)...)
	}
	return nil
}

// delegating deploys a contract that delegates somewhere in its code, does nothing when it is called without data, and
// runs a body on any question.
func (a *arena) delegating(body ...byte) common.Address {
	a.Helper()
	run := append([]byte{0x36, 0x15, 0x60, byte(5 + len(body)), 0x57}, body...) // CALLDATASIZE ISZERO PUSH1 JUMPI
	run = append(run, 0x5b, 0x00, 0x5b, 0xf4)                                   // JUMPDEST STOP JUMPDEST DELEGATECALL
	receipt, err := a.s.Send(a.Context(), nil, nil, append([]byte{0x60, byte(len(run)), 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3}, run...))
	must(a, err)
	return receipt.ContractAddress
}

// TestG49ANodesOwnGas: a contract that is asked for its implementation and answers by the gas it was given, which is each
// node's choice, cannot make two honest nodes say different things about a proposal, nor stop an Against that stands.
func TestG49ANodesOwnGas(t *testing.T) {
	a := newArena(t, devchain.OZ5Block)
	d := a.dao
	base := a.act(d.Token, d.TokenContract(), "approve", stranger, ether(40_000))
	for name, body := range map[string][]byte{
		"tells its gas":         {0x5a, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3},       // GAS PUSH0 MSTORE PUSH1 32 PUSH0 RETURN
		"tells the base fee":    {0x48, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3},       // BASEFEE …
		"tells the gas price":   {0x3a, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3},       // GASPRICE …
		"loops":                 {0x5b, 0x60, 0x05, 0x56},                         // JUMPDEST PUSH1 5 JUMP
		"floods if it has much": {0x62, 0x1f, 0xff, 0xff, 0x5f, 0xf3},             // PUSH3 size PUSH0 RETURN
		"sets a parameter":      {0x5a, 0x5f, 0x52, 0x61, 0x02, 0x00, 0x5f, 0xf3}, // GAS … to the getter of a setter that it is called with
	} {
		t.Run(name, func(t *testing.T) {
			x := a.delegating(body...)
			decoy := devchain.Action{Target: x}
			if name == "sets a parameter" {
				decoy.Calldata = append(crypto.Keccak256([]byte("_setCloseFactor(uint256)"))[:4], make([]byte, 32)...)
			}
			p := a.made(base, decoy, a.on("burns"))
			at := a.head()
			var first gov.Digest
			for _, gas := range []hexutil.Uint64{10_000_000, 50_000_000} {
				node := generous{a.rpc, gas}
				deps := a.deps
				deps.Caller, deps.Runner = node, fork.New(node, fork.Config{ChainID: 31337})
				got, err := facts.Gather(t.Context(), deps, p, at)
				must(t, err)
				if _, known := got.Facts.Calls.Get(); !known {
					t.Errorf("the calls are not known: %s", missing(got.Facts))
				}
				if v := a.policy.Decide(gov.Case{Proposal: p, Facts: got.Facts, Holder: gov.Holder{Name: "alice"}}); v.Direction != gov.Against {
					t.Errorf("%s by %s %v", v.Direction, v.Rule, v.Reasons)
				}
				if now := digest(t, got.Facts); first == (gov.Digest{}) {
					first = now
				} else if now != first {
					t.Errorf("two nodes say different things: %s", missing(got.Facts))
				}
				if err := facts.SameCode(t.Context(), generous{a.rpc, gas / 2}, 31337, got.Facts, at); err != nil {
					t.Errorf("the same code: %v", err)
				}
			}
		})
	}
}

// TestG49AskedStepByStep: a question that makes reads depend on each other ends at a bound, whatever was read before.
func TestG49AskedStepByStep(t *testing.T) {
	a := newArena(t, devchain.OZ5Block)
	before := fork.New(a.rpc, fork.Config{ChainID: 31337}).Before(a.head())
	ask := func(steps int64) error {
		_, err := before.Ask(t.Context(), gov.Address(a.hostile), a.on("chase", n(steps), n(0)).Calldata)
		return err
	}
	must(t, ask(20))
	if err := ask(100); !fork.IsReverted(err) {
		t.Errorf("100 steps: %v", err)
	}
	_, err := before.Call(t.Context(), gov.Address(a.hostile), a.on("chase", n(100), n(0)).Calldata)
	must(t, err)
	if err := ask(100); !fork.IsReverted(err) {
		t.Errorf("100 steps when all was read before: %v", err)
	}
	must(t, ask(20))
}

// TestG49DeepInTime: the reads that may depend on each other fit into the time of a run, over a link of 200 ms. More would
// be unavailable to those who live far away, though they are the proposal's content.
func TestG49DeepInTime(t *testing.T) {
	if took := fork.MaxDeep * 200 * time.Millisecond; took > fork.DefaultTimeout*9/10 {
		t.Errorf("%d reads take %s of %s", fork.MaxDeep, took, fork.DefaultTimeout)
	}
}
