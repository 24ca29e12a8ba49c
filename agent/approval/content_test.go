package approval_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/gov"
)

// onContent is an honest answer over the content alone.
func onContent() gov.Approval {
	a := answer()
	a.Basis = gov.Digest{}
	return a
}

// TestHashOnContent: an answer over the content alone is a type of its own, as a key holder shows it.
func TestHashOnContent(t *testing.T) {
	a := onContent()
	got, err := approval.Hash(a)
	if err != nil {
		t.Fatal(err)
	}
	field := func(name, kind string) apitypes.Type { return apitypes.Type{Name: name, Type: kind} }
	want, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
		Types: apitypes.Types{
			"EIP712Domain":         {field("name", "string"), field("version", "string"), field("chainId", "uint256"), field("verifyingContract", "address")},
			"AnswerOnContentAlone": {field("proposal", "uint256"), field("contentHash", "bytes32"), field("support", "uint8"), field("expires", "uint64")},
		},
		PrimaryType: "AnswerOnContentAlone",
		Domain:      apitypes.TypedDataDomain{Name: "Legate", Version: "1", ChainId: (*math.HexOrDecimal256)(big.NewInt(1)), VerifyingContract: a.Proposal.Governor.Hex()},
		Message: apitypes.TypedDataMessage{
			"proposal": a.Proposal.Number.String(), "contentHash": a.ContentHash.Hex(), "support": big.NewInt(int64(a.Support)), "expires": big.NewInt(int64(a.Expires)),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(got[:]) != string(want) {
		t.Errorf("hash %s, go-ethereum says 0x%x", got, want)
	}
}

// TestG46OnContentAlone: an answer over the content alone counts on any facts and on none, and nothing else does: not
// the answer of a stranger, not one to other content, and not one that was given on facts and had them taken away.
func TestG46OnContentAlone(t *testing.T) {
	holder, second, stranger := key(t, "holder"), key(t, "second"), key(t, "stranger")
	listed := []gov.Address{address(holder), address(second)}
	good := built(t, onContent(), holder)
	for _, b := range []gov.Digest{{}, basis, {9}} {
		if err := approval.Verify(good, listed, proposal(), b, now); err != nil {
			t.Fatalf("on basis %s: %v", b, err)
		}
	}
	signed := func(change func(*gov.Approval)) gov.Approval {
		a := onContent()
		change(&a)
		return built(t, a, holder)
	}
	edited := func(a gov.Approval, change func(*gov.Approval)) gov.Approval {
		change(&a)
		return a
	}
	other := proposal()
	other.ContentHash = gov.Hash{0xdd}
	blank := proposal()
	blank.ContentHash = gov.Hash{}
	cases := []struct {
		name   string
		a      gov.Approval
		listed []gov.Address
		p      gov.Proposal
		now    gov.UnixTime
		want   error
	}{
		{name: "a stranger's key", a: built(t, onContent(), stranger), want: approval.ErrForged},
		{name: "a stranger's key under the holder's name", a: edited(built(t, onContent(), stranger), func(a *gov.Approval) { a.Approver = address(holder) }), want: approval.ErrForged},
		{name: "a listed key under another listed name", a: edited(good, func(a *gov.Approval) { a.Approver = address(second) }), want: approval.ErrForged},
		{name: "not listed any more", a: good, listed: []gov.Address{address(second)}, want: approval.ErrForged},
		{name: "turned round", a: edited(good, func(a *gov.Approval) { a.Support = gov.SupportAgainst }), want: approval.ErrForged},
		{name: "made to last", a: edited(good, func(a *gov.Approval) { a.Expires += 1e6 }), now: now + 90000, want: approval.ErrForged},
		{name: "stale: given on facts, which were taken away", a: edited(built(t, answer(), holder), func(a *gov.Approval) { a.Basis = gov.Digest{} }), want: approval.ErrForged},
		{name: "given on none, and put on facts", a: edited(good, func(a *gov.Approval) { a.Basis = basis }), want: approval.ErrForged},
		{name: "moved to other content", a: edited(good, func(a *gov.Approval) { a.ContentHash = other.ContentHash }), p: other, want: approval.ErrForged},
		{name: "replayed for the next proposal", a: edited(good, func(a *gov.Approval) { a.Proposal.Number = gov.NewAmount(43) }), want: approval.ErrForged},
		{name: "for another proposal", a: signed(func(a *gov.Approval) { a.Proposal.Number = gov.NewAmount(43) }), want: approval.ErrProposal},
		{name: "for another governor", a: signed(func(a *gov.Approval) { a.Proposal.Governor = gov.Address{0xbb} }), want: approval.ErrProposal},
		{name: "for another chain", a: signed(func(a *gov.Approval) { a.Proposal.Chain = 10 }), want: approval.ErrProposal},
		{name: "other content under the same id", a: good, p: other, want: approval.ErrContent},
		{name: "content that nobody could read", a: signed(func(a *gov.Approval) { a.ContentHash = gov.Hash{} }), p: blank, want: approval.ErrContent},
		{name: "expired", a: good, now: now + 86401, want: approval.ErrExpired},
		{name: "no signature", a: edited(good, func(a *gov.Approval) { a.Signature = gov.Calldata{} }), want: approval.ErrMalleable},
	}
	for _, c := range cases {
		if c.listed == nil {
			c.listed = listed
		}
		if c.p.ID == (gov.ProposalID{}) {
			c.p = proposal()
		}
		if c.now == 0 {
			c.now = now
		}
		if err := approval.Verify(c.a, c.listed, c.p, gov.Digest{}, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	t.Logf("n=%d answers, none counts", len(cases))
}
