package book

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// The slots of EIP-1967.
var (
	ImplementationSlot = slot1967("eip1967.proxy.implementation")
	BeaconSlot         = slot1967("eip1967.proxy.beacon")
	AdminSlot          = slot1967("eip1967.proxy.admin")
)

// implementationSlots are looked at in this order: EIP-1967, EIP-1822, and the one of ZeppelinOS before them.
var implementationSlots = []gov.Hash{
	ImplementationSlot, crypto.Keccak256Hash([]byte("PROXIABLE")), crypto.Keccak256Hash([]byte("org.zeppelinos.proxy.implementation")),
}

// implementationGetters are asked of delegating contracts that use none of the slots, such as Compound's.
var implementationGetters = []gov.Signature{"implementation()", "comptrollerImplementation()"}

// slot1967 is keccak256 of the name, minus one.
func slot1967(name string) gov.Hash {
	n := new(big.Int).SetBytes(crypto.Keccak256([]byte(name)))
	return gov.Hash(n.Sub(n, big.NewInt(1)).FillBytes(make([]byte, 32)))
}

// Contract is what stands at an address.
type Contract struct {
	Code
	Size       int         // bytes of runtime code
	Admin      gov.Address // of EIP-1967
	Beacon     gov.Address
	Designator gov.Address // of EIP-7702
	// SelfDestruct and DelegateCall: the runtime code has the instruction.
	SelfDestruct, DelegateCall bool
}

// ReadContract reads an address: code, what it delegates to, and the code of that.
func ReadContract(ctx context.Context, s State, a gov.Address) (Contract, error) {
	code, err := s.Code(ctx, a)
	if err != nil {
		return Contract{}, fmt.Errorf("read the code of %s: %w", a, err)
	}
	c := Contract{Size: len(code)}
	if len(code) == 0 {
		return c, nil
	}
	c.Hash = crypto.Keccak256Hash(code)
	c.SelfDestruct, c.DelegateCall = scan(code)
	if err := c.readImplementation(ctx, s, a, code); err != nil {
		return Contract{}, fmt.Errorf("read what %s delegates to: %w", a, err)
	}
	if c.Implementation.IsZero() {
		return c, nil
	}
	behind, err := s.Code(ctx, c.Implementation)
	if err != nil {
		return Contract{}, fmt.Errorf("read the code of %s, the implementation of %s: %w", c.Implementation, a, err)
	}
	if len(behind) > 0 {
		c.ImplHash = crypto.Keccak256Hash(behind)
	}
	return c, nil
}

var (
	minimalHead = []byte{0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73} // EIP-1167
	designation = []byte{0xef, 0x01, 0x00}                                           // EIP-7702
)

func (c *Contract) readImplementation(ctx context.Context, s State, a gov.Address, code []byte) error {
	if len(code) == 23 && bytes.HasPrefix(code, designation) {
		c.Designator = gov.Address(code[3:])
		c.Implementation = c.Designator
		return nil
	}
	if len(code) >= 30 && bytes.HasPrefix(code, minimalHead) {
		c.Implementation = gov.Address(code[10:30])
		return nil
	}
	if !c.DelegateCall {
		return nil // what does not delegate is no proxy
	}
	for _, slot := range implementationSlots {
		w, err := s.Storage(ctx, a, slot)
		if err != nil {
			return err
		}
		if c.Implementation = gov.Address(w[12:]); !c.Implementation.IsZero() {
			break
		}
	}
	admin, err := s.Storage(ctx, a, AdminSlot)
	if err != nil {
		return err
	}
	c.Admin = gov.Address(admin[12:])
	if c.Implementation.IsZero() {
		if err := c.readBeacon(ctx, s, a); err != nil {
			return err
		}
	}
	if c.Implementation.IsZero() && IsMasterCopyProxy(code) {
		w, err := s.Storage(ctx, a, MasterCopySlot)
		if err != nil {
			return err
		}
		if bytes.Equal(w[:12], make([]byte, 12)) {
			c.Implementation = gov.Address(w[12:])
		}
	}
	for _, getter := range implementationGetters {
		if !c.Implementation.IsZero() {
			break
		}
		if c.Implementation, err = askAddress(ctx, s, a, getter); err != nil {
			return err
		}
	}
	return nil
}

func (c *Contract) readBeacon(ctx context.Context, s State, a gov.Address) error {
	w, err := s.Storage(ctx, a, BeaconSlot)
	if err != nil {
		return err
	}
	if c.Beacon = gov.Address(w[12:]); c.Beacon.IsZero() {
		return nil
	}
	c.Implementation, err = askAddress(ctx, s, c.Beacon, "implementation()")
	return err
}

// askAddress calls a getter of an address; zero where the contract has none.
func askAddress(ctx context.Context, s State, a gov.Address, getter gov.Signature) (gov.Address, error) {
	selector := SelectorOf(getter)
	out, err := s.Call(ctx, a, selector[:])
	if errors.Is(err, ErrReverted) {
		return gov.Address{}, nil
	}
	if err != nil || len(out) != 32 || !bytes.Equal(out[:12], make([]byte, 12)) {
		return gov.Address{}, err
	}
	return gov.Address(out[12:]), nil
}

// The instructions that scan knows.
const (
	opStop, opJump, opJumpdest, opPush1, opPush32  = 0x00, 0x56, 0x5b, 0x60, 0x7f
	opCallCode, opReturn, opDelegateCall, opRevert = 0xf2, 0xf3, 0xf4, 0xfd
	opInvalid, opSelfDestruct                      = 0xfe, 0xff
)

// scan looks for the two instructions where they can be reached.
func scan(code []byte) (selfDestruct, delegateCall bool) {
	lines(code, func(op byte, _ []byte) {
		selfDestruct = selfDestruct || op == opSelfDestruct
		delegateCall = delegateCall || op == opDelegateCall || op == opCallCode
	})
	return selfDestruct, delegateCall
}

// lines tells the instructions that can be reached, in order: those on a straight line from the beginning or from a
// JUMPDEST. What follows the end of a line, such as the compiler's metadata, is passed over up to the next JUMPDEST.
func lines(code []byte, tell func(op byte, argument []byte)) {
	live := true
	for i := 0; i < len(code); i++ {
		op, at := code[i], i+1
		if op >= opPush1 && op <= opPush32 {
			i += int(op-opPush1) + 1
		}
		if op == opJumpdest {
			live = true
		}
		if !live {
			continue
		}
		tell(op, code[at:min(i+1, len(code))])
		switch op {
		case opStop, opJump, opReturn, opRevert, opInvalid, opSelfDestruct:
			live = false
		}
	}
}
