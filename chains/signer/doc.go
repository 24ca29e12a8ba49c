// Package signer is the only thing that signs a vote. It is given an intent, a typed request with the facts
// bundle that the decision stands on, and believes none of it: it computes findings, outlook and direction again
// with the same pure packages, or verifies the holder's own signature, checks content, age and fees, takes
// the ledger's lock, builds calldata and transaction itself, and signs. A caller hands it nothing to sign.
//
// So an evaluator that was taken over can withhold votes and lie about facts, but it cannot have a vote cast
// that the holder's policy does not give on the facts it shows, nor anything but a vote: the value is 0, the
// type is 2, the target is a listed governor, the data is a ballot of [ballot.Encode].
//
// It leaves to others when to vote (agent), how the bytes reach the chain (chains/sender) and what stands in
// the ledger's file (chains/ledger).
//
//	s, err := signer.Open(ctx, "keystore:voter.json", signer.Config{…})
//	vote, err := s.Sign(ctx, intent) // errors: ErrStale, ErrRefused, ErrLater, ErrIntent
package signer
