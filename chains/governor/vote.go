package governor

import (
	"fmt"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/rpc"
)

var (
	topicVote       = topic("VoteCast(address,uint256,uint8,uint256,string)")
	topicVoteParams = topic("VoteCastWithParams(address,uint256,uint8,uint256,string,bytes)")
	topicVoteAlpha  = topic("VoteCast(address,uint256,bool,uint256)")
)

// MaxReason bounds the reason that is kept of a vote, in bytes; the rest is left out.
const MaxReason = 4096

// Cast is a vote as the chain logged it.
type Cast struct {
	ID      gov.ProposalID
	Voter   gov.Address
	Support gov.Support // 255 for fractional votes; see Params
	Weight  gov.Amount
	Reason  dossier.Untrusted // empty on Alpha
	Params  bool              // it carried params
}

// VoteTopics are the first topics of the logs that DecodeCast reads.
func VoteTopics() []gov.Hash { return []gov.Hash{topicVote, topicVoteParams, topicVoteAlpha} }

// DecodeCast reads VoteCast of any flavour. An error wraps [ErrLog].
func DecodeCast(chain gov.ChainID, l rpc.Log) (v Cast, err error) {
	if len(l.Topics) == 0 {
		return v, fmt.Errorf("%w: it has no topic", ErrLog)
	}
	g := Governor{Chain: chain, Address: gov.Address(l.Address)}
	d := &decoder{data: l.Data}
	var head [4]word // voter, id, support, weight
	switch {
	case (l.Topics[0] == topicVote || l.Topics[0] == topicVoteParams) && len(l.Topics) == 2:
		head[0] = word(l.Topics[1])
		err = d.fill(head[1:])
	case l.Topics[0] == topicVoteAlpha && len(l.Topics) == 1:
		err = d.fill(head[:])
	default:
		return v, fmt.Errorf("%w: topic %s with %d topics is no VoteCast", ErrLog, l.Topics[0], len(l.Topics))
	}
	if err != nil {
		return v, fmt.Errorf("%w: VoteCast: %w", ErrLog, err)
	}
	if v.Voter, err = head[0].address(); err != nil {
		return v, fmt.Errorf("%w: voter: %w", ErrLog, err)
	}
	support, err := head[2].number()
	if err != nil || support > 255 {
		return v, fmt.Errorf("%w: support %s is above 255", ErrLog, head[2].amount())
	}
	v.ID, v.Support, v.Weight = g.id(head[1].amount()), gov.Support(support), head[3].amount()
	v.Params = l.Topics[0] == topicVoteParams
	if l.Topics[0] == topicVoteAlpha {
		return v, nil
	}
	from, err := d.offset(3*wordSize, 0)
	if err != nil {
		return v, fmt.Errorf("%w: reason: %w", ErrLog, err)
	}
	reason, err := d.bytesAt(from, len(l.Data))
	if err != nil {
		return v, fmt.Errorf("%w: reason: %w", ErrLog, err)
	}
	v.Reason = dossier.Untrusted(cut(string(reason), MaxReason))
	return v, nil
}

// fill reads the first words of the data.
func (d *decoder) fill(into []word) (err error) {
	for i := range into {
		if into[i], err = d.word(i * wordSize); err != nil {
			return err
		}
	}
	return nil
}
