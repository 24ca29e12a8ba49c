package checks

import (
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/legate-dao/legate/agent/gov"
)

// Thresholds of minting, in basis points of the supply before.
const (
	mintWarningBps  = 50
	mintCriticalBps = 500
)

// Supply is D12.
var Supply = Check{
	ID: "D12", Name: "supply", Class: gov.ClassContent, Required: true,
	Title: "The governance token's supply or votes change",
	Text: "Found when a call mints, burns or pauses the governance token or delegates the treasury's own votes, and when the dry run shows supply, minters, " +
		"cap or pause changed or the treasury's votes delegated. A change as such is info. Minting more than 50 bps of the supply, a new minter, a raised cap, a pause and " +
		"self-delegation are warnings: a year of such payments at 50 bps a month dilutes a holder by 6 %, and the others let " +
		"someone do it later without a vote. Minting more than 500 bps is critical: it can turn a vote.",
	Run: runSupply,
}

var (
	supplySelectors = selectorsOf("mint(address,uint256)", "mint(uint256)", "mintTo(address,uint256)", "burn(uint256)", "burn(address,uint256)", "burnFrom(address,uint256)",
		"pause()", "unpause()", "setSupplyCap(uint256)", "setCap(uint256)", "setMintCap(uint256)", "setMinter(address)", "addMinter(address)", "delegate(address)")
	delegateChanged = crypto.Keccak256Hash([]byte("DelegateChanged(address,address,address)"))
)

func runSupply(p gov.Proposal, f gov.Facts) []gov.Finding {
	r := newReport("D12", "supply", "Compare the new supply, cap and minters with what the token's holders were promised.")
	calls, callsKnown := nodes(f)
	for _, n := range calls {
		c := n.call
		ours := f.DAO.Token.IsZero() || c.To == f.DAO.Token
		if ours && (n.leaf && (c.Kind == gov.KindMint || c.Kind == gov.KindBurn) || supplySelectors.has(c)) {
			r.add(gov.Info, "a call changes the governance token: "+callName(c), n.evidence("mints, burns, pauses, caps or delegates"))
		}
	}
	s := f.Supply
	missing := false
	for _, one := range []struct {
		what   string
		amount gov.Maybe[float64]
		grade  func(float64) gov.Severity
	}{
		{"minted", s.MintedBps, mintSeverity},
		{"burned", s.BurnedBps, func(float64) gov.Severity { return gov.Info }},
	} {
		above, unknown := positive(one.amount)
		missing = missing || unknown
		if above {
			r.add(one.grade(one.amount.Or(0)), percent(one.amount.Or(0))+" of the supply is "+one.what, gov.Evidence{What: one.what, Account: f.DAO.Token})
		}
	}
	above, unknown := positive(s.MintersAdded)
	missing = missing || unknown
	if above {
		r.add(gov.Warning, count(s.MintersAdded.Or(0), "minter is added", "minters are added"), gov.Evidence{What: "minters", Account: f.DAO.Token})
	}
	for _, one := range []struct {
		what string
		flag gov.Maybe[bool]
	}{{"the cap of the supply is raised", s.CapRaised}, {"the token is paused", s.Paused}} {
		is, known := one.flag.Get()
		missing = missing || !known
		if is {
			r.add(gov.Warning, one.what, gov.Evidence{What: one.what, Account: f.DAO.Token})
		}
	}
	if s.SelfDelegated.Or(false) || delegatesOwnVotes(f) {
		r.add(gov.Warning, "the treasury's own votes are delegated", gov.Evidence{What: "delegation", Account: f.DAO.Token})
	}
	return r.end(acts(p, f) && applies(f, "supply"), callsKnown && !missing && f.Effects.Executed(), "supply, minters, cap, pause and delegation stay")
}

func mintSeverity(bps float64) gov.Severity {
	switch {
	case bps > mintCriticalBps:
		return gov.Critical
	case bps > mintWarningBps:
		return gov.Warning
	}
	return gov.Info
}

// delegatesOwnVotes looks for the token's DelegateChanged event of one of the DAO's accounts.
func delegatesOwnVotes(f gov.Facts) bool {
	for _, l := range f.Effects.Logs {
		if l.Account == f.DAO.Token && len(l.Topics) == 4 && l.Topics[0] == delegateChanged && f.DAO.Own(gov.Address(l.Topics[1][12:])) {
			return true
		}
	}
	return false
}
