package fork

import (
	"bytes"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// runLifecycle takes the proposal the way the chain would and executes it.
func (x *run) runLifecycle(m *machine) (*Result, error) {
	state, err := m.state(x.steps)
	if err = m.rd.trust(err); err != nil {
		return nil, err
	}
	switch state {
	case gov.StateCanceled, gov.StateExpired, gov.StateExecuted:
		if err := m.rd.trust(notSupported("the proposal is %s: there is no execution to try", state)); err != nil {
			return nil, err
		}
	case gov.StateQueued:
	default:
		if err := x.succeed(m, state); err != nil {
			return nil, err
		}
	}
	if err := x.due(m, state); err != nil {
		return nil, err
	}
	x.vary(m)
	return x.execute(m)
}

// succeed forces the tally unless the votes already carry, moves past the deadline and queues.
func (x *run) succeed(m *machine, state gov.State) error {
	trust := m.rd.trust
	if state != gov.StateSucceeded {
		if err := trust(m.force(x.steps.For)); err != nil {
			return err
		}
		if err := trust(x.afterVote(m)); err != nil {
			return err
		}
		now, err := m.state(x.steps)
		if err == nil && now != gov.StateSucceeded {
			err = notSupported("the tally was forced and the deadline is past, and still the proposal is %s", now)
		}
		if err = trust(err); err != nil {
			return err
		}
	} else {
		m.at = m.at.blocks(1, m.cfg.BlockTime)
	}
	if x.steps.Queue == nil {
		return nil
	}
	out, err := m.send(*x.steps.Queue, m.chainGas(), nil)
	m.finalise()
	if err == nil && out.err != nil && out.gas > m.chainGas()/2 { // a governor that refuses does so for little
		err = fmt.Errorf("%w: %w", errBeyond, out.err)
	}
	if err == nil && out.err != nil {
		err = notSupported("the governor would not queue the proposal: %w (%q)", out.err, reasonText(out.err, out.output).Line(200))
	}
	if err = trust(err); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	return nil
}

// afterVote moves the clock past the deadline.
func (x *run) afterVote(m *machine) error {
	deadline, err := m.word(x.steps.Deadline)
	if err != nil {
		return fmt.Errorf("read the deadline: %w", err)
	}
	now, per := m.at.time, time.Second
	if x.steps.Clock == gov.ClockBlock {
		now, per = m.at.number, m.cfg.BlockTime
	}
	wait, err := until(now, deadline, per)
	if err != nil {
		return fmt.Errorf("deadline: %w", err)
	}
	if x.steps.Clock == gov.ClockBlock {
		m.at = m.at.blocks(wait, m.cfg.BlockTime)
	} else {
		m.at = m.at.later(wait, m.cfg.BlockTime)
	}
	return nil
}

// due moves the clock to a second after the eta. An eta of zero is one that the governor does not have.
func (x *run) due(m *machine, state gov.State) error {
	if x.steps.Queue == nil && state != gov.StateQueued {
		return nil
	}
	eta, err := m.word(x.steps.Eta)
	var wait uint64
	if err == nil {
		wait, err = until(m.at.time, eta, time.Second)
	}
	if err = m.rd.trust(err); err != nil {
		return fmt.Errorf("read the eta: %w", err)
	}
	m.at = m.at.later(max(wait, uint64(m.cfg.BlockTime/time.Second)), m.cfg.BlockTime)
	return nil
}

// until is one more than what lies between now and a point, 0 when it is past.
func until(now uint64, point *uint256.Int, per time.Duration) (uint64, error) {
	if !point.IsUint64() || (point.Uint64() > now && point.Uint64()-now >= uint64(horizon/per)) {
		return 0, notSupported("%s is more than ten years ahead of %d", point.Dec(), now)
	}
	if point.Uint64() < now {
		return 0, nil
	}
	return point.Uint64() - now + 1, nil
}

func (m *machine) state(s *Steps) (gov.State, error) {
	answer, _, err := m.read(common.Address(s.State.To), s.State.Data, DefaultViewGas, nil)
	decode := s.StateOf
	if decode == nil {
		decode = StateByOrder
	}
	var state gov.State
	if err == nil {
		state, err = decode(answer)
	}
	if err != nil {
		return "", fmt.Errorf("read the proposal's state: %w", err)
	}
	return state, nil
}

func (m *machine) word(w Word) (*uint256.Int, error) {
	answer, _, err := m.read(common.Address(w.To), w.Data, DefaultViewGas, nil)
	if err != nil {
		return nil, err
	}
	return wordAt(answer, w.Index)
}

// force finds the slot that holds the votes for, without knowing the layout, and writes many into it: of the slots
// that reading the tally loads, the one that makes the tally's word follow.
func (m *machine) force(w Word) error {
	votes, slots, err := m.loads(w)
	if err != nil {
		return fmt.Errorf("read the tally: %w", err)
	}
	for _, width := range widths { // votes alone in a slot first
		for _, k := range slots {
			for _, f := range width.forcings(m.sdb.GetState(k.account, k.slot), votes) {
				id := m.hooked.Snapshot()
				m.hooked.SetState(k.account, k.slot, f.slot)
				if now, err := m.word(w); err == nil && now.Eq(f.votes) {
					m.finalise()
					return nil
				}
				m.hooked.RevertToSnapshot(id)
			}
		}
	}
	return notSupported("none of the %d slots that the tally reads makes the votes for follow", len(slots))
}

// forcing is a slot's content with other votes in it.
type forcing struct {
	slot  common.Hash
	votes *uint256.Int
}

// width is the size that a governor may give its votes, with the exponent of two of those that are written.
type width struct {
	bytes    int
	exponent uint
}

// widths: what is written is above every quorum, and in a full word small enough to be multiplied by 1e18.
var widths = []width{{32, 120}, {16, 120}, {14, 110}, {12, 94}}

// forcings are the places in a slot where votes of this width may stand, with more of them. The one bit that is
// written lies inside the right field, or the tally does not follow and it is the next one's turn; the bytes around
// it were the votes' leading zeros.
func (w width) forcings(slot common.Hash, votes *uint256.Int) []forcing {
	if votes.BitLen() > 8*w.bytes {
		return nil
	}
	word := votes.Bytes32()
	much := new(uint256.Int).Lsh(uint256.NewInt(1), w.exponent)
	field := much.Bytes32()
	var out []forcing
	for from := 32 - w.bytes; from >= 0; from-- {
		if bytes.Equal(slot[from:from+w.bytes], word[32-w.bytes:]) {
			changed := slot
			copy(changed[from:], field[32-w.bytes:])
			out = append(out, forcing{changed, much})
		}
	}
	return out
}

// loads reads a word and lists the slots that this loads, in order, without repetition.
func (m *machine) loads(w Word) (*uint256.Int, []slotKey, error) {
	var slots []slotKey
	seen := map[slotKey]bool{}
	hooks := &tracing.Hooks{OnOpcode: func(_ uint64, op byte, _, _ uint64, scope tracing.OpContext, _ []byte, _ int, _ error) {
		stack := scope.StackData()
		if vm.OpCode(op) != vm.SLOAD || len(stack) == 0 {
			return
		}
		k := slotKey{scope.Address(), stack[len(stack)-1].Bytes32()}
		if !seen[k] {
			seen[k], slots = true, append(slots, k)
		}
	}}
	answer, _, err := m.read(common.Address(w.To), w.Data, DefaultViewGas, hooks)
	if err != nil {
		return nil, nil, err
	}
	votes, err := wordAt(answer, w.Index)
	return votes, slots, err
}

// execute runs the traced transaction. Where the flavour may need the actions' value from the caller, it is tried
// without first: the executor's own balance may pay.
func (x *run) execute(m *machine) (*Result, error) {
	ready, at := m.changes(), m.at
	gas, _ := m.gas()
	call := x.steps.Execute
	tries := []gov.Amount{{}}
	if !call.Value.IsZero() && call.Value.Cmp(gov.AmountOf(payerMeans)) < 0 { // nobody has more to send
		tries = append(tries, call.Value)
	}
	var t *trace
	var out receipt
	for i, value := range tries {
		id := m.hooked.Snapshot()
		call.Value, t = value, x.newTrace(0)
		var err error
		if out, err = m.send(call, gas, t); err == nil && out.err != nil && i+1 < len(tries) {
			m.hooked.RevertToSnapshot(id)
			continue
		}
		if err = m.rd.trust(err); err != nil {
			return nil, fmt.Errorf("execute: %w", err)
		}
		break
	}
	logs := m.logs()
	m.finalise()
	return x.compose(m, t, out, logs, ready, at)
}
