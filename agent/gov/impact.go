package gov

// ImpactKind says in what way a proposal changes something.
type ImpactKind string

// The kinds of impact.
const (
	ImpactPays      ImpactKind = "pays"      // value goes to somebody
	ImpactAllows    ImpactKind = "allows"    // somebody may take value later
	ImpactStreams   ImpactKind = "streams"   // value goes to somebody over time
	ImpactOrders    ImpactKind = "orders"    // a swap or sale is signed now
	ImpactMints     ImpactKind = "mints"     // tokens are created
	ImpactBurns     ImpactKind = "burns"     // tokens are destroyed
	ImpactGrants    ImpactKind = "grants"    // somebody gets a right
	ImpactOpens     ImpactKind = "opens"     // everybody gets a right
	ImpactRevokes   ImpactKind = "revokes"   // somebody loses a right
	ImpactUpgrades  ImpactKind = "upgrades"  // code is replaced
	ImpactDeploys   ImpactKind = "deploys"   // a contract is made
	ImpactLists     ImpactKind = "lists"     // a market, asset or member is added
	ImpactSets      ImpactKind = "sets"      // a parameter
	ImpactGoverns   ImpactKind = "governs"   // the governor's own rules
	ImpactDelays    ImpactKind = "delays"    // the timelock
	ImpactSends     ImpactKind = "sends"     // something to another chain
	ImpactDelegates ImpactKind = "delegates" // votes
	ImpactRegisters ImpactKind = "registers" // a name or a record
	ImpactPauses    ImpactKind = "pauses"    // or resumes
	ImpactInert     ImpactKind = "inert"     // nothing that matters to anybody
	ImpactOpaque    ImpactKind = "opaque"    // nobody can say
)

// ImpactKinds lists every kind of impact.
var ImpactKinds = []ImpactKind{
	ImpactPays, ImpactAllows, ImpactStreams, ImpactOrders, ImpactMints, ImpactBurns, ImpactGrants, ImpactOpens, ImpactRevokes,
	ImpactUpgrades, ImpactDeploys, ImpactLists, ImpactSets, ImpactGoverns, ImpactDelays, ImpactSends, ImpactDelegates,
	ImpactRegisters, ImpactPauses, ImpactInert, ImpactOpaque,
}

// When is the time of an impact.
type When string

// The times of impacts.
const (
	WhenNow       When = "now"
	WhenLater     When = "later"     // another transaction has to follow
	WhenOverTime  When = "over_time" // bit by bit from now on
	WhenElsewhere When = "elsewhere" // on another chain
)

// CallPath is the place of a call in the tree of calls, such as 0.1: the second call inside the first.
type CallPath string

// Impact is one thing that a proposal changes: a statement of code about facts, in which no stranger's string stands.
type Impact struct {
	Kind   ImpactKind    `json:"kind" fact:"kind"`
	From   Address       `json:"from" fact:"from"`   // who pays, owns or loses; zero: nobody in particular
	To     Address       `json:"to" fact:"to"`       // who receives or may take; zero: nobody in particular, or everybody
	Asset  Maybe[Asset]  `json:"asset" fact:"asset"` // missing where it is about no asset
	ID     Maybe[Amount] `json:"id" fact:"id"`       // of one token of a collection
	Amount Maybe[Amount] `json:"amount" fact:"amount"`
	// Right is which right, and Role the contract's own identifier of it, zero where it has none.
	Right RoleChangeKind `json:"right" fact:"right"`
	Role  Hash           `json:"role" fact:"role"`
	// Target is the contract whose right, parameter, code or record it is.
	Target Address `json:"target" fact:"target"`
	// Param is the setter of a parameter.
	Param    Signature  `json:"param" fact:"param"`
	When     When       `json:"when" fact:"when"`
	Declared []CallPath `json:"declared" fact:"declared"` // the decoded calls that declare it
}
