package chaintest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/legate-dao/legate/chains/rpc"
)

// exchange is one question and its answer. In a file:
//
//	# a comment
//	> eth_chainId []
//	< "0x1"
//
//	> eth_call [{"to":"0x…"},{"blockHash":"0x…","requireCanonical":true}]
//	! {"code":3,"message":"execution reverted","data":"0x"}
//
// The same question more than once gets its answers in order, and the last one from then on.
type exchange struct {
	method string
	params string // canonical JSON
	answer json.RawMessage
	fail   *nodeFailure
}

type nodeFailure struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

func (e exchange) key() string { return e.method + " " + e.params }

// ErrNotRecorded is the error of a question that a recorded conversation does not hold.
var ErrNotRecorded = errors.New("question is not in the recorded conversation")

// Replay answers from a recorded conversation. A question that is not in it is an error and fails the test.
func Replay(t testing.TB, file string) rpc.Caller {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	all, err := parseConversation(string(text))
	if err != nil {
		t.Fatalf("replay %s: %v", file, err)
	}
	r := &replay{t: t, file: file, answers: map[string][]exchange{}}
	for _, e := range all {
		r.answers[e.key()] = append(r.answers[e.key()], e)
	}
	return r
}

type replay struct {
	t       testing.TB
	file    string
	mu      sync.Mutex
	answers map[string][]exchange
}

func (r *replay) Call(ctx context.Context, result any, method string, args ...any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	params, err := canonical(args)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	e, ok := r.next(method + " " + params)
	if !ok {
		r.t.Errorf("%s: %s %s is not in it; record the conversation again", r.file, method, params)
		return fmt.Errorf("%s %s: %w", method, params, ErrNotRecorded)
	}
	if e.fail != nil {
		return &rpc.NodeError{Host: "replay", Method: method, Code: e.fail.Code, Message: e.fail.Message, Data: e.fail.Data}
	}
	if err := rpc.Decode(e.answer, result); err != nil {
		return fmt.Errorf("replay: %s: %w", method, err)
	}
	return nil
}

func (r *replay) Batch(ctx context.Context, reqs []rpc.Request) error {
	return batchByCall(ctx, r, reqs)
}

func (r *replay) next(key string) (exchange, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := r.answers[key]
	if len(left) == 0 {
		return exchange{}, false
	}
	if len(left) > 1 {
		r.answers[key] = left[1:]
	}
	return left[0], true
}

func batchByCall(ctx context.Context, c rpc.Caller, reqs []rpc.Request) error {
	for i := range reqs {
		reqs[i].Err = c.Call(ctx, reqs[i].Result, reqs[i].Method, reqs[i].Args...)
	}
	return ctx.Err()
}

// Record passes questions on to a live caller and, when the test ends well, writes the conversation to file, with
// these lines of comment on top. Errors of the node are recorded; failures of the connection are not.
func Record(t testing.TB, live rpc.Caller, file string, comment ...string) rpc.Caller {
	r := &recorder{live: live}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Errorf("record: %v", err)
			return
		}
		if err := os.WriteFile(file, []byte(r.text(comment)), 0o644); err != nil {
			t.Errorf("record: %v", err)
		}
	})
	return r
}

type recorder struct {
	live rpc.Caller
	mu   sync.Mutex
	all  []exchange
}

func (r *recorder) Call(ctx context.Context, result any, method string, args ...any) error {
	params, err := canonical(args)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	var raw json.RawMessage
	err = r.live.Call(ctx, &raw, method, args...)
	var node *rpc.NodeError
	switch {
	case errors.As(err, &node):
		r.add(exchange{method: method, params: params, fail: &nodeFailure{node.Code, node.Message, node.Data}})
		return err
	case err != nil:
		return err
	}
	r.add(exchange{method: method, params: params, answer: raw})
	return rpc.Decode(raw, result)
}

func (r *recorder) Batch(ctx context.Context, reqs []rpc.Request) error {
	return batchByCall(ctx, r, reqs)
}

func (r *recorder) add(e exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, e)
}

// text writes the conversation, leaving out an answer equal to the one before it on the same question.
func (r *recorder) text(comment []string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, line := range comment {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	last := map[string]string{}
	for _, e := range r.all {
		answer := "< " + compact(e.answer)
		if e.fail != nil {
			raw, _ := json.Marshal(e.fail) // a struct of int, string and raw JSON cannot fail
			answer = "! " + compact(raw)
		}
		if last[e.key()] == answer {
			continue
		}
		last[e.key()] = answer
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "> %s\n%s\n", e.key(), answer)
	}
	return b.String()
}

func parseConversation(text string) ([]exchange, error) {
	var all []exchange
	var open *exchange
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, "\r \t")
		if line == "" || line[0] == '#' {
			continue
		}
		mark, rest, _ := strings.Cut(line, " ")
		switch {
		case mark == ">" && open == nil:
			method, params, ok := strings.Cut(rest, " ")
			if !ok {
				return nil, fmt.Errorf("line %d: a question is \"> method [params]\"", i+1)
			}
			canon, err := canonicalRaw([]byte(params))
			if err != nil {
				return nil, fmt.Errorf("line %d: params: %w", i+1, err)
			}
			open = &exchange{method: method, params: canon}
		case mark == "<" && open != nil:
			if !json.Valid([]byte(rest)) {
				return nil, fmt.Errorf("line %d: the answer is not JSON", i+1)
			}
			open.answer = json.RawMessage(rest)
			all, open = append(all, *open), nil
		case mark == "!" && open != nil:
			open.fail = &nodeFailure{}
			if err := json.Unmarshal([]byte(rest), open.fail); err != nil {
				return nil, fmt.Errorf("line %d: the error: %w", i+1, err)
			}
			all, open = append(all, *open), nil
		default:
			return nil, fmt.Errorf("line %d: want a question (>) and then its answer (<) or error (!)", i+1)
		}
	}
	if open != nil {
		return nil, fmt.Errorf("the last question, %s, has no answer", open.method)
	}
	return all, nil
}

// canonical writes arguments so that equal questions are equal text: compact, keys sorted, hex in lower case.
func canonical(args []any) (string, error) {
	if args == nil {
		args = []any{}
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return "", err
	}
	return canonicalRaw(raw)
}

func canonicalRaw(raw []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v []any
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("not an array of JSON: %w", err)
	}
	out, err := json.Marshal(lowerHex(v))
	return string(out), err
}

func lowerHex(v any) any {
	switch v := v.(type) {
	case string:
		if strings.HasPrefix(v, "0x") {
			return strings.ToLower(v)
		}
	case []any:
		for i := range v {
			v[i] = lowerHex(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = lowerHex(v[k])
		}
	}
	return v
}

func compact(raw []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
