package devchain

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/eth/tracers"
	_ "github.com/ethereum/go-ethereum/eth/tracers/native" // callTracer and prestateTracer
	"github.com/ethereum/go-ethereum/miner"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

// rpcTimeout bounds one HTTP call. It is long because one call may mine many
// blocks; go-ethereum's own limit is 30 s.
const rpcTimeout = 10 * time.Minute

// Chain is a running chain. Its methods may be called from many goroutines;
// everything that makes blocks happens one after another.
type Chain struct {
	cfg   Config
	stack *node.Node
	be    *eth.Ethereum
	miner *miner.Miner
	edits *edits

	mu        sync.Mutex // held by whoever makes blocks
	branch    uint64     // number of rewinds so far, so that a rebuilt block differs from the dropped one
	automine  bool
	nextTime  uint64        // time of the next block when not 0 (evm_setNextBlockTimestamp)
	jump      uint64        // seconds to add to the next block instead of the block time (evm_increaseTime)
	jumped    uint64        // sum of all such jumps
	snapshots []common.Hash // heads remembered by evm_snapshot; the id is the index + 1

	closeOnce sync.Once
	closeErr  error
	quit      chan struct{}
	wake      chan struct{} // tells automine that a transaction came; holds one
	loops     sync.WaitGroup
}

// Start brings a chain up and returns when its JSON-RPC answers. The caller
// closes it.
func Start(cfg Config) (*Chain, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("start dev chain: %w", err)
	}
	stack, err := node.New(nodeConfig(cfg))
	if err != nil {
		return nil, fmt.Errorf("start dev chain: make node: %w", err)
	}
	c, err := assemble(cfg, stack)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start dev chain: %w", err), stack.Close())
	}
	return c, nil
}

func nodeConfig(cfg Config) *node.Config {
	nc := node.DefaultConfig
	nc.Name = "legate-devchain"
	nc.DataDir = cfg.DataDir
	nc.P2P = p2p.Config{NoDiscovery: true, NoDial: true}
	nc.IPCPath = ""
	nc.HTTPHost, nc.HTTPPort = "127.0.0.1", cfg.Port
	nc.WSHost, nc.WSPort = "127.0.0.1", cfg.Port
	nc.HTTPModules = []string{"eth", "net", "web3", "debug", "txpool", "evm", "anvil"}
	nc.WSModules = nc.HTTPModules
	nc.HTTPTimeouts = rpc.DefaultHTTPTimeouts
	nc.HTTPTimeouts.ReadTimeout = rpcTimeout
	nc.HTTPTimeouts.WriteTimeout = rpcTimeout
	return &nc
}

func ethConfig(cfg Config) *ethconfig.Config {
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID = new(big.Int).SetUint64(cfg.ChainID)
	rules.BogotaTime = nil // unreleased gas rules: up to four times the real gas
	ec := ethconfig.Defaults
	ec.Genesis = &core.Genesis{
		Config:    &rules,
		GasLimit:  blockGasLimit,
		BaseFee:   big.NewInt(params.InitialBaseFee),
		Timestamp: uint64(cfg.GenesisTime.Unix()),
		Alloc:     cfg.alloc(core.SystemContractAllocs()),
	}
	ec.NetworkId = cfg.ChainID
	ec.SyncMode = ethconfig.FullSync
	ec.LogNoHistory = true
	ec.TransactionHistory = 0
	ec.NoPruning = true
	ec.StateScheme = rawdb.HashScheme // the path scheme drops old state even in an archive
	ec.SnapshotCache = 0
	ec.TrieCleanCache, ec.TrieDirtyCache, ec.DatabaseCache = 16, 16, 16
	ec.Miner.GasCeil = blockGasLimit
	ec.Miner.GasPrice = big.NewInt(1) // any tip is mined
	ec.TxPool.NoLocals = true
	ec.TxPool.Journal = ""
	return &ec
}

func assemble(cfg Config, stack *node.Node) (*Chain, error) {
	ec := ethConfig(cfg)
	be, err := eth.New(stack, ec)
	if err != nil {
		return nil, fmt.Errorf("make chain: %w", err)
	}
	c := &Chain{cfg: cfg, stack: stack, be: be, edits: newEdits(), automine: !cfg.NoAutomine, quit: make(chan struct{}), wake: make(chan struct{}, 1)}
	c.edits.install(be.BlockChain())
	c.miner = miner.New(be, ec.Miner, &editingEngine{Engine: be.Engine(), edits: c.edits})
	stack.RegisterAPIs([]rpc.API{{
		Namespace: "eth",
		Service:   filters.NewFilterAPI(filters.NewFilterSystem(be.APIBackend, filters.Config{})),
	}})
	stack.RegisterAPIs(tracers.APIs(be.APIBackend))
	stack.RegisterAPIs([]rpc.API{
		{Namespace: "eth", Service: &unlockedAPI{c}},
		{Namespace: "evm", Service: &evmAPI{c}},
		{Namespace: "anvil", Service: &anvilAPI{c}},
	})
	if err := stack.Start(); err != nil {
		return nil, fmt.Errorf("start node: %w", err)
	}
	c.loops.Add(2)
	arrivals := make(chan core.NewTxsEvent, 64)
	// here, not in the loop: a transaction may be sent as soon as Start has returned
	arriving := be.TxPool().SubscribeTransactions(arrivals, true)
	go c.listen(arrivals, arriving)
	go c.automineLoop()
	return c, nil
}

// SetLeastTip makes the pool refuse transactions with a smaller tip, in wei per gas.
func (c *Chain) SetLeastTip(tip uint64) { c.be.TxPool().SetGasTip(new(big.Int).SetUint64(tip)) }

// HTTP is the address of the JSON-RPC over HTTP, as http://127.0.0.1:port.
func (c *Chain) HTTP() string { return c.stack.HTTPEndpoint() }

// WS is the address of the JSON-RPC over WebSocket, as ws://127.0.0.1:port.
func (c *Chain) WS() string { return c.stack.WSEndpoint() }

// ChainID is the number transactions of this chain are signed for.
func (c *Chain) ChainID() *big.Int { return new(big.Int).SetUint64(c.cfg.ChainID) }

// BlockTime is the distance of two blocks in chain time.
func (c *Chain) BlockTime() time.Duration { return c.cfg.BlockTime }

// Head is the header of the latest block.
func (c *Chain) Head(ctx context.Context) (*types.Header, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read head of dev chain: %w", err)
	}
	return types.CopyHeader(c.be.BlockChain().CurrentBlock()), nil
}

// Session connects to the chain over HTTP with the key of funded account i.
func (c *Chain) Session(ctx context.Context, i int) (*Session, error) {
	return Dial(ctx, c.HTTP(), Account(i))
}

// Close stops the chain and frees its port. A second call does nothing.
func (c *Chain) Close() error {
	c.closeOnce.Do(func() {
		close(c.quit)
		c.loops.Wait()
		if err := c.stack.Close(); err != nil {
			c.closeErr = fmt.Errorf("close dev chain: %w", err)
		}
	})
	return c.closeErr
}
