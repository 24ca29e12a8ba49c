package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
)

// Unfit is an error of a record, not of the store: it cannot be read, or does not follow those before it. Another try
// brings the same.
type Unfit struct {
	ID  gov.ProposalID
	Seq int64
	Err error
}

// Error says which record it is, and why.
func (u *Unfit) Error() string { return u.Err.Error() }

// Unwrap is why.
func (u *Unfit) Unwrap() error { return u.Err }

// Itself reports whether an error is of the very thing that was worked on, a record that is [Unfit] or a panic, so that
// the rest can go on without it.
func Itself(err error) bool {
	var u *Unfit
	_, panicked := supervise.Panicked(err)
	return panicked || errors.As(err, &u)
}

// AsidePart is the part of the program that set something aside.
type AsidePart string

// The parts.
const (
	AsideAlerts   AsidePart = "alerts"   // no alert could be made of a record
	AsideTold     AsidePart = "told"     // a record could not be told to those who observe
	AsideProposal AsidePart = "proposal" // a proposal's records do not fold, or what it is owed cannot be said
	AsideEvent    AsidePart = "event"    // what a chain told could not be stored
	AsideStep     AsidePart = "step"     // a step fails again and again; it is tried seldom
)

// Aside is something that is set aside: it could not be dealt with, and the rest goes on without.
type Aside struct {
	Part AsidePart `json:"part"`
	// What names it: with the part it is the key.
	What     string `json:"what"`
	Proposal string `json:"proposal"` // empty where it is of none
	Place    int64  `json:"place"`    // of the record in the order of writing, 0 for what is no record
	// Why is the last error; it may quote a stranger.
	Why   string    `json:"why"`
	Since time.Time `json:"since"` // when it was set aside
	Last  time.Time `json:"last"`  // when it was tried last
	Tries int64     `json:"tries"`
	// Event is what could not be stored; nil elsewhere, and where it cannot even be written down.
	Event dossier.Event `json:"-"`
}

type asideRow struct {
	bun.BaseModel `bun:"table:aside"`

	Part     string    `bun:"part,pk"`
	What     string    `bun:"what,pk"`
	Proposal string    `bun:"proposal"`
	Place    int64     `bun:"place"`
	Event    string    `bun:"event"`
	Body     string    `bun:"body"`
	Why      string    `bun:"why"`
	Since    time.Time `bun:"since"`
	Last     time.Time `bun:"last"`
	Tries    int64     `bun:"tries"`
}

// maxWhy bounds what is kept of an error, in bytes.
const maxWhy = 2000

// SetAside notes that something is set aside, or once more could not be dealt with; fresh says that it was not aside
// before. Tries is added to those that are on record.
func (tx Tx) SetAside(ctx context.Context, a Aside) (fresh bool, err error) {
	row := asideRow{
		Part: string(a.Part), What: a.What, Proposal: a.Proposal, Place: a.Place, Why: a.Why[:min(len(a.Why), maxWhy)],
		Since: a.Last.UTC(), Last: a.Last.UTC(), Tries: max(a.Tries, 1),
	}
	if a.Event != nil {
		var r dossier.Record
		if err := supervise.Catch(func() (err error) { r, err = dossier.Encode(gov.ProposalID{}, 0, a.Last, a.Event); return err }); err == nil {
			row.Event, row.Body = r.Type, string(r.Body)
		}
	}
	there, err := tx.NewSelect().Model((*asideRow)(nil)).Where("part = ?", row.Part).Where("what = ?", row.What).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("set aside %s of %s: %w", a.What, a.Part, err)
	}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (part, what) DO UPDATE").
		Set("why = EXCLUDED.why, last = EXCLUDED.last, tries = aside_row.tries + EXCLUDED.tries").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("set aside %s of %s: %w", a.What, a.Part, err)
	}
	return !there, nil
}

// SetAside is [Tx.SetAside] in a transaction of its own.
func (db *DB) SetAside(ctx context.Context, a Aside) (fresh bool, err error) {
	err = db.InTx(ctx, func(ctx context.Context, tx Tx) error {
		fresh, err = tx.SetAside(ctx, a)
		return err
	})
	return fresh, err
}

// TakeUp notes that something is aside no more: it went well.
func (tx Tx) TakeUp(ctx context.Context, part AsidePart, what string) error {
	_, err := tx.NewDelete().Model((*asideRow)(nil)).Where("part = ?", string(part)).Where("what = ?", what).Exec(ctx)
	if err != nil {
		return fmt.Errorf("take up %s of %s: %w", what, part, err)
	}
	return nil
}

// TakeUp is [Tx.TakeUp] in a transaction of its own.
func (db *DB) TakeUp(ctx context.Context, part AsidePart, what string) error {
	return db.InTx(ctx, func(ctx context.Context, tx Tx) error { return tx.TakeUp(ctx, part, what) })
}

// AllAside lists what is set aside, oldest first.
func (db *DB) AllAside(ctx context.Context) ([]Aside, error) { return allAside(ctx, db.read) }

func allAside(ctx context.Context, q bun.IDB) ([]Aside, error) {
	var rows []asideRow
	if err := q.NewSelect().Model(&rows).Order("since", "part", "what").Scan(ctx); err != nil {
		return nil, fmt.Errorf("list what is set aside: %w", err)
	}
	out := make([]Aside, len(rows))
	for i, r := range rows {
		out[i] = Aside{
			Part: AsidePart(r.Part), What: r.What, Proposal: r.Proposal, Place: r.Place, Why: r.Why,
			Since: r.Since.UTC(), Last: r.Last.UTC(), Tries: r.Tries,
		}
		if r.Event != "" {
			out[i].Event, _ = dossier.Decode(r.Event, []byte(r.Body)) // nil: it cannot be read back by this version
		}
	}
	return out, nil
}

// AsideRecord names a record among what is set aside.
func AsideRecord(p Placed) string { return fmt.Sprintf("record %d of %s", p.Seq, p.ID) }
