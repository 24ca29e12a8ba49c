package main

import "github.com/spf13/cobra"

// commands are the sub-commands, one file each.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newDemo(),
		newInit(),
		newRun(),
		newVote(),
		newCancel(),
		newDryRun(),
		newDoctor(),
		newProposals(),
		newShow(),
		newBrief(),
		newDecode(),
		newPolicy(),
		newDecide(),
		newFreeze(),
		newUnfreeze(),
		newLedger(),
		newKeys(),
		newChecks(),
		newSchema(),
		newBook(),
		newJournal(),
		newForecast(),
		newSimulate(),
		newBench(),
		newGuarantees(),
	}
}
