package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

var errEncode = errors.New("encode request")

const (
	snippetLen = 80  // printable characters of a foreign answer that an error may show
	messageLen = 300 // printable characters of a node's error message, and of the words in its data
)

// post sends the questions in one HTTP round trip and fills Result and Err of each. The returned error is about
// the round trip; then no request was answered.
func (n *node) post(ctx context.Context, reqs []*Request) error {
	single := len(reqs) == 1
	first := n.nextID.Add(uint64(len(reqs))) - uint64(len(reqs)) + 1
	body, err := encode(reqs, first, single)
	if err != nil {
		return fmt.Errorf("%w: %s", errEncode, printable(err.Error(), messageLen))
	}
	if err := n.wait(ctx, len(reqs)); err != nil {
		return err
	}
	raw, err := n.exchange(ctx, body)
	if errors.Is(err, ErrTooLarge) && single && reqs[0].Method != "eth_getLogs" {
		return fmt.Errorf("%w, for %s: %w", err, reqs[0].Method, ErrMalformed) // asking for less is no remedy here
	}
	if err != nil {
		return err
	}
	if err := checkDepth(raw); err != nil {
		return fmt.Errorf("%s: %w", n.name, err)
	}
	if single {
		return n.readOne(raw, reqs[0], first)
	}
	return n.readMany(raw, reqs, first)
}

// wait spends n tokens of the endpoint's rate limit.
func (n *node) wait(ctx context.Context, calls int) error {
	if n.limit == nil {
		return nil
	}
	for calls > 0 {
		take := min(calls, n.limit.Burst())
		if err := n.limit.WaitN(ctx, take); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%s: wait for our own rate limit: %w", n.name, ctx.Err())
			}
			return fmt.Errorf("%s: our own rate limit leaves no time: %w", n.name, context.DeadlineExceeded)
		}
		calls -= take
	}
	return nil
}

// exchange posts a body and returns the bounded answer of a 2xx status, or of another status when it is JSON.
func (n *node) exchange(ctx context.Context, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.at.HTTP, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s: build request: %w", n.name, errEncode)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if n.loopback {
		req.Header.Set("Accept-Encoding", "identity") // compressing costs more than the loopback carries
	}
	resp, err := n.http.Do(req)
	if err != nil {
		return nil, n.transportError(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := n.readBody(resp)
	if err != nil {
		return nil, err
	}
	return raw, n.checkStatus(resp, raw)
}

// readBody reads at most the configured size.
func (n *node) readBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > n.maxResponse {
		return nil, fmt.Errorf("%s: %w: %d bytes announced, limit %d", n.name, ErrTooLarge, resp.ContentLength, n.maxResponse)
	}
	var buf bytes.Buffer
	if resp.ContentLength > 0 {
		buf.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	size, err := buf.ReadFrom(io.LimitReader(resp.Body, n.maxResponse+1))
	if err != nil {
		return nil, n.transportError(err)
	}
	if size > n.maxResponse {
		return nil, fmt.Errorf("%s: %w: more than %d bytes", n.name, ErrTooLarge, n.maxResponse)
	}
	return buf.Bytes(), nil
}

// checkStatus lets JSON-RPC through whatever the status (some nodes put errors under 400 or 500), except when
// the status itself tells to wait, and turns everything else into an HTTPError.
func (n *node) checkStatus(resp *http.Response, raw []byte) error {
	isJSON := looksJSON(raw)
	ok := resp.StatusCode >= 200 && resp.StatusCode < 300
	if isJSON && (ok || resp.StatusCode != http.StatusTooManyRequests && hasAnswer(raw)) {
		return nil
	}
	said := scrub(string(raw[:min(len(raw), 4096)]), n.secrets)
	return &HTTPError{
		Host:       n.name,
		Status:     resp.StatusCode,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
		Snippet:    printable(said, snippetLen),
		NotJSON:    !isJSON,
		said:       said,
	}
}

func looksJSON(raw []byte) bool {
	i := skipSpace(raw, 0)
	return i < len(raw) && (raw[i] == '{' || raw[i] == '[')
}

// hasAnswer says whether a small body under a failing status is JSON-RPC rather than some JSON of a gateway.
func hasAnswer(raw []byte) bool {
	if len(raw) > 1<<20 || checkDepth(raw) != nil {
		return false
	}
	var env envelope
	if json.Unmarshal(raw, &env) == nil {
		return env.Error != nil && (env.Error.Message != "" || env.Error.Code != 0)
	}
	var many []envelope
	return json.Unmarshal(raw, &many) == nil && len(many) > 0
}

// transportError keeps the cause of a failed exchange and drops the address that net/http puts before it.
func (n *node) transportError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s: no answer: %w", n.name, known)
		}
	}
	return fmt.Errorf("%s: no answer: %w", n.name, &scrubbed{text: scrub(err.Error(), n.secrets), cause: err})
}

// scrubbed is a foreign error whose text was cleaned; the cause stays for errors.As, not for printing.
type scrubbed struct {
	text  string
	cause error
}

func (s *scrubbed) Error() string { return s.text }

// Timeout passes the cause's own word on, so that a net.Error stays one.
func (s *scrubbed) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(s.cause, &t) && t.Timeout()
}

// Temporary completes net.Error.
func (s *scrubbed) Temporary() bool { return true }

// maxRetryAfter caps what an endpoint can make us wait for it.
const maxRetryAfter = 10 * time.Minute

// retryAfter reads the header: seconds or an HTTP date.
func retryAfter(value string, now time.Time) time.Duration {
	var wait time.Duration
	if secs, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(secs) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

func (n *node) readOne(raw []byte, r *Request, id uint64) error {
	env, err := splitOne(raw)
	if err != nil {
		return fmt.Errorf("%s: %s: %w", n.name, r.Method, err)
	}
	if env.Error == nil && !sameID(env.ID, id) {
		return fmt.Errorf("%s: %s: %w: the answer's id is not the question's", n.name, r.Method, ErrMalformed)
	}
	r.Err = n.settle(env, r)
	return nil
}

func (n *node) readMany(raw []byte, reqs []*Request, first uint64) error {
	if raw[skipSpace(raw, 0)] == '{' {
		return n.refusedBatch(raw, reqs)
	}
	var envs []envelope
	if err := json.Unmarshal(raw, &envs); err != nil {
		return fmt.Errorf("%s: batch: %w: %s", n.name, ErrMalformed, printable(scrub(err.Error(), n.secrets), 120))
	}
	for _, r := range reqs {
		r.Err = fmt.Errorf("%s: %s: %w: no answer to this part of the batch", n.name, r.Method, ErrMalformed)
	}
	done := make([]bool, len(reqs))
	for _, env := range envs {
		var id uint64
		if json.Unmarshal(env.ID, &id) != nil || id < first || id >= first+uint64(len(reqs)) || done[id-first] {
			continue
		}
		done[id-first] = true
		r := reqs[id-first]
		r.Err = n.settle(env, r)
	}
	return nil
}

// errNoBatch says that the endpoint wants its questions one by one.
var errNoBatch = errors.New("endpoint takes no batches")

// refusedBatch reads a single object where an array was due: an error about the batch as a whole.
func (n *node) refusedBatch(raw []byte, reqs []*Request) error {
	env, err := splitOne(raw)
	if err != nil {
		return fmt.Errorf("%s: batch: %w", n.name, err)
	}
	if env.Error == nil {
		return fmt.Errorf("%s: batch: %w: one answer to %d questions", n.name, ErrMalformed, len(reqs))
	}
	nodeErr := n.nodeError(env, "batch")
	switch Classify(nodeErr) {
	case RateLimited, Timeout, Range:
		return nodeErr
	}
	return fmt.Errorf("%w: %w", errNoBatch, nodeErr)
}

func sameID(raw json.RawMessage, id uint64) bool {
	return string(raw) == strconv.FormatUint(id, 10)
}

// settle decodes one answer into its request.
func (n *node) settle(env envelope, r *Request) error {
	if env.Error != nil {
		return n.nodeError(env, r.Method)
	}
	if env.Result == nil {
		return fmt.Errorf("%s: %s: %w: neither result nor error", n.name, r.Method, ErrMalformed)
	}
	if err := Decode(env.Result, r.Result); err != nil {
		return fmt.Errorf("%s: %s: %w", n.name, r.Method, err)
	}
	return nil
}

func (n *node) nodeError(env envelope, method string) *NodeError {
	e := &NodeError{
		Host:    n.name,
		Method:  method,
		Code:    env.Error.Code,
		Message: words(scrub(env.Error.Message, n.secrets)),
		Data:    bytes.Clone(env.Error.Data),
	}
	if executes(method) {
		return e
	}
	detail := scrub(textOf(env.Error.Data), n.secrets)
	e.Detail = words(detail)
	e.said = env.Error.Message[:min(len(env.Error.Message), maxWords)] + " " + detail
	return e
}
