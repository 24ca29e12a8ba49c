package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/charmbracelet/x/term"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// The looks of the human forms. They reach a terminal only: see [printText].
var (
	heading = lipgloss.NewStyle().Bold(true)
	faint   = lipgloss.NewStyle().Faint(true)
	green   = lipgloss.NewStyle().Foreground(lipgloss.Color("2"))
	red     = lipgloss.NewStyle().Foreground(lipgloss.Color("1"))
	yellow  = lipgloss.NewStyle().Foreground(lipgloss.Color("3"))
)

// Bounds of what a person is shown of texts that strangers wrote; --json has all of it.
const (
	shownTitle = 120
	shownValue = 160
	shownText  = 4000
)

// printText writes a human form. Colours go to a terminal only; elsewhere lines have no trailing space.
func printText(w io.Writer, text string) error {
	if width(w) > 0 {
		_, err := lipgloss.Fprint(w, text)
		return err
	}
	var plain bytes.Buffer
	if _, err := lipgloss.Fprint(&plain, text); err != nil {
		return err
	}
	lines := strings.Split(plain.String(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n"))
	return err
}

// width is that of the terminal, 0 where there is none.
func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(f.Fd()) {
		return 0
	}
	n, _, err := term.GetSize(f.Fd())
	if err != nil || n < 40 {
		return 80
	}
	return n
}

// tableOf lays out rows under a heading, within the terminal's width where there is one.
func tableOf(width int, header []string, rows [][]string) string {
	t := table.New().Headers(header...).Rows(rows...).
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderHeader(false).BorderColumn(false).
		StyleFunc(func(row, _ int) lipgloss.Style {
			s := lipgloss.NewStyle().PaddingRight(2)
			if row == table.HeaderRow {
				return s.Inherit(heading)
			}
			return s
		})
	out := t.String()
	if width > 0 && lipgloss.Width(out) > width {
		out = t.Width(width).Wrap(true).String()
	}
	return strings.TrimRight(out, "\n") + "\n"
}

// renderDossier writes the human form of a dossier. Strangers' texts are inert and bounded (G30).
func renderDossier(w io.Writer, d dossier.Dossier, handle string) error {
	r := renderer{width: width(w)}
	r.head(d, handle)
	r.does(d)
	r.facts(d)
	r.findings(d)
	r.verdict(d)
	r.vote(d)
	r.text(d)
	return printText(w, r.String())
}

// renderer collects the parts of a human form.
type renderer struct {
	strings.Builder
	width int
}

func (r *renderer) line(format string, args ...any) { fmt.Fprintf(r, format+"\n", args...) }

func (r *renderer) section(name, about string) {
	r.line("\n%s%s", heading.Render(name), faint.Render(about))
}

func (r *renderer) head(d dossier.Dossier, handle string) {
	p := d.Proposal
	r.line("%s  %s", heading.Render(handle), d.Text.Title.Line(shownTitle))
	r.line("%s", faint.Render(p.ID.String()))
	state := string(p.State)
	if state == "" {
		state = "not known"
	}
	r.line("state %s, stage %s%s", state, d.Stage, map[bool]string{true: ", provisional: made at the head, before finality"}[d.Provisional])
	if p.Draft {
		r.line("a draft, on no governor yet: it is never voted for")
		return
	}
	ends := ""
	if at := d.EndsAt(); at > 0 {
		ends = ", ends about " + at.String()
	}
	r.line("by %s in block %d, voting %d to %d (%s clock)%s", p.Proposer, p.Created.Number, p.Starts, p.Ends, p.Clock, ends)
	if p.TooLarge {
		what := "larger than is read: no rule votes for it"
		if len(p.Actions) == 0 {
			what += ", and its actions are not kept"
		}
		r.line("%s", red.Render(what))
	}
}

func (r *renderer) does(d dossier.Dossier) {
	if d.Gathered == nil {
		r.section("What it does", "")
		r.line("  not gathered yet; %d actions", len(d.Proposal.Actions))
		return
	}
	f := d.Gathered.Facts
	r.section("What it does", fmt.Sprintf("  at block %d, %s, %s", f.At.Number, f.At.Time, sources(f.Sources)))
	calls, ok := f.Calls.Get()
	switch {
	case !ok:
		r.line("  %s", red.Render("the calls could not be decoded"))
	case len(calls) == 0:
		r.line("  nothing: it has no action")
	}
	renderCalls(r, dossier.CallDocs(calls, d.Shown, ""), "  ")
}

func sources(n int) string {
	if n > 1 {
		return fmt.Sprintf("as %d sources say", n)
	}
	return "unverified source: one endpoint says so"
}

// renderCalls writes a tree of calls, one line each and one for each candidate signature.
func renderCalls(r *renderer, calls []dossier.CallDoc, indent string) {
	for i, c := range calls {
		target := c.To.Hex()
		if c.Label != "" {
			target = string(c.Label)
		}
		known := green.Render("known")
		if !c.Known {
			known = yellow.Render("unknown")
		}
		mark := ""
		if c.Delegatecall {
			mark = red.Render(" DELEGATECALL")
		}
		r.line("%s%d. %s%s  %s %s%s", indent, i+1, target, callText(c), c.Kind, known, mark)
		if c.Label != "" {
			r.line("%s   %s", indent, faint.Render("at "+c.To.Hex()))
		}
		for _, candidate := range c.Candidates {
			r.line("%s   %s", indent, faint.Render("a public table says: "+candidate.Line(shownValue)))
		}
		renderCalls(r, c.Children, indent+"   ")
	}
}

func callText(c dossier.CallDoc) string {
	var b strings.Builder
	switch {
	case c.Signature != "":
		args := []string{}
		for _, a := range c.Args {
			args = append(args, strings.TrimSpace(string(a.Name)+" "+valueText(a.Value)))
		}
		fmt.Fprintf(&b, ".%s(%s)", c.Signature.Function(), strings.Join(args, ", "))
	case c.Selector != nil:
		fmt.Fprintf(&b, " selector %s", c.Selector)
	}
	if !c.Value.IsZero() {
		fmt.Fprintf(&b, " with %s wei", c.Value)
	}
	return b.String()
}

// valueText shows a decoded value on a part of a line, inert whatever it is.
func valueText(v any) string {
	if s, ok := v.(string); ok {
		return dossier.Untrusted(s).Line(shownValue)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	var s string
	if json.Unmarshal(b, &s) == nil {
		return dossier.Untrusted(s).Line(shownValue)
	}
	return dossier.Untrusted(b).Line(shownValue)
}

func (r *renderer) facts(d dossier.Dossier) {
	if d.Gathered == nil {
		return
	}
	f := d.Gathered.Facts
	r.section("Facts", "  by the names that policies read")
	rows := factRows(f)
	for _, row := range rows {
		r.line("  %-10s %s", row.name, strings.Join(row.items, ", "))
	}
	if reason := d.Shown.RevertReason; reason != "" {
		r.line("  %-10s reverted saying %q", "", reason.Line(shownValue))
	}
	for _, row := range outlookRows(d.Gathered.Outlook) {
		r.line("  %-10s %s", row.name, strings.Join(row.items, ", "))
	}
	for _, o := range f.Treasury.Outflows.Or(nil) {
		r.line("  %-10s %s of %s to %s%s", "outflow", o.Amount, o.Token, o.To, map[bool]string{true: yellow.Render(" outside")}[o.Outside])
	}
	for _, c := range f.Roles.Changes.Or(nil) {
		r.line("  %-10s %s of %s at %s%s", "role", c.Kind, c.Account, c.Target, map[bool]string{true: yellow.Render(" outside")}[c.Outside])
	}
	for _, c := range f.Upgrades.Or(nil) {
		r.line("  %-10s %s from %s to %s", "upgrade", c.Proxy, c.Before, c.After)
	}
	for _, p := range f.Params.Or(nil) {
		r.line("  %-10s %s.%s %s to %s (%s)", "param", p.Target, p.Signature.Function(), maybe(p.Before), maybe(p.After), p.Direction.Or(gov.Unclear))
	}
	for _, m := range f.Unavailable {
		about := ""
		if !m.Subject.IsZero() {
			about = " about " + m.Subject.Hex()
		}
		r.line("  %s %s: %s%s", yellow.Render("could not be had"), m.Part, m.Reason, about)
	}
}

func (r *renderer) findings(d dossier.Dossier) {
	var findings []gov.Finding
	if d.Gathered != nil {
		findings = append(findings, d.Gathered.Findings...)
	}
	if d.Gate != nil {
		findings = append(findings, d.Gate.Findings...)
	}
	if len(findings) == 0 {
		return
	}
	r.section("Findings", "")
	rows := [][]string{}
	for _, f := range findings {
		status := string(f.Status)
		if f.Status == gov.Found {
			status = severityStyle(f.Severity).Render(string(f.Severity))
		}
		rows = append(rows, []string{"  " + string(f.ID), string(f.Name), status, f.Title})
	}
	r.WriteString(tableOf(r.width, []string{"  id", "check", "result", ""}, rows))
}

func severityStyle(s gov.Severity) lipgloss.Style {
	switch s {
	case gov.Critical:
		return red
	case gov.Warning:
		return yellow
	}
	return lipgloss.NewStyle()
}

func (r *renderer) verdict(d dossier.Dossier) {
	v := d.VerdictDoc()
	if v == nil {
		return
	}
	r.section("Decision", "")
	r.line("  %s", explainVerdict(v.Verdict))
	if v.Direction != v.Final {
		why := "the gate has not answered"
		switch {
		case v.Gate != nil && v.Gate.Result != gov.GatePass:
			why = "the gate holds it: " + joined(v.Gate.Reasons)
		case d.Barred != "":
			why = fmt.Sprintf("it was held before (%s), so only an answer by hand votes for", d.Barred)
		case d.TimedOut != nil:
			why = "nobody answered the hold in time"
		}
		if d.Standing != nil {
			why = "an earlier Against stands"
		}
		r.line("  after the gate: %s, %s", directionText(v.Final), why)
	}
	if v.Gate != nil && v.Gate.Model != nil {
		r.line("  %s", v.Gate.Model.String())
	}
	r.trace(v.Verdict)
}

func directionText(d gov.Direction) string {
	switch d {
	case gov.For:
		return green.Render(d.String())
	case gov.Against:
		return red.Render(d.String())
	case gov.Hold:
		return yellow.Render(d.String())
	}
	return d.String()
}

func (r *renderer) vote(d dossier.Dossier) {
	v := d.VoteDoc()
	if v == nil {
		return
	}
	r.section("Our vote", "")
	r.line("  %s", voteText(v))
	if v.Tx != nil {
		r.line("  transaction %s%s", v.Tx, map[bool]string{true: fmt.Sprintf(" in block %d", deref(v.Block))}[v.Block != nil])
	}
	if v.Reason != "" {
		r.line("  %s", v.Reason)
	}
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// voteText is the vote in a few words, "-" when none is wanted yet.
func voteText(v *dossier.VoteDoc) string {
	if v == nil {
		return "-"
	}
	out := string(v.Status)
	if v.Support != nil {
		out += " " + *v.Support
	}
	if v.By != nil {
		out += " by " + string(*v.By)
	}
	return out
}

func (r *renderer) text(d dossier.Dossier) {
	if d.Text.Description == "" {
		return
	}
	r.section("Text", "  as the proposer wrote it; no part of what decides")
	for line := range strings.SplitSeq(d.Text.Description.Block(shownText), "\n") {
		r.line("  %s %s", faint.Render("|"), line)
	}
}

// joined lists words, "-" when there is none.
func joined[T ~string](words []T) string {
	if len(words) == 0 {
		return "-"
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
