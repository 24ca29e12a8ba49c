package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/legate-dao/legate/agent/supervise"
)

// Server is a kind of model server.
type Server string

// The kinds. Other is any server with the chat endpoint of OpenAI, LM Studio among them.
const (
	Ollama      Server = "ollama"
	LlamaServer Server = "llama-server"
	VLLM        Server = "vllm"
	Other       Server = "openai"
)

// Info is what a server says of itself.
type Info struct {
	Server Server
	URL    string // scheme, host and port
	Model  string // the configured one, or the first it lists
	// Context is its context in tokens; 0 where it does not say.
	Context int
}

// Places are where model servers listen on this machine by default.
var Places = []string{
	"http://127.0.0.1:11434", // Ollama
	"http://127.0.0.1:8080",  // llama-server
	"http://127.0.0.1:1234",  // LM Studio
	"http://127.0.0.1:8000",  // vLLM
}

// probeTime is how long one place may take to answer.
const probeTime = 300 * time.Millisecond

// Find asks the places, all at once, and lists the servers that have a model, in the order of the places.
func Find(ctx context.Context, places []string) []Info {
	found := make([]*Info, len(places))
	var wg supervise.Group
	for i, p := range places {
		wg.Go(func() {
			c, err := Open(p)
			if err != nil {
				return // not on this machine
			}
			ctx, cancel := context.WithTimeout(ctx, probeTime)
			defer cancel()
			if info, err := c.Identify(ctx); err == nil {
				found[i] = &info
			}
		})
	}
	wg.Wait()
	out := []Info{}
	for _, f := range found {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// Known is what the server has said of itself so far; before that only its URL. It waits for nobody.
func (c *Client) Known() Info {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.info.Server == "" {
		return Info{URL: c.place.base, Model: c.config.Model}
	}
	return c.info
}

// forget lets the server be asked again what it is. Its kind and model are still known for show.
func (c *Client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = true
}

// Identify asks the server what it is and which model it has, and remembers the answer.
func (c *Client) Identify(ctx context.Context) (Info, error) {
	info, err := c.identify(ctx, ctx)
	return info, c.withoutKey(err)
}

func (c *Client) identify(ctx, call context.Context) (Info, error) {
	select { // one asks, the others wait for what it is told
	case c.asking <- struct{}{}:
		defer func() { <-c.asking }()
	case <-call.Done():
		return Info{}, classify(ctx, call, &exchange{})
	}
	if info, fresh := c.identity(); fresh {
		return info, nil
	}
	for _, ask := range []func(context.Context, context.Context) (Info, error){c.isOllama, c.isLlamaServer, c.isOther} {
		info, err := ask(ctx, call)
		if err != nil {
			return Info{}, err
		}
		if info.Server == "" {
			continue
		}
		info.URL = c.place.base
		if c.config.Model != "" {
			info.Model = c.config.Model
		}
		if info.Model == "" {
			return Info{}, failure(Absent, "the model server at %s has no model", c.place.base)
		}
		c.remember(info)
		return info, nil
	}
	return Info{}, failure(Absent, "what listens at %s is no model server that is known here", c.place.base)
}

// identity is what is remembered of the server, and whether that is enough.
func (c *Client) identity() (info Info, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.info, c.info.Server != "" && !c.stale
}

func (c *Client) remember(info Info) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.info, c.stale = info, false
}

func (c *Client) isOllama(ctx, call context.Context) (Info, error) {
	var v struct{ Version string }
	if ok, err := c.get(ctx, call, "/api/version", &v); err != nil || !ok || v.Version == "" {
		return Info{}, err
	}
	var tags struct{ Models []struct{ Name string } }
	if _, err := c.get(ctx, call, "/api/tags", &tags); err != nil {
		return Info{}, err
	}
	info := Info{Server: Ollama, Context: c.config.Context}
	if len(tags.Models) > 0 {
		info.Model = tags.Models[0].Name
	}
	return info, nil
}

func (c *Client) isLlamaServer(ctx, call context.Context) (Info, error) {
	var props struct {
		Slots    int `json:"total_slots"`
		Settings struct {
			Context int `json:"n_ctx"`
		} `json:"default_generation_settings"`
	}
	if ok, err := c.get(ctx, call, "/props", &props); err != nil || !ok || props.Slots == 0 {
		return Info{}, err
	}
	name, _, err := c.models(ctx, call)
	return Info{Server: LlamaServer, Model: name, Context: props.Settings.Context}, err
}

func (c *Client) isOther(ctx, call context.Context) (Info, error) {
	name, owner, err := c.models(ctx, call)
	if err != nil || name == "" {
		return Info{}, err
	}
	if owner == "vllm" {
		return Info{Server: VLLM, Model: name}, nil
	}
	return Info{Server: Other, Model: name}, nil
}

func (c *Client) models(ctx, call context.Context) (name, owner string, err error) {
	var list struct {
		Data []struct {
			ID    string
			Owner string `json:"owned_by"`
		}
	}
	if _, err := c.get(ctx, call, "/v1/models", &list); err != nil || len(list.Data) == 0 {
		return "", "", err
	}
	return list.Data[0].ID, list.Data[0].Owner, nil
}

// get reads one JSON answer. ok is false when the server does not know the path or answers something
// else; the error is for a server that is not there, refuses, or is loading.
func (c *Client) get(ctx, call context.Context, path string, into any) (ok bool, err error) {
	x := &exchange{}
	r, err := http.NewRequestWithContext(withExchange(call, x), http.MethodGet, c.place.base+path, nil)
	if err != nil {
		return false, fmt.Errorf("ask the model server: %w", err)
	}
	resp, err := c.keyed().Do(r)
	if err == nil {
		resp.Body.Close()
	}
	switch wrong := classify(ctx, call, x); {
	case x.err == nil && x.status >= 400 && x.status < 500 && x.status != http.StatusUnauthorized && x.status != http.StatusForbidden:
		return false, nil
	case wrong != nil:
		return false, wrong
	}
	return json.Unmarshal(x.body, into) == nil, nil
}

// keyed is the HTTP client that shows the key by itself.
func (c *Client) keyed() *http.Client {
	if c.config.Key == "" {
		return c.http
	}
	return &http.Client{Transport: bearer{c.config.Key, c.http.Transport}, CheckRedirect: c.http.CheckRedirect}
}

type bearer struct {
	key  string
	base http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return b.base.RoundTrip(r)
}
