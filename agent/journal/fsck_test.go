package journal_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// life is a vote with its whole provenance.
func life(x gov.ProposalID, d gov.Direction) []dossier.Event {
	f := gov.Facts{At: gov.Block{Number: 95}, Sources: 2}
	digest, err := f.Digest()
	if err != nil {
		panic(err)
	}
	support, _ := d.Support()
	gate := gov.Gated{Result: gov.GatePass}
	return []dossier.Event{
		seen(x),
		dossier.WasGathered{Gathered: dossier.Gathered{Facts: f, Digest: digest, Basis: gov.Digest{5}}},
		dossier.WasDecided{Verdict: gov.Verdict{Direction: d, Policy: gov.Digest{6}, Facts: digest}},
		dossier.WasGated{Gate: gate, Facts: digest},
		dossier.WasLocked{Facts: digest, Basis: gov.Digest{5}, Policy: gov.Digest{6}, Gate: gate,
			Ballot: gov.Ballot{Proposal: x, Support: support, Reason: gov.BallotReason{By: gov.ByPolicy, Record: digest}}},
		dossier.WasSigned{Raw: gov.CalldataOf([]byte{1})},
		dossier.WasSent{},
	}
}

func problems(t *testing.T, db *journal.DB) string {
	t.Helper()
	r, err := db.Fsck(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(r.Problems, "\n")
}

// healthy is a store with two votes and a cursor.
func healthy(t *testing.T) *journal.DB {
	t.Helper()
	db := open(t, t.TempDir(), journal.Daemon)
	add(t, db, id(1), life(id(1), gov.For)...)
	add(t, db, id(2), life(id(2), gov.Against)...)
	at := cursor(100)
	at.Final = gov.Block{Number: 98, Hash: gov.Hash{98}}
	err := db.InTx(t.Context(), func(ctx context.Context, tx journal.Tx) error {
		return tx.Advance(ctx, gov.Cursor{Chain: 1}, at, []gov.Block{at.Final, {Number: 99, Hash: gov.Hash{99}}, at.Block}, id(1).Governor)
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestG17FsckFindsWhatWasChanged(t *testing.T) {
	db := healthy(t)
	r, err := db.Fsck(t.Context())
	if err != nil || len(r.Problems) > 0 || r.Proposals != 2 || r.Records != 14 || r.Signed != 2 || len(r.Coverage) != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	p := id(1).String()
	for name, c := range map[string]struct{ query, want string }{
		"edited body":     {"UPDATE records SET body = replace(body, 'pending', 'active') WHERE proposal = ? AND seq = 1", "record 1 of " + p + " was changed"},
		"missing record":  {"DELETE FROM records WHERE proposal = ? AND seq = 3", "record 4 of " + p + " follows record 2"},
		"missing tail":    {"DELETE FROM records WHERE proposal = ? AND seq = 7", "the index says"},
		"all records":     {"DELETE FROM records WHERE proposal = ?", "the index says"},
		"other type":      {"UPDATE records SET type = 'WasUnmined' WHERE proposal = ? AND seq = 7", "does not belong"},
		"unknown type":    {"UPDATE records SET type = 'WasNew' WHERE proposal = ? AND seq = 7", "unknown type"},
		"index stage":     {"UPDATE proposals SET stage = 'closed' WHERE proposal = ?", "the index says"},
		"index vote":      {"UPDATE proposals SET vote = '' WHERE proposal = ?", "the index says"},
		"index row":       {"DELETE FROM proposals WHERE proposal = ?", "the index does not list it"},
		"coverage gone":   {"DELETE FROM coverage WHERE chain = 'eip155:1' AND ? <> ''", "the record of coverage does not"},
		"coverage short":  {"UPDATE coverage SET to_block = 97 WHERE ? <> ''", "the record of coverage does not"},
		"coverage forked": {"UPDATE coverage SET to_hash = '0x00' WHERE ? <> ''", "the record of coverage does not"},
		"coverage hole":   {"INSERT INTO coverage SELECT chain, 200, 210, to_hash FROM coverage WHERE ? <> ''", "blocks 99 to 199 were not read"},
		"recent hole":     {"UPDATE cursors SET recent = replace(recent, '\"block\":99', '\"block\":98') WHERE ? <> ''", "follows block"},
		"recent end":      {"UPDATE cursors SET recent = '[]' WHERE ? <> ''", "do not end at the cursor"},
		"cursor unread":   {"UPDATE cursors SET cursor = '{' WHERE ? <> ''", "read the cursor"},
		"hole of one":     {"UPDATE cursors SET followed = replace(followed, '\"from\":0', '\"from\":70') WHERE ? <> ''", "blocks 70 to 79 were not read for governor"},
		"read too far":    {"UPDATE cursors SET followed = replace(followed, '\"block\":98', '\"block\":99') WHERE ? <> ''", "but the final block is 98"},
		"followed unread": {"UPDATE cursors SET followed = '{' WHERE ? <> ''", "read what was read"},
		"range too late":  {"UPDATE cursors SET cursor = replace(cursor, '\"from\":80', '\"from\":95'), followed = replace(followed, '\"from\":80', '\"from\":95') WHERE ? <> ''", "created in block 90"},
	} {
		t.Run(name, func(t *testing.T) {
			db := healthy(t)
			exec(t, db, c.query, p)
			if got := problems(t, db); !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// A proposal that is gone from the records and from the index leaves a hole in the places.
func TestG17FsckFindsAProposalThatIsGone(t *testing.T) {
	for n, want := range map[uint64]string{1: "the first from place 1", 2: "the first from place 8"} {
		db := healthy(t)
		exec(t, db, "DELETE FROM records WHERE proposal = ?", id(n).String())
		exec(t, db, "DELETE FROM proposals WHERE proposal = ?", id(n).String())
		if got := problems(t, db); !strings.Contains(got, "7 of the 14 records that were written are gone") || !strings.Contains(got, want) {
			t.Errorf("without proposal %d fsck found %q, want %s", n, got, want)
		}
	}
}

func TestLoadRefusesAnEditedRecord(t *testing.T) {
	db := healthy(t)
	exec(t, db, "UPDATE records SET body = replace(body, 'pending', 'active') WHERE proposal = ? AND seq = 1", id(1).String())
	if _, err := db.Load(t.Context(), id(1)); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("loaded an edited record: %v", err)
	}
}

// Every signature has the whole of what it stands on before it, and Fsck says what lacks.
func TestG43SignatureWithoutProvenanceIsFound(t *testing.T) {
	edit := func(f func(*dossier.WasLocked)) func([]dossier.Event) []dossier.Event {
		return func(events []dossier.Event) []dossier.Event {
			l := events[4].(dossier.WasLocked)
			f(&l)
			events[4] = l
			return events
		}
	}
	for name, c := range map[string]struct {
		change func([]dossier.Event) []dossier.Event
		want   string
	}{
		"no facts digest": {edit(func(l *dossier.WasLocked) { l.Facts = gov.Digest{} }), "were never gathered"},
		"other facts":     {edit(func(l *dossier.WasLocked) { l.Facts = gov.Digest{9} }), "were never gathered"},
		"other basis":     {edit(func(l *dossier.WasLocked) { l.Basis = gov.Digest{9} }), "the basis is"},
		"no policy":       {edit(func(l *dossier.WasLocked) { l.Policy = gov.Digest{} }), "decided nothing"},
		"other support":   {edit(func(l *dossier.WasLocked) { l.Ballot.Support = gov.SupportAgainst }), "no decision for against"},
		"other reason":    {edit(func(l *dossier.WasLocked) { l.Ballot.Reason.Record = gov.Digest{9} }), "the ballot names facts"},
		"no gate":         {func(e []dossier.Event) []dossier.Event { return slices.Delete(e, 3, 4) }, "without the gate's pass"},
		"made up answer": {edit(func(l *dossier.WasLocked) {
			l.Ballot.Reason.By, l.Approval = gov.ByHolder, &gov.Approval{Proposal: id(1), Support: gov.SupportFor}
		}), "the holder's answer is not on record"},
		"facts digest lies": {func(e []dossier.Event) []dossier.Event {
			g := e[1].(dossier.WasGathered)
			g.Gathered.Facts.At.Number++
			e[1] = g
			return e
		}, "the facts have digest"},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, t.TempDir(), journal.Daemon)
			add(t, db, id(1), c.change(life(id(1), gov.For))...)
			if got := problems(t, db); !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestG43HolderAndTimeOutHaveTheirOwnProvenance(t *testing.T) {
	db := open(t, t.TempDir(), journal.Daemon)
	for n, support := range []gov.Support{gov.SupportFor, gov.SupportAbstain} {
		x := id(uint64(n + 1))
		events := life(x, gov.Hold)
		lock := events[4].(dossier.WasLocked)
		lock.Ballot.Support = support
		if support == gov.SupportFor {
			a := gov.Approval{Proposal: x, Basis: lock.Basis, Support: support, Signature: gov.CalldataOf([]byte{1, 2})}
			lock.Ballot.Reason.By, lock.Approval = gov.ByHolder, &a
			events = slices.Insert(events, 4, dossier.Event(dossier.WasApproved{Approval: a}))
			events[5] = lock
		} else {
			events[4] = lock
		}
		add(t, db, x, events...)
	}
	if got := problems(t, db); got != "" {
		t.Error(got)
	}
}

// An answer over the content alone has no facts and no decision behind it; what it has is on record all the same.
func TestG43OnContentAloneHasItsOwnProvenance(t *testing.T) {
	content := gov.Hash{7}
	lock := func(x gov.ProposalID) dossier.WasLocked {
		a := gov.Approval{Proposal: x, ContentHash: content, Support: gov.SupportAgainst, Signature: gov.CalldataOf([]byte{1, 2})}
		return dossier.WasLocked{Ballot: gov.Ballot{Proposal: x, Support: a.Support, Reason: gov.BallotReason{By: gov.ByHolder}}, Approval: &a, Content: content}
	}
	for name, c := range map[string]struct {
		change func(*dossier.WasLocked)
		want   string
	}{
		"as it should be":       {func(*dossier.WasLocked) {}, ""},
		"another answer":        {func(l *dossier.WasLocked) { l.Approval.Support = gov.SupportFor }, "the holder's answer is not on record"},
		"other content":         {func(l *dossier.WasLocked) { l.Content = gov.Hash{8} }, "the answer is on content"},
		"facts out of thin air": {func(l *dossier.WasLocked) { l.Ballot.Reason.Record = gov.Digest{1} }, "the ballot names facts"},
		"by the policy":         {func(l *dossier.WasLocked) { l.Ballot.Reason.By = gov.ByPolicy }, "the holder's answer is not on record"},
	} {
		t.Run(name, func(t *testing.T) {
			db, x := open(t, t.TempDir(), journal.Daemon), id(1)
			seen := life(x, gov.Hold)[0].(dossier.WasSeen)
			seen.Seen.Proposal.ContentHash = content
			told, bound := lock(x), lock(x)
			c.change(&bound)
			add(t, db, x, seen, dossier.WasApproved{Approval: *told.Approval}, bound)
			if got := problems(t, db); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestAfterListsInOrderOfWriting(t *testing.T) {
	db := healthy(t)
	add(t, db, id(1), changed(id(1)))
	start, err := db.After(t.Context(), 0, 3)
	if err != nil || len(start) != 3 {
		t.Fatal(start, err)
	}
	rest, err := db.After(t.Context(), start[2].Place, 100)
	if err != nil || len(rest) != 12 {
		t.Fatalf("%d records, %v", len(rest), err)
	}
	last := rest[len(rest)-1]
	newest, err := db.Newest(t.Context())
	if err != nil || newest != last.Place || fmt.Sprint(last.ID, last.Seq) != fmt.Sprint(id(1), 8) {
		t.Errorf("newest %d, last %d: %s %d (%v)", newest, last.Place, last.ID, last.Seq, err)
	}
}
