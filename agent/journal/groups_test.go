package journal_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// TestDecoysOfAGovernorShareOneAlarm: twenty proposals that each deserve an Against, in one day and through restarts, call a
// person a few times and are all there; the drain after them is critical by itself; another governor's is its own.
func TestDecoysOfAGovernorShareOneAlarm(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, journal.Daemon)
	o := outbox(t, db, "a")
	against := func(x gov.ProposalID, bps float64) {
		t.Helper()
		f := gov.Facts{At: gov.Block{Number: 95}, Sources: 2}
		f.Effects.Status = gov.Known(gov.EffectsExecuted)
		f.Calls = gov.Known([]gov.Call{{To: gov.Address{9}, Kind: gov.KindApproval, Known: true}})
		f.Treasury.Outflows = gov.Known([]gov.Outflow{{Bps: gov.Known(bps)}})
		f.Finish()
		digest := may(f.Digest())
		g := dossier.Gathered{Facts: f, Digest: digest, Findings: []gov.Finding{{Severity: gov.Critical, Status: gov.Found}}}
		err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
			_, _, err := tx.Append(ctx, x, dossier.Dossier{}, time.Now(), seen(x), dossier.WasGathered{Gathered: g},
				dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.Against, Rule: "no-drain", Facts: digest}, Plan: dossier.Plan{Live: true}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := id(1)
	elsewhere.Governor = gov.Address{8}
	for n := uint64(1); n <= 20; n++ {
		against(id(n), 0.01)
		if n%7 == 0 { // half-way, by another process
			if _, err := o.Fill(t.Context()); err != nil {
				t.Fatal(err)
			}
			db.Close()
			db = open(t, dir, journal.Daemon)
			o = outbox(t, db, "a")
		}
	}
	against(id(21), 4000)
	against(elsewhere, 0.01)
	if _, err := o.Fill(t.Context()); err != nil {
		t.Fatal(err)
	}

	list, err := db.Alerts(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	critical, decided := map[string]int{}, map[string]bool{}
	for _, a := range list {
		if a.Proposal != nil && a.Event == dossier.AlertDecision {
			decided[a.Proposal.String()] = true
		}
		if a.Severity == gov.Critical {
			name := "several"
			if a.Proposal != nil {
				name = a.Proposal.String()
			}
			critical[name]++
		}
	}
	want := map[string]int{id(1).String(): 1, "several": 4, id(21).String(): 1, elsewhere.String(): 1}
	if fmt.Sprint(critical) != fmt.Sprint(want) {
		t.Errorf("critical: %v, want %v", critical, want)
	}
	if len(decided) != 22 {
		t.Errorf("%d proposals have an alert of their decision", len(decided))
	}

	// what is not counted yet is, within the hour, once
	for want := 1; want >= 0; want-- {
		if n, err := o.Flush(t.Context(), time.Now().Add(2*time.Hour)); err != nil || n != want {
			t.Errorf("flushed %d, want %d (%v)", n, want, err)
		}
	}
}
