// Package governor knows the families of Governor contracts, one a file.
//
// It answers for: what a contract is and what is proven about it by asking the chain (Detect), what its
// logs say (Governor.Decode), where a proposal stands (State, Tally, Deadline, …, everything at one block
// hash), whether an id and a content belong together (CheckContent, Same), and the calls that take a
// proposal from a vote to its execution on a fork (Steps). Every call stands in its flavour's table as its
// Solidity signature.
//
// It leaves to others: which logs to ask for and when they are final (package chains), what the actions
// mean (chains/facts), the bytes of a ballot (chains/governor/ballot).
//
// Logs are what strangers write: offsets, lengths and text in them are bounded before they are followed. A
// proposal with more actions or text than is read comes out marked TooLarge, never as an error.
//
//	g, err := governor.Detect(ctx, client, address, head.Hash)
//	event, err := g.Decode(log)
//	tally, err := g.Tally(ctx, client, id, head.Hash)
package governor
