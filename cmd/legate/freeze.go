package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/chains/ledger"
)

// ledgerFlags say which ledger is meant.
type ledgerFlags struct{ ledger, config string }

func (f *ledgerFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.ledger, "ledger", "", "folder of the ledger; else that of the configuration")
	configFlag(c, &f.config)
}

// folder is where the ledger is.
func (f ledgerFlags) folder() (string, error) {
	if f.ledger != "" {
		return f.ledger, nil
	}
	c, err := readConfig(f.config)
	if err != nil {
		return "", err
	}
	if c.Voter == nil {
		return "", fmt.Errorf("%s has no voter, so it has no ledger; name one with --ledger", f.config)
	}
	return c.file(c.Voter.Ledger), nil
}

// frozenDocument is that of `freeze --json` and `unfreeze --json`.
type frozenDocument struct {
	Version int    `json:"version"`
	Frozen  bool   `json:"frozen"`
	Why     string `json:"why"`
	Ledger  string `json:"ledger"`
}

// newFreeze stops all signing.
func newFreeze() *cobra.Command {
	return freezeCommand(&cobra.Command{
		Use: "freeze [WHY]", Short: "Stop all signing, from the next signature on and through restarts",
		Long: "The freeze lives beside the ledger, where the signer looks under the same lock before each signature. It\n" +
			"needs no daemon and no store. Votes that are signed already are still sent and followed.",
		Args: cobra.MaximumNArgs(1),
	}, func(folder string, args []string) error {
		why := "by hand"
		if len(args) == 1 {
			why = args[0]
		}
		return ledger.Freeze(folder, why)
	})
}

// newUnfreeze lets signing go on.
func newUnfreeze() *cobra.Command {
	return freezeCommand(&cobra.Command{
		Use: "unfreeze", Short: "Let signing go on", Args: cobra.NoArgs,
	}, func(folder string, _ []string) error { return ledger.Unfreeze(folder) })
}

// freezeCommand does one of the two, and prints what the folder says afterwards.
func freezeCommand(c *cobra.Command, do func(folder string, args []string) error) *cobra.Command {
	var f ledgerFlags
	var asJSON bool
	c.RunE = func(cmd *cobra.Command, args []string) error {
		folder, err := f.folder()
		if err != nil {
			return err
		}
		if err := do(folder, args); err != nil {
			return err
		}
		doc := frozenDocument{Version: 1, Ledger: folder}
		doc.Why, doc.Frozen = ledger.Frozen(folder)
		if asJSON {
			return printJSON(cmd.OutOrStdout(), doc)
		}
		if doc.Frozen {
			return printText(cmd.OutOrStdout(), fmt.Sprintf("%s: nothing is signed with %s: %s\n", red.Render("frozen"), folder, doc.Why))
		}
		return printText(cmd.OutOrStdout(), fmt.Sprintf("not frozen: %s may sign\n", folder))
	}
	f.add(c)
	jsonFlag(c, &asJSON)
	return c
}
