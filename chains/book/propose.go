package book

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

// Proposed is an entry as the chain shows it, for a person to accept. Label is left for that person to write.
type Proposed struct {
	Entry
	Contract Contract
	// ABIName is a shipped ABI whose characteristic methods the contract answers, or what Bind was given; empty if none.
	ABIName string
}

// probes tell the shipped ABIs apart: all getters of a line must answer. The first line that fits wins.
var probes = []struct {
	name    string
	kind    Kind
	getters []gov.Signature
}{
	{"governor", Deployed, []gov.Signature{"votingDelay()", "votingPeriod()", "COUNTING_MODE()"}},
	{"bravo", Deployed, []gov.Signature{"votingDelay()", "votingPeriod()", "proposalCount()"}},
	{"timelock", Deployed, []gov.Signature{"getMinDelay()", "PROPOSER_ROLE()"}},
	{"compound-timelock", Deployed, []gov.Signature{"delay()", "GRACE_PERIOD()"}},
	{"erc20", Token, []gov.Signature{"totalSupply()", "decimals()", "symbol()"}},
	{"comptroller", Market, []gov.Signature{"closeFactorMantissa()", "liquidationIncentiveMantissa()"}},
	{"ctoken", Market, []gov.Signature{"reserveFactorMantissa()", "interestRateModel()"}},
	{"safe", Safe, []gov.Signature{"getThreshold()", "nonce()"}},
}

// Propose reads what stands at an address at a block and proposes an entry for the book. An account without code is
// an error: there is nothing to pin.
func Propose(ctx context.Context, c rpc.Caller, a gov.Address, at gov.Block) (Proposed, error) {
	s := At(c, at.Hash)
	contract, err := ReadContract(ctx, s, a)
	if err != nil {
		return Proposed{}, err
	}
	if contract.Size == 0 {
		return Proposed{}, fmt.Errorf("%s has no code at block %d: there is nothing to pin", a, at.Number)
	}
	p := Proposed{Contract: contract, Entry: Entry{
		Address: a, Kind: Deployed, CodeHash: contract.Hash, Implementation: contract.Implementation, ImplCodeHash: contract.ImplHash,
	}}
	for _, probe := range probes {
		fits, err := answersAll(ctx, s, a, probe.getters)
		if err != nil {
			return Proposed{}, err
		}
		if fits {
			p.ABIName, p.Kind = probe.name, probe.kind
			p.ABI, _ = Shipped(probe.name)
			break
		}
	}
	return p, p.readDecimals(ctx, s)
}

func (p *Proposed) readDecimals(ctx context.Context, s State) error {
	if p.Kind != Token {
		return nil
	}
	selector := SelectorOf("decimals()")
	out, err := s.Call(ctx, p.Address, selector[:])
	if err != nil {
		return fmt.Errorf("read the decimals of %s: %w", p.Address, err)
	}
	if len(out) == 32 && bytes.Equal(out[:31], make([]byte, 31)) && out[31] <= 77 {
		p.Decimals = gov.Known(out[31])
	}
	return nil
}

func answersAll(ctx context.Context, s State, a gov.Address, getters []gov.Signature) (bool, error) {
	for _, getter := range getters {
		selector := SelectorOf(getter)
		out, err := s.Call(ctx, a, selector[:])
		if errors.Is(err, ErrReverted) || err == nil && len(out) < 32 {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("ask %s for %s: %w", a, getter, err)
		}
	}
	return true, nil
}

// yamlEntry is an entry in the order in which a person reads it.
type yamlEntry struct {
	Address        string `yaml:"address"`
	Label          string `yaml:"label"`
	Kind           string `yaml:"kind,omitempty"`
	Decimals       *uint8 `yaml:"decimals,omitempty"`
	ABI            string `yaml:"abi,omitempty"`
	CodeHash       string `yaml:"code_hash"`
	Implementation string `yaml:"implementation,omitempty"`
	ImplCodeHash   string `yaml:"implementation_code_hash,omitempty"`
	// Means has a line for each function that nobody has given a meaning yet.
	Means yaml.MapSlice `yaml:"means,omitempty"`
}

// Bind gives the proposal an ABI: a shipped name, or a file relative to the folder of book.
func (p *Proposed) Bind(book, abi string, read func(path string) ([]byte, error)) error {
	field := abiField{word: abi}
	bound, err := field.resolve(book, read)
	if err != nil {
		return fmt.Errorf("%w (%s)", err, field.hint())
	}
	p.ABI, p.ABIName = bound, abi
	return nil
}

// YAML is the entry as a list item of book.yaml, under the label that the person gives. Where no shipped ABI fits it
// has none, and makes nothing known until the person adds one.
func (p Proposed) YAML(label gov.Label) (string, error) {
	e := yamlEntry{
		Address: p.Address.Hex(), Label: string(label), Kind: string(p.Kind), ABI: p.ABIName, CodeHash: p.CodeHash.Hex(),
	}
	if n, ok := p.Decimals.Get(); ok {
		e.Decimals = &n
	}
	if !p.Implementation.IsZero() {
		e.Implementation = p.Implementation.Hex()
		e.ImplCodeHash = p.ImplCodeHash.Hex()
	}
	for _, function := range p.Meaningless() {
		e.Means = append(e.Means, yaml.MapItem{Key: string(function), Value: meansOpaque})
	}
	out, err := yaml.MarshalWithOptions([]yamlEntry{e}, yaml.IndentSequence(true), yaml.UseSingleQuote(false))
	if err != nil {
		return "", fmt.Errorf("write the entry for %s: %w", p.Address, err)
	}
	return string(out), nil
}

// Moved is an entry whose code is no longer what the book records: nothing there is known until a person accepts it.
type Moved struct {
	Entry Entry
	Now   Code
}

// Diff compares every entry that pins code with what stands there at a block.
func Diff(ctx context.Context, c rpc.Caller, b *Book, at gov.Block) ([]Moved, error) {
	var out []Moved
	for _, e := range b.Entries() {
		if e.CodeHash == (gov.Hash{}) {
			continue
		}
		now, err := ReadContract(ctx, At(c, at.Hash), e.Address)
		if err != nil {
			return nil, fmt.Errorf("compare the entry %s: %w", e.Label, err)
		}
		if !e.Matches(now.Code) {
			out = append(out, Moved{e, now.Code})
		}
	}
	return out, nil
}
