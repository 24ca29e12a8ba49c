package governor

import "github.com/legate-dao/legate/agent/gov"

const (
	alphaProposals = "proposals(uint256)(uint256 id,address proposer,uint256 eta,uint256 start,uint256 end," +
		"uint256 for,uint256 against,bool canceled,bool executed)"
	alphaReceipt = "getReceipt(uint256,address)(bool voted,bool support,uint96 votes)"
)

var governorAlpha = Flavour{
	Name:  gov.GovernorAlpha,
	Title: "Compound's Governor Alpha",
	Text: "Recognised by quorumVotes() and a proposals() of nine words, without initialProposalId(). As Bravo, but " +
		"votes are for or against only: there is no abstain and no reason on chain.",
	calls: &calls{
		State:        mustView("state(uint256)(uint8 state)", "state"),
		Snapshot:     mustView(alphaProposals, "start"),
		Deadline:     mustView(alphaProposals, "end"),
		Eta:          mustView(alphaProposals, "eta"),
		For:          mustView(alphaProposals, "for"),
		Against:      mustView(alphaProposals, "against"),
		HasVoted:     mustView(alphaReceipt, "voted"),
		Proposer:     mustView(alphaProposals, "proposer"),
		Quorum:       mustView("quorumVotes()(uint256 votes)", "votes"),
		QuorumFixed:  true,
		Power:        mustView("getPriorVotes(address,uint256)(uint96 votes)", "votes"),
		PowerOfToken: true,
		Queue:        mustCall("queue(uint256)(uint256 none)").selector,
		Execute:      mustCall("execute(uint256)(uint256 none)").selector,
		ByID:         true,
		PaysValue:    true,
		Tokens:       governorBravo.calls.Tokens,
	},
	recognise: func(p *probes) (string, bool) {
		return recogniseCompound(p, mustCall(alphaProposals), false)
	},
}
