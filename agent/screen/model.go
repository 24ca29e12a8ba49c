package screen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Model is a local model that must pass the texts too. Its errors may have a method Outcome() string that names a
// [dossier.BriefOutcome]; others count as failed.
type Model interface {
	// Ask asks once, and gives JSON.
	Ask(ctx context.Context, q Question) (json.RawMessage, error)
	// Who says what is asked, as far as it is known.
	Who() Identity
}

// Identity is what serves a model: the kind of server, its scheme, host and port, the model's name there.
type Identity struct{ Server, URL, Name string }

// ErrAway says that the required model gave no answer, and that there is time left to ask it again: the For
// waits. When the wait is over, or `latest` has come, there is an answer: Hold.
var ErrAway = errors.New("the model that must read the text gave no answer yet")

// comesBack are the failures that may pass: those of a model that is not there, not those of an answer.
func comesBack(o dossier.BriefOutcome) bool {
	switch o {
	case dossier.ModelAbsent, dossier.ModelSlow, dossier.ModelKilled, dossier.ModelFailed, dossier.ModelPaused, dossier.ModelRefused:
		return true
	}
	return false
}

// consult gives the model's word on the texts: the one that is kept for this content and these texts, else a new
// one. The error is [ErrAway], or the context's end.
func (g *Gate) consult(ctx context.Context, d dossier.Dossier, shown dossier.Shown, head gov.Head) (*dossier.GateModel, error) {
	texts := textsOf(d, shown)
	input := inputOf(d.Proposal.ContentHash, texts)
	if kept := g.kept(d, input); kept != nil {
		return kept, nil
	}
	q := questionOn(d.Gathered.Facts.Calls.Or(nil), texts)
	m := &dossier.GateModel{Prompt: PromptDigest, Input: input, Seed: q.Seed, Asked: 1}
	answer, err := g.model.Ask(ctx, q)
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, fmt.Errorf("ask a model about the text of %s: %w", d.ID(), ctx.Err())
	}
	who := g.model.Who()
	m.Server, m.URL, m.Name = who.Server, who.URL, dossier.Untrusted(who.Name)
	m.Outcome = dossier.ModelUsed
	if err == nil {
		m.Pass, m.Why, err = readAnswer(answer)
	}
	if err != nil {
		m.Outcome, m.Pass, m.Why = outcomeOf(err), false, dossier.Untrusted(short(err.Error()))
	}
	if comesBack(m.Outcome) && head.Latest.Time < awaited(d, head) {
		return nil, fmt.Errorf("ask a model about the text of %s: %s: %w: %w", d.ID(), m.Outcome, ErrAway, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fresh[d.ID()] = m
	return m, nil
}

// kept is the answer that there is for this content and these texts; nil for none. It is on record, or was given and
// is not stored yet.
func (g *Gate) kept(d dossier.Dossier, input gov.Digest) *dossier.GateModel {
	fits := func(m *dossier.GateModel) bool { return m != nil && m.Input == input && m.Prompt == PromptDigest }
	g.mu.Lock()
	defer g.mu.Unlock()
	if fits(d.GateModel) {
		delete(g.fresh, d.ID())
		return d.GateModel
	}
	if m := g.fresh[d.ID()]; fits(m) {
		return m
	}
	return nil
}

// awaited is until when a For waits for a model: the end of its own wait, or `latest` where that is sooner.
func awaited(d dossier.Dossier, head gov.Head) gov.UnixTime {
	w := d.Window(head)
	return min(max(w.Opens, d.Since[gov.For]+gov.UnixTime(d.Plan.Wait)), w.Latest)
}

// outcomeOf is the class of a failure, by its own word.
func outcomeOf(err error) dossier.BriefOutcome {
	if errors.Is(err, errMalformed) {
		return dossier.ModelGarbage
	}
	var e interface{ Outcome() string }
	if errors.As(err, &e) {
		switch o := dossier.BriefOutcome(e.Outcome()); o {
		case dossier.ModelAbsent, dossier.ModelSlow, dossier.ModelGarbage, dossier.ModelKilled, dossier.ModelTruncated, dossier.ModelRefused, dossier.ModelPaused:
			return o
		}
	}
	return dossier.ModelFailed
}

// short is the beginning of what a failure says, which may quote the server.
func short(s string) string {
	if r := []rune(strings.ToValidUTF8(s, "\uFFFD")); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}
