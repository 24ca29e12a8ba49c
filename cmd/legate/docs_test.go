package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/checks"
)

// TestDocs holds the reference texts of docs/ to what the program says; `make docs` writes them.
func TestDocs(t *testing.T) {
	texts := map[string]string{"commands.md": commandsDoc(), "checks.md": checksDoc(), "facts.md": factsDoc()}
	for _, name := range []string{"legate", "policies"} {
		texts[name+".schema.json"], _ = legate(t, 0, "schema", name)
	}
	for name, text := range texts {
		path := filepath.Join("..", "..", "docs", name)
		if *update {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		have, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(have), text); diff != "" {
			t.Errorf("docs/%s is not what the program says; `make docs` writes it (-docs +program):\n%s", name, diff)
		}
	}
}

func commandsDoc() string {
	var b strings.Builder
	b.WriteString("# Commands\n\nMade from the program by `make docs`. Exit status: 0 fine, 1 the answer is no (a check failed, a lint error, a mismatch),\n" +
		"2 usage, 3 could not be done. With `--json` only the document goes to stdout.\n")
	for _, c := range newRoot().Commands() {
		commandDoc(&b, c)
	}
	return b.String()
}

func commandDoc(b *strings.Builder, c *cobra.Command) {
	if c.Hidden {
		return
	}
	if !c.HasSubCommands() || strings.Contains(c.Use, " ") { // one with sub-commands that takes arguments does something itself
		fmt.Fprintf(b, "\n## %s\n\n%s.\n", strings.TrimSuffix(c.UseLine(), " [flags]"), strings.TrimSuffix(c.Short, "."))
		if c.Long != "" {
			fmt.Fprintf(b, "\n%s\n", asMarkdown(c.Long))
		}
		if flags := c.LocalFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(b, "\n```\n%s```\n", flags)
		}
	}
	for _, sub := range c.Commands() {
		commandDoc(b, sub)
	}
}

// asMarkdown keeps lists that are laid out by hand as they are.
func asMarkdown(text string) string {
	paragraph, list, ok := strings.Cut(text, "\n\n  ")
	if !ok {
		return text
	}
	return paragraph + "\n\n```\n  " + list + "\n```"
}

func checksDoc() string {
	var b strings.Builder
	b.WriteString("# Checks\n\nMade from the program by `make docs`; `legate checks` prints the same. A check is `found`, `clean`, `not_applicable` or\n" +
		"`not_checked`; a vote for needs every required one to be one of the first three.\n")
	for _, c := range checks.All {
		required := "advisory"
		if c.Required {
			required = "required"
		}
		fmt.Fprintf(&b, "\n## %s `%s`\n\n%s (%s, %s).\n\n%s\n", c.ID, c.Name, c.Title, c.Class, required, strings.TrimSpace(folded(c.Text)))
	}
	fmt.Fprintf(&b, "\n## Not in this release\n\nRequired, and listed by every verdict as unchecked: %s.\n", joined(checks.Unchecked))
	return b.String()
}

func folded(text string) string {
	lines := strings.Split(indented(text, 118), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}

func factsDoc() string {
	var b strings.Builder
	b.WriteString("# What an expression can read\n\nMade from the program by `make docs`; `legate policy facts` prints the same. Rules read content facts only; `hold_if` also\n" +
		"context and text; emergency rules also metrics. A fact that is unknown makes an expression unknown, unless the rest settles it.\n\n" +
		"| fact | type | unit | class | unknown when |\n|---|---|---|---|---|\n")
	facts, functions := vocabulary()
	for _, f := range facts {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Path, f.Type, f.Unit, f.Class, f.Unknown)
	}
	b.WriteString("\n| function | what |\n|---|---|\n")
	for _, f := range functions {
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.ReplaceAll(f.Form, "|", "\\|"), f.Text)
	}
	return b.String()
}
