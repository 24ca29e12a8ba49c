package main

import (
	"context"
	"fmt"
	"io"
	"math/big"
	"text/tabwriter"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// demoResult is the document of `demo --json`.
type demoResult struct {
	Version   int            `json:"version"`
	OK        bool           `json:"ok"`
	Seconds   float64        `json:"seconds"`
	RPC       string         `json:"rpc"`
	Web       string         `json:"web"`
	Alerts    int            `json:"alerts"`
	Proposals []demoProposal `json:"proposals"`
}

// demoProposal is one row. Support, code, transaction and block are read from the chain.
type demoProposal struct {
	ID       gov.ProposalID `json:"id"`
	Handle   string         `json:"handle"`
	Title    string         `json:"title"`
	Does     string         `json:"does"`
	Expected string         `json:"expected"`
	Final    string         `json:"final"`
	By       *string        `json:"by"`
	Rule     string         `json:"rule"`
	Support  *string        `json:"support"`
	Code     *int           `json:"code"`
	Tx       *string        `json:"tx"`
	Block    *uint64        `json:"block"`
	OK       bool           `json:"ok"`
}

// result reads every vote back from the chain and holds it against what must be.
func (d *demo) result(ctx context.Context, took time.Duration) (demoResult, error) {
	r := demoResult{Version: 1, OK: true, Seconds: float64(took.Milliseconds()) / 1000, RPC: d.world.chain.HTTP(), Web: d.engine.address()}
	handles, err := d.handles(ctx)
	if err != nil {
		return r, err
	}
	for i, c := range demoCases {
		id := d.id(i)
		p, err := d.engine.db.Load(ctx, id)
		if err != nil {
			return r, err
		}
		row := demoProposal{ID: id, Handle: handles[id], Title: p.Text.Title.Line(80), Does: c.does, Expected: c.expected, Final: p.Final().String()}
		if p.Verdict != nil {
			row.Rule = string(p.Verdict.Rule)
		}
		if p.Vote.Status.Bound() {
			by := string(p.Vote.Ballot.Reason.By)
			row.By = &by
		}
		cast, err := d.castOnChain(ctx, i)
		if err != nil {
			return r, fmt.Errorf("read the vote on %s back from the chain: %w", row.Handle, err)
		}
		row.fill(cast)
		row.OK = row.right(c, cast)
		r.OK = r.OK && row.OK
		r.Proposals = append(r.Proposals, row)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	r.Alerts = len(d.alarms)
	r.OK = r.OK && r.Alerts == 1
	return r, nil
}

// chainVote is our key's vote as the chain has it.
type chainVote struct {
	support gov.Support
	tx      common.Hash
	block   uint64
	weight  *big.Int
}

// castOnChain reads VoteCast of our key and holds it against proposalVotes; nil when the chain has none.
func (d *demo) castOnChain(ctx context.Context, i int) (*chainVote, error) {
	dao := d.world.daos[demoCases[i].dao]
	voter := devchain.Address(accountVoter)
	logs, err := d.world.deployer.Client.FilterLogs(ctx, ethereum.FilterQuery{Addresses: []common.Address{dao.Governor}})
	if err != nil {
		return nil, err
	}
	votes, err := d.world.deployer.ProposalVotes(ctx, dao, d.proposals[i].ID)
	if err != nil {
		return nil, err
	}
	var mine *chainVote
	for _, l := range logs {
		cast, err := governor.DecodeCast(gov.ChainID(d.world.chain.ChainID().Uint64()), rpc.Log{Address: l.Address, Topics: l.Topics, Data: l.Data})
		if err != nil || cast.ID != d.id(i) || cast.Voter != gov.Address(voter) {
			continue
		}
		if mine != nil {
			return nil, fmt.Errorf("two votes by %s", voter)
		}
		mine = &chainVote{cast.Support, l.TxHash, l.BlockNumber, cast.Weight.Int().ToBig()}
	}
	for support, counted := range map[gov.Support]*big.Int{gov.SupportFor: votes.For, gov.SupportAgainst: votes.Against, gov.SupportAbstain: votes.Abstain} {
		want := big.NewInt(0)
		if mine != nil && mine.support == support {
			want = mine.weight
		}
		if counted.Cmp(want) != 0 {
			return nil, fmt.Errorf("proposalVotes counts %s %s, VoteCast says %s", counted, support, want)
		}
	}
	return mine, nil
}

func (row *demoProposal) fill(v *chainVote) {
	if v == nil {
		return
	}
	support, code, tx, block := v.support.String(), int(v.support), v.tx.Hex(), v.block
	row.Support, row.Code, row.Tx, row.Block = &support, &code, &tx, &block
}

// right says whether the outcome is the one that the demo says it must be.
func (row demoProposal) right(c demoCase, v *chainVote) bool {
	if row.Final != c.expected {
		return false
	}
	want := c.expected
	if want == "hold" {
		want = c.byHand
	}
	if want == "" {
		return v == nil && row.By == nil
	}
	by := string(gov.ByPolicy)
	if c.byHand != "" {
		by = string(gov.ByHolder)
	}
	return v != nil && v.support.String() == want && row.By != nil && *row.By == by
}

// renderDemo prints the table.
func renderDemo(w io.Writer, r demoResult) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\nPROPOSAL\tWHAT IT DOES\tDECISION\tRULE\tVOTE ON CHAIN\tTRANSACTION\t")
	for _, p := range r.Proposals {
		vote, tx, mark := "none", "–", "as it must be"
		if p.Support != nil {
			vote = fmt.Sprintf("%s (%d)", *p.Support, *p.Code)
			tx = (*p.Tx)[:14] + "…"
			if *p.By == string(gov.ByHolder) {
				vote += " by hand"
			}
		}
		if !p.OK {
			mark = "WRONG, expected " + p.Expected
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", p.Handle, p.Does, p.Final, p.Rule, vote, tx, mark)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	verdict := "every proposal got the outcome it must have"
	if !r.OK {
		verdict = "NOT every proposal got the outcome it must have"
	}
	_, err := fmt.Fprintf(w, "\n%.0f s; votes read back from the chain (VoteCast, proposalVotes); alarms told: %d; %s.\n", r.Seconds, r.Alerts, verdict)
	return err
}
