package web

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

func amountOf(t *testing.T, s string) gov.Amount {
	t.Helper()
	a, err := gov.ParseAmount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// drawn renders the page of a dossier with this forecast.
func drawn(t *testing.T, f any) string {
	t.Helper()
	token := gov.Address{7}
	s := &seen{doc: dossier.Document{Handle: "g/1"}, names: map[gov.Address]string{}, digits: map[gov.Asset]uint8{gov.Asset(token): 18}, now: time.Unix(0, 0)}
	s.facts = &seenFacts{}
	s.facts.DAO.Token = token
	s.facts.Context.Quorum = gov.Known(gov.QuorumReach{Needed: amountOf(t, "40000000000000000000000")})
	raw, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	v := &dossierView{Handle: "g/1"}
	v.Forecast, v.NoCast = s.forecastOf(raw)
	var b bytes.Buffer
	if err := templates["dossier"].ExecuteTemplate(&b, "base", v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestForecastIsDrawn(t *testing.T) {
	whole := func(s string) gov.Amount {
		if s == "0" {
			return gov.Amount{}
		}
		return amountOf(t, s+"000000000000000000")
	}
	spread := func(a, b, c string) gov.Spread { return gov.Spread{P05: whole(a), P50: whole(b), P95: whole(c)} }
	f := gov.Forecast{
		Pass: gov.Chance{P: 0.93, Low: 0.92, High: 0.94}, Quorum: gov.Chance{P: 0.5, Low: 0.49, High: 0.51},
		For: spread("30000", "45000", "60000"), Against: spread("0", "10", "100"), Turnout: spread("31000", "46000", "62000"),
		Engine: gov.ForecastEngine{Paths: 100000, Seed: "42", Version: "mc/1"},
	}
	page := drawn(t, f)
	for _, want := range []string{
		"<strong>93 %</strong>", "92 % to 94 %", `width="930" height="40"`, `x="920" width="20"`, "45\u202f000 votes (9 in 10: 30\u202f000 votes to 60\u202f000 votes)",
		"100\u202f000 draws, seed 42", "quorum of 40\u202f000 votes", `aria-label="Passes: 93 %, between 92 % to 94 %"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing", want)
		}
	}
	other := f
	other.Pass = gov.Chance{P: 0.2, Low: 0.1, High: 0.3}
	if drawn(t, other) == page || !strings.Contains(drawn(t, other), `width="200" height="40"`) {
		t.Error("another forecast looks the same")
	}
	// one that is computed has no interval, and an expectation no fractions of a vote
	other.Pass, other.For = gov.Chance{P: 0.506, Low: 0.5059, High: 0.5061}, spread("30000", "45000", "60000")
	other.For.P50 = amountOf(t, "72000000007000000000000")
	if page := drawn(t, other); strings.Contains(page, "50.6 % to 50.6 %") || !strings.Contains(page, `aria-label="Passes: 50.6 %"`) || !strings.Contains(page, "72\u202f000 votes (9 in 10") {
		t.Error("a point is drawn as an interval")
	}
	// a forecast of no votes at all, and one of nonsense, are pages too
	if page := drawn(t, gov.Forecast{Engine: gov.ForecastEngine{Paths: 1}}); !strings.Contains(page, "0 votes") || strings.Contains(page, "NaN") {
		t.Error("a forecast of no votes")
	}
	if !strings.Contains(drawn(t, nil), "There is no forecast for this proposal yet") {
		t.Error("no forecast is not said")
	}
	for _, odd := range []any{map[string]any{}, "x", map[string]any{"pass": "<script>"}} {
		if page := drawn(t, odd); !strings.Contains(page, "cannot be read by this page") || strings.Contains(page, "<script>") {
			t.Errorf("%v is not told as unreadable", odd)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{units(amountOf(t, "8000000000000000000000"), 18), "8\u202f000"}, {units(amountOf(t, "1"), 18), "< 0.000001"}, {units(amountOf(t, "1500000"), 6), "1.5"},
		{units(amountOf(t, "0"), 18), "0"}, {units(amountOf(t, "1234567"), 0), "1\u202f234\u202f567"}, {units(amountOf(t, "123"), 255), "123"},
		{decimal(-1234567.5), "−1\u202f234\u202f567.5"}, {decimal(304.76190476190476), "304.7619"}, {decimal(0), "0"}, {decimal(math.NaN()), "not a number"}, {decimal(1e300), "1e+300"}, {decimal(0.00001), "1e-05"},
		{percent(0.5), "50 %"}, {percent(0.99999), "> 99.9 %"}, {percent(1), "100 %"}, {percent(0), "0 %"}, {percent(0.0001), "< 0.1 %"}, {percent(0.0305), "3 %"},
		{span(49 * time.Hour), "2 d 1 h"}, {span(61 * time.Minute), "1 h 1 min"}, {span(90 * time.Second), "1 min"}, {span(3 * time.Second), "3 s"}, {span(0), "0 s"},
		{readable(nil), "unknown"}, {readable([]byte(`["a",1,null]`)), "[a, 1, unknown]"}, {readable([]byte(`304.76190476190476`)), "304.7619"}, {readable([]byte(`12345678901234567890`)), "12345678901234567890"}, {readable([]byte(`{bad`)), "{bad"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if !unlimited(amountOf(t, "115792089237316195423570985008687907853269984665640564039457584007913129639935")) || unlimited(gov.NewAmount(1<<63)) {
		t.Error("unlimited")
	}
	if at(0, time.Now()) != nil || at(100, time.Unix(160, 0)).Left != "1 min ago" || at(160, time.Unix(100, 0)).Left != "in 1 min" {
		t.Error("moments")
	}
}
