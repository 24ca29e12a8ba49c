package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/legate-dao/legate/agent/dossier"
	"github.com/legate-dao/legate/agent/gov"
)

// ErrUnknown is what a [Reader] returns for a proposal that it does not know.
var ErrUnknown = errors.New("no such proposal")

// Reader is what the pages and the API read from. Its methods are called by many requests at once.
type Reader interface {
	// Proposals lists all proposals, oldest first.
	Proposals(ctx context.Context) ([]dossier.Summary, error)
	// Document is one dossier, [ErrUnknown] if there is none.
	Document(ctx context.Context, id gov.ProposalID) (dossier.Document, error)
	// Status is where the daemon stands now.
	Status(ctx context.Context) (Status, error)
}

// Status is the document of /api/v1/status.
type Status struct {
	Version   int             `json:"version"`
	Program   string          `json:"program"` // version of the program
	Chains    []Chain         `json:"chains"`
	Governors []Governor      `json:"governors"`
	Key       *gov.Address    `json:"key"` // the voting key, null where there is none
	Live      bool            `json:"live"`
	Model     *string         `json:"model"`
	Frozen    gov.Maybe[bool] `json:"frozen"`
	// Parts are the long-running parts of the program; SetAside is what it could not deal with and goes on without.
	Parts    []Part  `json:"parts"`
	SetAside []Aside `json:"set_aside"`
	// Disk is why nothing can be written and so nothing is signed, in one sentence; empty while all can be.
	Disk string `json:"disk"`
	// Alarms are the emergency rules, those that are inactive too.
	Alarms []Alarm `json:"alarms"`
	// Metrics are the watched numbers, Files the tables of the operator's, Deliveries the channels.
	Metrics    []Number   `json:"metrics"`
	Files      []File     `json:"files"`
	Deliveries []Delivery `json:"channels"`
}

// Part is how a long-running part of the program does.
type Part struct {
	Name string `json:"name"`
	// Running is false while the part waits to be started again.
	Running  bool `json:"running"`
	Restarts int  `json:"restarts"`
	// Error is what it stopped with last, or fails with now; empty while all is well.
	Error dossier.Untrusted `json:"error"`
}

// Aside is something that fails by itself again and again. It is in nobody's way, and a person must look at it.
type Aside struct {
	Part     string            `json:"part"` // alerts, told, proposal, event or step
	What     string            `json:"what"`
	Proposal string            `json:"proposal"` // empty where it is of none
	Place    int64             `json:"place"`    // of the record in the order of writing, 0 for what is none
	Why      dossier.Untrusted `json:"why"`      // the last error
	Since    time.Time         `json:"since"`
	Tries    int64             `json:"tries"`
}

// Chain is how one chain is followed.
type Chain struct {
	Chain gov.ChainID `json:"chain"`
	Head  gov.Block   `json:"head"`  // newest block that was read
	Final gov.Block   `json:"final"` // newest finalized block that was read
	// Lag is wall clock minus the head's time, in seconds; null before the first head.
	Lag gov.Maybe[float64] `json:"lag_seconds"`
	// Followed: the last poll worked and reached the chain's head.
	Followed bool `json:"followed"`
	// Error is what the last poll failed with, empty if it did not.
	Error dossier.Untrusted `json:"error"`
	// Endpoints are those that the chain is read from, by host.
	Endpoints []Endpoint `json:"endpoints"`
}

// Endpoint is what ails one endpoint, and since when; each is null where it does not. What was not noticed for an hour is
// over.
type Endpoint struct {
	Host    string                  `json:"host"`
	Differs gov.Maybe[gov.UnixTime] `json:"differs_since"` // it says something else than as many as must agree
	Slow    gov.Maybe[gov.UnixTime] `json:"slow_since"`    // it is far slower than the others
	Failing gov.Maybe[gov.UnixTime] `json:"failing_since"` // it does not answer, lags, or serves another chain
}

// Governor is one watched governor with the blocks that were read for it.
type Governor struct {
	Name     gov.Label   `json:"name"`
	Governor string      `json:"governor"` // CAIP-10
	Flavour  gov.Flavour `json:"flavour"`
	Coverage []Range     `json:"coverage"`
}

// Range is a contiguous, hash-linked range of finalized blocks that were read, both ends included.
type Range struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// sort puts chains and governors in an order that does not change from one answer to the next.
func (s Status) sort() {
	slices.SortFunc(s.Chains, func(a, b Chain) int { return cmp.Compare(a.Chain, b.Chain) })
	slices.SortFunc(s.Governors, func(a, b Governor) int { return cmp.Compare(a.Governor, b.Governor) })
}

// Ready says whether every chain is followed to its head and the disk can be written. A daemon without chains is not
// ready.
func (s Status) Ready() bool {
	if s.Disk != "" {
		return false
	}
	for _, c := range s.Chains {
		if !c.Followed {
			return false
		}
	}
	return len(s.Chains) > 0
}
