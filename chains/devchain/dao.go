package devchain

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// Flavour is a kind of governor DeployDAO can set up.
type Flavour string

// The flavours.
const (
	OZ5Block Flavour = "oz5-block" // OpenZeppelin 5.7, clock in blocks
	OZ5Time  Flavour = "oz5-time"  // OpenZeppelin 5.7, clock in seconds
	OZ49     Flavour = "oz49"      // OpenZeppelin 4.9, clock in blocks
	Bravo    Flavour = "bravo"     // GovernorBravo (Venus' first) with the Uni token and Uniswap's timelock
)

// Flavours lists all of them.
func Flavours() []Flavour { return []Flavour{OZ5Block, OZ5Time, OZ49, Bravo} }

// Clock is what a governor counts its periods in.
type Clock string

// The clocks.
const (
	ClockBlocks Clock = "blocknumber"
	ClockTime   Clock = "timestamp"
)

// DAOConfig says what DAO to deploy. Zero fields take the value in brackets.
type DAOConfig struct {
	Flavour Flavour // [OZ5Block]
	Name    string  // of the governor and the token, not for Bravo [Legate Test DAO]
	Symbol  string  // of the token, not for Bravo [LTD]
	// VotingDelay, VotingPeriod and LateExtension are in the clock's unit: blocks
	// or seconds. [2, 20 and 5 blocks; 24, 240 and 60 s.] Bravo has no late
	// extension; its shortest period of 3600 blocks is undercut by writing the
	// governor's storage slot 4 through anvil_setStorageAt, so it needs an engine
	// that has that method unless VotingPeriod is 3600 or more.
	VotingDelay, VotingPeriod, LateExtension uint64
	// TimelockDelay in seconds [60]; Bravo's timelock has at least two days.
	TimelockDelay uint64
	// Threshold of votes to propose [100 tokens]; Bravo's is from 150 000 to
	// 300 000 tokens.
	Threshold     *big.Int
	QuorumPercent uint64 // of the supply [4]; Bravo's quorum is 600 000 tokens
	// Supply goes to the deployer [1 000 000 tokens] and Cap bounds minting [ten
	// times Supply]; not for Bravo, whose supply is 1 000 000 000. OZ49's token
	// has no cap.
	Supply, Cap *big.Int
	// What the timelock and the treasury get of the deployer's native value (in
	// wei) [100 ETH and 50 ETH] and of the token [10 % of Supply and 5 %; for
	// Bravo ten and five million tokens].
	TimelockETH, TreasuryETH       *big.Int
	TimelockTokens, TreasuryTokens *big.Int
}

// DAO is a deployed governor with the contracts around it. Whatever a proposal
// may want to change belongs to the timelock; Oracle and Stable belong to the
// deployer, who is also the market's pause guardian.
type DAO struct {
	Flavour  Flavour
	Clock    Clock
	Deployer common.Address
	Block    uint64 // of the last deployment

	Token, Timelock, Governor common.Address
	GovernorImpl              common.Address // Bravo's delegate

	Treasury common.Address
	Stable   common.Address
	Oracle   common.Address
	Market   common.Address // ERC-1967 proxy of MarketImpl
	// MarketImpl is the implementation in use; MarketV2 another one to upgrade to.
	MarketImpl, MarketV2   common.Address
	ParamBox               common.Address
	Opaque                 common.Address
	NFT                    common.Address // token 1 belongs to the timelock
	Safe, MultiSend        common.Address
	Permit2                common.Address
	Bomb                   common.Address
	Beacon, BeaconProxy    common.Address
	BeaconImpl, BeaconImp2 common.Address // in use, and one to upgrade to
}

// TokenContract names the compiled contract behind DAO.Token.
func (d *DAO) TokenContract() string { return d.Flavour.tokenContract() }

// GovernorContract names the compiled contract whose ABI DAO.Governor has.
func (d *DAO) GovernorContract() string { return d.Flavour.governorContract() }

// TimelockContract names the compiled contract behind DAO.Timelock.
func (d *DAO) TimelockContract() string {
	switch d.Flavour {
	case OZ49:
		return "TimelockController49"
	case Bravo:
		return "UniTimelock"
	default:
		return "TimelockController"
	}
}

func (f Flavour) tokenContract() string {
	switch f {
	case OZ5Time:
		return "VotesTokenTime"
	case OZ49:
		return "VotesToken49"
	case Bravo:
		return "Uni"
	default:
		return "VotesToken"
	}
}

func (f Flavour) governorContract() string {
	switch f {
	case OZ49:
		return "DevGovernor49"
	case Bravo:
		return "GovernorBravoDelegateV1"
	default:
		return "DevGovernor"
	}
}

// Tokens is n whole tokens of 18 decimals, or n ETH, in the smallest unit.
func Tokens(n int64) *big.Int {
	return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18))
}

func orNumber(v *uint64, fallback uint64) {
	if *v == 0 {
		*v = fallback
	}
}

func orAmount(v **big.Int, fallback *big.Int) {
	if *v == nil {
		*v = fallback
	}
}

func share(of *big.Int, percent int64) *big.Int {
	part := new(big.Int).Mul(of, big.NewInt(percent))
	return part.Div(part, big.NewInt(100))
}

// withDefaults fills the zero fields.
func (c DAOConfig) withDefaults() (DAOConfig, error) {
	if c.Flavour == "" {
		c.Flavour = OZ5Block
	}
	if c.Name == "" {
		c.Name = "Legate Test DAO"
	}
	if c.Symbol == "" {
		c.Symbol = "LTD"
	}
	second := uint64(1)
	orAmount(&c.TimelockETH, Tokens(100))
	orAmount(&c.TreasuryETH, Tokens(50))
	switch c.Flavour {
	case Bravo:
		orNumber(&c.TimelockDelay, 2*24*3600)
		orAmount(&c.Threshold, Tokens(150_000))
		c.Supply = Tokens(1_000_000_000)
		orAmount(&c.TimelockTokens, share(c.Supply, 1))
		orAmount(&c.TreasuryTokens, Tokens(5_000_000))
	case OZ5Time:
		second = 12
		fallthrough
	case OZ5Block, OZ49:
		orNumber(&c.TimelockDelay, 60)
		orAmount(&c.Threshold, Tokens(100))
		orAmount(&c.Supply, Tokens(1_000_000))
		orAmount(&c.TimelockTokens, share(c.Supply, 10))
		orAmount(&c.TreasuryTokens, share(c.Supply, 5))
	default:
		return c, fmt.Errorf("flavour %q is not one of %v", c.Flavour, Flavours())
	}
	orNumber(&c.VotingDelay, 2*second)
	orNumber(&c.VotingPeriod, 20*second)
	orNumber(&c.LateExtension, 5*second)
	orNumber(&c.QuorumPercent, 4)
	orAmount(&c.Cap, new(big.Int).Mul(c.Supply, big.NewInt(10)))
	return c, nil
}
