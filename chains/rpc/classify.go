package rpc

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Class is what an error means for the caller: whether asking elsewhere, asking less or asking later helps.
type Class int

// The classes. The zero value, None, is the class of a nil error only.
const (
	None              Class = iota
	Retry                   // transient or local to the endpoint: another endpoint, or later
	RateLimited             // the endpoint wants to be left alone for a while: another endpoint, or after RetryAfter
	Timeout                 // no answer in time: another endpoint, or later
	Malformed               // not what the protocol promises (HTML, truncated JSON, too large): another endpoint
	Unsupported             // this endpoint does not offer the method: another endpoint may
	NoState                 // pruned, or the block is unknown there: an archive endpoint may know it
	NotFound                // the thing does not exist for that endpoint; one that is ahead may know it
	Range                   // too many results or too wide a range: ask for less
	Reverted                // the call executed and failed; see RevertData
	BadRequest              // our own request is wrong; asking again never helps
	NonceTooLow             // the nonce is used
	AlreadyKnown            // the same transaction is already in the pool
	Underpriced             // the fee is below what the pool or a replacement needs
	InsufficientFunds       // the account cannot pay
	Disagreement            // sources gave different answers
	WrongChain              // the endpoint serves another chain
	Canceled                // our own context ended
)

var classNames = map[Class]string{
	None: "none", Retry: "retry", RateLimited: "rate-limited", Timeout: "timeout", Malformed: "malformed",
	Unsupported: "unsupported", NoState: "no-state", NotFound: "not-found", Range: "range", Reverted: "reverted",
	BadRequest: "bad-request", NonceTooLow: "nonce-too-low", AlreadyKnown: "already-known",
	Underpriced: "underpriced", InsufficientFunds: "insufficient-funds", Disagreement: "disagreement",
	WrongChain: "wrong-chain", Canceled: "canceled",
}

func (c Class) String() string { return classNames[c] }

// Elsewhere says whether another endpoint may answer where this one did not.
func (c Class) Elsewhere() bool {
	switch c {
	case Retry, RateLimited, Timeout, Malformed, Unsupported, NoState, NotFound, WrongChain:
		return true
	}
	return false
}

// Later says whether the same question may succeed after a pause.
func (c Class) Later() bool { return c == Retry || c == RateLimited || c == Timeout || c == Malformed }

// fault says whether the error speaks against the endpoint, which is then asked last for a while.
func (c Class) fault() bool { return c.Later() || c == WrongChain }

// nodeTexts maps what nodes say to classes. The first row with a matching part wins, so the narrow rows stand
// above the wide ones. Parts are lower case. Reverts never reach this table: their text is the contract's.
var nodeTexts = []struct {
	class Class
	parts []string
}{
	// geth txpool, erigon, nethermind, besu, anvil.
	{NonceTooLow, []string{"nonce too low", "nonce is too low", "oldnonce", "old nonce", "invalid transaction nonce", "nonce has already been used", "transaction nonce is too low"}},
	{AlreadyKnown, []string{"already known", "alreadyknown", "known transaction", "transaction already imported", "already imported", "already in mempool", "transaction with the same hash was already"}},
	{Underpriced, []string{"underpriced", "fee too low", "feetoolow", "feetoolowtocompete", "max fee per gas less than block base fee", "maxfeepergas", "gas price too low", "gas price below", "max priority fee per gas higher", "fee cap less than block base fee", "tip too low", "gasprice is too low"}},
	{InsufficientFunds, []string{"insufficient funds", "insufficientfunds", "insufficient balance", "insufficient sender balance", "sender doesn't have enough funds"}},
	// Log ranges: geth, erigon, nethermind, infura, alchemy, quicknode, ankr, llamarpc, blast, chainstack, drpc.
	{Range, []string{"query returned more than", "more than 10000 results", "too many results", "response size exceeded", "response is too big", "response too large", "block range is too", "block range too", "range is too large", "range too large", "exceeds the range", "exceed maximum block range", "exceeds max block range", "exceeds maximum block range", "maximum block range", "max block range", "limited to a", "up to a", "block range limit", "range limit exceeded", "logs matched by query exceeds limit", "please limit the query", "blocks are supported", "maximum [from, to] blocks distance", "query exceeds max", "query timeout exceeded", "result window is too large", "invalid block range params: exceed", "requested range", "backend response too large", "log response size", "ranges over", "eth_getlogs is limited"}},
	// Quotas.
	{RateLimited, []string{"rate limit", "ratelimit", "too many requests", "request limit", "requests per second", "compute units per second", "exceeded its throughput", "daily request count", "capacity exceeded", "capacity limit", "quota", "call rate", "throttl", "usage limit", "credits"}},
	// Pruned or unknown state.
	{NotFound, []string{"finalized block not found", "safe block not found", "not currently canonical", "is not canonical", "not canonical", "receipt not found", "transaction not found"}},
	{NoState, []string{"missing trie node", "header not found", "header for hash not found", "state not available", "state is not available", "state unavailable", "historical state", "no state available", "state already discarded", "state has been pruned", "pruned", "unknown block", "block not found", "unknown header", "could not find block", "cannot find block", "requested block number", "archive", "state histories haven't been", "world state unavailable", "block does not exist", "blockoutofrange", "block out of range", "beyond current head block", "old data not available", "state at block", "distance to target block", "metadata is not found", "failed to get storage", "genesis is not traceable"}},
	{Unsupported, []string{"method not found", "does not exist/is not available", "method not available", "unsupported method", "method is not supported", "method not supported", "not whitelisted", "method is not allowed", "method not allowed", "not available on", "upgrade your plan", "paid plan", "not implemented", "namespace"}},
	{Timeout, []string{"timed out", "timeout", "deadline exceeded", "took too long", "context canceled"}},
	// The EVM stopped the call without a revert: the same everywhere.
	{Reverted, []string{"out of gas", "outofgas", "invalid opcode", "invalidfeopcode", "opcode 0x", "invalid jump", "stack underflow", "stack limit reached", "stack overflow", "gas required exceeds allowance", "always failing transaction", "evm error", "write protection", "contract creation code storage out of gas"}},
	{BadRequest, []string{"invalid argument", "invalid params", "invalid request", "parse error", "missing value for required argument", "cannot unmarshal", "intrinsic gas too low", "exceeds block gas limit", "invalid sender", "invalid chain id", "invalid chain-id", "replay-protected", "max priority fee per gas higher than max fee", "oversized data", "transaction type not supported", "exceeds the configured cap", "exceed max", "invalid signature", "nonce too high", "rlp:"}},
	{Retry, []string{"internal error", "busy", "unavailable", "try again", "overloaded", "bad gateway", "connection"}},
}

// revertPrefixes begin the message of a revert. They come before everything else: what follows them was written
// by the contract and must not be read as the node's own words.
var revertPrefixes = []string{"execution reverted", "vm exception while processing transaction", "reverted", "vm execution error", "revert", "transaction reverted", "error: vm exception", "evm error: revert"}

// nodeCodes gives the class of a code whose text said nothing.
var nodeCodes = map[int]Class{
	3: Reverted, -32015: Reverted,
	-32601: Unsupported, -32004: Unsupported,
	-32600: BadRequest, -32602: BadRequest, -32700: BadRequest,
	-32001: NotFound,
	-32002: Timeout, -32016: Timeout,
	-32003: BadRequest,
	-32005: RateLimited, -32029: RateLimited, 429: RateLimited,
	-32603: Retry, -32000: Retry,
}

// Classify says what an error of this package means. It is the only place that reads the text of a node.
func Classify(err error) Class {
	if err == nil {
		return None
	}
	var (
		of   interface{ Class() Class }
		node *NodeError
		http *HTTPError
		none *RefusedError
		net  net.Error
	)
	switch {
	case errors.As(err, &of):
		return of.Class()
	case errors.As(err, &none):
		return Unsupported
	case errors.As(err, &node):
		return classifyNode(node)
	case errors.As(err, &http):
		return classifyStatus(http)
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, ErrWrongChain):
		return WrongChain
	case errors.Is(err, ErrRange), errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrMalformed):
		return Range
	case errors.Is(err, ErrNoState):
		return NoState
	case errors.Is(err, ErrNotFound):
		return NotFound
	case errors.Is(err, ErrDisagreement):
		return Disagreement
	case errors.Is(err, errEncode):
		return BadRequest
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.Is(err, ErrMalformed):
		return Malformed
	case errors.As(err, &net) && net.Timeout():
		return Timeout
	}
	return Retry
}

func classifyNode(e *NodeError) Class {
	text := strings.ToLower(e.Message)
	if e.Code == 3 || e.Code == -32015 {
		return Reverted
	}
	for _, p := range revertPrefixes {
		if strings.HasPrefix(text, p) {
			return Reverted
		}
	}
	text += " " + strings.ToLower(e.Detail)
	if e.Method == "eth_getLogs" && limitsRate(text) {
		return RateLimited
	}
	for _, row := range nodeTexts {
		for _, p := range row.parts {
			if strings.Contains(text, p) {
				return narrow(e, text, row.class)
			}
		}
	}
	if c, ok := nodeCodes[e.Code]; ok {
		return narrow(e, text, c)
	}
	return Retry
}

// rateTexts are the words of a limit on how often one may ask. Beside a word of rangeTexts they say nothing:
// providers like to explain in one sentence what a plan allows of both.
var (
	rateTexts = []string{"rate limit", "rate-limit", "ratelimit", "rate exceeded", "too many request", "request limit", "requests per", "request per", "per second", "per minute", "per day", "/second", "/sec", "/min", "daily request", "compute unit", "throughput", "quota", "throttl", "call rate", "request rate", "request count", "usage limit", "credits", "slow down", "capacity exceeded", "capacity limit", "concurren"}

	rangeTexts = []string{"range", "blocks", "results", "fromblock", "toblock", "response size", "too large", "too many logs", "log limit"}
)

// limitsRate reports whether lower-case text about a log request asks for patience and not for a smaller range.
func limitsRate(text string) bool {
	return containsAny(text, rateTexts) && !containsAny(text, rangeTexts)
}

func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(text, p) })
}

// narrow corrects a class by what was asked: a node that runs out of time over a log request, or says no more
// than "limit exceeded" there, wants a smaller range.
func narrow(e *NodeError, text string, c Class) Class {
	if e.Method != "eth_getLogs" {
		return c
	}
	switch {
	case c == Timeout:
		return Range
	case c == RateLimited && e.Code == -32005 && !strings.Contains(text, "rate") && !strings.Contains(text, "requests"):
		return Range
	case c == BadRequest && (strings.Contains(text, "range") || strings.Contains(text, "exceed")):
		return Range
	}
	return c
}

func classifyStatus(e *HTTPError) Class {
	switch e.Status {
	case http.StatusTooManyRequests:
		return RateLimited
	case http.StatusRequestTimeout, http.StatusGatewayTimeout, 524:
		return Timeout
	case http.StatusRequestEntityTooLarge:
		return Range
	case http.StatusServiceUnavailable:
		if e.RetryAfter > 0 {
			return RateLimited
		}
		return Retry
	}
	if limitsRate(strings.ToLower(e.said)) {
		return RateLimited
	}
	if e.NotJSON && e.Status < 500 {
		return Malformed
	}
	return Retry
}

// RevertData is the return data of a call that reverted; ok is false when err is no revert or the node gave no
// data. The bytes are the contract's.
func RevertData(err error) (data []byte, ok bool) {
	var node *NodeError
	if !errors.As(err, &node) || Classify(err) != Reverted {
		return nil, false
	}
	return revertBytes(node.Data, 3)
}

// revertBytes finds the data: a hex string (geth, anvil), "Reverted 0x…" (nethermind, old parity), or an object
// that holds one under data or result (hardhat, some gateways).
func revertBytes(raw json.RawMessage, depth int) ([]byte, bool) {
	if depth == 0 || len(raw) == 0 {
		return nil, false
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		s = strings.TrimPrefix(s, "Reverted ")
		if !strings.HasPrefix(s, "0x") {
			return nil, false
		}
		b, err := hex.DecodeString(s[2:])
		return b, err == nil
	}
	var inner struct{ Data, Result json.RawMessage }
	if json.Unmarshal(raw, &inner) != nil {
		return nil, false
	}
	if b, ok := revertBytes(inner.Data, depth-1); ok {
		return b, true
	}
	return revertBytes(inner.Result, depth-1)
}

// refusesHashParam says that a node did not understand the block hash object of EIP-1898, as opposed to not
// knowing the block.
func refusesHashParam(err error) bool {
	var node *NodeError
	if !errors.As(err, &node) {
		return false
	}
	switch classifyNode(node) {
	case BadRequest, Retry, Unsupported:
	default:
		return false
	}
	text := strings.ToLower(node.Message)
	if node.Code == -32602 {
		return true
	}
	for _, p := range []string{"invalid argument", "cannot unmarshal", "invalid params", "blockhash", "block hash", "hex string", "block number", "invalid type", "expected string", "requirecanonical"} {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}
