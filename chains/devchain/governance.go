package devchain

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// Action is one call of a proposal.
type Action struct {
	Target common.Address
	Value  *big.Int // wei; nil is none
	// Signature is empty or a Solidity signature such as "f(uint256)"; Calldata is
	// then the arguments alone. Bravo takes it so; for the other flavours Propose
	// puts the selector in front of the calldata.
	Signature string
	Calldata  []byte
}

// ActionOn makes an action that calls a method of a compiled contract.
func ActionOn(target common.Address, contract, method string, args ...any) (Action, error) {
	data, err := Pack(contract, method, args...)
	return Action{Target: target, Calldata: data}, err
}

// Proposal is a proposal that was made through Propose.
type Proposal struct {
	ID          *big.Int
	Actions     []Action
	Description string
	Receipt     *types.Receipt // of the proposing transaction
}

// State is a proposal's state as the governors number it.
type State uint8

// The states.
const (
	Pending State = iota
	Active
	Canceled
	Defeated
	Succeeded
	Queued
	Expired
	Executed
)

// Support is what a vote says.
type Support uint8

// The three of them.
const (
	Against Support = iota
	For
	Abstain
)

// Votes is the tally of a proposal, in the token's smallest unit.
type Votes struct{ Against, For, Abstain *big.Int }

// governorCreated is the topic of ProposalCreated, the same in all flavours.
var governorCreated = crypto.Keccak256Hash([]byte(
	"ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)"))

// Delegate gives the session account's votes to an account, possibly its own.
func (s *Session) Delegate(ctx context.Context, dao *DAO, to common.Address) error {
	_, err := s.Transact(ctx, dao.Token, dao.TokenContract(), "delegate", to)
	return err
}

// TransferToken sends voting tokens.
func (s *Session) TransferToken(ctx context.Context, dao *DAO, to common.Address, amount *big.Int) error {
	_, err := s.Transact(ctx, dao.Token, dao.TokenContract(), "transfer", to, amount)
	return err
}

// Propose makes a proposal with the session's account as proposer.
func (s *Session) Propose(ctx context.Context, dao *DAO, actions []Action, description string) (*Proposal, error) {
	targets, values, calldatas := split(dao, actions)
	args := []any{targets, values, calldatas, description}
	if dao.Flavour == Bravo {
		signatures := make([]string, len(actions))
		for i, a := range actions {
			signatures[i] = a.Signature
		}
		args = []any{targets, values, signatures, calldatas, description}
	}
	receipt, err := s.Transact(ctx, dao.Governor, dao.GovernorContract(), "propose", args...)
	if err != nil {
		return nil, err
	}
	for _, l := range receipt.Logs {
		if l.Address == dao.Governor && len(l.Topics) == 1 && l.Topics[0] == governorCreated && len(l.Data) >= 32 {
			id := new(big.Int).SetBytes(l.Data[:32])
			return &Proposal{ID: id, Actions: actions, Description: description, Receipt: receipt}, nil
		}
	}
	return nil, fmt.Errorf("propose: transaction %v has no ProposalCreated event", receipt.TxHash)
}

// split turns actions into the governors' parallel lists.
func split(dao *DAO, actions []Action) ([]common.Address, []*big.Int, [][]byte) {
	targets, values, calldatas := make([]common.Address, len(actions)), make([]*big.Int, len(actions)), make([][]byte, len(actions))
	for i, a := range actions {
		targets[i], values[i], calldatas[i] = a.Target, a.Value, a.Calldata
		if a.Value == nil {
			values[i] = new(big.Int)
		}
		if a.Signature != "" && dao.Flavour != Bravo {
			calldatas[i] = append(crypto.Keccak256([]byte(a.Signature))[:4], a.Calldata...)
		}
	}
	return targets, values, calldatas
}

// CastVote votes with the session's account; reason may be empty.
func (s *Session) CastVote(ctx context.Context, dao *DAO, id *big.Int, support Support, reason string) error {
	var err error
	if reason == "" {
		_, err = s.Transact(ctx, dao.Governor, dao.GovernorContract(), "castVote", id, uint8(support))
	} else {
		_, err = s.Transact(ctx, dao.Governor, dao.GovernorContract(), "castVoteWithReason", id, uint8(support), reason)
	}
	return err
}

// Queue puts a proposal that succeeded into the timelock.
func (s *Session) Queue(ctx context.Context, dao *DAO, p *Proposal) error {
	return s.settle(ctx, dao, p, "queue")
}

// Execute runs a queued proposal.
func (s *Session) Execute(ctx context.Context, dao *DAO, p *Proposal) error {
	return s.settle(ctx, dao, p, "execute")
}

// Cancel withdraws a proposal, where the governor lets the session's account.
func (s *Session) Cancel(ctx context.Context, dao *DAO, p *Proposal) error {
	return s.settle(ctx, dao, p, "cancel")
}

func (s *Session) settle(ctx context.Context, dao *DAO, p *Proposal, method string) error {
	args := []any{p.ID}
	if dao.Flavour != Bravo {
		targets, values, calldatas := split(dao, p.Actions)
		args = []any{targets, values, calldatas, [32]byte(crypto.Keccak256Hash([]byte(p.Description)))}
	}
	_, err := s.Transact(ctx, dao.Governor, dao.GovernorContract(), method, args...)
	return err
}

// State reads the state of a proposal.
func (s *Session) State(ctx context.Context, dao *DAO, id *big.Int) (State, error) {
	n, err := Read[uint8](ctx, s, dao.Governor, dao.GovernorContract(), "state", id)
	return State(n), err
}

// bravoProposal are the fields of Bravo's proposals(id) that this package reads.
type bravoProposal struct {
	Eta, StartBlock, EndBlock, ForVotes, AgainstVotes, AbstainVotes *big.Int
}

func (s *Session) bravoProposal(ctx context.Context, dao *DAO, id *big.Int) (*bravoProposal, error) {
	out, err := s.Call(ctx, dao.Governor, dao.GovernorContract(), "proposals", id)
	if err != nil {
		return nil, err
	}
	if len(out) != 10 {
		return nil, fmt.Errorf("proposals(%v) answers with %d values, not 10", id, len(out))
	}
	at := func(i int) *big.Int {
		n, ok := out[i].(*big.Int)
		if !ok {
			return new(big.Int)
		}
		return n
	}
	return &bravoProposal{Eta: at(2), StartBlock: at(3), EndBlock: at(4), ForVotes: at(5), AgainstVotes: at(6), AbstainVotes: at(7)}, nil
}

// ProposalVotes reads the tally of a proposal.
func (s *Session) ProposalVotes(ctx context.Context, dao *DAO, id *big.Int) (Votes, error) {
	if dao.Flavour == Bravo {
		p, err := s.bravoProposal(ctx, dao, id)
		if err != nil {
			return Votes{}, err
		}
		return Votes{Against: p.AgainstVotes, For: p.ForVotes, Abstain: p.AbstainVotes}, nil
	}
	out, err := s.Call(ctx, dao.Governor, dao.GovernorContract(), "proposalVotes", id)
	if err != nil {
		return Votes{}, err
	}
	if len(out) != 3 {
		return Votes{}, fmt.Errorf("proposalVotes(%v) answers with %d values, not 3", id, len(out))
	}
	return Votes{Against: out[0].(*big.Int), For: out[1].(*big.Int), Abstain: out[2].(*big.Int)}, nil
}

// Window reads when voting on a proposal starts and ends, in the DAO's clock.
// Votes count after start and up to and including end.
func (s *Session) Window(ctx context.Context, dao *DAO, id *big.Int) (start, end uint64, err error) {
	if dao.Flavour == Bravo {
		p, err := s.bravoProposal(ctx, dao, id)
		if err != nil {
			return 0, 0, err
		}
		return p.StartBlock.Uint64(), p.EndBlock.Uint64(), nil
	}
	from, err := Read[*big.Int](ctx, s, dao.Governor, dao.GovernorContract(), "proposalSnapshot", id)
	if err != nil {
		return 0, 0, err
	}
	to, err := Read[*big.Int](ctx, s, dao.Governor, dao.GovernorContract(), "proposalDeadline", id)
	if err != nil {
		return 0, 0, err
	}
	if from.Sign() == 0 {
		return 0, 0, fmt.Errorf("proposal %v is not known to the governor", id)
	}
	return from.Uint64(), to.Uint64(), nil
}

// ETA reads the Unix time from which a queued proposal can be executed.
func (s *Session) ETA(ctx context.Context, dao *DAO, id *big.Int) (uint64, error) {
	var eta *big.Int
	if dao.Flavour == Bravo {
		p, err := s.bravoProposal(ctx, dao, id)
		if err != nil {
			return 0, err
		}
		eta = p.Eta
	} else {
		var err error
		if eta, err = Read[*big.Int](ctx, s, dao.Governor, dao.GovernorContract(), "proposalEta", id); err != nil {
			return 0, err
		}
	}
	if eta.Sign() == 0 {
		return 0, errors.New("the proposal is not queued")
	}
	return eta.Uint64(), nil
}

// SkipToVoting makes blocks until votes on the proposal count.
func (s *Session) SkipToVoting(ctx context.Context, dao *DAO, id *big.Int) error {
	start, _, err := s.Window(ctx, dao, id)
	if err != nil {
		return err
	}
	return s.skipTo(ctx, dao.Clock, start+1)
}

// SkipToEnd makes blocks until voting on the proposal is over.
func (s *Session) SkipToEnd(ctx context.Context, dao *DAO, id *big.Int) error {
	_, end, err := s.Window(ctx, dao, id)
	if err != nil {
		return err
	}
	return s.skipTo(ctx, dao.Clock, end+1)
}

// SkipToETA makes one block at the time from which the queued proposal can be
// executed.
func (s *Session) SkipToETA(ctx context.Context, dao *DAO, id *big.Int) error {
	eta, err := s.ETA(ctx, dao, id)
	if err != nil {
		return err
	}
	return s.skipTo(ctx, ClockTime, eta)
}
