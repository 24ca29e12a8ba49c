package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
)

// newShow prints one dossier.
func newShow() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use: "show PROPOSAL", Short: "All that is known of a proposal: calls, facts, findings, decision, vote",
		Long: "Shows the dossier of a proposal, named by its handle (compound/289, ens/7f3a2c) or its id\n" +
			"(eip155:1:0x…/289). Texts that other people wrote are shown inert and cut; --json has all of them.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, db, err := openStore(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer db.Close()
			id, err := db.Resolve(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			d, handle, err := newShelf(db).load(cmd.Context(), id)
			if err != nil {
				return err
			}
			if !asJSON {
				return renderDossier(cmd.OutOrStdout(), d, handle)
			}
			doc, err := d.Document(handle)
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), doc)
		},
	}
	configFlag(c, &config)
	jsonFlag(c, &asJSON)
	return c
}

// newProposals lists what was seen.
func newProposals() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use: "proposals", Short: "The proposals that were seen, with decision and vote",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, db, err := openStore(cmd.Context(), config)
			if err != nil {
				return err
			}
			defer db.Close()
			list, err := newShelf(db).Proposals(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), dossier.List{Version: dossier.Version, Proposals: list})
			}
			return printText(cmd.OutOrStdout(), proposalsTable(width(cmd.OutOrStdout()), list))
		},
	}
	configFlag(c, &config)
	jsonFlag(c, &asJSON)
	return c
}

func proposalsTable(width int, list []dossier.Summary) string {
	if len(list) == 0 {
		return "no proposal has been seen yet\n"
	}
	rows := [][]string{}
	for _, s := range list {
		final := "-"
		if s.Final != nil {
			final = directionText(*s.Final)
		}
		state := string(s.State)
		if state == "" {
			state = "-"
		}
		rows = append(rows, []string{s.Handle, s.Title.Line(60), state, string(s.Stage), final, voteText(s.Vote), fmt.Sprint(s.EndsAt)})
	}
	return tableOf(width, []string{"proposal", "title", "state", "stage", "decision", "our vote", "ends about"}, rows)
}
