package dossier_test

import (
	"slices"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// foresighted is a decision under a policy with a hold_if that reads the forecast.
func foresighted(now int64, v gov.Verdict) dossier.WasDecided {
	e := decided(now, v)
	e.Plan.Forecast = true
	return e
}

func (s *story) owes(h gov.Head, k dossier.StepKind) bool {
	return slices.ContainsFunc(dossier.Next(s.d, h), func(n dossier.Step) bool { return n.Kind == k })
}

// TestGateWaitsForForecast: a gate that reads the forecast is asked once there is one, however it fails at first; no
// other gate and no Against waits.
func TestGateWaitsForForecast(t *testing.T) {
	begin := func(e dossier.WasDecided) *story {
		s := &story{t: t}
		s.happen(seen(), gathered(2100), e)
		return s
	}
	s := begin(foresighted(2100, verdict(gov.For)))
	if s.owes(at(2100), dossier.Gate) || !s.owes(at(2100), dossier.Foretell) {
		t.Fatalf("owed %+v", dossier.Next(s.d, at(2100)))
	}
	s.happen(dossier.WasForecast{Why: "a node is down", At: 2100})
	if s.owes(at(2200), dossier.Gate) || s.owes(at(2200), dossier.Foretell) || !s.owes(at(2700), dossier.Foretell) {
		t.Fatal("a forecast that failed is tried again after ten minutes, and waited for")
	}
	s.happen(dossier.WasForecast{Forecast: &gov.Forecast{Pass: gov.Chance{P: .9}, Quorum: gov.Chance{P: .8}}, At: 2700})
	if !s.owes(at(2700), dossier.Gate) || s.d.Context().Forecast != gov.Known(gov.VoteChances{Pass: .9, Quorum: .8}) {
		t.Fatalf("owed %+v", dossier.Next(s.d, at(2700)))
	}

	never := begin(foresighted(2100, verdict(gov.For)))
	due := int64(2100 + 21600)
	if never.owes(at(due+599), dossier.Gate) || !never.owes(at(due+600), dossier.Gate) {
		t.Error("a forecast that never comes to an end is waited for until shortly after the vote is due, and no longer")
	}
	never.happen(dossier.WasForecast{Why: "no", At: gov.UnixTime(due - 100)})
	if never.owes(at(due-1), dossier.Gate) || !never.owes(at(due), dossier.Gate) {
		t.Error("a forecast that cannot be had is waited for until the vote is due")
	}
	if never.d.Context().Forecast.IsKnown() {
		t.Error("no forecast is known, but its chances are")
	}

	if !begin(decided(2100, verdict(gov.For))).owes(at(2100), dossier.Gate) {
		t.Error("a gate that does not read the forecast waits for it")
	}
	if a := begin(foresighted(2100, verdict(gov.Against))); a.d.Choice(at(due)).Direction != gov.Against || !a.owes(at(due), dossier.Gather) {
		t.Errorf("an Against waits for a forecast: %+v", dossier.Next(a.d, at(due)))
	}
}

// TestForecastOnItsSchedule: it is made again when the schedule that held then says so, else after a day, and never
// once voting is over.
func TestForecastOnItsSchedule(t *testing.T) {
	s := &story{t: t}
	s.happen(seen(), gathered(2100), decided(2100, verdict(gov.For)))
	f := &gov.Forecast{}
	s.happen(dossier.WasForecast{Forecast: f, At: 2100, Again: 9000})
	if s.owes(at(8999), dossier.Foretell) || !s.owes(at(9000), dossier.Foretell) {
		t.Error("not made again at 9000")
	}
	s.happen(dossier.WasForecast{Why: "no", At: 9000, Again: 9000}) // an Again that is not later counts for none
	if s.d.Forecast != f || s.owes(at(9000+86399), dossier.Foretell) || !s.owes(at(9000+86400), dossier.Foretell) {
		t.Error("not made again after a day, or a failed try took the last forecast away")
	}
	if s.owes(at(closes+1), dossier.Foretell) {
		t.Error("made again after the close")
	}
}
