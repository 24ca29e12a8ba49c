// Package ledger keeps the one durable record that stands between a key and a second vote: a line for each
// (chain, governor, proposal, voter), on disk before a signature exists.
//
// A ledger is a folder of small text files that a person can read:
//
//	votes    a header, then one line for each chain it covers and each vote; every line ends with the
//	         sha256 of the hash before it and its own text, so no line can be changed, swapped or dropped
//	mark     how many lines there are and the last hash, replaced after each line: what a cut or older
//	         `votes` is told by
//	frozen   there while signing is stopped
//	lock     what processes lock while they sign
//
// Nothing is kept in memory that the disk does not say: each [Ledger.Sign] takes the lock, reads and
// verifies everything again, adds its line, and only then lets the caller sign. Whatever is missing,
// damaged, cut, older than the mark, another key's, somebody else's file or open to others refuses, and
// stays refused until a person looks. Both files can be put back together to an older state; that only
// something outside the folder can tell, so the caller hands over what it knows was signed ([Ledger.Expect]).
//
//	l, err := ledger.Open("ledger", voter)     // ErrMissing: may it be created?
//	err = l.Expect(ballotsThatTheJournalHas)
//	err = l.Sign(ctx, ballot, func() error { … })
package ledger
