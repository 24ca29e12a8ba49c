package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/agent/journal"
	"github.com/legate-dao/legate/chains/ledger"
)

// maxLedger bounds an exported ledger, in bytes: some hundred thousand votes.
const maxLedger = 64 << 20

// newLedger is about what a key has signed.
func newLedger() *cobra.Command {
	c := &cobra.Command{
		Use: "ledger", Short: "What a key has signed: check it, move it to another machine", Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newLedgerFsck(), newLedgerExport(), newLedgerImport())
	return c
}

// ledgerReport is the document of `ledger fsck --json`.
type ledgerReport struct {
	Version  int           `json:"version"`
	OK       bool          `json:"ok"`
	Ledger   string        `json:"ledger"`
	Voter    *gov.Address  `json:"voter"`
	ID       string        `json:"id"`
	Chains   []gov.ChainID `json:"chains"`
	Votes    int           `json:"votes"`
	Barred   int           `json:"barred"`
	Lines    int           `json:"lines"`
	Last     string        `json:"last"`
	Pending  bool          `json:"pending"`
	Torn     int           `json:"torn"`
	Frozen   bool          `json:"frozen"`
	Why      string        `json:"why"`      // of the freeze
	Compared int           `json:"compared"` // votes of the journal that were looked for
	Problems []string      `json:"problems"`
}

func newLedgerFsck() *cobra.Command {
	var f ledgerFlags
	var asJSON bool
	c := &cobra.Command{
		Use: "fsck", Short: "Check that the ledger is whole, and holds every vote that the journal knows",
		Long: "Reads the ledger without changing it. With a configuration, every vote that the journal says was bound is\n" +
			"looked for as well: a ledger that was put back to an older state is told by that alone. Exit status 1\n" +
			"when something is wrong.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := f.folder()
			if err != nil {
				return err
			}
			doc, err := fsckLedger(folder)
			if err != nil {
				return err
			}
			if f.ledger == "" {
				if err := doc.compare(cmd.Context(), f.config); err != nil {
					return err
				}
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), doc)
			} else {
				err = printText(cmd.OutOrStdout(), ledgerText(doc))
			}
			if err == nil && !doc.OK {
				err = errNo
			}
			return err
		},
	}
	f.add(c)
	jsonFlag(c, &asJSON)
	return c
}

// fsckLedger looks at a ledger. What is wrong with it is in the report; the error is for one that is not there.
func fsckLedger(folder string) (ledgerReport, error) {
	r, err := ledger.Fsck(folder)
	if errors.Is(err, ledger.ErrMissing) || errors.Is(err, fs.ErrPermission) && !errors.Is(err, ledger.ErrDamaged) {
		return ledgerReport{}, err
	}
	doc := ledgerReport{
		Version: 1, OK: err == nil, Ledger: folder, ID: r.ID, Chains: r.Chains, Votes: r.Votes, Barred: r.Barred, Lines: r.Lines,
		Last: r.Last, Pending: r.Pending, Torn: r.Torn, Frozen: r.Frozen, Why: r.Why, Problems: []string{},
	}
	if !r.Voter.IsZero() {
		doc.Voter = &r.Voter
	}
	if doc.Chains == nil {
		doc.Chains = []gov.ChainID{}
	}
	if err != nil {
		doc.Problems = append(doc.Problems, err.Error())
	}
	return doc, nil
}

// compare looks for every vote of the journal in the ledger.
func (r *ledgerReport) compare(ctx context.Context, config string) error {
	if !r.OK {
		return nil
	}
	_, db, err := openStore(ctx, config)
	if err != nil {
		return fmt.Errorf("compare with the journal (--ledger %s checks the ledger alone): %w", r.Ledger, err)
	}
	defer db.Close()
	entries, err := ledger.Entries(r.Ledger)
	if err != nil {
		return err
	}
	held := map[gov.ProposalID]ledger.Entry{}
	for _, e := range entries {
		if e.Kind != ledger.Chain {
			held[e.Proposal] = e
		}
	}
	list, err := db.Proposals(ctx)
	if err != nil {
		return err
	}
	for _, p := range list {
		if err := r.compareOne(ctx, db, p, held); err != nil {
			return err
		}
	}
	r.OK = len(r.Problems) == 0
	return nil
}

func (r *ledgerReport) compareOne(ctx context.Context, db *journal.DB, p journal.Entry, held map[gov.ProposalID]ledger.Entry) error {
	if !p.Vote.Bound() || p.Vote == gov.VoteLocked { // a locked vote may not have reached the ledger yet
		return nil
	}
	d, err := db.Load(ctx, p.ID)
	if journal.Itself(err) {
		r.Problems = append(r.Problems, fmt.Sprintf("%s: the journal has a vote, and its records cannot be read: %v", p.ID, err))
		return nil
	}
	if err != nil {
		return err
	}
	b := d.Vote.Ballot
	if r.Voter == nil || b.Voter != *r.Voter {
		return nil // another key's
	}
	r.Compared++
	switch e, ok := held[p.ID]; {
	case !ok:
		r.Problems = append(r.Problems, fmt.Sprintf("%s: the journal has a vote %s that is not in the ledger", p.ID, b.Support))
	case e.Kind == ledger.Voted && e.Support != b.Support:
		r.Problems = append(r.Problems, fmt.Sprintf("%s: the journal has a vote %s, the ledger %s", p.ID, b.Support, e.Support))
	}
	return nil
}

func ledgerText(doc ledgerReport) string {
	var r renderer
	for _, p := range doc.Problems {
		r.line("%s %s", red.Render("problem"), p)
	}
	if doc.Voter != nil {
		r.line("%s of %s on %s: %s, %d barred, %s, last %s", doc.Ledger, doc.Voter, chainList(doc.Chains), count(doc.Votes, "vote"), doc.Barred, count(doc.Lines, "line"), doc.Last)
	}
	if doc.Pending || doc.Torn > 0 {
		r.line("a stop in the middle of writing left %d bytes; the next opening repairs that", doc.Torn)
	}
	if doc.Frozen {
		r.line("%s: %s", yellow.Render("frozen"), doc.Why)
	}
	r.line("%s of the journal compared, %s", count(doc.Compared, "vote"), count(len(doc.Problems), "problem"))
	return r.String()
}

func chainList(chains []gov.ChainID) string {
	names := []string{}
	for _, c := range chains {
		names = append(names, c.String())
	}
	return joined(names)
}

func newLedgerExport() *cobra.Command {
	var f ledgerFlags
	c := &cobra.Command{
		Use: "export", Short: "The ledger as JSON on stdout, to move a key to another machine",
		Long: "Freeze first: a vote that is signed here after the export is unknown there.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := f.folder()
			if err != nil {
				return err
			}
			var out bytes.Buffer // all of it or nothing
			if err := ledger.Export(folder, &out); err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(out.Bytes())
			return err
		},
	}
	f.add(c)
	c.Flags().Bool("json", true, "it is always one JSON document")
	return c
}

func newLedgerImport() *cobra.Command {
	var f ledgerFlags
	var create, asJSON bool
	c := &cobra.Command{
		Use: "import FILE", Short: "Add what another ledger of the same key holds; - reads stdin",
		Long: "Only tightens: a vote that is unknown here may from then on be signed only as it stands there, and one\n" +
			"that contradicts bars its proposal. With --create a ledger that is not here yet is made for the chains of\n" +
			"the imported votes: say so only when FILE is all that the key ever signed.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := f.folder()
			if err != nil {
				return err
			}
			text, err := readFileOrStdin(cmd, args[0])
			if err != nil {
				return fmt.Errorf("read the export: %w", err)
			}
			added, err := importLedger(cmd.Context(), folder, text, create)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), importDocument{1, folder, added})
			}
			return printText(cmd.OutOrStdout(), fmt.Sprintf("%s added to %s\n", count(added, "line"), folder))
		},
	}
	f.add(c)
	c.Flags().BoolVar(&create, "create", false, "make the ledger if it is not there")
	jsonFlag(c, &asJSON)
	return c
}

// importDocument is that of `ledger import --json`.
type importDocument struct {
	Version int    `json:"version"`
	Ledger  string `json:"ledger"`
	Added   int    `json:"added"`
}

func readFileOrStdin(cmd *cobra.Command, path string) ([]byte, error) {
	if path != "-" {
		return readBounded(path, maxLedger)
	}
	b, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), maxLedger+1))
	if err == nil && len(b) > maxLedger {
		err = fmt.Errorf("stdin is over the limit of %d bytes", maxLedger)
	}
	return b, err
}

func importLedger(ctx context.Context, folder string, text []byte, create bool) (int, error) {
	var x ledger.Exchange
	if err := json.Unmarshal(text, &x); err != nil {
		return 0, fmt.Errorf("read the export: %w", err)
	}
	l, err := ledger.Open(folder, x.Voter)
	if errors.Is(err, ledger.ErrMissing) {
		if !create {
			return 0, fmt.Errorf("%w; --create makes it from this file", err)
		}
		l, err = ledger.Create(folder, x.Voter, chainsOf(x)...)
	}
	if err != nil {
		return 0, err
	}
	return l.Import(ctx, bytes.NewReader(text))
}

func chainsOf(x ledger.Exchange) (out []gov.ChainID) {
	seen := map[gov.ChainID]bool{}
	for _, v := range x.Votes {
		if !seen[v.Proposal.Chain] {
			seen[v.Proposal.Chain] = true
			out = append(out, v.Proposal.Chain)
		}
	}
	return out
}
