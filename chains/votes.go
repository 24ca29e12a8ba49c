package chains

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"golang.org/x/sync/errgroup"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/supervise"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// Bounds of a governor's past. What is older says little of its voters today.
const (
	maxVotes    = 100_000 // logs
	maxVotings  = 100     // proposals that were voted on
	maxPowers   = 64      // voters who are asked for
	firstSpan   = 5_000   // blocks in one request; halved where a node refuses, doubled where not
	largestSpan = 200_000
	atOnce      = 8 // requests for the votings' terms
)

// cast is a vote with the block it is in.
type cast struct {
	governor.Cast
	block uint64
	hash  gov.Hash
}

// History reads how a governor's voters voted, up to one block: every VoteCast log from a first block (0: where the
// governor was deployed), newest first until there are enough, the terms of each voting, and the power of the largest
// voters at the proposal's snapshot. Votes with parameters of their own (support above 2) are left out; a canceled
// proposal too, unless it is the one asked about.
func History(ctx context.Context, c rpc.Caller, g governor.Governor, from uint64, p gov.Proposal, at gov.Block) (h gov.History, err error) {
	if from == 0 {
		header, err := rpc.HeaderByHash(ctx, c, at.Hash)
		if err != nil {
			return h, fmt.Errorf("history of %s: %w", g.Address, err)
		}
		if from, err = Deployed(ctx, c, g.Address, header); err != nil {
			return h, fmt.Errorf("find the first block of governor %s: %w", g.Address, err)
		}
	}
	if h.At, err = g.Now(ctx, c, at.Hash); err != nil {
		return h, err
	}
	votes, err := castVotes(ctx, c, g, from, at)
	if err != nil {
		return h, fmt.Errorf("votes of governor %s: %w", g.Address, err)
	}
	r := &pastReader{c: c, g: g, at: at, now: h.At, votes: map[gov.Amount][]cast{}}
	for _, v := range votes {
		if r.votes[v.ID.Number] == nil {
			r.order = append(r.order, v.ID.Number)
		}
		r.votes[v.ID.Number] = append(r.votes[v.ID.Number], v)
	}
	if err := r.clocks(ctx, votes); err != nil {
		return h, err
	}
	if err := r.current(ctx, p, &h); err != nil {
		return h, err
	}
	if h.Ended, err = r.ended(ctx, p); err != nil {
		return h, err
	}
	h.Powers, err = r.powers(ctx, p, h)
	return h, err
}

// castVotes reads the logs backwards, range by range, and returns them in the order of the chain.
func castVotes(ctx context.Context, c rpc.Caller, g governor.Governor, from uint64, at gov.Block) (votes []cast, err error) {
	filter := rpc.Filter{Addresses: []common.Address{common.Address(g.Address)}, Topics: [][]common.Hash{governor.VoteTopics()}}
	span := uint64(firstSpan)
	for to := at.Number; ; {
		filter.From, filter.To = max(from, to-min(to, span-1)), to
		var logs []rpc.Log
		if to == at.Number {
			logs, err = LogsUpTo(ctx, c, filter, at.Hash)
		} else {
			logs, err = rpc.Logs(ctx, c, filter)
		}
		if errors.Is(err, rpc.ErrRange) && span > 1 {
			span /= 2
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, l := range slices.Backward(logs) {
			v, err := governor.DecodeCast(g.Chain, l)
			if err != nil || v.Support > gov.SupportAbstain {
				continue // no vote that a tally by choice has; the totals are the chain's, this is only habits
			}
			votes = append(votes, cast{v, l.BlockNumber, l.BlockHash})
		}
		if filter.From <= from || len(votes) >= maxVotes {
			slices.Reverse(votes)
			return votes, nil
		}
		to, span = filter.From-1, min(span*2, largestSpan)
	}
}

// pastReader asks for what the logs do not say.
type pastReader struct {
	c     rpc.Caller
	g     governor.Governor
	at    gov.Block
	now   gov.Clocks
	votes map[gov.Amount][]cast
	order []gov.Amount // proposals, by their first vote
	times map[uint64]gov.Clocks
}

// clocks finds the governor's time of every block with a vote. Where it is neither the block's number nor its time it
// is taken from the votes' places between the first and the last, later.
func (r *pastReader) clocks(ctx context.Context, votes []cast) error {
	r.times = map[uint64]gov.Clocks{}
	if !r.g.HeaderClock {
		return nil
	}
	var ask []uint64
	for _, v := range votes {
		if _, seen := r.times[v.block]; seen {
			continue
		}
		r.times[v.block] = gov.Clocks(v.block)
		if r.g.Clock == gov.ClockTimestamp {
			ask = append(ask, v.block)
		}
	}
	for chunk := range slices.Chunk(ask, 100) {
		headers, err := headersAt(ctx, r.c, chunk)
		if err != nil {
			return fmt.Errorf("times of votes: %w", err)
		}
		for _, h := range headers {
			r.times[h.Number] = gov.Clocks(h.Time)
		}
	}
	return nil
}

// voting puts the votes of one proposal into its frame.
func (r *pastReader) voting(id gov.Amount, starts, ends gov.Clocks) gov.Voting {
	v := gov.Voting{Starts: starts, Ends: ends}
	last := min(ends, r.now)
	list := r.votes[id]
	for i, c := range list {
		when, known := r.times[c.block]
		if !known {
			when = starts + gov.Clocks(float64(last-min(starts, last))*float64(i+1)/float64(len(list)+1))
		}
		v.Votes = append(v.Votes, gov.CastVote{Voter: c.Voter, Support: c.Support, Weight: c.Weight, At: min(when, last)})
	}
	return v
}

func (r *pastReader) current(ctx context.Context, p gov.Proposal, h *gov.History) error {
	ends, err := r.g.Deadline(ctx, r.c, p.ID.Number, r.at.Hash)
	if err != nil {
		return err
	}
	h.Current = r.voting(p.ID.Number, p.Starts, ends)
	h.Rule = gov.VoteRule{For: r.g.Counts.For, Against: r.g.Counts.Against, Abstain: r.g.Counts.Abstain}
	if h.Rule.Quorum, err = r.g.Quorum(ctx, r.c, p.Starts, r.at.Hash); err == nil {
		h.Current.Quorum = h.Rule.Quorum
		return nil
	}
	// OpenZeppelin knows the quorum of past timepoints only; before the snapshot the newest one stands in.
	if h.Rule.Quorum, err = r.g.Quorum(ctx, r.c, r.now-min(r.now, 1), r.at.Hash); err != nil {
		return err
	}
	h.Current.Quorum = h.Rule.Quorum
	return nil
}

// ended are the votings that were over, by their ends.
func (r *pastReader) ended(ctx context.Context, p gov.Proposal) ([]gov.Voting, error) {
	ids := r.order[max(0, len(r.order)-maxVotings):]
	found := make([]*gov.Voting, len(ids))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	for i, id := range ids {
		if id == p.ID.Number {
			continue
		}
		work.Go(func() error {
			return supervise.Catch(func() (err error) { found[i], err = r.past(ctx, id); return err })
		})
	}
	if err := work.Wait(); err != nil {
		return nil, err
	}
	out := []gov.Voting{}
	for _, v := range found {
		if v != nil {
			out = append(out, *v)
		}
	}
	slices.SortStableFunc(out, func(a, b gov.Voting) int { return cmp.Compare(a.Ends, b.Ends) })
	return out, nil
}

// past is one voting that is over, nil if it is not, or was canceled.
func (r *pastReader) past(ctx context.Context, id gov.Amount) (*gov.Voting, error) {
	state, err := r.g.State(ctx, r.c, id, r.at.Hash)
	if err != nil || state == gov.StateCanceled {
		return nil, err
	}
	starts, err := r.g.Snapshot(ctx, r.c, id, r.at.Hash)
	if err != nil {
		return nil, err
	}
	ends, err := r.g.Deadline(ctx, r.c, id, r.at.Hash)
	if err != nil || ends >= r.now {
		return nil, err
	}
	v := r.voting(id, starts, ends)
	v.Quorum, err = r.g.Quorum(ctx, r.c, starts, r.at.Hash)
	return &v, err
}

// powers are those of the largest voters of the past who have not voted yet, at the snapshot. Before it there is none.
func (r *pastReader) powers(ctx context.Context, p gov.Proposal, h gov.History) ([]gov.VoterPower, error) {
	if p.Starts >= r.now {
		return nil, nil
	}
	largest := map[gov.Address]gov.Amount{}
	for _, v := range h.Ended {
		for _, c := range v.Votes {
			if old := largest[c.Voter]; c.Weight.Cmp(old) > 0 {
				largest[c.Voter] = c.Weight
			}
		}
	}
	for _, c := range h.Current.Votes {
		delete(largest, c.Voter)
	}
	out := make([]gov.VoterPower, 0, len(largest))
	for a, w := range largest {
		out = append(out, gov.VoterPower{Voter: a, Power: w})
	}
	slices.SortFunc(out, func(a, b gov.VoterPower) int { return cmp.Or(b.Power.Cmp(a.Power), a.Voter.Cmp(b.Voter)) })
	out = out[:min(len(out), maxPowers)]
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
	for i := range out {
		work.Go(func() error {
			return supervise.Catch(func() (err error) {
				out[i].Power, err = r.g.Power(ctx, r.c, out[i].Voter, p.Starts, r.at.Hash)
				return err
			})
		})
	}
	err := work.Wait()
	slices.SortFunc(out, func(a, b gov.VoterPower) int { return a.Voter.Cmp(b.Voter) })
	return out, err
}
