package signer

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/core/types"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/ledger"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/simulators"
)

// Errors that a caller branches on. What is none of them may pass when it is tried again: a ledger that a
// person has to look at, a disk.
var (
	// ErrStale: facts or answer are too old, or the policy does not say any more what the ballot says; decide again.
	ErrStale = errors.New("decide again before signing")
	// ErrRefused: the ledger holds another vote on this proposal; it will never be signed.
	ErrRefused = errors.New("the ledger refuses")
	// ErrLater: signing is frozen, another process is signing, or it is too early.
	ErrLater = errors.New("not now")
	// ErrIntent: this intent is not one that may ever be signed.
	ErrIntent = errors.New("not an intent that may be signed")
	// ErrPassphrase: the passphrase does not open the key.
	ErrPassphrase = errors.New("wrong passphrase")
	// ErrKind: the reference names a kind of key holder that this release does not have.
	ErrKind = errors.New("not in this release")
)

// Signer signs votes of one key.
type Signer interface {
	Address() gov.Address
	// Sign answers with the signed transaction of the vote. An error may wrap [ErrStale], [ErrRefused],
	// [ErrLater] or [ErrIntent]; then there is no signature.
	Sign(ctx context.Context, i gov.Intent) (gov.Vote, error)
}

// Passphrase opens a key. It prints as [redacted].
type Passphrase struct{ text *string } // behind a pointer, which fmt prints as a number where it asks no method

// PassphraseOf hides a passphrase.
func PassphraseOf(text string) Passphrase { return Passphrase{&text} }

// reveal is what was hidden.
func (p Passphrase) reveal() string {
	if p.text == nil {
		return ""
	}
	return *p.text
}

// The defaults of [Config].
const (
	// DefaultMaxAge is how old facts may be at the moment of signing.
	DefaultMaxAge = 30 * time.Minute
	// DefaultMaxGas is some four times what the costliest castVoteWithReason known to us takes.
	DefaultMaxGas = 1_000_000
	// maxAhead is how far the facts may be ahead of the signer's clock.
	maxAhead = 2 * time.Minute
)

// defaultMaxFee is 200 gwei.
var defaultMaxFee = gov.NewAmount(200_000_000_000)

// Config is what the signer goes by, its own copy: nothing in an intent overrides it.
type Config struct {
	Passphrase Passphrase
	// Dir is what relative paths of the reference are relative to.
	Dir string
	// Ledger opens the ledger of the key. The caller decides whether one that is missing may be created.
	Ledger func(voter gov.Address) (*ledger.Ledger, error)
	// Policies say what each holder wants.
	Policies *policies.Set
	// Approvers are the keys whose answers count.
	Approvers []gov.Address
	// Governors are where the key votes.
	Governors []Governor
	// MaxFee bounds the fee per gas, in wei; zero is 200 gwei.
	MaxFee gov.Amount
	// MaxGas bounds the gas of a vote; 0 is DefaultMaxGas.
	MaxGas uint64
	// MaxAge bounds the age of facts by the signer's own clock; 0 is DefaultMaxAge.
	MaxAge time.Duration
	// Now is the signer's clock.
	Now func() time.Time
}

// Governor is one contract at which the key may vote.
type Governor struct {
	Chain   gov.ChainID
	Address gov.Address
	Name    gov.Label // by which policies name it
	// Flavour must be the ballot's; empty accepts any that has a ballot.
	Flavour gov.Flavour
	// LooseClock says that the chain's time may run ahead of ours (finality latest or a number of blocks): facts from
	// the future are then accepted, and count as now.
	LooseClock bool
	// Scenario is what an outlook is computed from, beside the facts, where the policy reads one.
	Scenario simulators.Scenario
}

// Open opens the key that ref names, such as keystore:voter.json, and its ledger. An error may wrap
// [ErrPassphrase], [ErrKind] or one of chains/ledger's.
func Open(ctx context.Context, ref string, c Config) (Signer, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("open signer: %w", err)
	}
	k, err := openKey(ctx, ref, c.Passphrase, c.Dir)
	if err != nil {
		return nil, err
	}
	l, err := c.Ledger(k.address())
	if err != nil {
		return nil, fmt.Errorf("open signer of %s: %w", k.address(), err)
	}
	if l.Voter() != k.address() {
		return nil, fmt.Errorf("open signer of %s: ledger of %s: %w", k.address(), l.Voter(), ledger.ErrVoter)
	}
	c.Passphrase = Passphrase{}
	return &voter{key: k, ledger: l, Config: c}, nil
}

// check fills the defaults in.
func (c *Config) check() error {
	switch {
	case c.Ledger == nil:
		return errors.New("no ledger")
	case c.Policies == nil:
		return errors.New("no policies")
	case c.Now == nil:
		return errors.New("no clock")
	case len(c.Governors) == 0:
		return errors.New("no governors")
	case c.MaxAge < 0:
		return fmt.Errorf("max_age %s is negative", c.MaxAge)
	}
	if c.MaxFee.IsZero() {
		c.MaxFee = defaultMaxFee
	}
	if c.MaxGas == 0 {
		c.MaxGas = DefaultMaxGas
	}
	if c.MaxAge == 0 {
		c.MaxAge = DefaultMaxAge
	}
	c.Governors, c.Approvers = slices.Clone(c.Governors), slices.Clone(c.Approvers)
	return nil
}

// key is what holds the private key.
type key interface {
	address() gov.Address
	signTx(ctx context.Context, tx *types.Transaction, chain *big.Int) (*types.Transaction, error)
	// signHash is for answers of a holder alone (Approver): never for what a caller brings as bytes.
	signHash(ctx context.Context, h gov.Hash) ([]byte, error)
}

// Kind is one kind of key holder.
type Kind struct {
	Scheme string
	Title  string
	open   func(ctx context.Context, rest string, pass Passphrase, dir string) (key, error) // nil: not in this release
}

// Kinds are the kinds by scheme.
var Kinds = []Kind{
	{"keystore", "an encrypted key file of go-ethereum", openKeystore},
	{"socket", "a legate signer behind a unix socket", nil},
	{"web3signer", "a Web3Signer", nil},
	{"clef", "a signer that speaks clef's protocol", nil},
	{"awskms", "a key in AWS KMS", nil},
	{"gcpkms", "a key in Google Cloud KMS", nil},
}

func openKey(ctx context.Context, ref string, pass Passphrase, dir string) (key, error) {
	k, rest, err := kindOf(ref)
	if err != nil {
		return nil, err
	}
	return k.open(ctx, rest, pass, dir)
}

// CheckRef says whether a reference names a kind of key that this release has. Its errors do not repeat the
// reference: it may be the key itself, by mistake (G07).
func CheckRef(ref string) error {
	_, _, err := kindOf(ref)
	return err
}

func kindOf(ref string) (Kind, string, error) {
	scheme, rest, ok := strings.Cut(ref, ":")
	if !ok || rest == "" {
		return Kind{}, "", errors.New("a key is named by a kind, a colon and a name, such as keystore:voter.json")
	}
	for _, k := range Kinds {
		if k.Scheme != scheme {
			continue
		}
		if k.open == nil {
			return Kind{}, "", fmt.Errorf("key of kind %s: %w", scheme, ErrKind)
		}
		return k, rest, nil
	}
	return Kind{}, "", errors.New("there is no such kind of key; keystore:voter.json is one")
}
