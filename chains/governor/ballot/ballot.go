package ballot

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// Errors that callers branch on.
var (
	// ErrFlavour says that this release cannot vote at that family of governors.
	ErrFlavour = errors.New("no ballot for this governor flavour")
	// ErrSupport says that the flavour has no such vote.
	ErrSupport = errors.New("the governor has no such vote")
	// ErrBytes says that bytes are not a ballot of the flavour.
	ErrBytes = errors.New("not a ballot")
)

// MaxReason bounds the reason text in bytes: it is a template over a rule's name and a digest, and every
// byte of it is paid for.
const MaxReason = 512

// Vote is what calldata or a log says.
type Vote struct {
	Number  gov.Amount // of the proposal
	Voter   gov.Address
	Support gov.Support
	Reason  string // ours, from calldata; empty from a log and on Alpha
}

// form is how one family takes a ballot.
type form struct {
	encode func(gov.Ballot) ([]byte, error)
	decode func([]byte) (Vote, error)
	log    func(topics []gov.Hash, data []byte) (Vote, error)
	topics func(voter gov.Address) [][]gov.Hash
}

// forms is the table of flavours.
var forms = map[gov.Flavour]form{
	gov.OpenZeppelin5: openZeppelin,
	gov.OpenZeppelin4: openZeppelin,
	gov.GovernorBravo: bravo,
	gov.GovernorAlpha: alpha,
}

// Encode is the calldata of the vote, for the governor of the proposal. An error wraps [ErrFlavour] or
// [ErrSupport], or says that the reason cannot go on chain.
func Encode(b gov.Ballot) ([]byte, error) {
	f, ok := forms[b.Flavour]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrFlavour, b.Flavour)
	}
	if b.Support > gov.SupportAbstain {
		return nil, fmt.Errorf("%w: support %d", ErrSupport, b.Support)
	}
	if b.Reason.By != gov.ByPolicy && b.Reason.By != gov.ByHolder {
		return nil, fmt.Errorf("ballot on %s: decided by %q, which is neither policy nor holder", b.Proposal, b.Reason.By)
	}
	data, err := f.encode(b)
	if err != nil {
		return nil, fmt.Errorf("ballot on %s: %w", b.Proposal, err)
	}
	return data, nil
}

// Decode reads what [Encode] wrote: exactly that, so that any other bytes are an error, which wraps
// [ErrBytes]. Voter is zero: calldata does not name it.
func Decode(flavour gov.Flavour, data []byte) (Vote, error) {
	f, ok := forms[flavour]
	if !ok {
		return Vote{}, fmt.Errorf("%w: %q", ErrFlavour, flavour)
	}
	return f.decode(data)
}

// DecodeLog reads the VoteCast log of a governor of this flavour. The reason in it is left alone. An error
// wraps [ErrBytes].
func DecodeLog(flavour gov.Flavour, topics []gov.Hash, data []byte) (Vote, error) {
	f, ok := forms[flavour]
	if !ok {
		return Vote{}, fmt.Errorf("%w: %q", ErrFlavour, flavour)
	}
	return f.log(topics, data)
}

// Topics is the log filter for the VoteCast logs that may be a voter's; [DecodeLog] says whose each one is.
func Topics(flavour gov.Flavour, voter gov.Address) ([][]gov.Hash, error) {
	f, ok := forms[flavour]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrFlavour, flavour)
	}
	return f.topics(voter), nil
}

func selector(signature string) [4]byte { return [4]byte(crypto.Keccak256([]byte(signature))) }

func topic(signature string) gov.Hash { return crypto.Keccak256Hash([]byte(signature)) }

// text is the reason of a ballot, if it may stand on chain.
func text(b gov.Ballot) (string, error) {
	s := b.Reason.Text(b.Support)
	if len(s) > MaxReason {
		return "", fmt.Errorf("the reason has %d bytes, more than %d: shorten the rule's name", len(s), MaxReason)
	}
	if !utf8.ValidString(s) {
		return "", errors.New("the reason is not UTF-8: the rule's name is broken")
	}
	return s, nil
}
