// Package devchain runs an Ethereum chain inside the process, for the demo and
// the tests, and deploys whole DAOs on it.
//
// The chain is go-ethereum's own node with its own block builder, state and
// JSON-RPC; only the consensus is ours: blocks appear when a transaction
// arrives or when the holder asks for them, exactly Config.BlockTime apart in
// chain time. Nothing in it is secret and nothing in it is for use with real
// value: the account keys are printed in this package's documentation.
//
// # Finality
//
// go-ethereum's simulated beacon finalises every 32nd block at once and calls
// the head safe. This package does not use that beacon. It keeps the rule anvil
// has: "safe" is Config.SafeLag blocks (32) behind the head and "finalized"
// Config.FinalityLag blocks (64) behind it, never below the genesis block.
// Reorgs of any depth work, also below the finalized block: both marks then
// move back with the head, so a test can show what a reader does about it.
//
// # Time
//
// Chain time is independent of the wall clock. Every mined block, by hand or by
// automine, is Config.BlockTime after its parent; Advance makes one jump. Hashes
// are deterministic: the same calls in the same order give the same blocks.
//
// A reorg reaches a newHeads subscriber as one head, the new one, with the logs of
// the dropped blocks as removed ones: go-ethereum announces no head in between.
//
// # Size and speed
//
// About 1000 empty blocks a second on one core, at any height; the chain is an
// archive, in memory unless Config.DataDir is set. go-ethereum's background move
// of final blocks into its cold store, which would make long chains slow and deep
// reorgs impossible, never starts. After Close a process keeps go-ethereum's
// global sender cache and, for up to 30 s, leveldb's buffer pool: a goroutine leak
// check has to ignore core.(*txSenderCacher).cache and leveldb.(*DB).mpoolDrain.
//
// # JSON-RPC
//
// HTTP and WebSocket share one loopback port: eth (with eth_sendTransaction for
// the funded accounts, as on anvil), net, web3, debug (with the tracers), txpool, and the evm_ and anvil_ methods that test helpers need,
// under anvil's names and with anvil's argument forms. Methods that edit state
// (anvil_setBalance, anvil_setStorageAt, anvil_setCode, anvil_setNonce) mine one
// block that carries the edit; anvil edits without a block.
//
// # Contracts
//
// contracts/ holds the Solidity sources, artifacts/ what solc made of them and
// the governors of other projects (see artifacts/README.md). Dial, Deploy,
// Transact and DeployDAO work against any JSON-RPC address, also an anvil.
package devchain
