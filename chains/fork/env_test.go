package fork_test

import (
	"bytes"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/rpc"
)

// deploy puts raw runtime code on the chain.
func (w *world) deploy(code string) common.Address {
	w.Helper()
	runtime := common.FromHex(code)
	init := append([]byte{0x60, byte(len(runtime)), 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3}, runtime...)
	r, err := w.s.Send(w.Context(), nil, nil, init)
	must(w, err)
	return r.ContractAddress
}

// environment stores TIMESTAMP, NUMBER, BASEFEE, ORIGIN and BLOCKHASH of two blocks before in slots 0 to 4.
const environment = "425f55" + "43600155" + "48600255" + "32600355" + "6002430340600455" + "00"

func TestEnvironment(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	at := w.deploy(environment)
	must(t, w.s.MineBlocks(t.Context(), 5))
	head := w.head()
	header, err := rpc.HeaderByHash(t.Context(), w.rpc, head.Hash)
	must(t, err)
	plan := w.plan()
	plan.Lifecycle = nil
	p := w.proposal(&devchain.Proposal{ID: new(big.Int), Actions: []devchain.Action{{Target: at}}})
	slots := func(env fork.Env) [5]common.Hash {
		plan.Env = env
		res, err := w.runner().Run(t.Context(), p, head, plan)
		must(t, err)
		var out [5]common.Hash
		for i := range out {
			out[i], err = res.After.Storage(t.Context(), gov.Address(at), common.BigToHash(big.NewInt(int64(i))))
			must(t, err)
		}
		return out
	}
	plain := slots(fork.Env{})
	if plain[0].Big().Uint64() != header.Time+12 || plain[1].Big().Uint64() != head.Number+1 || plain[2].Big().Cmp(header.BaseFee.ToBig()) != 0 {
		t.Errorf("environment %v", plain)
	}
	if plain[4] != header.ParentHash {
		t.Errorf("BLOCKHASH is %s, want %s", plain[4], header.ParentHash)
	}
	fee := gov.NewAmount(12345)
	other := slots(fork.Env{Caller: gov.Address(devchain.Address(3)), Later: 3600, Blocks: 10, BaseFee: &fee})
	if other[0].Big().Uint64() != header.Time+12+3600 || other[1].Big().Uint64() != head.Number+1+300+10 ||
		other[2].Big().Uint64() != 12345 || common.BytesToAddress(other[3][:]) != devchain.Address(3) {
		t.Errorf("varied environment %v", other)
	}
	if other[4] == plain[4] || other[4] == (common.Hash{}) {
		t.Errorf("BLOCKHASH of a block to come is %s", other[4])
	}
}

func TestCreatedCodeAndDelegation(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	// Makes a contract whose code is one STOP.
	factory := w.deploy("6360015ff35f526004601c5ff05000")
	res := w.direct(devchain.Action{Target: factory})
	want := []gov.CodeChange{{Account: gov.Address(crypto.CreateAddress(factory, 1)), After: gov.CodeHash(crypto.Keccak256Hash([]byte{0}))}}
	if !res.Effects.Executed() || !slices.Equal(res.Effects.CodeChanges, want) {
		t.Errorf("code changes %v, want %v", res.Effects.CodeChanges, want)
	}
	code, err := res.After.Code(t.Context(), want[0].Account)
	if err != nil || !bytes.Equal(code, []byte{0}) {
		t.Errorf("code after the run %x, %v", code, err)
	}
	if code, err := res.Before.Code(t.Context(), want[0].Account); err != nil || len(code) != 0 {
		t.Errorf("code before the run %x, %v", code, err)
	}

	// An account that delegates its code (EIP-7702) runs it on its own storage.
	target := w.deploy(environment)
	account := devchain.Address(11)
	designator := append([]byte{0xef, 0x01, 0x00}, target[:]...)
	must(t, w.s.RPC.CallContext(t.Context(), nil, "anvil_setCode", account, "0x"+common.Bytes2Hex(designator)))
	res = w.direct(devchain.Action{Target: account})
	if !res.Effects.Executed() || len(res.Effects.StorageDiffs) != 5 || res.Effects.StorageDiffs[0].Account != gov.Address(account) {
		t.Errorf("%v %+v", res.Effects.Status, res.Effects.StorageDiffs)
	}
	if code, err := res.After.Code(t.Context(), gov.Address(account)); err != nil || !bytes.Equal(code, designator) {
		t.Errorf("code of the account %x, %v", code, err)
	}
}

// A read of a view that fails is an error, before and after a run, and does not spoil later ones.
func TestViewReadThatFails(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	broken := false
	boom := errors.New("boom")
	caller := &faulty{Caller: w.rpc, fail: func(rpc.Request) error {
		if broken {
			return boom
		}
		return nil
	}}
	p := w.proposal(w.propose(w.act(w.dao.Treasury, "Treasury", "pay", devchain.Address(7), devchain.Tokens(1))))
	res, err := fork.New(caller, fork.Config{ChainID: 31337}).Run(t.Context(), p, w.head(), w.plan())
	must(t, err)
	data, err := devchain.Pack("ParamBox", "owner")
	must(t, err)
	for _, v := range []*fork.View{res.Before, res.Ready, res.After} {
		broken = true
		if _, err := v.Call(t.Context(), gov.Address(w.dao.Beacon), data); !errors.Is(err, boom) {
			t.Errorf("a failed read gives %v", err)
		}
		if _, err := v.Storage(t.Context(), gov.Address(w.dao.Beacon), gov.Hash{}); !errors.Is(err, boom) {
			t.Errorf("a failed read gives %v", err)
		}
	}
	broken = false
	for _, v := range []*fork.View{res.Before, res.Ready, res.After} {
		out, err := v.Call(t.Context(), gov.Address(w.dao.Beacon), data)
		if err != nil || common.BytesToAddress(out) != w.dao.Timelock {
			t.Errorf("owner %x, %v", out, err)
		}
	}
}

// A node that answers null has not said zero.
func TestNullIsNotZero(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	for _, method := range []string{"eth_getBalance", "eth_getTransactionCount", "eth_getCode"} {
		caller := &faulty{Caller: w.rpc, fail: func(rpc.Request) error { return nil }, blank: method}
		_, err := fork.New(caller, fork.Config{ChainID: 31337}).Before(w.head()).Balance(t.Context(), gov.Address{7})
		var u *fork.Unavailable
		if !errors.As(err, &u) || !errors.Is(err, rpc.ErrMalformed) {
			t.Errorf("%s of null gives %v", method, err)
		}
	}
}

// A token that burns the gas of whoever asks for a balance is not one without movements.
func TestTokenThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t, devchain.OZ5Block)
	transfer := common.Bytes2Hex(crypto.Keccak256([]byte("Transfer(address,address,uint256)")))
	token := w.deploy("36602b573330" + "7f" + transfer + "5f5fa3005b602b56")
	res := w.direct(devchain.Action{Target: token})
	want := []gov.Missing{{Part: "effects.balance_deltas", Reason: gov.TooLarge, Subject: gov.Address(token)}}
	if res.Effects.Status.Or("") != gov.EffectsExhausted || !res.Effects.Ended || len(res.Effects.Logs) != 1 || !slices.Equal(res.Missing, want) {
		t.Errorf("%v, logs %v, missing %v", res.Effects.Status, res.Effects.Logs, res.Missing)
	}
}
