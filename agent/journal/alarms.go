package journal

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Watches are the clocks of the emergency rules, as saved last.
func (o *Outbox) Watches(ctx context.Context) ([]gov.Watch, error) {
	var rows []string
	if err := o.db.read.NewSelect().Table("watches").Column("watch").Order("rule", "about", "result").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read the clocks of the emergency rules: %w", err)
	}
	return decoded[gov.Watch]("the clock of an emergency rule", rows)
}

// SaveWatches stores the clocks, and the alerts of what is told of them, in one transaction.
func (o *Outbox) SaveWatches(ctx context.Context, list []gov.Watch, told []gov.Firing) error {
	return o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM watches"); err != nil {
			return fmt.Errorf("store the clocks of the emergency rules: %w", err)
		}
		for _, w := range list {
			text, err := json.Marshal(w)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO watches (rule, about, result, watch) VALUES (?, ?, ?, ?)", string(w.Rule), w.About, string(w.Result), string(text)); err != nil {
				return fmt.Errorf("store the clock of emergency rule %s: %w", w.Rule, err)
			}
		}
		var alerts []dossier.Alert
		for _, f := range told {
			alerts = append(alerts, dossier.AlarmAlert(f))
		}
		_, err := put(ctx, tx, alerts)
		return err
	})
}

// Sights are the watched numbers that cannot be read, as saved last.
func (o *Outbox) Sights(ctx context.Context) ([]gov.Sight, error) {
	var rows []string
	if err := o.db.read.NewSelect().Table("sights").Column("sight").Order("metric").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read which watched numbers cannot be read: %w", err)
	}
	return decoded[gov.Sight]("that a watched number cannot be read", rows)
}

// SaveSights stores which numbers cannot be read, and the alerts of what is told of them, in one transaction.
func (o *Outbox) SaveSights(ctx context.Context, list, told []gov.Sight) error {
	return o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM sights"); err != nil {
			return fmt.Errorf("store which watched numbers cannot be read: %w", err)
		}
		for _, s := range list {
			text, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO sights (metric, sight) VALUES (?, ?)", string(s.Metric), string(text)); err != nil {
				return fmt.Errorf("store that %s cannot be read: %w", s.Metric, err)
			}
		}
		var alerts []dossier.Alert
		for _, s := range told {
			alerts = append(alerts, sightAlert(s))
		}
		_, err := put(ctx, tx, alerts)
		return err
	})
}

// sightAlert is told at the moment that it speaks of.
func sightAlert(s gov.Sight) dossier.Alert {
	if s.Ended != 0 {
		return dossier.SightAlert(s, s.Ended.Time())
	}
	return dossier.SightAlert(s, s.Raised.Time())
}

// Firing lists what is on now, for channels that have to be told again: emergency rules that fire or cannot be
// evaluated, and watched numbers that cannot be read. What is over is not among them from the transaction on that
// tells so.
func (o *Outbox) Firing(ctx context.Context) ([]dossier.Alert, error) {
	watches, err := o.Watches(ctx)
	if err != nil {
		return nil, err
	}
	sights, err := o.Sights(ctx)
	if err != nil {
		return nil, err
	}
	var out []dossier.Alert
	for _, w := range watches {
		if w.Fired && w.Told != nil {
			out = append(out, dossier.AlarmAlert(*w.Told))
		}
	}
	for _, s := range sights {
		if s.Told {
			out = append(out, sightAlert(s))
		}
	}
	return out, nil
}

func decoded[T any](what string, rows []string) ([]T, error) {
	out := make([]T, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal([]byte(row), &out[i]); err != nil {
			return nil, fmt.Errorf("read %s: %w", what, err)
		}
	}
	return out, nil
}
