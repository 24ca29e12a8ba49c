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
	s := web.Status{Version: dossier.Version, Program: version(), Chains: []web.Chain{}, Governors: []web.Governor{}, Live: e.live, Disk: e.room.says(), Parts: []web.Part{}, SetAside: []web.Aside{}}
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
	if err := errors.Join(e.asideStatus(ctx, &s), e.alarmStatus(ctx, &s)); err != nil {
		return s, err
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
		c.Endpoints = e.world.doubts[id].list(e.world.clients[id].Health())
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

// asideStatus adds how the parts of the program do, and what is set aside.
func (e *engine) asideStatus(ctx context.Context, s *web.Status) error {
	for _, p := range e.parts.States() {
		s.Parts = append(s.Parts, web.Part{Name: p.Name, Running: p.Running, Restarts: p.Restarts, Error: dossier.Untrusted(p.Error)})
	}
	list, err := e.db.AllAside(ctx)
	for _, a := range list {
		s.SetAside = append(s.SetAside, web.Aside{
			Part: string(a.Part), What: a.What, Proposal: a.Proposal, Place: a.Place, Why: dossier.Untrusted(a.Why), Since: a.Since, Tries: a.Tries,
		})
	}
	return err
}
