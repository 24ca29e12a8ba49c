package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/uptrace/bun"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// voteRow is what planning a vote needs of a proposal, so that it reads no dossier. It follows from the records alone.
type voteRow struct {
	bun.BaseModel `bun:"table:votes"`

	Proposal string `bun:"proposal,pk"`
	Chain    string `bun:"chain"`
	Governor string `bun:"governor"`
	Status   string `bun:"status"`
	Stake    int64  `bun:"stake"`
	Waits    bool   `bun:"waits"`
	Turn     string `bun:"turn"` // empty where it does not wait
	Voter    string `bun:"voter"`
	Support  string `bun:"support"`
	By       string `bun:"by"`
	Plan     string `bun:"plan"`
	Vote     string `bun:"vote"`
	BoundAt  int64  `bun:"bound_at"` // wall clock, in seconds; 0 where nothing is bound
}

// voteRowOf is the row of a dossier whose gatherings are whole.
func voteRowOf(d dossier.Dossier) (voteRow, error) {
	id, turn := d.ID(), d.Turn()
	row := voteRow{
		Proposal: id.String(), Chain: id.Chain.String(), Governor: id.Governor.Hex(),
		Status: string(d.Vote.Status), Stake: int64(turn.Stake), Waits: turn.Waits,
	}
	if turn.Waits {
		text, err := json.Marshal(turn)
		if err != nil {
			return row, fmt.Errorf("index the turn of %s: %w", id, err)
		}
		row.Turn = string(text)
	}
	if d.Locked == nil {
		return row, nil
	}

	plan, err := json.Marshal(d.Locked.Tx)
	if err != nil {
		return row, fmt.Errorf("index the vote on %s: %w", id, err)
	}
	vote, err := json.Marshal(d.Vote)
	if err != nil {
		return row, fmt.Errorf("index the vote on %s: %w", id, err)
	}
	b := d.Locked.Ballot
	row.Voter, row.Support, row.By = b.Voter.Hex(), b.Support.String(), string(b.Reason.By)
	row.Plan, row.Vote = string(plan), string(vote)
	for _, r := range d.Records {
		if r.Type == dossier.TypeOf(dossier.WasLocked{}) || r.Type == dossier.TypeOf(dossier.WasSigned{}) {
			row.BoundAt = r.Time.Unix() // what was let go before costs nothing
		}
	}
	return row, nil
}

// index keeps the row of a proposal with its records.
func (tx Tx) index(ctx context.Context, d dossier.Dossier) error {
	row, err := voteRowOf(d)
	if err != nil {
		return err
	}
	_, err = tx.NewInsert().Model(&row).On("CONFLICT (proposal) DO UPDATE").
		Set("status = EXCLUDED.status, stake = EXCLUDED.stake, waits = EXCLUDED.waits, turn = EXCLUDED.turn, voter = EXCLUDED.voter, " +
			"support = EXCLUDED.support, by = EXCLUDED.by, plan = EXCLUDED.plan, vote = EXCLUDED.vote, bound_at = EXCLUDED.bound_at").Exec(ctx)
	if err != nil {
		return fmt.Errorf("index the vote on %s: %w", d.ID(), err)
	}
	return nil
}

// The rows of votes are rebuilt when a store has those of another version.
const (
	markIndex    = "index of votes"
	indexVersion = 2
)

// reindex makes the rows of a store that has none yet, or those of another version. A proposal whose records do not fold
// gets none: fsck tells of it, and it must not keep the others from voting.
func (db *DB) reindex(ctx context.Context) error {
	have, err := db.Mark(ctx, markIndex)
	if err != nil || have == indexVersion {
		return err
	}
	list, err := db.Proposals(ctx)
	if err != nil {
		return err
	}
	const few = 64 // so that no transaction takes long
	for some := range slices.Chunk(list, few) {
		err := db.InTx(ctx, func(ctx context.Context, tx Tx) error {
			for _, e := range some {
				d, err := tx.Load(ctx, e.ID)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if err == nil {
					err = tx.index(ctx, d)
				} else if !Damaged(err) {
					continue
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("index the votes of store %s: %w", db.Path, err)
		}
	}
	return db.SetMark(ctx, markIndex, indexVersion)
}

// indexed says whether the rows are those of this program: a daemon that was killed while it made them did not say so.
func (db *DB) indexed(ctx context.Context) error {
	have, err := db.Mark(ctx, markIndex)
	if err == nil && have != indexVersion {
		err = fmt.Errorf("the votes of store %s have no index of this version: start `legate run` once to make it", db.Path)
	}
	return err
}

// checkVotes compares the row of a proposal with its records.
func checkVotes(ctx context.Context, q bun.IDB, d dossier.Dossier, r *Report) error {
	want, err := voteRowOf(d)
	if err != nil {
		return err
	}
	var have voteRow
	err = q.NewSelect().Model(&have).Where("proposal = ?", d.ID().String()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		r.problem("%s: the index of votes does not list it", d.ID())
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the index of votes: %w", err)
	}
	if have != want {
		r.problem("%s: the index of votes says %+v; the records say %+v", d.ID(), have, want)
	}
	return nil
}

// A proposal that is set aside, since its records do not fold, must not stop the votes on others: what its vote waits for
// may never be noted.
const notAside = "proposal NOT IN (SELECT what FROM aside WHERE part = '" + string(AsideProposal) + "')"

// InFlight lists the votes on a chain, other than that on id, that are locked, signed or sent and in no block.
func (db *DB) InFlight(ctx context.Context, id gov.ProposalID) ([]gov.Vote, error) {
	return db.votes(ctx, id, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("status IN (?)", bun.In([]gov.VoteStatus{gov.VoteLocked, gov.VoteSigned, gov.VoteSent})).Where(notAside)
	})
}

// GivenUp lists the votes on a chain, other than that on id, that were signed and in no block when voting closed, and
// those that nobody follows since their records do not fold.
func (db *DB) GivenUp(ctx context.Context, id gov.ProposalID) ([]gov.Vote, error) {
	list, err := db.votes(ctx, id, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("status = ? OR status IN (?) AND NOT "+notAside, gov.VoteExpired, bun.In([]gov.VoteStatus{gov.VoteSigned, gov.VoteSent}))
	})
	for i := range list {
		list[i].Status = gov.VoteExpired
	}
	return slices.DeleteFunc(list, func(v gov.Vote) bool { return v.Raw.Len() == 0 }), err
}

func (db *DB) votes(ctx context.Context, but gov.ProposalID, where func(*bun.SelectQuery) *bun.SelectQuery) (out []gov.Vote, err error) {
	rows, err := db.voteRows(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return where(q).Where("chain = ?", but.Chain.String()).Where("proposal <> ?", but.String()).Where("vote <> ''")
	})
	for _, row := range rows {
		v, err := row.vote()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, err
}

func (db *DB) voteRows(ctx context.Context, where func(*bun.SelectQuery) *bun.SelectQuery) (rows []voteRow, err error) {
	if err := where(db.read.NewSelect().Model(&rows)).Order("proposal").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the index of votes: %w", err)
	}
	return rows, nil
}

func (row voteRow) vote() (v gov.Vote, err error) {
	if err := json.Unmarshal([]byte(row.Vote), &v); err != nil {
		return v, fmt.Errorf("read the vote on %s: %w", row.Proposal, err)
	}
	return v, nil
}

// Waiting lists the votes on a chain, other than that on id, that wait for their time or their turn.
func (db *DB) Waiting(ctx context.Context, id gov.ProposalID) (out []dossier.Turn, err error) {
	rows, err := db.voteRows(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("waits").Where(notAside).Where("chain = ?", id.Chain.String()).Where("proposal <> ?", id.String())
	})
	for _, row := range rows {
		var t dossier.Turn
		if err := json.Unmarshal([]byte(row.Turn), &t); err != nil {
			return nil, fmt.Errorf("read the turn of %s: %w", row.Proposal, err)
		}
		out = append(out, t)
	}
	return out, err
}

// Stake is what is at stake in a proposal by its newest record; the most where there is none, since nothing says that it
// is less.
func (db *DB) Stake(ctx context.Context, id gov.ProposalID) (gov.Stake, error) {
	var row voteRow
	err := db.read.NewSelect().Model(&row).Column("stake").Where("proposal = ?", id.String()).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return gov.MostStake, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the index of votes: %w", err)
	}
	return gov.Stake(row.Stake), nil
}

// Bound is a vote that was bound, with what was planned for it first.
type Bound struct {
	Ballot gov.Ballot
	Raw    gov.Calldata // the newest signed transaction, empty without one
	Plan   gov.Tx
	Stake  gov.Stake
	At     gov.UnixTime // wall clock of binding it, or of signing it last
}

// BoundSince lists the votes of the governor of id, other than that on id, that were bound after a time.
func (db *DB) BoundSince(ctx context.Context, id gov.ProposalID, after gov.UnixTime) ([]Bound, error) {
	return db.bound(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("chain = ?", id.Chain.String()).Where("governor = ?", id.Governor.Hex()).
			Where("bound_at > ?", max(int64(after), 0)).Where("proposal <> ?", id.String())
	})
}

// BoundBy lists the votes of a key. It is an error where a proposal has a vote that the index lacks, since its records do
// not fold: whose it is is not known.
func (db *DB) BoundBy(ctx context.Context, voter gov.Address) ([]Bound, error) {
	var lacks []proposalRow
	if err := db.read.NewSelect().Model(&lacks).Where("proposal NOT IN (SELECT proposal FROM votes)").Order("proposal").Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the index of votes: %w", err)
	}
	for _, row := range lacks {
		if gov.VoteStatus(row.Vote).Bound() {
			return nil, fmt.Errorf("the records of %s cannot be read, and it has a vote: `legate journal fsck` says more", row.Proposal)
		}
	}
	return db.bound(ctx, func(q *bun.SelectQuery) *bun.SelectQuery {
		return q.Where("bound_at > 0").Where("voter = ?", voter.Hex())
	})
}

func (db *DB) bound(ctx context.Context, where func(*bun.SelectQuery) *bun.SelectQuery) (out []Bound, err error) {
	rows, err := db.voteRows(ctx, where)
	for _, row := range rows {
		v, err := row.vote()
		if err != nil {
			return nil, err
		}
		b := Bound{Ballot: v.Ballot, Raw: v.Raw, Stake: gov.Stake(row.Stake), At: gov.UnixTime(row.BoundAt)}
		if err := json.Unmarshal([]byte(row.Plan), &b.Plan); err != nil {
			return nil, fmt.Errorf("read the plan of the vote on %s: %w", row.Proposal, err)
		}
		out = append(out, b)
	}
	return out, err
}
