package approval_test

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/legate-dao/legate/agent/approval"
	"github.com/legate-dao/legate/agent/gov"
)

// key is a test key; its text is public.
func key(t *testing.T, name string) *ecdsa.PrivateKey {
	t.Helper()
	k, err := crypto.ToECDSA(crypto.Keccak256([]byte("legate approval test " + name)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func address(k *ecdsa.PrivateKey) gov.Address {
	return gov.Address(crypto.PubkeyToAddress(k.PublicKey))
}

func signWith(k *ecdsa.PrivateKey) func(gov.Hash) ([]byte, error) {
	return func(h gov.Hash) ([]byte, error) { return crypto.Sign(h[:], k) }
}

const now gov.UnixTime = 1_800_000_000

var basis = gov.Digest{1, 2, 3}

func proposal() gov.Proposal {
	return gov.Proposal{
		ID:          gov.ProposalID{Chain: 1, Governor: gov.Address{0xaa}, Number: gov.NewAmount(42)},
		ContentHash: gov.Hash{0xcc},
	}
}

func answer() gov.Approval {
	p := proposal()
	return gov.Approval{Proposal: p.ID, ContentHash: p.ContentHash, Basis: basis, Support: gov.SupportFor, Expires: now + 86400}
}

func built(t *testing.T, a gov.Approval, k *ecdsa.PrivateKey) gov.Approval {
	t.Helper()
	a, err := approval.Build(a, signWith(k))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestHash holds the hash against go-ethereum's typed data.
func TestHash(t *testing.T) {
	a := answer()
	got, err := approval.Hash(a)
	if err != nil {
		t.Fatal(err)
	}
	field := func(name, kind string) apitypes.Type { return apitypes.Type{Name: name, Type: kind} }
	want, _, err := apitypes.TypedDataAndHash(apitypes.TypedData{
		Types: apitypes.Types{
			"EIP712Domain": {field("name", "string"), field("version", "string"), field("chainId", "uint256"), field("verifyingContract", "address")},
			"Answer":       {field("proposal", "uint256"), field("contentHash", "bytes32"), field("basis", "bytes32"), field("support", "uint8"), field("expires", "uint64")},
		},
		PrimaryType: "Answer",
		Domain:      apitypes.TypedDataDomain{Name: "Legate", Version: "1", ChainId: (*math.HexOrDecimal256)(big.NewInt(1)), VerifyingContract: a.Proposal.Governor.Hex()},
		Message: apitypes.TypedDataMessage{
			"proposal": a.Proposal.Number.String(), "contentHash": a.ContentHash.Hex(), "basis": fmt.Sprintf("0x%x", a.Basis[:]),
			"support": big.NewInt(int64(a.Support)), "expires": big.NewInt(int64(a.Expires)),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(got[:]) != string(want) {
		t.Errorf("hash %s, go-ethereum says 0x%x", got, want)
	}
}

func TestBuildRefuses(t *testing.T) {
	k := key(t, "holder")
	for name, change := range map[string]func(*gov.Approval){
		"support":    func(a *gov.Approval) { a.Support = 3 },
		"no expiry":  func(a *gov.Approval) { a.Expires = 0 },
		"no chain":   func(a *gov.Approval) { a.Proposal.Chain = 0 },
		"other name": func(a *gov.Approval) { a.Approver = gov.Address{1} },
	} {
		a := answer()
		change(&a)
		if _, err := approval.Build(a, signWith(k)); err == nil {
			t.Errorf("%s: built", name)
		}
	}
	broken := errors.New("no hardware")
	if _, err := approval.Build(answer(), func(gov.Hash) ([]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("a signer that fails: %v", err)
	}
}

// TestG46HandAuthentic: only a listed key, over what was shown, makes an answer count. 20 cases, none counts.
func TestG46HandAuthentic(t *testing.T) {
	holder, second, stranger := key(t, "holder"), key(t, "second"), key(t, "stranger")
	listed := []gov.Address{address(holder), address(second)}
	for _, k := range []*ecdsa.PrivateKey{holder, second} {
		if err := approval.Verify(built(t, answer(), k), listed, proposal(), basis, now); err != nil {
			t.Fatalf("an honest answer: %v", err)
		}
	}
	if err := approval.Verify(built(t, answer(), holder), listed, proposal(), basis, now+86400); err != nil {
		t.Fatalf("at its last second: %v", err)
	}
	good := built(t, answer(), holder)
	signed := func(change func(*gov.Approval)) gov.Approval { // the holder really signed the changed one
		a := answer()
		change(&a)
		return built(t, a, holder)
	}
	edited := func(change func(*gov.Approval)) gov.Approval { // changed after signing
		a := good
		change(&a)
		return a
	}
	bytesOf := func(change func([]byte) []byte) gov.Approval {
		return edited(func(a *gov.Approval) { a.Signature = gov.CalldataOf(change(a.Signature.Bytes())) })
	}
	other := proposal()
	other.ContentHash = gov.Hash{0xdd}
	cases := []struct {
		name   string
		a      gov.Approval
		listed []gov.Address
		p      gov.Proposal
		basis  gov.Digest
		now    gov.UnixTime
		want   error
	}{
		{name: "a stranger's key", a: built(t, answer(), stranger), want: approval.ErrForged},
		{name: "a stranger's key under the holder's name", a: func() gov.Approval {
			a := built(t, answer(), stranger)
			a.Approver = address(holder)
			return a
		}(), want: approval.ErrForged},
		{name: "a listed key under another listed name", a: edited(func(a *gov.Approval) { a.Approver = address(second) }), want: approval.ErrForged},
		{name: "no approver is listed", a: good, listed: []gov.Address{}, want: approval.ErrForged},
		{name: "the key was taken off the list", a: good, listed: []gov.Address{address(second)}, want: approval.ErrForged},
		{name: "support turned round after signing", a: edited(func(a *gov.Approval) { a.Support = gov.SupportAgainst }), want: approval.ErrForged},
		{name: "expiry moved after signing", a: edited(func(a *gov.Approval) { a.Expires += 1e6 }), now: now + 90000, want: approval.ErrForged},
		{name: "basis swapped after signing", a: edited(func(a *gov.Approval) { a.Basis = gov.Digest{9} }), basis: gov.Digest{9}, want: approval.ErrForged},
		{name: "content swapped after signing", a: edited(func(a *gov.Approval) { a.ContentHash = other.ContentHash }), p: other, want: approval.ErrForged},
		{name: "replayed for the next proposal", a: edited(func(a *gov.Approval) { a.Proposal.Number = gov.NewAmount(43) }), want: approval.ErrForged},
		{name: "for another proposal", a: signed(func(a *gov.Approval) { a.Proposal.Number = gov.NewAmount(43) }), want: approval.ErrProposal},
		{name: "for another governor", a: signed(func(a *gov.Approval) { a.Proposal.Governor = gov.Address{0xbb} }), want: approval.ErrProposal},
		{name: "for another chain", a: signed(func(a *gov.Approval) { a.Proposal.Chain = 10 }), want: approval.ErrProposal},
		{name: "for other content", a: good, p: other, want: approval.ErrContent},
		{name: "the basis has changed", a: good, basis: gov.Digest{9}, want: approval.ErrStale},
		{name: "expired", a: good, now: now + 86401, want: approval.ErrExpired},
		{name: "the other s", a: bytesOf(func(b []byte) []byte {
			s := new(big.Int).Sub(crypto.S256().Params().N, new(big.Int).SetBytes(b[32:64]))
			s.FillBytes(b[32:64])
			b[64] = 27 + 28 - b[64]
			return b
		}), want: approval.ErrMalleable},
		{name: "v of 0 or 1", a: bytesOf(func(b []byte) []byte { b[64] -= 27; return b }), want: approval.ErrMalleable},
		{name: "no signature (a Discord click, a web token)", a: bytesOf(func([]byte) []byte { return nil }), want: approval.ErrMalleable},
		{name: "a signature of zeros", a: bytesOf(func([]byte) []byte { return append(make([]byte, 64), 27) }), want: approval.ErrForged},
	}
	if len(cases) != 20 {
		t.Fatalf("%d cases, want 20", len(cases))
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.listed == nil {
				c.listed = listed
			}
			if c.p.ID == (gov.ProposalID{}) {
				c.p = proposal()
			}
			if c.basis == (gov.Digest{}) {
				c.basis = basis
			}
			if c.now == 0 {
				c.now = now
			}
			if err := approval.Verify(c.a, c.listed, c.p, c.basis, c.now); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

// TestVerifyNeedsBoth: an empty content hash or basis is never a match, even of another empty one.
func TestVerifyNeedsBoth(t *testing.T) {
	k := key(t, "holder")
	a := answer()
	a.ContentHash, a.Basis = gov.Hash{}, gov.Digest{}
	a = built(t, a, k)
	p := proposal()
	p.ContentHash = gov.Hash{}
	if err := approval.Verify(a, []gov.Address{address(k)}, p, gov.Digest{}, now); !errors.Is(err, approval.ErrContent) {
		t.Errorf("error %v, want %v", err, approval.ErrContent)
	}
}
