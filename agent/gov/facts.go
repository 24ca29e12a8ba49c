package gov

// Facts are the content facts of one proposal at one block hash: what follows from the actions, the
// code and state they touch, and the operator's tables. The `fact` tags are the names that policies
// read (FORMATS, "What an expression sees"); a field without one is evidence for checks and people.
type Facts struct {
	At Block `json:"at"`
	// Sources is how many endpoints gave these facts; not part of the digest.
	Sources int `json:"sources"`

	Kinds        Maybe[[]Kind] `json:"kinds" fact:"kinds"`
	UnknownCalls Maybe[int64]  `json:"unknown_calls" fact:"unknown_calls"`
	Calls        Maybe[[]Call] `json:"calls"` // as a tree; policies see the leaves as `calls`
	// Excerpt are decoded calls of a proposal that has too many to be kept: those by which a check finds something. A
	// check may find by them and is never clean by them; they stand in no order of their own.
	Excerpt []Call `json:"excerpt,omitempty"`

	Effects  Effects         `json:"effects" fact:"effects"`
	Treasury Treasury        `json:"treasury" fact:"treasury"`
	Supply   Supply          `json:"supply" fact:"supply"`
	Roles    Roles           `json:"roles" fact:"roles"`
	Timelock Timelock        `json:"timelock" fact:"timelock"`
	Governor GovernorFacts   `json:"governor" fact:"governor"`
	Upgrades Maybe[[]Change] `json:"upgrades" fact:"upgrades"`
	Params   Maybe[[]Param]  `json:"params" fact:"params"`
	Bridge   Bridge          `json:"bridge" fact:"bridge"`
	Targets  Targets         `json:"targets" fact:"targets"`

	// DAO are the accounts that are the DAO's own: governor, timelock, token, treasury accounts.
	DAO DAO `json:"dao"`
	// Caps are the operator's thresholds for severities.
	Caps Caps `json:"caps"`
	// Lookalikes are addresses that resemble a booked or DAO address without being one.
	Lookalikes Maybe[[]Lookalike] `json:"lookalikes"`
	// Impacts are what the calls declare, in their order.
	Impacts Maybe[[]Impact] `json:"impacts,omitzero"`
	// Foreign are accounts that the run touched, by what the book says of them.
	Foreign Maybe[Foreign] `json:"foreign,omitzero"`

	Unavailable   []Missing `json:"unavailable"`
	NotApplicable []Part    `json:"not_applicable"`
}

// Foreign are accounts of the run that are not the DAO's own.
type Foreign struct {
	// Changed are not in the book and changed their state, code or what they hold of it.
	Changed []Address `json:"changed"`
	// Booked are in the book.
	Booked []Address `json:"booked"`
}

// Missing names a part that could not be had, and why. Subject is the account it is about, zero if none.
type Missing struct {
	Part    Part    `json:"part"`
	Reason  Reason  `json:"reason"`
	Subject Address `json:"subject"`
}

// DAO are the governor's own accounts, proven on chain, and the operator's treasury accounts.
type DAO struct {
	Governor Address   `json:"governor"`
	Timelock Address   `json:"timelock"` // zero where the governor executes itself
	Token    Address   `json:"token"`
	Executor Address   `json:"executor"` // the account that makes the calls: the timelock, or the governor
	Treasury []Address `json:"treasury"` // sorted; the executor and the operator's accounts
}

// Own says whether a is one of the DAO's own accounts.
func (d DAO) Own(a Address) bool {
	if a.IsZero() {
		return false
	}
	if a == d.Governor || a == d.Timelock || a == d.Token || a == d.Executor {
		return true
	}
	for _, t := range d.Treasury {
		if a == t {
			return true
		}
	}
	return false
}

// Caps are the operator's thresholds beyond which findings are warnings or critical.
type Caps struct {
	OutflowUSD float64 `json:"outflow_usd"`
	OutflowBps float64 `json:"outflow_bps"`
}

// Effects is what the dry run did. Gas is the gas of execute.
type Effects struct {
	Status Maybe[EffectsStatus] `json:"status" fact:"status"`
	Mode   EffectsMode          `json:"mode"`
	Gas    Maybe[Amount]        `json:"gas" fact:"gas"`
	// OutOfGas says that the calls failed for want of gas.
	OutOfGas bool `json:"out_of_gas"`
	// Ended says of an exhausted run that its calls ran to their end and succeeded, and only what was measured or
	// recorded of them is not complete: what is known of it is true, what is missing is listed.
	Ended bool `json:"ended,omitempty"`
	// FailedAction is the index of the action that failed when run on its own, -1 if none or not known.
	FailedAction  int            `json:"failed_action"`
	Calls         []Frame        `json:"calls"`
	Logs          []EventLog     `json:"logs"`
	BalanceDeltas []BalanceDelta `json:"balance_deltas"`
	Allowances    []Allowance    `json:"allowances"`
	StorageDiffs  []StorageDiff  `json:"storage_diffs"`
	CodeChanges   []CodeChange   `json:"code_changes"`
}

// Shows reports whether there is a state after the calls, so that what only execution shows may be known: the run
// executed, or it is exhausted after its calls had ended.
func (e Effects) Shows() bool {
	return e.Executed() || e.Ended && e.Status.Or("") == EffectsExhausted
}

// Executed says whether the dry run executed.
func (e Effects) Executed() bool { return e.Status.Or("") == EffectsExecuted }

// FrameType is the opcode that opened a call frame.
type FrameType string

// The call frame types.
const (
	FrameCall         FrameType = "CALL"
	FrameStaticCall   FrameType = "STATICCALL"
	FrameDelegateCall FrameType = "DELEGATECALL"
	FrameCallCode     FrameType = "CALLCODE"
	FrameCreate       FrameType = "CREATE"
	FrameCreate2      FrameType = "CREATE2"
	FrameSelfDestruct FrameType = "SELFDESTRUCT"
)

// Frame is one call of the dry run, in the order of entry.
type Frame struct {
	Type     FrameType `json:"type"`
	Depth    int       `json:"depth"` // 0 is execute itself
	From     Address   `json:"from"`
	To       Address   `json:"to"`
	Value    Amount    `json:"value"`
	Selector *Selector `json:"selector"`
	Gas      Amount    `json:"gas"`
	OK       bool      `json:"ok"`
	// DataHash is keccak256 of the input.
	DataHash Hash `json:"data_hash"`
}

// EventLog is one log of the dry run; its bytes stay opaque.
type EventLog struct {
	Account Address  `json:"account"`
	Topics  []Hash   `json:"topics"`
	Data    Calldata `json:"data"`
}

// BalanceDelta is how an account's holding changed, by balanceOf before and after. Token zero is the
// native coin, "native" in JSON.
type BalanceDelta struct {
	Account Address `json:"account"`
	Token   Asset   `json:"token"`
	Before  Amount  `json:"before"`
	Delta   Delta   `json:"delta"`
}

// Asset is a token's address, or the native coin (zero; "native" as text).
type Asset Address

// Native is the chain's own coin.
var Native Asset

// String is "native" or the EIP-55 address.
func (a Asset) String() string {
	if a == Native {
		return "native"
	}
	return Address(a).Hex()
}

// MarshalText writes "native" or the address.
func (a Asset) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Asset) UnmarshalText(b []byte) error {
	if string(b) == "native" {
		*a = Native
		return nil
	}
	return (*Address)(a).UnmarshalText(b)
}

// Allowance is a right to move an owner's tokens, before and after. Used-up ones are listed too.
type Allowance struct {
	Token   Address `json:"token"`
	Owner   Address `json:"owner"`
	Spender Address `json:"spender"`
	Before  Amount  `json:"before"`
	After   Amount  `json:"after"`
	// Permit2 is the holder of the allowance when it is not the token itself.
	Via Address `json:"via"`
	// Peak is the largest amount allowed during the run.
	Peak Amount `json:"peak"`
}

// StorageDiff is one changed slot.
type StorageDiff struct {
	Account Address `json:"account"`
	Slot    Hash    `json:"slot"`
	Before  Hash    `json:"before"`
	After   Hash    `json:"after"`
}

// CodeChange is a changed code hash; zero ("0x" in JSON) for no code.
type CodeChange struct {
	Account Address  `json:"account"`
	Before  CodeHash `json:"before"`
	After   CodeHash `json:"after"`
}

// CodeHash is keccak256 of runtime code; zero means no code, "0x" as text.
type CodeHash Hash

// MarshalText writes 0x for no code.
func (c CodeHash) MarshalText() ([]byte, error) {
	if c == (CodeHash{}) {
		return []byte("0x"), nil
	}
	return Hash(c).MarshalText()
}

// UnmarshalText reads what MarshalText writes.
func (c *CodeHash) UnmarshalText(b []byte) error {
	if string(b) == "0x" {
		*c = CodeHash{}
		return nil
	}
	return (*Hash)(c).UnmarshalText(b)
}

// OutflowKind is how value leaves the treasury.
type OutflowKind string

// The four ways.
const (
	OutflowNative         OutflowKind = "native"
	OutflowTransfer       OutflowKind = "transfer"
	OutflowAllowance      OutflowKind = "allowance"
	OutflowApprovalForAll OutflowKind = "approval_for_all"
)

// Outflow is one asset leaving the treasury to one recipient or spender.
type Outflow struct {
	To     Address        `json:"to" fact:"to"`
	Token  Asset          `json:"token" fact:"token"`
	Amount Amount         `json:"amount" fact:"amount"`
	USD    Maybe[float64] `json:"usd" fact:"usd"`
	Bps    Maybe[float64] `json:"bps" fact:"bps"`
	Kind   OutflowKind    `json:"kind" fact:"kind"`
	// Decoded says that the amount is a decoded argument of a call, not a measured movement: only then
	// is it part of the basis.
	Decoded bool `json:"decoded"`
	// Outside: the recipient is neither the DAO's own nor in the book.
	Outside bool `json:"outside"`
}

// Treasury is what the DAO holds and what leaves it.
type Treasury struct {
	ValueUSD          Maybe[float64]   `json:"value_usd" fact:"value_usd"`
	OutflowUSD        Maybe[float64]   `json:"outflow_usd" fact:"outflow_usd"`
	OutflowBps        Maybe[float64]   `json:"outflow_bps" fact:"outflow_bps"`
	Allowances        Maybe[int64]     `json:"allowances" fact:"allowances"`
	AllowancesOutside Maybe[int64]     `json:"allowances_outside" fact:"allowances_outside"`
	RecipientsNew     Maybe[int64]     `json:"recipients_new" fact:"recipients_new"`
	Outflows          Maybe[[]Outflow] `json:"outflows" fact:"outflows"`
	// Holdings are the assets before the actions, priced where a price is known.
	Holdings []Holding `json:"holdings"`
}

// Holding is one asset of the treasury before the actions.
type Holding struct {
	Token    Asset          `json:"token"`
	Amount   Amount         `json:"amount"`
	Decimals uint8          `json:"decimals"`
	USD      Maybe[float64] `json:"usd"`
}

// Supply is of the governance token; bps of the supply before.
type Supply struct {
	MintedBps    Maybe[float64] `json:"minted_bps" fact:"minted_bps"`
	BurnedBps    Maybe[float64] `json:"burned_bps" fact:"burned_bps"`
	MintersAdded Maybe[int64]   `json:"minters_added" fact:"minters_added"`
	CapRaised    Maybe[bool]    `json:"cap_raised" fact:"cap_raised"`
	Paused       Maybe[bool]    `json:"paused" fact:"paused"`
	Before       Maybe[Amount]  `json:"before"`
	After        Maybe[Amount]  `json:"after"`
	// SelfDelegated: the treasury's own votes were delegated by this run.
	SelfDelegated Maybe[bool] `json:"self_delegated"`
}

// RoleChange is one change of who may do what.
type RoleChange struct {
	Target  Address        `json:"target"`
	Kind    RoleChangeKind `json:"kind"`
	Role    Hash           `json:"role"` // zero where the contract has no roles
	Account Address        `json:"account"`
	Outside bool           `json:"outside"`
}

// RoleChangeKind is what happened to a right.
type RoleChangeKind string

// The kinds of role change.
const (
	RoleGranted  RoleChangeKind = "granted"
	RoleRevoked  RoleChangeKind = "revoked"
	RoleOpened   RoleChangeKind = "opened" // to everybody
	OwnerChanged RoleChangeKind = "owner"
	OwnerPending RoleChangeKind = "pending_owner"
	AdminChanged RoleChangeKind = "admin"
	AdminPending RoleChangeKind = "pending_admin"
)

// Roles counts changes of roles, owners and admins; a new or pending owner or admin counts as granted.
type Roles struct {
	Granted        Maybe[int64]        `json:"granted" fact:"granted"`
	GrantedOutside Maybe[int64]        `json:"granted_outside" fact:"granted_outside"`
	Revoked        Maybe[int64]        `json:"revoked" fact:"revoked"`
	OwnerChanged   Maybe[int64]        `json:"owner_changed" fact:"owner_changed"`
	AdminChanged   Maybe[int64]        `json:"admin_changed" fact:"admin_changed"`
	Changes        Maybe[[]RoleChange] `json:"changes"`
}

// Timelock is the delay of the governor's timelock in seconds, and how many of its roles changed.
type Timelock struct {
	DelayBefore  Maybe[int64] `json:"delay_before" fact:"delay_before"`
	DelayAfter   Maybe[int64] `json:"delay_after" fact:"delay_after"`
	RolesChanged Maybe[int64] `json:"roles_changed" fact:"roles_changed"`
}

// Span is a number before and after the run.
type Span[T any] struct {
	Before Maybe[T] `json:"before" fact:"before"`
	After  Maybe[T] `json:"after" fact:"after"`
}

// GovernorFacts are the governor's own parameters: quorum and threshold in whole tokens, delay and
// period in the governor's clock.
type GovernorFacts struct {
	Quorum    Span[float64] `json:"quorum" fact:"quorum"`
	Threshold Span[float64] `json:"threshold" fact:"threshold"`
	Delay     Span[int64]   `json:"delay" fact:"delay"`
	Period    Span[int64]   `json:"period" fact:"period"`
}

// Change is a proxy whose implementation, beacon or admin slot changed.
type Change struct {
	Proxy  Address `json:"proxy" fact:"proxy"`
	Before Address `json:"before" fact:"before"`
	After  Address `json:"after" fact:"after"`
	// AfterCode is the code hash of the new implementation.
	AfterCode CodeHash `json:"after_code"`
}

// Param is one changed parameter: exactly one entry for each leaf of kind parameter.
type Param struct {
	Label     Label            `json:"label" fact:"label"`
	Target    Address          `json:"target" fact:"target"`
	Before    Maybe[float64]   `json:"before" fact:"before"`
	After     Maybe[float64]   `json:"after" fact:"after"`
	ChangeBps Maybe[float64]   `json:"change_bps" fact:"change_bps"`
	Direction Maybe[Tightness] `json:"direction" fact:"direction"`
	Signature Signature        `json:"signature"`
}

// Bridge are calls to other chains.
type Bridge struct {
	Chains    Maybe[[]ChainID] `json:"chains" fact:"chains"`
	Undecoded Maybe[int64]     `json:"undecoded" fact:"undecoded"`
}

// Targets counts what the leaf calls' targets are, with the code facts of each.
type Targets struct {
	Fresh    Maybe[int64]        `json:"fresh" fact:"fresh"`
	Codeless Maybe[int64]        `json:"codeless" fact:"codeless"`
	Proxy    Maybe[int64]        `json:"proxy" fact:"proxy"`
	EOA      Maybe[int64]        `json:"eoa" fact:"eoa"`
	Code     Maybe[[]TargetCode] `json:"code"`
}

// TargetCode is what the code of one target shows at the facts' block. A target the DAO owns or that
// is known has Known set: D6 and D7 do not speak of it.
type TargetCode struct {
	Address        Address     `json:"address"`
	Known          bool        `json:"known"`
	CodeHash       CodeHash    `json:"code_hash"`
	Implementation Address     `json:"implementation"`
	ImplCodeHash   CodeHash    `json:"implementation_code_hash"`
	Size           int64       `json:"size"`
	EOA            bool        `json:"eoa"`
	Fresh          Maybe[bool] `json:"fresh"`
	SelfDestruct   bool        `json:"selfdestruct"`
	DelegateCall   bool        `json:"delegatecall"`
	Create2        Maybe[bool] `json:"create2"`    // created by a CREATE2 factory, where that could be found
	Designator     Address     `json:"designator"` // EIP-7702 delegate, zero if none
}

// Lookalike is an address that resembles a known one.
type Lookalike struct {
	Address   Address `json:"address"`
	Resembles Address `json:"resembles"`
	Where     Part    `json:"where"` // calls, storage, targets
}

// Applies says whether a part exists for this DAO at all.
func (f Facts) Applies(p Part) bool {
	for _, n := range f.NotApplicable {
		if n == p {
			return false
		}
	}
	return true
}

// Finish sets what follows from the calls alone, kinds and the number of unknown leaves, and makes empty
// lists of nil ones. Facts are complete, and may be digested, after it.
func (f *Facts) Finish() {
	f.fill()
	calls, ok := f.Calls.Get()
	if !ok {
		f.Kinds, f.UnknownCalls = Maybe[[]Kind]{}, Maybe[int64]{}
		return
	}
	seen := map[Kind]bool{}
	unknown := int64(0)
	for _, leaf := range Leaves(calls) {
		seen[leaf.Call.Kind] = true
		if !leaf.Call.Known {
			unknown++
		}
	}
	kinds := []Kind{}
	for _, k := range Kinds {
		if seen[k] {
			kinds = append(kinds, k)
		}
	}
	f.Kinds, f.UnknownCalls = Known(kinds), Known(unknown)
}
