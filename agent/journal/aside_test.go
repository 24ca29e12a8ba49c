package journal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// asides are what is set aside, with how often each was tried.
func asides(t *testing.T, db *journal.DB) (out []string) {
	t.Helper()
	list, err := db.AllAside(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if a.Why == "" || a.Since.IsZero() || a.Place == 0 {
			t.Errorf("set aside without why, when or where: %+v", a)
		}
		out = append(out, fmt.Sprintf("%s: %s, %d", a.Part, a.What, a.Tries))
	}
	return out
}

// A record of which no alert can be made, whatever the reason, is set aside and told as critical, once; all other alerts
// are made, and it is tried once more at each start.
func TestG51RecordThatCannotBeToldStopsNoOther(t *testing.T) {
	const body = `UPDATE records SET body = ? WHERE proposal = ? AND seq = 1`
	panics := func(before dossier.Dossier, r dossier.Record, after dossier.Dossier) []dossier.Alert {
		if r.ID == id(1) {
			var d dossier.Dossier
			return []dossier.Alert{{Title: string(d.Verdict.Rule)}} // as D1
		}
		return dossier.Alerts(before, r, after)
	}
	for name, c := range map[string]struct {
		alerts func(dossier.Dossier, dossier.Record, dossier.Dossier) []dossier.Alert
		spoil  bool
		aside  int
	}{
		"a panic": {panics, false, 2}, "a damaged record": {dossier.Alerts, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, dir, journal.Daemon)
			outbox(t, db, "a")
			add(t, db, id(1), seen(id(1)), dossier.WasCanceled{Why: "by hand"})
			add(t, db, id(2), seen(id(2)))
			var was string
			if err := db.SQL().QueryRowContext(t.Context(), "SELECT body FROM records WHERE proposal = ? AND seq = 1", id(1).String()).Scan(&was); err != nil {
				t.Fatal(err)
			}
			if c.spoil {
				exec(t, db, body, "{", id(1).String())
			}
			for start := 1; start <= 3; start++ {
				o, err := journal.OutboxOf(t.Context(), db, []string{"a"}, c.alerts)
				if err != nil {
					t.Fatal(err)
				}
				if got, _ := titles(t, o, "a"); len(got) != 2 || got[1] != "ens/2: new proposal" || !strings.Contains(got[0], "what happened to "+id(1).String()+" cannot be told") {
					t.Fatalf("start %d: alerts %q", start, got)
				}
				want := []string{fmt.Sprintf("alerts: record 1 of %s, %d", id(1), start), fmt.Sprintf("alerts: record 2 of %s, %d", id(1), start)}
				if got := asides(t, db); !slices.Equal(got, want) {
					t.Fatalf("start %d: set aside %q, want %q", start, got, want)
				}
			}
			report, err := db.Fsck(t.Context())
			if err != nil || len(report.SetAside) != c.aside {
				t.Errorf("fsck: %+v, %v", report.SetAside, err)
			}
			list, err := db.Alerts(t.Context(), 10)
			if err != nil || list[1].Severity != gov.Critical {
				t.Errorf("alerts %+v, %v", list, err)
			}

			if c.spoil {
				exec(t, db, body, was, id(1).String())
			}
			o := outbox(t, db, "a") // a program that can
			if got, _ := titles(t, o, "a"); len(got) != 4 || got[2] != "ens/1: new proposal" || got[3] != "ens/1: the holder stopped the vote" {
				t.Errorf("alerts %q", got)
			}
			if got := asides(t, db); len(got) != 0 {
				t.Errorf("still set aside: %q", got)
			}
		})
	}
}

// An alert that cannot be read back holds up no channel, and is told.
func TestG51AlertThatCannotBeReadHoldsUpNoChannel(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	o := outbox(t, db, "a", "b")
	for n := range uint64(3) {
		add(t, db, id(n), seen(id(n)))
	}
	if _, err := o.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, db, "UPDATE alerts SET alert = '{' WHERE n = 2")
	for _, channel := range []string{"a", "b"} {
		first, n := titles(t, o, channel)
		if len(first) != 1 || n != 1 {
			t.Fatalf("%s: %q up to %d", channel, first, n)
		}
		if err := o.Delivered(t.Context(), channel, n, 1); err != nil {
			t.Fatal(err)
		}
		rest, _ := titles(t, o, channel)
		if len(rest) != 2 || rest[0] != "ens/2: new proposal" || !strings.Contains(rest[1], "alert 2 cannot be read") {
			t.Errorf("%s: then %q", channel, rest)
		}
	}
	list, err := db.Deliveries(t.Context())
	if err != nil || list[0].Refused != 1 || list[1].Refused != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// A proposal that is set aside, since its records do not fold, stops no vote on others: what is planned for them leaves it
// out, and what it has signed is overtaken as what was given up.
func TestG51PlanOfAVoteLeavesOutWhatDoesNotFold(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	lives := map[uint64][]dossier.Event{}
	for n := uint64(1); n <= 2; n++ {
		lives[n] = life(id(n), gov.Against)
	}
	upTo := func(status gov.VoteStatus) {
		for n, list := range lives {
			add(t, db, id(n), list[0])
			for list = list[1:]; load(t, db, id(n)).Vote.Status != status; list = list[1:] {
				add(t, db, id(n), list[0])
			}
			lives[n] = list
		}
	}
	aside := func(really bool) {
		var err error
		if really {
			_, err = db.SetAside(t.Context(), journal.Aside{Part: journal.AsideProposal, What: id(1).String(), Proposal: id(1).String(), Why: "damaged", Last: now})
		} else {
			err = db.TakeUp(t.Context(), journal.AsideProposal, id(1).String())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, status := range []gov.VoteStatus{gov.VoteWaiting, gov.VoteLocked, gov.VoteSigned, gov.VoteSent} {
		upTo(status)
		for _, really := range []bool{true, false} {
			aside(really)
			waiting, err := db.Waiting(t.Context(), id(3))
			if err != nil {
				t.Fatal(err)
			}
			flying, err := db.InFlight(t.Context(), id(3))
			if err != nil {
				t.Fatal(err)
			}
			given, err := db.GivenUp(t.Context(), id(3))
			if err != nil {
				t.Fatal(err)
			}
			left := 2
			if really {
				left = 1
			}
			signed := status == gov.VoteSigned || status == gov.VoteSent
			if n := len(waiting) + len(flying); n != left || (status == gov.VoteWaiting) != (len(waiting) > 0) {
				t.Errorf("%s, set aside %v: %d wait, %d in flight", status, really, len(waiting), len(flying))
			}
			if (len(given) == 1) != (signed && really) || len(given) > 0 && given[0].Status != gov.VoteExpired {
				t.Errorf("%s, set aside %v: given up are %+v", status, really, given)
			}
		}
	}
}

// A journal of before, in which a reorganisation that took back a change stands as a proposal that starts over, is told
// (D1): each start used to end at its first record of that kind.
func TestG51JournalOfBeforeIsTold(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	outbox(t, db, "a")
	add(t, db, id(1), seen(id(1)), dossier.WasGathered{}, dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.Against, Rule: "no-drain"}}, changed(id(1)),
		dossier.WasRewound{}, seen(id(1)), dossier.WasGathered{}, dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.Against, Rule: "no-drain"}})
	o := outbox(t, db, "a")
	want := []string{"ens/1: new proposal", "ens/1: against", "ens/1: removed by a reorganisation", "ens/1: new proposal", "ens/1: against"}
	if got, _ := titles(t, o, "a"); !slices.Equal(got, want) {
		t.Errorf("alerts %q, want %q", got, want)
	}
	if got := asides(t, db); len(got) != 0 {
		t.Errorf("set aside %q", got)
	}
}
