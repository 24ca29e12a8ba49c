package governor

import "github.com/legate-dao/legate/agent/gov"

const (
	bravoProposals = "proposals(uint256)(uint256 id,address proposer,uint256 eta,uint256 start,uint256 end," +
		"uint256 for,uint256 against,uint256 abstain,bool canceled,bool executed)"
	bravoReceipt = "getReceipt(uint256,address)(bool voted,uint8 support,uint96 votes)"
)

var governorBravo = Flavour{
	Name:  gov.GovernorBravo,
	Title: "Compound's Governor Bravo",
	Text: "Recognised by initialProposalId(), quorumVotes() and a proposals() of ten words. Ids are counted. Times are " +
		"block numbers; voting power is the token's getPriorVotes at the start block; Compound's timelock, whose admin " +
		"must be the governor, makes the calls. A textual signature beside an action is put in front of its calldata.",
	calls: &calls{
		State:        mustView("state(uint256)(uint8 state)", "state"),
		Snapshot:     mustView(bravoProposals, "start"),
		Deadline:     mustView(bravoProposals, "end"),
		Eta:          mustView(bravoProposals, "eta"),
		For:          mustView(bravoProposals, "for"),
		Against:      mustView(bravoProposals, "against"),
		Abstain:      mustView(bravoProposals, "abstain"),
		HasVoted:     mustView(bravoReceipt, "voted"),
		Proposer:     mustView(bravoProposals, "proposer"),
		Quorum:       mustView("quorumVotes()(uint256 votes)", "votes"),
		QuorumFixed:  true,
		Power:        mustView("getPriorVotes(address,uint256)(uint96 votes)", "votes"),
		PowerOfToken: true,
		Queue:        mustCall("queue(uint256)(uint256 none)").selector,
		Execute:      mustCall("execute(uint256)(uint256 none)").selector,
		ByID:         true,
		PaysValue:    true,
		Tokens: []view{
			mustView("comp()(address token)", "token"), mustView("uni()(address token)", "token"),
			mustView("xvsVault()(address token)", "token"), mustView("token()(address token)", "token"),
		},
	},
	recognise: func(p *probes) (string, bool) {
		return recogniseCompound(p, mustCall(bravoProposals), true)
	},
}

// recogniseCompound tells Bravo from Alpha and from descendants with another proposals(): its answer for any
// id has exactly as many words as the family's structure.
func recogniseCompound(p *probes, proposals call, initial bool) (string, bool) {
	switch {
	case !p.answers(askQuorumVotes):
		return "no quorumVotes()", false
	case !p.answers(askProposalCount):
		return "no proposalCount()", false
	case !p.answers(proposals):
		return "proposals(uint256) does not answer with the family's structure", false
	case p.answers(askInitialID) != initial:
		if initial {
			return "no initialProposalId()", false
		}
		return "initialProposalId(): a Bravo", false
	}
	return "", true
}
