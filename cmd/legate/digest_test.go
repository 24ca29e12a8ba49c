package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
)

// TestDigestOnItsSchedule: one digest for each scheduled time, however often the daemon starts; what was missed while
// none ran is told once, with all that is held.
func TestDigestOnItsSchedule(t *testing.T) {
	dir := t.TempDir()
	writeFixture(t, dir)
	monday := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	var told []dossier.Alert
	// start is a daemon that was killed before, at any moment
	start := func(now time.Time) {
		t.Helper()
		db := may(journal.Open(t.Context(), "sqlite:legate.db", dir, journal.Daemon))(t)
		defer db.Close()
		outbox := may(db.Outbox(t.Context(), []string{"console"}))(t)
		g := &digester{db: db, outbox: outbox, next: may(Schedule("0 8 * * 1").next())(t), log: slog.New(slog.DiscardHandler), wake: func() {},
			health: func() map[gov.ChainID]jobs.Health { return map[gov.ChainID]jobs.Health{1: {}} }}
		must(t, g.tell(t.Context(), now))
		must(t, g.tell(t.Context(), now))
		told = told[:0]
		for _, q := range may(outbox.Pending(t.Context(), "console", 1000))(t) {
			if strings.HasPrefix(q.Alert.Title, "legate: digest") {
				told = append(told, q.Alert)
			}
		}
	}
	for _, one := range []struct {
		now  time.Time
		want int
	}{
		{monday.Add(-time.Hour), 0}, // the first start of all
		{monday.Add(-time.Second), 0},
		{monday, 1},
		{monday.Add(time.Minute), 1},
		{monday.AddDate(0, 0, 6), 1},
		{monday.AddDate(0, 0, 24), 2}, // three weeks missed are one digest
		{monday.AddDate(0, 0, 24), 2},
		{monday, 2}, // the clock went back
	} {
		start(one.now)
		if len(told) != one.want {
			t.Fatalf("at %s there are %d digests, want %d: %+v", one.now, len(told), one.want, told)
		}
	}
	if told[0].ID == told[1].ID || !told[1].Time.Equal(monday.AddDate(0, 0, 21)) || told[1].Event != dossier.AlertSystem {
		t.Errorf("%+v", told)
	}
	text := strings.Join(told[0].Lines, "\n")
	for _, want := range []string{"Held: compound/", "eip155:1 is not read to its head yet", "(no-price)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
