package gov

import (
	"encoding/binary"

	"github.com/ethereum/go-ethereum/crypto"
)

// ContentHash is keccak256 of [EncodeContent]: what ties a judged proposal to what the chain executes.
func ContentHash(actions []Action, descriptionHash Hash) Hash {
	return crypto.Keccak256Hash(EncodeContent(actions, descriptionHash))
}

// EncodeContent is abi.encode(address[] targets, uint256[] values, bytes[] calldatas, bytes32
// descriptionHash): what OpenZeppelin governors hash into a proposal's id and take as the arguments of
// queue and execute.
func EncodeContent(actions []Action, descriptionHash Hash) []byte {
	const word = 32
	n := len(actions)
	size := 4*word + 3*word + 3*n*word
	for _, a := range actions {
		size += word + (a.Calldata.Len()+word-1)/word*word
	}
	out := make([]byte, 0, size)
	number := func(v int) {
		var w [word]byte
		binary.BigEndian.PutUint64(w[24:], uint64(v))
		out = append(out, w[:]...)
	}
	list := word * (1 + n)
	number(4 * word)
	number(4*word + list)
	number(4*word + 2*list)
	out = append(out, descriptionHash[:]...)
	number(n)
	for _, a := range actions {
		out = append(append(out, make([]byte, 12)...), a.To[:]...)
	}
	number(n)
	for _, a := range actions {
		w := a.Value.Int().Bytes32()
		out = append(out, w[:]...)
	}
	number(n)
	at := n * word
	for _, a := range actions {
		number(at)
		at += word + (a.Calldata.Len()+word-1)/word*word
	}
	for _, a := range actions {
		number(a.Calldata.Len())
		out = append(out, a.Calldata.raw...)
		out = append(out, make([]byte, (word-a.Calldata.Len()%word)%word)...)
	}
	return out
}
