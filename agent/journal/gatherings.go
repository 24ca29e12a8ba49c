package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/mattn/go-sqlite3"
	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
)

// source is where records are read: a connection, and the gatherings that were read not long ago.
type source struct {
	q    bun.IDB
	kept *gatherings
}

// gatherings keeps events that are dear to read, by the digest of their record, so that what a step reads again costs
// nothing. It is bounded by the size of their bodies. Events are never changed.
type gatherings struct {
	mu    sync.Mutex
	of    map[gov.Digest]keptEvent
	order []gov.Digest // the oldest first
	size  int
}

type keptEvent struct {
	event dossier.Event
	size  int
}

// Bounds of what is kept: bytes of bodies in all, and the least that one must have.
const (
	mostKept  = 16 << 20
	leastKept = 8 << 10
)

func (g *gatherings) get(digest gov.Digest) (dossier.Event, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k, ok := g.of[digest]
	return k.event, ok
}

func (g *gatherings) put(digest gov.Digest, e dossier.Event, size int) {
	if size < leastKept || size > mostKept {
		return
	}
	switch e.(type) {
	case dossier.WasGathered, dossier.WasPreviewed:
	default:
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.of[digest]; ok {
		return
	}
	if g.of == nil {
		g.of = map[gov.Digest]keptEvent{}
	}
	g.of[digest], g.order, g.size = keptEvent{e, size}, append(g.order, digest), g.size+size
	for g.size > mostKept {
		g.size -= g.of[g.order[0]].size
		delete(g.of, g.order[0])
		g.order = g.order[1:]
	}
}

// part reads one piece by its digest.
func (s source) part(ctx context.Context) func(gov.Digest) ([]byte, error) {
	return func(digest gov.Digest) (body []byte, err error) {
		err = s.sql().QueryRowContext(ctx, "SELECT body FROM parts WHERE digest = ?", digest[:]).Scan(&body)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("%s is gone: %w", digest, dossier.ErrPart)
		}
		return body, err
	}
}

// sql is the same connection without the query builder, which would write bytes out as text.
func (s source) sql() interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
} {
	if tx, ok := s.q.(bun.Tx); ok {
		return tx.Tx
	}
	return s.q.(*bun.DB).DB
}

// store puts pieces where they are not yet, and returns those and how many bytes they have.
func (tx Tx) store(ctx context.Context, parts []dossier.Part) (fresh []dossier.Part, size int, err error) {
	there := map[gov.Digest]bool{} // of those that a body names
	for _, p := range parts {
		if p.In != (gov.Digest{}) {
			continue
		}
		var one int
		err := tx.Tx.Tx.QueryRowContext(ctx, "SELECT 1 FROM parts WHERE digest = ?", p.Digest[:]).Scan(&one)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, 0, fmt.Errorf("look for a part: %w", err)
		}
		there[p.Digest] = err == nil
	}
	for _, p := range parts {
		if there[p.Digest] || there[p.In] {
			continue // with all that it lists
		}
		res, err := tx.Tx.Tx.ExecContext(ctx, "INSERT INTO parts (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING", p.Digest[:], p.Body)
		if err != nil {
			return nil, 0, fmt.Errorf("store a part: %w", err)
		}
		if n, err := res.RowsAffected(); err == nil && n > 0 {
			fresh, size = append(fresh, p), size+len(p.Body)
		}
	}
	return fresh, size, nil
}

// page is how many records are read at once: a body of before parts were cut may have megabytes.
const page = 16

// load folds the records of one proposal up to a sequence number. A gathering that a later one replaces is read without
// its lists, and only those that the dossier holds in the end are completed.
func (s source) load(ctx context.Context, id gov.ProposalID, until int64) (dossier.Dossier, error) {
	return s.goOn(ctx, dossier.Dossier{}, id, until)
}

// goOn folds the records of a proposal that follow a dossier of it.
func (s source) goOn(ctx context.Context, d dossier.Dossier, id gov.ProposalID, until int64) (dossier.Dossier, error) {
	var shown gov.Digest // what the last gathering showed: the same again adds nothing
	for {
		var rows []recordRow
		err := s.q.NewSelect().Model(&rows).Where("proposal = ?", id.String()).Where("seq > ?", d.Seq).Where("seq <= ?", until).Order("seq").Limit(page).Scan(ctx)
		if err != nil {
			return d, fmt.Errorf("load %s: %w", id, err)
		}
		for _, row := range rows {
			r, err := s.gist(ctx, row, id, &shown)
			if err != nil {
				return d, err
			}
			if d, err = follow(d, r); err != nil {
				return d, err
			}
		}
		if len(rows) < page {
			break
		}
	}
	return s.complete(ctx, d, id)
}

// complete reads the gatherings that a dossier holds without their lists.
func (s source) complete(ctx context.Context, d dossier.Dossier, id gov.ProposalID) (dossier.Dossier, error) {
	for _, seq := range d.Gists() {
		var row recordRow
		if err := s.q.NewSelect().Model(&row).Where("proposal = ?", id.String()).Where("seq = ?", seq).Scan(ctx); err != nil {
			return d, fmt.Errorf("load record %d of %s: %w", seq, id, err)
		}
		r, err := s.record(ctx, row, id)
		if err != nil {
			return d, err
		}
		next := d
		if err := ofItself(id, seq, func() (err error) { next, err = d.Complete(seq, r.Event); return err }); err != nil {
			return d, err
		}
		d = next
	}
	return d, nil
}

// bare is a record without its event, of which the digest was checked.
func (row recordRow) bare(id gov.ProposalID) (dossier.Record, error) {
	r := dossier.Record{ID: id, Seq: row.Seq, Type: row.Type, Time: row.Time.UTC(), Body: []byte(row.Body)}
	if got := r.Digest().String(); got != row.Digest {
		return r, &Unfit{id, row.Seq, fmt.Errorf("record %d of %s was changed: its digest is %s, stored is %s", row.Seq, id, got, row.Digest)}
	}
	return r, nil
}

// gist is a record with as much of its event as the fold needs. shown is what the gathering before it showed.
func (s source) gist(ctx context.Context, row recordRow, id gov.ProposalID, shown *gov.Digest) (dossier.Record, error) {
	r, err := row.bare(id)
	if err != nil {
		return r, err
	}
	if e, ok := s.kept.get(r.Digest()); ok {
		r.Event, *shown = e, gov.Digest{}
		return r, nil
	}
	err = ofItself(id, row.Seq, func() error {
		g, ok, err := dossier.DecodeGist(r.Type, r.Body, r.Seq)
		if err == nil && ok && (g.Shown == gov.Digest{} || g.Shown != *shown) {
			err = g.Show(s.part(ctx))
		}
		if err != nil {
			return err
		}
		if ok {
			r.Event, *shown = g.Event, g.Shown
			return nil
		}
		if r.Event, err = dossier.Decode(r.Type, r.Body); err != nil {
			return err
		}
		if _, is := r.Event.(dossier.WasGathered); is {
			*shown = gov.Digest{}
		}
		return nil
	})
	return r, err
}

// record is a record with its whole event.
func (s source) record(ctx context.Context, row recordRow, id gov.ProposalID) (dossier.Record, error) {
	r, err := row.bare(id)
	if err != nil {
		return r, err
	}
	digest := r.Digest()
	if e, ok := s.kept.get(digest); ok {
		r.Event = e
		return r, nil
	}
	size := 0
	err = ofItself(id, row.Seq, func() error {
		whole, err := dossier.Join(r.Body, s.part(ctx))
		if err == nil {
			size = len(whole)
			r.Event, err = dossier.Decode(r.Type, whole)
		}
		return err
	})
	if err != nil {
		return r, err
	}
	s.kept.put(digest, r.Event, size)
	return r, nil
}

// ofItself runs what reads a record. Its error, or panic, is an [Unfit] one, but where the store fails or the context ends:
// then the record may be as good as any.
func ofItself(id gov.ProposalID, seq int64, f func() error) error {
	err := supervise.Catch(f)
	var store sqlite3.Error
	if err == nil {
		return nil
	}
	err = fmt.Errorf("record %d of %s: %w", seq, id, err)
	if errors.As(err, &store) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return &Unfit{id, seq, err}
}

// records yields the records of one proposal in order, with their whole events.
func (s source) records(ctx context.Context, id gov.ProposalID) iter.Seq2[dossier.Record, error] {
	return func(yield func(dossier.Record, error) bool) {
		for seq := int64(0); ; {
			var rows []recordRow
			if err := s.q.NewSelect().Model(&rows).Where("proposal = ?", id.String()).Where("seq > ?", seq).Order("seq").Limit(page).Scan(ctx); err != nil {
				yield(dossier.Record{}, fmt.Errorf("load %s: %w", id, err))
				return
			}
			for _, row := range rows {
				r, err := s.record(ctx, row, id)
				if err == nil && blockOf(r.Event) != row.Block {
					err = fmt.Errorf("record %d of %s: it is of block %d, the index of blocks says %d", row.Seq, id, blockOf(r.Event), row.Block)
				}
				if !yield(r, err) || err != nil {
					return
				}
				seq = row.Seq
			}
			if len(rows) < page {
				return
			}
		}
	}
}
