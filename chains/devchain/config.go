package devchain

import (
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Config says what chain to start. The zero value is usable.
type Config struct {
	// ChainID defaults to 31337.
	ChainID uint64
	// Port of HTTP and WebSocket on 127.0.0.1; 0 takes a free one.
	Port int
	// BlockTime is the distance of two blocks in chain time, in whole seconds;
	// default 12 s.
	BlockTime time.Duration
	// GenesisTime is the time of block 0, in whole seconds. Its default is the
	// wall clock minus 1000 block times, so that block 1000 is about now.
	GenesisTime time.Time
	// NoAutomine keeps transactions in the pool until Mine is called.
	NoAutomine bool
	// ReorgKeepsTransactions leaves the transactions of dropped blocks in the
	// pool, so that automine or the next Mine puts them into a block again.
	// Without it they are forgotten, and only their sender can bring them back.
	ReorgKeepsTransactions bool
	// SafeLag and FinalityLag are the distances of the "safe" and the
	// "finalized" block from the head; defaults 32 and 64.
	SafeLag, FinalityLag uint64
	// DataDir holds the database; "" keeps it in memory.
	DataDir string
	// Alloc adds accounts to the genesis block, over the funded test accounts.
	Alloc types.GenesisAlloc
}

const (
	defaultChainID   = 31337
	defaultBlockTime = 12 * time.Second
	defaultSafeLag   = 32
	defaultFinalLag  = 64
	blockGasLimit    = 60_000_000
)

// withDefaults fills what the caller left out and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	if c.ChainID == 0 {
		c.ChainID = defaultChainID
	}
	if c.BlockTime == 0 {
		c.BlockTime = defaultBlockTime
	}
	if c.BlockTime < time.Second || c.BlockTime%time.Second != 0 {
		return c, fmt.Errorf("block time %v is not a whole number of seconds of at least one", c.BlockTime)
	}
	if c.GenesisTime.IsZero() {
		c.GenesisTime = time.Now().Add(-1000 * c.BlockTime)
	}
	if c.GenesisTime.Unix() <= 0 {
		return c, fmt.Errorf("genesis time %v is not after 1970", c.GenesisTime)
	}
	if c.SafeLag == 0 {
		c.SafeLag = defaultSafeLag
	}
	if c.FinalityLag == 0 {
		c.FinalityLag = defaultFinalLag
	}
	if c.FinalityLag < c.SafeLag {
		return c, fmt.Errorf("finality lag %d is shorter than safe lag %d", c.FinalityLag, c.SafeLag)
	}
	if c.Port < 0 || c.Port > 65535 {
		return c, fmt.Errorf("port %d does not exist", c.Port)
	}
	return c, nil
}

// fundedBalance is what each test account owns at genesis: 10 000 ETH, in wei.
func fundedBalance() *big.Int {
	return new(big.Int).Mul(big.NewInt(10_000), big.NewInt(1e18))
}

// alloc is the genesis state: system contracts, test accounts, the caller's own.
func (c Config) alloc(system types.GenesisAlloc) types.GenesisAlloc {
	all := types.GenesisAlloc{}
	for address, account := range system {
		all[address] = account
	}
	for i := range AccountCount {
		all[Address(i)] = types.Account{Balance: fundedBalance()}
	}
	for address, account := range c.Alloc {
		if account.Balance == nil {
			account.Balance = common.Big0
		}
		all[address] = account
	}
	return all
}
