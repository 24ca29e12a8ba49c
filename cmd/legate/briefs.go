package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/llm"
	"github.com/legate-dao/legate/agent/screen"
)

// briefs writes the daemon's briefs with the model that there is at the time, else with none.
type briefs struct{ models *models }

// Brief implements agent.Briefs. A model may take minutes: people first get the brief that there is without it.
func (b briefs) Brief(ctx context.Context, d dossier.Dossier) (dossier.Brief, error) {
	m := b.models.get(ctx)
	w := brief.New(m, briefConfig())
	if m != nil && d.Gathered != nil && d.DraftedOn != d.Gathered.Basis {
		return w.Draft(d), nil
	}
	return w.Brief(ctx, d)
}

// gatekeeper is the gate of a daemon: while a required model is away the For is put off, and the log says so once.
type gatekeeper struct {
	gate *screen.Gate
	log  *slog.Logger

	mu   sync.Mutex
	told map[gov.ProposalID]bool
}

// newGate builds the gate, with a model of its own where the configuration requires one: a brief under way must
// not take its turn.
func newGate(c Config, holds screen.HoldIfs, log *slog.Logger) (*gatekeeper, error) {
	conf := screen.Config{Policies: holds}
	if c.Model.Gate == gateRequired {
		m, err := newModels(c.Model.Endpoint, c.Model.llm(), log)
		if err != nil {
			return nil, fmt.Errorf("%s: model.endpoint: %w", c.path, err)
		}
		conf.Model = &gateReader{models: m}
	}
	gate, err := screen.New(conf)
	return &gatekeeper{gate: gate, log: log, told: map[gov.ProposalID]bool{}}, err
}

// Gate implements agent.Gate.
func (g *gatekeeper) Gate(ctx context.Context, d dossier.Dossier, head gov.Head) (dossier.WasGated, error) {
	e, err := g.gate.Gate(ctx, d, head)
	away := errors.Is(err, screen.ErrAway)
	g.mu.Lock()
	defer g.mu.Unlock()
	if away && !g.told[d.ID()] {
		g.log.Warn("a for waits for the model that must read its text; it is held if none answers in time", "proposal", d.ID().String(), "error", err)
	}
	if g.told[d.ID()] = away; away {
		return e, fmt.Errorf("%w: %w", agent.ErrLater, err)
	}
	delete(g.told, d.ID())
	return e, err
}

// gateReader is the model that there is at the time, as the gate asks it.
type gateReader struct {
	models *models

	mu  sync.Mutex
	who screen.Identity // of the last that was asked
}

// Ask implements screen.Model.
func (r *gateReader) Ask(ctx context.Context, q screen.Question) (json.RawMessage, error) {
	m := r.models.get(ctx)
	if m == nil {
		return nil, &llm.Error{Class: llm.Absent, Err: errors.New("no model server listens on this machine")}
	}
	a, err := m.Ask(ctx, brief.Question(q))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.who = screen.Identity(m.Who())
	return a.JSON, err
}

// Who implements screen.Model.
func (r *gateReader) Who() screen.Identity {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.who
}

// llm is how the model of the configuration is asked. Without a gate the question is an extract, which is
// short; a gate shows the whole text.
func (m ModelConfig) llm() llm.Config {
	c := llm.Config{Model: m.Name, Timeout: m.Timeout.Std()}
	if m.Gate == gateRequired {
		c.Context = gateContext // one size for both: Ollama loads a model again when it changes
	}
	return c
}

// gateContext is the context asked of Ollama where texts are read whole, in tokens: about 50 kB of English.
const gateContext = 16384

// briefConfig is what the screens say of texts, for whoever writes briefs.
func briefConfig() brief.Config {
	return brief.Config{
		Suspicious: func(sentence dossier.Untrusted) bool {
			return len(screen.Flags(dossier.Text{Description: sentence})) > 0
		},
		Claims: func(text dossier.Text, f gov.Facts, shown dossier.Shown) ([]dossier.Claim, gov.Maybe[bool]) {
			m := screen.Claims(text, f, shown)
			return m.Claims, m.Contradicts
		},
	}
}
