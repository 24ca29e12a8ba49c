package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/checks"
	"github.com/legate-dao/legate/agent/gov"
)

// checkDoc is one check in `checks --json`.
type checkDoc struct {
	ID       gov.CheckID   `json:"id"`
	Name     gov.CheckName `json:"name"`
	Title    string        `json:"title"`
	Class    gov.Class     `json:"class"`
	Required bool          `json:"required"`
	Text     string        `json:"text"`
}

// checksDocument is that of `checks --json`.
type checksDocument struct {
	Version   int             `json:"version"`
	Checks    []checkDoc      `json:"checks"`
	Unchecked []gov.CheckName `json:"unchecked"` // required, and not in this release
}

// newChecks explains the checks.
func newChecks() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "checks", Short: "The checks, with what each finds and why",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			docs := []checkDoc{}
			for _, k := range checks.All {
				docs = append(docs, checkDoc{k.ID, k.Name, k.Title, k.Class, k.Required, k.Text})
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), checksDocument{1, docs, checks.Unchecked})
			}
			return printText(cmd.OutOrStdout(), checksText(docs))
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func checksText(docs []checkDoc) string {
	var r renderer
	for _, d := range docs {
		required := ""
		if d.Required {
			required = ", required for a vote for"
		}
		r.line("%s %s: %s %s", heading.Render(string(d.ID)), heading.Render(string(d.Name)), d.Title, faint.Render("("+string(d.Class)+required+")"))
		r.line("%s\n", indented(d.Text, 110))
	}
	r.line("Required, and not in this release: %s. Every verdict lists them.", joined(checks.Unchecked))
	return r.String()
}

// indented folds a paragraph to lines of at most most characters, two spaces in.
func indented(text string, most int) string {
	var b strings.Builder
	n := 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case n == 0:
			b.WriteString("  ")
		case n+1+len(word) > most:
			b.WriteString("\n  ")
			n = 0
		default:
			b.WriteByte(' ')
			n++
		}
		b.WriteString(word)
		n += len(word)
	}
	return b.String()
}
