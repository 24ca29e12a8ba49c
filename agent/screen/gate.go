package screen

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// HoldIfs are the holder's hold_if rules that are true or unknown; policies.Set has them.
type HoldIfs interface {
	Holds(c gov.Case, ctx gov.Context, r gov.Reading) []gov.HoldIf
}

// Config is what a gate works with.
type Config struct {
	// Policies gives the hold_if rules.
	Policies HoldIfs
	// Model must pass the texts as well; nil where none is required.
	Model Model
}

// Gate reads text and context and may hold a For.
type Gate struct {
	policies HoldIfs
	model    Model

	mu sync.Mutex
	// fresh are answers of the model that no record has yet: one whose facts were gathered again meanwhile is not
	// stored, and yet not asked for again.
	fresh map[gov.ProposalID]*dossier.GateModel
}

// New builds a gate. A gate without policies would pass what a hold_if stops, so it is an error.
func New(c Config) (*Gate, error) {
	if c.Policies == nil {
		return nil, errors.New("build the gate: no policies to ask for hold_if")
	}
	return &Gate{policies: c.Policies, model: c.Model, fresh: map[gov.ProposalID]*dossier.GateModel{}}, nil
}

// Gate reads the texts and the context of a gathered proposal: every flag of the screens holds, and
// every hold_if that is not false. A contradiction holds where a hold_if asks for it (brief.contradicts).
// A required model is asked where nothing holds yet, once for each content and text. Head and facts digest of the
// event are the caller's to fill. The answer does not depend on the direction; that only a For is touched is
// [gov.Final]'s rule. The error is [ErrAway] while a For may still wait for the model.
func (g *Gate) Gate(ctx context.Context, d dossier.Dossier, head gov.Head) (dossier.WasGated, error) {
	if err := ctx.Err(); err != nil {
		return dossier.WasGated{}, fmt.Errorf("read the text of %s: %w", d.ID(), err)
	}
	if d.Gathered == nil {
		return dossier.WasGated{}, fmt.Errorf("read the text of %s: no facts are gathered to hold it against", d.ID())
	}
	var shown dossier.Shown
	shown.Merge(d.Shown)
	shown.Merge(d.Gathered.Shown)
	text := readingOf(d, shown)
	matched := Claims(d.Text, d.Gathered.Facts, shown)
	if d.Proposal.TooLarge { // what was left out may say anything
		if v, _ := matched.Contradicts.Get(); !v {
			matched.Contradicts = gov.Maybe[bool]{}
		}
	}
	reading := gov.Reading{
		Text:  text,
		Brief: gov.BriefReading{Kind: gov.Known(briefKind(d)), Contradicts: matched.Contradicts},
	}
	flags, _ := text.Flags.Get()
	holds := g.policies.Holds(
		d.Gathered.Case(d.Proposal, d.Holder), d.Context(), reading)
	gated := answer(flags, holds)
	var model *dossier.GateModel
	if g.model != nil && gated.Result == gov.GatePass {
		var err error
		if model, err = g.consult(ctx, d, shown, head); err != nil {
			return dossier.WasGated{}, err
		}
		if reason := model.Reason(); reason != "" {
			gated = gov.Gated{Result: gov.GateHold, Reasons: []gov.HoldReason{reason}}
		}
	}
	return dossier.WasGated{
		Gate:     gated,
		Reading:  reading,
		HoldIf:   append([]gov.HoldIf{}, holds...),
		Findings: append([]gov.Finding{matched.Finding}, findingsOf(flags)...),
		Claims:   matched.Claims,
		Model:    model,
	}, nil
}

// readingOf is Read, with what a proposal that was too large to be taken in does not show.
func readingOf(d dossier.Dossier, shown dossier.Shown) gov.TextReading {
	r := Read(d.Text, shown)
	if !d.Proposal.TooLarge {
		return r
	}
	flags, _ := r.Flags.Get()
	if !slices.Contains(flags, gov.FlagTooLong) {
		flags = append(flags, gov.FlagTooLong)
	}
	return gov.TextReading{Flags: gov.Known(flags)}
}

// answer is pass only when nothing speaks against it.
func answer(flags []gov.Flag, holds []gov.HoldIf) gov.Gated {
	reasons := []gov.HoldReason{}
	for _, f := range flags {
		reasons = append(reasons, gov.HoldReason(f))
	}
	for _, h := range holds {
		if h.Result != gov.False {
			reasons = append(reasons, gov.HoldReason(h.Name))
		}
	}
	if len(reasons) == 0 {
		return gov.Gated{Result: gov.GatePass, Reasons: reasons}
	}
	return gov.Gated{Result: gov.GateHold, Reasons: reasons}
}

// findingsOf gives one finding of class text for each flag.
func findingsOf(flags []gov.Flag) []gov.Finding {
	var out []gov.Finding
	for i, s := range Screens {
		if slices.Contains(flags, s.Flag) {
			out = append(out, gov.Finding{
				ID: gov.CheckID(fmt.Sprintf("S%d", i+1)), Name: gov.CheckName(s.Flag), Severity: gov.Warning, Class: gov.ClassText,
				Status: gov.Found, Title: s.Title, Evidence: []gov.Evidence{},
				Remedy: "Read the text as it is stored, not as it is shown; a For is held.",
			})
		}
	}
	return out
}

// briefKind is who wrote the brief that people see, none before there is one.
func briefKind(d dossier.Dossier) gov.BriefKind {
	if d.Brief == nil {
		return gov.BriefNone
	}
	return d.Brief.Kind
}
