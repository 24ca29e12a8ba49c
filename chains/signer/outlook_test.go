package signer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/signer"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/simulators"
)

// buildProspects is a world whose policy votes against a treasury that would not last half a year; it holds 4 million
// in a coin that does not move.
func buildProspects(t *testing.T, flow float64) *world {
	t.Helper()
	w := build(t)
	set, problems := policies.Parse("policies.yaml", []byte(strings.Replace(policy, "    rules:\n", "    rules:\n      - {name: short-runway, vote: against, when: outlook.treasury.runway_days.p05 < 180}\n", 1)))
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	w.set, w.config.Policies = set, set
	w.reckon(t, flow)
	return w
}

// reckon opens the signer with another spending.
func (w *world) reckon(t *testing.T, flow float64) {
	t.Helper()
	s := simulators.Scenario{Prospect: simulators.DefaultProspect, Paths: 1000}
	s.Assets, s.Flow, s.Step = []simulators.ProspectAsset{{Token: gov.Asset(usdc)}}, gov.Known(flow), 5
	w.config.Governors[0].Scenario = s
	w.open(t)
}

// prospects makes the intent what an honest evaluator with this scenario would ask for.
func (w *world) prospects(t *testing.T, i *gov.Intent) {
	t.Helper()
	o, err := w.config.Governors[0].Scenario.Outlooks(t.Context(), i.Case.Proposal, i.Case.Facts)
	if err != nil {
		t.Fatal(err)
	}
	i.Case.Outlook = o.With
	w.say(t, i)
}

func holds4M(f *gov.Facts) {
	f.Treasury.ValueUSD = gov.Known(4e6)
	f.Treasury.Holdings = []gov.Holding{{Token: gov.Asset(usdc), Amount: gov.NewAmount(4_000_000_000_000), Decimals: 6, USD: gov.Known(4e6)}}
}

// runway is an outlook that somebody made up.
func runway(days float64) gov.Outlook {
	q := gov.Quantiles{P05: gov.Known(days), P50: gov.Known(days), P95: gov.Known(days), P99: gov.Known(days)}
	return gov.Outlook{Treasury: gov.Known(gov.TreasuryOutlook{RunwayDays: q, ValueUSD: q})}
}

// TestG05CompromisedEvaluatorOutlook: the outlook of an intent counts for nothing. The honest vote is signed, also
// where the intent brings another outlook or none; the vote that a made-up outlook would give is not.
func TestG05CompromisedEvaluatorOutlook(t *testing.T) {
	poor := buildProspects(t, -40_000) // 3.98 million last 99.5 days
	honest := poor.intent(t, holds4M)
	poor.prospects(t, &honest)
	if honest.Ballot.Support != gov.SupportAgainst || honest.Ballot.Reason.Rule != "short-runway" {
		t.Fatalf("the policy says %s by %s", honest.Ballot.Support, honest.Ballot.Reason.Rule)
	}
	if _, err := poor.Sign(t.Context(), honest); err != nil {
		t.Fatalf("the honest vote: %v", err)
	}
	for name, lie := range map[string]gov.Outlook{"rosy": runway(365), "none": {}} {
		w := buildProspects(t, -40_000)
		i := w.intent(t, holds4M)
		i.Case.Outlook = lie
		w.say(t, &i)
		if name == "rosy" && i.Ballot.Support != gov.SupportFor {
			t.Fatalf("the lie gives %s: it lies about nothing", i.Ballot.Support)
		}
		i.Ballot.Support = gov.SupportFor
		i.Ballot.Reason.Rule = "small-grant"
		if _, err := w.Sign(t.Context(), i); !errors.Is(err, signer.ErrStale) {
			t.Errorf("a %s outlook got a for signed: %v", name, err)
		}
		i.Ballot.Support, i.Ballot.Reason.Rule = gov.SupportAgainst, "short-runway"
		if _, err := w.Sign(t.Context(), i); err != nil {
			t.Errorf("with a %s outlook the right vote is refused: %v", name, err)
		}
	}
	rich := buildProspects(t, -1000)
	i := rich.intent(t, holds4M)
	i.Case.Outlook = runway(10)
	rich.say(t, &i)
	if i.Ballot.Support != gov.SupportAgainst {
		t.Fatalf("the lie gives %s", i.Ballot.Support)
	}
	if _, err := rich.Sign(t.Context(), i); !errors.Is(err, signer.ErrStale) {
		t.Errorf("a bleak outlook turned a for into an against: %v", err)
	}
	i.Ballot.Support, i.Ballot.Reason.Rule = gov.SupportFor, "small-grant"
	if _, err := rich.Sign(t.Context(), i); err != nil {
		t.Errorf("the right vote is refused: %v", err)
	}
}

// TestOutlookOfStandingAgainst: facts without a price leave the outlook unknown, which is never a for; an Against that
// stands is signed on the old facts while the operator's inputs still give it.
func TestOutlookOfStandingAgainst(t *testing.T) {
	w := buildProspects(t, -40_000)
	unpriced := w.intent(t, func(f *gov.Facts) {
		holds4M(f)
		f.Treasury.Holdings[0].USD, f.Treasury.ValueUSD = gov.Maybe[float64]{}, gov.Maybe[float64]{}
	})
	unpriced.Case.Outlook = runway(365)
	unpriced.Ballot.Support, unpriced.Ballot.Reason.Rule = gov.SupportFor, "small-grant"
	if _, err := w.Sign(t.Context(), unpriced); !errors.Is(err, signer.ErrStale) {
		t.Errorf("a for without a price: %v", err)
	}
	old := w.intent(t, func(f *gov.Facts) { holds4M(f); aged(f) })
	w.prospects(t, &old)
	old.Standing = true
	w.reckon(t, -1000)
	if _, err := w.Sign(t.Context(), old); !errors.Is(err, signer.ErrStale) && !errors.Is(err, signer.ErrIntent) {
		t.Errorf("an against that the operator's inputs do not give any more: %v", err)
	}
	w.reckon(t, -39_000)
	if _, err := w.Sign(t.Context(), old); err != nil {
		t.Errorf("an against that stands: %v", err)
	}
}
