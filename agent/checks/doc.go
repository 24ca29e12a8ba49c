// Package checks says what deserves pointing out in the content facts of a proposal: one pure check a
// file, listed in [All], each with a name that policies use, a title and a paragraph for the operator.
//
// A check answers found, clean, not_applicable or not_checked, never less. What the decoded calls alone
// show stays found whatever the dry run did. What only execution shows is not_checked unless the run
// executed and every fact that the check reads is there: a missing part is never clean (promise "No
// evidence is not harmless"). A part that does not exist for this DAO is not_applicable.
//
// Severity is for people and routes; no policy reads it. A privileged call as such is info; warning and
// critical begin at thresholds that the check's text states with their reason, or at the operator's caps.
//
// The package does no I/O and reads no clock; the same facts give the same findings on every machine.
//
//	for _, f := range checks.Run(proposal, facts) {
//		fmt.Println(f.ID, f.Status, f.Title)
//	}
package checks
