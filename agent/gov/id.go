package gov

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/holiman/uint256"
)

// Address is a 20-byte account, EIP-55 as text. It converts to and from go-ethereum's type.
type Address [20]byte

// Hash is 32 bytes, 0x hex as text.
type Hash = common.Hash

// Hex is the EIP-55 form.
func (a Address) Hex() string { return common.Address(a).Hex() }

// String is the EIP-55 form.
func (a Address) String() string { return a.Hex() }

// IsZero says whether all bytes are 0.
func (a Address) IsZero() bool { return a == Address{} }

// Cmp orders addresses by their bytes.
func (a Address) Cmp(b Address) int { return bytes.Compare(a[:], b[:]) }

// MarshalText writes EIP-55.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.Hex()), nil }

// UnmarshalText reads 0x and 40 hex digits of any case.
func (a *Address) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAddress(string(b))
	return err
}

// ParseAddress reads 0x and 40 hex digits of any case.
func ParseAddress(s string) (Address, error) {
	if len(s) != 42 || s[:2] != "0x" || !common.IsHexAddress(s) {
		return Address{}, fmt.Errorf("%.60q is not an address of the form 0x and 40 hex digits", s)
	}
	return Address(common.HexToAddress(s)), nil
}

// ChainID is the number of an EIP-155 chain; CAIP-2 as text.
type ChainID uint64

// String is the CAIP-2 form, eip155:1.
func (c ChainID) String() string { return "eip155:" + strconv.FormatUint(uint64(c), 10) }

// ParseChainID reads eip155:N.
func ParseChainID(s string) (ChainID, error) {
	rest, ok := strings.CutPrefix(s, "eip155:")
	n, err := strconv.ParseUint(rest, 10, 64)
	if !ok || err != nil || n == 0 || strconv.FormatUint(n, 10) != rest {
		return 0, fmt.Errorf("%q is not a chain of the form eip155:1", s)
	}
	return ChainID(n), nil
}

// MarshalText writes CAIP-2.
func (c ChainID) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads CAIP-2.
func (c *ChainID) UnmarshalText(b []byte) (err error) {
	*c, err = ParseChainID(string(b))
	return err
}

// ProposalID names one proposal everywhere: chain, governor, number on chain.
type ProposalID struct {
	Chain    ChainID
	Governor Address
	Number   Amount
}

// String is eip155:1:0xGovernor/123 (CAIP-10 account and decimal number).
func (p ProposalID) String() string {
	return p.Chain.String() + ":" + p.Governor.Hex() + "/" + p.Number.String()
}

// ParseProposalID reads what String writes.
func ParseProposalID(s string) (ProposalID, error) {
	fail := func() (ProposalID, error) {
		return ProposalID{}, fmt.Errorf("%q is not a proposal id of the form eip155:1:0xGovernor/123", s)
	}
	account, number, ok := strings.Cut(s, "/")
	i := strings.LastIndexByte(account, ':')
	if !ok || i < 0 {
		return fail()
	}
	governor, err := ParseAddress(account[i+1:])
	if err != nil {
		return fail()
	}
	chain, err := ParseChainID(account[:i])
	if err != nil {
		return fail()
	}
	n, err := ParseAmount(number)
	if err != nil {
		return fail()
	}
	return ProposalID{chain, governor, n}, nil
}

// MarshalText writes the id.
func (p ProposalID) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the id.
func (p *ProposalID) UnmarshalText(b []byte) (err error) {
	*p, err = ParseProposalID(string(b))
	return err
}

// Handle is the short form that people use: the governor's name and the number where it is short
// (at most nine digits), else the first digits hex digits of the number (six, more while ambiguous).
func (p ProposalID) Handle(name Label, digits int) string {
	if dec := p.Number.String(); len(dec) <= 9 {
		return string(name) + "/" + dec
	}
	n := p.Number.Int()
	hex := fmt.Sprintf("%064x", n.Bytes32())
	return string(name) + "/" + hex[:min(max(digits, 6), 64)]
}

// Amount is an unsigned 256-bit number; a decimal string in JSON.
type Amount struct{ n uint256.Int }

// NewAmount is the number n.
func NewAmount(n uint64) Amount { return Amount{*uint256.NewInt(n)} }

// AmountOf copies n; nil is zero.
func AmountOf(n *uint256.Int) Amount {
	if n == nil {
		return Amount{}
	}
	return Amount{*n}
}

// ParseAmount reads a decimal number below 2^256.
func ParseAmount(s string) (Amount, error) {
	var n uint256.Int
	if s == "" || len(s) > 78 || (len(s) > 1 && s[0] == '0') || strings.Trim(s, "0123456789") != "" {
		return Amount{}, fmt.Errorf("%.90q is not a decimal number", s)
	}
	if err := n.SetFromDecimal(s); err != nil {
		return Amount{}, fmt.Errorf("%.90q is not below 2^256", s)
	}
	return Amount{n}, nil
}

// Int returns a copy that the caller may change.
func (a Amount) Int() *uint256.Int { n := a.n; return &n }

// IsZero says whether the number is 0.
func (a Amount) IsZero() bool { return a.n.IsZero() }

// Cmp is -1, 0 or 1.
func (a Amount) Cmp(b Amount) int { return a.n.Cmp(&b.n) }

// Float is the nearest double, for display and rules, never for amounts that move.
func (a Amount) Float() float64 { return a.n.Float64() }

// String is decimal.
func (a Amount) String() string { return a.n.Dec() }

// MarshalText writes the decimal form.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.n.Dec()), nil }

// UnmarshalText reads the decimal form.
func (a *Amount) UnmarshalText(b []byte) (err error) {
	*a, err = ParseAmount(string(b))
	return err
}

// Delta is a signed change of an amount; a decimal string with sign in JSON.
type Delta struct {
	Negative bool
	Size     Amount
}

// DeltaOf is after minus before.
func DeltaOf(before, after Amount) Delta {
	if after.Cmp(before) < 0 {
		return Delta{true, Amount{*new(uint256.Int).Sub(&before.n, &after.n)}}
	}
	return Delta{false, Amount{*new(uint256.Int).Sub(&after.n, &before.n)}}
}

// MarshalText writes -1000 or 1000.
func (d Delta) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String writes -1000 or 1000.
func (d Delta) String() string {
	if d.Negative && !d.Size.IsZero() {
		return "-" + d.Size.String()
	}
	return d.Size.String()
}

// UnmarshalText reads what MarshalText writes.
func (d *Delta) UnmarshalText(b []byte) (err error) {
	rest, negative := strings.CutPrefix(string(b), "-")
	d.Negative = negative
	d.Size, err = ParseAmount(rest)
	return err
}

// MaxAmount is the largest amount, which stands for no limit.
var MaxAmount = Amount{*new(uint256.Int).SetAllOne()}
