package devchain

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
)

const (
	bravoMinPeriod = 3600 // blocks
	// bravoPeriodSlot is where GovernorBravoDelegateV1 keeps votingPeriod.
	bravoPeriodSlot = 4
)

// DeployDAO deploys a whole DAO with the session's key as deployer. The order of
// the transactions is fixed, so the addresses depend only on the key, its nonce
// and the flavour. Setting Bravo up moves chain time on by two days, the delay of
// its timelock. At the end the deployer has no power over the governor, the
// timelock and the token any more (but is the guardian of a Bravo, who may cancel
// proposals), and still owns the rest of the tokens.
func DeployDAO(ctx context.Context, s *Session, cfg DAOConfig) (*DAO, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("deploy DAO: %w", err)
	}
	b := &builder{ctx: ctx, s: s, cfg: cfg, dao: &DAO{Flavour: cfg.Flavour, Clock: ClockBlocks, Deployer: s.From}}
	if cfg.Flavour == OZ5Time {
		b.dao.Clock = ClockTime
	}
	if cfg.Flavour == Bravo {
		b.bravo()
	} else {
		b.openZeppelin()
	}
	b.targets()
	b.market()
	b.handOver()
	b.finish()
	if b.err != nil {
		return nil, fmt.Errorf("deploy %s DAO: %w", cfg.Flavour, b.err)
	}
	return b.dao, nil
}

// builder runs the steps of a deployment; after the first error it does nothing.
type builder struct {
	ctx context.Context
	s   *Session
	cfg DAOConfig
	dao *DAO
	err error
}

func (b *builder) deploy(name string, args ...any) (at common.Address) {
	if b.err == nil {
		at, b.err = b.s.Deploy(b.ctx, name, args...)
	}
	return at
}

func (b *builder) call(at common.Address, contract, method string, args ...any) {
	if b.err == nil {
		_, b.err = b.s.Transact(b.ctx, at, contract, method, args...)
	}
}

func (b *builder) pay(to common.Address, wei *big.Int) {
	if b.err == nil && wei.Sign() > 0 {
		_, b.err = b.s.Send(b.ctx, &to, wei, nil)
	}
}

func (b *builder) pack(contract, method string, args ...any) (data []byte) {
	if b.err == nil {
		data, b.err = Pack(contract, method, args...)
	}
	return data
}

func role(name string) [32]byte { return crypto.Keccak256Hash([]byte(name)) }

// openZeppelin deploys token, timelock and governor and connects them.
func (b *builder) openZeppelin() {
	c, d := b.cfg, b.dao
	if c.Flavour == OZ49 {
		d.Token = b.deploy(d.TokenContract(), c.Name, c.Symbol, b.s.From, c.Supply)
	} else {
		d.Token = b.deploy(d.TokenContract(), c.Name, c.Symbol, b.s.From, c.Cap, c.Supply)
	}
	anyone := []common.Address{{}}
	d.Timelock = b.deploy(d.TimelockContract(), new(big.Int).SetUint64(c.TimelockDelay), []common.Address{}, anyone, b.s.From)
	d.Governor = b.openZeppelinGovernor()
	admin := [32]byte{}
	if c.Flavour == OZ49 {
		admin = role("TIMELOCK_ADMIN_ROLE")
	}
	b.call(d.Timelock, d.TimelockContract(), "grantRole", role("PROPOSER_ROLE"), d.Governor)
	b.call(d.Timelock, d.TimelockContract(), "grantRole", role("CANCELLER_ROLE"), d.Governor)
	b.call(d.Timelock, d.TimelockContract(), "renounceRole", admin, b.s.From)
}

func (b *builder) openZeppelinGovernor() common.Address {
	c, d := b.cfg, b.dao
	quorum := new(big.Int).SetUint64(c.QuorumPercent)
	if c.Flavour == OZ49 {
		return b.deploy("DevGovernor49", c.Name, d.Token, d.Timelock, new(big.Int).SetUint64(c.VotingDelay),
			new(big.Int).SetUint64(c.VotingPeriod), c.Threshold, quorum, c.LateExtension)
	}
	if c.VotingPeriod > 1<<32-1 || c.VotingDelay > 1<<48-1 || c.LateExtension > 1<<48-1 {
		b.err = fmt.Errorf("voting delay %d, period %d or late extension %d does not fit the governor's type",
			c.VotingDelay, c.VotingPeriod, c.LateExtension)
		return common.Address{}
	}
	return b.deploy("DevGovernor", c.Name, d.Token, d.Timelock, new(big.Int).SetUint64(c.VotingDelay),
		uint32(c.VotingPeriod), c.Threshold, quorum, new(big.Int).SetUint64(c.LateExtension))
}

// bravo deploys Uni, Uniswap's timelock and the Bravo governor. The timelock can
// change its admin only through its own queue, so the deployer is its admin at
// first, queues the hand-over and executes it two days of chain time later.
func (b *builder) bravo() {
	c, d := b.cfg, b.dao
	if b.err != nil {
		return
	}
	head, err := b.s.Client.HeaderByNumber(b.ctx, nil)
	if err != nil {
		b.err = fmt.Errorf("read head: %w", err)
		return
	}
	delay := new(big.Int).SetUint64(c.TimelockDelay)
	d.Timelock = b.deploy("UniTimelock", b.s.From, delay)
	// Uni wants the first minting to be in the future.
	mintFrom := new(big.Int).SetUint64(head.Time + 24*3600)
	d.Token = b.deploy("Uni", b.s.From, d.Timelock, mintFrom)
	d.GovernorImpl = b.deploy("GovernorBravoDelegateV1")
	d.Governor = b.deploy("GovernorBravoDelegatorV1", d.Timelock, d.Token, b.s.From, d.GovernorImpl,
		new(big.Int).SetUint64(max(c.VotingPeriod, bravoMinPeriod)), new(big.Int).SetUint64(c.VotingDelay), c.Threshold, b.s.From)
	alpha := b.deploy("AlphaCount")
	b.shortenPeriod()
	b.call(d.Governor, "GovernorBravoDelegateV1", "_setPendingAdmin", d.Timelock)
	b.throughTimelock([]Action{
		{Target: d.Timelock, Calldata: b.pack("UniTimelock", "setPendingAdmin", d.Governor)},
		{Target: d.Governor, Calldata: b.pack("GovernorBravoDelegateV1", "_acceptAdmin")},
		{Target: d.Governor, Calldata: b.pack("GovernorBravoDelegateV1", "_initiate", alpha)},
	})
}

// shortenPeriod writes a period below Bravo's minimum into its storage.
func (b *builder) shortenPeriod() {
	if b.err != nil || b.cfg.VotingPeriod >= bravoMinPeriod {
		return
	}
	value := common.BigToHash(new(big.Int).SetUint64(b.cfg.VotingPeriod))
	slot := (*hexutil.Big)(big.NewInt(bravoPeriodSlot))
	if err := b.s.RPC.CallContext(b.ctx, nil, "anvil_setStorageAt", b.dao.Governor, slot, value); err != nil {
		b.err = fmt.Errorf("write Bravo's voting period of %d blocks (the engine must have anvil_setStorageAt, or the period be %d): %w",
			b.cfg.VotingPeriod, bravoMinPeriod, err)
	}
}

// throughTimelock queues calls in Uniswap's timelock, waits its delay in chain
// time and executes them.
func (b *builder) throughTimelock(actions []Action) {
	if b.err != nil {
		return
	}
	head, err := b.s.Client.HeaderByNumber(b.ctx, nil)
	if err != nil {
		b.err = fmt.Errorf("read head: %w", err)
		return
	}
	// An hour of margin for the blocks that the queueing itself takes.
	eta := head.Time + b.cfg.TimelockDelay + 3600
	at := new(big.Int).SetUint64(eta)
	for _, a := range actions {
		b.call(b.dao.Timelock, "UniTimelock", "queueTransaction", a.Target, common.Big0, "", a.Calldata, at)
	}
	if b.err == nil {
		b.err = b.s.AdvanceTo(b.ctx, eta)
	}
	for _, a := range actions {
		b.call(b.dao.Timelock, "UniTimelock", "executeTransaction", a.Target, common.Big0, "", a.Calldata, at)
	}
}

// targets deploys what proposals act on.
func (b *builder) targets() {
	d := b.dao
	d.Treasury = b.deploy("Treasury", d.Timelock)
	d.Stable = b.deploy("StableToken", "Dev Dollar", "DUSD", b.s.From, new(big.Int).Mul(big.NewInt(10_000_000), big.NewInt(1e6)))
	d.ParamBox = b.deploy("ParamBox", d.Timelock)
	d.Opaque = b.deploy("OpaqueTarget")
	d.NFT = b.deploy("DevNFT", b.s.From)
	d.Safe = b.deploy("MockSafe", d.Timelock)
	d.MultiSend = b.deploy("MultiSend")
	d.Permit2 = b.deploy("MockPermit2")
	d.Bomb = b.deploy("Bomb")
	d.BeaconImpl = b.deploy("BeaconTarget")
	d.BeaconImp2 = b.deploy("BeaconTargetV2")
	d.Beacon = b.deploy("UpgradeableBeacon", d.BeaconImpl, d.Timelock)
	d.BeaconProxy = b.deploy("BeaconProxy", d.Beacon, []byte{})
	b.call(d.NFT, "DevNFT", "mint", d.Timelock, common.Big1)
	b.call(d.NFT, "DevNFT", "transferOwnership", d.Timelock)
}

// market deploys the lending market with two assets: the token at 2 and the
// stable token at 1 of the oracle's unit.
func (b *builder) market() {
	d := b.dao
	d.Oracle = b.deploy("PriceOracle", b.s.From)
	d.MarketImpl = b.deploy("Market")
	d.MarketV2 = b.deploy("MarketV2")
	d.Market = b.deploy("ERC1967Proxy", d.MarketImpl, b.pack("Market", "initialize", b.s.From, d.Oracle, b.s.From))
	b.call(d.Oracle, "PriceOracle", "setPrice", d.Stable, Tokens(1))
	b.call(d.Oracle, "PriceOracle", "setPrice", d.Token, Tokens(2))
	tenth := big.NewInt(1e17)
	b.call(d.Market, "Market", "listAsset", d.Token, big.NewInt(7e17), tenth, Tokens(500_000), Tokens(100_000))
	stableCap := big.NewInt(2_000_000e6)
	b.call(d.Market, "Market", "listAsset", d.Stable, big.NewInt(8e17), tenth, stableCap, stableCap)
	b.call(d.Market, "Market", "transferOwnership", d.Timelock)
}

// handOver funds timelock and treasury and gives the token to the timelock.
func (b *builder) handOver() {
	c, d := b.cfg, b.dao
	b.pay(d.Timelock, c.TimelockETH)
	b.pay(d.Treasury, c.TreasuryETH)
	b.call(d.Token, d.TokenContract(), "transfer", d.Timelock, c.TimelockTokens)
	b.call(d.Token, d.TokenContract(), "transfer", d.Treasury, c.TreasuryTokens)
	if c.Flavour == Bravo {
		return // the timelock has been the minter from the start
	}
	roles := [][32]byte{role("MINTER_ROLE"), role("PAUSER_ROLE"), {}}
	if c.Flavour == OZ49 {
		roles = [][32]byte{role("MINTER_ROLE"), {}}
	}
	for _, r := range roles {
		b.call(d.Token, d.TokenContract(), "grantRole", r, d.Timelock)
	}
	for _, r := range roles {
		b.call(d.Token, d.TokenContract(), "renounceRole", r, b.s.From)
	}
}

func (b *builder) finish() {
	if b.err == nil {
		b.dao.Block, b.err = b.s.Client.BlockNumber(b.ctx)
	}
}
