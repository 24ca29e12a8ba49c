package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/legate-dao/legate/agent/gov"
)

// Exchange is a ledger as JSON, to move a key to another machine.
type Exchange struct {
	Version int         `json:"version"`
	Voter   gov.Address `json:"voter"`
	Votes   []Exchanged `json:"votes"`
}

// Exchanged is one vote. Barred says that none may be cast on the proposal.
type Exchanged struct {
	Proposal gov.ProposalID   `json:"proposal"`
	Support  gov.Direction    `json:"support"` // hold where barred
	Barred   bool             `json:"barred,omitempty"`
	Reason   gov.BallotReason `json:"reason"`
}

// maxExchange bounds an import in bytes.
const maxExchange = maxFile

// Export writes what the ledger holds.
func Export(path string, to io.Writer) error {
	p, _, err := read(folder{path, os.Geteuid()})
	if err != nil {
		return fmt.Errorf("export ledger %s: %w", path, err)
	}
	x := Exchange{Version: version, Voter: p.header.Voter, Votes: []Exchanged{}}
	for _, e := range p.entries {
		if e.Kind == Chain || p.votes[e.Proposal] != e {
			continue
		}
		v := Exchanged{Proposal: e.Proposal, Barred: e.Kind == Barred, Reason: e.Reason}
		if e.Kind == Voted {
			v.Support = e.Support.Direction()
		}
		x.Votes = append(x.Votes, v)
	}
	enc := json.NewEncoder(to)
	enc.SetIndent("", "  ")
	return enc.Encode(x)
}

// Import adds what another ledger of the same key holds. It only tightens: a vote that is unknown here may
// from then on be signed only as it stands there, and one that contradicts bars the proposal. Returned is
// the number of lines that were added, also beside an error.
func (l *Ledger) Import(ctx context.Context, from io.Reader) (added int, err error) {
	dec := json.NewDecoder(io.LimitReader(from, maxExchange))
	dec.DisallowUnknownFields()
	var x Exchange
	if err := dec.Decode(&x); err != nil {
		return 0, fmt.Errorf("import into the ledger: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return 0, fmt.Errorf("import into the ledger: more follows the document")
	}
	if x.Version != version {
		return 0, fmt.Errorf("import into the ledger: version %d, this program knows %d", x.Version, version)
	}
	if x.Voter != l.voter {
		return 0, fmt.Errorf("import into the ledger: votes of %s: %w", x.Voter, ErrVoter)
	}
	err = l.under(ctx, func() error {
		for i, v := range x.Votes {
			done, err := l.importOne(v)
			if err != nil {
				return fmt.Errorf("import into the ledger: vote %d: %w", i, err)
			}
			if done {
				added++
			}
		}
		return nil
	})
	return added, err
}

func (l *Ledger) importOne(v Exchanged) (bool, error) {
	p, err := l.refresh()
	if err != nil {
		return false, err
	}
	support, ok := v.Support.Support()
	if !ok && !v.Barred {
		return false, fmt.Errorf("%s: support %s is no vote", v.Proposal, v.Support)
	}
	e, known := p.votes[v.Proposal]
	switch {
	case known && e.Kind == Barred, known && !v.Barred && e.Support == support:
		return false, nil
	case known || v.Barred:
		return true, l.append(p, Entry{Kind: Barred, Proposal: v.Proposal})
	}
	return true, l.append(p, Entry{Kind: Voted, Proposal: v.Proposal, Support: support, Reason: v.Reason, Imported: true})
}
