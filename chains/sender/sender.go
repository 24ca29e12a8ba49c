package sender

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/quorum"
	"github.com/legate-dao/legate/chains/rpc"
)

// Governor is what pre-flight asks of a governor contract, each at one block hash. governor.Governor is one.
type Governor interface {
	State(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (gov.State, error)
	Snapshot(ctx context.Context, c rpc.Caller, id gov.Amount, at gov.Hash) (gov.Clocks, error)
	HasVoted(ctx context.Context, c rpc.Caller, id gov.Amount, voter gov.Address, at gov.Hash) (bool, error)
	Power(ctx context.Context, c rpc.Caller, voter gov.Address, snapshot gov.Clocks, at gov.Hash) (gov.Amount, error)
	Delegate(ctx context.Context, c rpc.Caller, holder gov.Address, at gov.Hash) (gov.Address, error)
	// Same is an error that wraps Config.OtherContent where the chain holds other content under the id.
	Same(ctx context.Context, c rpc.Caller, p gov.Proposal, at gov.Block) error
}

// The defaults of [Config].
const (
	// DefaultMaxGas is the signer's bound too: some four times what the costliest vote known to us takes.
	DefaultMaxGas = 1_000_000
	gwei          = 1_000_000_000
)

// Config says how one chain is reached.
type Config struct {
	Chain gov.ChainID
	// Panel is whom to ask, and how many must say the same. A signed transaction goes to all of its endpoints.
	Panel *quorum.Panel
	// Governors finds a contract by its address; false where it is none of ours. What it is may change while we run.
	Governors func(gov.Address) (Governor, bool)
	// OtherContent is what Governor.Same wraps when the content differs.
	OtherContent error
	// MaxFee bounds the fee per gas in wei; zero is 200 gwei. MaxGas bounds the gas; 0 is DefaultMaxGas.
	MaxFee gov.Amount
	MaxGas uint64
	// Limits are the holder's for a governor; nil or false: none.
	Limits func(governor gov.Address) (Limits, bool)
	// Frozen says whether signing is stopped; nil: never.
	Frozen func() (why string, frozen bool)
	Log    *slog.Logger
}

// Sender sends on one chain. It is safe for concurrent use.
type Sender struct {
	Config

	mu sync.Mutex
	// cheap are sent transactions that every endpoint refused for their fee; they are sent again with each block, so
	// that a new sender knows them soon.
	cheap map[gov.Hash]bool
}

// New checks the configuration.
func New(c Config) (*Sender, error) {
	switch {
	case c.Chain == 0:
		return nil, errors.New("sender: no chain")
	case c.Panel == nil || c.Governors == nil:
		return nil, fmt.Errorf("sender on %s: no endpoints, or no governors", c.Chain)
	case c.OtherContent == nil:
		return nil, fmt.Errorf("sender on %s: it could not tell other content from a failed read", c.Chain)
	}
	if c.MaxFee.IsZero() {
		c.MaxFee = gov.NewAmount(200 * gwei)
	}
	if c.MaxGas == 0 {
		c.MaxGas = DefaultMaxGas
	}
	if c.Limits == nil {
		c.Limits = func(gov.Address) (Limits, bool) { return Limits{}, false }
	}
	if c.Frozen == nil {
		c.Frozen = func() (string, bool) { return "", false }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Sender{Config: c, cheap: map[gov.Hash]bool{}}, nil
}

// governor finds the contract of a ballot.
func (s *Sender) governor(id gov.ProposalID) (Governor, error) {
	g, ok := s.Governors(id.Governor)
	if !ok || id.Chain != s.Chain {
		return nil, fmt.Errorf("%s is not at a governor of this sender on %s: %w", id, s.Chain, ErrChain)
	}
	return g, nil
}
