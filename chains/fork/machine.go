package fork

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip4844"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/chains/rpc"
)

// moment is a block that a run pretends to be in.
type moment struct{ number, time uint64 }

// horizon is the furthest that a run moves the clock.
const horizon = 10 * 365 * 24 * time.Hour

// later moves the clock by seconds, and the number by the blocks that takes; at least one block.
func (m moment) later(seconds uint64, block time.Duration) moment {
	per := uint64(block / time.Second)
	blocks := max(1, (seconds+per-1)/per)
	return moment{m.number + blocks, m.time + max(seconds, 1)}
}

// blocks moves the number, and the clock by the time that takes; at least one block.
func (m moment) blocks(n uint64, block time.Duration) moment {
	n = max(1, n)
	return moment{m.number + n, m.time + n*uint64(block/time.Second)}
}

// machine is the interpreter over one state, as one pass sees it.
type machine struct {
	ctx     context.Context
	cfg     *Config
	head    rpc.Header
	rd      *reader
	sdb     *state.StateDB
	hooked  vm.StateDB // sdb, telling touched and trace
	touched touched
	trace   *trace // of the transaction that is running; nil: none
	at      moment
	baseFee *uint256.Int
	txs     int
}

// newMachine starts from what the reader says.
func newMachine(ctx context.Context, cfg *Config, head rpc.Header, rd *reader, at moment) (*machine, error) {
	sdb, err := state.NewWithReader(head.Root, noTrie{}, rd)
	if err != nil {
		return nil, fmt.Errorf("open state: %w", err)
	}
	m := &machine{ctx: ctx, cfg: cfg, head: head, rd: rd, sdb: sdb, at: at, baseFee: new(uint256.Int), touched: newTouched()}
	if head.BaseFee != nil {
		m.baseFee.Set(head.BaseFee)
	}
	m.hooked = state.NewHookedState(sdb, m.hooks())
	return m, nil
}

// hooks note what is touched. They are not undone when a frame reverts: they say where to look, not what is.
func (m *machine) hooks() *tracing.Hooks {
	return &tracing.Hooks{
		OnEnter: func(depth int, typ byte, from, to common.Address, input []byte, gas uint64, value *big.Int) {
			if m.trace != nil {
				m.trace.enter(depth, vm.OpCode(typ), from, to, input, value)
			}
		},
		OnExit: func(_ int, output []byte, used uint64, err error, _ bool) {
			if m.trace != nil {
				m.trace.exit(output, used, err)
			}
		},
		OnBalanceChange: func(a common.Address, prev, _ *big.Int, _ tracing.BalanceChangeReason) {
			m.touched.accounts[a] = struct{}{}
			if m.trace != nil {
				setOnce(m.trace.balances, a, *uint256.MustFromBig(prev))
			}
		},
		OnNonceChange: func(a common.Address, _, _ uint64) { m.touched.accounts[a] = struct{}{} },
		OnCodeChange: func(a common.Address, prev common.Hash, _ []byte, _ common.Hash, _ []byte) {
			m.touched.accounts[a] = struct{}{}
			if m.trace != nil {
				setOnce(m.trace.codes, a, prev)
			}
		},
		OnStorageChange: func(a common.Address, slot, prev, _ common.Hash) {
			k := slotKey{a, slot}
			m.touched.slots[k] = struct{}{}
			if m.trace != nil {
				setOnce(m.trace.slots, k, prev)
			}
		},
	}
}

func setOnce[K comparable, V any](m map[K]V, k K, v V) {
	if _, ok := m[k]; !ok {
		m[k] = v
	}
}

// touched is where changes may be.
type touched struct {
	accounts map[common.Address]struct{}
	slots    map[slotKey]struct{}
}

func newTouched() touched {
	return touched{map[common.Address]struct{}{}, map[slotKey]struct{}{}}
}

// changes are all changes so far, but for the payer's account: its fee is nobody's effect.
func (m *machine) changes() *overlay {
	out := &overlay{map[common.Address]account{}, map[slotKey]common.Hash{}}
	for a := range m.touched.accounts {
		if a == m.rd.payer.account {
			continue
		}
		out.accounts[a] = m.account(a)
	}
	for k := range m.touched.slots {
		out.slots[k] = m.sdb.GetState(k.account, k.slot)
	}
	return out
}

func (m *machine) account(a common.Address) account {
	if !m.sdb.Exist(a) {
		return account{}
	}
	hash := m.sdb.GetCodeHash(a)
	return account{code: m.sdb.GetCode(a), state: &types.StateAccount{
		Nonce: m.sdb.GetNonce(a), Balance: new(uint256.Int).Set(m.sdb.GetBalance(a)),
		Root: types.EmptyRootHash, CodeHash: hash.Bytes(),
	}}
}

func (m *machine) block() vm.BlockContext {
	ctx := vm.BlockContext{
		CanTransfer: core.CanTransfer, Transfer: core.Transfer, GetHash: m.rd.blockHash,
		Coinbase: m.head.Coinbase, GasLimit: m.head.GasLimit,
		BlockNumber: new(big.Int).SetUint64(m.at.number), Time: m.at.time,
		Difficulty: m.head.Difficulty.ToBig(), BaseFee: m.baseFee.ToBig(), BlobBaseFee: m.blobFee(),
		CostPerStateByte: params.CostPerStateByte,
	}
	if m.head.Difficulty.IsZero() {
		random := m.head.MixDigest
		if m.at.number != m.head.Number {
			number := new(uint256.Int).SetUint64(m.at.number).Bytes32()
			random = crypto.Keccak256Hash(random[:], number[:])
		}
		ctx.Random = &random
	}
	return ctx
}

// blobFee is BLOBBASEFEE at the pinned block; 1, the least there is, where the rules do not say.
func (m *machine) blobFee() *big.Int {
	header := &types.Header{Number: new(big.Int).SetUint64(m.head.Number), Time: m.head.Time, ExcessBlobGas: m.head.ExcessBlobGas}
	if m.head.ExcessBlobGas == nil || eip4844.MaxBlobsPerBlock(m.cfg.Rules, header.Time) == 0 {
		return big.NewInt(1)
	}
	return eip4844.CalcBlobFee(m.cfg.Rules, header)
}

func (m *machine) chainRules() params.Rules {
	return m.cfg.Rules.Rules(new(big.Int).SetUint64(m.at.number), m.head.Difficulty.IsZero(), m.at.time)
}

// chainGas is what a transaction may use on the chain: the block's limit, and the cap since Osaka; MaxBlockGas where
// the chain claims more.
func (m *machine) chainGas() uint64 {
	limit := min(m.head.GasLimit, MaxBlockGas)
	if m.chainRules().IsOsaka {
		return min(limit, params.MaxTxGas)
	}
	return limit
}

// gas is what the actions may use, and whether that is less than the chain would let them: what then runs out of
// it would perhaps not on the chain.
func (m *machine) gas() (limit uint64, bound bool) {
	limit = m.chainGas()
	if m.cfg.MaxGas > 0 && m.cfg.MaxGas < limit {
		return m.cfg.MaxGas, true
	}
	return limit, false
}

// with runs f on an interpreter that the end of the context or a failed read stops.
func (m *machine) with(db vm.StateDB, tracer *tracing.Hooks, f func(*vm.EVM) error) error {
	evm := vm.NewEVM(m.block(), db, m.cfg.Rules, vm.Config{Tracer: tracer})
	defer evm.Release()
	evm.SetJumpDestCache(&m.rd.src.jumps)
	defer context.AfterFunc(m.ctx, evm.Cancel)()
	m.rd.stop = evm.Cancel
	defer func() { m.rd.stop = nil }()
	err := f(evm)
	switch {
	case m.rd.err != nil:
		return m.rd.err
	case m.ctx.Err() != nil:
		return m.ctx.Err()
	case m.rd.clean() && m.sdb.Error() != nil:
		return fmt.Errorf("read state: %w", m.sdb.Error())
	}
	return err
}

// read calls without lasting effect. A call that failed is a *Reverted.
func (m *machine) read(to common.Address, data []byte, gas uint64, tracer *tracing.Hooks) (out []byte, used uint64, err error) {
	id := m.sdb.Snapshot()
	defer m.sdb.RevertToSnapshot(id)
	rules := m.chainRules()
	m.sdb.Prepare(rules, common.Address{}, m.head.Coinbase, &to, vm.ActivePrecompiles(rules), nil)
	err = m.with(m.sdb, tracer, func(evm *vm.EVM) error {
		evm.SetTxContext(vm.TxContext{GasPrice: new(uint256.Int)})
		initial := vm.NewGasBudget(gas, 0)
		ret, left, vmErr := evm.Call(common.Address{}, to, data, initial, new(uint256.Int))
		out, used = common.CopyBytes(ret), left.Used(initial)
		if vmErr != nil {
			return &Reverted{Data: out, OutOfGas: isOutOfGas(vmErr), err: vmErr}
		}
		return nil
	})
	return out, used, err
}

// receipt is how a transaction ended.
type receipt struct {
	gas    uint64
	output []byte
	err    error // of the outermost frame; nil: it succeeded
}

// send runs one transaction from the payer, whose changes stay. An error says that there was no transaction.
func (m *machine) send(c Call, gas uint64, t *trace) (receipt, error) {
	m.txs++
	m.sdb.SetTxContext(m.txHash(), m.txs, 0)
	m.trace = t
	defer func() { m.trace = nil }()
	to := common.Address(c.To)
	msg := &core.Message{
		From: m.rd.payer.account, To: &to, Value: c.Value.Int(), Data: c.Data, GasLimit: gas,
		GasPrice: m.baseFee, GasFeeCap: m.baseFee, GasTipCap: new(uint256.Int),
	}
	msg.SkipNonceCheck().SkipEOACheck()
	var out receipt
	err := m.with(m.hooked, m.hooks(), func(evm *vm.EVM) error {
		res, err := core.ApplyMessage(evm, msg, core.NewGasPool(math.MaxUint64))
		if errors.Is(err, core.ErrIntrinsicGas) || errors.Is(err, core.ErrFloorDataGas) {
			// The call data alone costs more than a transaction may use: no block can hold it.
			out = receipt{gas: msg.GasLimit, err: vm.ErrOutOfGas}
			return nil
		}
		if err != nil {
			return err
		}
		out = receipt{res.UsedGas, res.ReturnData, res.Err}
		return nil
	})
	return out, err
}

func (m *machine) finalise() { m.hooked.Finalise(m.chainRules()) }

// txHash names the transaction that is running, to tell its logs from others'.
func (m *machine) txHash() common.Hash { return common.BigToHash(big.NewInt(int64(m.txs))) }

func (m *machine) logs() []*types.Log {
	return m.sdb.GetLogs(m.txHash(), m.at.number, common.Hash{}, m.at.time)
}

func isOutOfGas(err error) bool {
	return errors.Is(err, vm.ErrOutOfGas) || errors.Is(err, vm.ErrCodeStoreOutOfGas) || errors.Is(err, vm.ErrGasUintOverflow)
}
