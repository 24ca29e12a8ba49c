package main

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/chaintest"
	"github.com/legate-dao/legate/chains/devchain"
)

// proposers take turns, since Bravo lets each have one live proposal.
var proposers = []int{accountProposer, 10, 11, 12, 13}

// site is a real anvil with governors on it, whose holder delegates to the voting key. Whatever a test says
// of votes is read from here, never from the daemon.
type site struct {
	t        *testing.T
	url      string
	deployer *devchain.Session
	daos     map[string]*devchain.DAO
	names    []string
	chain    gov.ChainID
	proposed map[string]int // by governor
}

// siteDAOs are the governors that tests use. Periods are in the governor's clock. Bravo's shortest period is
// 3600 blocks: DeployDAO writes the shorter one into the governor's storage slot 4 with anvil_setStorageAt.
var siteDAOs = map[string]devchain.DAOConfig{
	"harbor": {Flavour: devchain.OZ5Block, Name: "Harbor", Symbol: "HRB", VotingDelay: 4, VotingPeriod: 240, LateExtension: 5},
	"meadow": {Flavour: devchain.OZ5Time, Name: "Meadow", Symbol: "MDW", VotingDelay: 48, VotingPeriod: 2880, LateExtension: 60},
	"bravo":  {Flavour: devchain.Bravo, VotingDelay: 4, VotingPeriod: 240},
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func may[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// newSite starts an anvil and deploys governors on it.
func newSite(t *testing.T, names ...string) *site {
	t.Helper()
	s := &site{t: t, url: chaintest.Anvil(t), daos: map[string]*devchain.DAO{}, names: names, proposed: map[string]int{}}
	var err error
	s.deployer, err = devchain.Dial(t.Context(), s.url, devchain.Account(accountDeployer))
	must(t, err)
	t.Cleanup(s.deployer.Close)
	s.chain = gov.ChainID(s.deployer.ChainID.Uint64())
	s.rpc("anvil_setBlockTimestampInterval", 12) // else its blocks are as near to each other as the test is fast
	for i := range devchain.AccountCount {
		s.rpc("anvil_setBalance", devchain.Address(i), (*hexutil.Big)(devchain.Tokens(10_000)))
	}
	for _, name := range names {
		dao, err := devchain.DeployDAO(t.Context(), s.deployer, siteDAOs[name])
		must(t, err)
		s.daos[name] = dao
		s.delegate(name)
	}
	s.mine(4)
	return s
}

// delegate gives the holder tokens and has them speak through the voting key. Proposers speak for themselves.
func (s *site) delegate(name string) {
	s.t.Helper()
	dao, holding, threshold := s.daos[name], int64(60_000), int64(20_000)
	if dao.Flavour == devchain.Bravo {
		holding, threshold = 700_000, 200_000
	}
	give := func(account, delegate int, tokens int64) {
		must(s.t, s.deployer.TransferToken(s.t.Context(), dao, devchain.Address(account), ether(tokens)))
		must(s.t, s.deployer.As(devchain.Account(account)).Delegate(s.t.Context(), dao, devchain.Address(delegate)))
	}
	give(accountHolder, accountVoter, holding)
	for _, p := range proposers {
		give(p, p, threshold)
	}
}

func (s *site) rpc(method string, args ...any) {
	s.t.Helper()
	if err := s.deployer.RPC.CallContext(s.t.Context(), nil, method, args...); err != nil {
		s.t.Fatalf("%s: %v", method, err)
	}
}

func (s *site) mine(n uint64) {
	s.t.Helper()
	must(s.t, s.deployer.MineBlocks(s.t.Context(), n))
}

// ws is the address of anvil's WebSocket.
func (s *site) ws() string { return "ws" + strings.TrimPrefix(s.url, "http") }

// motion is a proposal of a site.
type motion struct {
	*devchain.Proposal
	dao  *devchain.DAO
	name string
	id   gov.ProposalID
}

// propose makes a proposal; each time by the next proposer, with a text of its own.
func (s *site) propose(name, text string, actions ...devchain.Action) motion {
	s.t.Helper()
	n := s.proposed[name]
	s.proposed[name]++
	p, err := s.deployer.As(devchain.Account(proposers[n%len(proposers)])).Propose(s.t.Context(), s.daos[name], actions, fmt.Sprintf("# %s\n\nNumber %d of this run.", text, n+1))
	must(s.t, err)
	number, err := gov.ParseAmount(p.ID.String())
	must(s.t, err)
	return motion{p, s.daos[name], name, gov.ProposalID{Chain: s.chain, Governor: gov.Address(s.daos[name].Governor), Number: number}}
}

// grant is what the policy votes For: a small payment to an account.
func (s *site) grant(string) devchain.Action {
	return devchain.Action{Target: devchain.Address(accountGrantee), Value: ether(1)}
}

// drain is what the policy votes Against: everybody may take the treasury's tokens.
func (s *site) drain(name string) devchain.Action {
	d := s.daos[name]
	return may(devchain.ActionOn(d.Treasury, "Treasury", "approveToken", d.Token, devchain.Address(accountAttacker), ether(40_000)))(s.t)
}

// loosen is what the policy of these tests abstains from: a parameter that gets looser.
func (s *site) loosen(name string) devchain.Action {
	d := s.daos[name]
	return may(devchain.ActionOn(d.Market, "Market", "setCollateralFactor", d.Stable, percent(85)))(s.t)
}

// opaque is what nobody can decode.
func (s *site) opaque(name string) devchain.Action {
	d := s.daos[name]
	return may(devchain.ActionOn(d.Opaque, "OpaqueTarget", "zq7_k9Wobble", big.NewInt(7), []byte("members")))(s.t)
}

// cast is one VoteCast event of the chain.
type cast struct {
	support uint8
	weight  *big.Int
	tx      common.Hash
	block   uint64
	reason  string
}

// voteCast is the event that OpenZeppelin's governors and Bravo share.
var voteCast = crypto.Keccak256Hash([]byte("VoteCast(address,uint256,uint8,uint256,string)"))

// casts reads the votes of an account on a proposal from the chain's logs.
func (s *site) casts(m motion, voter common.Address) (out []cast) {
	s.t.Helper()
	logs, err := s.deployer.Client.FilterLogs(s.t.Context(), ethereum.FilterQuery{
		Addresses: []common.Address{m.dao.Governor}, Topics: [][]common.Hash{{voteCast}, {common.BytesToHash(voter.Bytes())}},
	})
	must(s.t, err)
	abi, _ := devchain.Artifact(m.dao.GovernorContract())
	for _, l := range logs {
		values, err := abi.Events["VoteCast"].Inputs.NonIndexed().Unpack(l.Data)
		must(s.t, err)
		if values[0].(*big.Int).Cmp(m.ID) == 0 {
			out = append(out, cast{values[1].(uint8), values[2].(*big.Int), l.TxHash, l.BlockNumber, values[3].(string)})
		}
	}
	return out
}

// counted demands that the voting key cast exactly one vote, with this support, and that the governor counts it
// and nothing else.
func (s *site) counted(m motion, want devchain.Support) cast {
	s.t.Helper()
	casts := s.casts(m, devchain.Address(accountVoter))
	if len(casts) != 1 {
		s.t.Fatalf("%s: the chain has %d votes by our key, want one", m.id, len(casts))
	}
	c := casts[0]
	if c.support != uint8(want) {
		s.t.Fatalf("%s: the chain has support %d by our key, want %d", m.id, c.support, want)
	}
	if c.weight.Sign() <= 0 {
		s.t.Fatalf("%s: the vote has no weight", m.id)
	}
	votes, err := s.deployer.ProposalVotes(s.t.Context(), m.dao, m.ID)
	must(s.t, err)
	for support, tally := range map[devchain.Support]*big.Int{devchain.Against: votes.Against, devchain.For: votes.For, devchain.Abstain: votes.Abstain} {
		expect := new(big.Int)
		if support == want {
			expect = c.weight
		}
		if tally.Cmp(expect) != 0 {
			s.t.Fatalf("%s: the governor counts %s for support %d, want %s", m.id, tally, support, expect)
		}
	}
	return c
}

// uncounted demands that the chain has no vote of the voting key on a proposal.
func (s *site) uncounted(m motion) {
	s.t.Helper()
	if casts := s.casts(m, devchain.Address(accountVoter)); len(casts) != 0 {
		s.t.Fatalf("%s: the chain has %d votes by our key, want none", m.id, len(casts))
	}
}

// sent is how many transactions the voting key has made.
func (s *site) sent() uint64 {
	s.t.Helper()
	return may(s.deployer.Client.NonceAt(s.t.Context(), devchain.Address(accountVoter), nil))(s.t)
}

// height is the number of the newest block.
func (s *site) height() uint64 {
	s.t.Helper()
	return may(s.deployer.Client.BlockNumber(s.t.Context()))(s.t)
}

// pause lets the daemon work.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
