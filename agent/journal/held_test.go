package journal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// holding is a proposal that is held because something cannot be known, and gathered again every hour.
type holding struct {
	id    gov.ProposalID
	logs  int // of its run
	first gov.UnixTime
}

// facts are the facts of an hour: the block is another one, and a balance moves a little; the run stays the same.
func (h holding) facts(hour int64) gov.Facts {
	f := gov.Facts{At: gov.Block{Number: uint64(95 + 300*hour), Hash: gov.Hash{byte(hour)}, Time: h.first + gov.UnixTime(3600*hour)}, Sources: 2}
	f.Effects.Status = gov.Known(gov.EffectsExecuted)
	for i := range h.logs {
		f.Effects.Logs = append(f.Effects.Logs, gov.EventLog{
			Account: gov.Address{0xdd, byte(i)}, Data: gov.CalldataOf([]byte{byte(i), byte(i >> 8)}),
		})
	}
	for i := range 20 {
		f.Effects.BalanceDeltas = append(f.Effects.BalanceDeltas, gov.BalanceDelta{Account: gov.Address{2, byte(i)}, Before: gov.NewAmount(uint64(1000 * i)), Delta: gov.DeltaOf(gov.NewAmount(1), gov.NewAmount(2))})
	}
	f.Effects.BalanceDeltas[3].Before = gov.NewAmount(uint64(hour))
	f.Calls = gov.Known([]gov.Call{{To: gov.Address{9}, Kind: gov.KindUnknown}})
	f.Unavailable = []gov.Missing{{Part: "treasury.value_usd", Reason: gov.NoPrice}}
	f.Finish()
	return f
}

// gathering is the gathering of an hour and the decision on it.
func (h holding) gathering(hour int64) []dossier.Event {
	f := h.facts(hour)
	digest, err := f.Digest()
	if err != nil {
		panic(err)
	}
	head := gov.Head{Latest: f.At, Final: f.At, Clock: gov.Clocks(f.At.Time)}
	return []dossier.Event{
		dossier.WasGathered{Gathered: dossier.Gathered{Facts: f, Digest: digest, Basis: gov.Digest{5},
			Shown: dossier.Shown{Calls: map[string]dossier.ShownCall{"0": {}}}, Findings: findings()}, Head: head},
		dossier.WasDecided{Verdict: gov.Verdict{Direction: gov.Hold, Reasons: []gov.HoldReason{gov.HoldUnknown}, Policy: gov.Digest{6}, Facts: digest}, Head: head,
			Plan: dossier.Plan{Wait: 3600, Latest: 3600, Live: true, MaxAge: 3600, Margin: 60}},
	}
}

func findings() (out []gov.Finding) {
	for i := range 20 {
		out = append(out, gov.Finding{ID: gov.CheckID(fmt.Sprintf("D%d", i)), Name: "outflow", Severity: gov.Info, Status: gov.Clean, Title: "nothing leaves the treasury by this proposal", Evidence: []gov.Evidence{}})
	}
	return out
}

// begin is its creation.
func (h holding) begin() dossier.Event {
	e := seen(h.id)
	e.Seen.Proposal.Clock, e.Seen.Proposal.Starts, e.Seen.Proposal.Ends = gov.ClockTimestamp, gov.Clocks(h.first), gov.Clocks(h.first+3600*24*7)
	e.Seen.Proposal.State = gov.StateActive
	return e
}

// hold puts a held proposal on record, with so many gatherings.
func hold(t testing.TB, db *journal.DB, h holding, gatherings int64) (d dossier.Dossier) {
	t.Helper()
	events := []dossier.Event{h.begin()}
	for hour := range gatherings {
		events = append(events, h.gathering(hour)...)
	}
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		var err error
		d, _, err = tx.Append(ctx, h.id, dossier.Dossier{}, now, events...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// stored is how many bytes the records and their parts have.
func stored(t testing.TB, db *journal.DB) (n int64) {
	t.Helper()
	row := db.SQL().QueryRowContext(t.Context(), "SELECT (SELECT COALESCE(SUM(LENGTH(body)), 0) FROM parts) + (SELECT SUM(LENGTH(body)) FROM records)")
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// again appends the gathering of an hour.
func again(t testing.TB, db *journal.DB, h holding, d dossier.Dossier, hour int64) dossier.Dossier {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) (err error) {
		d, _, err = tx.Append(ctx, h.id, d, now, h.gathering(hour)...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestHeldProposalIsStoredOnce: the first gathering of a run with 25 000 logs has megabytes; each later one adds what is
// new in it, and a load reads the newest only, within its memory, however many there are.
func TestHeldProposalIsStoredOnce(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, journal.Daemon)
	h := holding{id: id(1), logs: 25_000, first: 1_800_000_000}
	d := hold(t, db, h, 1)
	first, most := stored(t, db), int64(0)
	if first < 2_000_000 {
		t.Fatalf("the first gathering has %d bytes: nothing is tested", first)
	}
	const hours = 12
	for hour := int64(1); hour <= hours; hour++ {
		before := stored(t, db)
		d = again(t, db, h, d, hour)
		most = max(most, stored(t, db)-before)
	}
	if most > 12_000 {
		t.Errorf("a later gathering adds %d bytes", most)
	}

	same(t, db, d)
	db.Close()
	db = open(t, dir, journal.Daemon)
	same(t, db, d)
	other := open(t, dir, journal.Command)
	cold := allocated(func() { load(t, other, h.id) })
	warm := allocated(func() { load(t, other, h.id) })
	if cold > 64<<20 || warm > 4<<20 {
		t.Errorf("the first load takes %d bytes, the next %d", cold, warm)
	}
	if got := problems(t, db); got != "" {
		t.Error(got)
	}
	t.Logf("n=%d gatherings: the first %d bytes, a later one at most %d; load %d KB, again %d KB", hours+1, first, most, cold>>10, warm>>10)
}

func load(t testing.TB, db *journal.DB, x gov.ProposalID) dossier.Dossier {
	t.Helper()
	d, err := db.Load(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// same checks that the store has a dossier as it was appended: what it holds, the digests of its records, and what it was
// after each of them, against the fold of whole records.
func same(t *testing.T, db *journal.DB, d dossier.Dossier) {
	t.Helper()
	equal := func(what string, got, want dossier.Dossier) {
		t.Helper()
		a, err := json.Marshal(got)
		b, err2 := json.Marshal(want)
		if err != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %d bytes, want %d (%v, %v)", what, len(a), len(b), err, err2)
		}
	}
	d.Records = slices.Clone(d.Records)
	for i := range d.Records { // as precise as the store
		d.Records[i].Time = d.Records[i].Time.Truncate(time.Microsecond)
	}
	equal("loaded", load(t, db, d.ID()), d)
	half, err := db.LoadUntil(t.Context(), d.ID(), (d.Seq+1)/2)
	if err == nil {
		err = db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
			half, err = tx.Newest(ctx, half)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	equal("from half-way", half, d)
	var fold dossier.Dossier
	for r, err := range db.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.ID != d.ID() {
			continue
		}
		if fold, err = fold.ApplyRecord(r); err != nil {
			t.Fatal(err)
		}
		if r.Seq%5 == 2 || r.Seq == d.Seq {
			until, err := db.LoadUntil(t.Context(), r.ID, r.Seq)
			if err != nil {
				t.Fatal(err)
			}
			equal(fmt.Sprintf("until record %d", r.Seq), until, fold)
		}
	}
	if len(fold.Gists()) > 0 || fold.Seq != d.Seq {
		t.Errorf("folded to record %d, gists %v", fold.Seq, fold.Gists())
	}
}

// lives are dossiers with gatherings in every place that a dossier keeps one.
func lives() map[string][]dossier.Event {
	h := holding{id: id(1), logs: 40, first: 1_800_000_000}
	shows := func(e dossier.Event, path, symbol string) dossier.Event {
		g := e.(dossier.WasGathered)
		g.Gathered.Shown = dossier.Shown{Calls: map[string]dossier.ShownCall{path: {Candidates: []dossier.Untrusted{dossier.Untrusted(strings.Repeat("f(uint256)", 80))}}}, Symbols: map[string]dossier.Untrusted{"a": dossier.Untrusted(symbol)}}
		return g
	}
	against := func(hour int64) []dossier.Event {
		e := h.gathering(hour)
		w := e[1].(dossier.WasDecided)
		w.Verdict.Direction, w.Verdict.Reasons = gov.Against, nil
		w.Verdict.Trace = []gov.Trace{{Rule: "no-drain", Vote: gov.Against, Result: gov.True}}
		return []dossier.Event{e[0], w}
	}
	preview := h.gathering(0)[0].(dossier.WasGathered).Gathered
	long := gov.Verdict{}
	for i := range 40 {
		long.Trace = append(long.Trace, gov.Trace{Rule: gov.Label(fmt.Sprintf("a-rule-with-a-long-name-%d", i)), Why: "missing treasury.value_usd"})
	}
	cat := func(lists ...[]dossier.Event) (out []dossier.Event) {
		for _, l := range lists {
			out = append(out, l...)
		}
		return out
	}
	begin := []dossier.Event{h.begin()}
	return map[string][]dossier.Event{
		"only previewed":              cat(begin, []dossier.Event{dossier.WasPreviewed{Gathered: preview, Verdict: long}}),
		"previewed, then gathered":    cat(begin, []dossier.Event{dossier.WasPreviewed{Gathered: preview, Verdict: long}}, h.gathering(1)),
		"an against stands":           cat(begin, against(0), h.gathering(1), h.gathering(2)),
		"an against is the newest":    cat(begin, h.gathering(0), against(1)),
		"it shows another, and again": cat(begin, []dossier.Event{shows(h.gathering(0)[0], "0", "A"), shows(h.gathering(1)[0], "1", "B"), shows(h.gathering(2)[0], "0", "A"), shows(h.gathering(3)[0], "0", "A")}),
		"rewound and seen again":      cat(begin, against(0), []dossier.Event{dossier.WasRewound{}, h.begin()}, h.gathering(1)),
		"rewound with a signed vote":  cat(begin, against(0), []dossier.Event{dossier.WasLocked{Ballot: gov.Ballot{Proposal: h.id}}, dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})}, dossier.WasRewound{}, h.begin()}),
	}
}

// TestGatheringsReadBackInEveryPlace: wherever a dossier keeps a gathering, it is whole after a load, at every record; also
// in a store of before gatherings were cut into parts.
func TestGatheringsReadBackInEveryPlace(t *testing.T) {
	n := 0
	for name, events := range lives() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db := open(t, dir, journal.Daemon)
			d := add(t, db, id(1), events...)
			for range 2 {
				for seq := int64(1); seq <= d.Seq; seq++ {
					n++
					if got, err := db.LoadUntil(t.Context(), id(1), seq); err != nil || len(got.Gists()) > 0 {
						t.Errorf("until %d: gists %v, %v", seq, got.Gists(), err)
					}
				}
				same(t, db, d)
				db.Close()
				db = open(t, dir, journal.Daemon)
			}
			ofBefore(t, db)
			db.Close()
			db = open(t, dir, journal.Daemon)
			old := load(t, db, id(1))
			old.Records, d.Records = nil, nil // their digests are of other bodies
			if a, b := may(json.Marshal(old)), may(json.Marshal(d)); !bytes.Equal(a, b) {
				t.Errorf("a store of before: %d bytes, want %d", len(a), len(b))
			}
			if got := problems(t, db); got != "" && !strings.Contains(name, "signed") {
				t.Errorf("a store of before: %s", got)
			}
		})
	}
	t.Logf("n=%d loads", n)
}

func may[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// ofBefore makes of a store one that was written before parts were cut and votes had an index.
func ofBefore(t *testing.T, db *journal.DB) {
	t.Helper()
	for r, err := range db.Records(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		whole, err := dossier.Join(r.Body, func(d gov.Digest) (b []byte, err error) {
			err = db.SQL().QueryRowContext(t.Context(), "SELECT body FROM parts WHERE digest = ?", d[:]).Scan(&b)
			return b, err
		})
		if err != nil {
			t.Fatal(err)
		}
		exec(t, db, "UPDATE records SET body = ?, digest = ?, block = 0 WHERE proposal = ? AND seq = ?", string(whole), gov.Digest(sha256.Sum256(whole)).String(), r.ID.String(), r.Seq)
	}
	for _, q := range []string{"DROP TABLE parts", "DROP TABLE votes", "DROP INDEX records_by_block", "ALTER TABLE records DROP COLUMN block", "DELETE FROM marks WHERE name = 'index of votes'", "DROP TABLE alert_groups", "DROP TABLE sights", "ALTER TABLE deliveries DROP COLUMN failed", "DELETE FROM goose_db_version WHERE version_id >= 20"} {
		if _, err := db.SQL().ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

// TestG17FsckFindsADamagedPart: a part that is gone or another one is found, and a load that needs it fails.
func TestG17FsckFindsADamagedPart(t *testing.T) {
	for name, q := range map[string]string{
		"gone":   "DELETE FROM parts WHERE rowid = (SELECT MIN(rowid) FROM parts)",
		"edited": "UPDATE parts SET body = CAST(body || ' ' AS BLOB) WHERE rowid = (SELECT MIN(rowid) FROM parts)",
	} {
		dir := t.TempDir()
		db := open(t, dir, journal.Daemon)
		hold(t, db, holding{id: id(1), logs: 400, first: 1_800_000_000}, 3)
		exec(t, db, q)
		if got := problems(t, db); !strings.Contains(got, dossier.ErrPart.Error()) {
			t.Errorf("%s: fsck found %q", name, got)
		}
		if _, err := open(t, dir, journal.Command).Load(t.Context(), id(1)); !errors.Is(err, dossier.ErrPart) {
			t.Errorf("%s: loaded with %v", name, err)
		}
	}
}

// TestG17FsckChecksTheIndexOfVotes: what planning goes by follows from the records, and fsck says where it does not; a
// daemon makes it again for a store that has another version of it.
func TestG17FsckChecksTheIndexOfVotes(t *testing.T) {
	for _, q := range []string{
		"UPDATE votes SET stake = stake + 1 WHERE proposal = ?", "UPDATE votes SET bound_at = 0 WHERE proposal = ?", "UPDATE votes SET status = 'final' WHERE proposal = ?",
		"UPDATE votes SET plan = '{}' WHERE proposal = ?", "UPDATE votes SET waits = NOT waits WHERE proposal = ?", "DELETE FROM votes WHERE proposal = ?",
	} {
		db := healthy(t)
		exec(t, db, q, id(2).String())
		if got := problems(t, db); !strings.Contains(got, "the index of votes") {
			t.Errorf("%s: fsck found %q", q, got)
		}
		exec(t, db, "DELETE FROM marks WHERE name = 'index of votes'")
		dir := filepath.Dir(db.Path)
		db.Close()
		if got := problems(t, open(t, dir, journal.Daemon)); got != "" {
			t.Errorf("%s, and made again: %s", q, got)
		}
	}
	db := healthy(t)
	add(t, db, id(1), dossier.WasChanged{Change: dossier.Change{ID: id(1), State: gov.StateActive, Block: gov.Block{Number: 120}}})
	exec(t, db, "UPDATE records SET block = 5 WHERE proposal = ? AND seq = 8", id(1).String())
	if got := problems(t, db); !strings.Contains(got, "the index of blocks") {
		t.Errorf("fsck found %q", got)
	}
}

// TestChangedAboveReadsTheIndexOfBlocks: what a reorganisation may have taken back, also in a store of before.
func TestChangedAboveReadsTheIndexOfBlocks(t *testing.T) {
	dir := t.TempDir()
	db := open(t, dir, journal.Daemon)
	for n, block := range map[uint64]uint64{1: 100, 2: 120, 3: 130} {
		add(t, db, id(n), seen(id(n)), dossier.WasChanged{Change: dossier.Change{ID: id(n), State: gov.StateActive, Block: gov.Block{Number: block}}})
	}
	above := func(number uint64) (out []gov.ProposalID) {
		err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) (err error) {
			out, err = tx.ChangedAbove(ctx, 1, number)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for range 2 {
		for number, want := range map[uint64]int{99: 3, 100: 2, 120: 1, 130: 0, 1 << 63: 0} {
			if got := above(number); len(got) != want {
				t.Errorf("above %d: %v", number, got)
			}
		}
		ofBefore(t, db)
		db.Close()
		db = open(t, dir, journal.Daemon)
	}
}

// TestBlocksOfChangesAreSearched: what each new final block asks reads no other records.
func TestBlocksOfChangesAreSearched(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		for _, q := range tx.ChangeQueries(1) {
			var plan []struct {
				ID, Parent, Notused int
				Detail              string
			}
			if err := tx.NewRaw("EXPLAIN QUERY PLAN "+q).Scan(ctx, &plan); err != nil {
				return err
			}
			if len(plan) == 0 || !strings.Contains(plan[0].Detail, "records_by_block") {
				t.Errorf("%s\nis answered by %+v", q, plan)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPlanningReadsNoDossier: with every record of every proposal unreadable, what the turn and the budget ask is answered.
func TestPlanningReadsNoDossier(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	const n = 40
	for i := uint64(1); i <= n; i++ {
		events := life(id(i), gov.Against)
		switch i % 4 {
		case 0:
			events = events[:3] // it waits
		case 1:
			events = append(events, dossier.WasNotVoted{Status: gov.VoteExpired, Why: dossier.NotOpen})
		}
		add(t, db, id(i), events...)
	}
	exec(t, db, "UPDATE records SET body = 'gone'")
	if _, err := db.Load(t.Context(), id(1)); err == nil {
		t.Fatal("a dossier was read from nothing")
	}
	waiting, err := db.Waiting(t.Context(), id(4))
	flying, err2 := db.InFlight(t.Context(), id(2))
	left, err3 := db.GivenUp(t.Context(), id(1))
	spent, err4 := db.BoundSince(t.Context(), id(3), gov.UnixTime(now.Unix()-1))
	mine, err5 := db.BoundBy(t.Context(), gov.Address{})
	_, err6 := db.Stake(t.Context(), id(1))
	if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	if got := [5]int{len(waiting), len(flying), len(left), len(spent), len(mine)}; got != [5]int{n/4 - 1, n/2 - 1, n/4 - 1, 3*n/4 - 1, 3 * n / 4} {
		t.Errorf("waiting, in flight, given up, spent, mine: %v", got)
	}
	if later, err := db.BoundSince(t.Context(), id(3), gov.UnixTime(now.Unix())); err != nil || len(later) > 0 {
		t.Errorf("bound after now: %d, %v", len(later), err)
	}
	if !waiting[0].Waits || spent[0].Ballot.Support != gov.SupportAgainst || spent[0].Raw.Len() == 0 {
		t.Errorf("%+v %+v", waiting[0], spent[0])
	}
	if s, err := db.Stake(t.Context(), id(99)); err != nil || s != gov.MostStake {
		t.Errorf("what is at stake in an unknown proposal: %s, %v", s, err)
	}
}

// BenchmarkStep is a step of one proposal in a journal of 10 000, of which 300 are held and were gathered 48 times, one of
// them with a run of 25 000 logs: load, next, append, and what the turn and the budget of one vote ask.
func BenchmarkStep(b *testing.B) {
	dir := b.TempDir()
	db, err := journal.Open(b.Context(), "sqlite:legate.db", dir, journal.Daemon)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { db.Close() }()
	const proposals, held, hours = 10_000, 300, 48
	heavy := holding{id: id(1), logs: 25_000, first: 1_800_000_000}
	light := holding{id: id(2), logs: 20, first: 1_800_000_000}
	hold(b, db, heavy, hours)
	for n := uint64(2); n <= held; n++ {
		hold(b, db, holding{id: id(n), logs: 20, first: 1_800_000_000}, hours)
	}
	fill(b, db, held+1, proposals)
	if db.Close() != nil {
		b.Fatal(err)
	}

	// what a daemon finds after a start, and then hour by hour
	if db, err = journal.Open(b.Context(), "sqlite:legate.db", dir, journal.Daemon); err != nil {
		b.Fatal(err)
	}
	hour := int64(hours)
	for _, c := range []struct {
		name string
		h    holding
	}{{"25000 logs", heavy}, {"20 logs", light}} {
		cold := true
		b.Run(c.name, func(b *testing.B) {
			if cold {
				at := cpu(b)
				size := allocated(func() { load(b, db, c.h.id) })
				b.Logf("the first load: %.1f ms of the processor, %.1f MB", cpu(b)-at, float64(size)/1e6)
				cold = false
			}
			took, steps := 0.0, 0
			for b.Loop() {
				b.StopTimer()
				hour++
				events := c.h.gathering(hour)
				b.StartTimer()
				at := cpu(b)
				step(b, db, c.h.id, events)
				took += cpu(b) - at
				steps++
			}
			b.ReportAllocs()
			b.ReportMetric(took/float64(steps), "cpu-ms/op")
		})
	}
}

// fill puts proposals on record that are over.
func fill(t testing.TB, db *journal.DB, from, to uint64) {
	t.Helper()
	for from <= to {
		err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
			for end := min(from+499, to); from <= end; from++ {
				change := dossier.WasChanged{Change: dossier.Change{ID: id(from), State: gov.StateCanceled, Block: gov.Block{Number: 91}}}
				if _, _, err := tx.Append(ctx, id(from), dossier.Dossier{}, now, seen(id(from)), change, dossier.WasClosed{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// step is what the journal does for one step, and for the plan of one vote.
func step(t testing.TB, db *journal.DB, x gov.ProposalID, events []dossier.Event) {
	t.Helper()
	d := load(t, db, x)
	head := gov.Head{Latest: d.Head.Latest, Final: d.Head.Final, Clock: d.Head.Clock}
	head.Latest.Time += 3600
	dossier.Next(d, head)
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		now, err := tx.Newest(ctx, d)
		if err != nil {
			return err
		}
		now, _, err = tx.Append(ctx, x, now, time.Now(), events...)
		dossier.Next(now, head)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting, err := db.Waiting(t.Context(), x)
	_, err2 := db.InFlight(t.Context(), x)
	_, err3 := db.GivenUp(t.Context(), x)
	_, err4 := db.BoundSince(t.Context(), x, gov.UnixTime(time.Now().Unix()-86400))
	_, err5 := db.Stake(t.Context(), x)
	if err := errors.Join(err, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	turn := d.Turn()
	for _, o := range waiting {
		o.Before(turn, head, head)
	}
}

// cpu is the time that this process has had of the processors, in milliseconds: what the wall clock says depends on who
// else is at work.
func cpu(t testing.TB) float64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

func TestWrittenSince(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	add(t, db, id(1), seen(id(1)))
	for after, want := range map[time.Duration]bool{-time.Hour: true, -time.Second: true, 0: false, time.Hour: false} {
		got, err := db.WrittenSince(t.Context(), now.Add(after))
		if err != nil || got[id(1)] != want || len(got) > 1 {
			t.Errorf("after %s: %v, %v", after, got, err)
		}
	}
}

// TestIndexOfAProposalThatDoesNotFold: it keeps no other from being indexed; but whose its vote is must be known before a
// ledger is made.
func TestIndexOfAProposalThatDoesNotFold(t *testing.T) {
	db := healthy(t)
	exec(t, db, "UPDATE records SET body = '{' WHERE proposal = ? AND seq = 1", id(1).String())
	exec(t, db, "DELETE FROM votes")
	exec(t, db, "DELETE FROM marks WHERE name = 'index of votes'")
	dir := filepath.Dir(db.Path)
	if _, err := journal.Open(t.Context(), "sqlite:legate.db", dir, journal.Command); err == nil || !strings.Contains(err.Error(), "no index") {
		t.Errorf("a command on a store without its index: %v", err)
	}
	db.Close()
	db = open(t, dir, journal.Daemon)
	if list, err := db.InFlight(t.Context(), id(9)); err != nil || len(list) != 1 || list[0].Ballot.Proposal != id(2) {
		t.Errorf("in flight: %v, %v", list, err)
	}
	if _, err := db.BoundBy(t.Context(), gov.Address{}); err == nil || !strings.Contains(err.Error(), id(1).String()) {
		t.Errorf("votes of the key: %v", err)
	}
}
