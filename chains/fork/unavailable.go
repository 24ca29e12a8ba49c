package fork

import (
	"context"
	"errors"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// Unavailable says that a run or a read gave no result, and why. It is never a statement about the proposal.
type Unavailable struct {
	Reason gov.Reason
	Err    error
}

// Error says what failed.
func (e *Unavailable) Error() string {
	return fmt.Sprintf("dry run unavailable (%s): %v", e.Reason, e.Err)
}

// Unwrap is the cause.
func (e *Unavailable) Unwrap() error { return e.Err }

var (
	errReads    = errors.New("the budget of reads is spent")
	errDeep     = errors.New("more reads that depend on each other than are made")
	errTouched  = errors.New("the run touches more accounts and slots than are read")
	errBeyond   = errors.New("to queue the proposal takes more gas than a block has")
	errLeftOut  = errors.New("the proposal's actions are more than is kept")
	errGas      = errors.New("out of the gas that the configuration gives")
	errReverted = errors.New("the run reverted: there is no state after it")
	errNotReady = errors.New("the run did not come to execute")
)

// notSupported is a proposal that this release cannot take to its execution.
func notSupported(format string, args ...any) error {
	return &Unavailable{gov.NotInRelease, fmt.Errorf(format, args...)}
}

// unavailable gives err its reason.
func unavailable(err error) *Unavailable {
	var u *Unavailable
	if errors.As(err, &u) {
		return u
	}
	return &Unavailable{reasonOf(err), err}
}

func reasonOf(err error) gov.Reason {
	switch {
	case errors.Is(err, errReads), errors.Is(err, errDeep), errors.Is(err, errTouched), errors.Is(err, errGas), errors.Is(err, rpc.ErrTooLarge):
		return gov.TooLarge
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return gov.TimedOut
	}
	switch rpc.Classify(err) {
	case rpc.NoState, rpc.NotFound:
		return gov.NoState
	case rpc.Timeout, rpc.Canceled:
		return gov.TimedOut
	case rpc.Disagreement:
		return gov.Disagreement
	}
	return gov.RPCError
}

// tooMuch reports whether a run ended at a bound that counts what the proposal does: it is then exhausted, by a fact of
// its content, and not unavailable.
func tooMuch(err error) bool {
	return errors.Is(err, errTouched) || errors.Is(err, errBeyond) || errors.Is(err, errLeftOut)
}
