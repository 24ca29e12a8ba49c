package governor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

const wordSize = 32

// errAnswer says that an answer does not have the form that the signature promises.
var errAnswer = errors.New("answer does not fit the signature")

// ErrEmpty says that a contract gave no answer at all: there is no such function, or at that block no code yet.
var ErrEmpty = errors.New("it is empty (no such function, or no code)")

// call is a contract call, written as its Solidity signature with named results. Arguments and results are
// of static types, one word each; a result of type string is read with [text].
type call struct {
	text     string // name and argument types
	selector gov.Selector
	args     int
	results  []string // names
	types    []string
}

// mustCall reads "name(type,…)(type name,…)". It panics on a mistake: the tables are constants.
func mustCall(sig string) call {
	head, tail, ok := strings.Cut(sig, ")(")
	name, args, ok2 := strings.Cut(head, "(")
	if !ok || !ok2 || name == "" || !strings.HasSuffix(tail, ")") {
		panic("governor: signature " + sig)
	}
	c := call{text: head + ")"}
	copy(c.selector[:], crypto.Keccak256([]byte(c.text)))
	if args != "" {
		c.args = strings.Count(args, ",") + 1
	}
	for _, result := range strings.Split(strings.TrimSuffix(tail, ")"), ",") {
		kind, name, _ := strings.Cut(result, " ")
		c.types, c.results = append(c.types, kind), append(c.results, name)
	}
	return c
}

// data is the calldata for the arguments.
func (c call) data(args ...word) []byte {
	if len(args) != c.args {
		panic(fmt.Sprintf("governor: %s with %d arguments", c.text, len(args)))
	}
	out := make([]byte, 0, 4+wordSize*len(args))
	out = append(out, c.selector[:]...)
	for _, a := range args {
		out = append(out, a[:]...)
	}
	return out
}

// word is one ABI word.
type word [wordSize]byte

func amountWord(a gov.Amount) word { return a.Int().Bytes32() }

func clocksWord(c gov.Clocks) (w word) {
	binary.BigEndian.PutUint64(w[24:], uint64(c))
	return w
}

func addressWord(a gov.Address) (w word) {
	copy(w[12:], a[:])
	return w
}

func (w word) amount() gov.Amount {
	n := new(uint256.Int).SetBytes32(w[:])
	return gov.AmountOf(n)
}

func (w word) number() (uint64, error) {
	n := new(uint256.Int).SetBytes32(w[:])
	if !n.IsUint64() {
		return 0, fmt.Errorf("%w: %s is above 2^64", errAnswer, n.Dec())
	}
	return n.Uint64(), nil
}

func (w word) address() (gov.Address, error) {
	if !allZero(w[:12]) {
		return gov.Address{}, fmt.Errorf("%w: %x is no address", errAnswer, w[:])
	}
	return gov.Address(w[12:]), nil
}

func (w word) bool() (bool, error) {
	if !allZero(w[:31]) || w[31] > 1 {
		return false, fmt.Errorf("%w: %x is no boolean", errAnswer, w[:])
	}
	return w[31] == 1, nil
}

func allZero(b []byte) bool { return !slices.ContainsFunc(b, func(x byte) bool { return x != 0 }) }

// words splits an answer into the results of c. Bytes beyond them are refused, so that a longer structure
// is never read as a shorter one.
func (c call) words(out []byte) ([]word, error) {
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: %w: %w", c.text, errAnswer, ErrEmpty)
	}
	if len(out) != wordSize*len(c.results) {
		return nil, fmt.Errorf("%s: %w: %d bytes instead of %d", c.text, errAnswer, len(out), wordSize*len(c.results))
	}
	all := make([]word, len(c.results))
	for i := range all {
		copy(all[i][:], out[wordSize*i:])
	}
	return all, nil
}

// maxText bounds the strings that a governor answers about itself (COUNTING_MODE, CLOCK_MODE, version).
const maxText = 4096

// text reads the only result of a call, a string.
func text(out []byte) (string, error) {
	d := decoder{data: out}
	from, err := d.offset(0, 0)
	if err != nil {
		return "", err
	}
	b, err := d.bytesAt(from, maxText)
	return string(b), err
}

// view is one named result of a call.
type view struct {
	call
	index int
}

// mustView picks a result by its name.
func mustView(sig, result string) view {
	c := mustCall(sig)
	i := slices.Index(c.results, result)
	if i < 0 {
		panic("governor: " + sig + " has no result " + result)
	}
	return view{c, i}
}

// read asks a view at a block hash.
func (v view) read(ctx context.Context, c rpc.Caller, to gov.Address, at gov.Hash, args ...word) (word, error) {
	out, err := rpc.CallContract(ctx, c, common.Address(to), v.data(args...), at)
	if err != nil {
		return word{}, fmt.Errorf("%s: %w", v.text, err)
	}
	all, err := v.words(out)
	if err != nil {
		return word{}, fmt.Errorf("contract %s: %w", to, err)
	}
	return all[v.index], nil
}

// ask is one call of a batch.
type ask struct {
	call call
	to   gov.Address
	args []word
	out  hexutil.Bytes
	err  error
}

// askAll asks many calls at one block hash. What the contract refused is in each ask's err; the returned
// error is about asking.
func askAll(ctx context.Context, c rpc.Caller, at gov.Hash, asks []*ask) error {
	reqs := make([]rpc.Request, len(asks))
	for i, a := range asks {
		reqs[i] = rpc.ContractCall(common.Address(a.to), a.call.data(a.args...), at, &a.out)
	}
	if err := c.Batch(ctx, reqs); err != nil {
		return err
	}
	for i, a := range asks {
		if a.err = reqs[i].Err; a.err != nil && rpc.Classify(a.err) != rpc.Reverted {
			return fmt.Errorf("%s of %s: %w", a.call.text, a.to, a.err)
		}
	}
	return nil
}
