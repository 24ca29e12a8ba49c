package chaintest

import (
	"encoding/json"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// Faults is how a Proxy misbehaves. The zero value is an honest proxy.
type Faults struct {
	// Of the connection, for every request.
	Down       bool          // cuts the connection without an answer
	Hang       bool          // takes the request and never answers, until the client gives up
	Delay      time.Duration // before each answer
	HTML       bool          // answers 200 with a page
	Status     int           // answers this HTTP status, with RetryAfter where set
	RetryAfter string        // header value
	Page       string        // body for HTML and Status; empty: a default. May repeat "{path}", replaced by the request's path
	ErrorRate  float64       // part of the calls that get an internal error, drawn from Seed
	Seed       uint64
	NoBatch    bool // refuses arrays
	Oversize   int  // pads each result to this many bytes

	// Of the node.
	Lag         uint64 // the head is this many blocks behind the truth, in all that asks for it
	ChainID     uint64 // claims this chain
	Pruned      bool   // has no state at any block
	NoHashParam bool   // does not know EIP-1898
	MaxRange    uint64 // blocks a log request may span

	// Lies.
	DropLogs func(log map[string]any) bool // leaves out the logs for which it says true; the map is the log as JSON
	Storage  map[Slot]common.Hash          // forged storage values
	Code     map[common.Address][]byte     // forged code
	// Rewrite may replace any answer: it gets the method, the params and the result as JSON, and returns the result
	// to give. It sees what the faults above made of it.
	Rewrite func(method string, params []json.RawMessage, result json.RawMessage) json.RawMessage

	// BeforeCall runs before each call is passed on, such as one that mines a block so that the head moves between
	// any two calls of a test.
	BeforeCall func(method string)
}

// Slot names one storage slot.
type Slot struct {
	Account common.Address
	Slot    common.Hash
}

// AllLogs is a DropLogs that leaves out every log.
func AllLogs(map[string]any) bool { return true }
