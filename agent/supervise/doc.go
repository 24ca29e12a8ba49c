// Package supervise keeps the long-running parts of the daemon going. A part that panics, or returns before it was asked
// to, is told to a person and started again, ever more seldom while it fails; the others do not notice.
//
// [Catch] is the other half: it makes a panic an error where one piece of work is to fail, not the part that does it.
package supervise
