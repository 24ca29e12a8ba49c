package ballot

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/gov"
)

// openZeppelin is Governor 4.x and 5.x; their castVoteWithReason and VoteCast are Bravo's.
var openZeppelin = form{encodeReason, decodeReason, logReason, topicsReason}

var (
	castVoteWithReason = selector("castVoteWithReason(uint256,uint8,string)")
	voteCast           = topic("VoteCast(address,uint256,uint8,uint256,string)")
)

func encodeReason(b gov.Ballot) ([]byte, error) {
	reason, err := text(b)
	if err != nil {
		return nil, err
	}
	return packReason(b.Proposal.Number, b.Support, reason), nil
}

func packReason(number gov.Amount, support gov.Support, reason string) []byte {
	out := append([]byte(nil), castVoteWithReason[:]...)
	out = append(out, amountWord(number)...)
	out = append(out, numberWord(uint64(support))...)
	out = append(out, numberWord(3*wordSize)...)
	out = append(out, numberWord(uint64(len(reason)))...)
	out = append(out, reason...)
	return append(out, make([]byte, (wordSize-len(reason)%wordSize)%wordSize)...)
}

func decodeReason(data []byte) (v Vote, err error) {
	args, err := arguments(data, castVoteWithReason)
	if err != nil {
		return v, err
	}
	number, err := wordAt(args, 0)
	if err != nil {
		return v, err
	}
	support, err := smallAt(args, 1, uint64(gov.SupportAbstain))
	if err != nil {
		return v, err
	}
	n, err := smallAt(args, 3, MaxReason)
	if err != nil {
		return v, err
	}
	if uint64(len(args)) < 4*wordSize+n {
		return v, fmt.Errorf("%w: the reason is cut", ErrBytes)
	}
	v = Vote{Number: gov.AmountOf(number), Support: gov.Support(support), Reason: string(args[4*wordSize : 4*wordSize+n])}
	if !bytes.Equal(packReason(v.Number, v.Support, v.Reason), data) || !utf8.ValidString(v.Reason) {
		return Vote{}, fmt.Errorf("%w: it is not the one encoding of this vote", ErrBytes)
	}
	return v, nil
}

// logReason reads VoteCast(address indexed voter, uint256, uint8, uint256, string).
func logReason(topics []gov.Hash, data []byte) (v Vote, err error) {
	if len(topics) != 2 || topics[0] != voteCast {
		return v, fmt.Errorf("%w: no VoteCast log", ErrBytes)
	}
	if v.Voter, err = addressOf(topics[1]); err != nil {
		return v, err
	}
	number, err := wordAt(data, 0)
	if err != nil {
		return v, err
	}
	support, err := smallAt(data, 1, 255)
	if err != nil {
		return v, err
	}
	v.Number, v.Support = gov.AmountOf(number), gov.Support(support)
	return v, nil
}

func topicsReason(voter gov.Address) [][]gov.Hash {
	var indexed gov.Hash
	copy(indexed[12:], voter[:])
	return [][]gov.Hash{{voteCast}, {indexed}}
}
