package jobs

import (
	"context"
	"slices"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
)

// confirm compares what was told of blocks before they were final with what their logs say now, byte for byte, and takes
// back what they do not say: a creation, or a change. What they say and was not told follows with the batch.
func (r *Runner) confirm(ctx context.Context, w *writing, chain gov.ChainID, b dossier.Batch) error {
	seen := map[gov.ProposalID]dossier.Seen{}
	for _, s := range b.Seen {
		if b.Confirmed.Has(s.Proposal.Created.Number) {
			seen[s.Proposal.ID] = s
		}
	}

	created, err := w.tx.CreatedIn(ctx, chain, b.Confirmed.From, b.Confirmed.To)
	if err != nil {
		return err
	}
	for id := range seen { // one that is known with other content, of whichever block
		if !slices.Contains(created, id) {
			created = append(created, id)
		}
	}
	for _, id := range created {
		s, stands := seen[id]
		d, err := w.load(ctx, id)
		switch {
		case stands && journal.Itself(err):
			continue // what the final block says is set aside with the batch, and compared when that is stored
		case err != nil:
			if err := w.orAside(id, dossier.WasRewound{To: b.From.Final, Contradicted: true}, err); err != nil {
				return err
			}
			continue
		}
		if d.Stage == dossier.Unseen || d.Rewound || stands && d.RestsOn(s) {
			continue
		}
		r.conf.Log.Error("what an endpoint reported of a proposal is not in its final block; it starts over from what the block says", "proposal", id.String(), "block", d.Proposal.Created.Number)
		if err := w.add(ctx, id, dossier.WasRewound{To: b.From.Final, Contradicted: true}); err != nil {
			return err
		}
	}
	return r.confirmChanges(ctx, w, chain, b)
}

func (r *Runner) confirmChanges(ctx context.Context, w *writing, chain gov.ChainID, b dossier.Batch) error {
	changed, err := w.tx.LoggedIn(ctx, chain, b.Confirmed.From, b.Confirmed.To)
	if err != nil {
		return err
	}
	for _, id := range changed {
		d, err := w.load(ctx, id)
		if err != nil { // which of its changes stand cannot be said: those that do follow with the batches of their blocks
			if err := w.orAside(id, dossier.WasTakenBack{To: b.From.Final, Head: b.Heads[id.Governor]}, err); err != nil {
				return err
			}
			continue
		}
		logs := d.Contradicted(b.Confirmed, func(c dossier.Change) bool { return slices.Contains(b.Changes, c) })
		if len(logs) == 0 {
			continue
		}
		r.conf.Log.Error("a change that an endpoint reported is not in its final block; it is taken back", "proposal", id.String())
		if err := w.add(ctx, id, dossier.WasTakenBack{To: b.From.Final, Head: b.Heads[id.Governor], Logs: logs}); err != nil {
			return err
		}
	}
	return nil
}
