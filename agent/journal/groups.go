package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/supervise"
)

type groupRow struct {
	bun.BaseModel `bun:"table:alert_groups"`

	Name string `bun:"name,pk"`
	Due  int64  `bun:"due"`
	Body string `bun:"body"`
}

// group puts the alerts of groups in the form in which they are told, in the transaction that stores them.
func (tx Tx) group(ctx context.Context, alerts []dossier.Alert) (out []dossier.Alert, err error) {
	for _, a := range alerts {
		if a.Group == "" {
			out = append(out, a)
			continue
		}
		g := dossier.Group{Name: a.Group}
		row := groupRow{Name: a.Group}
		switch err := tx.NewSelect().Model(&row).WherePK().Scan(ctx); {
		case err == nil:
			if g, err = dossier.UnmarshalGroup(row.Body); err != nil {
				return nil, err
			}
		case !errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("read the group of alert %s: %w", a.ID, err)
		}
		var told []dossier.Alert
		if err := supervise.Catch(func() error { g, told = g.Take(a); return nil }); err != nil {
			out = append(out, a) // told by itself rather than not at all
			continue
		}
		if err := tx.saveGroup(ctx, g); err != nil {
			return nil, err
		}
		out = append(out, told...)
	}
	return out, nil
}

func (tx Tx) saveGroup(ctx context.Context, g dossier.Group) error {
	body, err := dossier.MarshalGroup(g)
	if err != nil {
		return fmt.Errorf("store a group of alerts: %w", err)
	}
	row := groupRow{Name: g.Name, Due: int64(g.Due()), Body: body}
	if _, err := tx.NewInsert().Model(&row).On("CONFLICT (name) DO UPDATE").Set("due = EXCLUDED.due, body = EXCLUDED.body").Exec(ctx); err != nil {
		return fmt.Errorf("store a group of alerts: %w", err)
	}
	return nil
}

// Flush tells what groups have waited with for long enough, and says how many alerts that made.
func (o *Outbox) Flush(ctx context.Context, now time.Time) (made int, err error) {
	var rows []groupRow
	if err := o.db.read.NewSelect().Model(&rows).Where("due > 0").Where("due <= ?", now.Unix()).Order("name").Scan(ctx); err != nil {
		return 0, fmt.Errorf("look for groups of alerts: %w", err)
	}
	for _, row := range rows {
		err := o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
			if err := tx.NewSelect().Model(&row).WherePK().Scan(ctx); err != nil {
				return fmt.Errorf("read a group of alerts: %w", err)
			}
			g, err := dossier.UnmarshalGroup(row.Body)
			if err != nil {
				return err
			}
			g, told := g.Flush(now)
			if err := tx.saveGroup(ctx, g); err != nil {
				return err
			}
			n, err := put(ctx, tx, told)
			made += n
			return err
		})
		if err != nil {
			return made, err
		}
	}
	return made, nil
}
