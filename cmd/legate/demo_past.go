package main

import (
	"context"
	"fmt"
	"time"

	"github.com/legate-dao/legate/chains/devchain"
)

// demoVoters are the other large holders of both DAOs, with their words on the past votings, one letter each: for,
// against, abstain (n for neither), or - for no vote. A forecast is made from such habits.
var demoVoters = []struct {
	account int
	tokens  int64
	harbor  string
	meadow  string
}{
	{8, 45_000, "fffafff-fffa", "ffaf-afffaff"},
	{9, 30_000, "fafaffaffnaf", "aaf-aafaaanf"},
	{10, 12_000, "f-fffn-fff-f", "--f-n-f--a--"},
	{11, 6_000, "--f-a--f--f-", "fff-fffffff-"},
}

// pastSpan is about how much chain time the past takes: one voting period for all votings, the timelock's delay, and a
// block for each transaction.
func pastSpan(p demoPeriods) time.Duration {
	return time.Duration(p.delay+p.period+250)*12*time.Second + demoTimelock
}

// past has the large holders vote on earlier proposals, which do nothing, all in one voting period; those that passed
// are executed. Then a forecast has habits to go by.
func (w *demoWorld) past(ctx context.Context, p demoPeriods) error {
	for _, v := range demoVoters {
		for _, d := range demoDAOs {
			if err := w.give(ctx, w.daos[d.name], v.account, v.account, v.tokens); err != nil {
				return err
			}
		}
	}
	proposals := map[string][]*devchain.Proposal{}
	proposer := w.deployer.As(devchain.Account(accountProposer))
	for _, d := range demoDAOs {
		for i := range demoVoters[0].harbor {
			nothing := devchain.Action{Target: devchain.Address(accountProposer)}
			made, err := proposer.Propose(ctx, w.daos[d.name], []devchain.Action{nothing}, fmt.Sprintf("# Resolution %d\n\nThe DAO takes note of the report of month %d.", i+1, i+1))
			if err != nil {
				return err
			}
			proposals[d.name] = append(proposals[d.name], made)
		}
	}
	last := len(demoVoters[0].harbor) - 1
	for _, d := range demoDAOs {
		if err := w.deployer.SkipToVoting(ctx, w.daos[d.name], proposals[d.name][last].ID); err != nil {
			return err
		}
	}
	for i, v := range demoVoters {
		if i > 0 { // not all at once: when people vote is a habit too
			if err := w.chain.Mine(ctx, int(p.period)/(len(demoVoters)+1)); err != nil {
				return err
			}
		}
		for name, words := range map[string]string{"harbor": v.harbor, "meadow": v.meadow} {
			if err := w.pastVotes(ctx, w.daos[name], v.account, words, proposals[name]); err != nil {
				return fmt.Errorf("vote on the past of %s: %w", name, err)
			}
		}
	}
	for _, d := range demoDAOs {
		if err := w.deployer.SkipToEnd(ctx, w.daos[d.name], proposals[d.name][last].ID); err != nil {
			return err
		}
	}
	return w.pastEnds(ctx, proposals)
}

// pastVotes casts one voter's votes.
func (w *demoWorld) pastVotes(ctx context.Context, dao *devchain.DAO, account int, words string, proposals []*devchain.Proposal) error {
	says := map[byte]devchain.Support{'f': devchain.For, 'a': devchain.Against, 'n': devchain.Abstain}
	s := w.deployer.As(devchain.Account(account))
	for i, p := range proposals {
		support, voted := says[words[i]]
		if !voted {
			continue
		}
		if err := s.CastVote(ctx, dao, p.ID, support, ""); err != nil {
			return err
		}
	}
	return nil
}

// pastEnds queues and executes what passed.
func (w *demoWorld) pastEnds(ctx context.Context, proposals map[string][]*devchain.Proposal) error {
	type queued struct {
		dao *devchain.DAO
		*devchain.Proposal
	}
	var all []queued
	for _, d := range demoDAOs {
		dao := w.daos[d.name]
		for _, p := range proposals[d.name] {
			state, err := w.deployer.State(ctx, dao, p.ID)
			if err != nil {
				return err
			}
			if state != devchain.Succeeded {
				continue
			}
			if err := w.deployer.Queue(ctx, dao, p); err != nil {
				return err
			}
			all = append(all, queued{dao, p})
		}
	}
	for _, q := range all {
		if err := w.deployer.SkipToETA(ctx, q.dao, q.ID); err != nil {
			return err
		}
		if err := w.deployer.Execute(ctx, q.dao, q.Proposal); err != nil {
			return err
		}
	}
	return nil
}
