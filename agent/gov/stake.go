package gov

import (
	"fmt"
	"math"
)

// Stake is how much a vote Against has to prevent: what comes first where not all can be cast at once, and how much of
// the fee budget it may spend. It is made of content facts alone, and totally ordered: a larger number is more. The
// zero value is the least.
type Stake uint32

// StakeLevel is the coarse part of a [Stake].
type StakeLevel uint8

// The levels, from the least.
const (
	// StakeSmall: less than one percent of the treasury, and no right over what is the DAO's own.
	StakeSmall StakeLevel = iota
	// StakeUnclear: it takes what has no price and is in no book, or rights over a contract that is in none: worth
	// something or nothing. A proposer can make as many such tokens and contracts as wanted.
	StakeUnclear
	// StakeLarge: one percent of the treasury or more, or how much cannot be told and the calls take something.
	StakeLarge
	// StakeWhole: ten percent of the treasury or more, or a right, code, timelock or supply that is the DAO's own.
	StakeWhole
)

// The shares from which a stake is large and whole, in basis points of the treasury.
const (
	largeBps = 100
	wholeBps = 1000
	allBps   = 10_000
)

// MostStake is the largest.
const MostStake = Stake(StakeWhole)*levelStep + allBps

// levelStep separates the levels in the number, so that a level always outranks a share.
const levelStep = 1 << 16

// Level is how much is at stake, coarsely.
func (s Stake) Level() StakeLevel { return StakeLevel(s / levelStep) }

// Bps is the known share of the treasury that is at stake, in basis points, at most all of it.
func (s Stake) Bps() int { return int(s % levelStep) }

// String is the level with the share.
func (s Stake) String() string {
	return fmt.Sprintf("%s, %d bps", [...]string{"small", "unclear", "large", "whole"}[min(s.Level(), StakeWhole)], s.Bps())
}

// StakeOf is what facts put at stake. What cannot be known counts as much, unless it is cheap to make up: a token without
// a price that no book knows is worth less here than a known percent.
func StakeOf(f Facts) Stake {
	level := max(f.rightsTaken(), f.runTaken())
	share, unclear := f.shareTaken()
	if unclear {
		level = max(level, StakeUnclear)
	}
	minted, _ := f.Supply.MintedBps.Get()
	of := max(share, whole(minted))
	switch {
	case of >= wholeBps:
		level = StakeWhole
	case of >= largeBps:
		level = max(level, StakeLarge)
	}
	return Stake(level)*levelStep + Stake(of)
}

// whole is a share in whole basis points. What is no number, or no share, is none; more than all is all.
func whole(bps float64) int {
	if math.IsNaN(bps) || bps <= 0 {
		return 0
	}
	return int(min(bps, allBps))
}

// shareTaken is the share of the treasury that leaves or may be taken, by each outflow that has one; unclear says that
// there is one that has none.
func (f Facts) shareTaken() (bps int, unclear bool) {
	outflows, _ := f.Treasury.Outflows.Get()
	sum := 0
	for _, o := range outflows {
		n, ok := o.Bps.Get()
		if !ok {
			n, ok = f.shareHeld(o.Token, o.Amount)
		}
		if !ok {
			unclear = true
			continue
		}
		sum = min(sum+whole(n), allBps)
	}
	total, _ := f.Treasury.OutflowBps.Get()
	return max(sum, whole(total)), unclear
}

// shareHeld is the share of the treasury that an amount of an asset is, at most all that is held of it. What has no price
// counts by the share of that holding, where the asset is the DAO's own or in the book: as one percent at most beside what
// has a price, since the holding may be dust. ok is false where that cannot be told.
func (f Facts) shareHeld(asset Asset, amount Amount) (bps float64, ok bool) {
	value := 0.0
	for _, h := range f.Treasury.Holdings {
		usd, _ := h.USD.Get()
		value += usd
	}
	for _, h := range f.Treasury.Holdings {
		if h.Token != asset {
			continue
		}
		if h.Amount.IsZero() {
			return 0, true
		}
		part := min(amount.Float()/h.Amount.Float(), 1) * allBps
		usd, priced := h.USD.Get()
		switch {
		case priced && value > 0:
			return part * usd / value, true
		case value > 0:
			part = min(part, largeBps)
		}
		return part, f.familiar(Address(asset))
	}
	return 0, false // not among what is held, as far as that is known
}

// familiar says whether an account is the DAO's own, the native coin, or one that the operator's book has: what no
// proposer can make up.
func (f Facts) familiar(a Address) bool {
	if a.IsZero() || f.DAO.Own(a) {
		return true
	}
	code, _ := f.Targets.Code.Get()
	for _, t := range code {
		if t.Address == a {
			return t.Known
		}
	}
	return false
}

// over is the level of a right, or of code, of an account.
func (f Facts) over(a Address) StakeLevel {
	if f.familiar(a) {
		return StakeWhole
	}
	return StakeUnclear
}

// rightsTaken is what the run did to rights, code, timelock, governor and supply.
func (f Facts) rightsTaken() (level StakeLevel) {
	changes, known := f.Roles.Changes.Get()
	for _, c := range changes {
		if c.Outside && c.Kind != RoleRevoked {
			level = max(level, f.over(c.Target))
		}
	}
	if !known && (f.Roles.GrantedOutside.Or(0) > 0 || f.Roles.OwnerChanged.Or(0) > 0 || f.Roles.AdminChanged.Or(0) > 0) {
		level = max(level, StakeLarge)
	}

	upgrades, _ := f.Upgrades.Get()
	for _, u := range upgrades {
		level = max(level, f.over(u.Proxy))
	}
	for _, c := range f.Effects.CodeChanges {
		if f.DAO.Own(c.Account) {
			level = StakeWhole
		}
	}

	before, has := f.Timelock.DelayBefore.Get()
	after, still := f.Timelock.DelayAfter.Get()
	if f.Timelock.RolesChanged.Or(0) > 0 || has && still && after < before {
		level = StakeWhole
	}
	if f.Supply.MintersAdded.Or(0) > 0 || f.Supply.CapRaised.Or(false) || f.Supply.SelfDelegated.Or(false) {
		level = StakeWhole
	}
	if f.eased() || f.Bridge.Undecoded.Or(0) > 0 {
		level = max(level, StakeLarge)
	}
	return level
}

// eased says whether it becomes easier to pass a proposal, or quicker.
func (f Facts) eased() bool {
	g := f.Governor
	return lower(g.Quorum) || lower(g.Threshold) || lower(g.Delay) || lower(g.Period)
}

func lower[T int64 | float64](s Span[T]) bool {
	before, ok := s.Before.Get()
	after, still := s.After.Get()
	return ok && still && after < before
}

// runTaken is what the decoded calls take, where the run does not show what came of them. Where it does, a right of the
// DAO's own that a call names is large whatever was seen of it.
func (f Facts) runTaken() (level StakeLevel) {
	calls, known := f.Calls.Get()
	if !known && !f.Effects.Executed() {
		return StakeLarge // neither what it calls nor what comes of it
	}
	sum := 0.0
	for _, leaf := range Leaves(calls) {
		c := leaf.Call
		switch {
		case c.Kind.takesRight():
			l := f.over(c.To)
			if f.Effects.Executed() {
				l = min(l, StakeLarge)
			}
			level = max(level, l)
		case f.Effects.Executed():
		case c.Kind == KindTransfer || c.Kind == KindApproval || c.Kind == KindNative || c.Kind == KindStream:
			l, bps := f.callTaken(c)
			level, sum = max(level, l), sum+bps
		case !c.Known || c.Kind == KindUnknown || c.Kind == KindBridge:
			level = max(level, StakeUnclear)
		}
	}
	switch {
	case sum >= wholeBps:
		return StakeWhole
	case sum >= largeBps:
		return max(level, StakeLarge)
	}
	return level
}

// takesRight says whether calls of a kind change who may do what, or the code or supply.
func (k Kind) takesRight() bool {
	switch k {
	case KindTimelock, KindGovernor, KindRole, KindUpgrade, KindMint:
		return true
	}
	return false
}

// callTaken is what one call takes by its arguments: the last number of a transfer or an approval, and its value. How
// much it is cannot be told where the call is not decoded: that is large of what the book knows.
func (f Facts) callTaken(c Call) (level StakeLevel, bps float64) {
	if !c.Value.IsZero() {
		share, _ := f.shareHeld(Native, c.Value)
		bps += share
	}
	if c.Kind == KindNative {
		return StakeSmall, bps
	}
	amount, ok := lastNumber(c.Args)
	if !ok {
		return max(StakeUnclear, min(f.over(c.To), StakeLarge)), bps
	}
	share, ok := f.shareHeld(Asset(c.To), amount)
	if !ok {
		return StakeUnclear, bps
	}
	return StakeSmall, bps + share
}

// lastNumber is the last argument of a call where that is a number.
func lastNumber(args []Arg) (Amount, bool) {
	if len(args) == 0 || args[len(args)-1].Type != "uint256" {
		return Amount{}, false
	}
	word := args[len(args)-1].Value.Word
	var a Amount
	a.n.SetBytes32(word[:])
	return a, true
}
