// Package ballot writes a vote as the call of a governor, and reads it back, one flavour a file. It is
// pure and imports only the nouns of deciding: the signer builds its calldata here, so that no caller
// hands it bytes to sign.
//
// It answers for the exact bytes of castVoteWithReason and castVote, and for what a VoteCast log of the
// same flavour says. It leaves to others whether a vote should be cast (policies, chains/signer) and how
// it reaches the chain (chains/sender).
//
//	data, err := ballot.Encode(gov.Ballot{Flavour: gov.OpenZeppelin5, Support: gov.SupportAgainst, …})
package ballot
