package main

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/chains/devchain"
)

// demoPolicies is policies.example.yaml, which cannot be embedded from the folder above; a test compares.
//
//go:embed demo/policies.yaml
var demoPolicies []byte

// demoEmergency is what the demo adds to the example policy: the price of the market's asset, watched.
const demoEmergency = `
emergency:
  - {name: crash, when: 'metrics["hrb-price"] < 1.0', for: 1m, do: [{alert: critical}]}
`

// The accounts of the demo, by number on the development chain.
const (
	accountDeployer = iota
	accountVoter    // Legate's voting key
	accountHolder   // whose tokens are delegated to it
	accountProposer
	accountHand // the holder's own key, which answers a hold
	accountGrantee
	accountAuditor
	accountAttacker
)

// demoDAOs are the two governors: one counts in blocks, one in seconds.
var demoDAOs = []struct {
	name    string
	symbol  string
	flavour devchain.Flavour
}{{"harbor", "HRB", devchain.OZ5Block}, {"meadow", "MDW", devchain.OZ5Time}}

// demoWorld is the chain of the demo with everything on it.
type demoWorld struct {
	chain                      *devchain.Chain
	deployer                   *devchain.Session
	daos                       map[string]*devchain.DAO
	grantee, auditor, attacker common.Address
	dir                        string
	discord                    string // webhook of the stand-in, empty for none
	model                      string // endpoint for the briefs, empty for none
	staged                     bool   // for a person who runs the daemon: not live
}

// demoPeriods are voting delay and period in blocks of twelve seconds. The example policy waits six hours
// and stops twelve before the close, so a vote lasts a day; fast keeps that order and drops the slack.
type demoPeriods struct {
	delay, period uint64
	past          bool // with earlier votings
}

// demoTimelock is the delay of both timelocks.
const demoTimelock = 48 * time.Hour

func periods(fast bool) demoPeriods {
	if fast {
		return demoPeriods{delay: 25, period: 5700} // 19 hours
	}
	return demoPeriods{delay: 50, period: 7200} // a day
}

// startDemoWorld starts the chain, mines a thousand blocks, deploys both DAOs and delegates the holder's tokens.
func startDemoWorld(ctx context.Context, dir string, p demoPeriods) (*demoWorld, error) {
	conf := devchain.Config{}
	if p.past { // so that the proposals are made about now
		conf.GenesisTime = time.Now().Add(-1000*12*time.Second - pastSpan(p))
	}
	chain, err := devchain.Start(conf)
	if err != nil {
		return nil, fmt.Errorf("start the development chain: %w", err)
	}
	w := &demoWorld{chain: chain, dir: dir, daos: map[string]*devchain.DAO{},
		grantee: devchain.Address(accountGrantee), auditor: devchain.Address(accountAuditor), attacker: devchain.Address(accountAttacker)}
	if err := w.build(ctx, p); err != nil {
		chain.Close()
		return nil, err
	}
	return w, nil
}

func (w *demoWorld) build(ctx context.Context, p demoPeriods) (err error) {
	if w.deployer, err = w.chain.Session(ctx, accountDeployer); err != nil {
		return err
	}
	for _, d := range demoDAOs {
		unit := uint64(1)
		if d.flavour == devchain.OZ5Time {
			unit = 12
		}
		dao, err := devchain.DeployDAO(ctx, w.deployer, devchain.DAOConfig{
			Flavour: d.flavour, Name: strings.ToUpper(d.name[:1]) + d.name[1:], Symbol: d.symbol,
			VotingDelay: p.delay * unit, VotingPeriod: p.period * unit, LateExtension: 600 * unit, TimelockDelay: uint64(demoTimelock.Seconds()),
		})
		if err != nil {
			return fmt.Errorf("deploy %s: %w", d.name, err)
		}
		w.daos[d.name] = dao
		if err := w.delegate(ctx, dao); err != nil {
			return fmt.Errorf("delegate the tokens of %s: %w", d.name, err)
		}
	}
	if p.past {
		if err := w.past(ctx, p); err != nil {
			return err
		}
	}
	return w.chain.Mine(ctx, 1000)
}

// delegate gives the holder tokens and has them speak through the voting key; a large holder and the
// proposer vote for themselves.
func (w *demoWorld) delegate(ctx context.Context, dao *devchain.DAO) error {
	if err := w.give(ctx, dao, accountHolder, accountVoter, 60_000); err != nil {
		return err
	}
	return w.give(ctx, dao, accountProposer, accountProposer, 20_000)
}

// give gives an account tokens, whose votes another may have.
func (w *demoWorld) give(ctx context.Context, dao *devchain.DAO, account, delegate int, tokens int64) error {
	if err := w.deployer.TransferToken(ctx, dao, devchain.Address(account), ether(tokens)); err != nil {
		return err
	}
	return w.deployer.As(devchain.Account(account)).Delegate(ctx, dao, devchain.Address(delegate))
}

// writeFiles writes what a holder would write: legate.yaml, policies.yaml, book, prices, the keystores and
// the passphrase.
func (w *demoWorld) writeFiles(ctx context.Context, listen string) error {
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return err
	}
	files := map[string]string{
		"policies.yaml": string(demoPolicies) + demoEmergency,
		"passphrase":    hex.EncodeToString(secret) + "\n",
		"legate.yaml":   w.configText(listen),
	}
	for _, d := range demoDAOs {
		dao := w.daos[d.name]
		book, err := w.bookText(ctx, dao)
		if err != nil {
			return err
		}
		files[d.name+"-book.yaml"] = book
		files[d.name+"-prices.csv"] = fmt.Sprintf("token,usd\nnative,3000\n%s,4\n%s,1\n", dao.Token, dao.Stable)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the demo's files: %w", err)
		}
	}
	for name, account := range map[string]int{"voter.json": accountVoter, "hand.json": accountHand} {
		if err := writeKey(filepath.Join(w.dir, name), devchain.Account(account), hex.EncodeToString(secret), true); err != nil {
			return err
		}
	}
	return nil
}

func (w *demoWorld) configText(listen string) string {
	var b strings.Builder
	chain := fmt.Sprintf("eip155:%s", w.chain.ChainID())
	fmt.Fprintf(&b, "version: 1\nstore: sqlite:legate.db\nchains:\n  %s:\n    rpc: [{http: %q, ws: %q}]\n    finality: 3\n    poll: 1s\ngovernors:\n",
		chain, w.chain.HTTP(), w.chain.WS())
	for _, d := range demoDAOs {
		dao := w.daos[d.name]
		fmt.Fprintf(&b, "  - name: %s\n    address: %s:%s\n    treasury: [%q]\n    tokens: [%q]\n    prices: %s-prices.csv\n    book: %s-book.yaml\n",
			d.name, chain, dao.Governor, dao.Treasury, dao.Stable, d.name, d.name)
	}
	fmt.Fprintf(&b, "voter:\n  key: keystore:voter.json\n  passphrase: file:passphrase\n  ledger: ledger/\n  approvers: [%q]\n  live: %t\n",
		devchain.Address(accountHand), !w.staged)
	if w.discord != "" {
		fmt.Fprintf(&b, "channels: {forum: {discord: %q}}\n", w.discord)
	}
	fmt.Fprintf(&b, "metrics:\n  - {name: hrb-price, chain: %q, call: \"%s.latestAnswer()(int256)\", scale: 0.000000000000000001, every: 12s}\n", chain, w.daos["harbor"].Oracle)
	model := w.model
	if model == "" {
		model = noModel
	}
	fmt.Fprintf(&b, "policies: policies.yaml\nmodel: {endpoint: %q}\nweb: {listen: %q}\nlog: {level: warn}\n", model, listen)
	return b.String()
}

// bookText is what the operator accepted as known: the market and the treasury, with their code.
func (w *demoWorld) bookText(ctx context.Context, dao *devchain.DAO) (string, error) {
	market, err := w.codeHash(ctx, dao.Market)
	if err != nil {
		return "", err
	}
	treasury, err := w.codeHash(ctx, dao.Treasury)
	if err != nil {
		return "", err
	}
	stable, err := w.codeHash(ctx, dao.Stable)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`version: 1
entries:
  - address: %q
    label: Market
    code_hash: %q
    implementation: %q
    abi:
      - "function setCollateralFactor(address asset,uint256 value)"
      - "function collateralFactor(address asset) view returns (uint256)"
      - "function setReserveFactor(address asset,uint256 value)"
      - "function reserveFactor(address asset) view returns (uint256)"
      - "function setSupplyCap(address asset,uint256 value)"
      - "function supplyCap(address asset) view returns (uint256)"
      - "function setBorrowCap(address asset,uint256 value)"
      - "function borrowCap(address asset) view returns (uint256)"
      - "function upgradeToAndCall(address implementation,bytes data)"
  - address: %q
    label: Treasury
    code_hash: %q
    abi:
      - "function pay(address to,uint256 amount)"
      - "function payToken(address token,address to,uint256 amount)"
      - "function approveToken(address token,address spender,uint256 amount)"
  - {address: %q, label: USDX, kind: token, decimals: 6, abi: erc20, code_hash: %q}
`, dao.Market, market, dao.MarketImpl, dao.Treasury, treasury, dao.Stable, stable), nil
}

func (w *demoWorld) codeHash(ctx context.Context, a common.Address) (common.Hash, error) {
	code, err := w.deployer.Client.CodeAt(ctx, a, nil)
	if err != nil {
		return common.Hash{}, fmt.Errorf("read the code of %s: %w", a, err)
	}
	return crypto.Keccak256Hash(code), nil
}

// propose makes all ten proposals as their proposer.
func (w *demoWorld) propose(ctx context.Context) ([]*devchain.Proposal, error) {
	s, err := w.chain.Session(ctx, accountProposer)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var out []*devchain.Proposal
	for _, c := range demoCases {
		actions, err := c.actions(w)
		if err != nil {
			return nil, fmt.Errorf("build the proposal that %s: %w", c.does, err)
		}
		p, err := s.Propose(ctx, w.daos[c.dao], actions, c.text)
		if err != nil {
			return nil, fmt.Errorf("propose what %s: %w", c.does, err)
		}
		out = append(out, p)
	}
	return out, nil
}
