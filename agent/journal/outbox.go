package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
)

// Outbox holds the alerts in the order in which they are delivered, and how far each channel is. Alerts are
// made of records that are durable already, in the transaction that notes how far the records were read: one
// that was killed at any moment is made again with the same id, or is there.
type Outbox struct {
	db *DB

	// alerts makes the alerts of a record: [dossier.Alerts], but in tests.
	alerts func(before dossier.Dossier, r dossier.Record, after dossier.Dossier) []dossier.Alert

	mu     sync.Mutex
	folded map[gov.ProposalID]dossier.Dossier
}

// Outbox opens the outbox for some channels by name. A channel that is new begins with what happens next;
// one that is known goes on where it was.
func (db *DB) Outbox(ctx context.Context, channels []string) (*Outbox, error) {
	return db.outbox(ctx, channels, dossier.Alerts)
}

func (db *DB) outbox(ctx context.Context, channels []string, alerts func(dossier.Dossier, dossier.Record, dossier.Dossier) []dossier.Alert) (*Outbox, error) {
	o := &Outbox{db: db, alerts: alerts, folded: map[gov.ProposalID]dossier.Dossier{}}
	if err := o.retry(ctx); err != nil {
		return nil, err
	}
	if _, err := o.Fill(ctx); err != nil {
		return nil, err
	}
	for _, name := range channels {
		_, err := db.bun.ExecContext(ctx, "INSERT INTO deliveries (channel, n) SELECT ?, COALESCE(MAX(n), 0) FROM alerts WHERE true ON CONFLICT (channel) DO NOTHING", name)
		if err != nil {
			return nil, fmt.Errorf("open the outbox for channel %s: %w", name, db.onDisk(err))
		}
	}
	return o, nil
}

type alertRow struct {
	bun.BaseModel `bun:"table:alerts"`

	N     int64  `bun:"n,pk,autoincrement"`
	ID    string `bun:"id"`
	Alert string `bun:"alert"`
	Card  string `bun:"card"` // empty without one
}

func rowOf(a dossier.Alert) (alertRow, error) {
	text, err := json.Marshal(a)
	if err != nil {
		return alertRow{}, fmt.Errorf("encode alert %s: %w", a.ID, err)
	}
	row := alertRow{ID: a.ID, Alert: string(text)}
	if a.Card != nil {
		if text, err = json.Marshal(a.Card); err != nil {
			return row, fmt.Errorf("encode the card of alert %s: %w", a.ID, err)
		}
		row.Card = string(text)
	}
	return row, nil
}

func (row alertRow) queued() (dossier.Queued, error) {
	out := dossier.Queued{N: row.N}
	if err := json.Unmarshal([]byte(row.Alert), &out.Alert); err != nil {
		return out, fmt.Errorf("read alert %d: %w", row.N, err)
	}
	if row.Card != "" {
		out.Alert.Card = &dossier.Card{}
		if err := json.Unmarshal([]byte(row.Card), out.Alert.Card); err != nil {
			return out, fmt.Errorf("read the card of alert %d: %w", row.N, err)
		}
	}
	return out, nil
}

// put appends alerts; one whose id is there already changes nothing.
func put(ctx context.Context, tx Tx, alerts []dossier.Alert) (fresh int, err error) {
	for _, a := range alerts {
		row, err := rowOf(a)
		if err != nil {
			return fresh, err
		}
		res, err := tx.NewInsert().Model(&row).On("CONFLICT (id) DO NOTHING").Exec(ctx)
		if err != nil {
			return fresh, fmt.Errorf("store alert %s: %w", a.ID, err)
		}
		if n, err := res.RowsAffected(); err == nil {
			fresh += int(n)
		}
	}
	return fresh, nil
}

// Fill makes alerts of the records that were written since, by whichever process, and returns how many.
func (o *Outbox) Fill(ctx context.Context) (made int, err error) {
	const chunk = 256
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		var place int64
		if err := o.db.read.NewSelect().Table("alert_source").Column("place").Scan(ctx, &place); err != nil {
			return made, fmt.Errorf("read how far the records were told: %w", err)
		}
		list, err := o.db.After(ctx, place, chunk)
		if err != nil {
			return made, err
		}
		if len(list) == 0 {
			n, err := o.Flush(ctx, time.Now())
			return made + n, err
		}
		n, err := o.take(ctx, place, list)
		if err != nil {
			clear(o.folded) // they may be ahead of what is stored
			return made, err
		}
		made += n
	}
}

// take stores the alerts of some records, and that they were taken.
func (o *Outbox) take(ctx context.Context, place int64, list []Placed) (made int, err error) {
	var alerts []dossier.Alert
	var aside []Aside
	for _, p := range list {
		told, err := o.alertsOf(ctx, p)
		if Itself(err) {
			a, alert := asideOf(p, err)
			aside, told, err = append(aside, a), []dossier.Alert{alert}, nil
		}
		if err != nil {
			return 0, err
		}
		alerts = append(alerts, told...)
	}
	last := list[len(list)-1].Place
	err = o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		res, err := tx.ExecContext(ctx, "UPDATE alert_source SET place = ? WHERE place = ?", last, place)
		if err != nil {
			return fmt.Errorf("note how far the records were told: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(errors.New("another process makes alerts of these records"), err)
		}
		for _, a := range aside {
			if _, err := tx.SetAside(ctx, a); err != nil {
				return err
			}
		}
		told, err := tx.group(ctx, alerts)
		if err != nil {
			return err
		}
		made, err = put(ctx, tx, told)
		return err
	})
	return made, err
}

// alertsOf makes the alerts of one record, of the dossier as it was then.
func (o *Outbox) alertsOf(ctx context.Context, p Placed) (alerts []dossier.Alert, err error) {
	if p.Err != nil {
		return nil, p.Err
	}
	before := o.folded[p.ID]
	if before.Seq != p.Seq-1 {
		if before, err = o.db.LoadUntil(ctx, p.ID, p.Seq-1); err != nil {
			return nil, err
		}
	}
	after, err := follow(before, p.Record)
	if err != nil {
		return nil, err
	}
	if o.folded[p.ID] = after; after.Stage == dossier.AtClosed {
		delete(o.folded, p.ID)
	}
	err = supervise.Catch(func() error { alerts = o.alerts(before, p.Record, after); return nil })
	return alerts, err
}

// asideOf is a record of which no alert can be made, and the alert that says so: nothing is set aside in silence. For
// all records of a proposal in an hour it is one alert.
func asideOf(p Placed, why error) (Aside, dossier.Alert) {
	a := Aside{Part: AsideAlerts, What: AsideRecord(p), Proposal: p.ID.String(), Place: p.Place, Why: why.Error(), Last: time.Now()}
	what := fmt.Sprintf("what happened to %s cannot be told, look at it: legate show %s", p.ID, p.ID)
	return a, dossier.SystemAlert(gov.Critical, what, fmt.Errorf("%s %s is set aside: %w", p.Type, AsideRecord(p), why), p.Time)
}

// retry tries once more to make alerts of the records that are set aside: this program may be another than the one that
// could not.
func (o *Outbox) retry(ctx context.Context) error {
	list, err := o.db.AllAside(ctx)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range list {
		if a.Part != AsideAlerts {
			continue
		}
		var row recordRow
		if err := o.db.read.NewSelect().Model(&row).Where("place = ?", a.Place).Scan(ctx); errors.Is(err, sql.ErrNoRows) {
			continue // fsck says that it is gone
		} else if err != nil {
			return fmt.Errorf("read what is set aside: %w", err)
		}
		delete(o.folded, row.placed(ctx, o.db.source()).ID) // it is further than the record
		alerts, err := o.alertsOf(ctx, row.placed(ctx, o.db.source()))
		delete(o.folded, row.placed(ctx, o.db.source()).ID)
		err = o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
			if Itself(err) {
				a.Why, a.Last, a.Tries = err.Error(), time.Now(), 1
				_, err := tx.SetAside(ctx, a)
				return err
			}
			if err != nil {
				return err
			}
			if _, err := put(ctx, tx, alerts); err != nil {
				return err
			}
			return tx.TakeUp(ctx, a.Part, a.What)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Raise stores an alert that no record makes; fresh is false when one with its id is there.
func (o *Outbox) Raise(ctx context.Context, a dossier.Alert) (fresh bool, err error) {
	err = o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		n, err := put(ctx, tx, []dossier.Alert{a})
		fresh = n > 0
		return err
	})
	return fresh, err
}

// RaiseAt stores alerts that no record makes together with the mark up to where they tell: both or neither, so that
// whoever goes by the mark tells each of them once.
func (o *Outbox) RaiseAt(ctx context.Context, mark string, place int64, alerts []dossier.Alert) error {
	return o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := put(ctx, tx, alerts); err != nil {
			return err
		}
		return setMark(ctx, tx, mark, place)
	})
}

// Pending lists what a channel has not been given yet, in order, at most limit.
func (o *Outbox) Pending(ctx context.Context, channel string, limit int64) ([]dossier.Queued, error) {
	return o.PendingAfter(ctx, channel, 0, limit)
}

// PendingAfter is Pending without the alerts up to n.
func (o *Outbox) PendingAfter(ctx context.Context, channel string, n, limit int64) ([]dossier.Queued, error) {
	var rows []alertRow
	err := o.db.read.NewSelect().Model(&rows).Where("n > MAX(?, (SELECT n FROM deliveries WHERE channel = ?))", n, channel).Order("n").Limit(limit).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("list what channel %s has not been given: %w", channel, err)
	}
	out := []dossier.Queued{}
	for _, row := range rows {
		q, err := row.queued()
		if err != nil && len(out) > 0 {
			break // those before it first
		}
		if err != nil {
			if err := o.unreadable(ctx, channel, row, err); err != nil {
				return nil, err
			}
			return o.PendingAfter(ctx, channel, n, limit)
		}
		out = append(out, q)
	}
	return out, nil
}

// unreadable has a channel go on after an alert that cannot be read back, and says so.
func (o *Outbox) unreadable(ctx context.Context, channel string, row alertRow, why error) error {
	what := fmt.Sprintf("alert %d cannot be read and is given to nobody; look at all proposals", row.N)
	if _, err := o.Raise(ctx, dossier.SystemAlert(gov.Critical, what, why, time.Now())); err != nil {
		return err
	}
	return o.Refused(ctx, channel, row.N, why.Error())
}

// Delivered notes that a channel has been given everything up to n; sent says how many of those went out, the
// others were not routed to it.
func (o *Outbox) Delivered(ctx context.Context, channel string, n int64, sent int) error {
	return o.exec(ctx, channel, "UPDATE deliveries SET n = ?, delivered = delivered + ?, tries = 0, error = '' WHERE channel = ? AND n <= ?", n, sent, channel, n)
}

// Failed notes that a delivery failed and will be tried again.
func (o *Outbox) Failed(ctx context.Context, channel, why string) error {
	return o.exec(ctx, channel, "UPDATE deliveries SET tries = tries + 1, failed = failed + 1, error = ? WHERE channel = ?", why, channel)
}

// Refused notes that a channel does not take alert n as it is, and goes on to the next.
func (o *Outbox) Refused(ctx context.Context, channel string, n int64, why string) error {
	return o.db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO refusals (channel, n, error) VALUES (?, ?, ?) ON CONFLICT (channel, n) DO NOTHING", channel, n, why); err != nil {
			return fmt.Errorf("note a refusal of channel %s: %w", channel, err)
		}
		_, err := tx.ExecContext(ctx, "UPDATE deliveries SET n = ?, tries = 0, failed = failed + 1, error = ? WHERE channel = ? AND n <= ?", n, why, channel, n)
		return err
	})
}

func (o *Outbox) exec(ctx context.Context, channel, query string, args ...any) error {
	if _, err := o.db.bun.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("note the delivery of channel %s: %w", channel, o.db.onDisk(err))
	}
	return nil
}

// Note is what a channel remembers under a name; empty when it remembers nothing.
func (o *Outbox) Note(ctx context.Context, channel, name string) (value string, err error) {
	err = o.db.read.NewSelect().Table("channel_notes").Column("value").Where("channel = ?", channel).Where("name = ?", name).Scan(ctx, &value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read a note of channel %s: %w", channel, err)
	}
	return value, nil
}

// SetNote has a channel remember something; an empty value forgets it.
func (o *Outbox) SetNote(ctx context.Context, channel, name, value string) error {
	if value == "" {
		if _, err := o.db.bun.ExecContext(ctx, "DELETE FROM channel_notes WHERE channel = ? AND name = ?", channel, name); err != nil {
			return fmt.Errorf("drop a note of channel %s: %w", channel, o.db.onDisk(err))
		}
		return nil
	}
	_, err := o.db.bun.ExecContext(ctx, "INSERT INTO channel_notes (channel, name, value) VALUES (?, ?, ?) ON CONFLICT (channel, name) DO UPDATE SET value = EXCLUDED.value", channel, name, value)
	if err != nil {
		return fmt.Errorf("store a note of channel %s: %w", channel, o.db.onDisk(err))
	}
	return nil
}

// Delivery is how far a channel is.
type Delivery struct {
	Channel   string `bun:"channel" json:"channel"`
	Delivered int64  `bun:"delivered" json:"delivered"` // alerts sent
	Pending   int64  `bun:"pending" json:"pending"`     // alerts not looked at yet
	Refused   int64  `bun:"refused" json:"refused"`     // alerts that it would not take
	Tries     int64  `bun:"tries" json:"tries"`         // at the one it stands at
	Failed    int64  `bun:"failed" json:"failed"`       // tries that failed, ever
	Error     string `bun:"error" json:"error"`         // of the last try
}

// Deliveries says how far every channel is, by name.
func (db *DB) Deliveries(ctx context.Context) ([]Delivery, error) {
	out := []Delivery{}
	err := db.read.NewSelect().TableExpr("deliveries AS d").Column("channel", "delivered", "tries", "failed", "error").
		ColumnExpr("(SELECT COUNT(*) FROM alerts AS a WHERE a.n > d.n) AS pending").
		ColumnExpr("(SELECT COUNT(*) FROM refusals AS r WHERE r.channel = d.channel) AS refused").
		Order("channel").Scan(ctx, &out)
	if err != nil {
		return nil, fmt.Errorf("read how far the channels are: %w", err)
	}
	return out, nil
}

// Alerts lists the newest alerts, newest first, at most limit.
func (db *DB) Alerts(ctx context.Context, limit int64) ([]dossier.Alert, error) {
	var rows []alertRow
	if err := db.read.NewSelect().Model(&rows).Order("n DESC").Limit(limit).Scan(ctx); err != nil {
		return nil, fmt.Errorf("list alerts: %w", err)
	}
	out := []dossier.Alert{}
	for _, row := range rows {
		if q, err := row.queued(); err == nil { // what cannot be read is told as an alert of its own
			out = append(out, q.Alert)
		}
	}
	return out, nil
}
