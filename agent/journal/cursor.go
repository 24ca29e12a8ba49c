package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/gov"
)

type cursorRow struct {
	bun.BaseModel `bun:"table:cursors"`

	Chain  string `bun:"chain,pk"`
	Cursor string `bun:"cursor"`
	Recent string `bun:"recent"`
}

func (row cursorRow) decode() (c gov.Cursor, recent []gov.Block, err error) {
	if err = json.Unmarshal([]byte(row.Cursor), &c); err == nil {
		err = json.Unmarshal([]byte(row.Recent), &recent)
	}
	if err != nil {
		err = fmt.Errorf("read the cursor of %s: %w", row.Chain, err)
	}
	return c, recent, err
}

// Advance moves a chain's cursor from one place to another; [ErrSeq] when it no longer stands at from.
func (tx Tx) Advance(ctx context.Context, from, to gov.Cursor, recent []gov.Block) error {
	now, _, _, err := cursor(ctx, tx.Tx, to.Chain)
	if err != nil {
		return err
	}
	if now.Block != from.Block { // without a cursor only the zero one goes on
		return fmt.Errorf("advance the cursor of %s: it stands at block %d, not %d: %w", to.Chain, now.Block.Number, from.Block.Number, ErrSeq)
	}
	c, err := json.Marshal(to)
	if err != nil {
		return err
	}
	r, err := json.Marshal(recent)
	if err != nil {
		return err
	}
	row := cursorRow{Chain: to.Chain.String(), Cursor: string(c), Recent: string(r)}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (chain) DO UPDATE").Set("cursor = EXCLUDED.cursor, recent = EXCLUDED.recent").Exec(ctx)
	if err != nil {
		return fmt.Errorf("advance the cursor of %s: %w", to.Chain, err)
	}
	return tx.cover(ctx, to)
}

type coverageRow struct {
	bun.BaseModel `bun:"table:coverage"`

	Chain  string `bun:"chain,pk"`
	From   int64  `bun:"from_block,pk"`
	To     int64  `bun:"to_block"`
	ToHash string `bun:"to_hash"`
}

// cover keeps the contiguous, hash-linked range of blocks that were read (G17).
func (tx Tx) cover(ctx context.Context, to gov.Cursor) error {
	row := coverageRow{Chain: to.Chain.String(), From: int64(to.From), To: int64(to.Final.Number), ToHash: to.Final.Hash.Hex()}
	if to.Final.Number < to.From {
		return nil
	}
	_, err := tx.NewInsert().Model(&row).On("CONFLICT (chain, from_block) DO UPDATE").Set("to_block = EXCLUDED.to_block, to_hash = EXCLUDED.to_hash").
		Where("EXCLUDED.to_block >= coverage_row.to_block").Exec(ctx)
	if err != nil {
		return fmt.Errorf("record the coverage of %s: %w", to.Chain, err)
	}
	return nil
}

// Range is a contiguous range of finalized blocks that were read.
type Range struct {
	Chain    string `json:"chain"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	Verified string `json:"to_hash"`
}

// Coverage lists what was read.
func (db *DB) Coverage(ctx context.Context) ([]Range, error) { return coverage(ctx, db.read) }

func coverage(ctx context.Context, q bun.IDB) ([]Range, error) {
	var rows []coverageRow
	if err := q.NewSelect().Model(&rows).Order("chain", "from_block").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the coverage: %w", err)
	}
	out := []Range{}
	for _, r := range rows {
		out = append(out, Range{r.Chain, r.From, r.To, r.ToHash})
	}
	return out, nil
}
