package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// maxAnswer bounds what a server may send for one question, in bytes; langchaingo reads lines of up to
// 512 000.
const maxAnswer = 256 << 10

// exchange is one request and answer as they really were: what is merged into the request, and what
// langchaingo keeps to itself of the answer. It travels in the request's context.
type exchange struct {
	add    map[string]json.RawMessage
	status int
	body   []byte
	err    error
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

// wire merges the exchange's fields into the JSON that is posted, and reads the whole answer, bounded, so
// that a connection that dies in the middle is seen here.
type wire struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	x, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errors.New("a request outside of an exchange")
	}
	resp, err := w.send(r, x)
	if err != nil {
		x.err = err
		return nil, err
	}
	return resp, nil
}

func (w wire) send(r *http.Request, x *exchange) (*http.Response, error) {
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read the request: %w", err)
		}
		if body, err = merge(body, x.add); err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.GetBody = nil // a question is asked once
	}
	resp, err := w.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	x.status = resp.StatusCode
	x.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(x.body) > maxAnswer {
		return nil, errLong
	}
	resp.Body = io.NopCloser(bytes.NewReader(x.body))
	return resp, nil
}

// merge adds fields to a JSON object. Values stay raw: through a map of any the keys of a schema would be
// sorted, and a model writes its fields in the schema's order.
func merge(body []byte, add map[string]json.RawMessage) ([]byte, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, fmt.Errorf("merge fields into the request: %w", err)
	}
	for k, v := range add {
		m[k] = v
	}
	return json.Marshal(m)
}
