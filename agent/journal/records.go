package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
)

type recordRow struct {
	bun.BaseModel `bun:"table:records"`

	Place    int64     `bun:"place,pk,autoincrement"`
	Proposal string    `bun:"proposal"`
	Seq      int64     `bun:"seq"`
	Type     string    `bun:"type"`
	Time     time.Time `bun:"time"`
	Digest   string    `bun:"digest"`
	Body     string    `bun:"body"`
	Block    int64     `bun:"block"` // of a change, 0 for other records
}

type proposalRow struct {
	bun.BaseModel `bun:"table:proposals"`

	Proposal     string `bun:"proposal,pk"`
	Chain        string `bun:"chain"`
	Governor     string `bun:"governor"`
	Name         string `bun:"name"`
	Number       string `bun:"number"`
	NumberHex    string `bun:"number_hex"`
	Stage        string `bun:"stage"`
	Vote         string `bun:"vote"`
	Seq          int64  `bun:"seq"`
	CreatedBlock int64  `bun:"created_block"`
}

// Append applies events to d and stores them under the sequence numbers that follow it. It returns the
// dossier after them, and [ErrSeq] when another writer was first. After an error the dossier is the one
// given, and the transaction should end: what was appended before the error goes with it.
func (tx Tx) Append(ctx context.Context, id gov.ProposalID, d dossier.Dossier, at time.Time, events ...dossier.Event) (dossier.Dossier, []dossier.Record, error) {
	if d.Seq > 0 && d.ID() != id {
		return d, nil, fmt.Errorf("append to %s: the dossier is that of %s", id, d.ID())
	}
	before := d
	var records []dossier.Record
	for _, e := range events {
		r, next, whole, err := tx.become(ctx, id, d, at, e)
		if err != nil {
			return before, nil, err
		}
		d = next
		row := recordRow{Proposal: id.String(), Seq: r.Seq, Type: r.Type, Time: r.Time, Body: string(r.Body), Digest: r.Digest().String(), Block: blockOf(r.Event)}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			var exists sqlite3.Error
			if errors.As(err, &exists) && exists.Code == sqlite3.ErrConstraint {
				return before, nil, fmt.Errorf("append %s %d of %s: %w", r.Type, r.Seq, id, ErrSeq)
			}
			return before, nil, fmt.Errorf("append %s %d of %s: %w", r.Type, r.Seq, id, err)
		}
		tx.kept.put(r.Digest(), r.Event, whole)
		records = append(records, r)
	}
	if len(records) == 0 {
		return d, nil, nil
	}
	row := proposalRow{
		Proposal: id.String(), Chain: id.Chain.String(), Governor: id.Governor.Hex(), Name: string(d.Proposal.Name),
		Number: id.Number.String(), NumberHex: hexNumber(id),
		Stage: string(d.Stage), Vote: string(d.Vote.Status), Seq: d.Seq, CreatedBlock: int64(d.Proposal.Created.Number),
	}
	_, err := tx.NewInsert().Model(&row).On("CONFLICT (proposal) DO UPDATE").
		Set("stage = EXCLUDED.stage, vote = EXCLUDED.vote, seq = EXCLUDED.seq, name = EXCLUDED.name, created_block = EXCLUDED.created_block").Exec(ctx)
	if err != nil {
		return before, nil, fmt.Errorf("index %s: %w", id, err)
	}
	if err := tx.index(ctx, d); err != nil {
		return before, nil, err
	}
	return d, records, nil
}

// become stores the parts of the record of an event that follows d, and returns it with the dossier after it and the size of
// its whole body. An error that is of the event itself, but not [dossier.ErrNotNow], is an [Unfit] one.
func (tx Tx) become(ctx context.Context, id gov.ProposalID, d dossier.Dossier, at time.Time, e dossier.Event) (r dossier.Record, next dossier.Dossier, whole int, err error) {
	unfit := func(f func() error) error {
		err := supervise.Catch(f)
		if err != nil && !errors.Is(err, dossier.ErrNotNow) {
			err = &Unfit{id, d.Seq + 1, err}
		}
		return err
	}
	if err := unfit(func() (err error) { r, err = dossier.Encode(id, d.Seq+1, at, e); return err }); err != nil {
		return r, d, 0, err
	}
	whole = len(r.Body)

	var parts []dossier.Part
	var out dossier.Record
	if err := unfit(func() error { out, parts = r.Split(); return nil }); err != nil {
		return r, d, 0, err
	}
	fresh, size, err := tx.store(ctx, parts)
	if err != nil {
		return r, d, 0, fmt.Errorf("append %s to %s: %w", r.Type, id, err)
	}

	err = unfit(func() (err error) {
		// as it will be read: what cannot be would stop the proposal for ever
		if size < len(r.Body)/2 && len(parts) > 0 { // most of it was stored, and read, before
			err = out.Fresh(fresh)
		} else {
			out.Event, err = dossier.Decode(r.Type, r.Body)
		}
		if err != nil {
			return fmt.Errorf("append %s to %s: %w", r.Type, id, err)
		}
		next, err = d.ApplyRecord(out)
		return err
	})
	return out, next, whole, err
}

// blockOf is the block in which a change was read; 0 for other events.
func blockOf(e dossier.Event) int64 {
	c, ok := e.(dossier.WasChanged)
	if !ok {
		return 0
	}
	return int64(min(c.Change.Block.Number, math.MaxInt64))
}

// Load folds the records of one proposal. An unknown one is an empty dossier.
func (tx Tx) Load(ctx context.Context, id gov.ProposalID) (dossier.Dossier, error) {
	return tx.source().load(ctx, id, all)
}

// Newest is a dossier that was loaded before, with what was written to it since.
func (tx Tx) Newest(ctx context.Context, d dossier.Dossier) (dossier.Dossier, error) {
	return tx.source().goOn(ctx, d, d.ID(), all)
}

// Load folds the records of one proposal; [ErrUnknown] when there are none.
func (db *DB) Load(ctx context.Context, id gov.ProposalID) (dossier.Dossier, error) {
	d, err := db.source().load(ctx, id, all)
	if err == nil && d.Seq == 0 {
		err = fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	return d, err
}

// all is an upper bound of sequence numbers that leaves out nothing.
const all = math.MaxInt64

// LoadUntil folds the records of one proposal up to a sequence number: the dossier as it was then.
func (db *DB) LoadUntil(ctx context.Context, id gov.ProposalID, seq int64) (dossier.Dossier, error) {
	return db.source().load(ctx, id, seq)
}

// follow applies a stored record; its error is an [Unfit] one.
func follow(d dossier.Dossier, r dossier.Record) (next dossier.Dossier, err error) {
	err = supervise.Catch(func() (err error) { next, err = d.ApplyRecord(r); return err })
	if err != nil {
		return d, &Unfit{r.ID, r.Seq, err}
	}
	return next, nil
}

// Records yields every record, proposal by proposal, in order.
func (db *DB) Records(ctx context.Context) iter.Seq2[dossier.Record, error] {
	return func(yield func(dossier.Record, error) bool) {
		entries, err := db.Proposals(ctx)
		if err != nil {
			yield(dossier.Record{}, err)
			return
		}
		for _, entry := range entries {
			for r, err := range db.source().records(ctx, entry.ID) {
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// Placed is a record with its place in the order of writing over all proposals.
type Placed struct {
	dossier.Record
	Place int64
	// Err says why the record cannot be read; nil for one that can.
	Err error
}

// Newest is the place of the newest record, 0 without any.
func (db *DB) Newest(ctx context.Context) (place int64, err error) {
	if err := db.read.NewSelect().Model((*recordRow)(nil)).ColumnExpr("COALESCE(MAX(place), 0)").Scan(ctx, &place); err != nil {
		return 0, fmt.Errorf("look for the newest record: %w", err)
	}
	return place, nil
}

// After lists records in the order of writing, by whichever process, from the one after a place on, at
// most limit. One that cannot be read is among them, with its error.
func (db *DB) After(ctx context.Context, place int64, limit int64) ([]Placed, error) {
	var rows []recordRow
	if err := db.read.NewSelect().Model(&rows).Where("place > ?", place).Order("place").Limit(limit).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	out := make([]Placed, len(rows))
	for i, row := range rows {
		out[i] = row.placed(ctx, db.source())
	}
	return out, nil
}

func (row recordRow) placed(ctx context.Context, s source) Placed {
	id, err := gov.ParseProposalID(row.Proposal)
	if err != nil {
		return Placed{dossier.Record{Seq: row.Seq, Type: row.Type, Time: row.Time.UTC()}, row.Place, &Unfit{id, row.Seq, fmt.Errorf("record at place %d: %w", row.Place, err)}}
	}
	r, err := s.record(ctx, row, id)
	if err != nil {
		return Placed{dossier.Record{ID: id, Seq: row.Seq, Type: row.Type, Time: row.Time.UTC()}, row.Place, err}
	}
	return Placed{r, row.Place, nil}
}

type markRow struct {
	bun.BaseModel `bun:"table:marks"`

	Name  string `bun:"name,pk"`
	Place int64  `bun:"place"`
}

// Mark is the place up to which a reader has dealt with the records, 0 at first. What a reader does before
// [DB.SetMark] it does at least once, also when it dies in between.
func (db *DB) Mark(ctx context.Context, name string) (place int64, err error) {
	row := markRow{Name: name}
	err = db.read.NewSelect().Model(&row).WherePK().Scan(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("read the mark of %s: %w", name, err)
	}
	return row.Place, nil
}

// SetMark notes how far a reader has come.
func (db *DB) SetMark(ctx context.Context, name string, place int64) error {
	return setMark(ctx, db.bun, name, place)
}

func setMark(ctx context.Context, db bun.IDB, name string, place int64) error {
	row := markRow{Name: name, Place: place}
	_, err := db.NewInsert().Model(&row).On("CONFLICT (name) DO UPDATE").Set("place = EXCLUDED.place").Exec(ctx)
	if err != nil {
		return fmt.Errorf("set the mark of %s: %w", name, err)
	}
	return nil
}

// ChangedAbove lists the proposals of a chain with a change that was read in a block above a number:
// what a reorganisation may have taken back.
func (tx Tx) ChangedAbove(ctx context.Context, chain gov.ChainID, number uint64) ([]gov.ProposalID, error) {
	return changes(ctx, tx.changedAbove(chain, number))
}

// LoggedIn lists the proposals of a chain with a change that a log told of in a range of blocks, both ends included.
func (tx Tx) LoggedIn(ctx context.Context, chain gov.ChainID, from, to uint64) ([]gov.ProposalID, error) {
	return changes(ctx, tx.loggedIn(chain, from, to))
}

func (tx Tx) changedAbove(chain gov.ChainID, number uint64) *bun.SelectQuery {
	return tx.changed(chain).Where("block > ?", int64(min(number, math.MaxInt64)))
}

func (tx Tx) loggedIn(chain gov.ChainID, from, to uint64) *bun.SelectQuery {
	return tx.changed(chain).Where("block BETWEEN ? AND ?", int64(min(from, math.MaxInt64)), int64(min(to, math.MaxInt64))).Where(`body LIKE '%"log":%'`)
}

// changed is the query for proposals by their changes. The index has the rows of changes alone, and is used only where
// the query says so in its very words.
func (tx Tx) changed(chain gov.ChainID) *bun.SelectQuery {
	return tx.NewSelect().Model((*recordRow)(nil)).Column("proposal").Where("block > 0").Where("proposal LIKE ?", chain.String()+":%").
		Group("proposal").OrderExpr("MIN(place)")
}

func changes(ctx context.Context, q *bun.SelectQuery) ([]gov.ProposalID, error) {
	var names []string
	if err := q.Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	var out []gov.ProposalID
	for _, name := range names {
		id, err := gov.ParseProposalID(name)
		if err != nil {
			return nil, fmt.Errorf("list changes: %w", err)
		}
		out = append(out, id)
	}
	return out, nil
}

// WrittenSince lists the proposals with a record that was written after a time.
func (db *DB) WrittenSince(ctx context.Context, after time.Time) (map[gov.ProposalID]bool, error) {
	var names []string
	if err := db.read.NewSelect().Model((*recordRow)(nil)).ColumnExpr("DISTINCT proposal").Where("time > ?", after.UTC()).Scan(ctx, &names); err != nil {
		return nil, fmt.Errorf("list what was written since %s: %w", after, err)
	}
	out := map[gov.ProposalID]bool{}
	for _, name := range names {
		id, err := gov.ParseProposalID(name)
		if err != nil {
			return nil, fmt.Errorf("list what was written since %s: %w", after, err)
		}
		out[id] = true
	}
	return out, nil
}

// CreatedIn lists the proposals of a chain whose creation was read in a range of blocks, both ends included.
func (tx Tx) CreatedIn(ctx context.Context, chain gov.ChainID, from, to uint64) ([]gov.ProposalID, error) {
	list, err := entries(ctx, tx.Tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("chain = ?", chain.String()).Where("created_block BETWEEN ? AND ?", int64(min(from, math.MaxInt64)), int64(min(to, math.MaxInt64)))
	})
	out := make([]gov.ProposalID, len(list))
	for i, e := range list {
		out[i] = e.ID
	}
	return out, err
}

// Entry is one proposal in the index.
type Entry struct {
	ID    gov.ProposalID
	Name  gov.Label
	Stage dossier.Stage
	Vote  gov.VoteStatus
	Seq   int64
	// Created is the block of its creation.
	Created uint64
}

// Proposals lists all proposals, oldest first.
func (db *DB) Proposals(ctx context.Context) ([]Entry, error) { return entries(ctx, db.read, nil) }

// Open lists the proposals of a chain that are not closed, and those whose vote is under way all the same: one that
// a reorganisation removed has to be followed, or it would hold up every other vote of the key.
func (tx Tx) Open(ctx context.Context, chain gov.ChainID) ([]Entry, error) {
	return entries(ctx, tx.Tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("chain = ?", chain.String()).Where("stage <> ? OR vote IN (?)", string(dossier.AtClosed),
			bun.In([]string{string(gov.VoteSigned), string(gov.VoteSent), string(gov.VoteMined)}))
	})
}

func entries(ctx context.Context, q bun.IDB, where func(*bun.SelectQuery) *bun.SelectQuery) ([]Entry, error) {
	var rows []proposalRow
	sel := q.NewSelect().Model(&rows).Order("created_block", "proposal")
	if where != nil {
		sel = where(sel)
	}
	if err := sel.Scan(ctx); err != nil {
		return nil, fmt.Errorf("list proposals: %w", err)
	}
	out := make([]Entry, len(rows))
	for i, row := range rows {
		id, err := gov.ParseProposalID(row.Proposal)
		if err != nil {
			return nil, fmt.Errorf("list proposals: %w", err)
		}
		out[i] = Entry{id, gov.Label(row.Name), dossier.Stage(row.Stage), gov.VoteStatus(row.Vote), row.Seq, uint64(row.CreatedBlock)}
	}
	return out, nil
}

// Cursor returns how far a chain was read, and the blocks to compare for a reorganisation; ok is false
// before the first poll.
func (db *DB) Cursor(ctx context.Context, chain gov.ChainID) (c gov.Cursor, recent []gov.Block, ok bool, err error) {
	return cursor(ctx, db.read, chain)
}

func cursor(ctx context.Context, q bun.IDB, chain gov.ChainID) (c gov.Cursor, recent []gov.Block, ok bool, err error) {
	var row cursorRow
	err = q.NewSelect().Model(&row).Where("chain = ?", chain.String()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil, false, nil
	}
	if err != nil {
		return c, nil, false, fmt.Errorf("read the cursor of %s: %w", chain, err)
	}
	c, recent, err = row.decode()
	return c, recent, err == nil, err
}
