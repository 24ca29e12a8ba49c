package gov

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Label is a name that the operator gave: of a governor, a book entry, a rule, a holder. It is the
// only free string that deciding code carries.
type Label string

// Kind says what a leaf call amounts to.
type Kind string

// The kinds, in the order in which the first that fits is taken (FORMATS, `kinds`), then the rest.
const (
	KindTimelock  Kind = "timelock"
	KindGovernor  Kind = "governor"
	KindRole      Kind = "role"
	KindUpgrade   Kind = "upgrade"
	KindMint      Kind = "mint"
	KindBurn      Kind = "burn"
	KindBridge    Kind = "bridge"
	KindListing   Kind = "listing"
	KindParameter Kind = "parameter"
	KindApproval  Kind = "approval"
	KindStream    Kind = "stream"
	KindTransfer  Kind = "transfer"
	KindNative    Kind = "native"
	KindCall      Kind = "call"
	KindUnknown   Kind = "unknown"
)

// Kinds lists every kind; the first twelve in their order of precedence.
var Kinds = []Kind{
	KindTimelock, KindGovernor, KindRole, KindUpgrade, KindMint, KindBurn, KindBridge, KindListing,
	KindParameter, KindApproval, KindStream, KindTransfer, KindNative, KindCall, KindUnknown,
}

// Direction is what a policy says of a proposal. The zero value is Hold.
type Direction uint8

const (
	// Hold casts nothing and asks a person.
	Hold Direction = iota
	// For votes for.
	For
	// Against votes against.
	Against
	// Abstain votes abstain.
	Abstain
)

var directionNames = []string{"hold", "for", "against", "abstain"}

// String is the name used in files and JSON.
func (d Direction) String() string {
	if int(d) < len(directionNames) {
		return directionNames[d]
	}
	return fmt.Sprintf("direction(%d)", uint8(d))
}

// ParseDirection reads hold, for, against or abstain.
func ParseDirection(s string) (Direction, error) {
	i := slices.Index(directionNames, s)
	if i < 0 {
		return Hold, fmt.Errorf("%q is none of hold, for, against, abstain", s)
	}
	return Direction(i), nil
}

// Support is the ballot's word for the direction; ok is false for Hold.
func (d Direction) Support() (s Support, ok bool) {
	switch d {
	case For:
		return SupportFor, true
	case Against:
		return SupportAgainst, true
	case Abstain:
		return SupportAbstain, true
	}
	return 0, false
}

// MarshalText writes the name.
func (d Direction) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the name.
func (d *Direction) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDirection(string(b))
	return err
}

// Support is the value cast on chain: 0 against, 1 for, 2 abstain.
type Support uint8

// The support values of Governor Bravo and OpenZeppelin.
const (
	SupportAgainst Support = 0
	SupportFor     Support = 1
	SupportAbstain Support = 2
)

// Direction is the direction that the support value expresses; an unknown value is Hold.
func (s Support) Direction() Direction {
	switch s {
	case SupportFor:
		return For
	case SupportAgainst:
		return Against
	case SupportAbstain:
		return Abstain
	}
	return Hold
}

// String is for, against or abstain.
func (s Support) String() string { return s.Direction().String() }

// Flavour names a family of Governor contracts.
type Flavour string

// The flavours that this release finds by probing.
const (
	OpenZeppelin5 Flavour = "openzeppelin-5"
	OpenZeppelin4 Flavour = "openzeppelin-4"
	GovernorBravo Flavour = "governor-bravo"
	GovernorAlpha Flavour = "governor-alpha"
)

// Clock is the unit of a governor's times.
type Clock string

// The clocks of EIP-6372.
const (
	ClockBlock     Clock = "block"
	ClockTimestamp Clock = "timestamp"
)

// State is the chain's word for where a proposal stands. Empty when it is not known (removed by a reorg).
type State string

// The states of Governor contracts, in the order of OpenZeppelin's ProposalState.
const (
	StatePending   State = "pending"
	StateActive    State = "active"
	StateCanceled  State = "canceled"
	StateDefeated  State = "defeated"
	StateSucceeded State = "succeeded"
	StateQueued    State = "queued"
	StateExpired   State = "expired"
	StateExecuted  State = "executed"
)

// MarshalJSON writes null for the unknown state.
func (s State) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(s))
}

// Over says whether the state is final on the chain.
func (s State) Over() bool {
	return s == StateCanceled || s == StateDefeated || s == StateExpired || s == StateExecuted
}

// Reason says why a part of the facts could not be had.
type Reason string

// The reasons of `facts.unavailable`.
const (
	NoState      Reason = "no-state"
	NoPrice      Reason = "no-price"
	NoCode       Reason = "no-code"
	TimedOut     Reason = "timeout"
	RPCError     Reason = "rpc-error"
	Disagreement Reason = "disagreement"
	TooLarge     Reason = "too-large"
	NotInRelease Reason = "not-in-release"
	// Changed: it is not what it was when the program began to follow it, or cannot be recognised any more.
	Changed Reason = "changed"
	// Of the outlook: a fact that it is made from is missing; the operator does not say what is spent; nobody's positions
	// are known.
	NoFacts     Reason = "no-facts"
	NoFlow      Reason = "no-flow"
	NoPositions Reason = "no-positions"
)

// Part names a fact by its path, such as `treasury.value_usd`. Parts are constants of the program.
type Part string

// PartDAO is what the governor is: its timelock, executor, token, clock and flavour. Where it is missing no For is cast.
const PartDAO Part = "dao"

// Severity is for people and routes; no policy reads it.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Class says what a finding may cause.
type Class string

// The classes: content findings may decide a direction; context and text ones may only hold a For;
// watch ones speak after the vote.
const (
	ClassContent Class = "content"
	ClassContext Class = "context"
	ClassText    Class = "text"
	ClassWatch   Class = "watch"
)

// Status is how a check ended. The zero value is not_checked: what did not run is never clean.
type Status string

// The four ends of a check.
const (
	Found         Status = "found"
	Clean         Status = "clean"
	NotApplicable Status = "not_applicable"
	NotChecked    Status = "not_checked"
)

// EffectsStatus is how the dry run ended.
type EffectsStatus string

// The four ends of a dry run. Reverted only when the calls themselves ran and failed. Exhausted when the proposal
// itself is more than a run takes in, by a published bound that counts frames, logs, reads or gas and never time: the
// same on every node. Unavailable when we could not: a node, a time-out.
const (
	EffectsExecuted    EffectsStatus = "executed"
	EffectsReverted    EffectsStatus = "reverted"
	EffectsExhausted   EffectsStatus = "exhausted"
	EffectsUnavailable EffectsStatus = "unavailable"
)

// EffectsMode says how the actions were run.
type EffectsMode string

// Lifecycle goes through the governor's queue and execute; direct calls each action from the executor.
const (
	ModeLifecycle EffectsMode = "lifecycle"
	ModeDirect    EffectsMode = "direct"
)

// Tightness is the direction of a parameter change, from a table of known parameters.
type Tightness string

// The three directions; Unclear for what is not in the table.
const (
	Tighter Tightness = "tighter"
	Looser  Tightness = "looser"
	Unclear Tightness = "unclear"
)

// Decoded says how much of a call's data was understood.
type Decoded string

// Full: signature and every argument; partial: the wrapper but not all inside; none: bytes only.
const (
	DecodedFull    Decoded = "full"
	DecodedPartial Decoded = "partial"
	DecodedNone    Decoded = "none"
)
