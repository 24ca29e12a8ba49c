package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/llm"
	"github.com/legate-dao/legate/policies/strict"
)

// Words of model.endpoint and --llm, beside a URL.
const (
	anyModel = "auto" // one that listens on this machine
	noModel  = "none"
)

// gateRequired is the word of model.gate by which a model must pass the text too.
const gateRequired = "required"

// checkEndpoint says whether a model's endpoint makes sense; it connects to nothing.
func checkEndpoint(endpoint string) error {
	_, err := newModels(endpoint, llm.Config{}, nil)
	return err
}

// modelFlags choose the model for briefs.
type modelFlags struct {
	llm, name, key string
	timeout        time.Duration
}

func (f *modelFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.llm, "llm", anyModel, "model server: auto (on this machine), none, or a URL")
	c.Flags().StringVar(&f.name, "llm-model", "", "model of that server; else the first that it lists")
	c.Flags().StringVar(&f.key, "llm-key", "", "its API key: env:NAME, file:PATH or credential:NAME")
	c.Flags().DurationVar(&f.timeout, "llm-timeout", 2*time.Minute, "how long one answer may take")
}

// open gives the model; nil for none, or where auto finds none.
func (f modelFlags) open(ctx context.Context) (brief.Model, error) {
	if f.timeout <= 0 {
		return nil, usageError{errors.New("--llm-timeout must be more than 0")}
	}
	conf := llm.Config{Model: f.name, Timeout: f.timeout}
	if f.key != "" {
		private, err := strict.ParsePrivate(f.key)
		if err != nil {
			return nil, usageError{fmt.Errorf("--llm-key: %w", err)}
		}
		if conf.Key, err = private.Resolve("."); err != nil {
			return nil, fmt.Errorf("--llm-key: %w", err)
		}
	}
	m, err := newModels(f.llm, conf, nil)
	if err != nil {
		return nil, usageError{fmt.Errorf("--llm: %w", err)}
	}
	return m.get(ctx), nil
}

// lookAgain is how long auto waits before it looks for a server again: asking four ports of this machine
// costs about a millisecond.
const lookAgain = 10 * time.Second

// models gives the model to ask now: none, that of one server, or whichever is found on this machine.
type models struct {
	conf llm.Config
	auto bool
	log  *slog.Logger

	mu     sync.Mutex
	client *llm.Client // nil for none, or where none is found yet
	looked time.Time
}

// newModels reads an endpoint: auto, none or a URL, whose host is thereby named by the operator. It connects to
// nothing yet. Log may be nil.
func newModels(endpoint string, conf llm.Config, log *slog.Logger) (*models, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	m := &models{conf: conf, log: log}
	switch endpoint {
	case noModel:
		return m, nil
	case anyModel:
		m.auto = true
		return m, nil
	}
	if u, err := url.Parse(endpoint); err == nil {
		m.conf.Hosts = []string{u.Hostname()} // named by hand
	}
	m.conf.URL = endpoint
	var err error
	m.client, err = llm.New(m.conf)
	return m, err
}

// get gives the model; nil where there is none now.
func (m *models) get(ctx context.Context) brief.Model {
	if c := m.find(ctx); c != nil {
		return modelClient{c, m}
	}
	return nil
}

// find gives the server; nil where there is none now. Auto looks for one as long as it has none.
func (m *models) find(ctx context.Context) *llm.Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.client == nil && m.auto && time.Since(m.looked) >= lookAgain {
		m.look(ctx)
	}
	return m.client
}

// shown is the model for people; nil for none. It asks nobody.
func (m *models) shown() *string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.client == nil {
		return nil
	}
	i := m.client.Known()
	text := i.URL
	if i.Model != "" {
		text = shortName(i.Model) + " at " + i.URL
	}
	return &text
}

// look takes the first server that this machine has.
func (m *models) look(ctx context.Context) {
	m.looked = time.Now()
	found := llm.Find(ctx, llm.Places)
	if len(found) == 0 {
		return
	}
	conf := m.conf
	conf.URL = found[0].URL
	client, err := llm.New(conf)
	if err != nil {
		m.log.Warn("a model server cannot be used", "url", conf.URL, "error", err)
		return
	}
	m.client = client
	m.log.Info("a model server was found", "url", conf.URL, "server", found[0].Server)
}

// lost: the server that auto found is gone; another one, or it again, is looked for next time.
func (m *models) lost(c *llm.Client) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.auto && m.client == c {
		m.client, m.looked = nil, time.Time{}
		m.log.Warn("the model server is gone", "url", c.Known().URL)
	}
}

// modelClient is a model server as briefs ask it.
type modelClient struct {
	client *llm.Client
	from   *models
}

// Ask implements brief.Model.
func (m modelClient) Ask(ctx context.Context, q brief.Question) (brief.Answer, error) {
	a, err := m.client.Ask(ctx, llm.Request(q))
	if e := (*llm.Error)(nil); errors.As(err, &e) && e.Class == llm.Absent {
		m.from.lost(m.client)
	}
	return brief.Answer(a), err
}

// Who implements brief.Model.
func (m modelClient) Who() brief.Identity {
	i := m.client.Known()
	return brief.Identity{Server: string(i.Server), URL: i.URL, Name: shortName(i.Model)}
}

// shortName is a model's name without a folder: llama-server names a model by its path.
func shortName(model string) string {
	if filepath.IsAbs(model) {
		return filepath.Base(model)
	}
	return model
}
