package web

import (
	"fmt"
	"math"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// verdictView is the policy's decision and how it came to it.
type verdictView struct {
	Policy    badge // D, from facts alone
	Final     badge
	Rule      string
	Because   string
	Reasons   []string
	Gate      *gateView
	Trace     []traceView
	Unchecked []string
	Digest    string
	Judge     []string
}

type gateView struct {
	Pass    bool
	Reasons []string
	Model   string
}

type traceView struct {
	Rule    string
	Vote    badge
	Result  badge
	Why     string
	Values  []valueView
	Decides bool
}

type valueView struct {
	Name, Value string
	Unknown     bool
}

func (s *seen) verdict() *verdictView {
	d := s.doc.Verdict
	if d == nil {
		return nil
	}
	v := &verdictView{Policy: directionBadge(&d.Direction), Final: directionBadge(&d.Final), Rule: label(d.Rule), Because: dossier.Untrusted(d.Because).Line(shownValue), Digest: d.Policy.String()}
	for _, r := range d.Reasons {
		v.Reasons = append(v.Reasons, why(r))
	}
	if d.Gate != nil {
		v.Gate = &gateView{Pass: d.Gate.Result == gov.GatePass}
		for _, r := range d.Gate.Reasons {
			v.Gate.Reasons = append(v.Gate.Reasons, why(r))
		}
		if d.Gate.Model != nil {
			v.Gate.Model = "It was read too: " + d.Gate.Model.String() + "."
		}
	}
	for _, t := range d.Trace {
		tv := traceView{Rule: label(t.Rule), Vote: directionBadge(&t.Vote), Why: dossier.Untrusted(t.Why).Line(shownValue), Decides: t.Rule == d.Rule}
		switch t.Result {
		case gov.True:
			tv.Result = badge{"good", "true"}
		case gov.False:
			tv.Result = badge{"none", "false"}
		default:
			tv.Result = badge{"warn", "unknown"}
		}
		for _, n := range t.Values {
			text := readable(n.Value)
			tv.Values = append(tv.Values, valueView{dossier.Untrusted(n.Name).Line(120), text, text == "unknown"})
		}
		v.Trace = append(v.Trace, tv)
	}
	for _, c := range d.Unchecked {
		v.Unchecked = append(v.Unchecked, string(c))
	}
	for _, a := range d.Judge {
		v.Judge = append(v.Judge, string(a.Answer))
	}
	return v
}

func label(l gov.Label) string { return dossier.Untrusted(l).Line(80) }

// voteView is our vote.
type voteView struct {
	Status  string
	Text    string
	Support badge
	By      string
	Voter   *account
	Power   string
	Tx      string
	Block   string
	Reason  string
	Steps   []stepView
	Answer  *account // who answered a hold
}

type stepView struct {
	Name    string
	Done    bool
	Current bool
}

// votePath are the steps of a vote that goes well.
var votePath = []struct {
	name string
	at   []gov.VoteStatus
}{
	{"decided", []gov.VoteStatus{gov.VoteWaiting, gov.VoteHeld}}, {"locked", []gov.VoteStatus{gov.VoteLocked}}, {"signed", []gov.VoteStatus{gov.VoteSigned}},
	{"sent", []gov.VoteStatus{gov.VoteSent}}, {"in a block", []gov.VoteStatus{gov.VoteMined}}, {"final", []gov.VoteStatus{gov.VoteFinal}},
}

func (s *seen) vote() *voteView {
	d := s.doc.Vote
	if d == nil {
		return nil
	}
	v := &voteView{Status: strings.ReplaceAll(string(d.Status), "_", " ")}
	over := s.doc.Proposal.State.Over()
	var final *gov.Direction
	if s.doc.Verdict != nil {
		final = &s.doc.Verdict.Final
	}
	v.Text, _ = standing(final, d, over)
	if d.Code != nil {
		dir := d.Code.Direction()
		v.Support = directionBadge(&dir)
	}
	if d.By != nil {
		v.By = map[gov.By]string{gov.ByPolicy: "the policy", gov.ByHolder: "the holder, by hand"}[*d.By]
	}
	if d.Voter != nil {
		a := s.account(*d.Voter)
		v.Voter = &a
	}
	if p, ok := d.Power.Get(); ok {
		v.Power = s.votes(p)
	}
	if d.Tx != nil {
		v.Tx = d.Tx.Hex()
	}
	if d.Block != nil {
		v.Block = group(fmt.Sprint(*d.Block))
	}
	v.Reason = dossier.Untrusted(d.Reason).Line(shownValue)
	if !d.Status.Bound() {
		v.Reason = ""
	}
	if d.Approval != nil {
		v.Answer = &account{d.Approval.Approver.Hex(), "approver"}
	}
	v.Steps = stepsOf(d.Status)
	return v
}

func stepsOf(status gov.VoteStatus) []stepView {
	here := -1
	for i, p := range votePath {
		for _, st := range p.at {
			if st == status {
				here = i
			}
		}
	}
	if here < 0 {
		return nil
	}
	out := make([]stepView, len(votePath))
	for i, p := range votePath {
		out[i] = stepView{p.name, i < here || status == gov.VoteFinal, i == here}
	}
	return out
}

// votes writes votes in whole governance tokens where the token's decimals are known.
func (s *seen) votes(a gov.Amount) string {
	if s.facts != nil {
		if d, ok := s.digits[gov.Asset(s.facts.DAO.Token)]; ok && !s.facts.DAO.Token.IsZero() {
			return units(a, d) + " votes"
		}
	}
	return group(a.String()) + " smallest units"
}

// tallyView is the count so far as bars: shares of the largest of votes and quorum.
type tallyView struct {
	Bars    []bar
	Quorum  string
	Mark    int // of the quorum, 0 to 1000
	Reached bool
	Share   string // our share of the supply
}

type bar struct {
	Look  string
	Name  string
	Text  string
	Width int // 0 to 1000
}

func (s *seen) tally() *tallyView {
	c := s.facts.Context
	t, ok := c.Tally.Get()
	if !ok {
		return nil
	}
	q, known := c.Quorum.Get()
	top := max(t.For.Float(), t.Against.Float(), t.Abstain.Float(), q.Needed.Float(), 1)
	width := func(a gov.Amount) int { return int(math.Round(1000 * a.Float() / top)) }
	v := &tallyView{Bars: []bar{
		{"for", "For", s.votes(t.For), width(t.For)}, {"against", "Against", s.votes(t.Against), width(t.Against)}, {"abstain", "Abstain", s.votes(t.Abstain), width(t.Abstain)},
	}}
	if known {
		v.Quorum, v.Mark, v.Reached = s.votes(q.Needed), width(q.Needed), q.Reached
	}
	if share, ok := c.Voter.Share.Get(); ok {
		v.Share = percent(share)
	}
	return v
}
