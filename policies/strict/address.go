package strict

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

// Address is a 20-byte address, written with its EIP-55 checksum.
type Address struct {
	common.Address
}

const addressPattern = `^0x[0-9a-fA-F]{40}$`

var addressForm = regexp.MustCompile(addressPattern)

// ParseAddress reads an address with its checksum.
func ParseAddress(text string) (Address, error) {
	var a Address
	err := a.ParseStrict(text)
	return a, err
}

// ParseStrict reads an address with its checksum. One without (all letters small or all large) is refused like one
// whose checksum is wrong, and the hint has the form with it: a typing error in an address is a vote lost.
func (a *Address) ParseStrict(text string) error {
	if !addressForm.MatchString(text) {
		return mistake("0x and 40 hexadecimal digits", "%s is not an address", quote(text))
	}
	a.Address = common.HexToAddress(text)
	right := a.Hex()
	switch {
	case text == right:
		return nil
	case text[2:] == strings.ToLower(text[2:]) || text[2:] == strings.ToUpper(text[2:]):
		return mistake("write "+right, "the address %s has no checksum", text)
	}
	return mistake("if the digits are right, write "+right, "the checksum of the address %s is wrong", text)
}

func (*Address) describe() string { return "an address" }

// Chain is an EVM chain in CAIP-2 form: eip155:1.
type Chain string

const chainPattern = `^eip155:[1-9][0-9]*$`

var chainForm = regexp.MustCompile(chainPattern)

// ParseChain reads the CAIP-2 form.
func ParseChain(text string) (Chain, error) {
	var c Chain
	err := c.ParseStrict(text)
	return c, err
}

// ParseStrict reads the CAIP-2 form.
func (c *Chain) ParseStrict(text string) error {
	const form = "eip155 and the chain's number: eip155:1"
	if !chainForm.MatchString(text) {
		return mistake(form, "%s is not a chain", quote(text))
	}
	if _, err := strconv.ParseUint(text[len("eip155:"):], 10, 64); err != nil {
		return mistake(form, "the number of the chain %s is too large", quote(text))
	}
	*c = Chain(text)
	return nil
}

// ID is the chain's number; 0 for the zero Chain.
func (c Chain) ID() uint64 {
	id, _ := strconv.ParseUint(strings.TrimPrefix(string(c), "eip155:"), 10, 64)
	return id
}

func (*Chain) describe() string { return "a chain" }

// Account is an account on a chain in CAIP-10 form: eip155:1:0xc0Da…
type Account struct {
	Chain   Chain
	Address Address
}

const accountPattern = `^eip155:[1-9][0-9]*:0x[0-9a-fA-F]{40}$`

// ParseAccount reads the CAIP-10 form.
func ParseAccount(text string) (Account, error) {
	var a Account
	err := a.ParseStrict(text)
	return a, err
}

// ParseStrict reads the CAIP-10 form.
func (a *Account) ParseStrict(text string) error {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return mistake("chain and address: eip155:1:0x…", "%s is not an account", quote(text))
	}
	if err := a.Chain.ParseStrict(text[:at]); err != nil {
		return mistake("chain and address: eip155:1:0x…", "%s is not an account", quote(text))
	}
	return a.Address.ParseStrict(text[at+1:])
}

// String is the CAIP-10 form.
func (a Account) String() string { return string(a.Chain) + ":" + a.Address.Hex() }

// MarshalText is String.
func (a Account) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

func (*Account) describe() string { return "an account" }
