package ledger

import (
	"fmt"
	"os"
	"slices"

	"github.com/legate-dao/legate/agent/gov"
)

// Report is what a look at a ledger found.
type Report struct {
	Voter  gov.Address
	ID     string
	Chains []gov.ChainID // in their order in the ledger
	Votes  int
	Barred int
	Lines  int
	Last   string // hash of the last line
	// Pending says that the last line is not in the mark yet, Torn how many bytes of a line that was never
	// finished there are: what a stop of the machine leaves, and the next opening repairs.
	Pending bool
	Torn    int
	Frozen  bool
	Why     string // of the freeze
}

// Fsck reads a ledger without changing it. The error says what is wrong, as [Open] would.
func Fsck(path string) (r Report, err error) {
	if _, err := os.Lstat(path); err != nil {
		return r, fmt.Errorf("check ledger %s: %w", path, ErrMissing)
	}
	r.Why, r.Frozen = Frozen(path)
	p, m, err := read(folder{path, os.Geteuid()})
	if p != nil {
		r.Voter, r.ID, r.Lines, r.Last, r.Torn = p.header.Voter, p.header.ID, p.count(), p.last().String(), p.tail
		r.Pending = p.count() > m.count
		for _, e := range p.entries {
			if e.Kind == Chain {
				r.Chains = append(r.Chains, e.Chain)
			}
		}
		for _, e := range p.votes {
			if e.Kind == Voted {
				r.Votes++
			} else {
				r.Barred++
			}
		}
	}
	if err != nil {
		return r, fmt.Errorf("check ledger %s: %w", path, err)
	}
	return r, nil
}

// Entries lists what a ledger holds, in the order in which it was written.
func Entries(path string) ([]Entry, error) {
	p, _, err := read(folder{path, os.Geteuid()})
	if err != nil {
		return nil, fmt.Errorf("read ledger %s: %w", path, err)
	}
	return slices.Clone(p.entries), nil
}
