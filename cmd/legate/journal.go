package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/journal"
)

// newJournal is about the store of records.
func newJournal() *cobra.Command {
	c := &cobra.Command{
		Use: "journal", Short: "The store of records", Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newJournalFsck())
	return c
}

func newJournalFsck() *cobra.Command {
	var config string
	var asJSON bool
	c := &cobra.Command{
		Use: "fsck", Short: "Check that every record is there, unchanged and in order",
		Long: "Folds every record again and compares: sequence numbers without gap, digests that fit, stages that\n" +
			"follow, an index that says the same, and the full provenance of every signature. Exit status 1 when\n" +
			"something is wrong. What the daemon could not deal with, again and again, is listed as set aside: it goes\n" +
			"on without, and tries it seldom.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := fsckStore(cmd.Context(), config)
			if err != nil {
				return err
			}
			ok := len(report.Problems) == 0
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), fsckDocument{1, ok, report})
			} else {
				err = printText(cmd.OutOrStdout(), fsckText(report))
			}
			if err == nil && !ok {
				err = errNo
			}
			return err
		},
	}
	configFlag(c, &config)
	jsonFlag(c, &asJSON)
	return c
}

// fsckStore checks the store. A file so broken that nothing can be read is a problem found, not a failure to look.
func fsckStore(ctx context.Context, config string) (journal.Report, error) {
	_, db, err := openStore(ctx, config)
	var report journal.Report
	if err == nil {
		defer db.Close()
		report, err = db.Fsck(ctx)
	}
	if !journal.Damaged(err) {
		return report, err
	}
	report.Problems = append(report.Problems, fmt.Sprintf("%v; bring back a copy of the store, or move it away: the daemon then reads the chain again, and the ledger still bars a second vote", err))
	if report.Coverage == nil {
		report.Coverage = []journal.Range{}
	}
	if report.SetAside == nil {
		report.SetAside = []journal.Aside{}
	}
	return report, nil
}

type fsckDocument struct {
	Version int  `json:"version"`
	OK      bool `json:"ok"`
	journal.Report
}

func fsckText(report journal.Report) string {
	var r renderer
	for _, p := range report.Problems {
		r.line("%s %s", red.Render("problem"), p)
	}
	for _, a := range report.SetAside {
		r.line("%s %s, since %s, tried %s: %s", yellow.Render("set aside"), a.What, a.Since.Format("2006-01-02 15:04 UTC"), count(int(a.Tries), "time"),
			dossier.Untrusted(a.Why).Line(500))
	}
	for _, c := range report.Coverage {
		r.line("%s: blocks %d to %d were read, hash-linked to %s", c.Chain, c.From, c.To, c.Verified)
	}
	r.line("%s, %s, %s: %s", count(report.Proposals, "proposal"), count(report.Records, "record"), count(report.Signed, "signed vote"),
		count(len(report.Problems), "problem"))
	return r.String()
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// noSubcommand refuses a word that is no sub-command.
func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, "sub-command", args[0])
	}
	return nil
}
