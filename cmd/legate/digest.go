package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/jobs"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
)

// markDigest is the mark in the journal up to which scheduled time digests were told, in seconds.
const markDigest = "digest"

// digester tells people, on a schedule, what waits for them. What was missed while no daemon ran is told at the next
// start, once.
type digester struct {
	db     *journal.DB
	outbox *journal.Outbox
	next   func(time.Time) time.Time
	health func() map[gov.ChainID]jobs.Health
	wake   func()
	log    *slog.Logger
}

// run tells until the context ends. The clock is looked at each minute, since it may jump.
func (g *digester) run(ctx context.Context, part *supervise.Part) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for ctx.Err() == nil {
		part.On("the digest")
		err := g.tell(ctx, time.Now())
		part.Idle()
		if ctx.Err() == nil {
			part.Note(err)
		}
		if err != nil && ctx.Err() == nil {
			g.log.Error("the digest could not be made, it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// tell makes the digest of the newest scheduled time up to now, if it was not made. Its alerts and the mark are stored
// together, so that a crash repeats none and loses none.
func (g *digester) tell(ctx context.Context, now time.Time) error {
	mark, err := g.db.Mark(ctx, markDigest)
	if err != nil {
		return err
	}
	if mark == 0 { // a new store: nothing has happened that a digest would tell
		return g.db.SetMark(ctx, markDigest, now.Unix())
	}
	since := time.Unix(mark, 0).UTC()
	at := newest(g.next, since, now)
	if at.IsZero() {
		return nil
	}
	list, err := g.dossiers(ctx, since)
	if err != nil {
		return err
	}
	aside, err := g.db.AllAside(ctx)
	if err != nil {
		return err
	}
	troubles := g.troubles()
	for _, a := range aside {
		troubles = append(troubles, fmt.Sprintf("%s is set aside since %s: %s", a.What, a.Since.Format("2006-01-02 15:04 UTC"), a.Why))
	}
	if err := g.outbox.RaiseAt(ctx, markDigest, at.Unix(), dossier.Digest(list, since, at, troubles)); err != nil {
		return err
	}
	g.wake()
	return nil
}

// newest is the last scheduled time in (since, now]; zero without one. After a long absence only the last year counts.
func newest(next func(time.Time) time.Time, since, now time.Time) (out time.Time) {
	if year := now.AddDate(-1, 0, 0); since.Before(year) {
		since = year
	}
	for t := next(since); !t.IsZero() && !t.After(now); t = next(t) {
		out = t
	}
	return out
}

// dossiers are those of which a digest may have something to say: that are not over, or were written to since the last.
func (g *digester) dossiers(ctx context.Context, since time.Time) ([]dossier.Dossier, error) {
	entries, err := g.db.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	touched, err := g.db.WrittenSince(ctx, since)
	if err != nil {
		return nil, err
	}
	var out []dossier.Dossier
	for _, e := range entries {
		if e.Stage == dossier.AtClosed && !touched[e.ID] {
			continue
		}
		d, err := g.db.Load(ctx, e.ID)
		if journal.Itself(err) {
			continue // among the troubles
		}
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// troubles are the chains that are not followed as they should be.
func (g *digester) troubles() (out []string) {
	for chain, h := range g.health() {
		switch {
		case h.Err != nil:
			out = append(out, fmt.Sprintf("%s is not followed: %v", chain, h.Err))
		case !h.CaughtUp:
			out = append(out, fmt.Sprintf("%s is not read to its head yet", chain))
		}
		if h.Past != nil {
			out = append(out, fmt.Sprintf("what lies before on %s is not read: %v", chain, h.Past))
		}
	}
	slices.Sort(out)
	return out
}

// openDigests makes the digester of a daemon whose alerts are open.
func (e *engine) openDigests() (*digester, error) {
	next, err := e.conf.Schedules.Digest.next()
	if err != nil {
		return nil, fmt.Errorf("%s: schedules.digest: %w", e.conf.path, err)
	}
	return &digester{
		db: e.db, outbox: e.alerts.outbox, next: next, wake: e.alerts.router.Wake, log: e.log,
		health: func() map[gov.ChainID]jobs.Health { return e.runner.Health() },
	}, nil
}
