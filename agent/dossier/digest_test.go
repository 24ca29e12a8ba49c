package dossier_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// lived is a proposal of this number with a life, recorded at a wall clock.
func lived(t *testing.T, number uint64, wall time.Time, events ...dossier.Event) dossier.Dossier {
	t.Helper()
	first := seen()
	first.Seen.Proposal.Name = "harbor"
	first.Seen.Proposal.ContentHash = gov.Hash{byte(number)}
	id := gov.ProposalID{Chain: 1, Number: gov.NewAmount(number)}
	var d dossier.Dossier
	for _, e := range append([]dossier.Event{first}, events...) {
		r, err := dossier.Encode(id, d.Seq+1, wall, grounded(d, e))
		if err != nil {
			t.Fatal(err)
		}
		if d, err = d.ApplyRecord(r); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func allLines(alerts []dossier.Alert) (out []string) {
	for _, a := range alerts {
		out = append(out, a.Lines...)
	}
	return out
}

// TestDigest lists what is held, due, voted and unavailable; each line says what can be done.
func TestDigest(t *testing.T) {
	monday := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	week := monday.AddDate(0, 0, -7)
	ballot := gov.Ballot{Support: gov.SupportAgainst}
	blind := gathered(2100)
	blind.Gathered.Facts.Unavailable = []gov.Missing{{Part: "treasury.value_usd", Reason: gov.NoPrice}, {Part: "bridge.chains", Reason: gov.NotInRelease}}
	end := gov.Receipt{Block: gov.Block{Number: 170}, OK: true, Final: true}
	voted := []dossier.Event{gathered(2100), decided(2100, verdict(gov.Against)), dossier.WasLocked{Ballot: ballot}, dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasSent{}, dossier.WasFinal{Receipt: end}}
	list := []dossier.Dossier{
		lived(t, 1, monday, gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldByRule))),
		lived(t, 2, monday, gathered(2100), decided(2100, verdict(gov.Against))),
		lived(t, 3, monday.Add(-time.Hour), voted...),
		lived(t, 4, week.Add(-time.Hour), voted...), // told a week ago
		lived(t, 5, monday, blind, decided(2100, verdict(gov.Hold, gov.HoldUnknown))),
		lived(t, 6, monday.Add(-time.Hour), gathered(2100), decided(2100, verdict(gov.For)), dossier.WasNotVoted{Status: gov.VoteNoVote, Why: dossier.NoPower}),
	}
	alerts := dossier.Digest(list, week, monday, []string{"eip155:1 is not followed: <script>"})
	lines := allLines(alerts)
	for _, want := range []string{
		"Held: harbor/1, because of rule; answer before", "legate vote harbor/1 for (or against, or abstain)", "Due: harbor/2, against from about",
		"Voted: harbor/3, against in block 170", "Held: harbor/5, because of unknown", "Unavailable: harbor/5: treasury.value_usd (no-price)", "Not voted: harbor/6, no-power", "Unavailable: eip155:1 is not followed: ‹script›",
	} {
		if !slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, want) }) {
			t.Errorf("no line has %q:\n%s", want, strings.Join(lines, "\n"))
		}
	}
	if len(lines) != 7 || strings.Contains(strings.Join(lines, "\n"), "harbor/4") || len(alerts) != 1 || alerts[0].Event != dossier.AlertSystem || alerts[0].Severity != gov.Info {
		t.Errorf("%+v", alerts)
	}
	if empty := dossier.Digest(nil, week, monday, nil); len(empty) != 1 || !strings.Contains(empty[0].Lines[0], "Nothing is held") || empty[0].ID != alerts[0].ID {
		t.Errorf("of nothing: %+v", empty)
	}
	if later := dossier.Digest(list, monday, monday.AddDate(0, 0, 7), nil); later[0].ID == alerts[0].ID {
		t.Error("two weeks have one id")
	}
}

// TestDigestDropsNoHold: a hundred holds are told in as many alerts as it takes, each once.
func TestDigestDropsNoHold(t *testing.T) {
	monday := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	var list []dossier.Dossier
	for n := range uint64(100) {
		list = append(list, lived(t, 1000+n, monday, gathered(2100), decided(2100, verdict(gov.Hold, gov.HoldByRule))))
	}
	alerts := dossier.Digest(list, monday.AddDate(0, 0, -7), monday, nil)
	ids, text := map[string]bool{}, strings.Join(allLines(alerts), "\n")
	for _, a := range alerts {
		ids[a.ID] = true
		size := 0
		for _, l := range a.Lines {
			size += len(l)
		}
		if len(a.Lines) > 10 || size > 3000 {
			t.Errorf("%s has %d lines of %d bytes: a channel cuts it", a.Title, len(a.Lines), size)
		}
	}
	if len(ids) != 10 || len(alerts) != 10 {
		t.Errorf("%d alerts with %d ids", len(alerts), len(ids))
	}
	for n := range 100 {
		if got := strings.Count(text, fmt.Sprintf("Held: harbor/%d,", 1000+n)); got != 1 {
			t.Errorf("harbor/%d is told %d times", 1000+n, got)
		}
	}
}
