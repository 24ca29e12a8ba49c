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
		d, err := w.load(ctx, id)
		if journal.Itself(err) {
			w.aside = append(w.aside, proposalAside(id, err))
			continue
		}
		if err != nil {
			return err
		}
		s, stands := seen[id]
		if d.Stage == dossier.Unseen || d.Rewound || stands && d.RestsOn(s) {
			continue
		}
		r.conf.Log.Error("what was told of a proposal is not in its final block; it begins anew as that says", "proposal", id.String(), "block", d.Proposal.Created.Number)
		if err := w.add(ctx, id, dossier.WasRewound{To: b.From.Final, Contradicted: true}); err != nil {
			return err
		}
	}
	return r.confirmChanges(ctx, w, chain, b)
}

func (r *Runner) confirmChanges(ctx context.Context, w *writing, chain gov.ChainID, b dossier.Batch) error {
	changed, err := w.tx.ChangedAbove(ctx, chain, b.Confirmed.From-min(b.Confirmed.From, 1))
	if err != nil {
		return err
	}
	for _, id := range changed {
		d, err := w.load(ctx, id)
		if journal.Itself(err) {
			w.aside = append(w.aside, proposalAside(id, err))
			continue
		}
		if err != nil {
			return err
		}
		logs := d.Contradicted(b.Confirmed, func(c dossier.Change) bool { return slices.Contains(b.Changes, c) })
		if len(logs) == 0 {
			continue
		}
		r.conf.Log.Error("a change that was told of a proposal is not in its final block; it is taken back", "proposal", id.String())
		if err := w.add(ctx, id, dossier.WasTakenBack{To: b.From.Final, Head: b.Heads[id.Governor], Logs: logs}); err != nil {
			return err
		}
	}
	return nil
}
