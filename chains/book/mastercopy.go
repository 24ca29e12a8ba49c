package book

import (
	"bytes"

	"github.com/legate-dao/legate/agent/gov"
)

// MasterCopySlot is where the proxies of Safe accounts have the address that they delegate to: their first slot.
var MasterCopySlot = gov.Hash{}

// maxMasterCopyProxy bounds the code that may be such a proxy: they are small, the compiler's metadata included.
const maxMasterCopyProxy = 1024

// The instructions that tell a proxy of this kind from other code.
const (
	opSload, opSstore, opPush0, opCreate, opCall = 0x54, 0x55, 0x5f, 0xf0, 0xf1
	opCreate2, opStaticCall                      = 0xf5, 0xfa
)

// IsMasterCopyProxy says whether code has the shape of a Safe's proxy: it is small, all that it reads of its storage
// is the first slot, it delegates, and neither writes, calls nor creates anything by itself. Every version since
// 1.0 has it, and so have its copies on other chains: the metadata at the end does not matter.
func IsMasterCopyProxy(code []byte) bool {
	if len(code) > maxMasterCopyProxy {
		return false
	}
	reads, delegates, foreign := false, false, false
	zero := false // the instruction before put 0 on the stack
	lines(code, func(op byte, argument []byte) {
		switch op {
		case opSload:
			reads, foreign = true, foreign || !zero
		case opDelegateCall:
			delegates = true
		case opSstore, opCall, opCallCode, opStaticCall, opCreate, opCreate2, opSelfDestruct:
			foreign = true
		}
		zero = op == opPush0 || op == opPush1 && len(argument) == 1 && argument[0] == 0
	})
	return reads && delegates && !foreign
}

// minimalTail is the end of an EIP-1167 proxy, after its implementation.
var minimalTail = []byte{0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3}

// IsMinimalProxy reports whether runtime code is that of an EIP-1167 proxy and nothing else: such a contract does what
// its implementation does.
func IsMinimalProxy(code []byte) bool {
	return len(code) == len(minimalHead)+20+len(minimalTail) && bytes.HasPrefix(code, minimalHead) && bytes.HasSuffix(code, minimalTail)
}
