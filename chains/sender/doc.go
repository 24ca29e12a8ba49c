// Package sender gets a signed vote onto the chain: it looks whether the vote can count ([Sender.Preflight]),
// plans nonce, gas and fee ([Sender.Plan]), hands the same bytes to every endpoint ([Sender.Send]), finds out
// what became of them ([Sender.Confirm]) and plans a higher fee where the first is not enough
// ([Sender.Replace]).
//
// It keeps nothing in memory: the nonce follows from the chain's state, what is under way from the vote that
// the caller hands in. What decides anything is asked of as many endpoints as must agree. Fees and gas are
// bounded whatever an endpoint says.
//
// It leaves to others what is signed (chains/signer, which bounds the cost once more), which key has
// something under way (agent), and what governor contracts answer (chains/governor, through [Governor]).
//
//	power, err := s.Preflight(ctx, proposal, holder, ballot)
//	tx, err := s.Plan(ctx, ballot, nil)
//	err = s.Send(ctx, vote)
//	receipt, err := s.Confirm(ctx, vote, final) // nil: no block has it
package sender
