// Package journal keeps what happened: append-only records under (proposal, seq), the cursor of each
// chain, and an index of proposals for looking up. SQLite through bun, one writer, synchronous=FULL, so
// that a record returned by [DB.InTx] survives a power cut.
//
// A writer that lost a race on the sequence number gets [ErrSeq], loads the new records and appends again
// what still belongs. The index is derived: [DB.Fsck] folds every record again and compares.
package journal
