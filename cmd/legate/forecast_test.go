package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
)

// TestForecastCommand: beside a daemon, on a real governor whose past has one voting for and one against.
func TestForecastCommand(t *testing.T) {
	s := newSite(t, "harbor")
	for _, says := range []devchain.Support{devchain.For, devchain.Against} {
		m := s.propose("harbor", "An old one", s.grant("harbor"))
		must(t, s.deployer.SkipToVoting(t.Context(), m.dao, m.ID))
		for _, account := range []int{accountVoter, proposers[0]} {
			must(t, s.deployer.As(devchain.Account(account)).CastVote(t.Context(), m.dao, m.ID, says, ""))
		}
		must(t, s.deployer.SkipToEnd(t.Context(), m.dao, m.ID))
	}
	h := newHome(t, s, setup{})
	h.start()
	m := s.propose("harbor", "A grant", s.grant("harbor"))
	h.until(m, gov.VoteNotLive)
	out, _ := h.legate(0, "forecast", m.id.String(), "--json", "--paths", "5000")
	var doc forecastDocument
	must(t, json.Unmarshal([]byte(out), &doc))
	f := doc.Forecast
	if doc.Votings != 2 || doc.ID != m.id || f.Engine.Paths != 5000 || !(f.Pass.P > 0 && f.Pass.P < 1 && f.Pass.Low <= f.Pass.P && f.Pass.P <= f.Pass.High) || f.For.P95.IsZero() {
		t.Errorf("%+v", doc)
	}
	must(t, s.deployer.As(devchain.Account(accountVoter)).CastVote(t.Context(), m.dao, m.ID, devchain.For, ""))
	out, _ = h.legate(0, "forecast", m.id.String(), "--json", "--paths", "5000")
	var after forecastDocument
	must(t, json.Unmarshal([]byte(out), &after))
	if after.Forecast.For.P05.Cmp(f.For.P05) <= 0 || after.Forecast.Pass.P <= f.Pass.P {
		t.Errorf("before %+v, with a large vote for %+v", f, after.Forecast)
	}
	if text, _ := h.legate(0, "forecast", m.id.String(), "--paths", "1000"); !strings.Contains(text, "passes") || !strings.Contains(text, "2 past votings") {
		t.Error(text)
	}
	h.legate(2, "forecast", m.id.String(), "--paths", "5")
	h.interrupt()
}
