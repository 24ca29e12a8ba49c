package governor

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// What is read of a proposal. More is never an error: the proposal is marked TooLarge, a content fact, and its hashes
// are those of the whole. The bounds count bytes and actions, so that they say the same on every node.
const (
	// MaxActions: the largest real proposals have a few dozen; every one is decoded, run and shown.
	MaxActions = 1000
	// MaxDescription, in bytes: the longest real texts are below 100 kB.
	MaxDescription = 1 << 20
	// MaxLog, in bytes of log data: four times what one transaction under the protocol's gas cap of 2^24 can log.
	MaxLog = 8 << 20
	// MaxKept, in bytes of actions: beyond it they are left out, and only their hash is kept. A transaction under the
	// gas cap of 2^24 carries 1.6 MB at most.
	MaxKept = 2 << 20
)

// actionBytes is what an action takes beside its calldata: target, value, two offsets and two lengths.
const actionBytes = 6 * wordSize

// ErrTooLarge says that a proposal was not read in full.
var ErrTooLarge = errors.New("the proposal has more actions or text than is read")

// The head of ProposalCreated's data, in words.
const (
	headID = wordSize * iota
	headProposer
	headTargets
	headValues
	headSignatures
	headCalldatas
	headStart
	headEnd
	headDescription
	headSize
)

// created reads ProposalCreated. Whatever its lists and text hold, the result is a proposal: what cannot be
// read of it in full is left out and marked.
func (g Governor) created(l rpc.Log, id gov.ProposalID) (Event, error) {
	d := &decoder{data: l.Data}
	if len(l.Data) < headSize {
		return nil, fmt.Errorf("%w: ProposalCreated of %s has %d bytes", ErrLog, id, len(l.Data))
	}
	p := gov.Proposal{
		ID: id, Name: g.Name, Flavour: g.Flavour, Clock: g.Clock, State: gov.StatePending,
		Created: gov.Block{Number: l.BlockNumber, Hash: l.BlockHash},
	}
	w, err := d.word(headProposer)
	if err == nil {
		p.Proposer, err = w.address()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: proposer of %s: %w", ErrLog, id, err)
	}
	if p.Starts, err = clocksAt(d, headStart); err != nil {
		return nil, fmt.Errorf("%w: start of %s: %w", ErrLog, id, err)
	}
	if p.Ends, err = clocksAt(d, headEnd); err != nil {
		return nil, fmt.Errorf("%w: end of %s: %w", ErrLog, id, err)
	}
	seen := dossier.Seen{Proposal: p}
	if !g.Sequential && !g.stored() && !id.Number.Int().IsUint64() {
		seen.Proposal.ContentHash = gov.Hash(id.Number.Int().Bytes32()) // also of what cannot be read: the id is the hash
	}
	if seen.Proposal.Actions, seen.Shown.Signatures, err = decodeActions(d, [4]int{headTargets, headValues, headSignatures, headCalldatas}); err != nil {
		return Created{unread(seen)}, nil
	}
	from, err := d.offset(headDescription, 0)
	if err != nil {
		return Created{unread(seen)}, nil
	}
	description, err := d.bytesAt(from, len(l.Data))
	if err != nil {
		return Created{unread(seen)}, nil
	}
	return Created{complete(seen, description, len(l.Data) > MaxLog)}, nil
}

// unread is a proposal of which only the head was read: what is behind it is no ABI data.
func unread(s dossier.Seen) dossier.Seen {
	s.Proposal.TooLarge, s.Proposal.Actions, s.Shown.Signatures = true, nil, nil
	s.Text.Flags = []gov.Flag{gov.FlagTooLong}
	return s
}

// complete hashes content and text in full, and then leaves out what is over the limits. huge is a log over MaxLog.
func complete(s dossier.Seen, description []byte, huge bool) dossier.Seen {
	p := &s.Proposal
	p.DescriptionHash = crypto.Keccak256Hash(description)
	p.ContentHash = gov.ContentHash(p.Actions, p.DescriptionHash)
	p.TooLarge = huge || len(p.Actions) > MaxActions
	size := 0
	for _, a := range p.Actions {
		size += a.Calldata.Len() + actionBytes
	}
	for i, text := range s.Shown.Signatures {
		if size += len(text); len(text) > dossier.MaxSignature {
			p.TooLarge, s.Shown.Signatures[i] = true, ""
			p.Actions[i].Signed = false // its selector stands in front of the calldata; the text is not kept
		}
	}
	if !utf8.Valid(description) {
		s.Text.Flags = append(s.Text.Flags, gov.FlagNotUTF8)
	}
	if len(description) > MaxDescription {
		p.TooLarge = true
		s.Text.Flags = append(s.Text.Flags, gov.FlagTooLong)
	}
	s.Text.Description = dossier.Untrusted(cut(string(description), MaxDescription))
	s.Text.Title = Title(s.Text.Description)
	if p.TooLarge && size > MaxKept {
		p.Actions, s.Shown.Signatures = nil, nil
	}
	return s
}

// decodeActions reads the four parallel lists of targets, values, signatures and calldatas, whose pointers
// stand at heads.
func decodeActions(d *decoder, heads [4]int) ([]gov.Action, []dossier.Untrusted, error) {
	var n [4]int
	var at [4]int
	for i, head := range heads {
		from, err := d.offset(head, 0)
		if err != nil {
			return nil, nil, err
		}
		if n[i], at[i], err = d.list(from); err != nil {
			return nil, nil, err
		}
	}
	if n[0] != n[1] || n[0] != n[3] || (n[2] != 0 && n[2] != n[0]) {
		return nil, nil, fmt.Errorf("%w: lists of %v elements", errBounds, n)
	}
	actions := make([]gov.Action, n[0])
	var signatures []dossier.Untrusted
	for i := range actions {
		to, err := d.word(at[0] + i*wordSize)
		if err != nil {
			return nil, nil, err
		}
		if actions[i].To, err = to.address(); err != nil {
			return nil, nil, err
		}
		value, err := d.word(at[1] + i*wordSize)
		if err != nil {
			return nil, nil, err
		}
		actions[i].Value = value.amount()
		data, err := d.element(at[3], i)
		if err != nil {
			return nil, nil, err
		}
		var signature []byte
		if n[2] > 0 {
			if signature, err = d.element(at[2], i); err != nil {
				return nil, nil, err
			}
		}
		if len(signature) > 0 {
			if signatures == nil {
				signatures = make([]dossier.Untrusted, len(actions))
			}
			signatures[i], actions[i].Signed = dossier.Untrusted(signature), true
			data = append(crypto.Keccak256(signature)[:4:4], data...)
		}
		actions[i].Calldata = gov.CalldataOf(data)
	}
	return actions, signatures, nil
}

// element reads element i of a list of byte strings whose offsets begin at first and count from there.
func (d *decoder) element(first, i int) ([]byte, error) {
	from, err := d.offset(first+i*wordSize, first)
	if err != nil {
		return nil, err
	}
	return d.bytesAt(from, len(d.data))
}
