package governor

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// ErrNotOffered says that a flavour or contract does not have the thing asked for.
var ErrNotOffered = errors.New("this governor does not offer it")

// ask reads one view of the governor. The zero view is what the flavour does not have.
func (g Governor) ask(ctx context.Context, c rpc.Caller, at gov.Hash, what func(*calls) view, args ...word) (word, error) {
	f, err := g.flavour()
	if err != nil {
		return word{}, err
	}
	v := what(f.calls)
	if v.text == "" {
		return word{}, fmt.Errorf("%s: %w", g.Flavour, ErrNotOffered)
	}
	return v.read(ctx, c, g.Address, at, args...)
}

func (g Governor) clocks(ctx context.Context, c rpc.Caller, at gov.Hash, what func(*calls) view, id gov.Amount) (gov.Clocks, error) {
	w, err := g.ask(ctx, c, at, what, amountWord(id))
	if err != nil {
		return 0, err
	}
	n, err := w.number()
	return gov.Clocks(n), err
}

// states is the order that Alpha, Bravo and OpenZeppelin share.
var states = []gov.State{
	gov.StatePending, gov.StateActive, gov.StateCanceled, gov.StateDefeated,
	gov.StateSucceeded, gov.StateQueued, gov.StateExpired, gov.StateExecuted,
}

// State reads where a proposal stands at a block. A proposal that the contract does not know is an error of
// class [rpc.Reverted].
func (g Governor) State(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (gov.State, error) {
	w, err := g.ask(ctx, c, at, func(t *calls) view { return t.State }, amountWord(id))
	if err != nil {
		return "", fmt.Errorf("state of %s: %w", g.id(id), err)
	}
	n, err := w.number()
	if err != nil || n >= uint64(len(states)) {
		return "", fmt.Errorf("state of %s: %w: %s is none of the eight states", g.id(id), errAnswer, w.amount())
	}
	return states[n], nil
}

// Tally reads the votes so far, in the token's smallest unit. All three come from one answer.
func (g Governor) Tally(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (t gov.Tally, err error) {
	f, err := g.flavour()
	if err != nil {
		return t, err
	}
	a := &ask{call: f.calls.For.call, to: g.Address, args: []word{amountWord(id)}}
	if err := askAll(ctx, c, at, []*ask{a}); err != nil {
		return t, fmt.Errorf("tally of %s: %w", g.id(id), err)
	}
	if a.err != nil {
		return t, fmt.Errorf("tally of %s: %w", g.id(id), a.err)
	}
	all, err := a.call.words(a.out)
	if err != nil {
		return t, fmt.Errorf("tally of %s: %w", g.id(id), err)
	}
	t.For, t.Against = all[f.calls.For.index].amount(), all[f.calls.Against.index].amount()
	if f.calls.Abstain.text != "" {
		t.Abstain = all[f.calls.Abstain.index].amount()
	}
	return t, nil
}

// Snapshot reads when voting power is counted; voting is open after it. 0 is no such proposal.
func (g Governor) Snapshot(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (gov.Clocks, error) {
	n, err := g.clocks(ctx, c, at, func(t *calls) view { return t.Snapshot }, id)
	if err != nil {
		return 0, fmt.Errorf("snapshot of %s: %w", g.id(id), err)
	}
	return n, nil
}

// Deadline reads the last moment at which a vote counts, extensions included.
func (g Governor) Deadline(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (gov.Clocks, error) {
	n, err := g.clocks(ctx, c, at, func(t *calls) view { return t.Deadline }, id)
	if err != nil {
		return 0, fmt.Errorf("deadline of %s: %w", g.id(id), err)
	}
	return n, nil
}

// Eta reads from when a queued proposal may be executed; 0 when it is not queued. A governor without a
// timelock has none: [ErrNotOffered].
func (g Governor) Eta(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (gov.UnixTime, error) {
	if g.Timelock.IsZero() {
		return 0, fmt.Errorf("eta of %s: there is no timelock: %w", g.id(id), ErrNotOffered)
	}
	n, err := g.clocks(ctx, c, at, func(t *calls) view { return t.Eta }, id)
	if err != nil {
		return 0, fmt.Errorf("eta of %s: %w", g.id(id), err)
	}
	return gov.UnixTime(n), nil
}

// HasVoted reads whether an account voted.
func (g Governor) HasVoted(ctx context.Context, c rpc.Caller, id gov.Amount, voter gov.Address, at gov.Hash) (bool, error) {
	w, err := g.ask(ctx, c, at, func(t *calls) view { return t.HasVoted }, amountWord(id), addressWord(voter))
	if err != nil {
		return false, fmt.Errorf("vote of %s on %s: %w", voter, g.id(id), err)
	}
	return w.bool()
}

// Quorum reads how many votes a proposal with this snapshot needs. OpenZeppelin answers only for the past.
func (g Governor) Quorum(ctx context.Context, c rpc.Caller, snapshot gov.Clocks, at gov.Hash) (gov.Amount, error) {
	f, err := g.flavour()
	if err != nil {
		return gov.Amount{}, err
	}
	args := []word{clocksWord(snapshot)}
	if f.calls.QuorumFixed {
		args = nil
	}
	w, err := f.calls.Quorum.read(ctx, c, g.Address, at, args...)
	if err != nil {
		return gov.Amount{}, fmt.Errorf("quorum of %s at %d: %w", g.Address, snapshot, err)
	}
	return w.amount(), nil
}

// Power reads the voting power of an account at a past snapshot, in the token's smallest unit. A snapshot
// that is not past is an error of class [rpc.Reverted].
func (g Governor) Power(ctx context.Context, c rpc.Caller, voter gov.Address, snapshot gov.Clocks, at gov.Hash) (gov.Amount, error) {
	f, err := g.flavour()
	if err != nil {
		return gov.Amount{}, err
	}
	to := g.Address
	if f.calls.PowerOfToken {
		to = g.Token
	}
	w, err := f.calls.Power.read(ctx, c, to, at, addressWord(voter), clocksWord(snapshot))
	if err != nil {
		return gov.Amount{}, fmt.Errorf("voting power of %s at %d: %w", voter, snapshot, err)
	}
	return w.amount(), nil
}

// Supply reads the total voting supply at a past snapshot. Compound's tokens do not keep it: [ErrNotOffered].
func (g Governor) Supply(ctx context.Context, c rpc.Caller, snapshot gov.Clocks, at gov.Hash) (gov.Amount, error) {
	f, err := g.flavour()
	if err != nil {
		return gov.Amount{}, err
	}
	if f.calls.Supply.text == "" || g.Token.IsZero() {
		return gov.Amount{}, fmt.Errorf("supply of %s at %d: %w", g.Token, snapshot, ErrNotOffered)
	}
	w, err := f.calls.Supply.read(ctx, c, g.Token, at, clocksWord(snapshot))
	if err != nil {
		return gov.Amount{}, fmt.Errorf("supply of %s at %d: %w", g.Token, snapshot, err)
	}
	return w.amount(), nil
}

var delegates = mustView("delegates(address)(address delegate)", "delegate")

// Delegate reads whom a holder's tokens are delegated to; the zero address is nobody.
func (g Governor) Delegate(ctx context.Context, c rpc.Caller, holder gov.Address, at gov.Hash) (gov.Address, error) {
	if g.Token.IsZero() {
		return gov.Address{}, fmt.Errorf("delegate of %s: the governor names no token: %w", holder, ErrNotOffered)
	}
	w, err := delegates.read(ctx, c, g.Token, at, addressWord(holder))
	if err != nil {
		return gov.Address{}, fmt.Errorf("delegate of %s: %w", holder, err)
	}
	return w.address()
}

// blockNumber is a program that returns the EVM's block.number: NUMBER PUSH1 0 MSTORE PUSH1 32 PUSH1 0
// RETURN. Run as a creation in an eth_call it answers what a contract without clock() sees as its time, on
// every chain (on Arbitrum that is the L1 block).
var blockNumber = []byte{0x43, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xf3}

// Now reads the governor's clock in a block.
func (g Governor) Now(ctx context.Context, c rpc.Caller, at gov.Hash) (gov.Clocks, error) {
	if g.HasClock {
		w, err := askClock.read(ctx, c, g.Address, at)
		if err != nil {
			return 0, fmt.Errorf("clock of %s: %w", g.Address, err)
		}
		n, err := w.number()
		return gov.Clocks(n), err
	}
	var out hexutil.Bytes
	if err := c.Call(ctx, &out, "eth_call", rpc.CallArgs{Data: blockNumber}, rpc.AtHash{Hash: at}); err != nil {
		return 0, fmt.Errorf("block.number of the EVM: %w", err)
	}
	if len(out) != wordSize {
		return 0, fmt.Errorf("block.number of the EVM: %w: %d bytes", errAnswer, len(out))
	}
	n, err := word(out).number()
	return gov.Clocks(n), err
}

// Params are the governor's own rules.
type Params struct {
	Delay, Period     gov.Clocks // in the governor's clock
	Threshold, Quorum gov.Amount // in the token's smallest unit
}

var (
	votingDelay       = mustCall("votingDelay()(uint256 clocks)")
	votingPeriod      = mustCall("votingPeriod()(uint256 clocks)")
	proposalThreshold = mustCall("proposalThreshold()(uint256 votes)")
)

// Params reads the rules in force at a block. The quorum is that of the moment before.
func (g Governor) Params(ctx context.Context, c rpc.Caller, at gov.Hash) (p Params, err error) {
	now, err := g.Now(ctx, c, at)
	if err != nil {
		return p, err
	}
	asks, err := g.ParamCalls(now)
	if err != nil {
		return p, err
	}
	out := make([][]byte, len(asks))
	list := make([]*ask, len(asks))
	for i, a := range asks {
		list[i] = &ask{call: a.call, to: a.To, args: a.args}
	}
	if err := askAll(ctx, c, at, list); err != nil {
		return p, fmt.Errorf("parameters of %s: %w", g.Address, err)
	}
	for i, a := range list {
		if a.err != nil {
			return p, fmt.Errorf("parameters of %s: %s: %w", g.Address, a.call.text, a.err)
		}
		out[i] = a.out
	}
	return g.DecodeParams(out)
}

// Read is one read-only call, for a caller that runs it itself (on a fork, say).
type Read struct {
	To   gov.Address
	Data []byte
	call call
	args []word
}

// ParamCalls are the calls behind Params, for states that no node has (after a dry run). Now is the
// governor's clock there.
func (g Governor) ParamCalls(now gov.Clocks) ([]Read, error) {
	f, err := g.flavour()
	if err != nil {
		return nil, err
	}
	quorum := []word{clocksWord(now - min(now, 1))}
	if f.calls.QuorumFixed {
		quorum = nil
	}
	list := []Read{{call: votingDelay}, {call: votingPeriod}, {call: proposalThreshold}, {call: f.calls.Quorum.call, args: quorum}}
	for i := range list {
		list[i].To, list[i].Data = g.Address, list[i].call.data(list[i].args...)
	}
	return list, nil
}

// DecodeParams reads the answers to ParamCalls, in their order.
func (g Governor) DecodeParams(answers [][]byte) (p Params, err error) {
	list, err := g.ParamCalls(0)
	if err != nil {
		return p, err
	}
	if len(answers) != len(list) {
		return p, fmt.Errorf("parameters of %s: %d answers to %d calls", g.Address, len(answers), len(list))
	}
	words := make([]word, len(list))
	for i, r := range list {
		all, err := r.call.words(answers[i])
		if err != nil {
			return p, fmt.Errorf("parameters of %s: %w", g.Address, err)
		}
		words[i] = all[0]
	}
	delay, err := words[0].number()
	if err != nil {
		return p, fmt.Errorf("voting delay of %s: %w", g.Address, err)
	}
	period, err := words[1].number()
	if err != nil {
		return p, fmt.Errorf("voting period of %s: %w", g.Address, err)
	}
	return Params{gov.Clocks(delay), gov.Clocks(period), words[2].amount(), words[3].amount()}, nil
}
