package agenttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// The fixed names of the world.
const (
	Chain     gov.ChainID = 1337
	BlockTime             = 12 // seconds
	Genesis               = 1_700_000_000
	Finality              = 2 // blocks from the newest to the final one
)

// Governor and Voter are the one governor and the voting key.
var (
	Governor = gov.Address{0x60}
	Voter    = gov.Address{0x70}
	Policy   = gov.Digest{0xd0}
)

// Proposal is one scripted proposal.
type Proposal struct {
	Number    uint64
	Created   uint64        // block
	Starts    uint64        // seconds after its block
	Ends      uint64        // seconds after its block
	Direction gov.Direction // what the policy says
	GateHolds bool          // the gate stops a For
	Outcome   gov.State     // the chain's word after the close
	Text      dossier.Untrusted
	Starved   int // how many of our transactions for it run out of gas
	// Changes are later logs, by block.
	Changes map[uint64]gov.State
}

// transaction is a vote on its way.
type transaction struct {
	Hash    gov.Hash
	Number  uint64 // of the proposal
	Nonce   uint64
	Support gov.Support
	Block   uint64 // 0 until mined
	OK      bool   // it counted
	Starved bool   // it ran out of gas
}

// state is what outlives a process.
type state struct {
	Newest    uint64 // block
	Forks     []fork
	Proposals []Proposal
	Ledger    map[uint64]gov.Support // by proposal
	Signed    []gov.Ballot           // every signature, in order
	Sent      []transaction
	Crossed   []string // points that a crash test has passed
}

// fork says that blocks from a number on were replaced.
type fork struct{ From, Salt uint64 }

// World is a chain, a key and a policy. Safe for concurrent use.
type World struct {
	Ports
	// Before is called before each port, After when it has done its work; an error is the port's.
	Before, After func(port string, id gov.ProposalID) error
	// Plan is the policy's when.
	Plan dossier.Plan
	// Pace is how many blocks each poll finds; 0 leaves mining to Mine.
	Pace uint64

	mu   sync.Mutex
	file string
	s    state
}

// New makes a world at block 100, a few blocks of waiting before a vote.
func New() *World {
	w := &World{
		Plan: dossier.Plan{Wait: 2 * BlockTime, Latest: 10 * BlockTime, MaxAge: 50 * BlockTime, Margin: BlockTime, Live: true},
		s:    state{Newest: 100, Ledger: map[uint64]gov.Support{}},
	}
	w.Ports = w.defaults()
	return w
}

// Open makes a world that is kept in a file, as it was left.
func Open(file string) (*World, error) {
	w := New()
	w.file = file
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return w, w.save()
	}
	if err == nil {
		err = json.Unmarshal(b, &w.s)
	}
	if err != nil {
		return nil, fmt.Errorf("read the world of %s: %w", file, err)
	}
	return w, nil
}

// save writes the world where it has a file. It is called with the lock held.
func (w *World) save() error {
	if w.file == "" {
		return nil
	}
	b, err := json.Marshal(w.s)
	if err == nil {
		err = os.WriteFile(w.file+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(w.file+".new", w.file)
	}
	if err != nil {
		return fmt.Errorf("keep the world: %w", err)
	}
	return nil
}

// change alters the world and keeps it.
func (w *World) change(f func(*state)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.s)
	if err := w.save(); err != nil {
		panic(err)
	}
}

// Propose adds a proposal in the next block and returns its id. Zero times make a window that opens after
// 2 blocks and closes after 60; a zero outcome is defeat.
func (w *World) Propose(p Proposal) gov.ProposalID {
	w.change(func(s *state) {
		if p.Created == 0 {
			p.Created = s.Newest + 1
		}
		if p.Starts == 0 {
			p.Starts = 2 * BlockTime
		}
		if p.Ends == 0 {
			p.Ends = 60 * BlockTime
		}
		if p.Outcome == "" {
			p.Outcome = gov.StateDefeated
		}
		s.Proposals = append(s.Proposals, p)
	})
	return ID(p.Number)
}

// ID is the id of a proposal by its number.
func ID(number uint64) gov.ProposalID {
	return gov.ProposalID{Chain: Chain, Governor: Governor, Number: gov.NewAmount(number)}
}

// Mine makes n blocks; the first takes in what was sent.
func (w *World) Mine(n uint64) {
	w.change(func(s *state) { s.mine(n) })
}

func (s *state) mine(n uint64) {
	for range n {
		s.Newest++
		for i := range s.Sent {
			if t := &s.Sent[i]; t.Block == 0 && t.Nonce == s.nonce() {
				t.Block, t.Starved = s.Newest, s.starve(t.Number)
				t.OK = !t.Starved && !s.voted(t.Number)
			}
		}
	}
}

// starve reports whether the next transaction for a proposal runs out of gas.
func (s *state) starve(number uint64) bool {
	for i := range s.Proposals {
		if p := &s.Proposals[i]; p.Number == number && p.Starved > 0 {
			p.Starved--
			return true
		}
	}
	return false
}

// nonce is the next one of the voting key.
func (s *state) nonce() (n uint64) {
	for _, t := range s.Sent {
		if t.Block != 0 {
			n++
		}
	}
	return n
}

func (s *state) voted(number uint64) bool {
	for _, t := range s.Sent {
		if t.Number == number && t.OK {
			return true
		}
	}
	return false
}

// Reorg replaces the newest depth blocks by as many others and one more. Proposals of the lost blocks
// are gone unless keep says that the new ones have them too; so are changes. Mined votes are in the pool again.
func (w *World) Reorg(depth uint64, keep bool) {
	w.change(func(s *state) {
		from := s.Newest - depth + 1
		s.Forks = append(s.Forks, fork{from, uint64(len(s.Forks) + 1)})
		var left []Proposal
		for _, p := range s.Proposals {
			for block := range p.Changes {
				if block >= from && !keep {
					delete(p.Changes, block)
				}
			}
			if p.Created < from || keep {
				left = append(left, p)
			}
		}
		s.Proposals = left
		for i := range s.Sent {
			if t := &s.Sent[i]; t.Block >= from {
				t.Block, t.OK = 0, false
			}
		}
		s.Newest = from - 1
		s.mine(depth + 1)
	})
}

// Change adds a log about a proposal to the next block.
func (w *World) Change(number uint64, to gov.State) {
	w.change(func(s *state) {
		for i := range s.Proposals {
			if p := &s.Proposals[i]; p.Number == number {
				if p.Changes == nil {
					p.Changes = map[uint64]gov.State{}
				}
				p.Changes[s.Newest+1] = to
			}
		}
	})
}

// block is a block by its number; its hash says on which fork it is.
func (s *state) block(number uint64) gov.Block {
	var salt uint64
	for _, f := range s.Forks {
		if number >= f.From {
			salt = f.Salt
		}
	}
	return gov.Block{Number: number, Hash: crypto.Keccak256Hash(fmt.Appendf(nil, "%d/%d", number, salt)), Time: Genesis + gov.UnixTime(number)*BlockTime}
}

func (s *state) head() gov.Head {
	h := gov.Head{Latest: s.block(s.Newest), Final: s.block(s.Newest - Finality)}
	h.Clock = gov.Clocks(h.Latest.Time)
	return h
}

func (s *state) find(id gov.ProposalID) (Proposal, error) {
	for _, p := range s.Proposals {
		if ID(p.Number) == id {
			return p, nil
		}
	}
	return Proposal{}, fmt.Errorf("no proposal %s on this chain", id)
}

func (s *state) proposal(p Proposal) gov.Proposal {
	b := s.block(p.Created)
	hash := crypto.Keccak256Hash(fmt.Appendf(nil, "content %d %s", p.Number, p.Direction))
	return gov.Proposal{
		ID: ID(p.Number), Name: "world", Flavour: gov.OpenZeppelin5, Proposer: gov.Address{1}, Created: b, Clock: gov.ClockTimestamp,
		Starts: gov.Clocks(uint64(b.Time) + p.Starts), Ends: gov.Clocks(uint64(b.Time) + p.Ends), EndsAt: b.Time + gov.UnixTime(p.Ends),
		State: gov.StatePending, Actions: []gov.Action{{To: gov.Address{2}, Value: gov.NewAmount(p.Number)}},
		ContentHash: hash, DescriptionHash: crypto.Keccak256Hash([]byte(p.Text)),
	}
}

// standing is the chain's word for a proposal at the newest block.
func (s *state) standing(p Proposal) gov.State {
	state, newest := gov.State(""), uint64(0)
	for block, to := range p.Changes {
		if block <= s.Newest && block >= newest {
			state, newest = to, block
		}
	}
	now := uint64(s.block(s.Newest).Time - s.block(p.Created).Time)
	switch {
	case state != "":
		return state
	case now <= p.Starts:
		return gov.StatePending
	case now <= p.Ends:
		return gov.StateActive
	}
	return p.Outcome
}

// Newest is the newest block's number.
func (w *World) Newest() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.s.Newest
}

// Signed lists the ballot of every signature that was made, in order.
func (w *World) Signed() []gov.Ballot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]gov.Ballot(nil), w.s.Signed...)
}

// Votes are the votes that count on chain, by the proposal's number. Doubled counts transactions
// that were mined and did not count, but for those that ran out of gas.
func (w *World) Votes() (votes map[uint64]gov.Support, doubled int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	votes = map[uint64]gov.Support{}
	for _, t := range w.s.Sent {
		switch {
		case t.OK:
			votes[t.Number] = t.Support
		case t.Block != 0 && !t.Starved:
			doubled++
		}
	}
	return votes, doubled
}

// Cross says whether a point is passed for the first time in the life of the world's file, and keeps that.
func (w *World) Cross(point string) bool {
	first := true
	w.change(func(s *state) {
		for _, p := range s.Crossed {
			first = first && p != point
		}
		if first {
			s.Crossed = append(s.Crossed, point)
		}
	})
	return first
}

// Crossed lists the points that were passed, in order.
func (w *World) Crossed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.s.Crossed...)
}
