package fork

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// unrecorded stands for the index of a frame beyond the bounds of a trace. None after it is recorded.
const unrecorded = -1

// maxReason is how much of what a failed call returned is kept, in bytes.
const maxReason = 1 << 10

// trace is what one run of the actions did.
type trace struct {
	frames []frame
	open   []int // indexes of the frames that have not ended
	base   int   // depth of the outermost frame: 1 in direct mode, where there is no execute
	bytes  int   // of call data hashed
	max    limits
	over   bool // more than max: what is beyond it is not recorded

	// What was before, by the first change.
	balances map[common.Address]uint256.Int
	codes    map[common.Address]common.Hash
	slots    map[slotKey]common.Hash
}

type limits struct{ frames, bytes int }

// frame is one call with what is needed to explain it.
type frame struct {
	gov.Frame
	parent int // index; -1: none
	err    error
	output []byte // of a failed call, cut
	claim  *claim // a right over tokens that the call asks for or uses
}

func newTrace(base int, max limits) *trace {
	return &trace{
		base: base, max: max,
		balances: map[common.Address]uint256.Int{},
		codes:    map[common.Address]common.Hash{},
		slots:    map[slotKey]common.Hash{},
	}
}

func (t *trace) enter(depth int, op vm.OpCode, from, to common.Address, input []byte, value *big.Int) {
	parent := -1
	if len(t.open) > 0 {
		parent = t.open[len(t.open)-1]
	}
	t.bytes += len(input)
	if t.over = t.over || len(t.frames) >= t.max.frames || t.bytes > t.max.bytes; t.over {
		t.open = append(t.open, unrecorded)
		return
	}
	t.open = append(t.open, len(t.frames))
	f := frame{parent: parent, Frame: gov.Frame{
		Type: gov.FrameType(op.String()), Depth: depth + t.base, From: gov.Address(from), To: gov.Address(to),
		DataHash: crypto.Keccak256Hash(input),
	}}
	if value != nil {
		v, _ := uint256.FromBig(value)
		f.Value = gov.AmountOf(v)
	}
	if len(input) >= 4 && op != vm.CREATE && op != vm.CREATE2 {
		f.Selector = new(gov.Selector(input))
	}
	if op == vm.CALL {
		f.claim = claimOf(f.Frame, input)
	}
	t.frames = append(t.frames, f)
}

func (t *trace) exit(output []byte, used uint64, err error) {
	if len(t.open) == 0 {
		return
	}
	at := t.open[len(t.open)-1]
	t.open = t.open[:len(t.open)-1]
	if at == unrecorded {
		return
	}
	f := &t.frames[at]
	f.Gas, f.OK, f.err = gov.NewAmount(used), err == nil, err
	if err != nil {
		f.output = common.CopyBytes(output[:min(len(output), maxReason)])
	}
}

// calls are the frames as facts.
func (t *trace) calls() []gov.Frame {
	out := make([]gov.Frame, len(t.frames))
	for i, f := range t.frames {
		out[i] = f.Frame
	}
	return out
}

// stands says whether what frame i did was not undone by a failure around it.
func (t *trace) stands(i int) bool {
	for ; i >= 0; i = t.frames[i].parent {
		if !t.frames[i].OK {
			return false
		}
	}
	return true
}

// failures is the chain of failed frames from the outermost to the one where the failure began: at each level the
// last call that failed.
func (t *trace) failures() []int {
	var chain []int
	at := -1
	for {
		last := -1
		for i := max(at, 0); i < len(t.frames); i++ {
			if t.frames[i].parent == at && i != at && !t.frames[i].OK {
				last = i
			}
		}
		if last < 0 {
			return chain
		}
		chain, at = append(chain, last), last
	}
}

// outOfGas says whether the failure was for want of gas anywhere on its way.
func (t *trace) outOfGas() bool {
	for _, i := range t.failures() {
		if isOutOfGas(t.frames[i].err) {
			return true
		}
	}
	return false
}

// action finds the frame on the way of the failure that is one of the actions as the executor calls it. ok is
// false where the failure lies elsewhere.
func (t *trace) action(executor gov.Address, actions []gov.Action) (index, at int, ok bool) {
	failed := map[int]bool{}
	for _, i := range t.failures() {
		failed[i] = true
	}
	next := 0
	for i, f := range t.frames {
		if next == len(actions) || f.From != executor || f.Type != gov.FrameCall {
			continue
		}
		a := actions[next]
		if f.To != a.To || f.DataHash != a.Calldata.Hash() || f.Value.Cmp(a.Value) != 0 {
			continue
		}
		if failed[i] {
			return next, i, true
		}
		next++
	}
	return 0, 0, false
}
