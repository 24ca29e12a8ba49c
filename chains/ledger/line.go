package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/legate-dao/legate/agent/gov"
)

// version is of the file format.
const version = 1

// maxLine bounds a line in bytes: an id has at most 150, a rule's name is bounded by the ballot.
const maxLine = 2048

// sum chains a line to the one before.
type sum [32]byte

func (s sum) String() string { return hex.EncodeToString(s[:]) }

func (s sum) next(text string) sum {
	h := sha256.New()
	h.Write(s[:])
	h.Write([]byte(text))
	return sum(h.Sum(nil))
}

// header is the first line: whose ledger it is. The id tells two ledgers of one key apart.
type header struct {
	Voter gov.Address
	ID    string
}

func (h header) text() string {
	return fmt.Sprintf("legate-ledger %d %s %s", version, h.Voter, h.ID)
}

// Kind is what a line says.
type Kind string

// The kinds of lines.
const (
	// Chain: votes on this chain are recorded here.
	Chain Kind = "chain"
	// Voted: this vote may be signed, and no other.
	Voted Kind = "vote"
	// Barred: no vote on this proposal may be signed; made by an import that contradicts.
	Barred Kind = "bar"
)

// Entry is one line.
type Entry struct {
	Kind     Kind
	Chain    gov.ChainID    // of a chain line
	Proposal gov.ProposalID // of a vote or bar line
	Support  gov.Support    // of a vote line, as the rest
	Reason   gov.BallotReason
	Imported bool // it came from another ledger and was never fresh here
}

func (e Entry) text(n int) string {
	switch e.Kind {
	case Chain:
		return fmt.Sprintf("%d chain %s", n, e.Chain)
	case Barred:
		return fmt.Sprintf("%d bar %s", n, e.Proposal)
	}
	from := "signed"
	if e.Imported {
		from = "imported"
	}
	record := e.Reason.Record.String()
	if record == "" {
		record = "-"
	}
	return fmt.Sprintf("%d vote %s %s %s %s %s %s", n, e.Proposal, e.Support, from, e.Reason.By, record, strconv.Quote(string(e.Reason.Rule)))
}

// parseEntry reads what text writes, and nothing else.
func parseEntry(s string, n int) (e Entry, err error) {
	parts := strings.SplitN(s, " ", 8)
	if len(parts) < 3 || parts[0] != strconv.Itoa(n) {
		return e, fmt.Errorf("it is not line %d", n)
	}
	e.Kind = Kind(parts[1])
	switch {
	case e.Kind == Chain && len(parts) == 3:
		e.Chain, err = gov.ParseChainID(parts[2])
	case e.Kind == Barred && len(parts) == 3:
		e.Proposal, err = gov.ParseProposalID(parts[2])
	case e.Kind == Voted && len(parts) == 8:
		e, err = parseVote(parts[2:])
	default:
		err = fmt.Errorf("%.20q is no kind of line", parts[1])
	}
	if err == nil && e.text(n) != s {
		err = fmt.Errorf("it is not spelled as it was written")
	}
	return e, err
}

func parseVote(parts []string) (e Entry, err error) {
	e.Kind = Voted
	if e.Proposal, err = gov.ParseProposalID(parts[0]); err != nil {
		return e, err
	}
	d, err := gov.ParseDirection(parts[1])
	if err != nil {
		return e, err
	}
	var ok bool
	if e.Support, ok = d.Support(); !ok {
		return e, fmt.Errorf("%q is no vote", parts[1])
	}
	e.Imported = parts[2] == "imported"
	e.Reason.By = gov.By(parts[3])
	if parts[4] != "-" {
		if err := e.Reason.Record.UnmarshalText([]byte(parts[4])); err != nil {
			return e, err
		}
	}
	rule, err := strconv.Unquote(parts[5])
	if err != nil {
		return e, fmt.Errorf("the rule's name is not quoted")
	}
	e.Reason.Rule = gov.Label(rule)
	return e, nil
}
