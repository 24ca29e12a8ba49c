// Package gov holds the nouns of deciding: proposals, facts, findings, verdicts, ballots, votes.
//
// Everything in it follows from the chain's state, the proposal's actions and the operator's own
// tables; nothing in it was written by a stranger. Strings are of three sorts only: closed enums,
// labels of the operator (names of governors, rules, book entries), and texts that this program
// composes from the two. Bytes that other people chose stay opaque ([Calldata]) or appear as length
// and hash ([Value]). The proposal's text, decoded strings and model output live in package dossier,
// which no package that decides or signs may import (promise G23).
//
// The package does no I/O, starts no goroutine and reads no clock. [Facts.Digest] covers every content
// fact; [Basis] covers what a proposal does, without when and at what price. A missing fact is the
// zero [Maybe], never a zero number:
//
//	if usd, ok := facts.Treasury.OutflowUSD.Get(); ok && usd <= 50_000 { … }
package gov
