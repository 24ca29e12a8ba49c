package agent_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// scout gathers facts of which a part may be missing; the policy gives one verdict.
type scout struct {
	desk
	missing []gov.Missing
	verdict gov.Verdict
}

func (s *scout) Gather(_ context.Context, _ gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	f := gov.Facts{At: at, Unavailable: s.missing}
	if len(s.missing) == 0 {
		f.UnknownCalls = gov.Known(int64(0))
		f.Effects.Status = gov.Known(gov.EffectsExecuted)
	}
	return dossier.Gathered{Facts: f}, nil
}
func (s *scout) Decide(gov.Case) gov.Verdict { return s.verdict }

// TestFailedReadIsTriedAgain: where it makes the policy hold, and where the holder's answer would not count on what is
// left; not where an against is true all the same, nor for what no second try brings.
func TestFailedReadIsTriedAgain(t *testing.T) {
	failed, gone := []gov.Missing{{Part: "effects.status", Reason: gov.RPCError}}, []gov.Missing{{Part: "effects.status", Reason: gov.TooLarge}}
	hold := func(r gov.HoldReason) gov.Verdict {
		return gov.Verdict{Direction: gov.Hold, Reasons: []gov.HoldReason{r}}
	}
	basis := func(s *scout) gov.Digest {
		events, err := agent.New(agent.Parts{Facts: agenttest.OverFacts(s), Chain: agenttest.OverChain(s), Policies: s, Log: slog.New(slog.DiscardHandler)}).
			Do(t.Context(), dossier.Dossier{Stage: dossier.AtSeen, Head: deskHead}, dossier.Step{Kind: dossier.Gather})
		if err != nil {
			t.Fatal(err)
		}
		return events[len(events)-1].(dossier.WasGathered).Gathered.Basis
	}
	whole := basis(&scout{verdict: hold(gov.HoldByRule)})
	part := basis(&scout{missing: failed, verdict: hold(gov.HoldByRule)})
	if whole == part {
		t.Fatal("the basis does not tell whole facts from others; this test shows nothing")
	}
	for _, c := range []struct {
		name    string
		missing []gov.Missing
		verdict gov.Verdict
		answer  gov.Digest // the basis of the holder's answer; zero: none
		waits   bool
	}{
		{"it makes the policy hold", failed, hold(gov.HoldUnavailable), gov.Digest{}, true},
		{"no second try brings it", gone, hold(gov.HoldUnavailable), gov.Digest{}, false},
		{"the policy holds by what is there", failed, hold(gov.HoldByRule), gov.Digest{}, false},
		{"an against is true all the same", failed, gov.Verdict{Direction: gov.Against}, gov.Digest{}, false},
		{"the holder answered on whole facts", failed, hold(gov.HoldByRule), whole, true},
		{"the holder answered without that part", failed, hold(gov.HoldUnavailable), part, false},
		{"the holder answered, nothing is missing", nil, hold(gov.HoldByRule), part, false},
	} {
		s := &scout{missing: c.missing, verdict: c.verdict}
		d := dossier.Dossier{
			Proposal: gov.Proposal{State: gov.StateActive, Clock: gov.ClockTimestamp, Starts: 900, Ends: 9000}, Stage: dossier.AtDecided,
			Gathered: &dossier.Gathered{Basis: c.answer}, Verdict: &gov.Verdict{Direction: gov.Hold}, Head: deskHead,
		}
		if c.answer != (gov.Digest{}) {
			d.Approval = &gov.Approval{Basis: c.answer, Expires: 9000}
		}
		events, err := agent.New(agent.Parts{Facts: agenttest.OverFacts(s), Chain: agenttest.OverChain(s), Policies: s, Log: slog.New(slog.DiscardHandler)}).Do(t.Context(), d, dossier.Step{Kind: dossier.Gather})
		if errors.Is(err, agent.ErrLater) != c.waits || (len(events) > 0) == c.waits {
			t.Errorf("%s: %d events, %v", c.name, len(events), err)
		}
	}
}
