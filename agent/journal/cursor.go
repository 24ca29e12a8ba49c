package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/gov"
)

type cursorRow struct {
	bun.BaseModel `bun:"table:cursors"`

	Chain    string `bun:"chain,pk"`
	Cursor   string `bun:"cursor"`
	Recent   string `bun:"recent"`
	Followed string `bun:"followed"`
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

// Advance moves a chain's cursor from one place to another; [ErrSeq] when it no longer stands at from. The final
// blocks between were read for the governors named.
func (tx Tx) Advance(ctx context.Context, from, to gov.Cursor, recent []gov.Block, governors ...gov.Address) error {
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
	row := cursorRow{Chain: to.Chain.String(), Cursor: string(c), Recent: string(r), Followed: "[]"}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (chain) DO UPDATE").Set("cursor = EXCLUDED.cursor, recent = EXCLUDED.recent").Exec(ctx)
	if err != nil {
		return fmt.Errorf("advance the cursor of %s: %w", to.Chain, err)
	}
	if s, ok := finalised(from, to); ok {
		var read []gov.Followed
		for _, g := range governors {
			read = append(read, gov.Followed{Governor: g, Read: []gov.Stretch{s}})
		}
		if err := tx.Follow(ctx, to.Chain, read...); err != nil {
			return err
		}
	}
	return tx.cover(ctx, to)
}

// finalised is the stretch of final blocks that a move of the cursor read.
func finalised(from, to gov.Cursor) (gov.Stretch, bool) {
	s := gov.Stretch{From: to.From, To: to.Final}
	if from.Final.Hash != (gov.Hash{}) {
		s.From, s.Before = from.Final.Number+1, from.Final.Hash
	}
	return s, to.Final.Hash != (gov.Hash{}) && s.From <= to.Final.Number
}

// Follow adds what was read for some governors, and where their reading begins if that is told.
func (tx Tx) Follow(ctx context.Context, chain gov.ChainID, read ...gov.Followed) error {
	if len(read) == 0 {
		return nil
	}
	list, err := followed(ctx, tx.Tx, chain)
	if err != nil {
		return err
	}
	for _, news := range read {
		i := slices.IndexFunc(list, func(f gov.Followed) bool { return f.Governor == news.Governor })
		if i < 0 {
			i, list = len(list), append(list, gov.Followed{Governor: news.Governor})
		}
		if news.From != 0 || news.Found {
			list[i].From, list[i].Found = news.From, news.Found
		}
		for _, s := range news.Read {
			list[i] = list[i].Join(s)
		}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model((*cursorRow)(nil)).Set("followed = ?", string(text)).Where("chain = ?", chain.String()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("record what was read of %s: %w", chain, err)
	}
	return nil
}

// Followed lists what was read of a chain for each of its governors, those followed in earlier runs included.
func (db *DB) Followed(ctx context.Context, chain gov.ChainID) ([]gov.Followed, error) {
	return followed(ctx, db.read, chain)
}

func followed(ctx context.Context, q bun.IDB, chain gov.ChainID) ([]gov.Followed, error) {
	var row cursorRow
	err := q.NewSelect().Model(&row).Where("chain = ?", chain.String()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was read of %s: %w", chain, err)
	}
	return row.followed()
}

func (row cursorRow) followed() (list []gov.Followed, err error) {
	if err := json.Unmarshal([]byte(row.Followed), &list); err != nil {
		return nil, fmt.Errorf("read what was read of %s: %w", row.Chain, err)
	}
	return list, nil
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
