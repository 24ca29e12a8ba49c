package main

import "github.com/spf13/cobra"

// commands are the sub-commands, one file each.
func commands() []*cobra.Command {
	return []*cobra.Command{
		newDemo(),
		newDryRun(),
		newGuarantees(),
	}
}
