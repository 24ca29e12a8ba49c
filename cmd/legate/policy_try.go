package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/policies"
)

// tryDocument is that of `policy try --json`.
type tryDocument struct {
	Version  int              `json:"version"`
	OK       bool             `json:"ok"`
	Policies []triedPolicyDoc `json:"policies"`
}

// triedPolicyDoc is what one policy makes of the proposals at one of its governors.
type triedPolicyDoc struct {
	Name     gov.Label  `json:"name"`
	Governor gov.Label  `json:"governor"`
	Harm     int        `json:"harm"` // votes for what does harm
	Cases    []triedDoc `json:"cases"`
}

// triedDoc is one proposal. Harm is what it does to holders, empty for a proposal that does none; ForHarm marks a vote
// for it.
type triedDoc struct {
	Name      gov.Label        `json:"name"`
	Text      string           `json:"text"`
	Harm      string           `json:"harm"`
	Direction gov.Direction    `json:"direction"`
	Rule      gov.Label        `json:"rule"`
	Because   string           `json:"because"`
	Reasons   []gov.HoldReason `json:"reasons"`
	ForHarm   bool             `json:"for_harm"`
}

func newPolicyTry() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "try FILE", Short: "Show each policy proposals of the project's own making, good and evil",
		Long: "Decides with every policy of FILE on a built-in set of proposals, and says in a line each what the proposal\n" +
			"does and how the policy votes. A vote for one that does harm is marked, and the exit status is then 1.\n" +
			"A policy that passes is not proven good: the set has kinds of harm that were met, not all that there are.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := readPolicyFile(args[0])
			if err != nil {
				return err
			}
			doc := try(set)
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), doc)
			} else {
				err = printText(cmd.OutOrStdout(), tryText(doc))
			}
			if err == nil && !doc.OK {
				err = errNo
			}
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// try shows the proposals to every policy, as if they stood at each governor of its holders: a rule may name one.
func try(set *policies.Set) tryDocument {
	doc := tryDocument{Version: 1, OK: true, Policies: []triedPolicyDoc{}}
	for _, p := range set.Policies() {
		for _, governor := range governorsOf(set, p.Name) {
			one := triedPolicyDoc{Name: p.Name, Governor: governor, Cases: []triedDoc{}}
			for _, t := range p.Try(governor) {
				one.Cases = append(one.Cases, triedDoc{
					t.Name, t.Words, t.Harm, t.Verdict.Direction, t.Verdict.Rule, t.Verdict.Because, t.Verdict.Reasons, t.ForHarm(),
				})
				if t.ForHarm() {
					one.Harm++
					doc.OK = false
				}
			}
			doc.Policies = append(doc.Policies, one)
		}
	}
	return doc
}

// governorsOf lists where a policy votes; one without a name where nobody holds it.
func governorsOf(set *policies.Set, policy gov.Label) (out []gov.Label) {
	seen := map[gov.Label]bool{}
	for _, h := range set.Holders() {
		if h.Policy != policy {
			continue
		}
		for _, g := range h.Governors {
			if !seen[g] {
				seen[g] = true
				out = append(out, g)
			}
		}
	}
	if len(out) == 0 {
		out = []gov.Label{""}
	}
	return out
}

// tryText lists the proposals of each policy. Of governors at which a policy decides the same, the first speaks.
func tryText(doc tryDocument) string {
	var r renderer
	shown := map[string]bool{}
	for _, p := range doc.Policies {
		var body renderer
		counts := map[gov.Direction]int{}
		for _, c := range p.Cases {
			counts[c.Direction]++
			body.line("%s", triedLine(c))
		}
		if key := string(p.Name) + body.String(); shown[key] {
			continue
		} else {
			shown[key] = true
		}
		title := string(p.Name)
		if p.Governor != "" {
			title += " at " + string(p.Governor)
		}
		r.line("%s", heading.Render(title))
		r.WriteString(body.String())
		verdict := green.Render("no vote for harm")
		if p.Harm > 0 {
			verdict = red.Render(fmt.Sprintf("%s for what does harm", count(p.Harm, "vote")))
		}
		r.line("%d proposals: %d for, %d against, %d abstain, %d held; %s\n", len(p.Cases), counts[gov.For], counts[gov.Against], counts[gov.Abstain], counts[gov.Hold], verdict)
	}
	return strings.TrimSuffix(r.String(), "\n")
}

// triedLine is one proposal in words, and how it is voted on.
func triedLine(c triedDoc) string {
	mark, words := " ", c.Text
	switch {
	case c.ForHarm:
		mark, words = "!", words+": "+c.Harm
	case c.Harm != "":
		words += " (harm)"
	}
	line := fmt.Sprintf("%s %-8s %-18s %s", mark, c.Direction, c.Rule, words)
	if c.ForHarm {
		line = red.Render(line)
	}
	return line
}
