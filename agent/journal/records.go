package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

type recordRow struct {
	bun.BaseModel `bun:"table:records"`

	Proposal string    `bun:"proposal,pk"`
	Seq      int64     `bun:"seq,pk"`
	Type     string    `bun:"type"`
	Time     time.Time `bun:"time"`
	Body     string    `bun:"body"`
	Digest   string    `bun:"digest"`
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
// dossier after them, and [ErrSeq] when another writer was first.
func (tx Tx) Append(ctx context.Context, id gov.ProposalID, d dossier.Dossier, at time.Time, events ...dossier.Event) (dossier.Dossier, []dossier.Record, error) {
	var records []dossier.Record
	for _, e := range events {
		r, err := dossier.Encode(id, d.Seq+1, at, e)
		if err != nil {
			return d, nil, err
		}
		if d, err = d.ApplyRecord(r); err != nil {
			return d, nil, err
		}
		row := recordRow{Proposal: id.String(), Seq: r.Seq, Type: r.Type, Time: r.Time, Body: string(r.Body), Digest: r.Digest().String()}
		if _, err := tx.NewInsert().Model(&row).Exec(ctx); err != nil {
			var exists sqlite3.Error
			if errors.As(err, &exists) && exists.Code == sqlite3.ErrConstraint {
				return d, nil, fmt.Errorf("append %s %d of %s: %w", r.Type, r.Seq, id, ErrSeq)
			}
			return d, nil, fmt.Errorf("append %s %d of %s: %w", r.Type, r.Seq, id, err)
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return d, nil, nil
	}
	n := d.Proposal.ID.Number.Int()
	row := proposalRow{
		Proposal: id.String(), Chain: id.Chain.String(), Governor: id.Governor.Hex(), Name: string(d.Proposal.Name),
		Number: id.Number.String(), NumberHex: fmt.Sprintf("%064x", n.Bytes32()),
		Stage: string(d.Stage), Vote: string(d.Vote.Status), Seq: d.Seq, CreatedBlock: int64(d.Proposal.Created.Number),
	}
	_, err := tx.NewInsert().Model(&row).On("CONFLICT (proposal) DO UPDATE").
		Set("stage = EXCLUDED.stage, vote = EXCLUDED.vote, seq = EXCLUDED.seq, name = EXCLUDED.name, created_block = EXCLUDED.created_block").Exec(ctx)
	if err != nil {
		return d, nil, fmt.Errorf("index %s: %w", id, err)
	}
	return d, records, nil
}

// Load folds the records of one proposal. An unknown one is an empty dossier.
func (tx Tx) Load(ctx context.Context, id gov.ProposalID) (dossier.Dossier, error) {
	return load(ctx, tx.Tx, id)
}

// Load folds the records of one proposal; [ErrUnknown] when there are none.
func (db *DB) Load(ctx context.Context, id gov.ProposalID) (dossier.Dossier, error) {
	d, err := load(ctx, db.bun, id)
	if err == nil && d.Seq == 0 {
		err = fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	return d, err
}

func load(ctx context.Context, q bun.IDB, id gov.ProposalID) (dossier.Dossier, error) {
	var d dossier.Dossier
	var rows []recordRow
	if err := q.NewSelect().Model(&rows).Where("proposal = ?", id.String()).Order("seq").Scan(ctx); err != nil {
		return d, fmt.Errorf("load %s: %w", id, err)
	}
	for _, row := range rows {
		r, err := row.record(id)
		if err != nil {
			return d, err
		}
		if d, err = d.ApplyRecord(r); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (row recordRow) record(id gov.ProposalID) (dossier.Record, error) {
	e, err := dossier.Decode(row.Type, []byte(row.Body))
	if err != nil {
		return dossier.Record{}, fmt.Errorf("record %d of %s: %w", row.Seq, id, err)
	}
	r := dossier.Record{ID: id, Seq: row.Seq, Type: row.Type, Time: row.Time.UTC(), Body: []byte(row.Body), Event: e}
	if got := r.Digest().String(); got != row.Digest {
		return r, fmt.Errorf("record %d of %s was changed: its digest is %s, stored is %s", row.Seq, id, got, row.Digest)
	}
	return r, nil
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
			var rows []recordRow
			if err := db.bun.NewSelect().Model(&rows).Where("proposal = ?", entry.ID.String()).Order("seq").Scan(ctx); err != nil {
				yield(dossier.Record{}, fmt.Errorf("load %s: %w", entry.ID, err))
				return
			}
			for _, row := range rows {
				r, err := row.record(entry.ID)
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// Entry is one proposal in the index.
type Entry struct {
	ID    gov.ProposalID
	Name  gov.Label
	Stage dossier.Stage
	Vote  gov.VoteStatus
	Seq   int64
}

// Proposals lists all proposals, oldest first.
func (db *DB) Proposals(ctx context.Context) ([]Entry, error) { return entries(ctx, db.bun, nil) }

// Open lists the proposals of a chain that are not closed.
func (tx Tx) Open(ctx context.Context, chain gov.ChainID) ([]Entry, error) {
	return entries(ctx, tx.Tx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("chain = ?", chain.String()).Where("stage <> ?", string(dossier.AtClosed))
	})
}

// InFlight lists proposals, other than id, whose vote is locked, signed or sent and in no block.
func (db *DB) InFlight(ctx context.Context, id gov.ProposalID) ([]gov.ProposalID, error) {
	list, err := entries(ctx, db.bun, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("chain = ?", id.Chain.String()).Where("proposal <> ?", id.String()).
			Where("vote IN (?)", bun.In([]string{string(gov.VoteLocked), string(gov.VoteSigned), string(gov.VoteSent)}))
	})
	var out []gov.ProposalID
	for _, e := range list {
		out = append(out, e.ID)
	}
	return out, err
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
		out[i] = Entry{id, gov.Label(row.Name), dossier.Stage(row.Stage), gov.VoteStatus(row.Vote), row.Seq}
	}
	return out, nil
}

// Cursor returns how far a chain was read, and the blocks to compare for a reorganisation; ok is false
// before the first poll.
func (db *DB) Cursor(ctx context.Context, chain gov.ChainID) (c gov.Cursor, recent []gov.Block, ok bool, err error) {
	return cursor(ctx, db.bun, chain)
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
