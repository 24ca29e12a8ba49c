package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/brief"
	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/screen"
)

// briefFlags are the arguments of `brief`.
type briefFlags struct {
	dossier, config  string
	model            modelFlags
	asJSON, markdown bool
}

// newBrief writes the brief of a proposal.
func newBrief() *cobra.Command {
	var f briefFlags
	c := &cobra.Command{
		Use: "brief (PROPOSAL | --dossier FILE)", Short: "What a proposal is about, every sentence with its sources",
		Long: "Writes the brief of a proposal from the store, or of a dossier as `show --json` prints it; nothing is\n" +
			"stored. Sentences cite the text (s1…), the calls (c1…) and other facts (f1…), and hold no number, address\n" +
			"or function that their sources do not have. Without a model they are sentences of the text as written.\n\n" +
			"--llm auto asks a model server that listens on this machine (Ollama, llama-server, LM Studio, vLLM), if\n" +
			"there is one; a URL asks that one, and is the only way by which text leaves this machine. With --dossier\n" +
			"the gate's answer on the text is given as well. Exit status 0 also when the gate says hold.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := f.write(cmd.Context(), args)
			if err != nil {
				return err
			}
			switch {
			case f.asJSON:
				return printJSON(cmd.OutOrStdout(), doc)
			case f.markdown:
				return printText(cmd.OutOrStdout(), briefMarkdown(doc))
			}
			return printText(cmd.OutOrStdout(), briefText(doc))
		},
	}
	c.Flags().StringVar(&f.dossier, "dossier", "", "dossier as JSON, instead of a proposal of the store")
	c.Flags().BoolVar(&f.markdown, "markdown", false, "print Markdown, for a forum")
	f.model.register(c)
	configFlag(c, &f.config)
	jsonFlag(c, &f.asJSON)
	return c
}

// briefDoc is the document of `brief --json`. Gate is null for a proposal that no gate has read yet.
type briefDoc struct {
	Version int           `json:"version"`
	Brief   dossier.Brief `json:"brief"`
	Gate    *gov.Gated    `json:"gate"`
}

func (f briefFlags) write(ctx context.Context, args []string) (briefDoc, error) {
	doc := briefDoc{Version: dossier.Version}
	if (len(args) == 1) == (f.dossier != "") {
		return doc, usageError{errors.New("give either a proposal or --dossier FILE")}
	}
	if f.asJSON && f.markdown {
		return doc, usageError{errors.New("--json and --markdown exclude each other")}
	}
	model, err := f.model.open(ctx)
	if err != nil {
		return doc, err
	}
	d, err := f.read(ctx, args)
	if err != nil {
		return doc, err
	}
	if doc.Brief, err = brief.New(model, briefConfig()).Brief(ctx, d); err != nil {
		return doc, err
	}
	if d.Gate != nil {
		gate := d.Gate.Gate
		doc.Gate = &gate
	}
	return doc, nil
}

// read gives the dossier of the store, or of a file with the gate's answer.
func (f briefFlags) read(ctx context.Context, args []string) (dossier.Dossier, error) {
	if f.dossier != "" {
		return gatedFile(ctx, f.dossier)
	}
	_, db, err := openStore(ctx, f.config)
	if err != nil {
		return dossier.Dossier{}, err
	}
	defer db.Close()
	id, err := db.Resolve(ctx, args[0])
	if err != nil {
		return dossier.Dossier{}, err
	}
	d, _, err := newShelf(db).load(ctx, id)
	return d, err
}

// gatedFile is a dossier file as far as a brief reads it, with what the gate says of its text. Findings, claims
// and verdict in the file are ignored.
func gatedFile(ctx context.Context, path string) (dossier.Dossier, error) {
	text, err := readBounded(path, maxDossier)
	if err != nil {
		return dossier.Dossier{}, fmt.Errorf("read the dossier: %w", err)
	}
	doc, gathered, err := dossier.ReadDocument(text)
	if err != nil {
		return dossier.Dossier{}, fmt.Errorf("%s: %w", path, err)
	}
	c, err := doc.Case(gathered.Facts)
	if err != nil {
		return dossier.Dossier{}, fmt.Errorf("%s: %w", path, err)
	}
	if gathered.Shown, err = shownIn(doc); err != nil {
		return dossier.Dossier{}, fmt.Errorf("%s: %w", path, err)
	}
	d := dossier.Dossier{Proposal: c.Proposal, Text: doc.Text, Gathered: &gathered}
	gate, err := screen.New(screen.Config{Policies: standardHolds{}})
	if err != nil {
		return d, err
	}
	gated, err := gate.Gate(ctx, d, gov.Head{})
	if err != nil {
		return d, err
	}
	d.Gate = &gated
	return d, nil
}

// standardHolds is the hold_if of a policy that says nothing else: a text that contradicts its calls.
type standardHolds struct{}

// Holds implements screen.HoldIfs.
func (standardHolds) Holds(_ gov.Case, _ gov.Context, r gov.Reading) []gov.HoldIf {
	against, known := r.Brief.Contradicts.Get()
	switch {
	case !known:
		return []gov.HoldIf{{Name: "contradicts", Result: gov.Unknown, Why: "missing brief.contradicts"}}
	case against:
		return []gov.HoldIf{{Name: "contradicts", Result: gov.True}}
	}
	return nil
}

// shownIn takes the foreign strings of a document's calls out of it again.
func shownIn(doc dossier.Document) (dossier.Shown, error) {
	var s dossier.Shown
	for _, a := range doc.Proposal.Actions {
		s.Signatures = append(s.Signatures, a.Signature)
	}
	if len(doc.Facts) == 0 {
		return s, nil
	}
	var facts struct {
		Calls   []dossier.CallDoc `json:"calls"`
		Effects struct {
			Reason dossier.Untrusted `json:"reason"`
		} `json:"effects"`
	}
	if err := json.Unmarshal(doc.Facts, &facts); err != nil {
		return s, fmt.Errorf("read dossier: facts: %w", err)
	}
	s.RevertReason = facts.Effects.Reason
	s.Calls = map[string]dossier.ShownCall{}
	shownCalls(facts.Calls, "", s.Calls)
	return s, nil
}

func shownCalls(calls []dossier.CallDoc, path string, into map[string]dossier.ShownCall) {
	for i, c := range calls {
		at := strings.TrimPrefix(fmt.Sprintf("%s.%d", path, i), ".")
		shown := dossier.ShownCall{Candidates: c.Candidates, Args: c.CandidateArgs}
		if c.Signature != "" {
			shown.Args = nil
			for _, a := range c.Args {
				shown.Args = append(shown.Args, dossier.ShownArg{Name: dossier.Untrusted(a.Name), Type: a.Type, Value: a.Value})
			}
		}
		into[at] = shown
		shownCalls(c.Children, at, into)
	}
}

// briefSource says who wrote a brief.
func briefSource(b dossier.Brief) string {
	switch {
	case b.Kind == gov.BriefModel:
		return "Written by a local model (" + b.Model.Name.Line(60) + "); each sentence held to its sources."
	case b.Model != nil && b.Model.Outcome == dossier.ModelPending:
		return "Sentences of the proposal as written; the model at " + b.Model.URL + " has not answered yet."
	case b.Model != nil:
		return "Sentences of the proposal as written; the model at " + b.Model.URL + " gave nothing to use (" + string(b.Model.Outcome) + "): " + b.Model.Why.Line(200)
	}
	return "Sentences of the proposal as written; calls and facts by code."
}

// briefText is a brief for a terminal.
func briefText(doc briefDoc) string {
	b, r := doc.Brief, renderer{}
	r.line("%s\n", heading.Render(b.Headline.Line(maxBriefLine)))
	for _, s := range b.Sentences {
		r.line("- %s %s", s.Text.Line(maxBriefLine), faint.Render("["+strings.Join(s.Sources, " ")+"]"))
	}
	r.line("\n%s", faint.Render(briefSource(b)))
	if v, _ := b.Contradicts.Get(); v {
		r.line("The text contradicts the calls.")
	}
	for _, c := range b.Claims {
		if c.Relation == dossier.Contradicts {
			r.line("  contradicted: %s", c.Text.Line(120))
		}
	}
	for _, c := range b.Cut {
		r.line("%s", faint.Render("cut: "+c.Text.Line(160)+" ("+dossier.Untrusted(c.Why).Line(160)+")"))
	}
	if doc.Gate != nil {
		r.line("gate: %s%s", doc.Gate.Result, reasonsText(doc.Gate.Reasons))
	}
	return r.String()
}

// maxBriefLine is more than a headline or a sentence can have, in characters.
const maxBriefLine = 2000

func reasonsText(reasons []gov.HoldReason) string {
	if len(reasons) == 0 {
		return ""
	}
	return " (" + joined(reasons) + ")"
}

// briefMarkdown is a brief for a forum: strangers' marks, links and mentions are written out.
func briefMarkdown(doc briefDoc) string {
	b := doc.Brief
	var out strings.Builder
	fmt.Fprintf(&out, "**%s**\n\n", inertMarkdown(b.Headline))
	for _, s := range b.Sentences {
		fmt.Fprintf(&out, "- %s (%s)\n", inertMarkdown(s.Text), strings.Join(s.Sources, ", "))
	}
	fmt.Fprintf(&out, "\n%s\n", inertMarkdown(dossier.Untrusted(briefSource(b))))
	if v, _ := b.Contradicts.Get(); v {
		out.WriteString("\nThe text contradicts the calls.\n")
	}
	return out.String()
}

func inertMarkdown(u dossier.Untrusted) string { return u.Quote(maxBriefLine) }
