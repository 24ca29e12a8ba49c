package screen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Matched is what the claim matcher (detector D10) says of a text.
type Matched struct {
	// Claims are what the text names, those that contradict first, at most [MaxClaims].
	Claims []dossier.Claim
	// Contradicts is unknown when the calls are, or when the text is too long to be read.
	Contradicts gov.Maybe[bool]
	// Finding is the same as a finding of class text.
	Finding gov.Finding
}

// MaxClaims is the most claims that are listed.
const MaxClaims = 200

// TextMatch is the name of D10.
const TextMatch gov.CheckName = "text-match"

// Claims holds amounts, addresses, tokens and functions that the text names against the decoded calls.
// Silence is normal: most honest texts name much that no call does. A contradiction needs two that
// cannot both be true; what cannot be told is silent.
//
// Sources are s and the number of the sentence, and c and the number of the leaf call, from 1.
func Claims(text dossier.Text, f gov.Facts, shown dossier.Shown) Matched {
	pages := pagesOf(text, dossier.Shown{})
	d, known := deedsOf(f, shown)
	m := matcher{deeds: d, facts: f, tokens: tokensOf(pages[0].raw)}
	if known {
		m.denials()
		m.amounts()
		m.recipients()
		m.directions()
		m.entities()
	}
	slices.SortStableFunc(m.claims, func(a, b dossier.Claim) int { return rank(a.Relation) - rank(b.Relation) })
	against := len(m.claims) > 0 && m.claims[0].Relation == dossier.Contradicts
	out := Matched{Claims: append([]dossier.Claim{}, m.claims[:min(len(m.claims), MaxClaims)]...)}
	switch whole := known && !pages[0].long; {
	case against:
		out.Contradicts = gov.Known(true)
	case whole:
		out.Contradicts = gov.Known(false)
	}
	out.Finding = m.finding(out)
	return out
}

func rank(r dossier.Relation) int {
	return slices.Index([]dossier.Relation{dossier.Contradicts, dossier.Match, dossier.Silent}, r)
}

// matcher holds one text against one set of calls.
type matcher struct {
	deeds
	facts  gov.Facts
	tokens []token
	claims []dossier.Claim
	seen   map[string]bool
	// conflicts are titles of the contradictions, composed here.
	conflicts []gov.Evidence
}

// claim adds what the text names; the same words with the same relation count once.
func (m *matcher) claim(text string, r dossier.Relation, sentence, leaf int) {
	if m.seen == nil {
		m.seen = map[string]bool{}
	}
	key := string(r) + text
	if m.seen[key] {
		return
	}
	m.seen[key] = true
	sources := []string{fmt.Sprintf("s%d", sentence)}
	if leaf >= 0 {
		sources = append(sources, fmt.Sprintf("c%d", leaf+1))
	}
	m.claims = append(m.claims, dossier.Claim{Text: dossier.Untrusted(text), Relation: r, Sources: sources})
}

// contradict adds a contradiction with what the check says of it; no foreign word stands in what.
func (m *matcher) contradict(text, what string, sentence, leaf int, account gov.Address) {
	m.claim(text, dossier.Contradicts, sentence, leaf)
	e := gov.Evidence{What: what, Account: account, Call: []int{}}
	m.conflicts = append(m.conflicts, e)
}

// finding says how the text stands to the calls.
func (m *matcher) finding(out Matched) gov.Finding {
	f := gov.Finding{
		ID: "D10", Name: TextMatch, Severity: gov.Info, Class: gov.ClassText, Evidence: []gov.Evidence{},
		Remedy: "Read the calls, not the text. A hold_if on brief.contradicts stops a For.",
	}
	against, known := out.Contradicts.Get()
	match := 0
	for _, c := range out.Claims {
		if c.Relation == dossier.Match {
			match++
		}
	}
	switch {
	case against:
		f.Status, f.Severity, f.Evidence = gov.Found, gov.Warning, m.conflicts
		f.Title = fmt.Sprintf("the text says other than the calls do, in %d places", len(m.conflicts))
	case !known:
		f.Status, f.Title = gov.NotChecked, "not checked: the calls are not known, or the text is too long to be read"
	case len(out.Claims) == 0:
		f.Status, f.Title = gov.NotApplicable, "the text names nothing that calls could have"
	default:
		f.Status = gov.Clean
		f.Title = fmt.Sprintf("nothing in the text contradicts the calls; %d of %d things it names are in them", match, len(out.Claims))
	}
	return f
}

// entities lists addresses, amounts, functions and tokens that the text names, as match or silent.
func (m *matcher) entities() {
	for i, t := range m.tokens {
		switch t.kind {
		case anAddress:
			leaf, ok := m.addresses[t.address]
			m.claim(t.text, relation(ok), t.sentence, choose(ok, leaf))
		case aNumber:
			leaf, ok := m.argumentOf(t)
			if ok || t.unit != "" {
				m.claim(amountText(t), relation(ok), t.sentence, choose(ok, leaf))
			}
		case aWord:
			if leaf, ok := m.functions[t.low]; ok && (strings.ContainsAny(t.text[1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") || t.text[0] == '_' || verbs[t.low]) {
				m.claim(t.text, dossier.Match, t.sentence, leaf)
			} else if leaf, ok := m.labels[t.low]; ok && (symbolLike(t.text) || i == 0 || len(t.text) > 6) {
				m.claim(t.text, dossier.Match, t.sentence, leaf)
			} else if !ok && camel(t.text) {
				m.claim(t.text, dossier.Silent, t.sentence, -1)
			}
		}
	}
}

func relation(ok bool) dossier.Relation {
	if ok {
		return dossier.Match
	}
	return dossier.Silent
}

func choose(ok bool, leaf int) int {
	if ok {
		return leaf
	}
	return -1
}

// verbs are functions whose name is a plain word of the language.
var verbs = map[string]bool{"transfer": true, "approve": true, "mint": true, "burn": true, "upgrade": true, "pause": true, "unpause": true}

// camel says whether a word is written as a function or contract is: a capital inside lower case.
func camel(w string) bool {
	lower := false
	for i := range len(w) {
		if w[i] >= 'a' && w[i] <= 'z' {
			lower = true
		} else if w[i] >= 'A' && w[i] <= 'Z' && lower && len(w) >= 8 {
			return true
		}
	}
	return false
}

func amountText(t token) string {
	switch t.unit {
	case "":
		return t.text
	case "$":
		return "$" + t.text
	case "%":
		return t.text + "%"
	}
	return t.text + " " + t.unit
}

// argumentOf looks for a stated number among the numbers of the calls. Small bare numbers stand
// everywhere by chance: they need a unit.
func (m *matcher) argumentOf(t token) (leaf int, ok bool) {
	if t.unit == "" && t.number.value < 1000 {
		return 0, false
	}
	for _, mv := range m.moves {
		if t.unit != "" && m.called(mv.token, t.unit) && t.number.equals(mv.amount.Float(), m.scalings(mv.token, t.unit)) {
			return mv.leaf, true
		}
	}
	for _, a := range m.numbers {
		if a.value != 0 && t.number.equals(a.value, m.scalings(unknownToken, t.unit)) {
			return a.leaf, true
		}
	}
	return 0, false
}

// unknownToken has no decimals on record.
var unknownToken = gov.Asset{0xff}
