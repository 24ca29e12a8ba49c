package dossier

import (
	"fmt"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// Card is a proposal as a rich channel shows it: one picture of where it stands, facts before words. It is
// bounded, and made from records alone, so that a card sent late is the card of its moment.
type Card struct {
	Proposal gov.ProposalID `json:"proposal"`
	Handle   string         `json:"handle"`
	Title    Untrusted      `json:"title"`
	Proposer gov.Address    `json:"proposer"`
	Actions  int            `json:"actions"`
	Seq      int64          `json:"seq"`

	Stage       Stage     `json:"stage"`
	State       gov.State `json:"state"`
	Provisional bool      `json:"provisional"`

	// Decided says that a direction is known; Final is it, Reason why it is held.
	Decided bool           `json:"decided"`
	Final   gov.Direction  `json:"final"`
	Rule    gov.Label      `json:"rule"`
	Because string         `json:"because"`
	Reason  gov.HoldReason `json:"reason"`

	Vote     gov.VoteStatus `json:"vote"`
	Support  string         `json:"support"`
	By       gov.By         `json:"by"`
	Tx       gov.Hash       `json:"tx"`
	NotVoted NotVotedReason `json:"not_voted"`

	// Closes is when voting ends; Latest until when a hold can be answered before it times out. 0 if not known.
	Closes gov.UnixTime `json:"closes"`
	Latest gov.UnixTime `json:"latest"`

	Facts    []string      `json:"facts"` // inert lines
	Findings []CardFinding `json:"findings"`
	More     int           `json:"more"` // findings that are not listed

	Brief    *CardBrief    `json:"brief"`
	Forecast *CardForecast `json:"forecast"`
}

// CardFinding is one finding in a line.
type CardFinding struct {
	Severity gov.Severity  `json:"severity"`
	Name     gov.CheckName `json:"name"`
	Title    string        `json:"title"`
}

// CardBrief is what of a brief fits.
type CardBrief struct {
	Label    string      `json:"label"` // who wrote it
	Headline Untrusted   `json:"headline"`
	Lines    []Untrusted `json:"lines"`
}

// CardForecast is what is expected of the vote: chances with their interval, votes in whole tokens.
type CardForecast struct {
	Pass   Chance  `json:"pass"`
	Quorum Chance  `json:"quorum"`
	For    *Band   `json:"for"`
	Needed float64 `json:"needed"` // votes for quorum, 0 if not known
	Paths  int64   `json:"paths"`
}

// Chance is a probability with its interval; all between 0 and 1.
type Chance struct {
	P    float64 `json:"p"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Band is a distribution by three quantiles.
type Band struct {
	P05 float64 `json:"p05"`
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Bounds of a card.
const (
	cardTitle    = 200 // runes
	cardFindings = 5
	cardLine     = 300 // runes
	cardBrief    = 6   // sentences
)

// Card is the dossier as a card.
func (d Dossier) Card() Card {
	p := d.Proposal
	c := Card{
		Proposal: d.ID(), Handle: d.ID().Handle(p.Name, 6), Title: cut(d.Text.Title, cardTitle), Proposer: p.Proposer, Actions: len(p.Actions), Seq: d.Seq,
		Stage: d.Stage, State: p.State, Provisional: d.Provisional,
		Vote: d.Vote.Status, Tx: d.Vote.Tx, NotVoted: d.NotVoted, Closes: d.EndsAt(), Latest: d.latest(),
		Facts: d.factLines(),
	}
	if d.Verdict != nil {
		c.Decided, c.Final, c.Rule, c.Because = true, d.Final(), d.Verdict.Rule, d.Verdict.Because
		if d.Standing != nil {
			c.Rule, c.Because = d.Standing.Verdict.Rule, d.Standing.Verdict.Because
		}
		if d.Vote.Status == gov.VoteHeld || d.Vote.Status == gov.VoteNoVote {
			c.Final, c.Reason = gov.Hold, d.Vote.Reason
		}
	}
	if d.Vote.Status.Bound() {
		c.Support, c.By, c.Rule = d.Vote.Ballot.Support.String(), d.Vote.Ballot.Reason.By, d.Vote.Ballot.Reason.Rule
	}
	c.Findings, c.More = d.worst()
	if d.Brief != nil {
		c.Brief = cardOfBrief(*d.Brief)
	}
	if d.Forecast != nil {
		needed := gov.Amount{}
		if d.Gathered != nil {
			if q, ok := d.Gathered.Context.Quorum.Get(); ok {
				needed = q.Needed
			}
		}
		c.Forecast = NewCardForecast(*d.Forecast, 1e18, needed)
	}
	return c
}

// latest estimates when the hold times out: its distance from the close is the policy's.
func (d Dossier) latest() gov.UnixTime {
	if d.EndsAt() == 0 || d.Plan.Latest == 0 {
		return 0
	}
	return d.EndsAt() - gov.UnixTime(d.Plan.Latest)
}

func cardOfBrief(b Brief) *CardBrief {
	out := &CardBrief{Label: "made of the proposal's own sentences", Headline: cut(b.Headline, cardLine)}
	switch m := b.Model; {
	case m == nil:
	case m.Outcome == ModelUsed:
		out.Label = fmt.Sprintf("written by a model (%s), checked against its sources", m.Name.Quote(60))
	case m.Outcome == ModelPending:
		out.Label += "; a model is still writing"
	default:
		out.Label += fmt.Sprintf("; the model gave nothing to use (%s)", m.Outcome)
	}
	for _, s := range b.Sentences[:min(len(b.Sentences), cardBrief)] {
		out.Lines = append(out.Lines, cut(s.Text, cardLine))
	}
	return out
}

// cut bounds a text; what is left is still untrusted.
func cut(u Untrusted, max int) Untrusted {
	if len(u) <= max {
		return u
	}
	r := []rune(string(u[:min(len(u), 4*max)]))
	if len(r) <= max {
		return Untrusted(string(r)) + "…"
	}
	return Untrusted(string(r[:max])) + "…"
}

// worst are the findings that were found, the worst first, and how many more there are.
func (d Dossier) worst() (list []CardFinding, more int) {
	rank := []gov.Severity{gov.Critical, gov.Warning, gov.Info}
	var found []gov.Finding
	for _, f := range d.allFindings() {
		if f.Status == gov.Found {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b gov.Finding) int {
		return slices.Index(rank, a.Severity) - slices.Index(rank, b.Severity)
	})
	for i, f := range found {
		if i == cardFindings {
			return list, len(found) - i
		}
		list = append(list, CardFinding{f.Severity, f.Name, Untrusted(f.Title).Plain(cardLine)})
	}
	return list, 0
}

// critical says whether a critical finding stands behind the decision.
func (d Dossier) critical() bool {
	if d.Gathered == nil {
		return false
	}
	list := d.Gathered.Findings
	if d.Standing != nil {
		list = append(list[:len(list):len(list)], d.Standing.Gathered.Findings...)
	}
	return slices.ContainsFunc(list, func(f gov.Finding) bool { return f.Status == gov.Found && f.Severity == gov.Critical })
}

// factLines say what the proposal does, without a word that its proposer chose.
func (d Dossier) factLines() []string {
	if d.Gathered == nil {
		return []string{plural(len(d.Proposal.Actions), "action") + ", facts not gathered yet"}
	}
	f := d.Gathered.Facts
	does := "what it does could not be read"
	if kinds, ok := f.Kinds.Get(); ok {
		does = Doing(kinds)
	}
	does += " (" + plural(len(d.Proposal.Actions), "action")
	if n, ok := f.UnknownCalls.Get(); ok && n > 0 {
		does += ", " + plural(int(n), "call") + " unknown"
	}
	does += ")"
	lines := []string{does, "dry run: " + string(f.Effects.Status.Or(gov.EffectsUnavailable))}
	if usd, ok := f.Treasury.OutflowUSD.Get(); ok && usd > 0 {
		line := fmt.Sprintf("pays out %s USD", thousands(usd))
		if bps, ok := f.Treasury.OutflowBps.Get(); ok {
			line += fmt.Sprintf(", %.4g %% of the treasury", bps/100)
		}
		lines = append(lines, line)
	} else if bps, ok := f.Treasury.OutflowBps.Get(); ok && bps > 0 {
		lines = append(lines, fmt.Sprintf("pays out %.4g %% of the treasury", bps/100))
	}
	if bps, ok := f.Supply.MintedBps.Get(); ok && bps > 0 {
		lines = append(lines, fmt.Sprintf("mints %.4g %% of the supply", bps/100))
	}
	if n, ok := f.Roles.GrantedOutside.Get(); ok && n > 0 {
		lines = append(lines, "gives "+plural(int(n), "right")+" to outside accounts")
	}
	if n := len(f.Unavailable); n > 0 {
		lines = append(lines, plural(n, "fact")+" could not be had")
	}
	return lines
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// thousands writes an amount of money for reading: 1,234,567.
func thousands(v float64) string {
	s := fmt.Sprintf("%.0f", v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// NewCardForecast is a forecast as a card shows it. unit is how many of the token's smallest unit make a whole
// token, 1e18 for most; needed is what quorum wants, in the smallest unit, 0 if not known.
func NewCardForecast(f gov.Forecast, unit float64, needed gov.Amount) *CardForecast {
	if !(unit > 0) {
		unit = 1
	}
	return &CardForecast{
		Pass: Chance(f.Pass), Quorum: Chance(f.Quorum), Paths: f.Engine.Paths, Needed: needed.Float() / unit,
		For: &Band{P05: f.For.P05.Float() / unit, P50: f.For.P50.Float() / unit, P95: f.For.P95.Float() / unit},
	}
}
