package journal

import (
	"context"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// ChangeQueries are the questions for changes by their blocks, as SQL.
func (tx Tx) ChangeQueries(chain gov.ChainID) []string {
	return []string{tx.changedAbove(chain, 100).String(), tx.loggedIn(chain, 100, 102).String()}
}

// OutboxOf opens an outbox that makes its alerts otherwise.
func OutboxOf(ctx context.Context, db *DB, channels []string, alerts func(dossier.Dossier, dossier.Record, dossier.Dossier) []dossier.Alert) (*Outbox, error) {
	return db.outbox(ctx, channels, alerts)
}
