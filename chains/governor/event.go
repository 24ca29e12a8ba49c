package governor

import (
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// ErrLog says that a log is not one of this governor's, or cannot be read at all.
var ErrLog = errors.New("log cannot be read")

// Event is what a governor's log says. The set is closed: the types of this file.
type Event interface{ event() }

type (
	// Created: a proposal was made. Seen is as the log tells it; block time, EndsAt and the operator's name
	// come from the caller's knowledge of block and governor.
	Created struct{ Seen dossier.Seen }
	// Canceled: it will not be executed.
	Canceled struct{ ID gov.ProposalID }
	// Queued: it waits in the timelock until Eta.
	Queued struct {
		ID  gov.ProposalID
		Eta gov.UnixTime
	}
	// Executed: its calls were made.
	Executed struct{ ID gov.ProposalID }
	// Extended: its deadline moved.
	Extended struct {
		ID   gov.ProposalID
		Ends gov.Clocks
	}
)

func (Created) event()  {}
func (Canceled) event() {}
func (Queued) event()   {}
func (Executed) event() {}
func (Extended) event() {}

func topic(sig string) common.Hash { return crypto.Keccak256Hash([]byte(sig)) }

// The events. Alpha, Bravo and OpenZeppelin share one ProposalCreated, nothing of it indexed.
var (
	topicCreated  = topic("ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)")
	topicCanceled = topic("ProposalCanceled(uint256)")
	topicQueued   = topic("ProposalQueued(uint256,uint256)")
	topicExecuted = topic("ProposalExecuted(uint256)")
	topicExtended = topic("ProposalExtended(uint256,uint64)")
)

// Topics are the first topics of the logs that Decode reads: what a log filter asks for.
func (g Governor) Topics() []gov.Hash {
	all := []gov.Hash{topicCreated, topicCanceled, topicQueued, topicExecuted}
	if g.Flavour == gov.OpenZeppelin5 || g.Flavour == gov.OpenZeppelin4 {
		all = append(all, topicExtended)
	}
	return all
}

// Decode reads one of the governor's logs. An error wraps [ErrLog]: the log is of another contract, of
// another event, or too short to hold even an id.
func (g Governor) Decode(l rpc.Log) (Event, error) {
	if gov.Address(l.Address) != g.Address {
		return nil, fmt.Errorf("%w: it is of %s, not of %s", ErrLog, l.Address, g.Address)
	}
	if len(l.Topics) == 0 {
		return nil, fmt.Errorf("%w: it has no topic", ErrLog)
	}
	d := &decoder{data: l.Data}
	if l.Topics[0] == topicExtended {
		if len(l.Topics) != 2 {
			return nil, fmt.Errorf("%w: ProposalExtended with %d topics", ErrLog, len(l.Topics))
		}
		ends, err := clocksAt(d, 0)
		if err != nil {
			return nil, fmt.Errorf("%w: ProposalExtended: %w", ErrLog, err)
		}
		return Extended{g.id(word(l.Topics[1]).amount()), ends}, nil
	}
	w, err := d.word(0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLog, err)
	}
	id := g.id(w.amount())
	switch l.Topics[0] {
	case topicCreated:
		return g.created(l, id)
	case topicCanceled:
		return Canceled{id}, nil
	case topicExecuted:
		return Executed{id}, nil
	case topicQueued:
		eta, err := clocksAt(d, wordSize)
		if err != nil {
			return nil, fmt.Errorf("%w: ProposalQueued: %w", ErrLog, err)
		}
		return Queued{id, gov.UnixTime(eta)}, nil
	}
	return nil, fmt.Errorf("%w: topic %s is none of the governor's", ErrLog, l.Topics[0])
}

func clocksAt(d *decoder, at int) (gov.Clocks, error) {
	w, err := d.word(at)
	if err != nil {
		return 0, err
	}
	n, err := w.number()
	return gov.Clocks(n), err
}

// ChangeOf is an event as a change of its proposal; ok is false for Created.
func ChangeOf(e Event, at gov.Block) (c dossier.Change, ok bool) {
	c.Block = at
	switch e := e.(type) {
	case Canceled:
		c.ID, c.State = e.ID, gov.StateCanceled
	case Queued:
		c.ID, c.State = e.ID, gov.StateQueued
	case Executed:
		c.ID, c.State = e.ID, gov.StateExecuted
	case Extended:
		c.ID, c.Ends = e.ID, e.Ends
	default:
		return c, false
	}
	return c, true
}
