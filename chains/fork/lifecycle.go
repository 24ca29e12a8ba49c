package fork

import (
	"fmt"

	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// Lifecycle is what a governor's flavour tells the dry run. A nil Lifecycle is direct mode.
type Lifecycle interface {
	// Steps builds the calls that take p from a vote to its execution.
	Steps(p gov.Proposal) (Steps, error)
}

// Call is one call of the dry run.
type Call struct {
	To    gov.Address
	Value gov.Amount
	Data  []byte
}

// Word is a read whose answer has the number of interest at one 32-byte word.
type Word struct {
	To    gov.Address
	Data  []byte
	Index int // of the word, from 0
}

// Steps are the calls between a vote and its execution.
type Steps struct {
	// Clock is the unit of Deadline.
	Clock gov.Clock
	// State reads the proposal's state; StateOf decodes the answer, nil for OpenZeppelin's order of states.
	State   Call
	StateOf func(answer []byte) (gov.State, error)
	// For reads the tally, at the word that counts the votes for. The slot behind it is found by trying.
	For Word
	// Deadline reads the last moment at which a vote counts, in Clock.
	Deadline Word
	// Queue puts a succeeded proposal into the timelock; nil where it is executed at once.
	Queue *Call
	// Eta reads when a queued proposal may be executed, in Unix seconds. Not read when Queue is nil.
	Eta Word
	// Execute makes the calls. Its Value is what the caller must send where the governor does not pay the actions
	// from the executor's balance (Alpha and Bravo: the sum of the values); it is tried without first.
	Execute Call
}

var stateOrder = []gov.State{
	gov.StatePending, gov.StateActive, gov.StateCanceled, gov.StateDefeated,
	gov.StateSucceeded, gov.StateQueued, gov.StateExpired, gov.StateExecuted,
}

// StateByOrder decodes a state in the order that Alpha, Bravo and OpenZeppelin share.
func StateByOrder(answer []byte) (gov.State, error) {
	n, err := wordAt(answer, 0)
	if err != nil {
		return "", err
	}
	if !n.IsUint64() || n.Uint64() >= uint64(len(stateOrder)) {
		return "", fmt.Errorf("state %s is none of the eight", n.Dec())
	}
	return stateOrder[n.Uint64()], nil
}

func wordAt(answer []byte, index int) (*uint256.Int, error) {
	if index < 0 || len(answer) < 32*(index+1) {
		return nil, fmt.Errorf("the answer of %d bytes has no word %d", len(answer), index)
	}
	return new(uint256.Int).SetBytes32(answer[32*index:]), nil
}
