package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/devchain"
)

// shared is the demo's world with its ten proposals, made once for all tests that only read the chain. Its chain
// ends with the process.
var shared = sync.OnceValues(func() (world struct {
	*demoWorld
	proposals []*devchain.Proposal
	files     map[string][]byte
}, err error) {
	dir, err := os.MkdirTemp("", "legate-test-")
	if err != nil {
		return world, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	if world.demoWorld, err = startDemoWorld(ctx, dir, periods(true)); err != nil {
		return world, err
	}
	if err := world.writeFiles(ctx, "127.0.0.1:0"); err != nil {
		return world, err
	}
	if world.proposals, err = world.propose(ctx); err != nil {
		return world, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return world, err
	}
	world.files = map[string][]byte{}
	for _, e := range entries {
		if world.files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return world, err
		}
	}
	return world, world.chain.Mine(ctx, 4)
})

// demoFolder goes to a folder with the demo's files, on the chain that all tests share.
func demoFolder(t *testing.T) (*demoWorld, []*devchain.Proposal) {
	t.Helper()
	w, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for name, text := range w.files {
		write(t, name, string(text))
	}
	return w.demoWorld, w.proposals
}

// demoID is a proposal of the shared chain as the program writes it.
func demoID(t *testing.T, w *demoWorld, proposals []*devchain.Proposal, i int) gov.ProposalID {
	t.Helper()
	n, err := gov.ParseAmount(proposals[i].ID.String())
	if err != nil {
		t.Fatal(err)
	}
	return gov.ProposalID{Chain: gov.ChainID(w.chain.ChainID().Uint64()), Governor: gov.Address(w.daos[demoCases[i].dao].Governor), Number: n}
}
