// Package agenttest is a world in memory for tests of the driver: a chain with heads, finality and
// reorganisations, proposals with a scripted direction, and every port that package agent needs. Each
// port does something sane; a test overrides single ones in [World.Ports] or makes them fail in
// [World.Before] and [World.After]. With a file the world survives the death of the process, as a real
// chain and a real ledger do.
package agenttest
