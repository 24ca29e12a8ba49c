// Package dossier is a proposal as people see it: the facts of package gov, and beside them everything
// that another party wrote, each byte of it typed [Untrusted], and the proposal's life.
//
// lifecycle.go is the file to read first: the stages, what is owed in each ([Next]), and what each event
// does to a dossier ([Dossier.Apply]). Both are pure; the same records give the same dossier anywhere.
//
// No package that decides or signs imports this one (promise G23).
package dossier
