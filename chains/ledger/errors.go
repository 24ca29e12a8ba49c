package ledger

import "errors"

// What a caller branches on. Everything but ErrLater needs a person.
var (
	// ErrMissing: there never was a ledger here. The caller knows whether one may be created.
	ErrMissing = errors.New("there is no ledger")
	// ErrDamaged: the ledger is not what was written: parts are missing, changed, not ours, or open to others.
	ErrDamaged = errors.New("the ledger is damaged")
	// ErrRolledBack: the ledger is older than what is known to have been signed. It is also ErrDamaged.
	ErrRolledBack error = rolledBack{}
	// ErrVersion: a newer version of the program wrote it.
	ErrVersion = errors.New("the ledger was written by a newer version")
	// ErrVoter: it belongs to another key.
	ErrVoter = errors.New("the ledger belongs to another key")
	// ErrChain: it does not cover the chain; see [Ledger.Cover].
	ErrChain = errors.New("the ledger does not cover this chain")
	// ErrDifferent: it holds another vote on the proposal, or bars any.
	ErrDifferent = errors.New("the ledger holds another vote on this proposal")
	// ErrFrozen: signing is stopped.
	ErrFrozen = errors.New("signing is frozen")
	// ErrLater: another process holds the lock.
	ErrLater = errors.New("the ledger is in use by another process")
)

type rolledBack struct{}

func (rolledBack) Error() string { return "the ledger is older than what was signed" }

func (rolledBack) Is(target error) bool { return target == ErrDamaged }
