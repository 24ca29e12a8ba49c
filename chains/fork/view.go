package fork

import (
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
)

// View reads one state: that of the block, or one a run has made. A read that fails is an *Unavailable, never
// zero. It is safe for concurrent use.
type View struct {
	runner *Runner
	src    *Source
	over   *overlay // nil: the block itself
	at     moment   // zero: the block's own
	fail   error    // there is no such state
}

// Reverted says that a call ran and failed.
type Reverted struct {
	Data     []byte // what it returned: the contract's bytes
	OutOfGas bool
	err      error
}

// Error says how the call failed, without the contract's words.
func (e *Reverted) Error() string { return fmt.Sprintf("call failed: %v", e.err) }

// Unwrap is the interpreter's error.
func (e *Reverted) Unwrap() error { return e.err }

// IsReverted says whether err is a call that ran and failed, rather than a read that could not be made.
func IsReverted(err error) bool {
	var r *Reverted
	return errors.As(err, &r)
}

// Call runs a read-only call in this state, from the zero address with DefaultViewGas. An account without code
// answers with no bytes. A call that failed is a *Reverted, but for one that used up our gas: that is unavailable.
func (v *View) Call(ctx context.Context, to gov.Address, data []byte) ([]byte, error) {
	var out []byte
	err := v.settle(ctx, func(m *machine) (err error) {
		out, _, err = m.read(common.Address(to), data, DefaultViewGas, nil)
		var r *Reverted
		if errors.As(err, &r) && r.OutOfGas {
			return fmt.Errorf("%d gas: %w", DefaultViewGas, errGas)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("call %s: %w", to, err)
	}
	return out, nil
}

// Ask is Call of a contract that anybody may have made: with DefaultProbeGas, and at most MaxAskDeep reads that depend on
// each other. What needs more has failed by its own doing, and is a *Reverted. All that such a contract can see is the
// same whatever node stands behind it, the gas that is left included, and so is the answer.
func (v *View) Ask(ctx context.Context, to gov.Address, data []byte) ([]byte, error) {
	var out []byte
	b := &budget{cold: &cold{known: newWant(), most: MaxAskDeep}}
	err := v.settleWith(ctx, b, func(m *machine) (err error) {
		out, _, err = m.read(common.Address(to), data, DefaultProbeGas, nil)
		return err
	})
	if errors.Is(err, errTouched) {
		err = &Reverted{err: errTouched}
	}
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", to, err)
	}
	return out, nil
}

// Storage is one slot.
func (v *View) Storage(ctx context.Context, account gov.Address, slot gov.Hash) (gov.Hash, error) {
	var out gov.Hash
	err := v.settle(ctx, func(m *machine) (err error) {
		out, err = m.rd.Storage(common.Address(account), slot)
		return err
	})
	if err != nil {
		return gov.Hash{}, fmt.Errorf("slot %s of %s: %w", slot, account, err)
	}
	return out, nil
}

// Code is the runtime code; empty where there is none. A 23-byte code that begins with 0xef0100 is a delegation.
func (v *View) Code(ctx context.Context, account gov.Address) ([]byte, error) {
	var out []byte
	err := v.settle(ctx, func(m *machine) error {
		out = common.CopyBytes(m.sdb.GetCode(common.Address(account)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("code of %s: %w", account, err)
	}
	return out, nil
}

// Balance is the native balance, in wei.
func (v *View) Balance(ctx context.Context, account gov.Address) (gov.Amount, error) {
	var out gov.Amount
	err := v.settle(ctx, func(m *machine) error {
		out = gov.AmountOf(m.sdb.GetBalance(common.Address(account)))
		return nil
	})
	if err != nil {
		return gov.Amount{}, fmt.Errorf("balance of %s: %w", account, err)
	}
	return out, nil
}

// Nonce is the number of transactions an account has sent, or of contracts it has made.
func (v *View) Nonce(ctx context.Context, account gov.Address) (uint64, error) {
	var out uint64
	err := v.settle(ctx, func(m *machine) error {
		out = m.sdb.GetNonce(common.Address(account))
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("nonce of %s: %w", account, err)
	}
	return out, nil
}

func (v *View) settle(ctx context.Context, f func(*machine) error) error {
	return v.settleWith(ctx, &budget{}, f)
}

func (v *View) settleWith(ctx context.Context, b *budget, f func(*machine) error) error {
	if v == nil || v.fail != nil {
		err := errNotReady
		if v != nil {
			err = v.fail
		}
		return unavailable(err)
	}
	cfg := &v.runner.cfg
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	b.left = cfg.MaxReads
	if b.cold != nil {
		b.cold.max = cfg.MaxReads
	}
	head, err := v.src.header(ctx, b)
	if err != nil {
		return unavailable(err)
	}
	at := v.at
	if at == (moment{}) {
		at = moment{head.Number, head.Time}
	}
	err = v.src.settle(ctx, b, cfg.NoPrefetch, func(p *pass) error {
		m, err := newMachine(ctx, cfg, head, &reader{pass: p, over: v.over}, at)
		if err != nil {
			return err
		}
		if err := f(m); err != nil {
			return err
		}
		return m.sdb.Error()
	})
	if err == nil || IsReverted(err) {
		return err
	}
	return unavailable(err)
}
