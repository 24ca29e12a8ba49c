// Package approval builds and verifies a holder's signed answer: the only way in which a person makes a
// vote count. It is pure; keys stay with the caller.
//
// The answer is an EIP-712 signature over the proposal's number, the hash of its content, the basis (the
// digest of what the proposal does), the support and an expiry, in a domain of its own that names chain
// and governor. So an answer speaks of one proposal, of what it did when the holder was shown it, and of
// nothing else; no governor and no token takes the signature for something of theirs.
//
// An answer without a basis is over the content hash alone, for a proposal of which no facts could be gathered. It is
// signed as a type of its own, and counts whatever the facts turn out to be.
//
// It leaves to others how an answer travels (journal), and who is asked.
//
//	a, err := approval.Build(gov.Approval{Proposal: id, ContentHash: …, Basis: …, Support: gov.SupportFor, Expires: …}, sign)
//	err = approval.Verify(a, approvers, proposal, basis, now)
package approval
