// Package trial has proposals of this project's own making, good and evil, as the facts that a decision stands on.
// `legate policy try` and `policy lint` run policies against them. Each evil one is of a kind that was voted for once,
// or would be: by a rule that is true of everything that pays little, or that knows no bound.
//
// The package is pure. Its facts are what a gathering gives when nothing hides from it: a trial is of policies, not of
// what gathers.
package trial
