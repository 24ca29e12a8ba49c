// Package fork executes a proposal's actions on a throw-away fork of one block and says what they did.
//
// The fork lives in the process: go-ethereum's interpreter and journal over a Source, which reads accounts and
// slots of one block hash through the wire and keeps them. Nothing is ever written anywhere. With a Lifecycle the
// run goes the way the chain would go: the tally is forced, the clock moved past the deadline, the proposal
// queued, the clock moved past the eta, and execute runs under a tracer; the effects are those of execute alone.
// Without one (a draft) the actions are called from the executor, in order, all or none.
//
// # What is a result and what is not
//
// A run that was executed, reverted or exhausted is a fact. Exhausted is one that is more than the constants of this
// package: more gas than a block, more accounts and slots, reads that depend on each other one by one, frames or logs
// than are kept, tokens that hide what they hold. These count and never measure time, and what was read before or by
// which node makes no difference: a run that touches much is made once more as if nothing were known, and its depth
// counted there. Where the calls still ran to their end, what was measured stays, and what was not is listed.
//
// Everything else is unavailable, with a reason, never clean: a failed or refused read (an interpreter takes a missing
// slot for zero, so every pass is thrown away in which a read failed), a tally that could not be forced, a queue that
// refused, time that ran out.
//
// # Reads
//
// A pass runs on what is known. What it misses is noted, taken as absent, and the pass thrown away; all that was
// noted is then fetched in one batch and the pass starts again, until one misses nothing. Calls of
// eth_createAccessList bring most of it before the first pass. When nothing is missing, a lifecycle of nine actions
// with its tokens takes 1.3 ms, four fifths of which are the interpreter's.
//
// # Assumptions
//
// The block after a moved clock does not exist yet. COINBASE and BASEFEE are those of the pinned block, PREVRANDAO
// and the hashes of blocks after it are derived from its own, block number and time move together at
// Config.BlockTime, the gas payer is an account of no history that pays the base fee and no tip. Plan.Env varies
// them. A contract that looks at them can behave otherwise on the day; so can one whose state others change.
// Balances and allowances are what the token says: a token made to deceive can lie in balanceOf and allowance as
// well as in its logs. Amounts of ERC-1155 ids are not measured, only operators; an NFT counts as one of its
// collection. Chains whose virtual machine is not Ethereum's (Arbitrum, zkSync) are refused. Rules that the chain
// schedules between the block and the day of execution apply as scheduled.
//
// A run out of gas is the chain's word: the limit is the block's and, since Osaka, the 16,777,216 of a transaction. One
// that fails on little gas of its own has reverted.
// Where Config.MaxGas is lower, running out of it is unavailable.
//
//	runner := fork.New(client, fork.Config{ChainID: 1})
//	result, err := runner.Run(ctx, proposal, block, fork.Plan{Lifecycle: flavour, Executor: timelock})
package fork
