package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/notify/web"
)

// Proposals is what the pages list. What did not change is not read again.
func (e *engine) Proposals(ctx context.Context) ([]dossier.Summary, error) {
	return e.shelf().Proposals(ctx)
}

// shelf is made when it is first asked for.
func (e *engine) shelf() *shelf {
	e.shelfOnce.Do(func() { e.shelved = newShelf(e.db) })
	return e.shelved
}

// Document is one dossier.
func (e *engine) Document(ctx context.Context, id gov.ProposalID) (dossier.Document, error) {
	d, err := e.db.Load(ctx, id)
	if errors.Is(err, journal.ErrUnknown) {
		return dossier.Document{}, web.ErrUnknown
	}
	if err != nil {
		return dossier.Document{}, err
	}
	list, err := e.db.Proposals(ctx)
	if err != nil {
		return dossier.Document{}, err
	}
	return d.Document(journal.Handles(list)[id])
}

// Status is where the daemon stands.
func (e *engine) Status(ctx context.Context) (web.Status, error) {
	s := web.Status{Version: dossier.Version, Program: version(), Chains: []web.Chain{}, Governors: []web.Governor{}, Live: e.live}
	if !e.world.voter.IsZero() {
		voter := e.world.voter
		s.Key = &voter
	}
	if e.models != nil {
		s.Model = e.models.shown()
	}
	if e.frozen != nil {
		if frozen, err := e.frozen(); err == nil {
			s.Frozen = gov.Known(frozen)
		}
	}
	health := e.runner.Health()
	for id := range e.world.clients {
		h := health[id]
		c := web.Chain{Chain: id, Head: h.Head, Final: h.Final, Followed: h.CaughtUp && h.Err == nil}
		if h.Head.Time > 0 {
			c.Lag = gov.Known(time.Since(h.Head.Time.Time()).Seconds())
		}
		if err := cmp.Or(h.Err, h.Past); err != nil {
			c.Error = dossier.Untrusted(err.Error())
		}
		s.Chains = append(s.Chains, c)
		read, err := e.db.Followed(ctx, id)
		if err != nil {
			return s, err
		}
		for _, g := range e.world.governors(id) {
			w := web.Governor{Name: g.governor.Name, Governor: id.String() + ":" + g.governor.Address.Hex(), Flavour: g.governor.Flavour, Coverage: []web.Range{}}
			for _, f := range read {
				for _, r := range f.Read {
					if f.Governor == g.governor.Address {
						w.Coverage = append(w.Coverage, web.Range{From: r.From, To: r.To.Number})
					}
				}
			}
			s.Governors = append(s.Governors, w)
		}
	}
	return s, nil
}
