package journal

import (
	"context"

	"github.com/legate-dao/legate/agent/dossier"
)

// OutboxOf opens an outbox that makes its alerts otherwise.
func OutboxOf(ctx context.Context, db *DB, channels []string, alerts func(dossier.Dossier, dossier.Record, dossier.Dossier) []dossier.Alert) (*Outbox, error) {
	return db.outbox(ctx, channels, alerts)
}
