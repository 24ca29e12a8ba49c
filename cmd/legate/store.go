package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/notify/web"
)

// configFlag is the flag of every command that reads the configuration.
func configFlag(c *cobra.Command, into *string) {
	c.Flags().StringVarP(into, "config", "c", "legate.yaml", "the operator's configuration")
}

// jsonFlag is the flag of every command that prints data.
func jsonFlag(c *cobra.Command, into *bool) {
	c.Flags().BoolVar(into, "json", false, "print one JSON document and nothing else")
}

// openStore opens the store of a configuration beside a daemon that may be running.
func openStore(ctx context.Context, config string) (Config, *journal.DB, error) {
	c, err := readConfig(config)
	if err != nil {
		return c, nil, err
	}
	db, err := journal.Open(ctx, c.Store, c.dir(), journal.Command)
	return c, db, err
}

// readBounded reads a file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is over the limit of %d bytes", path, limit)
	}
	return b, nil
}

// shelf reads the store for the API and the commands. Summaries are kept by sequence number, so that a list
// costs no folding of what did not change.
type shelf struct {
	db *journal.DB

	mu        sync.Mutex
	summaries map[gov.ProposalID]kept
}

type kept struct {
	seq     int64
	summary dossier.Summary
}

func newShelf(db *journal.DB) *shelf {
	return &shelf{db: db, summaries: map[gov.ProposalID]kept{}}
}

// Proposals lists all proposals, oldest first.
func (s *shelf) Proposals(ctx context.Context) ([]dossier.Summary, error) {
	entries, err := s.db.Proposals(ctx)
	if err != nil {
		return nil, err
	}
	handles := journal.Handles(entries)
	out := make([]dossier.Summary, 0, len(entries))
	for _, e := range entries {
		summary, err := s.summary(ctx, e)
		if err != nil {
			return nil, err
		}
		summary.Handle = handles[e.ID]
		out = append(out, summary)
	}
	return out, nil
}

// summaryOf is a proposal in a list. One whose records do not fold is listed by what the index has: it takes no other
// with it, and is not missing either.
func summaryOf(ctx context.Context, db *journal.DB, e journal.Entry) (dossier.Summary, error) {
	d, err := db.Load(ctx, e.ID)
	var sum dossier.Summary
	if err == nil {
		err = supervise.Catch(func() error { sum = d.Summary(""); return nil })
	}
	if journal.Itself(err) {
		return dossier.Summary{ID: e.ID, Stage: e.Stage, Title: "(its records cannot be read: legate journal fsck says why)"}, nil
	}
	return sum, err
}

func (s *shelf) summary(ctx context.Context, e journal.Entry) (dossier.Summary, error) {
	s.mu.Lock()
	k, ok := s.summaries[e.ID]
	s.mu.Unlock()
	if ok && k.seq == e.Seq {
		return k.summary, nil
	}
	sum, err := summaryOf(ctx, s.db, e)
	if err != nil {
		return dossier.Summary{}, err
	}
	k = kept{e.Seq, sum}
	s.mu.Lock()
	s.summaries[e.ID] = k
	s.mu.Unlock()
	return k.summary, nil
}

// Document is one dossier.
func (s *shelf) Document(ctx context.Context, id gov.ProposalID) (dossier.Document, error) {
	d, handle, err := s.load(ctx, id)
	if errors.Is(err, journal.ErrUnknown) {
		return dossier.Document{}, fmt.Errorf("%s: %w", id, web.ErrUnknown)
	}
	if err != nil {
		return dossier.Document{}, err
	}
	return d.Document(handle)
}

// load is one dossier and its handle.
func (s *shelf) load(ctx context.Context, id gov.ProposalID) (dossier.Dossier, string, error) {
	d, err := s.db.Load(ctx, id)
	if err != nil {
		return d, "", err
	}
	entries, err := s.db.Proposals(ctx)
	return d, journal.Handles(entries)[id], err
}
