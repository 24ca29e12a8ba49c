package ballot_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/governor/ballot"
)

const governorABI = `[
 {"type":"function","name":"castVoteWithReason","inputs":[{"name":"id","type":"uint256"},{"name":"support","type":"uint8"},{"name":"reason","type":"string"}]},
 {"type":"function","name":"castVote","inputs":[{"name":"id","type":"uint256"},{"name":"support","type":"bool"}]},
 {"type":"event","name":"VoteCast","inputs":[{"name":"voter","type":"address","indexed":true},{"name":"id","type":"uint256"},{"name":"support","type":"uint8"},{"name":"weight","type":"uint256"},{"name":"reason","type":"string"}]}]`

func number(t *testing.T) (gov.Amount, *big.Int) {
	const digits = "71623900450221443921005871234567890123456789012345678901234567890123456789012"
	a, err := gov.ParseAmount(digits)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := new(big.Int).SetString(digits, 10)
	return a, n
}

func sample(t *testing.T, f gov.Flavour, s gov.Support) gov.Ballot {
	n, _ := number(t)
	return gov.Ballot{
		Proposal: gov.ProposalID{Chain: 1, Governor: gov.Address{1}, Number: n}, Flavour: f, Voter: gov.Address{2}, Support: s,
		Reason: gov.BallotReason{By: gov.ByPolicy, Rule: "no-dilution", Record: gov.Digest{7}},
	}
}

// TestEncode holds every flavour's bytes against go-ethereum's own ABI encoder.
func TestEncode(t *testing.T) {
	contract, err := abi.JSON(strings.NewReader(governorABI))
	if err != nil {
		t.Fatal(err)
	}
	_, n := number(t)
	for _, f := range []gov.Flavour{gov.OpenZeppelin5, gov.OpenZeppelin4, gov.GovernorBravo, gov.GovernorAlpha} {
		for s := gov.SupportAgainst; s <= gov.SupportAbstain; s++ {
			b := sample(t, f, s)
			got, err := ballot.Encode(b)
			var want []byte
			switch {
			case f == gov.GovernorAlpha && s == gov.SupportAbstain:
				if !errors.Is(err, ballot.ErrSupport) {
					t.Errorf("%s %s: error %v, want ErrSupport", f, s, err)
				}
				continue
			case f == gov.GovernorAlpha:
				want, _ = contract.Pack("castVote", n, s == gov.SupportFor)
			default:
				want, _ = contract.Pack("castVoteWithReason", n, uint8(s), b.Reason.Text(s))
			}
			if err != nil || string(got) != string(want) {
				t.Errorf("%s %s: %x, %v\nwant %x", f, s, got, err, want)
			}
			v, err := ballot.Decode(f, got)
			if err != nil || v.Number != b.Proposal.Number || v.Support != s {
				t.Errorf("%s %s: decoded %+v, %v", f, s, v, err)
			}
			if f != gov.GovernorAlpha && v.Reason != b.Reason.Text(s) {
				t.Errorf("%s: reason %q", f, v.Reason)
			}
		}
	}
}

// TestDecodeOnlyOwn: whatever byte of a ballot changes, it is another vote or no ballot at all.
func TestDecodeOnlyOwn(t *testing.T) {
	for _, f := range []gov.Flavour{gov.OpenZeppelin5, gov.GovernorAlpha} {
		b := sample(t, f, gov.SupportFor)
		data, err := ballot.Encode(b)
		if err != nil {
			t.Fatal(err)
		}
		first, _ := ballot.Decode(f, data)
		for i := range data {
			changed := append([]byte(nil), data...)
			changed[i] ^= 0x10
			if v, err := ballot.Decode(f, changed); err == nil && v == first {
				t.Errorf("%s: byte %d changed and the vote is the same", f, i)
			}
			if _, err := ballot.Decode(f, data[:i]); !errors.Is(err, ballot.ErrBytes) {
				t.Errorf("%s: cut to %d bytes: %v", f, i, err)
			}
		}
		if _, err := ballot.Decode(f, append(data, 0)); !errors.Is(err, ballot.ErrBytes) {
			t.Errorf("%s: one byte more: %v", f, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(*gov.Ballot){
		"flavour":  func(b *gov.Ballot) { b.Flavour = "nouns" },
		"support":  func(b *gov.Ballot) { b.Support = 3 },
		"by":       func(b *gov.Ballot) { b.Reason.By = "" },
		"too long": func(b *gov.Ballot) { b.Reason.Rule = gov.Label(strings.Repeat("r", 600)) },
		"not utf8": func(b *gov.Ballot) { b.Reason.Rule = "a\xff" },
	} {
		b := sample(t, gov.OpenZeppelin5, gov.SupportFor)
		change(&b)
		if data, err := ballot.Encode(b); err == nil {
			t.Errorf("%s: encoded %x", name, data)
		}
	}
}

func TestDecodeLog(t *testing.T) {
	contract, err := abi.JSON(strings.NewReader(governorABI))
	if err != nil {
		t.Fatal(err)
	}
	a, n := number(t)
	event := contract.Events["VoteCast"]
	data, err := event.Inputs.NonIndexed().Pack(n, uint8(2), big.NewInt(5), "why")
	if err != nil {
		t.Fatal(err)
	}
	voter := gov.Address{9}
	topics := []gov.Hash{event.ID, common.BytesToHash(voter[:])}
	want := ballot.Vote{Number: a, Voter: voter, Support: gov.SupportAbstain}
	filter, err := ballot.Topics(gov.OpenZeppelin5, voter)
	if err != nil || len(filter) != 2 || filter[0][0] != topics[0] || filter[1][0] != topics[1] {
		t.Errorf("filter %v, %v", filter, err)
	}
	for _, f := range []gov.Flavour{gov.OpenZeppelin5, gov.OpenZeppelin4, gov.GovernorBravo} {
		if got, err := ballot.DecodeLog(f, topics, data); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", f, got, err, want)
		}
	}
	if _, err := ballot.DecodeLog(gov.OpenZeppelin5, topics[:1], data); !errors.Is(err, ballot.ErrBytes) {
		t.Errorf("without voter: %v", err)
	}
	alphaData := append(append(common.LeftPadBytes(voter[:], 32), data[:32]...), common.LeftPadBytes([]byte{1}, 32)...)
	alphaTopic := []gov.Hash{crypto.Keccak256Hash([]byte("VoteCast(address,uint256,bool,uint256)"))}
	want.Support = gov.SupportFor
	if got, err := ballot.DecodeLog(gov.GovernorAlpha, alphaTopic, alphaData); err != nil || got != want {
		t.Errorf("alpha: %+v, %v, want %+v", got, err, want)
	}
}
