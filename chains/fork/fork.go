package fork

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/params"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// Defaults of Config.
const (
	DefaultTimeout   = 60 * time.Second // a cold run over a slow link takes three
	DefaultBlockTime = 12 * time.Second
	DefaultMaxReads  = 20_000   // a transaction of 16,777,216 gas can touch 8,000 cold slots
	DefaultMaxFrames = 2_000    // calls; honest executions have under 500
	DefaultMaxTrace  = 64 << 20 // bytes of call data that are hashed
	DefaultViewGas   = 30_000_000
	cachedBlocks     = 4
)

// Bounds of what one proposal may make a run do. They count, and never measure time, so that beyond them a run is
// exhausted on every node alike.
const (
	// MaxBlockGas is the gas of a run where a chain's block claims more: above the limit of every block of Ethereum so
	// far (60 million), and what an interpreter does in a second.
	MaxBlockGas = 100_000_000
	// MaxLogs are the logs that facts keep, in every record of them; honest executions have under 500. What they say is measured in full.
	MaxLogs = 2_000
	// MaxDeep is how many reads may each depend on the one before, which no batch can fetch: at 200 ms each they take
	// most of DefaultTimeout. A run that reads no more than this in all is never deeper.
	MaxDeep = 256
	// MaxAskDeep is the same for one question to a contract that anybody may have made. An honest getter, through a
	// proxy and a beacon, needs five.
	MaxAskDeep = 32
	// DefaultProbeGas is of one balanceOf or allowance: the dearest of real tokens, through proxies and oracles, take
	// a third.
	DefaultProbeGas = 1_000_000
	// MaxTokenGas is of all probes of one contract: 2000 of an ordinary token.
	MaxTokenGas = 20_000_000
	// MaxProbesGas is of all probes of a run: ten hostile tokens, or 20 000 ordinary probes.
	MaxProbesGas = 200_000_000
	// MaxTokens are the contracts whose balances are measured. Those that the plan lists come first, then those that
	// the proposal calls itself. Real executions touch under 30.
	MaxTokens = 256
	// MaxMissing are the contracts that are named as not measured; the rest stand under the zero address.
	MaxMissing = 64
)

// Config says how dry runs of one chain are made. The zero value of all but ChainID is usable.
type Config struct {
	ChainID gov.ChainID
	// Rules are the chain's fork rules; nil takes RulesOf(ChainID).
	Rules *params.ChainConfig
	// MaxGas bounds execute, below the block's gas limit and the transaction cap of Osaka; 0: these alone.
	MaxGas uint64
	// Timeout bounds a whole run, reads included.
	Timeout time.Duration
	// MaxReads bounds the accounts and slots that one run may touch, and that one call of a View may ask of the chain.
	MaxReads int
	// MaxFrames and MaxTrace bound what a run records: calls, and bytes of their data. What is beyond them still runs.
	MaxFrames, MaxTrace int
	// BlockTime relates block number and time where the clock is moved.
	BlockTime time.Duration
	// NoPrefetch reads one thing at a time: for measuring what the prefetch saves.
	NoPrefetch bool
	Log        *slog.Logger // nil: silent
}

// Runner makes dry runs on one chain. It is safe for concurrent use; runs at one block share what was read.
type Runner struct {
	caller rpc.Caller
	cfg    Config
	log    *slog.Logger

	mu      sync.Mutex
	sources []*Source // the last blocks used, newest last
}

// New returns a Runner that reads through caller. It asks nothing yet.
func New(caller rpc.Caller, cfg Config) *Runner {
	if cfg.Rules == nil {
		cfg.Rules, _ = RulesOf(cfg.ChainID)
	}
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&cfg.MaxReads, DefaultMaxReads)
	orInt(&cfg.MaxFrames, DefaultMaxFrames)
	orInt(&cfg.MaxTrace, DefaultMaxTrace)
	if cfg.Timeout <= 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.BlockTime < time.Second {
		cfg.BlockTime = DefaultBlockTime
	}
	log := cfg.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Runner{caller: caller, cfg: cfg, log: log}
}

// Through is the same runner with its reads through another caller, such as one that shares them with other work at
// the same endpoint. It knows nothing of what this one has read.
func (r *Runner) Through(caller rpc.Caller) *Runner { return New(caller, r.cfg) }

// Plan says how one proposal is run and what is looked at.
type Plan struct {
	// Lifecycle takes the proposal through its governor; nil calls the actions directly (drafts).
	Lifecycle Lifecycle
	// Executor is the account that makes the calls: the timelock, or the governor.
	Executor gov.Address
	// Watch are the DAO's accounts, whose balances and allowances are read before and after, beside the executor.
	Watch []gov.Address
	// Tokens are read for every watched account, beside those that the logs name.
	Tokens []gov.Address
	// Env changes the environment of the run.
	Env Env
}

// Env varies what a contract can see of its environment, for comparing runs. The zero value changes nothing.
type Env struct {
	Caller  gov.Address // who sends execute and pays for it; zero: an account of no history
	Later   uint64      // seconds beyond the earliest moment of execution
	Blocks  uint64      // blocks beyond what Later amounts to
	BaseFee *gov.Amount // in wei; nil: that of the pinned block
}

// Result is what a run showed.
type Result struct {
	Effects gov.Effects
	Shown   dossier.Shown
	// Before is the state of the pinned block.
	Before *View
	// Ready is the state just before execute, with its clock: the other side of a comparison with After in which
	// nothing grows by time alone. In direct mode it is the pinned block's state.
	Ready *View
	// After is the state after the run. It answers only when the run executed: there is no other state after it.
	After *View
	// Direct are the actions called on their own from the executor: in direct mode, and where the lifecycle
	// reverted, as far as they went.
	Direct []ActionResult
	// Operators are rights over NFTs and other whole holdings of watched accounts that the run touched.
	Operators []Operator
	// Missing are the parts that could not be had.
	Missing []gov.Missing
	// Notes are assumptions that this run made beyond those of the package documentation.
	Notes []string
	// Reads are what the run asked of the chain.
	Reads Reads
}

// ActionResult is how one action ended in direct mode.
type ActionResult struct {
	OK       bool
	Gas      uint64
	OutOfGas bool
	Reason   dossier.Untrusted // why it failed, as the contract says it
}

// Operator is a right over all tokens of an owner, or over the one NFT with ID, before and after the run.
type Operator struct {
	Token, Owner, Operator gov.Address
	ID                     *gov.Amount // nil: all
	Before, After          bool
}

// Reads counts what was asked of the chain.
type Reads struct {
	Accounts, Slots, Trips int
	// Passes are the executions that were thrown away for missing state, and the last one.
	Passes int
}

// Run executes p's actions on the state of block at. The result is never nil. When the run is unavailable its
// effects say so, Missing says why, and the error is an *Unavailable; Before still answers. A run that is more than the
// bounds of this package is exhausted: a result, with Missing, and no error.
func (r *Runner) Run(ctx context.Context, p gov.Proposal, at gov.Block, plan Plan) (*Result, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	src := r.Source(at)
	budget := &budget{left: r.cfg.MaxReads, bounded: true}
	run := &run{runner: r, src: src, proposal: p, plan: plan, budget: budget}
	result, err := run.dry(ctx)
	if tooMuch(err) {
		r.log.Debug("dry run exhausted", "proposal", p.ID.String(), "block", at.Number, "error", err)
		result, err = run.exhausted(), nil
	} else if err != nil {
		err = unavailable(err)
		result = run.failed(err)
		r.log.Debug("dry run unavailable", "proposal", p.ID.String(), "block", at.Number, "error", err)
	}
	result.Before = r.Before(at)
	result.Reads = budget.reads
	return result, err
}

// Before is the state of block at, for reads beside a run. It shares what runs at that block have read.
func (r *Runner) Before(at gov.Block) *View {
	return &View{runner: r, src: r.Source(at)}
}

// Source returns the shared state of a block, from the last few blocks used or new.
func (r *Runner) Source(at gov.Block) *Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range r.sources {
		if s.at.Hash == at.Hash && s.at.Number == at.Number {
			r.sources = append(append(r.sources[:i:i], r.sources[i+1:]...), s)
			return s
		}
	}
	s := newSource(r.caller, at)
	if len(r.sources) >= cachedBlocks {
		r.sources = r.sources[1:]
	}
	r.sources = append(r.sources, s)
	return s
}
