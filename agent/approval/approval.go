package approval

import (
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/holiman/uint256"

	"github.com/legate-dao/legate/agent/gov"
)

// Why an answer does not count. [Verify] wraps exactly one of them.
var (
	// ErrForged: no key that the configuration lists signed this.
	ErrForged = errors.New("not signed by a listed approver")
	// ErrMalleable: a second form of somebody's signature (high s, or an odd v), or no signature at all.
	ErrMalleable = errors.New("not a signature in its one accepted form")
	// ErrProposal: it speaks of another proposal, governor or chain.
	ErrProposal = errors.New("it answers another proposal")
	// ErrContent: it speaks of other content under the same id.
	ErrContent = errors.New("it answers other content")
	// ErrStale: what the proposal does has changed since the holder was shown it.
	ErrStale = errors.New("what the proposal does has changed since")
	// ErrExpired: its time is over.
	ErrExpired = errors.New("it has expired")
)

// halfOrder is half of secp256k1's order: EIP-2 accepts s up to here.
var halfOrder = uint256.MustFromHex("0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0")

// Build signs an answer: sign is given the EIP-712 hash and returns r, s and v (0, 1, 27 or 28). Approver
// becomes the account that signed; where a names another one, that is an error.
func Build(a gov.Approval, sign func(gov.Hash) ([]byte, error)) (gov.Approval, error) {
	hash, err := Hash(a)
	if err != nil {
		return gov.Approval{}, err
	}
	raw, err := sign(hash)
	if err != nil {
		return gov.Approval{}, fmt.Errorf("sign the answer on %s: %w", a.Proposal, err)
	}
	if len(raw) == crypto.SignatureLength && raw[64] < 2 {
		raw = append(slices.Clone(raw[:64]), raw[64]+27)
	}
	a.Signature = gov.CalldataOf(raw)
	signer, err := recoverSigner(a)
	if err != nil {
		return gov.Approval{}, fmt.Errorf("sign the answer on %s: %w", a.Proposal, err)
	}
	if !a.Approver.IsZero() && a.Approver != signer {
		return gov.Approval{}, fmt.Errorf("sign the answer on %s: the key is %s, not %s", a.Proposal, signer, a.Approver)
	}
	a.Approver = signer
	return a, nil
}

// Verify says whether an answer counts: signed by one of the approvers, over this proposal with this
// content and this basis, and not expired. The error wraps one of the package's sentinels.
func Verify(a gov.Approval, approvers []gov.Address, p gov.Proposal, basis gov.Digest, now gov.UnixTime) error {
	signer, err := recoverSigner(a)
	if err != nil {
		return fmt.Errorf("answer on %s: %w", a.Proposal, err)
	}
	switch {
	case signer.IsZero() || signer != a.Approver:
		return fmt.Errorf("answer on %s: it says %s, but the signature is that of %s: %w", a.Proposal, a.Approver, signer, ErrForged)
	case !slices.Contains(approvers, signer):
		return fmt.Errorf("answer on %s: %s: %w", a.Proposal, signer, ErrForged)
	case a.Proposal != p.ID:
		return fmt.Errorf("answer on %s, asked was %s: %w", a.Proposal, p.ID, ErrProposal)
	case a.ContentHash != p.ContentHash || a.ContentHash == (gov.Hash{}):
		return fmt.Errorf("answer on %s: content %s, the proposal has %s: %w", a.Proposal, a.ContentHash, p.ContentHash, ErrContent)
	case !a.OnContent() && a.Basis != basis:
		return fmt.Errorf("answer on %s: basis %s, it is now %s: %w", a.Proposal, a.Basis, basis, ErrStale)
	case now > a.Expires:
		return fmt.Errorf("answer on %s: valid until %s, now is %s: %w", a.Proposal, a.Expires, now, ErrExpired)
	}
	return nil
}

// recoverSigner is the account behind the signature, in the one form that is accepted: 65 bytes, s in the
// lower half, v 27 or 28. Every other form is refused, so that an answer has one spelling.
func recoverSigner(a gov.Approval) (gov.Address, error) {
	hash, err := Hash(a)
	if err != nil {
		return gov.Address{}, fmt.Errorf("%w: %w", ErrForged, err)
	}
	sig := a.Signature.Bytes()
	if len(sig) != crypto.SignatureLength {
		return gov.Address{}, fmt.Errorf("%w: it has %d bytes, want %d", ErrMalleable, len(sig), crypto.SignatureLength)
	}
	s := new(uint256.Int).SetBytes(sig[32:64])
	if (sig[64] != 27 && sig[64] != 28) || s.Gt(halfOrder) {
		return gov.Address{}, ErrMalleable
	}
	sig[64] -= 27
	key, err := crypto.SigToPub(hash[:], sig)
	if err != nil {
		return gov.Address{}, fmt.Errorf("%w: no key belongs to the signature", ErrForged)
	}
	return gov.Address(crypto.PubkeyToAddress(*key)), nil
}
