package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/legate-dao/legate/agent/fsfault"
	"github.com/legate-dao/legate/agent/gov"
	"github.com/legate-dao/legate/chains/book"
	"github.com/legate-dao/legate/chains/rpc"
	"github.com/legate-dao/legate/policies/strict"
)

// newBook is about what the operator knows of contracts.
func newBook() *cobra.Command {
	c := &cobra.Command{
		Use: "book", Short: "What is known of contracts: propose entries, find what moved", Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newBookAdd(), newBookDiff())
	return c
}

// entryDoc is an entry in JSON, by the names of book.yaml.
type entryDoc struct {
	Address gov.Address      `json:"address"`
	Label   gov.Label        `json:"label"`
	Kind    book.Kind        `json:"kind"`
	Decimal gov.Maybe[uint8] `json:"decimals"`
	ABI     string           `json:"abi"`
	codeDoc
}

type codeDoc struct {
	CodeHash       gov.Hash    `json:"code_hash"`
	Implementation gov.Address `json:"implementation"`
	ImplCodeHash   gov.Hash    `json:"implementation_code_hash"`
}

// contractDoc is what a person looks at before accepting.
type contractDoc struct {
	Size         int         `json:"size"`
	Admin        gov.Address `json:"admin"`
	Beacon       gov.Address `json:"beacon"`
	Designator   gov.Address `json:"designator"`
	SelfDestruct bool        `json:"selfdestruct"`
	DelegateCall bool        `json:"delegatecall"`
}

// addDocument is that of `book add --json`.
type addDocument struct {
	Version  int         `json:"version"`
	At       gov.Block   `json:"at"`
	Entry    entryDoc    `json:"entry"`
	Contract contractDoc `json:"contract"`
	YAML     string      `json:"yaml"`
}

func newBookAdd() *cobra.Command {
	var from chainFlags
	var label, write, abi string
	var asJSON, history bool
	c := &cobra.Command{
		Use: "add ADDRESS|--from-history", Short: "Propose an entry from what stands on the chain; a person accepts it",
		Long: "Reads code, proxy slots and the getters of the shipped ABIs at ADDRESS and prints an entry for book.yaml.\n" +
			"Nothing is known until a person puts it into the book, with a look at what it says; --write FILE does\n" +
			"that. What an implementation can do is for that person to judge, not for this command. Functions whose\n" +
			"meaning this program does not know stand under `means` as opaque: no proposal that calls one is voted\n" +
			"for, until a person writes there what it does (inert, or such as {pays: {to: 0, amount: 1}}).",
		Args: func(cmd *cobra.Command, args []string) error {
			if history {
				return cobra.NoArgs(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if history {
				return addFromHistory(cmd, from, write, asJSON)
			}
			address, err := gov.ParseAddress(args[0])
			if err != nil {
				return usageError{err}
			}
			client, err := from.dial(cmd.Context())
			if err != nil {
				return err
			}
			defer client.Close()
			at, err := finalBlock(cmd.Context(), client)
			if err != nil {
				return err
			}
			p, err := book.Propose(cmd.Context(), client, address, at)
			if err != nil {
				return err
			}
			if abi != "" {
				if err := p.Bind(write, abi, func(path string) ([]byte, error) { return readBounded(path, book.MaxABI) }); err != nil {
					return err
				}
			}
			if label == "" {
				label = "unnamed-" + strings.ToLower(address.Hex()[2:8])
			}
			item, err := p.YAML(gov.Label(label))
			if err != nil {
				return err
			}
			if write != "" {
				if err := addToBook(write, address, item); err != nil {
					return err
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "added to %s\n", write)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), addDocumentOf(p, gov.Label(label), at, item))
			}
			return printText(cmd.OutOrStdout(), addText(p, at, item))
		},
	}
	from.add(c)
	c.Flags().BoolVar(&history, "from-history", false, "what executed proposals of the configured governors called and no book has")
	c.Flags().StringVar(&abi, "abi", "", "its ABI: a shipped name, or a .json file, relative to the folder of --write")
	c.Flags().StringVar(&label, "label", "", "the name that you give it")
	c.Flags().StringVar(&write, "write", "", "accept the entry: append it to this book.yaml")
	jsonFlag(c, &asJSON)
	return c
}

func addDocumentOf(p book.Proposed, label gov.Label, at gov.Block, item string) addDocument {
	c := p.Contract
	return addDocument{
		Version: 1, At: at, YAML: item,
		Entry:    entryDoc{p.Address, label, p.Kind, p.Decimals, p.ABIName, codeDocOf(book.Code{Hash: p.CodeHash, Implementation: p.Implementation, ImplHash: p.ImplCodeHash})},
		Contract: contractDoc{c.Size, c.Admin, c.Beacon, c.Designator, c.SelfDestruct, c.DelegateCall},
	}
}

func codeDocOf(c book.Code) codeDoc { return codeDoc{c.Hash, c.Implementation, c.ImplHash} }

func addText(p book.Proposed, at gov.Block, item string) string {
	var r renderer
	c := p.Contract
	r.line("# at block %d, %s: %d bytes of code", at.Number, at.Time, c.Size)
	if !p.Implementation.IsZero() {
		admin := "no admin in its slot"
		if !c.Admin.IsZero() {
			admin = "admin " + c.Admin.Hex()
		}
		r.line("# a proxy of %s, %s", p.Implementation, admin)
	}
	if c.SelfDestruct || c.DelegateCall {
		r.line("# the code has %s", strings.TrimPrefix(map[bool]string{true: " and SELFDESTRUCT"}[c.SelfDestruct]+map[bool]string{true: " and DELEGATECALL"}[c.DelegateCall], " and "))
	}
	if p.ABIName == "" {
		r.line("# no shipped ABI fits: without `abi:` it is a label only")
	}
	if n := len(p.Meaningless()); n > 0 {
		r.line("# %s without a known meaning: write under `means` what it does", count(n, "function"))
	}
	r.WriteString(item)
	return r.String()
}

// noEntries is an empty list as `init` writes it, to which nothing can be appended.
var noEntries = regexp.MustCompile(`(?m)^entries:[ \t]*\[[ \t]*\]([ \t]*(?:#.*)?)$`)

// addToBook appends an entry to a book, which must read well with it; the file changes in one step or not at all.
func addToBook(path string, a gov.Address, item string) error {
	text, err := readBounded(path, strict.MaxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		text = []byte("version: 1\nentries:\n")
	case err != nil:
		return fmt.Errorf("read the book: %w", err)
	default:
		b, err := parseBook(path, text)
		if err != nil {
			return err
		}
		if e, ok := b.Entry(a); ok {
			return fmt.Errorf("%s has %s already, as %s: change that entry by hand", path, a, e.Label)
		}
		text = noEntries.ReplaceAll(text, []byte("entries:$1"))
		if !strings.HasSuffix(string(text), "\n") {
			text = append(text, '\n')
		}
	}
	mode := fs.FileMode(0o644)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	grown := append(slices.Clone(text), item...)
	b, err := parseBook(path, grown)
	if err == nil {
		if _, ok := b.Entry(a); !ok {
			err = errors.New("the entry is not read back")
		}
	}
	if err != nil {
		// Not %w: the places in err are those of a file that is not there.
		return fmt.Errorf("the entry cannot be appended to %s as that is laid out (%s); put it in by hand:\n%s", path, err.Error(), item)
	}
	return replaceFile(path, grown, mode)
}

func parseBook(path string, text []byte) (*book.Book, error) {
	b, problems := book.Parse(path, text, func(p string) ([]byte, error) {
		if !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(path), p)
		}
		return readBounded(p, book.MaxABI)
	})
	return b, problems.Err()
}

// replaceFile writes a file beside path and renames it over it.
func replaceFile(path string, text []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fsfault.Of(filepath.Dir(path), err)
	}
	defer os.Remove(f.Name()) // gone already when all went well
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", path, fsfault.Of(filepath.Dir(path), err))
	}
	return os.Rename(f.Name(), path)
}

// diffDocument is that of `book diff --json`.
type diffDocument struct {
	Version int        `json:"version"`
	OK      bool       `json:"ok"`
	Moved   []movedDoc `json:"moved"`
}

// movedDoc is one entry that moved.
type movedDoc struct {
	Book     string      `json:"book"`
	Address  gov.Address `json:"address"`
	Label    gov.Label   `json:"label"`
	Recorded codeDoc     `json:"recorded"`
	Now      codeDoc     `json:"now"`
}

func newBookDiff() *cobra.Command {
	var from chainFlags
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use: "diff", Short: "Entries whose code is no longer what the book records",
		Long: "Compares every entry that pins code with what stands on the chain now. What moved is not known any\n" +
			"more, until a person accepts it. Exit status 1 when something moved.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			moved, checked, err := from.moved(cmd.Context(), file)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), diffDocument{1, len(moved) == 0, moved})
			} else {
				err = printText(cmd.OutOrStdout(), movedText(moved, checked))
			}
			if err == nil && len(moved) > 0 {
				err = errNo
			}
			return err
		},
	}
	from.add(c)
	c.Flags().StringVar(&file, "book", "", "book.yaml, with --rpc; else every book of the configuration")
	jsonFlag(c, &asJSON)
	return c
}

func movedText(moved []movedDoc, checked int) string {
	var r renderer
	for _, m := range moved {
		r.line("%s %s %s", red.Render("moved"), m.Label, m.Address)
		if m.Recorded.CodeHash != m.Now.CodeHash {
			r.line("  code            %s\n       is now     %s", m.Recorded.CodeHash, m.Now.CodeHash)
		}
		if m.Recorded.Implementation != m.Now.Implementation || m.Recorded.ImplCodeHash != m.Now.ImplCodeHash {
			r.line("  implementation  %s %s\n       is now     %s %s", m.Recorded.Implementation, m.Recorded.ImplCodeHash, m.Now.Implementation, m.Now.ImplCodeHash)
		}
	}
	r.line("%s, %d moved", count(checked, "booked account"), len(moved))
	return r.String()
}

// chainFlags say which chain is asked.
type chainFlags struct{ rpc, config, chain string }

func (f *chainFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.rpc, "rpc", "", "endpoint to ask: a URL, or env:NAME, file:PATH, credential:NAME; else those of the configuration")
	c.Flags().StringVar(&f.chain, "chain", "", "chain of the configuration, such as eip155:1, if there are several")
	configFlag(c, &f.config)
}

// dial connects to the chain.
func (f chainFlags) dial(ctx context.Context) (*rpc.Client, error) {
	if f.rpc != "" {
		return dialURL(ctx, f.rpc)
	}
	c, err := readConfig(f.config)
	if err != nil {
		return nil, err
	}
	name := f.chain
	if name == "" {
		names := sortedKeys(c.Chains)
		if len(names) > 1 {
			return nil, usageError{fmt.Errorf("%s has several chains, choose one with --chain: %s", f.config, strings.Join(names, ", "))}
		}
		name = names[0]
	}
	return dialChain(ctx, c, name)
}

func dialChain(ctx context.Context, c Config, name string) (*rpc.Client, error) {
	if _, ok := c.Chains[name]; !ok {
		return nil, usageError{fmt.Errorf("chain %q is not among %s", name, strings.Join(sortedKeys(c.Chains), ", "))}
	}
	conf, err := c.rpcConfig(name)
	if err != nil {
		return nil, err
	}
	client, err := rpc.Dial(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("chain %s: %w", name, err)
	}
	return client, nil
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func finalBlock(ctx context.Context, c *rpc.Client) (gov.Block, error) {
	h, err := c.Final(ctx)
	return gov.Block{Number: h.Number, Hash: h.Hash, Time: gov.UnixTime(h.Time)}, err
}

// moved compares one book, or every book of the configuration with its governor's chain.
func (f chainFlags) moved(ctx context.Context, file string) (moved []movedDoc, checked int, err error) {
	moved = []movedDoc{}
	compare := func(client *rpc.Client, path string) error {
		b, err := readBook(path)
		if err != nil {
			return err
		}
		at, err := finalBlock(ctx, client)
		if err != nil {
			return err
		}
		list, err := book.Diff(ctx, client, b, at)
		for _, m := range list {
			recorded := book.Code{Hash: m.Entry.CodeHash, Implementation: m.Entry.Implementation, ImplHash: m.Entry.ImplCodeHash}
			moved = append(moved, movedDoc{path, m.Entry.Address, m.Entry.Label, codeDocOf(recorded), codeDocOf(m.Now)})
		}
		checked += len(b.Entries())
		return err
	}
	if file != "" || f.rpc != "" {
		if file == "" {
			return nil, 0, usageError{errors.New("--rpc needs --book FILE")}
		}
		client, err := f.dial(ctx)
		if err != nil {
			return nil, 0, err
		}
		defer client.Close()
		return moved, checked, compare(client, file)
	}
	c, err := readConfig(f.config)
	if err != nil {
		return nil, 0, err
	}
	done := map[string]bool{}
	for _, g := range c.Governors {
		chain, path := string(g.Address.Chain), c.file(g.Book)
		if path == "" || done[chain+" "+path] {
			continue
		}
		done[chain+" "+path] = true
		client, err := dialChain(ctx, c, chain)
		if err != nil {
			return nil, 0, err
		}
		err = compare(client, path)
		client.Close()
		if err != nil {
			return nil, 0, err
		}
	}
	return moved, checked, nil
}
