package ballot

import (
	"bytes"
	"fmt"

	"github.com/legate-dao/legate/agent/gov"
)

// alpha is Compound's first governor: yes or no, and no reason.
var alpha = form{encodeAlpha, decodeAlpha, logAlpha, topicsAlpha}

var (
	castVote      = selector("castVote(uint256,bool)")
	voteCastAlpha = topic("VoteCast(address,uint256,bool,uint256)")
)

func encodeAlpha(b gov.Ballot) ([]byte, error) {
	if b.Support == gov.SupportAbstain {
		return nil, fmt.Errorf("%w: %s knows only for and against", ErrSupport, b.Flavour)
	}
	return packAlpha(b.Proposal.Number, b.Support), nil
}

func packAlpha(number gov.Amount, support gov.Support) []byte {
	out := append([]byte(nil), castVote[:]...)
	out = append(out, amountWord(number)...)
	return append(out, numberWord(uint64(support))...)
}

func decodeAlpha(data []byte) (v Vote, err error) {
	args, err := arguments(data, castVote)
	if err != nil {
		return v, err
	}
	number, err := wordAt(args, 0)
	if err != nil {
		return v, err
	}
	support, err := smallAt(args, 1, 1)
	if err != nil {
		return v, err
	}
	v = Vote{Number: gov.AmountOf(number), Support: gov.Support(support)}
	if !bytes.Equal(packAlpha(v.Number, v.Support), data) {
		return Vote{}, fmt.Errorf("%w: it is not the one encoding of this vote", ErrBytes)
	}
	return v, nil
}

// logAlpha reads VoteCast(address voter, uint256 proposalId, bool support, uint256 votes), nothing indexed.
func logAlpha(topics []gov.Hash, data []byte) (v Vote, err error) {
	if len(topics) != 1 || topics[0] != voteCastAlpha {
		return v, fmt.Errorf("%w: no VoteCast log of Alpha", ErrBytes)
	}
	voter, err := wordAt(data, 0)
	if err != nil {
		return v, err
	}
	if v.Voter, err = addressOf(voter.Bytes32()); err != nil {
		return v, err
	}
	number, err := wordAt(data, 1)
	if err != nil {
		return v, err
	}
	support, err := smallAt(data, 2, 1)
	if err != nil {
		return v, err
	}
	v.Number, v.Support = gov.AmountOf(number), gov.Support(support)
	return v, nil
}

func topicsAlpha(gov.Address) [][]gov.Hash { return [][]gov.Hash{{voteCastAlpha}} }
