package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mattn/go-sqlite3"
	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Report is what a check of the journal found.
type Report struct {
	Proposals int      `json:"proposals"`
	Records   int      `json:"records"`
	Signed    int      `json:"signed"` // votes with stored bytes
	Problems  []string `json:"problems"`
	Coverage  []Range  `json:"coverage"`
	// SetAside is what the daemon could not deal with and goes on without.
	SetAside []Aside `json:"set_aside"`
}

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// Fsck folds every record again: no record gone, sequence numbers without gap, digests that fit, stages that
// follow, an index that says the same, the whole provenance before every signature (G43), and blocks read
// without gap (G17). An error means that it could not look.
func (db *DB) Fsck(ctx context.Context) (Report, error) {
	r := Report{Problems: []string{}, SetAside: []Aside{}}
	// one snapshot, since a daemon may be writing
	err := db.read.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error { return fsck(ctx, tx, &r) })
	return r, err
}

func fsck(ctx context.Context, q bun.IDB, r *Report) error {
	if err := checkPages(ctx, q, r); err != nil {
		return err
	}
	var err error
	if r.SetAside, err = allAside(ctx, q); err != nil {
		return err
	}
	list, err := entries(ctx, q, nil)
	if err != nil {
		return err
	}
	if err := checkIndex(ctx, q, r); err != nil {
		return err
	}
	if err := checkPlaces(ctx, q, r); err != nil {
		return err
	}
	cursors, read := map[gov.ChainID]gov.Cursor{}, map[gov.ChainID][]gov.Followed{}
	for _, e := range list {
		r.Proposals++
		d, ok, err := checkProposal(ctx, q, e, r)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		c, known := cursors[e.ID.Chain]
		if !known {
			if c, _, _, err = cursor(ctx, q, e.ID.Chain); err != nil {
				c = gov.Cursor{} // reported with the coverage
			}
			cursors[e.ID.Chain] = c
			if read[e.ID.Chain], err = followed(ctx, q, e.ID.Chain); err != nil {
				read[e.ID.Chain] = nil // as above
			}
		}
		n := d.Proposal.Created.Number
		if c.Block.Hash != (gov.Hash{}) && !d.Rewound && (n < c.From || n > c.Block.Number) && !filled(read[e.ID.Chain], e.ID.Governor, n) {
			r.problem("%s: created in block %d, but blocks %d to %d were read", e.ID, n, c.From, c.Block.Number)
		}
	}
	return checkCoverage(ctx, q, r)
}

// Damaged says whether an error is of a store whose file is broken, not of one that cannot be reached.
func Damaged(err error) bool {
	var broken sqlite3.Error
	if !errors.As(err, &broken) {
		return false
	}
	return broken.Code == sqlite3.ErrCorrupt || broken.Code == sqlite3.ErrNotADB
}

func checkPages(ctx context.Context, q bun.IDB, r *Report) error {
	rows, err := q.QueryContext(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		return fmt.Errorf("check the store's pages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("check the store's pages: %w", err)
		}
		if line != "ok" {
			r.problem("store: %s", line)
		}
	}
	return rows.Err()
}

// checkIndex looks for records of proposals that the index does not have.
func checkIndex(ctx context.Context, q bun.IDB, r *Report) error {
	var missing []string
	err := q.NewSelect().Model((*recordRow)(nil)).ColumnExpr("DISTINCT proposal").
		Where("proposal NOT IN (SELECT proposal FROM proposals)").Order("proposal").Scan(ctx, &missing)
	if err != nil {
		return fmt.Errorf("compare records with the index: %w", err)
	}
	for _, id := range missing {
		r.problem("%s: has records, but the index does not list it", id)
	}
	return nil
}

// checkPlaces looks for records that are gone together with all that named them. Places are given out by the
// database one by one, also through failed transactions, and none is ever given twice.
func checkPlaces(ctx context.Context, q bun.IDB, r *Report) error {
	var there, given int64
	err := q.NewRaw("SELECT (SELECT count(*) FROM records), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'records'), 0)").Scan(ctx, &there, &given)
	if err != nil {
		return fmt.Errorf("count the records: %w", err)
	}
	if there >= given {
		return nil
	}
	var first int64
	err = q.NewRaw("SELECT min(place) + 1 FROM (SELECT 0 AS place UNION ALL SELECT place FROM records) WHERE place + 1 NOT IN (SELECT place FROM records)").Scan(ctx, &first)
	if err != nil {
		return fmt.Errorf("look for the first record that is gone: %w", err)
	}
	r.problem("store: %d of the %d records that were written are gone, the first from place %d", given-there, given, first)
	return nil
}

// checkProposal folds the records of one proposal; ok is false where they do not fold.
func checkProposal(ctx context.Context, q bun.IDB, e Entry, r *Report) (d dossier.Dossier, ok bool, err error) {
	var p provenance
	read := source{q, &gatherings{}} // nothing that was read before
	for record, err := range read.records(ctx, e.ID) {
		if err == nil {
			d, err = d.ApplyRecord(record)
		}
		if err != nil && record.ID != e.ID && !Damaged(err) {
			return d, false, err // it could not look
		}
		if err != nil {
			r.problem("%s: %v", e.ID, err)
			return d, false, nil
		}
		r.Records++
		for _, lack := range p.see(record.Event) {
			r.problem("%s: record %d, %s: %s", e.ID, record.Seq, record.Type, lack)
		}
	}
	if d.Seq != e.Seq || d.Stage != e.Stage || d.Vote.Status != e.Vote || d.Proposal.Name != e.Name {
		r.problem("%s: the index says %s, record %d, %s, vote %q; the records say %s, %d, %s, vote %q",
			e.ID, e.Name, e.Seq, e.Stage, e.Vote, d.Proposal.Name, d.Seq, d.Stage, d.Vote.Status)
	}
	if d.Seq > 0 {
		if err := checkVotes(ctx, q, d, r); err != nil {
			return d, false, err
		}
	}
	if d.Vote.Raw.Len() > 0 {
		r.Signed++
	}
	return d, true, nil
}

// checkCoverage compares what was read with the cursors: one range a chain, without gap, up to the block
// that was final, and linked blocks from there to the cursor.
func checkCoverage(ctx context.Context, q bun.IDB, r *Report) error {
	var err error
	if r.Coverage, err = coverage(ctx, q); err != nil {
		return err
	}
	for i := 1; i < len(r.Coverage); i++ {
		a, b := r.Coverage[i-1], r.Coverage[i]
		if a.Chain == b.Chain && b.From > a.To+1 {
			r.problem("%s: blocks %d to %d were not read", a.Chain, a.To+1, b.From-1)
		}
	}
	var rows []cursorRow
	if err := q.NewSelect().Model(&rows).Order("chain").Scan(ctx); err != nil {
		return fmt.Errorf("read the cursors: %w", err)
	}
	for _, row := range rows {
		c, recent, err := row.decode()
		if err != nil {
			r.problem("%v", err)
			continue
		}
		if c.Final.Number >= c.From && !covers(r.Coverage, c) {
			r.problem("%s: the cursor says that blocks %d to %d %s were read as final, the record of coverage does not", c.Chain, c.From, c.Final.Number, c.Final.Hash)
		}
		checkRecent(r, c, recent)
		list, err := row.followed()
		if err != nil {
			r.problem("%v", err)
		}
		checkFollowed(r, c, list)
	}
	return nil
}

// filled says whether a block was read for a governor by itself.
func filled(list []gov.Followed, g gov.Address, block uint64) bool {
	return slices.ContainsFunc(list, func(f gov.Followed) bool { return f.Governor == g && f.Covers(block) })
}

// checkFollowed looks for blocks that were not read for a governor, before the last that was. A governor that is
// not followed any more has nothing after it.
func checkFollowed(r *Report, c gov.Cursor, list []gov.Followed) {
	for _, f := range list {
		if len(f.Read) == 0 {
			continue
		}
		if f.From == 0 && !f.Found { // where to begin is not known yet
			f.From = f.Read[0].From
		}
		last := f.Read[len(f.Read)-1].To
		if last.Number > c.Final.Number || last.Number == c.Final.Number && last.Hash != c.Final.Hash {
			r.problem("%s: for governor %s blocks were read up to %d %s, but the final block is %d %s", c.Chain, f.Governor, last.Number, last.Hash, c.Final.Number, c.Final.Hash)
		}
		for {
			from, to, ok := f.Hole(last.Number)
			if !ok {
				break
			}
			r.problem("%s: blocks %d to %d were not read for governor %s; a daemon that follows it reads them", c.Chain, from, to, f.Governor)
			f.From = to + 1
		}
	}
}

func covers(list []Range, c gov.Cursor) bool {
	for _, x := range list {
		if x.Chain == c.Chain.String() && x.From == int64(c.From) && x.To == int64(c.Final.Number) && x.Verified == c.Final.Hash.Hex() {
			return true
		}
	}
	return false
}

// checkRecent looks for a missing block between the final one and the cursor.
func checkRecent(r *Report, c gov.Cursor, recent []gov.Block) {
	if c.Block.Hash == (gov.Hash{}) {
		return
	}
	if len(recent) == 0 || recent[len(recent)-1] != c.Block {
		r.problem("%s: the blocks kept for noticing a reorganisation do not end at the cursor, block %d", c.Chain, c.Block.Number)
		return
	}
	for i := 1; i < len(recent); i++ {
		under, above := recent[i-1].Number, recent[i].Number
		if under >= above || above > c.Final.Number && under+1 != above {
			r.problem("%s: block %d follows block %d among the blocks kept for noticing a reorganisation", c.Chain, above, under)
		}
	}
}
