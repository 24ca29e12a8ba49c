package governor

import "github.com/legate-dao/legate/agent/gov"

// openZeppelin are the calls that OpenZeppelin's Governor has had unchanged since its release 4.3.
var openZeppelin = calls{
	State:    mustView("state(uint256)(uint8 state)", "state"),
	Snapshot: mustView("proposalSnapshot(uint256)(uint256 timepoint)", "timepoint"),
	Deadline: mustView("proposalDeadline(uint256)(uint256 timepoint)", "timepoint"),
	Eta:      mustView("proposalEta(uint256)(uint256 eta)", "eta"),
	For:      mustView(ozVotes, "for"),
	Against:  mustView(ozVotes, "against"),
	Abstain:  mustView(ozVotes, "abstain"),
	HasVoted: mustView("hasVoted(uint256,address)(bool voted)", "voted"),
	Proposer: mustView("proposalProposer(uint256)(address proposer)", "proposer"),
	Quorum:   mustView("quorum(uint256)(uint256 votes)", "votes"),
	Power:    mustView("getVotes(address,uint256)(uint256 votes)", "votes"),
	Supply:   mustView("getPastTotalSupply(uint256)(uint256 votes)", "votes"),
	Queue:    mustCall("queue(address[],uint256[],bytes[],bytes32)(uint256 id)").selector,
	Execute:  mustCall("execute(address[],uint256[],bytes[],bytes32)(uint256 id)").selector,
	Tokens:   []view{mustView("token()(address token)", "token")},
}

const ozVotes = "proposalVotes(uint256)(uint256 against,uint256 for,uint256 abstain)"

var openZeppelin5 = Flavour{
	Name:  gov.OpenZeppelin5,
	Title: "OpenZeppelin Governor, release 5",
	Text: "Recognised by COUNTING_MODE() with Bravo's support values, and by proposalNeedsQueuing(), which release 5 " +
		"added. The id is the hash of the content, or counted where GovernorSequentialProposalId is used; the clock is " +
		"the governor's own clock(). Calls are made by the timelock where there is one, else by the governor.",
	calls:     &openZeppelin,
	recognise: func(p *probes) (string, bool) { return recogniseOZ(p, true) },
}

var openZeppelin4 = Flavour{
	Name:  gov.OpenZeppelin4,
	Title: "OpenZeppelin Governor, release 4",
	Text: "Recognised by COUNTING_MODE() with Bravo's support values, without release 5's proposalNeedsQueuing(). " +
		"The id is the hash of the content. Before release 4.9 there is no clock(): time is the block number. Queueing " +
		"exists only with a timelock.",
	calls:     &openZeppelin,
	recognise: func(p *probes) (string, bool) { return recogniseOZ(p, false) },
}

// recogniseOZ tells the releases apart by proposalNeedsQueuing: part of the governor's interface since 5.0,
// absent before. nonces() is no sign, since a descendant of 4 may have it from its own signatures.
func recogniseOZ(p *probes, five bool) (string, bool) {
	mode, ok := p.text(askCountingMode)
	switch {
	case !ok:
		return "no COUNTING_MODE()", false
	case !bravoSupport(mode):
		return "COUNTING_MODE() is not support=bravo: votes would not mean against, for, abstain", false
	case !p.answers(openZeppelin.HasVoted.call):
		return "no hasVoted(uint256,address)", false
	case !p.answers(openZeppelin.Snapshot.call):
		return "no proposalSnapshot(uint256)", false
	case !p.answers(openZeppelin.For.call):
		return "no proposalVotes(uint256)", false
	}
	if _, queuing := p.boolean(askNeedsQueuing); queuing != five {
		if five {
			return "no proposalNeedsQueuing(uint256): older than release 5", false
		}
		return "proposalNeedsQueuing(uint256): release 5", false
	}
	return "", true
}
