package approval

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// The EIP-712 names. Changing one voids every answer.
const (
	domainType = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
	answerType = "Answer(uint256 proposal,bytes32 contentHash,bytes32 basis,uint8 support,uint64 expires)"
	// contentType is an answer over the content alone. It is a type of its own, so that a key holder shows which it is,
	// and no answer of the one kind can be taken for one of the other.
	contentType = "AnswerOnContentAlone(uint256 proposal,bytes32 contentHash,uint8 support,uint64 expires)"
	domainName  = "Legate"
	domainVer   = "1"
)

var (
	domainTypeHash  = crypto.Keccak256([]byte(domainType))
	answerTypeHash  = crypto.Keccak256([]byte(answerType))
	contentTypeHash = crypto.Keccak256([]byte(contentType))
	domainNameHash  = crypto.Keccak256([]byte(domainName))
	domainVerHash   = crypto.Keccak256([]byte(domainVer))
)

// Hash is what a holder signs: the EIP-712 hash of the answer. Approver and Signature are no part of it.
// A support other than for, against and abstain, and an expiry that is not after 1970, have none.
func Hash(a gov.Approval) (gov.Hash, error) {
	if a.Support > gov.SupportAbstain {
		return gov.Hash{}, fmt.Errorf("answer on %s: support %d is none of against, for, abstain", a.Proposal, a.Support)
	}
	if a.Expires <= 0 {
		return gov.Hash{}, fmt.Errorf("answer on %s: it has no expiry", a.Proposal)
	}
	if a.Proposal.Chain == 0 || a.Proposal.Governor.IsZero() {
		return gov.Hash{}, errors.New("answer: it names no chain or no governor")
	}
	domain := crypto.Keccak256(domainTypeHash, domainNameHash, domainVerHash,
		number(uint64(a.Proposal.Chain)), make([]byte, 12), a.Proposal.Governor[:])
	id := a.Proposal.Number.Int().Bytes32()
	answer := crypto.Keccak256(answerTypeHash, id[:], a.ContentHash[:], a.Basis[:],
		number(uint64(a.Support)), number(uint64(a.Expires)))
	if a.OnContent() {
		answer = crypto.Keccak256(contentTypeHash, id[:], a.ContentHash[:], number(uint64(a.Support)), number(uint64(a.Expires)))
	}
	return crypto.Keccak256Hash([]byte{0x19, 0x01}, domain, answer), nil
}

func number(n uint64) []byte {
	var w [32]byte
	binary.BigEndian.PutUint64(w[24:], n)
	return w[:]
}
