package llm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tmc/langchaingo/llms"
)

// Config is where a model is, and how it is asked.
type Config struct {
	// URL is the server's scheme, host and port.
	URL string
	// Model is its name there; empty takes the first that the server lists.
	Model string
	// Key is the server's API key, if it wants one.
	Key string
	// Hosts are hosts beyond this machine that the operator named by hand.
	Hosts []string
	// Timeout of one answer; 0 is two minutes.
	Timeout time.Duration
	// Context is the context asked of Ollama, in tokens; 0 is 8192. Other servers have their own.
	Context int
}

// Client asks one model of one server, one question at a time.
type Client struct {
	config Config
	place  place
	http   *http.Client
	turn   chan struct{}
	asking chan struct{} // taken while the server is asked what it is
	pause  breaker

	mu    sync.Mutex
	info  Info
	stale bool // the server was gone since: info is asked for again
}

// Open is a client for a server on this machine, such as http://127.0.0.1:8080. It connects to nothing yet.
func Open(ref string) (*Client, error) { return New(Config{URL: ref}) }

// New builds a client; it connects to nothing yet. The error is [ErrHost] for a host that is neither this
// machine nor in Hosts.
func New(c Config) (*Client, error) {
	p, err := placeOf(c.URL, c.Hosts)
	if err != nil {
		return nil, err
	}
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Minute
	}
	if c.Context == 0 {
		c.Context = 8192
	}
	return &Client{
		config: c, place: p, turn: make(chan struct{}, 1), asking: make(chan struct{}, 1),
		http: &http.Client{
			Transport:     wire{p.transport()},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Request is one question.
type Request struct {
	System, User string
	// Schema is the JSON schema of the answer, under a Name. Strings and lists in it are bounded.
	Name   string
	Schema json.RawMessage
	// MaxTokens bounds the answer.
	MaxTokens int
	// Seed is at least 1: servers take 0 as none.
	Seed int
	// Temperature 0 is greedy; a second try wants more.
	Temperature float64
}

// Answer is JSON that obeys the schema, with tokens as the server counts them.
type Answer struct {
	JSON                       json.RawMessage
	PromptTokens, AnswerTokens int
}

// Ask asks once and does not try again. Every error but a misuse is an [*Error].
func (c *Client) Ask(ctx context.Context, r Request) (Answer, error) {
	schema, err := compile(r.Schema)
	if err != nil {
		return Answer{}, err
	}
	if r.Seed < 1 || r.MaxTokens < 1 {
		return Answer{}, errors.New("a question needs a seed and a limit of tokens, both at least 1")
	}
	call, cancel := context.WithTimeout(ctx, c.config.Timeout)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-call.Done():
		return Answer{}, classify(ctx, call, &exchange{})
	}
	if until := c.pause.until(time.Now()); !until.IsZero() {
		return Answer{}, failure(Paused, "the model server failed %d times in a row and is left alone until %s", c.pause.failures(), until.UTC().Format(time.RFC3339))
	}
	answer, err := c.ask(ctx, call, r, schema)
	c.pause.report(err, time.Now())
	var e *Error
	if errors.As(err, &e) && e.Class == Absent {
		c.forget() // what comes back may be another server, or have another model
	}
	return answer, c.withoutKey(err)
}

// withoutKey takes the key out of what a server said: it may repeat what it was sent.
func (c *Client) withoutKey(err error) error {
	var e *Error
	if c.config.Key != "" && errors.As(err, &e) && strings.Contains(e.Error(), c.config.Key) {
		return &Error{e.Class, e.Status, errors.New(strings.ReplaceAll(e.Error(), c.config.Key, "[key]"))}
	}
	return err
}

func (c *Client) ask(ctx, call context.Context, r Request, schema *validator) (Answer, error) {
	info, err := c.identify(ctx, call)
	if err != nil {
		return Answer{}, err
	}
	d := dialectOf(info.Server)
	model, add, err := d.open(c, info, r)
	if err != nil {
		return Answer{}, err
	}
	x := &exchange{add: add}
	resp, err := model.GenerateContent(withExchange(call, x), []llms.MessageContent{
		llms.TextParts(llms.ChatMessageTypeSystem, valid(r.System)),
		llms.TextParts(llms.ChatMessageTypeHuman, valid(r.User)),
	}, d.options(r)...)
	if wrong := classify(ctx, call, x); wrong != nil {
		return Answer{}, wrong
	}
	if err != nil {
		return Answer{}, failure(Garbage, "the model server's answer cannot be read: %s", head([]byte(err.Error())))
	}
	if resp == nil || len(resp.Choices) == 0 {
		return Answer{}, failure(Garbage, "the model server gave no answer")
	}
	done, err := d.read(x.body, resp.Choices[0].StopReason, c.config.Context)
	if err != nil {
		return Answer{}, err
	}
	done.JSON, err = schema.read(resp.Choices[0].Content)
	return done, err
}

// valid is s in valid UTF-8: llama-server refuses anything else.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
