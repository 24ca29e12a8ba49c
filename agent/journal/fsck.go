package journal

import (
	"context"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// Report is what a check of the journal found.
type Report struct {
	Proposals int      `json:"proposals"`
	Records   int      `json:"records"`
	Signed    int      `json:"signed"` // votes with stored bytes
	Problems  []string `json:"problems"`
	Coverage  []Range  `json:"coverage"`
}

// Fsck folds every record anew: sequence numbers without gap, digests that fit, stages that follow, an
// index that says the same, and a provenance record before every signature (G43).
func (db *DB) Fsck(ctx context.Context) (Report, error) {
	r := Report{Problems: []string{}}
	var integrity string
	if err := db.sql.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&integrity); err != nil {
		return r, fmt.Errorf("check the store's pages: %w", err)
	}
	if integrity != "ok" {
		r.Problems = append(r.Problems, "store: "+integrity)
	}
	list, err := db.Proposals(ctx)
	if err != nil {
		return r, err
	}
	for _, e := range list {
		r.Proposals++
		d, err := db.Load(ctx, e.ID)
		if err != nil {
			r.Problems = append(r.Problems, err.Error())
			continue
		}
		r.Records += int(d.Seq)
		if d.Seq != e.Seq || d.Stage != e.Stage || d.Vote.Status != e.Vote {
			r.Problems = append(r.Problems, fmt.Sprintf("%s: the index says record %d, %s, vote %q; the records say %d, %s, vote %q",
				e.ID, e.Seq, e.Stage, e.Vote, d.Seq, d.Stage, d.Vote.Status))
		}
		if d.Vote.Raw.Len() > 0 {
			r.Signed++
			if d.Locked == nil || d.Locked.Facts == (gov.Digest{}) || d.Locked.Policy == (gov.Digest{}) {
				r.Problems = append(r.Problems, fmt.Sprintf("%s: a signature without its provenance record", e.ID))
			}
		}
	}
	r.Coverage, err = db.Coverage(ctx)
	return r, err
}
