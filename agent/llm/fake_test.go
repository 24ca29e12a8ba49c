package llm_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/legate-dao/legate/agent/llm"
)

// fake is a model server of one kind. Chat answers a question; the rest has sane defaults.
type fake struct {
	kind llm.Server
	chat http.HandlerFunc
	key  string

	mu     sync.Mutex
	bodies []map[string]json.RawMessage
	paths  []string
	heads  []http.Header
	url    string
}

func serve(t testing.TB, f *fake) *fake {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.paths, f.heads = append(f.paths, r.Method+" "+r.URL.Path), append(f.heads, r.Header.Clone())
	if len(body) > 0 {
		var m map[string]json.RawMessage
		_ = json.Unmarshal(body, &m)
		f.bodies = append(f.bodies, m)
	}
	f.mu.Unlock()
	if f.key != "" && r.Header.Get("Authorization") != "Bearer "+f.key {
		http.Error(w, `{"error":{"message":"Invalid API Key: `+r.Header.Get("Authorization")+`"}}`, http.StatusUnauthorized)
		return
	}
	switch path := r.URL.Path; {
	case f.kind == llm.Ollama && path == "/api/version":
		fmt.Fprint(w, `{"version":"0.17.4"}`)
	case f.kind == llm.Ollama && path == "/api/tags":
		fmt.Fprint(w, `{"models":[{"name":"toy:latest"}]}`)
	case f.kind == llm.LlamaServer && path == "/props":
		fmt.Fprint(w, `{"total_slots":1,"default_generation_settings":{"n_ctx":4096}}`)
	case f.kind != llm.Ollama && path == "/v1/models":
		fmt.Fprintf(w, `{"object":"list","data":[{"id":"toy","owned_by":%q}]}`, f.kind)
	case path == "/v1/chat/completions" || path == "/api/chat":
		f.chat(w, r)
	default:
		http.NotFound(w, r)
	}
}

// asked is the last question's body.
func (f *fake) asked(t testing.TB) map[string]json.RawMessage {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.bodies) == 0 {
		t.Fatal("nothing was asked")
	}
	return f.bodies[len(f.bodies)-1]
}

// says answers with content and the reason why it ended, in the server's own form.
func (f *fake) says(content, stop string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _ := json.Marshal(content)
		if f.kind == llm.Ollama {
			fmt.Fprintf(w, `{"model":"toy","message":{"role":"assistant","content":%s},"done":true,"done_reason":%q,"prompt_eval_count":40,"eval_count":7}`+"\n", c, stop)
			return
		}
		fmt.Fprintf(w, `{"choices":[{"index":0,"message":{"role":"assistant","content":%s},"finish_reason":%q}],"usage":{"prompt_tokens":40,"completion_tokens":7,"total_tokens":47}}`, c, stop)
	}
}

// schema keeps its keys out of alphabetical order on purpose.
const schema = `{"type":"object","properties":{"z":{"type":"string","maxLength":100000},"a":{"type":"integer","minimum":0,"maximum":9}},"required":["z","a"],"additionalProperties":false}`

func question() llm.Request {
	return llm.Request{System: "Be brief.", User: "What?", Name: "reply", Schema: json.RawMessage(schema), MaxTokens: 50, Seed: 3}
}

func open(t testing.TB, f *fake, change ...func(*llm.Config)) *llm.Client {
	t.Helper()
	conf := llm.Config{URL: f.url, Key: f.key}
	for _, c := range change {
		c(&conf)
	}
	c, err := llm.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const good = `{"z":"yes","a":1}`

// hijack ends a connection after writing some bytes of an answer.
func hijack(t testing.TB, w http.ResponseWriter, begin string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.WriteString(conn, begin)
	conn.Close()
}

func bytesOf(n int) string { return strings.Repeat("x", n) }
