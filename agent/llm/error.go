package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
)

// Class says how asking a model failed.
type Class string

// The classes.
const (
	Absent    Class = "absent"    // nobody listens there, no such model, or it is still loading
	Slow      Class = "slow"      // no answer within the time given
	Garbage   Class = "garbage"   // an answer that is no JSON of the schema
	Killed    Class = "killed"    // the connection ended before the answer did
	Truncated Class = "truncated" // the question or the answer did not fit
	Refused   Class = "refused"   // wrong key, or a host that the operator did not name
	Failed    Class = "failed"    // the server says that it failed
	Paused    Class = "paused"    // it failed too often; it is left alone for a while
	Canceled  Class = "canceled"  // the caller gave up
)

// Error is a classified failure. It unwraps to its cause, so that errors.Is finds a context's end.
type Error struct {
	Class  Class
	Status int // HTTP status, 0 without an answer
	Err    error
}

// Error says what the server or the network said; it may quote the server, and never the key.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Outcome is the class as a word, for those who do not import this package.
func (e *Error) Outcome() string { return string(e.Class) }

func failure(c Class, format string, args ...any) *Error {
	return &Error{Class: c, Err: fmt.Errorf(format, args...)}
}

// ErrHost is the cause when the host of a server is not one that text may go to.
var ErrHost = errors.New("the host is neither this machine nor named by the operator")

var errLong = fmt.Errorf("the answer has more than %d bytes", maxAnswer)

// classify turns the end of one exchange into an error; nil when it went well on the wire.
func classify(ctx, call context.Context, x *exchange) error {
	switch {
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Canceled, 0, fmt.Errorf("ask the model: %w", ctx.Err())}
	case call.Err() != nil:
		return &Error{Slow, 0, fmt.Errorf("the model gave no answer in time: %w", call.Err())}
	case x.err != nil:
		return &Error{classOfCause(x.err), x.status, fmt.Errorf("ask the model: %w", x.err)}
	case x.status != 0 && x.status != http.StatusOK:
		return classOfStatus(x.status, x.body)
	}
	return nil
}

// classOfCause tells a server that is not there from one that died, which langchaingo does not.
func classOfCause(err error) Class {
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.Is(err, ErrHost):
		return Refused
	case errors.Is(err, errLong):
		return Garbage
	case errors.As(err, &dns), errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &op) && op.Op == "dial":
		return Absent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &op): // of a connection that was there
		return Killed
	}
	return Failed
}

// overflow is how servers say that a question does not fit their context.
var overflow = regexp.MustCompile(`(?i)n_ctx|exceeds? the (available )?context|context (size|length|window)|maximum context|too (long|many tokens)`)

func classOfStatus(status int, body []byte) *Error {
	said := head(body)
	e := &Error{Failed, status, fmt.Errorf("the model server answers %d: %s", status, said)}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		e.Class = Refused
	case status == http.StatusNotFound || status == http.StatusServiceUnavailable:
		e.Class = Absent
	case status >= 300 && status < 400:
		e.Class, e.Err = Refused, fmt.Errorf("the model server answers %d, a redirect; it is not followed: %w", status, ErrHost)
	case overflow.MatchString(said):
		e.Class = Truncated
	}
	return e
}

// head is the beginning of what a server said, on one line.
func head(b []byte) string {
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(b[:min(len(b), 300)]), "\uFFFD")), " ")
	if s == "" {
		return "nothing"
	}
	return s
}
