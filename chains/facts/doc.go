// Package facts gathers what the chain knows of a proposal, everything at one block hash.
//
// [Decode] turns actions into a tree of calls; it reads nothing and stands alone for `legate decode`. [Gather] runs the
// gatherers of two rounds around the dry run: [Before] (calls, targets, the DAO's accounts, holdings and prices) and
// [After] (outflows, supply, roles, timelock, governor, upgrades, parameters). A gatherer reads the proposal, what the
// first round decoded and the dry run, and fills its own field, so their order cannot matter.
//
// What could not be had stays missing and is listed with its reason; what does not exist for this DAO has its neutral
// value and is listed as not applicable. Unless the dry run executed, what only execution shows is missing, never zero.
// Foreign strings go to dossier.Shown.
//
//	gathered, err := facts.Gather(ctx, facts.Deps{Caller: client, Governor: g, Book: b}, proposal, block)
package facts
