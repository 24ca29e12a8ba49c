package brief

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// Model is a local model. Its errors may have a method Outcome() string that names a [dossier.BriefOutcome];
// others count as failed.
type Model interface {
	// Ask asks once.
	Ask(ctx context.Context, q Question) (Answer, error)
	// Who says what is asked, as far as it is known.
	Who() Identity
}

// Identity is what serves a model: the kind of server, its scheme, host and port, the model's name there.
type Identity struct{ Server, URL, Name string }

// Config is what code says of texts; the packages that say it are not imported here.
type Config struct {
	// Suspicious says whether the screens see something in a sentence. Nil sees nothing.
	Suspicious func(dossier.Untrusted) bool
	// Claims holds a text against the calls. It is asked where the gate has not answered yet; nil claims nothing.
	Claims func(dossier.Text, gov.Facts, dossier.Shown) ([]dossier.Claim, gov.Maybe[bool])
}

// Writer writes briefs.
type Writer struct {
	model  Model
	config Config
}

// New builds a writer. Without a model every brief is extractive.
func New(m Model, c Config) *Writer {
	if c.Suspicious == nil {
		c.Suspicious = func(dossier.Untrusted) bool { return false }
	}
	if c.Claims == nil {
		c.Claims = func(dossier.Text, gov.Facts, dossier.Shown) ([]dossier.Claim, gov.Maybe[bool]) {
			return nil, gov.Maybe[bool]{}
		}
	}
	return &Writer{m, c}
}

// Brief writes the brief of a dossier as it stands. The error is only the context's end: whatever a model
// does, there is a brief.
func (w *Writer) Brief(ctx context.Context, d dossier.Dossier) (dossier.Brief, error) {
	claims, contradicts := w.claims(d)
	base, cut := w.draft(d, contradicts)
	if w.model == nil {
		return w.finish(base, cut, claims, contradicts, nil), nil
	}
	written, model, err := w.ask(ctx, base)
	if err != nil {
		return dossier.Brief{}, fmt.Errorf("write the brief of %s: %w", d.ID(), err)
	}
	if written != nil {
		base = written
	}
	return w.finish(base, cut, claims, contradicts, &model), nil
}

// Draft is the brief that stands until the model has answered: the one that there is without a model. It asks
// nobody.
func (w *Writer) Draft(d dossier.Dossier) dossier.Brief {
	claims, contradicts := w.claims(d)
	base, cut := w.draft(d, contradicts)
	var model *dossier.BriefModel
	if w.model != nil {
		who := w.model.Who()
		model = &dossier.BriefModel{Server: who.Server, URL: who.URL, Name: dossier.Untrusted(who.Name), Prompt: PromptDigest, Outcome: dossier.ModelPending}
	}
	return w.finish(base, cut, claims, contradicts, model)
}

// finish fills a draft up with sentences of the text, where no model wrote any.
func (w *Writer) finish(base *draft, cut bool, claims []dossier.Claim, contradicts gov.Maybe[bool], model *dossier.BriefModel) dossier.Brief {
	kind := gov.BriefModel
	if model == nil || model.Outcome != dossier.ModelUsed {
		kind = gov.BriefExtractive
		base.quote(textMost, textWords)
	}
	if base.sources.long && !base.cites('s') {
		base.quote(2, maxSentence)
	}
	base.ensure()
	if cut {
		base.drop("", fmt.Sprintf("the text is longer than is read: its first %d bytes or %d sentences", maxText, maxSentences))
	}
	b := base.brief(kind)
	b.Claims, b.Contradicts, b.Model = base.recite(claims, b.Sources), contradicts, model
	return b
}

// claims are those of the gate, where it has answered, else what code says now.
func (w *Writer) claims(d dossier.Dossier) ([]dossier.Claim, gov.Maybe[bool]) {
	if d.Gate != nil {
		return d.Gate.Claims, d.Gate.Reading.Brief.Contradicts
	}
	if d.Gathered == nil {
		return nil, gov.Maybe[bool]{}
	}
	var shown dossier.Shown
	shown.Merge(d.Shown)
	shown.Merge(d.Gathered.Shown)
	return w.config.Claims(d.Text, d.Gathered.Facts, shown)
}

// draft has headline, calls and facts; the sentences of the text are still to come.
func (w *Writer) draft(d dossier.Dossier, contradicts gov.Maybe[bool]) (*draft, bool) {
	sources, sentences, cut := gather(d, contradicts, w.config.Suspicious)
	x := &draft{sources: sources, sentences: sentences, order: rank(sentences), suspicious: w.config.Suspicious, left: maxWords}
	x.title(d.Text)
	x.tell()
	return x, cut
}

// clone is a draft that may be written on without touching the first.
func (d *draft) clone() *draft {
	c := *d
	c.facts, c.text, c.cut = slices.Clone(d.facts), slices.Clone(d.text), slices.Clone(d.cut)
	return &c
}

// again are the outcomes after which a second try may go better.
var again = []dossier.BriefOutcome{dossier.ModelGarbage, dossier.ModelKilled, dossier.ModelTruncated, dossier.ModelFailed, dossier.ModelUnfounded}

// ask asks the model, at most twice, and gives the draft with what survived; nil when nothing did. What was
// cut of the last answer is in the base draft then.
func (w *Writer) ask(ctx context.Context, base *draft) (*draft, dossier.BriefModel, error) {
	a := base.ask()
	record := dossier.BriefModel{Prompt: PromptDigest, Input: a.input}
	for {
		record.Asked++
		record.Seed = a.question.Seed
		answer, err := w.model.Ask(ctx, a.question)
		if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
			return nil, record, ctx.Err()
		}
		who := w.model.Who()
		record.Server, record.URL, record.Name = who.Server, who.URL, dossier.Untrusted(who.Name)
		record.Tokens.Prompt, record.Tokens.Answer = answer.PromptTokens, answer.AnswerTokens
		d := base.clone()
		record.Outcome, record.Why = d.take(a, answer, err)
		if record.Outcome == dossier.ModelUsed {
			return d, record, nil
		}
		if record.Asked == 2 || !slices.Contains(again, record.Outcome) {
			base.cut = d.cut
			return nil, record, nil
		}
		a.question.Seed++
		a.question.Temperature = 0.4 // greedy would say the same again
	}
}

// take puts what holds of an answer into the draft.
func (d *draft) take(a askable, answer Answer, err error) (dossier.BriefOutcome, dossier.Untrusted) {
	if err != nil {
		return outcomeOf(err), dossier.Untrusted(clip(err.Error(), 60, clipped))
	}
	var said struct {
		Headline  string
		Sentences []struct {
			Lines []int
			Text  string
		}
	}
	if err := json.Unmarshal(answer.JSON, &said); err != nil {
		return dossier.ModelGarbage, dossier.Untrusted(clip(err.Error(), 60, clipped))
	}
	for _, s := range said.Sentences[:min(len(said.Sentences), textMost)] {
		ids := []string{}
		for _, n := range s.Lines {
			if n >= 1 && n <= len(a.lines) && !slices.Contains(ids, a.lines[n-1]) {
				ids = append(ids, a.lines[n-1])
			}
		}
		text := once(tidy(s.Text))
		ids = d.recited(text, ids, a.lines)
		if why := d.refuse(text, ids); why != "" {
			d.drop(text, why)
			continue
		}
		if !d.put(&d.text, d.whole(text, ids), ids...) {
			d.drop(text, "no room left")
		}
	}
	if len(d.text) == 0 {
		return dossier.ModelUnfounded, "no sentence of the answer stands on its sources"
	}
	if headline := tidy(said.Headline); headline != d.headline {
		switch why := d.refuse(headline, nil); {
		case len([]rune(headline)) > maxHeadline-3: // the schema broke it off
			d.drop(headline, "longer than a headline")
		case why != "":
			d.drop(headline, why)
		case words(headline)-words(d.headline) <= d.left:
			if headline = d.whole(headline, a.lines); len([]rune(headline)) <= maxHeadline {
				d.setHeadline(headline)
			}
		}
	}
	return dossier.ModelUsed, ""
}

// once is what a model wrote without what it repeats, at most two sentences, and without an end that was
// broken off at the limit of the schema.
func once(s string) string {
	var out []string
	for _, p := range split(s) {
		if slices.Contains(out, p) || !ends(p) && len(out) > 0 {
			continue
		}
		if out = append(out, p); len(out) == 2 {
			break
		}
	}
	return strings.Join(out, " ")
}

// ends says whether a sentence has its end.
func ends(s string) bool {
	last, _ := utf8.DecodeLastRuneInString(s)
	return strings.ContainsRune(".!?…\"”')]。！？।؟", last)
}

// hangs says whether a text stops at a word that ends no sentence.
func hangs(s string) bool {
	f := strings.Fields(strings.ToLower(s))
	return len(f) > 0 && stopwords[f[len(f)-1]]
}

// likeOther says whether the model has said nearly the same before.
func (d *draft) likeOther(text string) bool {
	all := contentWords(text)
	for _, s := range d.text {
		other, same := contentWords(string(s.Text)), 0
		for _, w := range all {
			if slices.Contains(other, w) {
				same++
			}
		}
		if len(all) > 3 && float64(same) > 0.8*float64(len(all)) {
			return true
		}
	}
	return false
}

// recited adds a line for a name that stands in none of the lines that a model cited: small models count
// badly. Numbers and addresses get no such help: another line may speak of something else.
func (d *draft) recited(text string, ids, lines []string) []string {
	for _, e := range entitiesOf(text) {
		if e.kind != aName || len(ids) == 0 || len(ids) >= maxCited || strings.ContainsFunc(e.text, unicode.IsDigit) || strings.Contains(text, e.text+"(") {
			continue
		}
		if slices.ContainsFunc(ids, func(id string) bool { return e.in(d.sources.byID[id]) }) {
			continue
		}
		if i := slices.IndexFunc(lines, func(id string) bool { return e.in(d.sources.byID[id]) }); i >= 0 {
			ids = append(ids, lines[i])
		}
	}
	return ids
}

// whole writes the addresses of a sentence in full, as they stand in its sources: a model is shown, and
// copies, their short form, and two addresses may share one.
func (d *draft) whole(text string, ids []string) string {
	return shortHex.ReplaceAllStringFunc(text, func(short string) string {
		for _, id := range ids {
			for _, e := range d.sources.byID[id].entity() {
				if e.kind == aHex && len(e.low) == 42 && sameHex(strings.ToLower(short), e.low) {
					return e.text
				}
			}
		}
		return short
	})
}

var shortHex = regexp.MustCompile(`0x[0-9a-fA-F]+(?:…|\.{2,3})[0-9a-fA-F]+`)

// maxCited is the most sources of one sentence.
const maxCited = 5

// rambles says whether three words in a row come back twice, as in the loops that small models fall into.
func rambles(s string) bool {
	seen := map[string]int{}
	f := strings.Fields(strings.ToLower(s))
	for i := 0; i+3 <= len(f); i++ {
		k := strings.Join(f[i:i+3], " ")
		if seen[k]++; seen[k] == 3 {
			return true
		}
	}
	return false
}

// enough is the share of a sentence's content words that must stand in its sources.
const enough = 0.5

// refuse says why a model's sentence cannot stand; empty when it can. Without ids it is a headline.
func (d *draft) refuse(text string, ids []string) string {
	headline := ids == nil
	switch {
	case words(text) < 2:
		return "says nothing"
	case !headline && len(ids) == 0:
		return "cites no line that it was shown"
	case !headline && (d.has(text) || d.likeOther(text)):
		return "says it twice"
	case !headline && !ends(text) && (len([]rune(text)) > maxAnswered-20 || hangs(text)): // by the schema's limit
		return "broken off"
	case d.suspicious(dossier.Untrusted(text)):
		return flaggedWhy
	case rambles(text):
		return "repeats itself"
	}
	if why := d.sources.Check(text, ids); why != "" {
		return why
	}
	known := map[string]bool{}
	for _, x := range d.sources.order {
		if headline || slices.Contains(ids, x.id) {
			for _, w := range contentWords(x.text) {
				known[w] = true
			}
		}
	}
	all, had := contentWords(text), 0
	for _, w := range all {
		if known[w] {
			had++
		}
	}
	if float64(had) < enough*float64(len(all)) || len(all) == 0 {
		return fmt.Sprintf("%d of its %d words in its sources", had, len(all))
	}
	return ""
}

// outcomeOf is the class of a model's error, by its own word.
func outcomeOf(err error) dossier.BriefOutcome {
	var e interface{ Outcome() string }
	if !errors.As(err, &e) {
		return dossier.ModelFailed
	}
	switch o := dossier.BriefOutcome(strings.ToLower(e.Outcome())); o {
	case dossier.ModelAbsent, dossier.ModelSlow, dossier.ModelGarbage, dossier.ModelKilled, dossier.ModelTruncated, dossier.ModelRefused, dossier.ModelPaused:
		return o
	}
	return dossier.ModelFailed
}
