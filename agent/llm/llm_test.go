package llm_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/llm"
)

var kinds = []llm.Server{llm.Ollama, llm.LlamaServer, llm.VLLM, llm.Other}

// classOf is the class of an error that must be one.
func classOf(t testing.TB, err error) llm.Class {
	t.Helper()
	var e *llm.Error
	if !errors.As(err, &e) {
		t.Fatalf("not a classified error: %v", err)
	}
	if e.Outcome() != string(e.Class) || e.Error() == "" {
		t.Errorf("outcome %q of class %q: %v", e.Outcome(), e.Class, e)
	}
	return e.Class
}

// Every kind of server is found out, asked under the schema, and its answer read with its tokens.
func TestAskEachServer(t *testing.T) {
	for _, kind := range kinds {
		f := &fake{kind: kind}
		f.chat = f.says(good, "stop")
		serve(t, f)
		c := open(t, f)
		answer, err := c.Ask(t.Context(), question())
		if err != nil || string(answer.JSON) != good || answer.PromptTokens != 40 || answer.AnswerTokens != 7 {
			t.Errorf("%s: %+v %v", kind, answer, err)
		}
		info, err := c.Identify(t.Context())
		if err != nil || info.Server != kind || info.URL != f.url || !strings.HasPrefix(info.Model, "toy") {
			t.Errorf("%s: %+v %v", kind, info, err)
		}
	}
}

// What is known of a server is said at once also while it hangs: pages and alerts ask for it.
func TestKnownWaitsForNobody(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	defer s.Close()
	c, err := llm.Open(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error)
	go func() { _, err := c.Identify(ctx); first <- err }()
	<-asked
	known := make(chan llm.Info)
	go func() { known <- c.Known() }()
	select {
	case i := <-known:
		if i.URL != s.URL || i.Server != "" {
			t.Errorf("%+v", i)
		}
	case <-time.After(30 * time.Second):
		t.Error("what is known waits for a server that hangs")
	}
	short, stop := context.WithTimeout(ctx, time.Millisecond)
	defer stop()
	if _, err := c.Identify(short); classOf(t, err) != llm.Slow {
		t.Errorf("the second to ask: %v", err)
	}
	cancel()
	if err := <-first; err == nil {
		t.Error("a server that hangs is identified")
	}
	close(release)
}

// What langchaingo cannot express reaches the server: the schema with its keys in order, no thinking, the
// limit of tokens in the field that servers read, the seed, no streaming; and only what that server takes.
func TestRequestFields(t *testing.T) {
	for _, kind := range kinds {
		f := &fake{kind: kind}
		f.chat = f.says(good, "stop")
		serve(t, f)
		if _, err := open(t, f).Ask(t.Context(), question()); err != nil {
			t.Fatal(kind, err)
		}
		body := f.asked(t)
		want := map[string]string{"stream": "false", "model": `"toy"`}
		absent := []string{"max_completion_tokens", "think", "format", "cache_prompt", "chat_template_kwargs", "metadata"}
		if kind == llm.Ollama {
			want["model"], want["think"], want["truncate"], want["shift"], want["format"], want["keep_alive"] = `"toy:latest"`, "false", "false", "false", schema, `"30m"`
			absent = []string{"max_completion_tokens", "response_format", "cache_prompt", "chat_template_kwargs"}
			for _, part := range []string{`"num_ctx":8192`, `"num_predict":50`, `"seed":3`} {
				if !strings.Contains(string(body["options"]), part) {
					t.Errorf("ollama: options %s lack %s", body["options"], part)
				}
			}
		} else {
			want["max_tokens"], want["seed"], want["temperature"] = "50", "3", "0"
			want["response_format"] = `{"json_schema":{"name":"reply","schema":` + schema + `,"strict":true},"type":"json_schema"}`
		}
		if kind == llm.LlamaServer || kind == llm.VLLM {
			want["chat_template_kwargs"] = `{"enable_thinking":false}`
			absent = absent[:len(absent)-2]
		}
		if kind == llm.LlamaServer {
			want["cache_prompt"] = "false"
			absent = []string{"max_completion_tokens", "think", "format"}
		}
		for field, value := range want {
			if string(body[field]) != value {
				t.Errorf("%s: %s is %s, want %s", kind, field, body[field], value)
			}
		}
		for _, field := range absent {
			if _, there := body[field]; there {
				t.Errorf("%s: %s is sent", kind, field)
			}
		}
		for _, path := range f.paths {
			if strings.Contains(path, "pull") || strings.Contains(path, "tokenize") {
				t.Errorf("%s: %s", kind, path)
			}
		}
	}
}

// Each way to fail has its class, and nothing of it is taken for an answer.
func TestFailures(t *testing.T) {
	status := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); fmt.Fprint(w, body) }
	}
	type failing struct {
		name string
		chat func(f *fake) http.HandlerFunc
		want llm.Class
	}
	content := func(s string) func(*fake) http.HandlerFunc {
		return func(f *fake) http.HandlerFunc { return f.says(s, "stop") }
	}
	plain := func(code int, body string) func(*fake) http.HandlerFunc {
		return func(*fake) http.HandlerFunc { return status(code, body) }
	}
	for _, kind := range []llm.Server{llm.Ollama, llm.LlamaServer} {
		for _, c := range []failing{
			{"free text", content("Sure! Here is the summary."), llm.Garbage},
			{"empty", content(""), llm.Garbage},
			{"schema dropped", content(`{"z":1,"a":"x"}`), llm.Garbage},
			{"number out of range", content(`{"z":"yes","a":10}`), llm.Garbage},
			{"huge integer", content(`{"z":"yes","a":1` + strings.Repeat("0", 400) + `}`), llm.Garbage},
			{"another field", content(`{"z":"yes","a":1,"vote":"for"}`), llm.Garbage},
			{"more after the JSON", content(good + good), llm.Garbage},
			{"cut JSON", content(`{"z":"ye`), llm.Garbage},
			{"cut code fence", content("```json\n" + `{"z":"ye`), llm.Garbage},
			{"length", func(f *fake) http.HandlerFunc { return f.says(`{"z":"ye`, "length") }, llm.Truncated},
			{"whole JSON but length", func(f *fake) http.HandlerFunc { return f.says(good, "length") }, llm.Truncated},
			{"no reason to stop", func(f *fake) http.HandlerFunc { return f.says(good, "") }, llm.Garbage},
			{"tool call", func(f *fake) http.HandlerFunc { return f.says(good, "tool_calls") }, llm.Garbage},
			{"not JSON at all", plain(200, "<html>hello"), llm.Garbage},
			{"empty body", plain(200, ""), llm.Garbage},
			{"no choices", plain(200, `{"choices":[]}`), llm.Garbage},
			{"null", plain(200, `null`), llm.Garbage},
			{"overflow", plain(400, `{"error":{"code":400,"message":"request (24544 tokens) exceeds the available context size (16384 tokens)","n_prompt_tokens":24544,"n_ctx":16384}}`), llm.Truncated},
			{"ollama overflow", plain(400, `{"error":"the input length exceeds the context length"}`), llm.Truncated},
			{"wrong key", plain(401, `{"error":{"message":"Invalid API Key"}}`), llm.Refused},
			{"no such model", plain(404, `{"error":"model 'toy' not found"}`), llm.Absent},
			{"loading", plain(503, `{"error":{"message":"Loading model"}}`), llm.Absent},
			{"its own parser", plain(500, `{"error":{"message":"output does not match the expected peg-native format"}}`), llm.Failed},
			{"out of memory", plain(500, `out of memory`), llm.Failed},
			{"too many requests", plain(429, `slow down`), llm.Failed},
			{"redirect", plain(302, ``), llm.Refused},
			{"ten megabytes", func(f *fake) http.HandlerFunc { return f.says(bytesOf(10<<20), "stop") }, llm.Garbage},
			// A stream was not asked for; an error inside one would look like a short answer.
			{"stream with an error", plain(200, "data: {\"choices\":[{\"delta\":{\"content\":\"{\"}}]}\n\ndata: {\"error\":{\"message\":\"boom\"}}\n\n"), llm.Garbage},
			{"killed before the answer", func(*fake) http.HandlerFunc {
				return func(w http.ResponseWriter, _ *http.Request) { hijack(t, w, "") }
			}, llm.Killed},
			{"killed inside the answer", func(*fake) http.HandlerFunc {
				return func(w http.ResponseWriter, _ *http.Request) {
					hijack(t, w, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"choices\":[{\"mess")
				}
			}, llm.Killed},
		} {
			f := &fake{kind: kind}
			f.chat = c.chat(f)
			serve(t, f)
			answer, err := open(t, f).Ask(t.Context(), question())
			if err == nil || answer.JSON != nil {
				t.Errorf("%s, %s: taken for an answer: %s", kind, c.name, answer.JSON)
				continue
			}
			if got := classOf(t, err); got != c.want {
				t.Errorf("%s, %s: class %s, want %s: %v", kind, c.name, got, c.want, err)
			}
		}
	}
}

// Ollama cuts a long question and says 200; only its count of tokens shows it.
func TestOllamaCutsSilently(t *testing.T) {
	f := &fake{kind: llm.Ollama}
	f.chat = func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"message":{"role":"assistant","content":"{\"z\":\"yes\",\"a\":1}"},"done":true,"done_reason":"stop","prompt_eval_count":8192,"eval_count":7}`+"\n")
	}
	serve(t, f)
	if _, err := open(t, f).Ask(t.Context(), question()); err == nil || classOf(t, err) != llm.Truncated {
		t.Errorf("a question that was cut: %v", err)
	}
}

// An answer of one line longer than 64 KiB, and one in a code fence or beside its reasoning, are answers.
func TestLongFencedAndReasonedAnswers(t *testing.T) {
	for _, kind := range []llm.Server{llm.Ollama, llm.LlamaServer} {
		long := `{"z":"` + bytesOf(90_000) + `","a":1}`
		for _, content := range []string{long, "```json\n" + good + "\n```", "  " + good + "\n"} {
			f := &fake{kind: kind}
			f.chat = f.says(content, "stop")
			serve(t, f)
			answer, err := open(t, f).Ask(t.Context(), question())
			if err != nil || !strings.Contains(content, string(answer.JSON)) {
				t.Errorf("%s: %.40s: %v", kind, content, err)
			}
		}
	}
	f := &fake{kind: llm.Other, chat: func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"choices":[{"message":{"content":"{\"z\":\"yes\",\"a\":1}","reasoning":"I vote {","reasoning_content":"hm {"},"finish_reason":"stop"}]}`)
	}}
	serve(t, f)
	if answer, err := open(t, f).Ask(t.Context(), question()); err != nil || string(answer.JSON) != good {
		t.Errorf("reasoning beside the answer: %s %v", answer.JSON, err)
	}
}

// A model that hangs ends at its time, and errors.Is finds why; a caller that gives up is told so.
func TestSlowAndCanceled(t *testing.T) {
	release := make(chan struct{})
	f := &fake{kind: llm.LlamaServer, chat: func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}}
	serve(t, f)
	defer close(release)
	c := open(t, f, func(c *llm.Config) { c.Timeout = 150 * time.Millisecond })
	_, err := c.Ask(t.Context(), question())
	if classOf(t, err) != llm.Slow || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a model that hangs: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = c.Ask(ctx, question())
	if classOf(t, err) != llm.Canceled || !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up: %v", err)
	}
	// A slow trickle is bounded too, and one question waits for the other no longer than its own time.
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err = c.Ask(ctx, question()); classOf(t, err) != llm.Slow {
		t.Errorf("a deadline of the caller: %v", err)
	}
}

// A server that is not there is absent, not killed; langchaingo says the same of both.
func TestAbsent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	c, err := llm.Open(url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(t.Context(), question()); classOf(t, err) != llm.Absent {
		t.Errorf("nobody listens: %v", err)
	}
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	if c, err = llm.Open(other.URL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(t.Context(), question()); classOf(t, err) != llm.Absent {
		t.Errorf("another kind of server: %v", err)
	}
}

// A server that was gone is asked again what it is: another one may have come in its place.
func TestComesBackAsAnother(t *testing.T) {
	var now http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { now.ServeHTTP(w, r) }))
	defer s.Close()
	old, next := &fake{kind: llm.LlamaServer}, &fake{kind: llm.Ollama}
	old.chat, next.chat = old.says(good, "stop"), next.says(good, "stop")
	now = old
	c, err := llm.Open(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ask(t.Context(), question()); err != nil {
		t.Fatal(err)
	}
	now = http.NotFoundHandler()
	if _, err := c.Ask(t.Context(), question()); classOf(t, err) != llm.Absent || c.Known().Server != llm.LlamaServer {
		t.Errorf("gone: %v, known %+v", err, c.Known())
	}
	now = next
	if _, err := c.Ask(t.Context(), question()); err != nil || c.Known().Server != llm.Ollama {
		t.Errorf("back as another: %v, known %+v", err, c.Known())
	}
}

// After three failures in a row the server is left alone: the fourth question does not reach it.
func TestPause(t *testing.T) {
	f := &fake{kind: llm.Other, chat: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", 500) }}
	serve(t, f)
	c := open(t, f)
	for range 3 {
		if _, err := c.Ask(t.Context(), question()); classOf(t, err) != llm.Failed {
			t.Fatal(err)
		}
	}
	asked := len(f.bodies)
	if _, err := c.Ask(t.Context(), question()); classOf(t, err) != llm.Paused || len(f.bodies) != asked {
		t.Errorf("the fourth question: %v, asked %d times", err, len(f.bodies))
	}
}

// No text goes to a host that the operator did not name: not by its address, by a name for this machine
// that leads elsewhere, by a redirect, by a proxy, or by variables that langchaingo reads.
func TestNoTextLeavesTheMachine(t *testing.T) {
	for _, ref := range []string{
		"https://api.openai.com/v1", "http://10.0.0.5:8080", "http://[2001:db8::1]:80", "http://localhost.evil.example:80", "http://127.0.0.1.nip.io",
		"http://0.0.0.0:8080", "http://169.254.169.254",
	} {
		if _, err := llm.Open(ref); !errors.Is(err, llm.ErrHost) {
			t.Errorf("%s: %v", ref, err)
		}
	}
	for _, ref := range []string{"", "127.0.0.1:8080", "file:///etc/passwd", "http://", "http://user:secret@127.0.0.1", "http://127.0.0.1/x", "http://127.0.0.1?key=secret"} {
		if _, err := llm.Open(ref); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if _, err := llm.New(llm.Config{URL: "http://gpu.lan:8000/v1/", Hosts: []string{"gpu.lan"}}); err != nil {
		t.Errorf("a host that the operator named: %v", err)
	}

	canary := &fake{kind: llm.Other}
	canary.chat = canary.says(good, "stop")
	serve(t, canary)
	for _, name := range []string{"OPENAI_BASE_URL", "OPENAI_API_BASE"} {
		t.Setenv(name, canary.url+"/v1")
	}
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "OLLAMA_HOST"} {
		t.Setenv(name, canary.url)
	}
	t.Setenv("OPENAI_API_KEY", "canary-key")
	t.Setenv("OPENAI_ORGANIZATION", "canary-org")
	t.Setenv("OPENAI_MODEL", "canary-model")
	for _, kind := range kinds {
		f := &fake{kind: kind}
		f.chat = f.says(good, "stop")
		serve(t, f)
		if _, err := open(t, f).Ask(t.Context(), question()); err != nil {
			t.Error(kind, err)
		}
		sent := fmt.Sprint(f.heads, f.bodies)
		if strings.Contains(sent, "canary") {
			t.Errorf("%s: a variable of the environment was sent", kind)
		}
	}
	moved := &fake{kind: llm.Other, chat: func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, canary.url+"/v1/chat/completions", http.StatusTemporaryRedirect)
	}}
	serve(t, moved)
	if _, err := open(t, moved).Ask(t.Context(), question()); classOf(t, err) != llm.Refused || !errors.Is(err, llm.ErrHost) {
		t.Errorf("a redirect: %v", err)
	}
	if len(canary.paths) > 0 {
		t.Errorf("the canary was reached: %v", canary.paths)
	}
}

// G07: the server's key is sent to the server and appears in no error, even where the server repeats it.
func TestG07ModelKeyInNoError(t *testing.T) {
	for _, kind := range kinds {
		f := &fake{kind: kind, key: "right-key-0123456789"}
		f.chat = f.says(good, "stop")
		serve(t, f)
		if _, err := open(t, f).Ask(t.Context(), question()); err != nil {
			t.Errorf("%s with its key: %v", kind, err)
		}
		c := open(t, f, func(c *llm.Config) { c.Key = "wrong-key-0123456789" })
		_, err := c.Ask(t.Context(), question())
		if classOf(t, err) != llm.Refused || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "wrong-key") {
			t.Errorf("%s with a wrong key: %v", kind, err)
		}
		if _, err = c.Identify(t.Context()); err == nil || strings.Contains(err.Error(), "wrong-key") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// The servers of this machine are found in the order of the places, dead and foreign ones left out, in the
// time that one may take.
func TestFind(t *testing.T) {
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hang.Close()
	foreign := httptest.NewServer(http.NotFoundHandler())
	defer foreign.Close()
	llama, ollama := serve(t, &fake{kind: llm.LlamaServer}), serve(t, &fake{kind: llm.Ollama})
	start := time.Now()
	found := llm.Find(t.Context(), []string{hang.URL, foreign.URL, llama.url, "http://127.0.0.1:1", ollama.url, "http://192.0.2.1:80"})
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
	if len(found) != 2 || found[0].Server != llm.LlamaServer || found[0].Context != 4096 || found[1].Server != llm.Ollama || found[1].Model != "toy:latest" {
		t.Errorf("found %+v", found)
	}
	for _, f := range []*fake{llama, ollama} {
		if len(f.bodies) > 0 {
			t.Errorf("probing sent a body")
		}
	}
}

// A misuse is an error at once, before anything is sent: servers take a schema that is no object and drop it.
func TestMisuse(t *testing.T) {
	f := &fake{kind: llm.Other}
	f.chat = f.says(good, "stop")
	serve(t, f)
	c := open(t, f)
	for _, schema := range []string{``, `"x"`, `[]`, `{"type":"objcet"}`, `{"$ref":"https://example.org/s.json"}`} {
		q := question()
		q.Schema = []byte(schema)
		if _, err := c.Ask(t.Context(), q); err == nil {
			t.Errorf("schema %s is taken", schema)
		}
	}
	q := question()
	q.Seed = 0
	if _, err := c.Ask(t.Context(), q); err == nil {
		t.Error("seed 0 is taken; servers read it as none")
	}
	if len(f.bodies) > 0 {
		t.Error("a misuse was sent")
	}
}

// Text that is not UTF-8 is mended: llama-server refuses the whole question otherwise.
func TestInvalidUTF8(t *testing.T) {
	f := &fake{kind: llm.LlamaServer}
	f.chat = f.says(good, "stop")
	serve(t, f)
	q := question()
	q.User = "a\xff\xfeb\xed\xa0\x80"
	if _, err := open(t, f).Ask(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	if m := string(f.asked(t)["messages"]); !strings.Contains(m, "a\uFFFDb\uFFFD") && !strings.Contains(m, `a\ufffdb\ufffd`) {
		t.Errorf("messages %s", m)
	}
}

// llms.CountTokens and tiktoken fetch a vocabulary from the network, WithPullModel pulls before every call.
func TestNeverUsed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		for _, word := range []string{"CountTokens(", "tiktoken", "WithPullModel", "WithStreamingFunc", "Getenv", "ProxyFromEnvironment"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%s uses %s", name, word)
			}
		}
	}
}
