package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// mute is a chain of which no facts can be had.
type mute struct {
	*desk
	err error
}

func (m mute) Gather(context.Context, gov.Proposal, gov.Block) (dossier.Gathered, error) {
	return dossier.Gathered{}, fmt.Errorf("gather: %w", m.err)
}

// TestG48GatheringHasAResult: what cannot be agreed or read is on record as missing; a gathering that was broken off is
// not.
func TestG48GatheringHasAResult(t *testing.T) {
	for _, c := range []struct {
		err    error
		reason gov.Reason
	}{{agent.ErrDisagree, gov.Disagreement}, {agent.ErrUnread, gov.RPCError}, {context.Canceled, ""}} {
		d := &desk{}
		a := agent.New(agent.Parts{
			Facts: agenttest.OverFacts(mute{d, c.err}), Chain: agenttest.OverChain(d), Policies: d, Log: slog.New(slog.DiscardHandler),
		})
		events, err := a.Do(t.Context(), dossier.Dossier{Stage: dossier.AtSeen, Head: deskHead}, dossier.Step{Kind: dossier.Preview})
		if c.reason == "" {
			if !errors.Is(err, c.err) || len(events) > 0 {
				t.Errorf("%v: %v, %v", c.err, events, err)
			}
			continue
		}
		if err != nil || len(events) != 1 {
			t.Errorf("%v: %v, %v", c.err, events, err)
			continue
		}
		g := events[0].(dossier.WasPreviewed).Gathered
		if len(g.Facts.Unavailable) != 1 || g.Facts.Unavailable[0].Reason != c.reason || g.Facts.Sources != 0 {
			t.Errorf("%v: %+v of %d sources", c.err, g.Facts.Unavailable, g.Facts.Sources)
		}
	}
}
