package brief

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Limits of a brief (FORMATS, `brief`), and how its words are shared out.
const (
	maxHeadline = 120 // characters
	maxWords    = 220 // of headline and sentences
	callWords   = 110 // of calls and facts at most
	maxSentence = 60  // words of one sentence
	maxRunes    = 400 // characters of one sentence, for scripts without spaces
	textWords   = 110 // of the sentences of the text, where there is room
	textMost    = 4   // sentences of the text
	callsMost   = 4   // calls that are told one by one
	maxCut      = 20  // entries of the list of what was cut
	clipped     = 300 // characters of what was cut that are kept
)

// draft is a brief being written, with the words that are left.
type draft struct {
	sources    *Sources
	sentences  []sentence
	order      []ranked
	suspicious func(dossier.Untrusted) bool

	headline string
	facts    []dossier.BriefSentence // calls and facts
	text     []dossier.BriefSentence
	cut      []dossier.BriefCut
	left     int
}

func (d *draft) drop(text, why string) {
	if len(d.cut) >= maxCut {
		return
	}
	if r := []rune(text); len(r) > clipped {
		text = string(r[:clipped]) + "…"
	}
	c := dossier.BriefCut{Text: dossier.Untrusted(text), Why: why}
	if !slices.Contains(d.cut, c) {
		d.cut = append(d.cut, c)
	}
}

// put adds a sentence if there is room for it.
func (d *draft) put(to *[]dossier.BriefSentence, text string, ids ...string) bool {
	n := words(text)
	if n > d.left || n > maxSentence || len([]rune(text)) > maxRunes {
		return false
	}
	d.left -= n
	*to = append(*to, dossier.BriefSentence{Text: dossier.Untrusted(text), Sources: ids})
	return true
}

// tell adds calls and facts. A sentence of code is checked like any other.
func (d *draft) tell() {
	budget := d.left
	d.left = min(d.left, callWords)
	used := budget - d.left
	d.notable(2)
	d.calls()
	d.notable(8)
	d.left += used
}

// notable adds notable facts until there are so many sentences.
func (d *draft) notable(most int) {
	for _, f := range d.sources.of('f') {
		had := slices.ContainsFunc(d.facts, func(s dossier.BriefSentence) bool { return s.Sources[0] == f.id })
		if f.notable && !had && len(d.facts) < most {
			d.put(&d.facts, f.text, f.id)
		}
	}
}

// calls tells each of a few calls; of many, what kinds there are, and the gravest in full.
func (d *draft) calls() {
	calls := d.sources.of('c')
	if len(calls) == 0 {
		return
	}
	several := len(calls) > callsMost
	if several {
		for _, f := range d.sources.of('f') {
			if strings.HasPrefix(f.text, "The proposal makes ") {
				d.put(&d.facts, f.text, f.id)
			}
		}
		slices.SortStableFunc(calls, func(a, b *source) int { return cmp.Compare(gravity(a.text), gravity(b.text)) })
	}
	told := 0
	for _, c := range calls {
		if told == callsMost-1 && several {
			break
		}
		if !d.has(c.text) && d.put(&d.facts, c.text, c.id) {
			told++
		}
	}
	if told == 0 { // a call whose list of arguments is too long for a brief is told without it
		short, _, _ := strings.Cut(calls[0].text, ": ")
		d.put(&d.facts, strings.TrimSuffix(short, ".")+".", calls[0].id)
	}
}

// gravity puts what a person would want to see first in front.
func gravity(call string) int {
	for i, w := range []string{"delegatecall", "unknown function", "Mints", "Transfers", "Sends", "Allows"} {
		if strings.Contains(call, w) {
			return i
		}
	}
	return 99
}

// quote adds the sentences of the text that say most, in the order of the text.
func (d *draft) quote(most, budget int) {
	var picked []int
	budget = min(budget, d.left)
	choose(d.order, func(at int, worth float64) bool {
		if worth < weak && len(picked) > 0 {
			return false
		}
		s := d.sentences[at]
		n := words(s.text)
		switch {
		case n > maxSentence || len([]rune(s.text)) > maxRunes || n > budget:
			return true
		case d.has(s.text):
			return true
		case d.suspicious(dossier.Untrusted(s.text)):
			d.drop(s.text, flaggedWhy)
			return true
		}
		picked = append(picked, at)
		budget -= n
		return len(picked) < most
	})
	slices.Sort(picked)
	for _, at := range picked {
		d.put(&d.text, d.sentences[at].text, d.sentences[at].id)
	}
}

// weak is the share of the best sentence's worth below which a sentence says too little to be added.
const weak = 0.18

// flaggedWhy is the reason for a sentence in which the screens see something.
const flaggedWhy = "flagged by the screens of the text"

// has says whether the brief says this already.
func (d *draft) has(text string) bool {
	same := func(s dossier.BriefSentence) bool { return string(s.Text) == text }
	return text == d.headline || slices.ContainsFunc(d.text, same) || slices.ContainsFunc(d.facts, same)
}

// cites says whether a sentence of the brief cites a kind of source.
func (d *draft) cites(kind byte) bool {
	for _, s := range slices.Concat(d.facts, d.text) {
		for _, id := range s.Sources {
			if id[0] == kind {
				return true
			}
		}
	}
	return false
}

// ensure makes a long text be cited: by the beginning of its best sentence where none is short enough, and
// inside quotation marks where the screens see something in all of them. Of a text of figures no beginning is its own
// source, as a cut number is another number: then it is only said that there is one.
func (d *draft) ensure() {
	if !d.sources.long || d.cites('s') || len(d.sentences) == 0 {
		return
	}
	at := 0
	for i, s := range d.sentences {
		if !s.heading {
			at = i
			break
		}
	}
	if len(d.order) > 0 {
		at = d.order[0].at
	}
	s := d.sentences[at]
	for n := 40; n > 0; n /= 2 {
		text := clip(s.text, n, 200)
		if d.suspicious(dossier.Untrusted(s.text)) || d.suspicious(dossier.Untrusted(text)) {
			text = "The text says: “" + strings.NewReplacer("“", "'", "”", "'", `"`, "'", "«", "'", "»", "'").Replace(dossier.Untrusted(text).Line(300)) + "”"
		}
		if d.sources.Check(text, []string{s.id}) == "" && d.put(&d.text, text, s.id) {
			return
		}
	}
	d.put(&d.text, "What the text says cannot be cut short enough to stand here; read it in full.", s.id)
}

// clip is the beginning of a sentence, by whole words where it has spaces.
func clip(s string, most, runes int) string {
	fields := strings.Fields(s)
	out := strings.Join(fields[:min(len(fields), most)], " ")
	if r := []rune(out); len(r) > runes {
		out = string(r[:runes])
		if i := strings.LastIndexByte(out, ' '); i > 0 {
			out = out[:i]
		}
	}
	if len(out) < len(s) {
		out = strings.TrimRight(out, " ,;:") + "…"
	}
	return out
}

// title sets the headline: the proposal's title, else its first heading or sentence, else what it calls.
func (d *draft) title(t dossier.Text) {
	var tries []string
	name := strings.TrimLeft(clipBytes(string(t.Title), 2000), "# \t\r\n")
	if at := flatHeading.FindStringIndex(name); at != nil { // an indexer put the whole text into the title
		name = name[:at[0]]
	}
	for _, b := range blocksOf(name) {
		tries = append(tries, b.text)
		break
	}
	for _, s := range d.sentences[:min(len(d.sentences), 3)] {
		tries = append(tries, s.text)
	}
	for _, x := range slices.Concat(d.sources.of('c'), d.sources.of('f')) {
		tries = append(tries, x.text)
		if len(tries) > 8 {
			break
		}
	}
	for i, s := range append(tries, "A proposal without a title") {
		s = clip(s, 30, maxHeadline-1)
		if !strings.ContainsFunc(s, func(r rune) bool { return r > ' ' }) || strings.Contains(s, "://") && words(s) == 1 {
			continue
		}
		if d.suspicious(dossier.Untrusted(s)) {
			d.drop(s, flaggedWhy)
			continue
		}
		if why := d.sources.Check(s, nil); why != "" {
			if i == 0 {
				d.drop(s, why)
			}
			continue
		}
		d.setHeadline(s)
		return
	}
	d.setHeadline("A proposal")
}

func (d *draft) setHeadline(s string) {
	d.left += words(d.headline) - words(s)
	d.headline = s
}

func clipBytes(s string, n int) string {
	return strings.ToValidUTF8(s[:min(len(s), n)], "")
}

// brief puts the parts together. A sentence of the facts that fails its own check is cut as well.
func (d *draft) brief(kind gov.BriefKind) dossier.Brief {
	b := dossier.Brief{
		Kind: kind, Headline: dossier.Untrusted(d.headline), Sentences: []dossier.BriefSentence{}, Claims: []dossier.Claim{},
		Cut: []dossier.BriefCut{}, Sources: map[string]dossier.Untrusted{},
	}
	var said []string
	for _, s := range slices.Concat(d.facts, d.text) {
		if why := d.sources.Check(string(s.Text), s.Sources); why != "" {
			d.drop(string(s.Text), why)
			continue
		}
		b.Sentences = append(b.Sentences, s)
		if s.Sources[0][0] == 's' {
			said = append(said, string(s.Text))
		}
		for _, id := range s.Sources {
			b.Sources[id] = d.sources.Text(id)
		}
	}
	d.foundHeadline(b.Sources)
	b.Cut = append(b.Cut, d.cut...)
	b.Language = languageOf(strings.Join(append(said, d.headline), " "))
	return b
}

// foundHeadline adds the sources that the headline's numbers stand in, where no sentence cites them.
func (d *draft) foundHeadline(cited map[string]dossier.Untrusted) {
	for _, e := range entitiesOf(d.headline) {
		has := func(x *source) bool { return e.in(x) }
		had := slices.ContainsFunc(d.sources.order, func(x *source) bool { _, ok := cited[x.id]; return ok && has(x) })
		if i := slices.IndexFunc(d.sources.order, has); !had && i >= 0 {
			cited[d.sources.order[i].id] = dossier.Untrusted(d.sources.order[i].text)
		}
	}
}

// recite gives claims the numbers of our own sentences: those of the matcher count the text otherwise.
func (d *draft) recite(claims []dossier.Claim, cited map[string]dossier.Untrusted) []dossier.Claim {
	out := []dossier.Claim{}
	for _, c := range claims {
		ids := []string{}
		if s := d.where(string(c.Text)); s != "" {
			ids = append(ids, s)
		}
		for _, id := range c.Sources {
			if n, err := strconv.Atoi(strings.TrimPrefix(id, "c")); err == nil && n >= 1 && d.sources.byID[id] != nil && id[0] == 'c' {
				ids = append(ids, id)
			}
		}
		for _, id := range ids {
			cited[id] = d.sources.Text(id)
		}
		out = append(out, dossier.Claim{Text: c.Text, Relation: c.Relation, Sources: ids})
		if len(out) == maxClaims {
			break
		}
	}
	return out
}

// maxClaims is the most claims that a brief lists; those that contradict come first.
const maxClaims = 40

// where is the first sentence that has the words of a claim.
func (d *draft) where(text string) string {
	low := strings.ToLower(text)
	for _, s := range d.sentences {
		if low != "" && strings.Contains(strings.ToLower(s.text), low) {
			return s.id
		}
	}
	return ""
}
