package sender_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/chains/sender"
)

// node is an endpoint that says what a test wants, for faults that a real one does not show on demand.
type node struct {
	name string

	mu       sync.Mutex
	head     uint64
	baseFee  *big.Int
	tip      *big.Int
	gas      uint64
	nonce    uint64
	pending  uint64
	balance  *big.Int
	chain    uint64
	sendErr  error
	errs     map[string]error
	receipts map[common.Hash]json.RawMessage
	logs     []json.RawMessage
	sent     []string
}

func newNode(name string) *node {
	return &node{
		name: name, head: 100, baseFee: big.NewInt(10e9), tip: big.NewInt(2e9), gas: 90_000, nonce: 5, pending: 5, balance: big.NewInt(1e18), chain: 1,
		errs: map[string]error{}, receipts: map[common.Hash]json.RawMessage{},
	}
}

func (n *node) Name() string { return n.name }

// block is the header of a height, the same on every node that has the base fee.
func (n *node) block(number uint64) *types.Header {
	return &types.Header{Number: new(big.Int).SetUint64(number), Difficulty: new(big.Int), BaseFee: n.baseFee, Time: 1_800_000_000 + 12*number, GasLimit: 30_000_000, Extra: []byte{}}
}

func (n *node) answer(method string, args []any) (any, error) {
	if err := n.errs[method]; err != nil {
		return nil, err
	}
	switch method {
	case "eth_chainId":
		return hexutil.Uint64(n.chain), nil
	case "eth_getBlockByNumber":
		return n.header(args[0])
	case "eth_getTransactionCount":
		if args[1] == "pending" {
			return hexutil.Uint64(n.pending), nil
		}
		return hexutil.Uint64(n.nonce), nil
	case "eth_getBalance":
		return (*hexutil.Big)(n.balance), nil
	case "eth_estimateGas":
		return hexutil.Uint64(n.gas), nil
	case "eth_maxPriorityFeePerGas":
		return (*hexutil.Big)(n.tip), nil
	case "eth_sendRawTransaction":
		if n.sendErr == nil {
			n.sent = append(n.sent, args[0].(string))
		}
		return common.Hash{}, n.sendErr
	case "eth_getTransactionReceipt":
		return n.receipts[args[0].(common.Hash)], nil
	case "eth_getLogs":
		logs := n.logs
		if logs == nil {
			logs = []json.RawMessage{}
		}
		return logs, nil
	}
	return nil, fmt.Errorf("the test's node does not know %s", method)
}

func (n *node) header(which any) (any, error) {
	number := n.head
	if text := fmt.Sprint(which); text != "latest" {
		parsed, err := hexutil.DecodeUint64(text)
		if err != nil {
			return nil, err
		}
		number = parsed
	}
	if number > n.head {
		return nil, nil
	}
	h := n.block(number)
	raw, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, err
	}
	fields["hash"] = h.Hash()
	return fields, nil
}

func (n *node) Call(_ context.Context, result any, method string, args ...any) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	v, err := n.answer(method, args)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return rpc.Decode(raw, result)
}

func (n *node) Batch(ctx context.Context, reqs []rpc.Request) error {
	for i := range reqs {
		reqs[i].Err = n.Call(ctx, reqs[i].Result, reqs[i].Method, reqs[i].Args...)
	}
	return nil
}

// nodeError is what a node answers.
func nodeError(message string) error {
	return &rpc.NodeError{Host: "node", Method: "eth_sendRawTransaction", Code: -32000, Message: message}
}

// contract is a governor that answers as a test wants.
type contract struct {
	state    gov.State
	voted    bool
	power    gov.Amount
	delegate gov.Address
	same     error
	err      error
}

func (c *contract) State(context.Context, rpc.Caller, gov.Amount, gov.Hash) (gov.State, error) {
	return c.state, c.err
}
func (c *contract) Snapshot(context.Context, rpc.Caller, gov.Amount, gov.Hash) (gov.Clocks, error) {
	return 90, c.err
}
func (c *contract) HasVoted(context.Context, rpc.Caller, gov.Amount, gov.Address, gov.Hash) (bool, error) {
	return c.voted, c.err
}
func (c *contract) Power(context.Context, rpc.Caller, gov.Address, gov.Clocks, gov.Hash) (gov.Amount, error) {
	return c.power, c.err
}
func (c *contract) Delegate(context.Context, rpc.Caller, gov.Address, gov.Hash) (gov.Address, error) {
	return c.delegate, c.err
}
func (c *contract) Same(context.Context, rpc.Caller, gov.Proposal, gov.Block) error { return c.same }

var (
	errOther = errors.New("test: other content")
	address  = gov.Address{0xA0, 19: 1}
	holder   = gov.Holder{Name: "alice", Account: gov.Address{0xA0, 19: 5}}
	key, _   = crypto.ToECDSA(crypto.Keccak256([]byte("legate sender test")))
	voter    = gov.Address(crypto.PubkeyToAddress(key.PublicKey))
)

func vote(s gov.Support) gov.Ballot {
	return gov.Ballot{
		Proposal: gov.ProposalID{Chain: 1, Governor: address, Number: gov.NewAmount(7)}, Flavour: gov.OpenZeppelin5, Voter: voter, Support: s,
		Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "rule", Record: gov.Digest{1}},
	}
}

func proposal() gov.Proposal {
	return gov.Proposal{ID: vote(0).Proposal, Flavour: gov.OpenZeppelin5}
}

// plain is a sender whose agreed answers are taken apart, so that a test compares values.
type plain struct{ *sender.Sender }

func (p plain) Preflight(ctx context.Context, x gov.Proposal, h gov.Holder, b gov.Ballot) (gov.Amount, error) {
	a, err := p.Sender.Preflight(ctx, x, h, b)
	return valueOf(a, err)
}

func (p plain) Plan(ctx context.Context, b gov.Ballot, over []gov.Vote) (gov.Tx, error) {
	a, err := p.Sender.Plan(ctx, b, over)
	return valueOf(a, err)
}

func (p plain) Replace(ctx context.Context, v gov.Vote) (*gov.Tx, error) {
	a, err := p.Sender.Replace(ctx, v)
	return valueOf(a, err)
}

func (p plain) Retry(ctx context.Context, v gov.Vote) (*gov.Tx, error) {
	a, err := p.Sender.Retry(ctx, v)
	return valueOf(a, err)
}

func (p plain) Confirm(ctx context.Context, v gov.Vote, final gov.Block) (*gov.Receipt, error) {
	only := quorum.NewPanel(1, func() []quorum.Member { return []quorum.Member{newNode("only")} }, nil)
	last, err := quorum.Ask(ctx, only, func(context.Context, rpc.Caller) (gov.Block, error) { return final, nil })
	if err != nil {
		return nil, err
	}
	a, err := p.Sender.Confirm(ctx, v, last)
	return valueOf(a, err)
}

// valueOf is an agreed value; nothing with an error.
func valueOf[T any](a quorum.Agreed[T], err error) (out T, _ error) {
	if err != nil {
		return out, err
	}
	return a.Value(), nil
}

// open is a sender over nodes.
func open(t testing.TB, c *contract, agree int, nodes ...*node) plain {
	t.Helper()
	s, err := sender.New(sender.Config{
		Chain: 1, OtherContent: errOther, Governors: func(a gov.Address) (sender.Governor, bool) { return c, a == address },
		Panel: quorum.NewPanel(agree, func() (out []quorum.Member) {
			for _, n := range nodes {
				out = append(out, n)
			}
			return out
		}, nil),
		Limits: func(gov.Address) (sender.Limits, bool) { return limits, true },
	})
	if err != nil {
		t.Fatal(err)
	}
	return plain{s}
}

var limits = sender.Limits{FeePerVote: gov.NewAmount(1e16), FeePerDay: gov.NewAmount(5e16), VotesPerDay: 20}

func ready() *contract {
	return &contract{state: gov.StateActive, power: gov.NewAmount(10), delegate: voter}
}

// sign makes the transaction of a plan.
func sign(t testing.TB, b gov.Ballot, plan gov.Tx) gov.Vote {
	t.Helper()
	data, err := ballot.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	to, chain := common.Address(b.Proposal.Governor), new(big.Int).SetUint64(uint64(b.Proposal.Chain))
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(chain), &types.DynamicFeeTx{
		ChainID: chain, Nonce: plan.Nonce, Gas: plan.Gas, GasFeeCap: plan.FeeCap.Int().ToBig(), GasTipCap: plan.TipCap.Int().ToBig(), To: &to, Data: data,
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return gov.Vote{Status: gov.VoteSigned, Ballot: b, Nonce: plan.Nonce, Tx: tx.Hash(), Raw: gov.CalldataOf(raw)}
}

// mined puts a vote's receipt into a node's block.
func (n *node) mined(v gov.Vote, number uint64, ok bool) {
	status := "0x0"
	logs := []any{}
	if ok {
		status, logs = "0x1", []any{castLog(v.Ballot)}
	}
	raw, _ := json.Marshal(map[string]any{
		"transactionHash": v.Tx, "blockHash": n.block(number).Hash(), "blockNumber": hexutil.Uint64(number), "status": status, "logs": logs,
	})
	n.receipts[v.Tx] = raw
	n.nonce = v.Nonce + 1
}

// castLog is the VoteCast log of a ballot, beside one of somebody else.
func castLog(b gov.Ballot) map[string]any {
	id := b.Proposal.Number.Int().Bytes32()
	data := append(append([]byte{}, id[:]...), make([]byte, 128)...)
	data[63], data[127] = byte(b.Support), 128
	return map[string]any{
		"address": common.Address(b.Proposal.Governor), "data": hexutil.Bytes(data),
		"topics": []common.Hash{crypto.Keccak256Hash([]byte("VoteCast(address,uint256,uint8,uint256,string)")), common.BytesToHash(b.Voter[:])},
	}
}
