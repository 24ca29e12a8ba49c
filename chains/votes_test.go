package chains_test

import (
	"context"
	"math/big"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/simulators/fit"
	"github.com/legate-dao/legate/simulators/mc"
)

// council is a DAO with four voters: one large, three small.
type council struct {
	t      *testing.T
	chain  *devchain.Chain
	dao    *devchain.DAO
	client *rpc.Client
	voters []*devchain.Session
}

func newCouncil(t *testing.T, flavour devchain.Flavour) *council {
	t.Helper()
	ctx := t.Context()
	c, err := devchain.Start(devchain.Config{})
	must(t, err)
	t.Cleanup(func() { must(t, c.Close()) })
	deployer, err := c.Session(ctx, 0)
	must(t, err)
	t.Cleanup(deployer.Close)
	k := &council{t: t, chain: c}
	period := uint64(12)
	if flavour == devchain.OZ5Time {
		period *= 20 // of 12 seconds
	}
	k.dao, err = devchain.DeployDAO(ctx, deployer, devchain.DAOConfig{Flavour: flavour, VotingPeriod: period, QuorumPercent: 4})
	must(t, err)
	must(t, deployer.Delegate(ctx, k.dao, deployer.From)) // to propose
	for i, tokens := range []int64{120_000, 20_000, 15_000, 10_000} {
		s := deployer.As(devchain.Account(i + 1))
		must(t, deployer.TransferToken(ctx, k.dao, s.From, devchain.Tokens(tokens)))
		must(t, s.Delegate(ctx, k.dao, s.From))
		k.voters = append(k.voters, s)
	}
	k.client, err = rpc.Dial(ctx, rpc.Config{Endpoints: []rpc.Endpoint{{HTTP: c.HTTP()}}})
	must(t, err)
	t.Cleanup(k.client.Close)
	return k
}

// propose makes a proposal and goes to where its votes count.
func (k *council) propose(ctx context.Context, text string) *big.Int {
	pay, err := devchain.ActionOn(k.dao.Treasury, "Treasury", "pay", devchain.Address(7), big.NewInt(1))
	must(k.t, err)
	deployer := k.voters[0].As(devchain.Account(0))
	p, err := deployer.Propose(ctx, k.dao, []devchain.Action{pay}, text)
	must(k.t, err)
	must(k.t, deployer.SkipToVoting(ctx, k.dao, p.ID))
	return p.ID
}

// history reads what is known now of a proposal.
func (k *council) history(ctx context.Context, number *big.Int) (gov.History, gov.Proposal, gov.Block) {
	h, err := k.client.Latest(ctx)
	must(k.t, err)
	at := gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}
	g, err := governor.Detect(ctx, k.client, gov.Address(k.dao.Governor), h.Hash)
	must(k.t, err)
	g.Chain = 31337
	p := gov.Proposal{ID: gov.ProposalID{Chain: 31337, Governor: g.Address, Number: amount(number)}}
	p.Starts, err = g.Snapshot(ctx, k.client, p.ID.Number, h.Hash)
	must(k.t, err)
	out, err := chains.History(ctx, k.client, g, 0, p, at)
	must(k.t, err)
	return out, p, at
}

func (k *council) forecast(ctx context.Context, number *big.Int) gov.Forecast {
	h, p, at := k.history(ctx, number)
	f, err := fit.ForecastOf(ctx, p, at, h)
	must(k.t, err)
	return f
}

// TestForecastOnAChain: 32 votings are made on a real governor, in which the large voter says for in one world and
// against in the other; all else is alike. The forecast of the next proposal turns round with it, is the same when
// asked twice, and follows the votes that come.
func TestForecastOnAChain(t *testing.T) {
	ctx := t.Context()
	forecasts := map[devchain.Support]gov.Forecast{}
	for _, says := range []devchain.Support{devchain.For, devchain.Against} {
		k := newCouncil(t, devchain.OZ5Block)
		for j := range 32 {
			id := k.propose(ctx, string(rune('a'+j)))
			for i, s := range k.voters {
				support := devchain.For
				if i == 0 {
					support = says
				} else if (i+j)%3 == 0 {
					continue // stays away
				}
				must(t, s.CastVote(ctx, k.dao, id, support, ""))
			}
			must(t, k.chain.Mine(ctx, 14))
		}
		id := k.propose(ctx, "the one to forecast")
		h, _, _ := k.history(ctx, id)
		if len(h.Ended) != 32 || len(h.Current.Votes) != 0 || len(h.Powers) != 4 {
			t.Fatalf("%d votings, %d votes, %d powers", len(h.Ended), len(h.Current.Votes), len(h.Powers))
		}
		for i, v := range h.Ended {
			if n := len(v.Votes); n != 3 && n != 4 && n != 2 || v.Quorum.Cmp(amount(devchain.Tokens(40_000))) != 0 || v.Ends-v.Starts != 12 {
				t.Errorf("voting %d: %d votes, quorum %s, %d to %d", i, n, v.Quorum, v.Starts, v.Ends)
			}
			if v.Votes[0].Voter != gov.Address(k.voters[0].From) || v.Votes[0].Weight.Cmp(amount(devchain.Tokens(120_000))) != 0 || v.Votes[0].At <= v.Starts || v.Votes[0].At > v.Ends {
				t.Errorf("voting %d: first vote %+v", i, v.Votes[0])
			}
		}
		f := k.forecast(ctx, id)
		if again := k.forecast(ctx, id); again != f {
			t.Errorf("asked twice: %+v and %+v", f, again)
		}
		forecasts[says] = f
		must(t, k.voters[0].CastVote(ctx, k.dao, id, devchain.Against, "")) // whatever it said before
		if after := k.forecast(ctx, id); after.Pass.P > .05 || after.Against.P05.Cmp(amount(devchain.Tokens(120_000))) < 0 {
			t.Errorf("the large voter voted against: %+v", after)
		}
	}
	yes, no := forecasts[devchain.For], forecasts[devchain.Against]
	if yes.Pass.P < .8 || no.Pass.P > .2 || yes.For.P50.Cmp(no.For.P50) <= 0 {
		t.Errorf("after a past of for: %+v\nof against: %+v", yes, no)
	}
	t.Logf("pass %.3f (%.3f to %.3f) after a past of for, %.3f (%.3f to %.3f) of against", yes.Pass.P, yes.Pass.Low, yes.Pass.High, no.Pass.P, no.Pass.Low, no.Pass.High)
}

// TestHistoryInSeconds: the votes of a governor that counts seconds have times, not blocks.
func TestHistoryInSeconds(t *testing.T) {
	ctx := t.Context()
	k := newCouncil(t, devchain.OZ5Time)
	first := k.propose(ctx, "one")
	must(t, k.voters[0].CastVote(ctx, k.dao, first, devchain.For, "because"))
	must(t, k.voters[1].CastVote(ctx, k.dao, first, devchain.Abstain, ""))
	must(t, k.chain.Mine(ctx, 25))
	second := k.propose(ctx, "two")
	must(t, k.voters[2].CastVote(ctx, k.dao, second, devchain.Against, ""))
	h, _, _ := k.history(ctx, second)
	if len(h.Ended) != 1 || len(h.Ended[0].Votes) != 2 || h.Ended[0].Votes[1].Support != gov.SupportAbstain || len(h.Current.Votes) != 1 {
		t.Fatalf("%+v", h)
	}
	for _, v := range append(h.Ended[0].Votes, h.Current.Votes...) {
		if v.At < 1_500_000_000 {
			t.Errorf("the vote's time %d is no time", v.At)
		}
	}
	if f, err := fit.Forecast(ctx, h, fit.Options{Engine: mc.Engine{Seed: 1, Paths: 1000}}); err != nil || f.Against.P05.Cmp(amount(devchain.Tokens(15_000))) < 0 {
		t.Errorf("%+v, %v", f, err)
	}
}
