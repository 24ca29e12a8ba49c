// Package chains follows a chain: which blocks were read, which are final, and which are gone.
//
// It answers for: every block from the start to the cursor lying in one contiguous, hash-linked range
// (Coverage checks it), reorganisations noticed by parent hash and told with the last common block, log
// ranges that fit the endpoint, proposals of finalized blocks confirmed by as many operators as must agree,
// and the governors' clocks at the head. It keeps nothing that matters: cursor and recent blocks are the
// caller's, stored in one transaction with what a poll brought. A batch that was not stored is read again.
//
// Blocks are read twice: at the head, by block hash, so that a proposal is shown at once; and when they are
// final, as a range that the sources must agree on, so that neither a lying nor a lagging endpoint hides one.
// A log may therefore be told twice; it changes nothing.
//
// One cursor is for all governors of a chain; beside it the caller keeps which final blocks were read for each, so
// that BackFill reads the past of one that was added later.
//
// It leaves to others: the wire (chains/rpc), what a log says (chains/governor), the store, the loop.
//
//	w, err := chains.New(chains.Config{Client: chains.Over(client, log), Governors: watched})
//	batch, err := w.Poll(ctx, cursor, recent)
package chains
