package gov

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Digest is a sha256; sha256:hex as text. The zero digest is the empty text.
type Digest [32]byte

// String is sha256: and 64 hex digits, empty for the zero digest.
func (d Digest) String() string {
	if d == (Digest{}) {
		return ""
	}
	return "sha256:" + hex.EncodeToString(d[:])
}

// MarshalText writes the text form.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the text form.
func (d *Digest) UnmarshalText(b []byte) error {
	*d = Digest{}
	if len(b) == 0 {
		return nil
	}
	raw, err := hex.DecodeString(strings.TrimPrefix(string(b), "sha256:"))
	if err != nil || len(raw) != 32 || !strings.HasPrefix(string(b), "sha256:") {
		return fmt.Errorf("%.80q is not a digest of the form sha256: and 64 hex digits", b)
	}
	copy(d[:], raw)
	return nil
}

// DigestOf is the sha256 of a value's canonical encoding: JSON with fields in the order of their
// declaration and no insignificant space. Values of this package hold no map, so equal values give equal bytes.
func DigestOf(v any) (Digest, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return Digest{}, fmt.Errorf("encode for digest: %w", err)
	}
	return sha256.Sum256(b), nil
}

// Digest covers all content facts: everything in f but the number of sources.
func (f Facts) Digest() (Digest, error) {
	f.Sources = 0
	return DigestOf(f)
}

// basis is what a proposal does, without when and at what price (FORMATS, `facts.basis`).
type basis struct {
	Content    Hash
	Kinds      Maybe[[]Kind]
	Leaves     []basisLeaf
	Status     Maybe[EffectsStatus]
	Findings   []basisFinding
	Allowances []Allowance
	Outflows   []basisOutflow
	Params     Maybe[[]Param]
	Roles      Roles
	Timelock   Timelock
	Governor   GovernorFacts
	Upgrades   Maybe[[]Change]
	Impacts    []basisImpact `json:",omitempty"`
}

// basisImpact is what a call declares.
type basisImpact struct {
	Kind       ImpactKind
	From, To   Address
	Asset      Maybe[Asset]
	ID, Amount Maybe[Amount]
	Right      RoleChangeKind
	Role       Hash
	Target     Address
	Param      Signature
	When       When
}

type basisLeaf struct {
	To, Implementation  Address
	Value               Amount
	Data                Hash
	Code, ImplCode      Hash
	Known, Delegatecall bool
}

type basisFinding struct {
	ID       CheckID
	Status   Status
	Severity Severity
}

type basisOutflow struct {
	Token  Asset
	To     Address
	Kind   OutflowKind
	Amount Maybe[Amount]
}

// Basis is the digest of what the proposal does. It changes when that changes, not with block, time,
// gas, price or balance: a human's approval is bound to it.
func Basis(p Proposal, f Facts, findings []Finding) (Digest, error) {
	b := basis{
		Content: p.ContentHash, Kinds: f.Kinds, Status: f.Effects.Status, Params: f.Params,
		Roles: f.Roles, Timelock: f.Timelock, Governor: f.Governor, Upgrades: f.Upgrades,
	}
	calls, _ := f.Calls.Get()
	for _, l := range Leaves(calls) {
		c := l.Call
		b.Leaves = append(b.Leaves, basisLeaf{c.To, c.Implementation, c.Value, c.DataHash, c.CodeHash, c.ImplCodeHash, c.Known, c.Delegatecall})
	}
	for _, x := range findings {
		b.Findings = append(b.Findings, basisFinding{x.ID, x.Status, x.Severity})
	}
	slices.SortFunc(b.Findings, func(x, y basisFinding) int { return strings.Compare(string(x.ID), string(y.ID)) })
	b.Allowances = f.Effects.Allowances
	outflows, _ := f.Treasury.Outflows.Get()
	for _, o := range outflows {
		amount := Maybe[Amount]{}
		if o.Decoded {
			amount = Known(o.Amount)
		}
		b.Outflows = append(b.Outflows, basisOutflow{o.Token, o.To, o.Kind, amount})
	}
	impacts, _ := f.Impacts.Get()
	for _, i := range impacts {
		b.Impacts = append(b.Impacts, basisImpact{i.Kind, i.From, i.To, i.Asset, i.ID, i.Amount, i.Right, i.Role, i.Target, i.Param, i.When})
	}
	return DigestOf(b)
}
