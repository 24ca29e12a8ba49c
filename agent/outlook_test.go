package agent_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent"
	"github.com/legate-dao/legate/agent/agenttest"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// desk is a chain that stands still, a policy that votes against a short runway, and prospects that a test sets.
type desk struct {
	days     gov.Maybe[float64] // of runway, missing: no policy reads it
	err      error
	forecast func(context.Context) (gov.Forecast, error)
	cases    []gov.Case
}

var deskHead = gov.Head{Latest: gov.Block{Number: 100, Time: 1000}, Final: gov.Block{Number: 98, Time: 976}, Clock: 100}

func (*desk) Head(context.Context, gov.ProposalID) (gov.Head, error) { return deskHead, nil }
func (*desk) Standing(context.Context, gov.Proposal) (gov.State, gov.Clocks, error) {
	return gov.StateActive, 0, nil
}
func (*desk) Same(context.Context, gov.Proposal, gov.Block) error                { return nil }
func (*desk) Canonical(context.Context, gov.ProposalID, gov.Block) error         { return nil }
func (*desk) SameCode(context.Context, gov.Proposal, gov.Facts, gov.Block) error { return nil }
func (*desk) Gather(_ context.Context, _ gov.Proposal, at gov.Block) (dossier.Gathered, error) {
	return dossier.Gathered{Facts: gov.Facts{At: at}}, nil
}
func (*desk) Holder(gov.Label) (gov.Holder, error)      { return gov.Holder{}, nil }
func (*desk) Plan(gov.Holder, gov.Verdict) dossier.Plan { return dossier.Plan{} }
func (d *desk) Forecast(ctx context.Context, _ gov.Proposal, _ gov.Block) (gov.Forecast, error) {
	return d.forecast(ctx)
}

func (d *desk) Outlook(context.Context, gov.Proposal, gov.Facts) (*gov.Outlooks, error) {
	if !d.days.IsKnown() {
		return nil, d.err
	}
	t := gov.TreasuryOutlook{RunwayDays: gov.Quantiles{P05: d.days}}
	return &gov.Outlooks{With: gov.Outlook{Treasury: gov.Known(t)}}, d.err
}

func (d *desk) Decide(c gov.Case) gov.Verdict {
	d.cases = append(d.cases, c)
	v := gov.Verdict{Direction: gov.Hold, Policy: gov.Digest{1}, Trace: []gov.Trace{{Vote: gov.Against, Result: gov.Unknown}}}
	t, known := c.Outlook.Treasury.Get()
	if known && t.RunwayDays.P05.Or(1000) < 180 {
		v.Direction, v.Trace[0].Result = gov.Against, gov.True
	} else if known {
		v.Trace[0].Result = gov.False
	}
	return v
}

func (d *desk) do(t *testing.T, of dossier.Dossier, k dossier.StepKind) []dossier.Event {
	t.Helper()
	a := agent.New(agent.Parts{Facts: agenttest.OverFacts(d), Chain: agenttest.OverChain(d), Policies: d, Forecasts: d, Outlooks: d, Log: slog.New(slog.DiscardHandler),
		Resimulate: func(t time.Time) time.Time { return t.Add(time.Hour) }})
	events, err := a.Do(t.Context(), of, dossier.Step{Kind: k})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// TestOutlookIsGatheredWithTheFacts: on record, part of the case, and no part of digest and basis; none where no
// policy reads it.
func TestOutlookIsGatheredWithTheFacts(t *testing.T) {
	d := &desk{}
	of := dossier.Dossier{Stage: dossier.AtSeen, Proposal: gov.Proposal{State: gov.StateActive}}
	gathered := func() dossier.Gathered {
		for _, e := range d.do(t, of, dossier.Gather) {
			if g, ok := e.(dossier.WasGathered); ok {
				return g.Gathered
			}
		}
		t.Fatal("nothing was gathered")
		return dossier.Gathered{}
	}
	bare := gathered()
	d.days = gov.Known(90.0)
	with := gathered()
	if bare.Outlook != nil || with.Outlook == nil || bare.Digest != with.Digest || bare.Basis != with.Basis {
		t.Fatalf("bare %+v, with %+v", bare, with)
	}
	of.Stage, of.Gathered = dossier.AtGathered, &with
	e := d.do(t, of, dossier.Decide)[0].(dossier.WasDecided)
	if e.Verdict.Direction != gov.Against {
		t.Errorf("decided %s on %+v", e.Verdict.Direction, d.cases[len(d.cases)-1].Outlook)
	}
	of.Gathered = &bare
	if e := d.do(t, of, dossier.Decide)[0].(dossier.WasDecided); e.Verdict.Direction != gov.Hold {
		t.Errorf("without an outlook it is %s", e.Verdict.Direction)
	}
}

// TestStandingAgainstOfAnOutlook: it is looked at again when the operator's inputs give another outlook on its facts,
// and only then.
func TestStandingAgainstOfAnOutlook(t *testing.T) {
	d := &desk{days: gov.Known(90.0)}
	old, _ := d.Outlook(t.Context(), gov.Proposal{}, gov.Facts{})
	g := dossier.Gathered{Outlook: old}
	of := dossier.Dossier{Stage: dossier.AtGathered, Gathered: &dossier.Gathered{}, Standing: &dossier.Standing{Gathered: g, Verdict: gov.Verdict{Direction: gov.Against, Policy: gov.Digest{1}}}}
	if e := d.do(t, of, dossier.Decide)[0].(dossier.WasDecided); e.Standing != nil {
		t.Errorf("nothing has changed, but it is decided again: %s", e.Standing.Direction)
	}
	for days, want := range map[float64]gov.Direction{100: gov.Against, 300: gov.Hold} {
		d.days = gov.Known(days)
		if e := d.do(t, of, dossier.Decide)[0].(dossier.WasDecided); e.Standing == nil || e.Standing.Direction != want {
			t.Errorf("with %g days it is %+v, want %s", days, e.Standing, want)
		}
	}
}

// TestForecastFailureIsOnRecord: with the time of the next try by the schedule; a step that is cut off is none.
func TestForecastFailureIsOnRecord(t *testing.T) {
	d := &desk{forecast: func(ctx context.Context) (gov.Forecast, error) {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("a forecast may take for ever")
		}
		return gov.Forecast{}, errors.New("a node is down")
	}}
	e := d.do(t, dossier.Dossier{}, dossier.Foretell)[0].(dossier.WasForecast)
	if e.Forecast != nil || e.Why != "a node is down" || e.At != 1000 || e.Again != 4600 {
		t.Errorf("%+v", e)
	}
	ctx, cut := context.WithCancel(t.Context())
	d.forecast = func(context.Context) (gov.Forecast, error) { cut(); return gov.Forecast{}, context.Canceled }
	if events, err := agent.New(agent.Parts{Chain: agenttest.OverChain(d), Forecasts: d}).Do(ctx, dossier.Dossier{}, dossier.Step{Kind: dossier.Foretell}); err == nil {
		t.Errorf("a step that was cut off gave %+v", events)
	}
}
