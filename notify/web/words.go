package web

import (
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// badge is a word with a colour and a sign, so that none of the three is needed alone.
type badge struct {
	Look string // class and icon: for, against, abstain, hold, none, good, bad, warn, info
	Text string
}

func directionBadge(d *gov.Direction) badge {
	if d == nil {
		return badge{"none", "Undecided"}
	}
	return badge{d.String(), map[gov.Direction]string{gov.For: "For", gov.Against: "Against", gov.Abstain: "Abstain", gov.Hold: "Hold"}[*d]}
}

func severityBadge(s gov.Severity) badge {
	switch s {
	case gov.Critical:
		return badge{"bad", "critical"}
	case gov.Warning:
		return badge{"warn", "warning"}
	}
	return badge{"info", "info"}
}

// holdWords say why something is held.
var holdWords = map[gov.HoldReason]string{
	gov.HoldByRule:       "a rule says hold",
	gov.HoldOtherwise:    "no rule of the policy applies",
	gov.HoldModel:        "the model holds it",
	gov.HoldModelMissing: "the model that must pass the text is missing",
	gov.HoldNoAnswer:     "no answer came in time",
	gov.HoldTooShort:     "the voting period is shorter than the wait",
	gov.HoldClosedWorld:  "not everything it does is known",
	gov.HoldCritical:     "a check found something critical",
	gov.HoldUnknown:      "a rule could not be evaluated",
	gov.HoldUnavailable:  "facts could not be had",
	gov.HoldDisagreement: "the endpoints disagree",
	gov.HoldBudget:       "the fee budget is spent",

	gov.HoldReason(gov.FlagHidden):       "the text has hidden characters",
	gov.HoldReason(gov.FlagBidi):         "the text turns its reading direction round",
	gov.HoldReason(gov.FlagConfusables):  "the text has letters that look like others",
	gov.HoldReason(gov.FlagDataURI):      "the text carries data in a link",
	gov.HoldReason(gov.FlagInstructions): "the text speaks to machines",
	gov.HoldReason(gov.FlagEncoded):      "the text has encoded parts",
	gov.HoldReason(gov.FlagTooLong):      "the text is longer than is read",
	gov.HoldReason(gov.FlagNotUTF8):      "the text is not valid UTF-8",

	gov.HoldReason(dossier.NotOpen):       "voting had closed",
	gov.HoldReason(dossier.NotHeldOpen):   "nobody answered before the close",
	gov.HoldReason(dossier.NotLive):       "this Legate is not live",
	gov.HoldReason(dossier.NoPower):       "the key had no voting power",
	gov.HoldReason(dossier.NotDelegated):  "the holder does not delegate to the key",
	gov.HoldReason(dossier.VotedBefore):   "the key had voted already",
	gov.HoldReason(dossier.StoppedByHand): "stopped by hand",
	gov.HoldReason(dossier.LedgerRefused): "the ledger refused",
}

// why puts a reason into words; the name of a rule stands as it is.
func why(r gov.HoldReason) string {
	if w, ok := holdWords[r]; ok {
		return w
	}
	return dossier.Untrusted(r).Line(shownValue)
}

// standing says in one line what becomes of our vote, and whether a person is asked for.
func standing(final *gov.Direction, v *dossier.VoteDoc, over bool) (text string, waiting bool) {
	if v == nil {
		switch {
		case over:
			return "Over before a decision", false
		case final == nil:
			return "Facts are being gathered", false
		}
		return "Decided, the vote is not due yet", false
	}
	reason := ""
	if v.Reason != "" && !v.Status.Bound() {
		reason = ": " + why(gov.HoldReason(v.Reason))
	}
	support := "vote"
	if v.Support != nil {
		support = *v.Support
	}
	switch v.Status {
	case gov.VoteHeld:
		if over {
			return "Held until the end" + reason, false
		}
		return "Waits for you" + reason, true
	case gov.VoteWaiting:
		return "The vote is cast after the wait", false
	case gov.VoteCanceled:
		return "The vote was stopped" + reason, false
	case gov.VoteNoVote:
		return "No vote was cast" + reason, false
	case gov.VoteNotLive:
		return "Decided, not cast: not live", false
	case gov.VoteLocked, gov.VoteSigned, gov.VoteSent:
		return "Voting " + support + " …", false
	case gov.VoteMined:
		return "Voted " + support + ", not final yet", false
	case gov.VoteFinal:
		if v.By != nil && *v.By == gov.ByHolder {
			return "Voted " + support + " by your own hand", false
		}
		return "Voted " + support, false
	case gov.VoteReverted:
		return "The vote failed on chain", false
	case gov.VoteExpired:
		return "The vote came too late", false
	}
	return string(v.Status) + reason, false
}

// shownDirection is what a badge shows: what was cast, else what is wanted.
func shownDirection(final *gov.Direction, v *dossier.VoteDoc) *gov.Direction {
	if v != nil && v.Code != nil {
		d := v.Code.Direction()
		return &d
	}
	return final
}

func stateWord(s gov.State) string {
	if s == "" {
		return "state not known"
	}
	return string(s)
}

var recordWords = map[string]string{
	"WasSeen": "Seen on chain", "WasRewound": "Taken back by a reorganisation", "WasTakenBack": "Change on chain taken back", "WasReopened": "Open again", "WasPreviewed": "First look, before finality",
	"WasGathered": "Facts gathered", "WasDecided": "Policy decided", "WasGated": "Text and context read", "WasApproved": "Answered by the holder",
	"WasCanceled": "Stopped by the holder", "WasReminded": "Holder reminded", "WasTimedOut": "Nobody answered in time",
	"WasLocked": "Vote locked in the ledger", "WasReleased": "Vote taken back before signing", "WasSigned": "Vote signed",
	"WasSent": "Vote sent", "WasMined": "Vote in a block", "WasUnmined": "Vote fell out of its block", "WasFinal": "Vote is final",
	"WasReverted": "Vote reverted", "WasNotVoted": "No vote", "WasChanged": "State on chain changed", "WasClosed": "Closed", "WasBriefed": "Brief written",
	"WasHeld": "Held by the budget", "WasForecast": "Vote forecast",
}

func recordWord(kind string) string {
	if w, ok := recordWords[kind]; ok {
		return w
	}
	return dossier.Untrusted(kind).Line(60)
}

var missingWords = map[gov.Reason]string{
	gov.NoState: "the node does not keep that state", gov.NoPrice: "no price is known", gov.NoCode: "no code to read", gov.TimedOut: "no answer in time",
	gov.RPCError: "the node answered with an error", gov.Disagreement: "endpoints disagree", gov.TooLarge: "larger than is read", gov.NotInRelease: "not in this release",
	gov.Changed: "not what it was",
	gov.NoFacts: "a fact that it is made from is missing", gov.NoFlow: "the operator does not say what is spent (flow_usd_per_day)", gov.NoPositions: "nobody's positions are known",
}

var outflowWords = map[gov.OutflowKind]string{
	gov.OutflowNative: "coins sent", gov.OutflowTransfer: "tokens sent", gov.OutflowAllowance: "right to take tokens", gov.OutflowApprovalForAll: "right to take all NFTs",
}

var roleWords = map[gov.RoleChangeKind]string{
	gov.RoleGranted: "gains a role on", gov.RoleRevoked: "loses a role on", gov.RoleOpened: "(everybody) may call functions of", gov.OwnerChanged: "becomes owner of", gov.OwnerPending: "may become owner of",
	gov.AdminChanged: "becomes admin of", gov.AdminPending: "may become admin of",
}
