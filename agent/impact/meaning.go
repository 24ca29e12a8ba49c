package impact

import (
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// Meaning is what a function declares.
type Meaning struct {
	Signature gov.Signature
	// Says are its statements. None: calling it changes nothing that matters, as somebody has looked up; what else the
	// call does lies in the calls that it carries.
	Says []Says
	// Opens says where the calls lie that it carries; nil: it carries none.
	Opens *Opens
}

// place is where a part of a statement is found.
type place = gov.Place

// The places that are no arguments, in short: the table is made of them.
const (
	none      = gov.PlaceNone
	target    = gov.PlaceTarget
	caller    = gov.PlaceCaller
	coin      = gov.PlaceCoin
	sent      = gov.PlaceSent
	unlimited = gov.PlaceUnlimited
	everybody = gov.PlaceEverybody
	firstWord = gov.PlaceFirstWord
)

func field(arg, component int) place { return gov.PlaceField(arg, component) }

// Says is one statement of a function. Parts that are none are not said.
type Says struct {
	Kind                                  gov.ImpactKind
	Right                                 gov.RoleChangeKind
	When                                  gov.When
	From, To, Asset, ID, Amount, Role, At place
	// Each: the places that are arrays stand for one statement each.
	Each bool
	// Only is a boolean argument that must be true for the statement to hold, and Unless one that must be false.
	Only, Unless place
	// Zero: an amount of zero says nothing (an approval of zero takes back).
	Zero bool
}

func say(k gov.ImpactKind) Says {
	return Says{Kind: k, When: gov.WhenNow, From: none, To: none, Asset: none, ID: none, Amount: none, Role: none, At: target, Only: none, Unless: none}
}

func (s Says) from(p place) Says               { s.From = p; return s }
func (s Says) to(p place) Says                 { s.To = p; return s }
func (s Says) of(asset place) Says             { s.Asset = asset; return s }
func (s Says) amount(p place) Says             { s.Amount = p; return s }
func (s Says) id(p place) Says                 { s.ID = p; return s }
func (s Says) role(p place) Says               { s.Role = p; return s }
func (s Says) at(p place) Says                 { s.At = p; return s }
func (s Says) only(flag place) Says            { s.Only = flag; return s }
func (s Says) unless(flag place) Says          { s.Unless = flag; return s }
func (s Says) each() Says                      { s.Each = true; return s }
func (s Says) nonzero() Says                   { s.Zero = true; return s }
func (s Says) later() Says                     { s.When = gov.WhenLater; return s }
func (s Says) overTime() Says                  { s.When = gov.WhenOverTime; return s }
func (s Says) elsewhere() Says                 { s.When = gov.WhenElsewhere; return s }
func (s Says) right(r gov.RoleChangeKind) Says { s.Right = r; return s }

// The statements that the table is made of.

func pays(asset place) Says    { return say(gov.ImpactPays).from(caller).of(asset) }
func allows(asset place) Says  { return say(gov.ImpactAllows).from(caller).of(asset) }
func streams(asset place) Says { return say(gov.ImpactStreams).from(caller).of(asset).overTime() }
func orders() Says             { return say(gov.ImpactOrders).from(caller).later() }
func mints(to place) Says      { return say(gov.ImpactMints).to(to).of(target) }
func burns(from place) Says    { return say(gov.ImpactBurns).from(from).of(target) }
func grants(to place) Says     { return say(gov.ImpactGrants).to(to).right(gov.RoleGranted) }
func owner(to place) Says      { return say(gov.ImpactGrants).to(to).right(gov.OwnerChanged) }
func nextOwner(to place) Says  { return say(gov.ImpactGrants).to(to).right(gov.OwnerPending) }
func admin(to place) Says      { return say(gov.ImpactGrants).to(to).right(gov.AdminChanged) }
func nextAdmin(to place) Says  { return say(gov.ImpactGrants).to(to).right(gov.AdminPending) }
func revokes(from place) Says  { return say(gov.ImpactRevokes).from(from).right(gov.RoleRevoked) }
func opens() Says              { return say(gov.ImpactOpens).to(everybody).right(gov.RoleGranted) }
func upgrades(at place) Says   { return say(gov.ImpactUpgrades).at(at) }
func lists(what place) Says    { return say(gov.ImpactLists).to(what) }
func sets() Says               { return say(gov.ImpactSets) }
func governs() Says            { return say(gov.ImpactGoverns) }
func delays() Says             { return say(gov.ImpactDelays) }
func sends() Says              { return say(gov.ImpactSends).elsewhere() }
func delegates(to place) Says  { return say(gov.ImpactDelegates).from(caller).to(to).of(target) }
func registers() Says          { return say(gov.ImpactRegisters) }
func pauses() Says             { return say(gov.ImpactPauses) }

// line is one line of the table.
func line(signature gov.Signature, says ...Says) Meaning {
	return Meaning{Signature: signature, Says: says}
}

// inert is a function that somebody looked up and that changes nothing for anybody.
func inert(signature gov.Signature) Meaning { return Meaning{Signature: signature} }

// wraps is a function that carries calls.
func wraps(signature gov.Signature, o Opens, says ...Says) Meaning {
	return Meaning{signature, says, &o}
}

var bySelector = func() map[gov.Selector]Meaning {
	out := map[gov.Selector]Meaning{}
	for _, family := range Meanings {
		for _, m := range family.Lines {
			s := SelectorOf(m.Signature)
			if old, twice := out[s]; twice {
				panic("agent/impact: " + string(m.Signature) + " and " + string(old.Signature) + " are on two lines")
			}
			out[s] = m
		}
	}
	return out
}()

// SelectorOf is the selector of a canonical signature.
func SelectorOf(s gov.Signature) gov.Selector { return gov.Selector(crypto.Keccak256([]byte(s))[:4]) }

// Of finds what a function means, by its whole signature: another function under the same selector has no meaning here.
func Of(s gov.Signature) (Meaning, bool) {
	m, ok := bySelector[SelectorOf(s)]
	return m, ok && m.Signature == s
}

// Problems lists what is wrong with a line of the table: a place that no argument has, or one of the wrong type.
func (m Meaning) Problems() (out []string) {
	types, ok := gov.Components(gov.ABIType(string(m.Signature)[len(m.Signature.Function()):]))
	if !ok {
		return []string{"its arguments cannot be read"}
	}
	for _, s := range m.Says {
		if s.Kind == "" {
			out = append(out, "a statement without a kind")
		}
		for _, p := range []struct {
			name string
			at   place
			want string
		}{
			{"from", s.From, "address"}, {"to", s.To, "address"}, {"of", s.Asset, "address"}, {"at", s.At, "address"}, {"amount", s.Amount, "int"},
			{"id", s.ID, "int"}, {"role", s.Role, ""}, {"only", s.Only, "bool"}, {"unless", s.Unless, "bool"},
		} {
			if problem := fits(types, p.at, p.want, s.Each); problem != "" {
				out = append(out, fmt.Sprintf("%s of %s: %s", p.name, s.Kind, problem))
			}
		}
	}
	if m.Opens != nil {
		out = append(out, m.Opens.problems(types)...)
	}
	return out
}

// fits is what is wrong with a place among arguments of some types; empty where nothing is.
func fits(types []gov.ABIType, p place, want string, each bool) string {
	arg, component, ok := p.Argument()
	if !ok {
		return ""
	}
	if arg >= len(types) {
		return fmt.Sprintf("there is no argument %d", arg)
	}
	t := string(types[arg])
	if each {
		t = strings.TrimSuffix(t, "[]")
	}
	if component >= 0 {
		parts, ok := gov.Components(gov.ABIType(t))
		if !ok || component >= len(parts) {
			return fmt.Sprintf("argument %d has no component %d", arg, component)
		}
		t = string(parts[component])
	}
	if want != "" && (!strings.Contains(t, want) || strings.ContainsAny(t, "[(")) {
		return fmt.Sprintf("argument %s is of type %s", p, t)
	}
	return ""
}
