package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// newPolicy is about writing a policy.
func newPolicy() *cobra.Command {
	c := &cobra.Command{
		Use: "policy", Short: "Write a policy: problems, a trial, the vocabulary, rules read aloud", Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newPolicyLint(), newPolicyTry(), newPolicyFacts(), newPolicyExplain())
	return c
}

// lintDocument is that of `policy lint --json`.
type lintDocument struct {
	Version  int             `json:"version"`
	OK       bool            `json:"ok"`
	Problems strict.Problems `json:"problems"`
}

func newPolicyLint() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use: "lint FILE", Short: "All that is wrong with a policies.yaml, with its place",
		Long: "Reports every problem at once as file:line:column. With -c, or with a legate.yaml beside FILE, the names\n" +
			"of governors are checked too. Exit status 1 when there is an error; warnings alone are fine.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readBounded(args[0], 4*strict.MaxBytes) // what is over the language's limit is a problem with a place
			if err != nil {
				return fmt.Errorf("read the policies: %w", err)
			}
			names, err := policyNames(config, args[0])
			if err != nil {
				return err
			}
			_, problems := policies.ParseWith(args[0], text, names)
			doc := lintDocument{1, !problems.HasErrors(), problems}
			if doc.Problems == nil {
				doc.Problems = strict.Problems{}
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), doc)
			} else {
				err = printText(cmd.OutOrStdout(), lintText(args[0], doc))
			}
			if err == nil && !doc.OK {
				err = errNo
			}
			return err
		},
	}
	c.Flags().StringVarP(&config, "config", "c", "", "the operator's configuration, for the names of governors")
	jsonFlag(c, &asJSON)
	return c
}

// policyNames are the governors of the given configuration, or of the one beside the policy file. A
// configuration that was asked for must be there; one that is found must be readable.
func policyNames(config, policy string) (policies.Names, error) {
	if config == "" {
		config = filepath.Join(filepath.Dir(policy), "legate.yaml")
		if _, err := readBounded(config, strict.MaxBytes); errors.Is(err, fs.ErrNotExist) {
			return policies.Names{}, nil
		}
	}
	c, err := readConfig(config)
	if err != nil {
		return policies.Names{}, err
	}
	names := policies.Names{Governors: []string{}, Metrics: c.metricNames()}
	for _, g := range c.Governors {
		names.Governors = append(names.Governors, g.Name)
	}
	return names, nil
}

func lintText(file string, doc lintDocument) string {
	var r renderer
	errs := 0
	for _, p := range doc.Problems {
		r.line("%s", p.Detail())
		if p.Severity == strict.Error {
			errs++
		}
	}
	warnings := count(len(doc.Problems)-errs, "warning")
	if doc.OK {
		r.line("%s: %s, %s", file, green.Render("no error"), warnings)
	} else {
		r.line("%s: %s, %s", file, red.Render(count(errs, "error")), warnings)
	}
	return r.String()
}

// factDoc is one line of `policy facts --json`.
type factDoc struct {
	Path    string    `json:"path"`
	Type    string    `json:"type"`
	Unit    string    `json:"unit"`
	Class   gov.Class `json:"class"`
	Unknown string    `json:"unknown"`
	Later   bool      `json:"later"`
}

type functionDoc struct {
	Form string `json:"form"`
	Text string `json:"text"`
}

// factsList is the document of `policy facts --json`.
type factsList struct {
	Version   int           `json:"version"`
	Facts     []factDoc     `json:"facts"`
	Functions []functionDoc `json:"functions"`
}

// vocabulary is all that an expression can say.
func vocabulary() (facts []factDoc, functions []functionDoc) {
	for _, f := range policies.Facts() {
		facts = append(facts, factDoc(f))
	}
	for _, f := range policies.Functions() {
		functions = append(functions, functionDoc(f))
	}
	return facts, functions
}

func newPolicyFacts() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "facts", Short: "Everything that an expression can read, with type, unit, class, and when it is unknown",
		Long: "Content facts can be read by rules and hold_if, context and text by hold_if only, metrics by emergency\n" +
			"rules only. A fact that is unknown makes an expression unknown, unless the rest settles it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			facts, functions := vocabulary()
			if asJSON {
				return printJSON(cmd.OutOrStdout(), factsList{1, facts, functions})
			}
			w := cmd.OutOrStdout()
			return printText(w, vocabularyText(width(w), facts, functions))
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// vocabularyText is the table, and below it the words of the enums, which are too long for a column.
func vocabularyText(width int, facts []factDoc, functions []functionDoc) string {
	rows, words := [][]string{}, [][]string{}
	for _, f := range facts {
		kind, enum, isEnum := strings.Cut(f.Type, ": ")
		if isEnum && strings.Contains(enum, " ") {
			words = append(words, []string{f.Path, enum})
		}
		rows = append(rows, []string{f.Path, kind, f.Unit, string(f.Class), f.Unknown})
	}
	out := tableOf(width, []string{"fact", "type", "unit", "class", "unknown when"}, rows) + "\n" + tableOf(width, []string{"fact", "its words"}, words)
	rows = nil
	for _, f := range functions {
		rows = append(rows, []string{f.Form, f.Text})
	}
	return out + "\n" + tableOf(width, []string{"function", ""}, rows)
}

// The document of `policy explain --json`.
type explainDocument struct {
	Version   int              `json:"version"`
	Policies  []policyDoc      `json:"policies"`
	Emergency []sentence       `json:"emergency"`
	Verdict   *explainedChoice `json:"verdict"` // null without a dossier
}

type policyDoc struct {
	Name      gov.Label     `json:"name"`
	Digest    gov.Digest    `json:"digest"`
	Otherwise gov.Direction `json:"otherwise"`
	Rules     []sentence    `json:"rules"`
	HoldIf    []sentence    `json:"hold_if"`
}

type sentence struct {
	Name gov.Label `json:"name"`
	Text string    `json:"text"`
}

type explainedChoice struct {
	dossier.VerdictDoc
	Text string `json:"text"`
}

func newPolicyExplain() *cobra.Command {
	var dossierFile, holder string
	var asJSON bool
	c := &cobra.Command{
		Use: "explain FILE", Short: "Each rule as one English sentence; with --dossier, why a verdict",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if holder != "" && dossierFile == "" {
				return usageError{errors.New("--holder needs --dossier")}
			}
			set, err := readPolicyFile(args[0])
			if err != nil {
				return err
			}
			doc := explain(set)
			if dossierFile != "" {
				v, _, err := decideFile(dossierFile, set, holder)
				if err != nil {
					return err
				}
				doc.Verdict = &explainedChoice{v, policies.Explain(v.Verdict)}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), doc)
			}
			return printText(cmd.OutOrStdout(), explainText(doc))
		},
	}
	c.Flags().StringVar(&dossierFile, "dossier", "", "dossier as JSON, to explain its verdict")
	c.Flags().StringVar(&holder, "holder", "", "holder whose policy decides, if there are several")
	jsonFlag(c, &asJSON)
	return c
}

func explain(set *policies.Set) explainDocument {
	doc := explainDocument{Version: 1, Policies: []policyDoc{}, Emergency: []sentence{}}
	for _, p := range set.Policies() {
		d := policyDoc{Name: p.Name, Digest: p.Digest, Otherwise: p.Otherwise, Rules: []sentence{}, HoldIf: []sentence{}}
		for _, r := range p.Rules {
			d.Rules = append(d.Rules, sentence{r.Name, r.Explain()})
		}
		for _, h := range p.HoldIf {
			d.HoldIf = append(d.HoldIf, sentence{h.Name, h.Explain()})
		}
		doc.Policies = append(doc.Policies, d)
	}
	for _, e := range set.EmergencyRules() {
		doc.Emergency = append(doc.Emergency, sentence{e.Name, e.Explain()})
	}
	return doc
}

func explainText(doc explainDocument) string {
	var r renderer
	for _, p := range doc.Policies {
		r.line("%s %s", heading.Render(string(p.Name)), faint.Render(p.Digest.String()))
		r.sentences(p.Rules)
		r.line("  When every rule is false: %s.", p.Otherwise)
		r.sentences(p.HoldIf)
	}
	if len(doc.Emergency) > 0 {
		r.line("%s", heading.Render("emergency"))
		r.sentences(doc.Emergency)
	}
	if v := doc.Verdict; v != nil {
		r.line("\n%s\n  %s", heading.Render("This dossier"), strings.ReplaceAll(v.Text, "\n", "\n  "))
	}
	return r.String()
}

func (r *renderer) sentences(list []sentence) {
	for _, s := range list {
		r.line("  %s: %s", s.Name, strings.TrimPrefix(indented(s.Text, 110), "  "))
	}
}
