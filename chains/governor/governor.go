package governor

import (
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// Flavour is a family of Governor contracts.
type Flavour struct {
	Name  gov.Flavour
	Title string // one line
	Text  string // a paragraph for the operator
	// calls are the contract calls that differ between families.
	calls *calls
	// recognise says whether the answers to the probes are those of this family, and if not, why.
	recognise func(p *probes) (why string, ok bool)
}

// Flavours are the families that are found by probing, in the order in which they are tried.
var Flavours = []Flavour{openZeppelin5, openZeppelin4, governorBravo, governorAlpha}

// calls is one flavour's table. Calls of the governor take the proposal's id unless said otherwise; a view
// with an empty text is one that the family does not have.
type calls struct {
	State, Snapshot, Deadline, Eta view
	For, Against, Abstain          view
	HasVoted                       view // (id, voter)
	Proposer                       view
	Quorum                         view // of the governor: (timepoint), or nothing where QuorumFixed
	QuorumFixed                    bool
	Power                          view // (voter, timepoint)
	PowerOfToken                   bool // Power is asked of the token, not of the governor
	Supply                         view // of the token at a past timepoint
	Queue, Execute                 gov.Selector
	ByID                           bool // Queue and Execute take the id, else the content
	PaysValue                      bool // Execute must be sent the sum of the values
	Tokens                         []view
}

// Governor is one contract, with what was proven about it by asking the chain. The zero value knows nothing;
// [Detect] fills it. It is a plain value: copy it, compare its fields.
type Governor struct {
	Chain   gov.ChainID
	Address gov.Address
	Name    gov.Label // the operator's; set by the caller
	Flavour gov.Flavour
	Clock   gov.Clock
	// Timelock executes what was decided; zero where the governor itself does.
	Timelock gov.Address
	// TimelockOZ says that the timelock is OpenZeppelin's (roles), else it is Compound's (one admin).
	TimelockOZ bool
	// Token is where voting power comes from; zero where the governor does not say.
	Token gov.Address
	// Executor is the account that makes the calls: the timelock, or the governor.
	Executor gov.Address
	// Counts are the votes that count towards the quorum.
	Counts Counts
	// HasClock says that the governor has a clock() of EIP-6372. Without it, time is the EVM's block.number.
	HasClock bool
	// HeaderClock says that at detection the governor's clock was the block header's number (or time).
	HeaderClock bool
	// Sequential says that ids are counted, not hashes of the content.
	Sequential bool
	// Proofs say what was asked for each of the above, for people.
	Proofs []Proof
}

// Counts says which votes count towards the quorum.
type Counts struct{ For, Against, Abstain bool }

// Proof is what a call on the chain showed.
type Proof struct {
	Of string // the field
	By string // the calls
}

// flavour finds the family of g in the table.
func (g Governor) flavour() (Flavour, error) {
	for _, f := range Flavours {
		if f.Name == g.Flavour {
			return f, nil
		}
	}
	return Flavour{}, fmt.Errorf("governor %s: flavour %q is not in this release", g.Address, g.Flavour)
}

// id is the full name of one of its proposals.
func (g Governor) id(number gov.Amount) gov.ProposalID {
	return gov.ProposalID{Chain: g.Chain, Governor: g.Address, Number: number}
}

// Reached says whether a tally meets a quorum.
func (g Governor) Reached(t gov.Tally, needed gov.Amount) bool {
	sum := gov.Amount{}.Int()
	for _, part := range []struct {
		counts bool
		votes  gov.Amount
	}{{g.Counts.For, t.For}, {g.Counts.Against, t.Against}, {g.Counts.Abstain, t.Abstain}} {
		if !part.counts {
			continue
		}
		if _, over := sum.AddOverflow(sum, part.votes.Int()); over {
			return true // more than 2^256 votes are more than any quorum
		}
	}
	return gov.AmountOf(sum).Cmp(needed) >= 0
}
