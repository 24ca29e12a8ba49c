package chaintest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Proxy is an HTTP JSON-RPC proxy before a real node, with faults that can be set while it runs.
type Proxy struct {
	upstream string
	server   *httptest.Server
	client   *http.Client
	hook     func(r *http.Request, a ask, honest asking) (json.RawMessage, *nodeFailure, error) // of a Liar; nil: none

	mu     sync.Mutex
	faults Faults
	rand   *rand.Rand
	calls  map[string]int
}

// NewProxy starts an honest proxy before the node at upstream (http://…). It ends with the test.
func NewProxy(t testing.TB, upstream string) *Proxy {
	p := &Proxy{upstream: upstream, client: &http.Client{}, calls: map[string]int{}}
	p.serve(t, p)
	return p
}

// serve starts to listen, with a handler that ends in the proxy's own.
func (p *Proxy) serve(t testing.TB, h http.Handler) {
	p.Set(Faults{})
	p.server = httptest.NewServer(h)
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
		p.client.CloseIdleConnections()
	})
}

// URL is the proxy's own address.
func (p *Proxy) URL() string { return p.server.URL }

// Set replaces the faults from the next request on.
func (p *Proxy) Set(f Faults) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = f
	p.rand = rand.New(rand.NewPCG(f.Seed, 0x6c6567617465))
}

// Calls is how often a method arrived, in whatever state the proxy was; "" counts all.
func (p *Proxy) Calls(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if method != "" {
		return p.calls[method]
	}
	sum := 0
	for _, n := range p.calls {
		sum += n
	}
	return sum
}

// asking puts a question to the node behind, through the faults.
type asking func(ask) (json.RawMessage, *nodeFailure, error)

type ask struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

type reply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *nodeFailure    `json:"error,omitempty"`
}

// ServeHTTP is the proxy itself.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	asks, batch, err := readAsks(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	f := p.faults
	for _, a := range asks {
		p.calls[a.Method]++
	}
	p.mu.Unlock()
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return
		}
	}
	if brokenConnection(w, r, f) {
		return
	}
	if batch && f.NoBatch {
		writeJSON(w, reply{Version: "2.0", ID: json.RawMessage("null"), Error: &nodeFailure{Code: -32600, Message: "batch requests are not supported"}})
		return
	}
	replies := make([]reply, len(asks))
	for i, a := range asks {
		replies[i] = p.answer(r, f, a)
	}
	if batch {
		writeJSON(w, replies)
		return
	}
	writeJSON(w, replies[0])
}

func readAsks(body []byte) (asks []ask, batch bool, err error) {
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		err = json.Unmarshal(body, &asks)
		return asks, true, err
	}
	asks = make([]ask, 1)
	err = json.Unmarshal(body, &asks[0])
	return asks, false, err
}

// brokenConnection plays the faults below JSON-RPC and says whether it answered in its own way.
func brokenConnection(w http.ResponseWriter, r *http.Request, f Faults) bool {
	page := strings.ReplaceAll(f.Page, "{path}", r.URL.RequestURI())
	switch {
	case f.Down:
		panic(http.ErrAbortHandler)
	case f.Hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, page)
		return true
	case f.HTML:
		if page == "" {
			page = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Log in to continue</body></html>"
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, page)
		return true
	}
	return false
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (p *Proxy) answer(r *http.Request, f Faults, a ask) reply {
	out := reply{Version: "2.0", ID: a.ID}
	if f.BeforeCall != nil {
		f.BeforeCall(a.Method)
	}
	if p.unlucky(f) {
		out.Error = &nodeFailure{Code: -32603, Message: "internal error"}
		return out
	}
	honest := func(a ask) (json.RawMessage, *nodeFailure, error) { return p.lie(r, f, a) }
	var result json.RawMessage
	var fail *nodeFailure
	var err error
	if p.hook != nil {
		result, fail, err = p.hook(r, a, honest)
	} else {
		result, fail, err = honest(a)
	}
	if err != nil {
		out.Error = &nodeFailure{Code: -32603, Message: "proxy: upstream: " + err.Error()}
		return out
	}
	if fail != nil {
		out.Error = fail
		return out
	}
	if f.Rewrite != nil {
		result = f.Rewrite(a.Method, a.Params, result)
	}
	if f.Oversize > len(result) {
		result = append(bytes.Repeat([]byte(" "), f.Oversize-len(result)), result...)
		result, _ = json.Marshal(string(result))
	}
	out.Result = result
	return out
}

func (p *Proxy) unlucky(f Faults) bool {
	if f.ErrorRate <= 0 {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rand.Float64() < f.ErrorRate
}

// forward asks the node behind.
func (p *Proxy) forward(r *http.Request, method string, params []json.RawMessage) (json.RawMessage, *nodeFailure, error) {
	if params == nil {
		params = []json.RawMessage{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return nil, nil, err
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, p.upstream, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var got struct {
		Result json.RawMessage `json:"result"`
		Error  *nodeFailure    `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return nil, nil, fmt.Errorf("status %d: %w", resp.StatusCode, err)
	}
	if got.Result == nil && got.Error == nil {
		got.Result = json.RawMessage("null")
	}
	return got.Result, got.Error, nil
}
