package screen

import (
	"context"
	"errors"
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// HoldIfs are the holder's hold_if rules; policies.Set is one.
type HoldIfs interface {
	Holds(c gov.Case, ctx gov.Context, r gov.Reading) []gov.HoldIf
}

// Config is what a gate works with.
type Config struct {
	// Policies gives the hold_if rules.
	Policies HoldIfs
}

// Gate reads text and context and may hold a For.
type Gate struct{ config Config }

// New builds a gate. A gate without policies would pass what a hold_if stops, so it is an error.
func New(c Config) (*Gate, error) {
	if c.Policies == nil {
		return nil, errors.New("build the gate: no policies to ask for hold_if")
	}
	return &Gate{c}, nil
}

// Gate reads the text and the context of a gathered proposal. Head and facts digest of the event are the
// caller's to fill.
func (g *Gate) Gate(ctx context.Context, d dossier.Dossier, _ gov.Head) (dossier.WasGated, error) {
	if err := ctx.Err(); err != nil {
		return dossier.WasGated{}, fmt.Errorf("read the text of %s: %w", d.ID(), err)
	}
	if d.Gathered == nil {
		return dossier.WasGated{}, fmt.Errorf("read the text of %s: no facts are gathered to hold it against", d.ID())
	}
	e := dossier.WasGated{}
	e.Gate = gov.Gated{Result: gov.GateHold}
	return e, nil
}
