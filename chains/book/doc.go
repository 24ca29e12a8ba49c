// Package book holds what is known of contracts before a proposal names them: the operator's book.yaml, the ABIs that the
// program ships, the program's own table of signatures with the kind of each, and, for display only, the 4-byte table.
//
// It answers whether a pair of target and selector is known ([Book.Known]): an entry counts only while code hash and
// implementation on the chain are the recorded ones. It leaves to others what the bytes of a call say (chains/facts).
//
// The tables are pure; [Propose] and [Diff] read a chain for `book add` and `book diff`.
//
//	b, problems := book.Parse("book.yaml", text, os.ReadFile)
//	if method, ok := b.Known(target, selector, code); ok { … }
package book
