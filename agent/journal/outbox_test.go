package journal_test

import (
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

func outbox(t *testing.T, db *journal.DB, channels ...string) *journal.Outbox {
	t.Helper()
	o, err := db.Outbox(t.Context(), channels)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// titles are what a channel has not been given yet.
func titles(t *testing.T, o *journal.Outbox, channel string) (out []string, last int64) {
	t.Helper()
	list, err := o.Pending(t.Context(), channel, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range list {
		out, last = append(out, q.Alert.Title), q.N
		if q.Alert.Proposal != nil && (q.Alert.Card == nil || q.Alert.Card.Handle == "") {
			t.Errorf("%s has no card", q.Alert.Title)
		}
	}
	return out, last
}

func TestNewChannelBeginsWithWhatHappensNext(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, journal.Daemon)
	outbox(t, db, "old")
	add(t, db, id(1), seen(id(1)))
	o := outbox(t, db, "old", "new") // the record is made into an alert here
	if got, _ := titles(t, o, "old"); len(got) != 1 || got[0] != "ens/1: new proposal" {
		t.Errorf("old: %q", got)
	}
	if got, _ := titles(t, o, "new"); len(got) != 0 {
		t.Errorf("new: %q", got)
	}
	add(t, db, id(2), seen(id(2)))
	for want := 1; want >= 0; want-- { // filled once, and not again
		if n, err := o.Fill(t.Context()); err != nil || n != want {
			t.Fatalf("%d alerts made, want %d (%v)", n, want, err)
		}
	}
	got, last := titles(t, o, "new")
	if len(got) != 1 || got[0] != "ens/2: new proposal" {
		t.Errorf("new: %q", got)
	}
	if err := o.Delivered(t.Context(), "new", last, 1); err != nil {
		t.Fatal(err)
	}
	if err := o.Delivered(t.Context(), "new", last-1, 0); err != nil { // a late note does not go back
		t.Fatal(err)
	}
	db.Close()
	db = open(t, dir, journal.Daemon)
	o = outbox(t, db, "old", "new")
	if got, _ := titles(t, o, "new"); len(got) != 0 {
		t.Errorf("after a restart new is given %q", got)
	}
	if got, _ := titles(t, o, "old"); len(got) != 2 {
		t.Errorf("after a restart old is given %q", got)
	}
}

func TestRaisedAlertIsThereOnce(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	o := outbox(t, db, "a")
	alarm := dossier.AlarmAlert(gov.Firing{Alarm: gov.Alarm{Rule: "crash", Result: gov.True, Severity: gov.Critical}, Since: 7})
	for _, want := range []bool{true, false} {
		if fresh, err := o.Raise(t.Context(), alarm); err != nil || fresh != want {
			t.Fatalf("fresh %v, want %v (%v)", fresh, want, err)
		}
	}
	if err := o.SaveWatches(t.Context(), []gov.Watch{{Rule: "crash", Result: gov.True, Since: 7, Fired: true}}, []gov.Firing{{Alarm: gov.Alarm{Rule: "crash", Result: gov.True, Severity: gov.Critical}, Since: 7}}); err != nil {
		t.Fatal(err)
	}
	if got, _ := titles(t, o, "a"); len(got) != 1 {
		t.Errorf("%q", got)
	}
	if list, err := o.Watches(t.Context()); err != nil || len(list) != 1 || !list[0].Fired || list[0].Since != 7 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestDeliveriesSayHowFarAChannelIs(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	o := outbox(t, db, "a", "b")
	for n := range uint64(3) {
		if _, err := o.Raise(t.Context(), dossier.SystemAlert(gov.Warning, "x", nil, now.Add(time.Duration(n)*time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{o.Delivered(t.Context(), "a", 1, 1), o.Refused(t.Context(), "a", 2, "too long"), o.Failed(t.Context(), "b", "down"), o.Failed(t.Context(), "b", "down")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := db.Deliveries(t.Context())
	want := []journal.Delivery{{Channel: "a", Delivered: 1, Pending: 1, Refused: 1, Failed: 1, Error: "too long"}, {Channel: "b", Pending: 3, Tries: 2, Failed: 2, Error: "down"}}
	if err != nil || len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, want %+v (%v)", got, want, err)
	}
	if list, err := db.Alerts(t.Context(), 2); err != nil || len(list) != 2 || list[0].Time.Before(list[1].Time) {
		t.Errorf("%+v %v", list, err)
	}
	if err := o.SetNote(t.Context(), "a", "card/1", "5"); err != nil {
		t.Fatal(err)
	}
	if v, err := o.Note(t.Context(), "a", "card/1"); err != nil || v != "5" {
		t.Errorf("%q %v", v, err)
	}
	if v, err := o.Note(t.Context(), "b", "card/1"); err != nil || v != "" {
		t.Errorf("%q %v", v, err)
	}
	if err := o.SetNote(t.Context(), "a", "card/1", ""); err != nil {
		t.Fatal(err)
	}
	if v, err := o.Note(t.Context(), "a", "card/1"); err != nil || v != "" {
		t.Errorf("a note that was dropped says %q (%v)", v, err)
	}
	for n, want := range []int{3, 2, 1, 0} {
		if list, err := o.PendingAfter(t.Context(), "b", int64(n), 10); err != nil || len(list) != want {
			t.Errorf("%d pending after %d, want %d (%v)", len(list), n, want, err)
		}
	}
}
