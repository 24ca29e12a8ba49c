package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
)

// Caller asks a chain: one endpoint (Source), a whole Client, or a recorded conversation.
type Caller interface {
	// Call asks one method and decodes the answer into result, which may be nil when the answer does not matter.
	Call(ctx context.Context, result any, method string, args ...any) error
	// Batch asks all requests, in as few round trips as the endpoint allows. The returned error is about the
	// conversation as a whole (no endpoint answered, ctx ended) and is then also the Err of each unanswered
	// request; what the node said about one request is in its Err alone. FirstErr folds both.
	Batch(ctx context.Context, reqs []Request) error
}

// Request is one question of a batch. Batch fills Result and Err.
type Request struct {
	Method string
	Args   []any
	Result any // pointer that json can decode into, or nil
	Err    error
}

// FirstErr returns the first error among answered requests, with the method and position it belongs to.
func FirstErr(reqs []Request) error {
	for i := range reqs {
		if reqs[i].Err != nil {
			return fmt.Errorf("request %d, %s: %w", i, reqs[i].Method, reqs[i].Err)
		}
	}
	return nil
}

// RawResult is a result that decodes the bytes of an answer itself, without a first pass of encoding/json over
// them. The bytes are untrusted and only valid during the call.
type RawResult interface {
	DecodeResult(raw []byte) error
}

// Decode puts the raw JSON of an answer into result the way every Caller does. It is exported for Callers
// outside this package, such as recorded conversations.
func Decode(raw []byte, result any) error {
	switch r := result.(type) {
	case nil:
		return nil
	case RawResult:
		return r.DecodeResult(raw)
	case *json.RawMessage:
		if !json.Valid(raw) {
			return fmt.Errorf("%w: answer is not JSON", ErrMalformed)
		}
		*r = bytes.Clone(raw)
		return nil
	}
	return decodeFresh(raw, result)
}

// decodeFresh unmarshals into a new value and copies that over: json adds to what is already there, and what is
// there may be half of another endpoint's answer.
func decodeFresh(raw []byte, result any) error {
	target := reflect.ValueOf(result)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("%w: result is a %T, want a pointer", errEncode, result)
	}
	fresh := reflect.New(target.Type().Elem())
	if err := json.Unmarshal(raw, fresh.Interface()); err != nil {
		return fmt.Errorf("%w: %s", ErrMalformed, printable(err.Error(), 200))
	}
	target.Elem().Set(fresh.Elem())
	return nil
}
