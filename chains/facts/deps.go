package facts

import (
	"context"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/fork"
	"github.com/legate-dao/legate/chains/governor"
	"github.com/legate-dao/legate/chains/rpc"
)

// Deps is what a gathering reads from, for one governor. Only Caller must be there.
type Deps struct {
	Caller rpc.Caller
	// Governor was found on the chain; the zero Governor is that of a draft.
	Governor governor.Governor
	// Doubt is why it is in doubt what the governor is; empty where it is not. It is missing as `dao`.
	Doubt gov.Reason
	// Executor makes the calls of a draft; elsewhere the governor says who does.
	Executor gov.Address
	Book     *book.Book
	Prices   Prices
	// Treasury are the operator's accounts beside the executor; Tokens are valued beside the governance token.
	Treasury []gov.Address
	Tokens   []gov.Address
	Caps     gov.Caps
	// Runner makes the dry run; nil leaves the effects unavailable.
	Runner Runner
	// Voter is the voting key, Holder whose tokens they are; zero leaves those facts missing.
	Voter, Holder gov.Address
	// History knows whom executed proposals paid; nil leaves recipients_new missing.
	History History
	// Sources is how many endpoints stand behind Caller.
	Sources int
}

// Runner is the dry run; *fork.Runner is one.
type Runner interface {
	Run(ctx context.Context, p gov.Proposal, at gov.Block, plan fork.Plan) (*fork.Result, error)
}

// History knows whom the DAO has paid.
type History interface {
	// Paid says whether a decoded executed proposal paid an account before a block.
	Paid(ctx context.Context, governor gov.Address, to gov.Address, before gov.Block) (bool, error)
}

// dao is the DAO's own accounts as far as they are known.
func (d Deps) dao() gov.DAO {
	executor := d.Governor.Executor
	if executor.IsZero() {
		executor = d.Executor
	}
	return gov.DAO{Governor: d.Governor.Address, Timelock: d.Governor.Timelock, Token: d.Governor.Token, Executor: executor}
}
