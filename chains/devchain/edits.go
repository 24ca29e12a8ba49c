package devchain

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"
)

// edit changes the state directly, outside of any transaction.
type edit func(vm.StateDB)

// edits are the direct state changes of the chain. A block that carries one
// names it in its extra data, so the change happens in the building and again in
// the checking of exactly that block, on whatever branch it is.
type edits struct {
	mu    sync.RWMutex
	known map[string]edit
}

func newEdits() *edits { return &edits{known: map[string]edit{}} }

// add remembers a change and returns the extra data that names it.
func (e *edits) add(what string, change edit) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := crypto.Keccak256(fmt.Appendf(nil, "edit %d %s", len(e.known), what))
	e.known[string(name)] = change
	return name
}

func (e *edits) apply(header *types.Header, db vm.StateDB) {
	e.mu.RLock()
	change := e.known[string(header.Extra)]
	e.mu.RUnlock()
	if change != nil {
		change(db)
	}
}

// install makes the chain's block checking apply the edits too.
func (e *edits) install(bc *core.BlockChain) {
	bc.SetBlockValidatorAndProcessorForTesting(bc.Validator(), &editingProcessor{Processor: bc.Processor(), edits: e})
}

// editingEngine is the consensus engine of the block builder.
type editingEngine struct {
	consensus.Engine
	edits *edits
}

// Finalize does what the wrapped engine does and then the block's edit.
func (e *editingEngine) Finalize(chain consensus.ChainHeaderReader, header *types.Header, db vm.StateDB, body *types.Body) {
	e.Engine.Finalize(chain, header, db, body)
	e.edits.apply(header, db)
}

// editingProcessor is the block execution of the chain.
type editingProcessor struct {
	core.Processor
	edits *edits
}

// Process executes the block and then does its edit.
func (p *editingProcessor) Process(ctx context.Context, block *types.Block, db *state.StateDB, jumps vm.JumpDestCache, precompiles *vm.PrecompileCache, cfg vm.Config, progress *atomic.Int64) (*core.ProcessResult, error) {
	result, err := p.Processor.Process(ctx, block, db, jumps, precompiles, cfg, progress)
	if err == nil {
		p.edits.apply(block.Header(), db)
	}
	return result, err
}

// edit mines one block that carries the change.
func (c *Chain) edit(what string, change edit) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.seal(c.blockSeconds(), c.edits.add(what, change)); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func setBalance(address common.Address, wei *uint256.Int) edit {
	return func(db vm.StateDB) {
		db.SubBalance(address, db.GetBalance(address), tracing.BalanceChangeUnspecified)
		db.AddBalance(address, wei, tracing.BalanceChangeUnspecified)
	}
}

func setStorage(address common.Address, slot, value common.Hash) edit {
	return func(db vm.StateDB) { db.SetState(address, slot, value) }
}

func setCode(address common.Address, code []byte) edit {
	return func(db vm.StateDB) { db.SetCode(address, code, tracing.CodeChangeUnspecified) }
}

func setNonce(address common.Address, nonce uint64) edit {
	return func(db vm.StateDB) { db.SetNonce(address, nonce, tracing.NonceChangeUnspecified) }
}
