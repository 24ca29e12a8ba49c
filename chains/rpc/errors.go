package rpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Sentinels that callers branch on. Classify knows more kinds.
var (
	// ErrNoState says that no endpoint asked has the state of that block (pruned, or never had it).
	ErrNoState = errors.New("state of the block is not available")
	// ErrNotFound says that the node does not know the block, receipt or other thing asked for.
	ErrNotFound = errors.New("not found")
	// ErrRange says that a log request was too wide for the node; ask for a smaller range.
	ErrRange = errors.New("log range too wide for the endpoint")
	// ErrDisagreement says that fewer sources than needed gave the same answer.
	ErrDisagreement = errors.New("endpoints do not agree")
	// ErrWrongChain says that an endpoint serves another chain than the configured one.
	ErrWrongChain = errors.New("wrong chain")
	// ErrMalformed says that an answer is not what JSON-RPC or the method promises.
	ErrMalformed = errors.New("malformed answer")
	// ErrTooLarge says that an answer was larger than Config.MaxResponse; it was not parsed.
	ErrTooLarge = errors.New("answer too large")
	// ErrSlow says that an endpoint had not answered long after others had.
	ErrSlow = errors.New("far slower than the other endpoints")
	// ErrNoEndpoint says that no endpoint can be asked at all.
	ErrNoEndpoint = errors.New("no usable endpoint")
)

// NodeError is what a node answered in the error field. Message is a stranger's text (a revert reason may be in
// it): it is cut to printable characters, and callers show it to people only.
type NodeError struct {
	Host    string
	Method  string
	Code    int
	Message string
	Data    json.RawMessage
	// Detail is what Data says in words, cut like Message. It is empty for methods that execute code: there the
	// data is the contract's.
	Detail string

	said string // message and detail before they were cut to what prints: for reading numbers
}

func (e *NodeError) Error() string {
	text := fmt.Sprintf("%s: %s: node error %d: %s", e.Host, e.Method, e.Code, e.Message)
	if e.Detail != "" && e.Detail != e.Message {
		text += " (" + e.Detail + ")"
	}
	return text
}

// RefusedError says that an endpoint does not give the logs of even one block. Text is its last answer in its own
// words, as of an error of a node.
type RefusedError struct {
	Host  string
	Block uint64
	Text  string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s refuses the logs of block %d alone: %s", e.Host, e.Block, e.Text)
}

// Is lets errors.Is find the sentinel that Classify's class stands for.
func (e *NodeError) Is(target error) bool {
	switch target {
	case ErrNoState:
		return Classify(e) == NoState
	case ErrNotFound:
		return Classify(e) == NotFound
	case ErrRange:
		return Classify(e) == Range
	}
	return false
}

// HTTPError is an answer that was not JSON-RPC or had a failing HTTP status.
type HTTPError struct {
	Host       string
	Status     int
	RetryAfter time.Duration // 0 when the endpoint did not say
	Snippet    string        // the first ≤ 80 printable characters of the body, without secrets
	NotJSON    bool

	said string // the beginning of the body, without secrets
}

func (e *HTTPError) Error() string {
	what := fmt.Sprintf("%s answered HTTP status %d", e.Host, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		what += " " + text
	}
	if e.RetryAfter > 0 {
		what += fmt.Sprintf(", try again after %s", e.RetryAfter)
	}
	switch {
	case e.NotJSON && e.Snippet == "":
		return what + " with an empty body instead of JSON"
	case e.NotJSON:
		return fmt.Sprintf("%s with text that is not JSON: %q", what, e.Snippet)
	case e.Snippet != "":
		return fmt.Sprintf("%s: %q", what, e.Snippet)
	}
	return what
}

// Is makes a body that is not JSON an ErrMalformed.
func (e *HTTPError) Is(target error) bool { return target == ErrMalformed && e.NotJSON }

// RetryAfter is how long an endpoint asked to be left alone; ok is false when it did not say.
func RetryAfter(err error) (wait time.Duration, ok bool) {
	var h *HTTPError
	if errors.As(err, &h) && h.RetryAfter > 0 {
		return h.RetryAfter, true
	}
	return 0, false
}
