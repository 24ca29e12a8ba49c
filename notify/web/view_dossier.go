package web

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// dossierView is the page of one proposal.
type dossierView struct {
	frame
	Handle      string
	Name        string // the title, inert
	ID          string
	JSON        string
	State       string
	Decision    badge
	Standing    string
	Waiting     bool
	Provisional bool
	Draft       bool
	TooLarge    bool
	Ends        *moment
	Created     *moment
	Proposer    account
	Governor    account
	Number      string
	Flavour     string
	Opens       string
	Closes      string

	Doing     string
	Calls     []callView
	NoCalls   string
	MoreCalls string
	Unknown   int
	Effects   *effectsView
	Findings  []findingView
	Clean     []findingView
	Counts    []badge
	Verdict   *verdictView
	Vote      *voteView
	Tally     *tallyView
	Forecast  *forecastView
	NoCast    string // why there is no forecast
	Brief     *briefView
	NoBrief   string
	Claims    []claimView
	Facts     []factRow
	FactsAt   *moment
	Block     string
	Digest    string
	Basis     string
	Sources   string
	Missing   []missingView
	Outlook   *outlookView
	Records   []recordView
	Text      textView
}

// account is an address with the name that the DAO's own accounts and the operator's book give it.
type account struct {
	Hex  string
	Name string
}

// seenFacts is the facts part of a document with what is joined in for display.
type seenFacts struct {
	gov.Facts
	Calls   gov.Maybe[[]dossier.CallDoc] `json:"calls"`
	Context gov.Context                  `json:"context"`
	Digest  gov.Digest                   `json:"digest"`
	Basis   gov.Digest                   `json:"basis"`
}

// seen is a document with its facts read; facts is nil before the first gathering.
type seen struct {
	doc    dossier.Document
	facts  *seenFacts
	reason dossier.Untrusted // why the dry run failed
	names  map[gov.Address]string
	digits map[gov.Asset]uint8
	now    time.Time
}

func read(doc dossier.Document, now time.Time) (*seen, error) {
	s := &seen{doc: doc, names: map[gov.Address]string{}, digits: map[gov.Asset]uint8{gov.Native: 18}, now: now}
	if len(doc.Facts) > 0 && string(doc.Facts) != "null" {
		s.facts = &seenFacts{}
		if err := json.Unmarshal(doc.Facts, s.facts); err != nil {
			return nil, fmt.Errorf("read the facts of %s: %w", doc.ID, err)
		}
		var joined struct {
			Effects struct {
				Reason dossier.Untrusted `json:"reason"`
			} `json:"effects"`
		}
		if err := json.Unmarshal(doc.Facts, &joined); err != nil {
			return nil, fmt.Errorf("read the effects of %s: %w", doc.ID, err)
		}
		s.reason = joined.Effects.Reason
		s.learn()
	}
	s.name(doc.ID.Governor, "governor")
	if doc.Vote != nil && doc.Vote.Voter != nil {
		s.name(*doc.Vote.Voter, "our key")
	}
	s.name(doc.Proposal.Proposer, "proposer")
	return s, nil
}

// learn collects names of accounts and decimals of tokens.
func (s *seen) learn() {
	f := s.facts
	s.name(f.DAO.Governor, "governor")
	s.name(f.DAO.Timelock, "timelock")
	s.name(f.DAO.Token, "governance token")
	s.name(f.DAO.Executor, "executor")
	for _, t := range f.DAO.Treasury {
		s.name(t, "treasury")
	}
	for _, h := range f.Treasury.Holdings {
		s.digits[h.Token] = h.Decimals
	}
	s.labels(f.Calls.Or(nil))
}

func (s *seen) labels(calls []dossier.CallDoc) {
	for _, c := range calls {
		s.name(c.To, dossier.Untrusted(c.Label).Line(60))
		s.labels(c.Children)
	}
}

// name keeps the first name of an account.
func (s *seen) name(a gov.Address, name string) {
	if a.IsZero() || name == "" || s.names[a] != "" {
		return
	}
	s.names[a] = name
}

func (s *seen) account(a gov.Address) account {
	if a.IsZero() {
		return account{a.Hex(), "zero address"}
	}
	return account{a.Hex(), s.names[a]}
}

func (s *seen) asset(a gov.Asset) account {
	if a == gov.Native {
		return account{"", "native coin"}
	}
	return s.account(gov.Address(a))
}

// amount writes an amount of an asset: in whole units where its decimals are known.
func (s *seen) amount(token gov.Asset, a gov.Amount) string {
	if unlimited(a) {
		return "unlimited"
	}
	d, ok := s.digits[token]
	if !ok {
		if len(a.String()) > 24 {
			return fmt.Sprintf("≈ %.3e smallest units", a.Float())
		}
		return group(a.String()) + " smallest units"
	}
	return units(a, d)
}

func viewOf(s *seen) *dossierView {
	p := s.doc.Proposal
	over := p.State.Over() || p.Stage == dossier.AtClosed
	var final *gov.Direction
	if s.doc.Verdict != nil {
		final = &s.doc.Verdict.Final
	}
	v := &dossierView{
		Handle: s.doc.Handle, Name: titleOf(s.doc.Text.Title), ID: s.doc.ID.String(), JSON: jsonPath(s.doc.ID), State: stateWord(p.State),
		Decision: directionBadge(shownDirection(final, s.doc.Vote)), Provisional: s.doc.Provisional, Draft: p.Draft, TooLarge: p.TooLarge,
		Ends: at(p.EndsAt, s.now), Created: at(p.Created.Time, s.now), Proposer: s.account(p.Proposer),
		Governor: account{s.doc.ID.Governor.Hex(), dossier.Untrusted(p.Name).Line(60)}, Number: p.Number.String(), Flavour: string(p.Flavour),
		Opens: s.clock(p.Starts), Closes: s.clock(p.Ends),
		Findings: s.findings(true), Clean: s.findings(false), Verdict: s.verdict(), Vote: s.vote(), Claims: claimsOf(s.doc.Claims),
		Records: s.records(), Text: textOf(s.doc.Text),
	}
	v.Proposer.Name = ""
	v.Standing, v.Waiting = standing(final, s.doc.Vote, over)
	for _, sev := range []gov.Severity{gov.Critical, gov.Warning, gov.Info} {
		n := 0
		for _, f := range v.Findings {
			if f.severity == sev {
				n++
			}
		}
		if n > 0 {
			b := severityBadge(sev)
			b.Text = fmt.Sprintf("%d %s", n, b.Text)
			v.Counts = append(v.Counts, b)
		}
	}
	v.Forecast, v.NoCast = s.forecast()
	v.Brief, v.NoBrief = s.brief()
	v.fillFacts(s)
	v.Said = v.Handle + ": " + v.Standing + ", " + v.State
	return v
}

func (v *dossierView) fillFacts(s *seen) {
	if s.facts == nil {
		v.NoCalls = fmt.Sprintf("The facts have not been gathered yet; it has %s.", plural(len(s.doc.Proposal.Actions), "action"))
		return
	}
	f := s.facts
	calls, ok := f.Calls.Get()
	switch {
	case !ok:
		v.NoCalls = "The calls could not be decoded."
	case len(calls) == 0:
		v.NoCalls = "It has no action: nothing would happen on chain."
	}
	kinds, known := f.Kinds.Get()
	if known && len(calls) > 0 {
		v.Doing = "It " + dossier.Doing(kinds) + "."
	}
	v.Unknown = int(f.UnknownCalls.Or(0))
	v.Calls = s.calls(calls, "", len(calls) <= 3)
	v.MoreCalls = hidden(len(calls), len(v.Calls))
	v.Effects = s.effects()
	v.Tally = s.tally()
	v.Facts, v.Outlook = s.factRows(), s.outlookView()
	v.FactsAt, v.Block = at(f.At.Time, s.now), group(fmt.Sprint(f.At.Number))
	v.Digest, v.Basis = f.Digest.String(), f.Basis.String()
	v.Sources = "one endpoint says so; nobody confirms it"
	if f.Sources > 1 {
		v.Sources = fmt.Sprintf("%d endpoints agree", f.Sources)
	}
	for _, m := range f.Unavailable {
		mv := missingView{Part: string(m.Part), Why: missingWords[m.Reason]}
		if mv.Why == "" {
			mv.Why = string(m.Reason)
		}
		if !m.Subject.IsZero() {
			a := s.account(m.Subject)
			mv.Subject = &a
		}
		v.Missing = append(v.Missing, mv)
	}
	for _, p := range f.NotApplicable {
		v.Missing = append(v.Missing, missingView{Part: string(p), Why: "this DAO has no such thing"})
	}
}

// clock is a point of the governor's clock as people read it.
func (s *seen) clock(c gov.Clocks) string {
	if s.doc.Proposal.Clock == gov.ClockTimestamp {
		return gov.UnixTime(c).Time().Format("2 Jan 2006, 15:04 UTC")
	}
	return "block " + group(fmt.Sprint(uint64(c)))
}

func jsonPath(id gov.ProposalID) string {
	return "/api/v1/proposals/" + id.Chain.String() + "/" + id.Governor.Hex() + "/" + id.Number.String()
}

type missingView struct {
	Part    string
	Why     string
	Subject *account
}

type findingView struct {
	ID       string
	Name     string
	Severity badge
	severity gov.Severity
	Status   string
	Class    string
	Title    []phrase
	Remedy   string
	Evidence []evidenceView
}

type evidenceView struct {
	What    []phrase
	Account *account
	Call    string // path of the call for people: 1.2
	Anchor  string
}

// findings are those that were found, the worst first, or the others.
func (s *seen) findings(found bool) []findingView {
	var out []findingView
	for _, f := range s.doc.Findings {
		if (f.Status == gov.Found) != found {
			continue
		}
		v := findingView{
			ID: string(f.ID), Name: string(f.Name), Severity: severityBadge(f.Severity), severity: f.Severity, Class: string(f.Class),
			Title: s.phrases(f.Title), Remedy: dossier.Untrusted(f.Remedy).Line(shownValue),
		}
		switch f.Status {
		case gov.Clean:
			v.Status = "clean"
		case gov.NotApplicable:
			v.Status = "does not apply"
		case gov.Found:
		default:
			v.Status = "not checked"
		}
		for _, e := range f.Evidence {
			ev := evidenceView{What: s.phrases(e.What)}
			if !e.Account.IsZero() && !strings.Contains(e.What, e.Account.Hex()) {
				a := s.account(e.Account)
				ev.Account = &a
			}
			if len(e.Call) > 0 {
				ev.Call, ev.Anchor = callNumber(e.Call), "call-"+callPath(e.Call)
			}
			v.Evidence = append(v.Evidence, ev)
		}
		out = append(out, v)
	}
	rank := []gov.Severity{gov.Critical, gov.Warning, gov.Info}
	if found {
		slices.SortStableFunc(out, func(a, b findingView) int { return slices.Index(rank, a.severity) - slices.Index(rank, b.severity) })
	}
	return out
}

// phrase is a stretch of a sentence: text, or an account or a hash that the text names.
type phrase struct {
	Text    string
	Account *account
	Hash    string
}

// phrases divides a sentence so that accounts in it are shown as everywhere else, by name and both ends.
func (s *seen) phrases(text string) []phrase {
	text = dossier.Untrusted(text).Line(shownValue)
	var out []phrase
	from := 0
	for _, at := range longHex.FindAllStringIndex(text, -1) {
		if at[0] > from {
			out = append(out, phrase{Text: text[from:at[0]]})
		}
		word := text[at[0]:at[1]]
		if a, err := gov.ParseAddress(word); err == nil {
			named := s.account(a)
			out = append(out, phrase{Account: &named})
		} else {
			out = append(out, phrase{Hash: word})
		}
		from = at[1]
	}
	if from < len(text) {
		out = append(out, phrase{Text: text[from:]})
	}
	return out
}

// longHex finds addresses and 32-byte words.
var longHex = regexp.MustCompile(`\b0x(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{40})\b`)

func callPath(path []int) string {
	parts := make([]string, len(path))
	for i, n := range path {
		parts[i] = fmt.Sprint(n)
	}
	return strings.Join(parts, ".")
}

func callNumber(path []int) string {
	parts := make([]string, len(path))
	for i, n := range path {
		parts[i] = fmt.Sprint(n + 1)
	}
	return strings.Join(parts, ".")
}

type recordView struct {
	Seq    int64
	What   string
	When   *moment
	Digest string
}

func (s *seen) records() []recordView {
	out := make([]recordView, 0, len(s.doc.Records))
	for _, r := range s.doc.Records {
		out = append(out, recordView{r.Seq, recordWord(r.Type), wall(r.Time), r.Digest.String()})
	}
	return out
}

// wall is a moment of wall time, without how far it is from now.
func wall(t time.Time) *moment {
	return &moment{ISO: t.UTC().Format(time.RFC3339), Text: t.UTC().Format("2 Jan 2006, 15:04:05 UTC")}
}

type textView struct {
	Body  string
	Flags []string
	Cut   bool
	Size  string
}

func textOf(t dossier.Text) textView {
	v := textView{Body: t.Description.Block(shownText), Size: plural(len(t.Description), "byte")}
	v.Cut = len(t.Description) > shownText && len([]rune(string(t.Description[:min(len(t.Description), 4*shownText+4)]))) > shownText
	for _, f := range t.Flags {
		v.Flags = append(v.Flags, why(gov.HoldReason(f)))
	}
	return v
}
