package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
	"github.com/legate-dao/legate/policies/strict"
)

// maxDossier bounds a dossier file, in bytes.
const maxDossier = 32 << 20

// newDecide is the pure decision on a stored dossier.
func newDecide() *cobra.Command {
	var dossierFile, policyFile, holder string
	var asJSON bool
	c := &cobra.Command{
		Use: "decide --dossier FILE --policy FILE", Short: "What a policy says of a stored dossier",
		Long: "Decides again on the content facts of a dossier (as `show --json` prints it), with no chain, key or\n" +
			"store. Findings, digests and hashes are computed again; findings, verdict, vote, text, context and all\n" +
			"that is joined in for display are ignored. There is no gate here: `gate` is null and `final` is the\n" +
			"direction itself; a daemon casts a For only after its gate passed. Exit status 0 whatever the verdict.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dossierFile == "" || policyFile == "" {
				return usageError{fmt.Errorf("decide needs --dossier FILE and --policy FILE")}
			}
			set, err := readPolicyFile(policyFile)
			if err != nil {
				return err
			}
			verdict, findings, err := decideFile(dossierFile, set, holder)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), decision{1, findings, verdict})
			}
			d := dossier.Dossier{Verdict: &verdict.Verdict, Gathered: &dossier.Gathered{Findings: findings}}
			r := renderer{width: width(cmd.OutOrStdout())}
			r.line("%s", directionText(verdict.Direction))
			r.line("%s", explainVerdict(verdict.Verdict))
			r.findings(d)
			r.trace(verdict.Verdict)
			return printText(cmd.OutOrStdout(), r.String())
		},
	}
	c.Flags().StringVar(&dossierFile, "dossier", "", "dossier as JSON")
	c.Flags().StringVar(&policyFile, "policy", "", "policies.yaml")
	c.Flags().StringVar(&holder, "holder", "", "holder whose policy decides, if there are several")
	jsonFlag(c, &asJSON)
	return c
}

// decision is the document of `decide --json`.
type decision struct {
	Version  int                `json:"version"`
	Findings []gov.Finding      `json:"findings"`
	Verdict  dossier.VerdictDoc `json:"verdict"`
}

// readPolicyFile reads a policies.yaml on its own.
func readPolicyFile(path string) (*policies.Set, error) {
	text, err := readBounded(path, strict.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("read the policies: %w", err)
	}
	set, problems := policies.Parse(path, text)
	return set, problems.Err()
}

// decideFile decides on a dossier file, and gives the findings beside the verdict.
func decideFile(path string, set *policies.Set, holder string) (dossier.VerdictDoc, []gov.Finding, error) {
	var out dossier.VerdictDoc
	text, err := readBounded(path, maxDossier)
	if err != nil {
		return out, nil, fmt.Errorf("read the dossier: %w", err)
	}
	doc, gathered, err := dossier.ReadDocument(text)
	if err != nil {
		return out, nil, fmt.Errorf("%s: %w", path, err)
	}
	c, err := doc.Case(gathered.Facts)
	if err != nil {
		return out, nil, fmt.Errorf("%s: %w", path, err)
	}
	c.Proposal.ContentHash = gov.ContentHash(c.Proposal.Actions, c.Proposal.DescriptionHash)
	if c.Holder, err = chooseHolder(set, holder); err != nil {
		return out, nil, usageError{err}
	}
	evidence := policies.Weigh(c)
	out.Verdict = set.DecideOn(evidence, c.Holder.Name)
	out.Final, out.Judge = out.Direction, []gov.ClauseAnswer{}
	return out, evidence.Findings, nil
}

// explainVerdict says why, in a line.
func explainVerdict(v gov.Verdict) string {
	return strings.ReplaceAll(policies.Explain(v), "\n", " ")
}

func (r *renderer) trace(v gov.Verdict) {
	rows := [][]string{}
	for _, t := range v.Trace {
		rows = append(rows, []string{"  " + string(t.Rule), t.Vote.String(), string(t.Result), t.Why})
	}
	if len(rows) > 0 {
		r.section("Rules", "")
		r.WriteString(tableOf(r.width, []string{"  rule", "would vote", "is", ""}, rows))
	}
	if len(v.Unchecked) > 0 {
		r.line("  %s", faint.Render("not in this release: "+joined(v.Unchecked)))
	}
}
